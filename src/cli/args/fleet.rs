//! Options of commands that can run for a fleet.
//!
//! Invariant: parsing has no effect; what the options mean is decided by the commands.

use std::path::PathBuf;

use clap::Args;

use crate::config::fleet::Shard;

/// For which organizations a command runs, if for several.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Fleet {
    /// Do it for every organization of this file: its folder, with its own credential and limits
    #[arg(long, value_name = "FILE", help_heading = "Fleet", conflicts_with = "path")]
    pub(crate) fleet: Option<PathBuf>,

    /// Only this part of the fleet, by the ids of the organizations: 3/10 is the third of ten
    // With a path, clap leaves `--fleet` out of what is missing, since it conflicts: the path is refused by itself.
    #[arg(long, value_name = "PART/PARTS", help_heading = "Fleet", value_parser = Shard::parse)]
    #[arg(requires = "fleet", conflicts_with = "path")]
    pub(crate) shard: Option<Shard>,
}
