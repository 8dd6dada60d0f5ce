//! What became of an earlier run, as its journal tells it and as is seen now, as text for people.
//!
//! Invariant: every step of the run stands in exactly one list, and what is not known for certain is never called
//! done.

use std::path::Path;

use anstyle::Style;

use super::{
    clean::clean,
    layout::{Flow, line, paragraph},
    style::{ADD, ATTENTION, BOLD, CHANGE, PLAIN, REMOVE, paint},
};
use crate::{
    apply::{
        journal::{Begin, End, OutcomeLine, Word},
        resume::{Recap, Seen, Unclear},
    },
    resource::Verb,
};

/// What became of every step, with ANSI styles.
pub fn recap(recap: &Recap, journal: &Path, width: usize) -> String {
    let Recap { begin, torn, end, done, not_done, unclear, never } = recap;
    let mut out = head(begin, journal, width);
    out.push_str(&paragraph(2, &ending(end.as_ref(), *torn), width));
    let mut list = |name: &str, steps: Vec<String>| {
        if !steps.is_empty() {
            out.push_str(&line(2, &format!("{} {}", paint(BOLD, name), steps.len())));
            out.push_str(&steps.concat());
        }
    };
    let plain = |style, symbol: &str, address: &str, verb, detail: Option<&str>| {
        one(&Sign { style, symbol }, address, verb, detail.unwrap_or_default(), width)
    };
    let done = done.iter().map(|it| plain(ADD, "=", &it.address, it.verb, it.detail.as_deref()));
    list("done:", done.collect());
    list("unknown:", unclear.iter().map(|it| doubtful(it, width)).collect());
    list("not done:", not_done.iter().map(|it| undone(it, width)).collect());
    let never = never.iter().map(|it| plain(PLAIN, ".", &it.address, it.verb, None));
    list("never started:", never.collect());
    out.push('\n');
    out
}

struct Sign<'a> {
    style: Style,
    symbol: &'a str,
}

fn head(begin: &Begin, journal: &Path, width: usize) -> String {
    let Begin {
        format_version: _,
        charter_version,
        at,
        planned_at: _,
        planned_by: _,
        organization,
        organization_name,
        api_date: _,
        credential: _,
        origin,
        steps: _,
        allows: _,
    } = begin;
    let name = organization_name.as_deref().unwrap_or(organization);
    let path = origin.as_ref().map_or("?", |origin| &origin.path);
    let text = format!(
        "the run of {at} on {path} in {name}, by charter {charter_version}, as {} tells it",
        journal.display()
    );
    Flow::new().solid(0, BOLD, "resumed:").words(1, PLAIN, &text).lines("", 0, 2, width)
}

fn ending(end: Option<&End>, torn: bool) -> String {
    let how = match end {
        None => "it was cut off: its journal has no end".to_owned(),
        Some(End { halted: Some(why), .. }) => format!("it ended early: {why}"),
        Some(_) => "it came to its end".to_owned(),
    };
    if torn { format!("{how}, and the last line is torn and left out") } else { how }
}

fn undone(outcome: &OutcomeLine, width: usize) -> String {
    let (style, symbol, word) = match outcome.outcome {
        Word::Failed => (REMOVE.bold(), "x", "failed"),
        Word::Skipped => (CHANGE, "-", "skipped"),
        Word::Manual => (ATTENTION, "!", "by hand"),
        Word::Waiting => (ATTENTION, "~", "waits"),
        Word::Done | Word::Partly | Word::Unknown | Word::NotStarted => (PLAIN, ".", "not done"),
    };
    let detail = match &outcome.detail {
        Some(detail) => format!("{word}: {detail}"),
        None => word.to_owned(),
    };
    one(&Sign { style, symbol }, &outcome.address, outcome.verb, &detail, width)
}

fn doubtful(unclear: &Unclear, width: usize) -> String {
    let Unclear { start, outcome, made: _, seen } = unclear;
    let what = match outcome {
        None => format!("started {}, and the journal has no outcome", start.at),
        Some(OutcomeLine { outcome: Word::Unknown, detail: Some(detail), .. }) => detail.clone(),
        Some(OutcomeLine { outcome: Word::Unknown, detail: None, .. }) => "unknown".to_owned(),
        Some(OutcomeLine { detail, .. }) => {
            let detail = detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
            format!("part of it was done{detail}")
        }
    };
    let now = match seen {
        Some(Seen::There { id: Some(id) }) => format!("; its effect is there ({id})"),
        Some(Seen::There { id: None }) => "; its effect is there".to_owned(),
        Some(Seen::Not) => "; its effect is not there".to_owned(),
        Some(Seen::Otherwise(what)) => format!("; seen instead: {what}"),
        None => String::new(),
    };
    let sign = Sign { style: REMOVE.bold(), symbol: "?" };
    one(&sign, &start.address, start.verb, &format!("{what}{now}"), width)
}

fn one(sign: &Sign<'_>, address: &str, verb: Verb, detail: &str, width: usize) -> String {
    let Sign { style, symbol } = sign;
    let flow =
        Flow::new().solid(0, *style, verb.as_str()).words(1, BOLD, address).words(2, PLAIN, detail);
    flow.lines(&format!("    {} ", paint(*style, &clean(symbol))), 6, 8, width)
}

#[cfg(test)]
mod tests;
