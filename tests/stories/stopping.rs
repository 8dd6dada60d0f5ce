//! Ctrl-C and SIGTERM while charter reads: nothing is begun, it says so, and it ends at once, as process 1 too.

use std::{
    process::{Child, Command},
    time::{Duration, Instant},
};

use crate::support::{Run, SEED, Served, Story, ended, read};

/// An organization whose people are listed too late for a test.
pub(crate) fn slow() -> Served {
    Served::start(&format!(
        "{SEED}faults: [{{on: \"GET /v1/organizations/users\", then: {{latency_ms: 60000}}}}]\n"
    ))
}

pub(crate) fn signal(name: &str, id: u32) {
    let sent = Command::new("kill").args([&format!("-{name}"), &id.to_string()]).status();
    assert!(sent.unwrap().success());
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_mins(1), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub(crate) fn reads_people(served: &Served) {
    let people = || served.sandbox().log().reads().contains_key("/v1/organizations/users");
    wait_until("people are not read", people);
}

/// Whether the tests run as under `nohup`, which is handed down: then charter ignores it too, as it should.
fn hang_ups_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask & 1 == 1))
}

/// How it ends, and that it ends soon.
fn told_to_stop(child: Child, id: u32, name: &str) -> Run {
    let start = Instant::now();
    signal(name, id);
    let run = ended(child.wait_with_output().unwrap());
    assert!(start.elapsed() < Duration::from_secs(20), "it waited for the answer: {run:?}");
    run
}

#[test]
fn whatever_reads_ends_at_a_signal_and_says_that_nothing_was_changed() {
    for (args, name, code, by) in [
        (&["plan", "--out", "plan.json"][..], "INT", 130, "Ctrl-C"),
        (&["drift"], "TERM", 143, "SIGTERM"),
        (&["plan"], "HUP", 143, "SIGHUP"),
        (&["apply", "--yes"], "TERM", 143, "SIGTERM"),
        (&["import", "--out", "new.yaml"], "INT", 130, "Ctrl-C"),
        (&["access"], "TERM", 143, "SIGTERM"),
    ] {
        if name == "HUP" && hang_ups_are_ignored() {
            continue;
        }
        let served = slow();
        let story = Story::new().to(&served.url());
        let child = story.command(args).spawn().unwrap();
        reads_people(&served);
        let id = child.id();
        let run = told_to_stop(child, id, name);
        assert_eq!(run.code, Some(code), "{args:?}: {run:?}");
        let said = format!("error: stopped by {by}: nothing was changed\n");
        assert!(run.stderr.ends_with(&said), "{args:?}: {run:?}");
        assert_eq!((served.calls(), story.made()), (Vec::new(), Vec::new()), "{args:?}");
        assert!(story.journals().is_empty(), "{args:?}");
    }
}

#[test]
fn a_run_that_is_stopped_while_it_reads_has_metrics() {
    let served = slow();
    let story = Story::new().to(&served.url());
    let child = story.command(&["drift", "--metrics-file", "charter.prom"]).spawn().unwrap();
    reads_people(&served);
    let id = child.id();
    told_to_stop(child, id, "TERM");
    let text = read(&story.path("charter.prom"));
    assert!(text.contains("charter_exit_code{") && text.contains("\"} 143\n"), "{text}");
}

/// Process 1 of a namespace of its own, and its id here; `None`, with a word why, where the kernel forbids that.
#[cfg(target_os = "linux")]
fn as_process_one(story: &Story, args: &[&str]) -> Option<(Child, u32)> {
    const UNSHARE: [&str; 3] = ["--pid", "--fork", "--mount-proc"];
    let works = Command::new("unshare").args(UNSHARE).arg("true").output();
    if !works.as_ref().is_ok_and(|output| output.status.success()) {
        #[allow(clippy::print_stderr, reason = "a test that was skipped says so")]
        let () =
            eprintln!("skipped: no process namespace can be made here (it takes root): {works:?}");
        return None;
    }
    let told = story.command(args);
    let path = std::env::var_os("PATH").unwrap();
    let mut found = std::env::split_paths(&path).map(|folder| folder.join("unshare"));
    let unshare = found.find(|file| file.is_file()).unwrap();
    let mut outer = Command::new(unshare);
    outer.args(UNSHARE).arg(told.get_program()).args(args).current_dir(story.folder.path());
    outer.env_clear().envs(told.get_envs().filter_map(|(name, value)| Some((name, value?))));
    outer.stdin(std::process::Stdio::null());
    outer.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = outer.spawn().unwrap();
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    let mut inner = None;
    wait_until("it was not begun", || {
        let text = std::fs::read_to_string(&children).unwrap_or_default();
        inner = text.split_whitespace().next().and_then(|id| id.parse().ok());
        inner.is_some()
    });
    Some((child, inner.unwrap()))
}

#[test]
#[cfg(target_os = "linux")]
fn process_one_of_a_container_hears_a_signal_while_it_reads() {
    for args in [&["drift"][..], &["plan"], &["apply", "--yes"], &["import"], &["access"]] {
        let served = slow();
        let story = Story::new().to(&served.url());
        let Some((child, id)) = as_process_one(&story, args) else { return };
        reads_people(&served);
        let run = told_to_stop(child, id, "TERM");
        assert_eq!(run.code, Some(143), "{args:?}: {run:?}");
        assert!(run.stderr.contains("stopped by SIGTERM: nothing was changed"), "{run:?}");
        assert_eq!(served.calls(), Vec::<String>::new(), "{args:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn process_one_that_serves_a_sandbox_ends_as_it_is_documented() {
    use std::io::{BufRead as _, BufReader};
    let story = Story::new();
    let Some((mut child, id)) = as_process_one(&story, &["sandbox"]) else { return };
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("export ANTHROPIC_BASE_URL="), "{line}");
    assert_eq!(told_to_stop(child, id, "TERM").code, Some(0));
}
