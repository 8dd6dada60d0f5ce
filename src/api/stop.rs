//! How running work is asked to stop.
//!
//! Invariant: a request to stop is never taken back, and is only ever made more urgent.

use std::sync::Arc;

use tokio::sync::watch;

/// Asks running work to end: first so that what is in flight finishes and nothing else begins, then at once. Clones are
/// the same one.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<watch::Sender<Asked>>);

/// How urgently somebody asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    /// Nobody did.
    #[default]
    Nothing,
    /// Nothing else begins.
    Finish,
    /// What is in flight is left to its fate too.
    Leave,
}

impl Stop {
    /// Nobody has asked yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks to begin nothing else.
    pub fn request(&self) {
        self.ask(Asked::Finish);
    }

    /// Asks to wait for nothing any more: the outcome of what is in flight stays unknown.
    pub fn at_once(&self) {
        self.ask(Asked::Leave);
    }

    /// Whether somebody asked.
    pub fn requested(&self) -> bool {
        *self.0.borrow() >= Asked::Finish
    }

    /// Waits until somebody asks to begin nothing else.
    pub async fn asked(&self) {
        self.wait(Asked::Finish).await;
    }

    /// Waits until somebody asks to wait for nothing any more.
    pub async fn left(&self) {
        self.wait(Asked::Leave).await;
    }

    async fn wait(&self, how: Asked) {
        // The sender lives as long as `self`.
        let _ = self.0.subscribe().wait_for(|asked| *asked >= how).await;
    }

    fn ask(&self, how: Asked) {
        self.0.send_if_modified(|asked| {
            let more = how > *asked;
            *asked = how.max(*asked);
            more
        });
    }
}
