//! What is written by hand and pasted: marks around addresses, look-alikes, many mistakes at once.
//!
//! Invariant: nobody is invited or removed by a character that nobody sees.

use std::fmt::Write as _;

use crate::{
    repository::flowing,
    support::{Served, Story},
};

const LIVE: &str = "\
organization: {id: 3f0c1b1e-0000-4000-8000-000000000000, name: Acme}
credentials: {admin_keys: [sk-ant-admin01-right-0123456789-abcdefghij]}
users:
  - {email: ada@acme.com, role: admin}
  - {email: bea@acme.com, role: admin}
  - {email: kim@acme.com, role: user, id: user_01kim}
workspaces:
  - {name: Prod, id: wrkspc_01a}
  - {name: \"Prod \", id: wrkspc_01b}
";

const ROOT: &str = "\
version: 1
organization: {id: 3f0c1b1e-0000-4000-8000-000000000000}
manage: {members: remove}
members:
  ada@acme.com: admin
  bea@acme.com: admin
";

#[test]
fn an_address_in_pasted_marks_neither_invites_a_text_nor_removes_the_person() {
    let served = Served::start(LIVE);
    for written in
        ["“kim@acme.com”", "mailto:kim@acme.com", "\"kim@acme.com\u{200b}\"", "(kim@acme.com)"]
    {
        let story = Story::with(&format!("{ROOT}  {written}: user\n")).to(&served.url());
        let run = story.run(&["apply", "--yes"]);
        assert_eq!(run.code, Some(3), "{written} {run:?}");
        let told = ["config/bad-email", "config/invisible-character"];
        assert!(told.iter().any(|code| run.stderr.contains(code)), "{written} {run:?}");
        assert_eq!(served.calls(), Vec::<String>::new(), "{written}");
    }
}

#[test]
fn live_workspaces_that_differ_in_a_blank_are_warned_of_and_shown_in_quotes() {
    let served = Served::start(LIVE);
    let files = format!("{ROOT}  kim@acme.com: user\nworkspaces: {{}}\n");
    let story = Story::with(&files).to(&served.url());
    let run = story.run(&["plan"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let text = flowing(&format!("{}{}", run.stdout, run.stderr));
    assert!(text.contains("live/similar-names"), "{run:?}");
    assert!(text.contains("`\"Prod \"` (wrkspc_01b)"), "{run:?}");
    assert!(text.contains("Prod, \"Prod \""), "{run:?}");
}

#[test]
fn a_domain_in_look_alike_letters_is_shown_with_its_ascii_form() {
    let served = Served::start(LIVE);
    let files = format!("{ROOT}  kim@acme.com: user\n  joe@\u{430}cme.com: user\n");
    let story = Story::with(&files).to(&served.url());
    let run = story.run(&["plan"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("joe@\u{430}cme.com (xn--cme-5cd.com)"), "{run:?}");
    assert!(run.stderr.contains("config/mixed-scripts"), "{run:?}");
}

#[test]
fn twenty_findings_and_a_count_are_shown_and_all_on_request() {
    let mut files = String::from("version: 1\nmembers:\n");
    for n in 0..1_000 {
        writeln!(files, "  p{n}@acme.com: usr").unwrap();
    }
    let story = Story::with(&files);
    let first = story.run(&["validate"]);
    assert_eq!(first.code, Some(3), "{first:?}");
    assert_eq!(first.stderr.matches("error[").count(), 20, "{first:?}");
    assert!(first.stderr.contains("not shown here; `--all` shows"), "{first:?}");
    assert!(first.stderr.contains("more than"), "{first:?}");
    let all = story.run(&["validate", "--all"]);
    assert_eq!(all.stderr.matches("error[").count(), 301, "{}", all.stderr.len());
    let sarif = story.run(&["validate", "--format", "sarif"]);
    let results = serde_json::from_str::<serde_json::Value>(&sarif.stdout).unwrap();
    assert_eq!(results["runs"][0]["results"].as_array().unwrap().len(), 301);
}

#[test]
fn a_range_of_revisions_that_is_taken_for_a_file_is_told_how_to_write_it() {
    let story = Story::with(ROOT);
    let run = story.run(&["diff", "main..HEAD", "charter.yaml"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(flowing(&run.stderr).contains("charter diff main..HEAD -- charter.yaml"), "{run:?}");
}
