//! The only place that prints: results to stdout, everything else to stderr.
//!
//! Invariant: a reader who goes away is no error, colours appear only where they are wanted, and no meaning
//! hangs on them. What is kept for later keeps its order.

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::{Arc, Mutex, PoisonError},
};

use anstream::{AutoStream, ColorChoice};
use indicatif::{ProgressBar, ProgressStyle};

use super::{
    args::{Color, Global},
    failure::Failure,
};
use crate::{
    config::load::Rejected,
    diagnostic::{Diagnostic, Severity, Sources},
    render::{
        clean::{clean, is_free_of},
        diagnostics::{diagnostics, tally},
        layout::{self, Flow},
        style::{ATTENTION, ERROR, PLAIN, paint},
    },
};

/// More findings than these are only counted.
const FINDINGS: usize = 20;

/// Lines are not made wider than this, however wide the terminal is.
const WIDEST: usize = 120;

/// Where output goes, and how.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Ui {
    stdout: ColorChoice,
    stderr: ColorChoice,
    quiet: bool,
    /// Every finding is shown.
    all: bool,
    /// How much is asked for: 0, 1, 2 …
    pub(crate) verbose: u8,
    /// Standard output and standard error end in different places.
    pub(crate) is_apart: bool,
    /// Columns of a line.
    pub(crate) width: usize,
    /// Somebody sits at it: questions can be asked.
    pub(crate) interactive: bool,
    /// Progress can be drawn.
    pub(crate) animated: bool,
    /// Texts go here instead.
    kept: Option<Arc<Mutex<Vec<Kept>>>>,
    /// A line on the terminal that comes and goes.
    status: Arc<Mutex<Status>>,
}

/// The line that comes and goes.
#[derive(Debug, Default)]
struct Status {
    bar: Option<ProgressBar>,
    /// It is somebody else's, who takes it away.
    is_lent: bool,
}

/// A text that is shown later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// A result, for stdout.
    Data(String),
    /// Talk, for stderr.
    Talk(String),
}

impl Ui {
    /// Looks at the options, the environment and the terminal.
    pub(crate) fn new(global: &Global) -> Self {
        let choice = |auto: ColorChoice| match global.color {
            Color::Auto => auto,
            Color::Always => ColorChoice::AlwaysAnsi,
            Color::Never => ColorChoice::Never,
        };
        let terminal = io::stderr().is_terminal();
        Self {
            stdout: choice(AutoStream::choice(&io::stdout())),
            stderr: choice(AutoStream::choice(&io::stderr())),
            quiet: global.quiet,
            all: global.all,
            verbose: global.verbose,
            is_apart: is_apart(),
            width: columns(),
            interactive: io::stdin().is_terminal() && terminal,
            animated: terminal && !global.quiet && global.verbose == 0,
            kept: None,
            status: Arc::default(),
        }
    }

    /// One that keeps its texts, and asks nobody.
    pub(crate) fn apart(&self) -> Self {
        Self { interactive: false, animated: false, kept: Some(Arc::default()), ..self.clone() }
    }

    /// Whether its texts are kept for later.
    pub(crate) fn is_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// Shows a line that the next text takes away; only where it is animated.
    pub(crate) fn status(&self, text: &str) {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = status.bar.get_or_insert_with(|| {
            let bar = ProgressBar::new_spinner();
            // The pattern is fixed, so a mistake in it would show in every run.
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
                bar.set_style(style);
            }
            bar
        });
        bar.set_message(text.to_owned());
        bar.tick();
    }

    /// Has such lines shown by a bar that stands there already; `None`: it has gone.
    pub(crate) fn lend(&self, bar: Option<ProgressBar>) {
        self.clear_status();
        let is_lent = bar.is_some();
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = Status { bar, is_lent };
    }

    /// Takes the line away.
    pub(crate) fn clear_status(&self) {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        if !status.is_lent
            && let Some(bar) = status.bar.take()
        {
            bar.finish_and_clear();
        }
    }

    /// What was kept so far, which is then not kept any more.
    pub(crate) fn take(&self) -> Vec<Kept> {
        let take = |kept: &Arc<Mutex<Vec<Kept>>>| {
            std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner))
        };
        self.kept.as_ref().map(take).unwrap_or_default()
    }

    /// Shows what another has kept.
    ///
    /// # Errors
    /// As [`Ui::data`].
    pub(crate) fn show(&self, kept: &[Kept]) -> Result<(), Failure> {
        kept.iter().try_for_each(|one| match one {
            Kept::Data(text) => self.data(text),
            Kept::Talk(text) => {
                self.err(text);
                Ok(())
            }
        })
    }

    /// Whether the text is kept, and not to be written.
    fn keep(&self, text: &str, kind: impl FnOnce(String) -> Kept) -> bool {
        let Some(kept) = &self.kept else { return false };
        kept.lock().unwrap_or_else(PoisonError::into_inner).push(kind(text.to_owned()));
        true
    }

    /// A result, to stdout. A reader who has gone away (`| head`) is no error.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn data(&self, text: &str) -> Result<(), Failure> {
        if self.keep(text, Kept::Data) {
            return Ok(());
        }
        self.clear_status();
        // Where nothing steers a terminal there is nothing to take out, and a plan as JSON is long.
        let steers = |c: char| c.is_control() && !c.is_ascii_whitespace();
        let plain = self.stdout == ColorChoice::Never && is_free_of(text, steers);
        let choice = if plain { ColorChoice::AlwaysAnsi } else { self.stdout };
        let mut out = AutoStream::new(io::stdout().lock(), choice);
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::failed(format!("cannot write the result: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Talk, to stderr; nothing with `--quiet`. The text may have styles of its own and must be clean.
    pub(crate) fn say(&self, text: &str) {
        if !self.quiet {
            self.err(text);
        }
    }

    /// Findings that stop nothing, to stderr; nothing with `--quiet`.
    pub(crate) fn findings(&self, found: &[Diagnostic], sources: &Sources) {
        self.say(&self.listed(found, sources));
    }

    /// What rules find, to stderr; with `--quiet` only what refuses.
    pub(crate) fn judgement(&self, found: &[Diagnostic], sources: &Sources) {
        let shown: Vec<Diagnostic> =
            found.iter().filter(|one| !self.quiet || one.is_error()).cloned().collect();
        self.err(&self.listed(&shown, sources));
    }

    /// The first findings, and how many more there are.
    fn listed(&self, found: &[Diagnostic], sources: &Sources) -> String {
        let most = if self.all { found.len() } else { found.len().min(FINDINGS) };
        let (first, rest) = found.split_at(most);
        let mut text = diagnostics(first, sources, self.width);
        if !rest.is_empty() {
            let counts = tally(rest).unwrap_or_else(|| rest.len().to_string());
            text.push_str(&format!("{counts} not shown here; `--all` shows all that are kept\n\n"));
        }
        text
    }

    /// What a wrong set of files is told.
    fn rejected(&self, rejected: &Rejected) {
        let Rejected { diagnostics: found, sources } = rejected;
        let shown: Vec<Diagnostic> = found
            .iter()
            .filter(|one| !self.quiet || one.severity == Severity::Error)
            .cloned()
            .collect();
        self.err(&self.listed(&shown, sources));
        if let Some(tally) = tally(found) {
            self.err(&format!("{}: {tally}\n", paint(ERROR, "error")));
        }
    }

    /// Why a command ended without its result, to stderr.
    pub(crate) fn failure(&self, failure: &Failure) {
        match failure {
            Failure::Said { exit: _, message, help } => {
                let mut text = format!("{}: {}\n", paint(ERROR, "error"), clean(message));
                if let Some(help) = help {
                    let flow = Flow::new().words(0, PLAIN, help);
                    let lead = format!("  {}: ", paint(ATTENTION.bold(), "help"));
                    text.push_str(&flow.lines(&lead, 8, 8, self.width));
                }
                self.err(&text);
            }
            Failure::Files(rejected) => self.rejected(rejected),
        }
    }

    /// Asks a question whose answer is a line; `None` at the end of input.
    ///
    /// # Errors
    /// If the terminal cannot be read.
    pub(crate) fn ask(&self, question: &str) -> Result<Option<String>, Failure> {
        self.err(question);
        let mut line = String::new();
        let read = io::stdin()
            .read_line(&mut line)
            .map_err(|error| Failure::failed(format!("cannot read the answer: {error}")))?;
        Ok((read > 0).then(|| line.trim().to_owned()))
    }

    fn err(&self, text: &str) {
        if text.is_empty() || self.keep(text, Kept::Talk) {
            return;
        }
        self.clear_status();
        let mut err = AutoStream::new(io::stderr().lock(), self.stderr);
        // There is nobody left to tell if stderr is gone.
        let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
    }
}

/// Whether standard output and standard error end in different places.
#[cfg(unix)]
fn is_apart() -> bool {
    let place = |found: rustix::fs::Stat| (found.st_dev, found.st_ino);
    match (rustix::fs::fstat(io::stdout()), rustix::fs::fstat(io::stderr())) {
        (Ok(out), Ok(err)) => place(out) != place(err),
        _ => true,
    }
}

/// What cannot be told apart is taken to be apart.
#[cfg(not(unix))]
fn is_apart() -> bool {
    true
}

/// The width of a line: `COLUMNS`, else the terminal's, else eighty.
fn columns() -> usize {
    let asked = std::env::var("COLUMNS").ok().and_then(|text| text.parse::<usize>().ok());
    let terminal = || {
        terminal_size::terminal_size_of(io::stdout())
            .or_else(|| terminal_size::terminal_size_of(io::stderr()))
            .map(|(width, _)| usize::from(width.0))
    };
    asked.filter(|width| *width > 0).or_else(terminal).unwrap_or(layout::WIDTH).clamp(40, WIDEST)
}
