//! `apply --resume`: from the journal of a run that was cut off to what it left to do.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{FILE, ID, Run, SEED, Served, Story, ended, read};

/// A run whose journal is cut after the start of its last step, as a kill leaves it, and so old that nothing of it
/// can still be under way.
fn cut_off(story: &Story, args: &[&str]) -> Run {
    let run = story.run(&[&["apply", "--yes", "--journal", "journal.jsonl"], args].concat());
    let text = read(&story.path("journal.jsonl"));
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.iter().rposition(|line| line.contains("\"record\":\"outcome\"")).unwrap();
    let cut = lines[..last].join("\n") + "\n{\"record\":\"outc";
    story.write("journal.jsonl", &cut.replace("\"at\":\"20", "\"at\":\"19"));
    run
}

/// The journal with something in its first line changed.
fn begun_otherwise(story: &Story, change: impl Fn(&mut Value)) {
    let text = read(&story.path("journal.jsonl"));
    let (first, rest) = text.split_once('\n').unwrap();
    let mut begin: Value = serde_json::from_str(first).unwrap();
    change(&mut begin);
    story.write("journal.jsonl", &format!("{begin}\n{rest}"));
}

#[test]
fn a_run_that_was_cut_off_is_told_and_gone_on_with() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    cut_off(&story, &["--only", "member/cy@acme.com"]);
    let args = ["apply", "--resume", "journal.jsonl", "--yes", "--journal", "second.jsonl"];
    let run = story.run(&args);
    assert_eq!(run.code, Some(0), "{run:?}");
    let (report, _) = run.stdout.split_once("\n\n").unwrap();
    let report: Vec<&str> = report.lines().collect();
    assert!(report[0].starts_with("resumed: the run of 19"), "{report:?}");
    let text = report.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
    let on = format!("{} in Acme, by charter", story.folder.path().display());
    assert!(text.contains(&on), "{text}");
    let cut = "it was cut off: its journal has no end, and the last line is torn and left out";
    assert!(text.contains(cut), "{text}");
    assert!(text.contains("unknown: 1 ? create member/cy@acme.com started 19"), "{text}");
    assert!(
        text.contains("and the journal has no outcome; its effect is there (invite_"),
        "{text}"
    );
    // It was narrowed, and still is: `bob` is left alone, and there is nothing to write down.
    assert_eq!(served.calls().len(), 1);
    assert_eq!(story.made(), ["journal.jsonl"]);
}

#[test]
fn what_is_not_there_is_planned_anew_and_the_new_journal_names_the_old_one() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    cut_off(&story, &[]);
    let journal = read(&story.path("journal.jsonl"));
    let lines = orgcharter::apply::journal::read(&story.path("journal.jsonl")).unwrap();
    let [open] = lines.open_steps()[..] else { panic!("{lines:?}") };
    let open = &*open.address;
    served.sandbox().with(|state| {
        if open.contains("bob") {
            state.set_role("bob@acme.com", "user");
        } else {
            let invite = state.invites().next().unwrap().id.clone();
            state.accept_invite(&invite).unwrap();
            state.remove_user("cy@acme.com");
        }
    });
    let args = ["apply", "--resume", "journal.jsonl", "--yes", "--journal", "second.jsonl"];
    let args: Vec<&str> = args.into_iter().chain(["--allow", "returns=1"]).collect();
    let run = story.run(&args);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(!run.stderr.contains("waiting"), "{run:?}");
    assert!(run.stdout.contains("done: 1\n"), "{run:?}");
    assert!(run.stdout.replace("\n        ", " ").contains("its effect is not there"), "{run:?}");
    assert_eq!(served.calls().len(), 3);
    let second = read(&story.path("second.jsonl"));
    let begin: Value = serde_json::from_str(second.lines().next().unwrap()).unwrap();
    let origin = &begin["origin"];
    assert_eq!(origin["resumes"], story.path("journal.jsonl").display().to_string());
    assert_eq!(origin["path"], story.folder.path().display().to_string());
    assert_eq!(read(&story.path("journal.jsonl")), journal, "a journal is never written to again");

    // A run that came to its end leaves nothing to do.
    let run = story.run(&["apply", "--resume", "second.jsonl", "--yes"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("  it came to its end\n  done: 1\n"), "{run:?}");
    assert_eq!(served.calls().len(), 3);
}

#[test]
fn a_step_that_failed_is_told_with_its_reason_and_tried_again() {
    let served = Served::start(&format!(
        "{SEED}faults: [{{on: \"POST /v1/organizations/users/*\", then: {{status_before: 400}}, times: 1}}]\n"
    ));
    let story = Story::new().to(&served.url());
    let run = story.run(&["apply", "--yes", "--journal", "journal.jsonl"]);
    assert_eq!(run.code, Some(5), "{run:?}");
    let run = story.run(&["apply", "--resume", "journal.jsonl", "--yes", "--quiet"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let report = run.stdout.split("\n\n").next().unwrap();
    let report = report.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(report.contains("it came to its end done: 1 = create member/cy@acme.com"), "{report}");
    let failed = "not done: 1 x update member/bob@acme.com failed: POST /v1/organizations/users/user_01bob: 400";
    assert!(report.contains(failed), "{report}");
    assert_eq!(served.calls().len(), 3);
}

#[test]
fn a_saved_plan_goes_on_where_it_was_and_another_one_does_not() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    story.run(&["plan", "--out", "plan.json"]);
    story.write("whole.json", &read(&story.path("plan.json")));
    cut_off(&story, &["plan.json"]);
    // The plan as it is does not fit any more; the rest of it does.
    assert_eq!(story.run(&["apply", "plan.json", "--yes"]).code, Some(4));
    let resume = ["apply", "--resume", "journal.jsonl", "--yes"];
    let run = story.run(&resume);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(served.calls().len(), 2);

    story.run(&["plan", "--out", "plan.json"]);
    let (error, help) = story.run(&resume).one_message(4);
    assert_eq!(
        error,
        format!(
            "`{}` is not the plan that the journal `journal.jsonl` is of",
            story.path("plan.json").display()
        )
    );
    assert!(help.contains("charter plan"), "{help}");
    // Somewhere else it is the same plan.
    let run = story.run(&["apply", "whole.json", "--resume", "journal.jsonl", "--yes"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let (error, _) =
        story.run(&["apply", "charter.yaml", "--resume", "journal.jsonl", "--yes"]).one_message(4);
    assert_eq!(
        error,
        "the journal `journal.jsonl` is of a run on a saved plan, and `charter.yaml` is files"
    );
}

#[test]
fn a_journal_that_does_not_fit_is_refused_with_what_to_do_and_nothing_is_asked() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    cut_off(&story, &[]);
    let asked = served.sandbox().log().len();
    let whole = read(&story.path("journal.jsonl"));
    let resume = |story: &Story| story.run(&["apply", "--resume", "journal.jsonl", "--yes"]);

    let (error, help) = story.run(&["apply", "--resume", "none.jsonl", "--yes"]).one_message(3);
    assert!(error.starts_with("cannot read the journal `none.jsonl`: "), "{error}");
    assert_eq!(help, "check the path");

    story.write("journal.jsonl", "{\"record\":\"begin\",\"format_v");
    let (error, help) = resume(&story).one_message(3);
    assert_eq!(error, "the journal `journal.jsonl` has no whole line: its run had begun nothing");
    assert!(help.contains("`charter apply`"), "{help}");

    let torn: Vec<&str> = whole
        .lines()
        .enumerate()
        .map(|(i, line)| if i == 1 { &line[..40] } else { line })
        .collect();
    story.write("journal.jsonl", &torn.join("\n"));
    let (error, help) = resume(&story).one_message(3);
    assert!(error.starts_with("`journal.jsonl`, line 2: no journal record: "), "{error}");
    assert!(help.contains("`charter plan`"), "{help}");

    let otherwise = |change: fn(&mut Value)| {
        story.write("journal.jsonl", &whole);
        begun_otherwise(&story, change);
        resume(&story)
    };
    let (error, help) = otherwise(|begin| begin["format_version"] = 2.into()).one_message(3);
    assert_eq!(error, "the journal `journal.jsonl` has format 2, and this charter reads 1");
    assert!(help.contains("`charter_version`"), "{help}");
    let (error, help) = otherwise(|begin| begin["origin"]["form"] = 7.into()).one_message(3);
    assert_eq!(
        error,
        "the journal `journal.jsonl` is of a run on files of version 7, and this charter reads 1"
    );
    assert!(help.contains("use the charter that wrote it"), "{help}");
    let (error, _) =
        otherwise(|begin| drop(begin.as_object_mut().unwrap().remove("origin"))).one_message(3);
    assert_eq!(error, "the journal `journal.jsonl` does not say what was applied");
    let (error, help) =
        otherwise(|begin| begin["origin"]["path"] = "/nowhere/charter.yaml".into()).one_message(3);
    assert_eq!(
        error,
        "the journal `journal.jsonl` is of a run on `/nowhere/charter.yaml`, which is not there"
    );
    assert!(help.contains("charter apply PATH --resume JOURNAL"), "{help}");
    let (error, _) = otherwise(|begin| begin["steps"][0]["address"] = "member/zoe@acme.com".into())
        .one_message(3);
    assert!(error.ends_with("no journal record: a step of another plan"), "{error}");

    let other = "00000000-0000-4000-8000-000000000000";
    story.write("journal.jsonl", &whole);
    story.write("other.yaml", &FILE.replace(ID, other));
    let (error, _) =
        story.run(&["apply", "other.yaml", "--resume", "journal.jsonl", "--yes"]).one_message(4);
    assert_eq!(
        error,
        format!(
            "the journal `journal.jsonl` is of a run on the organization `{ID}`, and `other.yaml` is for `{other}`"
        )
    );

    let run = story.run(&["apply", "--resume", "journal.jsonl", "--only", "expired", "--yes"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert_eq!(served.sandbox().log().len(), asked, "nothing was asked of the API");
    // Files that were moved are named.
    std::fs::rename(story.path("charter.yaml"), story.path("moved.yaml")).unwrap();
    let run = story.run(&["apply", "moved.yaml", "--resume", "journal.jsonl", "--yes"]);
    assert_eq!(run.code, Some(0), "{run:?}");
}

#[test]
fn a_run_that_is_still_going_on_is_not_resumed() {
    let served = Served::start(&format!(
        "{SEED}faults: [{{on: \"POST /v1/organizations/invites\", then: {{latency_ms: 3000}}}}]\n"
    ));
    let story = Story::new().to(&served.url());
    let args = ["apply", "--yes", "--journal", "journal.jsonl"];
    let mut child = story.command(&args).spawn().unwrap();
    let start = Instant::now();
    while served.calls().is_empty() {
        assert!(start.elapsed() < Duration::from_secs(30), "nothing was written");
        std::thread::sleep(Duration::from_millis(10));
    }
    let run = story.run(&["apply", "--resume", "journal.jsonl", "--yes"]);
    child.kill().unwrap();
    ended(child.wait_with_output().unwrap());
    let (error, help) = run.one_message(4);
    assert_eq!(error, "the run that writes the journal `journal.jsonl` is still going on");
    assert!(help.starts_with("wait for its end"), "{help}");
}

#[test]
fn the_base_of_a_run_is_that_of_the_run_that_resumes_it() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    let base = format!("{FILE}manage: {{ignore: [{{members: bob@acme.com, reason: on leave}}]}}\n");
    story.write(".base.yaml", &base);
    let run = cut_off(&story, &["--base-path", ".base.yaml", "--only", "member/cy@acme.com"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    begun_otherwise(&story, |begin| begin["origin"]["only"] = Value::Array(Vec::new()));
    let run = story.run(&["apply", "--resume", "journal.jsonl", "--yes"]);
    // What the base ignores is refused, as it would have been then.
    assert_eq!(run.code, Some(4), "{run:?}");
    assert!(run.stderr.contains("base"), "{run:?}");
}
