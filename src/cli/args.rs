//! The command line: every command and option, each with its help.
//!
//! Invariant: parsing has no effect; what the options mean is decided by the commands.

mod apply;
pub(crate) mod fleet;
pub(super) mod parse;
pub(crate) mod review;
pub(crate) mod telemetry;

use std::{ffi::OsString, path::PathBuf};

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use jiff::civil::Date;

pub(crate) use self::apply::Apply;
use self::parse::{allowance, day, only, output};
use super::format::{ReviewFormat, one_of};
use crate::{plan::Only, resource::desired::GuardName};

/// The folder that is read if no path is given: the current one.
pub(crate) const DEFAULT_PATH: &str = ".";

const EXIT_CODES: &str = "\
Exit codes:
  0  done, or nothing to do
  1  failed: bad credential, unreachable, every attempted step failed
  2  changes: `drift`, and `plan --detailed-exitcode` when something is ready
  3  bad usage or files, or nobody to confirm
  4  refused: guard, policy, stale plan, wrong organization
  5  partly applied, or an outcome is unknown
  130, 143  stopped by Ctrl-C or SIGTERM before anything was changed

Try it without credentials: charter plan FILE --sandbox";

/// Keeps a Claude (Anthropic) organization equal to YAML files in Git.
#[derive(Debug, Parser)]
#[command(name = "charter", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
    /// The command.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub(crate) struct Global {
    /// Use a fake organization on loopback instead of credentials; dropped at the end. A folder holds a state for
    /// each organization, ID.yaml
    #[arg(long, global = true, value_name = "STATE.yaml", help_heading = "Connection")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "")]
    #[arg(conflicts_with_all = ["base_url", "ca_bundle"])]
    pub(crate) sandbox: Option<OsString>,

    /// Where the Admin API is; https, or http on loopback [env: `ANTHROPIC_BASE_URL`]
    #[arg(long, global = true, value_name = "URL", help_heading = "Connection")]
    pub(crate) base_url: Option<String>,

    /// Requests begun in any 60 seconds [default: 90; with --sandbox: no limit]
    #[arg(long, global = true, value_name = "N", help_heading = "Connection")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) requests_per_minute: Option<u32>,

    /// More root certificates, as a PEM file
    #[arg(long, global = true, value_name = "FILE", help_heading = "Connection")]
    pub(crate) ca_bundle: Option<PathBuf>,

    /// When to use colours; `NO_COLOR` is honoured
    #[arg(long, global = true, value_name = "WHEN", help_heading = "Output")]
    #[arg(value_enum, default_value_t, hide_possible_values = false)]
    pub(crate) color: Color,

    /// Say more: calls under each step, and a log on stderr (`-vv`: every request)
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Output")]
    pub(crate) verbose: u8,

    /// Say less: only results and errors
    #[arg(short, long, global = true, help_heading = "Output", conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Show every finding; without it, the first 20 and how many more there are
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) all: bool,

    /// How log lines look
    #[arg(long, global = true, value_name = "FORMAT", help_heading = "Output")]
    #[arg(value_enum, default_value_t)]
    pub(crate) log_format: LogFormat,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal.
    #[default]
    Auto,
    /// Even into a pipe.
    Always,
    /// Never.
    Never,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Parse and check files, without network
    Validate(Validate),
    /// Show what apply would do
    Plan(PlanArgs),
    /// Carry a plan out
    Apply(Apply),
    /// Show how the live organization differs from the files; exit 2 if it does
    Drift(Drift),
    /// List the rules of the files and judge by them, without network
    Policy(Policy),
    /// Compare two files or folders, without network: rules, changes, who gains or loses access
    Diff(review::Diff),
    /// Write the live organization as YAML that plans to nothing
    Import(Import),
    /// Show who can do what, inherited roles included
    Access(Access),
    /// Print a JSON Schema
    Schema(Schema),
    /// Serve a fake organization on loopback
    Sandbox(Sandbox),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Print the manual page, or write all of them
    Man(Man),
}

/// A file or folder to read.
#[derive(Clone, Debug, Args)]
pub(crate) struct Files {
    /// A folder with a `charter.yaml`, which may be named instead, or a file of another name
    #[arg(value_name = "PATH", default_value = DEFAULT_PATH)]
    pub(crate) path: PathBuf,

    /// Read the files as they are in this revision, from Git's objects; nothing is checked out
    #[arg(long, value_name = "REV", help_heading = "Review")]
    pub(crate) rev: Option<String>,
}

/// `charter validate`.
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// What to read.
    #[command(flatten)]
    pub(crate) files: Files,

    /// How findings are printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    #[arg(value_parser = one_of(ReviewFormat::PLAN))]
    pub(crate) format: ReviewFormat,

    /// Show pseudonyms for e-mails, names and key hints, made with the key in `CHARTER_REDACT_KEY`
    #[arg(long)]
    pub(crate) redact: bool,
}

/// Narrows a plan.
#[derive(Clone, Debug, Args)]
pub(crate) struct Narrow {
    /// Only steps whose address matches, or `expired`, or `deferred`; what they need comes along
    #[arg(long, value_name = "GLOB|expired|deferred", value_parser = only)]
    #[arg(help_heading = "Plan")]
    pub(crate) only: Vec<Only>,

    /// Pass a guard this once, with the exact count of the plan: removals.members=40
    #[arg(long, value_name = "GUARD=COUNT", value_parser = allowance, help_heading = "Plan")]
    pub(crate) allow: Vec<(GuardName, u64)>,
}

/// `charter plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// What to read.
    #[command(flatten)]
    pub(crate) files: Files,

    /// For whom, if for several.
    #[command(flatten)]
    pub(crate) fleet: fleet::Fleet,

    /// What is told about it.
    #[command(flatten)]
    pub(crate) telemetry: telemetry::Telemetry,

    /// Narrows it.
    #[command(flatten)]
    pub(crate) narrow: Narrow,

    /// What it is held against.
    #[command(flatten)]
    pub(crate) against: review::Against,
    /// What was applied last.
    #[command(flatten)]
    pub(crate) applied: review::LastApplied,

    /// Save the plan, for `charter apply FILE`; readable by you alone
    #[arg(short, long, value_name = "FILE", value_parser = output(), help_heading = "Plan")]
    pub(crate) out: Option<PathBuf>,

    /// How the plan is printed
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Plan")]
    #[arg(value_parser = one_of(ReviewFormat::PLAN))]
    pub(crate) format: ReviewFormat,

    /// Show pseudonyms for e-mails, names and key hints, made with the key in `CHARTER_REDACT_KEY`
    #[arg(long, help_heading = "Plan")]
    pub(crate) redact: bool,

    /// Exit 2 if something is ready to be done
    #[arg(long, help_heading = "Plan")]
    pub(crate) detailed_exitcode: bool,

    /// Plan as if it were the start of this day, UTC
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    #[arg(conflicts_with = "out", help_heading = "Plan")]
    pub(crate) at: Option<Date>,
}

/// How something is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For machines; see `charter schema plan`.
    Json,
}

/// `charter drift`.
#[derive(Debug, Args)]
pub(crate) struct Drift {
    /// What to read.
    #[command(flatten)]
    pub(crate) files: Files,

    /// For whom, if for several.
    #[command(flatten)]
    pub(crate) fleet: fleet::Fleet,

    /// What is told about it.
    #[command(flatten)]
    pub(crate) telemetry: telemetry::Telemetry,

    /// What was applied last.
    #[command(flatten)]
    pub(crate) applied: review::DriftApplied,

    /// What counts as drift
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT")]
    #[arg(default_values_t = [FailOn::Ready, FailOn::Manual])]
    pub(crate) fail_on: Vec<FailOn>,

    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    #[arg(value_parser = one_of(ReviewFormat::DRIFT))]
    pub(crate) format: ReviewFormat,

    /// Show pseudonyms for e-mails, names and key hints, made with the key in `CHARTER_REDACT_KEY`
    #[arg(long)]
    pub(crate) redact: bool,
}

/// What counts as drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum FailOn {
    /// Steps that apply would do, or that are held.
    Ready,
    /// Steps by hand.
    Manual,
    /// Steps that wait.
    Deferred,
    /// Live objects that the files do not name.
    Unmanaged,
}

/// `charter policy`.
#[derive(Debug, Args)]
pub(crate) struct Policy {
    /// A folder with a `charter.yaml`, a file of another name, or a plan saved by `charter plan --out`
    #[arg(value_name = "PATH|plan.json", default_value = DEFAULT_PATH)]
    pub(crate) path: PathBuf,

    /// Read the files as they are in this revision, from Git's objects; nothing is checked out
    #[arg(long, value_name = "REV", help_heading = "Review")]
    pub(crate) rev: Option<String>,

    /// What it is held against.
    #[command(flatten)]
    pub(crate) against: review::Against,
    /// Judge as if it were this day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub(crate) at: Option<Date>,

    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    #[arg(value_parser = one_of(ReviewFormat::PLAN))]
    pub(crate) format: ReviewFormat,
}

/// `charter import`.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Where it goes; an existing file is not overwritten [default: stdout]
    #[arg(short, long, value_name = "FILE", value_parser = output())]
    pub(crate) out: Option<PathBuf>,

    /// What kind of organization it is [default: told by the roles of its people]
    #[arg(long, value_enum, value_name = "KIND")]
    pub(crate) kind: Option<OrgKindArg>,
}

/// What kind of organization it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OrgKindArg {
    /// A Console (API) organization.
    #[default]
    Console,
    /// A Claude Enterprise organization.
    Enterprise,
    /// Claude Platform on AWS.
    Aws,
}

/// `charter access`.
#[derive(Debug, Args)]
pub(crate) struct Access {
    /// Only people whose address is or matches this: ada@acme.com, '*@acme.com'
    #[arg(value_name = "WHO")]
    pub(crate) who: Option<String>,

    /// What the files say, instead of what is live
    #[arg(long)]
    pub(crate) offline: bool,

    /// What kind of organization it is [default: told by the roles of its people]
    #[arg(long, value_enum, value_name = "KIND")]
    pub(crate) kind: Option<OrgKindArg>,

    /// The files for --offline
    #[arg(long, value_name = "PATH", default_value = DEFAULT_PATH)]
    pub(crate) path: PathBuf,

    /// How it is printed
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
}

/// `charter schema`.
#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// Of what
    #[arg(value_enum, default_value_t)]
    pub(crate) of: SchemaOf,
}

/// What a schema is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// The files.
    #[default]
    Charter,
    /// A fleet file.
    Fleet,
    /// A saved plan.
    Plan,
    /// A line of a journal.
    Journal,
}

/// `charter sandbox`.
#[derive(Debug, Args)]
pub(crate) struct Sandbox {
    /// The organization to begin with [default: an empty one]
    #[arg(long, value_name = "STATE.yaml")]
    pub(crate) seed: Option<PathBuf>,

    /// Where to listen; a loopback address, port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: std::net::SocketAddr,
}

/// `charter completions`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// `charter man`.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Write the pages of all commands into this folder [default: print the main page]
    #[arg(short, long, value_name = "DIR", value_parser = output())]
    pub(crate) out: Option<PathBuf>,
}

#[cfg(test)]
mod tests;
