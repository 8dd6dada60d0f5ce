//! How two sets of files differ, as text for people: the rules of the files first, since they decide what later
//! plans may do, then changes, then who gains or loses access.
//!
//! Invariant: equal files give one line that says so.

use super::{
    layout::Flow,
    style::{BOLD, CHANGE, DIM, PLAIN, paint},
    text::{self, Options, access_changes},
};
use crate::{
    plan::{compare::Compared, rules::RuleChange},
    resource::Verb,
};

/// The whole comparison, with ANSI styles.
pub fn diff(rules: &[RuleChange], compared: &Compared, options: Options) -> String {
    let Compared { changes, access, stays: _, entries: _ } = compared;
    let mut out = String::new();
    if !rules.is_empty() {
        out.push_str(&rules_of_the_files(rules, options.width));
        out.push('\n');
    }
    if !changes.is_empty() {
        out.push_str(&text::changes(changes, options));
        out.push('\n');
    }
    if !access.is_empty() {
        out.push_str(&text::heading("access"));
        out.push_str(&access_changes(access, options.width));
        out.push('\n');
    }
    out.push_str(&sum(rules, compared));
    out
}

/// The rules of the files that differ; empty if none does.
pub(super) fn rules_of_the_files(rules: &[RuleChange], width: usize) -> String {
    if rules.is_empty() {
        return String::new();
    }
    let mut out = text::heading("rules of the files");
    out.extend(rules.iter().map(|rule| one_rule(rule, width)));
    out
}

fn one_rule(rule: &RuleChange, width: usize) -> String {
    let change = how(rule);
    let RuleChange { rule, before: _, after: _, effect, at } = rule;
    let comma = if effect.is_some() { "," } else { "" };
    let mut flow = Flow::new().solid(0, BOLD, &format!("{rule}:")).words(
        1,
        PLAIN,
        &format!("{change}{comma}"),
    );
    if let Some(effect) = effect {
        flow = flow.words(1, PLAIN, effect);
    }
    if let Some(at) = at {
        flow = flow.solid(2, DIM, &at.to_string());
    }
    flow.lines(&format!("  {} ", paint(CHANGE, "~")), 4, 6, width)
}

/// How a rule changes, in words.
pub(super) fn how(rule: &RuleChange) -> String {
    let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "(not set)".to_owned());
    match (rule.before.as_deref(), rule.after.as_deref()) {
        (Some("managed"), None) => "no longer managed".to_owned(),
        (None, Some("managed")) => "now managed".to_owned(),
        _ => format!("{} -> {}", side(&rule.before), side(&rule.after)),
    }
}

/// The last line of a comparison.
pub(super) fn sum(rules: &[RuleChange], compared: &Compared) -> String {
    let number =
        |verb: Verb| compared.changes.iter().filter(|(_, change)| change.verb() == verb).count();
    let words: Vec<String> = [
        (rules.len(), if rules.len() == 1 { "rule changes" } else { "rules change" }),
        (number(Verb::Create), "to create"),
        (number(Verb::Update) + number(Verb::Replace), "to update"),
        (number(Verb::Remove), "to remove"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, words)| format!("{number} {words}"))
    .collect();
    let text = if words.is_empty() { "the same".to_owned() } else { words.join(", ") };
    format!("{} {text}\n", paint(BOLD, "diff:"))
}

#[cfg(test)]
mod tests;
