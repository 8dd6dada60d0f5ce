//! From files and live organization to a plan: bind, adopt, diff, schedule, guard. Pure functions.
//!
//! Invariant: the same inputs give the same plan to the byte, and nothing here can reach the network.

pub mod step;

pub use step::{Cause, Plan, Stage, Step};
