//! The nine laws of charter as properties of random organizations.
//!
//! Each law runs over 500 organizations from one generator (`PROPTEST_CASES` asks for more). The seed is fixed, so
//! that a build that passed passes again; `PROPTEST_RNG_SEED=N` explores others. A failure prints the smallest files
//! and live state it could find. Each law also counts what its organizations had in them, and fails if anything of
//! [`coverage::FEATURES`] never came.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)] // helpers of tests, which tell their times

#[path = "../common/mod.rs"]
mod common;
mod converge;
mod coverage;
mod disturb;
mod frame;
mod generate;
mod identity;
mod import;
mod life;
mod model;
mod only;
mod plans;
mod readonly;
mod run;
mod trouble;
