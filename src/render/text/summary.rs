//! The last line of a plan, and what is asked before it is applied.
//!
//! Invariant: every step is counted once; what cannot be undone is never left out.

use std::fmt::Write as _;

use super::{count, words};
use crate::{
    address::Kind,
    plan::{Plan, step::Origins},
    render::style::{BOLD, paint},
    resource::{Change, KeyStatus, Verb},
};

/// What the ready steps of a plan come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// By what is done: `2 members to invite`.
    pub lines: Vec<String>,
    /// What cannot be undone, in words.
    pub irreversible: Vec<String>,
}

/// The last line of a plan: always one line, so that it can be searched for.
pub fn summary(plan: &Plan) -> String {
    let number = |verb: Verb| plan.ready().filter(|step| step.change.verb() == verb).count();
    let mut ready: Vec<String> = [
        (Verb::Create, "to create"),
        (Verb::Update, "to update"),
        (Verb::Replace, "to replace"),
        (Verb::Remove, "to remove"),
    ]
    .into_iter()
    .filter_map(|(verb, words)| match number(verb) {
        0 => None,
        some => Some(format!("{some} {words}")),
    })
    .collect();
    if ready.is_empty() {
        let narrowed = plan.notes.iter().any(|note| note.code == "plan/only");
        let what = if narrowed { "nothing of what `--only` selects" } else { "nothing to do" };
        ready.push(what.to_owned());
    }
    let mut text = ready.join(", ");
    let counts = plan.counts();
    let rest: Vec<String> =
        [(counts.held, "held"), (counts.manual, "by hand"), (counts.deferred, "deferred")]
            .into_iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, words)| format!("{number} {words}"))
            .collect();
    if !rest.is_empty() {
        text.push_str("; ");
        text.push_str(&rest.join(", "));
    }
    if !plan.steps.is_empty() {
        let Origins { by_this_change, merged, drift } = plan.origins();
        let mut origins = Vec::new();
        if plan.base.is_some() {
            origins.push(format!("{by_this_change} by this change"));
        }
        if plan.last_applied.is_some() {
            origins.push(format!("{merged} merged and not applied"));
        }
        if !origins.is_empty() {
            let _ = write!(text, "; {}, {drift} drift", origins.join(", "));
        }
    }
    format!("{} {text}\n", paint(BOLD, "plan:"))
}

/// What is asked before a plan is applied.
pub fn totals(plan: &Plan) -> Done {
    let lines = words::by_verb(plan.ready())
        .into_iter()
        .map(|(kind, words, number)| {
            format!("{} {} to {}", words.symbol, words::nouns(kind, number), words.verb)
        })
        .collect();
    let archived = |kind: Kind| {
        plan.ready().filter(|step| step.address.kind == kind && is_archive(&step.change)).count()
    };
    let removed = plan
        .ready()
        .filter(|step| step.address.kind == Kind::Member && step.change.verb() == Verb::Remove)
        .filter(|step| {
            step.change.before().and_then(|before| before.phase())
                == Some(crate::resource::Phase::Active)
        })
        .count();
    let dying = plan.keys.iter().filter(|key| key.dies).count();
    let irreversible = [
        (archived(Kind::Workspace), "workspace archived", "workspaces archived"),
        (archived(Kind::ApiKey), "API key archived", "API keys archived"),
        (
            removed,
            "person removed (only a new invite brings them back)",
            "people removed (only new invites bring them back)",
        ),
        (dying, "API key that stops working", "API keys that stop working"),
    ]
    .into_iter()
    .filter(|(number, ..)| *number > 0)
    .map(|(number, one, many)| count(number, one, many))
    .collect();
    Done { lines, irreversible }
}

fn is_archive(change: &Change) -> bool {
    match change {
        Change::Remove { .. } => true,
        Change::Create { .. } => false,
        Change::Update { .. } | Change::Replace { .. } => change
            .field("status")
            .is_some_and(|status| status.after.as_str() == Some(KeyStatus::Archived.as_str())),
    }
}
