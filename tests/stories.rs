//! The real binary against loopback servers: what a user reads when something is in the way, and what charter does
//! about answers, signals, stale plans and secrets.
//!
//! Invariant: each story starts from an empty environment and its own folder.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a story that cannot go on has failed")]

#[path = "stories/access.rs"]
mod access;
#[path = "stories/applied.rs"]
mod applied;
#[path = "stories/approvals.rs"]
mod approvals;
#[path = "stories/base.rs"]
mod base;
#[path = "stories/commands.rs"]
mod commands;
#[cfg(target_os = "linux")]
#[path = "stories/confirm.rs"]
mod confirm;
#[path = "common/contract.rs"]
mod contract;
#[path = "stories/examples.rs"]
mod examples;
#[path = "stories/failures.rs"]
mod failures;
#[path = "stories/formats.rs"]
mod formats;
#[path = "stories/identity.rs"]
mod identity;
#[cfg(unix)]
#[path = "stories/journals.rs"]
mod journals;
#[cfg(unix)]
#[path = "stories/lock.rs"]
mod lock;
#[path = "stories/names.rs"]
mod names;
#[cfg(unix)]
#[path = "stories/outputs.rs"]
mod outputs;
#[path = "stories/plans.rs"]
mod plans;
#[path = "stories/pull_request.rs"]
mod pull_request;
#[path = "stories/reading.rs"]
mod reading;
#[path = "stories/reports.rs"]
mod reports;
#[path = "stories/repository.rs"]
mod repository;
#[path = "stories/requests.rs"]
mod requests;
#[path = "stories/resume.rs"]
mod resume;
#[path = "stories/revisions.rs"]
mod revisions;
#[path = "stories/secrets.rs"]
mod secrets;
#[path = "stories/signals.rs"]
mod signals;
#[cfg(unix)]
#[path = "stories/stopping.rs"]
mod stopping;
#[path = "stories/support.rs"]
mod support;
#[path = "stories/week.rs"]
mod week;
#[path = "stories/written.rs"]
mod written;
