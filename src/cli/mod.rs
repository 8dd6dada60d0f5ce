//! The shell: reads the command line, the environment, the clock and the terminal, and calls the rest.
//!
//! Invariant: nothing outside this module reads the environment, prints, or decides an exit code.

mod approval;
mod args;
mod cmd;
mod connect;
mod failure;
mod fleet;
mod format;
mod log;
mod prepare;
mod printer;
mod progress;
mod replace;
mod revision;
mod session;
mod signals;
mod target;
mod telemetry;
mod ui;

use std::{ffi::OsString, process::ExitCode};

use clap::{Parser as _, error::ErrorKind};

use self::{
    args::{Cli, Command},
    failure::{Exit, Failure},
    ui::Ui,
};

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    run(std::env::args_os()).into()
}

fn run(args: impl Iterator<Item = OsString>) -> Exit {
    let Cli { global, command } = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let ui = Ui::new(&global);
    let ended = log::start(&global).and_then(|()| {
        log::command(name(&command), || match &command {
            Command::Validate(args) => cmd::validate::run(args, &ui),
            Command::Plan(args) => wait(cmd::plan::run(args, &global, &ui)),
            Command::Apply(args) => wait(cmd::apply::run(args, &global, &ui)),
            Command::Policy(args) => cmd::policy::run(args, &ui),
            Command::Diff(args) => cmd::diff::run(args, &ui),
            Command::Import(args) => wait(cmd::import::run(args, &global, &ui)),
            Command::Access(args) => wait(cmd::access::run(args, &global, &ui)),
            Command::Drift(args) => wait(cmd::drift::run(args, &global, &ui)),
            Command::Schema(args) => cmd::schema::run(args, &ui),
            Command::Sandbox(args) => wait(cmd::sandbox::run(args, &ui)),
            Command::Completions(args) => cmd::completions::run(args, &ui),
            Command::Man(args) => cmd::man::run(args, &ui),
        })
    });
    match ended {
        Ok(exit) => exit,
        Err(failure) => {
            ui.failure(&failure);
            failure.exit()
        }
    }
}

/// The word for a command, as it is typed.
fn name(command: &Command) -> &'static str {
    match command {
        Command::Validate(_) => "validate",
        Command::Plan(_) => "plan",
        Command::Apply(_) => "apply",
        Command::Drift(_) => "drift",
        Command::Policy(_) => "policy",
        Command::Diff(_) => "diff",
        Command::Import(_) => "import",
        Command::Access(_) => "access",
        Command::Schema(_) => "schema",
        Command::Sandbox(_) => "sandbox",
        Command::Completions(_) => "completions",
        Command::Man(_) => "man",
    }
}

/// Runs a command that talks to the network.
fn wait(command: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("cannot start: {error}")))?;
    let ended = runtime.block_on(command);
    // A command that was told not to wait does not wait for a name to be resolved either.
    runtime.shutdown_background();
    ended
}

/// Help and version are results; anything else is a mistake in the command line.
fn usage(error: &clap::Error) -> Exit {
    // There is nobody left to tell if the terminal is gone.
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done,
        _ => Exit::Usage,
    }
}
