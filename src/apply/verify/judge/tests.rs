//! What answers of the API mean for a step: made, not made, or something else.

use super::*;
use crate::resource::{Facts, Phase, Remote, Workspace};

fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

fn wanted() -> Member {
    let email = Email::parse("ada@acme.com").unwrap();
    Member { email, role: Some(Role::User), groups: Vec::new() }
}

fn user(email: &str, role: &str) -> wire::User {
    wire::User {
        id: RemoteId::new("user_1"),
        email: email.into(),
        name: String::new(),
        role: role.into(),
        added_at: None,
    }
}

fn invite(email: &str, role: &str, status: &str, expires_at: &str) -> wire::Invite {
    wire::Invite {
        id: RemoteId::new("invite_1"),
        email: email.into(),
        role: role.into(),
        status: status.into(),
        invited_at: None,
        expires_at: Some(expires_at.parse().unwrap()),
        accepted_at: None,
        rbac_group_ids: Vec::new(),
    }
}

const LATER: &str = "2026-12-01T00:00:00Z";
const EARLIER: &str = "2026-11-01T00:00:00Z";

#[test]
fn a_hit_of_the_fuzzy_filter_is_not_the_person() {
    let near = [user("ada+x@acme.com", "user"), user("a.da@acme.com", "user")];
    assert_eq!(judge_invite(&wanted(), &near, &[], None, now()), After::Not);
    let open = [invite("a.da@acme.com", "user", "pending", LATER)];
    assert_eq!(judge_invite(&wanted(), &[], &open, None, now()), After::Not);
}

#[test]
fn an_open_invite_with_the_role_is_what_was_wanted_and_a_lapsed_or_accepted_one_is_not() {
    let open = [invite("ADA@acme.com", "user", "pending", LATER)];
    let After::Holds { id: Some(id), note: None } =
        judge_invite(&wanted(), &[], &open, None, now())
    else {
        panic!("holds")
    };
    assert_eq!(id.as_str(), "invite_1");
    for (status, until) in [("pending", EARLIER), ("accepted", LATER), ("expired", EARLIER)] {
        let past = [invite("ada@acme.com", "user", status, until)];
        assert_eq!(judge_invite(&wanted(), &[], &past, None, now()), After::Not, "{status}");
    }
}

#[test]
fn an_address_that_the_api_knows_and_does_not_show_is_left_to_a_person() {
    for code in ["already_member", "invite_already_exists"] {
        let after = judge_invite(&wanted(), &[], &[], Some(code), now());
        let After::Instead(Outcome::Manual { why }) = after else { panic!("{code}: {after:?}") };
        assert!(why.contains("shows nobody with that address"), "{why}");
    }
}

fn workspace(id: &str, created_at: Option<&str>, archived: bool) -> Object {
    let created_at = created_at.map(|at| at.parse().unwrap());
    let archived_at = archived.then(now);
    let facts = Facts::Workspace(Box::new(WorkspaceFacts { created_at, archived_at }));
    Object {
        spec: Spec::Workspace(Box::new(Workspace::named("New"))),
        remote: Some(Remote { id: RemoteId::new(id), phase: Phase::Active, facts }),
        source: None,
    }
}

fn made(all: &[&Object], claimed: &[&str]) -> Made {
    let claimed = claimed.iter().map(|id| RemoteId::new(*id)).collect();
    judge_made("New", all.iter().copied(), Since::theirs(now()), None, &claimed)
}

#[test]
fn a_workspace_is_recognized_by_name_and_age_and_is_given_to_one_step_only() {
    let old = workspace("wrkspc_0", Some("2025-01-01T00:00:00Z"), true);
    let new = workspace("wrkspc_1", Some("2026-11-22T10:00:30Z"), false);
    let other = workspace("wrkspc_2", None, false);
    assert_eq!(made(&[&old], &[]), Made::Not);
    assert_eq!(made(&[&old, &new], &[]), Made::One(RemoteId::new("wrkspc_1")));
    assert_eq!(made(&[&old, &new], &["wrkspc_1"]), Made::Not);
    let gone = workspace("wrkspc_3", Some("2026-11-22T10:00:30Z"), true);
    let Made::Archived(why) = made(&[&gone], &[]) else { panic!("archived") };
    assert!(why.contains("(wrkspc_3) was made and archived"), "{why}");
    assert_eq!(made(&[&gone, &new], &[]), Made::One(RemoteId::new("wrkspc_1")));
    let Made::Several(why) = made(&[&old, &new, &other], &[]) else { panic!("ambiguous") };
    assert!(why.contains("wrkspc_1, wrkspc_2"), "{why}");
}

#[test]
fn an_address_that_differs_only_in_spelling_is_named_as_what_it_is() {
    let why = |users: &[wire::User], invites: &[wire::Invite], code: &str| match judge_invite(
        &wanted(),
        users,
        invites,
        Some(code),
        now(),
    ) {
        After::Instead(Outcome::Manual { why } | Outcome::Waiting { why }) => why,
        other => panic!("{other:?}"),
    };
    let member = why(&[user("a.da@acme.com", "user")], &[], "already_member");
    assert!(
        member.contains("for a member whose") && member.contains("`a.da@acme.com`"),
        "{member}"
    );
    let others = [
        invite("bob@acme.com", "user", "expired", EARLIER),
        invite("a.da@acme.com", "user", "pending", LATER),
    ];
    let invited = why(&[], &others, "invite_already_exists");
    assert!(invited.contains("for somebody invited whose"), "{invited}");
    assert!(invited.contains("`a.da@acme.com`"), "{invited}");
    let own = [invite("ada@acme.com", "user", "pending", EARLIER)];
    assert!(why(&[], &own, "invite_already_exists").contains("still counts a lapsed invite"));
    let past = [invite("ada@acme.com", "user", "expired", EARLIER)];
    assert!(why(&[], &past, "invite_already_exists").contains("shows nobody with that address"));
}

#[test]
fn a_key_that_works_no_more_is_off_and_one_that_was_archived_needs_no_name() {
    let key = |status: &str| Object {
        spec: Spec::ApiKey(crate::resource::ApiKey {
            name: Some("old name".into()),
            status: Some(KeyStatus::from_wire(status)),
            workspace: None,
        }),
        remote: None,
        source: None,
    };
    let holds = |live: &Object, wanted: &[(&str, &str)]| {
        let wanted: Vec<_> =
            wanted.iter().map(|(field, value)| (*field, Value::from(*value))).collect();
        fields_hold(wanted.iter().map(|(field, value)| (*field, value)), live)
    };
    for (live, wanted, is) in [
        ("inactive", "inactive", true),
        ("expired", "inactive", true),
        ("archived", "inactive", true),
        ("active", "inactive", false),
        ("expired", "archived", false),
        ("archived", "active", false),
        ("expired", "active", false),
    ] {
        assert_eq!(holds(&key(live), &[("status", wanted)]), is, "{live} for {wanted}");
    }
    let off = [("name", "new name"), ("status", "inactive")];
    assert!(holds(&key("archived"), &off) && !holds(&key("expired"), &off));
    assert!(!holds(&key("archived"), &[("name", "new name")]));
    let on = [("name", "new name"), ("status", "active")];
    assert!(!holds(&key("archived"), &on) && !holds(&key("active"), &on));
}

#[test]
fn what_was_listed_before_is_old_and_what_was_not_is_new_whatever_the_clocks_say() {
    let long_ago = workspace("wrkspc_1", Some("2020-01-01T00:00:00Z"), false);
    let since = Since::theirs(now());
    let made = |known: &[&str]| {
        let known = known.iter().map(|id| RemoteId::new(*id)).collect();
        judge_made("New", [&long_ago], since, Some(&known), &BTreeSet::new())
    };
    assert_eq!(made(&["wrkspc_0"]), Made::One(RemoteId::new("wrkspc_1")));
    assert_eq!(made(&["wrkspc_1"]), Made::Not);
    assert_eq!(judge_made("New", [&long_ago], since, None, &BTreeSet::new()), Made::Not);
}

#[test]
fn ages_are_told_by_the_clock_of_the_api_however_far_ours_is_ahead() {
    let ahead = SignedDuration::from_hours(9);
    let ours = now().checked_add(ahead).unwrap();
    assert!(Since::ours(ours, Some(ahead)).includes(now()));
    assert!(!Since::ours(ours, None).includes(now()));
    assert!(Since::theirs(now()).includes(now()));
    let before = now().checked_sub(SignedDuration::from_mins(2)).unwrap();
    assert!(!Since::theirs(now()).includes(before) && Since::ours(now(), None).includes(before));
}
