//! The schedule: one issue about what differs, and what dates and accepted invites make due.

use serde_json::{Value, json};

use crate::{
    stage::{Job, Stage},
    support::{FILE, SEED, ended},
};

#[track_caller]
fn ends(job: &Job, code: i32, drift: &str) {
    assert_eq!((job.code, &job.outputs["drift"][..]), (code, drift), "{job:?}");
}

/// What equals [`SEED`].
const EQUAL: &str = "\
version: 1
organization: {id: 3f0c1b1e-0000-4000-8000-000000000000}
members:
  ada@acme.com: admin
  bob@acme.com: user
";

#[test]
fn one_issue_is_opened_written_anew_and_closed() {
    let mut stage = Stage::new(SEED, FILE).live();
    // Somebody else's issue, and a pull request, with the same text.
    for _ in 0..2 {
        ends(&stage.act("drift", &[]), 0, "true");
    }
    let issues = stage.stored("issues");
    assert_eq!(issues.len(), 1, "{issues:?}");
    let text = issues[0]["body"].as_str().unwrap();
    assert!(text.starts_with("<!-- charter:drift -->\n<!-- charter:path:"), "{text}");
    assert!(text.contains("cy@acme.com") && text.contains("bob@acme.com"), "{text}");
    let copied = json!({"number": 3, "state": "open", "user": {"login": "mallory"}, "body": text});
    let pull = json!({"number": 4, "state": "open", "user": issues[0]["user"], "body": text, "pull_request": {}});
    stage.store("issues", &json!([copied, pull, issues[0]]));

    stage.write("charter.yaml", &EQUAL.replace("bob@acme.com: user", "bob@acme.com: developer"));
    stage.pushed("Leave cy out");
    ends(&stage.act("drift", &[]), 0, "true");
    let text = stage.stored("issues")[2]["body"].as_str().unwrap().to_owned();
    assert!(text.contains("bob@acme.com") && !text.contains("cy@acme.com"), "{text}");

    stage.write("charter.yaml", EQUAL);
    stage.pushed("Say what is");
    ends(&stage.act("drift", &[]), 0, "false");
    let issues = stage.stored("issues");
    assert_eq!((issues.len(), &issues[2]["state"]), (3, &json!("closed")), "{issues:?}");
    assert_eq!((&issues[0], &issues[1]), (&copied, &pull));
    assert_eq!(stage.served.calls(), Vec::<String>::new());

    // It came back: a closed issue stays closed, and tells its own story.
    stage.write("charter.yaml", FILE);
    stage.pushed("Again");
    ends(&stage.act("drift", &[]), 0, "true");
    assert_eq!(stage.stored("issues").len(), 4);
}

/// The default was `charter.yaml` once, and issues are keyed by the path.
#[test]
fn the_issue_of_the_default_before_is_taken_over_and_closed() {
    let mut stage = Stage::new(SEED, FILE).live();
    ends(&stage.act("drift", &[("path", "charter.yaml")]), 0, "true");
    ends(&stage.act("drift", &[]), 0, "true");
    assert_eq!(stage.stored("issues").len(), 1);
    stage.write("charter.yaml", EQUAL);
    stage.pushed("Say what is");
    ends(&stage.act("drift", &[]), 0, "false");
    assert_eq!(stage.stored("issues")[0]["state"], json!("closed"));
}

#[test]
fn what_is_due_is_done_and_opens_no_issue() {
    let ended_long_ago =
        EQUAL.replace("bob@acme.com: user", "bob@acme.com: {role: user, until: 2020-01-31}");
    let stage = Stage::new(SEED, &ended_long_ago).live();
    let job = stage.act("drift", &[]);
    ends(&job, 0, "false");
    assert_eq!(stage.served.calls(), ["DELETE /v1/organizations/users/user_01bob"]);
    assert_eq!(stage.stored("issues"), Vec::<Value>::new());
    assert!(job.summary.contains("nothing"), "{job:?}");
}

#[test]
fn an_identity_token_is_exchanged_once_a_job() {
    let seed = SEED.replace(
        "credentials: {",
        "credentials: {federation: [{id: fdrl_1, service_account: svac_1, assertions: [some.identity.token], check_jti: true}], ",
    );
    let mut stage = Stage::new(&seed, FILE);
    let url = stage.served.url();
    for (name, value) in [
        ("ANTHROPIC_BASE_URL", url.as_str()),
        ("ANTHROPIC_FEDERATION_RULE_ID", "fdrl_1"),
        ("ANTHROPIC_ORGANIZATION_ID", "3f0c1b1e-0000-4000-8000-000000000000"),
        ("ANTHROPIC_SERVICE_ACCOUNT_ID", "svac_1"),
        ("ANTHROPIC_IDENTITY_TOKEN", "some.identity.token"),
    ] {
        stage.set(name, value);
    }
    stage.set("TMPDIR", stage.path("temp").to_str().unwrap().to_owned().as_str());
    ends(&stage.act("drift", &[]), 0, "true");
    let log = stage.served.sandbox().log();
    let exchanges = log.entries().iter().filter(|entry| entry.target == "/v1/oauth/token");
    assert_eq!(exchanges.count(), 1, "three runs of charter look at the organization");
    // The token ends with the job.
    let left: Vec<_> =
        std::fs::read_dir(stage.path("temp")).unwrap().flatten().map(|it| it.path()).collect();
    assert!(!left.iter().any(|path| path.join("access-token").exists()), "{left:?}");
}

#[test]
fn nothing_else_is_done_and_a_run_without_answers_leaves_the_issue_alone() {
    let mut stage = Stage::new(SEED, FILE).live();
    ends(&stage.act("drift", &[]), 0, "true");
    assert_eq!(stage.served.calls(), Vec::<String>::new());
    stage.set("ANTHROPIC_ADMIN_KEY", "sk-ant-admin01-wrong-0123456789-abcdefghij");
    let job = stage.act("drift", &[]);
    ends(&job, 1, "");
    assert!(!job.log.contains("charter-ci: "), "{job:?}");
    assert_eq!(stage.stored("issues").len(), 1);
    let before = stage.stored("issues");
    assert_eq!(before[0]["state"], "open");
    // Files that are wrong have a report, and it is not one of what differs.
    stage.write("charter.yaml", "version: 1\nmembrs: {}\n");
    stage.pushed("Break");
    let job = stage.act("drift", &[]);
    ends(&job, 3, "");
    assert!(!job.log.contains("charter-ci: "), "{job:?}");
    assert_eq!(stage.stored("issues"), before);
}

#[test]
fn an_apply_that_is_refused_fails_the_job_and_the_issue_is_written() {
    let broken = FILE
        .replace("bob@acme.com: developer", "bob@acme.com: {role: user, until: 2020-01-31}")
        + "policy: {admins: {least: 2}}\n";
    let unpinned = broken.replace("organization: {id: 3f0c1b1e-0000-4000-8000-000000000000}\n", "");
    let mut stage = Stage::new(SEED, &unpinned).live();
    // A record is for an organization that the files name; without the key there is none.
    stage.env.remove("CHARTER_PLAN_KEY");
    ends(&stage.act("drift", &[]), 3, "true");
    assert_eq!(stage.stored("issues").len(), 1);
    assert_eq!(stage.served.calls(), Vec::<String>::new());
}

#[test]
fn names_are_redacted_in_the_issue_too() {
    let mut stage = Stage::new(SEED, FILE).live();
    stage.set("CHARTER_REDACT_KEY", "0123456789abcdef0123456789abcdef");
    let job = stage.act("drift", &[]);
    ends(&job, 0, "true");
    let issue = stage.stored("issues")[0]["body"].as_str().unwrap().to_owned();
    assert!(issue.contains("@redacted.invalid"), "{issue}");
    for text in [&issue, &job.log, &job.summary] {
        assert!(!text.contains("acme.com"), "{text}");
    }
}

#[test]
fn elsewhere_the_exit_code_and_a_test_report_tell() {
    let stage = Stage::new(SEED, FILE).live();
    ends(&stage.act("drift", &[]), 0, "true");
    let mut command = stage.script("drift.sh");
    command.env("CHARTER_PATH", "charter.yaml").env("CHARTER_BRANCH", "main");
    command.env("CHARTER_JUNIT", "true").env("CHARTER_FAIL_ON_DRIFT", "true");
    let run = ended(command.output().unwrap());
    assert_eq!(run.code, Some(2), "{run:?}");
    // A log is text.
    assert!(!run.stdout.contains("<!--") && run.stdout.contains("cy@acme.com"), "{run:?}");
    let report = std::fs::read_to_string(stage.home("out/drift.xml")).unwrap();
    assert!(report.contains("<testsuites"), "{report}");
}

/// GitHub's runs: this one, and one of the other workflow whose job is in progress.
fn other_is_running(stage: &Stage, workflow: &str, job: &str) {
    let runs = json!([
        {"id": 1, "workflow": workflow, "in_progress": [job]},
        {"id": 7, "workflow": workflow, "in_progress": ["approve"]},
        {"id": 8, "workflow": workflow, "in_progress": [job]},
    ]);
    stage.store("runs", &runs);
}

#[test]
fn nothing_is_applied_at_night_while_an_apply_is_running_which_is_said() {
    let due = EQUAL.replace("bob@acme.com: user", "bob@acme.com: {role: user, until: 2020-01-31}");
    let stage = Stage::new(SEED, &due).live();
    let exclusive = [("exclusive-with", "charter-apply.yml:apply")];
    other_is_running(&stage, "charter-apply.yml", "apply");
    let job = stage.act("drift", &exclusive);
    ends(&job, 0, "true");
    assert!(job.log.contains("another apply is running: this run applies nothing"), "{job:?}");
    assert!(job.summary.contains("Nothing was applied: another apply was running."), "{job:?}");
    // Nor where nobody can tell.
    std::fs::write(stage.path("gh/wrong"), "no (HTTP 403)").unwrap();
    let job = stage.act("drift", &exclusive);
    assert!(job.log.contains("it is not known whether another apply is running"), "{job:?}");
    std::fs::remove_file(stage.path("gh/wrong")).unwrap();
    assert_eq!(stage.served.calls(), Vec::<String>::new());
    // A run that waits for its approval, and this run, do not count.
    stage.store(
        "runs",
        &json!([
            {"id": 1, "workflow": "charter-apply.yml", "in_progress": ["apply"]},
            {"id": 7, "workflow": "charter-apply.yml", "in_progress": ["approve"]},
        ]),
    );
    ends(&stage.act("drift", &exclusive), 0, "false");
    assert_eq!(stage.served.calls(), ["DELETE /v1/organizations/users/user_01bob"]);
}

#[test]
fn an_apply_waits_for_the_night_within_a_bound() {
    let mut stage = Stage::new(SEED, FILE).live();
    stage.set("CHARTER_WAIT_SECONDS", "1");
    stage.set("CHARTER_POLL_SECONDS", "0.2");
    other_is_running(&stage, "charter-drift.yml", "drift");
    let exclusive = [("exclusive-with", "charter-drift.yml:drift")];
    let job = stage.act("apply", &exclusive);
    assert_eq!(job.code, 1, "{job:?}");
    assert!(
        job.log.contains("the nightly run is still in progress: nothing was applied"),
        "{job:?}"
    );
    std::fs::write(stage.path("gh/wrong"), "no (HTTP 403)").unwrap();
    let job = stage.act("apply", &exclusive);
    assert_eq!(job.code, 1, "{job:?}");
    assert!(job.log.contains("it is not known whether the nightly run is applying"), "{job:?}");
    assert_eq!(stage.served.calls(), Vec::<String>::new());
}

#[test]
fn what_an_earlier_job_left_is_no_report_of_this_one() {
    let stage = Stage::new(SEED, FILE).live();
    ends(&stage.act("drift", &[]), 0, "true");
    for name in ["out/drift.xml", "out/journal-19990101T000000Z-1.jsonl"] {
        std::fs::write(stage.home(name), "yesterday's").unwrap();
    }
    let mut command = stage.script("install.sh");
    assert_eq!(ended(command.env("CHARTER_URL", "").output().unwrap()).code, Some(3));
    assert_eq!(std::fs::read_dir(stage.home("out")).unwrap().count(), 0);
}
