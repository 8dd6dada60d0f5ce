//! The jobs of GitLab and Kubernetes, as their files say: with the variables they set, and no others.

use std::{collections::BTreeMap, fs, process::Command};

use serde_json::Value;

use crate::{
    stage::{Stage, root, sha256, yaml},
    support::{FILE, Run, SEED, ended},
};

/// Where the program of the stage is, its checksum, and its version.
fn pins(stage: &Stage) -> [(&'static str, String); 3] {
    let program = stage.path("bin/charter");
    [
        ("CHARTER_URL", program.display().to_string()),
        ("CHARTER_SHA256", sha256(&program)),
        ("CHARTER_VERSION", env!("CARGO_PKG_VERSION").to_owned()),
    ]
}

/// A pipeline of GitLab: what it predefines, and the repository with the scripts.
struct Gitlab {
    file: Value,
    predefined: BTreeMap<String, String>,
}

impl Gitlab {
    fn new(stage: &Stage) -> Self {
        let scripts = stage.path("scripts");
        fs::create_dir_all(scripts.join("deploy/ci")).unwrap();
        for entry in fs::read_dir(root().join("deploy/ci")).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, scripts.join("deploy/ci").join(path.file_name().unwrap())).unwrap();
        }
        let inside = scripts.to_str().unwrap();
        stage.git(&["init", "--quiet", inside]);
        stage.git(&["-C", inside, "add", "--all"]);
        stage.git(&["-C", inside, "commit", "--quiet", "--message", "Scripts"]);
        let commit = stage.git(&["-C", inside, "rev-parse", "HEAD"]);
        let mut file = yaml(&fs::read_to_string(root().join("deploy/gitlab-ci.yml")).unwrap());
        let variables = file["variables"].as_object_mut().unwrap();
        variables.insert("CHARTER_SCRIPTS".to_owned(), inside.into());
        variables.insert("CHARTER_SCRIPTS_COMMIT".to_owned(), commit.into());
        for (name, value) in pins(stage) {
            variables.insert(name.to_owned(), value.into());
        }
        let predefined = [
            ("CI_PROJECT_DIR", stage.path("workspace")),
            ("CI_REPOSITORY_URL", stage.path("acme/access")),
        ];
        let predefined =
            predefined.map(|(name, path)| (name.to_owned(), path.display().to_string()));
        Self { file, predefined: predefined.into() }
    }

    fn set(&mut self, name: &str, value: &str) {
        self.predefined.insert(name.to_owned(), value.to_owned());
    }

    fn run(&self, stage: &Stage, job: &str) -> Run {
        let job = &self.file[job];
        let mut all = self.predefined.clone();
        for variables in [&self.file["variables"], &job["variables"]] {
            for (name, value) in variables.as_object().unwrap() {
                all.insert(name.clone(), value.as_str().unwrap().to_owned());
            }
        }
        let lines = [&self.file["default"]["before_script"], &job["script"]];
        let lines = lines.iter().flat_map(|part| part.as_array().unwrap());
        let script: Vec<&str> = lines.map(|line| line.as_str().unwrap()).collect();
        let mut command = stage.bash();
        command.args(["-eo", "pipefail", "-c", &script.join("\n")]);
        for (name, value) in &all {
            command.env(name, expanded(value, &all));
        }
        ended(command.output().unwrap())
    }
}

/// A value with the variables in it replaced, as the runner does.
fn expanded(value: &str, all: &BTreeMap<String, String>) -> String {
    let mut value = value.to_owned();
    for _ in 0..all.len() {
        let Some((head, rest)) = value.split_once('$') else { break };
        let name: String =
            rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        let with = all.get(&name).map_or("", String::as_str);
        value = format!("{head}{with}{}", &rest[name.len()..]);
    }
    value
}

#[test]
fn the_jobs_of_gitlab_review_plan_apply_and_watch() {
    let mut stage = Stage::new(SEED, FILE).live();
    let mut gitlab = Gitlab::new(&stage);
    let with_dee = format!("{FILE}  dee@acme.com: user\n");
    let head = stage.proposed(|stage| stage.write("charter.yaml", &with_dee));
    gitlab.set("CI_COMMIT_SHA", &head);
    gitlab.set("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main");
    let run = gitlab.run(&stage, "review");
    assert_eq!(run.code, Some(0), "{run:?}");
    let report = stage.path("workspace/.charter/out/report.md");
    assert!(fs::read_to_string(&report).unwrap().contains("dee@acme.com gains user"));
    assert!(!stage.path("workspace/.charter/repository/charter.yaml").exists());

    gitlab.set("CI_DEFAULT_BRANCH", "main");
    let before = stage.git(&["rev-parse", "main"]);
    stage.git(&["merge", "--quiet", "--no-ff", "--message", "Merge", "topic"]);
    gitlab.set("CI_COMMIT_BEFORE_SHA", &before);
    gitlab.set("CI_COMMIT_SHA", &stage.git(&["rev-parse", "HEAD"]));
    let run = gitlab.run(&stage, "plan");
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains(&format!("Held against `{before}`")), "{run:?}");
    assert_eq!(gitlab.run(&stage, "drift").code, Some(2));
    assert!(stage.path("workspace/.charter/out/drift.xml").exists());
    assert_eq!(stage.served.calls(), Vec::<String>::new());
    let run = gitlab.run(&stage, "apply");
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(stage.served.calls().len(), 3);
    let run = gitlab.run(&stage, "drift");
    assert_eq!(run.code, Some(0), "{run:?}");

    // Another commit of the scripts than the one that was reviewed is not to be had.
    gitlab.file["variables"]["CHARTER_SCRIPTS_COMMIT"] = "0".repeat(40).into();
    assert_ne!(gitlab.run(&stage, "drift").code, Some(0));
}

#[test]
fn the_cron_job_runs_with_the_variables_of_its_manifest() {
    let stage = Stage::new(SEED, FILE).live();
    let manifest = fs::read_to_string(root().join("deploy/kubernetes/cronjob.yaml")).unwrap();
    let job = yaml(manifest.split("\n---\n").last().unwrap());
    let pod = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    let containers = ["initContainers", "containers"].map(|name| pod[name].as_array().unwrap());
    let mut last = None;
    for container in containers.into_iter().flatten() {
        let script = container["command"][1].as_str().unwrap();
        let script = root().join("deploy/ci").join(script.rsplit('/').next().unwrap());
        let mut command: Command = stage.bash();
        command.arg(script);
        for variable in container["env"].as_array().unwrap() {
            // What comes from a secret is not needed here.
            let Some(value) = variable["value"].as_str() else { continue };
            let value = value.replace("/work", stage.path("temp").to_str().unwrap());
            let value = value.replace(
                "https://git.acme.com/acme/access.git",
                stage.path("acme/access").to_str().unwrap(),
            );
            command.env(variable["name"].as_str().unwrap(), value);
        }
        if container["name"] == "install" {
            command.envs(pins(&stage));
        }
        let run = ended(command.output().unwrap());
        if container["name"] != "drift" {
            assert_eq!(run.code, Some(0), "{run:?}");
        }
        last = Some(run);
    }
    let run = last.unwrap();
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stdout.contains("cy@acme.com"), "{run:?}");
    assert_eq!(stage.served.calls(), Vec::<String>::new());
}
