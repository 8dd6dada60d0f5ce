//! The contract of the API against charter's requests, the sandbox's answers, and changed copies of itself.
//!
//! Invariant: every operation that charter uses is exercised here with every answer and refusal of the sandbox that a
//! request can bring about, so a change of the contract meets something that it changes.

// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

#[path = "common/contract.rs"]
mod contract;

use std::collections::BTreeSet;

use bytes::Bytes;
use contract::{BREAKS, Contract};
use orgcharter::{
    api::transport::{Method, RawRequest, RawResponse},
    sandbox::{Organization, OrganizationKind, Sandbox, State, Switches},
};
use serde_json::{Value, json};

/// People of every role, invites and keys of every status, workspaces of every sort.
const SEED: &str = r"
organization: {name: Acme}
now: 2026-11-22T09:00:00Z
limits: {workspaces: 6, seats: 12, workspace_members: 2, organization_api_keys: 2}
users:
  - {email: ada@acme.com, role: admin, id: user_ada}
  - {email: bob@acme.com, role: developer, id: user_bob}
  - {email: cy@acme.com, role: user, id: user_cy}
  - {email: dot@acme.com, role: billing, id: user_dot}
  - {email: eli@acme.com, role: claude_code_user, id: user_eli}
invites:
  - {email: eve@acme.com, role: user, id: invite_eve}
  - {email: fay@acme.com, role: developer, id: invite_fay}
  - {email: old@acme.com, role: user, id: invite_old, status: expired}
  - {email: bob@acme.com, role: user, id: invite_bob, status: accepted}
workspaces:
  - {name: Default, id: wrkspc_default, default: true}
  - {name: Production, id: wrkspc_prod, tags: {env: prod}, members: {bob@acme.com: workspace_developer}}
  - {name: Attic, id: wrkspc_attic, archived_at: 2026-02-01}
api_keys:
  - {name: ci, id: apikey_ci, workspace: Production, created_by: bob@acme.com, principal: bob@acme.com}
  - {name: off, id: apikey_off, workspace: Production, status: inactive}
  - {name: late, id: apikey_late, workspace: Production, status: expired}
  - {name: wide, id: apikey_wide, scope: organization, created_by: bob@acme.com, principal: bob@acme.com}
  - {name: robot, id: apikey_robot, workspace: Default, created_by: svac_robot, principal: svac_robot}
";

const ORG: &str = "/v1/organizations";

fn asked(method: &str, path: &str, body: Option<&Value>) -> RawRequest {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut headers = vec![
        header("x-api-key", "sk-ant-admin01-test"),
        header("anthropic-version", "2026-10-21"),
        header("content-type", "application/json"),
    ];
    if path.ends_with("/sign_out") {
        headers.push(header("anthropic-beta", "admin-user-sign-out-2026-10-08"));
    }
    let body = body.map(|body| Bytes::from(body.to_string()));
    RawRequest { method: contract::method(method), target: format!("{ORG}{path}"), headers, body }
}

/// Requests as charter and its users send them, good ones and bad ones, in an order in which each has its effect.
fn requests() -> Vec<RawRequest> {
    let mut out: Vec<RawRequest> = [
        "/me",
        "/users?limit=2",
        "/users?limit=1000&roles[]=user&roles[]=admin&email=bob%40acme.com",
        "/users/user_bob",
        "/users/user_nobody",
        "/invites?limit=1000&statuses[]=pending",
        "/invites/invite_eve",
        "/invites/invite_nobody",
        "/workspaces?limit=1000&include_archived=true&include_default=true",
        "/workspaces?ids[]=wrkspc_prod",
        "/workspaces/wrkspc_attic",
        "/workspaces/wrkspc_nowhere",
        "/workspaces/wrkspc_prod/members?limit=1000",
        "/workspaces/wrkspc_default/members",
        "/workspaces/wrkspc_prod/members/user_bob",
        "/workspaces/wrkspc_prod/members/user_ada",
        "/api_keys?limit=1000&status=active&workspace_id=wrkspc_prod",
        "/api_keys",
        "/api_keys/apikey_wide",
        "/api_keys/apikey_nobody",
        // Refused.
        "/users?limit=1001",
        "/users?after_id=user_nobody",
        "/users?roles[]=chief",
        "/users?unknown=1",
        "/rate_limits",
        "/users/wrkspc_prod",
    ]
    .iter()
    .map(|path| asked("GET", path, None))
    .collect();
    let invite = |email: &str, role: &str| json!({"email": email, "role": role});
    let member = |user: &str, role: &str| json!({"user_id": user, "workspace_role": role});
    let geos = json!({"allowed_inference_geos": ["us"], "default_inference_geo": "us"});
    let posts = [
        ("/users/user_cy", json!({"role": "developer"})),
        ("/users/user_ada", json!({"role": "user"})),
        ("/users/user_cy", json!({"role": "admin"})),
        ("/users/user_cy", json!({"role": "user", "name": "x"})),
        ("/invites", invite("new@acme.com", "user")),
        ("/invites", invite("new@acme.com", "user")),
        ("/invites", invite("bob@acme.com", "user")),
        ("/invites", invite("no-address", "user")),
        (
            "/invites",
            json!({"email": "g@acme.com", "role": "user", "rbac_group_ids": ["rbac_group_1"]}),
        ),
        (
            "/workspaces",
            json!({"name": "Lab", "display_color": "#00ff00", "tags": {"a": "b"}, "data_residency": geos}),
        ),
        ("/workspaces", json!({"name": "Lab"})),
        ("/workspaces", json!({"name": "x".repeat(41)})),
        ("/workspaces", json!({"name": ""})),
        ("/workspaces", json!({"name": "One", "external_key_id": "ekey_none"})),
        ("/workspaces", json!({"name": "Two"})),
        ("/workspaces", json!({"name": "Three"})),
        ("/workspaces", json!({"name": "Four"})),
        ("/workspaces/wrkspc_prod", json!({"name": "Prod", "tags": {"env": null, "team": "core"}})),
        ("/workspaces/wrkspc_prod", json!({"tags": null, "data_residency": null})),
        ("/workspaces/wrkspc_prod", json!({"data_residency": {"default_inference_geo": "us"}})),
        ("/workspaces/wrkspc_attic", json!({"name": "Cellar"})),
        ("/workspaces/wrkspc_default", json!({"name": "Mine"})),
        ("/workspaces/wrkspc_prod/members", member("user_cy", "workspace_user")),
        ("/workspaces/wrkspc_prod/members", member("user_cy", "workspace_admin")),
        ("/workspaces/wrkspc_prod/members", member("user_eli", "workspace_user")),
        ("/workspaces/wrkspc_prod/members", member("user_ada", "workspace_user")),
        ("/workspaces/wrkspc_prod/members", member("user_nobody", "workspace_user")),
        ("/workspaces/wrkspc_prod/members", member("user_eli", "workspace_billing")),
        ("/workspaces/wrkspc_attic/members", member("user_cy", "workspace_user")),
        ("/workspaces/wrkspc_prod/members/user_bob", json!({"workspace_role": "workspace_admin"})),
        ("/workspaces/wrkspc_prod/members/user_eli", json!({"workspace_role": "workspace_user"})),
        ("/workspaces/wrkspc_prod/members/user_dot", json!({"workspace_role": "workspace_user"})),
        ("/api_keys/apikey_ci", json!({"status": "inactive", "name": "ci-2"})),
        ("/api_keys/apikey_ci", json!({"status": null})),
        ("/api_keys/apikey_late", json!({"status": "active"})),
        ("/api_keys/apikey_off", json!({"status": "active"})),
        ("/api_keys/apikey_off", json!({"status": "expired"})),
    ];
    out.extend(posts.iter().map(|(path, body)| asked("POST", path, Some(body))));
    for (method, path) in [
        ("POST", "/users/user_cy/sign_out"),
        ("GET", "/workspaces/wrkspc_prod/members/user_dot"),
        ("DELETE", "/workspaces/wrkspc_prod/members/user_cy"),
        ("DELETE", "/workspaces/wrkspc_prod/members/user_cy"),
        ("DELETE", "/workspaces/wrkspc_prod/members/user_ada"),
        ("POST", "/workspaces/wrkspc_prod/archive"),
        ("POST", "/workspaces/wrkspc_prod/archive"),
        ("POST", "/workspaces/wrkspc_default/archive"),
        ("GET", "/api_keys/apikey_ci"),
        ("DELETE", "/invites/invite_fay"),
        ("DELETE", "/invites/invite_old"),
        ("GET", "/invites/invite_fay"),
        ("GET", "/invites"),
        ("DELETE", "/users/user_ada"),
        ("DELETE", "/users/user_cy"),
        ("DELETE", "/users/user_cy"),
        ("DELETE", "/api_keys/apikey_ci"),
        ("DELETE", "/nowhere"),
    ] {
        out.push(asked(method, path, None));
    }
    // Wrong from the outset.
    let me = asked("GET", "/me", None);
    for (name, value) in [
        ("x-api-key", None),
        ("x-api-key", Some("sk-ant-api03-narrow")),
        ("anthropic-version", None),
        ("anthropic-version", Some("2020-01-01")),
    ] {
        let mut wrong = me.clone();
        wrong.headers.retain(|(known, _)| known != name);
        wrong.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        out.push(wrong);
    }
    let mut large = asked("POST", "/invites", None);
    large.body = Some(Bytes::from(vec![b' '; 2_000_000]));
    let mut broken = asked("POST", "/invites", None);
    broken.body = Some(Bytes::from_static(b"{"));
    out.extend([large, broken, asked("POST", "/users/user_bob", None), me]);
    out
}

/// What the sandbox answers, of each kind of organization.
fn answers(switches: Switches) -> Vec<(RawRequest, RawResponse)> {
    let kinds = [OrganizationKind::Console, OrganizationKind::Enterprise, OrganizationKind::Aws];
    let mut out = Vec::new();
    let mut alone = State::empty(Organization::default());
    alone.switches = switches;
    let last = format!("/users/{}", alone.add_user("last@acme.com", "user"));
    let request = asked("DELETE", &last, None);
    let response = Sandbox::new(alone).exchange(&request).response;
    out.push((request, response));
    for kind in kinds {
        let mut state = if kind == OrganizationKind::Console {
            State::from_yaml(SEED).unwrap()
        } else {
            let mut state = State::empty(Organization { kind, ..Organization::default() });
            for role in ["owner", "primary_owner", "membership_admin", "managed", "user"] {
                state.add_user(&format!("{role}@acme.com"), role);
            }
            state.limits.email_domains = Some(vec!["acme.com".to_owned()]);
            state
        };
        state.switches = switches;
        let mut asked_of_all = requests();
        for user in state.users() {
            asked_of_all.push(asked("POST", &format!("/users/{}/sign_out", user.id), None));
            asked_of_all.push(asked("DELETE", &format!("/users/{}", user.id), None));
        }
        let elsewhere = json!({"email": "x@other.io", "role": "user"});
        asked_of_all.push(asked("POST", "/invites", Some(&elsewhere)));
        let sandbox = Sandbox::new(state);
        out.extend(asked_of_all.into_iter().map(|request| {
            let response = sandbox.exchange(&request).response;
            (request, response)
        }));
    }
    out
}

fn wrong(contract: &Contract, answers: &[(RawRequest, RawResponse)]) -> Vec<String> {
    let told = answers.iter().flat_map(|(request, response)| {
        let found = contract.answer(request, response);
        found.into_iter().map(move |found| {
            let body = String::from_utf8_lossy(&response.body);
            format!("{} {}: {found}: {} {body}", request.method, request.target, response.status)
        })
    });
    told.collect()
}

#[test]
fn every_answer_of_the_sandbox_at_its_default_switches_is_valid() {
    let answers = answers(Switches::default());
    assert_eq!(wrong(Contract::get(), &answers), [""; 0]);
    // Each operation answers, and each code that the sandbox knows was seen.
    let contract = Contract::get();
    let well = answers.iter().filter(|(_, response)| response.status == 200);
    let well: BTreeSet<String> =
        well.filter_map(|(request, _)| Some(contract.operation(request)?.name())).collect();
    let all = contract.operations.iter().filter(|operation| !operation.path.contains('?'));
    let all: BTreeSet<String> = all.map(contract::Operation::name).collect();
    assert_eq!(well, all);
    let codes: BTreeSet<String> = answers
        .iter()
        .filter_map(|(_, response)| {
            let body: Value = serde_json::from_slice(&response.body).ok()?;
            body.pointer("/error/details/error_code")?.as_str().map(str::to_owned)
        })
        .collect();
    for code in [
        "already_member",
        "invite_already_exists",
        "email_domain_not_allowed",
        "cannot_remove_last_member",
        "workspace_member_limit_exceeded",
        "org_api_key_limit_exceeded",
        "external_key_validation_failed",
        "organization_not_enrolled_in_beta",
        "cannot_sign_out_owner",
    ] {
        assert!(codes.contains(code), "{code} was not seen: {codes:?}");
    }
}

#[test]
fn each_switch_that_breaks_the_contract_is_listed_with_its_reason_and_no_other_breaks_it() {
    let mut breaking = BTreeSet::new();
    let told = |(request, response): &(RawRequest, RawResponse)| {
        (request.method.as_str(), request.target.clone(), response.status, response.body.clone())
    };
    // Most answers are those of the default, which another test judges.
    let judged: BTreeSet<_> = answers(Switches::default()).iter().map(told).collect();
    for switches in Switches::all_variants() {
        let mut answers = answers(switches);
        answers.retain(|answer| !judged.contains(&told(answer)));
        if !wrong(Contract::get(), &answers).is_empty() {
            for (name, position) in switches.differences() {
                breaking.insert((name, position.as_str().unwrap().to_owned()));
            }
        }
    }
    let listed: BTreeSet<_> =
        BREAKS.iter().map(|(name, position, _)| (*name, (*position).to_owned())).collect();
    assert_eq!(breaking, listed);
    let page = include_str!("../docs/sandbox.md");
    let section = page.split("## Switches that break the contract").nth(1).unwrap();
    for (name, position, _) in BREAKS {
        assert!(section.contains(&format!("`{name}: {position}`")), "{name}");
    }
}

/// A copy of the contract, changed at a place.
fn changed(pointer: &str, change: impl FnOnce(&mut Value)) -> Contract {
    let mut document: Value = serde_json::from_str(contract::TEXT).unwrap();
    let place = document.pointer_mut(pointer);
    change(place.unwrap_or_else(|| panic!("the contract has no {pointer}")));
    Contract::read(&document)
}

/// The requests that charter could send as they stand.
fn good() -> Vec<RawRequest> {
    let mut out = requests();
    out.retain(|request| Contract::get().request(request).is_empty());
    out
}

#[test]
fn a_changed_field_is_found() {
    let users = "/components/schemas";
    let body = changed(&format!("{users}/UpdateUserParams/properties"), |fields| {
        let role = fields.as_object_mut().unwrap().remove("role").unwrap();
        fields["organization_role"] = role;
    });
    assert!(good().iter().any(|request| !body.request(request).is_empty()));
    let answer = changed(&format!("{users}/User/required"), |required| {
        required.as_array_mut().unwrap().push(json!("last_seen_at"));
    });
    assert!(!wrong(&answer, &answers(Switches::default())).is_empty());
}

#[test]
fn a_changed_bound_is_found() {
    let operation = "/paths/~1v1~1organizations~1users/get/parameters";
    let lower = changed(operation, |parameters| {
        let limit = parameters.as_array_mut().unwrap().iter_mut();
        limit.filter(|limit| limit["name"] == "limit").for_each(|limit| {
            limit["schema"]["maximum"] = json!(999);
        });
    });
    assert!(good().iter().any(|request| !lower.request(request).is_empty()));
    let roles = changed("/components/schemas/OrganizationRoleSchema/enum", |roles| {
        roles.as_array_mut().unwrap().retain(|role| role != "developer");
    });
    assert!(!wrong(&roles, &answers(Switches::default())).is_empty());
}

#[test]
fn a_changed_header_is_found() {
    let operation = "/paths/~1v1~1organizations~1me/get/parameters/0/name";
    let renamed = changed(operation, |name| {
        assert_eq!(*name, "anthropic-version");
        *name = json!("anthropic-api-version");
    });
    assert!(good().iter().any(|request| !renamed.request(request).is_empty()));
    let beta = changed("/paths/~1v1~1organizations~1invites/post", |operation| {
        operation["x-beta"] = json!({"value": "admin-invites-2027-01-01", "required": true});
    });
    assert!(good().iter().any(|request| !beta.request(request).is_empty()));
}

#[test]
fn a_changed_code_or_status_is_found() {
    let operation = "/paths/~1v1~1organizations~1invites/post";
    let code = changed(&format!("{operation}/x-codes/400"), |codes| {
        codes.as_array_mut().unwrap().retain(|code| code != "already_member");
    });
    assert!(!wrong(&code, &answers(Switches::default())).is_empty());
    let status = changed("/paths/~1v1~1organizations~1users~1{user_id}/get/x-statuses", |all| {
        all.as_array_mut().unwrap().retain(|status| status != "404");
    });
    assert!(!wrong(&status, &answers(Switches::default())).is_empty());
    let constant = "/components/schemas/AlreadyMemberErrorDetails/properties/error_code/const";
    let schema = changed(constant, |code| *code = json!("member_already"));
    assert!(!wrong(&schema, &answers(Switches::default())).is_empty());
}

#[test]
fn what_charter_sends_is_judged_and_a_finding_stops_a_test() {
    let sandbox = Sandbox::new(State::from_yaml(SEED).unwrap());
    contract::watch();
    let mut request = asked("GET", "/users?limit=2000", None);
    sandbox.exchange(&request);
    request.headers.push(("user-agent".to_owned(), "orgcharter/1".to_owned()));
    let judged = std::panic::catch_unwind(|| sandbox.exchange(&request));
    assert!(judged.is_err());
    assert!(std::panic::catch_unwind(contract::clean).is_err());
    let unknown = asked("GET", "/rate_limits", None);
    assert!(!Contract::get().request(&unknown).is_empty());
    assert_eq!(request.method, Method::Get);
}
