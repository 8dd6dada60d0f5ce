//! `charter completions`: a completion script for a shell.
//!
//! Invariant: made from the command line's own definition.

use clap::CommandFactory as _;

use crate::cli::{
    args::{Cli, Completions},
    failure::{Exit, Failure},
    ui::Ui,
};

pub(in crate::cli) fn run(args: &Completions, ui: &Ui) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "charter", &mut script);
    ui.data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
