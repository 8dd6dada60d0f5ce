//! The sandbox against the documented bodies and rules of the Admin API.
//!
//! Invariant: each test states a documented fact, or both positions of a switch where nothing is documented.

// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

mod access;
mod api_keys;
mod chaos;
#[path = "../common/contract.rs"]
mod contract;
mod http;
mod loopback;
mod paging;
mod people;
mod seed;
mod support;
mod trouble;
mod workspaces;
