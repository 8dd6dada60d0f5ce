//! The plan as data: steps with their calls, what they rest on, and what the plan means for people and keys.
//!
//! Invariant: everything apply needs is in here, nothing in here is a secret, and it round-trips through JSON.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

pub use super::{
    acknowledge::Acknowledgement,
    attribution::{Attribution, Base, LastApplied, Origins},
    limit::LimitOf,
    record::Revision,
    rules::RuleChange,
};
use crate::{
    access::AccessChange,
    address::{Address, Kind, RemoteId},
    api::call::Call,
    diagnostic::{Diagnostic, Span},
    resource::{
        Change, Disposition, Fact, OrgKind,
        desired::{Approval, GuardName, Limit},
    },
};

/// The version of the saved form. A plan of another version is refused.
pub const FORMAT_VERSION: u32 = 2;

/// What apply would do, and what it means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Plan {
    /// The version of this form.
    pub format_version: u32,
    /// The charter that made it.
    pub charter_version: String,
    /// Guards that would refuse this plan and that `--allow` passes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<PassedGuard>,
    /// What `passed` was when the plan was saved, in a run that applies it; never in a saved plan.
    #[serde(skip)]
    pub passed_when_saved: Option<Vec<PassedGuard>>,
    /// The organization it is for.
    pub organization: Organization,
    /// When it was made.
    pub created_at: Timestamp,
    /// How it was seen: which credential, how many reads.
    pub observed: Observed,
    /// All steps, in apply order: ready, deferred, manual and held ones.
    pub steps: Vec<Step>,
    /// People whose invite waits for them, with the role the files want.
    pub waiting: Vec<Waiting>,
    /// Live objects that a named list leaves out, under `report`.
    pub unmanaged: Vec<Unmanaged>,
    /// What ends within 14 days.
    pub expiring: Vec<Expiring>,
    /// Keys that stop working, or live on, when the ready steps are done.
    pub keys: Vec<KeyFate>,
    /// Who gains, loses or changes access when the ready steps are done.
    pub access: Vec<AccessChange>,
    /// Every guard with its counts, and whether it refuses.
    pub guards: Vec<GuardResult>,
    /// What the rules of the files find; an error refuses the plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy: Vec<Diagnostic>,
    /// Warnings and notes on the files and on live.
    pub notes: Vec<Diagnostic>,
    /// Ids of the live objects that calls name, by address.
    pub bindings: Vec<(Address, RemoteId)>,
    /// What guards were computed with: live objects per class.
    pub population: Population,
    /// The limits the files set, so that guards can be computed again.
    pub limits: BTreeMap<GuardName, Limit>,
    /// Each `--only` that it was narrowed by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// The files this plan was held against, if it was: what differs from them is by this change, the rest is drift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Base>,
    /// What was applied last, if the plan was held against it too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_applied: Option<LastApplied>,
    /// The commit and the path of the files, where one commit says what the files said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// What applying needs besides passing the guards, by the files and by the base.
    #[serde(default)]
    pub approval: Approval,
    /// The steps that somebody has to acknowledge, and the digest that does it; none: nothing has to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledgement: Option<Acknowledgement>,
    /// HMAC-SHA256 over all the rest, by the key in `CHARTER_PLAN_KEY`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hmac: Option<String>,
}

/// The organization a plan is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Organization {
    /// Its id.
    pub id: String,
    /// Its name, if the API gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its kind, as the files say.
    pub kind: OrgKind,
    /// The files pin the id (without it a plan can be shown, not applied).
    pub pinned: bool,
}

/// How the organization was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Observed {
    /// The credential's source, never its text: `ANTHROPIC_ADMIN_KEY`.
    pub credential: String,
    /// Other credentials that were set and not used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials_unused: Vec<String>,
    /// Requests made for it.
    pub reads: u64,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Step {
    /// What it is about.
    pub address: Address,
    /// What differs.
    pub change: Change,
    /// Whether this plan does it.
    #[serde(flatten)]
    pub disposition: Disposition,
    /// Why it is there.
    pub cause: Cause,
    /// When it runs: steps of one stage run side by side.
    pub stage: Stage,
    /// The place in the files that asks for it: the entry, or the `manage` line for an unlisted object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Span>,
    /// What makes it stale.
    pub rests_on: Vec<Fact>,
    /// The exact calls, in order; empty unless ready.
    pub calls: Vec<Call>,
    /// Where it comes from, if the plan was held against a base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribution: Option<Attribution>,
}

/// Why a step is there.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The files list it so.
    Listed,
    /// The files list it so, and it waited for an invite that has been accepted.
    Accepted,
    /// The files say `none`.
    None,
    /// Its `until` has passed: the guard `expirations` counts it, or none does if the plan's base has the date too.
    Expired,
    /// Its `until` has passed, and the base has no such date: like any other removal.
    NewlyExpired,
    /// The files say `state: archived`.
    Archived,
    /// A managed list does not name it.
    Unlisted,
}

/// When a step runs. The declaration order is the apply order.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Keys switched on or off or renamed: they wait for nothing, and a leaked key must not wait behind invites.
    Switch,
    /// Creates and updates of one kind, kinds in order.
    Build(Kind),
    /// Grants removed.
    RemoveGrants,
    /// People removed and invites withdrawn.
    RemoveMembers,
    /// Workspaces and keys archived: nothing undoes it, so it comes last.
    Archive,
}

/// Somebody whose invite waits for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Waiting {
    /// The person.
    pub address: Address,
    /// The role the invite gives.
    pub role: String,
    /// When the invite lapses.
    pub expires_at: Timestamp,
}

/// A live object that a named list leaves out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Unmanaged {
    /// Its address.
    pub address: Address,
    /// What people call it.
    pub title: String,
    /// Its id.
    pub id: RemoteId,
    /// Its role or status, in a word.
    pub detail: String,
}

/// Something that ends soon.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Expiring {
    /// The last day.
    pub on: Date,
    /// What ends: the address of a member, grant or key, or the pattern of an ignore.
    pub what: String,
    /// Which end it is.
    pub end: ExpiringKind,
    /// Where the date stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Span>,
}

/// Which end comes.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ExpiringKind {
    /// An `until` of a member, grant or key in the files.
    Until,
    /// A pending invite lapses.
    Invite,
    /// A key's own expiry.
    Key,
    /// An ignore's `until`.
    Ignore,
}

/// What becomes of a key when the ready steps are done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct KeyFate {
    /// The key.
    pub address: Address,
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: RemoteId,
    /// Head and tail of its secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Whether it stops working.
    pub dies: bool,
    /// Which step decides: a person, grant or workspace that goes.
    pub because_of: Address,
    /// Why, in words.
    pub why: String,
    /// The files list it as active.
    pub listed_active: bool,
    /// Only an expiry causes it (guards do not count it).
    pub by_expiry: bool,
    /// It is a personal key of somebody whose removal or lost grant is among the ready steps.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
    /// It was made after the plan by the very person who leaves: shown, and counted by no guard.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
}

/// What one guard counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct GuardResult {
    /// The guard.
    pub guard: GuardName,
    /// The workspace it was counted in, for the count per workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// What it counted.
    pub count: u64,
    /// Of how many live objects.
    pub of: u64,
    /// The highest count that passes.
    pub limit: u64,
    /// `--allow` raised the limit to exactly this count for one run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allowed: bool,
    /// The count is over the limit.
    pub breached: bool,
    /// Whose limit it is: the strictest holds, so raising one and using it takes two merges.
    #[serde(default, skip_serializing_if = "LimitOf::is_of_files")]
    pub limit_of: LimitOf,
}

/// A guard that would refuse a plan and that `--allow` passes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PassedGuard {
    /// The guard.
    pub guard: GuardName,
    /// What it counted over all, which is what `--allow` names.
    pub count: u64,
    /// The highest count that would pass without `--allow`: of several that are exceeded, the lowest.
    pub limit: u64,
}

/// Live objects per class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Population {
    /// People: members, and invites that wait.
    pub members: u64,
    /// Grants, by the name of the workspace in its address.
    pub workspace_members: BTreeMap<String, u64>,
    /// Keys that are not archived.
    pub api_keys: u64,
}

impl Plan {
    /// Steps that apply does.
    pub fn ready(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.disposition.is_ready())
    }

    /// Whether apply has nothing to do.
    pub fn is_empty(&self) -> bool {
        self.ready().next().is_none()
    }

    /// Steps by disposition.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for step in &self.steps {
            match step.disposition {
                Disposition::Ready => counts.ready += 1,
                Disposition::Deferred { .. } => counts.deferred += 1,
                Disposition::Manual { .. } => counts.manual += 1,
                Disposition::Held { .. } => counts.held += 1,
            }
        }
        counts
    }

    /// The rules of the files that differ from the base, then those that were merged before and are not applied.
    pub fn changed_rules(&self) -> Vec<RuleChange> {
        let of_base = self.base.iter().flat_map(|base| base.rules.iter().cloned());
        let merged = self.last_applied.iter().flat_map(|last| &last.rules).map(|rule| {
            let effect = rule.effect.as_ref().map(|effect| format!(", {effect}"));
            let effect = format!("merged, not applied{}", effect.unwrap_or_default());
            RuleChange { effect: Some(effect), ..rule.clone() }
        });
        of_base.chain(merged).collect()
    }

    /// Steps by where they come from; all zero, if the plan was held against nothing.
    pub fn origins(&self) -> Origins {
        let mut origins = Origins::default();
        for attribution in self.steps.iter().filter_map(|step| step.attribution.as_ref()) {
            if attribution.is_by_this_change() {
                origins.by_this_change += 1;
            } else if attribution.is_merged() {
                origins.merged += 1;
            } else {
                origins.drift += 1;
            }
        }
        origins
    }

    /// Guards that refuse.
    pub fn breaches(&self) -> impl Iterator<Item = &GuardResult> {
        self.guards.iter().filter(|guard| guard.breached)
    }
}

/// Steps by disposition.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Counts {
    /// Apply does them.
    pub ready: usize,
    /// They wait for something.
    pub deferred: usize,
    /// Only a person can.
    pub manual: usize,
    /// The files must say more.
    pub held: usize,
}
