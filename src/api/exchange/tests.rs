//! When tokens are exchanged, and what happens when they cannot be (`admin-api` notes on workload identity federation).

use serde_json::{Value, json};

use super::{assertion::LONGEST_IDENTITY, *};
use crate::api::{
    client::{Client, Options},
    clock::TestClock,
    credential::Credential,
    script::{Answer, Script, clock, header, lost, ok, raw, refusal},
    wire::Me,
};

const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln";

fn identity(identity: IdentityToken) -> WorkloadIdentity {
    WorkloadIdentity {
        federation_rule_id: "fdrl_1".into(),
        organization_id: "org-1".into(),
        service_account_id: Some("svac_1".into()),
        workspace_id: None,
        identity,
        cache: None,
    }
}

fn client(script: &Arc<Script>, clock: &TestClock, token: IdentityToken) -> Client {
    let credential = Credential::WorkloadIdentity(identity(token));
    Client::new(script.clone(), credential, Arc::new(clock.clone()), Options::default())
}

fn literal() -> IdentityToken {
    IdentityToken::Literal(Secret::new(JWT.into()))
}

fn token(name: &str, life: u64) -> Answer {
    let name = format!("sk-ant-oat01-{name}");
    ok(
        &json!({"access_token": name, "token_type": "bearer", "expires_in": life, "scope": "org:admin"}),
    )
}

fn me() -> Answer {
    ok(&json!({"id": "org-1", "name": "Acme", "type": "organization"}))
}

async fn ask(client: &Client) -> Result<Me, ApiError> {
    client.reader().get::<Me>(&["me"]).await
}

/// `exchange` or the bearer, for each request.
fn story(script: &Script) -> Vec<String> {
    let line = |request: &RawRequest| match header(request, "authorization") {
        Some(bearer) => bearer.replace("Bearer sk-ant-oat01-", ""),
        None => "exchange".to_owned(),
    };
    script.requests().iter().map(line).collect()
}

#[tokio::test]
async fn the_exchange_asks_as_documented_and_its_token_is_used_as_a_bearer() {
    let script = Script::new([token("one", 3600), me(), me()]);
    let client = client(&script, &clock(), literal());
    ask(&client).await.unwrap();
    ask(&client).await.unwrap();
    assert_eq!(story(&script), ["exchange", "one", "one"]);
    let [exchange, first, _] = &script.requests()[..] else { panic!() };
    assert_eq!(format!("{exchange:?}"), "POST /v1/oauth/token");
    assert_eq!(header(exchange, "content-type"), Some("application/json"));
    assert_eq!(
        header(exchange, "anthropic-beta"),
        Some("oauth-2025-04-20,oidc-federation-2026-04-01")
    );
    assert_eq!(header(exchange, "anthropic-version"), None);
    assert_eq!(header(exchange, "x-api-key"), None);
    let body: Value = serde_json::from_slice(exchange.body.as_ref().unwrap()).unwrap();
    assert_eq!(
        body,
        json!({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": JWT,
            "federation_rule_id": "fdrl_1", "organization_id": "org-1", "service_account_id": "svac_1"})
    );
    assert_eq!(header(first, "anthropic-beta"), Some("oauth-2025-04-20"));
    assert_eq!(client.reader().requests_sent(), 3);
}

#[tokio::test]
async fn many_tasks_share_one_exchange() {
    let script = Script::new([token("one", 3600), me(), me(), me()]);
    let client = client(&script, &clock(), literal());
    let (a, b, c) = tokio::join!(ask(&client), ask(&client), ask(&client));
    for answer in [a, b, c] {
        answer.unwrap();
    }
    assert_eq!(story(&script), ["exchange", "one", "one", "one"]);
}

#[tokio::test]
async fn a_token_is_renewed_two_minutes_before_its_end() {
    let (script, clock) =
        (Script::new([token("one", 3600), me(), me(), token("two", 3600), me()]), clock());
    let client = client(&script, &clock, literal());
    for wait in [0, 3479, 1] {
        clock.advance(Duration::from_secs(wait));
        ask(&client).await.unwrap();
    }
    assert_eq!(story(&script), ["exchange", "one", "one", "exchange", "two"]);
}

#[tokio::test]
async fn a_renewal_that_fails_keeps_the_old_token_and_pauses_five_seconds() {
    let answers =
        [token("one", 3600), me(), refusal(500, None, &[]), me(), me(), token("two", 3600), me()];
    let (script, clock) = (Script::new(answers), clock());
    let client = client(&script, &clock, literal());
    for wait in [0, 3500, 4, 1] {
        clock.advance(Duration::from_secs(wait));
        ask(&client).await.unwrap();
    }
    assert_eq!(story(&script), ["exchange", "one", "exchange", "one", "one", "exchange", "two"]);
}

#[tokio::test]
async fn from_thirty_seconds_before_its_end_a_token_is_not_used() {
    let answers = [token("one", 3600), me(), refusal(400, None, &[])];
    let (script, clock) = (Script::new(answers), clock());
    let client = client(&script, &clock, literal());
    ask(&client).await.unwrap();
    clock.advance(Duration::from_secs(3570));
    let error = ask(&client).await.unwrap_err();
    assert!(matches!(error, ApiError::TokenExchange(_)));
    assert_eq!(story(&script), ["exchange", "one", "exchange"]);
}

#[tokio::test]
async fn a_token_that_lives_a_minute_is_not_renewed_at_every_request() {
    let (script, clock) =
        (Script::new([token("one", 60), me(), me(), token("two", 60), me()]), clock());
    let client = client(&script, &clock, literal());
    for wait in [0, 29, 1] {
        clock.advance(Duration::from_secs(wait));
        ask(&client).await.unwrap();
    }
    assert_eq!(story(&script), ["exchange", "one", "one", "exchange", "two"]);
}

#[tokio::test]
async fn a_401_from_the_api_exchanges_once_more_and_sends_once_more() {
    let script =
        Script::new([token("one", 3600), refusal(401, None, &[]), token("two", 3600), me()]);
    ask(&client(&script, &clock(), literal())).await.unwrap();
    assert_eq!(story(&script), ["exchange", "one", "exchange", "two"]);
    let no = || refusal(401, None, &[]);
    let script = Script::new([token("one", 3600), no(), token("two", 3600), no()]);
    let error = ask(&client(&script, &clock(), literal())).await.unwrap_err();
    assert_eq!((error.status(), story(&script).len()), (Some(401), 4));
}

#[tokio::test]
async fn two_requests_refused_with_the_same_token_share_the_next_one() {
    let script = Script::new([token("one", 3600), token("two", 3600)]);
    let exchange =
        Exchange::new(identity(literal()), script.clone(), Arc::new(clock()), 7, Arc::default());
    let one = exchange.token().await.unwrap();
    exchange.refused(one.generation);
    let two = exchange.token().await.unwrap();
    exchange.refused(one.generation);
    assert_eq!(exchange.token().await.unwrap().generation, two.generation);
}

#[tokio::test]
async fn a_401_from_the_exchange_is_tried_twice() {
    let script = Script::new([refusal(401, None, &[]), token("one", 3600), me()]);
    ask(&client(&script, &clock(), literal())).await.unwrap();
    let script = Script::new([refusal(401, None, &[]), refusal(401, None, &[])]);
    let error = ask(&client(&script, &clock(), literal())).await.unwrap_err();
    assert!(
        error.to_string().starts_with("workload identity: POST /v1/oauth/token: 401"),
        "{error}"
    );
    assert_eq!(script.left(), 0);
}

#[tokio::test]
async fn an_exchange_is_tried_again_after_a_passing_failure() {
    for first in [lost(), refusal(503, None, &[]), refusal(429, None, &[("retry-after", "3")])] {
        let (script, clock) = (Script::new([first, token("one", 3600), me()]), clock());
        ask(&client(&script, &clock, literal())).await.unwrap();
        let waits = clock.sleeps();
        assert!(waits.len() == 1 && waits[0] >= Duration::from_millis(300), "{waits:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_token_is_refused_without_showing_it() {
    for body in [
        json!({"access_token": "sk-ant-oat01-hush"}),
        json!({"access_token": "sk-ant-oat01-hush", "expires_in": "soon"}),
        json!({"access_token": "sk-ant-oat01-hush", "expires_in": 3600, "token_type": "mac"}),
        json!({"access_token": "sk-ant-oat01 hush", "expires_in": 3600}),
        json!({"expires_in": 3600}),
        json!([]),
    ] {
        let error = ask(&client(&Script::new([ok(&body)]), &clock(), literal())).await.unwrap_err();
        assert!(
            matches!(&error, ApiError::TokenExchange(inner) if matches!(inner.error, ApiError::Shape { .. })),
            "{error}"
        );
        assert!(!format!("{error:?}").contains("hush"), "{error:?}");
    }
    let long = "x".repeat(LONGEST_ANSWER + 1);
    let error =
        ask(&client(&Script::new([raw(200, &[], &long)]), &clock(), literal())).await.unwrap_err();
    assert!(error.to_string().contains("longer than 1048576 bytes"), "{error}");
}

#[tokio::test]
async fn an_assertion_that_the_server_sends_back_is_not_shown() {
    let error = json!({"error": {"type": "authentication_error", "message": format!("no: {JWT}"), "details": {"jwt": JWT}}});
    let answer = || raw(400, &[], &error.to_string());
    let error = ask(&client(&Script::new([answer()]), &clock(), literal())).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("c2ln"), "{error:?}");
}

#[tokio::test]
async fn the_token_file_is_read_anew_at_each_exchange_and_trimmed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "jwt-one\n").unwrap();
    let (script, clock) =
        (Script::new([token("one", 3600), me(), token("two", 3600), me()]), clock());
    let client = client(&script, &clock, IdentityToken::File(path.clone()));
    ask(&client).await.unwrap();
    std::fs::write(&path, "jwt-two\n").unwrap();
    clock.advance(Duration::from_hours(1));
    ask(&client).await.unwrap();
    let sent: Vec<Value> = [0, 2]
        .map(|index: usize| {
            let body = script.requests()[index].body.clone().unwrap();
            serde_json::from_slice::<Value>(&body).unwrap()["assertion"].clone()
        })
        .to_vec();
    assert_eq!(sent, ["jwt-one", "jwt-two"]);
}

#[tokio::test]
async fn a_token_file_that_cannot_be_used_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    for (content, why) in [
        (None, "cannot read `"),
        (Some(b" \n".to_vec()), "is empty"),
        (Some(vec![b'x'; LONGEST_IDENTITY + 1]), "longer than 16384 bytes"),
        (Some(vec![0xff]), "is not text"),
        (Some(b"two words".to_vec()), "white space inside"),
    ] {
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        let client = client(&Script::new([]), &clock(), IdentityToken::File(path.clone()));
        let error = ask(&client).await.unwrap_err();
        assert!(error.to_string().contains(why), "{error} lacks {why}");
        assert!(error.next_step().unwrap().contains("`ANTHROPIC_IDENTITY_TOKEN_FILE`"));
    }
    std::fs::write(&path, [vec![b'x'; LONGEST_IDENTITY], b"\n".to_vec()].concat()).unwrap();
    let client =
        client(&Script::new([token("one", 60), me()]), &clock(), IdentityToken::File(path));
    ask(&client).await.unwrap();
}

#[tokio::test]
async fn a_token_that_was_renewed_in_time_is_not_given_up_for_the_refusal_of_the_one_before() {
    let script = Script::new([token("one", 3600), token("two", 3600)]);
    let clock = clock();
    let exchange = Exchange::new(
        identity(literal()),
        script.clone(),
        Arc::new(clock.clone()),
        7,
        Arc::default(),
    );
    let one = exchange.token().await.unwrap();
    clock.advance(Duration::from_secs(3500));
    let two = exchange.token().await.unwrap();
    assert!(two.generation > one.generation);
    exchange.refused(one.generation);
    assert_eq!(exchange.token().await.unwrap().generation, two.generation);
    assert_eq!(story(&script), ["exchange", "exchange"]);
}

/// A transport whose next exchanges wait until they are let go.
struct Slow {
    script: Arc<Script>,
    waits: std::sync::atomic::AtomicBool,
    go: tokio::sync::Notify,
}

impl Transport for Slow {
    fn send(&self, request: RawRequest) -> crate::api::transport::BoxFuture<'_, Answer> {
        Box::pin(async {
            if request.target == PATH && self.waits.load(Ordering::Acquire) {
                self.go.notified().await;
            }
            self.script.send(request).await
        })
    }
}

#[tokio::test]
async fn a_renewal_keeps_nobody_waiting_who_has_a_good_token() {
    let script = Script::new([token("one", 3600), token("two", 3600)]);
    let slow = Arc::new(Slow {
        script: script.clone(),
        waits: false.into(),
        go: tokio::sync::Notify::new(),
    });
    let clock = clock();
    let exchange = Exchange::new(
        identity(literal()),
        slow.clone(),
        Arc::new(clock.clone()),
        7,
        Arc::default(),
    );
    let one = exchange.token().await.unwrap();
    clock.advance(Duration::from_secs(3500));
    slow.waits.store(true, Ordering::Release);
    let renewal = exchange.token();
    let others = async {
        for _ in 0..3 {
            let good = tokio::time::timeout(Duration::from_secs(5), exchange.token()).await;
            assert_eq!(good.expect("it does not wait").unwrap().generation, one.generation);
        }
        // Its refusal by the API is noted at once, too.
        exchange.refused(one.generation + 7);
        slow.go.notify_one();
    };
    let (two, ()) = tokio::join!(renewal, others);
    assert_eq!(two.unwrap().generation, one.generation + 1);
    assert_eq!(story(&script), ["exchange", "exchange"]);
}

#[cfg(unix)]
#[tokio::test]
async fn trouble_with_the_kept_token_is_told_once_and_fails_nothing() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access-token");
    std::fs::write(&path, "members: {}").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let identity = WorkloadIdentity { cache: Some(path), ..identity(literal()) };
    let script = Script::new([token("one", 3600), me(), me()]);
    let credential = Credential::WorkloadIdentity(identity);
    let client = Client::new(script, credential, Arc::new(clock()), Options::default());
    ask(&client).await.unwrap();
    ask(&client).await.unwrap();
    assert_eq!(
        client.token_cache_troubles(),
        [
            "the file of `CHARTER_TOKEN_CACHE` is open to other users (mode 0644, 0600 is wanted): it is not used",
            "the file of `CHARTER_TOKEN_CACHE` holds something else than a kept token, and is not replaced: the next run \
             has to exchange its identity token again",
        ]
    );
    assert_eq!(client.token_cache_troubles(), Vec::<String>::new());
}

/// A token that names itself, good for an hour from the test's clock on.
fn named_token(id: &str) -> String {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
    let now = clock().now().as_second();
    let aud = "https://api.anthropic.com";
    let claims = json!({"aud": aud, "iat": now, "exp": now + 3_600, "jti": id});
    format!("eyJhbGciOiJSUzI1NiJ9.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()))
}

#[tokio::test]
async fn an_identity_token_with_a_jti_is_exchanged_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, named_token("one")).unwrap();
    let answers = [token("one", 3600), me(), me(), token("two", 3600), me()];
    let (script, clock) = (Script::new(answers), clock());
    let client = client(&script, &clock, IdentityToken::File(path.clone()));
    ask(&client).await.unwrap();
    // The renewal that is not urgent is left out.
    clock.advance(Duration::from_secs(3500));
    ask(&client).await.unwrap();
    clock.advance(Duration::from_secs(100));
    let error = ask(&client).await.unwrap_err();
    assert!(matches!(error, ApiError::IdentityTokenTaken { literal: false }), "{error}");
    assert!(error.next_step().unwrap().contains("token_lifetime_seconds"));
    std::fs::write(&path, named_token("two")).unwrap();
    ask(&client).await.unwrap();
    assert_eq!(story(&script), ["exchange", "one", "one", "exchange", "two"]);
}

#[tokio::test]
async fn a_refused_identity_token_with_a_jti_is_not_sent_again_and_its_reuse_is_the_first_cause() {
    let identity = IdentityToken::Literal(Secret::new(named_token("one")));
    let script = Script::new([refusal(401, None, &[])]);
    let error = ask(&client(&script, &clock(), identity)).await.unwrap_err();
    let help = error.next_step().unwrap();
    assert!(
        help.starts_with(
            "the API does not say more: most likely the identity token was exchanged already"
        ),
        "{help}"
    );
    assert!(help.contains("CHARTER_TOKEN_CACHE") && help.contains("check_jti: false"), "{help}");
}

#[tokio::test]
async fn a_flaw_that_can_be_seen_in_the_identity_token_is_the_help() {
    let expired = named_token("one");
    let clock = clock();
    clock.advance(Duration::from_hours(3));
    let script = Script::new([refusal(401, None, &[])]);
    let error = ask(&client(&script, &clock, IdentityToken::Literal(Secret::new(expired))))
        .await
        .unwrap_err();
    let help = error.next_step().unwrap();
    assert!(help.contains("it expired 2 h ago by this machine's clock"), "{help}");
}

#[tokio::test]
async fn one_failure_of_the_token_endpoint_is_shared_by_all_that_wait_for_it() {
    let script = Script::new((0..6).map(|_| refusal(503, None, &[])));
    let clock = clock();
    let client = client(&script, &clock, literal());
    let asks = futures_util::future::join_all((0..16).map(|_| ask(&client))).await;
    assert!(asks.iter().all(|answer| matches!(answer, Err(ApiError::TokenExchange(_)))));
    assert_eq!(script.left(), 0);
    assert!(clock.monotonic() < Duration::from_secs(30), "{:?}", clock.monotonic());
}

#[tokio::test]
async fn no_byte_of_an_exchange_that_was_cut_short_is_shown() {
    for body in
        [r#"{"access_token": "sk-ant-oat01-hush", "expi"#, "sk-ant-oat01-hush", "<html>hush</html>"]
    {
        let error = ask(&client(
            &Script::new([raw(200, &[], body), raw(200, &[], body), raw(200, &[], body)]),
            &clock(),
            literal(),
        ))
        .await
        .unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
        assert!(error.to_string().contains("it is no JSON, or was cut short"), "{error}");
    }
}

#[tokio::test]
async fn a_second_run_of_a_job_takes_the_token_that_the_first_one_kept() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Some(folder.path().join("access-token"));
    let run = |script: &Arc<Script>, clock: &TestClock| {
        let identity = WorkloadIdentity { cache: cache.clone(), ..identity(literal()) };
        let credential = Credential::WorkloadIdentity(identity);
        Client::new(script.clone(), credential, Arc::new(clock.clone()), Options::default())
    };
    let clock = clock();
    let first = Script::new([token("one", 3600), me()]);
    ask(&run(&first, &clock)).await.unwrap();
    let second = Script::new([me(), refusal(401, None, &[]), token("two", 3600), me()]);
    let client = run(&second, &clock);
    ask(&client).await.unwrap();
    // One that was taken back is replaced.
    ask(&client).await.unwrap();
    assert_eq!(story(&second), ["one", "one", "exchange", "two"]);
    clock.advance(Duration::from_secs(3_575));
    let third = Script::new([token("three", 3600), me()]);
    ask(&run(&third, &clock)).await.unwrap();
    assert_eq!(story(&third), ["exchange", "three"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_pipe_is_no_token_file_and_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    for path in [pipe, folder.path().to_owned()] {
        let client = client(&Script::new([]), &clock(), IdentityToken::File(path));
        let error =
            tokio::time::timeout(Duration::from_secs(20), ask(&client)).await.unwrap().unwrap_err();
        assert!(error.to_string().contains("is no regular file"), "{error}");
    }
}
