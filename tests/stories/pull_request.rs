//! One pull request from a fork, from its diff without credentials to the plan that has nothing left to do.
//!
//! Invariant: one repository and one organization walk through it, and whatever is refused has written nothing.

use super::repository::{LIVE, flowing, repository, shows};
use crate::support::{Run, Served, Story, read};

/// Lets a fork propose: eve comes, dee's grant goes, an old workspace is archived.
fn propose(story: &Story) {
    story.git(&["checkout", "--quiet", "main"]);
    story.git(&["clone", "--quiet", ".", ".fork"]);
    let fork = |arguments: &[&str]| story.git(&[&["-C", ".fork"], arguments].concat());
    fork(&["checkout", "--quiet", "-b", "invite-eve"]);
    let file = story.path(".fork/charter.yaml");
    let text = read(&file)
        .replace("  ada@acme.com: admin\n", "  ada@acme.com: admin\n  eve@acme.com: user\n")
        .replace(
            "{team/ml: workspace_developer}\n",
            "{team/ml: workspace_developer, dee@acme.com: none}\n  \
             old: {id: wrkspc_01old, name: Old, state: archived}\n",
        );
    std::fs::write(&file, text).unwrap();
    // Were it ever run or followed, this would leave a trace or fail.
    std::fs::write(story.path(".fork/.gitattributes"), "*.yaml filter=trap diff=trap\n").unwrap();
    for (key, value) in [
        ("filter.trap.smudge", "touch ../trapped"),
        ("filter.trap.clean", "touch ../trapped; cat"),
        ("diff.trap.textconv", "touch ../trapped; cat"),
    ] {
        story.git(&["config", key, value]);
    }
    fork(&["add", "--all"]);
    fork(&["commit", "--quiet", "--message", "Invite eve, retire Old"]);
    // A pipeline fetches the proposal; nothing of it is checked out.
    story.git(&["fetch", "--quiet", "./.fork", "invite-eve:proposed"]);
}

/// Takes the proposal over, with the reviewer's words as the message of the merge.
fn merge(story: &Story, message: &str) {
    for key in ["filter.trap.smudge", "filter.trap.clean", "diff.trap.textconv"] {
        story.git(&["config", "--unset", key]);
    }
    story.git(&["merge", "--quiet", "--no-ff", "--message", message, "proposed"]);
}

#[track_caller]
fn refused(run: &Run, message: &str) {
    assert_eq!(run.code, Some(4), "{run:?}");
    assert!(flowing(&run.stderr).contains(message), "`{message}` is not in {run:?}");
}

#[test]
fn a_change_travels_from_a_fork_to_an_organization_that_equals_its_files() {
    let live = format!("{LIVE}  - {{name: Old, id: wrkspc_01old}}\n");
    let served = Served::start(&live);
    // Drift that nobody proposed: bob was given more in the Console.
    served.sandbox().with(|state| state.set_role("bob@acme.com", "developer"));
    let story = repository();
    // Archives are limited to none unless the rules say otherwise, which takes a merge of its own.
    story.git(&["checkout", "--quiet", "main"]);
    story.edit("charter.yaml", "{removals: {members: 1}}", "{removals: {members: 1}, archives: 1}");
    story.commit("Allow one archive a plan");
    propose(&story);

    // The fork's job: no credential, no network, and only what the proposal itself changes.
    let diff = story.run(&["diff", "main...proposed", "--format", "markdown", "--", "."]);
    assert_eq!(diff.code, Some(0), "{diff:?}");
    assert!(diff.stdout.starts_with("<!-- charter:diff -->"), "{diff:?}");
    for part in ["eve@acme.com", "dee@acme.com", "archive old (wrkspc_01old)"] {
        assert!(diff.stdout.contains(part), "`{part}` is not in {}", diff.stdout);
    }
    assert!(!diff.stdout.contains("bob@acme.com"), "drift is not the proposal's: {}", diff.stdout);
    assert!(!story.path("trapped").exists(), "something of the fork was run");

    // The reviewer's plan, with credentials: the proposal's files are data in a folder of their own.
    let story = story.to(&served.url());
    std::fs::create_dir(story.path(".proposal")).unwrap();
    for file in ["charter.yaml", "teams/ml.yaml"] {
        let target = story.path(".proposal").join(file);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::write(target, story.git(&["show", &format!("proposed:{file}")]) + "\n").unwrap();
    }
    let plan = story.run(&["plan", ".proposal", "--base-path", "."]);
    shows(
        &plan,
        0,
        &[
            "+ invite eve@acme.com as user, by this change",
            "bob@acme.com role: developer -> user, drift",
            "3 by this change, 1 drift",
            "1 step has to be acknowledged",
        ],
    );
    std::fs::remove_dir_all(story.path(".proposal")).unwrap();
    std::fs::remove_dir_all(story.path(".fork")).unwrap();
    let digest = plan.stdout.split("--ack ").nth(1).unwrap().split_whitespace().next().unwrap();
    assert_eq!(served.calls(), Vec::<String>::new());

    // Merged; the plan of the merge commit is saved and sealed, and that one is applied.
    merge(&story, &format!("Merge: invite eve, retire Old\n\nCharter-Ack: {digest}\n"));
    let base = story.git(&["rev-parse", "HEAD^1"]);
    let story = story.env("CHARTER_PLAN_KEY", "a key that only the pipeline has, made at random");
    let saved = story.run(&["plan", ".", "--base-rev", &base, "--out", "plan.json"]);
    shows(&saved, 0, &["3 by this change, 1 drift"]);
    let apply = ["apply", "plan.json", "--yes", "--require-tip", "main"];
    refused(&story.run(&apply), "has not been acknowledged");
    let acknowledged = [&apply[..], &["--ack-from-commit", "HEAD"]].concat();

    // Somebody edits the plan on its way.
    let text = read(&story.path("plan.json"));
    std::fs::write(story.path("plan.json"), text.replacen("eve@acme.com", "mal@acme.com", 1))
        .unwrap();
    refused(&story.run(&acknowledged), "its HMAC is wrong");
    std::fs::write(story.path("plan.json"), &text).unwrap();

    // Somebody edits the organization in between, and takes it back.
    served.sandbox().with(|state| state.set_role("bob@acme.com", "claude_code_user"));
    refused(&story.run(&acknowledged), "the plan is stale");
    served.sandbox().with(|state| state.set_role("bob@acme.com", "developer"));
    assert_eq!(served.calls(), Vec::<String>::new(), "whatever was refused has written nothing");

    let applied = story.run(&acknowledged);
    assert_eq!(applied.code, Some(0), "{applied:?}");
    let mut calls = served.calls();
    calls.sort();
    let expected = [
        "DELETE /v1/organizations/workspaces/wrkspc_01models/members/user_01dee",
        "POST /v1/organizations/invites",
        "POST /v1/organizations/users/user_01bob",
        "POST /v1/organizations/workspaces/wrkspc_01old/archive",
    ];
    assert_eq!(calls.len(), expected.len(), "{calls:?}");
    for (call, expected) in calls.iter().zip(expected) {
        assert!(call.starts_with(expected), "{call} is not {expected}");
    }

    // Nothing is left, and running the old job again does nothing.
    let again = story.run(&["plan", ".", "--detailed-exitcode"]);
    shows(&again, 0, &["plan: nothing to do"]);
    refused(&story.run(&acknowledged), "the plan is stale");
    story.edit("charter.yaml", "  eve@acme.com: user\n", "");
    story.commit("Let eve go");
    story.git(&["checkout", "--quiet", "HEAD^1"]);
    refused(&story.run(&acknowledged), "is not the tip of");
    assert_eq!(served.calls().len(), expected.len());
}
