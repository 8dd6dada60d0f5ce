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
mod held;
mod journals;
mod lock;
mod log;
mod memory;
mod places;
mod prepare;
mod printer;
mod progress;
mod pulse;
mod replace;
mod revision;
mod session;
mod sides;
mod signals;
mod skew;
mod state;
mod target;
mod telemetry;
mod trailers;
mod ui;

use std::{ffi::OsString, process::ExitCode};

use clap::{Parser as _, error::ErrorKind};

use self::{
    args::{Cli, Command, Global},
    failure::{Exit, Failure},
    signals::Signals,
    ui::Ui,
};

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    // Before anything else: process 1 of a container gets no signal that it does not handle.
    let signals = Signals::listen();
    memory::keep_off_the_disk();
    run(std::env::args_os(), signals).into()
}

fn run(args: impl Iterator<Item = OsString>, signals: Result<Signals, Failure>) -> Exit {
    let Cli { global, command } = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let ui = Ui::new(&global);
    let ended = signals.and_then(|signals| {
        log::start(&global, is_for_several(&command))?;
        let shell = Shell { global: &global, ui: &ui, signals: &signals };
        log::command(name(&command), || match &command {
            Command::Validate(args) => cmd::validate::run(args, &ui),
            Command::Plan(args) => shell.wait(cmd::plan::run(args, shell)),
            Command::Apply(args) => shell.wait(cmd::apply::run(args, shell)),
            Command::Policy(args) => cmd::policy::run(args, &ui),
            Command::Diff(args) => cmd::diff::run(args, &ui),
            Command::Import(args) => shell.wait(cmd::import::run(args, shell)),
            Command::Access(args) => shell.wait(cmd::access::run(args, shell)),
            Command::Drift(args) => shell.wait(cmd::drift::run(args, shell)),
            Command::Schema(args) => cmd::schema::run(args, &ui),
            Command::Sandbox(args) => shell.wait(cmd::sandbox::run(args, shell)),
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

/// Whether a command is for several organizations.
fn is_for_several(command: &Command) -> bool {
    match command {
        Command::Plan(args) => args.fleet.fleet.is_some(),
        Command::Apply(args) => args.fleet.fleet.is_some(),
        Command::Drift(args) => args.fleet.fleet.is_some(),
        _ => false,
    }
}

/// What commands that talk to the network share.
#[derive(Clone, Copy)]
pub(crate) struct Shell<'a> {
    /// Options of every command.
    pub(crate) global: &'a Global,
    /// Where its output goes.
    pub(crate) ui: &'a Ui,
    /// What asks it to stop.
    pub(crate) signals: &'a Signals,
}

impl Shell<'_> {
    /// Runs a command that talks to the network, and ends by itself when it is told to stop.
    fn wait(self, command: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
        self.signals.watched();
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
