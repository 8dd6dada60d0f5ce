//! Sends requests: signs them, keeps to the budgets, tries again where that is safe, and reads the answers.
//!
//! Invariant: a [`Reader`] can only read; only a [`Writer`] writes, and it never repeats a write that might make
//! something twice.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher as _, Hasher as _},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use tracing::Instrument as _;

use super::{
    USER_AGENT, answer,
    call::{Budget, Resend},
    clock::Clock,
    codes::Class,
    credential::{Credential, bearer},
    error::{ApiError, Asked, StatusError, WriteError, request_id},
    exchange::Exchange,
    limiter::{Closed, Limiter},
    path::is_plain,
    retry::{self, Hints, Jitter, Rule, Tries, Verdict},
    stop::Stop,
    text,
    trace::Trace,
    transport::{Method, RawRequest, RawResponse, Transport},
};
pub use super::{
    reader::{Pages, Reader},
    writer::{Reply, Writer},
};

/// The version asked for: every guide shows it and every deployment knows it. For the objects read here it is a
/// superset of the newer 2026-10-21 (which only drops a key's `workspace_id`); both shapes are read.
pub const VERSION: &str = "2023-06-01";

/// How a client behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Starts in any 60 seconds; the organization's own limit is 100.
    pub requests_per_minute: u32,
    /// The `anthropic-version` header.
    pub version: String,
    /// Where jitter starts; the same seed gives the same waits.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        // A `RandomState` is seeded by the system: enough to keep two runs from waiting in step.
        let seed = RandomState::new().build_hasher().finish();
        Self { requests_per_minute: 90, version: VERSION.to_owned(), seed }
    }
}

/// One organization behind one credential. Clones share the limiter and the token.
#[derive(Clone)]
pub struct Client(Arc<Core>);

impl Client {
    /// A client that sends through `transport`.
    pub fn new(
        transport: Arc<dyn Transport>,
        credential: Credential,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Self {
        let Options { requests_per_minute, version, seed } = options;
        let sent = Arc::new(AtomicU64::new(0));
        let exchange = match &credential {
            Credential::WorkloadIdentity(identity) => Some(Exchange::new(
                identity.clone(),
                transport.clone(),
                clock.clone(),
                seed.wrapping_add(1),
                sent.clone(),
            )),
            Credential::Key(..) | Credential::Token(..) => None,
        };
        Self(Arc::new(Core {
            limiter: Limiter::new(clock.clone(), requests_per_minute),
            jitter: Jitter::new(seed),
            seen: Mutex::default(),
            transport,
            credential,
            exchange,
            clock,
            version,
            sent,
        }))
    }

    /// What reads.
    pub fn reader(&self) -> Reader {
        Reader(self.0.clone())
    }

    /// What writes.
    pub fn writer(&self) -> Writer {
        Writer(self.0.clone())
    }

    /// Closes what is open and idle; the next request opens it again.
    pub fn rest(&self) {
        self.0.transport.rest();
    }

    /// What it signs in with.
    pub fn credential(&self) -> &Credential {
        &self.0.credential
    }
}

/// A request that succeeded, its answer judged.
pub(super) struct Answered {
    /// JSON, or nothing.
    pub(super) body: Bytes,
    pub(super) request_id: Option<String>,
    pub(super) attempts: u32,
    pub(super) already_gone: bool,
}

/// What the last answers said beside their bodies.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) organization: Option<String>,
    pub(super) date: Option<Timestamp>,
    pub(super) skew: Option<SignedDuration>,
}

pub(super) struct Core {
    transport: Arc<dyn Transport>,
    credential: Credential,
    exchange: Option<Exchange>,
    clock: Arc<dyn Clock>,
    version: String,
    limiter: Limiter,
    jitter: Jitter,
    pub(super) sent: Arc<AtomicU64>,
    seen: Mutex<Seen>,
}

/// How a request is signed: its headers, and the generation of a minted token.
struct Signature {
    headers: Vec<(String, String)>,
    generation: Option<u64>,
}

impl Core {
    pub(super) fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request until it succeeds or another try is not safe or not worth it.
    pub(super) async fn run(
        &self,
        request: RawRequest,
        rule: Rule,
        budget: Budget,
    ) -> Result<Answered, WriteError> {
        self.run_unless(None, request, rule, budget).await
    }

    /// The same, but nothing is sent any more once somebody asks to stop.
    pub(super) async fn run_unless(
        &self,
        unless: Option<&Stop>,
        request: RawRequest,
        rule: Rule,
        budget: Budget,
    ) -> Result<Answered, WriteError> {
        let asked = Asked::of(&request);
        let trace = Trace::begin(&asked, &*self.clock);
        let result =
            self.tries(unless, request, asked, rule, budget, &trace).instrument(trace.span()).await;
        trace.end();
        result
    }

    async fn tries(
        &self,
        unless: Option<&Stop>,
        request: RawRequest,
        asked: Asked,
        rule: Rule,
        budget: Budget,
        trace: &Trace<'_>,
    ) -> Result<Answered, WriteError> {
        if !is_plain(&asked.target) {
            return Err(WriteError::Failed(ApiError::Path(text::message(&asked.target))));
        }
        let mut tries = Tries::default();
        let mut maybe_done = false;
        let mut renewed = false;
        let mut refused = None;
        let ended = |error: ApiError, maybe_done: bool| match error.class() {
            _ if rule == Rule::Read => WriteError::Failed(error),
            Class::Done => WriteError::Done(error),
            Class::PartlyDone => WriteError::Partly(error),
            _ if maybe_done => WriteError::Unknown(error),
            _ => WriteError::Failed(error),
        };
        loop {
            tries.made += 1;
            // What may have had its effect is seen through.
            let unless = unless.filter(|_| !maybe_done);
            let start = async {
                match trace.waiting(self.limiter.start(budget)).await {
                    Ok(()) => self.sign().await,
                    Err(Closed { left }) => Err(ApiError::Limited { asked: asked.clone(), left }),
                }
            };
            let signature = match until(unless, start).await {
                Some(Ok(signature)) => signature,
                Some(Err(error)) => return Err(ended(error, maybe_done)),
                None => {
                    return Err(WriteError::Failed(refused.unwrap_or(ApiError::Stopped { asked })));
                }
            };
            let (error, hints) = match self.attempt(&request, &signature, tries.made, trace).await {
                Ok(response) => match judge(&request, &asked, &response, rule, &signature) {
                    Ok(()) => {
                        return Ok(Answered {
                            request_id: request_id(&response),
                            body: response.body,
                            attempts: tries.made,
                            already_gone: false,
                        });
                    }
                    Err(error) => (error, Hints::of(&response, self.clock.now())),
                },
                Err(source) => {
                    (ApiError::Transport { asked: asked.clone(), source }, Hints::default())
                }
            };
            maybe_done |= error.maybe_done();
            if let (Some(401), Some(generation), Some(exchange), false) =
                (error.status(), signature.generation, &self.exchange, renewed)
            {
                renewed = true;
                exchange.refused(generation).await;
                continue;
            }
            if rule == Rule::Write(Resend::Gone) && error.is_not_found() && tries.made > 1 {
                return Ok(Answered {
                    body: Bytes::new(),
                    request_id: error.request_id().map(str::to_owned),
                    attempts: tries.made,
                    already_gone: true,
                });
            }
            tries.conflicts += u32::from(error.is_conflict());
            let backoff = self.jitter.backoff(tries.made);
            let wait = match retry::judge(&error, hints, rule, tries, backoff) {
                Verdict::Stop => {
                    if let (Some(429), Some(wait)) = (error.status(), hints.wait)
                        && wait > retry::LONGEST
                    {
                        self.limiter.close(budget, wait);
                    }
                    return Err(ended(self.told(error, hints), maybe_done));
                }
                Verdict::After(wait) => {
                    // Who asks to stop is seen before the next try.
                    let unless = unless.filter(|_| !maybe_done);
                    let _ = until(unless, trace.waiting(self.clock.sleep(wait))).await;
                    wait
                }
                Verdict::CoolDown(wait) => {
                    self.limiter.cool_down(wait);
                    wait
                }
            };
            tries.waited += wait;
            tracing::info!(
                target: "orgcharter::api",
                method = asked.method.as_str(), path = %asked.target, attempt = tries.made,
                request_id = error.request_id(),
                wait_ms = wait.as_millis(), %error, "request again"
            );
            refused = Some(self.told(error, hints));
        }
    }

    async fn sign(&self) -> Result<Signature, ApiError> {
        if let Some(exchange) = &self.exchange {
            let token = exchange.token().await?;
            let beta = ("anthropic-beta".to_owned(), "oauth-2025-04-20".to_owned());
            return Ok(Signature {
                headers: vec![bearer(&token.secret), beta],
                generation: Some(token.generation),
            });
        }
        Ok(Signature { headers: self.credential.header().into_iter().collect(), generation: None })
    }

    async fn attempt(
        &self,
        request: &RawRequest,
        signature: &Signature,
        attempt: u32,
        trace: &Trace<'_>,
    ) -> Result<RawResponse, super::transport::TransportError> {
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
            took_ms = took.as_millis(), error = reply.as_ref().err().map(tracing::field::display),
            "request"
        );
        reply
    }

    /// Keeps what an answer says beside its body.
    fn note(&self, response: &RawResponse) {
        let mut seen = self.seen();
        if let Some(organization) = response.header("anthropic-organization-id") {
            seen.organization = Some(text::word(organization));
        }
        if let Some(date) = response.header("date").and_then(retry::http_date) {
            seen.date = Some(date);
            seen.skew = Some(self.clock.now().duration_since(date));
        }
    }

    /// Adds to an error what only the client knows.
    fn told(&self, error: ApiError, hints: Hints) -> ApiError {
        match error {
            ApiError::Status(error) => ApiError::Status(Box::new(StatusError {
                retry_after: hints.wait,
                should_retry: hints.should_retry,
                credential: Some(self.credential.source().into()),
                ..*error
            })),
            other => other,
        }
    }
}

/// Waits for something, unless somebody asks to stop first.
async fn until<T>(unless: Option<&Stop>, work: impl Future<Output = T>) -> Option<T> {
    let Some(stop) = unless else { return Some(work.await) };
    tokio::select! {
        biased;
        () = stop.asked() => None,
        done = work => Some(done),
    }
}

/// Whether a response is a success; what a read brought is looked at by whoever asked.
fn judge(
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

#[cfg(test)]
mod tests;
