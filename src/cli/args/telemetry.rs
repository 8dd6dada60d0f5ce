//! Options of commands that tell monitoring what they came to.
//!
//! Invariant: parsing has no effect; what the options mean is decided by the commands.

use std::path::PathBuf;

use clap::Args;

/// What is told about a run.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Telemetry {
    /// Write metrics there in the end, whatever becomes of the command, for Prometheus' node exporter
    #[arg(long, value_name = "FILE.prom", help_heading = "Output")]
    pub(crate) metrics_file: Option<PathBuf>,
}
