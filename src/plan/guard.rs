//! Limits on one plan: counts what its ready steps do to people and keys, and refuses what is too much.
//!
//! Invariant: steps that are not ready never count; what ends by a date counts as `expirations` only, and not at all
//! if the base has the date too; only strictly more than the limit refuses.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use super::step::{Cause, GuardResult, KeyFate, LimitOf, PassedGuard, Plan, Population, Step};
use crate::{
    address::{Address, Kind},
    diagnostic::Diagnostic,
    resource::{
        Change, KeyStatus, Live, Role, Snapshot, Spec, Verb, WorkspaceRole,
        desired::{GuardName, Limit},
    },
};

/// Below this many live objects a share says nothing, and the limit is [`SMALL_LIMIT`].
const SMALL_POPULATION: u64 = 10;
/// The limit of a share in a small population.
const SMALL_LIMIT: u64 = 3;

/// The limit that holds where the files set none.
pub fn default_limit(guard: GuardName) -> Limit {
    let (share, count) = match guard {
        GuardName::RemovalsMembers
        | GuardName::Expirations
        | GuardName::Downgrades
        | GuardName::DyingUnlistedKeys => (Some(10), 20),
        GuardName::RemovalsWorkspaceMembers => (Some(10), 200),
        GuardName::Invites => (None, 50),
        GuardName::Returns | GuardName::Archives | GuardName::DyingKeys => (None, 0),
        GuardName::Deactivations => (None, 5),
    };
    Limit { share, count: Some(count) }
}

/// The highest count that passes.
pub fn highest(limit: Limit, of: u64) -> u64 {
    let Limit { share, count } = limit;
    let share =
        share.map(
            |percent| {
                if of < SMALL_POPULATION { SMALL_LIMIT } else { of * u64::from(percent) / 100 }
            },
        );
    match (share, count) {
        (Some(share), Some(count)) => share.min(count),
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) => u64::MAX,
    }
}

/// Counts, and compares with the limits.
pub fn check(
    steps: &[Step],
    keys: &[KeyFate],
    population: &Population,
    limits: &BTreeMap<GuardName, Limit>,
    allow: &BTreeMap<GuardName, u64>,
    returns: u64,
) -> Vec<GuardResult> {
    let mut counts: BTreeMap<GuardName, u64> = BTreeMap::new();
    let mut per_workspace: BTreeMap<String, u64> = BTreeMap::new();
    for step in steps.iter().filter(|step| step.disposition.is_ready()) {
        for guard in classes(step) {
            *counts.entry(guard).or_default() += 1;
            if guard == GuardName::RemovalsWorkspaceMembers
                && let Some(scope) = &step.address.scope
            {
                *per_workspace.entry(scope.as_str().to_owned()).or_default() += 1;
            }
        }
    }
    counts.insert(GuardName::Returns, returns);
    for key in keys.iter().filter(|key| key.dies && !key.by_expiry && !key.late) {
        let listed = key.listed_active;
        let guard = if listed { GuardName::DyingKeys } else { GuardName::DyingUnlistedKeys };
        *counts.entry(guard).or_default() += 1;
    }

    let mut results = Vec::new();
    for guard in GuardName::ALL {
        let limit = limits.get(&guard).copied().unwrap_or_else(|| default_limit(guard));
        let count = counts.get(&guard).copied().unwrap_or_default();
        let allowed = allow.get(&guard) == Some(&count) && count > 0;
        let mut push = |within: Option<String>, count: u64, of: u64| {
            let highest = highest(limit, of);
            let over = count > highest;
            results.push(GuardResult {
                guard,
                within,
                count,
                of,
                limit: highest,
                allowed: over && allowed,
                breached: over && !allowed,
                limit_of: LimitOf::Files,
            });
        };
        let grants: u64 = population.workspace_members.values().sum();
        let of = match guard {
            // Files that list only keys know no people: there the share is of the keys.
            GuardName::Expirations if population.members == 0 => population.api_keys,
            GuardName::RemovalsMembers
            | GuardName::Expirations
            | GuardName::Downgrades
            | GuardName::Invites
            | GuardName::Returns => population.members,
            GuardName::RemovalsWorkspaceMembers => grants,
            GuardName::Archives
            | GuardName::Deactivations
            | GuardName::DyingKeys
            | GuardName::DyingUnlistedKeys => population.api_keys,
        };
        push(None, count, of);
        if guard == GuardName::RemovalsWorkspaceMembers {
            for (workspace, count) in &per_workspace {
                let of = population.workspace_members.get(workspace).copied().unwrap_or_default();
                push(Some(workspace.clone()), *count, of);
            }
        }
    }
    results
}

/// Whether a step counts as a grant removed.
pub(super) fn removes_grant(step: &Step) -> bool {
    classes(step).contains(&GuardName::RemovalsWorkspaceMembers)
}

/// The guards a ready step counts towards.
pub(super) fn classes(step: &Step) -> Vec<GuardName> {
    if step.cause == Cause::Expired {
        // With a base, such an end is one that the base has too: it was reviewed when it was still to come.
        let counts = step.attribution.is_none() && ends_something(step);
        return if counts { vec![GuardName::Expirations] } else { Vec::new() };
    }
    let mut classes = Vec::new();
    match (step.address.kind, step.change.verb()) {
        (Kind::Member, Verb::Remove) => classes.push(GuardName::RemovalsMembers),
        (Kind::WorkspaceMember, Verb::Remove) => classes.push(GuardName::RemovalsWorkspaceMembers),
        (Kind::Workspace, Verb::Remove) => classes.push(GuardName::Archives),
        (Kind::Member, Verb::Create | Verb::Replace) => classes.push(GuardName::Invites),
        _ => {}
    }
    if downgrades(&step.change) {
        classes.push(GuardName::Downgrades);
    }
    if let Some(status) = step.change.field("status")
        && step.address.kind == Kind::ApiKey
    {
        let (before, after) = (status.before.as_str(), status.after.as_str());
        if after == Some(KeyStatus::Archived.as_str()) {
            classes.push(GuardName::Archives);
        } else if before == Some(KeyStatus::Active.as_str()) {
            classes.push(GuardName::Deactivations);
        }
    }
    classes
}

/// Whether somebody loses access by a step, or a key stops working: an entry past its date may need other changes too.
fn ends_something(step: &Step) -> bool {
    step.change.verb() == Verb::Remove || step.change.field("status").is_some()
}

/// Whether a role changes to less, or to something that is not clearly more.
pub fn downgrades(change: &Change) -> bool {
    let Change::Update { before, after, .. } = change else { return false };
    let order = match (&before.spec, &after.spec) {
        (Spec::Member(before), Spec::Member(after)) => match (&before.role, &after.role) {
            (Some(before), Some(after)) => Role::compare(after, before),
            _ => return false,
        },
        (Spec::WorkspaceMember(before), Spec::WorkspaceMember(after)) => {
            WorkspaceRole::compare(&after.role, &before.role)
        }
        _ => return false,
    };
    !matches!(order, Some(Ordering::Greater | Ordering::Equal))
}

/// The addresses of invites among the ready steps to somebody whose earlier invite was accepted.
pub fn returning(steps: &[Step], live: &Live) -> BTreeSet<Address> {
    steps
        .iter()
        .filter(|step| step.disposition.is_ready() && step.change.verb() == Verb::Create)
        .filter(|step| {
            matches!(&step.change.object().spec, Spec::Member(member)
                if live.history.get(member.email.canonical()).is_some_and(|h| h.accepted.is_some()))
        })
        .map(|step| step.address.clone())
        .collect()
}

/// Counts the steps of a plan, and compares with its limits and with those that it is held against: the strictest hold.
pub fn judge(plan: &Plan, allow: &BTreeMap<GuardName, u64>, returns: u64) -> Vec<GuardResult> {
    let Plan { steps, keys, population, limits, base, last_applied, .. } = plan;
    let mut results = check(steps, keys, population, limits, allow, returns);
    let base = base.as_ref().map(|base| (LimitOf::Base, &base.limits));
    let last = last_applied.as_ref().map(|last| (LimitOf::LastApplied, &last.limits));
    for (limit_of, limits) in base.into_iter().chain(last) {
        let others = check(steps, keys, population, limits, allow, returns);
        for (result, other) in results.iter_mut().zip(others) {
            if other.limit < result.limit {
                *result = GuardResult { limit_of, ..other };
            }
        }
    }
    results
}

/// The guards that only `--allow` keeps from refusing, each with its count over all.
pub fn passed(results: &[GuardResult]) -> Vec<PassedGuard> {
    let mut passed: Vec<PassedGuard> = Vec::new();
    for GuardResult { guard, within, count, limit, .. } in results.iter().filter(|one| one.allowed)
    {
        match passed.iter_mut().find(|one| one.guard == *guard) {
            Some(one) => one.limit = one.limit.min(*limit),
            None => {
                let whole = results.iter().find(|one| one.guard == *guard && one.within.is_none());
                let count = match (within, whole) {
                    (Some(_), Some(whole)) => whole.count,
                    _ => *count,
                };
                passed.push(PassedGuard { guard: *guard, count, limit: *limit });
            }
        }
    }
    passed
}

/// Live objects per class.
pub fn population(live: &Snapshot) -> Population {
    let mut population = Population::default();
    for (address, object) in live {
        match &object.spec {
            Spec::Member(_) => population.members += 1,
            Spec::WorkspaceMember(grant) => {
                *population
                    .workspace_members
                    .entry(grant.workspace.as_str().to_owned())
                    .or_default() += 1;
            }
            Spec::ApiKey(key) => {
                population.api_keys += u64::from(key.status != Some(KeyStatus::Archived));
            }
            Spec::Workspace(_) => {
                debug_assert_eq!(address.kind, Kind::Workspace);
            }
        }
    }
    population
}

/// What a refusal says: the guard, its count and limit, and how to pass it once.
pub fn diagnostic(result: &GuardResult) -> Diagnostic {
    let GuardResult { guard, within, count, of, limit, allowed: _, breached: _, limit_of } = result;
    let what = match guard {
        GuardName::RemovalsMembers => "people removed",
        GuardName::RemovalsWorkspaceMembers => "grants removed",
        GuardName::Expirations => "ends by a date that has passed",
        GuardName::Downgrades => "roles changed to less",
        GuardName::Invites => "invites sent",
        GuardName::Returns => "invites to people who were members before",
        GuardName::Archives => "workspaces or keys archived, for ever",
        GuardName::Deactivations => "keys switched off",
        GuardName::DyingKeys => "active listed keys that would stop working",
        GuardName::DyingUnlistedKeys => {
            "active keys that no file lists and that would stop working"
        }
    };
    let place = within.as_ref().map(|name| format!(" in `{name}`")).unwrap_or_default();
    let share = match guard {
        GuardName::RemovalsMembers
        | GuardName::RemovalsWorkspaceMembers
        | GuardName::Expirations
        | GuardName::Downgrades
        | GuardName::DyingUnlistedKeys => format!(" of {of} live"),
        _ => String::new(),
    };
    let name = guard.as_str();
    let base = limit_of.place();
    let help = if within.is_some() {
        format!(
            "check the steps; to pass once, give the count over all with `--allow {name}=COUNT`"
        )
    } else {
        format!("check the steps; to pass once, run with `--allow {name}={count}`")
    };
    Diagnostic::error(
        "guard/limit",
        format!("guard `{name}`: {count} {what}{place}{share}, and the limit is {limit}{base}"),
    )
    .help(help)
}
