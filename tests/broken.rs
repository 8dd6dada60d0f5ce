//! Every file in `examples/broken` gives the findings that stand beside it, word for word.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its files fails")]

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use orgcharter::{
    config::load::load,
    diagnostic::{Diagnostic, Severity, Span},
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/broken")
}

/// The broken files and folders.
fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir() || path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    cases.sort();
    cases
}

/// A place, its file named from the folder of the broken files on.
fn place(span: &Span) -> String {
    let file = Path::new(&*span.file);
    let file = file.strip_prefix(folder()).unwrap_or(file);
    format!("{}:{}:{}", file.display(), span.line, span.column)
}

fn show(findings: &[Diagnostic]) -> String {
    let root = format!("{}/", folder().display());
    let mut text = String::new();
    for finding in findings {
        let word = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        let at = finding.span.as_ref().map_or("-".to_owned(), place);
        writeln!(text, "{word} {} {at}", finding.code).unwrap();
        writeln!(text, "  {}", finding.message.replace(&root, "")).unwrap();
        for (span, words) in &finding.related {
            writeln!(text, "  {}: {words}", place(span)).unwrap();
        }
        let help = finding.help.as_deref().unwrap_or_else(|| panic!("no help: {finding:?}"));
        writeln!(text, "  help: {}", help.replace(&root, "")).unwrap();
    }
    text
}

#[test]
fn every_broken_file_gives_its_findings() {
    let cases = cases();
    assert!(cases.len() >= 30, "only {} broken files", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let Err(rejected) = load(&case) else { panic!("{} loads", case.display()) };
        let found = show(&rejected.diagnostics);
        let expected = case.with_extension("expected");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&expected, &found).unwrap();
        }
        let expected = std::fs::read_to_string(expected).unwrap_or_default();
        if found != expected {
            wrong.push(format!("{}\n{found}", case.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "not as in the `.expected` beside it:\n{}\nif this is meant, run `UPDATE_GOLDEN=1 cargo test --test broken`",
        wrong.join("\n")
    );
}

#[test]
fn messages_keep_to_the_style() {
    for case in cases() {
        let Err(rejected) = load(&case) else { continue };
        for finding in &rejected.diagnostics {
            for text in [Some(&finding.message), finding.help.as_ref()].into_iter().flatten() {
                let first = text.chars().next().unwrap();
                assert!(!first.is_uppercase(), "starts with a capital: {text}");
                assert!(!text.ends_with('.'), "ends with a period: {text}");
                assert_eq!(text.matches('`').count() % 2, 0, "unpaired backtick: {text}");
            }
            assert!(finding.code.starts_with("config/"), "{}", finding.code);
        }
    }
}

#[test]
fn every_finding_of_a_readable_file_has_its_place() {
    for case in cases() {
        let Err(rejected) = load(&case) else { continue };
        for finding in &rejected.diagnostics {
            let Some(span) = &finding.span else {
                assert_eq!(finding.code, "config/no-root", "{finding:?}");
                continue;
            };
            // The place can be shown: the line is there, and the bytes lie in the text.
            if let Some(text) = rejected.sources.text(&span.file) {
                assert!(text.lines().count().max(1) >= span.line as usize, "{finding:?}");
                assert!(text.get(span.bytes.0 as usize..span.bytes.1 as usize).is_some());
            }
        }
    }
}

/// The codes that some module of the files can give.
fn codes() -> std::collections::BTreeSet<String> {
    fn visit(folder: &Path, codes: &mut std::collections::BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, codes);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let quoted = text.split('"').filter(|part| {
                let rest = part.strip_prefix("config/").or(part.strip_prefix("import/"));
                rest.is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))
            });
            codes.extend(quoted.map(str::to_owned));
        }
    }
    let mut codes = std::collections::BTreeSet::new();
    visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config"), &mut codes);
    assert!(codes.len() > 50, "{codes:?}");
    codes
}

#[test]
fn the_docs_list_every_code_and_no_other() {
    let docs = include_str!("../docs/files.md");
    let listed: std::collections::BTreeSet<String> = docs
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(code, _)| code.to_owned())
        .filter(|code| code.starts_with("config/") || code.starts_with("import/"))
        .collect();
    assert_eq!(listed, codes());
}

/// Codes that no file in `examples/broken` can show: they need other files, live objects or a day.
const ELSEWHERE: &[&str] = &[
    "config/bad-file-name",
    "config/ignore-expired",
    "config/link-not-read",
    "config/lost-grant",
    "config/not-a-file",
    "config/not-checked-out",
    "config/not-found",
    "config/saved-plan",
    "config/too-large",
    "config/unreadable",
    "import/left-out",
];

#[test]
fn every_code_is_shown_by_a_broken_file() {
    let mut shown: std::collections::BTreeSet<String> =
        ELSEWHERE.iter().map(|code| (*code).to_owned()).collect();
    for case in cases() {
        let Err(rejected) = load(&case) else { continue };
        shown.extend(rejected.diagnostics.iter().map(|finding| finding.code.to_string()));
    }
    assert_eq!(shown, codes());
}
