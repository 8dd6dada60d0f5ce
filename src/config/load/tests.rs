//! Folders, merges and findings, from files on disk to a checked document.

use std::{fmt::Write as _, fs};

use super::*;
use crate::config::document::{Wanted, WorkspaceState};

fn sources(files: &[(&str, &str)]) -> Vec<(Arc<str>, Arc<str>)> {
    files.iter().map(|(name, text)| (Arc::from(*name), Arc::from(*text))).collect()
}

/// `code file:line:column` of each finding.
fn codes(findings: &[Diagnostic]) -> Vec<String> {
    findings
        .iter()
        .map(|d| match &d.span {
            Some(span) => format!("{} {span}", d.code),
            None => d.code.to_string(),
        })
        .collect()
}

fn rejected(files: &[(&str, &str)]) -> Vec<String> {
    codes(&load_sources(sources(files)).unwrap_err().diagnostics)
}

fn loaded(files: &[(&str, &str)]) -> Document {
    match load_sources(sources(files)) {
        Ok(loaded) => loaded.document,
        Err(rejected) => panic!("{:#?}", rejected.diagnostics),
    }
}

/// The example of docs/files.md.
pub(crate) fn everything() -> &'static str {
    let docs = include_str!("../../../docs/files.md");
    let start = docs.find("```yaml\n").unwrap() + "```yaml\n".len();
    &docs[start..start + docs[start..].find("```").unwrap()]
}

#[test]
fn the_example_of_the_docs_loads_without_a_word() {
    let loaded = load_sources(sources(&[("charter.yaml", everything())])).unwrap();
    assert_eq!(codes(&loaded.warnings), [""; 0]);
    let document = loaded.document;
    assert_eq!(document.members.as_ref().unwrap().len(), 4);
    let bob = &document.members.as_ref().unwrap().values().nth(1).unwrap();
    assert_eq!(bob.role.value, Wanted::None);
    let workspaces = document.workspaces.unwrap();
    assert_eq!(workspaces["hackathon"].state.as_ref().unwrap().value, WorkspaceState::Archived);
    let production = &workspaces["Production"];
    assert_eq!(production.members.as_ref().unwrap().people.len(), 2);
    assert_eq!(production.members.as_ref().unwrap().teams.len(), 1);
    assert_eq!(document.api_keys.unwrap().len(), 0);
    assert_eq!(document.manage.ignore.len(), 1);
}

#[test]
fn lists_merge_across_files_and_so_do_the_entries_of_a_workspace() {
    let document = loaded(&[
        (
            "charter.yaml",
            "version: 1\nmembers: {ada@acme.com: user}\nworkspaces:\n  P: {members: {ada@acme.com: workspace_user}}\n",
        ),
        (
            "b.yaml",
            "members: {joan@acme.com: user}\nworkspaces:\n  P: {members: {joan@acme.com: workspace_user}, api_keys: {ci: active}}\n  Q: {}\n",
        ),
        (
            "c.yaml",
            "workspaces:\n  P: {api_keys: {cd: active}, note: main}\nteams: {t: [ada@acme.com]}\napi_keys: {}\n",
        ),
    ]);
    assert_eq!(document.members.unwrap().len(), 2);
    let workspaces = document.workspaces.unwrap();
    assert_eq!(workspaces.len(), 2);
    assert_eq!(workspaces["P"].members.as_ref().unwrap().people.len(), 2);
    assert_eq!(workspaces["P"].api_keys.as_ref().unwrap().len(), 2);
    assert_eq!(workspaces["P"].note.as_ref().unwrap().to_string(), "main");
    assert!(workspaces["Q"].members.is_none());
    assert_eq!(document.api_keys.unwrap().len(), 0);
}

#[test]
fn a_file_that_cannot_be_read_does_not_make_people_unknown() {
    let found = rejected(&[
        ("charter.yaml", "version: 1\nteams: {t: [ada@acme.com]}\n"),
        ("members.yaml", "members: {joan@acme.com: user}\n"),
        ("more.yaml", "members: {ada@acme.com: user\n"),
    ]);
    assert_eq!(found, ["config/yaml-syntax more.yaml:1:10"]);
    let found = rejected(&[(
        "charter.yaml",
        "version: 1\nmembers: {ada@acme.com: usr}\nteams: {t: [ada@acme.com, joan@acme.com]}\n",
    )]);
    assert_eq!(
        found,
        ["config/unknown-role charter.yaml:2:25", "config/unknown-person charter.yaml:3:27"]
    );
}

#[test]
fn without_a_list_of_people_nobody_is_unknown() {
    let document = loaded(&[(
        "charter.yaml",
        "version: 1\nteams: {t: [ada@acme.com]}\nworkspaces: {P: {members: {joan@acme.com: workspace_user, team/t: workspace_user}}}\n",
    )]);
    assert!(document.members.is_none());
}

#[test]
fn two_teams_may_agree() {
    let text = "version: 1
teams: {a: [ada@acme.com], b: [ada@acme.com]}
workspaces:
  P: {members: {team/a: {role: workspace_user, note: x}, team/b: workspace_user}}
";
    loaded(&[("charter.yaml", text)]);
}

#[test]
fn what_is_wrong_in_a_repeated_value_is_said_once() {
    let text = "version: 1\nmembers: {ada@acme.com: &x {role: usr}, joan@acme.com: *x, bob@acme.com: *x}\n";
    assert_eq!(rejected(&[("charter.yaml", text)]), ["config/unknown-role charter.yaml:2:35"]);
}

#[test]
fn windows_files_have_the_same_places() {
    let text = "\u{feff}version: 1\r\nmembers:\r\n  ada@acme.com: usr\r\n";
    assert_eq!(rejected(&[("charter.yaml", text)]), ["config/unknown-role charter.yaml:3:17"]);
}

#[test]
fn findings_come_in_the_order_of_files_and_lines() {
    let broken = "members: {ada@acme.com: usr}\nteams: {t: ada}\n";
    let found = rejected(&[
        ("charter.yaml", "version: 1\nmanage: {members: delete}\n"),
        ("b.yaml", broken),
        ("a.yaml", broken),
    ]);
    assert_eq!(
        found,
        [
            "config/duplicate-key a.yaml:1:11",
            "config/unknown-role a.yaml:1:25",
            "config/duplicate-key a.yaml:2:9",
            "config/wrong-type a.yaml:2:12",
            "config/unknown-role b.yaml:1:25",
            "config/wrong-type b.yaml:2:12",
            "config/unknown-value charter.yaml:2:19",
        ]
    );
}

#[test]
fn too_large_a_file_is_refused_and_named() {
    let large = format!("version: 1\n#{}\n", "x".repeat(MAX_BYTES));
    assert_eq!(
        rejected(&[("charter.yaml", "version: 1\n"), ("large.yaml", &large)]),
        ["config/too-large large.yaml:1:1"]
    );
}

#[test]
fn a_thousand_broken_references_are_reported_quickly() {
    let mut text = String::from("version: 1\nmembers:\n");
    for n in 0..5_000 {
        writeln!(text, "  p{n}@acme.com: user").unwrap();
    }
    text += "workspaces:\n  P:\n    members:\n";
    for n in 0..5_000 {
        writeln!(text, "      q{n}@acme.com: workspace_user").unwrap();
    }
    let start = std::time::Instant::now();
    let found = rejected(&[("charter.yaml", &text)]);
    assert_eq!(found.len(), diagnostic::MAX_KEPT + 1);
    assert!(found[diagnostic::MAX_KEPT].starts_with(MORE_FINDINGS));
    assert!(start.elapsed() < std::time::Duration::from_secs(10));
}

/// A folder with these files.
pub(crate) fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

const ROOT: &str = "version: 1\n";

mod folders;

#[test]
fn a_folder_is_read_at_any_depth_without_dotfiles_and_other_files() {
    let folder = folder(&[
        ("charter.yaml", ROOT),
        ("a/b/c.yml", "members: {ada@acme.com: user}\n"),
        ("z.yaml", "members: {joan@acme.com: user}\n"),
        (".hidden.yaml", "nonsense: [\n"),
        (".git/x.yaml", "nonsense: [\n"),
        ("README.md", "# no\n"),
    ]);
    let loaded = load(folder.path()).unwrap();
    assert_eq!(loaded.document.members.unwrap().len(), 2);
    let names: Vec<_> = loaded
        .sources
        .0
        .keys()
        .map(|name| name.rsplit_once(&*folder.path().to_string_lossy()).unwrap().1.to_owned())
        .collect();
    assert_eq!(names, ["/a/b/c.yml", "/charter.yaml", "/z.yaml"]);
}

#[test]
fn a_path_without_a_file_says_what_to_do() {
    let missing = load(Path::new("no/such/charter.yaml")).unwrap_err().diagnostics;
    assert_eq!(missing[0].code, "config/not-found");
    let empty = folder(&[]);
    let found = load(empty.path()).unwrap_err().diagnostics;
    assert_eq!(found[0].code, "config/no-root");
    assert!(found[0].message.ends_with("has no YAML files"), "{}", found[0].message);
    let rootless = folder(&[("members.yaml", "members: {}\n")]);
    assert_eq!(load(rootless.path()).unwrap_err().diagnostics[0].code, "config/no-root");
}

#[test]
fn a_single_file_is_a_root_whatever_it_is_called() {
    let folder = folder(&[
        ("acme.yml", "version: 1\nmembers: {}\n"),
        ("part/charter.yaml", ROOT),
        ("part/members.yaml", "members: {}\n"),
    ]);
    assert!(load(&folder.path().join("acme.yml")).is_ok());
    let found = load(&folder.path().join("part/members.yaml")).unwrap_err().diagnostics;
    assert!(found[0].help.as_ref().unwrap().contains("give the folder"), "{found:?}");
}

mod properties {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    fn finishes(text: &str) {
        let start = Instant::now();
        let outcome = load_sources(sources(&[("charter.yaml", text), ("part.yaml", text)]));
        assert!(start.elapsed() < Duration::from_secs(5), "{text:?}");
        let findings = match outcome {
            Ok(loaded) => loaded.warnings,
            Err(rejected) => {
                assert!(rejected.diagnostics.iter().any(Diagnostic::is_error));
                rejected.diagnostics
            }
        };
        for finding in findings {
            assert!(finding.help.is_some(), "{finding:?}");
            assert!(!finding.message.chars().any(char::is_control), "{finding:?}");
            if let Some(span) = finding.span {
                assert!(text.get(span.bytes.0 as usize..span.bytes.1 as usize).is_some());
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_500))]

        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            finishes(&String::from_utf8_lossy(&bytes));
        }

        /// The example with pieces cut out, repeated and put in.
        #[test]
        fn mutated_files_never_panic(
            edits in prop::collection::vec(
                (any::<prop::sample::Index>(), 0..12usize, prop::sample::select(vec![
                    "", "\t", "{", "}", "[", "]", ":", "\n", "- ", "*a", "&a ", "\"", "'", "null", "1",
                    "!x ", "<<: *a", "\u{202e}", "é", "\u{0}", "%", "#", "|", "> ", "@", "team/", "none",
                    "---\n", "  ", "until: 2027-01-01", "\u{feff}",
                ])),
                1..6,
            ),
        ) {
            let mut text = everything().to_owned();
            for (at, cut, put) in edits {
                let chars: Vec<_> = text.chars().collect();
                let at = at.index(chars.len() + 1);
                let after = chars.len().min(at + cut);
                text = chars[..at].iter().chain(put.chars().collect::<Vec<_>>().iter())
                    .chain(&chars[after..]).collect();
            }
            finishes(&text);
        }

        /// Lines of the example in any order, any number of times.
        #[test]
        fn shuffled_lines_never_panic(picks in prop::collection::vec(any::<prop::sample::Index>(), 0..60)) {
            let lines: Vec<_> = everything().lines().collect();
            let text: Vec<_> = picks.iter().map(|pick| lines[pick.index(lines.len())]).collect();
            finishes(&text.join("\n"));
        }
    }
}

#[test]
fn a_saved_plan_is_told_from_files_once() {
    let plan = "{\"format_version\": 1, \"charter_version\": \"1\", \"steps\": [], \"members\": 3}";
    assert_eq!(rejected(&[("plan.json", plan)]), ["config/saved-plan plan.json:1:1"]);
}

#[test]
fn of_two_workspaces_with_one_name_the_later_is_wrong() {
    for (one, two) in [("A", "Z"), ("Z", "A")] {
        let text =
            format!("version: 1\nworkspaces:\n  {one}: {{name: Same}}\n  {two}: {{name: Same}}\n");
        let rejected = load_sources(sources(&[("charter.yaml", &text)])).unwrap_err();
        let finding = &rejected.diagnostics[0];
        assert_eq!(
            codes(std::slice::from_ref(finding)),
            ["config/duplicate-name charter.yaml:4:13"]
        );
        assert!(finding.message.starts_with(&format!("`{two}` and `{one}` both")), "{finding:?}");
    }
}

#[test]
fn of_forty_thousand_findings_some_hundred_are_kept_and_all_are_counted() {
    let wrong = |count: usize| {
        let mut text = String::from("version: 1\nmembers:\n");
        for n in 0..count {
            writeln!(text, "  person-{n}@acme.com: usr").unwrap();
        }
        load_sources(sources(&[("charter.yaml", &text)])).unwrap_err().diagnostics
    };
    let start = std::time::Instant::now();
    let found = wrong(40_000);
    assert_eq!(found.len(), diagnostic::MAX_KEPT + 1);
    assert_eq!(found[0].span.as_ref().unwrap().line, 3);
    let last = &found[diagnostic::MAX_KEPT];
    assert_eq!(last.message, "39700 more findings are not listed");
    assert!(last.is_error() && last.span.is_some());
    assert!(start.elapsed() < std::time::Duration::from_secs(20));
    assert_eq!(wrong(301)[300].message, "1 more finding is not listed");
    assert_eq!(wrong(300).len(), 300);
}

#[test]
fn keys_that_stand_twice_are_counted_too() {
    let mut text = String::from("version: 1\nmembers:\n");
    for _ in 0..5_000 {
        text += "  ada@acme.com: user\n";
    }
    let found = load_sources(sources(&[("charter.yaml", &text)])).unwrap_err().diagnostics;
    assert_eq!(found.len(), diagnostic::MAX_KEPT + 1);
}

#[test]
fn a_base_with_what_is_newly_refused_reads_as_before_with_warnings() {
    let text = "\
version: 1
members: {“kim@acme.com”: user,
mailto:joe@acme.com: user, max@acme: {role: user, until: 0026-12-31}}
workspaces: {\"Ops\u{3164}\": {}}
manage:
  ignore: [{members: \"**@vendor.com\", reason: support}]
files: {\"teams**.yaml\": {members: false}}
";
    let folder = folder(&[("charter.yaml", text)]);
    let own = load_for(folder.path(), Side::Own, &Environment::default()).unwrap_err().diagnostics;
    assert!(own.iter().filter(|one| one.is_error()).count() >= 8, "{own:#?}");
    let base = load_for(folder.path(), Side::Base, &Environment::default()).unwrap();
    assert!(!base.warnings.iter().any(Diagnostic::is_error));
    let Document { members, workspaces, manage, files, .. } = base.document;
    assert_eq!(members.unwrap().len(), 3);
    assert_eq!(workspaces.unwrap().len(), 1);
    assert_eq!(manage.ignore.len(), 1);
    assert_eq!(files.unwrap().len(), 1);
}

#[test]
fn a_base_with_thousands_of_newly_refused_texts_still_reads() {
    let mut text = String::from("version: 1\nmembers:\n");
    for n in 0..3_000 {
        writeln!(text, "  \u{201c}p{n}@acme.com\u{201d}: user").unwrap();
    }
    let folder = folder(&[("charter.yaml", &text)]);
    let base = load_for(folder.path(), Side::Base, &Environment::default()).unwrap();
    assert_eq!(base.warnings.len(), diagnostic::MAX_KEPT + 1);
    assert!(load_for(folder.path(), Side::Own, &Environment::default()).is_err());
}

#[test]
fn a_grant_for_a_bare_name_is_told_the_team_or_the_person_that_another_file_lists() {
    let files = [
        ("charter.yaml", "version: 1\nmembers: {ada@acme.com: admin, bea@acme.com: user}\n"),
        (
            "a.yaml",
            "workspaces:\n  P:\n    members:\n      data: workspace_user\n      ada: workspace_user\n      \
             team:data: workspace_user\n      datta: workspace_user\n      nobody: workspace_user\n",
        ),
        ("teams.yaml", "teams: {data: [ada@acme.com]}\n"),
    ];
    let found = load_sources(sources(&files)).unwrap_err().diagnostics;
    let helps: Vec<_> = found.iter().map(|one| one.help.as_deref().unwrap()).collect();
    assert!(found.iter().all(|one| one.code == "config/bad-email"), "{found:#?}");
    assert_eq!(
        helps,
        [
            "did you mean `team/data`?",
            "did you mean `ada@acme.com`?",
            "did you mean `team/data`?",
            "did you mean `team/data`?",
            "write a whole address, as in `ada@acme.com`, or `team/NAME`",
        ]
    );
    assert_eq!(found[0].message, "`data` is neither an e-mail address nor `team/NAME`");
}

#[test]
fn names_and_domains_that_look_alike_are_warned_of() {
    let text = "\
version: 1
members:
  kim@\u{430}cme.com: user
  joe@\u{430}\u{441}\u{435}.com: user
  ünal@bücher.example: user
workspaces:
  P: {}
  p: {}
  \"P \": {}
  \"⚙\u{fe0f} Platform\": {}
  Pr\u{43e}d: {}
";
    let loaded = load_sources(sources(&[("charter.yaml", text)])).unwrap();
    let mut messages: Vec<_> = loaded.warnings.iter().map(|one| one.message.as_str()).collect();
    messages.sort_unstable();
    assert_eq!(
        messages,
        [
            "`Pr\u{43e}d` mixes Latin and Cyrillic letters in one word",
            "`kim@\u{430}cme.com` mixes Cyrillic and Latin letters in one word; its domain is `xn--cme-5cd.com`",
            "the domain of `joe@\u{430}\u{441}\u{435}.com` only looks like Latin letters; it is `xn--80ak9a.com`",
            "the workspaces `\"P \"` and `P` differ only in blanks or case",
            "the workspaces `p` and `P` differ only in blanks or case",
        ]
    );
}

#[test]
fn years_that_no_date_can_mean_are_errors_and_the_far_end_is_not() {
    let with = |date: &str| {
        let text =
            format!("version: 1\nmembers: {{ada@acme.com: {{role: user, until: {date}}}}}\n");
        load_sources(sources(&[("charter.yaml", &text)]))
    };
    for date in ["0026-12-31", "2206-01-01", "2019-12-31", "2101-01-01", "9999-12-31", "0001-01-01"]
    {
        let found = with(date).unwrap_err().diagnostics;
        assert_eq!(found[0].code, "config/bad-date", "{date}");
    }
    let typo = with("0026-12-31").unwrap_err().diagnostics;
    assert_eq!(
        typo[0].help.as_deref(),
        Some("did you mean `2026-12-31`? remove the line for access without an end")
    );
    for date in ["2020-01-01", "2099-12-31", "2100-12-31"] {
        assert!(with(date).is_ok(), "{date}");
    }
}

#[test]
fn dates_that_a_program_has_rewritten_are_named_once() {
    let mut text = String::from("version: 1\nmembers:\n");
    for n in 0..50 {
        writeln!(text, "  p{n}@acme.com: {{role: user, until: 2027-03-31T00:00:00Z}}").unwrap();
    }
    let found = load_sources(sources(&[("charter.yaml", &text)])).unwrap_err().diagnostics;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(
        found[0].message,
        "`2027-03-31T00:00:00Z` holds a time, and `until` is a date; so do 49 other dates of this file"
    );
    let null = load_sources(sources(&[(
        "charter.yaml",
        "version: 1\nmembers: {ada@acme.com: {role: user, until: null}}\n",
    )]));
    assert_eq!(
        null.unwrap_err().diagnostics[0].message,
        "`until` is `null`, which could mean none or not managed"
    );
}

#[test]
fn a_missing_or_odd_space_after_a_colon_is_told_in_a_single_line() {
    let said = |text: &str| {
        let found = load_sources(sources(&[("charter.yaml", text)])).unwrap_err().diagnostics;
        (found[0].message.clone(), found[0].help.clone().unwrap())
    };
    let (_, help) = said("version: 1\nmembers:\n  ada@acme.com:admin\n");
    assert_eq!(help, "put a space after the `:`, as in `ada@acme.com: …`");
    let (message, help) = said("version: 1\nmembers:\n  ada@acme.com:\u{a0}admin\n");
    assert_eq!(help, "replace `U+00A0` after the `:` by a space");
    assert!(message.contains("<U+00A0>"), "{message}");
    let (message, _) = said("version: 1\nmembers:\n  ada@acme.com: admin\u{a0}\n");
    assert!(message.contains("U+00A0"), "{message}");
    let (message, _) = said("version: 1\n: x\n");
    assert_eq!(message, "a key of a charter file is empty");
}

#[test]
fn what_is_an_error_only_since_this_version_does_not_stop_the_reading_of_a_base() {
    let of = |finding: Diagnostic, side| {
        assemble(Vec::new(), false, vec![finding], Others::default(), side)
    };
    let new = || Diagnostic::error("test/new", "new").recent();
    assert!(of(new(), Side::Own).is_err());
    let base = of(new(), Side::Base).unwrap();
    assert_eq!(codes(&base.warnings), ["test/new"]);
    assert!(!base.warnings[0].is_error());
    assert!(of(Diagnostic::error("test/old", "old"), Side::Base).is_err());
}
