//! Credentials, versions, paths, bodies, kinds of organization, rate limits and the request log.
//!
//! Invariant: what is refused here has changed nothing.

use std::time::Duration;

use bytes::Bytes;
use orgcharter::{
    api::transport::{Method, RawRequest},
    sandbox::{
        CredentialKind, Fault, Organization, OrganizationKind, Rule, Sandbox, State, TypedError,
        switches::{
            ExchangeAccount, MeElsewhere, MissingEndpoint, RateLimitHeaders, SignOutBeta,
            UnknownParameters, WrongPrefix,
        },
    },
};
use serde_json::{Value, json};

use crate::support::{
    ORG, acme, acme_changed, acme_with, coded, delete, get, json, ok, post, refused, request, send,
};

fn asking(header: &str, value: &str) -> RawRequest {
    let mut asked = request(Method::Get, &format!("{ORG}/users"), None);
    asked.headers[0] = (header.to_owned(), value.to_owned());
    asked
}

#[test]
fn every_reply_has_the_headers_of_the_api() {
    let sandbox = acme();
    for target in ["/users", "/nothing"] {
        let reply =
            sandbox.exchange(&request(Method::Get, &format!("{ORG}{target}"), None)).response;
        assert_eq!(reply.header("date"), Some("Sun, 22 Nov 2026 09:00:00 GMT"));
        assert!(reply.header("request-id").unwrap().starts_with("req_"));
        let id = sandbox.with(|state| state.organization.id.clone());
        assert_eq!(reply.header("anthropic-organization-id"), Some(id.as_str()));
        if reply.status == 404 {
            assert_eq!(json(&reply)["request_id"], reply.header("request-id").unwrap());
        }
    }
}

#[test]
fn credentials_are_told_apart() {
    let cases = [
        ("x-api-key", "sk-ant-admin01-x", 200, CredentialKind::AdminKey),
        ("authorization", "Bearer sk-ant-admin01-x", 200, CredentialKind::AdminKey),
        ("authorization", "bearer sk-ant-oat01-x", 200, CredentialKind::Token),
        ("x-api-key", "sk-ant-oat01-x", 401, CredentialKind::Unknown),
        ("x-api-key", "sk-ant-api03-x", 403, CredentialKind::WorkspaceKey),
        ("x-api-key", "hello", 401, CredentialKind::Unknown),
        ("authorization", "Basic eDp5", 401, CredentialKind::Unknown),
        ("x-nothing", "", 401, CredentialKind::None),
    ];
    let sandbox = acme();
    for (header, value, status, kind) in cases {
        let (got, body) = send(&sandbox, &asking(header, value));
        assert_eq!(got, status, "{header}: {value}");
        assert!(!body.to_string().contains("sk-ant"), "{body}");
        assert_eq!(sandbox.log().entries().last().unwrap().credential, kind);
    }
    let listed = State::from_yaml(
        "credentials: {admin_keys: [sk-ant-admin01-good], organization_keys: [sk-ant-api03-org], tokens: [tok]}",
    );
    let sandbox = Sandbox::new(listed.unwrap());
    assert_eq!(sandbox.admin_key(), "sk-ant-admin01-good");
    for (header, value, status) in [
        ("x-api-key", "sk-ant-admin01-good", 200),
        ("x-api-key", "sk-ant-admin01-other", 401),
        ("authorization", "Bearer sk-ant-admin01-other", 401),
        ("x-api-key", "sk-ant-api03-org", 200),
        ("x-api-key", "sk-ant-api03-workspace", 403),
        ("authorization", "Bearer tok", 200),
        ("authorization", "Bearer other", 401),
    ] {
        assert_eq!(send(&sandbox, &asking(header, value)).0, status, "{header}: {value}");
    }
}

#[test]
fn the_version_is_required_and_known() {
    let sandbox = acme();
    for (version, status) in
        [("2023-01-01", 200), ("2023-06-01", 200), ("2026-10-21", 200), ("2027-01-01", 400)]
    {
        let mut asked = request(Method::Get, &format!("{ORG}/me"), None);
        asked.headers[1].1 = version.to_owned();
        assert_eq!(send(&sandbox, &asked).0, status);
    }
    let mut asked = request(Method::Get, &format!("{ORG}/me"), None);
    asked.headers.remove(1);
    assert_eq!(refused(send(&sandbox, &asked)).0, 400);
}

#[test]
fn unknown_paths_are_404_and_other_methods_405() {
    let sandbox = acme();
    for path in ["/nothing", "/users/", "/users//", "/users/..", "/users/a/b", "/users/%ff", ""] {
        assert_eq!(refused(get(&sandbox, path)).0, 404, "{path}");
    }
    assert_eq!(refused(send(&sandbox, &request(Method::Get, "/v1/messages", None))).0, 404);
    assert_eq!(refused(delete(&sandbox, "/users")).0, 405);
    assert_eq!(refused(delete(&sandbox, "/workspaces/wrkspc_prod")).0, 405);
    assert_eq!(refused(get(&sandbox, "/workspaces/wrkspc_prod/archive")).0, 405);
    assert_eq!(ok(get(&sandbox, "/users/user%5Fbob"))["id"], "user_bob");
    assert_eq!(refused(get(&sandbox, "/users/wrkspc_prod")).0, 404);
    let strict = acme_with(|s| s.wrong_prefix = WrongPrefix::BadRequest);
    assert_eq!(refused(get(&strict, "/users/wrkspc_prod")).0, 400);
    assert_eq!(refused(get(&strict, "/users/user_nobody")).0, 404);
}

#[test]
fn bodies_need_a_content_type_and_json_and_some_calls_take_none() {
    let sandbox = acme();
    let path = format!("{ORG}/users/user_bob");
    let good = json!({"role": "user"});
    let with = |change: &dyn Fn(&mut RawRequest)| {
        let mut asked = request(Method::Post, &path, Some(&good));
        change(&mut asked);
        send(&sandbox, &asked)
    };
    ok(with(&|asked| asked.headers[2].1 = "application/json; charset=utf-8".into()));
    assert_eq!(refused(with(&|asked| _ = asked.headers.remove(2))).0, 400);
    assert_eq!(refused(with(&|asked| asked.headers[2].1 = "text/plain".into())).0, 400);
    assert_eq!(refused(with(&|asked| asked.body = None)).0, 400);
    assert_eq!(refused(with(&|asked| asked.body = Some("{".into()))).0, 400);
    assert_eq!(
        refused(with(&|asked| asked.body = Some(Bytes::from(vec![b' '; 2_000_000])))).0,
        413
    );
    let mut asked = request(Method::Delete, &path, Some(&good));
    assert_eq!(refused(send(&sandbox, &asked)).0, 400);
    asked.body = None;
    ok(send(&sandbox, &asked));
}

fn organization(kind: OrganizationKind) -> State {
    let mut state = State::empty(Organization { kind, ..Organization::default() });
    state.add_user("one@acme.com", "user");
    state.add_user("two@acme.com", "user");
    state
}

#[test]
fn an_aws_organization_has_only_workspaces() {
    for (switch, status) in [
        (MissingEndpoint::BadRequest, 400),
        (MissingEndpoint::Forbidden, 403),
        (MissingEndpoint::NotFound, 404),
    ] {
        let mut state = organization(OrganizationKind::Aws);
        state.switches.missing_endpoint = switch;
        let sandbox = Sandbox::new(state);
        let workspace = ok(post(&sandbox, "/workspaces", &json!({"name": "n"})));
        let members = format!("/workspaces/{}/members", workspace["id"].as_str().unwrap());
        for path in ["/users", "/invites", "/api_keys", &members] {
            assert_eq!(refused(get(&sandbox, path)).0, status, "{path}");
        }
        ok(get(&sandbox, "/me"));
        sandbox.with(|state| state.switches.me_elsewhere = MeElsewhere::Missing);
        assert_eq!(refused(get(&sandbox, "/me")).0, status);
    }
    let sandbox = Sandbox::new(organization(OrganizationKind::Aws));
    assert_eq!(refused(get(&sandbox, "/users")), (403, None));
    sandbox.with(|state| state.switches.missing_endpoint = MissingEndpoint::BadRequest);
    assert_eq!(coded(get(&sandbox, "/users")), (400, "organization_type_not_supported".to_owned()));
}

#[test]
fn an_enterprise_organization_has_people_roles_of_its_own_and_scoped_keys() {
    let mut state = organization(OrganizationKind::Enterprise);
    for (key, scopes) in [
        ("sk-ant-api01-read", vec!["read:members"]),
        ("sk-ant-api01-write", vec!["read:members", "write:members"]),
        ("sk-ant-api01-all", vec!["read:members", "write:members", "write:rbac_groups"]),
    ] {
        let scopes = scopes.into_iter().map(str::to_owned).collect();
        state.credentials.scoped_keys.insert(key.to_owned(), scopes);
    }
    let user = state.user("one@acme.com").unwrap().id.clone();
    let sandbox = Sandbox::new(state);
    assert_eq!(refused(get(&sandbox, "/workspaces")).0, 403);
    let set = |key: &str, role: &str| {
        let body = json!({"role": role});
        let mut asked = request(Method::Post, &format!("{ORG}/users/{user}"), Some(&body));
        asked.headers[0].1 = format!("sk-ant-api01-{key}");
        send(&sandbox, &asked)
    };
    let (status, body) = set("read", "user");
    assert_eq!(status, 403);
    let message = body["error"]["message"].as_str().unwrap();
    assert!(message.contains("read:members") && message.contains("write:members"), "{message}");
    ok(set("write", "user"));
    assert_eq!(refused(set("write", "managed")).0, 403);
    ok(set("all", "managed"));
    assert_eq!(refused(set("all", "developer")).0, 400);
    assert_eq!(refused(set("other", "user")).0, 403);
    ok(get(&sandbox, "/users?roles[]=managed"));
    assert_eq!(refused(get(&sandbox, "/users?roles[]=developer")).0, 400);
}

#[test]
fn signing_out_is_a_beta_of_enterprise_and_spares_the_privileged() {
    let mut state = organization(OrganizationKind::Enterprise);
    let ids: Vec<String> = ["user", "primary_owner", "owner", "membership_admin", "managed"]
        .iter()
        .map(|role| state.add_user(&format!("{role}@acme.com"), role))
        .collect();
    let sandbox = Sandbox::new(state);
    let sign_out = |id: &str, beta: bool| {
        let mut asked = request(Method::Post, &format!("{ORG}/users/{id}/sign_out"), None);
        if beta {
            let value = "admin-user-sign-out-2026-10-08".to_owned();
            asked.headers.push(("anthropic-beta".to_owned(), value));
        }
        send(&sandbox, &asked)
    };
    assert_eq!(refused(sign_out(&ids[0], false)), (400, None));
    assert_eq!(ok(sign_out(&ids[0], true))["id"], ids[0].as_str());
    for (id, status, code) in [
        (&ids[1], 400, "cannot_sign_out_primary_owner"),
        (&ids[2], 403, "cannot_sign_out_owner"),
        (&ids[3], 403, "cannot_sign_out_membership_admin"),
        (&ids[4], 403, "cannot_sign_out_managed_member"),
    ] {
        assert_eq!(coded(sign_out(id, true)), (status, code.to_owned()));
    }
    sandbox.with(|state| state.switches.sign_out_beta = SignOutBeta::NotEnrolled);
    let reply = sign_out(&ids[0], true);
    assert_eq!(coded(reply), (400, "organization_not_enrolled_in_beta".to_owned()));
}

#[test]
fn lines_of_one_header_are_read_together() {
    let mut state = organization(OrganizationKind::Enterprise);
    let user = state.add_user("kim@acme.com", "user");
    let sandbox = Sandbox::new(state);
    let sign_out = |betas: &[&str]| {
        let mut asked = request(Method::Post, &format!("{ORG}/users/{user}/sign_out"), None);
        asked
            .headers
            .extend(betas.iter().map(|it| ("anthropic-beta".to_owned(), (*it).to_owned())));
        send(&sandbox, &asked).0
    };
    assert_eq!(sign_out(&["another-2026-01-01"]), 400);
    assert_eq!(sign_out(&["another-2026-01-01", "admin-user-sign-out-2026-10-08"]), 200);
    assert_eq!(sign_out(&["admin-user-sign-out-2026-10-08", "another-2026-01-01"]), 200);
}

#[test]
fn unknown_parameters_mean_nothing_or_are_refused() {
    let ignoring = acme();
    // A filter that is misspelt means nothing: everybody is listed.
    assert_eq!(ok(get(&ignoring, "/users?roles=user")), ok(get(&ignoring, "/users")));
    let strict = acme_with(|s| s.unknown_parameters = UnknownParameters::Refused);
    assert_eq!(refused(get(&strict, "/users?roles=user")).0, 400);
    ok(get(&strict, "/users?roles%5B%5D=user&limit=5"));
}

#[test]
fn an_error_after_the_effect_names_what_was_made() {
    let sandbox = acme();
    let mut error = TypedError::new(503, "workspace_created_incomplete");
    error.details.insert("workspace_id".to_owned(), json!("{id}"));
    let rule = Rule::new("POST /v1/organizations/workspaces", Fault::ErrorAfter(error)).times(1);
    sandbox.with(|state| state.faults.add(rule)).unwrap();
    let (status, body) = post(&sandbox, "/workspaces", &json!({"name": "Lab"}));
    assert_eq!(status, 503);
    let id = body["error"]["details"]["workspace_id"].as_str().unwrap().to_owned();
    assert_eq!(ok(get(&sandbox, &format!("/workspaces/{id}")))["name"], "Lab");
}

#[test]
fn the_server_limits_requests_a_minute_and_invites_an_hour() {
    let sandbox = acme_changed(|state| {
        state.limits.requests_per_minute = Some(3);
        state.limits.invites_per_hour = Some(1);
        state.switches.rate_limit_headers = RateLimitHeaders::Present;
    });
    let me = || sandbox.exchange(&request(Method::Get, &format!("{ORG}/me"), None)).response;
    assert_eq!(me().header("anthropic-ratelimit-requests-remaining"), Some("2"));
    sandbox.advance(Duration::from_secs(10));
    assert_eq!((me().status, me().status), (200, 200));
    let refused_one = me();
    assert_eq!((refused_one.status, refused_one.header("retry-after")), (429, Some("50")));
    assert_eq!(json(&refused_one)["error"]["type"], "rate_limit_error");
    sandbox.advance(Duration::from_secs(50));
    assert_eq!((me().status, me().status), (200, 429));
    sandbox.advance(Duration::from_mins(10));
    let invite = |email: &str| {
        let body = json!({"email": email, "role": "user"});
        sandbox.exchange(&request(Method::Post, &format!("{ORG}/invites"), Some(&body))).response
    };
    assert_eq!(invite("a@acme.com").status, 200);
    let refused_one = invite("b@acme.com");
    assert_eq!((refused_one.status, refused_one.header("retry-after")), (429, Some("3600")));
    assert_eq!(me().status, 200);
    sandbox.advance(Duration::from_hours(1));
    assert_eq!(invite("b@acme.com").status, 200);
}

const FEDERATION: &str = "
now: 2026-11-22
credentials:
  admin_keys: [sk-ant-admin01-good]
  tokens: [none]
  federation:
    - {id: fdrl_1, service_account: svac_1, assertions: [jwt-1], token_lifetime_seconds: 600}
    - {id: fdrl_2, service_account: svac_2, assertions: [jwt-2], scope: workspace}
";

fn exchange(organization: &str, change: impl FnOnce(&mut Value)) -> RawRequest {
    let mut body = json!({
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "jwt-1",
        "federation_rule_id": "fdrl_1", "organization_id": organization,
        "service_account_id": "svac_1",
    });
    change(&mut body);
    let mut asked = request(Method::Post, "/v1/oauth/token", Some(&body));
    let betas = "oauth-2025-04-20,oidc-federation-2026-04-01".to_owned();
    asked.headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    asked.headers.push(("anthropic-beta".to_owned(), betas));
    asked
}

#[test]
fn an_identity_token_is_exchanged_for_one_that_expires() {
    let sandbox = Sandbox::new(State::from_yaml(FEDERATION).unwrap());
    let id = sandbox.with(|state| state.organization.id.clone());
    let made = ok(send(&sandbox, &exchange(&id, |_| {})));
    assert_eq!((&made["token_type"], &made["expires_in"]), (&json!("Bearer"), &json!(600)));
    let bearer = format!("Bearer {}", made["access_token"].as_str().unwrap());
    let me = || send(&sandbox, &asking("authorization", &bearer)).0;
    assert_eq!(me(), 200);
    sandbox.advance(Duration::from_mins(10));
    assert_eq!(me(), 401);
    let refresh = exchange(&id, |body| body["grant_type"] = json!("refresh_token"));
    let (status, body) = send(&sandbox, &refresh);
    assert_eq!(status, 400);
    assert_eq!(body["error"]["message"], "grant_type: the sandbox has no refresh tokens");
    let weak = ok(send(
        &sandbox,
        &exchange(&id, |body| {
            body["assertion"] = json!("jwt-2");
            body["federation_rule_id"] = json!("fdrl_2");
            body["service_account_id"] = json!("svac_2");
        }),
    ));
    let bearer = format!("Bearer {}", weak["access_token"].as_str().unwrap());
    assert_eq!(send(&sandbox, &asking("authorization", &bearer)).0, 403);
    let fresh = ok(send(&sandbox, &exchange(&id, |_| {})));
    let bearer = format!("Bearer {}", fresh["access_token"].as_str().unwrap());
    sandbox.with(State::revoke_tokens);
    assert_eq!(send(&sandbox, &asking("authorization", &bearer)).0, 401);
    assert!(!format!("{:?}", sandbox.log()).contains("jwt-1"));
}

#[test]
fn a_wrong_identity_is_401_and_a_malformed_request_400() {
    let sandbox = Sandbox::new(State::from_yaml(FEDERATION).unwrap());
    let id = sandbox.with(|state| state.organization.id.clone());
    let with = |field: &'static str, value: Value| {
        refused(send(&sandbox, &exchange(&id, |body| body[field] = value))).0
    };
    assert_eq!(with("assertion", json!("other")), 401);
    assert_eq!(with("federation_rule_id", json!("fdrl_9")), 401);
    assert_eq!(with("service_account_id", json!("svac_9")), 401);
    assert_eq!(with("organization_id", json!("another")), 401);
    assert_eq!(with("grant_type", json!("password")), 400);
    assert_eq!(with("scope", json!("org:admin")), 400);
    assert_eq!(with("assertion", json!("x".repeat(17_000))), 400);
    assert_eq!(with("workspace_id", json!("prod")), 400);
    let mut asked = exchange(&id, |_| {});
    asked.headers.truncate(1);
    assert_eq!(refused(send(&sandbox, &asked)).0, 400);
    let mut asked = exchange(&id, |_| {});
    asked.headers.push(("anthropic-version".to_owned(), "2026-10-21".to_owned()));
    assert_eq!(refused(send(&sandbox, &asked)).0, 400);
    let short =
        || exchange(&id, |body| _ = body.as_object_mut().unwrap().remove("service_account_id"));
    ok(send(&sandbox, &short()));
    sandbox.with(|state| state.switches.exchange_account = ExchangeAccount::Required);
    assert_eq!(refused(send(&sandbox, &short())).0, 400);
    assert_eq!(refused(send(&sandbox, &request(Method::Get, "/v1/oauth/token", None))).0, 405);
}

#[test]
fn the_log_has_every_call_and_counts_reads_by_list() {
    let sandbox = acme();
    ok(get(&sandbox, "/users?limit=2"));
    ok(get(&sandbox, "/users?limit=1000"));
    ok(get(&sandbox, "/workspaces/wrkspc_prod/members"));
    ok(post(&sandbox, "/users/user_bob", &json!({"role": "user"})));
    refused(delete(&sandbox, "/users/user_ada"));
    sandbox.with(|state| {
        state.faults.add(Rule::new("GET /v1/**", Fault::StatusBefore(503)).times(1)).unwrap();
    });
    refused(get(&sandbox, "/users"));
    let log = sandbox.log();
    assert_eq!(
        log.calls(),
        [
            r#"POST /v1/organizations/users/user_bob {"role":"user"}"#,
            "DELETE /v1/organizations/users/user_ada"
        ]
    );
    let reads = log.reads();
    assert_eq!(reads["/v1/organizations/users"], 3);
    assert_eq!(reads["/v1/organizations/workspaces/{wrkspc_}/members"], 1);
    let outcomes: Vec<_> = log.writes().map(|entry| (entry.status, entry.done)).collect();
    assert_eq!(outcomes, [(200, true), (400, false)]);
    assert!(!serde_json::to_string(log.entries()).unwrap().contains("sk-ant-admin01-test"));
}
