//! Applies plans to an organization in process: exactly the plan's calls, through faults, console edits and stops.
//!
//! Invariant: each test says what the organization looks like afterwards, not only what was reported.

// Helpers are not marked as tests, so the exception for tests does not reach them.
#![allow(clippy::unwrap_used)]

mod support;

mod answers;
mod budget;
mod chaos;
#[path = "../common/contract.rs"]
mod contract;
mod destructive;
#[path = "../common/dice.rs"]
mod dice;
mod faults;
mod files;
mod happy;
mod hidden;
mod journal;
mod observe;
mod refusals;
mod resume;
mod room;
mod stop;
