//! The two sides of a generated case: what the files say, and what is live.
//!
//! Invariant: both are plain data, made together, so that a law can compare outcomes with them without asking the
//! code under test.

pub(crate) mod files;
pub(crate) mod live;
pub(crate) mod seed;
pub(crate) mod yaml;
