//! `apply` of fleets.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::support::{Fleet, One, id, trouble};

/// The journals in a folder.
fn journals(folder: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("charter-journal-")).collect()
}

#[test]
fn every_organization_is_applied_for_itself() {
    let (organizations, codes): (Vec<One>, Vec<i64>) = (0..40).map(trouble).unzip();
    let fleet = Fleet::start(organizations);
    let start = Instant::now();
    let run = fleet.run(&["apply", "--fleet", "fleet.yaml", "--yes"]);
    assert!(start.elapsed() < Duration::from_secs(5), "it took {:?}", start.elapsed());
    assert_eq!(run.code, Some(3), "{run:?}");
    fleet.assert_nothing_crossed();
    for (number, code) in codes.iter().enumerate() {
        // Whoever was planned got the one invite of its own files, and nobody else anything.
        let calls = fleet.sandbox(number).log().calls();
        let invited = format!(
            "POST /v1/organizations/invites {{\"email\":\"p{number}@acme.com\",\"role\":\"user\"}}"
        );
        assert_eq!(calls, if *code == 0 { vec![invited] } else { vec![] }, "{number}");
        let kept = journals(&fleet.state.path().join("charter/journals"));
        let own = kept.iter().filter(|name| name.contains(&id(number))).count();
        assert_eq!(own, usize::from(*code == 0), "{kept:?}");
        let files = std::fs::read_dir(fleet.folder.path().join(format!("o{number:03}"))).unwrap();
        assert_eq!(files.count(), 1, "nothing of it is in the work tree");
    }
    let table = run.stdout.split_once("\n\norganization ").unwrap().1;
    let rows: Vec<&str> = table.lines().skip(1).collect();
    // What somebody has to look at comes first: the gravest, then in the order of the file.
    let codes: Vec<&str> = rows[..40].iter().map(|row| row.rsplit(' ').next().unwrap()).collect();
    let expected = [vec!["3"; 2], vec!["4"; 2], vec!["1"; 6], vec!["0"; 30]].concat();
    assert_eq!(codes, expected, "{table}");
    assert!(rows[0].contains(" o013 ") && rows[1].contains(" o033 "), "{table}");
    assert!(
        rows[10].ends_with("o000       1       0     0         0        0  ok            0"),
        "{table}"
    );
    assert!(
        rows[2].ends_with("o011       -       -     0         0        0  refused       4"),
        "{table}"
    );
    assert!(rows[40].ends_with("2 bad files, 6 failed, 30 ok, 2 refused; exit 3"), "{table}");
    // What is done is done: the next run waits for people to accept.
    let run = fleet.run(&["apply", "--fleet", "fleet.yaml", "--yes"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!((0..40).all(|number| fleet.sandbox(number).log().calls().len() <= 1));
}

#[test]
fn journals_go_to_one_folder_if_asked_each_with_its_organization() {
    let fleet = Fleet::start((0..3).map(One::plain).collect());
    std::fs::create_dir(fleet.folder.path().join("journals")).unwrap();
    let run = fleet.run(&["apply", "--fleet", "fleet.yaml", "--yes", "--journal", "journals"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let mut kept = journals(&fleet.folder.path().join("journals"));
    kept.sort();
    for (number, name) in kept.iter().enumerate() {
        assert!(name.starts_with(&format!("charter-journal-{}-", id(number))), "{name}");
        let text =
            std::fs::read_to_string(fleet.folder.path().join("journals").join(name)).unwrap();
        assert!(text.contains(&format!("p{number}@acme.com")), "{text}");
    }
    assert_eq!(kept.len(), 3);
}

#[test]
fn an_archive_is_acknowledged_by_the_digest_of_its_own_organization() {
    let archive = |number: usize| {
        let plain = One::plain(number);
        let file = "guard: {archives: 1}\nworkspaces:\n  Scratch: {id: wrkspc_01scratch, state: archived}\n";
        let seed = "workspaces:\n  - {name: Scratch, id: wrkspc_01scratch}\n";
        One { file: plain.file + file, seed: plain.seed + seed, ..One::plain(number) }
    };
    let fleet = Fleet::start((0..2).map(archive).collect());
    let args = ["apply", "--fleet", "fleet.yaml", "--yes"];
    let run = fleet.run(&args);
    assert_eq!(run.code, Some(4), "{run:?}");
    let digests: Vec<&str> =
        run.stdout.lines().filter_map(|l| l.trim().strip_prefix("--ack ")).collect();
    assert_eq!(digests.len(), 2);
    assert_ne!(digests[0], digests[1]);
    let run = fleet.run(&[&args[..], &["--ack", digests[1]]].concat());
    assert_eq!(run.code, Some(4), "{run:?}");
    assert!(fleet.sandbox(0).log().calls().is_empty());
    assert_eq!(fleet.sandbox(1).log().calls().len(), 2, "{run:?}");
}

#[test]
fn without_a_terminal_and_without_yes_nobody_is_asked() {
    let fleet = Fleet::start(vec![One::plain(0)]);
    let run = fleet.run(&["apply", "--fleet", "fleet.yaml"]);
    assert_eq!((run.code, &*run.stdout), (Some(3), ""), "{run:?}");
    assert!(fleet.sandbox(0).log().entries().is_empty());
}

/// Runs it on a terminal, where somebody types.
#[cfg(target_os = "linux")]
fn typed(fleet: &Fleet, args: &str, answer: &str) -> (Option<i32>, String) {
    typed_after(fleet, "", args, answer)
}

/// The same, after other commands of the shell.
#[cfg(target_os = "linux")]
fn typed_after(fleet: &Fleet, first: &str, args: &str, answer: &str) -> (Option<i32>, String) {
    use std::io::Write as _;
    // Only for its variables and its folder.
    let charter = fleet.command(&[]);
    let line = format!("{first}exec {} {args}", env!("CARGO_BIN_EXE_charter"));
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .current_dir(fleet.folder.path())
        .env_clear()
        .envs(charter.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut shown, mut byte) = (Vec::new(), [0]);
    while !shown.ends_with(b"to go on: ") && stdout.read(&mut byte).unwrap() > 0 {
        shown.push(byte[0]);
    }
    // Whoever types Ctrl-C types no line.
    let end = if answer == "\u{3}" { "" } else { "\n" };
    write!(stdin, "{answer}{end}").unwrap();
    stdout.read_to_end(&mut shown).unwrap();
    let shown = String::from_utf8(shown).unwrap();
    (child.wait().unwrap().code(), shown.replace("\r\n", "\n"))
}

#[test]
#[cfg(target_os = "linux")]
fn one_answer_is_for_all_and_comes_after_all_plans() {
    let fleet = Fleet::start((0..12).map(|number| trouble(number).0).collect());
    let writes = || -> usize { (0..12).map(|n| fleet.sandbox(n).log().calls().len()).sum() };
    let (code, shown) = typed(&fleet, "apply --fleet fleet.yaml", "no");
    assert!(shown.contains("error: not confirmed: nothing was changed"), "{shown}");
    assert_eq!((code, writes()), (Some(4), 0), "{shown}");

    let (code, shown) = typed(&fleet, "apply --fleet fleet.yaml", "yes");
    assert_eq!((code, writes()), (Some(4), 9), "{shown}");
    let (plans, rest) = shown.split_once("\nthis will be done in Acme 0 ").unwrap();
    let (question, done) = rest.split_once("type `yes` to go on: ").unwrap();
    assert_eq!(plans.matches("=== ").count(), 12, "{shown}");
    assert_eq!(question.matches("this will be done in ").count(), 8, "{shown}");
    assert!(!plans.contains("apply: ") && !question.contains(&id(11)), "{shown}");
    assert_eq!(done.matches("apply: 1 done").count(), 9, "{shown}");
    assert!(done.contains("fleet: 12 organizations: 2 failed, 9 ok, 1 refused; exit 4"), "{shown}");
}

#[test]
fn a_signal_lets_those_in_flight_finish_and_begins_no_other() {
    let slow = |number: usize| {
        let plain = One::plain(number);
        let late = "faults: [{on: \"POST /v1/organizations/invites\", then: {latency_ms: 1500}}]\n";
        One { seed: plain.seed + late, ..One::plain(number) }
    };
    let fleet = Fleet::start((0..40).map(slow).collect());
    let mut command = fleet.command(&["apply", "--fleet", "fleet.yaml", "--yes"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let writes = |fleet: &Fleet| -> usize {
        (0..40).map(|number| fleet.sandbox(number).log().calls().len()).sum()
    };
    let start = Instant::now();
    while writes(&fleet) < 2 {
        assert!(start.elapsed() < Duration::from_secs(30), "nothing was written");
        std::thread::sleep(Duration::from_millis(10));
    }
    let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert!(line.starts_with("stopping: the calls in flight finish, no other"), "{line}");
    let mut stdout = String::new();
    // Beside each other, since either may be full.
    let talk = std::thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).unwrap();
        text
    });
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    let (code, talk) = (child.wait().unwrap().code(), talk.join().unwrap());
    // Whatever was begun is done, and the others are as they were.
    assert_eq!(code, Some(143), "{stdout}\n{talk}");
    let done = stdout.matches("apply: 1 done").count();
    assert_eq!(done, writes(&fleet), "{stdout}");
    assert!((2..=16).contains(&done), "{done}");
    let table = stdout.split_once("\n\norganization ").unwrap().1;
    let (ok, left) = (done, 40 - done);
    assert_eq!(table.matches("  not begun  ").count(), left, "{table}");
    let sum = format!("fleet: 40 organizations: {left} not begun, {ok} ok; exit 143");
    assert!(table.trim_end().ends_with(&sum), "{table}");
    let told =
        format!("error: {left} organizations of 40: stopped by SIGTERM: nothing was changed");
    assert!(talk.contains(&told), "{talk}");
    let kept = journals(&fleet.state.path().join("charter/journals"));
    assert!((done..=16).contains(&kept.len()), "what was not begun has no journal: {kept:?}");
    // Running again does the rest.
    (0..40).for_each(|number| fleet.sandbox(number).with(|state| state.faults.clear()));
    let run = fleet.run(&["apply", "--fleet", "fleet.yaml", "--yes"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(writes(&fleet), 40);
}

#[test]
#[cfg(target_os = "linux")]
fn ctrl_c_at_the_question_begins_no_organization() {
    let fleet = Fleet::start((0..18).map(One::plain).collect());
    let (code, shown) = typed(&fleet, "apply --fleet fleet.yaml", "\u{3}");
    assert_eq!(code, Some(130), "{shown}");
    assert!((0..18).all(|number| fleet.sandbox(number).log().calls().is_empty()), "{shown}");
    assert!(shown.contains("fleet: 18 organizations: 18 not begun; exit 130"), "{shown}");
    assert!(shown.contains("stopped by Ctrl-C: nothing was changed"), "{shown}");
    let folder = fleet.state.path().join("charter/journals");
    assert!(!folder.exists(), "what was not begun has no journal");
}

#[test]
#[cfg(target_os = "linux")]
fn while_the_question_waits_no_connection_is_open() {
    let fleet = Fleet::start((0..220).map(One::plain).collect());
    let args = "apply --fleet fleet.yaml";
    let (code, shown) = typed_after(&fleet, "ulimit -n 160; ", args, "yes");
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("fleet: 220 organizations: 220 ok; exit 0"), "{shown}");
}

#[test]
fn what_passes_a_guard_is_offered_for_one_organization_alone() {
    let one = trouble(11).0;
    let fleet = Fleet::start(vec![One { credential: One::plain(0).credential, ..one }]);
    let run = fleet.run(&["apply", "--fleet", "fleet.yaml", "--yes"]);
    assert_eq!(run.code, Some(4), "{run:?}");
    let said = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let command = "ANTHROPIC_ADMIN_KEY=\"$KEY_0\" charter apply o000 --allow removals.members=5";
    assert!(said(&run.stdout).contains(command), "{run:?}");
    assert!(said(&run.stdout).contains("for this organization alone"), "{run:?}");
    assert!(
        said(&run.stderr).contains(
            "charter apply FOLDER --allow removals.members=5` for this organization alone"
        ),
        "{run:?}"
    );
    assert!(!said(&run.stderr).contains("run again with"), "{run:?}");
}

#[test]
fn an_organization_that_another_apply_works_on_is_refused_and_the_others_are_applied() {
    let fleet = Fleet::start((0..3).map(One::plain).collect());
    let folder = fleet.state.path().join("charter/locks");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{}.lock", id(1)));
    std::fs::write(&path, r#"{"pid": 4242, "since": "2026-12-01T04:17:00Z", "host": "night"}"#)
        .unwrap();
    let other = std::fs::File::open(&path).unwrap();
    other.lock().unwrap();
    let run = fleet.run(&["apply", "--fleet", "fleet.yaml", "--yes"]);
    assert_eq!(run.code, Some(4), "{run:?}");
    let said = format!(
        "another apply to the organization `{}` is running: process 4242 on `night`, since 2026-12-01T04:17:00Z; nothing was \
         changed here",
        id(1)
    );
    assert!(run.stderr.contains(&said), "{run:?}");
    assert!(run.stdout.contains("fleet: 3 organizations: 2 ok, 1 refused; exit 4"), "{run:?}");
    let calls = [0, 1, 2].map(|number| fleet.sandbox(number).log().calls().len());
    assert_eq!(calls, [1, 0, 1]);
    drop(other);
    assert_eq!(fleet.run(&["apply", "--fleet", "fleet.yaml", "--yes"]).code, Some(0));
}

#[test]
fn a_fleet_that_cannot_be_locked_says_so_once() {
    let fleet = Fleet::start((0..3).map(One::plain).collect());
    let mut command = fleet.command(&["apply", "--fleet", "fleet.yaml", "--yes", "--journal", "."]);
    let output = command.env("XDG_STATE_HOME", "").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(said.matches("charter cannot notice another apply").count(), 1, "{said}");
    crate::contract::clean();
}
