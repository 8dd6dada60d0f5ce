//! One person, from nobody to gone.

use insta::assert_snapshot;

use super::builder::*;
use crate::resource::desired::{GoneCause, Unlisted};

#[test]
fn somebody_new_is_invited_and_their_grants_wait() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("Ada@acme.com", "developer").workspace(workspace_spec("Production"));
    files.grants("Production", &[("ada@acme.com", "workspace_developer")]);
    org.workspace("w1", workspace_spec("Production"));
    assert_snapshot!(show(&plan(&files, &org)), @r#"
    ready create member/ada@acme.com
        POST /invites {"email":"Ada@acme.com","role":"developer"}
    deferred create workspace_member/Production/ada@acme.com
        [member/ada@acme.com] until `ada@acme.com` is invited and accepts
    "#);
}

#[test]
fn a_pending_invite_with_the_same_role_is_waited_for() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("ada@acme.com", "developer");
    org.invite("invite_1", "ADA@acme.com", "developer", 5);
    let plan = plan(&files, &org);
    assert_snapshot!(show(&plan), @"nothing to do");
    assert_eq!(plan.waiting.len(), 1);
    assert_eq!(plan.expiring.len(), 1, "an invite that lapses in 5 days is forecast");
}

#[test]
fn an_invite_that_the_plan_ends_does_not_lapse_too() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.manage(Unlisted::Remove).member("ada@acme.com", "user").member("eve@acme.com", "user");
    org.user("user_0", "root@acme.com", "admin");
    files.member("root@acme.com", "admin");
    org.invite("invite_1", "ada@acme.com", "developer", 5);
    org.invite("invite_2", "eve@acme.com", "user", 5);
    org.invite("invite_3", "gone@acme.com", "user", 5);
    // `ada` is invited anew, `gone` is withdrawn: only the invite of `eve` is left to lapse.
    let plan = plan(&files, &org);
    let lapsing: Vec<&str> = plan.expiring.iter().map(|one| &*one.what).collect();
    assert_eq!(lapsing, ["member/eve@acme.com"]);
}

#[test]
fn a_pending_invite_is_replaced_not_edited() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("ada@acme.com", "user").member("eve@acme.com", "developer");
    org.invite("invite_1", "ada@acme.com", "developer", 5);
    org.invite("invite_2", "eve@acme.com", "admin", 5);
    assert_snapshot!(show(&plan(&files, &org)), @r#"
    ready replace member/ada@acme.com role: "developer" -> "user"
        DELETE /invites/invite_1
        POST /invites {"email":"ada@acme.com","role":"user"}
    ready replace member/eve@acme.com role: "admin" -> "developer"
        DELETE /invites/invite_2
        POST /invites {"email":"eve@acme.com","role":"developer"}
    "#);
}

#[test]
fn the_third_unanswered_invite_is_the_last_one_charter_sends() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files
        .member("ada@acme.com", "user")
        .member("bob@acme.com", "user")
        .member("eve@acme.com", "user");
    org.past("ada@acme.com", None, &[-10, -40, -70]);
    org.past("bob@acme.com", None, &[-10, -40, -130]);
    org.past("eve@acme.com", Some(-50), &[-10, -40, -70]);
    assert_snapshot!(show(&plan(&files, &org)), @r#"
    manual create member/ada@acme.com
        3 invites to `ada@acme.com` expired unanswered within 120 days: check the address with the person and invite them in the Console, or remove the entry
    ready create member/bob@acme.com
        POST /invites {"email":"bob@acme.com","role":"user"}
    ready create member/eve@acme.com
        POST /invites {"email":"eve@acme.com","role":"user"}
    guard `returns`: 1 invites to people who were members before, and the limit is 0
    "#);
}

#[test]
fn roles_change_but_never_into_or_out_of_admin() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files
        .member("ada@acme.com", "developer")
        .member("bob@acme.com", "admin")
        .member("eve@acme.com", "user")
        .member("joan@acme.com", "admin")
        .member("kim@acme.com", "developer")
        .member("lee@acme.com", "unmanaged");
    org.user("user_a", "ada@acme.com", "user")
        .user("user_b", "bob@acme.com", "developer")
        .user("user_e", "eve@acme.com", "admin")
        .user("user_j", "joan@acme.com", "admin")
        .user("user_k", "kim@acme.com", "galactic_overlord")
        .user("user_l", "lee@acme.com", "galactic_overlord");
    assert_snapshot!(show(&plan(&files, &org)), @r#"
    ready update member/ada@acme.com role: "user" -> "developer"
        POST /users/user_a {"role":"developer"}
    manual update member/bob@acme.com role: "developer" -> "admin"
        the API cannot give the role `admin`: set `bob@acme.com` to `admin` in the Console under Settings > Members
    manual update member/eve@acme.com role: "admin" -> "user"
        the API cannot take the role `admin`: set `eve@acme.com` to `user` in the Console under Settings > Members
    manual update member/kim@acme.com role: "galactic_overlord" -> "developer"
        `kim@acme.com` has the role `galactic_overlord`, which charter does not know and never rewrites: change it in the Console, or write `unmanaged`
    "#);
}

#[test]
fn people_leave_by_none_by_date_and_by_not_being_listed() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files
        .manage(Unlisted::Remove)
        .gone(member_address("none@acme.com"), GoneCause::None)
        .gone(member_address("late@acme.com"), GoneCause::Expired)
        .gone(member_address("never-came@acme.com"), GoneCause::None);
    org.user("user_1", "none@acme.com", "user")
        .user("user_2", "late@acme.com", "user")
        .user("user_3", "unlisted@acme.com", "user")
        .user("user_4", "boss@acme.com", "admin")
        .invite("invite_1", "pending@acme.com", "user", 9);
    org.past("expired@acme.com", None, &[-3]);
    let plan = plan(&files, &org);
    assert_snapshot!(show(&plan), @r"
    manual remove member/boss@acme.com
        the API cannot remove somebody with the role `admin`: remove `boss@acme.com` in the Console under Settings > Members
    ready remove member/late@acme.com
        DELETE /users/user_2
    ready remove member/none@acme.com
        DELETE /users/user_1
    ready remove member/pending@acme.com
        DELETE /invites/invite_1
    ready remove member/unlisted@acme.com
        DELETE /users/user_3
    ");
    let removals = plan.guards.iter().find(|g| g.guard.as_str() == "removals.members").unwrap();
    assert_eq!(removals.count, 3, "the expiry and the manual step do not count");
}

#[test]
fn under_report_nobody_unlisted_leaves() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.manage(Unlisted::Report).gone(member_address("none@acme.com"), GoneCause::None);
    org.user("user_1", "none@acme.com", "user").user("user_2", "other@acme.com", "user");
    let plan = plan(&files, &org);
    assert_snapshot!(show(&plan), @r"
    ready remove member/none@acme.com
        DELETE /users/user_1
    ");
    assert_eq!(plan.unmanaged.len(), 1);
}

#[test]
fn a_changed_address_is_the_same_person_and_an_unexplained_one_is_held() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("joan@new.io", "user").member("kim@new.io", "user").member("lee@new.io", "user");
    files.pin(member_address("joan@new.io"), None, Some(&["joan@old.io"]));
    files.pin(member_address("lee@new.io"), None, Some(&[]));
    org.user("user_j", "joan@old.io", "user");
    org.user("user_k", "kim@old.io", "user");
    org.user("user_l", "lee@old.io", "user");
    assert_snapshot!(show(&plan(&files, &org)), @r#"
    held create member/kim@new.io
        `kim@new.io` is invited while `kim@old.io` is removed: the same person? add `previously: [kim@old.io]` to the entry, or `previously: []` if not
    ready create member/lee@new.io
        POST /invites {"email":"lee@new.io","role":"user"}
    held remove member/kim@old.io
        `kim@new.io` is invited while `kim@old.io` is removed: the same person? add `previously: [kim@old.io]` to the entry, or `previously: []` if not
    ready remove member/lee@old.io
        DELETE /users/user_l
    "#);
}

#[test]
fn an_address_that_changed_in_case_dots_or_a_tag_is_held_too() {
    for old in ["a.b@acme.com", "ab+old@acme.com", "A.B+x@old.io"] {
        let (mut files, mut org) = (Files::new(), Org::new());
        files.member("ab@acme.com", "user");
        org.user("user_1", old, "user");
        let shown = show(&plan(&files, &org));
        assert!(shown.contains("held create member/ab@acme.com"), "{shown}");
        assert!(shown.contains("held remove member/"), "{shown}");
        files.pin(member_address("ab@acme.com"), None, Some(&[]));
        let shown = show(&plan(&files, &org));
        assert!(shown.contains("ready create member/ab@acme.com"), "{shown}");
        assert!(shown.contains("ready remove member/"), "{shown}");
    }
}

#[test]
fn a_variant_of_an_address_that_stays_is_left_to_a_person() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.manage(Unlisted::Report).member("ab@acme.com", "user").member("e.f@acme.com", "user");
    files
        .member("Gh@acme.com", "user")
        .member("g.h@acme.com", "user")
        .member("ij@acme.com", "user");
    org.user("user_1", "a.b@acme.com", "user").invite("invite_1", "EF+x@acme.com", "user", 3);
    org.user("user_2", "g.h@acme.com", "user").user("user_3", "i.j@elsewhere.io", "user");
    assert_snapshot!(show(&plan(&files, &org)), @r#"
    manual create member/ab@acme.com
        `ab@acme.com` differs from the address of a member only in case, dots or a plus-tag: `a.b@acme.com`; write that address in the files, or `previously: []` if this is somebody else
    manual create member/e.f@acme.com
        `e.f@acme.com` differs from the address of somebody invited only in case, dots or a plus-tag: `EF+x@acme.com`; write that address in the files, or `previously: []` if this is somebody else
    ready create member/gh@acme.com
        POST /invites {"email":"Gh@acme.com","role":"user"}
    ready create member/ij@acme.com
        POST /invites {"email":"ij@acme.com","role":"user"}
    "#);
    files.pin(member_address("ab@acme.com"), None, Some(&[]));
    assert!(show(&plan(&files, &org)).contains("ready create member/ab@acme.com"));
}

#[test]
fn a_pin_that_contradicts_the_address_touches_neither_person() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("boss@acme.com", "developer").workspace(workspace_spec("Prod"));
    files.grants("Prod", &[("boss@acme.com", "workspace_admin")]);
    files.pin(member_address("boss@acme.com"), Some("user_m"), None);
    org.user("user_m", "mallory@acme.com", "user").user("user_b", "boss@acme.com", "user");
    org.workspace("w1", workspace_spec("Prod"));
    org.grant("w1", "user_m", "workspace_user").grant("w1", "user_b", "workspace_user");
    assert_snapshot!(show(&plan(&files, &org)), @r"
    manual create member/boss@acme.com
        by its address this entry means `boss@acme.com` (`user_b`), by `id` or `previously` `mallory@acme.com` (`user_m`), so neither is touched: drop `id` and `previously` if the address is right, else write the address that the person has
    deferred create workspace_member/Prod/boss@acme.com
        [member/boss@acme.com] until `boss@acme.com` is invited and accepts
    ");

    let mut files = Files::new();
    files.manage(Unlisted::Remove).gone(member_address("boss@acme.com"), GoneCause::None);
    files.pin(member_address("boss@acme.com"), Some("user_m"), None);
    let made = plan(&files, &org);
    assert_snapshot!(show(&made), @"nothing to do");
    assert_eq!(made.notes[0].code, "live/ambiguous");
}

#[test]
fn somebody_whose_live_address_is_another_is_named() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("boss@acme.com", "developer");
    files.pin(member_address("boss@acme.com"), Some("user_m"), None);
    org.user("user_m", "mallory@acme.com", "user");
    let made = plan(&files, &org);
    assert_snapshot!(show(&made), @r#"
    ready update member/boss@acme.com role: "user" -> "developer"
        POST /users/user_m {"role":"developer"}
    "#);
    assert_snapshot!(made.notes[0].message, @"the entry `boss@acme.com` means somebody whose live address is `mallory@acme.com` (user_m)");
    assert_eq!(made.notes[0].span, Some(span(11)));

    // Nor is the address invited that somebody has whom another entry means.
    files.member("mallory@acme.com", "user");
    assert_snapshot!(show(&plan(&files, &org)), @r#"
    ready update member/boss@acme.com role: "user" -> "developer"
        POST /users/user_m {"role":"developer"}
    manual create member/mallory@acme.com
        `mallory@acme.com` (`user_m`) is live, but another entry means them by `id` or `previously`: correct one of the two
    "#);
}

#[test]
fn several_earlier_addresses_that_are_all_live_are_not_guessed() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("joan@acme.com", "user");
    files.pin(member_address("joan@acme.com"), None, Some(&["joan@old.io", "joan@older.io"]));
    org.user("user_1", "joan@old.io", "user").user("user_2", "joan@older.io", "user");
    assert_snapshot!(show(&plan(&files, &org)), @r"
    manual create member/joan@acme.com
        several live people have an earlier address of `joan@acme.com`: add `id:` with the one meant (`user_1`, `user_2`)
    ");
}

#[test]
fn an_open_invite_of_a_member_who_leaves_is_withdrawn_too() {
    use crate::resource::{Facts, Role, member::PendingInvite};
    let (mut files, mut org) = (Files::new(), Org::new());
    files.manage(Unlisted::Remove);
    org.user("user_1", "ada@acme.com", "user");
    let object = std::sync::Arc::make_mut(&mut org.live.objects[0].1);
    if let Some(Facts::Member(facts)) = object.remote.as_mut().map(|remote| &mut remote.facts) {
        facts.pending.push(PendingInvite {
            id: crate::address::RemoteId::new("invite_9"),
            role: Role::User,
            expires_at: in_days(3),
            groups: Vec::new(),
        });
    }
    assert_snapshot!(show(&plan(&files, &org)), @r"
    ready remove member/ada@acme.com
        DELETE /users/user_1
        DELETE /invites/invite_9
    ");
}

#[test]
fn two_live_people_with_one_address_are_left_to_a_person() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("ada@acme.com", "developer");
    org.user("user_1", "ada@acme.com", "user").user("user_2", "ADA@acme.com", "user");
    // The list is complete under `remove`, yet neither twin is removed by guesswork.
    assert_snapshot!(show(&plan(&files, &org)), @r"
    manual create member/ada@acme.com
        several live people share the address `ada@acme.com`: add `id:` with the one meant (`user_1`, `user_2`)
    ");
}
