//! What a run tells while it runs, and how it is told to stop.
//!
//! Invariant: neither can change what is done, only whether more is begun.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

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

/// Asks a run to end: what is in flight finishes, nothing else begins. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Nobody has asked yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
