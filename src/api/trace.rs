//! The span of one request with all its tries, for the log.
//!
//! Invariant: it says what was asked and how it went, and holds no header and no body.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tracing::{Span, field::Empty};

use super::{clock::Clock, error::Asked};

/// A request under way.
pub(super) struct Trace<'c> {
    span: Span,
    clock: &'c dyn Clock,
    start: Duration,
    waited: AtomicU64,
}

impl<'c> Trace<'c> {
    /// Begins.
    pub(super) fn begin(asked: &Asked, clock: &'c dyn Clock) -> Self {
        let span = tracing::info_span!(
            target: "orgcharter::api", "request",
            method = asked.method.as_str(), path = %asked.target, attempt = Empty, status = Empty,
            request_id = Empty, wait_ms = Empty, took_ms = Empty,
        );
        Self { span, clock, start: clock.monotonic(), waited: AtomicU64::new(0) }
    }

    /// The span.
    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Waits for a budget, or before another try.
    pub(super) async fn waiting<T>(&self, wait: impl Future<Output = T>) -> T {
        let start = self.clock.monotonic();
        let done = wait.await;
        self.waited.fetch_add(self.since(start), Ordering::Relaxed);
        done
    }

    /// One try had this answer, or none.
    pub(super) fn tried(&self, attempt: u32, answer: Option<(u16, Option<String>)>) {
        self.span.record("attempt", attempt);
        if let Some((status, request_id)) = answer {
            self.span.record("status", status);
            self.span.record("request_id", request_id);
        }
    }

    /// Ends.
    pub(super) fn end(self) {
        self.span.record("wait_ms", self.waited.load(Ordering::Relaxed));
        self.span.record("took_ms", self.since(self.start));
    }

    /// Milliseconds.
    fn since(&self, start: Duration) -> u64 {
        millis(self.clock.monotonic().saturating_sub(start))
    }
}

/// Milliseconds as a log can hold them: a number of 128 bits would become a string.
pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
