//! A fleet that is told to stop while one of its organizations does not answer.

use std::{
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::support::{Fleet, One, id};

/// The first organization does not answer, and the others do.
fn hanging(organizations: usize) -> Fleet {
    let one = |number: usize| {
        let plain = One::plain(number);
        let late = "faults: [{on: \"GET /v1/organizations/users\", then: {latency_ms: 60000}}]\n";
        match number {
            0 => One { seed: plain.seed + late, ..One::plain(0) },
            _ => plain,
        }
    };
    Fleet::start((0..organizations).map(one).collect())
}

/// Stops it as soon as the others have answered, and some seconds after that.
fn stopped(fleet: &Fleet, organizations: usize, args: &[&str]) -> Output {
    let mut command = fleet.command(args);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    let answered = |number| {
        let reads = fleet.sandbox(number).log().reads();
        reads.contains_key("/v1/organizations/invites")
            || reads.contains_key("/v1/organizations/users")
    };
    while !(0..organizations).all(answered) {
        assert!(start.elapsed() < Duration::from_mins(1), "they were not asked");
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_secs(3));
    let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
    let told = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(told.elapsed() < Duration::from_secs(20), "it waited for the one that hangs");
    output
}

/// The value of a series.
fn value(text: &str, name: &str, number: usize) -> Option<f64> {
    let series = format!("{name}{{command=\"drift\",organization=\"{}\"}} ", id(number));
    text.lines().find_map(|line| line.strip_prefix(&series))?.parse().ok()
}

#[test]
fn what_is_finished_is_shown_and_counted_although_the_first_one_hangs() {
    let fleet = hanging(24);
    let args = ["drift", "--fleet", "fleet.yaml", "--metrics-file", "charter.prom"];
    let output = stopped(&fleet, 24, &args);
    let (out, err) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(143), "{out}\n{err}");
    let (sections, table) = out.split_once("\n\norganization ").unwrap();
    assert_eq!(sections.matches("drift: 1 for apply").count(), 23, "{out}");
    assert!(!sections.contains(&id(0)), "there is nothing to show of it: {out}");
    assert!(table.lines().nth(1).unwrap().ends_with("stopped   143"), "{table}");
    assert!(
        table.ends_with("fleet: 24 organizations: 23 changes, 1 stopped; exit 143\n"),
        "{table}"
    );
    assert!(err.starts_with("stopping: what is finished is shown"), "{err}");
    assert!(err.contains("error: 1 organization of 24: stopped by SIGTERM"), "{err}");

    let text = std::fs::read_to_string(fleet.folder.path().join("charter.prom")).unwrap();
    assert_eq!(value(&text, "charter_exit_code", 0), Some(143.0), "{text}");
    assert_eq!(value(&text, "charter_last_run_timestamp_seconds", 0), None, "{text}");
    let mut ended = Vec::new();
    for number in 1..24 {
        assert_eq!(value(&text, "charter_exit_code", number), Some(2.0), "{text}");
        ended.push(value(&text, "charter_last_run_timestamp_seconds", number).unwrap());
    }
    // The time of the work, which was over before the signal came, and not that of the display.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    assert!(ended.iter().all(|at| now.as_secs_f64() - at >= 2.0), "{text}");
}

#[test]
fn the_document_of_a_fleet_that_was_stopped_is_whole() {
    let fleet = hanging(4);
    let output = stopped(&fleet, 4, &["plan", "--fleet", "fleet.yaml", "--format", "json"]);
    assert_eq!(output.status.code(), Some(143), "{output:?}");
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["exit_code"], 143);
    let rows = value["organizations"].as_array().unwrap();
    let results: Vec<&str> = rows.iter().map(|row| row["result"].as_str().unwrap()).collect();
    assert_eq!(results, ["stopped", "ok", "ok", "ok"]);
    assert!(rows[0]["plan"].is_null() && rows[1]["plan"].is_object());
    assert_eq!(rows[0]["error"]["message"], "stopped by SIGTERM: nothing was changed");
}

#[test]
fn standard_error_alone_says_whom_it_is_about() {
    let fleet = Fleet::start((0..3).map(One::plain).collect());
    let run = fleet.run(&["plan", "--fleet", "fleet.yaml", "--only", "member/zoe@acme.com"]);
    assert!(run.stderr.contains("warning"), "{run:?}");
    for number in 0..3 {
        let heading = format!("=== o{number:03} {}\n", id(number));
        assert_eq!(run.stderr.matches(&heading).count(), 1, "{run:?}");
    }
}

#[test]
fn an_organization_whose_steps_were_all_done_is_ok_though_the_verification_was_stopped() {
    let plain = One::plain(0);
    let late =
        "faults: [{on: \"GET /v1/organizations/users\", nth: 2, then: {latency_ms: 60000}}]\n";
    let fleet = Fleet::start(vec![One { seed: plain.seed + late, ..One::plain(0) }]);
    let mut command = fleet.command(&["apply", "--fleet", "fleet.yaml", "--yes", "--verify"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    let looks = || fleet.sandbox(0).log().reads().get("/v1/organizations/users").copied();
    while looks() < Some(2) {
        assert!(start.elapsed() < Duration::from_mins(1), "it did not look again");
        std::thread::sleep(Duration::from_millis(10));
    }
    let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
    let output = child.wait_with_output().unwrap();
    let (out, err) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(0), "{out}\n{err}");
    assert!(out.ends_with("fleet: 1 organization: 1 ok; exit 0\n"), "{out}");
    assert!(err.contains("stopped: the verification did not run"), "{err}");
}
