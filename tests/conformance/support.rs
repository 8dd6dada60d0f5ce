//! A client for the conformance tests that knows nothing but HTTP.
//!
//! Invariant: it sends exactly what a test says, so that a test can also send what is wrong.

use bytes::Bytes;
use orgcharter::{
    api::transport::{Method, RawRequest, RawResponse},
    sandbox::{Organization, Sandbox, State, Switches},
};
use serde_json::Value;

pub(crate) const ORG: &str = "/v1/organizations";

/// A seed with people of every role, workspaces of every sort and keys of every status.
pub(crate) const SEED: &str = r"
organization: {name: Acme}
now: 2026-11-22T09:00:00Z
users:
  - {email: ada@acme.com, role: admin, id: user_ada, added_at: 2026-01-01}
  - {email: bob@acme.com, role: developer, id: user_bob, added_at: 2026-01-02}
  - {email: Cy.Two+x@acme.com, role: user, id: user_cy, added_at: 2026-01-03}
  - {email: dot@acme.com, role: billing, id: user_dot, added_at: 2026-01-04}
invites:
  - {email: eve@acme.com, role: user, id: invite_eve}
  - {email: old@acme.com, role: user, id: invite_old, status: expired}
  - {email: bob@acme.com, role: user, id: invite_bob, status: accepted}
  - {email: gone@acme.com, role: user, id: invite_gone, status: deleted}
workspaces:
  - {name: Default, id: wrkspc_default, default: true, created_at: 2026-01-01}
  - {name: Production, id: wrkspc_prod, created_at: 2026-01-02, tags: {env: prod, team: core}, members: {bob@acme.com: workspace_developer}}
  - {name: Claude Code, id: wrkspc_code, created_at: 2026-01-03}
  - {name: Attic, id: wrkspc_attic, created_at: 2026-01-04, archived_at: 2026-02-01}
api_keys:
  - {name: ci, id: apikey_ci, workspace: Production, created_by: bob@acme.com, created_at: 2026-01-01}
  - {name: off, id: apikey_off, workspace: Production, status: inactive, created_at: 2026-01-02}
  - {name: late, id: apikey_late, workspace: Production, status: expired, created_at: 2026-01-03}
  - {name: dead, id: apikey_dead, workspace: Attic, created_at: 2026-01-04}
  - {name: bobs, id: apikey_bobs, scope: organization, created_by: bob@acme.com, principal: bob@acme.com, created_at: 2026-01-05}
  - {name: robot, id: apikey_robot, workspace: Default, created_by: svac_robot, principal: svac_robot, created_at: 2026-01-06}
";

/// The organization of [`SEED`].
pub(crate) fn acme() -> Sandbox {
    Sandbox::new(State::from_yaml(SEED).unwrap())
}

/// The same with other switches.
pub(crate) fn acme_with(set: impl FnOnce(&mut Switches)) -> Sandbox {
    let mut state = State::from_yaml(SEED).unwrap();
    set(&mut state.switches);
    Sandbox::new(state)
}

/// The same, changed.
pub(crate) fn acme_changed(change: impl FnOnce(&mut State)) -> Sandbox {
    let mut state = State::from_yaml(SEED).unwrap();
    change(&mut state);
    Sandbox::new(state)
}

/// An organization without people.
pub(crate) fn empty() -> State {
    State::empty(Organization::default())
}

pub(crate) fn request(method: Method, target: &str, body: Option<&Value>) -> RawRequest {
    crate::contract::watch();
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut headers =
        vec![header("x-api-key", "sk-ant-admin01-test"), header("anthropic-version", "2026-10-21")];
    if body.is_some() {
        headers.push(header("content-type", "application/json"));
    }
    let body = body.map(|body| Bytes::from(body.to_string()));
    RawRequest { method, target: target.to_owned(), headers, body }
}

pub(crate) fn json(response: &RawResponse) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

/// Sends it and gives status and body.
pub(crate) fn send(sandbox: &Sandbox, request: &RawRequest) -> (u16, Value) {
    let response = sandbox.exchange(request).response;
    (response.status, json(&response))
}

pub(crate) fn get(sandbox: &Sandbox, path: &str) -> (u16, Value) {
    send(sandbox, &request(Method::Get, &format!("{ORG}{path}"), None))
}

pub(crate) fn post(sandbox: &Sandbox, path: &str, body: &Value) -> (u16, Value) {
    send(sandbox, &request(Method::Post, &format!("{ORG}{path}"), Some(body)))
}

pub(crate) fn post_empty(sandbox: &Sandbox, path: &str) -> (u16, Value) {
    send(sandbox, &request(Method::Post, &format!("{ORG}{path}"), None))
}

pub(crate) fn delete(sandbox: &Sandbox, path: &str) -> (u16, Value) {
    send(sandbox, &request(Method::Delete, &format!("{ORG}{path}"), None))
}

/// The body of a call that must succeed.
#[track_caller]
pub(crate) fn ok((status, body): (u16, Value)) -> Value {
    assert_eq!(status, 200, "{body}");
    body
}

/// The status and `error_code` of a call that must be refused; the envelope is checked too.
#[track_caller]
pub(crate) fn refused((status, body): (u16, Value)) -> (u16, Option<String>) {
    assert!(status >= 400, "{status} {body}");
    assert_eq!(body["type"], "error");
    assert!(body["error"]["message"].is_string());
    assert!(body["request_id"].as_str().unwrap().starts_with("req_"));
    let kind = body["error"]["type"].as_str().unwrap();
    let wanted = match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        500 | 501 => "api_error",
        503 | 529 => "overloaded_error",
        504 => "timeout_error",
        _ => "invalid_request_error",
    };
    assert_eq!(kind, wanted, "{body}");
    let code = body["error"]["details"]["error_code"].as_str().map(str::to_owned);
    (status, code)
}

/// `refused` with a code.
#[track_caller]
pub(crate) fn coded(reply: (u16, Value)) -> (u16, String) {
    let (status, code) = refused(reply);
    (status, code.unwrap_or_else(|| "no code".to_owned()))
}

/// The ids of a page.
pub(crate) fn ids(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect()
}
