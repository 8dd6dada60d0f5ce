//! Exchanges a workload identity for short-lived access tokens, and keeps the one in use fresh
//! (`admin-api` notes on workload identity federation).
//!
//! Invariant: one exchange at a time; a token is used only while it is valid, and a renewal that is not yet
//! urgent never fails a request. An identity token that names itself (`jti`) is exchanged once, and no byte of a
//! successful answer is ever shown.

use std::{
    io::Read as _,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use super::{
    USER_AGENT,
    clock::Clock,
    credential::{IdentityToken, WorkloadIdentity, flaw},
    error::{ApiError, Asked, ExchangeError, request_id},
    jwt::Claims,
    retry::{self, Hints, Jitter, Rule, Tries, Verdict},
    text,
    token_cache::{Kept, TokenCache},
    transport::{Method, RawRequest, RawResponse, Transport, TransportError},
};
use crate::secret::Secret;

const PATH: &str = "/v1/oauth/token";
const BETA: &str = "oauth-2025-04-20,oidc-federation-2026-04-01";
/// The longest identity token.
const LONGEST_IDENTITY: usize = 16 * 1024;
/// The longest answer.
const LONGEST_ANSWER: usize = 1024 * 1024;
const TIMEOUT: Duration = Duration::from_secs(30);
/// Renewing starts this long before the end, or at half the token's life if that is shorter.
const SOON: SignedDuration = SignedDuration::from_secs(120);
/// From here on only a fresh token will do.
const NOW: SignedDuration = SignedDuration::from_secs(30);
/// Between two tries to renew a token that is still good.
const PAUSE: SignedDuration = SignedDuration::from_secs(5);

pub(crate) struct Exchange {
    identity: WorkloadIdentity,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    jitter: Jitter,
    sent: Arc<AtomicU64>,
    held: Mutex<Held>,
    /// Exchanges that failed, so that whoever waited for one shares its failure.
    failures: AtomicU64,
    cache: Option<TokenCache>,
}

#[derive(Default)]
struct Held {
    token: Option<Token>,
    generation: u64,
    failed_at: Option<Timestamp>,
    /// How the last exchange failed.
    failure: Option<ApiError>,
    /// The last identity token that an exchange took.
    taken: Option<Secret>,
    /// The cache was looked at.
    looked: bool,
}

/// A token and which exchange it came from.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) secret: Secret,
    pub(crate) generation: u64,
    expires_at: Timestamp,
    renew_at: Timestamp,
}

impl Exchange {
    pub(crate) fn new(
        identity: WorkloadIdentity,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        seed: u64,
        sent: Arc<AtomicU64>,
    ) -> Self {
        let (jitter, held) = (Jitter::new(seed), Mutex::default());
        let cache = TokenCache::of(&identity, &transport.base());
        let failures = AtomicU64::new(0);
        Self { identity, transport, clock, jitter, sent, held, failures, cache }
    }

    /// A token that is good for this request.
    pub(crate) async fn token(&self) -> Result<Token, ApiError> {
        let before = self.failures.load(Ordering::Acquire);
        let mut held = self.held.lock().await;
        let now = self.clock.now();
        if !held.looked {
            held.looked = true;
            self.take_kept(&mut held);
        }
        if let Some(token) = held.token.clone() {
            let urgent = token.expires_at.duration_since(now) <= NOW;
            let paused = held.failed_at.is_some_and(|at| now.duration_since(at) < PAUSE);
            if !urgent && (now < token.renew_at || paused) {
                return Ok(token);
            }
            if !urgent {
                return match self.exchange(&mut held, 1).await {
                    Ok(fresh) => Ok(self.keep(&mut held, fresh)),
                    Err(error) => {
                        tracing::warn!(target: "orgcharter::api", %error, "the access token could not be renewed yet");
                        held.failed_at = Some(self.clock.now());
                        Ok(token)
                    }
                };
            }
        }
        if self.failures.load(Ordering::Acquire) != before
            && let Some(failure) = &held.failure
        {
            // It waited for that exchange, and would only repeat it.
            return Err(failure.clone());
        }
        match self.exchange(&mut held, retry::TRIES).await {
            Ok(fresh) => Ok(self.keep(&mut held, fresh)),
            Err(error) => {
                held.failure = Some(error.clone());
                self.failures.fetch_add(1, Ordering::AcqRel);
                Err(error)
            }
        }
    }

    /// Forgets the token that the API refused, unless another request has replaced it already.
    pub(crate) async fn refused(&self, generation: u64) {
        let mut held = self.held.lock().await;
        if held.generation == generation {
            held.token = None;
        }
    }

    /// Takes the token that an earlier run of the same job kept.
    fn take_kept(&self, held: &mut Held) {
        let Some(Kept { token, expires_at }) = self.cache.as_ref().and_then(TokenCache::read)
        else {
            return;
        };
        let life = expires_at.duration_since(self.clock.now());
        if life <= NOW {
            return;
        }
        held.generation += 1;
        let renew_at = expires_at.checked_sub(SOON.min(life / 2).max(NOW)).unwrap_or(expires_at);
        held.token =
            Some(Token { secret: token, generation: held.generation, expires_at, renew_at });
    }

    fn keep(&self, held: &mut Held, token: Token) -> Token {
        if let Some(cache) = &self.cache
            && let Err(error) = cache.write(&token.secret, token.expires_at)
        {
            tracing::warn!(target: "orgcharter::api", %error, "the access token could not be kept for the next run");
        }
        held.generation = token.generation;
        held.token = Some(token.clone());
        (held.failed_at, held.failure) = (None, None);
        token
    }

    async fn exchange(&self, held: &mut Held, most: u32) -> Result<Token, ApiError> {
        let generation = held.generation + 1;
        let mut tries = Tries::default();
        let mut refused: Option<Secret> = None;
        loop {
            tries.made += 1;
            let assertion = self.assertion().await?;
            let claims = Claims::of(assertion.expose());
            let is_named = claims.as_ref().is_some_and(|claims| claims.is_named);
            let is = |other: &Option<Secret>| {
                other.as_ref().is_some_and(|other| other.expose() == assertion.expose())
            };
            if is_named && is(&held.taken) {
                let literal = matches!(self.identity.identity, IdentityToken::Literal(_));
                return Err(ApiError::IdentityTokenTaken { literal });
            }
            let asked_at = self.clock.now();
            let (error, hints) = match self.ask(&assertion).await {
                Ok(response) => {
                    if (200..300).contains(&response.status) {
                        held.taken = Some(assertion.clone());
                    }
                    match read(&response, &assertion, asked_at, generation) {
                        Ok(token) => return Ok(token),
                        Err(error) => (error, Hints::of(&response, self.clock.now())),
                    }
                }
                Err(error) => (error, Hints::default()),
            };
            let verdict = if error.status() == Some(401) {
                // The identity token may have been replaced while it was read: one more try. One that names itself
                // is not sent again as it is.
                let again = match &refused {
                    Some(_) => false,
                    None if is_named => {
                        self.assertion().await.is_ok_and(|now| now.expose() != assertion.expose())
                    }
                    None => true,
                };
                refused = Some(assertion);
                if again { Verdict::After(Duration::ZERO) } else { Verdict::Stop }
            } else {
                let backoff = self.jitter.backoff(tries.made);
                retry::judge(&error, hints, Rule::Read, tries, backoff)
            };
            match verdict {
                Verdict::After(wait) | Verdict::CoolDown(wait) if tries.made < most => {
                    tracing::info!(target: "orgcharter::api", %error, wait_ms = super::trace::millis(wait), "token exchange again");
                    tries.waited += wait;
                    if !wait.is_zero() {
                        self.clock.sleep(wait).await;
                    }
                }
                _ => {
                    let flaws = claims.map(|claims| (claims.is_named, claims.flaws(asked_at)));
                    let (is_named, flaws) = flaws.unwrap_or_default();
                    return Err(ApiError::TokenExchange(Box::new(ExchangeError {
                        error,
                        is_named,
                        flaws,
                    })));
                }
            }
        }
    }

    async fn ask(&self, assertion: &Secret) -> Result<RawResponse, ApiError> {
        let WorkloadIdentity {
            federation_rule_id,
            organization_id,
            service_account_id,
            workspace_id,
            identity: _,
            cache: _,
        } = &self.identity;
        let mut body = json!({
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": assertion.expose(),
            "federation_rule_id": federation_rule_id,
            "organization_id": organization_id,
        });
        for (key, value) in
            [("service_account_id", service_account_id), ("workspace_id", workspace_id)]
        {
            if let Some(value) = value {
                body[key] = json!(value);
            }
        }
        let headers = [
            ("content-type", "application/json"),
            ("accept", "application/json"),
            ("anthropic-beta", BETA),
            ("user-agent", USER_AGENT),
        ];
        let request = RawRequest {
            method: Method::Post,
            target: PATH.to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            body: Some(Bytes::from(body.to_string())),
        };
        self.sent.fetch_add(1, Ordering::Relaxed);
        // The transport's own limit is longer; this one is about a peer that says nothing, so it is real time.
        let reply = tokio::time::timeout(TIMEOUT, self.transport.send(request)).await;
        let reply = reply.unwrap_or_else(|_| {
            Err(TransportError::Lost(format!("no answer within {}", text::span(TIMEOUT))))
        });
        let reply = reply.and_then(|response| match response.body.len() {
            0..=LONGEST_ANSWER => Ok(response),
            _ => Err(TransportError::TooLarge(LONGEST_ANSWER)),
        });
        let status = reply.as_ref().map_or(0, |response| response.status);
        tracing::debug!(target: "orgcharter::api", method = "POST", path = PATH, status, "token exchange");
        reply.map_err(|source| ApiError::Transport { asked: asked(), source })
    }

    async fn assertion(&self) -> Result<Secret, ApiError> {
        let text = match &self.identity.identity {
            IdentityToken::Literal(secret) => secret.expose().to_owned(),
            IdentityToken::File(path) => {
                let path = path.clone();
                tokio::task::spawn_blocking(move || read_bounded(&path))
                    .await
                    .unwrap_or_else(|error| Err(error.to_string()))
                    .map_err(ApiError::IdentityToken)?
            }
        };
        let text = text.trim();
        if text.is_empty() {
            return Err(ApiError::IdentityToken("the identity token is empty".into()));
        }
        if text.len() > LONGEST_IDENTITY {
            return Err(ApiError::IdentityToken(too_long()));
        }
        match flaw(text) {
            Some(why) => Err(ApiError::IdentityToken(format!("the identity token {why}"))),
            None => Ok(Secret::new(text.to_owned())),
        }
    }
}

fn read(
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

fn asked() -> Asked {
    Asked { method: Method::Post, target: PATH.to_owned() }
}

fn too_long() -> String {
    format!("the identity token is longer than {LONGEST_IDENTITY} bytes")
}

fn read_bounded(path: &PathBuf) -> Result<String, String> {
    let why = |error: std::io::Error| format!("cannot read `{}`: {error}", path.display());
    // A pipe could be waited for without end, and holds nothing the second time.
    if !std::fs::metadata(path).map_err(why)?.is_file() {
        return Err(format!("`{}` is no regular file", path.display()));
    }
    let mut text = Vec::new();
    let limit = u64::try_from(LONGEST_IDENTITY).unwrap_or(u64::MAX) + 16; // room for a final newline
    std::fs::File::open(path).map_err(why)?.take(limit).read_to_end(&mut text).map_err(why)?;
    String::from_utf8(text).map_err(|_| format!("`{}` is not text", path.display()))
}

#[cfg(test)]
mod tests;
