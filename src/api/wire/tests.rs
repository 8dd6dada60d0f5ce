//! Shapes the API has used, and words it may come to use (`admin-api` notes on resources).

use serde_json::json;

use super::*;

#[expect(clippy::needless_pass_by_value, reason = "it takes what `json!` makes")]
fn decode<T: Wire>(object: Value) -> Result<T, String> {
    super::decode(object.to_string().as_bytes())
}

#[test]
fn unknown_fields_are_passed_over_and_unknown_words_are_kept() {
    let user = json!({"id": "user_1", "type": "user", "email": "Ada@Acme.com", "name": null,
        "role": "galactic_admin", "added_at": "2026-01-02T03:04:05.678Z", "shoe_size": {"eu": 42}});
    let user: User = decode(user).unwrap();
    assert_eq!(
        (user.email.as_str(), user.role.as_str(), user.name.as_str()),
        ("Ada@Acme.com", "galactic_admin", "")
    );
    assert_eq!(user.added_at.unwrap().to_string(), "2026-01-02T03:04:05.678Z");
}

#[test]
fn a_needed_field_that_is_missing_is_named() {
    let why = decode::<User>(json!({"id": "user_1", "role": "user"})).unwrap_err();
    assert_eq!(why, "missing field `email`");
}

#[test]
fn a_time_that_is_no_time_is_an_error_that_names_the_field() {
    let invite = json!({"id": "invite_1", "type": "invite", "email": "a@acme.com", "role": "user",
        "status": "pending", "expires_at": "tomorrow"});
    let why = decode::<Invite>(invite).unwrap_err();
    assert!(why.starts_with("expires_at: "), "{why}");
}

#[test]
fn an_invite_of_an_older_shape_has_no_groups() {
    let mut invite = json!({"id": "invite_1", "email": "a@acme.com", "role": "user", "status": "pending",
        "invited_at": "2026-11-01T00:00:00Z", "expires_at": "2026-11-22T00:00:00Z", "accepted_at": null});
    let older: Invite = decode(invite.clone()).unwrap();
    assert_eq!((older.rbac_group_ids.len(), older.accepted_at), (0, None));
    invite["rbac_group_ids"] = json!(["rbac_group_1"]);
    assert_eq!(decode::<Invite>(invite).unwrap().rbac_group_ids, ["rbac_group_1"]);
}

#[test]
fn allowed_geos_are_a_word_or_a_list() {
    for (geos, wanted) in [
        (json!("unrestricted"), Geos::Word("unrestricted".into())),
        (json!(["us", "mars"]), Geos::List(vec!["us".into(), "mars".into()])),
    ] {
        let workspace = json!({"id": "wrkspc_1", "name": "Production", "type": "workspace", "display_color": "#6c5bb9",
            "data_residency": {"workspace_geo": "us", "default_inference_geo": "us", "allowed_inference_geos": geos},
            "tags": {"env": "prod", "gone": null}, "archived_at": null, "created_at": "2026-11-01T00:00:00Z"});
        let workspace: Workspace = decode(workspace).unwrap();
        assert_eq!(workspace.data_residency.unwrap().allowed_inference_geos, Some(wanted));
        assert_eq!(
            workspace.tags.into_iter().collect::<Vec<_>>(),
            [("env".to_owned(), "prod".to_owned())]
        );
        assert_eq!(workspace.archived_at, None);
    }
}

#[test]
fn a_workspace_with_next_to_nothing_can_be_read() {
    let workspace: Workspace =
        decode(json!({"id": "wrkspc_1", "name": "Old", "tags": null, "data_residency": null}))
            .unwrap();
    assert_eq!((workspace.tags.len(), workspace.data_residency), (0, None));
}

fn key(extra: &Value) -> ApiKey {
    let mut key = json!({"id": "apikey_1", "type": "api_key", "name": "ci", "status": "active"});
    key.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    decode(key).unwrap()
}

#[test]
fn a_key_says_in_either_shape_what_it_reaches() {
    let workspace = |id: &str| Reach::Workspace(RemoteId::new(id));
    for (shape, wanted) in [
        (json!({"scope": {"type": "workspace", "workspace_id": "w1"}}), workspace("w1")),
        (json!({"scope": {"type": "organization"}, "workspace_id": null}), Reach::Organization),
        (
            json!({"scope": {"type": "workspace", "workspace_id": "w1"}, "workspace_id": "w2"}),
            workspace("w1"),
        ),
        (json!({"scope": null, "workspace_id": "w2"}), workspace("w2")),
        (json!({"workspace_id": null}), Reach::DefaultOrOrganization),
        (json!({}), Reach::DefaultOrOrganization),
        (json!({"scope": {"type": "galaxy"}, "workspace_id": "w2"}), Reach::Other("galaxy".into())),
        (json!({"scope": {"type": "workspace"}}), Reach::Other("workspace".into())),
    ] {
        assert_eq!(key(&shape).reach(), wanted, "{shape}");
    }
}

#[test]
fn an_actor_is_read_in_either_shape() {
    let id = RemoteId::new("x1");
    for (shape, wanted) in [
        (json!({"type": "user_actor", "user_id": "x1"}), Actor::User(id.clone())),
        (json!({"type": "user", "id": "x1"}), Actor::User(id.clone())),
        (
            json!({"type": "service_account_actor", "service_account_id": "x1"}),
            Actor::ServiceAccount(id.clone()),
        ),
        (json!({"type": "service_account", "id": "x1"}), Actor::ServiceAccount(id.clone())),
        (json!({"type": "robot", "id": "x1"}), Actor::Other("robot".into(), Some(id.clone()))),
        (json!({"type": "user"}), Actor::Other("user".into(), None)),
    ] {
        let key = key(&json!({"principal": shape, "created_by": shape}));
        assert_eq!(
            (key.principal.as_ref(), key.created_by.as_ref()),
            (Some(&wanted), Some(&wanted))
        );
    }
    assert_eq!(key(&json!({"principal": null, "created_by": null})).principal, None);
}

#[test]
fn an_object_without_a_type_is_taken_for_what_was_asked_for() {
    let me: Me = decode(json!({"id": "3f0c1b1e-0000-4000-8000-000000000000"})).unwrap();
    assert_eq!(me.name, "");
    assert!(decode::<Me>(json!({"id": "u1", "type": "user"})).is_err());
}

#[test]
fn words_in_an_error_about_a_field_cannot_steer_a_terminal() {
    let why = decode::<User>(json!({"type": "\u{1b}[2Juser"})).unwrap_err();
    assert_eq!(why, "type: wanted `user`, got `[2Juser`");
    let why = decode::<Me>(json!({"id": {"\u{1b}": 1}})).unwrap_err();
    assert!(!why.contains('\u{1b}'), "{why:?}");
}

#[test]
fn a_key_whose_scope_has_an_unknown_name_is_not_taken_for_one_of_a_workspace() {
    let key = json!({"id": "apikey_1", "name": "ci", "status": "active",
        "scope": {"type": "galaxy", "workspace_id": "wrkspc_1"}});
    assert_eq!(decode::<ApiKey>(key).unwrap().reach(), Reach::Other("galaxy".to_owned()));
}
