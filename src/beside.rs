//! Work that goes on while its caller does something else.
//!
//! Invariant: it ends with its handle, so nothing goes on for a command that has failed.

use std::panic;

use tokio::task::JoinHandle;
use tracing::Instrument as _;

/// Work that was begun.
pub(crate) struct Beside<T>(JoinHandle<T>);

impl<T: Send + 'static> Beside<T> {
    /// Begins it.
    pub(crate) fn begin(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(tokio::spawn(work.in_current_span()))
    }

    /// Waits for its result.
    pub(crate) async fn end(mut self) -> T {
        match (&mut self.0).await {
            Ok(result) => result,
            // Only the handle could have stopped it.
            Err(error) => panic::resume_unwind(error.into_panic()),
        }
    }

    /// Ends it where it is, and waits until nothing of it goes on.
    pub(crate) async fn stop(mut self) {
        self.0.abort();
        let _ = (&mut self.0).await;
    }
}

impl<T> Drop for Beside<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::{future::pending, sync::Arc};

    use super::*;

    /// Work that never ends, and something that is there as long as it goes on.
    fn endless() -> (Beside<()>, std::sync::Weak<()>) {
        let held = Arc::new(());
        let seen = Arc::downgrade(&held);
        let work = async move {
            pending::<()>().await;
            drop(held);
        };
        (Beside::begin(work), seen)
    }

    #[tokio::test]
    async fn the_result_is_that_of_the_work() {
        assert_eq!(Beside::begin(async { 6 * 7 }).end().await, 42);
    }

    #[tokio::test]
    async fn what_is_stopped_or_dropped_does_not_go_on() {
        let (work, seen) = endless();
        tokio::task::yield_now().await;
        assert!(seen.upgrade().is_some());
        work.stop().await;
        assert!(seen.upgrade().is_none(), "stopped");

        let (work, seen) = endless();
        tokio::task::yield_now().await;
        drop(work);
        tokio::task::yield_now().await;
        assert!(seen.upgrade().is_none(), "dropped");
    }

    #[tokio::test]
    #[should_panic(expected = "out of order")]
    async fn a_panic_is_that_of_whoever_waits() {
        Beside::begin(async { panic!("out of order") }).end().await;
    }
}
