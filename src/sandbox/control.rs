//! `POST /_sandbox/…`: what people do outside the Admin API, for stories that run the real binary.
//!
//! Invariant: these calls need no credential, meet no fault, and stay out of the request log.

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{clock::moment, edit::Edit, state::State};
use crate::api::transport::{Method, RawRequest, RawResponse};

const PREFIX: &str = "/_sandbox/";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Accept {
    /// An invite's id or address; absent, every invite that waits.
    #[serde(default)]
    invite: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    #[serde(default)]
    seconds: Option<u64>,
    #[serde(default, with = "moment")]
    to: Option<jiff::Timestamp>,
}

/// The operation that a target names, if it is one of these.
pub(crate) fn operation(target: &str) -> Option<&str> {
    target.strip_prefix(PREFIX).map(|rest| rest.split('?').next().unwrap_or_default())
}

/// Carries it out.
pub(crate) fn run(state: &mut State, request: &RawRequest, operation: &str) -> RawResponse {
    match (request.method, operation) {
        (Method::Get, "state") => match state.to_yaml() {
            Ok(yaml) => reply(200, "application/yaml", yaml),
            Err(error) => failure(500, &error.to_string()),
        },
        (Method::Get, "log") => shown(&json!({
            "entries": state.log.entries(), "calls": state.log.calls(), "reads": state.log.reads(),
            "scripts": state.scripts.trouble(),
        })),
        (Method::Get, "clock") => shown(&json!({"now": state.now()})),
        (Method::Delete, "log") => {
            state.log.clear();
            shown(&json!({}))
        }
        (Method::Post, "accept") => with(request, |Accept { invite }| match invite {
            None => Ok(json!({"users": state.accept_all()})),
            Some(which) => match state.accept_invite(&which) {
                Some(user) => Ok(json!({"users": [user]})),
                None => Err(format!("no invite `{which}` waits")),
            },
        }),
        (Method::Post, "clock") => with(request, |Move { seconds, to }| {
            match (seconds, to) {
                (Some(seconds), None) => state.advance(Duration::from_secs(seconds)),
                (None, Some(to)) => state.clock.set(to),
                _ => return Err("give either `seconds` or `to`".to_owned()),
            }
            Ok(json!({"now": state.now()}))
        }),
        (Method::Post, "edit") => with(request, |edit: Edit| edit.make(state)),
        _ => failure(404, "the control routes are accept, clock, edit, log and state"),
    }
}

fn with<T: for<'de> Deserialize<'de>>(
    request: &RawRequest,
    run: impl FnOnce(T) -> Result<Value, String>,
) -> RawResponse {
    let body = request.body.as_ref().filter(|body| !body.is_empty());
    let body = body.map_or(b"{}".as_slice(), |body| body);
    match serde_json::from_slice(body).map_err(|error| error.to_string()).and_then(run) {
        Ok(value) => shown(&value),
        Err(message) => failure(400, &message),
    }
}

fn shown(value: &Value) -> RawResponse {
    reply(200, "application/json", value.to_string())
}

fn failure(status: u16, message: &str) -> RawResponse {
    reply(status, "application/json", json!({"error": message}).to_string())
}

fn reply(status: u16, media: &str, body: String) -> RawResponse {
    let headers = vec![("content-type".to_owned(), media.to_owned())];
    RawResponse { status, headers, body: Bytes::from(body) }
}
