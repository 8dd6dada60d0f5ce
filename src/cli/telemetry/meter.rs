//! Counts the requests of one organization by the class of their answers.
//!
//! Invariant: every request that goes out is counted once, tries and token exchanges included.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::api::transport::{BoxFuture, RawRequest, RawResponse, Transport, TransportError};

/// The classes, and last what had no answer.
const CLASSES: [&str; 5] = ["2xx", "3xx", "4xx", "5xx", "none"];

/// Counts as they go up.
#[derive(Debug, Default)]
pub(in crate::cli) struct Meter([AtomicU64; CLASSES.len()]);

/// Requests by class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Requests([u64; CLASSES.len()]);

/// A transport whose requests are counted.
pub(in crate::cli) struct Metered {
    inner: Arc<dyn Transport>,
    meter: Arc<Meter>,
}

impl Metered {
    /// Counts what goes through `inner`.
    pub(in crate::cli) fn new(inner: Arc<dyn Transport>, meter: Arc<Meter>) -> Self {
        Self { inner, meter }
    }
}

impl Transport for Metered {
    fn send(&self, request: RawRequest) -> BoxFuture<'_, Result<RawResponse, TransportError>> {
        Box::pin(async {
            let mut counted = Counted { meter: &self.meter, status: None };
            let reply = self.inner.send(request).await;
            counted.status = reply.as_ref().ok().map(|response| response.status);
            reply
        })
    }

    fn rest(&self) {
        self.inner.rest();
    }
}

/// A request that is counted at its end, also where nobody waits for the answer any more.
struct Counted<'a> {
    meter: &'a Meter,
    status: Option<u16>,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.meter.count(self.status);
    }
}

impl Meter {
    pub(super) fn count(&self, status: Option<u16>) {
        let class = match status {
            Some(200..300) => 0,
            Some(300..400) => 1,
            Some(400..500) => 2,
            Some(500..600) => 3,
            _ => 4,
        };
        self.0[class].fetch_add(1, Ordering::Relaxed);
    }

    /// The counts so far.
    pub(in crate::cli) fn requests(&self) -> Requests {
        Requests(std::array::from_fn(|class| self.0[class].load(Ordering::Relaxed)))
    }
}

impl Requests {
    /// By class.
    pub(in crate::cli) fn classes(self) -> [(&'static str, u64); CLASSES.len()] {
        std::array::from_fn(|class| (CLASSES[class], self.0[class]))
    }
}
