//! `me`, users and invites.
//!
//! Invariant: bodies are compared whole where they are documented whole.

use orgcharter::sandbox::switches::{
    AddressMatching, DeletedInvite, EmailStorage, IdentityProvider, InviteExpiry, InviteGroups,
    ProtectedStatus, ReadAfterCreate, ReturningUser, SeatError,
};
use serde_json::json;

use crate::support::{
    acme, acme_changed, acme_with, coded, delete, empty, get, ids, ok, post, refused,
};

#[test]
fn me_is_the_organization() {
    let body = ok(get(&acme(), "/me"));
    assert_eq!(body["name"], "Acme");
    assert_eq!(body["type"], "organization");
    assert_eq!(body.as_object().unwrap().len(), 3);
}

#[test]
fn users_come_newest_first_and_whole() {
    let page = ok(get(&acme(), "/users?limit=1000"));
    assert_eq!(ids(&page), ["user_dot", "user_cy", "user_bob", "user_ada"]);
    assert_eq!(
        page["data"][2],
        json!({"id": "user_bob", "email": "bob@acme.com", "name": "Bob", "role": "developer",
               "added_at": "2026-01-02T00:00:00Z", "type": "user"})
    );
    let paging = json!([page["has_more"], page["first_id"], page["last_id"]]);
    assert_eq!(paging, json!([false, "user_dot", "user_ada"]));
}

#[test]
fn the_email_filter_is_fuzzy_and_the_role_filter_exact() {
    let sandbox = acme();
    let find = |query: &str| ok(get(&sandbox, &format!("/users?{query}")));
    assert_eq!(ids(&find("email=cytwo%40ACME.com")), ["user_cy"]);
    assert_eq!(ids(&find("email=nobody%40acme.com")), [""; 0]);
    let two = find("roles%5B%5D=billing&roles%5B%5D=admin&beta=true&unknown=1");
    assert_eq!(ids(&two), ["user_dot", "user_ada"]);
    assert_eq!(refused(get(&sandbox, "/users?roles[]=king")).0, 400);
}

#[test]
fn roles_change_but_for_admins_and_only_to_assignable_ones() {
    let sandbox = acme();
    let role =
        |who: &str, role: &str| post(&sandbox, &format!("/users/{who}"), &json!({"role": role}));
    assert_eq!(ok(role("user_bob", "claude_code_user"))["role"], "claude_code_user");
    assert_eq!(refused(role("user_bob", "admin")), (400, None));
    assert_eq!(refused(role("user_bob", "managed")), (400, None));
    assert_eq!(refused(role("user_ada", "user")), (400, None));
    assert_eq!(refused(role("user_nobody", "user")), (404, None));
    assert_eq!(refused(delete(&sandbox, "/users/user_ada")), (400, None));
    let forbidden = acme_with(|s| s.protected_status = ProtectedStatus::Forbidden);
    assert_eq!(refused(delete(&forbidden, "/users/user_ada")), (403, None));
}

#[test]
fn who_leaves_loses_grants_and_personal_keys_and_no_others() {
    let sandbox = acme();
    let gone = ok(delete(&sandbox, "/users/user_bob"));
    assert_eq!(gone, json!({"id": "user_bob", "type": "user_deleted"}));
    assert_eq!(refused(delete(&sandbox, "/users/user_bob")), (404, None));
    assert_eq!(ok(get(&sandbox, "/workspaces/wrkspc_prod/members"))["data"], json!([]));
    assert_eq!(ok(get(&sandbox, "/api_keys/apikey_bobs"))["status"], "archived");
    assert_eq!(ok(get(&sandbox, "/api_keys/apikey_ci"))["status"], "active");
    assert_eq!(ok(get(&sandbox, "/api_keys/apikey_robot"))["status"], "active");
}

#[test]
fn the_last_member_stays() {
    let mut state = empty();
    let id = state.add_user("one@acme.com", "user");
    let sandbox = orgcharter::sandbox::Sandbox::new(state);
    let reply = delete(&sandbox, &format!("/users/{id}"));
    assert_eq!(coded(reply), (400, "cannot_remove_last_member".to_owned()));
}

#[test]
fn an_invite_is_made_listed_accepted_and_stays_in_the_list() {
    let sandbox = acme();
    let made = ok(post(&sandbox, "/invites", &json!({"email": "New@acme.com", "role": "user"})));
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(
        made,
        json!({"id": id, "email": "New@acme.com", "role": "user", "status": "pending",
               "invited_at": "2026-11-22T09:00:00Z", "expires_at": "2026-12-13T09:00:00Z",
               "accepted_at": null, "rbac_group_ids": [], "type": "invite"})
    );
    let user = sandbox.with(|state| state.accept_invite("new@acme.com")).unwrap();
    assert_eq!(ok(get(&sandbox, &format!("/users/{user}")))["email"], "New@acme.com");
    let seen = ok(get(&sandbox, &format!("/invites/{id}")));
    assert_eq!(seen["status"], "accepted");
    assert_eq!(seen["accepted_at"], "2026-11-22T09:00:00Z");
    ok(delete(&sandbox, &format!("/users/{user}")));
    assert_eq!(ok(get(&sandbox, &format!("/invites/{id}")))["status"], "accepted");
    assert_eq!(sandbox.with(|state| state.accept_invite("new@acme.com")), None);
}

#[test]
fn invites_are_filtered_by_status_and_deleted_ones_never_listed() {
    let sandbox = acme();
    let all = ok(get(&sandbox, "/invites"));
    assert_eq!(ids(&all), ["invite_eve", "invite_old", "invite_bob"]);
    let some = ok(get(&sandbox, "/invites?statuses[]=pending&statuses[]=expired&roles[]=user"));
    assert_eq!(ids(&some), ["invite_eve", "invite_old"]);
    assert_eq!(ids(&ok(get(&sandbox, "/invites?email=E.ve%2Bx%40acme.com"))), ["invite_eve"]);
    assert_eq!(refused(get(&sandbox, "/invites?statuses[]=deleted")).0, 400);
}

#[test]
fn only_a_pending_invite_is_withdrawn() {
    let sandbox = acme();
    for (id, status) in [("old", 400), ("bob", 400), ("gone", 404), ("nobody", 404)] {
        assert_eq!(refused(delete(&sandbox, &format!("/invites/invite_{id}"))), (status, None));
    }
    let gone = ok(delete(&sandbox, "/invites/invite_eve"));
    assert_eq!(gone, json!({"id": "invite_eve", "type": "invite_deleted"}));
    assert_eq!(refused(get(&sandbox, "/invites/invite_eve")), (404, None));
    let shown = acme_with(|s| s.deleted_invite = DeletedInvite::Shown);
    assert_eq!(ok(get(&shown, "/invites/invite_gone"))["status"], "deleted");
}

#[test]
fn an_invite_expires_by_the_clock_after_21_days() {
    let sandbox = acme();
    ok(post(&sandbox, "/invites", &json!({"email": "n@acme.com", "role": "user"})));
    let hours = std::time::Duration::from_hours;
    sandbox.advance(hours(21 * 24 - 1));
    let again = || post(&sandbox, "/invites", &json!({"email": "N@acme.com", "role": "user"}));
    assert_eq!(coded(again()), (400, "invite_already_exists".to_owned()));
    sandbox.advance(hours(1));
    assert_eq!(sandbox.with(|state| state.accept_invite("n@acme.com")), None);
    ok(again());
    let lagging = acme_with(|s| s.invite_expiry = InviteExpiry::LagsAnHour);
    lagging.advance(hours(20 * 24));
    assert_eq!(ok(get(&lagging, "/invites/invite_eve"))["status"], "pending");
    let again = post(&lagging, "/invites", &json!({"email": "eve@acme.com", "role": "user"}));
    assert_eq!(coded(again), (400, "invite_already_exists".to_owned()));
    assert_eq!(lagging.with(|state| state.accept_invite("eve@acme.com")), None);
}

#[test]
fn members_and_pending_people_are_not_invited_again() {
    let invite = |sandbox: &_, email: &str| {
        post(sandbox, "/invites", &json!({"email": email, "role": "user"}))
    };
    let exact = acme();
    assert_eq!(coded(invite(&exact, "BOB@acme.com")), (400, "already_member".to_owned()));
    assert_eq!(coded(invite(&exact, "EVE@acme.com")), (400, "invite_already_exists".to_owned()));
    ok(invite(&exact, "b.ob+1@acme.com"));
    ok(invite(&exact, "old@acme.com"));
    let variants = acme_with(|s| s.address_matching = AddressMatching::Variants);
    assert_eq!(coded(invite(&variants, "b.ob+1@acme.com")), (400, "already_member".to_owned()));
    let reply = invite(&variants, "e.ve@acme.com");
    assert_eq!(coded(reply), (400, "invite_already_exists".to_owned()));
}

#[test]
fn an_address_is_kept_as_typed_or_lower_cased() {
    for (storage, kept) in
        [(EmailStorage::AsTyped, "Zoe@Acme.com"), (EmailStorage::LowerCase, "zoe@acme.com")]
    {
        let sandbox = acme_with(|s| s.email_storage = storage);
        let made =
            ok(post(&sandbox, "/invites", &json!({"email": "Zoe@Acme.com", "role": "user"})));
        assert_eq!(made["email"], kept);
    }
}

#[test]
fn who_returns_has_a_new_id_or_the_old_one() {
    for (switch, same) in [(ReturningUser::NewId, false), (ReturningUser::SameId, true)] {
        let sandbox = acme_with(|s| s.returning_user = switch);
        ok(delete(&sandbox, "/users/user_bob"));
        ok(post(&sandbox, "/invites", &json!({"email": "bob@acme.com", "role": "user"})));
        let id = sandbox.with(|state| state.accept_invite("bob@acme.com")).unwrap();
        assert_eq!(id == "user_bob", same);
        assert_eq!(ok(get(&sandbox, "/api_keys/apikey_bobs"))["status"], "archived");
    }
}

#[test]
fn seats_domains_and_identity_providers_refuse_invites() {
    let invite = json!({"email": "n@acme.com", "role": "user"});
    // Four members and one pending invite.
    let full = acme_changed(|state| state.limits.seats = Some(5));
    assert_eq!(refused(post(&full, "/invites", &invite)), (400, None));
    full.with(|state| state.switches.seat_error = SeatError::Coded);
    assert_eq!(
        coded(post(&full, "/invites", &invite)),
        (400, "org_member_limit_exceeded".to_owned())
    );
    full.with(|state| state.limits.seats = Some(6));
    ok(post(&full, "/invites", &invite));
    let strict = acme_changed(|state| state.limits.email_domains = Some(vec!["other.io".into()]));
    assert_eq!(
        coded(post(&strict, "/invites", &invite)),
        (400, "email_domain_not_allowed".to_owned())
    );
    let managed = acme_with(|s| s.identity_provider = IdentityProvider::Manages);
    assert_eq!(refused(post(&managed, "/invites", &invite)), (400, None));
    assert_eq!(refused(delete(&managed, "/users/user_bob")), (400, None));
    assert_eq!(refused(post(&managed, "/users/user_bob", &json!({"role": "user"}))), (400, None));
}

#[test]
fn invite_bodies_are_read_strictly() {
    let sandbox = acme();
    for body in [
        json!({"email": "n@acme.com"}),
        json!({"email": "n@acme.com", "role": "admin"}),
        json!({"email": "n@acme.com", "role": 1}),
        json!({"email": "nobody", "role": "user"}),
        json!({"email": "n@acme.com", "role": "user", "note": "x"}),
        json!({"email": "n@acme.com", "role": "user", "rbac_group_ids": ["rbac_group_1"]}),
        json!({"email": "n@acme.com", "role": "user", "rbac_group_ids": "x"}),
        json!(["email"]),
    ] {
        assert_eq!(refused(post(&sandbox, "/invites", &body)).0, 400, "{body}");
    }
    let old = acme_with(|s| s.invite_groups = InviteGroups::Absent);
    let invite = ok(get(&old, "/invites/invite_eve"));
    assert!(invite.get("rbac_group_ids").is_none());
}

#[test]
fn a_new_object_may_hide_from_get_for_a_while() {
    let sandbox = acme_with(|s| s.read_after_create = ReadAfterCreate::Lags);
    let made = ok(post(&sandbox, "/workspaces", &json!({"name": "n"})));
    let path = format!("/workspaces/{}", made["id"].as_str().unwrap());
    assert_eq!(refused(get(&sandbox, &path)).0, 404);
    assert_eq!(refused(get(&sandbox, &path)).0, 404);
    ok(get(&sandbox, &path));
    let member = json!({"user_id": "user_cy", "workspace_role": "workspace_user"});
    ok(post(&sandbox, "/workspaces/wrkspc_prod/members", &member));
    assert_eq!(refused(get(&sandbox, "/workspaces/wrkspc_prod/members/user_cy")).0, 404);
}
