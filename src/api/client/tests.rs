//! What is sent, when it is sent again, and how a request ends.

use serde_json::json;

use super::*;
use crate::api::{
    script::{Answer, Script, client, clock, header, key, lost, ok, raw, refusal},
    transport::{Method, TransportError},
    wire::{Me, User},
};
use crate::secret::Secret;

fn post() -> RawRequest {
    let target = "/v1/organizations/invites".to_owned();
    RawRequest { method: Method::Post, target, headers: Vec::new(), body: Some("{}".into()) }
}

fn delete() -> RawRequest {
    let target = "/v1/organizations/users/user_1".to_owned();
    RawRequest { method: Method::Delete, target, headers: Vec::new(), body: None }
}

fn me() -> Answer {
    ok(
        &json!({"id": "3f0c1b1e-0000-4000-8000-000000000000", "name": "Acme", "type": "organization"}),
    )
}

fn invite() -> Answer {
    ok(&json!({"id": "invite_1", "type": "invite"}))
}

fn gone() -> Answer {
    ok(&json!({"id": "user_1", "type": "user_deleted"}))
}

fn refused(variable: TransportError) -> Answer {
    Err(variable)
}

async fn write(resend: Resend, answers: Vec<Answer>) -> (Result<Reply, WriteError>, usize) {
    let script = Script::new(answers);
    let reply = client(&script, &clock()).writer().send(post(), resend, Budget::Shared).await;
    assert_eq!(script.left(), 0, "fewer requests than scripted: {reply:?}");
    (reply, script.requests().len())
}

#[tokio::test]
async fn a_key_goes_into_x_api_key_with_version_and_user_agent() {
    let script = Script::new([me(), invite(), gone()]);
    let client = client(&script, &clock());
    client.reader().get::<Me>(&["me"]).await.unwrap();
    client.writer().send(post(), Resend::LookFirst, Budget::Invites).await.unwrap();
    client.writer().send(delete(), Resend::Gone, Budget::Shared).await.unwrap();
    let requests = script.requests();
    let version = concat!("orgcharter/", env!("CARGO_PKG_VERSION"));
    for request in &requests {
        assert_eq!(header(request, "x-api-key"), Some("sk-ant-admin01-test"));
        assert_eq!(header(request, "authorization"), None);
        assert_eq!(header(request, "anthropic-version"), Some("2023-06-01"));
        assert_eq!(header(request, "anthropic-beta"), None);
        assert_eq!(header(request, "accept"), Some("application/json"));
        assert_eq!(header(request, "user-agent"), Some(version));
        let wanted = (request.method == Method::Post).then_some("application/json");
        assert_eq!(header(request, "content-type"), wanted);
    }
    assert_eq!(client.reader().requests_sent(), 3);
}

#[tokio::test]
async fn a_token_goes_into_the_authorization_header_alone() {
    let script = Script::new([me()]);
    let token =
        Credential::Token(Secret::new("sk-ant-oat01-t".into()), "ANTHROPIC_AUTH_TOKEN".into());
    let client = Client::new(script.clone(), token, Arc::new(clock()), Options::default());
    client.reader().get::<Me>(&["me"]).await.unwrap();
    let request = &script.requests()[0];
    assert_eq!(header(request, "authorization"), Some("Bearer sk-ant-oat01-t"));
    assert_eq!(header(request, "x-api-key"), None);
    assert_eq!(header(request, "anthropic-beta"), Some("oauth-2025-04-20"));
}

#[tokio::test]
async fn a_bearer_that_is_no_login_gets_no_beta_of_logins() {
    let script = Script::new([me()]);
    let token =
        Credential::Token(Secret::new("gateway-token".into()), "ANTHROPIC_AUTH_TOKEN".into());
    let client = Client::new(script.clone(), token, Arc::new(clock()), Options::default());
    client.reader().get::<Me>(&["me"]).await.unwrap();
    assert_eq!(header(&script.requests()[0], "anthropic-beta"), None);
}

#[tokio::test]
async fn answers_from_two_organizations_end_everything_at_once() {
    let from = |organization: &str| {
        raw(
            200,
            &[("anthropic-organization-id", organization)],
            r#"{"id": "org-1", "type": "organization"}"#,
        )
    };
    let script = Script::new([from("ORG-1"), me(), from("org-1"), from("org-2")]);
    let client = client(&script, &clock());
    for _ in 0..3 {
        client.reader().get::<Me>(&["me"]).await.unwrap();
    }
    let error = client.writer().send(post(), Resend::Safe, Budget::Shared).await.unwrap_err();
    assert!(matches!(&error, WriteError::Unknown(ApiError::AnotherOrganization { .. })), "{error}");
    assert!(error.to_string().contains("`org-2`, and earlier ones from `ORG-1`"), "{error}");
    let error = client.reader().get::<Me>(&["me"]).await.unwrap_err();
    assert!(matches!(error, ApiError::AnotherOrganization { .. }), "{error}");
    assert_eq!(script.requests().len(), 4);
}

#[tokio::test]
async fn a_read_is_sent_again_after_each_passing_failure() {
    let passing: [fn() -> Answer; 9] = [
        || refusal(408, None, &[]),
        || refusal(409, None, &[]),
        || refusal(429, None, &[]),
        || refusal(500, None, &[]),
        || refusal(504, None, &[]),
        || refusal(529, None, &[]),
        || raw(502, &[], "<html>bad gateway</html>"),
        lost,
        || refused(TransportError::Connect("refused".into())),
    ];
    for answer in passing {
        let script = Script::new([answer(), me()]);
        client(&script, &clock()).reader().get::<Me>(&["me"]).await.unwrap();
        assert_eq!(script.requests().len(), 2, "{:?}", answer());
    }
}

#[tokio::test]
async fn a_read_is_not_sent_again_after_a_lasting_failure() {
    let lasting: [fn() -> Answer; 8] = [
        || refusal(400, None, &[]),
        || refusal(401, None, &[]),
        || refusal(403, None, &[]),
        || refusal(404, None, &[]),
        || refusal(413, None, &[]),
        || refused(TransportError::Certificate("expired".into())),
        || refused(TransportError::Redirect("https://elsewhere.acme.com".into())),
        || refused(TransportError::TooLarge(1)),
    ];
    for answer in lasting {
        let script = Script::new([answer()]);
        client(&script, &clock()).reader().get::<Me>(&["me"]).await.unwrap_err();
        assert_eq!(script.requests().len(), 1, "{:?}", answer());
    }
}

#[tokio::test]
async fn a_success_that_is_not_the_apis_is_asked_for_again_twice_but_nothing_is_made_again() {
    let unreadable: [fn() -> Answer; 4] = [
        || raw(200, &[], "<html>please sign in</html>"),
        || raw(200, &[], r#"{"id": "invite_1", "type": "inv"#),
        || raw(200, &[], ""),
        || ok(&json!({"id": "msg_1", "type": "message"})),
    ];
    for answer in unreadable {
        let (reply, sent) = write(Resend::Safe, vec![answer(), answer(), invite()]).await;
        assert_eq!((reply.unwrap().attempts, sent), (3, 3));
        let (reply, _) = write(Resend::Safe, vec![answer(), answer(), answer()]).await;
        assert!(matches!(reply, Err(WriteError::Unknown(_))), "{reply:?}");
        let (reply, _) = write(Resend::LookFirst, vec![answer()]).await;
        assert!(matches!(reply, Err(WriteError::Unknown(_))), "{reply:?}");
    }
    for answer in &unreadable[..2] {
        let script = Script::new([answer(), answer(), me()]);
        client(&script, &clock()).reader().get::<Me>(&["me"]).await.unwrap();
    }
}

#[tokio::test]
async fn a_create_is_sent_again_only_if_it_certainly_had_no_effect() {
    let nothing_done: [fn() -> Answer; 3] = [
        || refusal(429, None, &[]),
        || refusal(409, None, &[]),
        || refused(TransportError::Connect("refused".into())),
    ];
    for answer in nothing_done {
        let (reply, sent) = write(Resend::LookFirst, vec![answer(), invite()]).await;
        assert_eq!((reply.unwrap().attempts, sent), (2, 2), "{:?}", answer());
    }
    let maybe_done: [fn() -> Answer; 9] = [
        || refusal(408, None, &[]),
        || refusal(499, None, &[]),
        // A conflict of an unknown kind may be one that says that it was done.
        || refusal(409, Some("from_the_future"), &[]),
        || refusal(500, None, &[]),
        || refusal(529, None, &[("x-should-retry", "true")]),
        || raw(502, &[], "<html>bad gateway</html>"),
        || raw(200, &[], "<html>please sign in</html>"),
        lost,
        || refused(TransportError::TooLarge(1)),
    ];
    for answer in maybe_done {
        let (reply, sent) = write(Resend::LookFirst, vec![answer()]).await;
        assert!(matches!(reply, Err(WriteError::Unknown(_))), "{:?}: {reply:?}", answer());
        assert_eq!(sent, 1);
    }
    let (reply, sent) =
        write(Resend::LookFirst, vec![refusal(400, Some("already_member"), &[])]).await;
    let error = reply.unwrap_err();
    assert!(matches!(error, WriteError::Failed(_)));
    assert_eq!((error.error().code(), sent), (Some("already_member"), 1));
}

#[tokio::test]
async fn a_create_is_not_sent_again_because_a_header_says_so() {
    let told = refusal(400, None, &[("x-should-retry", "true")]);
    let (reply, sent) = write(Resend::LookFirst, vec![told]).await;
    assert!(matches!(reply, Err(WriteError::Failed(_))));
    assert_eq!(sent, 1);
}

#[tokio::test]
async fn a_write_of_absolute_values_is_sent_again_after_a_lost_reply() {
    for answer in [lost(), refusal(500, None, &[]), refusal(408, None, &[])] {
        let (reply, sent) = write(Resend::Safe, vec![answer, invite()]).await;
        assert_eq!((reply.unwrap().value["id"].as_str(), sent), (Some("invite_1"), 2));
    }
}

#[tokio::test]
async fn a_write_whose_every_reply_was_lost_has_an_unknown_outcome() {
    let (reply, sent) = write(Resend::Safe, (0..6).map(|_| lost()).collect()).await;
    assert!(matches!(reply, Err(WriteError::Unknown(_))));
    assert_eq!(sent, 6);
}

#[tokio::test]
async fn a_refusal_after_a_lost_reply_leaves_the_outcome_unknown() {
    let (reply, _) = write(Resend::Safe, vec![lost(), refusal(400, None, &[])]).await;
    assert!(matches!(reply, Err(WriteError::Unknown(_))), "{reply:?}");
    let (reply, _) =
        write(Resend::Safe, vec![refusal(429, None, &[]), refusal(400, None, &[])]).await;
    assert!(matches!(reply, Err(WriteError::Failed(_))), "{reply:?}");
}

#[tokio::test]
async fn a_removal_that_finds_nothing_when_sent_again_has_succeeded() {
    for first in
        [lost(), refusal(500, None, &[]), refusal(409, Some("concurrent_membership_change"), &[])]
    {
        let script = Script::new([first, refusal(404, None, &[("request-id", "req_gone")])]);
        let writer = client(&script, &clock()).writer();
        let reply = writer.send(delete(), Resend::Gone, Budget::Shared).await.unwrap();
        assert!(reply.already_gone);
        assert_eq!(reply.request_id.as_deref(), Some("req_gone"));
    }
}

#[tokio::test]
async fn a_removal_that_finds_nothing_at_once_has_failed() {
    let script = Script::new([refusal(404, None, &[])]);
    let writer = client(&script, &clock()).writer();
    let error = writer.send(delete(), Resend::Gone, Budget::Shared).await.unwrap_err();
    assert!(matches!(&error, WriteError::Failed(error) if error.is_not_found()));
}

#[tokio::test]
async fn a_proxys_404_does_not_prove_that_something_is_gone() {
    let script = Script::new([lost(), raw(404, &[], "<html>no such host</html>")]);
    let writer = client(&script, &clock()).writer();
    let error = writer.send(delete(), Resend::Gone, Budget::Shared).await.unwrap_err();
    assert!(matches!(error, WriteError::Unknown(ApiError::NotJson { status: 404, .. })));
}

#[tokio::test]
async fn a_path_that_does_not_mean_what_it_says_is_not_sent() {
    let script = Script::new([]);
    let client = client(&script, &clock());
    for segment in ["", ".", ".."] {
        let error = client.reader().get::<User>(&["users", segment]).await.unwrap_err();
        assert!(matches!(error, ApiError::Path(_)), "{segment:?}: {error}");
    }
    let target = "/v1/organizations/users/%2e%2E".to_owned();
    let request = RawRequest { target, ..delete() };
    client.writer().send(request, Resend::Gone, Budget::Shared).await.unwrap_err();
}

#[tokio::test]
async fn ids_are_percent_encoded() {
    let user = json!({"id": "a/b", "email": "a@acme.com", "role": "user", "type": "user"});
    let script = Script::new([ok(&user)]);
    client(&script, &clock()).reader().get::<User>(&["users", "a/b?c"]).await.unwrap();
    assert_eq!(script.lines(), ["GET /v1/organizations/users/a%2Fb%3Fc"]);
}

#[tokio::test]
async fn an_answer_without_a_body_ends_a_write_well_and_a_read_badly() {
    let script =
        Script::new([raw(204, &[], ""), raw(200, &[], ""), raw(204, &[], ""), raw(200, &[], "")]);
    let client = client(&script, &clock());
    let reply = client.writer().send(delete(), Resend::Gone, Budget::Shared).await.unwrap();
    assert_eq!(reply.value, serde_json::Value::Null);
    let error = client.reader().get::<Me>(&["me"]).await.unwrap_err();
    assert!(matches!(error, ApiError::NotJson { status: 200, .. }));
}

#[tokio::test]
async fn another_sort_of_object_than_asked_for_is_an_error() {
    let script = Script::new([ok(&json!({"id": "x", "type": "workspace"}))]);
    let error = client(&script, &clock()).reader().get::<Me>(&["me"]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "GET /v1/organizations/me: unexpected answer: type: wanted `organization`, got `workspace` (request-id req_ok)"
    );
}

#[tokio::test]
async fn what_answers_say_beside_their_bodies_is_kept() {
    let headers =
        [("anthropic-organization-id", "org-1"), ("date", "Sun, 22 Nov 2026 09:52:00 GMT")];
    let script = Script::new([refusal(403, None, &headers)]);
    let reader = client(&script, &clock()).reader();
    assert_eq!((reader.organization_header(), reader.server_date()), (None, None));
    reader.get::<Me>(&["me"]).await.unwrap_err();
    assert_eq!(reader.organization_header().as_deref(), Some("org-1"));
    assert_eq!(reader.server_date().unwrap().to_string(), "2026-11-22T09:52:00Z");
    assert_eq!(reader.clock_skew(), Some(SignedDuration::from_mins(8)));
}

#[tokio::test]
async fn a_credential_that_the_server_sends_back_is_not_shown() {
    let echo = json!({"type": "error", "error": {"type": "authentication_error",
        "message": "key sk-ant-admin01-test is not known", "details": {"key": "sk-ant-admin01-test"}}});
    let page = "<html>you sent sk-ant-admin01-test</html>";
    let script = Script::new([raw(401, &[], &echo.to_string()), raw(403, &[], page)]);
    let reader = client(&script, &clock()).reader();
    for _ in 0..2 {
        let error = reader.get::<Me>(&["me"]).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("admin01-test"), "{error:?}");
        assert!(error.to_string().contains("[hidden]"), "{error}");
    }
}

#[tokio::test]
async fn a_refused_credential_is_named_by_its_variable() {
    let script = Script::new([refusal(401, None, &[])]);
    let error = client(&script, &clock()).reader().get::<Me>(&["me"]).await.unwrap_err();
    assert!(error.next_step().unwrap().starts_with("check `ANTHROPIC_ADMIN_KEY`"));
}

async fn help(credential: Credential, also_set: &[&str], answer: Answer) -> String {
    let also_set = also_set.iter().map(|name| (*name).to_owned()).collect();
    let options = Options { also_set, ..Options::default() };
    let client = Client::new(Script::new([answer]), credential, Arc::new(clock()), options);
    client.reader().get::<Me>(&["users"]).await.unwrap_err().next_step().unwrap()
}

fn said(status: u16, message: &str) -> Answer {
    let error = json!({"type": "permission_error", "message": message, "details": {"error_visibility": "user_facing"}});
    raw(status, &[], &json!({"type": "error", "error": error}).to_string())
}

fn login() -> Credential {
    Credential::Token(Secret::new("sk-ant-oat01-t".into()), "ANTHROPIC_AUTH_TOKEN".into())
}

#[tokio::test]
async fn each_cause_of_a_refused_credential_has_help_of_its_own() {
    let key = |text: &str| Credential::Key(Secret::new(text.into()), "ANTHROPIC_API_KEY".into());
    let cases = [
        (key("sk-ant-admin01-a"), 401, "API key is invalid.", "is refused (mistyped, revoked"),
        (
            key("sk-ant-admin01-a"),
            401,
            "API key has expired.",
            "has expired: an organization admin makes a new one",
        ),
        (
            login(),
            401,
            "invalid",
            "`export ANTHROPIC_AUTH_TOKEN=\"$(ant auth print-credentials --profile admin --access-token)\"`",
        ),
        (
            login(),
            403,
            "Authentication method not allowed",
            "is not for the Admin API (a login of Claude Code",
        ),
        (login(), 403, "no", "needs the scope `org:admin`"),
        (
            key("sk-ant-api01-a"),
            403,
            "Missing required scopes. Got: ['write:members'] Needed one of: ['read:members']",
            "needs the scope `read:members`",
        ),
        (key("sk-ant-api01-a"), 403, "no", "a workspace-scoped key can't"),
    ];
    for (credential, status, message, wanted) in cases {
        let help = help(credential, &[], said(status, message)).await;
        assert!(help.contains(wanted), "{status} {message}: {help}");
        assert!(!help.contains("not used"), "{help}");
    }
}

#[tokio::test]
async fn a_refused_credential_names_the_others_that_are_set() {
    for status in [401, 403] {
        let answer = said(status, "no");
        let help =
            help(key(), &["ANTHROPIC_API_KEY", "ANTHROPIC_FEDERATION_RULE_ID"], answer).await;
        let wanted = "`ANTHROPIC_ADMIN_KEY` came first, so `ANTHROPIC_API_KEY`, `ANTHROPIC_FEDERATION_RULE_ID` are set too \
                      and not used";
        assert!(help.contains(wanted), "{help}");
    }
}

#[tokio::test]
async fn a_limit_that_headers_tell_is_kept_without_a_refusal() {
    let headers = |remaining: &'static str| {
        let headers = [
            ("anthropic-ratelimit-requests-limit", "100"),
            ("anthropic-ratelimit-requests-remaining", remaining),
            ("anthropic-ratelimit-requests-reset", "2026-11-22T10:01:00Z"),
            ("date", "Sun, 22 Nov 2026 10:00:00 GMT"),
        ];
        raw(200, &headers, r#"{"id": "org-1", "type": "organization"}"#)
    };
    let (script, clock) = (Script::new([headers("1"), headers("0"), headers("0")]), clock());
    let reader = client(&script, &clock).reader();
    for _ in 0..3 {
        reader.get::<Me>(&["me"]).await.unwrap();
    }
    let waited = clock.monotonic();
    assert!(waited >= Duration::from_millis(500) && waited < Duration::from_secs(2), "{waited:?}");
}
