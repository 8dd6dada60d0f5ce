//! The real binary on fleets of organizations: what becomes of one changes nothing for another.
//!
//! Invariant: each organization is a sandbox of its own that takes its own key only; the server they share tells them
//! apart by the key, as the API does.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod apply;
#[path = "../common/contract.rs"]
mod contract;
mod docs;
mod plans;
mod stop;
mod support;
mod telemetry;
