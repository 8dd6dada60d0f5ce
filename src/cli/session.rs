//! One run of a command that looks at organizations: its options, its output, and what it came to.
//!
//! Invariant: whatever becomes of the command, its metrics are written at the end.

use std::{path::Path, time::Instant};

use super::{
    args::Global,
    failure::{Exit, Failure},
    telemetry::Telemetry,
    ui::Ui,
};

/// One run of a command.
pub(super) struct Session<'a> {
    /// Options of every command.
    pub(super) global: &'a Global,
    /// Where its output goes.
    pub(super) ui: &'a Ui,
    /// What it came to for each organization.
    pub(super) telemetry: Telemetry,
    start: Instant,
}

impl<'a> Session<'a> {
    /// Begins.
    pub(super) fn begin(
        command: &'static str,
        metrics: Option<&Path>,
        global: &'a Global,
        ui: &'a Ui,
    ) -> Result<Self, Failure> {
        let telemetry = Telemetry::open(command, metrics)?;
        Ok(Self { global, ui, telemetry, start: Instant::now() })
    }

    /// Ends.
    pub(super) fn end(self, ended: Result<Exit, Failure>) -> Result<Exit, Failure> {
        let exit = ended.as_ref().map_or_else(Failure::exit, |exit| *exit);
        self.telemetry.end(exit, self.start.elapsed(), self.ui);
        ended
    }
}
