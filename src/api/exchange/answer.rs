//! Reads the answer to a token exchange.
//!
//! Invariant: no byte of a successful answer is ever shown.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{NOW, SOON, Token, asked};
use crate::{
    api::{
        credential::flaw,
        error::{ApiError, request_id},
        text,
        transport::RawResponse,
    },
    secret::Secret,
};

/// Reads the access token of an answer to an exchange of `assertion`.
pub(super) fn read(
    response: &RawResponse,
    assertion: &Secret,
    asked_at: Timestamp,
    generation: u64,
) -> Result<Token, ApiError> {
    #[derive(Deserialize)]
    struct Answer {
        access_token: String,
        expires_in: u64,
        #[serde(default)]
        token_type: Option<String>,
    }
    if !(200..300).contains(&response.status) {
        let response = text::without(response, assertion.expose());
        return Err(ApiError::from_response(asked(), &response));
    }
    let shape = |why: &str| ApiError::Shape {
        asked: asked(),
        why: why.to_owned(),
        request_id: request_id(response),
    };
    // The body holds the token, so nothing of it is shown; serde's own message could quote it too.
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(&response.body) else {
        return Err(shape("it is no JSON, or was cut short"));
    };
    let Ok(Answer { access_token, expires_in, token_type }) = serde_json::from_value(value) else {
        return Err(shape("`access_token` and `expires_in` are wanted"));
    };
    if token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return Err(shape("`token_type` is not `Bearer`"));
    }
    if access_token.is_empty() || flaw(&access_token).is_some() {
        return Err(shape("`access_token` cannot be sent in a header"));
    }
    let life = SignedDuration::from_secs(i64::try_from(expires_in).unwrap_or(i64::MAX).min(86_400));
    let soon = SOON.min(life / 2).max(NOW);
    let at = |offset| asked_at.checked_add(offset).unwrap_or(Timestamp::MAX);
    Ok(Token {
        secret: Secret::new(access_token),
        generation,
        expires_at: at(life),
        renew_at: at(life - soon),
    })
}
