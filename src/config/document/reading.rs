//! `read`: which files of the folder belong to the organization.
//!
//! Invariant: what is excluded is never opened; the root file is always read.

use super::{Place, Sp, Text};

/// Which files of the folder are read, by their paths below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Where the section stands.
    pub place: Place,
    /// Only these. `None`: all.
    pub include: Option<Sp<Vec<Text>>>,
    /// None of these.
    pub exclude: Option<Sp<Vec<Text>>>,
}
