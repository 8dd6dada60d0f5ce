//! Workspaces that were renamed on one side only: with an id they stay the same, without one the twin is held.

use insta::assert_snapshot;

use super::builder::*;
use crate::{
    address::{Address, Name, RemoteId},
    resource::workspace::CLAUDE_CODE,
};

fn address(label: &str) -> Address {
    Address::workspace(Name::label(label))
}

const PEOPLE: [&str; 3] = ["ada@acme.com", "bob@acme.com", "eve@acme.com"];

/// `Production` in the files, with the grants of some of the people.
fn files(grants: &[&str]) -> Files {
    let mut files = Files::new();
    for email in PEOPLE {
        files.member(email, "developer");
    }
    files.workspace(workspace_spec("Production"));
    let grants: Vec<_> = grants.iter().map(|email| (*email, "workspace_developer")).collect();
    files.grants("Production", &grants);
    files
}

/// The same workspace under another name, with the grants of some of the people.
fn org(name: &str, grants: &[&str]) -> Org {
    let mut org = Org::new();
    for email in PEOPLE {
        org.user(&format!("user_{email}"), email, "developer");
    }
    org.workspace("wrkspc_1", workspace_spec(name));
    org.live.coverage.workspace_members.insert(RemoteId::new("wrkspc_1"));
    for email in grants {
        org.grant("wrkspc_1", &format!("user_{email}"), "workspace_developer");
    }
    org
}

#[test]
fn a_workspace_with_a_key_that_is_listed_by_id_is_not_made_a_second_time() {
    let mut files = files(&["ada@acme.com"]);
    let mut org = org("Payments EU", &["ada@acme.com"]);
    files.key("apikey_01ci", Some("Production"), "active");
    org.key("apikey_01ci", "ci-eu", "active", Some("wrkspc_1"), |_| {});
    assert_snapshot!(show(&plan(&files, &org)), @r#"
    deferred update api_key/apikey_01ci workspace: "wrkspc_1" -> "Production"
        [workspace/Production] until it is clear which workspace `Production` is
    held create workspace/Production
        no entry names the live workspace `Payments EU` (`wrkspc_1`), but the key `ci-eu` (`apikey_01ci`), listed here by id, is in it: if it was renamed, add `id: wrkspc_1` or `previously: [Payments EU]` to this entry; add `previously: []` if this is a new workspace
    deferred create workspace_member/Production/ada@acme.com
        [workspace/Production] until workspace/Production exists
    "#);

    // With the id that the step names, it is the rename it was.
    files.pin(address("Production"), Some("wrkspc_1"), None);
    assert_snapshot!(show(&plan(&files, &org)), @r#"
    ready update workspace/Production name: "Payments EU" -> "Production"
        POST /workspaces/wrkspc_1 {"name":"Production"}
    "#);
}

#[test]
fn a_workspace_with_the_same_grants_as_one_that_no_entry_names_is_held() {
    let (mut files, org) = (files(&PEOPLE), org("Prod", &PEOPLE));
    assert_snapshot!(show(&plan(&files, &org)), @"
    held create workspace/Production
        no entry names the live workspace `Prod` (`wrkspc_1`), but it has exactly the grants listed here (3 people): if it was renamed, add `id: wrkspc_1` or `previously: [Prod]` to this entry; add `previously: []` if this is a new workspace
    deferred create workspace_member/Production/ada@acme.com
        [workspace/Production] until workspace/Production exists
    deferred create workspace_member/Production/bob@acme.com
        [workspace/Production] until workspace/Production exists
    deferred create workspace_member/Production/eve@acme.com
        [workspace/Production] until workspace/Production exists
    ");
    files.pin(address("Production"), None, Some(&[]));
    let shown = show(&plan(&files, &org));
    assert_eq!(shown.matches("ready create").count(), 4, "{shown}");
}

#[test]
fn one_equal_grant_or_other_grants_are_no_evidence() {
    let cases: [(&[&str], &[&str]); 4] = [
        (&PEOPLE[..1], &PEOPLE[..1]),
        (&PEOPLE[..2], &PEOPLE),
        (&PEOPLE, &PEOPLE[..2]),
        (&[], &[]),
    ];
    for (wanted, live) in cases {
        let shown = show(&plan(&files(wanted), &org("Prod", live)));
        assert!(shown.starts_with("ready create workspace/Production"), "{shown}");
    }
    let mut other_role = org("Prod", &PEOPLE[..1]);
    other_role.grant("wrkspc_1", "user_bob@acme.com", "workspace_admin");
    let shown = show(&plan(&files(&PEOPLE[..2]), &other_role));
    assert!(shown.starts_with("ready create workspace/Production"), "{shown}");
}

#[test]
fn a_team_is_evidence_though_one_person_is_left_in_it() {
    let mut files = files(&PEOPLE[..1]);
    files.desired.granted_to_teams.insert(Name::label("Production"));
    let shown = show(&plan(&files, &org("Prod", &PEOPLE[..1])));
    assert!(shown.starts_with("held create workspace/Production"), "{shown}");
    assert!(shown.contains("(1 person)"), "{shown}");
}

#[test]
fn grants_that_cannot_be_live_today_or_that_end_say_nothing_against_a_rename() {
    let (mut files, mut org) = (files(&PEOPLE[..2]), org("Prod", &PEOPLE[..2]));
    // Invited, so without a grant yet; an admin, who inherits; unmanaged here; and somebody who leaves.
    files.member("new@acme.com", "user").member("boss@acme.com", "admin");
    files.member("kept@acme.com", "user");
    org.user("user_boss", "boss@acme.com", "admin").user("user_kept", "kept@acme.com", "user");
    org.user("user_gone", "gone@acme.com", "user");
    files.grants(
        "Production",
        &[("new@acme.com", "workspace_user"), ("boss@acme.com", "workspace_admin")],
    );
    let kept = member_address("kept@acme.com").name;
    files.desired.kept.insert(Address::workspace_member(Name::label("Production"), kept));
    for (user, role) in [("boss", "admin"), ("kept", "user"), ("gone", "user")] {
        org.grant("wrkspc_1", &format!("user_{user}"), &format!("workspace_{role}"));
    }
    let shown = show(&plan(&files, &org));
    assert!(shown.contains("held create workspace/Production"), "{shown}");
    assert!(shown.contains("(2 people)"), "{shown}");
}

#[test]
fn only_a_workspace_that_no_entry_names_is_evidence() {
    // Named by another entry.
    let mut named = files(&PEOPLE);
    named.workspace(workspace_spec("Prod"));
    let shown = show(&plan(&named, &org("Prod", &PEOPLE)));
    assert!(shown.starts_with("ready create workspace/Production"), "{shown}");
    // Made by the product.
    let shown = show(&plan(&files(&PEOPLE), &org(CLAUDE_CODE, &PEOPLE)));
    assert!(shown.starts_with("ready create workspace/Production"), "{shown}");
    // One of two namesakes, of which an entry means one.
    let (mut twins, mut org) = (files(&PEOPLE), org("Prod", &PEOPLE));
    twins.workspace(workspace_spec("Prod"));
    org.workspace("wrkspc_2", workspace_spec("Prod"));
    let shown = show(&plan(&twins, &org));
    assert!(shown.contains("ready create workspace/Production"), "{shown}");
}

#[test]
fn several_candidates_are_all_named() {
    let (mut files, mut org) = (files(&PEOPLE), org("Prod", &PEOPLE));
    org.workspace("wrkspc_2", workspace_spec("Lab: EU"));
    for index in 0..5 {
        let id = format!("apikey_{index}");
        files.key(&id, Some("Production"), "active");
        org.key(&id, &format!("k{index}"), "active", Some("wrkspc_2"), |_| {});
    }
    let shown = show(&plan(&files, &org));
    let why = shown.lines().find(|line| line.contains("no entry names")).unwrap().trim();
    assert_snapshot!(why, @"no entry names these live workspaces: `Prod` (`wrkspc_1`): it has exactly the grants listed here (3 people); `Lab: EU` (`wrkspc_2`): the keys `k0` (`apikey_0`), `k1` (`apikey_1`), `k2` (`apikey_2`), 2 more, listed here by id, are in it: if this entry means one of them, add `id:` with its id, or `previously: []` if this is a new one");
}

#[test]
fn a_name_that_another_entry_has_pinned_is_not_made_a_second_time() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.workspace(workspace_spec("Production")).workspace(workspace_spec("Payments EU"));
    files.pin(address("Production"), Some("wrkspc_1"), None);
    org.workspace("wrkspc_1", workspace_spec("Payments EU"));
    let text = show(&plan(&files, &org));
    assert!(text.contains("held create workspace/Payments EU"), "{text}");
    assert!(text.contains("the entry `Production` means it by `id`"), "{text}");
    // Said to be new, it takes the name over.
    files.pin(address("Payments EU"), None, Some(&[]));
    let text = show(&plan(&files, &org));
    assert!(text.contains("ready create workspace/Payments EU"), "{text}");
}
