//! Reports as the services that read them judge them: code scanning's required fields, and test cases that a report
//! reader tells apart by class and name.
//!
//! Invariant: each rule is the consumer's, written down here, and not what charter happens to print.

use std::{collections::BTreeSet, path::Path};

use serde_json::Value;

use crate::{
    repository::{LIVE, repository},
    support::{FILE, Run, SEED, Served, Story, nobody},
};

/// What GitHub's code scanning refuses or does not show: a result without location, a location that is no path in the
/// repository, text that is not there. A result whose line is not known has no region.
#[track_caller]
fn accepted_by_code_scanning(report: &Value, about: &str) {
    let text = |value: &Value| value["text"].as_str().unwrap_or_default().to_owned();
    let run = &report["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for rule in rules {
        let id = rule["id"].as_str().unwrap();
        for field in ["shortDescription", "fullDescription", "help"] {
            let words = text(&rule[field]);
            assert!((1..=1024).contains(&words.len()), "{about}: {id} {field}: {words:?}");
        }
    }
    let mut prints = BTreeSet::new();
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(result["ruleId"], rules[index]["id"], "{about}: {result}");
        assert!(!text(&result["message"]).is_empty(), "{about}: {result}");
        let locations = result["locations"].as_array().expect("every result has a location");
        assert_eq!(locations.len(), 1, "{about}: {result}");
        let related = result["relatedLocations"].as_array().into_iter().flatten();
        for location in locations.iter().chain(related) {
            let place = &location["physicalLocation"];
            let uri = place["artifactLocation"]["uri"].as_str().unwrap();
            let inside = !uri.starts_with('/') && !uri.contains(':') && !uri.contains('%');
            assert!(inside || uri.starts_with("file:///"), "{about}: {uri}");
            assert!(!uri.split('/').any(|part| part == ".." || part == "."), "{about}: {uri}");
            assert_eq!(inside, place["artifactLocation"]["uriBaseId"] == "%SRCROOT%", "{uri}");
            if let Some(region) = place.get("region") {
                assert!(region["startLine"].as_u64() >= Some(1), "{about}: {result}");
            }
        }
        let print = result["partialFingerprints"]["charter/v1"].as_str().unwrap();
        assert!(prints.insert(print.to_owned()), "{about}: two results have the print {print}");
    }
}

fn sarif(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"))
}

/// The uris of the results.
fn uris(report: &Value) -> Vec<String> {
    let results = report["runs"][0]["results"].as_array().unwrap();
    let uri = |result: &Value| {
        let location = &result["locations"][0]["physicalLocation"]["artifactLocation"];
        location["uri"].as_str().unwrap().to_owned()
    };
    results.iter().map(uri).collect()
}

#[test]
fn code_scanning_takes_the_findings_of_every_broken_file() {
    let root = env!("CARGO_MANIFEST_DIR");
    let story = Story::new().env("GITHUB_WORKSPACE", root);
    let mut cases = 0;
    for entry in std::fs::read_dir(Path::new(root).join("examples/broken")).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_dir() && path.extension().is_none_or(|ending| ending != "yaml") {
            continue;
        }
        cases += 1;
        let name = path.file_name().unwrap().to_str().unwrap();
        // From elsewhere: the path in the repository is that of the file.
        let run = story.run(&["validate", path.to_str().unwrap(), "--format", "sarif"]);
        assert_eq!(run.code, Some(3), "{name}: {run:?}");
        let report = sarif(&run);
        accepted_by_code_scanning(&report, name);
        for uri in uris(&report) {
            assert!(uri.starts_with(&format!("examples/broken/{name}")), "{name}: {uri}");
        }
    }
    assert!(cases >= 30, "{cases}");
}

#[test]
fn findings_without_a_place_are_at_the_file_that_they_are_about() {
    let story = Story::new();
    std::fs::create_dir_all(story.path("empty")).unwrap();
    for (path, uri) in [("empty", "empty/charter.yaml"), ("lost.yaml", "lost.yaml")] {
        let run = story.run(&["validate", path, "--format", "sarif"]);
        assert_eq!(run.code, Some(3), "{run:?}");
        let report = sarif(&run);
        accepted_by_code_scanning(&report, path);
        assert_eq!(uris(&report), [uri]);
    }
}

#[test]
fn findings_of_the_base_are_at_the_path_in_the_repository_and_name_the_revision() {
    let story = repository();
    story.edit("charter.yaml", "bob@acme.com: {role: user", "bob@acme.com: {role: emperor");
    story.commit("Break it");
    story.edit("charter.yaml", "emperor", "user");
    story.commit("Mend it");
    let served = Served::start(LIVE);
    let story = story.to(&served.url());
    let commands: [&[&str]; 3] = [
        &["plan", ".", "--base-rev", "HEAD^"],
        &["policy", ".", "--base-rev", "HEAD^"],
        &["diff", "HEAD^..HEAD", "--", "."],
    ];
    for command in commands {
        let run = story.run(&[&command[..1], &["--format", "sarif"], &command[1..]].concat());
        assert_eq!(run.code, Some(3), "{run:?}");
        let report = sarif(&run);
        accepted_by_code_scanning(&report, command[0]);
        assert_eq!(uris(&report), ["charter.yaml", "charter.yaml"]);
        let wrong = &report["runs"][0]["results"][1];
        assert_eq!(wrong["ruleId"], "config/unknown-role");
        // The line is one of the other revision.
        assert!(wrong["locations"][0]["physicalLocation"].get("region").is_none(), "{wrong}");
        let message = wrong["message"]["text"].as_str().unwrap();
        assert!(message.ends_with("(at HEAD^:charter.yaml:5:24)"), "{message}");

        let run = story.run(&[&command[..1], &["--format", "github"], &command[1..]].concat());
        let line = run.stdout.lines().find(|line| line.contains("config/unknown-role")).unwrap();
        assert!(line.contains("file=charter.yaml,title="), "{line}");
        assert!(line.ends_with("(at HEAD^:charter.yaml:5:24)"), "{line}");
    }
    // A rule that is no longer there has its place in the base too.
    story.edit("charter.yaml", "guard: {removals: {members: 1}}\n", "");
    story.commit("Drop the guard");
    let run = story.run(&["diff", "HEAD^...HEAD", "--format", "sarif", "--", "."]);
    let report = sarif(&run);
    accepted_by_code_scanning(&report, "diff");
    assert_eq!(uris(&report), ["charter.yaml"], "{run:?}");
}

#[cfg(unix)]
#[test]
fn the_repository_is_found_from_the_file_and_not_from_the_working_directory() {
    let repository = repository();
    repository.edit("charter.yaml", "role: user", "role: emperor");
    let file = repository.folder.path().canonicalize().unwrap().join("charter.yaml");
    let elsewhere = Story::new();
    std::os::unix::fs::symlink(file.parent().unwrap(), elsewhere.path("link")).unwrap();
    for path in [file.to_str().unwrap(), "link", "link/charter.yaml"] {
        let report = sarif(&elsewhere.run(&["validate", path, "--format", "sarif"]));
        accepted_by_code_scanning(&report, path);
        assert_eq!(uris(&report)[0], "charter.yaml", "{path}");
    }
    // Outside of any repository the path is that of the machine.
    let outside = Story::with("version: 1\norganization: {}\nmembers: {ada@acme.com: emperor}\n");
    let path = outside.folder.path().canonicalize().unwrap();
    let report = sarif(&elsewhere.run(&["validate", path.to_str().unwrap(), "--format", "sarif"]));
    accepted_by_code_scanning(&report, "outside");
    assert_eq!(uris(&report)[0], format!("file://{}/charter.yaml", path.display()));
}

/// The report of `drift`, and whether it fails.
#[track_caller]
fn fails(run: &Run) -> bool {
    let report = roxmltree::Document::parse(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    let tagged = |tag: &str| report.descendants().filter(|node| node.has_tag_name(tag)).count();
    let sum = |name: &str| report.root_element().attribute(name).unwrap().parse::<usize>().unwrap();
    let (failures, errors) = (tagged("failure"), tagged("error"));
    assert_eq!((sum("failures"), sum("errors")), (failures, errors), "{run:?}");
    let cases: Vec<_> = report.descendants().filter(|node| node.has_tag_name("testcase")).collect();
    let identities: BTreeSet<_> = cases
        .iter()
        .map(|case| (case.attribute("classname").unwrap(), case.attribute("name").unwrap()))
        .collect();
    assert_eq!(identities.len(), cases.len(), "cases share a name: {run:?}");
    assert_eq!(sum("tests"), cases.len());
    failures + errors > 0
}

#[test]
fn the_test_report_fails_exactly_when_the_command_does_not_exit_with_0() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    // Alone: files beside a root file are parts of it.
    std::fs::rename(story.path("charter.yaml"), story.path("main.yaml")).unwrap();
    story.write("same.yaml", "version: 1\norganization: {}\nmembers: {ada@acme.com: admin}\n");
    story.write("wrong.yaml", "version: 1\nmembers: {ada@acme.com: emperor, bob@acme.com: king}\n");
    story.write("other.yaml", &FILE.replace("3f0c1b1e", "4f0c1b1e"));
    let refused = format!(
        "{FILE}policy: {{admins: {{least: 9}}}}\nmanage: {{members: remove}}\nguard: {{removals: {{members: 0}}}}\n"
    );
    story.write("refused.yaml", &refused);
    let runs: [(&[&str], i32); 8] = [
        (&["same.yaml"], 0),
        (&["main.yaml"], 2),
        (&["main.yaml", "--fail-on", "unmanaged"], 0),
        (&["refused.yaml"], 2),
        (&["wrong.yaml"], 3),
        (&["lost.yaml"], 3),
        (&["main.yaml", "--rev", "nowhere"], 3),
        (&["other.yaml"], 4),
    ];
    for (args, code) in runs {
        let run = story.run(&[&["drift", "--format", "junit"], args].concat());
        assert_eq!(run.code, Some(code), "{run:?}");
        assert_eq!(fails(&run), code != 0, "{args:?}: {run:?}");
    }
    let unreachable = Story::new().to(&nobody());
    let run = unreachable.run(&["drift", "--format", "junit"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(fails(&run) && run.stdout.contains(r#"<error type="drift/failed""#), "{run:?}");
    // No key at all.
    let run = Story::new().run(&["drift", "--format", "junit"]);
    assert!(run.code != Some(0) && fails(&run), "{run:?}");
}

#[test]
fn each_finding_that_stops_drift_is_an_error_of_its_own_and_nothing_passes() {
    let story = Story::with(
        "version: 1\norganization: {}\nmembers:\n  ada@acme.com: emperor\n  bob@acme.com: emperor\n",
    );
    let run = story.run(&["drift", "--format", "junit"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    let report = roxmltree::Document::parse(&run.stdout).unwrap();
    let cases: Vec<_> = report
        .descendants()
        .filter(|node| node.has_tag_name("testcase"))
        .map(|case| {
            let error = case.first_element_child().map(|child| child.tag_name().name());
            (case.attribute("name").unwrap(), case.attribute("line").unwrap(), error)
        })
        .collect();
    assert_eq!(
        cases,
        [
            ("config/unknown-role (charter.yaml:4:17)", "4", Some("error")),
            ("config/unknown-role (charter.yaml:5:17)", "5", Some("error")),
        ]
    );
}

#[test]
fn an_internationalized_address_is_spelled_as_in_the_file_in_every_section() {
    let served = Served::start(&format!(
        "{SEED}  - {{email: kim@xn--mller-kva.example, role: developer, id: user_01kim}}\nworkspaces:\n  - {{name: Prod, id: wrkspc_1, members: {{kim@xn--mller-kva.example: workspace_user}}}}\n"
    ));
    let file = format!(
        "{FILE}  kim@müller.example: user\n  new@müller.example: user\nworkspaces:\n  Prod:\n    members: {{kim@müller.example: workspace_admin, new@müller.example: workspace_user}}\n"
    );
    let story = Story::with(&file).to(&served.url());
    for format in ["text", "markdown", "github", "sarif"] {
        let run = story.run(&["plan", "--format", format]);
        assert_eq!(run.code, Some(0), "{run:?}");
        for text in [&run.stdout, &run.stderr] {
            assert!(!text.contains("@xn--mller-kva.example"), "{format}: {text}");
        }
        assert!(run.stdout.contains("kim@müller.example (xn--mller-kva.example)"), "{run:?}");
    }
    // Programs get the form that is compared.
    let run = story.run(&["plan", "--format", "json"]);
    assert!(run.stdout.contains("kim@xn--mller-kva.example"), "{run:?}");
}
