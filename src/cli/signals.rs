//! Ctrl-C and SIGTERM.
//!
//! Invariant: from the moment this listens no signal is lost, and none ends the process by itself.

use std::{io, pin::pin};

use super::failure::Failure;
use crate::apply::Stop;

/// Listens to both.
pub(super) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
}

impl Signals {
    /// Begins to listen.
    pub(super) fn listen() -> Result<Self, Failure> {
        Self::new().map_err(|error| Failure::failed(format!("cannot listen for signals: {error}")))
    }

    #[cfg(unix)]
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    #[cfg(windows)]
    fn new() -> io::Result<Self> {
        Ok(Self { interrupt: tokio::signal::windows::ctrl_c()? })
    }

    /// Does some work meanwhile, and passes signals on to it: the first asks it to stop, any other to stop at once.
    pub(super) async fn heed<T>(
        &mut self,
        stop: &Stop,
        first: impl Fn(),
        work: impl Future<Output = T>,
    ) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = self.next() => {
                    if stop.requested() {
                        stop.at_once();
                    } else {
                        first();
                        stop.request();
                    }
                }
            }
        }
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(windows)]
        self.interrupt.recv().await;
    }
}
