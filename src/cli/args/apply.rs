//! Options of `charter apply`.
//!
//! Invariant: parsing has no effect; what the options mean is decided by the command.

use std::path::PathBuf;

use clap::Args;

use super::{Narrow, fleet, parse::maybe_path, review, telemetry};

/// `charter apply`.
#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// A folder with a `charter.yaml`, a file of another name, or a plan saved by `charter plan --out` [default: the current folder]
    #[arg(value_name = "PATH|plan.json")]
    pub(crate) path: Option<PathBuf>,

    /// For whom, if for several.
    #[command(flatten)]
    pub(crate) fleet: fleet::Fleet,

    /// What is told about it.
    #[command(flatten)]
    pub(crate) telemetry: telemetry::Telemetry,

    /// Narrows it.
    #[command(flatten)]
    pub(crate) narrow: Narrow,

    /// What of both it is.
    #[command(flatten)]
    pub(crate) what: review::What,
    /// What it is held against.
    #[command(flatten)]
    pub(crate) against: review::Against,
    /// What was applied last.
    #[command(flatten)]
    pub(crate) applied: review::LastApplied,
    /// What it needs.
    #[command(flatten)]
    pub(crate) approve: review::Approve,

    /// Do not ask
    #[arg(short, long, help_heading = "Apply")]
    pub(crate) yes: bool,

    /// Plan once more afterwards, and say whether anything is left
    #[arg(long, help_heading = "Apply")]
    pub(crate) verify: bool,

    /// Where the journal is written: a file, or a folder; with --fleet a folder [env: `CHARTER_JOURNAL`] [default:
    /// `$XDG_STATE_HOME/charter/journals`, else ~/.local/state/charter/journals; with --sandbox: none]
    #[arg(long, value_name = "PATH", help_heading = "Apply")]
    pub(crate) journal: Option<PathBuf>,

    /// Say what became of the run of this journal, look at what it left open, and go on with what is left [without a
    /// JOURNAL: the newest one of the organization]
    #[arg(long, value_name = "JOURNAL", help_heading = "Apply")]
    #[arg(num_args = 0..=1, default_missing_value = "", value_parser = maybe_path())]
    #[arg(conflicts_with_all = ["only", "base_rev", "base_path", "rev"])]
    pub(crate) resume: Option<PathBuf>,
}
