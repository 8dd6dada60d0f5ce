//! What reviews and pipelines read: annotations on the lines of real files, the summary of a step, reports, and
//! results that name nobody.
//!
//! Invariant: what a format says is taken apart by another reader than the one that wrote it.

use std::path::Path;

use serde_json::Value;

use crate::{
    repository::flowing,
    support::{FILE, ID, Run, SEED, Served, Story, read},
};

/// A key for pseudonyms.
const REDACT: (&str, &str) = ("CHARTER_REDACT_KEY", "0123456789abcdef0123456789abcdef");

/// File, line, column and message of each annotation.
fn annotations(text: &str) -> Vec<(String, usize, usize, String)> {
    text.lines()
        .map(|line| {
            let (head, message) = line.trim_start_matches(':').split_once("::").unwrap();
            let property = |name: &str| {
                let (_, properties) = head.split_once(' ').unwrap();
                let mut pairs = properties.split(',').map(|pair| pair.split_once('=').unwrap());
                pairs.find(|(key, _)| *key == name).map(|(_, value)| value).unwrap_or_default()
            };
            let number = |name: &str| property(name).parse().unwrap_or(0);
            (property("file").to_owned(), number("line"), number("col"), message.to_owned())
        })
        .collect()
}

/// What stands at a line and column of a file, from there on.
fn at(path: &Path, line: usize, column: usize) -> String {
    let text = read(path);
    let line = text.lines().nth(line - 1).unwrap_or_default();
    line.chars().skip(column - 1).collect()
}

fn sarif_schema() -> jsonschema::Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/sarif-2.1.0.json");
    let mut schema: Value = serde_json::from_str(&read(&path)).unwrap();
    // One pattern of the published schema is no regular expression; no report here has that property.
    for of in ["run", "toolComponent"] {
        let language = schema.pointer_mut(&format!("/definitions/{of}/properties/language"));
        language.unwrap().as_object_mut().unwrap().remove("pattern").unwrap();
    }
    jsonschema::validator_for(&schema).unwrap()
}

#[test]
fn annotations_point_at_the_lines_that_ask_for_the_steps() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    std::fs::create_dir(story.path("access")).unwrap();
    let files = format!("version: 1\norganization: {{id: {ID}}}\nmanage: {{members: remove}}\n");
    story.write("access/charter.yaml", &files);
    story.write(
        "access/people.yaml",
        "# who\nmembers:\n  ada@acme.com: admin\n\n  cy@acme.com: developer\n",
    );
    let root = story.folder.path().canonicalize().unwrap();
    let story = story.env("GITHUB_WORKSPACE", root.to_str().unwrap());
    let run = story.run(&["plan", "access", "--format", "github"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let found = annotations(&run.stdout);
    let about = |whom: &str| {
        // Not the warning that asks whether the two are one.
        let of = |found: &&(String, usize, usize, String)| {
            found.3.contains(whom) && !found.3.contains("same grants")
        };
        found.iter().find(of).unwrap_or_else(|| panic!("{whom}: {run:?}"))
    };
    let (file, line, column, message) = about("cy@acme.com");
    assert_eq!((&**file, *line), ("access/people.yaml", 5), "{message}");
    assert!(at(&story.path(file), *line, *column).starts_with("cy@acme.com"));
    // Nobody lists bob: the rule that takes him away is shown.
    let (file, line, column, message) = about("bob@acme.com");
    assert_eq!((&**file, *line), ("access/charter.yaml", 3), "{message}");
    assert!(at(&story.path(file), *line, *column).contains("remove"), "{message}");
}

#[test]
fn every_wrong_file_is_annotated_and_reported_where_it_is_wrong() {
    let validator = sarif_schema();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/broken");
    let mut regions = 0;
    for entry in std::fs::read_dir(&examples).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "yaml") {
            continue;
        }
        let story = Story::new();
        let name = path.file_name().unwrap().to_str().unwrap();
        std::fs::copy(&path, story.path(name)).unwrap();
        let run = story.run(&["validate", name, "--format", "sarif"]);
        assert_eq!(run.code, Some(3), "{name}: {run:?}");
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        let faults: Vec<String> =
            validator.iter_errors(&report).map(|error| error.to_string()).collect();
        assert_eq!(faults, Vec::<String>::new(), "{name}");
        let results = report["runs"][0]["results"].as_array().unwrap().clone();
        let run = story.run(&["validate", name, "--format", "github", "--all"]);
        let found = annotations(&run.stdout);
        // The platform shows so many of a level, and the last annotation counts the others.
        let most = 100;
        let counted = usize::from(results.len() > most);
        assert_eq!(found.len(), results.len().min(most) + counted, "{name}");
        for ((file, line, column, _), result) in found.iter().zip(&results).take(most) {
            let place = &result["locations"][0]["physicalLocation"];
            if place.is_null() {
                continue;
            }
            let region = &place["region"];
            regions += 1;
            assert_eq!(place["artifactLocation"]["uri"], Value::from(file.as_str()));
            assert_eq!(region["startLine"], Value::from(*line));
            assert_eq!(region["startColumn"], Value::from(*column));
            // The same place that people are shown.
            let shown = format!("{file}:{line}:{column}");
            assert!(run.stderr.contains(&shown), "{name}: {shown} is not in {}", run.stderr);
        }
    }
    assert!(regions > 50, "{regions}");
}

#[test]
fn the_summary_of_a_step_is_added_to_what_stands_there() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    story.write("summary.md", "before\n");
    let summary = story.path("summary.md");
    let story = story.env("GITHUB_STEP_SUMMARY", summary.to_str().unwrap());
    let run = story.run(&["plan", "--format", "github"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let text = read(&summary);
    assert!(text.starts_with("before\n<!-- charter:plan -->\n### charter plan: "), "{text}");
    assert!(text.contains("+ invite cy@acme.com: as user  [charter.yaml:6]"), "{text}");
    // What is not for the pipeline leaves it alone.
    story.run(&["plan", "--format", "markdown"]);
    assert_eq!(read(&summary), text);
}

#[test]
fn what_drifts_is_a_failing_test_and_what_does_not_is_none() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    let run = story.run(&["drift", "--format", "junit"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    let report = roxmltree::Document::parse(&run.stdout).unwrap();
    let failing: Vec<&str> = report
        .descendants()
        .filter(|node| node.has_tag_name("failure"))
        .filter_map(|node| node.parent_element()?.attribute("name"))
        .collect();
    assert_eq!(failing, ["bob@acme.com", "cy@acme.com"]);
    // The sum agrees with the cases, and with the exit code.
    assert_eq!(report.root_element().attribute("failures"), Some("2"));
    let deferred = story.run(&["drift", "--format", "junit", "--fail-on", "deferred"]);
    assert_eq!(deferred.code, Some(0), "{deferred:?}");
    let report = roxmltree::Document::parse(&deferred.stdout).unwrap();
    assert_eq!(report.root_element().attribute("failures"), Some("0"));
    assert_eq!(report.root_element().attribute("skipped"), Some("2"));
}

#[test]
fn a_redacted_result_names_nobody_whatever_the_command_and_format() {
    let served = Served::start(SEED);
    let file = format!(
        "{FILE}  dan@contractor.io: {{role: user, until: 2020-01-31, note: Dan from Initech}}\n\
         workspaces:\n  Skunkworks:\n    tags: {{owner: bob}}\n    members: {{bob@acme.com: workspace_admin, dan@contractor.io: workspace_user}}\n    api_keys: {{night-train: active}}\n\
         policy:\n  contractors: {{people: [\"*@contractor.io\"], days: 30, severity: warning}}\n  admins: {{least: 9, severity: warning}}\n  rules:\n    no-bobby-secretson:\n      for_each: people\n      check: person.email != \"bob@acme.com\"\n      message: Bobby is fired\n      severity: warning\n  exceptions:\n    - {{rule: contractors, of: dan@contractor.io, reason: Tessa agreed}}\n\
         tests:\n  tessa can build:\n    {{person: cy@acme.com, severity: warning, must: [{{workspace: SecretProject}}]}}\n\
         manage:\n  ignore: [{{workspaces: \"*zebra*\", reason: nobody knows}}]\n"
    );
    let story = Story::with(&file).to(&served.url()).env(REDACT.0, REDACT.1);
    story.write(".old.yaml", FILE);
    let commands: [(&[&str], &[&str]); 4] = [
        (&["plan", "-v"], &["text", "json", "markdown", "github", "sarif"]),
        (&["drift"], &["text", "json", "markdown", "github", "sarif", "junit"]),
        (&["diff", ".old.yaml", "charter.yaml"], &["text", "json", "markdown", "github", "sarif"]),
        (&["validate"], &["text", "json", "markdown", "github", "sarif"]),
    ];
    let originals = [
        "acme.com",
        "contractor.io",
        "Acme",
        "\"bob\"",
        " bob",
        "Skunkworks",
        "night-train",
        "Initech",
        "bobby",
        "Bobby",
        "secretson",
        "tessa",
        "Tessa",
        "SecretProject",
        "zebra",
        "nobody knows",
    ];
    for (command, formats) in commands {
        for format in formats {
            let args = [command, &["--redact", "--format", format]].concat();
            let Run { code, stdout, stderr } = story.run(&args);
            assert!(matches!(code, Some(0 | 2)), "{args:?}: {stderr}");
            for original in originals {
                assert!(!stdout.contains(original), "{args:?}: {original} is in\n{stdout}");
                assert!(!stderr.contains(original), "{args:?}: {original} is in\n{stderr}");
            }
            if command[0] != "validate" {
                assert!(stdout.contains("@redacted.invalid"), "{args:?}: {stdout}");
            }
        }
    }
}

#[test]
fn files_that_are_wrong_name_nobody_either() {
    let file = format!("{FILE}  dan@contractor.io: emperor\n");
    let story = Story::with(&file).env(REDACT.0, REDACT.1);
    for format in ["text", "json", "markdown", "github", "sarif"] {
        let run = story.run(&["validate", "--redact", "--format", format]);
        assert_eq!(run.code, Some(3), "{run:?}");
        for original in ["dan", "contractor", "emperor"] {
            assert!(!run.stdout.contains(original) && !run.stderr.contains(original), "{run:?}");
        }
        assert!(
            run.stderr.contains("config/unknown-role") && run.stderr.contains(":7:"),
            "{run:?}"
        );
    }
}

#[test]
fn a_base_that_is_wrong_is_told_and_names_nobody() {
    let story = Story::new().env(REDACT.0, REDACT.1);
    // A path may name somebody too.
    let old = "  dan@contractor.io: {role: emperor, note: Dan}\n";
    story.write("dan@contractor.io.yaml", &format!("{FILE}{old}"));
    for format in ["text", "json", "markdown", "github", "sarif"] {
        let args =
            ["diff", "dan@contractor.io.yaml", "charter.yaml", "--redact", "--format", format];
        let run = story.run(&args);
        assert_eq!(run.code, Some(3), "{run:?}");
        for original in ["dan", "Dan", "contractor", "emperor"] {
            assert!(!run.stdout.contains(original) && !run.stderr.contains(original), "{run:?}");
        }
        let said = flowing(&run.stderr);
        for part in [
            "error[base/broken]: the files of the base `person-",
            "are wrong, so nothing can be held against them",
            "help: mend the base in a change of its own",
            "error[config/unknown-role]: hidden by `--redact`",
            "@redacted.invalid:7:",
            "help: run without `--redact` where names may be seen",
        ] {
            assert!(said.contains(part), "{format}: `{part}` is not in {said}");
        }
        if !["text", "json"].contains(&format) {
            assert!(run.stdout.contains("base/broken"), "{run:?}");
            assert!(run.stdout.contains("mend the base in a change of its own"), "{run:?}");
        }
    }
}

#[test]
fn without_a_key_nothing_is_redacted_and_nothing_is_shown() {
    let story = Story::new();
    let (error, help) = story.run(&["validate", "--redact"]).one_message(3);
    assert_eq!(error, "`--redact` needs a key in `CHARTER_REDACT_KEY`, and it is not set");
    assert!(help.contains("openssl rand -hex 32"), "{help}");
    let story = story.env(REDACT.0, "too short");
    let (error, _) = story.run(&["plan", "--redact"]).one_message(3);
    assert!(error.contains("has 9 bytes, and needs 16"), "{error}");
}

#[test]
fn a_redacted_plan_is_not_applied_to_people_who_do_not_exist() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url()).env(REDACT.0, REDACT.1);
    let run = story.run(&["plan", "--redact", "--format", "json"]);
    story.write("plan.json", &run.stdout);
    let run = story.run(&["apply", "plan.json", "--yes"]);
    assert_ne!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.contains("`--redact`"), "{run:?}");
    assert_eq!(served.calls(), Vec::<String>::new());
    // What is saved for apply is whole, whatever is shown.
    let run = story.run(&["plan", "--redact", "--out", "whole.json"]);
    assert!(!run.stdout.contains("acme.com"), "{run:?}");
    assert_eq!(story.run(&["apply", "whole.json", "--yes"]).code, Some(0));
}

#[test]
fn a_command_offers_the_formats_that_make_sense_for_it() {
    let run = Story::new().run(&["plan", "--format", "junit"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stderr.contains("text, json, markdown, github, sarif"), "{run:?}");
}
