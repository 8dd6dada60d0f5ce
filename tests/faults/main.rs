//! What charter does when the network, the server or other people get in its way.
//!
//! Invariant: each test says what the organization looks like afterwards and whether the report told it truly; time is
//! a clock that nobody waits for.

// Helpers are not marked as tests, so the exception for tests does not reach them.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

// Other tests use all of it.
#[allow(dead_code)]
#[path = "../common/mod.rs"]
mod common;

#[path = "../common/dice.rs"]
mod dice;
mod edits;
mod laws;
mod lists;
mod matrix;
mod network;
mod pair;
mod sweep;
mod wire;
mod world;
mod writes;
