//! What the manifests of Kubernetes rely on: scripts as process 1, the files of a fleet, secrets with a newline, alerts.
//! That the manifests are valid, `.ci/kubernetes` checks with Kubernetes' own code.

use std::{
    collections::BTreeSet,
    fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    stage::{Stage, executable, root, yaml},
    support::{FILE, SEED, ended},
};

fn script(name: &str) -> std::path::PathBuf {
    root().join("deploy/ci").join(name)
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_mins(1), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A script as process 1 of a namespace of its own, and its id here; `None`, with a word why, where the kernel forbids
/// that.
fn as_process_one(command: &Command) -> Option<(Child, u32)> {
    const UNSHARE: [&str; 3] = ["--pid", "--fork", "--mount-proc"];
    let works = Command::new("unshare").args(UNSHARE).arg("true").output();
    if !works.as_ref().is_ok_and(|output| output.status.success()) {
        #[allow(clippy::print_stderr, reason = "a test that was skipped says so")]
        let () =
            eprintln!("skipped: no process namespace can be made here (it takes root): {works:?}");
        return None;
    }
    let mut outer = Command::new("unshare");
    outer.args(UNSHARE).arg(command.get_program()).args(command.get_args());
    outer.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    outer.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = outer.spawn().unwrap();
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    let mut inner = None;
    wait_until("it was not begun", || {
        let text = fs::read_to_string(&children).unwrap_or_default();
        inner = text.split_whitespace().next().and_then(|id| id.parse().ok());
        inner.is_some()
    });
    Some((child, inner.unwrap()))
}

/// Tells process 1 to stop, and gives its exit code, which comes soon.
fn told_to_stop(child: Child, id: u32) -> Option<i32> {
    let start = Instant::now();
    let sent = Command::new("kill").args(["-TERM", &id.to_string()]).status();
    assert!(sent.unwrap().success());
    let run = ended(child.wait_with_output().unwrap());
    assert!(start.elapsed() < Duration::from_secs(20), "it waited: {run:?}");
    run.code
}

#[test]
fn a_fetch_that_hangs_ends_when_the_pod_is_told_to_stop() {
    let stage = Stage::new(SEED, FILE);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = stage.bash();
    command.arg(script("fetch.sh"));
    command.envs([("CHARTER_MODE", "drift"), ("CHARTER_BRANCH", "main")]);
    command.env("CHARTER_HOME", stage.path("temp"));
    command.env("CHARTER_REMOTE", format!("http://{}/access.git", silent.local_addr().unwrap()));
    let Some((child, id)) = as_process_one(&command) else { return };
    // Git has asked, and waits for an answer.
    let _asked = silent.accept().unwrap();
    assert_eq!(told_to_stop(child, id), Some(143));
}

#[test]
fn charter_is_told_when_the_pod_that_runs_it_is_told_to_stop() {
    let stage = Stage::new(SEED, FILE);
    let home = stage.path("temp");
    let mut fetch = stage.bash();
    fetch.arg(script("fetch.sh"));
    let variables = [("CHARTER_MODE", "drift"), ("CHARTER_BRANCH", "main"), ("CHARTER_PATH", ".")];
    let set = |command: &mut Command| {
        command.envs(variables);
        command.env("CHARTER_HOME", &home).env("CHARTER_REMOTE", stage.path("acme/access"));
    };
    set(&mut fetch);
    let run = ended(fetch.output().unwrap());
    assert_eq!(run.code, Some(0), "{run:?}");
    for folder in ["bin", "out"] {
        fs::create_dir_all(home.join(folder)).unwrap();
    }
    let (begun, told) = (stage.path("begun"), stage.path("told"));
    let fake = format!(
        "#!/usr/bin/env bash\ntrap 'echo told >>{1}; exit 143' TERM\n>{0}\nfor _ in {{1..600}}; do sleep 0.1; done\n",
        begun.display(),
        told.display()
    );
    fs::write(home.join("bin/charter"), fake).unwrap();
    executable(&home.join("bin/charter"));
    let mut command = stage.bash();
    command.arg(script("drift.sh"));
    set(&mut command);
    let Some((child, id)) = as_process_one(&command) else { return };
    wait_until("charter was not begun", || begun.exists());
    assert_eq!(told_to_stop(child, id), Some(143));
    assert!(told.exists());
}

#[test]
fn a_token_that_was_saved_with_a_newline_is_used_without_it() {
    let stage = Stage::new(SEED, FILE);
    let run = |token: &str| {
        let mut command = stage.bash();
        let lib = script("lib.sh");
        let line = format!("source '{}'; printf '[%s]' \"$GH_TOKEN\"", lib.display());
        command.args(["-c", &line]).env("GH_TOKEN", token);
        ended(command.output().unwrap())
    };
    for token in ["ghs_0123\n", " ghs_0123 \r\n", "ghs_0123"] {
        assert_eq!(run(token).stdout, "[ghs_0123]", "{token:?}");
    }
    for wrong in ["ghs_0123\nghs_4567", "\n"] {
        let run = run(wrong);
        assert_eq!(run.code, Some(3), "{run:?}");
        assert!(run.stderr.starts_with("charter-ci: GH_TOKEN is no token"), "{run:?}");
        assert!(!run.stderr.contains("ghs_"), "{run:?}");
    }
}

#[test]
fn a_fetch_that_fails_names_the_token_or_the_package() {
    let fetched = |said: &str| {
        let stage = Stage::new(SEED, FILE);
        let real = ended(Command::new("which").arg("git").output().unwrap()).stdout;
        // As Git says it, of a host that is not asked.
        let fake = format!(
            "#!/usr/bin/env bash\nif [[ \" $* \" == *' ls-remote '* ]]; then\n    echo \"{said}\" >&2\n    exit 128\nfi\n\
             exec {} \"$@\"\n",
            real.trim()
        );
        stage.program("git", &fake);
        let mut command = stage.bash();
        command.arg(script("fetch.sh")).env("CHARTER_HOME", stage.path("temp"));
        command.envs([("CHARTER_MODE", "drift"), ("CHARTER_BRANCH", "main")]);
        command.envs([("CHARTER_REMOTE", "https://git.acme.com/acme/access.git")]);
        let run = ended(command.env("GH_TOKEN", "ghs_0123").output().unwrap());
        assert_eq!(run.code, Some(1), "{run:?}");
        run.stderr
    };
    assert_eq!(
        fetched("fatal: Authentication failed for 'https://git.acme.com/acme/access.git/'"),
        "charter-ci: the repository cannot be fetched: the login is missing or refused: check the token, GH_TOKEN\n"
    );
    // With GnuTLS, with OpenSSL, and with a file that is not there.
    for said in [
        "server certificate verification failed. CAfile: none CRLfile: none",
        "SSL certificate problem: unable to get local issuer certificate",
        "error reading ca cert file /etc/ssl/certs/ca-certificates.crt (Error while reading file.)",
    ] {
        let said =
            format!("fatal: unable to access 'https://git.acme.com/acme/access.git/': {said}");
        let message = fetched(&said);
        assert!(message.contains("has this image the package ca-certificates?"), "{message}");
    }
}

#[test]
fn the_files_of_a_fleet_are_the_bytes_that_git_keeps() {
    let stage = Stage::new(SEED, FILE);
    let plain = "organizations: {}  # $Id$\n";
    stage.write("fleet.yaml", plain);
    stage.write("organizations/eu/charter.yaml", FILE);
    stage.commit("A fleet");
    // Attributes that turn the files into others where they are checked out.
    stage.write(".gitattributes", "*.yaml working-tree-encoding=UTF-16 eol=crlf ident\n");
    stage.git(&["add", ".gitattributes"]);
    stage.git(&["commit", "--quiet", "--message", "Attributes"]);
    let home = stage.path("temp");
    for name in ["fetch.sh", "files.sh"] {
        let mut command = stage.bash();
        command.arg(script(name)).env("CHARTER_HOME", &home);
        command.envs([("CHARTER_MODE", "drift"), ("CHARTER_BRANCH", "main")]);
        command.env("CHARTER_REMOTE", stage.path("acme/access"));
        let run = ended(command.output().unwrap());
        assert_eq!(run.code, Some(0), "{name}: {run:?}");
    }
    let text = |name: &str| fs::read_to_string(home.join("files").join(name)).unwrap();
    assert_eq!(text("fleet.yaml"), plain);
    assert_eq!(text("organizations/eu/charter.yaml"), FILE);
}

#[test]
fn the_alerts_for_the_operator_are_those_of_the_rules() {
    let text = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let rules = ["charter", "charter-kubernetes"];
    let files = rules.map(|name| yaml(&text(&format!("deploy/prometheus/{name}.rules.yml"))));
    let groups: Vec<Value> =
        files.iter().flat_map(|file| file["groups"].as_array().unwrap().clone()).collect();
    let manifest = yaml(&text("deploy/kubernetes/alerts.yaml"));
    assert_eq!(manifest["kind"], "PrometheusRule");
    assert_eq!(manifest["spec"]["groups"], Value::Array(groups.clone()));
    // Each has a row that says what to do, and no other has.
    let docs = text("docs/telemetry.md");
    let rows = docs.lines().filter_map(|line| line.strip_prefix("| `Charter"));
    let documented: BTreeSet<String> =
        rows.map(|row| format!("Charter{}", row.split('`').next().unwrap())).collect();
    let alerts = groups.iter().flat_map(|group| group["rules"].as_array().unwrap());
    let shipped: BTreeSet<String> =
        alerts.map(|rule| rule["alert"].as_str().unwrap().to_owned()).collect();
    assert_eq!(documented, shipped);
}
