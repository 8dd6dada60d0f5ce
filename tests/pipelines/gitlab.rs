//! The jobs of GitLab, as the file says: with its own lines, its inputs, and variables that somebody may give.

use std::{collections::BTreeMap, fs};

use serde_json::Value;

use crate::{
    stage::{RECORDS, Stage, gitlab_file, root, sha256},
    support::{FILE, Run, SEED, ended},
};

/// A pipeline of GitLab: what it predefines, its inputs, and the repository with the scripts.
struct Gitlab {
    file: Value,
    variables: BTreeMap<String, String>,
    inputs: BTreeMap<&'static str, &'static str>,
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
        let program = stage.path("bin/charter");
        let zeros = "0".repeat(64);
        let url = stage.served.url();
        let pins = [
            ("=https://git.acme.com/acme/orgcharter.git", format!("={inside}")),
            (
                "=https://git.acme.com/acme/access.git",
                format!(
                    "={}; export CHARTER_RECORD_REMOTE={RECORDS}",
                    stage.path("acme/access").display()
                ),
            ),
            (
                "=https://releases.acme.com/charter/0.1.0/charter-linux-x86_64",
                format!("={}", program.display()),
            ),
            ("CHARTER_SHA256=@64", format!("CHARTER_SHA256={}", sha256(&program))),
            ("CHARTER_SCRIPTS_COMMIT=@40", format!("CHARTER_SCRIPTS_COMMIT={commit}")),
            ("CHARTER_VERSION=0.1.0", format!("CHARTER_VERSION={}", env!("CARGO_PKG_VERSION"))),
            // A pipeline talks to the one organization there is, and here to the sandbox.
            ("| ANTHROPIC_BASE_URL ", String::new()),
            (
                "export CHARTER_PATH=.",
                format!("export CHARTER_PATH=.; export ANTHROPIC_BASE_URL={url}"),
            ),
        ];
        let mut text = fs::read_to_string(root().join("deploy/gitlab-ci.yml")).unwrap();
        text = text.replace(&format!("SHA256={zeros}"), "SHA256=@64");
        text = text.replace(&format!("COMMIT={}", &zeros[..40]), "COMMIT=@40");
        for (pin, with) in pins {
            assert!(text.contains(pin), "{pin}");
            text = text.replace(pin, &with);
        }
        let variables = [
            ("CI_PROJECT_DIR", stage.path("workspace").display().to_string()),
            ("CI_SERVER_URL", "https://git.acme.com".to_owned()),
            ("CI_JOB_TOKEN", "the token of the job".to_owned()),
            ("CI_PROJECT_ID", "1".to_owned()),
            ("CI_COMMIT_BEFORE_SHA", "0".repeat(40)),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value)).into();
        Self { file: gitlab_file(&text), variables, inputs: BTreeMap::new() }
    }

    fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    fn run(&self, stage: &Stage, name: &str) -> Run {
        let job = &self.file[name];
        let lines = [&self.file["default"]["before_script"], &job["script"]];
        let lines = lines.iter().flat_map(|part| part.as_array().unwrap());
        let mut script = lines.map(|line| line.as_str().unwrap()).collect::<Vec<_>>().join("\n");
        for input in ["allow", "ack", "base-rev"] {
            let value = self.inputs.get(input).copied().unwrap_or_default();
            script = script.replace(&format!("$[[ inputs.{input} ]]"), value);
        }
        assert!(!script.contains("$[["), "{script}");
        let mut command = stage.bash();
        command.args(["-eo", "pipefail", "-c", &script]);
        command.envs(&self.variables);
        for (name, value) in job["variables"].as_object().into_iter().flatten() {
            command.env(name, value.as_str().unwrap());
        }
        // These addresses are no variables of a pipeline.
        command.env_remove("ANTHROPIC_BASE_URL").env_remove("CHARTER_RECORD_REMOTE");
        ended(command.output().unwrap())
    }

    /// The pipeline of a push has begun.
    fn pushed(&mut self, stage: &Stage, before: &str) {
        self.set("CI_COMMIT_BEFORE_SHA", before);
        self.set("CI_COMMIT_SHA", &stage.git(&["rev-parse", "HEAD"]));
    }
}

const WITH_DEE: &str = "  dee@acme.com: user\n";

#[test]
fn its_jobs_review_plan_apply_and_watch() {
    let mut stage = Stage::new(SEED, FILE).live().recording();
    let mut gitlab = Gitlab::new(&stage);
    let head = stage.proposed(|stage| stage.write("charter.yaml", &format!("{FILE}{WITH_DEE}")));
    gitlab.set("CI_COMMIT_SHA", &head);
    gitlab.set("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main");
    gitlab.set("CI_MERGE_REQUEST_PROJECT_ID", "1");
    let run = gitlab.run(&stage, "review");
    assert_eq!(run.code, Some(0), "{run:?}");
    let out = stage.path("workspace/.charter/out");
    assert!(fs::read_to_string(out.join("report.md")).unwrap().contains("dee@acme.com gains user"));
    assert!(!stage.path("workspace/.charter/repository/charter.yaml").exists());
    // A fork's pipeline is judged by the fork's branch: it is red.
    gitlab.set("CI_PROJECT_ID", "2");
    let run = gitlab.run(&stage, "review");
    assert_eq!(run.code, Some(4), "{run:?}");
    assert!(run.stderr.contains("this request is for another project"), "{run:?}");
    gitlab.set("CI_PROJECT_ID", "1");

    let before = stage.git(&["rev-parse", "main"]);
    stage.git(&["merge", "--quiet", "--no-ff", "--message", "Merge", "topic"]);
    gitlab.pushed(&stage, &before);
    let run = gitlab.run(&stage, "plan");
    assert_eq!(run.code, Some(2), "something is to do, which is a warning: {run:?}");
    assert!(run.stdout.contains(&before) && !run.stdout.contains("<!--"), "{run:?}");
    assert_eq!(stage.served.calls(), Vec::<String>::new());
    // The runner that applies may be one that ran another job before.
    fs::write(out.join("journal-old.jsonl"), "yesterday's").unwrap();
    let run = gitlab.run(&stage, "apply");
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(stage.served.calls().len(), 3);
    assert!(!out.join("journal-old.jsonl").exists());
    assert!(run.stderr.contains("the record of what was applied last was pushed"), "{run:?}");
    let run = gitlab.run(&stage, "drift");
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(out.join("drift.xml").exists());

    // Nothing to do: it is applied at once, and nobody is asked.
    let before = stage.git(&["rev-parse", "main"]);
    stage.write("charter.yaml", &format!("{FILE}{WITH_DEE}# the same\n"));
    let sha = stage.pushed("Say it in other words");
    gitlab.pushed(&stage, &before);
    let run = gitlab.run(&stage, "plan");
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(stage.recorded(), Some(sha));
}

#[test]
fn what_a_plan_asks_for_is_given_by_hand_as_inputs() {
    let limit = "guard: {invites: 1}\n";
    let mut stage = Stage::new(SEED, &format!("{FILE}{limit}")).live();
    let mut gitlab = Gitlab::new(&stage);
    let before = stage.git(&["rev-parse", "main"]);
    stage.write("charter.yaml", &format!("{FILE}{WITH_DEE}{limit}"));
    stage.pushed("Add dee");
    gitlab.pushed(&stage, &before);
    let run = gitlab.run(&stage, "plan");
    assert_eq!(run.code, Some(4), "{run:?}");
    assert!(run.stdout.contains("--allow invites=2"), "{run:?}");
    assert!(!stage.path("workspace/.charter/out/plan.json").exists(), "a refused plan is not kept");
    gitlab.inputs.insert("allow", "invites=2");
    gitlab.set("CI_COMMIT_BEFORE_SHA", &"0".repeat(40));
    assert_eq!(gitlab.run(&stage, "plan").code, Some(2));
    let run = gitlab.run(&stage, "apply");
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(stage.served.calls().len(), 3);
}

#[test]
fn variables_that_outrank_the_file_are_refused_and_the_token_is_in_no_argument() {
    let mut stage = Stage::new(SEED, FILE).live();
    stage.set("CHARTER_RECORD_KNOWN_HOSTS", "localhost ssh-ed25519 AAAA");
    let mut gitlab = Gitlab::new(&stage);
    gitlab.pushed(&stage, &"0".repeat(40));
    for name in [
        "CHARTER_URL",
        "CHARTER_SHA256",
        "CHARTER_REMOTE",
        "CHARTER_ALLOW",
        "LD_LIBRARY_PATH",
        "GIT_SSH_COMMAND",
    ] {
        gitlab.set(name, "/tmp/other");
        let run = gitlab.run(&stage, "plan");
        assert_eq!(run.code, Some(4), "{name}: {run:?}");
        assert!(run.stderr.contains(&format!("refused: {name} is set")), "{run:?}");
        gitlab.variables.remove(name);
    }
    assert!(!stage.path("seen").exists());
    let real =
        ended(std::process::Command::new("bash").args(["-c", "command -v git"]).output().unwrap());
    let spy = format!(
        "#!/usr/bin/env bash\nprintf '%s\\n' \"$@\" >>\"$FAKE_GH/arguments\"\nexec {} \"$@\"\n",
        real.stdout.trim()
    );
    stage.program("git", &spy);
    assert_eq!(gitlab.run(&stage, "plan").code, Some(2));
    let arguments = fs::read_to_string(stage.path("gh/arguments")).unwrap();
    assert!(arguments.contains("fetch") && !arguments.contains("the token of the job"));
    // Another commit of the scripts than the one that was reviewed is not to be had.
    let text = gitlab.file["default"]["before_script"].to_string();
    let (_, pin) = text.split_once("CHARTER_SCRIPTS_COMMIT=").unwrap();
    gitlab.file["default"]["before_script"] =
        serde_json::from_str(&text.replace(&pin[..40], &"1".repeat(40))).unwrap();
    assert_ne!(gitlab.run(&stage, "drift").code, Some(0));
}
