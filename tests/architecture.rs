//! The layers of the crate docs, enforced: who imports whom, who prints, who writes, how long a file may be.
//!
//! Invariant: every rule is also run on sources that break it, so none of them can pass by not looking.

#![allow(clippy::unwrap_used, reason = "a test that cannot read the sources fails")]

#[path = "architecture/lexer.rs"]
mod lexer;
#[path = "architecture/rules.rs"]
mod rules;

use std::{fs, path::Path};

use rules::{Layers, Long, Source, check, layers};

/// Files over the usual length, with the most they may have, and why they are one file.
const LONG: &[Long] = &[
    ("cli/args.rs", 460, "the command line as one table, read like its own help"),
    ("resource/workspace.rs", 440, "one kind, one file: the kind with the most fields"),
];

fn read(dir: &Path, below: &str, out: &mut Vec<Source>) {
    let mut entries: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap()).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().into_string().unwrap();
        let path = format!("{below}{name}");
        if entry.file_type().unwrap().is_dir() {
            read(&entry.path(), &format!("{path}/"), out);
        } else if Path::new(&path).extension().is_some_and(|end| end == "rs") {
            out.push(Source { path, text: fs::read_to_string(entry.path()).unwrap() });
        }
    }
}

fn crate_sources() -> Vec<Source> {
    let mut sources = Vec::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut sources);
    sources
}

#[test]
fn the_crate_keeps_to_its_layers() {
    let sources = crate_sources();
    assert!(sources.len() > 30, "only {} sources found", sources.len());
    let docs = sources.iter().find(|source| source.path == "lib.rs").unwrap();
    let layers = layers(&docs.text).unwrap();
    let findings = check(&layers, &sources, LONG);
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

const DOCS: &str = "\
//! | row | modules | IO |
//! | --- | --- | --- |
//! | words | `address`, `email` | none |
//! | wire | `api` | its HTTP transport |
//! | passes | `plan` | none |
//! | hands | `apply` | a `Writer` |
//! | shell | `cli` | everything |
//! | aside | `sandbox` | loopback |
";

fn table() -> Layers {
    layers(DOCS).unwrap()
}

/// What is wrong with one file, without its path.
fn findings(path: &str, code: &str) -> Vec<String> {
    let text = format!("//! A file.\n//!\n//! Invariant: it is one.\n{code}");
    let source = Source { path: path.to_owned(), text };
    let found = check(&table(), &[source], &[]);
    found.iter().map(|finding| finding.replace(&format!("src/{path}:"), "")).collect()
}

#[test]
fn a_row_may_import_the_rows_above_it() {
    assert!(findings("plan/keys.rs", "use crate::{address::Kind, api::call::Call};").is_empty());
    assert!(findings("apply/run.rs", "use crate::plan; fn f() { super::g() }").is_empty());
    assert!(findings("cli/cmd.rs", "use crate::sandbox::Server;").is_empty());
    assert!(
        findings("sandbox/log.rs", "use crate::api::transport::{Method, RawRequest};").is_empty()
    );
}

#[test]
fn an_import_from_below_is_found_however_it_is_written() {
    let found = ["4: `plan` imports `apply`, of a row below"];
    assert_eq!(findings("plan/keys.rs", "use crate::apply::Run;"), found);
    assert_eq!(
        findings("plan/keys.rs", "use crate::{address::Kind, apply::{self, Run}};").len(),
        2
    );
    assert_eq!(findings("plan/keys.rs", "fn f() -> crate::apply::Run { todo() }"), found);
    assert_eq!(findings("plan/keys.rs", "use super::super::apply;"), found);
    assert_eq!(findings("plan.rs", "use super::apply;"), found);
    assert_eq!(findings("plan/mod.rs", "mod a { use super::super::apply; }"), found);
    assert_eq!(
        findings(
            "plan.rs",
            "pub(in crate::plan) fn f(_: &'static str, a: crate :: apply :: Run) {}"
        ),
        found
    );
    assert_eq!(
        findings("plan.rs", "use crate::{self as all};"),
        ["4: names the crate's root: name the module"]
    );
    assert_eq!(
        findings("plan.rs", "use crate::*;"),
        ["4: `plan` or `*` stands in no row of the crate docs"]
    );
}

#[test]
fn siblings_of_a_row_do_not_import_each_other() {
    assert_eq!(
        findings("email.rs", "use crate::address::Name;"),
        ["4: `email` imports `address`, of its own row"]
    );
}

#[test]
fn the_sandbox_shares_only_raw_types_and_is_known_to_the_shell_only() {
    assert_eq!(
        findings("sandbox/kinds/user.rs", "use crate::api::{transport::Method, wire::User};"),
        ["4: `sandbox` imports `api::wire::User`; only `api::transport` is shared"]
    );
    assert_eq!(findings("sandbox/mod.rs", "use crate::address::Name;").len(), 1);
    assert_eq!(
        findings("apply.rs", "use crate::sandbox::State;"),
        ["4: `apply` imports `sandbox`, which only `cli` and tests know"]
    );
}

#[test]
fn words_in_comments_and_texts_are_not_imports() {
    let code = r##"
/* use crate::apply; /* nested */ still crate::apply */
/// See [`crate::apply::Run`].
const A: &str = "use crate::apply; \" println!";
const B: &str = r#"crate::apply " Writer"#;
const C: [char; 3] = ['"', '\'', '\u{22}'];
fn f<'a>(x: &'a str) -> &'a str { x }
"##;
    assert!(findings("plan.rs", code).is_empty());
    assert_eq!(findings("plan.rs", &format!("{code}\nuse crate::apply;")).len(), 1);
}

#[test]
fn tests_may_import_what_they_like_and_code_after_them_may_not() {
    let code = "#[cfg(test)]\nmod tests {\n use crate::sandbox::State;\n}\n";
    assert!(findings("plan.rs", code).is_empty());
    assert!(findings("plan.rs", "#[cfg(test)] mod tests;").is_empty());
    assert!(findings("plan/tests.rs", "use crate::sandbox::State;").is_empty());
    let code = format!("{code}use crate::sandbox::State;");
    assert_eq!(findings("plan.rs", &code).len(), 1);
    assert_eq!(findings("plan.rs", "#[cfg(test)] mod tests; use crate::sandbox::State;").len(), 1);
}

#[test]
fn only_the_faces_print_and_only_apply_writes() {
    assert_eq!(
        findings("plan.rs", "fn f() { println!(\"hello\") }"),
        ["4: `println` outside cli, render, main"]
    );
    assert_eq!(findings("apply.rs", "fn f() { std::io::stderr().flush() }").len(), 1);
    assert!(findings("cli/ui.rs", "fn f() { println!() }").is_empty());
    assert_eq!(
        findings("plan.rs", "use crate::api::client::Writer;"),
        ["4: `plan` names `Writer`; only `apply` changes the organization"]
    );
    assert!(findings("apply.rs", "use crate::api::client::Writer;").is_empty());
}

#[test]
fn pure_modules_do_not_look_at_the_world() {
    for code in [
        "use std::fs;",
        "use std::{fmt, fs::{self as files}};",
        "fn f() { jiff::Timestamp::now() }",
        "use tokio::spawn;",
    ] {
        assert_eq!(findings("plan/keys.rs", code).len(), 1, "{code}");
        assert!(findings("cli/keys.rs", code).is_empty(), "{code}");
    }
    assert!(findings("plan/keys.rs", "use std::{collections::BTreeMap, fmt};").is_empty());
}

#[test]
fn files_say_what_they_are_and_stay_short() {
    let file = |text: String| vec![Source { path: "plan/keys.rs".to_owned(), text }];
    let head = "//! A file.\n//!\n//! Invariant: it is one.\n";
    assert_eq!(check(&table(), &file("use std::fmt;\n".to_owned()), &[]).len(), 1);
    assert_eq!(check(&table(), &file("//! A file.\n".to_owned()), &[]).len(), 1);
    assert!(check(&table(), &file(head.to_owned()), &[]).is_empty());

    let long = format!("{head}{}", "\n".repeat(rules::MAX_LINES));
    assert_eq!(check(&table(), &file(long.clone()), &[]).len(), 1);
    let tests = Source { path: "plan/tests.rs".to_owned(), text: long.clone() };
    assert!(check(&table(), std::slice::from_ref(&tests), &[]).is_empty());
    let text = "\n".repeat(rules::MAX_TEST_LINES) + &tests.text;
    assert_eq!(check(&table(), &[Source { text, ..tests }], &[]).len(), 2);
    let reason = "it is one table";
    assert!(check(&table(), &file(long.clone()), &[("plan/keys.rs", 450, reason)]).is_empty());
    assert_eq!(check(&table(), &file(long), &[("plan/keys.rs", 401, reason)]).len(), 1);
    // The list may not keep what needs no place on it.
    assert_eq!(check(&table(), &file(head.to_owned()), &[("plan/keys.rs", 450, reason)]).len(), 1);
    assert_eq!(check(&table(), &[], &[("plan/gone.rs", 450, reason)]).len(), 1);
}

#[test]
fn the_table_and_the_modules_of_the_crate_are_the_same() {
    let lib = |modules: &str| {
        let text = format!("{DOCS}//!\n//! Invariant: none.\n{modules}");
        check(&table(), &[Source { path: "lib.rs".to_owned(), text }], &[])
    };
    let all = "pub mod address; pub mod email; pub mod api; pub mod plan; pub mod apply; pub mod cli; mod sandbox;";
    assert!(lib(all).is_empty());
    assert_eq!(lib(&format!("{all} mod extra;")).len(), 1);
    assert_eq!(lib(&all.replace("mod plan;", "")).len(), 1);
    assert!(layers("//! No table.").is_err());
    assert!(layers(&DOCS.replace("`email`", "`api`")).is_err());
}
