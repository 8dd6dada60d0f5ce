//! The rules of the files as a list: what each demands, and what became of it.
//!
//! Invariant: every rule, test and exception of the files is in the list.

use std::sync::Arc;

use jiff::civil::Date;
use serde_json::{Value, json};

use super::{
    layout::{Flow, line},
    style::{ATTENTION, BOLD, DIM, ERROR, PLAIN, WARNING, paint},
};
use crate::{
    config::document::{
        Document,
        policy::{Exception, Policy},
    },
    diagnostic::{Diagnostic, Severity, Span},
    plan::Plan,
    policy::{Finding, Verdict},
};

/// One line of the list.
struct Entry<'d> {
    name: String,
    words: String,
    span: Option<&'d Span>,
    severity: Severity,
    /// Findings that count, and those that are accepted.
    counts: (usize, usize),
    /// Why it was not judged.
    why: Option<&'static str>,
}

fn entries<'d>(document: &'d Document, verdict: &Verdict) -> Vec<Entry<'d>> {
    let count = |name: &str, span: Option<&Span>| {
        let of_rule =
            |finding: &&Finding| *finding.rule == *name && finding.rule_span.as_ref() == span;
        let all = || verdict.findings.iter().filter(of_rule);
        let accepted = all().filter(|finding| finding.excepted.is_some()).count();
        (all().count() - accepted, accepted)
    };
    let mut entries = Vec::new();
    for rule in &document.policy.rules {
        let span = rule.place.0.as_ref();
        let unjudged =
            verdict.unjudged.iter().find(|one| one.rule == rule.name && one.span.as_ref() == span);
        entries.push(Entry {
            name: rule.name.to_string(),
            words: rule.demand.words(),
            span,
            severity: rule.severity,
            counts: count(&rule.name, span),
            why: unjudged.map(|one| one.why),
        });
    }
    for (name, test) in document.tests.iter().flat_map(|section| &section.entries) {
        let span = test.place.0.as_ref();
        entries.push(Entry {
            name: format!("test {name}"),
            words: test.words(),
            span,
            severity: test.severity,
            counts: count("test", span),
            why: None,
        });
    }
    entries
}

/// How many findings an exception accepts, and whether its date has passed.
fn accepted(at: usize, exception: &Exception, verdict: &Verdict, today: Date) -> (usize, bool) {
    let count = verdict.findings.iter().filter(|finding| finding.excepted == Some(at)).count();
    (count, exception.until.as_ref().is_some_and(|until| until.value < today))
}

/// The list as text.
pub fn listing(document: &Document, verdict: &Verdict, today: Date, width: usize) -> String {
    let entries = entries(document, verdict);
    let Policy { place: _, rules: _, exceptions } = &document.policy;
    if entries.is_empty() {
        return "the files have no rules: add them under `policy:` or `tests:`\n".to_owned();
    }
    let mut out = String::new();
    for Entry { name, words, span, severity, counts, why } in &entries {
        let (state, style) = match (why, counts) {
            (Some(_), (0, _)) => ("not judged".to_owned(), ATTENTION),
            (None, (0, 0)) => ("holds".to_owned(), PLAIN),
            (None, (0, accepted)) => (format!("holds, with {accepted} accepted"), PLAIN),
            (_, (count, _)) if *severity == Severity::Error => (findings(*count), ERROR),
            (_, (count, _)) => (format!("{}, only shown", findings(*count)), WARNING),
        };
        let mut flow = Flow::new().solid(0, BOLD, name).solid(1, style, &format!("({state})"));
        flow = flow.words(1, PLAIN, &one_line(words));
        if let Some(span) = span {
            flow = flow.solid(2, DIM, &span.to_string());
        }
        out.push_str(&flow.lines("", 0, 4, width));
        if let Some(why) = why {
            out.push_str(&Flow::new().words(0, PLAIN, why).lines("    ", 4, 4, width));
        }
    }
    if !exceptions.is_empty() {
        out.push('\n');
        out.push_str(&line(0, &paint(BOLD, "exceptions:")));
    }
    for (at, exception) in exceptions.iter().enumerate() {
        let Exception { place, rule, of, reason, until } = exception;
        let (count, past) = accepted(at, exception, verdict, today);
        let until =
            until.as_ref().map(|until| format!(", until {}", until.value)).unwrap_or_default();
        let state = match (past, count) {
            (true, _) => "its date has passed: it accepts nothing".to_owned(),
            (false, 0) => "accepts nothing here".to_owned(),
            (false, count) => format!("accepts {}", findings(count)),
        };
        let text = format!("{}{until}: {state}", one_line(&reason.value));
        let mut flow = Flow::new().solid(0, PLAIN, &rule.value).solid(1, PLAIN, &of.value);
        flow = flow.words(1, PLAIN, &format!("({text})"));
        if let Some(span) = &place.0 {
            flow = flow.solid(2, DIM, &span.to_string());
        }
        out.push_str(&flow.lines("  ", 2, 6, width));
    }
    out
}

fn findings(count: usize) -> String {
    if count == 1 { "1 finding".to_owned() } else { format!("{count} findings") }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The list for machines, with all that was found: also what a base refuses.
pub fn listing_json(
    document: &Document,
    verdict: &Verdict,
    found: &[Diagnostic],
    today: Date,
) -> Value {
    let rules: Vec<Value> = entries(document, verdict)
        .into_iter()
        .map(|Entry { name, words, span, severity, counts: (findings, accepted), why }| {
            json!({
                "name": name,
                "demands": words,
                "severity": severity,
                "at": span,
                "findings": findings,
                "accepted": accepted,
                "not_judged": why,
            })
        })
        .collect();
    let exceptions: Vec<Value> = document
        .policy
        .exceptions
        .iter()
        .enumerate()
        .map(|(at, exception)| {
            let (count, past) = accepted(at, exception, verdict, today);
            json!({
                "rule": exception.rule.value,
                "of": exception.of.value,
                "reason": exception.reason.value,
                "until": exception.until.as_ref().map(|until| until.value),
                "past": past,
                "accepts": count,
                "at": exception.place.0,
            })
        })
        .collect();
    json!({
        "format_version": 1,
        "rules": rules,
        "exceptions": exceptions,
        "findings": found,
    })
}

/// What a saved plan says of rules, in a line.
pub fn of_plan(plan: &Plan) -> String {
    let count = |severity| plan.policy.iter().filter(|one| one.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let time: Arc<str> = plan.created_at.to_string().into();
    line(
        0,
        &match (errors, warnings) {
            (0, 0) => format!("the rules found nothing when the plan was made, {time}"),
            (0, warnings) => {
                format!("the rules found {warnings} to look at when the plan was made, {time}")
            }
            (errors, _) => {
                format!("the rules refused the plan when it was made, {time}: {}", findings(errors))
            }
        },
    )
}
