//! `plan` and `drift` of fleets.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Fleet, One, id, key, trouble};

#[test]
fn two_hundred_organizations_are_planned_each_for_itself() {
    let (organizations, codes): (Vec<One>, Vec<i64>) = (0..200).map(trouble).unzip();
    let fleet = Fleet::start(organizations);
    let start = Instant::now();
    let run = fleet.run(&["plan", "--fleet", "fleet.yaml", "--format", "json"]);
    let took = start.elapsed();
    assert!(took < Duration::from_secs(5), "it took {took:?}");
    assert_eq!(run.code, Some(3), "{}", run.stderr);

    let value: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(value["exit_code"], 3);
    let rows = value["organizations"].as_array().unwrap();
    let ids: Vec<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids, (0..200).map(id).collect::<Vec<_>>());
    for (number, (row, code)) in rows.iter().zip(&codes).enumerate() {
        assert_eq!(row["exit_code"], *code, "{row}");
        let told = row["error"]["message"].as_str().unwrap_or_default();
        let expected = match number % 20 {
            3 => "401",
            7 => "500",
            11 => "a guard refuses this plan: removals.members",
            13 => "the files are wrong",
            17 => "is not set",
            _ => "",
        };
        assert!(told.contains(expected) && told.is_empty() == expected.is_empty(), "{told}");
        // Whose organization it is was seen with its own key, and nobody else's people are in it.
        let planned = matches!(code, 0 | 4);
        assert_eq!(!row["plan"].is_null(), planned, "{row}");
        if planned {
            assert_eq!(row["plan"]["organization"]["name"], format!("Acme {number}"));
            assert_eq!(row["plan"]["observed"]["credential"], format!("KEY_{number}"));
            let steps = row["plan"]["steps"].to_string();
            assert!(steps.contains(&format!("p{number}@acme.com")), "{steps}");
        }
    }
    fleet.assert_nothing_crossed();
    for number in 0..200 {
        let asked = fleet.sandbox(number).log().entries().len();
        assert_eq!(asked == 0, matches!(number % 20, 3 | 13 | 17), "{number}: {asked}");
    }
}

#[test]
fn sections_come_in_the_order_of_the_file_and_never_mixed() {
    // The first ones answer last.
    let organizations = (0..6).map(|number| {
        let one = match number {
            2 => One { credential: Some(key(2)), ..trouble(11).0 },
            _ => trouble(number).0,
        };
        let late = format!(
            "faults: [{{on: \"GET /v1/organizations/users\", then: {{latency_ms: {}}}}}]\n",
            400 - 60 * number
        );
        One { seed: format!("{}{late}", one.seed), ..one }
    });
    let fleet = Fleet::start(organizations.collect());
    let run = fleet.run(&["plan", "--fleet", "fleet.yaml"]);
    assert_eq!(run.code, Some(4), "{run:?}");
    let (sections, table) = run.stdout.split_once("\n\norganization ").unwrap();
    let sections: Vec<&str> = sections.split("=== ").skip(1).collect();
    assert_eq!(sections.len(), 6, "{run:?}");
    for (number, section) in sections.iter().enumerate() {
        assert!(section.starts_with(&format!("o{number:03} {}\n", id(number))), "{section}");
        assert_eq!(section.contains("plan: 1 to create"), number != 3, "{section}");
    }
    let rows: Vec<&str> = table.lines().skip(1).collect();
    assert!(rows[0].ends_with("6     0         0        0  refused     4"), "{table}");
    assert!(rows[1].ends_with("-     -         -        -  failed      1"), "{table}");
    assert!(run.stderr.contains("error: o002: a guard refuses this plan"), "{run:?}");
    assert_eq!(rows[6], "fleet: 6 organizations: 1 failed, 4 ok, 1 refused; exit 4");
    fleet.assert_nothing_crossed();
}

#[test]
fn drift_of_any_is_drift_of_the_fleet() {
    let fleet = Fleet::start((0..3).map(One::plain).collect());
    let run = fleet.run(&["drift", "--fleet", "fleet.yaml"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert_eq!(run.stdout.matches("\ndrift: 1 for apply\n").count(), 3, "{run:?}");
    assert!(run.stdout.ends_with("\nfleet: 3 organizations: 3 changes; exit 2\n"), "{run:?}");
    let run = fleet.run(&["drift", "--fleet", "fleet.yaml", "--fail-on", "manual"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    // Beside a document, talk still says whom it is about.
    let run = fleet.run(&["drift", "--fleet", "fleet.yaml", "--format", "json"]);
    let talk = (0..3).map(|n| format!("=== o{n:03} {}\ndrift: 1 for apply\n", id(n)));
    assert_eq!(run.stderr, talk.collect::<String>());
    let value: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&value["command"], &value["exit_code"]), (&"drift".into(), &2.into()));
}

#[test]
fn a_part_of_the_fleet_asks_its_own_organizations_only() {
    let fleet = Fleet::start((0..12).map(One::plain).collect());
    let mut shown = 0;
    // Counted from 0, as an indexed job does.
    for part in 0..3 {
        let part = format!("{part}/3");
        let run = fleet.run(&["plan", "--fleet", "fleet.yaml", "--shard", &part]);
        assert_eq!(run.code, Some(0), "{run:?}");
        shown += run.stdout.matches("plan: 1 to create").count();
    }
    assert_eq!(shown, 12);
    for number in 0..12 {
        let log = fleet.sandbox(number).log();
        let asked = log.entries().iter().filter(|entry| entry.target.ends_with("/me")).count();
        assert_eq!(asked, 1, "{number}");
    }
}

#[test]
fn a_pod_for_which_there_is_no_part_is_refused() {
    let fleet = Fleet::start(vec![One::plain(0)]);
    let run = |index: &str, shard: &str| {
        let mut command = fleet.command(&["plan", "--fleet", "fleet.yaml", "--shard", shard]);
        command.env("JOB_COMPLETION_INDEX", index);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    // Six completions, and four parts: the fifth pod would read what the first one reads.
    let (code, said) = run("4", "4/4");
    assert_eq!(code, Some(3), "{said}");
    assert!(
        said.contains("`--shard 4/4` is part 0/4 once more: this pod has the number 4"),
        "{said}"
    );
    assert!(said.contains("set `completions` of the Job to 4"), "{said}");
    assert_eq!(run("5", "5/4").0, Some(3));
    // Whoever counts from 1 has a last part.
    for (index, shard) in [("3", "4/4"), ("0", "0/4"), ("3", "3/4")] {
        assert_eq!(run(index, shard).0, Some(0), "{shard}");
    }
    crate::contract::clean();
}

#[test]
fn a_fleet_that_is_wrong_is_refused_before_anybody_is_asked() {
    let fleet = Fleet::start((0..3).map(One::plain).collect());
    let path = fleet.folder.path().join("fleet.yaml");
    let text = std::fs::read_to_string(&path).unwrap().replace("folder: o002", "folder: o001");
    std::fs::write(&path, text).unwrap();
    let run = fleet.run(&["drift", "--fleet", "fleet.yaml"]);
    assert_eq!((run.code, &*run.stdout), (Some(3), ""), "{run:?}");
    assert!(run.stderr.contains("error[fleet/folder-twice]"), "{run:?}");
    assert!(run.stderr.contains("fleet.yaml:5:50"), "{run:?}");
    assert!((0..3).all(|number| fleet.sandbox(number).log().entries().is_empty()));
}

#[test]
fn what_means_one_organization_is_refused_with_a_fleet() {
    let fleet = Fleet::start(vec![One::plain(0)]);
    for (args, option) in [
        (&["--out", "plan.json"][..], "`--out`"),
        (&["--allow", "archives=1"], "`--allow`"),
        (&["--base-path", "o000"], "`--base-path`"),
        (&["--format", "markdown"], "`--format markdown`"),
        (&["o000"], "'[PATH]'"),
    ] {
        let run = fleet.run(&[&["plan", "--fleet", "fleet.yaml"], args].concat());
        assert_eq!((run.code, &*run.stdout), (Some(3), ""), "{run:?}");
        assert!(run.stderr.contains(option) && run.stderr.contains("--fleet"), "{run:?}");
    }
    let run = fleet.run(&["plan", "--shard", "1/2"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(fleet.sandbox(0).log().entries().is_empty());
}

#[test]
fn with_redact_folders_are_not_shown_either() {
    let fleet = Fleet::start(vec![One::plain(0)]);
    let mut command = fleet.command(&["plan", "--fleet", "fleet.yaml", "--redact"]);
    let output = command.env("CHARTER_REDACT_KEY", "0123456789abcdef").output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{shown}");
    assert!(shown.starts_with(&format!("=== {}\n", id(0))), "{shown}");
    assert!(!shown.contains("p0@acme.com") && !shown.contains("Acme"), "{shown}");
    assert!(shown.contains("\norganization                          ready "), "{shown}");
}
