//! What stands in each section of the Markdown, and in which order.
//!
//! Invariant: every part of a review is in exactly one section, and what a reviewer must not miss comes first.

use super::fit::{Line, Section};
use crate::{
    address::Kind,
    diagnostic::{Diagnostic, Severity, Span},
    plan::step::{Expiring, KeyFate, Waiting},
    render::{
        clean::markup::fenced,
        review::{Entry, Review, Standing, rule_change},
        text::{access_changes, nouns, one_unmanaged, which_end},
        weight::by_weight,
    },
};

/// Losses that are kept whatever happens.
const LOSSES: usize = 200;
/// Errors that are kept whatever happens.
const ERRORS: usize = 50;

pub(super) fn of(review: &Review<'_>) -> Vec<Section> {
    let Review {
        command: _,
        passed: _,
        organization: _,
        base: _,
        last_applied: _,
        acknowledgement: _,
        rules,
        entries,
        access,
        keys,
        waiting,
        expiring,
        unmanaged,
        findings,
        sum: _,
    } = review;
    let severe = |severity| move |one: &&Diagnostic| one.severity == severity;
    let findings = || findings.iter().map(AsRef::as_ref);
    let errors = findings().filter(severe(Severity::Error)).map(finding).collect();
    let others = findings().filter(|one| one.severity != Severity::Error).map(finding).collect();
    let rules = by_weight(rules).into_iter().map(|rule| {
        let text = format!("! {}{}", fenced(&rule_change(rule)), place(rule.at.as_ref()));
        line(None, text, "rule", "rules")
    });
    let gains = entries.iter().filter(|e| e.standing == Standing::Ready && e.loss.is_none());
    let (dying, living): (Vec<&KeyFate>, Vec<&KeyFate>) = keys.iter().partition(|key| key.dies);
    let sections = [
        section("errors", true, ERRORS, errors),
        section("rules of the files that change", true, usize::MAX, rules.collect()),
        section(
            "removed, archived, switched off or less than before",
            true,
            LOSSES,
            review.losses().into_iter().map(entry).collect(),
        ),
        section("API keys that stop working", true, 0, dying.into_iter().map(key).collect()),
        section("held, since the files must say more", true, 0, standing(review, Standing::Held)),
        section(
            "by hand, since only a person can do it",
            true,
            0,
            standing(review, Standing::Manual),
        ),
        section("who gains, loses or changes access", true, 0, access_lines(access)),
        section("created or changed", false, 0, grouped(gains)),
        section("deferred to a later run", false, 0, standing(review, Standing::Deferred)),
        section("warnings and notes", false, 0, others),
        section("invites that wait for an answer", false, 0, waiting.iter().map(waits).collect()),
        section("ends within 14 days", false, 0, expiring.iter().map(ends).collect()),
        section("API keys that live on", false, 0, living.into_iter().map(key).collect()),
        section(
            "live, but not in the files",
            false,
            0,
            unmanaged
                .iter()
                .map(|one| {
                    let text = format!("  {} {}", one.address.kind.noun(), one_unmanaged(one));
                    line(None, fenced(&text).into_owned(), "object", "objects")
                })
                .collect(),
        ),
    ];
    sections.into_iter().filter(|section| !section.lines.is_empty()).collect()
}

fn section(title: &str, open: bool, kept: usize, lines: Vec<Line>) -> Section {
    let mut title = format!("{title}: {}", lines.len());
    title[..1].make_ascii_uppercase();
    Section { title, open, kept, lines }
}

fn line(under: Option<String>, text: String, one: &str, many: &str) -> Line {
    Line { under, text, counts_as: (one.to_owned(), many.to_owned()) }
}

fn place(span: Option<&Span>) -> String {
    span.map(|span| format!("  [{}:{}]", fenced(&span.file), span.line)).unwrap_or_default()
}

fn standing(review: &Review<'_>, standing: Standing) -> Vec<Line> {
    review.standing(standing).map(entry).collect()
}

/// A step or change, with where it is written and why it waits.
fn entry(entry: &Entry<'_>) -> Line {
    let colour = match entry.symbol() {
        "+" => '+',
        "-" => '-',
        _ => '!',
    };
    let word = entry.word();
    let mut text = format!("{colour} {word} {}", fenced(entry.subject()));
    let facts = entry.facts();
    if !facts.is_empty() {
        text.push_str(": ");
        text.push_str(&fenced(&facts));
    }
    text.push_str(&place(entry.at));
    if let Some(why) = entry.why {
        text.push_str("\n    ");
        text.push_str(&fenced(why));
    }
    let noun = |number: usize| {
        let nouns = nouns(entry.address.kind, number);
        let noun = nouns.split_once(' ').map_or("", |(_, noun)| noun);
        format!("{noun} to {word}")
    };
    line(None, text, &noun(1), &noun(2))
}

/// Entries under a heading for their kind, and for grants their workspace.
fn grouped<'e, 'a: 'e>(entries: impl Iterator<Item = &'e Entry<'a>>) -> Vec<Line> {
    let mut lines = Vec::new();
    for ((kind, scope), entries) in Review::groups(entries) {
        let title = match (kind, scope) {
            (Kind::Member, _) => "members".to_owned(),
            (Kind::Workspace, _) => "workspaces".to_owned(),
            (Kind::WorkspaceMember, Some(scope)) => format!("members of {scope}"),
            (Kind::WorkspaceMember, None) => "workspace members".to_owned(),
            (Kind::ApiKey, _) => "API keys".to_owned(),
        };
        for one in entries {
            lines.push(Line { under: Some(fenced(&title).into_owned()), ..entry(one) });
        }
    }
    lines
}

fn finding(finding: &Diagnostic) -> Line {
    let Diagnostic { code, severity, message, span, related, help, recent: _ } = finding;
    let (colour, one, many) = match severity {
        Severity::Error => ('-', "error", "errors"),
        Severity::Warning => ('!', "warning", "warnings"),
        Severity::Note => (' ', "note", "notes"),
    };
    let mut text =
        format!("{colour} {one}[{}]: {}{}", fenced(code), fenced(message), place(span.as_ref()));
    for (span, words) in related {
        text.extend([format!("\n    {}{}", fenced(words), place(Some(span)))]);
    }
    if let Some(help) = help {
        text.push_str("\n    help: ");
        text.push_str(&fenced(help));
    }
    line(None, text, one, many)
}

fn access_lines(access: &[crate::access::AccessChange]) -> Vec<Line> {
    let text = access_changes(access, usize::MAX);
    anstream::adapter::strip_str(&text)
        .to_string()
        .lines()
        .map(|sentence| {
            let sentence = sentence.trim_start();
            let text = match sentence.strip_prefix('~') {
                Some(rest) => format!("!{rest}"),
                None => sentence.to_owned(),
            };
            line(
                None,
                fenced(&text).into_owned(),
                "sentence about access",
                "sentences about access",
            )
        })
        .collect()
}

fn key(fate: &KeyFate) -> Line {
    let KeyFate {
        address: _,
        name,
        id,
        hint,
        dies,
        because_of: _,
        why,
        listed_active,
        by_expiry: _,
        own: _,
        late: _,
    } = fate;
    let colour = if *dies { '-' } else { ' ' };
    let print = hint.as_deref().unwrap_or(id.as_str());
    let listed = if *dies && *listed_active { "; the files list it as active" } else { "" };
    let text = format!("{name} ({print}): {why}{listed}");
    line(None, format!("{colour} {}", fenced(&text)), "API key", "API keys")
}

fn waits(waiting: &Waiting) -> Line {
    let Waiting { address, role, expires_at } = waiting;
    let until = expires_at.strftime("%Y-%m-%d %H:%M UTC");
    let text = format!("  {}: as {role}, until {until}", address.name);
    line(None, fenced(&text).into_owned(), "invite", "invites")
}

fn ends(expiring: &Expiring) -> Line {
    let Expiring { on, what, end, at } = expiring;
    let text = format!("  {on}  {what}: {}", which_end(*end));
    line(None, format!("{}{}", fenced(&text), place(at.as_ref())), "end", "ends")
}
