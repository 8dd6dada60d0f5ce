//! What the files say, merged and typed, each value with its place.
//!
//! Invariant: comparing two documents compares what they say, never where they say it.

use std::{
    collections::BTreeMap,
    fmt,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use jiff::civil::Date;

pub use super::roles::{OrganizationKind, OrganizationRole, Role, WorkspaceRole};
use crate::{address::Kind, diagnostic::Span, email::Email};

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
}

/// Which organization the files are for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Organization {
    /// Where the section stands.
    pub place: Place,
    /// Its id: a UUID in lower case.
    pub id: Option<Text>,
    /// Its kind.
    pub kind: Sp<OrganizationKind>,
}

/// What a file wants a role to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wanted<R> {
    /// This role.
    Role(R),
    /// No role: the person goes, or gets no grant.
    None,
    /// Whatever is live.
    Unmanaged,
}

impl<R: Role> Wanted<R> {
    /// The word in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Wanted::Role(role) => role.as_str(),
            Wanted::None => "none",
            Wanted::Unmanaged => "unmanaged",
        }
    }

    /// The wanted role that a word names.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "none" => Some(Wanted::None),
            "unmanaged" => Some(Wanted::Unmanaged),
            _ => R::ALL.iter().copied().find(|role| role.as_str() == word).map(Wanted::Role),
        }
    }
}

/// One entry of `members`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Where its key stands.
    pub place: Place,
    /// The role.
    pub role: Sp<Wanted<OrganizationRole>>,
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
    pub display_color: Option<Text>,
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

/// The label of the Default Workspace.
pub const DEFAULT_WORKSPACE: &str = "Default";

/// The name of the workspace that Claude Code makes and uses.
pub const CLAUDE_CODE_WORKSPACE: &str = "Claude Code";

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

/// Where inference may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Geos {
    /// Anywhere, also in places that come later.
    Unrestricted,
    /// In these places: sorted, each once.
    Only(Vec<Arc<str>>),
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

/// What a key is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyStatus {
    /// On.
    Active,
    /// Off; it can be switched on again.
    Inactive,
    /// Off for good.
    Archived,
}

impl KeyStatus {
    /// Every status a file can want.
    pub const ALL: [KeyStatus; 3] = [KeyStatus::Active, KeyStatus::Inactive, KeyStatus::Archived];

    /// The word in files and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            KeyStatus::Active => "active",
            KeyStatus::Inactive => "inactive",
            KeyStatus::Archived => "archived",
        }
    }
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

/// What happens to a live object that a named list does not name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unlisted {
    /// It is removed.
    Remove,
    /// It is shown.
    #[default]
    Report,
    /// It is not shown.
    Ignore,
}

impl Unlisted {
    /// The word in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Unlisted::Remove => "remove",
            Unlisted::Report => "report",
            Unlisted::Ignore => "ignore",
        }
    }
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
    /// Which kind: people, workspaces or keys.
    pub kind: Kind,
    /// A glob over e-mails, names, or names and ids of keys.
    pub pattern: Text,
    /// Why.
    pub reason: Text,
    /// The last day the reason holds.
    pub until: Option<Sp<Date>>,
}

/// A limit on one plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GuardName {
    /// People removed.
    RemovalsMembers,
    /// Grants removed.
    RemovalsWorkspaceMembers,
    /// Role changes to less.
    Downgrades,
    /// Invites sent.
    Invites,
    /// Invites to somebody who was a member before.
    Returns,
    /// Workspaces and keys archived.
    Archives,
    /// Keys switched off.
    Deactivations,
    /// Active listed keys that die by another step.
    DyingKeys,
}

impl GuardName {
    /// Every guard.
    pub const ALL: [GuardName; 8] = [
        GuardName::RemovalsMembers,
        GuardName::RemovalsWorkspaceMembers,
        GuardName::Downgrades,
        GuardName::Invites,
        GuardName::Returns,
        GuardName::Archives,
        GuardName::Deactivations,
        GuardName::DyingKeys,
    ];

    /// Its name as `--allow` takes it.
    pub fn as_str(self) -> &'static str {
        match self {
            GuardName::RemovalsMembers => "removals.members",
            GuardName::RemovalsWorkspaceMembers => "removals.workspace_members",
            GuardName::Downgrades => "downgrades",
            GuardName::Invites => "invites",
            GuardName::Returns => "returns",
            GuardName::Archives => "archives",
            GuardName::Deactivations => "deactivations",
            GuardName::DyingKeys => "dying_keys",
        }
    }
}

/// The limits that the files set; the others keep their defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// Where the section stands.
    pub place: Place,
    /// The limits.
    pub limits: BTreeMap<GuardName, Sp<Limit>>,
}

/// How many steps of a sort one plan may have; both parts must hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limit {
    /// At most this share of the live objects.
    pub share: Option<Share>,
    /// At most this many.
    pub count: Option<u32>,
}

/// A share, in hundredths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(pub u32);

impl Share {
    /// Reads `10%` or `2.5%`: from 0% to 100%, with at most two decimals.
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.strip_suffix('%')?.trim_end();
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty()
            || whole.len() > 3
            || part.len() > 2
            || !digits(whole)
            || !digits(part)
            || (number.contains('.') && part.is_empty())
        {
            return None;
        }
        let hundredths = format!("{whole}{part:0<2}").parse().ok()?;
        (hundredths <= 10_000).then_some(Share(hundredths))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 100, self.0 % 100);
        match part {
            0 => write!(f, "{whole}%"),
            _ if part % 10 == 0 => write!(f, "{whole}.{}%", part / 10),
            _ => write!(f, "{whole}.{part:02}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_and_shown_alike() {
        for (text, hundredths) in [("10%", 1000), ("2.5%", 250), ("0.05%", 5), ("100%", 10_000)] {
            assert_eq!(Share::parse(text), Some(Share(hundredths)));
            assert_eq!(Share(hundredths).to_string(), text);
        }
        for text in ["10", "%", "101%", "1.234%", "-1%", "1.%", ".5%", "1e1%", "1000%"] {
            assert_eq!(Share::parse(text), None, "{text}");
        }
    }
}
