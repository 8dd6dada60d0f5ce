//! What applying needs besides the guards: an acknowledgement, the tip of the branch, a sealed and fresh plan.
//!
//! Invariant: what is refused calls nothing, and exits with code 4.

use crate::{
    repository::{LIVE, flowing, repository, shows},
    support::{SEED, Served, Story, read},
};

#[test]
fn an_archive_needs_the_digest_of_exactly_what_is_archived() {
    let served = Served::start(LIVE);
    let story = repository().to(&served.url());
    let models = "  Models:\n    members: {team/ml: workspace_developer}\n";
    story.edit("charter.yaml", models, "  Models: {id: wrkspc_01models, state: archived}\n");
    story.edit("charter.yaml", "guard: {", "guard: {archives: 1, ");
    story.commit("Archive Models");
    let plan = story.run(&["plan", ".", "--out", "plan.json"]);
    shows(&plan, 0, &["1 step has to be acknowledged", "workspace/Models"]);
    let json: serde_json::Value = serde_json::from_str(&read(&story.path("plan.json"))).unwrap();
    let digest = json["acknowledgement"]["digest"].as_str().unwrap().to_owned();
    assert!(plan.stdout.contains(&format!("--ack {digest}\n")), "{plan:?}");

    let wrong = "0".repeat(64);
    for (extra, why) in [
        (vec![], "the listed step has not been acknowledged"),
        (vec!["--ack", wrong.as_str()], "acknowledged by another digest than theirs"),
        (vec!["--ack-from-commit", "HEAD"], "the listed step has not been acknowledged"),
    ] {
        for path in [".", "plan.json"] {
            let mut args = vec!["apply", path, "--yes"];
            args.extend(&extra);
            let run = story.run(&args);
            assert_eq!(run.code, Some(4), "{args:?} {run:?}");
            assert!(flowing(&run.stderr).contains(why), "{args:?} {run:?}");
            assert!(run.stderr.contains(&digest), "{run:?}");
        }
    }
    assert_eq!(served.calls(), Vec::<String>::new());

    // The author of the change wrote the title; a co-author's paragraph hides what a reviewer wrote.
    let trailer = format!("Charter-Ack: {digest}");
    for (message, why) in [
        (
            format!("Merge pull request #7 from acme/topic\n\n{trailer}"),
            "GitHub takes from the title",
        ),
        (format!("{trailer} (#7)"), "it stands in the subject"),
        (
            format!("Archive (#7)\n\n{trailer}\n\nCo-authored-by: Kim <kim@acme.com>"),
            "another paragraph comes after it",
        ),
    ] {
        story.commit(&message);
        let run = story.run(&["apply", "plan.json", "--yes", "--ack-from-commit", "HEAD"]);
        assert_eq!(run.code, Some(4), "{run:?}");
        let said = flowing(&run.stderr);
        assert!(said.contains("has a `Charter-Ack:` that was not read: "), "{said}");
        assert!(said.contains(why), "{said}");
    }
    assert_eq!(served.calls(), Vec::<String>::new());

    story.commit(&format!("Merge the archive\n\nReviewed.\n\nCharter-Ack: {digest}"));
    let applied = story.run(&["apply", "plan.json", "--yes", "--ack-from-commit", "HEAD"]);
    assert_eq!(applied.code, Some(0), "{applied:?}");
    assert_eq!(served.calls().len(), 1);
}

#[test]
fn what_the_files_name_is_acknowledged_too_and_a_sandbox_of_ones_own_asks_nobody() {
    let served = Served::start(LIVE);
    let story = repository().to(&served.url());
    story.edit("charter.yaml", "guard: {", "guard: {acknowledge: [removals.members], ");
    story.edit(
        "charter.yaml",
        "  bob@acme.com: {role: user, previously: [robert@acme.com]}",
        "  bob@acme.com: none",
    );
    let run = story.run(&["apply", ".", "--yes"]);
    assert_eq!(run.code, Some(4), "{run:?}");
    let digest = run.stdout.split("--ack ").nth(1).unwrap()[..64].to_owned();
    assert_eq!(story.run(&["apply", ".", "--yes", "--ack", &digest]).code, Some(0));
    assert_eq!(served.calls().len(), 1);

    let alone =
        Story::with(&read(&story.path("charter.yaml")).replace("team/ml: workspace_developer", ""));
    alone.write("live", LIVE);
    let run = alone.run(&["apply", "--yes", "--sandbox=live", "charter.yaml"]);
    assert_eq!(run.code, Some(0), "{run:?}");
}

#[test]
fn an_apply_from_a_commit_that_is_not_the_tip_is_refused() {
    let served = Served::start(LIVE);
    let story = repository().to(&served.url());
    story.edit(
        "charter.yaml",
        "  ada@acme.com: admin\n",
        "  ada@acme.com: admin\n  eve@acme.com: user\n",
    );
    let old = story.commit("Invite eve");
    story.run(&["plan", ".", "--out", "plan.json"]);
    story.edit("charter.yaml", "  eve@acme.com: user\n", "");
    story.commit("Let eve go");
    story.git(&["branch", "--force", "main", "HEAD"]);
    story.git(&["checkout", "--quiet", &old]);
    // An old job is run again.
    for path in [".", "plan.json"] {
        let (error, help) =
            story.run(&["apply", path, "--yes", "--require-tip", "main"]).one_message(4);
        assert!(error.contains("is not the tip of `main`"), "{error}");
        assert!(help.contains("newest commit"), "{help}");
    }
    // The tip, but other files in the work tree.
    story.git(&["checkout", "--quiet", "main"]);
    story.edit(
        "charter.yaml",
        "  ada@acme.com: admin\n",
        "  ada@acme.com: admin\n  eve@acme.com: user\n",
    );
    let (error, _) = story.run(&["apply", ".", "--yes", "--require-tip", "main"]).one_message(4);
    assert!(error.contains("does not say what the commit"), "{error}");
    assert_eq!(served.calls(), Vec::<String>::new());
    story.git(&["checkout", "--quiet", "--", "."]);
    assert_eq!(story.run(&["apply", ".", "--yes", "--require-tip", "main"]).code, Some(0));
}

#[test]
fn a_sealed_plan_is_refused_when_anything_in_it_was_changed() {
    let served = Served::start(SEED);
    let story = Story::new()
        .to(&served.url())
        .env("CHARTER_PLAN_KEY", "a key of the pipeline, made at random");
    assert_eq!(story.run(&["plan", "--out", "plan.json"]).code, Some(0));
    let plan = read(&story.path("plan.json"));
    assert!(plan.contains("\"hmac\": \""), "{plan}");
    // Also what no call shows: limits, approvals, what was waited for.
    let moved = plan
        .replace("\"limits\": {}", "\"limits\": {\"invites\": {\"share\": null, \"count\": 9}}");
    assert_ne!(moved, plan);
    let start = plan.find("\"hmac\"").unwrap();
    let end = start + plan[start..].find('\n').unwrap();
    let without = format!("{}\"x\": 1{}", &plan[..start], &plan[end..]);
    for (text, why) in [(moved, "its HMAC is wrong"), (without, "it carries no HMAC")] {
        story.write("changed.json", &text);
        let (error, _) = story.run(&["apply", "changed.json", "--yes"]).one_message(4);
        assert!(error.contains(why), "{error}");
    }
    let other = Story::new()
        .to(&served.url())
        .env("CHARTER_PLAN_KEY", "another key than that of the pipeline");
    other.write("plan.json", &plan);
    let (error, _) = other.run(&["apply", "plan.json", "--yes"]).one_message(4);
    assert!(error.contains("its HMAC is wrong"), "{error}");
    // A secret that did not arrive is no wish to go without.
    let empty = Story::new().to(&served.url()).env("CHARTER_PLAN_KEY", "");
    empty.write("plan.json", &plan);
    let (error, _) = empty.run(&["apply", "plan.json", "--yes"]).one_message(3);
    assert!(error.contains("`CHARTER_PLAN_KEY` is set, and empty"), "{error}");
    // One that can be guessed seals nothing.
    let short = Story::new().to(&served.url()).env("CHARTER_PLAN_KEY", &"k".repeat(31));
    for arguments in [&["plan", "--out", "plan.json"][..], &["apply", "plan.json", "--yes"]] {
        short.write("plan.json", &plan);
        let (error, help) = short.run(arguments).one_message(3);
        assert!(error.contains("`CHARTER_PLAN_KEY` has 31 bytes, and a key needs 32"), "{error}");
        assert!(help.contains("openssl rand -hex 32"), "{help}");
    }
    assert_eq!(served.calls(), Vec::<String>::new());
    assert_eq!(story.run(&["apply", "plan.json", "--yes"]).code, Some(0));
}

#[test]
fn an_old_plan_is_refused() {
    let served = Served::start(SEED);
    let file = format!("{}guard: {{max_plan_age: 4h}}\n", crate::support::FILE);
    let story = Story::with(&file).to(&served.url());
    assert_eq!(story.run(&["plan", "--out", "plan.json"]).code, Some(0));
    let plan = read(&story.path("plan.json"));
    let json: serde_json::Value = serde_json::from_str(&plan).unwrap();
    let made = json["created_at"].as_str().unwrap();
    let at = |hours: i64| {
        let made: jiff::Timestamp = made.parse().unwrap();
        plan.replace(
            made.to_string().as_str(),
            &(made + jiff::SignedDuration::from_hours(hours)).to_string(),
        )
    };
    for (hours, why) in [(-5, "and `guard.max_plan_age` is 4h"), (1, "in the future")] {
        story.write("old.json", &at(hours));
        let (error, help) = story.run(&["apply", "old.json", "--yes"]).one_message(4);
        assert!(error.contains(why), "{error}");
        assert!(help.contains("make a new plan"), "{help}");
    }
    assert_eq!(served.calls(), Vec::<String>::new());
    story.write("fresh.json", &at(-3));
    assert_eq!(story.run(&["apply", "fresh.json", "--yes"]).code, Some(0));
}
