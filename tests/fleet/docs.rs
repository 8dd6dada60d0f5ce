//! What `docs/fleet.md` and the manifest say holds.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Fleet, One};

const DOCS: &str = include_str!("../../docs/fleet.md");
const MANIFEST: &str = include_str!("../../deploy/kubernetes/fleet-cronjob.yaml");

fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

/// The blocks of YAML in the docs.
fn blocks() -> Vec<Value> {
    let blocks = DOCS.split("```yaml\n").skip(1);
    blocks.map(|rest| yaml(rest.split("```").next().unwrap())).collect()
}

#[test]
fn the_fleet_file_of_the_docs_is_right() {
    let schema = orgcharter::config::schema::fleet_schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&blocks()[0]).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn the_docs_list_every_code_and_no_other() {
    let sources = [
        include_str!("../../src/config/fleet.rs"),
        include_str!("../../src/config/decode/fleet.rs"),
    ];
    let is_code = |part: &&str| {
        part.strip_prefix("fleet/")
            .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))
    };
    let codes: BTreeSet<&str> =
        sources.iter().flat_map(|text| text.split('"')).filter(is_code).collect();
    let listed: BTreeSet<&str> = DOCS
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(code, _)| code)
        .filter(is_code)
        .collect();
    assert_eq!(listed, codes);
}

/// Runs the command of a job once for each of its parts, and asserts that every organization was asked once.
fn covers(parts: impl Iterator<Item = String>) {
    let fleet = Fleet::start((0..12).map(One::plain).collect());
    for part in parts {
        let run = fleet.run(&["drift", "--fleet", "fleet.yaml", "--shard", &part]);
        assert!(matches!(run.code, Some(0 | 2)), "{run:?}");
    }
    for number in 0..12 {
        let log = fleet.sandbox(number).log();
        let asked = log.entries().iter().filter(|entry| entry.target.ends_with("/me")).count();
        assert_eq!(asked, 1, "{number}");
    }
}

#[test]
fn the_jobs_of_the_matrix_are_the_whole_fleet() {
    let job = &blocks()[1]["jobs"]["drift"];
    assert_eq!(job["strategy"]["fail-fast"], false);
    let command = job["steps"].as_array().unwrap().last().unwrap();
    let (_, parts) = command["run"].as_str().unwrap().split_once("--shard \"$SHARD/").unwrap();
    let parts = parts.trim_end_matches('"');
    assert!(!command["run"].as_str().unwrap().contains("${{"), "{command}");
    covers(
        job["strategy"]["matrix"]["shard"]
            .as_array()
            .unwrap()
            .iter()
            .map(|n| format!("{n}/{parts}")),
    );
}

#[test]
fn the_pods_of_the_manifest_are_the_whole_fleet_and_confined() {
    let manifest = yaml(MANIFEST);
    assert_eq!(manifest["spec"]["concurrencyPolicy"], "Forbid");
    let job = &manifest["spec"]["jobTemplate"]["spec"];
    assert_eq!(job["completionMode"], "Indexed");
    assert_eq!(job["backoffLimitPerIndex"], 1);
    let pod = &job["template"]["spec"];
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    let all = ["initContainers", "containers"].map(|name| pod[name].as_array().unwrap());
    for container in all.into_iter().flatten() {
        let context = &container["securityContext"];
        assert_eq!(context["allowPrivilegeEscalation"], false, "{container}");
        assert_eq!(context["readOnlyRootFilesystem"], true, "{container}");
        assert_eq!(context["capabilities"]["drop"], serde_json::json!(["ALL"]), "{container}");
        assert!(container["image"].as_str().unwrap().contains("@sha256:"), "{container}");
    }
    let args = pod["containers"][0]["args"].as_array().unwrap();
    let args: Vec<&str> = args.iter().map(|arg| arg.as_str().unwrap()).collect();
    let ["drift", "--fleet", _, "--shard", shard] = args[..] else { panic!("{args:?}") };
    assert!(shard.starts_with("$(JOB_COMPLETION_INDEX)/"), "{shard}");
    let completions = job["completions"].as_u64().unwrap();
    covers(
        (0..completions).map(|index| shard.replace("$(JOB_COMPLETION_INDEX)", &index.to_string())),
    );
}
