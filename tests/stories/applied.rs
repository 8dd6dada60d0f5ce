//! The record of what was applied last: plans are held against it, and only a whole apply of a commit moves it.
//!
//! Invariant: a record that cannot be used refuses, that there is none is said, and what is refused calls nothing.

use jiff::Timestamp;
use orgcharter::plan::record::Record;

use crate::{
    repository::{LIVE, flowing, repository, shows},
    support::{ID, Run, Served, Story, read},
};

const PIPELINE: &str = "a key of the pipeline, long enough";

/// A repository whose `main` was applied, and the record of that; `main` is checked out.
pub(crate) fn applied(served: &Served) -> Story {
    let story = repository().to(&served.url()).env("CHARTER_PLAN_KEY", PIPELINE);
    story.git(&["checkout", "--quiet", "main"]);
    let run = apply(&story, &[]);
    shows(&run, 0, &["nothing to do"]);
    assert!(
        flowing(&run.stdout).contains("there is no record") || run.stderr.contains("no record")
    );
    assert!(run.stderr.contains("applied last is "), "{run:?}");
    story
}

/// Applies the newest commit of `main`.
pub(crate) fn apply(story: &Story, more: &[&str]) -> Run {
    let head = story.git(&["rev-parse", "main"]);
    let mut args = vec!["apply", ".", "--yes", "--rev", &head, "--last-applied", "applied.json"];
    args.extend(more);
    story.run(&args)
}

fn plan(story: &Story, base: &str) -> Run {
    story.run(&["plan", ".", "--rev", "main", "--base-rev", base, "--last-applied", "applied.json"])
}

/// The commit that the record names.
fn recorded(story: &Story) -> String {
    let record: serde_json::Value =
        serde_json::from_str(&read(&story.path("applied.json"))).unwrap();
    record["commit"].as_str().unwrap().to_owned()
}

/// Writes the record of an apply some hours ago.
pub(crate) fn record(story: &Story, commit: &str, hours: i64) {
    let planned_at = Timestamp::now() - jiff::SignedDuration::from_hours(hours);
    let record = Record::new(ID, "", commit, planned_at);
    story.write("applied.json", &record.sealed(PIPELINE.as_bytes()).unwrap());
}

#[test]
fn a_loosening_that_was_refused_is_refused_after_an_innocent_commit_too() {
    let served = Served::start(LIVE);
    let story = applied(&served);
    let start = recorded(&story);
    let loosening = loosen(&story);
    shows(&plan(&story, "main^1"), 4, &["and the limit is 1 in the base"]);
    let saved = ["plan", ".", "--rev", "main", "--base-rev", "main^1", "--out", "plan.json"];
    let refused = story.run(&saved);
    assert!(!refused.stderr.contains("saved"), "{refused:?}");
    story.edit("charter.yaml", "  ada@acme.com: admin\n", "  ada@acme.com: admin # on call\n");
    story.commit("Say who is on call");

    let run = plan(&story, "main^1");
    let from = format!("merged, not applied ({})", &loosening[..12]);
    shows(
        &run,
        4,
        &[
            "refused by a guard",
            "and the limit is 1 in what was applied last",
            "guard.removals.members: 1 -> 9, merged, not applied",
            &format!("held against {start}, which was applied last"),
            &from,
            "0 by this change, ",
            " merged and not applied, 0 drift",
        ],
    );
    // Nor does it go through without a base, or at night.
    assert_eq!(apply(&story, &[]).code, Some(4));
    let night = apply(&story, &["--only", "expired", "--only", "deferred"]);
    shows(&night, 0, &["nothing"]);
    assert_eq!(served.calls(), Vec::<String>::new());
    assert_eq!(recorded(&story), start);
}

#[test]
fn the_record_moves_after_a_whole_apply_alone() {
    let served = Served::start(LIVE);
    let story = applied(&served);
    let start = recorded(&story);
    let stays = |run: &Run, code: i32, why: &str| {
        assert_eq!(run.code, Some(code), "{run:?}");
        let said = flowing(&run.stderr);
        assert!(said.contains("stays at ") && said.contains(why), "{run:?}");
        assert_eq!(recorded(&story), start);
    };
    story.edit("charter.yaml", "  bob@acme.com: {role: user", "  bob@acme.com: {role: developer");
    story.edit("charter.yaml", "guard: {", "guard: {invites: 0, ");
    story.edit(
        "charter.yaml",
        "  ada@acme.com: admin\n",
        "  ada@acme.com: admin\n  eve@acme.com: user\n",
    );
    story.commit("Promote bob, invite eve");
    stays(&apply(&story, &["--only", "member/bob@acme.com"]), 0, "`--only` applied a part");
    let allowed = ["--allow", "invites=1"];
    stays(&apply(&story, &allowed), 0, "`--allow invites=1` is not in the message of the commit");
    // The next whole apply moves it, with nothing to do.
    let run = apply(&story, &[]);
    shows(&run, 0, &["nothing to do"]);
    assert!(run.stderr.contains("applied last is "), "{run:?}");
    assert_eq!(recorded(&story), story.git(&["rev-parse", "main"]));

    // What the commit's message allows is carried, where the reviewer writes it.
    story.edit(
        "charter.yaml",
        "  eve@acme.com: user\n",
        "  eve@acme.com: user\n  fay@acme.com: user\n",
    );
    story.commit("Invite fay\n\nReviewed.\n\nCharter-Allow: invites=1");
    let run = apply(&story, &["--allow", "invites=1", "--ack-from-commit", "main"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(recorded(&story), story.git(&["rev-parse", "main"]));
}

#[test]
fn a_saved_plan_moves_the_record_to_its_own_commit_and_is_stale_once_another_did() {
    let served = Served::start(LIVE);
    let story = applied(&served);
    let save = |file: &str| {
        let run = story.run(&[
            "plan",
            ".",
            "--rev",
            "main",
            "--last-applied",
            "applied.json",
            "--out",
            file,
        ]);
        assert_eq!(run.code, Some(0), "{run:?}");
        let how = format!("`charter apply --plan {file} --last-applied applied.json`");
        assert!(run.stderr.contains(&how), "{run:?}");
    };
    let carry_out = |file: &str| {
        story.run(&[
            "apply",
            "--plan",
            file,
            "--yes",
            "--require-tip",
            "main",
            "--last-applied",
            "applied.json",
        ])
    };
    story.edit(
        "charter.yaml",
        "  ada@acme.com: admin\n",
        "  ada@acme.com: admin\n  eve@acme.com: user\n",
    );
    let first = story.commit("Invite eve");
    save("first.json");
    // Another commit came: the plan's own commit is judged, whatever is checked out.
    story.commit("Nothing");
    let (error, _) = carry_out("first.json").one_message(4);
    assert!(error.contains(&first) && error.contains("is not the tip of `main`"), "{error}");
    save("second.json");
    assert_eq!(carry_out("second.json").code, Some(0));
    assert_eq!(recorded(&story), story.git(&["rev-parse", "main"]));
    let (error, help) = carry_out("second.json").one_message(4);
    assert!(error.contains("the plan is stale: it was held against"), "{error}");
    assert!(help.contains("make a new plan"), "{help}");
    // Who leaves the record out is told that it stays.
    save("third.json");
    let run = story.run(&["apply", "--plan", "third.json", "--yes"]);
    assert!(run.stderr.contains("`--last-applied` is not given: the record stays at"), "{run:?}");
    // A plan that saw no record does not pass once there is one.
    let run = story.run(&["plan", ".", "--rev", "main", "--out", "blind.json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let (error, _) = carry_out("blind.json").one_message(4);
    assert!(error.contains("it was held against nothing as applied last"), "{error}");
}

#[test]
fn a_record_that_cannot_be_used_is_refused_and_none_is_said() {
    let served = Served::start(LIVE);
    let story = applied(&served);
    let record = read(&story.path("applied.json"));
    let refused = |text: &str, why: &str, next: &str| {
        story.write("applied.json", text);
        for run in [plan(&story, "main"), apply(&story, &[])] {
            let (error, help) = run.one_message(4);
            assert!(error.contains(why), "{error}");
            assert!(help.contains(next), "{help}");
        }
        let drift = story.run(&["drift", "--rev", "main", "--last-applied", "applied.json"]);
        assert_eq!(drift.code, Some(4), "{drift:?}");
    };
    let sealed = |organization: &str, path: &str, commit: &str| {
        let record = Record::new(organization, path, commit, Timestamp::now());
        record.sealed(PIPELINE.as_bytes()).unwrap()
    };
    let head = story.git(&["rev-parse", "main"]);
    let other = "2".repeat(40);
    refused(&record.replace(&head, &other), "its HMAC is wrong", "an owner deletes it");
    let unsealed = record.lines().filter(|line| !line.contains("hmac")).collect::<Vec<_>>();
    let unsealed = unsealed.join("\n").replace("Z\",\n}", "Z\"\n}");
    refused(&unsealed, "it carries no HMAC", "an owner deletes it");
    refused(&sealed("org-2", "", &head), "it is for the organization `org-2`", "for these files");
    refused(&sealed(ID, "teams", &head), "it is for the files at `teams`", "for these files");
    refused(&sealed(ID, "", &other), "is not in this repository", "git fetch origin");
    // A commit of another branch: nobody merged it.
    story.git(&["checkout", "--quiet", "topic"]);
    let topic = story.commit("Elsewhere");
    story.git(&["checkout", "--quiet", "main"]);
    story.commit("On its own way");
    refused(&sealed(ID, "", &topic), "does not come before", &format!("`--base-rev {topic}`"));
    // The branch was rewritten on purpose: somebody says so.
    let run = plan(&story, &topic);
    shows(&run, 0, &[&format!("held against {topic}")]);
    assert!(run.stderr.contains("the branch was rewritten"), "{run:?}");

    let keyless = repository().to(&served.url());
    let args = ["plan", ".", "--last-applied", "applied.json"];
    let (error, _) = keyless.run(&args).one_message(3);
    assert!(error.contains("`CHARTER_PLAN_KEY` is not set"), "{error}");
    for nothing in ["", " \n"] {
        story.write("applied.json", nothing);
        let run = plan(&story, "main^0");
        assert_eq!(run.code, Some(0), "{run:?}");
        assert!(flowing(&run.stderr).contains("held against the base `main^0` alone"), "{run:?}");
    }
    assert_eq!(served.calls(), Vec::<String>::new());
}

#[test]
fn a_broken_base_does_not_stop_what_mends_it_where_something_was_applied() {
    let served = Served::start(LIVE);
    let story = applied(&served);
    story.edit("charter.yaml", "  ada@acme.com: admin\n", "  ada@acme.com: emperor\n");
    story.commit("Break the branch");
    story.edit(
        "charter.yaml",
        "  ada@acme.com: emperor\n",
        "  ada@acme.com: admin\n  eve@acme.com: user\n",
    );
    // A commit that breaks nothing more, and loosens what was applied.
    story.edit("charter.yaml", "removals: {members: 1}", "removals: {members: 9}");
    story.commit("Mend it");
    let run = plan(&story, "main^1");
    shows(&run, 0, &["guard.removals.members: 1 -> 9, merged, not applied", "1 to create"]);
    assert!(flowing(&run.stderr).contains("the files of the base `main^1` are wrong"), "{run:?}");
    assert_eq!(apply(&story, &["--base-rev", "main^1"]).code, Some(0));
    let alone = ["plan", ".", "--rev", "main", "--base-rev", "main^1"];
    assert_eq!(story.run(&alone).code, Some(3));
}

#[test]
fn the_commit_is_named_for_files_in_a_folder_too_and_from_within_it() {
    let served = Served::start(LIVE);
    let story = Story::new().with_git().to(&served.url()).env("CHARTER_PLAN_KEY", PIPELINE);
    std::fs::remove_file(story.path("charter.yaml")).unwrap();
    std::fs::create_dir(story.path("access")).unwrap();
    let file = |more: &str| {
        let organization = "version: 1\norganization: {id: 3f0c1b1e-0000-4000-8000-000000000000}\n";
        story.write(
            "access/charter.yaml",
            &format!("{organization}members:\n  ada@acme.com: admin\n{more}"),
        );
    };
    file("");
    story.git(&["init", "--quiet", "--initial-branch=main"]);
    let start = story.commit("Start");
    let record = Record::new(ID, "access", &start, Timestamp::now());
    story.write("applied.json", &record.sealed(PIPELINE.as_bytes()).unwrap());
    file("  eve@acme.com: user\n");
    let brought = story.commit("Invite eve");
    story.write("notes.txt", "elsewhere");
    story.commit("Elsewhere");
    let expected = format!("as user, merged, not applied ({})", &brought[..12]);
    for (folder, file, path) in [
        ("", "applied.json", "access"),
        ("access", "../applied.json", "."),
        ("access", "../applied.json", "charter.yaml"),
    ] {
        let args = ["plan", "--rev", "main", "--last-applied", file, "--", path];
        let mut command = story.command(&args);
        let run = crate::support::ended(command.current_dir(story.path(folder)).output().unwrap());
        shows(&run, 0, &[&expected]);
    }
}

#[test]
fn the_record_may_lie_in_the_folder_of_the_files() {
    let served = Served::start(LIVE);
    let story = applied(&served);
    story.edit("charter.yaml", "members: report", "members: remove");
    let run = story.run(&["plan", ".", "--last-applied", "applied.json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
}

/// People leave by more than the limit, which is raised by the same commit.
fn loosen(story: &Story) -> String {
    story.edit("charter.yaml", "removals: {members: 1}", "removals: {members: 9}");
    story.edit("charter.yaml", "manage: {members: report", "manage: {members: remove");
    story.write("teams/ml.yaml", "teams: {ml: []}\n");
    story.commit("Let the team go")
}

#[test]
fn a_narrowed_plan_moves_nothing_when_it_was_saved_either() {
    let served = Served::start(LIVE);
    let story = applied(&served);
    let start = recorded(&story);
    loosen(&story);
    let narrow = [
        "plan",
        ".",
        "--rev",
        "main",
        "--last-applied",
        "applied.json",
        "--only",
        "member/zoe*",
        "--out",
        "part.json",
    ];
    assert_eq!(story.run(&narrow).code, Some(0));
    let run =
        story.run(&["apply", "--plan", "part.json", "--yes", "--last-applied", "applied.json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(flowing(&run.stderr).contains("`--only` applied a part"), "{run:?}");
    assert_eq!(recorded(&story), start);
    assert_eq!(apply(&story, &[]).code, Some(4));
}

#[test]
fn a_run_that_is_resumed_is_held_against_what_was_applied_and_moves_nothing() {
    let served = Served::start(LIVE);
    let story = applied(&served);
    story.edit(
        "charter.yaml",
        "  ada@acme.com: admin\n",
        "  ada@acme.com: admin\n  eve@acme.com: user\n",
    );
    let first = story.commit("Invite eve");
    let run = apply(&story, &["--journal", "first.jsonl"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(recorded(&story), first);
    loosen(&story);
    let calls = served.calls();
    // The commit of that run, and not the newest one.
    let run = story.run(&["apply", "--resume", "first.jsonl", "--yes"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.contains("a run that was resumed is no whole apply"), "{run:?}");
    assert!(
        run.stdout.contains(&format!("held against {first}, which was applied last")),
        "{run:?}"
    );
    assert_eq!((recorded(&story), served.calls()), (first, calls));
}

#[cfg(target_os = "linux")]
#[test]
fn what_another_run_has_applied_while_the_question_waited_is_not_written_over() {
    let served = Served::start(LIVE);
    let story = applied(&served);
    let add = |name: &str| {
        story.edit(
            "charter.yaml",
            "  ada@acme.com: admin\n",
            &format!("  ada@acme.com: admin\n  {name}@acme.com: user\n"),
        );
        story.commit(name)
    };
    let (old, new) = (add("eve"), add("fay"));
    let before = read(&story.path("applied.json"));
    record(&story, &new, 0);
    std::fs::rename(story.path("applied.json"), story.path("other.json")).unwrap();
    story.write("applied.json", &before);
    let story = story.env("MEANWHILE", "other.json applied.json");
    let args = ["apply", ".", "--rev", &old, "--last-applied", "applied.json"];
    let run = crate::confirm::at_a_terminal(&story, &args, "yes\n");
    assert_eq!(run.code, Some(4), "{run:?}");
    assert!(
        flowing(&run.stdout).contains("the plan is stale: another run has moved the record"),
        "{run:?}"
    );
    assert_eq!((recorded(&story), served.calls()), (new, Vec::new()));
}

#[test]
fn an_old_commit_is_no_rewritten_branch() {
    let served = Served::start(LIVE);
    let story = applied(&served);
    let old = recorded(&story);
    let new = story.commit("Newer");
    assert_eq!(apply(&story, &[]).code, Some(0));
    for base in [new.as_str(), "main"] {
        let args = [
            "apply",
            ".",
            "--yes",
            "--rev",
            &old,
            "--base-rev",
            base,
            "--last-applied",
            "applied.json",
        ];
        let (error, _) = story.run(&args).one_message(4);
        assert!(error.contains("does not come before"), "{error}");
    }
    assert_eq!(recorded(&story), new);
}

#[test]
fn an_allowance_is_that_of_the_commit_that_is_applied_and_says_one_thing() {
    let served = Served::start(LIVE);
    let story = applied(&served);
    story.edit("charter.yaml", "guard: {", "guard: {invites: 0, ");
    for (number, (message, by, moves)) in [
        ("Charter-Allow: invites=1", "main^1", false),
        ("Charter-Allow: invites=1", "main", true),
        ("Charter-Allow: invites=9\nCharter-Allow: invites=1", "main", false),
        ("Charter-Allow: invites=0001", "main", false),
        ("Charter-Allow: invites=1\nCharter-Allow: invites=some", "main", false),
    ]
    .into_iter()
    .enumerate()
    {
        story.edit(
            "charter.yaml",
            "  ada@acme.com: admin\n",
            &format!("  ada@acme.com: admin\n  p{number}@acme.com: user\n"),
        );
        let commit = story.commit(&format!("Invite\n\n{message}"));
        let run = apply(&story, &["--allow", "invites=1", "--ack-from-commit", by]);
        assert_eq!(run.code, Some(0), "{run:?}");
        assert_eq!(recorded(&story) == commit, moves, "{message} of {by}: {run:?}");
        assert_eq!(apply(&story, &[]).code, Some(0));
    }
}

#[test]
fn a_broken_commit_in_between_hides_no_other() {
    let served = Served::start(LIVE);
    let story = applied(&served);
    story.edit(
        "charter.yaml",
        "  ada@acme.com: admin\n",
        "  ada@acme.com: admin\n  eve@acme.com: user\n",
    );
    let eve = story.commit("Invite eve");
    let text = read(&story.path("charter.yaml"));
    story.write("charter.yaml", "members: [\n");
    story.commit("Break it");
    story.write("charter.yaml", &text.replace("  eve@", "  fay@acme.com: user\n  eve@"));
    let mended = story.commit("Mend it, invite fay");
    story.commit("Nothing");
    let named = |commit: &str| format!("merged, not applied ({})", &commit[..12]);
    shows(&plan(&story, "main^1"), 0, &[&named(&eve), &named(&mended)]);
}

#[test]
fn a_record_is_a_small_regular_file() {
    let served = Served::start(LIVE);
    let story = applied(&served);
    let text = read(&story.path("applied.json"));
    let refused = || {
        for run in [plan(&story, "main"), apply(&story, &[])] {
            let (error, _) = run.one_message(4);
            assert!(error.contains("no regular file of at most 64 KiB"), "{error}");
        }
    };
    story.write("applied.json", &format!("{text}{}", " ".repeat(70_000)));
    refused();
    std::fs::remove_file(story.path("applied.json")).unwrap();
    story.write("elsewhere.json", &text);
    std::os::unix::fs::symlink("elsewhere.json", story.path("applied.json")).unwrap();
    refused();
}

#[test]
fn a_shallow_clone_says_that_it_is_shallow() {
    let served = Served::start(LIVE);
    let story = applied(&served);
    story.commit("Nothing");
    let here = format!("file://{}", story.folder.path().display());
    story.git(&["clone", "--quiet", "--depth", "1", "--branch", "main", &here, "shallow"]);
    let record = read(&story.path("applied.json"));
    let clone = Story::new().with_git().to(&served.url()).env("CHARTER_PLAN_KEY", PIPELINE);
    std::fs::remove_file(clone.path("charter.yaml")).unwrap();
    clone.git(&["clone", "--quiet", "--depth", "1", "--branch", "main", &here, "."]);
    clone.write("applied.json", &record);
    let (error, help) = plan(&clone, "main").one_message(4);
    assert!(error.contains("is not in this repository"), "{error}");
    assert!(help.contains("this clone is shallow"), "{help}");
}

#[test]
fn where_plans_are_sealed_nothing_else_is_applied_unless_it_is_asked_for() {
    let served = Served::start(LIVE);
    let story = repository().to(&served.url()).env("CHARTER_PLAN_KEY", PIPELINE);
    // A folder where a saved plan is expected, with a repository of its own.
    std::fs::create_dir(story.path("plan.json")).unwrap();
    std::fs::copy(story.path("charter.yaml"), story.path("plan.json/charter.yaml")).unwrap();
    for path in ["plan.json", ".", "charter.yaml"] {
        let (error, help) = story.run(&["apply", path, "--yes"]).one_message(4);
        assert!(error.contains("is no saved plan, and `CHARTER_PLAN_KEY` is set"), "{error}");
        assert!(help.contains("`--plan FILE`") && help.contains("`--files`"), "{help}");
    }
    let (error, _) = story.run(&["apply", "--plan", "plan.json", "--yes"]).one_message(3);
    assert!(error.contains("is no regular file"), "{error}");
    std::fs::remove_dir_all(story.path("plan.json")).unwrap();
    assert_eq!(story.run(&["apply", ".", "--yes", "--files"]).code, Some(0));
    assert_eq!(story.run(&["apply", ".", "--yes", "--rev", "main"]).code, Some(0));
}

#[test]
fn a_saved_plan_is_judged_by_the_repository_of_the_current_folder() {
    let served = Served::start(LIVE);
    let story = repository().to(&served.url()).env("CHARTER_PLAN_KEY", PIPELINE);
    story.git(&["checkout", "--quiet", "main"]);
    // The plan lies in a clone that is behind, and is its newest commit there.
    let here = story.folder.path().display().to_string();
    story.git(&["clone", "--quiet", "--branch", "main", &here, "clone"]);
    story.write(".git/info/exclude", "clone\n");
    let run = story.run(&["plan", ".", "--rev", "main", "--out", "clone/plan.json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    story.commit("Newer");
    let (error, _) = story
        .run(&["apply", "--plan", "clone/plan.json", "--yes", "--require-tip", "main"])
        .one_message(4);
    assert!(error.contains("is not the tip of `main`"), "{error}");
}

#[test]
fn at_night_only_what_was_applied_counts_as_deferred_and_as_announced() {
    let live = LIVE.replace("  - {email: bob@acme.com, role: user, id: user_01bob}\n", "");
    let served = Served::start(&live);
    let story = repository().to(&served.url()).env("CHARTER_PLAN_KEY", PIPELINE);
    story.git(&["checkout", "--quiet", "main"]);
    // The grant waits for the invite of bob; joan's end is to come.
    story.edit(
        "charter.yaml",
        "    members: {team/ml",
        "    members: {bob@acme.com: workspace_user, team/ml",
    );
    story.commit("Grant");
    assert_eq!(apply(&story, &[]).code, Some(0));
    served.sandbox().with(|state| state.accept_invite("bob@acme.com"));
    served.sandbox().with(|state| {
        state.add_invite("eve@acme.com", "user");
        state.accept_invite("eve@acme.com")
    });
    // Merged since, and planned by nobody: a grant to somebody else who has accepted, and an end that has passed.
    story.edit(
        "charter.yaml",
        "members: {bob@acme.com: workspace_user",
        "members: {bob@acme.com: workspace_user, eve@acme.com: workspace_admin",
    );
    story.edit(
        "charter.yaml",
        "  ada@acme.com: admin\n",
        "  ada@acme.com: admin\n  eve@acme.com: user\n",
    );
    story.edit("charter.yaml", "until: 2087-03-31", "until: 2026-11-30");
    story.edit("charter.yaml", "removals: {members: 1}", "removals: {members: 0}");
    story.commit("Merged, not planned");
    let night = ["--only", "expired", "--only", "deferred"];
    let run = apply(&story, &night);
    shows(
        &run,
        4,
        &[
            "removals.members",
            "grant bob@acme.com as workspace_user, the invite was accepted, drift",
        ],
    );
    assert!(!run.stdout.contains("eve@acme.com"), "{run:?}");
    let calls = served.calls().len();
    // The date goes: the grant that was applied once is done, the other one waits for its apply.
    story.edit("charter.yaml", "until: 2026-11-30", "until: 2087-03-31");
    story.commit("Mend the date");
    let run = apply(&story, &night);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("bob@acme.com") && !run.stdout.contains("eve@acme.com"), "{run:?}");
    assert_eq!(served.calls().len(), calls + 1);
    assert!(run.stderr.contains("`--only` applied a part"), "{run:?}");
}
