//! The same organization over real HTTP, with every fault, in process too.
//!
//! Invariant: a closed connection really closes, and only faults "after" have an effect.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use orgcharter::{
    api::transport::{Method, Transport as _, TransportError},
    sandbox::{Drip, Fault, RetryAfter, Rule, Server, State, TypedError},
};
use serde_json::{Value, json};

use crate::support::{ORG, SEED, request};

async fn serve() -> Server {
    let state = State::from_yaml(SEED).unwrap();
    Server::start(state, ([127, 0, 0, 1], 0).into()).await.unwrap()
}

fn fault(server: &Server, rule: Rule) {
    server.sandbox().with(|state| {
        state.faults.clear();
        state.faults.add(rule).unwrap();
    });
}

async fn me(server: &Server) -> reqwest::Result<reqwest::Response> {
    ask(server, reqwest::Method::GET, "/me").await
}

async fn ask(
    server: &Server,
    method: reqwest::Method,
    path: &str,
) -> reqwest::Result<reqwest::Response> {
    reqwest::Client::new()
        .request(method, format!("{}{ORG}{path}", server.base_url()))
        .header("x-api-key", server.sandbox().admin_key())
        .header("anthropic-version", "2026-10-21")
        .send()
        .await
}

async fn control(server: &Server, path: &str, body: &Value) -> (u16, Value) {
    let url = format!("{}/_sandbox/{path}", server.base_url());
    let reply = reqwest::Client::new().post(url).json(body).send().await.unwrap();
    let status = reply.status().as_u16();
    (status, reply.json().await.unwrap())
}

const USER: &str = "POST /v1/organizations/users/*";

#[tokio::test]
async fn the_organization_answers_over_http() {
    let server = serve().await;
    let reply = me(&server).await.unwrap();
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.headers()["date"], "Sun, 22 Nov 2026 09:00:00 GMT");
    assert_eq!(reply.headers().get_all("date").iter().count(), 1);
    assert_eq!(reply.json::<Value>().await.unwrap()["name"], "Acme");
    for method in [reqwest::Method::PUT, reqwest::Method::PATCH] {
        let reply = ask(&server, method, "/users/user_bob").await.unwrap();
        assert_eq!(reply.status(), 405);
        assert_eq!(reply.json::<Value>().await.unwrap()["type"], "error");
    }
    let url = format!("{}{ORG}/users/user_bob", server.base_url());
    let reply = reqwest::Client::new()
        .post(url)
        .bearer_auth("sk-ant-oat01-x")
        .header("anthropic-version", "2023-06-01")
        .json(&json!({"role": "user"}))
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status(), 200);
    let sandbox = server.stop().await;
    assert_eq!(sandbox.log().calls(), [r#"POST /v1/organizations/users/user_bob {"role":"user"}"#]);
}

#[tokio::test]
async fn it_stops_when_told_and_when_dropped() {
    let server = serve().await;
    let address = server.address();
    me(&server).await.unwrap();
    server.stop().await;
    assert!(TcpStream::connect(address).is_err());
    let server = serve().await;
    let address = server.address();
    drop(server);
    let gone = async {
        while TcpStream::connect(address).is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), gone).await.unwrap();
    // A client that keeps its connection open does not hold the server up.
    let server = serve().await;
    let client = reqwest::Client::new();
    client.get(format!("{}/_sandbox/clock", server.base_url())).send().await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), server.stop()).await.unwrap();
    let far = Server::start(State::from_yaml("").unwrap(), ([0, 0, 0, 0], 0).into()).await;
    assert!(far.unwrap_err().to_string().contains("loopback"));
}

/// Posts a role over one raw socket and reads until the server closes it.
fn raw(server: &Server) -> String {
    let mut socket = TcpStream::connect(server.address()).unwrap();
    let body = r#"{"role":"user"}"#;
    write!(
        socket,
        "POST {ORG}/users/user_bob HTTP/1.1\r\nhost: x\r\nx-api-key: sk-ant-admin01-x\r\n\
         anthropic-version: 2026-10-21\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut seen = Vec::new();
    let mut part = [0; 1024];
    loop {
        match socket.read(&mut part) {
            Ok(0) => break,
            Ok(count) => seen.extend_from_slice(&part[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!("the connection stayed open: {error}"),
        }
    }
    String::from_utf8(seen).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_connection_says_nothing_and_the_effect_is_before_or_after() {
    let server = serve().await;
    let role = || server.sandbox().with(|state| state.user("bob@acme.com").unwrap().role.clone());
    fault(&server, Rule::new(USER, Fault::ClosedBefore));
    assert_eq!(raw(&server), "");
    assert_eq!(role(), "developer");
    fault(&server, Rule::new(USER, Fault::ClosedAfter));
    assert_eq!(raw(&server), "");
    assert_eq!(role(), "user");
    let log = server.sandbox().log();
    let seen: Vec<_> = log.writes().map(|entry| (entry.status, entry.done, entry.fault)).collect();
    assert_eq!(seen, [(0, false, Some("closed_before")), (0, true, Some("closed_after"))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_reply_breaks_off_in_its_body() {
    let server = serve().await;
    fault(&server, Rule::new("* /v1/**", Fault::Truncated));
    let text = raw(&server);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let length: usize = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap()
        .parse()
        .unwrap();
    assert!(!body.is_empty() && body.len() < length, "{text}");
    let reply = me(&server).await.unwrap();
    assert_eq!(reply.status(), 200);
    assert!(reply.bytes().await.is_err());
}

#[tokio::test]
async fn a_429_names_its_wait_in_every_form() {
    let server = serve().await;
    for (retry, header, value) in [
        (RetryAfter::seconds(2.0), "retry-after", Some("2")),
        (RetryAfter::seconds(1.5), "retry-after", Some("1.5")),
        (RetryAfter::date_in(30), "retry-after", Some("Sun, 22 Nov 2026 09:00:30 GMT")),
        (RetryAfter::milliseconds(250), "retry-after-ms", Some("250")),
        (RetryAfter::default(), "retry-after", None),
    ] {
        fault(&server, Rule::new("GET /v1/organizations/me", Fault::RateLimited(retry)).times(1));
        let reply = me(&server).await.unwrap();
        assert_eq!(reply.status(), 429);
        assert_eq!(reply.headers().get(header).map(|value| value.to_str().unwrap()), value);
        assert_eq!(reply.json::<Value>().await.unwrap()["error"]["type"], "rate_limit_error");
        assert_eq!(me(&server).await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn server_errors_come_before_or_after_the_effect() {
    let server = serve().await;
    let roles = |server: &Server| server.sandbox().with(|state| state.users().count());
    for status in [500, 503, 529] {
        fault(&server, Rule::new("DELETE /v1/**", Fault::StatusBefore(status)));
        let reply = ask(&server, reqwest::Method::DELETE, "/users/user_bob").await.unwrap();
        assert_eq!(reply.status(), status);
        assert_eq!(roles(&server), 4);
    }
    fault(&server, Rule::new("DELETE /v1/**", Fault::StatusAfter(500)));
    let reply = ask(&server, reqwest::Method::DELETE, "/users/user_bob").await.unwrap();
    assert_eq!((reply.status().as_u16(), roles(&server)), (500, 3));
    let on_hold = TypedError {
        status: 400,
        code: Some("organization_on_hold".to_owned()),
        message: None,
        details: json!({"appeal_url": null}).as_object().unwrap().clone(),
        headers: [("X-Should-Retry".to_owned(), "false".to_owned())].into(),
    };
    fault(&server, Rule::new("* /v1/**", Fault::Error(on_hold)));
    let reply = me(&server).await.unwrap();
    assert_eq!(reply.headers()["x-should-retry"], "false");
    let body: Value = reply.json().await.unwrap();
    let details = json!({"error_code": "organization_on_hold", "appeal_url": null});
    assert_eq!(body["error"]["details"], details);
}

#[tokio::test]
async fn pages_of_proxies_wrong_types_and_slow_replies() {
    let server = serve().await;
    fault(&server, Rule::new("* /v1/**", Fault::Html(403)));
    let reply = me(&server).await.unwrap();
    assert_eq!((reply.status().as_u16(), reply.headers().get("request-id")), (403, None));
    assert!(reply.text().await.unwrap().starts_with("<!DOCTYPE html>"));
    fault(&server, Rule::new("* /v1/**", Fault::WrongType));
    assert!(me(&server).await.unwrap().json::<Value>().await.unwrap().is_array());
    for slow in [Fault::LatencyMs(60), Fault::Drip(Drip { bytes: 20, pause_ms: 15 })] {
        fault(&server, Rule::new("* /v1/**", slow));
        let start = Instant::now();
        assert_eq!(me(&server).await.unwrap().json::<Value>().await.unwrap()["name"], "Acme");
        assert!(start.elapsed() >= Duration::from_millis(60));
    }
}

#[tokio::test]
async fn in_process_the_same_faults_are_lost_replies() {
    let state = State::from_yaml(SEED).unwrap();
    let sandbox = orgcharter::sandbox::Sandbox::new(state);
    let transport = sandbox.transport();
    let body = json!({"role": "user"});
    let role = request(Method::Post, &format!("{ORG}/users/user_bob"), Some(&body));
    let set = |fault| {
        sandbox.with(|state| {
            state.faults.clear();
            state.faults.add(Rule::new("* /v1/**", fault)).unwrap();
        });
    };
    for (fault, role_after) in [
        (Fault::ClosedBefore, "developer"),
        (Fault::ClosedAfter, "user"),
        (Fault::Truncated, "user"),
    ] {
        sandbox.with(|state| _ = state.set_role("bob@acme.com", "developer"));
        set(fault);
        let lost = transport.send(role.clone()).await;
        assert!(matches!(lost, Err(TransportError::Lost(_))));
        assert_eq!(sandbox.with(|state| state.user("user_bob").unwrap().role.clone()), role_after);
    }
    set(Fault::LatencyMs(60));
    let start = Instant::now();
    assert_eq!(transport.send(role).await.unwrap().status, 200);
    assert!(start.elapsed() >= Duration::from_millis(60));
}

#[tokio::test]
async fn control_routes_do_what_people_do_in_the_console() {
    let server = serve().await;
    let (status, body) = control(&server, "accept", &json!({"invite": "eve@acme.com"})).await;
    assert_eq!((status, body["users"].as_array().unwrap().len()), (200, 1));
    assert_eq!(control(&server, "accept", &json!({"invite": "eve@acme.com"})).await.0, 400);
    for edit in [
        json!({"do": "set_role", "user": "eve@acme.com", "role": "admin"}),
        json!({"do": "add_user", "email": "kim@acme.com", "role": "developer"}),
        json!({"do": "remove_user", "user": "bob@acme.com"}),
        json!({"do": "invite", "email": "li@acme.com", "role": "admin"}),
        json!({"do": "set_grant", "workspace": "Production", "user": "kim@acme.com", "role": "workspace_user"}),
        json!({"do": "remove_grant", "workspace": "Production", "user": "kim@acme.com"}),
        json!({"do": "add_workspace", "name": "Lab"}),
        json!({"do": "rename_workspace", "workspace": "Lab", "name": "Labs"}),
        json!({"do": "set_tags", "workspace": "Labs", "tags": {"env": "lab"}}),
        json!({"do": "add_api_key", "name": "k", "workspace": "Labs"}),
        json!({"do": "set_key_status", "key": "k", "status": "inactive"}),
        json!({"do": "archive_workspace", "workspace": "Labs"}),
        json!({"do": "add_fault", "rule": {"on": "GET /v1/**", "then": {"status_before": 500}}}),
    ] {
        let (status, body) = control(&server, "edit", &edit).await;
        assert_eq!(status, 200, "{edit} {body}");
    }
    assert_eq!(me(&server).await.unwrap().status(), 500);
    control(&server, "edit", &json!({"do": "clear_faults"})).await;
    assert_eq!(control(&server, "edit", &json!({"do": "nothing"})).await.0, 400);
    assert_eq!(control(&server, "nothing", &json!({})).await.0, 404);
    let (_, clock) = control(&server, "clock", &json!({"seconds": 60})).await;
    assert_eq!(clock["now"], "2026-11-22T09:01:00Z");
    let (_, clock) = control(&server, "clock", &json!({"to": "2027-01-01"})).await;
    assert_eq!(clock["now"], "2027-01-01T00:00:00Z");
    let url = format!("{}/_sandbox/", server.base_url());
    let dump = reqwest::get(format!("{url}state")).await.unwrap().text().await.unwrap();
    let state = State::from_yaml(&dump).unwrap();
    assert_eq!(state.user("eve@acme.com").unwrap().role, "admin");
    assert!(state.user("bob@acme.com").is_none());
    let log: Value = reqwest::get(format!("{url}log")).await.unwrap().json().await.unwrap();
    assert_eq!(log["entries"].as_array().unwrap().len(), 1);
    reqwest::Client::new().delete(format!("{url}log")).send().await.unwrap();
    assert!(server.sandbox().log().is_empty());
}
