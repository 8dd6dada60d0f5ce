//! One try of a request: signed, sent, and what its answer says beside its body.
//!
//! Invariant: all answers of a client come from one organization, or nothing more is sent.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use jiff::Timestamp;

use super::{
    USER_AGENT, answer,
    call::Budget,
    client::Core,
    credential::bearer,
    error::{ApiError, Asked, SignedInWith, StatusError, request_id},
    pace::Quota,
    retry::{self, Hints, Rule},
    text,
    trace::{Trace, millis},
    transport::{Method, RawRequest, RawResponse, TransportError},
};

/// How a request is signed: its headers, and the generation of a minted token.
pub(super) struct Signature {
    pub(super) headers: Vec<(String, String)>,
    pub(super) generation: Option<u64>,
}

/// What every OAuth token is sent with, minted or of a login.
fn oauth() -> (String, String) {
    ("anthropic-beta".to_owned(), "oauth-2025-04-20".to_owned())
}

impl Core {
    pub(super) async fn sign(&self) -> Result<Signature, ApiError> {
        if let Some(exchange) = &self.exchange {
            let token = exchange.token().await?;
            return Ok(Signature {
                headers: vec![bearer(&token.secret), oauth()],
                generation: Some(token.generation),
            });
        }
        let mut headers: Vec<_> = self.credential.header().into_iter().collect();
        if self.credential.is_login() {
            headers.push(oauth());
        }
        Ok(Signature { headers, generation: None })
    }

    pub(super) async fn attempt(
        &self,
        request: &RawRequest,
        signature: &Signature,
        attempt: u32,
        trace: &Trace<'_>,
    ) -> Result<RawResponse, TransportError> {
        let mut request = request.clone();
        let fixed = [
            ("accept", "application/json"),
            ("anthropic-version", &self.version),
            ("user-agent", USER_AGENT),
        ];
        let body = (request.method == Method::Post).then_some(("content-type", "application/json"));
        let fixed = fixed.into_iter().chain(body);
        request.headers.extend(fixed.map(|(name, value)| (name.to_owned(), value.to_owned())));
        request.headers.extend(signature.headers.iter().cloned());

        let (method, path) = (request.method, Asked::of(&request).target);
        let start = self.clock.monotonic();
        self.sent.fetch_add(1, Ordering::Relaxed);
        let reply = self.transport.send(request).await;
        let took = self.clock.monotonic().saturating_sub(start);
        let answer = reply.as_ref().ok().map(|reply| (reply.status, request_id(reply)));
        trace.tried(attempt, answer);
        let (status, id) = match &reply {
            Ok(response) => {
                self.note(response);
                (response.status, request_id(response))
            }
            Err(_) => (0, None),
        };
        tracing::debug!(
            target: "orgcharter::api",
            method = method.as_str(), path, attempt, status, request_id = id,
            took_ms = millis(took), error = reply.as_ref().err().map(tracing::field::display),
            "request"
        );
        reply
    }

    /// Keeps what an answer says beside its body.
    fn note(&self, response: &RawResponse) {
        let mut seen = self.seen();
        if let Some(organization) = response.header("anthropic-organization-id") {
            let organization = text::word(organization);
            match &seen.organization {
                None => seen.organization = Some(organization),
                Some(first) if first.eq_ignore_ascii_case(&organization) => {}
                Some(_) => {
                    seen.another.get_or_insert(organization);
                }
            }
        }
        if let Some(date) = response.header("date").and_then(retry::http_date) {
            seen.date = Some(date);
            seen.skew = Some(self.clock.now().duration_since(date));
        }
    }

    /// The error of a request once answers came from two organizations.
    pub(super) fn another_organization(&self, asked: &Asked) -> Option<ApiError> {
        let seen = self.seen();
        let (Some(first), Some(then)) = (&seen.organization, &seen.another) else { return None };
        let (first, then) = (first.clone(), then.clone());
        Some(ApiError::AnotherOrganization { asked: asked.clone(), first, then })
    }

    /// Slows down by what an answer says of the request limit.
    pub(super) fn heed_quota(&self, response: &RawResponse, budget: Budget) {
        if let Some(quota) = quota(response, self.clock.now()) {
            self.limiter.told(budget, quota);
        }
    }

    /// Adds to an error what only the client knows.
    pub(super) fn told(&self, error: ApiError, hints: Hints) -> ApiError {
        match error {
            ApiError::Status(error) => ApiError::Status(Box::new(StatusError {
                retry_after: hints.wait,
                should_retry: hints.should_retry,
                credential: Some(Arc::new(SignedInWith {
                    source: self.credential.source().to_owned(),
                    kind: self.credential.kind(),
                    also_set: self.also_set.clone(),
                })),
                ..*error
            })),
            other => other,
        }
    }

    /// The error of a request that was refused for so long that it is given up.
    pub(super) fn out_of_patience(&self, error: ApiError, waited: Duration) -> ApiError {
        match self.told(error, Hints::default()) {
            ApiError::Status(error) => {
                ApiError::Status(Box::new(StatusError { limited_for: Some(waited), ..*error }))
            }
            other => other,
        }
    }
}

/// What `anthropic-ratelimit-requests-*` say; they need not be there.
fn quota(response: &RawResponse, now: Timestamp) -> Option<Quota> {
    let of = |name: &str| {
        response.header(&format!("anthropic-ratelimit-requests-{name}")).map(str::trim)
    };
    let number = |name| of(name)?.parse::<u32>().ok();
    // The two clocks need not agree.
    let now = response.header("date").and_then(retry::http_date).unwrap_or(now);
    let reset = of("reset").and_then(|text| text.parse::<Timestamp>().ok());
    let reset_in = reset.and_then(|reset| reset.duration_since(now).try_into().ok());
    Some(Quota { limit: number("limit")?, remaining: number("remaining")?, reset_in })
}

/// Whether a response is a success; what a read brought is looked at by whoever asked.
pub(super) fn judge(
    request: &RawRequest,
    asked: &Asked,
    response: &RawResponse,
    rule: Rule,
    signature: &Signature,
) -> Result<(), ApiError> {
    if let Some(fits) = answer::success(request, asked, response, rule) {
        return fits;
    }
    let mut response = response.clone();
    for (_, value) in &signature.headers {
        let secret = value.strip_prefix("Bearer ").unwrap_or(value);
        response = text::without(&response, secret);
    }
    Err(ApiError::from_response(asked.clone(), &response))
}
