//! What errors show, and what they advise (`admin-api` notes on the error envelope and statuses).

use serde_json::json;

use super::*;

fn asked(target: &str) -> Asked {
    Asked::of(&RawRequest {
        method: Method::Post,
        target: target.into(),
        headers: Vec::new(),
        body: None,
    })
}

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> ApiError {
    let headers = headers.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    let response = RawResponse { status, headers, body: body.to_owned().into() };
    ApiError::from_response(asked("/v1/organizations/invites?limit=1000"), &response)
}

fn typed(status: u16, kind: &str, details: &Value) -> ApiError {
    let error = json!({"type": kind, "message": "some words", "details": details});
    answer(
        status,
        &[],
        &json!({"type": "error", "error": error, "request_id": "req_body"}).to_string(),
    )
}

#[test]
fn an_error_shows_request_status_type_code_message_and_request_id() {
    let error = typed(400, "invalid_request_error", &json!({"error_code": "already_member"}));
    assert_eq!(
        error.to_string(),
        "POST /v1/organizations/invites: 400 invalid_request_error (already_member): some words (request-id req_body)"
    );
    assert_eq!((error.code(), error.request_id()), (Some("already_member"), Some("req_body")));
}

#[test]
fn the_request_id_of_the_header_goes_before_the_bodys() {
    let body = r#"{"error": {"type": "api_error", "message": "m"}, "request_id": "req_body"}"#;
    let error = answer(500, &[("request-id", "req_head\x1b[0m")], body);
    assert_eq!(error.request_id(), Some("req_head[0m"));
}

#[test]
fn the_code_is_only_read_from_the_details() {
    let body =
        r#"{"error": {"type": "api_error", "message": "m", "error_code": "x", "code": "y"}}"#;
    assert_eq!(answer(400, &[], body).code(), None);
    for details in [json!(null), json!({}), json!({"error_code": 7}), json!([]), json!("words")] {
        assert_eq!(typed(400, "invalid_request_error", &details).code(), None, "{details}");
    }
    let error =
        typed(400, "invalid_request_error", &json!({"error_code": "brand_new", "field": "f"}));
    let ApiError::Status(error) = error else { panic!() };
    assert_eq!(error.code.as_deref(), Some("brand_new"));
    assert_eq!(error.details, Some(json!({"error_code": "brand_new", "field": "f"})));
}

#[test]
fn an_envelope_with_nothing_in_it_still_shows_the_status() {
    let error = answer(418, &[], r#"{"error": {}}"#);
    assert_eq!(error.to_string(), "POST /v1/organizations/invites: 418");
}

#[test]
fn a_proxys_page_shows_its_status_and_first_words() {
    let error = answer(407, &[], "<html>\n<b>Sign in</b>\x1b[31m");
    assert_eq!(
        error.to_string(),
        "POST /v1/organizations/invites: status 407, but the answer is not the API's JSON: `<html> <b>Sign in</b>[31m`"
    );
    assert!(error.next_step().unwrap().contains("`HTTPS_PROXY`"));
    assert!(matches!(answer(500, &[], r#"{"ok": true}"#), ApiError::NotJson { .. }));
}

#[test]
fn a_message_is_one_bounded_line() {
    let message = format!("one\ntwo\u{202e}{}", "x".repeat(10_000));
    let body = json!({"error": {"type": "t\u{7}", "message": message}}).to_string();
    let shown = answer(400, &[], &body).to_string();
    assert!(shown.starts_with("POST /v1/organizations/invites: 400 t: one twoxxx"), "{shown}");
    assert!(shown.chars().count() < 500);
}

#[test]
fn only_failures_that_may_have_had_their_effect_are_maybe_done() {
    for (status, maybe) in [
        (400, false),
        (404, false),
        (408, true),
        (409, false),
        (429, false),
        (500, true),
        (529, true),
    ] {
        assert_eq!(typed(status, "x", &json!(null)).maybe_done(), maybe, "{status}");
        assert_eq!(answer(status, &[], "<html>").maybe_done(), maybe, "{status}");
    }
    assert!(answer(200, &[], "<html>").maybe_done());
    for (source, maybe) in [
        (TransportError::Connect("x".into()), false),
        (TransportError::Certificate("x".into()), false),
        (TransportError::Redirect("x".into()), false),
        (TransportError::Lost("x".into()), true),
        (TransportError::TooLarge(1), true),
    ] {
        let error = ApiError::Transport { asked: asked("/x"), source };
        assert_eq!(error.maybe_done(), maybe, "{error}");
    }
}

#[test]
fn each_known_trouble_has_its_own_advice() {
    let on_hold = json!({"error_code": "organization_on_hold", "appeal_url": "https://support.acme.com/appeal"});
    for (error, advice) in [
        (typed(401, "authentication_error", &json!(null)), "check the credential"),
        (typed(403, "permission_error", &json!(null)), "a workspace-scoped key can't"),
        (
            typed(403, "permission_error", &json!({"error_code": "sandbox_egress_restricted"})),
            "run charter elsewhere",
        ),
        (
            typed(400, "invalid_request_error", &on_hold),
            "appeal at https://support.acme.com/appeal",
        ),
        (
            typed(
                400,
                "invalid_request_error",
                &json!({"error_code": "organization_type_not_supported"}),
            ),
            "`organization.kind`",
        ),
        (typed(402, "billing_error", &json!(null)), "billing"),
        (typed(409, "conflict_error", &json!(null)), "run again"),
        (typed(429, "rate_limit_error", &json!(null)), "`--requests-per-minute`"),
        (typed(529, "overloaded_error", &json!(null)), "run again later"),
        (
            ApiError::Transport { asked: asked("/x"), source: TransportError::Connect("x".into()) },
            "host is reachable",
        ),
        (
            ApiError::Transport {
                asked: asked("/x"),
                source: TransportError::Certificate("x".into()),
            },
            "`--ca-bundle`",
        ),
        (
            ApiError::Transport {
                asked: asked("/x"),
                source: TransportError::Redirect("x".into()),
            },
            "final address",
        ),
        (
            ApiError::TokenExchange(Box::new(
                typed(401, "authentication_error", &json!(null)).into(),
            )),
            "federation rule",
        ),
    ] {
        let step = error.next_step().unwrap();
        assert!(step.contains(advice), "{error}: {step}");
    }
    let body = json!({"error": {"type": "not_found_error", "message": "m"}}).to_string();
    let response = RawResponse { status: 404, headers: Vec::new(), body: body.into() };
    let error = ApiError::from_response(asked("/v1/organizations/me"), &response);
    assert!(error.next_step().unwrap().contains("individual accounts"));
    assert_eq!(typed(400, "invalid_request_error", &json!(null)).next_step(), None);
}

#[test]
fn only_the_call_that_says_who_one_is_blames_the_account_for_a_404() {
    let body = r#"{"error": {"type": "not_found_error", "message": "m"}}"#;
    let response = RawResponse { status: 404, headers: Vec::new(), body: body.into() };
    let advice = |target: &str| ApiError::from_response(asked(target), &response).next_step();
    assert!(advice("/v1/organizations/me").is_some());
    assert_eq!(advice("/v1/organizations/users/user_1"), None);
}

#[test]
fn a_refused_exchange_names_what_may_be_wrong_with_it() {
    let refused = |status: u16| {
        let error = typed(status, "invalid_request_error", &json!(null));
        ApiError::TokenExchange(Box::new(error.into())).next_step().unwrap()
    };
    assert!(refused(400).contains("that the identity token is a JWT"));
    assert!(refused(403).contains("against the federation rule"));
}

#[test]
fn a_response_never_shows_its_body_when_it_is_debugged() {
    let body = "a token that nobody should see";
    let response = RawResponse { status: 200, headers: Vec::new(), body: body.into() };
    assert_eq!(format!("{response:?}"), format!("200 ({} bytes)", body.len()));
}
