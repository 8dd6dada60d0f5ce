//! `charter completions`: a completion script for a shell.
//!
//! Invariant: made from the command line's own definition.

use clap::{Arg, ArgAction, Command, CommandFactory as _, ValueHint};

use crate::cli::{
    args::{Cli, Completions},
    failure::{Exit, Failure},
    ui::Ui,
};

pub(in crate::cli) fn run(args: &Completions, ui: &Ui) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut hinted(Cli::command()), "charter", &mut script);
    ui.data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

/// The command line as shells complete it: files are offered for paths alone.
fn hinted(command: Command) -> Command {
    command.mut_args(hint).mut_subcommands(hinted)
}

fn hint(arg: Arg) -> Arg {
    // Its value is given with `=` alone, so what follows it is something else.
    if arg.get_id() == "sandbox" {
        return Arg::new("sandbox")
            .long("sandbox")
            .global(true)
            .action(ArgAction::SetTrue)
            .help(arg.get_help().cloned().unwrap_or_default());
    }
    if !arg.get_action().takes_values() {
        return arg;
    }
    let names = arg.get_value_names().unwrap_or_default();
    let is_path = names.iter().any(|name| {
        ["FILE", "PATH", "DIR", "JOURNAL", "OLD", "NEW"].contains(&name.as_str())
            || name.contains('.')
    });
    arg.value_hint(if is_path { ValueHint::AnyPath } else { ValueHint::Other })
}
