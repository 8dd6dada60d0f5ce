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
}

impl<T> Drop for Beside<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
