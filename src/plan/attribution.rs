//! Tells what a change of the files does from what has drifted, by holding a plan against the files as they were.
//!
//! Invariant: a step is drift only if the base wants exactly the same there and would do it too; a plan with a base
//! passes the guards, ignores and approvals of both, and no expiry is exempt from them unless the base has it as well, and had it while it was
//! still to come.

mod sides;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};

use self::sides::Sides;
use super::{
    acknowledge, guard, keys,
    rules::RuleChange,
    step::{Cause, Plan},
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
    /// Steps that would be there without it.
    pub drift: u64,
    /// Its limits: a plan passes the stricter ones.
    pub limits: BTreeMap<GuardName, Limit>,
}

/// Where a step comes from, seen from a base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Attribution {
    /// The files want something here that the base does not.
    ThisChange,
    /// The base wants the same, and would do it: live has drifted, or waits.
    Drift,
    /// Some fields differ from the base, the others have drifted.
    Both {
        /// The fields that are by this change.
        fields: Vec<String>,
    },
}

impl Attribution {
    /// Whether the step is there, in part at least, by this change.
    pub fn is_by_this_change(&self) -> bool {
        matches!(self, Attribution::ThisChange | Attribution::Both { .. })
    }
}

impl fmt::Display for Attribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Attribution::ThisChange => f.write_str("by this change"),
            Attribution::Drift => f.write_str("drift"),
            Attribution::Both { fields } => {
                write!(f, "{} by this change, the rest is drift", fields.join(", "))
            }
        }
    }
}

/// The files that are changed, as they were.
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

/// Holds a plan against a base: marks its steps, and takes the stricter of both sets of rules.
pub fn hold_against(
    plan: &mut Plan,
    head: &Desired,
    former: Former,
    live: &Live,
    allow: &BTreeMap<GuardName, u64>,
) {
    let Former { name, commit, desired: base, ended, rules } = former;
    let sides = Sides::new(head, &base, live, plan.created_at);
    let (mut by_this_change, mut drift) = (0, 0);
    for step in &mut plan.steps {
        let attribution = sides.attribution(step);
        by_this_change += u64::from(attribution.is_by_this_change());
        drift += u64::from(!attribution.is_by_this_change());
        step.attribution = Some(attribution);
        if step.cause == Cause::Expired && !sides.was_announced(step, &ended) {
            step.cause = Cause::NewlyExpired;
        }
    }
    // Such steps weigh more than when the plan was made: on keys, and on the grants that are counted again.
    plan.keys =
        keys::fates(&plan.steps, &sides.here, &|address, _| super::listed_active(address, head));
    plan.bindings = super::bindings(&plan.steps, &sides.here, &plan.population);
    plan.notes.extend(of_another_organization(plan, head, &base));
    plan.notes.extend(touches_ignored(plan, &sides, &base, &name));
    diagnostic::sort(&mut plan.notes);
    let limits = base.guard.0.iter().map(|(name, (limit, _))| (*name, *limit)).collect();
    plan.base = Some(Base { name, commit, rules, by_this_change, drift, limits });
    plan.approval = plan.approval.and(&base.approval);
    let returning = guard::returning(&plan.steps, live);
    plan.guards = guard::judge(plan, allow, returning.len() as u64);
    plan.acknowledgement = acknowledge::needed(plan, &returning);
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
