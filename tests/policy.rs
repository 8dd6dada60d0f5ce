//! The examples of rules: one that holds, and one whose findings stand beside it, word for word.

#![cfg(feature = "cel")]

use std::{fmt::Write as _, path::Path};

use orgcharter::{
    config::{load::load, lower::lower},
    diagnostic::Span,
    policy::{Verdict, judge_files},
};

fn judged(name: &str) -> Verdict {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
    let loaded = load(&path).unwrap_or_else(|rejected| panic!("{:#?}", rejected.diagnostics));
    let today = jiff::civil::date(2026, 11, 22);
    let (desired, _) = lower(&loaded.document, today);
    judge_files(&loaded.document, &desired, today)
}

fn place(span: &Span) -> String {
    let root = format!("{}/examples/", env!("CARGO_MANIFEST_DIR"));
    span.to_string().replace(&root, "")
}

#[test]
fn the_example_holds_but_for_what_it_accepts() {
    let verdict = judged("policy");
    assert_eq!(verdict.diagnostics(), []);
    let accepted: Vec<_> = verdict.findings.iter().map(|finding| &*finding.rule).collect();
    assert_eq!(accepted, ["separation", "separation"]);
    let unjudged: Vec<_> = verdict.unjudged.iter().map(|one| &*one.rule).collect();
    assert_eq!(unjudged, ["key_age", "invite_age"]);
}

#[test]
fn every_finding_of_the_example_is_the_expected_one() {
    let mut text = String::new();
    for finding in judged("policy-findings.yaml").diagnostics() {
        let at = finding.span.as_ref().map_or("-".to_owned(), place);
        writeln!(text, "{:?} {} {at}", finding.severity, finding.code).unwrap();
        writeln!(text, "  {}", finding.message).unwrap();
        for (span, words) in &finding.related {
            writeln!(text, "  {}: {words}", place(span)).unwrap();
        }
        writeln!(text, "  help: {}", finding.help.expect("every finding has help")).unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/policy-findings.expected");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        text == expected,
        "if this is meant, run `UPDATE_GOLDEN=1 cargo test --test policy`:\n{text}"
    );
}
