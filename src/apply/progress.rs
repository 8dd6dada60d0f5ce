//! What a run tells while it runs.
//!
//! Invariant: whoever hears it cannot change what is done.

use super::report::Outcome;
use crate::plan::Step;

/// Hears of each step as it goes. The shell draws a bar or prints lines from it.
pub trait Progress: Send + Sync {
    /// So many steps will be gone through.
    fn begin(&self, _steps: usize) {}
    /// A step's first call is about to be made.
    fn started(&self, _step: &Step) {}
    /// A step has its outcome; a step can finish without having started.
    fn finished(&self, _step: &Step, _outcome: &Outcome) {}
    /// Something about the run as a whole, in one line.
    fn line(&self, _text: &str) {}
}

/// Says nothing.
impl Progress for () {}
