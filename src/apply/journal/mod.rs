//! The journal of one run: a JSONL file that tells each step before it has any effect.
//!
//! Invariant: a step's `start` is on disk before its first call, its outcome is written before anything that depends
//! on it; an existing file is never written to.

mod make;
mod read;
mod record;

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use jiff::Timestamp;

pub(in crate::apply) use self::record::EMAIL;
pub use self::{
    read::{Lines, is_being_written, read},
    record::{
        Allow, Applied, Begin, CallLine, DoneBefore, End, FORMAT_VERSION, Made, Origin,
        OutcomeLine, Planned, Record, Start, Values, Word,
    },
};
use super::report::{Report, StepReport};
use crate::{
    address::{Address, RemoteId},
    plan::{Plan, Step},
};

/// Writes a journal.
#[derive(Debug)]
pub struct Journal {
    file: Option<File>,
    path: PathBuf,
    origin: Option<Origin>,
}

/// When a line has to be on disk. Once written it outlives the process in any case; this is about power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnDisk {
    /// Before the run goes on.
    Now,
    /// With the next one that has to be.
    Later,
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
    /// The run that it is of still goes on.
    #[error("the run that writes the journal `{}` is still going on", .0.display())]
    Running(PathBuf),
    /// It has another form.
    #[error("the journal `{}` has format {found}, and this charter reads {FORMAT_VERSION}", path.display())]
    Version {
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
            JournalError::Line { .. } => {
                "check that this is a whole journal of charter; without one run `charter plan`: it shows what is left"
            }
            JournalError::Running(_) => "wait for its end, or stop it with Ctrl-C or SIGTERM",
            JournalError::Version { .. } => {
                "use the charter that wrote it (`charter_version` in its first line), or just run `charter plan`: it \
                 shows what is left"
            }
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
        // Tells readers that the run goes on. A file system without locks has nothing to tell, which harms nobody.
        #[cfg(unix)]
        let _ = file.try_lock();
        // The name of the file must outlive a loss of power too; some file systems need and know no such thing.
        #[cfg(unix)]
        let _ = File::open(folder(path)).and_then(|folder| folder.sync_all());
        Ok(Self::in_file(file, path))
    }

    /// Writes to a file that is open already; `path` is what errors call it.
    pub fn in_file(file: File, path: &Path) -> Self {
        Self { file: Some(file), path: path.to_owned(), origin: None }
    }

    /// Keeps nothing: for an organization that ends with the command.
    pub fn none() -> Self {
        Self { file: None, path: PathBuf::new(), origin: None }
    }

    /// Tells what is applied, so that the run can be resumed.
    #[must_use]
    pub fn of(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Where it is, if it is kept.
    pub fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|_| &*self.path)
    }

    pub(super) fn begin(
        &mut self,
        at: Timestamp,
        api_date: Option<Timestamp>,
        plan: &Plan,
    ) -> Result<(), JournalError> {
        let origin = self.origin.take();
        self.write(OnDisk::Now, || Record::Begin(Box::new(Begin::of(at, api_date, plan, origin))))
    }

    pub(super) fn start(
        &mut self,
        at: Timestamp,
        index: usize,
        step: &Step,
        made: &BTreeMap<Address, RemoteId>,
    ) -> Result<(), JournalError> {
        self.write(OnDisk::Now, || Record::Start(Start::of(at, index, step, made)))
    }

    /// The id of what a step has just made, before it looks at anything else.
    pub(super) fn made(
        &mut self,
        at: Timestamp,
        index: usize,
        step: &Step,
        id: &RemoteId,
    ) -> Result<(), JournalError> {
        let (address, verb) = (step.address.to_string(), step.change.verb());
        self.write(OnDisk::Now, || {
            Record::Made(Made { at, step: index, address, verb, id: id.clone() })
        })
    }

    pub(super) fn outcome(
        &mut self,
        at: Timestamp,
        report: &StepReport,
    ) -> Result<(), JournalError> {
        // Without it the step is looked at again, so only the process's end must not lose it.
        self.write(OnDisk::Later, || Record::Outcome(OutcomeLine::of(at, report)))
    }

    pub(super) fn end(&mut self, at: Timestamp, report: &Report) -> Result<(), JournalError> {
        self.write(OnDisk::Now, || Record::End(End::of(at, report)))
    }

    fn write(
        &mut self,
        on_disk: OnDisk,
        record: impl FnOnce() -> Record,
    ) -> Result<(), JournalError> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let written =
            serde_json::to_vec(&record()).map_err(io::Error::from).and_then(|mut line| {
                line.push(b'\n');
                // One write per line: a crash can tear the last line only.
                file.write_all(&line)?;
                match on_disk {
                    OnDisk::Now => file.sync_data(),
                    OnDisk::Later => Ok(()),
                }
            });
        written.map_err(|source| JournalError::Write { path: self.path.clone(), source })
    }
}

/// The folder of a file.
#[cfg(unix)]
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_journal_named_without_a_folder_stands_in_the_one_where_the_run_is() {
        for (path, within) in [("run.jsonl", "."), ("runs/run.jsonl", "runs"), ("/run.jsonl", "/")]
        {
            assert_eq!(folder(Path::new(path)), Path::new(within));
        }
    }
}
