//! One repository for a week: merges, a refused loosening, an innocent commit, nights, an end by its date, an accepted
//! invite, a squash merge, a merge queue. Each day every step is told by where it comes from.
//!
//! Invariant: whoever reads a plan is never told that a change of theirs is drift, or that drift is a change of theirs.

use serde_json::Value;

use crate::{
    applied::{applied, apply, record},
    repository::LIVE,
    support::{Run, Served, Story, read},
};

/// The steps of the newest commit's plan against a base, with their origins.
#[track_caller]
fn origins(story: &Story, base: &str, code: i32) -> Vec<String> {
    let _ = std::fs::remove_file(story.path("plan.json"));
    let run = story.run(&[
        "plan",
        ".",
        "--rev",
        "main",
        "--base-rev",
        base,
        "--last-applied",
        "applied.json",
        "--out",
        "plan.json",
    ]);
    assert_eq!(run.code, Some(code), "{run:?}");
    steps(&read(&story.path("plan.json")), story)
}

/// What a night finds: nobody changed anything, so nothing is by a change.
#[track_caller]
fn nightly(story: &Story, code: i32) -> Vec<String> {
    let run = story.run(&[
        "drift",
        ".",
        "--rev",
        "main",
        "--last-applied",
        "applied.json",
        "--format",
        "json",
    ]);
    assert_eq!(run.code, Some(code), "{run:?}");
    steps(&run.stdout, story)
}

fn steps(json: &str, story: &Story) -> Vec<String> {
    let plan: Value = serde_json::from_str(json).unwrap();
    let step = |step: &Value| {
        let address = &step["address"];
        let origin = &step["attribution"];
        // A commit is told by its subject.
        let commit = origin["commit"].as_str();
        let commit = commit.map(|id| story.git(&["log", "-1", "--format=: %s", id]));
        format!(
            "{} {} {} {}{}",
            step["change"]["verb"].as_str().unwrap(),
            address["kind"].as_str().unwrap(),
            address["name"]["label"].as_str().unwrap(),
            origin["by"].as_str().unwrap(),
            commit.unwrap_or_default()
        )
    };
    let mut steps: Vec<String> = plan["steps"].as_array().unwrap().iter().map(step).collect();
    steps.sort();
    steps
}

fn night(story: &Story) -> Run {
    apply(story, &["--only", "expired", "--only", "deferred"])
}

fn add(story: &Story, entry: &str) {
    story.edit(
        "charter.yaml",
        "  ada@acme.com: admin\n",
        &format!("  ada@acme.com: admin\n  {entry}\n"),
    );
}

/// Merges a branch with one change, as a pull request is merged.
fn merge(story: &Story, name: &str, change: impl Fn(&Story), message: &str) -> String {
    story.git(&["checkout", "--quiet", "-b", name]);
    change(story);
    story.commit("Work of the author");
    story.git(&["checkout", "--quiet", "main"]);
    story.git(&["merge", "--quiet", "--no-ff", "--message", message, name]);
    story.git(&["rev-parse", "main"])
}

#[test]
fn a_week_of_one_repository() {
    let served = Served::start(LIVE);
    let story = applied(&served);
    let console = |email: &str, role: &str| {
        assert!(served.sandbox().with(|state| state.set_role(email, role)));
    };
    let nothing: [&str; 0] = [];

    // Monday: a pull request is merged, while somebody edits the Console.
    console("bob@acme.com", "developer");
    merge(&story, "eve", |story| add(story, "eve@acme.com: user"), "Merge: invite eve");
    assert_eq!(
        origins(&story, "main^1", 0),
        ["create member eve@acme.com this_change", "update member bob@acme.com drift"]
    );
    assert_eq!(apply(&story, &[]).code, Some(0));
    assert_eq!(nightly(&story, 0), nothing);

    // Tuesday: a loosening that is used at once is merged past its review, and refused.
    let loosen = |story: &Story| {
        story.edit("charter.yaml", "removals: {members: 1}", "removals: {members: 9}");
        story.edit(
            "charter.yaml",
            "  bob@acme.com: {role: user, previously: [robert@acme.com]}\n",
            "  bob@acme.com: none\n",
        );
        story.write(
            "teams/ml.yaml",
            "members: {cy@acme.com: none, dee@acme.com: none}\nteams: {ml: []}\n",
        );
    };
    merge(&story, "loosen", loosen, "Merge: let three go");
    let refused = origins(&story, "main^1", 4);
    let gone =
        |by: &str| ["bob", "cy", "dee"].map(|name| format!("remove member {name}@acme.com {by}"));
    assert!(gone("this_change").iter().all(|step| refused.contains(step)), "{refused:?}");
    assert_eq!(apply(&story, &["--base-rev", "main^1"]).code, Some(4));

    // An innocent commit follows it: what was refused is not drift, and stays refused.
    merge(&story, "fay", |story| add(story, "fay@acme.com: user"), "Merge: invite fay");
    let refused = origins(&story, "main^1", 4);
    let merged = gone("merged: Merge: let three go");
    assert!(merged.iter().all(|step| refused.contains(step)), "{refused:?}");
    assert!(refused.contains(&"create member fay@acme.com this_change".to_owned()), "{refused:?}");

    // At night nobody changes anything: what the Console did is drift, the rest is merged and not applied.
    console("joan@contractor.io", "developer");
    let found = nightly(&story, 2);
    assert!(merged.iter().all(|step| found.contains(step)), "{found:?}");
    assert!(found.contains(&"create member fay@acme.com merged: Merge: invite fay".to_owned()));
    assert!(found.contains(&"update member joan@contractor.io drift".to_owned()), "{found:?}");
    let calls = served.calls();
    assert_eq!(night(&story).code, Some(0));
    assert_eq!(served.calls(), calls);

    // Wednesday: it is taken back.
    let revert = |story: &Story| {
        let start = story.git(&["rev-list", "--max-parents=0", "HEAD"]);
        story.git(&["checkout", "--quiet", &start, "--", "."]);
        add(story, "eve@acme.com: user");
        add(story, "fay@acme.com: user");
    };
    merge(&story, "revert", revert, "Merge: keep the three");
    assert_eq!(
        origins(&story, "main^1", 0),
        [
            "create member fay@acme.com merged: Merge: invite fay",
            "update member joan@contractor.io drift"
        ]
    );
    assert_eq!(apply(&story, &["--base-rev", "main^1"]).code, Some(0));

    // Thursday: fay is invited and waits, with a grant; the contract of joan ends. Both were applied three days ago, when
    // the end was still to come.
    let yesterday = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24);
    let yesterday = yesterday.to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
    let grant = |story: &Story| {
        let members = "    members: {team/ml";
        story.edit("charter.yaml", members, "    members: {fay@acme.com: workspace_user, team/ml");
        story.edit("charter.yaml", "2087-03-31", &yesterday);
        story.edit("charter.yaml", "removals: {members: 1}", "removals: {members: 0}");
    };
    let commit = merge(&story, "grant", grant, "Merge: let fay in, joan ends");
    record(&story, &commit, 72);
    served.sandbox().with(|state| state.accept_invite("fay@acme.com"));
    // Merged since: somebody who is there already gets a grant, and another end that has passed.
    let since = |story: &Story| {
        story.edit(
            "charter.yaml",
            "    members: {fay",
            "    members: {bob@acme.com: workspace_user, fay",
        );
        add(story, &format!("gus@acme.com: {{role: user, until: {yesterday}}}"));
    };
    served.sandbox().with(|state| state.add_user("gus@acme.com", "user"));
    merge(&story, "since", since, "Merge: let bob in, gus ends");
    let from = |by: &str| format!("merged: Merge: {by}");
    assert_eq!(
        nightly(&story, 2),
        [
            format!("create workspace_member bob@acme.com {}", from("let bob in, gus ends")),
            "create workspace_member fay@acme.com drift".to_owned(),
            format!("remove member gus@acme.com {}", from("let bob in, gus ends")),
            "remove member joan@contractor.io drift".to_owned(),
        ]
    );
    // The end that nobody applied counts as a removal, and stops the night; joan's alone would not.
    let run = night(&story);
    assert_eq!(run.code, Some(4), "{run:?}");
    assert!(run.stdout.contains("people removed: 1 of"), "{run:?}");
    merge(
        &story,
        "mend",
        |story| {
            let line = format!("gus@acme.com: {{role: user, until: {yesterday}}}");
            story.edit("charter.yaml", &line, "gus@acme.com: user");
        },
        "Merge: gus stays",
    );
    let calls = served.calls().len();
    assert_eq!(night(&story).code, Some(0));
    assert_eq!(served.calls().len(), calls + 2);
    assert_eq!(
        nightly(&story, 2),
        [format!("create workspace_member bob@acme.com {}", from("let bob in, gus ends"))]
    );
    assert_eq!(apply(&story, &["--base-rev", "main^1"]).code, Some(0));

    // Friday: a squash merge, then a queue that merges two requests in one push.
    story.git(&["checkout", "--quiet", "-b", "hal"]);
    add(&story, "hal@acme.com: user");
    story.commit("Work of the author");
    story.git(&["checkout", "--quiet", "main"]);
    story.git(&["merge", "--quiet", "--squash", "hal"]);
    story.commit("Invite hal (#7)\n\nWork of the author\n\nCo-authored-by: Ada <ada@acme.com>");
    assert_eq!(origins(&story, "main^1", 0), ["create member hal@acme.com this_change"]);
    assert_eq!(apply(&story, &["--base-rev", "main^1"]).code, Some(0));

    let before = story.git(&["rev-parse", "main"]);
    merge(&story, "ivy", |story| add(story, "ivy@acme.com: user"), "Merge: invite ivy");
    merge(&story, "jan", |story| add(story, "jan@acme.com: user"), "Merge: invite jan");
    assert_eq!(
        origins(&story, &before, 0),
        ["create member ivy@acme.com this_change", "create member jan@acme.com this_change"]
    );
    // Seen from its parent, the first of both is an earlier change.
    assert_eq!(
        origins(&story, "main^1", 0),
        [
            "create member ivy@acme.com merged: Merge: invite ivy",
            "create member jan@acme.com this_change"
        ]
    );
    assert_eq!(apply(&story, &["--base-rev", &before]).code, Some(0));
    assert_eq!(nightly(&story, 0), nothing);
}
