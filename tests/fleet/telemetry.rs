//! What the log and the metrics of a run say.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Fleet, One, id, trouble};

/// The lines of a JSON log.
fn log(stderr: &str) -> Vec<Value> {
    let lines = stderr.lines().filter(|line| line.starts_with('{'));
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// The spans of a name.
fn spans<'l>(lines: &'l [Value], name: &str) -> Vec<&'l Value> {
    let closed = lines.iter().filter(|line| line["message"] == "close");
    closed.filter(|line| line["span"]["name"] == name).collect()
}

#[test]
fn every_command_request_and_step_is_a_span() {
    let slow = "faults: [{on: \"POST /v1/organizations/invites\", then: {rate_limited: {seconds: 1}}, nth: 1}]\n";
    let plain = One::plain(0);
    let fleet = Fleet::start(vec![One { seed: plain.seed + slow, ..One::plain(0) }, One::plain(1)]);
    let run = fleet.run(&["apply", "--fleet", "fleet.yaml", "--yes", "--log-format", "json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let lines = log(&run.stderr);
    // No key stands twice, which JSON readers would not tell.
    assert!(!run.stderr.contains("\"name\":\"apply\""), "{run:?}");

    let commands = spans(&lines, "command");
    assert_eq!(commands.len(), 1, "{lines:#?}");
    assert_eq!(commands[0]["span"]["command"], "apply");
    assert_eq!(commands[0]["span"]["exit_code"], 0);
    let organizations = spans(&lines, "organization");
    let ids: BTreeSet<&str> =
        organizations.iter().map(|line| line["span"]["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [id(0), id(1)].iter().map(String::as_str).collect());

    let steps = spans(&lines, "step");
    assert_eq!(steps.len(), 2, "{lines:#?}");
    for step in &steps {
        assert_eq!(step["span"]["outcome"], "done");
        assert_eq!(step["span"]["verb"], "create");
        assert!(step["span"]["request_id"].as_str().unwrap().starts_with("req_"), "{step}");
    }
    let requests = spans(&lines, "request");
    let sent: usize = (0..2).map(|number| fleet.sandbox(number).log().entries().len()).sum();
    assert_eq!(requests.len(), sent - 1, "one of them was sent twice");
    for request in &requests {
        assert!(request["span"]["request_id"].as_str().unwrap().starts_with("req_"), "{request}");
        assert_eq!(request["spans"][1]["name"], "organization", "{request}");
    }
    let again: Vec<_> = requests.iter().filter(|line| line["span"]["attempt"] == 2).collect();
    let [again] = again[..] else { panic!("{requests:#?}") };
    assert_eq!(again["span"]["method"], "POST");
    assert!(again["span"]["wait_ms"].as_u64().unwrap() >= 900, "{again}");
    assert!(again["span"]["took_ms"].as_u64() >= again["span"]["wait_ms"].as_u64(), "{again}");
    assert_eq!(again["spans"][1]["id"], id(0));
    assert_eq!(again["spans"][2]["address"], "member/p0@acme.com");
    let told = lines.iter().find(|line| line["message"] == "request again").unwrap();
    assert_eq!(told["attempt"], 1);
    assert!(told["request_id"].as_str().unwrap().starts_with("req_"), "{told}");
}

#[test]
fn without_a_wish_there_is_no_log() {
    let fleet = Fleet::start(vec![One::plain(0)]);
    let run = fleet.run(&["plan", "--fleet", "fleet.yaml"]);
    assert_eq!(run.stderr, "");
    let run = fleet.run(&["plan", "--fleet", "fleet.yaml", "-vv"]);
    // Each line says whom it is about.
    let about = format!("organization{{id=\"{}\"}}: orgcharter::api: request ", id(0));
    let lines: Vec<&str> = run.stderr.lines().filter(|l| l.contains("api: request ")).collect();
    assert!(!lines.is_empty() && lines.iter().all(|line| line.contains(&about)), "{run:?}");
    // Alone there is nobody else.
    let run = fleet.run(&["plan", "o000", "--sandbox", "-vv"]);
    assert!(run.stderr.contains("orgcharter::api: request method=\"GET\""), "{run:?}");
    assert!(!run.stderr.contains("organization{"), "{run:?}");
}

/// The value of a series, by its name and its labels.
fn value(text: &str, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let fits = |line: &&str| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with('{'))
            && labels.iter().all(|(name, value)| line.contains(&format!("{name}=\"{value}\"")))
    };
    let mut found = text.lines().filter(fits);
    let line = found.next()?;
    assert_eq!(found.next(), None, "{labels:?} is not one series");
    line.rsplit_once(' ')?.1.parse().ok()
}

#[test]
fn all_organizations_of_a_fleet_are_in_one_file_also_those_that_failed() {
    let (organizations, codes): (Vec<One>, Vec<i64>) = (0..20).map(trouble).unzip();
    let fleet = Fleet::start(organizations);
    let path = fleet.folder.path().join("charter.prom");
    let args = ["drift", "--fleet", "fleet.yaml", "--metrics-file", "charter.prom"];
    let run = fleet.run(&args);
    assert_eq!(run.code, Some(3), "{run:?}");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("hush"), "{text}");
    let of = |text: &str, number: usize, name: &str, more: &[(&str, &str)]| {
        let id = id(number);
        let plain = [("organization", &*id), ("command", "drift")];
        value(text, name, &[&plain[..], more].concat())
    };
    for (number, code) in codes.iter().enumerate() {
        // Drift refuses nothing, and finds what differs.
        let looked = matches!(code, 0 | 4);
        let code = if looked { 2.0 } else { f64::from(i32::try_from(*code).unwrap()) };
        assert_eq!(of(&text, number, "charter_exit_code", &[]), Some(code), "{number}");
        let succeeded = of(&text, number, "charter_last_success_timestamp_seconds", &[]);
        assert_eq!(succeeded.is_some(), looked, "{number}");
        let ready = of(&text, number, "charter_drift_objects", &[("state", "ready")]);
        let planned = if number == 11 { 6.0 } else { 1.0 };
        assert_eq!(ready, looked.then_some(planned), "{number}");
        assert!(of(&text, number, "charter_run_duration_seconds", &[]).is_some(), "{number}");
    }
    let requests =
        |text: &str, number, class| of(text, number, "charter_requests_total", &[("class", class)]);
    assert_eq!(requests(&text, 0, "2xx"), Some(3.0));
    assert_eq!(requests(&text, 3, "4xx"), Some(1.0));
    assert_eq!(requests(&text, 7, "5xx"), Some(1.0));

    // It is another program that reads it.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644, "{mode:o}");
    }
    let others: Vec<_> = std::fs::read_dir(fleet.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('o') && name != "fleet.yaml" && name != "charter.prom")
        .collect();
    assert_eq!(others, Vec::<String>::new());

    // Counters go on, and what another command does stands beside it.
    fleet.run(&args);
    fleet.run(&["apply", "--fleet", "fleet.yaml", "--yes", "--metrics-file", "charter.prom"]);
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(requests(&text, 0, "2xx"), Some(6.0));
    let (first, done) = (id(0), [("command", "apply"), ("outcome", "done")]);
    let labels = [&done[..], &[("organization", &*first)]].concat();
    assert_eq!(value(&text, "charter_steps_total", &labels), Some(1.0));

    // A fleet that cannot be read is a failure too, and forgets nobody.
    std::fs::write(fleet.folder.path().join("fleet.yaml"), "version: [").unwrap();
    let run = fleet.run(&args);
    assert_eq!(run.code, Some(3), "{run:?}");
    let text = std::fs::read_to_string(&path).unwrap();
    let nobody = [("organization", ""), ("command", "drift")];
    assert_eq!(value(&text, "charter_exit_code", &nobody), Some(3.0));
    assert!(of(&text, 0, "charter_last_success_timestamp_seconds", &[]).is_some());
    assert_eq!(requests(&text, 0, "2xx"), Some(6.0));
}

#[test]
fn one_organization_has_metrics_too_whatever_becomes_of_it() {
    let fleet = Fleet::start(vec![One::plain(0)]);
    let metrics = |args: &[&str]| {
        let run = fleet.run(&[args, &["o000", "--metrics-file", "one.prom"]].concat());
        (run, std::fs::read_to_string(fleet.folder.path().join("one.prom")).unwrap())
    };
    // The key in the usual variable is nobody's.
    let (run, text) = metrics(&["plan"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let one = id(0);
    let labels = [("organization", &*one), ("command", "plan")];
    assert_eq!(value(&text, "charter_exit_code", &labels), Some(1.0));
    let (run, text) = metrics(&["plan", "--sandbox"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(value(&text, "charter_exit_code", &labels), Some(0.0));
}

#[test]
fn a_file_of_something_else_is_not_replaced() {
    let fleet = Fleet::start(vec![One::plain(0)]);
    let plan = |path: &str| fleet.run(&["plan", "--fleet", "fleet.yaml", "--metrics-file", path]);
    for (path, why) in [
        ("fleet.yaml", "holds something else than metrics of charter"),
        ("o000", "`o000` is a folder"),
        ("no/where.prom", "its folder does not exist"),
    ] {
        let run = plan(path);
        assert_eq!((run.code, &*run.stdout), (Some(3), ""), "{run:?}");
        assert!(run.stderr.contains(why), "{run:?}");
    }
    assert!(fleet.sandbox(0).log().entries().is_empty());
    let text = std::fs::read_to_string(fleet.folder.path().join("fleet.yaml")).unwrap();
    assert!(text.starts_with("version: 1"), "{text}");
}

#[test]
fn two_organizations_that_share_a_file_keep_their_metrics() {
    let fleet = Fleet::start((0..2).map(One::plain).collect());
    for folder in ["o000", "o001", "o000"] {
        let args = ["drift", folder, "--sandbox", "--metrics-file", "both.prom"];
        assert_eq!(fleet.run(&args).code, Some(2));
    }
    let text = std::fs::read_to_string(fleet.folder.path().join("both.prom")).unwrap();
    for (number, requests) in [(0, 6.0), (1, 3.0)] {
        let one = id(number);
        let labels = [("organization", &*one), ("command", "drift")];
        assert_eq!(value(&text, "charter_exit_code", &labels), Some(2.0), "{text}");
        let read = [&labels[..], &[("class", "2xx")]].concat();
        assert_eq!(value(&text, "charter_requests_total", &read), Some(requests), "{text}");
    }
}

#[test]
fn the_metrics_tell_which_part_of_how_many_it_was() {
    let fleet = Fleet::start((0..4).map(One::plain).collect());
    let parts = |args: &[&str]| {
        let run = fleet.run(&[args, &["--metrics-file", "charter.prom"]].concat());
        assert_eq!(run.code, Some(2), "{run:?}");
        let text = std::fs::read_to_string(fleet.folder.path().join("charter.prom")).unwrap();
        let parts = text.lines().filter(|line| line.starts_with("charter_fleet_parts{"));
        parts.map(str::to_owned).collect::<Vec<_>>()
    };
    let part = |part| vec![format!("charter_fleet_parts{{command=\"drift\",part=\"{part}\"}} 2")];
    assert_eq!(parts(&["drift", "--fleet", "fleet.yaml", "--shard", "0/2"]), part(2));
    assert_eq!(parts(&["drift", "--fleet", "fleet.yaml", "--shard", "1/2"]), part(1));
    assert_eq!(parts(&["drift", "--fleet", "fleet.yaml"]), Vec::<String>::new());
}
