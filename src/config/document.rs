//! What the files say, merged and typed, each value with its place.
//!
//! Invariant: comparing two documents compares what they say, never where they say it.

pub mod policy;
pub mod reading;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use jiff::civil::Date;

pub use crate::resource::{
    KeyStatus, OrgKind, Role, WorkspaceRole,
    desired::{GuardName, Unlisted},
    workspace::{Color, Geos},
};
use crate::{
    address::{Kind, Name},
    diagnostic::Span,
    email::Email,
    resource::desired::{IgnoreTarget, Limit, PlanAge},
};

/// The version of the files' form that this charter reads.
pub const VERSION: u32 = 1;

/// A value and where it stands; the place is absent for what no file says (an import).
#[derive(Clone, Debug, Default)]
pub struct Sp<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Option<Span>,
}

impl<T> Sp<T> {
    /// A value without a place.
    pub fn new(value: T) -> Self {
        Self { value, span: None }
    }

    /// A value at a place.
    pub fn at(value: T, span: Span) -> Self {
        Self { value, span: Some(span) }
    }
}

impl<T: PartialEq> PartialEq for Sp<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Sp<T> {}

impl<T> Deref for Sp<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Display> fmt::Display for Sp<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

/// Where something stands. Any two places are equal, so that documents compare by what they say.
#[derive(Clone, Debug, Default)]
pub struct Place(pub Option<Span>);

impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Place {}

/// A map of the files. It is there because its key is there: `{}` says that nothing is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section<K: Ord, V> {
    /// Where its key stands, in the first file that has it.
    pub place: Place,
    /// Its entries.
    pub entries: BTreeMap<K, V>,
}

impl<K: Ord, V> Default for Section<K, V> {
    fn default() -> Self {
        Self { place: Place(None), entries: BTreeMap::new() }
    }
}

impl<K: Ord, V> Deref for Section<K, V> {
    type Target = BTreeMap<K, V>;

    fn deref(&self) -> &Self::Target {
        &self.entries
    }
}

impl<K: Ord, V> DerefMut for Section<K, V> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.entries
    }
}

/// A text of the files.
pub type Text = Sp<Arc<str>>;

/// Everything the files say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// Which organization the files are for.
    pub organization: Organization,
    /// The people of the organization, by e-mail. `None`: people are not managed.
    pub members: Option<Section<Email, Person>>,
    /// Lists of people, by name.
    pub teams: Option<Section<Arc<str>, Team>>,
    /// The workspaces, by label. `None`: workspaces are not managed.
    pub workspaces: Option<Section<Arc<str>, Workspace>>,
    /// Keys of the Default Workspace and keys that reach the whole organization, by id or name.
    pub api_keys: Option<Section<Arc<str>, Key>>,
    /// What happens to live objects that a list does not name.
    pub manage: Manage,
    /// Limits on one plan.
    pub guard: Guard,
    /// Rules on the organization.
    pub policy: policy::Policy,
    /// Who must and must not have which access.
    pub tests: Option<policy::Tests>,
    /// What files may name, by their path.
    pub files: Option<policy::FileLimits>,
    /// Which files of the folder are read.
    pub read: Option<reading::Reading>,
}

impl Document {
    /// The workspaces that grant something to a team.
    pub fn granted_to_teams(&self) -> BTreeSet<Name> {
        let workspaces = self.workspaces.iter().flat_map(|section| &section.entries);
        workspaces
            .filter(|(_, workspace)| workspace.members.iter().any(|list| !list.teams.is_empty()))
            .map(|(label, _)| Name::label(Arc::clone(label)))
            .collect()
    }
}

/// Which organization the files are for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Organization {
    /// Where the section stands.
    pub place: Place,
    /// Its id: a UUID in lower case.
    pub id: Option<Text>,
    /// Its kind.
    pub kind: Sp<OrgKind>,
}

/// What a file wants a role to be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wanted<R> {
    /// This role. In a loaded document it is a known one.
    Role(R),
    /// No role: the person goes, or gets no grant.
    None,
    /// Whatever is live.
    Unmanaged,
}

impl<R> Wanted<R> {
    /// The role, if one is wanted.
    pub fn role(&self) -> Option<&R> {
        match self {
            Wanted::Role(role) => Some(role),
            Wanted::None | Wanted::Unmanaged => None,
        }
    }
}

impl<R: fmt::Display> fmt::Display for Wanted<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wanted::Role(role) => role.fmt(f),
            Wanted::None => f.write_str("none"),
            Wanted::Unmanaged => f.write_str("unmanaged"),
        }
    }
}

/// One entry of `members`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Where its key stands.
    pub place: Place,
    /// The role.
    pub role: Sp<Wanted<Role>>,
    /// The last day of access.
    pub until: Option<Sp<Date>>,
    /// For reviewers.
    pub note: Option<Text>,
    /// Addresses the same person had.
    pub previously: Option<Sp<Vec<Sp<Email>>>>,
    /// The pinned id, `user_…`.
    pub id: Option<Text>,
}

/// One entry of `teams`: a list of people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Team {
    /// Where its key stands.
    pub place: Place,
    /// The people in it, as listed.
    pub people: Vec<Sp<Email>>,
}

/// Whether a workspace is to be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WorkspaceState {
    /// It exists.
    #[default]
    Active,
    /// It is archived.
    Archived,
}

/// One entry of `workspaces`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workspace {
    /// Where its key stands, in the first file that has it.
    pub place: Place,
    /// Its name, where it is not the label.
    pub name: Option<Text>,
    /// The pinned id, `wrkspc_…`.
    pub id: Option<Text>,
    /// Names it had. An empty list says that it is new.
    pub previously: Option<Sp<Vec<Text>>>,
    /// Whether it is to be there.
    pub state: Option<Sp<WorkspaceState>>,
    /// `#RRGGBB`.
    pub display_color: Option<Sp<Color>>,
    /// All of its tags.
    pub tags: Option<Section<Arc<str>, Text>>,
    /// Where its data may go.
    pub data_residency: Option<Residency>,
    /// Its customer-managed encryption key; written once.
    pub external_key_id: Option<Text>,
    /// Its user profile; written once.
    pub user_profile_id: Option<Text>,
    /// For reviewers.
    pub note: Option<Text>,
    /// Who may do what in it. `None`: grants are not managed.
    pub members: Option<Grants>,
    /// Its keys, by id or name. `None`: keys are not managed.
    pub api_keys: Option<Section<Arc<str>, Key>>,
}

impl Workspace {
    /// The name it has or is to have, given its label.
    pub fn name<'a>(&'a self, label: &'a Arc<str>) -> &'a Arc<str> {
        self.name.as_ref().map_or(label, |name| &name.value)
    }

    /// Whether it is to be archived.
    pub fn is_archived(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.value == WorkspaceState::Archived)
    }
}

/// Where the data of a workspace may go; what is not named is taken from live.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Residency {
    /// Where its key stands.
    pub place: Place,
    /// Where data rests. Fixed once the workspace exists.
    pub workspace_geo: Option<Text>,
    /// Where inference runs unless a request says otherwise.
    pub default_inference_geo: Option<Text>,
    /// Where inference may run.
    pub allowed_inference_geos: Option<Sp<Geos>>,
}

/// Who may do what in a workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Where its key stands, in the first file that has it.
    pub place: Place,
    /// Grants by e-mail.
    pub people: BTreeMap<Email, Grant>,
    /// Grants to everybody in a team, by the team's name.
    pub teams: BTreeMap<Arc<str>, Grant>,
}

/// One grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Where its key stands.
    pub place: Place,
    /// The role.
    pub role: Sp<Wanted<WorkspaceRole>>,
    /// The last day of access.
    pub until: Option<Sp<Date>>,
    /// For reviewers.
    pub note: Option<Text>,
}

/// How the ids of API keys start: an entry that starts so is an id, any other is a name.
pub const KEY_ID_PREFIX: &str = "apikey_";

/// One entry of `api_keys`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Key {
    /// Where its key stands.
    pub place: Place,
    /// Its name, where the entry is by id.
    pub name: Option<Text>,
    /// What it is to be. `None`: whatever is live.
    pub status: Option<Sp<KeyStatus>>,
    /// For reviewers.
    pub note: Option<Text>,
    /// The last day it is on.
    pub until: Option<Sp<Date>>,
}

/// What happens to live objects that the files do not name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manage {
    /// Where the section stands.
    pub place: Place,
    /// People, while `members` is there.
    pub members: Option<Sp<Unlisted>>,
    /// Grants, in workspaces that have `members`.
    pub workspace_members: Option<Sp<Unlisted>>,
    /// Workspaces, while `workspaces` is there.
    pub workspaces: Option<Sp<Unlisted>>,
    /// Keys, where `api_keys` is there.
    pub api_keys: Option<Sp<Unlisted>>,
    /// What is never touched.
    pub ignore: Vec<Ignore>,
}

impl Manage {
    /// The rule for unlisted objects of one kind, and where it stands.
    pub fn rule(&self, kind: Kind) -> Option<&Sp<Unlisted>> {
        match kind {
            Kind::Member => self.members.as_ref(),
            Kind::Workspace => self.workspaces.as_ref(),
            Kind::WorkspaceMember => self.workspace_members.as_ref(),
            Kind::ApiKey => self.api_keys.as_ref(),
        }
    }
}

/// Live objects that are never touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// Where the entry stands.
    pub place: Place,
    /// What the pattern is about.
    pub target: IgnoreTarget,
    /// A glob over e-mails, names, or names and ids of keys.
    pub pattern: Text,
    /// Why.
    pub reason: Text,
    /// The last day the reason holds.
    pub until: Option<Sp<Date>>,
}

/// The limits that the files set; the others keep their defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// Where the section stands.
    pub place: Place,
    /// The limits.
    pub limits: BTreeMap<GuardName, Sp<Limit>>,
    /// Guards whose steps are acknowledged by digest, besides archives.
    pub acknowledge: Option<Sp<BTreeSet<GuardName>>>,
    /// How old a saved plan may be.
    pub max_plan_age: Option<Sp<PlanAge>>,
}
