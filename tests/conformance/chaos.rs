//! Random requests and Console edits under random switches.
//!
//! Invariant: whatever comes, the sandbox answers with JSON and stays consistent with itself.

use std::collections::BTreeSet;

use bytes::Bytes;
use orgcharter::{
    api::transport::{Method, RawRequest},
    sandbox::{KeyStatus, Sandbox, State, Switches},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{ORG, SEED, get, json, ok, request};

fn word() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "user_ada",
        "user_bob",
        "user_cy",
        "user_dot",
        "invite_eve",
        "invite_old",
        "invite_bob",
        "invite_gone",
        "wrkspc_default",
        "wrkspc_prod",
        "wrkspc_code",
        "wrkspc_attic",
        "apikey_ci",
        "apikey_off",
        "apikey_late",
        "apikey_dead",
        "apikey_bobs",
        "wsmem_010000000000000000",
    ]);
    prop_oneof![8 => known.prop_map(str::to_owned), 1 => "\\PC{0,6}"]
}

fn path() -> impl Strategy<Value = String> {
    let id = || word().prop_map(|id| id.replace(['/', '?', '#'], "%2F"));
    prop_oneof![
        Just("/me".to_owned()),
        Just("/users".to_owned()),
        Just("/invites".to_owned()),
        Just("/workspaces".to_owned()),
        Just("/api_keys".to_owned()),
        id().prop_map(|id| format!("/users/{id}")),
        id().prop_map(|id| format!("/invites/{id}")),
        id().prop_map(|id| format!("/workspaces/{id}")),
        id().prop_map(|id| format!("/workspaces/{id}/archive")),
        id().prop_map(|id| format!("/workspaces/{id}/members")),
        (id(), id()).prop_map(|(one, two)| format!("/workspaces/{one}/members/{two}")),
        id().prop_map(|id| format!("/api_keys/{id}")),
        "\\PC{0,12}",
    ]
}

fn query() -> impl Strategy<Value = String> {
    let pair = prop_oneof![
        (1_u32..5).prop_map(|limit| format!("limit={limit}")),
        word().prop_map(|id| format!("after_id={id}")),
        word().prop_map(|id| format!("before_id={id}")),
        Just("include_archived=true".to_owned()),
        Just("include_default=true".to_owned()),
        Just("statuses[]=pending".to_owned()),
        Just("status=active".to_owned()),
        Just("roles[]=user".to_owned()),
        Just("email=bob@acme.com".to_owned()),
        "\\PC{0,8}",
    ];
    prop::collection::vec(pair, 0..3).prop_map(|pairs| format!("?{}", pairs.join("&")))
}

fn body() -> impl Strategy<Value = Option<Value>> {
    let role = prop::sample::select(vec![
        "user",
        "developer",
        "billing",
        "admin",
        "workspace_user",
        "workspace_admin",
        "workspace_billing",
    ]);
    let email =
        prop::sample::select(vec!["eve@acme.com", "n@acme.com", "BOB@acme.com", "Ñ@acme.com"]);
    let some = prop_oneof![
        role.clone().prop_map(|role| json!({"role": role})),
        role.clone().prop_map(|role| json!({"workspace_role": role})),
        (word(), role.clone())
            .prop_map(|(id, role)| json!({"user_id": id, "workspace_role": role})),
        (email, role).prop_map(|(email, role)| json!({"email": email, "role": role})),
        "\\PC{0,4}".prop_map(|name| json!({"name": name})),
        Just(json!({"name": "Attic", "tags": {"a": null}, "display_color": "#abcdef"})),
        Just(
            json!({"tags": null, "data_residency": {"allowed_inference_geos": ["us"], "default_inference_geo": null}})
        ),
        Just(json!({"status": "active"})),
        Just(json!({"status": "archived", "name": null})),
        Just(json!([])),
    ];
    prop::option::weighted(0.6, some)
}

/// A call that may well succeed.
fn sensible() -> impl Strategy<Value = RawRequest> {
    let role = |roles: &[&'static str]| prop::sample::select(roles.to_vec());
    let user = role(&["user_ada", "user_bob", "user_cy", "user_dot"]);
    let workspace = role(&["wrkspc_default", "wrkspc_prod", "wrkspc_code", "wrkspc_attic"]);
    let key = role(&["apikey_ci", "apikey_off", "apikey_late", "apikey_dead", "apikey_bobs"]);
    let email = role(&["n@acme.com", "N.o+1@acme.com", "bob@acme.com", "old@acme.com"]);
    let member = role(&["workspace_user", "workspace_developer", "workspace_admin"]);
    let people = role(&["user", "developer", "billing", "claude_code_user"]);
    let post =
        |path: String, body: Value| request(Method::Post, &format!("{ORG}{path}"), Some(&body));
    let delete = |path: String| request(Method::Delete, &format!("{ORG}{path}"), None);
    prop_oneof![
        (user.clone(), people.clone())
            .prop_map(move |(user, role)| post(format!("/users/{user}"), json!({"role": role}))),
        user.clone().prop_map(move |user| delete(format!("/users/{user}"))),
        (email, people).prop_map(move |(to, role)| post(
            "/invites".into(),
            json!({"email": to, "role": role})
        )),
        Just(delete("/invites/invite_eve".into())),
        (workspace.clone(), user.clone(), member.clone()).prop_map(move |(place, user, role)| {
            let body = json!({"user_id": user, "workspace_role": role});
            post(format!("/workspaces/{place}/members"), body)
        }),
        (workspace.clone(), user.clone(), member).prop_map(move |(place, user, role)| {
            post(format!("/workspaces/{place}/members/{user}"), json!({"workspace_role": role}))
        }),
        (workspace.clone(), user)
            .prop_map(move |(place, user)| delete(format!("/workspaces/{place}/members/{user}"))),
        (key, role(&["active", "inactive", "archived"]))
            .prop_map(move |(key, to)| post(format!("/api_keys/{key}"), json!({"status": to}))),
        (workspace.clone(), role(&["Default", "Attic", "New"]), role(&["a", "b"])).prop_map(
            move |(place, name, tag)| {
                post(format!("/workspaces/{place}"), json!({"name": name, "tags": {tag: "1"}}))
            }
        ),
        Just(post("/workspaces".into(), json!({"name": "New"}))),
        workspace.prop_map(|place| {
            request(Method::Post, &format!("{ORG}/workspaces/{place}/archive"), None)
        }),
    ]
}

fn any_request() -> impl Strategy<Value = RawRequest> {
    let method =
        prop::sample::select(vec![Method::Get, Method::Post, Method::Post, Method::Delete]);
    let wild = (method, path(), query(), body()).prop_map(|(method, path, query, body)| {
        request(method, &format!("{ORG}{path}{query}"), body.as_ref())
    });
    prop_oneof![1 => wild, 2 => sensible()]
}

/// What must hold whatever happened.
fn check(state: &State) {
    let now = state.now();
    let users: BTreeSet<&str> = state.users().map(|user| user.id.as_str()).collect();
    let workspaces: BTreeSet<&str> = state.workspaces().map(|row| row.id.as_str()).collect();
    assert_eq!(users.len(), state.users().count());
    assert!(!users.is_empty() && users.contains("user_ada"));
    for grant in state.grants() {
        assert!(users.contains(grant.user_id.as_str()), "{grant:?}");
        assert!(workspaces.contains(grant.workspace_id.as_str()), "{grant:?}");
    }
    assert!(state.workspaces().any(|row| row.is_default && row.archived_at.is_none()));
    assert!(state.workspaces().any(|row| row.id == "wrkspc_attic" && row.archived_at.is_some()));
    for key in state.api_keys() {
        let gone = key
            .principal
            .as_deref()
            .is_some_and(|id| id.starts_with("user_") && !users.contains(id));
        assert!(!gone || key.status_at(now) == KeyStatus::Archived, "{key:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn random_requests_are_answered_and_leave_a_sound_organization(
        choices in prop::collection::vec(any::<u8>(), Switches::AXES.len()),
        requests in prop::collection::vec(any_request(), 1..40),
    ) {
        let mut state = State::from_yaml(SEED).unwrap();
        state.switches = Switches::from_choices(&choices);
        let sandbox = Sandbox::new(state);
        for asked in &requests {
            let before = sandbox.state().to_yaml().unwrap();
            let reply = sandbox.exchange(asked).response;
            let body = json(&reply);
            let after = sandbox.state().to_yaml().unwrap();
            match reply.status {
                200 => prop_assert!(body.is_object()),
                status => {
                    prop_assert!((400..500).contains(&status), "{} {}", status, body);
                    prop_assert_eq!(&body["type"], "error");
                }
            }
            if asked.method == Method::Get || reply.status != 200 {
                prop_assert_eq!(before, after, "{:?} {}", asked, reply.status);
            }
        }
        sandbox.with(|state| check(state));
        prop_assert_eq!(sandbox.log().len(), requests.len());
        let dump = sandbox.state().to_yaml().unwrap();
        prop_assert_eq!(State::from_yaml(&dump).unwrap().to_yaml().unwrap(), dump);
    }

    #[test]
    fn random_bytes_are_answered_too(
        target in "\\PC{0,40}",
        body in prop::collection::vec(any::<u8>(), 0..60),
        headers in prop::collection::vec(("[a-z-]{1,12}", "\\PC{0,12}"), 0..4),
    ) {
        let sandbox = Sandbox::new(State::from_yaml(SEED).unwrap());
        let body = Some(Bytes::from(body));
        let asked = RawRequest { method: Method::Post, target, headers, body };
        let status = sandbox.exchange(&asked).response.status;
        prop_assert!((400..500).contains(&status));
    }

    #[test]
    fn mutated_seed_files_are_refused_or_read(at in 0..SEED.len(), with in any::<char>()) {
        let mut text = SEED.to_owned();
        if text.is_char_boundary(at) {
            text.insert(at, with);
        }
        if let Err(error) = State::from_yaml(&text) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn a_list_that_moves_while_it_is_read_shows_what_stayed_once(
        moves in prop::collection::vec((any::<bool>(), 0_usize..200), 0..30),
        limit in 1_usize..7,
    ) {
        let mut state = State::from_yaml(SEED).unwrap();
        let mut ids: Vec<String> =
            (0..20).map(|n| state.add_user(&format!("p{n}@acme.com"), "user")).collect();
        let sandbox = Sandbox::new(state);
        let (mut moves, mut seen, mut after) = (moves.into_iter(), Vec::new(), String::new());
        loop {
            let page = ok(get(&sandbox, &format!("/users?limit={limit}{after}")));
            let rows = page["data"].as_array().unwrap();
            seen.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
            if page["has_more"] == false {
                break;
            }
            after = format!("&after_id={}", page["last_id"].as_str().unwrap());
            if let Some((add, which)) = moves.next() {
                sandbox.with(|state| {
                    if add {
                        state.add_user(&format!("late{which}@acme.com"), "user");
                    } else if !ids.is_empty() {
                        state.remove_user(&ids.remove(which % ids.len()));
                    }
                });
            }
        }
        let distinct: BTreeSet<&String> = seen.iter().collect();
        prop_assert_eq!(distinct.len(), seen.len());
        for id in &ids {
            prop_assert!(distinct.contains(id), "{} stayed and was not shown", id);
        }
    }
}
