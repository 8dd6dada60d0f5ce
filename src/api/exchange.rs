//! Exchanges a workload identity for short-lived access tokens, and keeps the one in use fresh
//! (`admin-api` notes on workload identity federation).
//!
//! Invariant: one exchange at a time; a token is used only while it is valid, and a renewal that is not yet
//! urgent fails no request and keeps no other waiting. An identity token that names itself (`jti`) is exchanged once, and no byte of a
//! successful answer is ever shown.

mod answer;
mod assertion;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{
    USER_AGENT,
    clock::Clock,
    credential::{IdentityToken, WorkloadIdentity},
    error::{ApiError, Asked, ExchangeError},
    jwt::Claims,
    retry::{self, Hints, Jitter, Rule, Tries, Verdict},
    text,
    token_cache::{Kept, Subject, TokenCache},
    transport::{Method, RawRequest, RawResponse, Transport, TransportError},
};
use crate::secret::Secret;

const PATH: &str = "/v1/oauth/token";
const BETA: &str = "oauth-2025-04-20,oidc-federation-2026-04-01";
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
    /// Held during an exchange: there is one at a time.
    exchanging: tokio::sync::Mutex<()>,
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
    /// What was wrong with the cache, and was not told yet.
    troubles: Vec<String>,
}

/// The token that is held.
enum InUse {
    /// It is good for now.
    Good(Token),
    /// It is good, and ends soon.
    Due(Token),
    /// There is none, or it is about to end.
    None,
}

/// What an exchange gave, and whose identity it was for.
struct Exchanged {
    token: Token,
    subject: Subject,
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
        let exchanging = tokio::sync::Mutex::default();
        Self { identity, transport, clock, jitter, sent, held, exchanging, failures, cache }
    }

    /// A token that is good for this request.
    pub(crate) async fn token(&self) -> Result<Token, ApiError> {
        let before = self.failures.load(Ordering::Acquire);
        let alone = match self.in_use() {
            InUse::Good(token) => return Ok(token),
            // Whoever has a good token waits for nobody else's exchange.
            InUse::Due(token) => match self.exchanging.try_lock() {
                Err(_) => return Ok(token),
                Ok(alone) => alone,
            },
            InUse::None => self.exchanging.lock().await,
        };
        self.take_kept().await;
        // Somebody else may have renewed it while this one waited.
        match self.in_use() {
            InUse::Good(token) => return Ok(token),
            InUse::Due(token) => {
                return match self.exchange(1).await {
                    Ok(fresh) => Ok(self.keep(fresh)),
                    Err(error) => {
                        tracing::warn!(target: "orgcharter::api", %error, "the access token could not be renewed yet");
                        self.held().failed_at = Some(self.clock.now());
                        Ok(token)
                    }
                };
            }
            InUse::None => {}
        }
        if self.failures.load(Ordering::Acquire) != before
            && let Some(failure) = self.held().failure.clone()
        {
            // It waited for that exchange, and would only repeat it.
            return Err(failure);
        }
        let exchanged = match self.exchange(retry::TRIES).await {
            Ok(fresh) => Ok(self.keep(fresh)),
            Err(error) => {
                self.held().failure = Some(error.clone());
                self.failures.fetch_add(1, Ordering::AcqRel);
                Err(error)
            }
        };
        drop(alone);
        exchanged
    }

    /// Forgets the token that the API refused, unless another request has replaced it already.
    pub(crate) fn refused(&self, generation: u64) {
        let mut held = self.held();
        if held.generation == generation {
            held.token = None;
        }
    }

    /// What was wrong with the file that keeps the token, each once.
    pub(crate) fn troubles(&self) -> Vec<String> {
        std::mem::take(&mut self.held().troubles)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token that is held, and whether it is time to renew it.
    fn in_use(&self) -> InUse {
        let held = self.held();
        let now = self.clock.now();
        match &held.token {
            Some(token) if token.expires_at.duration_since(now) > NOW => {
                let paused = held.failed_at.is_some_and(|at| now.duration_since(at) < PAUSE);
                if now < token.renew_at || paused {
                    InUse::Good(token.clone())
                } else {
                    InUse::Due(token.clone())
                }
            }
            _ => InUse::None,
        }
    }

    /// Takes the token that an earlier run of the same job kept, once.
    async fn take_kept(&self) {
        if std::mem::replace(&mut self.held().looked, true) {
            return;
        }
        let Some(cache) = &self.cache else { return };
        // What is wrong with the identity token is said by the exchange.
        let Ok(assertion) = self.assertion().await else { return };
        let kept = match cache.read(&Subject::of(&assertion)) {
            Ok(kept) => kept,
            Err(error) => return self.trouble(format!("{error}: it is not used")),
        };
        let Some(Kept { token, expires_at }) = kept else { return };
        let life = expires_at.duration_since(self.clock.now());
        if life <= NOW {
            return;
        }
        let mut held = self.held();
        held.generation += 1;
        let renew_at = expires_at.checked_sub(SOON.min(life / 2).max(NOW)).unwrap_or(expires_at);
        held.token =
            Some(Token { secret: token, generation: held.generation, expires_at, renew_at });
    }

    fn keep(&self, Exchanged { token, subject }: Exchanged) -> Token {
        if let Some(cache) = &self.cache
            && let Err(error) = cache.write(&subject, &token.secret, token.expires_at)
        {
            self.trouble(format!("{error}: the next run has to exchange its identity token again"));
        }
        let mut held = self.held();
        held.generation = token.generation;
        held.token = Some(token.clone());
        (held.failed_at, held.failure) = (None, None);
        token
    }

    fn trouble(&self, text: String) {
        let mut held = self.held();
        if !held.troubles.contains(&text) {
            held.troubles.push(text);
        }
    }

    async fn exchange(&self, most: u32) -> Result<Exchanged, ApiError> {
        let generation = self.held().generation + 1;
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
            if is_named && is(&self.held().taken) {
                let literal = matches!(self.identity.identity, IdentityToken::Literal(_));
                return Err(ApiError::IdentityTokenTaken { literal });
            }
            let asked_at = self.clock.now();
            let (error, hints) = match self.ask(&assertion).await {
                Ok(response) => {
                    if (200..300).contains(&response.status) {
                        self.held().taken = Some(assertion.clone());
                    }
                    match answer::read(&response, &assertion, asked_at, generation) {
                        Ok(token) => {
                            let subject = Subject::of(&assertion);
                            return Ok(Exchanged { token, subject });
                        }
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
        assertion::read(&self.identity.identity).await
    }
}

fn asked() -> Asked {
    Asked { method: Method::Post, target: PATH.to_owned() }
}

#[cfg(test)]
mod tests;
