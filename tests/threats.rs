//! `docs/threat-model.md` promises nothing that no test attacks.
//!
//! Invariant: every row of its tables names tests that exist and run, or the section that sets the platform up; and no
//! promise stands outside of a table.

#![allow(clippy::unwrap_used, reason = "a test that cannot read the page fails")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The heading below which every row is held to a test.
const THREATS: &str = "## Who could try what";
/// The heads of the columns there.
const HEADS: [&str; 4] = ["tries to", "stopped by", "what is left", "test"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn page() -> String {
    fs::read_to_string(root().join("docs/threat-model.md")).unwrap()
}

/// The names of all tests in a source: functions below an attribute that ends in `test`, and is not ignored.
fn tests_of(source: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let (mut is_test, mut is_ignored) = (false, false);
    for line in source.lines().map(str::trim) {
        if let Some(attribute) = line.strip_prefix("#[") {
            let path = attribute.split([']', '(', ' ']).next().unwrap();
            is_test |= path == "test" || path.ends_with("::test");
            is_ignored |= path == "ignore";
        } else if let Some(after) =
            ["fn ", "async fn "].iter().find_map(|word| line.strip_prefix(word))
        {
            if is_test && !is_ignored {
                names.insert(after.split(['(', '<']).next().unwrap().to_owned());
            }
            (is_test, is_ignored) = (false, false);
        }
    }
    names
}

fn read_tests(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            read_tests(&entry, names);
        } else if entry.extension().is_some_and(|end| end == "rs") {
            names.extend(tests_of(&fs::read_to_string(&entry).unwrap()));
        }
    }
}

/// The anchors of a page's headings, as GitHub and GitLab make them.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The targets of the links in a text.
fn links(text: &str) -> Vec<&str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(to, _)| to).collect()
}

/// The texts between backticks.
fn code(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// What is wrong with a row, given the tests that exist.
fn check_row(cells: &[&str], tests: &BTreeSet<String>) -> Vec<String> {
    let [tried, stopped, _, attacked] = cells else {
        return vec![format!("the row has not {} cells", HEADS.len())];
    };
    let mut wrong = Vec::new();
    if tried.is_empty() || stopped.is_empty() {
        wrong.push("the row does not say what is tried, or what stops it".to_owned());
    }
    let named = code(attacked);
    let missing = named.iter().filter(|name| !tests.contains(**name));
    wrong.extend(missing.map(|name| format!("there is no test `{name}`")));
    let platform = attacked.contains("platform: [");
    if platform && links(attacked).iter().any(|to| !to.starts_with("ci.md#")) {
        wrong.push("the platform is set up by a section of ci.md".to_owned());
    }
    if named.is_empty() && !platform {
        wrong.push("nothing attacks this promise".to_owned());
    }
    wrong
}

/// What is wrong with the sections of threats, each of which is one table.
fn check(page: &str, tests: &BTreeSet<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    let lines = page.lines().enumerate().skip_while(|(_, line)| *line != THREATS).skip(1);
    let lines = lines.take_while(|(_, line)| !line.starts_with("## "));
    // The rows of the section so far, its head and the line below it among them.
    let mut rows = 3;
    for (index, line) in lines.filter(|(_, line)| !line.is_empty()) {
        let mut found = Vec::new();
        if line.starts_with("### ") {
            if rows < 3 {
                found.push("the section above has no row".to_owned());
            }
            rows = 0;
        } else if let Some(row) = line.strip_prefix('|').and_then(|row| row.strip_suffix('|')) {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            rows += 1;
            match rows {
                1 if cells != HEADS => found.push(format!("the columns are not {HEADS:?}")),
                1 | 2 => {}
                _ => found = check_row(&cells, tests),
            }
        } else {
            found.push("a promise outside of a table has no test".to_owned());
        }
        let place = |what| format!("docs/threat-model.md:{}: {what}", index + 1);
        wrong.extend(found.into_iter().map(place));
    }
    if rows < 3 {
        wrong.push("docs/threat-model.md: the last section has no row".to_owned());
    }
    wrong
}

fn existing() -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    for folder in ["src", "tests"] {
        read_tests(&root().join(folder), &mut tests);
    }
    tests
}

#[test]
fn every_promise_has_a_test_that_attacks_it() {
    let page = page();
    assert!(page.contains(THREATS));
    let wrong = check(&page, &existing());
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_link_of_the_page_leads_somewhere() {
    for to in links(&page()) {
        let (file, part) = to.split_once('#').unwrap_or((to, ""));
        let text =
            fs::read_to_string(root().join("docs").join(file)).unwrap_or_else(|_| panic!("{to}"));
        assert!(part.is_empty() || anchors(&text).contains(part), "{to}");
    }
}

#[test]
fn a_row_without_a_test_is_found() {
    let head = format!(
        "{THREATS}\n\n### Anybody\n\n| {} |\n| --- | --- | --- | --- |\n",
        HEADS.join(" | ")
    );
    let tests = BTreeSet::from(["attacked".to_owned()]);
    let found = |rest: &str| check(&format!("{head}{rest}\n## End\n"), &tests);
    let right = "| loosen | a guard | | `attacked` |\n| push | a rule | | platform: [GitHub](ci.md#github) |\n";
    assert_eq!(found(right), [""; 0]);
    for (rest, what) in [
        ("| loosen | a guard | | |", "nothing attacks this promise"),
        ("| loosen | a guard | | `missing` |", "there is no test `missing`"),
        ("| loosen | a guard | `attacked` |", "the row has not 4 cells"),
        ("| | a guard | | `attacked` |", "does not say what is tried"),
        ("| loosen | a guard | | platform: [x](apply.md) |", "a section of ci.md"),
        ("It is safe.", "a promise outside of a table"),
        ("", "the last section has no row"),
        ("### Others", "the section above has no row"),
    ] {
        let said = found(rest);
        assert!(said.iter().any(|one| one.contains(what)), "{rest}: {said:?}");
    }
}

#[test]
fn only_what_runs_as_a_test_is_one() {
    let source = "
        #[test]
        #[should_panic(expected = \"x\")]
        fn one() {}
        #[tokio::test(start_paused = true)]
        async fn two() {}
        fn helper() {}
        #[test]
        #[ignore = \"slow\"]
        fn three() {}
    ";
    assert_eq!(tests_of(source).into_iter().collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(anchor("What a fork gets"), "what-a-fork-gets");
    assert_eq!(anchor("The program's `--rev`"), "the-programs---rev");
}
