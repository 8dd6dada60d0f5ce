//! One organization that a server, an in-process client and a test hold together.
//!
//! Invariant: each request is carried out whole before the next begins.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{
    control,
    handle::{Exchange, Wire, handle},
    log::Log,
    state::State,
};
use crate::api::transport::{BoxFuture, RawRequest, RawResponse, Transport, TransportError};

/// A shared organization; clones are the same one.
#[derive(Clone, Debug)]
pub struct Sandbox(Arc<Mutex<State>>);

impl Sandbox {
    /// Shares an organization.
    pub fn new(state: State) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    /// Looks at the organization or changes it.
    pub fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        // A test that panicked while it looked has broken nothing: requests change the state at their end.
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Answers one request, `/_sandbox/…` included.
    pub fn exchange(&self, request: &RawRequest) -> Exchange {
        self.with(|state| match control::operation(&request.target) {
            Some(operation) => Exchange {
                response: control::run(state, request, operation),
                wire: Wire::Whole,
                delay: Duration::ZERO,
            },
            None => handle(state, request),
        })
    }

    /// A copy of the organization.
    pub fn state(&self) -> State {
        self.with(|state| state.clone())
    }

    /// A copy of the request log.
    pub fn log(&self) -> Log {
        self.with(|state| state.log.clone())
    }

    /// The time.
    pub fn now(&self) -> jiff::Timestamp {
        self.with(|state| state.now())
    }

    /// Moves the clock.
    pub fn advance(&self, by: Duration) {
        self.with(|state| state.advance(by));
    }

    /// A transport that reaches it without sockets.
    pub fn transport(&self) -> InProcess {
        InProcess(self.clone())
    }

    /// A key that it accepts: the seed's first Admin key, or one that any sandbox without a list takes.
    pub fn admin_key(&self) -> String {
        self.with(|state| {
            let listed = state.credentials.admin_keys.first();
            listed.map_or_else(|| super::SANDBOX_KEY.to_owned(), Clone::clone)
        })
    }
}

/// Reaches a sandbox without sockets: a closed connection is [`TransportError::Lost`].
#[derive(Clone, Debug)]
pub struct InProcess(Sandbox);

impl InProcess {
    /// Reaches an organization of its own.
    pub fn new(state: State) -> Self {
        Self(Sandbox::new(state))
    }

    /// The organization it reaches.
    pub fn sandbox(&self) -> &Sandbox {
        &self.0
    }
}

impl Transport for InProcess {
    fn send(&self, request: RawRequest) -> BoxFuture<'_, Result<RawResponse, TransportError>> {
        Box::pin(async move {
            let Exchange { response, wire, delay } = self.0.exchange(&request);
            let lost = |why: &str| Err(TransportError::Lost(why.to_owned()));
            pause(delay).await;
            match wire {
                Wire::Whole => Ok(response),
                Wire::Closed => lost("connection closed before a reply came"),
                // Whoever waits loses patience at some time; there is no use in waiting for it here.
                Wire::Silent => lost("no answer in time"),
                Wire::Truncated => lost("connection closed in the middle of the reply"),
                Wire::Drip(drip) => {
                    let pieces = response.body.len().div_ceil(drip.bytes.max(1));
                    let pieces = u32::try_from(pieces).unwrap_or(u32::MAX);
                    pause(Duration::from_millis(drip.pause_ms).saturating_mul(pieces)).await;
                    Ok(response)
                }
            }
        })
    }
}

/// Waits; without a wait it needs no timer, so plain executors can drive it.
async fn pause(wait: Duration) {
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
}
