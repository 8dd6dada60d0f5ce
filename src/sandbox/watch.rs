//! A look at every exchange of this process, so that tests can judge what is sent and what is answered.
//!
//! Invariant: a watcher sees and changes nothing; without one, which is how charter runs, nothing happens.

use std::sync::OnceLock;

use super::{faults::Fault, handle::Wire, switches::Switches};
use crate::api::transport::{RawRequest, RawResponse};

/// One exchange.
#[derive(Debug)]
pub struct Seen<'a> {
    /// The request as it came.
    pub request: &'a RawRequest,
    /// The reply.
    pub response: &'a RawResponse,
    /// How the reply travels.
    pub wire: Wire,
    /// The fault that struck it.
    pub fault: Option<&'a Fault>,
    /// The switches that the organization has.
    pub switches: &'a Switches,
}

static WATCHER: OnceLock<fn(&Seen<'_>)> = OnceLock::new();

/// Shows every later exchange of every organization in this process; the first watcher stays.
pub fn watch(watcher: fn(&Seen<'_>)) {
    // A second one would be the same, set by another test of the same program.
    let _ = WATCHER.set(watcher);
}

/// Shows an exchange to whoever watches.
pub(super) fn show(seen: &Seen<'_>) {
    if let Some(watcher) = WATCHER.get() {
        watcher(seen);
    }
}
