//! What a file of metrics keeps, and what it forgets.
//!
//! Invariant: nothing here runs a command.

use super::*;

const AT: i64 = 1_795_386_000;

fn run(organization: &str, exit: Exit, later: i64) -> Run {
    let meter = Meter::default();
    for status in [Some(200), Some(204), Some(302), Some(404), Some(429), Some(503), None] {
        meter.count(status);
    }
    Run {
        organization: organization.to_owned(),
        exit,
        at: Timestamp::from_second(AT + later).unwrap(),
        took: Duration::from_micros(1_234_567),
        drift: None,
        tally: None,
        requests: meter.requests(),
    }
}

fn labels(organization: &str, command: &str, more: &[(&str, &str)]) -> Labels {
    let plain = [("organization", organization), ("command", command)];
    plain
        .iter()
        .chain(more)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// After runs of `drift`, one after the other.
fn after(runs: &[&[Run]]) -> Metrics {
    runs.iter().fold(Metrics::default(), |metrics, runs| merged(metrics, runs, "drift", true))
}

#[allow(clippy::cast_precision_loss, reason = "a time of this century")]
fn time(later: i64) -> f64 {
    (AT + later) as f64
}

#[test]
fn a_run_is_told_with_all_it_came_to() {
    let counts = Counts { ready: 1, deferred: 2, manual: 3, held: 4 };
    let drifted = Run { drift: Some((counts, 5)), ..run("a", Exit::Changes, 0) };
    let metrics = after(&[&[drifted]]);
    let of = |more: &[(&str, &str)]| labels("a", "drift", more);
    for (state, number) in
        [("ready", 1.0), ("deferred", 2.0), ("manual", 3.0), ("held", 4.0), ("unmanaged", 5.0)]
    {
        assert_eq!(metrics.get(DRIFT, &of(&[("state", state)])), Some(number), "{state}");
    }
    for (class, number) in [("2xx", 2.0), ("3xx", 1.0), ("4xx", 2.0), ("5xx", 1.0), ("none", 1.0)] {
        assert_eq!(metrics.get(REQUESTS, &of(&[("class", class)])), Some(number), "{class}");
    }
    assert_eq!(metrics.get(EXIT_CODE, &of(&[])), Some(2.0));
    assert_eq!(metrics.get(DURATION, &of(&[])), Some(1.235));
    assert_eq!(metrics.get(LAST_RUN, &of(&[])), Some(time(0)));
    assert_eq!(metrics.get(LAST_SUCCESS, &of(&[])), Some(time(0)));
    assert_eq!(metrics.get(STEPS, &of(&[("outcome", "done")])), None);
}

#[test]
fn steps_are_told_by_outcome_and_no_drift_with_them() {
    let tally = Tally {
        done: 1,
        partly: 8,
        failed: 2,
        skipped: 3,
        manual: 4,
        waiting: 5,
        unknown: 6,
        not_started: 7,
    };
    let drift = Some((Counts::default(), 0));
    let applied = Run { tally: Some(tally), drift, ..run("a", Exit::Partly, 0) };
    let metrics = merged(
        merged(Metrics::default(), std::slice::from_ref(&applied), "apply", true),
        &[applied],
        "apply",
        true,
    );
    let outcomes =
        ["done", "failed", "skipped", "manual", "waiting", "unknown", "not_started", "partly"];
    let found =
        outcomes.map(|word| metrics.get(STEPS, &labels("a", "apply", &[("outcome", word)])));
    assert_eq!(found, [2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0].map(Some));
    assert_eq!(metrics.get(DRIFT, &labels("a", "apply", &[("state", "ready")])), None);
}

#[test]
fn a_failure_keeps_the_time_of_the_last_success_and_what_was_counted() {
    let metrics = after(&[&[run("a", Exit::Done, 0)], &[run("a", Exit::Failed, 60)]]);
    let of = labels("a", "drift", &[]);
    assert_eq!(metrics.get(LAST_SUCCESS, &of), Some(time(0)));
    assert_eq!(metrics.get(LAST_RUN, &of), Some(time(60)));
    assert_eq!(metrics.get(EXIT_CODE, &of), Some(1.0));
    let ok = labels("a", "drift", &[("class", "2xx")]);
    assert_eq!(metrics.get(REQUESTS, &ok), Some(4.0));
}

#[test]
fn an_organization_that_is_not_in_the_fleet_any_more_is_forgotten() {
    let both = [run("a", Exit::Done, 0), run("b", Exit::Done, 0)];
    let metrics = after(&[&both, &[run("a", Exit::Done, 60)]]);
    assert_eq!(metrics.get(LAST_SUCCESS, &labels("b", "drift", &[])), None);
    assert_eq!(metrics.get(LAST_SUCCESS, &labels("a", "drift", &[])), Some(time(60)));
}

#[test]
fn a_run_for_nobody_known_forgets_nobody() {
    let metrics = after(&[&[run("a", Exit::Done, 0)], &[run("", Exit::Usage, 60)]]);
    assert_eq!(metrics.get(LAST_SUCCESS, &labels("a", "drift", &[])), Some(time(0)));
    assert_eq!(metrics.get(EXIT_CODE, &labels("", "drift", &[])), Some(3.0));
    // How `a` ended is of another run, and not of this one.
    assert_eq!(metrics.get(EXIT_CODE, &labels("a", "drift", &[])), None);
    let metrics = merged(metrics, &[run("a", Exit::Done, 120)], "drift", true);
    assert_eq!(metrics.get(EXIT_CODE, &labels("", "drift", &[])), None);
}

#[test]
fn what_other_commands_left_stays() {
    let metrics = merged(Metrics::default(), &[run("a", Exit::Refused, 0)], "apply", true);
    let metrics = merged(metrics, &[run("b", Exit::Done, 60)], "drift", true);
    assert_eq!(metrics.get(EXIT_CODE, &labels("a", "apply", &[])), Some(4.0));
    assert_eq!(metrics.get(EXIT_CODE, &labels("b", "drift", &[])), Some(0.0));
}

#[test]
fn a_run_for_one_organization_leaves_what_others_have_come_to() {
    let one = |metrics, run: Run| merged(metrics, &[run], "drift", false);
    let metrics = one(Metrics::default(), run("a", Exit::Changes, 0));
    // It failed before it was known for whom.
    let metrics = one(metrics, run("", Exit::Usage, 30));
    assert_eq!(metrics.get(EXIT_CODE, &labels("", "drift", &[])), Some(3.0));
    let metrics = one(metrics, run("b", Exit::Done, 60));
    assert_eq!(metrics.get(EXIT_CODE, &labels("a", "drift", &[])), Some(2.0));
    assert_eq!(metrics.get(EXIT_CODE, &labels("b", "drift", &[])), Some(0.0));
    assert_eq!(metrics.get(EXIT_CODE, &labels("", "drift", &[])), None);
    let requests =
        |organization| metrics.get(REQUESTS, &labels(organization, "drift", &[("class", "2xx")]));
    assert_eq!((requests("a"), requests("b")), (Some(2.0), Some(2.0)));
}

#[test]
fn one_that_was_stopped_keeps_what_the_run_before_has_come_to() {
    let metrics = after(&[&[run("a", Exit::Done, 0)], &[run("a", Exit::Terminated, 60)]]);
    let value = |family| metrics.get(family, &labels("a", "drift", &[]));
    assert_eq!(value(EXIT_CODE), Some(143.0));
    assert_eq!(value(LAST_RUN), Some(time(0)));
    assert_eq!(value(DURATION), Some(1.235));
    let requests = metrics.get(REQUESTS, &labels("a", "drift", &[("class", "2xx")]));
    assert_eq!(requests, Some(4.0), "what was asked was asked");
}

#[test]
fn the_last_run_of_a_command_tells_its_part_of_the_fleet() {
    let of = |command: &str, part: &str| -> Labels {
        [("command", command), ("part", part)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    };
    let shard = |text: &str| Some(Shard::parse(text).unwrap());
    let mut metrics = Metrics::default();
    record_part(&mut metrics, "drift", shard("3/10"));
    record_part(&mut metrics, "plan", shard("0/4"));
    assert_eq!(metrics.get(PARTS, &of("drift", "3")), Some(10.0));
    // For those who count from 0 it is the last one.
    assert_eq!(metrics.get(PARTS, &of("plan", "4")), Some(4.0));
    record_part(&mut metrics, "drift", shard("2/5"));
    assert_eq!(metrics.get(PARTS, &of("drift", "3")), None);
    assert_eq!(metrics.get(PARTS, &of("drift", "2")), Some(5.0));
    record_part(&mut metrics, "drift", None);
    assert_eq!(metrics.get(PARTS, &of("drift", "2")), None);
    assert_eq!(metrics.get(PARTS, &of("plan", "4")), Some(4.0));
}
