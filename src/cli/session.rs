//! One run of a command that looks at organizations: its options, its output, and what it came to.
//!
//! Invariant: whatever becomes of the command, its metrics are written at the end.

use std::{path::Path, time::Instant};

use super::{
    Shell,
    args::{Global, fleet::Fleet},
    failure::{Exit, Failure},
    lock::Locks,
    signals::Signals,
    telemetry::Telemetry,
    ui::Ui,
};

/// One run of a command.
pub(super) struct Session<'a> {
    /// Options of every command.
    pub(super) global: &'a Global,
    /// Where its output goes.
    pub(super) ui: &'a Ui,
    /// What asks it to stop.
    pub(super) signals: &'a Signals,
    /// What it came to for each organization.
    pub(super) telemetry: Telemetry,
    /// What keeps other applies away.
    pub(super) locks: Locks<'a>,
    start: Instant,
}

impl<'a> Session<'a> {
    /// Begins; `fleet` says for which organizations.
    pub(super) fn begin(
        command: &'static str,
        fleet: &Fleet,
        metrics: Option<&Path>,
        shell: Shell<'a>,
    ) -> Result<Self, Failure> {
        let Shell { global, ui, signals } = shell;
        let telemetry = Telemetry::open(command, fleet, metrics, ui)?;
        let locks = Locks::new(ui);
        Ok(Self { global, ui, signals, telemetry, locks, start: Instant::now() })
    }

    /// Ends.
    pub(super) fn end(self, ended: Result<Exit, Failure>) -> Result<Exit, Failure> {
        let exit = ended.as_ref().map_or_else(Failure::exit, |exit| *exit);
        self.telemetry.end(exit, self.start.elapsed(), self.ui);
        ended
    }
}
