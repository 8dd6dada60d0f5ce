//! Reviews: changes are told from drift, and held against the guards, ignores and rules of their base.
//!
//! Invariant: no diff of revisions ever sees a credential, and what is refused calls nothing.

use crate::{
    repository::{CHARTER, LIVE, flowing, repository, shows},
    support::{Served, Story, read},
};

/// Makes a change, and looks at it in `diff` and in `plan --base-rev`.
#[track_caller]
fn both_show(change: impl Fn(&Story), expected: &[&str]) {
    let served = Served::start(LIVE);
    let story = repository();
    change(&story);
    story.commit("Change");
    // Without credentials, and whatever lies in the work tree.
    let diff = story.run(&["diff", "main..topic", "--", "."]);
    shows(&diff, 0, expected);
    assert!(flowing(&diff.stdout).starts_with("rules of the files"), "{diff:?}");
    assert_eq!(served.calls(), Vec::<String>::new());

    let story = story.to(&served.url());
    let plan = story.run(&["plan", ".", "--base-rev", "main"]);
    shows(&plan, 0, expected);
    let text = flowing(&plan.stdout);
    assert!(text.contains("held against main ("), "{plan:?}");
    let rules = text.find("rules of the files").unwrap();
    assert!(rules < text.find("plan:").unwrap(), "{text}");
}

#[test]
fn an_end_that_moves_ten_years_shows() {
    both_show(
        |story| story.edit("charter.yaml", "2087-03-31", "2097-03-31"),
        &["members.joan@contractor.io.until: 2087-03-31 -> 2097-03-31"],
    );
}

#[test]
fn a_deleted_team_file_under_report_shows_who_stays() {
    both_show(
        |story| {
            story.edit(
                "charter.yaml",
                "    members: {team/ml: workspace_developer}\n",
                "    members: {}\n",
            );
            std::fs::remove_file(story.path("teams/ml.yaml")).unwrap();
        },
        &[
            "members.cy@acme.com: no longer managed, stays user, with 1 grant",
            "members.dee@acme.com: no longer managed, stays user, with 1 grant",
        ],
    );
}

#[test]
fn a_raised_guard_shows() {
    both_show(
        |story| story.edit("charter.yaml", "removals: {members: 1}", "removals: {members: 100%}"),
        &["guard.removals.members: 1 -> 100%"],
    );
}

#[test]
fn a_swapped_previously_shows() {
    both_show(
        |story| story.edit("charter.yaml", "robert@acme.com", "bobby@acme.com"),
        &["members.bob@acme.com.previously: [robert@acme.com] -> [bobby@acme.com]"],
    );
}

#[test]
fn other_approvals_show() {
    both_show(
        |story| {
            story.edit(
                "charter.yaml",
                "guard: {removals: {members: 1}}",
                "guard: {removals: {members: 1}, acknowledge: [deactivations], max_plan_age: 4h}",
            );
        },
        &["guard.acknowledge: (not set) -> [deactivations]", "guard.max_plan_age: (not set) -> 4h"],
    );
}

#[test]
fn a_plan_tells_the_change_from_the_drift_that_was_there_before() {
    let served = Served::start(LIVE);
    // Somebody was edited in the Console, and one of the grants is gone.
    served.sandbox().with(|state| state.set_role("bob@acme.com", "developer"));
    let story = repository().to(&served.url());
    story.edit(
        "charter.yaml",
        "  ada@acme.com: admin\n",
        "  ada@acme.com: admin\n  eve@acme.com: user\n",
    );
    story.commit("Invite eve");
    let plan = story.run(&["plan", ".", "--base-rev", "main", "--out", "plan.json"]);
    shows(
        &plan,
        0,
        &[
            "+ invite eve@acme.com as user, by this change",
            "bob@acme.com role: developer -> user, drift",
            "plan: 1 to create, 1 to update; 1 by this change, 1 drift",
        ],
    );
    let json: serde_json::Value = serde_json::from_str(&read(&story.path("plan.json"))).unwrap();
    assert_eq!(json["base"]["name"], "main");
    assert_eq!(json["base"]["commit"], story.git(&["rev-parse", "main"]).as_str());
    assert_eq!((&json["base"]["by_this_change"], &json["base"]["drift"]), (&1.into(), &1.into()));

    // The base as a folder says the same.
    let base = tempfile::tempdir().unwrap();
    let archive = base.path().join("charter.yaml");
    std::fs::write(&archive, CHARTER.replace("{team/ml: workspace_developer}", "{}")).unwrap();
    let plan = story.run(&["plan", ".", "--base-path", &base.path().display().to_string()]);
    shows(&plan, 0, &["+ invite eve@acme.com as user, by this change", "-> user, drift"]);

    // What was reviewed is what is applied, and nothing is left.
    assert_eq!(story.run(&["apply", "plan.json", "--yes"]).code, Some(0));
    assert_eq!(served.calls().len(), 2);
    let again = story.run(&["plan", ".", "--detailed-exitcode"]);
    shows(&again, 0, &["plan: nothing to do"]);
}

#[test]
fn a_guard_that_is_raised_and_used_in_one_change_is_refused() {
    let served = Served::start(LIVE);
    let story = repository().to(&served.url());
    story.edit("charter.yaml", "removals: {members: 1}", "removals: {members: 5}");
    story.edit(
        "charter.yaml",
        "  bob@acme.com: {role: user, previously: [robert@acme.com]}",
        "  bob@acme.com: none",
    );
    story.edit(
        "charter.yaml",
        "  joan@contractor.io: {role: user, until: 2087-03-31}",
        "  joan@contractor.io: none",
    );
    let change = story.commit("Remove two, and raise the guard for it");
    assert_eq!(story.run(&["plan", "."]).code, Some(0));
    let plan = story.run(&["plan", ".", "--base-rev", "main", "--out", "plan.json"]);
    shows(
        &plan,
        4,
        &[
            "guard.removals.members: 1 -> 5",
            "removals.members people removed: 2",
            "and the limit is 1 in the base (raise it first, in a change of its own)",
        ],
    );
    assert!(plan.stderr.contains("a guard refuses this plan: removals.members"), "{plan:?}");
    for apply in
        [vec!["apply", "plan.json", "--yes"], vec!["apply", ".", "--yes", "--base-rev", "main"]]
    {
        assert_eq!(story.run(&apply).code, Some(4), "{apply:?}");
    }
    assert_eq!(served.calls(), Vec::<String>::new());
    // Once the guard has been raised in a merge of its own, the rest passes.
    story.git(&["branch", "--quiet", "--force", "main", &change]);
    assert_eq!(story.run(&["plan", ".", "--base-rev", "main"]).code, Some(0));
}

#[test]
fn somebody_whom_the_base_ignores_is_not_touched_by_the_same_change() {
    let served = Served::start(LIVE);
    let story = repository().to(&served.url());
    let ignore = "manage: {members: report, workspace_members: report, ignore: [{members: \"joan@*\", reason: support}]}";
    story.edit("charter.yaml", "manage: {members: report, workspace_members: report}", ignore);
    story.edit("charter.yaml", "  joan@contractor.io: {role: user, until: 2087-03-31}\n", "");
    story.commit("Ignore joan");
    story.git(&["branch", "--force", "main", "HEAD"]);

    story.edit("charter.yaml", ignore, "manage: {members: remove, workspace_members: report}");
    story.commit("Remove joan");
    let plan = story.run(&["plan", ".", "--base-rev", "main", "--out", "plan.json"]);
    shows(
        &plan,
        4,
        &["- remove joan@contractor.io", "manage.ignore.members.joan@*: support -> (not set)"],
    );
    let said = flowing(&plan.stderr);
    assert!(
        said.contains("member/joan@contractor.io is under `manage.ignore` in the base"),
        "{said}"
    );
    assert_eq!(story.run(&["apply", "plan.json", "--yes"]).code, Some(4));
    assert_eq!(served.calls(), Vec::<String>::new());
    assert_eq!(story.run(&["plan", "."]).code, Some(0));
}

#[test]
fn another_name_for_what_the_base_ignores_opens_nothing() {
    let served = Served::start(LIVE);
    let story = repository().to(&served.url());
    let manage = "manage: {members: report, workspace_members: report";
    let ignore = format!(
        "{manage}, ignore: [{{members: \"joan@*\", reason: a}}, {{workspaces: Models, reason: b}}]"
    );
    story.edit("charter.yaml", manage, &ignore);
    story.edit("charter.yaml", "  joan@contractor.io: {role: user, until: 2087-03-31}\n", "");
    story.edit(
        "charter.yaml",
        "  Models:\n    members: {team/ml: workspace_developer}\n",
        "  Lab: {}\n",
    );
    story.commit("Ignore joan and Models");
    story.git(&["branch", "--force", "main", "HEAD"]);
    served.sandbox().with(|state| state.set_role("bob@acme.com", "user"));

    let bob = "  bob@acme.com: {role: user, previously: [robert@acme.com]}\n";
    let joan = "  j@acme.com: {role: developer, id: user_01joan}\n";
    story.edit("charter.yaml", &ignore, manage);
    story.edit("charter.yaml", bob, &format!("{bob}{joan}"));
    let foo = "  Foo: {name: Models, id: wrkspc_01models, members: {bob@acme.com: workspace_developer}}\n";
    story.edit("charter.yaml", "  Lab: {}\n", &format!("  Lab: {{}}\n{foo}"));
    story.commit("Use both under other names");
    let plan = story.run(&["plan", ".", "--base-rev", "main", "--out", "plan.json"]);
    shows(&plan, 4, &["bob@acme.com"]);
    let said = flowing(&plan.stderr);
    for part in ["member/j@acme.com is under", "workspace_member/Foo/bob@acme.com is under"] {
        assert!(said.contains(part), "{said}");
    }
    assert_eq!(story.run(&["apply", "plan.json", "--yes"]).code, Some(4));
    assert_eq!(served.calls(), Vec::<String>::new());
}

#[test]
fn an_end_in_the_past_is_no_way_around_the_guards_of_the_base() {
    let served = Served::start(LIVE);
    let story = repository().to(&served.url());
    story.edit("charter.yaml", "guard: {", "guard: {acknowledge: [removals.members], ");
    story.commit("Removals are acknowledged");
    story.git(&["branch", "--force", "main", "HEAD"]);
    story.edit(
        "charter.yaml",
        "{role: user, previously",
        "{role: user, until: 2020-01-01, previously",
    );
    story.edit("charter.yaml", "until: 2087-03-31", "until: 2020-01-01");
    let change = story.commit("Let two end long ago");
    let plan = story.run(&["plan", ".", "--base-rev", "main", "--out", "plan.json"]);
    shows(
        &plan,
        4,
        &[
            "its `until` has passed, and was not known before that day",
            "removals.members people removed: 2",
            "2 steps have to be acknowledged",
        ],
    );
    for apply in
        [vec!["apply", "plan.json", "--yes"], vec!["apply", ".", "--yes", "--base-rev", "main"]]
    {
        let run = story.run(&apply);
        assert_eq!(run.code, Some(4), "{apply:?} {run:?}");
    }
    // Within the guard, it still has to be acknowledged.
    let allowed = ["apply", "plan.json", "--yes", "--allow", "removals.members=2"];
    let run = story.run(&allowed);
    assert_eq!(run.code, Some(4), "{run:?}");
    assert!(flowing(&run.stderr).contains("have not been acknowledged"), "{run:?}");
    assert_eq!(served.calls(), Vec::<String>::new());
    // Merged, they are still dates that nobody reviewed as ends that were to come.
    story.git(&["branch", "--quiet", "--force", "main", &change]);
    let run = story.run(&["apply", ".", "--yes", "--base-rev", "main"]);
    assert_eq!(run.code, Some(4), "{run:?}");
    assert_eq!(served.calls(), Vec::<String>::new());
}

#[test]
fn a_rule_that_is_dropped_and_broken_in_one_change_refuses_it() {
    let served = Served::start(LIVE);
    let story = repository().to(&served.url());
    let rule = "policy: {email_domains: {domains: [acme.com, contractor.io]}}\n";
    story.edit("charter.yaml", "workspaces:\n", &format!("{rule}workspaces:\n"));
    story.commit("A rule");
    story.git(&["branch", "--force", "main", "HEAD"]);
    story.edit("charter.yaml", rule, "");
    story.edit(
        "charter.yaml",
        "  ada@acme.com: admin\n",
        "  ada@acme.com: admin\n  eve@elsewhere.com: user\n",
    );
    let change = story.commit("Invite somebody from elsewhere");
    let plan = story.run(&["plan", ".", "--base-rev", "main", "--out", "plan.json"]);
    shows(&plan, 4, &["rules of the files", "+ invite eve@elsewhere.com"]);
    let said = flowing(&plan.stderr);
    assert!(said.contains("by the rules of the base `main`"), "{said}");
    assert!(said.contains("the rules of the files refuse this: policy/email-domains"), "{said}");
    assert_eq!(story.run(&["apply", "plan.json", "--yes"]).code, Some(4));
    assert_eq!(served.calls(), Vec::<String>::new());
    // Without credentials the same.
    let offline = story.run(&["policy", ".", "--base-rev", "main"]);
    assert_eq!(offline.code, Some(4), "{offline:?}");
    assert_eq!(story.run(&["policy", "."]).code, Some(0));
    story.git(&["branch", "--force", "main", &change]);
    assert_eq!(story.run(&["plan", ".", "--base-rev", "main"]).code, Some(0));
}

#[test]
fn a_file_that_is_allowed_more_and_uses_it_in_one_change_is_refused() {
    let served = Served::start(LIVE);
    let story = repository().to(&served.url());
    let limits = "files: {\"teams/**\": {members: [\"*@acme.com\"]}}\n";
    story.edit("charter.yaml", "workspaces:\n", &format!("{limits}workspaces:\n"));
    story.commit("A limit");
    story.git(&["branch", "--force", "main", "HEAD"]);
    assert_eq!(story.run(&["plan", ".", "--base-rev", "main"]).code, Some(0));

    story.edit("charter.yaml", limits, "files: {\"teams/**\": {members: true}}\n");
    story.edit(
        "teams/ml.yaml",
        "  cy@acme.com: user\n",
        "  cy@acme.com: user\n  eve@elsewhere.com: user\n",
    );
    story.commit("More than the file may");
    let plan = story.run(&["plan", ".", "--base-rev", "main"]);
    assert_eq!(plan.code, Some(4), "{plan:?}");
    let said = flowing(&plan.stderr);
    assert!(said.contains("error[base/files]") && said.contains("eve@elsewhere.com"), "{said}");
    assert!(said.contains("teams/ml.yaml:3:3"), "{said}");
    assert_eq!(story.run(&["policy", ".", "--base-rev", "main"]).code, Some(4));
    assert_eq!(story.run(&["plan", "."]).code, Some(0));
}

#[test]
fn a_base_without_the_files_says_that_only_the_defaults_hold() {
    let served = Served::start(LIVE);
    let story = repository();
    std::fs::create_dir(story.path("new")).unwrap();
    let text = "version: 1\nmembers: {ada@acme.com: admin}\nmanage: {members: report}\n";
    story.write("new/charter.yaml", text);
    story.commit("New");
    let story = story.to(&served.url());
    let run = story.run(&["plan", "new", "--base-rev", "main"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let said = flowing(&run.stderr);
    assert!(said.contains("warning[base/no-files]: the base `main` has no `new`"), "{said}");
    let shown = flowing(&run.stdout);
    assert!(shown.contains("it has no such files, so only the defaults hold"), "{shown}");
    assert!(!shown.contains("its guards and ignores hold too"), "{shown}");
    let policy = story.run(&["policy", "new", "--base-rev", "main"]);
    assert_eq!(policy.code, Some(0), "{policy:?}");
    assert!(policy.stderr.contains("base/no-files"), "{policy:?}");

    // The files of the same organization are elsewhere in the base, with what protects them.
    let id = "organization: {id: 3f0c1b1e-0000-4000-8000-000000000000}\n";
    story.write("new/charter.yaml", &format!("{text}{id}"));
    story.commit("Moved");
    for arguments in [
        &["plan", "new", "--base-rev", "main"][..],
        &["policy", "new", "--base-rev", "main"],
        &["apply", "new", "--yes", "--base-rev", "main"],
    ] {
        let run = story.run(arguments);
        assert_eq!(run.code, Some(4), "{run:?}");
        let said = flowing(&run.stderr);
        assert!(said.contains("error[base/moved]") && said.contains("in `charter.yaml`"), "{said}");
    }
}

#[test]
fn a_base_that_is_wrong_is_told_from_a_change_that_is() {
    let story = repository();
    story.git(&["checkout", "--quiet", "main"]);
    story.edit("teams/ml.yaml", "  dee@acme.com: user\n", "  dee@acme.com: usr\n");
    story.commit("Past the check");
    story.git(&["checkout", "--quiet", "-B", "topic"]);
    story.edit("teams/ml.yaml", "usr", "user");
    story.commit("Mend it");
    let served = Served::start(LIVE);
    let story = story.to(&served.url());
    // The change is right, and judged by itself it passes.
    assert_eq!(story.run(&["policy", ".", "--rev", "topic"]).code, Some(0));
    for arguments in [
        &["plan", ".", "--base-rev", "main"][..],
        &["apply", ".", "--yes", "--base-rev", "main"],
        &["policy", ".", "--base-rev", "main"],
        &["diff", "main..topic", "--", "."],
    ] {
        let run = story.run(arguments);
        assert_eq!(run.code, Some(3), "{arguments:?}: {run:?}");
        let said = flowing(&run.stderr);
        let base = "error[base/broken]: the files of the base `main` are wrong";
        assert!(said.starts_with(base), "{arguments:?}: {said}");
        for part in [
            "help: mend the base in a change of its own",
            "`charter validate` and `charter policy` judge it alone",
            "--> main:teams/ml.yaml:3:17",
            "error: 2 errors",
        ] {
            assert!(said.contains(part), "{arguments:?}: `{part}` is not in {said}");
        }
    }
    let base = tempfile::tempdir().unwrap();
    std::fs::write(base.path().join("charter.yaml"), "version: 1\nmembrs: {}\n").unwrap();
    let run = story.run(&["plan", ".", "--base-path", &base.path().display().to_string()]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stderr.starts_with("error[base/broken]"), "{run:?}");
    assert!(run.stderr.contains("charter.yaml:2:1"), "{run:?}");
    // Of two folders the first is what the second is held against.
    let path = base.path().display().to_string();
    let run = story.run(&["diff", &path, "."]);
    assert_eq!(run.code, Some(3), "{run:?}");
    let said = flowing(&run.stderr);
    let first = format!("error[base/broken]: the files of the base `{path}` are wrong");
    assert!(said.starts_with(&first) && said.contains("help: mend the base"), "{said}");
    assert!(said.contains("charter.yaml:2:1"), "{said}");
    for arguments in [
        &["diff", ".", &path][..],
        &["diff", "nowhere", "."],
        &["plan", ".", "--base-path", "nowhere"],
    ] {
        let run = story.run(arguments);
        assert_eq!(run.code, Some(3), "{run:?}");
        assert!(!run.stderr.contains("base/broken"), "{arguments:?}: {run:?}");
    }
    // What is wrong in the change is said of the change.
    story.write("teams/ml.yaml", "membrs: {}\n");
    let run = story.run(&["plan", ".", "--base-rev", "topic"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(!run.stderr.contains("base/broken"), "{run:?}");
    assert_eq!(served.calls(), Vec::<String>::new());
    // The comment of a review says it too.
    let shown = story.run(&["diff", "main...topic", "--format", "markdown", "--", "."]);
    assert!(shown.stdout.contains("the base `"), "{shown:?}");
}

#[test]
fn a_date_that_has_passed_before_it_was_reviewed_is_refused_without_credentials() {
    let story = repository();
    let check = ["policy", ".", "--base-rev", "main"];
    assert_eq!(story.run(&check).code, Some(0));
    story.edit("charter.yaml", "2087-03-31", "2026-03-31");
    story.commit("End what ends");
    let run = story.run(&check);
    assert_eq!(run.code, Some(4), "{run:?}");
    let said = flowing(&run.stderr);
    for part in [
        "error[base/past-date]: the `until` of `joan@contractor.io` under `members`, `2026-03-31`, has passed already",
        "the base `main` has `2087-03-31`",
        "charter.yaml:6:43",
        "remove the entry",
        "give a day that is still to come",
    ] {
        assert!(said.contains(part), "`{part}` is not in {said}");
    }
    // Machines are told too.
    let run = story.run(&[&check[..], &["--format", "json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((run.code, &json["findings"][0]["code"]), (Some(4), &"base/past-date".into()));
    // Once it is merged nobody is asked again.
    story.git(&["branch", "--force", "main", "HEAD"]);
    assert_eq!(story.run(&check).code, Some(0));
}
