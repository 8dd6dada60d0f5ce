//! Tests of the passes: make what is wanted, make what is live, and read the plan.
//!
//! Invariant: builders only assemble data; every judgement is made by the passes.

mod again;
mod attribution;
mod builder;
mod compared;
mod effects;
mod findings;
mod groups;
mod left_alone;
mod limits;
mod lists;
mod names;
mod people;
mod renamed;
mod saved;
mod slips;
mod workspaces;
