//! Replies: JSON, errors in their envelope, and the pages of proxies.
//!
//! Invariant: a reply of the API has its headers, and a proxy's page has none of them.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{faults::http_date, refusal::Refusal, state::State};
use crate::api::transport::RawResponse;

/// An error in its envelope.
pub(super) fn refuse(refusal: &Refusal, request_id: &str) -> RawResponse {
    json_reply(refusal.status, &refusal.envelope(request_id))
}

/// JSON.
pub(super) fn json_reply(status: u16, value: &Value) -> RawResponse {
    let mut response = blank(status);
    response.headers.push(("content-type".to_owned(), "application/json".to_owned()));
    response.body = Bytes::from(value.to_string());
    response
}

/// JSON that answers nothing.
pub(super) fn surprise() -> RawResponse {
    json_reply(200, &json!(["surprise"]))
}

/// What a proxy says.
pub(super) fn html(status: u16) -> RawResponse {
    let mut response = blank(status);
    response.headers.push(("content-type".to_owned(), "text/html; charset=utf-8".to_owned()));
    response.body = Bytes::from_static(
        b"<!DOCTYPE html>\n<html><head><title>Proxy</title></head><body><h1>Access denied by the proxy</h1></body></html>\n",
    );
    response
}

/// Nothing but a status.
pub(super) fn blank(status: u16) -> RawResponse {
    RawResponse { status, headers: Vec::new(), body: Bytes::new() }
}

/// Adds the headers that every reply of the API has; a proxy's page has only the date.
pub(super) fn finish(state: &State, mut response: RawResponse, request_id: &str) -> RawResponse {
    let html = response.header("content-type").is_some_and(|media| media.starts_with("text/html"));
    response.headers.push(("date".to_owned(), http_date(state.now())));
    if !html {
        response.headers.push(("request-id".to_owned(), request_id.to_owned()));
        let organization = state.organization.id.clone();
        response.headers.push(("anthropic-organization-id".to_owned(), organization));
    }
    response
}
