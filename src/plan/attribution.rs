//! Tells what a change of the files does from what was merged and not applied and from what has drifted, by holding a
//! plan against the files as they were: before the change, and when they were applied last.
//!
//! Invariant: a step is drift only if all of them want exactly the same there and would do it too; a plan passes the
//! guards, ignores and approvals of all, and no expiry is exempt from them unless all have it, and had it while it was
//! still to come.

mod sides;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(super) use self::sides::wants_too;
use self::sides::{Changed, Sides};
use super::{
    acknowledge, guard, keys,
    rules::RuleChange,
    step::{Cause, Plan, Step},
};
use crate::{
    address::Address,
    diagnostic::{self, Diagnostic},
    resource::{
        Desired, Live,
        desired::{GuardName, Ignore, Limit},
    },
};

/// The files a plan was held against: those of the revision that is changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Base {
    /// The revision or path, as it was asked for.
    pub name: String,
    /// The commit, if it is a revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The rules of the files that differ, which come before all changes: they decide what later plans may do.
    pub rules: Vec<RuleChange>,
    /// Steps that are there by this change.
    pub by_this_change: u64,
    /// Steps that would be there without it, and without any change that was merged and not applied.
    pub drift: u64,
    /// Its limits: a plan passes the stricter ones.
    pub limits: BTreeMap<GuardName, Limit>,
}

/// The files that were applied last, if the plan was held against them too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LastApplied {
    /// Their commit.
    pub commit: String,
    /// The time that the plan was made for which applied it.
    pub planned_at: Timestamp,
    /// The rules of the files that were changed since and are not applied; without those of this change.
    pub rules: Vec<RuleChange>,
    /// Steps by changes that were merged since and are not applied; without those of this change.
    pub merged: u64,
    /// Its limits: a plan passes the stricter ones.
    pub limits: BTreeMap<GuardName, Limit>,
}

/// Where a step comes from, seen from the files before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Attribution {
    /// The files want something here that the base does not.
    ThisChange,
    /// An earlier change wants it, that was merged and is not applied.
    Merged {
        /// The commit that brought it, if it was found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commit: Option<String>,
    },
    /// All files before want the same, and would do it: live has drifted, or waits.
    Drift,
    /// Some of its fields come from here, others from there.
    Mixed {
        /// The fields that are by this change.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        this_change: Vec<String>,
        /// The fields that were merged and are not applied.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        merged: Vec<String>,
        /// The fields that have drifted.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        drift: Vec<String>,
        /// The newest commit that brought what was merged, if it was found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commit: Option<String>,
    },
}

/// Steps by where they come from: each is counted once, where the reviewer looks first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    /// By this change, in part at least.
    pub by_this_change: u64,
    /// Else merged and not applied, in part at least.
    pub merged: u64,
    /// Else drift.
    pub drift: u64,
}

impl Attribution {
    /// Whether the step is there, in part at least, by this change.
    pub fn is_by_this_change(&self) -> bool {
        match self {
            Attribution::ThisChange => true,
            Attribution::Mixed { this_change, .. } => !this_change.is_empty(),
            Attribution::Merged { .. } | Attribution::Drift => false,
        }
    }

    /// Whether the step is there, in part at least, by an earlier change that is not applied.
    pub fn is_merged(&self) -> bool {
        match self {
            Attribution::Merged { .. } => true,
            Attribution::Mixed { merged, .. } => !merged.is_empty(),
            Attribution::ThisChange | Attribution::Drift => false,
        }
    }

    /// From what this change and what earlier ones changed of a step with certain fields.
    fn of(new: Changed, merged: Changed, fields: &[String]) -> Self {
        let this_change = match new {
            Changed::All => return Attribution::ThisChange,
            Changed::Nothing => Vec::new(),
            Changed::Fields(names) => names,
        };
        let is_new = |name: &String| this_change.contains(name);
        let merged = match merged {
            Changed::All if this_change.is_empty() => return Attribution::Merged { commit: None },
            Changed::All => fields.iter().filter(|name| !is_new(name)).cloned().collect(),
            Changed::Nothing => Vec::new(),
            Changed::Fields(names) => names.into_iter().filter(|name| !is_new(name)).collect(),
        };
        let is_merged = |name: &String| merged.contains(name);
        let drift: Vec<String> =
            fields.iter().filter(|name| !is_new(name) && !is_merged(name)).cloned().collect();
        match (this_change.is_empty(), merged.is_empty(), drift.is_empty()) {
            (true, true, _) => Attribution::Drift,
            (false, true, true) => Attribution::ThisChange,
            (true, false, true) => Attribution::Merged { commit: None },
            _ => Attribution::Mixed { this_change, merged, drift, commit: None },
        }
    }
}

impl fmt::Display for Attribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not_applied = |commit: &Option<String>| {
            let commit = commit.as_deref().map(|id| format!(" ({})", id.get(..12).unwrap_or(id)));
            format!("merged, not applied{}", commit.unwrap_or_default())
        };
        match self {
            Attribution::ThisChange => f.write_str("by this change"),
            Attribution::Merged { commit } => f.write_str(&not_applied(commit)),
            Attribution::Drift => f.write_str("drift"),
            Attribution::Mixed { this_change, merged, drift, commit } => {
                let parts = [
                    (this_change, "by this change".to_owned()),
                    (merged, not_applied(commit)),
                    (drift, "drift".to_owned()),
                ];
                let parts = parts.iter().filter(|(names, _)| !names.is_empty());
                let parts: Vec<String> =
                    parts.map(|(names, words)| format!("{} {words}", names.join(", "))).collect();
                f.write_str(&parts.join("; "))
            }
        }
    }
}

/// Files as they were before.
#[derive(Clone, Debug)]
pub struct Former {
    /// The revision or path, as it was asked for.
    pub name: String,
    /// The commit, if it is a revision.
    pub commit: Option<String>,
    /// What they want.
    pub desired: Desired,
    /// Entries whose date had passed already when they were committed: nobody reviewed them as ends that were to come.
    pub ended: BTreeSet<Address>,
    /// How the rules of the files differ.
    pub rules: Vec<RuleChange>,
}

/// Everything that a plan is held against.
#[derive(Default)]
pub struct Past<'a> {
    /// The files before this change.
    pub base: Option<Former>,
    /// What was applied last.
    pub last: Option<Applied<'a>>,
}

/// What was applied last.
pub struct Applied<'a> {
    /// Its commit.
    pub commit: String,
    /// The time that the plan was made for which applied it.
    pub at: Timestamp,
    /// Its files; `None`: those of the base.
    pub former: Option<Former>,
    /// The changes since, up to the base, newest first.
    pub merged: Box<dyn Iterator<Item = Merged> + 'a>,
}

/// A change that was merged since the last apply.
pub struct Merged {
    /// Its commit.
    pub commit: String,
    /// What the files wanted before it.
    pub before: Desired,
}

impl Past<'_> {
    /// What the files wanted that were applied last.
    pub fn applied(&self) -> Option<&Desired> {
        let last = self.last.as_ref()?;
        last.former.as_ref().or(self.base.as_ref()).map(|former| &former.desired)
    }

    /// The same, or what the base wants where nothing is known of that.
    pub fn earliest(&self) -> Option<&Desired> {
        self.applied().or(self.base.as_ref().map(|former| &former.desired))
    }
}

/// Holds a plan against files as they were: marks its steps, and takes the strictest of all rules.
pub fn hold_against(
    plan: &mut Plan,
    head: &Desired,
    past: Past<'_>,
    live: &Live,
    allow: &BTreeMap<GuardName, u64>,
) {
    let Past { base, last } = past;
    let (last, applied, merged) = match last {
        None => (None, None, None),
        Some(Applied { commit, at, former, merged }) => (Some((commit, at)), former, Some(merged)),
    };
    let formers: Vec<&Former> = base.iter().chain(&applied).collect();
    if formers.is_empty() {
        return;
    }
    let now = plan.created_at;
    let from_base = base.as_ref().map(|former| Sides::new(head, &former.desired, live, now));
    let from_applied = applied.as_ref().map(|former| Sides::new(head, &former.desired, live, now));
    let sides: Vec<&Sides<'_>> = from_base.iter().chain(&from_applied).collect();
    let changed = |from: &Option<Sides<'_>>, step: &Step| {
        from.as_ref().map_or(Changed::Nothing, |from| from.changed(step))
    };
    for step in &mut plan.steps {
        let (new, merged) = (changed(&from_base, step), changed(&from_applied, step));
        step.attribution = Some(Attribution::of(new, merged, &sides::fields(step)));
        let announced =
            |(from, former): (&&Sides<'_>, &&Former)| from.was_announced(step, &former.ended);
        if step.cause == Cause::Expired && !sides.iter().zip(&formers).all(announced) {
            step.cause = Cause::NewlyExpired;
        }
    }
    if let Some(merged) = merged {
        name_commits(plan, head, merged, live);
    }
    // Such steps weigh more than when the plan was made: on keys, and on the grants that are counted again.
    let here = &sides[0].here;
    plan.keys = keys::fates(&plan.steps, here, &|address, _| super::listed_active(address, head));
    plan.bindings = super::bindings(&plan.steps, here, &plan.population);
    for (from, former) in sides.iter().zip(&formers) {
        plan.notes.extend(of_another_organization(plan, head, &former.desired));
        plan.notes.extend(touches_ignored(plan, from, &former.desired, &former.name));
        plan.approval = plan.approval.and(&former.desired.approval);
    }
    diagnostic::sort(&mut plan.notes);
    let limits = |former: &Former| {
        former.desired.guard.0.iter().map(|(name, (limit, _))| (*name, *limit)).collect()
    };
    let Origins { by_this_change, merged, drift } = plan.origins();
    plan.last_applied = last.map(|(commit, planned_at)| LastApplied {
        commit,
        planned_at,
        merged,
        limits: applied.as_ref().or(base.as_ref()).map(limits).unwrap_or_default(),
        rules: applied.as_ref().map(|former| former.rules.clone()).unwrap_or_default(),
    });
    plan.base = base.as_ref().map(|former| Base {
        name: former.name.clone(),
        commit: former.commit.clone(),
        rules: former.rules.clone(),
        by_this_change,
        drift,
        limits: limits(former),
    });
    let returning = guard::returning(&plan.steps, live);
    plan.guards = guard::judge(plan, allow, returning.len() as u64);
    plan.passed = guard::passed(&plan.guards);
    plan.acknowledgement = acknowledge::needed(plan, &returning);
}

/// Finds the commits that brought what was merged and is not applied; the newest comes first.
fn name_commits(
    plan: &mut Plan,
    head: &Desired,
    changes: Box<dyn Iterator<Item = Merged> + '_>,
    live: &Live,
) {
    let is_open = |step: &&mut Step| match &step.attribution {
        Some(Attribution::Merged { commit } | Attribution::Mixed { commit, .. }) => {
            commit.is_none() && step.attribution.as_ref().is_some_and(Attribution::is_merged)
        }
        _ => false,
    };
    let mut open: Vec<&mut Step> = plan.steps.iter_mut().filter(is_open).collect();
    let mut changes = changes.into_iter();
    while !open.is_empty()
        && let Some(Merged { commit: id, before }) = changes.next()
    {
        let from = Sides::new(head, &before, live, plan.created_at);
        open.retain_mut(|step| {
            let changed = from.changed(step);
            let here = match &mut step.attribution {
                Some(Attribution::Merged { commit }) if changed != Changed::Nothing => commit,
                Some(Attribution::Mixed { merged, commit, .. }) if changed.any_of(merged) => commit,
                _ => return true,
            };
            *here = Some(id.clone());
            false
        });
    }
}

/// A base for another organization says nothing about this one.
fn of_another_organization(plan: &Plan, head: &Desired, base: &Desired) -> Option<Diagnostic> {
    let (new, old) = (head.organization.id.as_ref(), base.organization.id.as_ref()?);
    if plan.is_empty() || new == Some(old) {
        return None;
    }
    Some(
        Diagnostic::error(
            "base/organization",
            format!("the base is for the organization `{old}`, so it cannot vouch for this plan"),
        )
        .at_opt(head.organization.span.as_ref())
        .help("change `organization.id` in a change of its own, and apply the rest after it"),
    )
}

/// Ready steps on what the base ignores: to stop ignoring something and to change it takes two merges.
fn touches_ignored(plan: &Plan, sides: &Sides<'_>, base: &Desired, name: &str) -> Vec<Diagnostic> {
    let globs: Vec<(&Ignore, globset::GlobMatcher)> =
        base.scope.ignore.iter().map(|ignore| (ignore, ignore.pattern.compile_matcher())).collect();
    let mut found = Vec::new();
    for step in plan.ready() {
        let named = sides.names(step);
        let ignored = globs.iter().find(|(ignore, glob)| {
            named.iter().any(|(target, text)| *target == ignore.target && glob.is_match(text))
        });
        let Some((ignore, _)) = ignored else { continue };
        let message = format!(
            "{} is under `manage.ignore` in the base `{name}` (`{}`: {}), and this plan changes it",
            step.address,
            ignore.pattern.glob(),
            ignore.reason,
        );
        found.push(
            Diagnostic::error("base/ignored", message)
                .at_opt(step.at.as_ref())
                .help("remove the `ignore` in a change of its own, and change this after it"),
        );
    }
    found
}
