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
    time::Duration,
};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use tracing::Instrument as _;

use super::{
    attempt::judge,
    call::{Budget, Resend},
    clock::Clock,
    codes::Class,
    credential::Credential,
    error::{ApiError, Asked, WriteError, request_id},
    exchange::Exchange,
    limiter::{Closed, Limiter, Rank, Waiting},
    path::is_plain,
    retry::{self, Hints, Jitter, Rule, Tries, Verdict},
    stop::Stop,
    text,
    trace::Trace,
    transport::{RawRequest, Transport},
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
    /// What a minute of the budgets is; shorter only where a server counts by shorter ones.
    pub minute: Duration,
    /// Other credentials that are set and not used, for messages.
    pub also_set: Vec<String>,
    /// The organization may have no members, as no real one has.
    pub may_have_nobody: bool,
}

impl Default for Options {
    fn default() -> Self {
        // A `RandomState` is seeded by the system: enough to keep two runs from waiting in step.
        let seed = RandomState::new().build_hasher().finish();
        Self {
            requests_per_minute: 90,
            version: VERSION.to_owned(),
            seed,
            minute: Duration::from_mins(1),
            also_set: Vec::new(),
            may_have_nobody: false,
        }
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
        let Options { requests_per_minute, version, seed, minute, also_set, may_have_nobody } =
            options;
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
            limiter: Limiter::of_minute(clock.clone(), requests_per_minute, minute),
            also_set,
            may_have_nobody,
            expected: AtomicU64::new(0),
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

    /// What its requests are doing.
    pub fn activity(&self) -> Activity {
        let (queued, flying) = self.0.limiter.busy();
        let expected =
            usize::try_from(self.0.expected.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
        Activity {
            sent: self.0.sent.load(Ordering::Relaxed),
            is_busy: queued + flying > 0,
            waiting: self.0.limiter.waiting(),
            left: self.0.limiter.takes(queued.saturating_add(expected), 0),
        }
    }

    /// How long the budgets take, about, until so many more requests have started, of which some are invites.
    pub fn takes(&self, requests: usize, invites: usize) -> Duration {
        self.0.limiter.takes(requests, invites)
    }

    /// What was wrong with the file that keeps its access token (`CHARTER_TOKEN_CACHE`), each told once.
    pub fn token_cache_troubles(&self) -> Vec<String> {
        self.0.exchange.as_ref().map(Exchange::troubles).unwrap_or_default()
    }

    /// What it signs in with.
    pub fn credential(&self) -> &Credential {
        &self.0.credential
    }
}

/// What the requests of a client are doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activity {
    /// Requests that were sent.
    pub sent: u64,
    /// Some wait or are under way.
    pub is_busy: bool,
    /// What they wait for.
    pub waiting: Option<Waiting>,
    /// How long the budgets take, about, for those that are known to follow.
    pub left: Duration,
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
    /// Another one, that a later answer came from.
    pub(super) another: Option<String>,
    pub(super) date: Option<Timestamp>,
    pub(super) skew: Option<SignedDuration>,
}

pub(super) struct Core {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) credential: Credential,
    pub(super) also_set: Vec<String>,
    pub(super) exchange: Option<Exchange>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) version: String,
    pub(super) limiter: Limiter,
    jitter: Jitter,
    pub(super) sent: Arc<AtomicU64>,
    pub(super) may_have_nobody: bool,
    /// Requests that are known to follow, for estimates.
    pub(super) expected: AtomicU64,
    seen: Mutex<Seen>,
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
            // What may have had its effect is seen through; what was sent already goes before what is new.
            let unless = unless.filter(|_| !maybe_done);
            let rank = if tries.made > 1 { Rank::Begun } else { Rank::Fresh };
            let start = async {
                let permit = match trace.waiting(self.limiter.start(budget, rank)).await {
                    Ok(permit) => permit,
                    Err(Closed { left }) => {
                        return Err(ApiError::Limited { asked: asked.clone(), left });
                    }
                };
                match self.another_organization(&asked) {
                    Some(error) => Err(error),
                    None => Ok((permit, self.sign().await?)),
                }
            };
            let (permit, signature) = match until(unless, start).await {
                Some(Ok(started)) => started,
                Some(Err(error)) => return Err(ended(error, maybe_done)),
                None => {
                    return Err(WriteError::Failed(refused.unwrap_or(ApiError::Stopped { asked })));
                }
            };
            let sent = self.attempt(&request, &signature, tries.made, trace).await;
            if let Some(error) = self.another_organization(&asked) {
                // It was sent, and nobody knows where to.
                return Err(ended(error, true));
            }
            let status = sent.as_ref().ok().map(|response| response.status);
            if let Ok(response) = &sent {
                self.heed_quota(response, budget);
            }
            let permit = match status {
                Some(429) => Some(permit),
                Some(..500) => {
                    permit.passed();
                    None
                }
                // That says nothing about the limit.
                _ => None,
            };
            let (error, hints) = match sent {
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
                exchange.refused(generation);
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
                    tries.waited += wait;
                    // Who asks to stop is seen before the next try.
                    let unless = unless.filter(|_| !maybe_done);
                    let _ = until(unless, trace.waiting(self.clock.sleep(wait))).await;
                    wait
                }
                Verdict::CoolDown(wait) => {
                    tries.limited += 1;
                    let since = *tries.limited_since.get_or_insert_with(|| self.clock.monotonic());
                    let wait =
                        permit.map_or(wait, |permit| permit.refused(wait, self.jitter.unit()));
                    if !self.limiter.is_patient(budget, since, wait) {
                        let waited = self.clock.monotonic().saturating_sub(since);
                        return Err(ended(self.out_of_patience(error, waited), maybe_done));
                    }
                    wait
                }
            };
            tracing::info!(
                target: "orgcharter::api",
                method = asked.method.as_str(), path = %asked.target, attempt = tries.made,
                request_id = error.request_id(),
                wait_ms = super::trace::millis(wait), %error, "request again"
            );
            refused = Some(self.told(error, hints));
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

#[cfg(test)]
mod tests;
