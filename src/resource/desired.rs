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
    /// Workspaces whose entry grants something to a team, by their name in the files.
    pub granted_to_teams: BTreeSet<Name>,
    /// What is managed.
    pub scope: Scope,
    /// Limits on one plan.
    pub guard: GuardLimits,
    /// What a plan needs besides passing its guards.
    pub approval: Approval,
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
    /// Access and keys that end by their date (`until`), unless a base has the date too.
    #[serde(rename = "expirations")]
    Expirations,
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
    pub const ALL: [GuardName; 9] = [
        GuardName::RemovalsMembers,
        GuardName::RemovalsWorkspaceMembers,
        GuardName::Expirations,
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
            GuardName::Expirations => "expirations",
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

/// What a plan needs besides passing its guards, before it is applied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Approval {
    /// Guards whose steps are acknowledged by digest, besides archives.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub acknowledge: BTreeSet<GuardName>,
    /// How old a saved plan may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_plan_age: Option<PlanAge>,
}

impl Approval {
    /// What both ask for.
    #[must_use]
    pub fn and(&self, other: &Approval) -> Approval {
        let Approval { acknowledge, max_plan_age } = self;
        Approval {
            acknowledge: acknowledge.union(&other.acknowledge).copied().collect(),
            max_plan_age: max_plan_age.iter().chain(&other.max_plan_age).min().copied(),
        }
    }
}

/// How old a saved plan may be: whole minutes, written `30m`, `4h`, `7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PlanAge {
    minutes: u32,
}

impl PlanAge {
    /// What it looks like, as a regular expression.
    pub const PATTERN: &str = "^[1-9][0-9]{0,4} ?[mhdw]$";

    const UNITS: [(char, u32); 4] = [('w', 7 * 24 * 60), ('d', 24 * 60), ('h', 60), ('m', 1)];

    /// Reads `30m`, `4h`, `7d`, `2w`.
    pub fn parse(text: &str) -> Option<Self> {
        let (unit, minutes) = Self::UNITS.into_iter().find(|(unit, _)| text.ends_with(*unit))?;
        let number = text.strip_suffix(unit)?;
        let number = number.strip_suffix(' ').unwrap_or(number);
        let plain = (1..=5).contains(&number.len())
            && !number.starts_with('0')
            && number.bytes().all(|byte| byte.is_ascii_digit());
        let number: u32 = number.parse().ok().filter(|_| plain)?;
        Some(Self { minutes: number.checked_mul(minutes)? })
    }

    /// As a duration.
    pub fn duration(self) -> jiff::SignedDuration {
        jiff::SignedDuration::from_mins(i64::from(self.minutes))
    }
}

impl std::fmt::Display for PlanAge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (unit, minutes) = Self::UNITS
            .into_iter()
            .find(|(_, unit)| self.minutes.is_multiple_of(*unit))
            .unwrap_or(('m', 1));
        write!(f, "{}{unit}", self.minutes / minutes)
    }
}

impl From<PlanAge> for String {
    fn from(age: PlanAge) -> Self {
        age.to_string()
    }
}

impl TryFrom<String> for PlanAge {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is no age such as `4h` or `7d`"))
    }
}

impl schemars::JsonSchema for PlanAge {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PlanAge".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "pattern": Self::PATTERN})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_a_number_and_a_unit() {
        let minutes = |text: &str| PlanAge::parse(text).map(|age| age.minutes);
        assert_eq!(minutes("30m"), Some(30));
        assert_eq!(minutes("4h"), Some(240));
        assert_eq!(minutes("7 d"), Some(7 * 1440));
        assert_eq!(minutes("2w"), Some(14 * 1440));
        for wrong in
            ["", "h", "4", "0h", "-1h", "+1h", "04h", "1.5h", "4 hours", "123456h", "99999ww"]
        {
            assert_eq!(minutes(wrong), None, "{wrong}");
        }
        // More weeks than minutes can count.
        assert_eq!(minutes("99999w"), Some(99_999 * 10_080));
    }

    #[test]
    fn an_age_is_shown_in_its_largest_unit() {
        let shown = |text: &str| PlanAge::parse(text).unwrap().to_string();
        assert_eq!(shown("240m"), "4h");
        assert_eq!(shown("90m"), "90m");
        assert_eq!(shown("7d"), "1w");
        assert_eq!(shown("48h"), "2d");
    }

    #[test]
    fn two_approvals_together_ask_for_all_of_both_and_the_younger_plan() {
        let approval = |guard: GuardName, age: &str| Approval {
            acknowledge: BTreeSet::from([guard]),
            max_plan_age: PlanAge::parse(age),
        };
        let both = approval(GuardName::Invites, "4h").and(&approval(GuardName::Returns, "1h"));
        assert_eq!(both.acknowledge, BTreeSet::from([GuardName::Invites, GuardName::Returns]));
        assert_eq!(both.max_plan_age, PlanAge::parse("1h"));
        let one = approval(GuardName::Invites, "4h").and(&Approval::default());
        assert_eq!(one.max_plan_age, PlanAge::parse("4h"));
    }
}
