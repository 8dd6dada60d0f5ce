//! Reviews: revisions compared without credentials, changes told from drift, and every refusal with its exit code.
//!
//! Invariant: Git is configured by these stories alone, and no diff of revisions ever sees a credential.

use std::process::Command;

use crate::support::{Run, SEED, Served, Story, read};

/// What the review begins with: `ml` has a team file, `joan` an end, `bob` an earlier address.
const CHARTER: &str = "\
version: 1
organization: {id: 3f0c1b1e-0000-4000-8000-000000000000}
members:
  ada@acme.com: admin
  bob@acme.com: {role: user, previously: [robert@acme.com]}
  joan@contractor.io: {role: user, until: 2087-03-31}
manage: {members: report, workspace_members: report}
guard: {removals: {members: 1}}
workspaces:
  Models:
    members: {team/ml: workspace_developer}
";

const ML: &str = "\
members:
  cy@acme.com: user
  dee@acme.com: user
teams: {ml: [cy@acme.com, dee@acme.com]}
";

pub(crate) const LIVE: &str = "\
organization: {id: 3f0c1b1e-0000-4000-8000-000000000000, name: Acme}
credentials: {admin_keys: [sk-ant-admin01-right-0123456789-abcdefghij]}
users:
  - {email: ada@acme.com, role: admin}
  - {email: bob@acme.com, role: user, id: user_01bob}
  - {email: cy@acme.com, role: user, id: user_01cy}
  - {email: dee@acme.com, role: user, id: user_01dee}
  - {email: joan@contractor.io, role: user, id: user_01joan}
workspaces:
  - name: Models
    id: wrkspc_01models
    members: {cy@acme.com: workspace_developer, dee@acme.com: workspace_developer}
";

impl Story {
    /// With a search path, so that Git is found.
    fn with_git(self) -> Self {
        let path = std::env::var("PATH").unwrap();
        self.env("PATH", &path)
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.current_dir(self.folder.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap());
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "reviewer");
            command.env(format!("GIT_{role}_EMAIL"), "reviewer@acme.com");
        }
        let output = command.args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = read(&self.path(name));
        assert!(text.contains(from), "{from} is not in {text}");
        self.write(name, &text.replace(from, to));
    }
}

/// A repository with the files as they are before the review, on the branch `main`.
pub(crate) fn repository() -> Story {
    let story = Story::with(CHARTER).with_git();
    std::fs::create_dir(story.path("teams")).unwrap();
    story.write("teams/ml.yaml", ML);
    story.write(".gitignore", "*.json\n*.jsonl\n");
    story.git(&["init", "--quiet", "--initial-branch=main"]);
    story.commit("Start");
    story.git(&["checkout", "--quiet", "-b", "topic"]);
    story
}

/// One text in which lines may be broken anywhere.
pub(crate) fn flowing(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
pub(crate) fn shows(run: &Run, code: i32, expected: &[&str]) {
    assert_eq!(run.code, Some(code), "{run:?}");
    let text = flowing(&run.stdout);
    for part in expected {
        assert!(text.contains(part), "`{part}` is not in:\n{}", run.stdout);
    }
}

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
            "its new `until` has passed",
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
    // Dates that were merged before do what they say.
    story.git(&["branch", "--quiet", "--force", "main", &change]);
    let run = story.run(&["apply", ".", "--yes", "--base-rev", "main"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(served.calls().len(), 2);
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
    let story = Story::new().to(&served.url()).env("CHARTER_PLAN_KEY", "a key of the pipeline");
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
    let other = Story::new().to(&served.url()).env("CHARTER_PLAN_KEY", "another key");
    other.write("plan.json", &plan);
    let (error, _) = other.run(&["apply", "plan.json", "--yes"]).one_message(4);
    assert!(error.contains("its HMAC is wrong"), "{error}");
    // A secret that did not arrive is no wish to go without.
    let empty = Story::new().to(&served.url()).env("CHARTER_PLAN_KEY", "");
    empty.write("plan.json", &plan);
    let (error, _) = empty.run(&["apply", "plan.json", "--yes"]).one_message(3);
    assert!(error.contains("`CHARTER_PLAN_KEY` is set, and empty"), "{error}");
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

#[test]
fn a_diff_of_revisions_needs_no_credential_and_tells_what_is_wrong() {
    let story = repository();
    story.write("broken.yaml", "version: 1\nmembrs: {}\n");
    story.commit("Broken");
    let folder = story.run(&["diff", "main...topic", "--", "charter.yaml"]);
    shows(&folder, 3, &[]);
    let (error, help) = story.run(&["diff", "main..nowhere"]).one_message(3);
    assert!(error.contains("no commit `nowhere`"), "{error}");
    assert!(help.contains("whole history"), "{help}");
    let (error, _) = story.run(&["diff", "main..topic", "--", "elsewhere"]).one_message(3);
    assert!(error.contains("neither `main` nor `topic` has `elsewhere`"), "{error}");
    let (error, _) = story.run(&["diff", "charter.yaml"]).one_message(3);
    assert!(error.contains("nothing to compare it with"), "{error}");
    let (error, _) = story.run(&["diff", "main..--output=x"]).one_message(3);
    assert!(error.contains("`--output=x` is no revision"), "{error}");
    let broken = story.run(&["diff", "main..topic", "--", "broken.yaml"]);
    assert_eq!(broken.code, Some(3), "{broken:?}");
    assert!(broken.stderr.contains("broken.yaml:2:1"), "{broken:?}");
    let alone = Story::new().with_git();
    let (error, _) = alone.run(&["diff", "main..topic"]).one_message(3);
    assert!(error.contains("is in no Git repository"), "{error}");
}

#[test]
fn files_that_the_base_did_not_have_are_new_as_a_whole() {
    let story = repository();
    std::fs::create_dir(story.path("lab")).unwrap();
    story.write("lab/charter.yaml", "version: 1\nmembers: {ada@acme.com: user}\n");
    story.git(&["rm", "--quiet", "-r", "teams"]);
    story.commit("Lab");
    let diff = story.run(&["diff", "main..topic", "--", "lab"]);
    shows(&diff, 0, &["members: now managed", "ada@acme.com gains user in the organization"]);
}

#[test]
fn what_an_admin_can_do_is_said_even_where_no_workspaces_are_listed() {
    let story = Story::with("version: 1\nmembers: {ada@acme.com: user}\n").with_git();
    story.git(&["init", "--quiet", "--initial-branch=main"]);
    story.commit("Start");
    story.edit("charter.yaml", "user", "admin");
    story.commit("Promote");
    let diff = story.run(&["diff", "HEAD~1..HEAD"]);
    shows(&diff, 0, &["ada@acme.com gains workspace_admin in every workspace, through admin"]);
}

#[test]
fn files_are_judged_and_planned_as_a_revision_has_them() {
    let served = Served::start(LIVE);
    let story = repository();
    story.edit("teams/ml.yaml", "dee@acme.com: user", "dee@acme.com: developer");
    story.commit("Raise dee");
    // What lies in the work tree does not count, nor that nothing does.
    story.write("teams/ml.yaml", "membrs: {}\n");
    let valid = story.run(&["validate", ".", "--rev", "topic"]);
    shows(&valid, 0, &["valid: 5 members, 1 team, 1 workspace, 1 grant"]);
    assert_eq!(story.run(&["validate", "."]).code, Some(3));
    let args = ["policy", ".", "--rev", "topic", "--base-rev", "main", "--format", "markdown"];
    shows(&story.run(&args), 0, &["<!-- charter:policy -->", "nothing found"]);
    std::fs::remove_dir_all(story.path("teams")).unwrap();

    let story = story.to(&served.url());
    let plan = story.run(&["plan", ".", "--rev", "topic", "--base-rev", "main"]);
    shows(&plan, 0, &["dee@acme.com", "by this change"]);
    // The place is where it is mended.
    assert!(plan.stdout.contains(" teams/ml.yaml:3:3"), "{plan:?}");
    shows(&story.run(&["drift", ".", "--rev", "main"]), 0, &["drift: none"]);
    let (error, _) = story.run(&["validate", "elsewhere", "--rev", "topic"]).one_message(3);
    assert!(error.contains("`topic` has no `elsewhere`"), "{error}");
    let (error, _) = story.run(&["validate", ".", "--rev=--output=x"]).one_message(3);
    assert!(error.contains("is no revision"), "{error}");
}

#[test]
fn a_repository_below_the_current_folder_is_not_the_one_that_is_reviewed() {
    let story = repository();
    std::fs::create_dir(story.path("access")).unwrap();
    story.write("access/charter.yaml", "version: 1\norganization: {id: 3f0c1b1e-0000-4000-8000-000000000000}\nmembers: {ada@acme.com: admin}\n");
    story.git(&["-C", "access", "init", "--quiet", "--initial-branch=main"]);
    story.git(&["-C", "access", "add", "--all"]);
    story.git(&["-C", "access", "commit", "--quiet", "--message", "Another"]);
    for arguments in [
        &["diff", "main..main", "--", "access"][..],
        &["validate", "access", "--rev", "main"],
        &["plan", "access", "--base-rev", "main"],
        &["apply", "access", "--yes", "--require-tip", "main"],
    ] {
        let run = story.run(arguments);
        assert_eq!(run.code, Some(3), "{run:?}");
        assert!(run.stderr.contains("in a repository of its own"), "{arguments:?}: {run:?}");
    }
    // Another work tree of the same repository has the same branches.
    story.git(&["worktree", "add", "--quiet", "--detach", "copy", "main"]);
    assert_eq!(story.run(&["diff", "main..main", "--", "copy"]).code, Some(0));
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
