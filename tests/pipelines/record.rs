//! The record of what was applied last, on its branch: who moves it, and what becomes of a push that fails.

use std::fs;

use crate::{
    stage::{Job, Stage},
    support::{FILE, SEED},
};

#[track_caller]
fn ends(job: &Job, code: i32, said: &str) {
    assert_eq!(job.code, code, "{job:?}");
    assert!(job.log.contains(said), "{job:?}");
}

fn pushed(stage: &mut Stage, line: &str) -> String {
    let file = fs::read_to_string(stage.path("acme/access/charter.yaml")).unwrap();
    stage.write("charter.yaml", &format!("{file}{line}"));
    stage.pushed("Change")
}

/// Plans and applies, as the workflow does; a plan with nothing to do is applied too.
fn deployed(stage: &Stage) -> Job {
    let plan = stage.act("plan", &[]);
    assert_eq!(plan.code, 0, "{plan:?}");
    let sum = plan.outputs["plan-sha256"].clone();
    fs::copy(&plan.outputs["plan"], stage.path("workspace/plan.json")).unwrap();
    stage.act("apply", &[("plan", "plan.json"), ("plan-sha256", &sum)])
}

#[test]
fn it_moves_with_each_whole_apply_and_only_the_deploy_key_may_push_it() {
    let mut stage = Stage::new(SEED, FILE).live().recording();
    let first = pushed(&mut stage, "  dee@acme.com: user\n");
    ends(&deployed(&stage), 0, "the record of what was applied last was pushed");
    assert_eq!(stage.recorded(), Some(first.clone()));
    let second = pushed(&mut stage, "# nothing else\n");
    let plan = stage.act("plan", &[]);
    assert_eq!(plan.outputs["changes"], "false", "{plan:?}");
    assert!(plan.summary.contains(&first), "held against what was applied last: {plan:?}");
    ends(&deployed(&stage), 0, "the record of what was applied last was pushed");
    assert_eq!(stage.recorded(), Some(second.clone()));
    assert_eq!(stage.git(&["rev-list", "--count", "charter/applied"]), "2");
    // A night reads it, and leaves it.
    ends(&stage.act("drift", &[]), 0, "");
    assert_eq!(stage.recorded(), Some(second));
    // Neither the token of the job nor anybody who may push elsewhere can write there.
    let push = ["push", "--quiet", ".", "main:refs/heads/charter/applied"];
    let refused = std::process::Command::new("git")
        .args(push)
        .current_dir(stage.path("acme/access"))
        .output()
        .unwrap();
    assert!(!refused.status.success());
    let seen = fs::read_to_string(stage.path("seen")).unwrap();
    assert!(!seen.contains("a deploy key"), "charter never has it: {seen}");
}

#[test]
fn two_organizations_have_two_records_and_a_lost_race_is_tried_again() {
    let mut stage =
        Stage::new(SEED, &format!("{FILE}read: {{exclude: [\"lab/**\"]}}\n")).live().recording();
    stage.write("lab/charter.yaml", FILE);
    stage.pushed("Lab");
    stage.pushed("So that it has a base");
    ends(&stage.act("apply", &[]), 0, "was pushed");
    // While the second one applies, somebody else's record is pushed: the branch has moved on.
    let real = fs::read_to_string(stage.path("bin/ssh")).unwrap();
    let race = format!(
        "#!/usr/bin/env bash\ncd {}\nif [[ ! -e raced && $* == *receive-pack* ]]; then touch raced\n\
         tree=$(printf '100644 blob %s\\tother.json\\n' $(git hash-object -w charter.yaml) | git mktree)\n\
         git update-ref refs/heads/charter/applied $(GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x \
         git commit-tree $tree -p charter/applied -m other)\nfi\nexec \"$FAKE_GH/ssh\" \"$@\"\n",
        stage.path("acme/access").display()
    );
    fs::copy(stage.path("bin/ssh"), stage.path("gh/ssh")).unwrap();
    assert!(real.contains("deploy key"));
    stage.program("ssh", &race);
    ends(&stage.act("apply", &[("path", "lab")]), 0, "was pushed");
    assert!(stage.path("acme/access/raced").exists());
    let names = stage.git(&["ls-tree", "--name-only", "charter/applied"]);
    assert!(names.contains("other.json") && names.lines().count() == 2, "{names}");
}

#[test]
fn one_that_cannot_be_pushed_fails_the_job_and_what_was_applied_is_applied() {
    let mut stage = Stage::new(SEED, FILE).live().recording();
    stage.set("CHARTER_RECORD_KEY", "another key");
    let job = stage.act("apply", &[]);
    ends(
        &job,
        1,
        "everything was applied, but the record of it was not written: the login is missing or refused",
    );
    assert_eq!(stage.served.calls().len(), 2);
    stage.set("CHARTER_RECORD_KEY", "a deploy key");
    stage.set("CHARTER_RECORD_KNOWN_HOSTS", "another");
    ends(&stage.act("apply", &[]), 1, "the host has another key than the known one");
    stage.set("CHARTER_RECORD_KNOWN_HOSTS", "localhost ssh-ed25519 AAAA");
    ends(&stage.act("apply", &[]), 0, "was pushed");
    assert!(stage.recorded().is_some());
}

#[test]
fn a_login_that_is_missing_is_said_and_one_that_did_not_arrive_is_an_error_before_anything_is_applied()
 {
    let mut stage = Stage::new(SEED, FILE).live();
    stage.set("CHARTER_RECORD_KEY", "");
    ends(&stage.act("apply", &[]), 3, "CHARTER_RECORD_KEY is set and empty");
    stage.set("CHARTER_RECORD_KEY", "a deploy key");
    ends(&stage.act("apply", &[]), 3, "CHARTER_RECORD_KNOWN_HOSTS is not set");
    stage.set("CHARTER_RECORD_TOKEN", "a token");
    ends(&stage.act("apply", &[]), 3, "are both set");
    assert_eq!(stage.served.calls(), Vec::<String>::new());
    stage.env.retain(|name, _| !name.starts_with("CHARTER_RECORD_"));
    ends(&stage.act("apply", &[]), 0, "the record of what was applied last was not pushed");
    // Without the key that seals it there is none, which is said too.
    stage.env.remove("CHARTER_PLAN_KEY");
    ends(&stage.act("apply", &[]), 0, "there is no record of what was applied last");
    assert_eq!(stage.recorded(), None);
}

#[test]
fn a_refused_loosening_and_then_an_innocent_commit_are_held_against_what_was_applied() {
    let strict = "policy: {email_domains: [{domains: [acme.com]}]}\n";
    let mut stage = Stage::new(SEED, &format!("{FILE}{strict}")).live().recording();
    ends(&deployed(&stage), 0, "was pushed");
    let applied = stage.recorded();
    stage.write("charter.yaml", &format!("{FILE}  joan@contractor.io: user\n"));
    stage.pushed("Loosen and use it");
    ends(&stage.act("plan", &[]), 4, "the rules of the files refuse this: policy/email-domains");
    pushed(&mut stage, "# innocent\n");
    // The parent has the loosened rule; what was applied last has the strict one.
    ends(&stage.act("plan", &[]), 4, "the rules of the files refuse this: policy/email-domains");
    ends(&stage.act("apply", &[]), 4, "the rules of the files refuse this: policy/email-domains");
    assert_eq!(stage.recorded(), applied);
}

#[test]
fn after_a_forced_push_the_commit_before_it_is_fetched_or_the_way_on_is_named() {
    let mut stage = Stage::new(SEED, FILE).live();
    let before = pushed(&mut stage, "  dee@acme.com: user\n");
    stage.git(&["commit", "--quiet", "--amend", "--message", "Rewritten"]);
    let sha = stage.git(&["rev-parse", "HEAD"]);
    stage.github.insert("event.before".to_owned(), before.clone());
    stage.github.insert("sha".to_owned(), sha);
    // A commit is given by its id, also one that is in no branch any more, as long as it is there.
    let job = stage.act("plan", &[]);
    ends(&job, 0, "");
    assert!(job.summary.contains(&before), "{job:?}");
    stage.git(&["reflog", "expire", "--expire=now", "--all"]);
    stage.git(&["gc", "--quiet", "--prune=now"]);
    ends(&stage.act("plan", &[]), 4, "then start the pipeline by hand with base-rev");
    let root = stage.git(&["rev-list", "--max-parents=0", "HEAD"]);
    ends(&stage.act("plan", &[("base-rev", &root)]), 0, "");
}

#[test]
fn a_repository_whose_ids_are_sha_256_is_fetched_too() {
    let mut stage = Stage::new(SEED, FILE).live().recording();
    fs::remove_dir_all(stage.path("acme/access/.git")).unwrap();
    stage.git(&["init", "--quiet", "--initial-branch=main", "--object-format=sha256"]);
    stage.commit("Start");
    let sha = pushed(&mut stage, "  dee@acme.com: user\n");
    assert_eq!(sha.len(), 64);
    ends(&deployed(&stage), 0, "the record of what was applied last was pushed");
    assert_eq!(stage.recorded(), Some(sha));
}
