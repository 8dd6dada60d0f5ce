//! What the files ask for: objects, how they find their live counterparts, and what is managed at all.
//!
//! Invariant: made only by lowering a checked document; holds no live fact.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    role::OrgKind,
    snapshot::{Snapshot, Source},
};
use crate::{
    address::{Address, Name, RemoteId},
    diagnostic::Span,
};

/// Everything the files ask for.
#[derive(Clone, Debug, Default)]
pub struct Desired {
    /// The organization it is for.
    pub organization: OrganizationPin,
    /// Wanted objects. Fields that no file names are `None` in their specs.
    pub objects: Snapshot,
    /// How entries (wanted or gone) find their live objects, where the address alone does not say it.
    pub pins: BTreeMap<Address, Pin>,
    /// Entries that are named and not wanted.
    pub gone: BTreeMap<Address, Gone>,
    /// Live objects that are named and stay as they are, whatever they are.
    pub kept: BTreeSet<Address>,
    /// What is managed.
    pub scope: Scope,
    /// Limits on one plan.
    pub guard: GuardLimits,
}

/// The organization named in the files.
#[derive(Clone, Debug, Default)]
pub struct OrganizationPin {
    /// Its id, where given.
    pub id: Option<Arc<str>>,
    /// Its kind.
    pub kind: OrgKind,
    /// Where it is named.
    pub span: Option<Span>,
}

/// How an entry finds its live object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pin {
    /// By this id only.
    pub id: Option<RemoteId>,
    /// Earlier names or addresses. `Some` and empty says: new, whatever it resembles.
    pub previously: Option<Vec<Arc<str>>>,
}

/// An entry that is named and not wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// Why it is not wanted.
    pub cause: GoneCause,
    /// Where it stands.
    pub source: Source,
}

/// Why a named entry is not wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GoneCause {
    /// `none`.
    None,
    /// Its `until` has passed.
    Expired,
    /// `state: archived`.
    Archived,
}

/// What happens to live objects that a named list does not name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unlisted {
    /// They go.
    Remove,
    /// They stay and are shown.
    #[default]
    Report,
    /// They stay and are not shown.
    Ignore,
}

/// A list that the files name, and what becomes of what it leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListScope {
    /// What becomes of live objects that it does not name.
    pub unlisted: Unlisted,
    /// The `manage` line that says so, else the list itself.
    pub span: Span,
}

/// What is managed, by presence of lists.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// `members:`.
    pub members: Option<ListScope>,
    /// `workspaces:`.
    pub workspaces: Option<ListScope>,
    /// `members:` of each workspace that has one.
    pub workspace_members: BTreeMap<Name, ListScope>,
    /// `api_keys:` of each workspace that has one; `None` is the top-level list (keys of the Default
    /// Workspace and organization-wide keys).
    pub api_keys: BTreeMap<Option<Name>, ListScope>,
    /// Live objects that are never touched.
    pub ignore: Vec<Ignore>,
}

/// One `manage.ignore` entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// What it matches.
    pub target: IgnoreTarget,
    /// The pattern: matched against e-mails (canonical), workspace names, or key names and ids.
    pub pattern: globset::Glob,
    /// Why.
    pub reason: Arc<str>,
    /// When it should be looked at again. Past it, it still protects, with a warning.
    pub until: Option<Date>,
    /// That date has passed.
    pub expired: bool,
    /// Where it stands.
    pub span: Span,
}

/// What an ignore entry matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IgnoreTarget {
    /// People, their invites and their grants.
    Members,
    /// Workspaces, with their members and keys.
    Workspaces,
    /// API keys.
    ApiKeys,
}

/// Limits on one plan; `None` means the default of that guard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuardLimits(pub BTreeMap<GuardName, (Limit, Span)>);

/// The guards, in the order they are shown.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum GuardName {
    /// People removed.
    #[serde(rename = "removals.members")]
    RemovalsMembers,
    /// Grants removed, per workspace and over all.
    #[serde(rename = "removals.workspace_members")]
    RemovalsWorkspaceMembers,
    /// Role changes to less.
    #[serde(rename = "downgrades")]
    Downgrades,
    /// Invites sent.
    #[serde(rename = "invites")]
    Invites,
    /// Invites to somebody who was a member before.
    #[serde(rename = "returns")]
    Returns,
    /// Workspaces and keys archived.
    #[serde(rename = "archives")]
    Archives,
    /// Keys switched off.
    #[serde(rename = "deactivations")]
    Deactivations,
    /// Active listed keys that die by another step.
    #[serde(rename = "dying_keys")]
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

    /// The name in files and on the command line.
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

    /// The guard of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str() == text)
    }
}

/// A limit: a share of the live objects, a count, or both (then both must hold).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Limit {
    /// Percent of the live objects of that class, 0 to 100.
    pub share: Option<u8>,
    /// An absolute count.
    pub count: Option<u64>,
}
