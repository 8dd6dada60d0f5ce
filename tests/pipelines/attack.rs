//! Somebody who may open a pull request, push a branch that is not protected, write a title, replace an artifact, edit
//! the Console, and start a workflow by hand.

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

/// Saves a plan of the newest commit, and brings it over as an artifact.
fn planned(stage: &Stage, name: &str) -> Job {
    let job = stage.act("plan", &[]);
    assert_eq!(job.code, 0, "{job:?}");
    fs::copy(&job.outputs["plan"], stage.path("workspace").join(name)).unwrap();
    job
}

fn add(stage: &mut Stage, line: &str) -> String {
    stage.write("charter.yaml", &format!("{FILE}{line}"));
    stage.pushed("Change")
}

#[test]
fn a_replaced_artifact_is_refused_whatever_it_is() {
    let mut stage = Stage::new(SEED, FILE).live();
    add(&mut stage, "  dee@acme.com: user\n");
    planned(&stage, "old.json");
    add(&mut stage, "  eve@acme.com: user\n");
    let sum = planned(&stage, "plan.json").outputs["plan-sha256"].clone();
    let swapped =
        |name: &str, sum: &str| stage.act("apply", &[("plan", name), ("plan-sha256", sum)]);

    // A sealed plan of another commit: by the sum, and without it by the commit.
    ends(&swapped("old.json", &sum), 4, "it is not the plan that the plan job saved");
    ends(&swapped("old.json", ""), 4, "is not the tip of");
    // Another text, and one whose seal is gone.
    let text = fs::read_to_string(stage.path("workspace/plan.json")).unwrap();
    fs::write(stage.path("workspace/forged.json"), text.replace("eve@acme.com", "mal@acme.com"))
        .unwrap();
    ends(&swapped("forged.json", &sum), 4, "it is not the plan that the plan job saved");
    ends(&swapped("forged.json", ""), 4, "the plan is refused: its HMAC is wrong");
    // Files where a plan is expected, in a repository of their own: a folder, and a link to a plan.
    let folder = stage.path("workspace/folder.json");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("charter.yaml"), FILE).unwrap();
    stage.git(&["init", "--quiet", "--initial-branch=main", folder.to_str().unwrap()]);
    for name in ["folder.json", "folder.json/", "link.json", "nothing.json"] {
        if name == "link.json" {
            std::os::unix::fs::symlink("plan.json", stage.path("workspace/link.json")).unwrap();
        }
        ends(&swapped(name, &sum), 4, "CHARTER_PLAN is refused: it is not a regular file");
    }
    fs::copy(folder.join("charter.yaml"), stage.path("workspace/files.json")).unwrap();
    assert_ne!(swapped("files.json", "").code, 0);
    assert_eq!(stage.served.calls(), Vec::<String>::new());
    ends(&swapped("plan.json", &sum), 0, "eve@acme.com");
}

#[test]
fn a_plan_is_judged_by_the_repository_of_the_job_wherever_it_lies() {
    let mut stage = Stage::new(SEED, FILE).live();
    add(&mut stage, "  dee@acme.com: user\n");
    // The plan lies in an old clone, whose tip is another.
    let clone = stage.path("workspace/clone");
    stage.git(&["clone", "--quiet", ".", clone.to_str().unwrap()]);
    planned(&stage, "clone/plan.json");
    add(&mut stage, "  eve@acme.com: user\n");
    ends(&stage.act("apply", &[("plan", "clone/plan.json")]), 4, "is not the tip of");
    planned(&stage, "clone/plan.json");
    ends(&stage.act("apply", &[("plan", "clone/plan.json")]), 0, "eve@acme.com");
}

#[test]
fn the_title_of_a_pull_request_acknowledges_nothing() {
    let seed = format!("{SEED}workspaces: [{{name: Old, id: wrkspc_01old}}]\n");
    let archived =
        "workspaces:\n  Old: {id: wrkspc_01old, state: archived}\nguard: {archives: 1}\n";
    let mut stage = Stage::new(&seed, FILE).live();
    add(&mut stage, &archived.replace("archives: 1", "archives: 0"));
    add(&mut stage, archived);
    add(&mut stage, &format!("{archived}# \n"));
    let job = stage.act("plan", &[]);
    // It is said before anybody approves, with the digest that is asked for.
    ends(&job, 4, "steps that nobody has acknowledged");
    assert_eq!(job.outputs["plan"], "", "{job:?}");
    let at = job.log.find("with ack: ").unwrap() + "with ack: ".len();
    let digest = job.log[at..at + 64].to_owned();
    // Under the platform's own message of a merge the title is the last paragraph.
    stage.pushed(&format!("Merge pull request #12 from acme/topic\n\nCharter-Ack: {digest}\n"));
    ends(&stage.act("plan", &[]), 4, "steps that nobody has acknowledged");
    ends(&stage.act("apply", &[]), 4, "has not been acknowledged");
    ends(&stage.act("apply", &[("merge-messages", "authors")]), 3, "CHARTER_MERGE_MESSAGES");
    assert_eq!(stage.served.calls(), Vec::<String>::new());
    // Somebody who may start the workflow gives it.
    let plan = stage.act("plan", &[("ack", &digest)]);
    fs::copy(&plan.outputs["plan"], stage.path("workspace/plan.json")).unwrap();
    ends(&stage.act("apply", &[("plan", "plan.json"), ("ack", &digest)]), 0, "");
}

#[test]
fn attributes_links_and_encodings_have_no_say_and_reach_no_log() {
    let mut stage = Stage::new(SEED, FILE).live();
    let attributes =
        "::error::forged=1 :x\n*.yaml working-tree-encoding=UTF-16LE ident\n::add-mask::x -!y\n";
    fs::write(stage.path("attributes"), attributes).unwrap();
    let attributes = stage.git(&["hash-object", "-w", "--no-filters", "../../attributes"]);
    stage.write("team.txt", "members: {mal@acme.com: user}\n");
    std::os::unix::fs::symlink("team.txt", stage.path("acme/access/team.yaml")).unwrap();
    stage.git(&["add", "--all"]);
    // By the objects, since Git itself stumbles over such attributes.
    let pushed = |stage: &mut Stage, change: &[&str]| {
        stage.git(change);
        let before = stage.git(&["rev-parse", "HEAD"]);
        let tree = stage.git(&["write-tree"]);
        let commit = stage.git(&["commit-tree", &tree, "-p", "HEAD", "-m", "Attributes"]);
        stage.git(&["update-ref", "refs/heads/main", &commit]);
        stage.github.insert("event.before".to_owned(), before);
        stage.github.insert("sha".to_owned(), commit.clone());
        commit
    };
    let entry = format!("100644,{attributes},.gitattributes");
    let commit = pushed(&mut stage, &["update-index", "--add", "--cacheinfo", &entry]);
    let mut said = vec![stage.act("plan", &[]), stage.act("apply", &[]), stage.act("drift", &[])];
    stage.github.insert("event.pull_request.head.sha".to_owned(), commit);
    said.push(stage.act("review", &[]));
    stage.github.remove("event.pull_request.head.sha");
    for job in &said {
        assert_eq!(job.code, 3, "a link that is not to be read is an error alike: {job:?}");
        assert!(!job.log.contains("forged") && !job.log.contains("add-mask"), "{job:?}");
    }
    let commit = pushed(&mut stage, &["update-index", "--force-remove", "team.yaml"]);
    stage.github.insert("event.pull_request.head.sha".to_owned(), commit);
    let review = stage.act("review", &[]);
    stage.github.remove("event.pull_request.head.sha");
    let apply = stage.act("apply", &[]);
    assert_eq!((review.code, apply.code), (0, 0), "{review:?} {apply:?}");
    assert!(!apply.log.contains("forged") && !apply.log.contains("mal@acme.com"), "{apply:?}");
    let left: Vec<_> = fs::read_dir(stage.home("repository")).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing is checked out: {left:?}");
}

#[test]
fn a_plan_speaks_of_the_head_and_the_tip_and_of_no_stale_merge() {
    let mut stage = Stage::new(SEED, FILE).live();
    let old = stage.proposed(|stage| stage.write("teams.yaml", "members: {old@acme.com: user}\n"));
    stage.git(&["update-ref", "refs/pull/12/merge", &old]);
    let head = stage.proposed(|stage| stage.write("teams.yaml", "members: {dee@acme.com: user}\n"));
    // Meanwhile the branch has moved on.
    let event = stage.github.clone();
    let tip = add(&mut stage, "  eve@acme.com: user\n");
    stage.github = event;
    let job = stage.act("plan", &[("head", ""), ("pull-request", "#12")]);
    ends(&job, 0, "");
    for said in ["dee@acme.com", "eve@acme.com", &head, &tip] {
        assert!(job.summary.contains(said), "{said}: {job:?}");
    }
    assert!(!job.summary.contains("old@acme.com"), "{job:?}");
    assert!(job.summary.contains("1 by this change"), "{job:?}");
    ends(
        &stage.act("plan", &[("head", "refs/pull/12/merge")]),
        3,
        "CHARTER_HEAD is a merge reference",
    );
    stage.github.remove("event.pull_request.head.sha");
    ends(
        &stage.act("plan", &[("pull-request", "seven")]),
        3,
        "is not the number of a pull request",
    );
    ends(
        &stage.act("plan", &[("pull-request", "99")]),
        1,
        "is the number of the pull request right?",
    );
    // An attribute of the pull request does not merge what conflicts.
    stage.git(&["checkout", "--quiet", "-B", "old", "HEAD~1"]);
    stage.write("charter.yaml", &format!("{FILE}  hal@acme.com: user\n"));
    stage.write(".gitattributes", "* merge=union\n");
    let conflict = stage.commit("Conflict");
    stage.git(&["update-ref", "refs/pull/12/head", &conflict]);
    stage.git(&["checkout", "--quiet", "main"]);
    ends(&stage.act("plan", &[]), 1, "the pull request has conflicts with the branch");
}

#[test]
fn a_record_that_somebody_wrote_is_refused() {
    let mut stage = Stage::new(SEED, FILE).live();
    add(&mut stage, "  dee@acme.com: user\n");
    // Where the branch is not protected, somebody who may push can write it, and has no key to seal it.
    let forge = |text: &str| {
        stage.git(&["checkout", "--quiet", "--orphan", "records"]);
        stage.git(&["rm", "--quiet", "-r", "--cached", "."]);
        let name = format!("{}.json", path_hash());
        stage.write(&name, text);
        stage.git(&["add", &name]);
        stage.git(&["commit", "--quiet", "--message", "Forged"]);
        stage.git(&["branch", "--force", "charter/applied", "HEAD"]);
        stage.git(&["checkout", "--quiet", "--force", "main"]);
        stage.git(&["branch", "--delete", "--force", "records"]);
    };
    let tip = stage.git(&["rev-parse", "HEAD"]);
    forge(&format!(
        "{{\"organization\": \"{}\", \"path\": \"charter.yaml\", \"commit\": \"{tip}\", \"planned_at\": \"2026-01-01T00:00:00Z\"}}",
        crate::support::ID
    ));
    for mode in ["plan", "apply", "drift"] {
        let job = stage.act(mode, &[]);
        assert_eq!(job.code, 4, "{mode}: {job:?}");
    }
    forge(&"x".repeat(70_000));
    ends(&stage.act("plan", &[]), 4, "is not a small file");
    assert_eq!(stage.served.calls(), Vec::<String>::new());
}

/// As `path_hash` of the scripts.
fn path_hash() -> String {
    let output = std::process::Command::new("bash")
        .args(["-c", "printf charter.yaml | sha256sum"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()[..16].to_owned()
}

#[test]
fn a_forced_stop_of_the_renewer_leaves_nothing_behind() {
    let mut stage = Stage::new(SEED, FILE);
    for (name, value) in [
        ("ANTHROPIC_FEDERATION_RULE_ID", "fdrl_1"),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://identity.acme.com/token?x=1"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "bearer"),
        ("CHARTER_RENEW_SECONDS", "0.1"),
    ] {
        stage.set(name, value);
    }
    // The second request hangs: the signal comes while a token is renewed.
    stage.program(
        "curl",
        "#!/usr/bin/env bash\necho $$ >>\"$FAKE_GH/curls\"\nif [[ $(wc -l <\"$FAKE_GH/curls\") -gt 1 ]]; then exec sleep 60; fi\n\
         while [[ $1 != --output ]]; do shift; done; printf '{\"value\":\"a.b.c\"}' >\"$2\"\n",
    );
    let curls = || fs::read_to_string(stage.path("gh/curls")).unwrap_or_default();
    let mut command = stage.script("identity.sh");
    let child = command.args(["sleep", "60"]).spawn().unwrap();
    for _ in 0..200 {
        std::thread::sleep(std::time::Duration::from_millis(50));
        if curls().lines().count() > 1 {
            break;
        }
    }
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(crate::support::ended(child.wait_with_output().unwrap()).code, Some(143));
    let renewing = curls().lines().nth(1).unwrap().to_owned();
    for _ in 0..100 {
        if !std::path::Path::new(&format!("/proc/{renewing}")).exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(!std::path::Path::new(&format!("/proc/{renewing}")).exists());
    assert_eq!(curls().lines().count(), 2, "nothing is asked for any more");
}
