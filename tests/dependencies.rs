//! What `deny.toml` says of crates, sources and licences, held with nothing but Cargo: `cargo deny` need not be there.
//!
//! Invariant: every rule is also run on trees that break it, so none of them can pass by not looking.

#![allow(clippy::unwrap_used, reason = "a test that cannot read the tree fails")]

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use serde_json::{Value, json};
use toml_edit::DocumentMut;

/// The locked tree, what Cargo knows of the crates of this machine's platform, and what is allowed.
struct Tree {
    lock: DocumentMut,
    metadata: Value,
    deny: DocumentMut,
}

fn toml(below: &str) -> DocumentMut {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(below)).unwrap().parse().unwrap()
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Every locked package: its name, and where it comes from.
fn locked(lock: &DocumentMut) -> Vec<(&str, Option<&str>, bool)> {
    let packages = lock["package"].as_array_of_tables().unwrap().iter();
    packages
        .map(|package| {
            let text = |key: &str| package.get(key).and_then(|item| item.as_str());
            (text("name").unwrap(), text("source"), text("checksum").is_some())
        })
        .collect()
}

/// One registry, with checksums: no other one, no Git, no folder beside this one.
fn sources(tree: &Tree, found: &mut Vec<String>) {
    let mut registries = BTreeSet::new();
    for (name, source, sum) in locked(&tree.lock) {
        match source {
            None if name == env!("CARGO_PKG_NAME") => {}
            Some(source) if source.starts_with("registry+") && sum => {
                registries.insert(source);
            }
            _ => found.push(format!("{name} comes from {source:?}, checksum: {sum}")),
        }
    }
    if registries.len() > 1 {
        found.push(format!("several registries: {registries:?}"));
    }
}

/// None of the crates that are ruled out, whatever the platform; no requirement that any version meets.
fn bans(tree: &Tree, found: &mut Vec<String>) {
    let banned = tree.deny["bans"]["deny"].as_array().unwrap().iter();
    let banned = banned.map(|ban| ban.as_inline_table().unwrap()["crate"].as_str().unwrap());
    for name in banned {
        if locked(&tree.lock).iter().any(|(locked, ..)| *locked == name) {
            found.push(format!("{name} is banned"));
        }
    }
    let packages = tree.metadata["packages"].as_array().unwrap();
    let own = packages.iter().find(|package| package["name"] == env!("CARGO_PKG_NAME")).unwrap();
    for dependency in own["dependencies"].as_array().unwrap() {
        if dependency["req"] == "*" {
            found.push(format!("{} may be of any version", dependency["name"]));
        }
    }
}

/// A licence that is allowed for every crate that is built here, for tests too.
fn licences(tree: &Tree, found: &mut Vec<String>) {
    let allowed = tree.deny["licenses"]["allow"].as_array().unwrap().iter();
    let allowed: BTreeSet<&str> = allowed.map(|licence| licence.as_str().unwrap()).collect();
    for package in tree.metadata["packages"].as_array().unwrap() {
        let licence = package["license"].as_str().unwrap_or_default();
        if !may(licence, &allowed) {
            found.push(format!("{} {}: licence `{licence}`", package["name"], package["version"]));
        }
    }
}

/// Whether an SPDX expression can be met. `/` is how `OR` was once written.
fn may(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words: Vec<&str> = spaced.split_whitespace().rev().collect();
    any(&mut words, allowed) == Some(true) && words.is_empty()
}

/// Reads alternatives off the end of `words`; `None`: it is no expression.
fn any(words: &mut Vec<&str>, allowed: &BTreeSet<&str>) -> Option<bool> {
    let mut met = false;
    loop {
        let mut all = true;
        loop {
            all &= match words.pop()? {
                "(" => {
                    let inner = any(words, allowed)?;
                    (words.pop()? == ")").then_some(inner)?
                }
                ")" | "AND" | "OR" | "WITH" => return None,
                name if words.last() == Some(&"WITH") => {
                    words.pop();
                    allowed.contains(&*format!("{name} WITH {}", words.pop()?))
                }
                name => allowed.contains(name),
            };
            if words.pop_if(|word| *word == "AND").is_none() {
                break;
            }
        }
        met |= all;
        if words.pop_if(|word| *word == "OR").is_none() {
            return Some(met);
        }
    }
}

fn check(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for rule in [sources, bans, licences] {
        rule(tree, &mut found);
    }
    found
}

#[test]
fn the_tree_is_what_deny_toml_allows() {
    let version = said("rustc", &["--version", "--verbose"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    // Of other platforms the crates need not be on this machine: the workflow looks at theirs.
    let metadata = ["metadata", "--offline", "--locked", "--format-version=1", "--filter-platform"];
    let metadata = said(env!("CARGO"), &[&metadata[..], &[host]].concat());
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let tree = Tree { lock: toml("Cargo.lock"), metadata, deny: toml("deny.toml") };
    assert!(
        locked(&tree.lock).len() > 100 && tree.metadata["packages"].as_array().unwrap().len() > 100
    );
    let found = check(&tree);
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

/// What is found in a small tree with these lines in its lock, this licence of `a`, and this requirement of it.
fn findings(lines: &str, licence: &str, requirement: &str) -> Vec<String> {
    let own = env!("CARGO_PKG_NAME");
    let one = |name: &str, source: &str| format!("[[package]]\nname = '{name}'\n{source}\n");
    let good = one("a", "source = 'registry+one'\nchecksum = '1'");
    let lock = [one(own, ""), good, one("b", lines)].concat().parse().unwrap();
    let requires = json!([{"name": "a", "req": requirement}]);
    let metadata = json!({"packages": [
        {"name": own, "version": "1.0.0", "license": "MIT", "dependencies": requires},
        {"name": "a", "version": "2.0.0", "license": licence, "dependencies": []},
    ]});
    check(&Tree { lock, metadata, deny: toml("deny.toml") })
}

const GOOD: &str = "source = 'registry+one'\nchecksum = '2'";

#[test]
fn another_source_is_found() {
    assert_eq!(findings(GOOD, "MIT", "1"), Vec::<String>::new());
    for wrong in [
        "",
        "source = 'registry+one'",
        "source = 'registry+two'\nchecksum = '2'",
        "source = 'sparse+one'\nchecksum = '2'",
        "source = 'git+elsewhere'\nchecksum = '2'",
    ] {
        assert_eq!(findings(wrong, "MIT", "1").len(), 1, "{wrong}");
    }
}

#[test]
fn a_banned_crate_is_found_and_a_version_that_is_left_open() {
    let banned = format!("{GOOD}\n[[package]]\nname = 'anyhow'\n{GOOD}");
    assert_eq!(findings(&banned, "MIT", "1"), ["anyhow is banned"]);
    assert_eq!(findings(GOOD, "MIT", "*"), ["\"a\" may be of any version"]);
}

#[test]
fn a_licence_that_is_not_allowed_is_found() {
    for met in [
        "MIT",
        "GPL-3.0/MIT",
        "GPL-3.0 / MIT",
        "Apache-2.0 WITH LLVM-exception OR MIT",
        "GPL-3.0 AND ISC OR MIT",
        "(GPL-3.0 OR MIT) AND (ISC)",
    ] {
        assert_eq!(findings(GOOD, met, "1"), Vec::<String>::new(), "{met}");
    }
    for not_met in [
        "",
        "GPL-3.0",
        "mit",
        "MIT AND GPL-3.0",
        "MIT OR ISC AND",
        "(MIT OR GPL-3.0) AND GPL-3.0",
        "GPL-3.0 OR (MIT AND GPL-3.0)",
        "Apache-2.0 WITH LLVM-exception",
        "(MIT",
        "MIT)",
        "MIT ISC",
        "OR MIT",
    ] {
        assert_eq!(findings(GOOD, not_met, "1").len(), 1, "{not_met}");
    }
}
