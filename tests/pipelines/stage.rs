//! Where the pipelines play: a repository to fetch from, an organization, a fake GitHub, and the action itself, run step
//! by step from `action.yml` as the runner does.
//!
//! Invariant: nothing of the machine's environment reaches a script but the search path.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{KEY, Run, Served, ended};

/// The number of the pull request that everything is about.
pub(crate) const PULL: &str = "12";

/// One job's world.
pub(crate) struct Stage {
    pub(crate) folder: TempDir,
    pub(crate) served: Served,
    /// Of every step, as a job's or a step's `env` sets it.
    pub(crate) env: BTreeMap<String, String>,
    /// `github.…` as expressions see it.
    pub(crate) github: BTreeMap<String, String>,
}

/// How the action ended.
#[derive(Debug)]
pub(crate) struct Job {
    /// Of the first step that failed, else 0.
    pub(crate) code: i32,
    pub(crate) log: String,
    pub(crate) summary: String,
    pub(crate) outputs: BTreeMap<String, String>,
}

/// The parsed `action.yml`.
pub(crate) fn action() -> Value {
    yaml(&fs::read_to_string(root().join("action.yml")).unwrap())
}

/// Where the project is.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// One document.
pub(crate) fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

impl Stage {
    /// With the organization of a seed, and a repository whose branch `main` holds this `charter.yaml`.
    pub(crate) fn new(seed: &str, file: &str) -> Self {
        let mut stage = Self {
            folder: TempDir::new().unwrap(),
            served: Served::start(seed),
            env: BTreeMap::new(),
            github: BTreeMap::new(),
        };
        for folder in ["bin", "gh", "temp", "workspace", "acme/access"] {
            fs::create_dir_all(stage.path(folder)).unwrap();
        }
        let real = env!("CARGO_BIN_EXE_charter");
        let spy = format!(
            "#!/usr/bin/env bash\nenv >>{0}\necho ==== >>{0}\nexec {real} \"$@\"\n",
            stage.path("seen").display()
        );
        stage.program("charter", &spy);
        fs::copy(root().join("tests/pipelines/gh"), stage.path("bin/gh")).unwrap();
        executable(&stage.path("bin/gh"));
        stage.git(&["init", "--quiet", "--initial-branch=main"]);
        stage.write("charter.yaml", file);
        let sha = stage.commit("Start");
        for (name, value) in [
            ("server_url", stage.folder.path().to_str().unwrap()),
            ("repository", "acme/access"),
            ("token", "writes"),
            ("sha", sha.as_str()),
        ] {
            stage.github.insert(name.to_owned(), value.to_owned());
        }
        stage
    }

    /// Gives every step the organization's credential.
    pub(crate) fn live(mut self) -> Self {
        let url = self.served.url();
        self.set("ANTHROPIC_BASE_URL", &url);
        self.set("ANTHROPIC_ADMIN_KEY", KEY);
        self
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.env.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A program on the search path of the scripts.
    pub(crate) fn program(&self, name: &str, text: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, text).unwrap();
        executable(&path);
    }

    /// Writes a file of the repository.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path("acme/access").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.current_dir(self.path("acme/access")).env_clear().envs(path_of_machine());
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "ada");
            command.env(format!("GIT_{role}_EMAIL"), "ada@acme.com");
        }
        let run = ended(command.args(arguments).output().unwrap());
        assert_eq!(run.code, Some(0), "{arguments:?}: {run:?}");
        run.stdout.trim_end().to_owned()
    }

    /// Commits everything; the commit's id.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// A push to `main` has happened.
    pub(crate) fn pushed(&mut self, message: &str) -> String {
        let before = self.git(&["rev-parse", "HEAD"]);
        let sha = self.commit(message);
        self.github.insert("event.before".to_owned(), before);
        self.github.insert("sha".to_owned(), sha.clone());
        sha
    }

    /// A pull request with what `change` does has been opened, or pushed to.
    pub(crate) fn proposed(&mut self, change: impl Fn(&Self)) -> String {
        self.git(&["checkout", "--quiet", "-B", "topic"]);
        change(self);
        let head = self.commit("Propose");
        self.git(&["update-ref", "refs/pull/12/head", &head]);
        self.git(&["update-ref", "refs/pull/12/merge", &head]);
        self.git(&["checkout", "--quiet", "main"]);
        self.github.insert("event.pull_request.number".to_owned(), PULL.to_owned());
        self.github.insert("event.pull_request.head.sha".to_owned(), head.clone());
        head
    }

    /// Runs the action in a mode, with more inputs.
    pub(crate) fn act(&self, mode: &str, inputs: &[(&str, &str)]) -> Job {
        let program = self.path("bin/charter");
        let sum = sha256(&program);
        let mut given: BTreeMap<&str, String> = BTreeMap::new();
        for (name, value) in [
            ("mode", mode),
            ("binary-url", program.to_str().unwrap()),
            ("binary-sha256", sum.as_str()),
            ("version", env!("CARGO_PKG_VERSION")),
        ] {
            given.insert(name, value.to_owned());
        }
        given.extend(inputs.iter().map(|(name, value)| (*name, (*value).to_owned())));
        Runner { stage: self, action: action(), given, steps: BTreeMap::new() }.run()
    }

    /// Runs one of the scripts, as a pipeline elsewhere does.
    pub(crate) fn script(&self, name: &str) -> Command {
        let mut command = self.bash();
        command
            .arg(root().join("deploy/ci").join(name))
            .env("CHARTER_HOME", self.path("temp/charter"));
        command
    }

    /// Bash with nothing of the environment but the search path, and what the stage sets.
    pub(crate) fn bash(&self) -> Command {
        let mut command = Command::new("bash");
        command.current_dir(self.path("workspace")).env_clear();
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", self.path("bin").display()));
        command.env("FAKE_GH", self.path("gh")).envs(&self.env);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// What the fake GitHub holds: `comments` or `issues`.
    pub(crate) fn stored(&self, name: &str) -> Vec<Value> {
        let path = self.path("gh").join(format!("{name}.json"));
        if !path.exists() {
            return Vec::new();
        }
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    }

    pub(crate) fn store(&self, name: &str, value: &Value) {
        fs::write(self.path("gh").join(format!("{name}.json")), value.to_string()).unwrap();
    }
}

/// One run of the action.
struct Runner<'s> {
    stage: &'s Stage,
    action: Value,
    given: BTreeMap<&'s str, String>,
    /// `STEP.outputs.NAME`.
    steps: BTreeMap<String, String>,
}

impl Runner<'_> {
    fn run(mut self) -> Job {
        let mut job =
            Job { code: 0, log: String::new(), summary: String::new(), outputs: BTreeMap::new() };
        for step in self.action["runs"]["steps"].as_array().unwrap().clone() {
            match step["if"].as_str() {
                None if job.code != 0 => continue,
                None | Some("${{ !cancelled() }}") => {}
                Some(other) => panic!("this runner does not know `{other}`"),
            }
            let Run { code, stdout, stderr } = self.step(&step);
            job.log.push_str(&stdout);
            job.log.push_str(&stderr);
            if job.code == 0 {
                job.code = code.unwrap_or(-1);
            }
        }
        let summary = self.stage.path("temp/summary");
        job.summary = fs::read_to_string(&summary).unwrap_or_default();
        let _ = fs::remove_file(summary);
        for (name, output) in self.action["outputs"].as_object().unwrap() {
            job.outputs.insert(name.clone(), self.filled(output["value"].as_str().unwrap()));
        }
        job
    }

    fn step(&mut self, step: &Value) -> Run {
        let outputs = self.stage.path("temp/outputs");
        fs::write(&outputs, "").unwrap();
        let mut command = self.stage.bash();
        command.args(["--noprofile", "--norc", "-e", "-o", "pipefail", "-c"]);
        command.arg(step["run"].as_str().unwrap());
        command.env("GITHUB_ACTIONS", "true").env("GITHUB_ACTION_PATH", root());
        command
            .env("GITHUB_OUTPUT", &outputs)
            .env("GITHUB_STEP_SUMMARY", self.stage.path("temp/summary"));
        command
            .env("GITHUB_REPOSITORY", "acme/access")
            .env("GITHUB_SERVER_URL", "https://github.com");
        for (name, value) in step["env"].as_object().unwrap() {
            command.env(name, self.filled(value.as_str().unwrap()));
        }
        let run = ended(command.output().unwrap());
        if let Some(id) = step["id"].as_str() {
            for line in fs::read_to_string(&outputs).unwrap().lines() {
                let (name, value) = line.split_once('=').unwrap();
                self.steps.insert(format!("{id}.outputs.{name}"), value.to_owned());
            }
        }
        run
    }

    /// A text with its expressions replaced: contexts, and the first of several that is not empty.
    fn filled(&self, text: &str) -> String {
        let Some((head, rest)) = text.split_once("${{") else { return text.to_owned() };
        let (expression, tail) = rest.split_once("}}").unwrap();
        let value = expression.split("||").map(|part| self.looked_up(part.trim()));
        let value = value.into_iter().find(|value| !value.is_empty()).unwrap_or_default();
        format!("{head}{value}{}", self.filled(tail))
    }

    fn looked_up(&self, name: &str) -> String {
        let (context, rest) = name.split_once('.').unwrap();
        match context {
            "runner" => self.stage.path(rest).display().to_string(),
            "github" => self.stage.github.get(rest).cloned().unwrap_or_default(),
            "steps" => self.steps.get(rest).cloned().unwrap_or_default(),
            "inputs" => match self.given.get(rest) {
                Some(value) => value.clone(),
                None => self.filled(self.action["inputs"][rest]["default"].as_str().unwrap()),
            },
            other => panic!("this runner does not know `{other}`"),
        }
    }
}

/// The SHA-256 of a file.
pub(crate) fn sha256(path: &Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap().to_owned()
}

pub(crate) fn executable(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn path_of_machine() -> [(&'static str, std::ffi::OsString); 1] {
    [("PATH", std::env::var_os("PATH").unwrap())]
}
