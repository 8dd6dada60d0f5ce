//! Options of reviews: what a plan is held against, and what applying needs.
//!
//! Invariant: parsing has no effect; what the options mean is decided by the commands.

use std::path::PathBuf;

use clap::Args;

use crate::cli::format::{ReviewFormat, one_of};

/// What a plan is held against.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Against {
    /// Hold the plan against the files of this revision: what is by this change, what is drift; the guards and
    /// ignores of both hold
    #[arg(long, value_name = "REV", help_heading = "Review")]
    pub(crate) base_rev: Option<String>,

    /// The same, against another file or folder
    #[arg(long, value_name = "PATH", conflicts_with = "base_rev", help_heading = "Review")]
    pub(crate) base_path: Option<PathBuf>,
}

/// What was applied last.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct LastApplied {
    /// Hold the plan against what was applied last, by the record in this file; `charter apply` writes it anew. Needs
    /// `CHARTER_PLAN_KEY`
    #[arg(long, value_name = "FILE", conflicts_with = "base_path", help_heading = "Review")]
    pub(crate) last_applied: Option<PathBuf>,
}

/// What was applied last, for drift, which has no other base.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct DriftApplied {
    /// Tell what was merged and not applied from drift, by the record in this file. Needs `CHARTER_PLAN_KEY`
    #[arg(long, value_name = "FILE", help_heading = "Review")]
    pub(crate) last_applied: Option<PathBuf>,
}

/// What is applied.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct What {
    /// Carry this saved plan out, and nothing else
    #[arg(long, value_name = "FILE", help_heading = "Review")]
    #[arg(conflicts_with_all = ["path", "rev", "files", "fleet"])]
    pub(crate) plan: Option<PathBuf>,

    /// Apply the files as they are in this revision, from Git's objects; nothing is checked out
    #[arg(long, value_name = "REV", help_heading = "Review")]
    pub(crate) rev: Option<String>,

    /// Apply files, not a saved plan: has to be said where `CHARTER_PLAN_KEY` is set
    #[arg(long, help_heading = "Review")]
    pub(crate) files: bool,
}

/// What applying needs besides passing the guards.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Approve {
    /// The digest that the plan asks for, if it archives (or does what `guard.acknowledge` names)
    #[arg(long, value_name = "DIGEST", help_heading = "Review")]
    pub(crate) ack: Vec<String>,

    /// Take the digest from the `Charter-Ack:` trailer of this commit's message
    #[arg(long, value_name = "REV", help_heading = "Review")]
    pub(crate) ack_from_commit: Option<String>,

    /// Refuse unless the commit of the files or the plan is the tip of this branch: `refs/remotes/origin/main`
    #[arg(long, value_name = "REF", help_heading = "Review")]
    pub(crate) require_tip: Option<String>,
}

/// `charter diff`.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The file or folder before; or revisions: OLD..NEW, or OLD...NEW from where they parted
    pub(crate) old: PathBuf,
    /// The file or folder after
    pub(crate) new: Option<PathBuf>,
    /// The file or folder to compare in both revisions [default: the current folder]
    #[arg(last = true)]
    pub(crate) path: Option<PathBuf>,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    #[arg(value_parser = one_of(ReviewFormat::PLAN))]
    pub(crate) format: ReviewFormat,

    /// Show pseudonyms for e-mails, names and key hints, made with the key in `CHARTER_REDACT_KEY`
    #[arg(long)]
    pub(crate) redact: bool,
}
