//! Workspaces: bodies, field rules, the Default Workspace, archiving and the limit.
//!
//! Invariant: bodies are compared whole where they are documented whole.

use orgcharter::sandbox::switches::{
    ArchiveAgain, ArchiveCascade, ArchivedWrites, CapClaudeCode, CapDefault, DefaultListing,
    ListOrder, NullResidency, NullTags, PartialResidency, WorkspaceNameLimit, WorkspaceNames,
};
use serde_json::{Value, json};

use crate::support::{
    acme, acme_changed, acme_with, coded, delete, get, ids, ok, post, post_empty, refused,
};

#[test]
fn a_workspace_is_made_with_its_defaults() {
    let sandbox = acme();
    let made = ok(post(&sandbox, "/workspaces", &json!({"name": "New"})));
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    assert!(text("id").starts_with("wrkspc_01"));
    assert_eq!(
        made,
        json!({"id": text("id"), "name": "New", "created_at": "2026-11-22T09:00:00Z",
               "archived_at": null, "display_color": text("display_color"),
               "data_residency": {"workspace_geo": "us", "allowed_inference_geos": "unrestricted",
                                  "default_inference_geo": "global"},
               "tags": {}, "external_key_id": null, "user_profile_id": null,
               "compartment_id": text("compartment_id"), "type": "workspace"})
    );
    assert_eq!(text("display_color").len(), 7);
    assert_eq!(ok(get(&sandbox, &format!("/workspaces/{}", text("id")))), made);
    let all_null = json!({"name": "Null", "display_color": null, "data_residency": null, "tags": null,
                          "external_key_id": null, "user_profile_id": null});
    ok(post(&sandbox, "/workspaces", &all_null));
}

#[test]
fn listings_leave_archived_and_default_out_unless_asked() {
    let sandbox = acme();
    let list = |query: &str| ok(get(&sandbox, &format!("/workspaces?{query}")));
    assert_eq!(ids(&list("")), ["wrkspc_code", "wrkspc_prod"]);
    assert_eq!(ids(&list("include_archived=true")), ["wrkspc_attic", "wrkspc_code", "wrkspc_prod"]);
    let everything = list("include_archived=true&include_default=true");
    assert_eq!(ids(&everything), ["wrkspc_attic", "wrkspc_code", "wrkspc_prod", "wrkspc_default"]);
    let named = list("ids%5B%5D=wrkspc_prod&ids%5B%5D=wrkspc_attic&ids%5B%5D=wrkspc_nobody");
    assert_eq!(ids(&named), ["wrkspc_prod"]);
    assert_eq!(refused(get(&sandbox, "/workspaces?include_default=yes")).0, 400);
    let many = "ids[]=w&".repeat(101);
    assert_eq!(refused(get(&sandbox, &format!("/workspaces?{many}"))).0, 400);
    let never = acme_with(|s| s.default_listing = DefaultListing::Never);
    let page = ok(get(&never, "/workspaces?include_default=true"));
    assert_eq!(ids(&page), ["wrkspc_code", "wrkspc_prod"]);
    let oldest = acme_with(|s| s.list_order = ListOrder::OldestFirst);
    assert_eq!(ids(&ok(get(&oldest, "/workspaces"))), ["wrkspc_prod", "wrkspc_code"]);
}

#[test]
fn fields_are_checked_on_create_and_update() {
    let sandbox = acme();
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("x".repeat(256))),
        ("name", json!(3)),
        ("display_color", json!("6C5BB9")),
        ("display_color", json!("#6C5BBZ")),
        ("tags", json!({"anthropic-x": "1"})),
        ("tags", json!({"a": 1})),
        ("tags", json!([])),
        ("data_residency", json!({"default_inference_geo": "eu"})),
        ("data_residency", json!({"allowed_inference_geos": []})),
        ("data_residency", json!({"allowed_inference_geos": ["us"]})),
        ("data_residency", json!({"allowed_inference_geos": "us", "default_inference_geo": "us"})),
        ("data_residency", json!({"unknown": "us"})),
        ("data_residency", json!("us")),
        ("compartment_id", json!("x")),
    ] {
        let body = json!({"name": "n", field: value});
        assert_eq!(refused(post(&sandbox, "/workspaces", &body)).0, 400, "{body}");
        let body = json!({field: value});
        assert_eq!(refused(post(&sandbox, "/workspaces/wrkspc_prod", &body)).0, 400, "{body}");
    }
    assert_eq!(
        refused(post(&sandbox, "/workspaces", &json!({"tags": {"a": null}, "name": "n"}))).0,
        400
    );
    assert_eq!(refused(post(&sandbox, "/workspaces", &json!({}))).0, 400);
    let before = ok(get(&sandbox, "/workspaces/wrkspc_prod"));
    assert_eq!(ok(post(&sandbox, "/workspaces/wrkspc_prod", &json!({}))), before);
    for field in ["name", "display_color", "external_key_id", "user_profile_id"] {
        let reply = post(&sandbox, "/workspaces/wrkspc_prod", &json!({field: null}));
        assert_eq!(refused(reply).0, 400, "{field}");
    }
}

#[test]
fn tags_merge_and_null_deletes_one() {
    let sandbox = acme();
    let tags = |body: Value| ok(post(&sandbox, "/workspaces/wrkspc_prod", &body))["tags"].clone();
    let merged = tags(json!({"tags": {"env": null, "cost": "1", "gone": null}}));
    assert_eq!(merged, json!({"team": "core", "cost": "1"}));
    assert_eq!(tags(json!({"tags": {}})), merged);
    assert_eq!(tags(json!({"tags": null})), merged);
    sandbox.with(|state| state.switches.null_tags = NullTags::Clears);
    assert_eq!(tags(json!({"tags": null})), json!({}));
    sandbox.with(|state| state.switches.null_tags = NullTags::Refused);
    let reply = post(&sandbox, "/workspaces/wrkspc_prod", &json!({"tags": null}));
    assert_eq!(refused(reply).0, 400);
}

#[test]
fn the_geo_is_fixed_and_inference_geos_stay_consistent() {
    let us = json!({"allowed_inference_geos": ["us"], "default_inference_geo": "us"});
    let set = |sandbox: &_, value: &Value| {
        post(sandbox, "/workspaces/wrkspc_prod", &json!({"data_residency": value}))
    };
    let sandbox = acme();
    assert_eq!(refused(set(&sandbox, &json!({"workspace_geo": "us"}))).0, 400);
    assert_eq!(refused(set(&sandbox, &json!({"allowed_inference_geos": ["us"]}))).0, 400);
    let whole = ok(set(&sandbox, &us))["data_residency"].clone();
    assert_eq!(whole["allowed_inference_geos"], json!(["us"]));
    assert_eq!(whole["workspace_geo"], "us");
    let merged = ok(set(&sandbox, &json!({"allowed_inference_geos": ["global", "us"]})));
    assert_eq!(merged["data_residency"]["default_inference_geo"], "us");
    sandbox.with(|state| state.switches.partial_residency = PartialResidency::Resets);
    let reset = ok(set(&sandbox, &json!({"default_inference_geo": "us"})));
    assert_eq!(reset["data_residency"]["allowed_inference_geos"], "unrestricted");

    for (switch, allowed) in
        [(NullResidency::Ignored, json!(["us"])), (NullResidency::Resets, json!("unrestricted"))]
    {
        for null in
            [json!(null), json!({"allowed_inference_geos": null, "default_inference_geo": null})]
        {
            let sandbox = acme_with(|s| s.null_residency = switch);
            ok(set(&sandbox, &us));
            let after = ok(set(&sandbox, &null));
            assert_eq!(after["data_residency"]["allowed_inference_geos"], allowed);
        }
    }
    let strict = acme_with(|s| s.null_residency = NullResidency::Refused);
    assert_eq!(refused(set(&strict, &json!(null))).0, 400);
    assert_eq!(refused(set(&strict, &json!({"default_inference_geo": null}))).0, 400);
}

#[test]
fn names_repeat_or_not_and_have_a_longest() {
    let make = |sandbox: &_, name: &str| post(sandbox, "/workspaces", &json!({"name": name}));
    let free = acme();
    ok(make(&free, "Production"));
    ok(make(&free, &"é".repeat(255)));
    let active = acme_with(|s| s.workspace_names = WorkspaceNames::UniqueActive);
    assert_eq!(refused(make(&active, "Production")).0, 400);
    ok(make(&active, "Attic"));
    let rename = post(&active, "/workspaces/wrkspc_code", &json!({"name": "Production"}));
    assert_eq!(refused(rename).0, 400);
    ok(post(&active, "/workspaces/wrkspc_prod", &json!({"name": "Production"})));
    let unique = acme_with(|s| s.workspace_names = WorkspaceNames::Unique);
    assert_eq!(refused(make(&unique, "Attic")).0, 400);
    let older = acme_with(|s| s.workspace_name_limit = WorkspaceNameLimit::Older);
    assert_eq!(refused(make(&older, &"x".repeat(41))).0, 400);
    ok(make(&older, &"x".repeat(40)));
}

#[test]
fn the_default_workspace_is_neither_renamed_nor_archived() {
    let sandbox = acme();
    let change = |body: Value| post(&sandbox, "/workspaces/wrkspc_default", &body);
    assert_eq!(refused(change(json!({"name": "Main"}))).0, 400);
    ok(change(json!({"name": "Default", "display_color": "#777777", "tags": {"a": "b"}})));
    assert_eq!(refused(post_empty(&sandbox, "/workspaces/wrkspc_default/archive")).0, 400);
    assert_eq!(ok(get(&sandbox, "/workspaces/wrkspc_default"))["display_color"], "#777777");
}

#[test]
fn archiving_is_final_and_takes_the_keys_along() {
    let sandbox = acme();
    let archived = ok(post_empty(&sandbox, "/workspaces/wrkspc_prod/archive"));
    assert_eq!(archived["archived_at"], "2026-11-22T09:00:00Z");
    for key in ["ci", "off", "late"] {
        assert_eq!(ok(get(&sandbox, &format!("/api_keys/apikey_{key}")))["status"], "archived");
    }
    assert_eq!(ok(get(&sandbox, "/api_keys/apikey_bobs"))["status"], "active");
    sandbox.advance(std::time::Duration::from_secs(9));
    let again = ok(post_empty(&sandbox, "/workspaces/wrkspc_prod/archive"));
    assert_eq!(again["archived_at"], "2026-11-22T09:00:00Z");
    sandbox.with(|state| state.switches.archive_again = ArchiveAgain::Refused);
    assert_eq!(refused(post_empty(&sandbox, "/workspaces/wrkspc_prod/archive")).0, 400);
    assert_eq!(refused(post_empty(&sandbox, "/workspaces/wrkspc_nobody/archive")).0, 404);
    assert_eq!(refused(post(&sandbox, "/workspaces/wrkspc_code/archive", &json!({}))).0, 400);

    let lagging = acme_with(|s| s.archive_cascade = ArchiveCascade::Lags);
    ok(post_empty(&lagging, "/workspaces/wrkspc_prod/archive"));
    assert_eq!(ok(get(&lagging, "/api_keys/apikey_ci"))["status"], "active");
    lagging.advance(std::time::Duration::from_secs(5));
    assert_eq!(ok(get(&lagging, "/api_keys/apikey_ci"))["status"], "archived");
}

#[test]
fn an_archived_workspace_takes_no_writes_or_does() {
    let rename = json!({"name": "Loft"});
    let member = json!({"user_id": "user_bob", "workspace_role": "workspace_user"});
    let members = "/workspaces/wrkspc_attic/members";
    let refusing = acme();
    assert_eq!(refused(post(&refusing, "/workspaces/wrkspc_attic", &rename)).0, 400);
    assert_eq!(refused(post(&refusing, members, &member)).0, 400);
    let accepting = acme_with(|s| s.archived_writes = ArchivedWrites::Accepted);
    ok(post(&accepting, "/workspaces/wrkspc_attic", &rename));
    ok(post(&accepting, members, &member));
    ok(delete(&accepting, &format!("{members}/user_bob")));
}

#[test]
fn at_the_limit_a_create_needs_an_archive_first() {
    let make = |sandbox: &_| post(sandbox, "/workspaces", &json!({"name": "n"}));
    // Default, Production and Claude Code are active.
    let full = acme_changed(|state| state.limits.workspaces = 3);
    assert_eq!(refused(make(&full)), (400, None));
    ok(post_empty(&full, "/workspaces/wrkspc_prod/archive"));
    ok(make(&full));
    let one = acme_changed(|state| {
        state.limits.workspaces = 3;
        state.switches.cap_default = CapDefault::Free;
    });
    ok(make(&one));
    assert_eq!(refused(make(&one)).0, 400);
    let two = acme_changed(|state| {
        state.limits.workspaces = 3;
        state.switches.cap_default = CapDefault::Free;
        state.switches.cap_claude_code = CapClaudeCode::Free;
    });
    ok(make(&two));
    ok(make(&two));
    assert_eq!(refused(make(&two)).0, 400);
}

#[test]
fn keys_and_profiles_are_written_once() {
    let sandbox = acme_changed(|state| {
        *state = orgcharter::sandbox::State::from_yaml(
            "{now: 2026-11-22, external_keys: [ekey_1, ekey_2], user_profiles: {p1: null, p2: ekey_2},
              workspaces: [{name: A, id: wrkspc_a}, {name: D, id: wrkspc_d, default: true}]}",
        )
        .unwrap();
    });
    let set = |id: &str, body: Value| post(&sandbox, &format!("/workspaces/{id}"), &body);
    let failed = |code: &str| (400, code.to_owned());
    assert_eq!(
        coded(set("wrkspc_a", json!({"external_key_id": "ekey_9"}))),
        failed("external_key_validation_failed")
    );
    assert_eq!(
        coded(set("wrkspc_a", json!({"user_profile_id": "p9"}))),
        failed("user_profile_not_found")
    );
    assert_eq!(
        coded(set("wrkspc_a", json!({"user_profile_id": "p2"}))),
        failed("key_profile_mismatch")
    );
    ok(set("wrkspc_a", json!({"user_profile_id": "p2", "external_key_id": "ekey_2"})));
    ok(set("wrkspc_a", json!({"user_profile_id": "p2"})));
    assert_eq!(refused(set("wrkspc_a", json!({"user_profile_id": "p1"}))).0, 400);
    assert_eq!(refused(set("wrkspc_a", json!({"external_key_id": "ekey_1"}))).0, 400);
    assert_eq!(refused(set("wrkspc_d", json!({"user_profile_id": "p1"}))).0, 400);
    assert_eq!(coded(acme_reply()), failed("external_key_validation_failed"));
}

/// Without customer-managed keys none can be given.
fn acme_reply() -> (u16, Value) {
    post(&acme(), "/workspaces", &json!({"name": "n", "external_key_id": "ekey_1"}))
}

#[test]
fn a_workspace_policy_names_the_field() {
    let state = orgcharter::sandbox::State::from_yaml("requires_external_key: true").unwrap();
    let sandbox = orgcharter::sandbox::Sandbox::new(state);
    let (status, body) = post(&sandbox, "/workspaces", &json!({"name": "n"}));
    assert_eq!(status, 400);
    let details = json!({"error_code": "workspace_policy_violation", "field": "external_key_id"});
    assert_eq!(body["error"]["details"], details);
}
