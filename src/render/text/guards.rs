//! Guards that refuse: what was counted, the limit, and what to pass if it is meant.
//!
//! Invariant: the option shown is the exact one that lets this plan pass.

use std::collections::BTreeMap;

use super::{Options, call_to_act, count};
use crate::{
    plan::{
        Plan,
        acknowledge::Acknowledgement,
        step::{GuardResult, LimitOf, PassedGuard},
    },
    render::{
        clean::clean,
        layout::{Flow, line, paragraph},
        style::{BOLD, PLAIN, REMOVE, paint},
    },
    resource::desired::GuardName,
};

/// The guards that only `--allow` keeps from refusing, on one line; `None`: no guard was passed.
pub fn passed(plan: &Plan) -> Option<String> {
    let list = |passed: &[PassedGuard]| {
        let one = |PassedGuard { guard, count, limit }: &PassedGuard| {
            format!("{}={count} (the limit is {limit})", guard.as_str())
        };
        match passed {
            [] => "none".to_owned(),
            some => some.iter().map(one).collect::<Vec<_>>().join(", "),
        }
    };
    let now = &plan.passed;
    match plan.passed_when_saved.as_deref() {
        None | Some([]) if now.is_empty() => None,
        None => Some(format!("guards passed with `--allow`: {}", list(now))),
        Some(saved) => Some(format!(
            "guards passed with `--allow`: when the plan was saved: {}; now: {}",
            list(saved),
            list(now)
        )),
    }
}

/// The breached guards; empty if none is.
pub fn breaches(guards: &[GuardResult], width: usize) -> String {
    breaches_of(guards, Options { width, ..Options::default() })
}

/// The same; of one organization of several with the command that is for it alone.
pub(super) fn breaches_of(guards: &[GuardResult], options: Options<'_>) -> String {
    let width = options.width;
    let breached: Vec<&GuardResult> = guards.iter().filter(|guard| guard.breached).collect();
    if breached.is_empty() {
        return String::new();
    }
    let mut out = call_to_act("refused by a guard", "nothing of this plan is applied", width);
    for GuardResult { guard, within, count, of, limit, allowed: _, breached: _, limit_of } in
        &breached
    {
        let place = within.as_ref().map(|name| format!(" in {name}")).unwrap_or_default();
        let total = if counts_a_share(*guard) { format!(" of {of}") } else { String::new() };
        let base = match limit_of {
            LimitOf::Files => String::new(),
            LimitOf::Base | LimitOf::LastApplied => {
                format!("{} (raise it first, in a change of its own)", limit_of.place())
            }
        };
        let text =
            format!("{}{place}: {count}{total}, and the limit is {limit}{base}", what(*guard));
        let lead = format!("  {} ", paint(REMOVE.bold(), "!"));
        let flow = Flow::new().solid(0, BOLD, guard.as_str()).words(2, PLAIN, &text);
        out.push_str(&flow.lines(&lead, 4, 4, width));
    }
    let (how, command) = match options.alone {
        None => (
            "if this is meant, pass for this one run (it is written to the journal):",
            String::new(),
        ),
        Some(command) => (
            "if this is meant, pass it for this organization alone, in a run of its own (it is written to the journal):",
            format!("{} ", clean(command)),
        ),
    };
    out.push_str(&paragraph(2, how, width));
    out.push_str(&line(4, &format!("{command}{}", allowances(guards))));
    out
}

/// What has to be acknowledged, and how.
pub(super) fn acknowledgement(asked: &Acknowledgement, width: usize) -> String {
    let Acknowledgement { digest, steps } = asked;
    let number = count(steps.len(), "step has", "steps have");
    let text = format!("{number} to be acknowledged");
    let mut out = call_to_act(&text, "apply needs the digest of exactly these", width);
    out.extend(steps.iter().map(|address| line(4, &clean(&address.to_string()))));
    out.push_str(&line(4, &format!("--ack {digest}")));
    out
}

/// The options that let the breached guards pass this once: the count over all, where one is counted per workspace
/// too.
pub fn allowances(guards: &[GuardResult]) -> String {
    let mut counts: BTreeMap<GuardName, u64> = BTreeMap::new();
    for breached in guards.iter().filter(|guard| guard.breached) {
        let whole = guards
            .iter()
            .find(|other| other.guard == breached.guard && other.within.is_none())
            .map_or(breached.count, |whole| whole.count);
        counts.insert(breached.guard, whole);
    }
    counts
        .iter()
        .map(|(guard, count)| format!("--allow {}={count}", guard.as_str()))
        .collect::<Vec<_>>()
        .join(" ")
}

fn counts_a_share(guard: GuardName) -> bool {
    match guard {
        GuardName::RemovalsMembers
        | GuardName::RemovalsWorkspaceMembers
        | GuardName::Expirations
        | GuardName::Downgrades
        | GuardName::DyingUnlistedKeys => true,
        GuardName::Invites
        | GuardName::Returns
        | GuardName::Archives
        | GuardName::Deactivations
        | GuardName::DyingKeys => false,
    }
}

fn what(guard: GuardName) -> &'static str {
    match guard {
        GuardName::RemovalsMembers => "people removed",
        GuardName::RemovalsWorkspaceMembers => "grants removed",
        GuardName::Expirations => "people, grants and keys whose `until` has passed",
        GuardName::Downgrades => "role changes to less",
        GuardName::Invites => "invites sent",
        GuardName::Returns => "invites to former members",
        GuardName::Archives => "workspaces and keys archived",
        GuardName::Deactivations => "keys switched off",
        GuardName::DyingKeys => "active listed keys that would stop working",
        GuardName::DyingUnlistedKeys => "other active keys that would stop working",
    }
}
