//! The commands, a file each: they read their arguments, call the passes, and hand texts to the screen.
//!
//! Invariant: a command decides nothing about an organization; that is done by the layers below.

pub(super) mod access;
pub(super) mod apply;
pub(super) mod completions;
pub(super) mod diff;
pub(super) mod drift;
pub(super) mod import;
pub(super) mod man;
pub(super) mod plan;
pub(super) mod policy;
pub(super) mod sandbox;
pub(super) mod schema;
pub(super) mod validate;
