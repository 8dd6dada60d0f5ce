//! What became of an applied plan, as text for people.
//!
//! Invariant: every step that is not done is named with its reason; only those that are done are merely counted.

use std::collections::BTreeSet;

use anstyle::Style;

use super::{
    layout::{Flow, line, paragraph},
    style::{ATTENTION, BOLD, CHANGE, PLAIN, REMOVE, paint},
    text,
};
use crate::{
    apply::{Outcome, Report, StepReport, Tally},
    plan::Plan,
};

/// What became of each step that is not simply done, and the sum, with ANSI styles.
pub fn outcome(plan: &Plan, report: &Report, width: usize) -> String {
    let Report { steps, refused, halted, stopped: _, took } = report;
    let mut out = String::new();
    let mut helps: BTreeSet<&str> = BTreeSet::new();
    for step in steps {
        out.push_str(&one(plan, step, width));
        if let Outcome::Failed { failure }
        | Outcome::Partly { failure }
        | Outcome::Unknown { failure } = &step.outcome
        {
            helps.extend(failure.help.as_deref());
        }
    }
    helps.extend(refused.iter().map(String::as_str));
    for help in helps {
        let flow = Flow::new().words(0, PLAIN, help);
        let lead = format!("  {}: ", paint(ATTENTION.bold(), "help"));
        out.push_str(&flow.lines(&lead, 8, 8, width));
    }
    if let Some(why) = halted {
        out.push_str(&paragraph(0, &format!("ended early: {why}"), width));
    }
    let seconds = took.as_secs_f64();
    let sum = format!("{} {} in {seconds:.1} s", paint(BOLD, "apply:"), tally(&report.tally()));
    out.push_str(&line(0, &sum));
    out
}

/// One step's outcome in one line, without styles: for progress.
pub fn progress_line(step: &crate::plan::Step, outcome: &Outcome) -> String {
    let detail = outcome.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    format!(
        "{}: {}{}",
        outcome.word().replace('_', " "),
        text::one_line(step),
        super::clean::clean(&detail)
    )
}

fn one(plan: &Plan, report: &StepReport, width: usize) -> String {
    let StepReport { step, address, verb: _, outcome, calls: _, id: _, took: _ } = report;
    let Some((symbol, style, word)) = sign(outcome) else { return String::new() };
    let name = plan.steps.get(*step).map_or_else(|| address.to_string(), text::one_line);
    let mut flow = Flow::new().solid(0, style, &format!("{word}:")).words(1, BOLD, &name);
    if let Some(detail) = outcome.detail() {
        flow = flow.words(2, PLAIN, &detail);
    }
    flow.lines(&format!("  {} ", paint(style, symbol)), 4, 6, width)
}

/// How an outcome is shown in the end; `None`: it is as it should be, or only counted.
fn sign(outcome: &Outcome) -> Option<(&'static str, Style, &'static str)> {
    match outcome {
        Outcome::Done { by_hand: Some(_), .. } => Some(("!", ATTENTION, "done, and by hand")),
        Outcome::Done { .. } | Outcome::NotStarted => None,
        Outcome::Partly { .. } => Some(("%", CHANGE, "partly done")),
        Outcome::Failed { .. } => Some(("x", REMOVE.bold(), "failed")),
        Outcome::Unknown { .. } => Some(("?", REMOVE.bold(), "outcome unknown")),
        Outcome::Skipped { .. } => Some(("-", CHANGE, "skipped")),
        Outcome::Manual { .. } => Some(("!", ATTENTION, "by hand")),
        Outcome::Waiting { .. } => Some(("~", ATTENTION, "waits")),
    }
}

fn tally(tally: &Tally) -> String {
    let Tally { done, partly, failed, skipped, manual, waiting, unknown, not_started } = *tally;
    let words: Vec<String> = [
        (partly, "partly done"),
        (failed, "failed"),
        (unknown, "with an unknown outcome"),
        (skipped, "skipped"),
        (manual, "by hand"),
        (waiting, "waiting"),
        (not_started, "not started"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, word)| format!(", {number} {word}"))
    .collect();
    format!("{done} done{}", words.concat())
}
