//! A plan as text for people: what happens, what waits, what it means for access and keys, and the sum.
//!
//! Invariant: the same plan and width give the same text; without its styles it says the same.

mod guards;
mod meaning;
mod steps;
mod summary;
mod words;

use super::{
    clean::clean,
    diff::rules_of_the_files,
    layout::{Flow, line, paragraph},
    style::{ATTENTION, BOLD, DIM, PLAIN, WARNING, paint},
};
use crate::diagnostic::Diagnostic;
use crate::plan::{
    Plan,
    attribution::{Base, LastApplied},
    step::{Observed, Organization},
};

pub use self::{
    guards::{allowances, breaches, passed},
    meaning::access_changes,
    steps::{changes, one_line},
    summary::{Done, summary, totals},
    words::words_of,
};
pub(super) use self::{
    meaning::{one_unmanaged, which_end},
    steps::{Told, told},
    words::nouns,
};

/// How a plan is shown.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Columns.
    pub width: usize,
    /// The exact calls under each step.
    pub calls: bool,
    /// How the organization is applied by itself, where it is one of several: what passes a guard is for one.
    pub alone: Option<&'a str>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { width: super::layout::WIDTH, calls: false, alone: None }
    }
}

/// The whole plan, with ANSI styles.
pub fn plan(plan: &Plan, options: Options<'_>) -> String {
    let first = guards::passed(plan).map(|text| line(0, &paint(WARNING, &text)));
    let Plan {
        format_version: _,
        charter_version: _,
        passed: _,
        passed_when_saved: _,
        organization,
        created_at: _,
        observed,
        steps,
        waiting,
        unmanaged,
        expiring,
        keys,
        access,
        guards,
        // Shown beside the plan, with the lines they point at.
        notes,
        bindings: _,
        population: _,
        limits: _,
        base,
        only: _,
        last_applied,
        revision: _,
        approval: _,
        acknowledgement,
        hmac: _,
        // Shown as findings, with the lines they are about.
        policy: _,
    } = plan;
    let width = options.width;
    let mut out = first.unwrap_or_default();
    out.push_str(&head(organization, observed, width));
    out.extend(base.as_ref().map(|base| against(base, notes, width)));
    out.extend(last_applied.as_ref().map(|last| against_applied(last, width)));
    let mut section = |text: String| {
        if !text.is_empty() {
            out.push('\n');
            out.push_str(&text);
        }
    };
    section(rules_of_the_files(&plan.changed_rules(), width));
    for text in steps::ready(steps, options) {
        section(text);
    }
    section(steps::held(steps, options));
    section(steps::manual(steps, options));
    section(steps::deferred(steps, options));
    section(meaning::waiting(waiting, width));
    section(meaning::access(access, width));
    section(meaning::keys(keys, width));
    section(meaning::expiring(expiring, width));
    section(meaning::unmanaged(unmanaged, width));
    section(guards::breaches_of(guards, options));
    section(
        acknowledgement
            .as_ref()
            .map(|asked| guards::acknowledgement(asked, width))
            .unwrap_or_default(),
    );
    section(summary(plan));
    out
}

/// A section's heading.
pub(super) fn heading(text: &str) -> String {
    format!("{}\n", paint(BOLD, &clean(text)))
}

/// A heading that somebody has to act on.
fn call_to_act(text: &str, what: &str, width: usize) -> String {
    let flow = Flow::new().solid(0, ATTENTION.bold(), text).words(1, DIM, &format!("({what})"));
    flow.lines("", 0, 2, width)
}

fn head(organization: &Organization, observed: &Observed, width: usize) -> String {
    let Organization { id, name, kind, pinned } = organization;
    let Observed { credential, credentials_unused, reads } = observed;
    let mut flow = Flow::new();
    flow = match name {
        Some(name) => flow.solid(0, BOLD, name).solid(1, PLAIN, id),
        None => flow.solid(0, BOLD, id),
    };
    flow = flow.words(0, PLAIN, &format!(", {} {kind} organization", kind.article()));
    let mut out = flow.lines("", 0, 2, width);
    let mut seen = Flow::new().words(0, DIM, &format!("seen with {credential} in {reads} reads"));
    if !credentials_unused.is_empty() {
        let unused = format!("; also set, and not used: {}", credentials_unused.join(", "));
        seen = seen.words(0, DIM, &unused);
    }
    out.push_str(&seen.lines("", 0, 2, width));
    if !pinned {
        let why =
            "the files do not say which organization they are for, so this cannot be applied: add";
        out.push_str(&paragraph(0, why, width));
        out.push_str(&line(2, &clean(&format!("organization: {{id: {id}}}"))));
    }
    out
}

fn against(base: &Base, notes: &[Diagnostic], width: usize) -> String {
    let Base { name, commit, rules: _, by_this_change: _, drift: _, limits: _ } = base;
    let commit = commit.as_ref().filter(|commit| *commit != name);
    let commit = commit.map(|commit| format!(" ({commit})")).unwrap_or_default();
    let holds = if notes.iter().any(|note| note.code == "base/no-files") {
        "it has no such files, so only the defaults hold"
    } else {
        "its guards and ignores hold too"
    };
    let text = format!("held against {name}{commit}: {holds}");
    Flow::new().words(0, DIM, &text).lines("", 0, 2, width)
}

fn against_applied(last: &LastApplied, width: usize) -> String {
    let LastApplied { commit, planned_at, rules: _, merged: _, limits: _ } = last;
    let text = format!(
        "held against {commit}, which was applied last (plan of {planned_at}): its rules hold too"
    );
    Flow::new().words(0, DIM, &text).lines("", 0, 2, width)
}

/// `1 person`, `3 people`.
fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

#[cfg(test)]
mod tests;
