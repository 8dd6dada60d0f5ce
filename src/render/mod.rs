//! How plans and findings are shown: as text for people, as JSON for machines, and in the forms that reviews and
//! pipelines read.
//!
//! Invariant: everything that came from files or the API goes through [`clean`] before it is part of a text, and
//! nothing here prints: a renderer returns a string with ANSI styles, and the shell decides whether they stay.

pub mod access;
pub mod clean;
pub mod diagnostics;
pub mod diff;
pub mod fleet;
pub mod github;
#[cfg(test)]
mod hostile;
pub mod json;
pub mod junit;
pub mod layout;
pub mod markdown;
pub mod metrics;
pub mod outcome;
#[cfg(test)]
mod passed;
pub mod places;
pub mod policy;
pub mod redact;
pub mod resume;
pub mod review;
#[cfg(test)]
mod sample;
pub mod sarif;
pub mod spelling;
pub mod style;
pub mod text;
mod weight;
