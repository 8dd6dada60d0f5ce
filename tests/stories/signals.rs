//! Ctrl-C and SIGTERM: what is in flight finishes, the rest is reported as not started.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::Command,
    time::{Duration, Instant},
};

use orgcharter::apply::journal;

use crate::support::{Served, Story, ended, read};

/// Forty people to invite, slowly.
fn crowd() -> (String, String) {
    let people: String =
        (0..40).map(|number| format!("  new{number:02}@acme.com: user\n")).collect();
    let file = format!("{}{people}", crate::support::FILE);
    let seed = format!(
        "{}faults: [{{on: \"POST /v1/organizations/invites\", then: {{latency_ms: 600}}}}]\n",
        crate::support::SEED
    );
    (file, seed)
}

fn signal(name: &str, id: u32) {
    let sent = Command::new("kill").args([&format!("-{name}"), &id.to_string()]).status();
    assert!(sent.unwrap().success());
}

fn wait_for_writes(served: &Served, number: usize) {
    let start = Instant::now();
    while served.calls().len() < number {
        assert!(start.elapsed() < Duration::from_secs(30), "nothing was written");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_signal_lets_what_is_in_flight_finish_and_begins_nothing_else() {
    for name in ["INT", "TERM"] {
        let (file, seed) = crowd();
        let served = Served::start(&seed);
        let story = Story::with(&file).to(&served.url());
        let args = ["apply", "--yes", "--journal", "journal.jsonl"];
        let child = story.command(&args).spawn().unwrap();
        wait_for_writes(&served, 2);
        signal(name, child.id());
        let run = ended(child.wait_with_output().unwrap());
        assert_eq!(run.code, Some(5), "{run:?}");
        assert!(run.stderr.contains("stopping: the calls in flight finish"), "{run:?}");
        assert!(run.stdout.contains("not started in"), "{run:?}");
        assert!(!run.stdout.contains("unknown"), "{run:?}");
        let done = served.calls().len();
        assert!(done < 41, "{done} writes");
        let journal = read(&story.path("journal.jsonl"));
        let last = journal.lines().last().unwrap();
        assert!(last.contains(&format!("\"done\":{done}")), "{done}: {last}");
        // The way on is to run again.
        served.sandbox().with(|state| state.faults.clear());
        let again = story.run(&["apply", "--yes", "--journal", "second.jsonl"]);
        assert_eq!(again.code, Some(0), "{again:?}");
        assert_eq!(served.calls().len(), 42);
    }
}

#[test]
fn a_second_signal_stops_at_once_and_what_was_in_flight_is_unknown() {
    for names in [["INT", "INT"], ["TERM", "INT"]] {
        let (file, seed) = crowd();
        let served = Served::start(&seed.replace("600", "20000"));
        let story = Story::with(&file).to(&served.url());
        let args = ["apply", "--yes", "--journal", "journal.jsonl"];
        let start = Instant::now();
        let mut child = story.command(&args).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        wait_for_writes(&served, 2);
        signal(names[0], child.id());
        let mut line = String::new();
        while !line.contains("stopping") {
            line.clear();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "it said nothing");
        }
        // Within a second it would be the same stop.
        std::thread::sleep(Duration::from_millis(1_200));
        signal(names[1], child.id());
        let mut rest = String::new();
        stderr.read_to_string(&mut rest).unwrap();
        assert!(rest.contains("stopping at once"), "{rest}");
        let run = ended(child.wait_with_output().unwrap());
        assert_eq!(run.code, Some(5), "{run:?}");
        assert!(start.elapsed() < Duration::from_secs(15), "it waited for the calls in flight");
        assert!(run.stdout.contains("with an unknown outcome"), "{run:?}");
        // Whatever reached the organization is done or unknown; nothing else is.
        let lines = journal::read(&story.path("journal.jsonl")).unwrap();
        assert!(!lines.torn && lines.open_steps().is_empty());
        let Some(journal::Record::End(end)) = lines.records.last() else { panic!("{lines:?}") };
        let reached = served.calls().len();
        assert!(reached <= end.counts.done + end.counts.unknown, "{reached} {end:?}");
        assert!(end.counts.unknown > 0 && end.counts.not_started > 0, "{end:?}");
        assert_eq!(end.halted.as_deref(), Some("stopped on request"));
    }
}

#[test]
fn two_signals_within_a_second_are_one_stop() {
    let (file, seed) = crowd();
    let served = Served::start(&seed);
    let story = Story::with(&file).to(&served.url());
    let child = story.command(&["apply", "--yes"]).spawn().unwrap();
    wait_for_writes(&served, 2);
    // A runner tells every process, and the script passes its own on.
    signal("TERM", child.id());
    signal("INT", child.id());
    signal("TERM", child.id());
    let run = ended(child.wait_with_output().unwrap());
    assert_eq!(run.code, Some(5), "{run:?}");
    assert!(!run.stderr.contains("at once:"), "{run:?}");
    assert!(!run.stdout.contains("unknown"), "{run:?}");
    assert!(run.stdout.contains(&format!("apply: {} done", served.calls().len())), "{run:?}");
    // The last line says how to go on.
    let journal = story.journals().pop().unwrap();
    let line = format!("\nto go on: charter apply --resume {}\n", journal.display());
    assert!(run.stderr.ends_with(&line), "{run:?}");
}

#[test]
fn a_signal_ends_the_second_look_of_verify_too() {
    let served = Served::start(&format!(
        "{}faults: [{{on: \"GET /v1/organizations/users\", nth: 2, then: {{latency_ms: 20000}}}}]\n",
        crate::support::SEED
    ));
    let story = Story::new().to(&served.url());
    let start = Instant::now();
    let child = story.command(&["apply", "--yes", "--verify"]).spawn().unwrap();
    let users = || served.sandbox().log().reads().get("/v1/organizations/users").copied();
    while users() < Some(2) {
        assert!(start.elapsed() < Duration::from_secs(15), "it did not look again");
        std::thread::sleep(Duration::from_millis(20));
    }
    signal("INT", child.id());
    let run = ended(child.wait_with_output().unwrap());
    // Every step was done: that is what the exit code says.
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(
        run.stderr.ends_with(
            "stopped: the verification did not run; `charter plan` shows whether something is left\n"
        ),
        "{run:?}"
    );
    assert!(run.stdout.contains("apply: 2 done"), "{run:?}");
    assert!(start.elapsed() < Duration::from_secs(15), "it waited");
}
