//! API keys: bodies, filters, the table of transitions and the limits.
//!
//! Invariant: every cell of the transition table is tried.

use orgcharter::sandbox::switches::{KeyWorkspaceId, NullKeyField, PrincipalShape};
use serde_json::{Value, json};

use crate::support::{
    ORG, acme, acme_changed, acme_with, coded, get, ids, ok, post, refused, request, send,
};
use orgcharter::api::transport::Method;

fn under_old_version(sandbox: &orgcharter::sandbox::Sandbox, id: &str) -> Value {
    let mut asked = request(Method::Get, &format!("{ORG}/api_keys/{id}"), None);
    asked.headers[1].1 = "2023-06-01".into();
    ok(send(sandbox, &asked))
}

#[test]
fn a_key_is_shown_whole() {
    let key = ok(get(&acme(), "/api_keys/apikey_bobs"));
    let hint = key["partial_key_hint"].as_str().unwrap().to_owned();
    assert!(hint.starts_with("sk-ant-api03-"));
    assert_eq!(
        key,
        json!({"id": "apikey_bobs", "name": "bobs", "status": "active", "created_at": "2026-01-05T00:00:00Z",
               "expires_at": null, "created_by": {"id": "user_bob", "type": "user"},
               "principal": {"type": "user_actor", "user_id": "user_bob"},
               "scope": {"type": "organization"}, "partial_key_hint": hint, "type": "api_key"})
    );
    let robot = ok(get(&acme(), "/api_keys/apikey_robot"));
    assert_eq!(robot["scope"], json!({"type": "workspace", "workspace_id": "wrkspc_default"}));
    let actor = json!({"type": "service_account_actor", "service_account_id": "svac_robot"});
    assert_eq!(robot["principal"], actor);
    let plain = acme_with(|s| s.principal_shape = PrincipalShape::Plain);
    let robot = ok(get(&plain, "/api_keys/apikey_robot"));
    assert_eq!(robot["principal"], json!({"id": "svac_robot", "type": "service_account"}));
}

#[test]
fn the_old_version_names_the_workspace_but_for_default_and_organization() {
    let sandbox = acme();
    assert_eq!(under_old_version(&sandbox, "apikey_ci")["workspace_id"], "wrkspc_prod");
    for id in ["apikey_robot", "apikey_bobs"] {
        let key = under_old_version(&sandbox, id);
        assert_eq!(key.get("workspace_id"), Some(&Value::Null));
    }
    let never = acme_with(|s| s.key_workspace_id = KeyWorkspaceId::Never);
    assert!(under_old_version(&never, "apikey_ci").get("workspace_id").is_none());
}

#[test]
fn keys_are_filtered_by_status_workspace_and_creator() {
    let sandbox = acme();
    let list = |query: &str| ok(get(&sandbox, &format!("/api_keys?{query}")));
    assert_eq!(list("")["data"].as_array().unwrap().len(), 6);
    assert_eq!(ids(&list("status=expired")), ["apikey_late"]);
    assert_eq!(ids(&list("status=active&workspace_id=wrkspc_prod")), ["apikey_ci"]);
    assert_eq!(ids(&list("workspace_id=wrkspc_default")), ["apikey_robot"]);
    assert_eq!(ids(&list("created_by_user_id=user_bob")), ["apikey_bobs", "apikey_ci"]);
    assert_eq!(refused(get(&sandbox, "/api_keys?status=on")).0, 400);
}

#[test]
fn every_transition_is_as_documented() {
    let starts = [("ci", "active"), ("off", "inactive"), ("late", "expired"), ("dead", "archived")];
    let allowed = |from: &str, to: &str| match from {
        "active" | "inactive" => true,
        _ => to == "archived",
    };
    for (key, from) in starts {
        for to in ["active", "inactive", "archived"] {
            let sandbox = acme();
            let path = format!("/api_keys/apikey_{key}");
            assert_eq!(ok(get(&sandbox, &path))["status"], from);
            let reply = post(&sandbox, &path, &json!({"status": to}));
            if allowed(from, to) {
                assert_eq!(ok(reply)["status"], to, "{from} to {to}");
            } else {
                assert_eq!(refused(reply), (400, None), "{from} to {to}");
            }
        }
    }
}

#[test]
fn names_change_and_bodies_are_read_strictly() {
    let sandbox = acme();
    let set = |body: Value| post(&sandbox, "/api_keys/apikey_ci", &body);
    assert_eq!(ok(set(json!({"name": "x".repeat(500)})))["status"], "active");
    for body in [
        json!({"name": ""}),
        json!({"name": "x".repeat(501)}),
        json!({"status": "expired"}),
        json!({"status": true}),
        json!({"expires_at": "2027-01-01T00:00:00Z"}),
    ] {
        assert_eq!(refused(set(body)).0, 400);
    }
    ok(set(json!({"name": null, "status": null})));
    sandbox.with(|state| state.switches.null_key_field = NullKeyField::Refused);
    assert_eq!(refused(set(json!({"status": null}))).0, 400);
    assert_eq!(refused(post(&sandbox, "/api_keys/apikey_no", &json!({}))).0, 404);
    assert_eq!(refused(post(&sandbox, "/api_keys", &json!({"name": "n"}))).0, 405);
}

#[test]
fn reactivation_meets_the_limits() {
    let on = json!({"status": "active"});
    let reply = |sandbox: &_| post(sandbox, "/api_keys/apikey_off", &on);
    // Active are ci, bobs and robot; in Production only ci.
    let org = acme_changed(|state| state.limits.organization_api_keys = Some(3));
    assert_eq!(coded(reply(&org)), (400, "org_api_key_limit_exceeded".to_owned()));
    let workspace = acme_changed(|state| state.limits.workspace_api_keys = Some(1));
    assert_eq!(coded(reply(&workspace)), (400, "workspace_api_key_limit_exceeded".to_owned()));
    let room = acme_changed(|state| {
        state.limits.organization_api_keys = Some(4);
        state.limits.workspace_api_keys = Some(2);
    });
    ok(reply(&room));
}

#[test]
fn a_key_expires_by_the_clock() {
    let sandbox = acme_changed(|state| {
        let soon = state.now() + std::time::Duration::from_mins(1);
        assert!(state.edit_api_key("ci", |key| key.expires_at = Some(soon)));
    });
    assert_eq!(ok(get(&sandbox, "/api_keys/apikey_ci"))["status"], "active");
    sandbox.advance(std::time::Duration::from_mins(1));
    assert_eq!(ok(get(&sandbox, "/api_keys/apikey_ci"))["status"], "expired");
}
