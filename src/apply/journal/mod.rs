//! The journal of one run: a JSONL file in which every line is on disk before the run goes on.
//!
//! Invariant: a step's `start` is written before its first call, its outcome before anything that depends on it; an
//! existing file is never written to.

mod record;

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use jiff::Timestamp;

pub use self::record::{
    Allow, Begin, CallLine, End, FORMAT_VERSION, OutcomeLine, Record, Start, Values, Word,
};
use super::report::{Report, StepReport};
use crate::plan::{Plan, Step};

/// Writes a journal.
#[derive(Debug)]
pub struct Journal {
    file: Option<File>,
    path: PathBuf,
}

/// Why a journal cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It exists already.
    #[error("the journal `{}` exists already, and a journal is never written over", .0.display())]
    Exists(PathBuf),
    /// It cannot be made or written.
    #[error("cannot write the journal `{}`: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It cannot be read.
    #[error("cannot read the journal `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A line, other than a torn last one, is no record.
    #[error("`{}`, line {line}: no journal record: {why}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// It was written by a newer charter.
    #[error("the journal `{}` has format {found}, and this charter reads up to {FORMAT_VERSION}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
}

impl JournalError {
    /// What to do next.
    pub fn next_step(&self) -> &'static str {
        match self {
            JournalError::Exists(_) => "give another path with `--journal`",
            JournalError::Write { .. } => {
                "make the folder writable, or give another path with `--journal`"
            }
            JournalError::Read { .. } => "check the path",
            JournalError::Line { .. } => "check that this is a journal of charter",
            JournalError::Newer { .. } => "use a newer charter",
        }
    }
}

impl Journal {
    /// Makes a new file that only its owner may read.
    pub fn create(path: &Path) -> Result<Self, JournalError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => JournalError::Exists(path.to_owned()),
            _ => JournalError::Write { path: path.to_owned(), source },
        })?;
        Ok(Self::in_file(file, path))
    }

    /// Writes to a file that is open already; `path` is what errors call it.
    pub fn in_file(file: File, path: &Path) -> Self {
        Self { file: Some(file), path: path.to_owned() }
    }

    /// Keeps nothing: for an organization that ends with the command.
    pub fn none() -> Self {
        Self { file: None, path: PathBuf::new() }
    }

    pub(super) fn begin(&mut self, at: Timestamp, plan: &Plan) -> Result<(), JournalError> {
        self.write(|| Record::Begin(Begin::of(at, plan)))
    }

    pub(super) fn start(
        &mut self,
        at: Timestamp,
        index: usize,
        step: &Step,
    ) -> Result<(), JournalError> {
        self.write(|| Record::Start(Start::of(at, index, step)))
    }

    pub(super) fn outcome(
        &mut self,
        at: Timestamp,
        report: &StepReport,
    ) -> Result<(), JournalError> {
        self.write(|| Record::Outcome(OutcomeLine::of(at, report)))
    }

    pub(super) fn end(&mut self, at: Timestamp, report: &Report) -> Result<(), JournalError> {
        self.write(|| Record::End(End::of(at, report)))
    }

    fn write(&mut self, record: impl FnOnce() -> Record) -> Result<(), JournalError> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let written =
            serde_json::to_vec(&record()).map_err(io::Error::from).and_then(|mut line| {
                line.push(b'\n');
                // One write per line: a crash can tear the last line only.
                file.write_all(&line)?;
                file.sync_data()
            });
        written.map_err(|source| JournalError::Write { path: self.path.clone(), source })
    }
}

/// A journal that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines {
    /// Its records, in order.
    pub records: Vec<Record>,
    /// The last line was torn off in the middle, and is left out.
    pub torn: bool,
}

impl Lines {
    /// Steps that were started and have no outcome: what they did has to be looked at.
    pub fn open_steps(&self) -> Vec<&Start> {
        let mut open = std::collections::BTreeMap::new();
        for record in &self.records {
            match record {
                Record::Start(start) => {
                    open.insert(start.step, start);
                }
                Record::Outcome(outcome) => {
                    open.remove(&outcome.step);
                }
                Record::Begin(_) | Record::End(_) => {}
            }
        }
        open.into_values().collect()
    }
}

/// Reads a journal. A last line without its end is what a crash leaves, and no error.
pub fn read(path: &Path) -> Result<Lines, JournalError> {
    let bytes = std::fs::read(path)
        .map_err(|source| JournalError::Read { path: path.to_owned(), source })?;
    let mut records = Vec::new();
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    for (index, line) in bytes[..whole].split_inclusive(|byte| *byte == b'\n').enumerate() {
        if index == 0 {
            check_version(path, line)?;
        }
        let record = serde_json::from_slice(line).map_err(|error| JournalError::Line {
            path: path.to_owned(),
            line: index + 1,
            why: error.to_string(),
        })?;
        records.push(record);
    }
    Ok(Lines { records, torn: whole < bytes.len() })
}

/// Refuses a newer form before its records are misread.
fn check_version(path: &Path, line: &[u8]) -> Result<(), JournalError> {
    #[derive(serde::Deserialize)]
    struct Version {
        format_version: u32,
    }
    match serde_json::from_slice::<Version>(line) {
        Ok(Version { format_version }) if format_version > FORMAT_VERSION => {
            Err(JournalError::Newer { path: path.to_owned(), found: format_version })
        }
        _ => Ok(()),
    }
}

/// The JSON Schema of one line.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Record).to_value()
}
