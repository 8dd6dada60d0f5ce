//! The way to a sandbox, with the patience of a client and a clock that costs nothing.
//!
//! Invariant: a reply that would come too late is lost, as over real sockets; every start is written down with its
//! time.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use orgcharter::{
    api::{
        clock::{Clock, TestClock},
        transport::{BoxFuture, RawRequest, RawResponse, Transport, TransportError},
    },
    sandbox::{Exchange, Sandbox, Wire},
};

use crate::dice::Dice;

/// How long a client waits for a whole reply.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Reaches a sandbox.
pub(crate) struct Network {
    sandbox: Sandbox,
    clock: TestClock,
    /// Rows of a page, in place of a thousand.
    rows: usize,
    sent: Mutex<Vec<Sent>>,
    /// Turns of the runtime that requests give away before and after, for others to go between.
    turns: Mutex<Option<Dice>>,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) at: Duration,
    /// The wait that its reply asked for.
    pub(crate) wait: Option<Duration>,
}

impl Network {
    pub(crate) fn new(sandbox: &Sandbox, clock: &TestClock) -> Self {
        Self {
            sandbox: sandbox.clone(),
            clock: clock.clone(),
            rows: 1000,
            sent: Mutex::default(),
            turns: Mutex::default(),
        }
    }

    /// Small pages, so that small organizations have lists of many.
    pub(crate) fn rows(mut self, rows: usize) -> Self {
        self.rows = rows;
        self
    }

    /// Lets others go between, as a seed has it.
    pub(crate) fn turns(self, seed: u64) -> Self {
        *lock(&self.turns) = Some(Dice(seed));
        self
    }

    /// Every request so far.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        lock(&self.sent).clone()
    }

    async fn give_way(&self) {
        let turns = lock(&self.turns).as_mut().map_or(0, |dice| dice.below(12));
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
    }

    fn note(&self) -> usize {
        let mut sent = lock(&self.sent);
        sent.push(Sent { at: self.clock.monotonic(), wait: None });
        sent.len() - 1
    }

    async fn late(&self, wait: Duration) -> Result<(), TransportError> {
        self.clock.sleep(wait.min(PATIENCE)).await;
        if wait > PATIENCE { lost("no answer in time") } else { Ok(()) }
    }
}

impl Transport for Network {
    fn send(&self, mut request: RawRequest) -> BoxFuture<'_, Result<RawResponse, TransportError>> {
        Box::pin(async move {
            request.target = request.target.replace("limit=1000", &format!("limit={}", self.rows));
            self.give_way().await;
            let number = self.note();
            let Exchange { response, wire, delay } = self.sandbox.exchange(&request);
            lock(&self.sent)[number].wait = asked_for(&response);
            self.give_way().await;
            if !delay.is_zero() {
                self.late(delay).await?;
            }
            match wire {
                Wire::Whole => Ok(response),
                Wire::Closed => lost("connection closed before a reply came"),
                Wire::Silent => self.late(Duration::MAX).await.map(|()| response),
                Wire::Truncated => lost("connection closed in the middle of the reply"),
                Wire::Drip(drip) => {
                    let pieces = response.body.len().div_ceil(drip.bytes.max(1));
                    let pieces = u32::try_from(pieces).unwrap_or(u32::MAX);
                    self.late(Duration::from_millis(drip.pause_ms) * pieces).await?;
                    Ok(response)
                }
            }
        })
    }
}

fn lost<T>(why: &str) -> Result<T, TransportError> {
    Err(TransportError::Lost(why.to_owned()))
}

/// The wait of a 429, read without the client's help.
fn asked_for(response: &RawResponse) -> Option<Duration> {
    if response.status != 429 {
        return None;
    }
    if let Some(text) = response.header("retry-after-ms") {
        return text.parse().ok().map(Duration::from_millis);
    }
    let text = response.header("retry-after")?;
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs_f64(seconds));
    }
    let date = |text: &str| {
        jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).unwrap()
    };
    let until = date(text).duration_since(date(response.header("date")?));
    Some(until.unsigned_abs())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
