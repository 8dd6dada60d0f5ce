//! What a plan means: guards, keys that die, access, selections.

use insta::assert_snapshot;

use super::builder::*;
use crate::{
    access::Place,
    address::Address,
    plan::{Only, step::KeyFate},
    resource::desired::{GoneCause, GuardName, Unlisted},
};

fn crowd(org: &mut Org, files: &mut Files, live: usize, listed: usize) {
    for index in 0..live {
        let email = format!("p{index:02}@acme.com");
        org.user(&format!("user_{index:02}"), &email, "user");
        if index < listed {
            files.member(&email, "user");
        }
    }
}

#[test]
fn removals_are_limited_by_share_and_by_count_and_pass_only_with_the_exact_count() {
    let breaches = |live, listed, allow: &[(GuardName, u64)]| {
        let (mut files, mut org) = (Files::new(), Org::new());
        files.manage(Unlisted::Remove);
        crowd(&mut org, &mut files, live, listed);
        plan_with(&files, &org, &[], allow).breaches().count()
    };
    assert_eq!(breaches(30, 27, &[]), 0, "3 of 30 is not more than 10 %");
    assert_eq!(breaches(30, 26, &[]), 1);
    assert_eq!(breaches(9, 6, &[]), 0, "under 10 live objects, 3 pass");
    assert_eq!(breaches(9, 5, &[]), 1);
    assert_eq!(breaches(30, 26, &[(GuardName::RemovalsMembers, 4)]), 0);
    assert_eq!(breaches(30, 26, &[(GuardName::RemovalsMembers, 5)]), 1);
}

#[test]
fn a_returning_person_an_archive_and_many_switched_off_keys_are_refused() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("back@acme.com", "user").workspace(workspace_spec("Kept"));
    let old = Address::workspace(crate::address::Name::label("old"));
    files.gone(old.clone(), GoneCause::Archived).pin(old, Some("w1"), None);
    org.past("back@acme.com", Some(-400), &[]).workspace("w1", workspace_spec("Old"));
    org.workspace("w2", workspace_spec("Kept"));
    for index in 0..6 {
        let id = format!("apikey_{index}");
        files.key(&id, None, "inactive");
        org.key(&id, &id, "active", None, |_| ());
    }
    let lines = show(&plan(&files, &org));
    let guards: Vec<&str> = lines.lines().filter(|line| line.starts_with("guard")).collect();
    assert_snapshot!(guards.join("\n"), @r"
    guard `returns`: 1 invites to people who were members before, and the limit is 0
    guard `archives`: 1 workspaces or keys archived, for ever, and the limit is 0
    guard `deactivations`: 6 keys switched off, and the limit is 5
    ");
}

#[test]
fn lateral_moves_count_as_downgrades() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files
        .member("a@acme.com", "billing")
        .member("b@acme.com", "developer")
        .member("c@acme.com", "user");
    org.user("user_a", "a@acme.com", "developer");
    org.user("user_b", "b@acme.com", "user").user("user_c", "c@acme.com", "developer");
    let plan = plan(&files, &org);
    let downgrades = plan.guards.iter().find(|g| g.guard == GuardName::Downgrades).unwrap();
    assert_eq!(downgrades.count, 2);
}

fn fates(keys: &[KeyFate]) -> String {
    keys.iter()
        .map(|key| {
            let fate = if key.dies { "dies" } else { "lives on" };
            format!("{} {fate}: {} ({})\n", key.name, key.why, key.because_of)
        })
        .collect()
}

#[test]
fn the_plan_says_which_keys_die_and_which_live_on() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("kept@acme.com", "user").workspace(workspace_spec("Prod")).grants("Prod", &[]);
    let old = Address::workspace(crate::address::Name::label("old"));
    files.gone(old.clone(), GoneCause::Archived).pin(old, Some("w2"), None);
    files.key_by_name("personal", Some("Prod"));
    org.user("user_l", "leaver@acme.com", "user").user("user_k", "kept@acme.com", "user");
    org.workspace("w1", workspace_spec("Prod")).workspace("w2", workspace_spec("Old"));
    org.workspace("w3", workspace_spec("Claude Code")).grant("w1", "user_k", "workspace_user");
    org.key("k1", "personal", "active", Some("w1"), acts_as("user_l"));
    org.key("k2", "legacy", "active", Some("w1"), made_by("user_l"));
    org.key("k3", "cc", "active", Some("w3"), made_by("user_l"));
    org.key("k4", "kept-personal", "active", Some("w1"), acts_as("user_k"));
    org.key("k5", "in-old", "active", Some("w2"), |_| ());
    org.key("k6", "off", "inactive", Some("w1"), acts_as("user_l"));
    let plan = plan(&files, &org);
    assert_snapshot!(fates(&plan.keys), @r"
    legacy lives on: it belongs to its workspace and outlives its maker (member/leaver@acme.com)
    cc dies: Claude Code keys stop when their person leaves (member/leaver@acme.com)
    kept-personal dies: a personal key stops where its person has no grant any more (workspace_member/Prod/kept@acme.com)
    in-old dies: archiving a workspace archives its keys (workspace/old)
    personal dies: a personal key is archived when its person leaves (member/leaver@acme.com)
    ");
    let dying = |guard| plan.guards.iter().find(|g| g.guard == guard).unwrap();
    let listed = dying(GuardName::DyingKeys);
    assert_eq!((listed.count, listed.breached), (1, true), "only `personal` is listed as active");
    let others = dying(GuardName::DyingUnlistedKeys);
    assert_eq!((others.count, others.limit, others.of), (3, 3, 6));
    let left: Vec<&str> = plan.unmanaged.iter().map(|one| one.title.as_str()).collect();
    assert_eq!(left, ["legacy", "off"], "what dies is said once");
}

#[test]
fn a_key_that_dies_is_not_left_alone_and_one_that_is_switched_off_does_not_die_too() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.manage(Unlisted::Remove).key("k2", None, "inactive");
    org.user("user_w", "walt@acme.com", "user");
    org.key("k1", "walt-laptop", "active", None, acts_as("user_w"));
    org.key("k2", "walt-listed", "active", None, acts_as("user_w"));
    org.key("k3", "other", "active", None, |_| ());
    let plan = plan(&files, &org);
    let dying: Vec<&str> = plan.keys.iter().map(|key| key.name.as_str()).collect();
    let left: Vec<&str> = plan.unmanaged.iter().map(|one| one.title.as_str()).collect();
    assert_eq!((dying, left), (vec!["walt-laptop"], vec!["other"]));
}

#[test]
fn many_unlisted_keys_that_would_stop_are_refused_and_ends_by_date_are_not_counted() {
    let plan_of = |keys: usize, cause: GoneCause| {
        let (mut files, mut org) = (Files::new(), Org::new());
        files.manage(Unlisted::Report).gone(member_address("walt@acme.com"), cause);
        org.user("user_w", "walt@acme.com", "user");
        for index in 0..keys {
            org.key(&format!("k{index}"), "laptop", "active", None, acts_as("user_w"));
        }
        plan(&files, &org)
    };
    let breached = |keys, cause| plan_of(keys, cause).breaches().count();
    assert_eq!([breached(3, GoneCause::None), breached(4, GoneCause::None)], [0, 1]);
    assert_eq!(breached(40, GoneCause::Expired), 0);
    let plan = plan_of(4, GoneCause::None);
    let told = crate::plan::guard::diagnostic(plan.breaches().next().unwrap());
    assert_snapshot!(told.message, @"guard `dying_unlisted_keys`: 4 active keys that no file lists and that would stop working of 4 live, and the limit is 3");
}

#[test]
fn a_claude_code_key_stops_when_its_person_leaves_the_workspace() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("kept@acme.com", "user").workspace(workspace_spec("Claude Code"));
    files.grants("Claude Code", &[]);
    org.user("user_k", "kept@acme.com", "user").workspace("w3", workspace_spec("Claude Code"));
    org.grant("w3", "user_k", "workspace_user");
    org.key("k1", "cc", "active", Some("w3"), made_by("user_k"));
    org.key("k2", "cc of another", "active", Some("w3"), made_by("user_x"));
    assert_snapshot!(fates(&plan(&files, &org).keys), @"cc dies: Claude Code keys stop when their person leaves the workspace (workspace_member/Claude Code/kept@acme.com)");
}

#[test]
fn keys_that_were_not_read_are_asked_for_only_if_something_goes() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("new@acme.com", "user");
    org.live.coverage.api_keys = false;
    assert!(!crate::plan::wants_keys(&plan(&files, &org), &org.live));
    org.user("user_l", "leaver@acme.com", "user");
    assert!(crate::plan::wants_keys(&plan(&files, &org), &org.live));
}

#[test]
fn access_says_who_gains_and_loses_what() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("ada@acme.com", "user").member("new@acme.com", "developer");
    files.workspace(workspace_spec("Prod"));
    files
        .grants("Prod", &[("ada@acme.com", "workspace_admin"), ("new@acme.com", "workspace_user")]);
    org.user("user_a", "ada@acme.com", "billing").user("user_l", "leaver@acme.com", "user");
    org.workspace("w1", workspace_spec("Prod")).grant("w1", "user_l", "workspace_developer");
    let plan = plan(&files, &org);
    let text: String = plan
        .access
        .iter()
        .map(|change| {
            let place = match &change.place {
                Place::Organization => "organization".to_owned(),
                Place::EveryWorkspace(count) => format!("every workspace ({count})"),
                Place::Workspace(name) => name.clone(),
            };
            let role = |role: &Option<crate::access::AccessRole>| match role {
                Some(role) if role.once_accepted => format!("{} once accepted", role.role),
                Some(role) => role.role.clone(),
                None => "none".to_owned(),
            };
            let (before, after) = (role(&change.before), role(&change.after));
            format!("{} in {place}: {before} -> {after}\n", change.person)
        })
        .collect();
    assert_snapshot!(text, @r"
    ada@acme.com in organization: billing -> user
    ada@acme.com in every workspace (1): workspace_billing -> none
    ada@acme.com in Prod: none -> workspace_admin
    leaver@acme.com in organization: user -> none
    leaver@acme.com in Prod: workspace_developer -> none
    new@acme.com in organization: none -> developer once accepted
    ");
}

#[test]
fn a_rename_changes_nobodys_access() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("ada@acme.com", "user").workspace(workspace_spec("Production"));
    let address = Address::workspace(crate::address::Name::label("Production"));
    files.pin(address, None, Some(&["Prod"]));
    files.grants("Production", &[("ada@acme.com", "workspace_admin")]);
    org.user("user_a", "ada@acme.com", "developer").workspace("w1", workspace_spec("Prod"));
    org.grant("w1", "user_a", "workspace_admin");
    let plan = plan(&files, &org);
    let places: Vec<&Place> = plan.access.iter().map(|change| &change.place).collect();
    assert_eq!(places, [&Place::Organization]);
}

#[test]
fn a_selection_brings_what_it_needs_and_nothing_else() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("ada@acme.com", "developer").member("bob@acme.com", "developer");
    files.workspace(workspace_spec("Prod")).grants("Prod", &[("ada@acme.com", "workspace_user")]);
    files.gone(member_address("late@acme.com"), GoneCause::Expired);
    org.user("user_a", "ada@acme.com", "user").user("user_b", "bob@acme.com", "user");
    org.user("user_l", "late@acme.com", "user");
    let shown = show(&plan_with(&files, &org, &["workspace_member/Prod/*"], &[]));
    assert_snapshot!(shown, @r#"
    ready update member/ada@acme.com role: "user" -> "developer"
        POST /users/user_a {"role":"developer"}
    ready create workspace/Prod
        POST /workspaces {"name":"Prod"}
    ready create workspace_member/Prod/ada@acme.com
        POST /workspaces/<workspace/Prod>/members {"user_id":"user_a","workspace_role":"workspace_user"}
    "#);
    assert_snapshot!(show(&plan_with(&files, &org, &["expired"], &[])), @r"
    ready remove member/late@acme.com
        DELETE /users/user_l
    ");
}

#[test]
fn a_pattern_that_selects_nothing_says_so_and_one_that_never_can_is_refused() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("ada@acme.com", "user");
    org.user("user_1", "other@acme.com", "user");
    let told = |only: &[&str]| {
        let made = plan_with(&files, &org, only, &[]);
        let ours = made.notes.iter().filter(|note| note.code == "plan/only");
        ours.map(|note| note.message.clone()).collect::<Vec<_>>()
    };
    assert_eq!(told(&["member/ada@*", "*", "expired"]), [""; 0]);
    assert_eq!(
        told(&["member/ada@*", "member/eve@*"]),
        ["no step of the plan matches `--only member/eve@*`"]
    );
    let refused = |text: &str| Only::parse(text).unwrap_err().to_string();
    for both in ["expired,deferred", "deferred, expired", "expired,member/*"] {
        assert!(refused(both).contains("`--only expired --only deferred`"), "{both}");
    }
    assert_snapshot!(refused("members/*"), @"no address starts like this; did you mean `member/*`?");
    assert_snapshot!(refused("workspace"), @"no address starts like this; did you mean `workspace/*`?");
    assert_snapshot!(refused("ada@acme.com"), @"no address starts like this; did you mean `member/ada@acme.com`?");
    assert_snapshot!(refused("expire"), @"no address starts like this; did you mean `expired`?");
    assert_snapshot!(refused("roles/*"), @"no address starts like this: write `expired`, `deferred`, or a pattern such as `member/*`, `workspace/*`, `workspace_member/*`, `api_key/*`");
    for fine in
        ["member/*", "*", "*/Prod/*", "{member,workspace}/*", "deferred", "workspace_member/Prod/*"]
    {
        assert!(Only::parse(fine).is_ok(), "{fine}");
    }
}

#[test]
fn a_grant_that_waited_for_an_invite_is_selected_as_deferred() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("ada@acme.com", "developer").member("bob@acme.com", "developer");
    files.workspace(workspace_spec("Prod"));
    files.grants("Prod", &[("ada@acme.com", "workspace_user"), ("bob@acme.com", "workspace_user")]);
    org.user("user_a", "ada@acme.com", "developer").user("user_b", "bob@acme.com", "developer");
    org.past("ada@acme.com", Some(-1), &[]).past("bob@acme.com", Some(-200), &[]);
    org.workspace("w1", workspace_spec("Prod"));
    assert_snapshot!(show(&plan_with(&files, &org, &["deferred"], &[])), @r#"
    ready create workspace_member/Prod/ada@acme.com
        POST /workspaces/w1/members {"user_id":"user_a","workspace_role":"workspace_user"}
    "#);
}
