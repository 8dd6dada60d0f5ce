//! Strict requests: what goes over a real socket for each core call, byte for byte where it matters.
//!
//! Invariant: each row is a captured request of the `admin-api` notes on captured requests; a header, query or
//! body more or less fails.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use httpmock::{HttpMockRequest, MockServer, prelude::*};
use orgcharter::{
    address::{Address, Name, RemoteId},
    api::{
        call::{Budget, Call, Part, Resend},
        client::{Client, Options},
        clock::SystemClock,
        credential::{Credential, IdentityToken, WorkloadIdentity},
        http::{BaseUrl, HttpTransport},
        wire::{ApiKey, Invite, Me, User, Workspace, WorkspaceMember},
    },
    secret::Secret,
};
use serde_json::{Value, json};

const KEY: &str = "sk-ant-admin01-test";

fn client(server: &MockServer) -> Client {
    sign_in(server, Credential::Key(Secret::new(KEY.into()), "ANTHROPIC_ADMIN_KEY".into()))
}

fn sign_in(server: &MockServer, credential: Credential) -> Client {
    let transport = HttpTransport::new(BaseUrl::parse(&server.base_url()).unwrap(), None).unwrap();
    Client::new(Arc::new(transport), credential, Arc::new(SystemClock::new()), Options::default())
}

/// What a request was, but for the headers every HTTP request has.
#[derive(Debug, PartialEq)]
struct Sent {
    line: String,
    headers: BTreeMap<String, String>,
    body: String,
}

impl Sent {
    fn of(request: &HttpMockRequest) -> Self {
        let uri = request.uri();
        let target = uri.path_and_query().map_or_else(|| uri.path(), |target| target.as_str());
        let line = format!("{} {target}", request.method());
        let headers = request.headers();
        let transport = ["host", "accept-encoding"];
        let headers = headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap().to_owned()))
            .filter(|(name, _)| !transport.contains(&name.as_str()))
            .collect();
        Self { line, headers, body: request.body_string() }
    }

    /// A request as documented: `POST` says that it sends JSON, with or without a body.
    fn documented(line: &str, body: Option<&Value>) -> Self {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut headers = BTreeMap::from([
            ("accept", "application/json".to_owned()),
            ("anthropic-version", "2023-06-01".to_owned()),
            ("user-agent", concat!("orgcharter/", env!("CARGO_PKG_VERSION")).to_owned()),
            ("x-api-key", KEY.to_owned()),
        ]);
        if line.starts_with("POST") {
            headers.insert("content-type", "application/json".to_owned());
            headers.insert("content-length", body.len().to_string());
        }
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { line: line.to_owned(), headers, body }
    }
}

/// What a server was sent; checked when it is dropped at the end of a test.
struct Expected {
    wanted: Sent,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Drop for Expected {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(*self.sent.lock().unwrap(), std::slice::from_ref(&self.wanted));
        }
    }
}

/// A server that wants exactly one request.
fn serve(server: &MockServer, line: &str, body: Option<&Value>, answer: &Value) -> Expected {
    let sent = Arc::<Mutex<Vec<Sent>>>::default();
    let seen = sent.clone();
    let answer = answer.clone();
    server.mock(|when, then| {
        when.is_true(move |request| {
            seen.lock().unwrap().push(Sent::of(request));
            true
        });
        then.status(200).header("content-type", "application/json").json_body(answer);
    });
    Expected { wanted: Sent::documented(line, body), sent }
}

fn page(item: &Value) -> Value {
    json!({"data": [item], "has_more": false, "first_id": "a", "last_id": "a"})
}

fn production() -> Address {
    Address::workspace(Name::label("Production"))
}

/// What the documents say that a write is answered with, as far as charter looks at it: the object as it was asked for.
fn answer(line: &str, body: Option<&Value>) -> Value {
    let kinds = [
        ("/members", "workspace_member"),
        ("/workspaces", "workspace"),
        ("/invites", "invite"),
        ("/users", "user"),
        ("/api_keys", "api_key"),
    ];
    let (_, word) = kinds.into_iter().find(|(part, _)| line.contains(part)).unwrap();
    let end = if line.starts_with("DELETE") { "_deleted" } else { "" };
    let path = line.trim_end_matches("/archive");
    let id = path.rsplit('/').next().unwrap().to_owned();
    let mut answer = json!({"id": id, "user_id": id, "type": format!("{word}{end}")});
    if line.ends_with("/archive") {
        answer["archived_at"] = json!("2026-11-22T09:00:00Z");
    }
    let asked = body.and_then(Value::as_object).into_iter().flatten();
    answer.as_object_mut().unwrap().extend(asked.map(|(key, value)| (key.clone(), value.clone())));
    if let Some(tags) = answer.get_mut("tags").and_then(Value::as_object_mut) {
        tags.retain(|_, value| !value.is_null());
    }
    answer
}

async fn write(line: &str, body: Option<Value>, call: Call) {
    let server = MockServer::start_async().await;
    let answer = answer(line, body.as_ref());
    let _expected = serve(&server, line, body.as_ref(), &answer);
    let ids = BTreeMap::from([(production(), RemoteId::new("w1"))]);
    let (resend, budget) = (call.resend, call.budget);
    let reply = client(&server).writer().send(call.resolve(&ids).unwrap(), resend, budget).await;
    assert_eq!(reply.unwrap_or_else(|error| panic!("{line}: {error}")).value, answer);
}

fn user() -> Value {
    json!({"id": "user_1", "type": "user", "email": "a@b.c", "name": "A", "role": "user", "added_at": "2026-01-01T00:00:00Z"})
}

#[tokio::test]
async fn me_is_asked_for_as_documented() {
    let server = MockServer::start_async().await;
    let me = json!({"id": "3f0c1b1e-0000-4000-8000-000000000000", "name": "Acme", "type": "organization"});
    let _expected = serve(&server, "GET /v1/organizations/me", None, &me);
    let me: Me = client(&server).reader().get(&["me"]).await.unwrap();
    assert_eq!(me.name, "Acme");
}

#[tokio::test]
async fn users_are_listed_with_encoded_filters() {
    let server = MockServer::start_async().await;
    let _expected = serve(
        &server,
        "GET /v1/organizations/users?limit=1000&email=A%2Bb%40x.com&roles%5B%5D=user&roles%5B%5D=admin",
        None,
        &page(&user()),
    );
    let filters = [("email", "A+b@x.com"), ("roles[]", "user"), ("roles[]", "admin")];
    let users: Vec<User> = client(&server).reader().list(&["users"], &filters).await.unwrap();
    assert_eq!(users.len(), 1);
}

#[tokio::test]
async fn invites_are_listed_by_status() {
    let server = MockServer::start_async().await;
    let invite = json!({"id": "invite_1", "type": "invite", "email": "a@b.c", "role": "user", "status": "pending",
        "invited_at": "2026-11-01T00:00:00Z", "expires_at": "2026-11-22T00:00:00Z", "accepted_at": null, "rbac_group_ids": []});
    let _expected = serve(
        &server,
        "GET /v1/organizations/invites?limit=1000&roles%5B%5D=user&statuses%5B%5D=pending&statuses%5B%5D=expired",
        None,
        &page(&invite),
    );
    let filters = [("roles[]", "user"), ("statuses[]", "pending"), ("statuses[]", "expired")];
    let invites: Vec<Invite> = client(&server).reader().list(&["invites"], &filters).await.unwrap();
    assert_eq!(invites[0].status, "pending");
}

#[tokio::test]
async fn workspaces_are_listed_with_archived_ones() {
    let server = MockServer::start_async().await;
    let workspace = json!({"id": "wrkspc_1", "type": "workspace", "name": "Production", "display_color": "#6C5BB9",
        "data_residency": {"workspace_geo": "us", "default_inference_geo": "global", "allowed_inference_geos": "unrestricted"},
        "tags": {}, "external_key_id": null, "user_profile_id": null, "compartment_id": "c",
        "created_at": "2026-11-01T00:00:00Z", "archived_at": null});
    let _expected = serve(
        &server,
        "GET /v1/organizations/workspaces?limit=1000&ids%5B%5D=w1&include_archived=true&include_default=false",
        None,
        &page(&workspace),
    );
    let filters = [("ids[]", "w1"), ("include_archived", "true"), ("include_default", "false")];
    let workspaces: Vec<Workspace> =
        client(&server).reader().list(&["workspaces"], &filters).await.unwrap();
    assert_eq!(workspaces[0].name, "Production");
}

#[tokio::test]
async fn workspace_members_and_keys_are_listed() {
    let server = MockServer::start_async().await;
    let grant = json!({"type": "workspace_member", "user_id": "u1", "workspace_id": "w1", "workspace_role": "workspace_user"});
    let _expected = serve(
        &server,
        "GET /v1/organizations/workspaces/w1/members?limit=1000",
        None,
        &page(&grant),
    );
    let grants: Vec<WorkspaceMember> =
        client(&server).reader().list(&["workspaces", "w1", "members"], &[]).await.unwrap();
    assert_eq!(grants[0].user_id.as_str(), "u1");

    let server = MockServer::start_async().await;
    let key = json!({"id": "apikey_1", "type": "api_key", "name": "ci", "status": "active", "created_at": "2026-11-01T00:00:00Z",
        "expires_at": null, "created_by": null, "principal": null, "scope": {"type": "workspace", "workspace_id": "w1"},
        "workspace_id": "w1", "partial_key_hint": "sk-ant-api03-R2D...igAA"});
    let _expected = serve(
        &server,
        "GET /v1/organizations/api_keys?limit=1000&status=active&workspace_id=w1",
        None,
        &page(&key),
    );
    let filters = [("status", "active"), ("workspace_id", "w1")];
    let keys: Vec<ApiKey> = client(&server).reader().list(&["api_keys"], &filters).await.unwrap();
    assert_eq!(keys[0].name, "ci");
}

#[tokio::test]
async fn users_are_updated_and_removed_as_documented() {
    let path = || [Part::text("users"), Part::text("user_1")];
    write(
        "POST /v1/organizations/users/user_1",
        Some(json!({"role": "developer"})),
        Call::post(path(), [("role", Part::text("developer"))], Resend::Safe),
    )
    .await;
    write("DELETE /v1/organizations/users/user_1", None, Call::delete(path())).await;
}

#[tokio::test]
async fn invites_are_created_and_withdrawn_as_documented() {
    let fields = [("email", Part::text("a@b.c")), ("role", Part::text("user"))];
    write(
        "POST /v1/organizations/invites",
        Some(json!({"email": "a@b.c", "role": "user"})),
        Call::post([Part::text("invites")], fields, Resend::LookFirst).budget(Budget::Invites),
    )
    .await;
    write(
        "DELETE /v1/organizations/invites/invite_1",
        None,
        Call::delete([Part::text("invites"), Part::text("invite_1")]),
    )
    .await;
}

#[tokio::test]
async fn workspaces_are_created_updated_and_archived_as_documented() {
    write(
        "POST /v1/organizations/workspaces",
        Some(json!({"name": "n"})),
        Call::post([Part::text("workspaces")], [("name", Part::text("n"))], Resend::LookFirst),
    )
    .await;
    let path = || [Part::text("workspaces"), Part::IdOf(production())];
    let tags = json!({"a": null, "b": "c"});
    write(
        "POST /v1/organizations/workspaces/w1",
        Some(json!({"tags": tags})),
        Call::post(path(), [("tags", Part::Text(tags.clone()))], Resend::Safe),
    )
    .await;
    write(
        "POST /v1/organizations/workspaces/w1",
        Some(json!({})),
        Call::post(path(), Vec::<(String, Part)>::new(), Resend::Safe),
    )
    .await;
    let archive = path().into_iter().chain([Part::text("archive")]);
    write(
        "POST /v1/organizations/workspaces/w1/archive",
        None,
        Call::post_empty(archive, Resend::Safe),
    )
    .await;
}

#[tokio::test]
async fn workspace_members_are_added_updated_and_removed_as_documented() {
    let members = || [Part::text("workspaces"), Part::IdOf(production()), Part::text("members")];
    let member = || members().into_iter().chain([Part::text("u1")]);
    write(
        "POST /v1/organizations/workspaces/w1/members",
        Some(json!({"user_id": "u1", "workspace_role": "workspace_user"})),
        Call::post(
            members(),
            [("user_id", Part::text("u1")), ("workspace_role", Part::text("workspace_user"))],
            Resend::LookFirst,
        ),
    )
    .await;
    write(
        "POST /v1/organizations/workspaces/w1/members/u1",
        Some(json!({"workspace_role": "workspace_admin"})),
        Call::post(member(), [("workspace_role", Part::text("workspace_admin"))], Resend::Safe),
    )
    .await;
    write("DELETE /v1/organizations/workspaces/w1/members/u1", None, Call::delete(member())).await;
}

#[tokio::test]
async fn keys_are_updated_as_documented() {
    write(
        "POST /v1/organizations/api_keys/k1",
        Some(json!({"status": "inactive"})),
        Call::post(
            [Part::text("api_keys"), Part::text("k1")],
            [("status", Part::text("inactive"))],
            Resend::Safe,
        ),
    )
    .await;
}

#[tokio::test]
async fn a_path_prefix_of_the_base_url_is_kept() {
    let server = MockServer::start_async().await;
    let me = json!({"id": "x", "name": "Acme", "type": "organization"});
    let _expected = serve(&server, "GET /gateway/v1/organizations/me", None, &me);
    let base = BaseUrl::parse(&format!("{}/gateway/", server.base_url())).unwrap();
    let client = Client::new(
        Arc::new(HttpTransport::new(base, None).unwrap()),
        Credential::Key(Secret::new(KEY.into()), "ANTHROPIC_ADMIN_KEY".into()),
        Arc::new(SystemClock::new()),
        Options::default(),
    );
    client.reader().get::<Me>(&["me"]).await.unwrap();
}

#[tokio::test]
async fn a_token_and_the_newer_version_can_be_sent() {
    let server = MockServer::start_async().await;
    let mock = server.mock(|when, then| {
        when.method(GET)
            .path("/v1/organizations/me")
            .header("authorization", "Bearer sk-ant-oat01-t")
            .header("anthropic-version", "2026-10-21")
            .header_missing("x-api-key");
        then.status(200).json_body(json!({"id": "x", "name": "Acme", "type": "organization"}));
    });
    let transport = HttpTransport::new(BaseUrl::parse(&server.base_url()).unwrap(), None).unwrap();
    let client = Client::new(
        Arc::new(transport),
        Credential::Token(Secret::new("sk-ant-oat01-t".into()), "ANTHROPIC_AUTH_TOKEN".into()),
        Arc::new(SystemClock::new()),
        Options { version: "2026-10-21".into(), ..Options::default() },
    );
    client.reader().get::<Me>(&["me"]).await.unwrap();
    mock.assert();
}

#[tokio::test]
async fn a_workload_identity_is_exchanged_as_documented() {
    let server = MockServer::start_async().await;
    let body = json!({
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "eyJ.a.b", "federation_rule_id": "fdrl_1",
        "organization_id": "org-1", "service_account_id": "svac_1", "workspace_id": "default"
    });
    let exchange = server.mock(|when, then| {
        when.method(POST)
            .path("/v1/oauth/token")
            .header("content-type", "application/json")
            .header("anthropic-beta", "oauth-2025-04-20,oidc-federation-2026-04-01")
            .header_missing("anthropic-version")
            .header_missing("authorization")
            .header_missing("x-api-key")
            .json_body(body);
        then.status(200).json_body(json!({
            "access_token": "sk-ant-oat01-minted", "token_type": "Bearer", "expires_in": 3600, "scope": "org:admin"
        }));
    });
    let me = server.mock(|when, then| {
        when.method(GET)
            .path("/v1/organizations/me")
            .header("authorization", "Bearer sk-ant-oat01-minted")
            .header_missing("x-api-key");
        then.status(200).json_body(json!({"id": "org-1", "name": "Acme", "type": "organization"}));
    });
    let client = sign_in(
        &server,
        Credential::WorkloadIdentity(WorkloadIdentity {
            federation_rule_id: "fdrl_1".into(),
            organization_id: "org-1".into(),
            service_account_id: Some("svac_1".into()),
            workspace_id: Some("default".into()),
            cache: None,
            identity: IdentityToken::Literal(Secret::new("eyJ.a.b".into())),
        }),
    );
    for _ in 0..2 {
        client.reader().get::<Me>(&["me"]).await.unwrap();
    }
    exchange.assert_calls(1);
    me.assert_calls(2);
}
