//! Who and what is meant, in the real binary: renames on either side, invites with groups, dates that have passed.
//!
//! Invariant: whatever is unclear changes nothing that is live.

use std::fmt::Write as _;

use orgcharter::plan::{Plan, step::Counts};

use crate::support::{ID, KEY, Run, Served, Story, read};

/// A workspace with a key and two people, as an import finds it.
const LIVE: &str = "\
organization: {id: 3f0c1b1e-0000-4000-8000-000000000000, name: Acme}
credentials: {admin_keys: [sk-ant-admin01-right-0123456789-abcdefghij]}
users:
  - {email: ada@acme.com, role: admin}
  - {email: joe.doe@acme.com, role: developer, id: user_01joe}
  - {email: kim@acme.com, role: user, id: user_01kim}
workspaces:
  - name: Production
    id: wrkspc_01prod
    members: {joe.doe@acme.com: workspace_developer, kim@acme.com: workspace_user}
api_keys:
  - {name: ci, id: apikey_01ci, workspace: Production, created_by: joe.doe@acme.com}
";

fn shown(story: &Story) -> Plan {
    let run = story.run(&["plan", "charter.yaml", "--format", "json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    serde_json::from_str(&run.stdout).unwrap()
}

/// Applies, with a journal of its own.
fn apply(story: &Story) -> Run {
    let journal = format!("journal-{}.jsonl", story.made().len());
    story.run(&["apply", "charter.yaml", "--yes", "--journal", &journal])
}

/// The names of the workspaces that people made, sorted.
fn workspaces(served: &Served) -> Vec<String> {
    let mut names: Vec<String> = served.sandbox().with(|state| {
        state.workspaces().filter(|row| !row.is_default).map(|row| row.name.clone()).collect()
    });
    names.sort();
    names
}

fn rename(served: &Served, name: &str) {
    served.sandbox().with(|state| {
        assert!(state.edit_workspace("wrkspc_01prod", |row| name.clone_into(&mut row.name)));
        assert!(state.edit_api_key("apikey_01ci", |key| "ci-eu".clone_into(&mut key.name)));
    });
}

#[test]
fn what_was_imported_survives_a_rename_in_the_console() {
    let served = Served::start(LIVE);
    let story = Story::new().to(&served.url());
    std::fs::remove_file(story.path("charter.yaml")).unwrap();
    let run = story.run(&["import", "--out", "charter.yaml"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let text = read(&story.path("charter.yaml"));
    assert!(text.contains("  Production:\n    id: wrkspc_01prod\n"), "{text}");
    assert_eq!(shown(&story).counts(), Counts::default());

    rename(&served, "Payments EU");
    assert_eq!(shown(&story).counts(), Counts { ready: 2, ..Counts::default() });
    let run = apply(&story);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(workspaces(&served), ["Production"]);
    assert_eq!(
        served.calls(),
        [
            "POST /v1/organizations/api_keys/apikey_01ci {\"name\":\"ci\"}",
            "POST /v1/organizations/workspaces/wrkspc_01prod {\"name\":\"Production\"}",
        ]
    );

    // And one in the files, with the id kept.
    story.write("charter.yaml", &text.replace("  Production:\n", "  Payments:\n"));
    assert_eq!(apply(&story).code, Some(0));
    assert_eq!(workspaces(&served), ["Payments"]);
    assert_eq!(shown(&story).counts(), Counts::default());
}

/// Files without ids: the workspace under this name, with these lists.
fn unpinned(name: &str, lists: &str) -> String {
    format!(
        "version: 1\norganization: {{id: {ID}}}\n\
         members: {{ada@acme.com: admin, joe.doe@acme.com: developer, kim@acme.com: user}}\n\
         workspaces:\n  {name}:\n{lists}"
    )
}

const BOTH: &str =
    "    members: {joe.doe@acme.com: workspace_developer, kim@acme.com: workspace_user}\n";
const KEY_BY_ID: &str = "    api_keys: {apikey_01ci: {name: ci, status: active}}\n";

#[test]
fn a_workspace_renamed_on_either_side_is_never_made_twice() {
    for lists in [BOTH, KEY_BY_ID] {
        // In the Console, then in the files.
        for in_console in [true, false] {
            let served = Served::start(LIVE);
            let (name, live) =
                if in_console { ("Production", "Payments EU") } else { ("Payments", "Production") };
            if in_console {
                rename(&served, "Payments EU");
            }
            let story = Story::with(&unpinned(name, lists)).to(&served.url());
            let plan = shown(&story);
            assert_eq!((plan.counts().ready, plan.counts().held), (0, 1), "{lists}");
            let run = apply(&story);
            assert_eq!(run.code, Some(0), "{run:?}");
            assert_eq!(served.calls(), Vec::<String>::new(), "{lists}");
            assert!(run.stdout.contains("id: wrkspc_01prod"), "{run:?}");

            // What the step says to write is the rename.
            let id = format!("  {name}:\n    id: wrkspc_01prod\n");
            let text = unpinned(name, lists).replace(&format!("  {name}:\n"), &id);
            story.write("charter.yaml", &text);
            assert_eq!(apply(&story).code, Some(0));
            assert_eq!(workspaces(&served), [name], "was {live}");
        }
    }
}

#[test]
fn a_new_workspace_is_made_where_the_files_say_that_it_is_new() {
    let served = Served::start(LIVE);
    rename(&served, "Payments EU");
    let lists = format!("    previously: []\n{BOTH}");
    let story = Story::with(&unpinned("Production", &lists)).to(&served.url());
    assert_eq!(apply(&story).code, Some(0));
    assert_eq!(workspaces(&served), ["Payments EU", "Production"]);
}

/// An Enterprise organization with a lapsed invite that gives groups, and a key with these scopes.
fn enterprise(scopes: &str) -> (Served, Story) {
    let seed = format!(
        "organization: {{id: {ID}, kind: enterprise, name: Acme}}\n\
         credentials: {{scoped_keys: {{sk-ant-api01-scoped-0123456789: [{scopes}]}}}}\n\
         users: [{{email: ada@acme.com, role: owner}}]\n\
         invites:\n  - {{email: new@acme.com, role: user, status: expired, rbac_group_ids: [rbac_group_1]}}\n"
    );
    let file = format!(
        "version: 1\norganization: {{id: {ID}, kind: enterprise}}\n\
         members: {{ada@acme.com: owner, new@acme.com: user}}\n"
    );
    let served = Served::start(&seed);
    let story = Story::with(&file)
        .env("ANTHROPIC_BASE_URL", &served.url())
        .env("ANTHROPIC_ADMIN_KEY", "sk-ant-api01-scoped-0123456789");
    (served, story)
}

#[test]
fn a_lapsed_invite_is_sent_again_with_its_groups() {
    let (served, story) = enterprise("read:members, write:members, write:rbac_groups");
    let plan = story.run(&["plan", "charter.yaml"]);
    assert!(
        plan.stdout.contains("with the group `rbac_group_1` of the invite that lapsed"),
        "{plan:?}"
    );
    let run = apply(&story);
    assert_eq!(run.code, Some(0), "{run:?}");
    let groups: Vec<Vec<String>> = served
        .sandbox()
        .with(|state| state.invites().map(|invite| invite.rbac_group_ids.clone()).collect());
    assert_eq!(groups, [["rbac_group_1"], ["rbac_group_1"]]);
}

#[test]
fn groups_that_a_credential_may_not_give_are_named_and_the_invite_is_left_to_a_person() {
    let (served, story) = enterprise("read:members, write:members");
    let run = apply(&story);
    let told = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in
        ["by hand", "the group `rbac_group_1` of the invite that lapsed", "`write:rbac_groups`"]
    {
        assert!(told.contains(part), "`{part}` is not in {run:?}");
    }
    let invites = served.sandbox().with(|state| state.invites().count());
    assert_eq!(invites, 1, "no invite without its groups was sent: {run:?}");
}

#[test]
fn fifty_dates_that_have_passed_end_nobodys_access_at_night() {
    let mut seed = format!(
        "organization: {{id: {ID}, name: Acme}}\ncredentials: {{admin_keys: [{KEY}]}}\n\
         users:\n  - {{email: ada@acme.com, role: admin}}\n"
    );
    let mut file =
        format!("version: 1\norganization: {{id: {ID}}}\nmembers:\n  ada@acme.com: admin\n");
    for person in 0..50 {
        writeln!(seed, "  - {{email: p{person}@acme.com, role: user}}").unwrap();
        writeln!(file, "  p{person}@acme.com: {{role: user, until: 2025-03-31}}").unwrap();
    }
    let served = Served::start(&seed);
    let story = Story::with(&file).to(&served.url());
    let nightly =
        ["apply", "charter.yaml", "--yes", "--only", "expired", "--requests-per-minute", "6000"];
    let run = story.run(&nightly);
    assert_eq!(run.code, Some(4), "{run:?}");
    let told = format!("{}{}", run.stdout, run.stderr);
    assert!(told.contains("--allow expirations=50"), "{run:?}");
    assert_eq!(served.calls(), Vec::<String>::new());

    // A saved plan is judged again, and the exact count passes.
    assert_eq!(story.run(&["plan", "charter.yaml", "--out", "plan.json"]).code, Some(4));
    assert_eq!(story.run(&["apply", "plan.json", "--yes"]).code, Some(4));
    assert_eq!(served.calls(), Vec::<String>::new());
    let run = story.run(&[&nightly[..], &["--allow", "expirations=50"]].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(served.sandbox().with(|state| state.users().count()), 1);
}

#[test]
fn a_changed_limit_on_ends_is_a_changed_rule() {
    let story = Story::new();
    let file =
        format!("version: 1\norganization: {{id: {ID}}}\nmembers: {{ada@acme.com: admin}}\n");
    story.write("old.yaml", &file);
    story.write("new.yaml", &format!("{file}guard: {{expirations: 500}}\n"));
    let run = story.run(&["diff", "old.yaml", "new.yaml"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("guard.expirations"), "{run:?}");
}
