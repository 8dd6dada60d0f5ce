//! The files of `deploy/` and `action.yml` themselves: what they promise is held to what they say.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use serde_json::Value;

use crate::stage::{action, gitlab_file, root, yaml};

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The workflows of `deploy/github`, by name.
fn workflows() -> BTreeMap<String, Value> {
    let files = fs::read_dir(root().join("deploy/github")).unwrap();
    let files = files.map(|entry| entry.unwrap().path());
    files
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, yaml(&fs::read_to_string(path).unwrap()))
        })
        .collect()
}

/// Every mapping in a value that has this key, with what is there.
fn all<'v>(value: &'v Value, key: &str, found: &mut Vec<(&'v Value, &'v Value)>) {
    match value {
        Value::Object(map) => {
            if let Some(here) = map.get(key) {
                found.push((value, here));
            }
            map.values().for_each(|inner| all(inner, key, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| all(inner, key, found)),
        _ => {}
    }
}

fn with<'v>(value: &'v Value, key: &str) -> Vec<(&'v Value, &'v Value)> {
    let mut found = Vec::new();
    all(value, key, &mut found);
    found
}

#[test]
fn every_document_parses() {
    let mut number = 0;
    let mut folders = vec![root().join("deploy")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "yml" || end == "yaml") {
                for document in fs::read_to_string(&path).unwrap().split("\n---\n") {
                    assert!(yaml(document).is_object(), "{}", path.display());
                    number += 1;
                }
            }
        }
    }
    assert_eq!(number, 14, "4 workflows, 2 for GitLab, 6 for Kubernetes, 2 with alerts");
}

#[test]
fn no_shell_holds_an_expression() {
    let mut shells = 0;
    for (name, file) in workflows().into_iter().chain([("action".to_owned(), action())]) {
        for (_, run) in with(&file, "run") {
            assert!(!run.as_str().unwrap().contains("${{"), "{name}: {run}");
            shells += 1;
        }
    }
    assert_eq!(shells, 7, "6 steps of the action, 1 of a workflow");
}

#[test]
fn what_others_wrote_is_pinned_by_commit() {
    let mut used = 0;
    for (name, file) in workflows() {
        for (_, uses) in with(&file, "uses") {
            let (_, commit) = uses.as_str().unwrap().split_once('@').unwrap();
            let digits = commit.chars().all(|digit| digit.is_ascii_hexdigit());
            assert!(commit.len() == 40 && digits, "{name}: {uses}");
            used += 1;
        }
    }
    assert!(used > 7, "{used}");
    assert_eq!(with(&action(), "uses").len(), 0);
}

#[test]
fn only_protected_jobs_of_the_default_branch_get_an_identity() {
    for (name, file) in workflows() {
        assert_eq!(
            file["permissions"],
            serde_json::json!({}),
            "{name}: a job asks for what it needs"
        );
        let live = file["jobs"].as_object().unwrap().values().filter(|job| {
            with(job, "mode")
                .iter()
                .any(|(_, mode)| ["plan", "apply", "drift"].contains(&mode.as_str().unwrap()))
        });
        let live: Vec<&Value> = live.collect();
        let with_identity = with(&file, "id-token").len();
        assert_eq!(live.len(), with_identity, "{name}");
        for job in live {
            assert_eq!(job["environment"], "charter-live", "{name}");
            let guarded = |job: &Value| {
                job["if"]
                    .as_str()
                    .is_some_and(|when| when.contains("github.ref == 'refs/heads/main'"))
            };
            assert!(guarded(job) || guarded(&file["jobs"]["plan"]), "{name}");
        }
        let events = file["on"].as_object().unwrap();
        assert!(
            !events.contains_key("pull_request"),
            "{name}: its workflow comes from the pull request"
        );
        if events.contains_key("pull_request_target") {
            let others = events.keys().filter(|event| *event != "pull_request_target");
            assert_eq!(others.collect::<Vec<_>>(), ["merge_group"], "{name}");
            assert_eq!((with_identity, with(&file, "environment").len()), (0, 0), "{name}");
            assert!(!serde_json::to_string(&file).unwrap().contains("secrets."), "{name}");
        }
    }
}

#[test]
fn two_applies_never_run_at_once() {
    for (workflow, job, other) in [
        ("charter-apply", "apply", "charter-drift.yml:drift"),
        ("charter-drift", "drift", "charter-apply.yml:apply"),
    ] {
        let job = &workflows()[workflow]["jobs"][job];
        // A group of its own, since GitHub drops all but one waiting job of a group, and each asks for the other.
        assert_eq!(
            job["concurrency"],
            serde_json::json!({"group": workflow, "cancel-in-progress": false})
        );
        assert_eq!(job["permissions"]["actions"], "read", "{workflow}");
        let exclusive = with(job, "exclusive-with");
        assert_eq!(exclusive.iter().map(|(_, other)| *other).collect::<Vec<_>>(), [other]);
        let (file, job) = other.split_once(".yml:").unwrap();
        assert!(workflows()[file]["jobs"][job].is_object(), "{other}");
    }
    let gitlab = gitlab_file(&text("deploy/gitlab-ci.yml"));
    assert_eq!(gitlab["apply"]["resource_group"], gitlab["drift"]["resource_group"]);
    assert!(gitlab["apply"]["resource_group"].is_string());
}

#[test]
fn a_journal_is_kept_however_the_job_ends() {
    for (workflow, job) in [("charter-apply", "apply"), ("charter-drift", "drift")] {
        let job = &workflows()[workflow]["jobs"][job];
        let steps = job["steps"].as_array().unwrap();
        let upload = steps.last().unwrap();
        assert!(upload["uses"].as_str().unwrap().starts_with("actions/upload-artifact@"));
        let when = upload["if"].as_str().unwrap();
        assert!(when.contains("always() && steps.charter.outputs.journal != ''"), "{when}");
        assert_eq!(upload["with"]["name"], "journal-${{ github.run_attempt }}");
        // What the script may take, with what it may wait, is below the time limit of the job.
        let limit = &with(job, "time-limit")[0].1;
        let waits = if workflow == "charter-apply" { 7200 } else { 0 };
        assert!(
            limit.as_u64().unwrap() + waits + 600 < job["timeout-minutes"].as_u64().unwrap() * 60
        );
    }
    let gitlab = gitlab_file(&text("deploy/gitlab-ci.yml"));
    for (job, hours) in [("apply", 6), ("drift", 2)] {
        assert_eq!(gitlab[job]["timeout"], format!("{hours} hours"));
        let script = gitlab[job]["script"].to_string();
        let (_, limit) = script.split_once("CHARTER_TIME_LIMIT=").unwrap();
        let limit: u64 = limit.split('"').next().unwrap().parse().unwrap();
        assert!(limit + 600 < hours * 3600, "{job}");
        assert_eq!(gitlab[job]["artifacts"]["when"], "always");
        assert!(gitlab[job]["artifacts"]["paths"].to_string().contains("journal-*.jsonl"), "{job}");
    }
}

#[test]
fn the_workflows_give_the_action_what_it_takes() {
    let action = action();
    let inputs = action["inputs"].as_object().unwrap();
    let outputs = action["outputs"].as_object().unwrap();
    for (name, file) in workflows() {
        for (step, uses) in with(&file, "uses") {
            if !uses.as_str().unwrap().starts_with("acme/orgcharter@") {
                continue;
            }
            let given = step["with"].as_object().unwrap();
            for input in given.keys() {
                assert!(inputs.contains_key(input), "{name}: the action has no input `{input}`");
            }
            for (input, what) in inputs {
                let required = what["required"] == true;
                assert!(!required || given.contains_key(input), "{name}: `{input}` is required");
                assert!(required || what["default"].is_string(), "`{input}` has no default");
            }
        }
        for part in serde_json::to_string(&file).unwrap().split("steps.charter.outputs.").skip(1) {
            let of_name = |letter: &char| {
                letter.is_ascii_lowercase() || letter.is_ascii_digit() || *letter == '-'
            };
            let output: String = part.chars().take_while(of_name).collect();
            assert!(outputs.contains_key(&output), "{name}: the action has no output `{output}`");
        }
    }
}

/// The first cells of the table under a heading of `docs/ci.md`.
fn documented(heading: &str) -> BTreeSet<String> {
    let docs = text("docs/ci.md");
    let (_, section) = docs.split_once(&format!("\n### {heading}\n")).unwrap();
    let section = section.split("\n#").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| row.split('`').next().unwrap().to_owned()).collect()
}

#[test]
fn every_input_and_output_is_documented_and_no_other() {
    let names = |section: &str| {
        action()[section].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>()
    };
    assert_eq!(documented("Inputs"), names("inputs"));
    assert_eq!(documented("Outputs"), names("outputs"));
}

#[test]
fn every_variable_of_the_scripts_is_documented_and_no_other() {
    let mut used = BTreeSet::new();
    for entry in fs::read_dir(root().join("deploy/ci")).unwrap() {
        let script = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(script.starts_with("#!/usr/bin/env bash\n"));
        assert!(script.contains("set -euo pipefail\n"));
        for part in script.split("CHARTER_").skip(1) {
            let name: String = part
                .chars()
                .take_while(|letter| {
                    letter.is_ascii_uppercase() || *letter == '_' || letter.is_ascii_digit()
                })
                .collect();
            used.insert(format!("CHARTER_{name}"));
        }
    }
    // For tests alone.
    assert!(used.remove("CHARTER_RENEW_SECONDS") && used.remove("CHARTER_POLL_SECONDS"));
    assert_eq!(documented("Variables of the scripts"), used);
}

#[test]
fn the_cron_job_is_confined() {
    let manifest = text("deploy/kubernetes/cronjob.yaml");
    let job = yaml(manifest.split("\n---\n").last().unwrap());
    let spec = &job["spec"];
    assert_eq!(spec["concurrencyPolicy"], "Forbid");
    assert!(spec["startingDeadlineSeconds"].is_u64());
    let run = &spec["jobTemplate"]["spec"];
    // How ends are judged, and what the deadlines must be, `.ci/kubernetes` checks.
    assert_eq!(run["backoffLimit"], 1);
    let pod = &run["template"]["spec"];
    assert!(pod["activeDeadlineSeconds"].as_u64() < run["activeDeadlineSeconds"].as_u64());
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert_eq!(pod["restartPolicy"], "Never");
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    let containers: Vec<&Value> = ["initContainers", "containers"]
        .iter()
        .flat_map(|name| pod[*name].as_array().unwrap())
        .collect();
    assert_eq!(containers.len(), 3);
    for container in containers {
        let context = &container["securityContext"];
        assert_eq!(context["allowPrivilegeEscalation"], false, "{container}");
        assert_eq!(context["readOnlyRootFilesystem"], true, "{container}");
        assert_eq!(context["capabilities"]["drop"], serde_json::json!(["ALL"]), "{container}");
        assert!(container["resources"]["limits"]["memory"].is_string(), "{container}");
        assert!(container["image"].as_str().unwrap().contains("@sha256:"), "{container}");
        let script = container["command"][1].as_str().unwrap();
        let script =
            PathBuf::from("deploy/ci").join(script.strip_prefix("/opt/charter/ci/").unwrap());
        assert!(root().join(script).is_file(), "{container}");
    }
    let token = &pod["volumes"][2]["projected"]["sources"][0]["serviceAccountToken"];
    assert_eq!(token["audience"], "https://api.anthropic.com");
}

#[test]
fn the_review_of_a_merge_request_has_no_identity_and_the_other_jobs_are_of_the_default_branch() {
    let gitlab = gitlab_file(&text("deploy/gitlab-ci.yml"));
    assert_eq!(gitlab["variables"]["GIT_STRATEGY"], "none");
    for (name, job) in gitlab.as_object().unwrap() {
        if job["script"].is_null() {
            continue;
        }
        let when = job["rules"][0]["if"].as_str().unwrap();
        if name == "review" {
            assert!(job["id_tokens"].is_null() && job["environment"].is_null());
            assert!(when.contains("merge_request_event"));
            continue;
        }
        assert!(when.contains("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"), "{name}");
        assert_eq!(job["environment"]["name"], "charter-live", "{name}");
        assert_eq!(
            job["id_tokens"]["ANTHROPIC_IDENTITY_TOKEN"]["aud"], "https://api.anthropic.com",
            "{name}"
        );
    }
}
