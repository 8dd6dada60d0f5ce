//! Names objects across files, plans and journals: `workspace_member/Production/ada@acme.com`.
//!
//! Invariant: `Kind` declares its variants in apply order, so a map keyed by [`Address`] walked forward
//! meets everything an object refers to before the object itself.

use std::{cmp::Ordering, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// What sort of object an address names. The declaration order is the apply order.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A person of the organization, from invite to access.
    Member,
    /// A workspace.
    Workspace,
    /// The grant of one person in one workspace.
    WorkspaceMember,
    /// An API key.
    ApiKey,
}

impl Kind {
    /// Every kind, in apply order.
    pub const ALL: [Kind; 4] = [Kind::Member, Kind::Workspace, Kind::WorkspaceMember, Kind::ApiKey];

    /// The word used in addresses and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Member => "member",
            Kind::Workspace => "workspace",
            Kind::WorkspaceMember => "workspace_member",
            Kind::ApiKey => "api_key",
        }
    }

    /// The word for one such object in a sentence.
    pub fn noun(self) -> &'static str {
        match self {
            Kind::Member => "member",
            Kind::Workspace => "workspace",
            Kind::WorkspaceMember => "workspace member",
            Kind::ApiKey => "API key",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A remote id as the API gives it: `user_…`, `invite_…`, `wrkspc_…`, `apikey_…`.
///
/// A grant has no id of its own: its remote id is `<workspace id>/<user id>`.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct RemoteId(pub Arc<str>);

impl RemoteId {
    /// Wraps an id.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The id of the grant of `user` in `workspace`.
    pub fn grant(workspace: &RemoteId, user: &RemoteId) -> Self {
        Self(format!("{workspace}/{user}").into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RemoteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One part of an address: a name from the files (or an e-mail), or a remote id for what no file names.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Name {
    /// The key in the files: an e-mail in canonical form, a workspace label, a key's name.
    Label(Arc<str>),
    /// The remote id: what nothing in the files binds.
    Id(Arc<str>),
}

impl Name {
    /// A name from the files.
    pub fn label(text: impl Into<Arc<str>>) -> Self {
        Name::Label(text.into())
    }

    /// A remote id used as a name.
    pub fn id(id: &RemoteId) -> Self {
        Name::Id(id.0.clone())
    }

    /// The text, whatever its sort.
    pub fn as_str(&self) -> &str {
        match self {
            Name::Label(text) | Name::Id(text) => text,
        }
    }

    /// The shared text, whatever its sort.
    pub fn text(&self) -> &Arc<str> {
        self.parts().1
    }

    /// Sort order of the variant, and the shared text.
    fn parts(&self) -> (u8, &Arc<str>) {
        match self {
            Name::Label(text) => (0, text),
            Name::Id(text) => (1, text),
        }
    }
}

// Names are shared `Arc`s within one run, so the same name is most often the same pointer:
// comparing pointers first keeps maps of 70,000 grants cheap.
impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        let ((left_sort, left), (right_sort, right)) = (self.parts(), other.parts());
        left_sort
            .cmp(&right_sort)
            .then_with(|| if Arc::ptr_eq(left, right) { Ordering::Equal } else { left.cmp(right) })
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Name {}

impl std::hash::Hash for Name {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        let (sort, text) = self.parts();
        (sort, &**text).hash(state);
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The stable name of one object: its kind, the name of the object it lives in (a grant and a key by name
/// live in a workspace), and its own name.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Address {
    /// What it is.
    pub kind: Kind,
    /// The workspace it lives in, for grants and for keys that are named within a workspace.
    #[serde(default, rename = "in", skip_serializing_if = "Option::is_none")]
    pub scope: Option<Name>,
    /// Its own name. For a grant: the person.
    pub name: Name,
}

impl Address {
    /// The address of a person.
    pub fn member(name: Name) -> Self {
        Self { kind: Kind::Member, scope: None, name }
    }

    /// The address of a workspace.
    pub fn workspace(name: Name) -> Self {
        Self { kind: Kind::Workspace, scope: None, name }
    }

    /// The address of the grant of `member` in `workspace` (both are the names of those objects).
    pub fn workspace_member(workspace: Name, member: Name) -> Self {
        Self { kind: Kind::WorkspaceMember, scope: Some(workspace), name: member }
    }

    /// The address of a key by its id.
    pub fn api_key(id: &RemoteId) -> Self {
        Self { kind: Kind::ApiKey, scope: None, name: Name::id(id) }
    }

    /// The address of a key by its name, within a workspace or (with `None`) outside every named one.
    pub fn api_key_named(workspace: Option<Name>, name: Name) -> Self {
        Self { kind: Kind::ApiKey, scope: workspace, name }
    }
}

impl Address {
    /// The pattern that matches this address and no other.
    pub fn as_pattern(&self) -> String {
        globset::escape(&self.to_string())
    }

    /// That pattern as it is written on a command line.
    pub fn on_a_command_line(&self) -> String {
        let pattern = self.as_pattern();
        let is_plain = |c: char| c.is_alphanumeric() || "/_-.@+:,%".contains(c);
        if pattern.chars().all(is_plain) {
            pattern
        } else {
            format!("'{}'", pattern.replace('\'', r"'\''"))
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scope {
            Some(scope) => write!(f, "{}/{scope}/{}", self.kind, self.name),
            None => write!(f, "{}/{}", self.kind, self.name),
        }
    }
}
