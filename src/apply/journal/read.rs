//! Reads a journal to its last whole line.
//!
//! Invariant: only the last line may be torn; anything else that does not fit together is refused, never guessed at.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::Path,
};

use super::{
    JournalError,
    record::{Begin, FORMAT_VERSION, Planned, Record, Start},
};
use crate::resource::Verb;

/// A journal that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines {
    /// Its records, in order. The first one is its `begin`, if there is any.
    pub records: Vec<Record>,
    /// The last line was torn off in the middle, and is left out.
    pub torn: bool,
}

impl Lines {
    /// What was about to be applied; `None`: not even that was written.
    pub fn begin(&self) -> Option<&Begin> {
        match self.records.first() {
            Some(Record::Begin(begin)) => Some(begin),
            _ => None,
        }
    }

    /// Steps that were started and have no outcome: what they did has to be looked at.
    pub fn open_steps(&self) -> Vec<&Start> {
        let mut open = BTreeMap::new();
        for record in &self.records {
            match record {
                Record::Start(start) => {
                    open.insert(start.step, start);
                }
                Record::Outcome(outcome) => {
                    open.remove(&outcome.step);
                }
                Record::Begin(_) | Record::Made(_) | Record::End(_) => {}
            }
        }
        open.into_values().collect()
    }
}

/// Reads a journal. A last line without its end is what a crash leaves, and no error.
pub fn read(path: &Path) -> Result<Lines, JournalError> {
    if is_being_written(path) {
        return Err(JournalError::Running(path.to_owned()));
    }
    let bytes =
        fs::read(path).map_err(|source| JournalError::Read { path: path.to_owned(), source })?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let mut records = Vec::new();
    let mut planned = BTreeMap::new();
    for (index, line) in bytes[..whole].split_inclusive(|byte| *byte == b'\n').enumerate() {
        if index == 0 {
            check_version(path, line)?;
        }
        let refused =
            |why: String| JournalError::Line { path: path.to_owned(), line: index + 1, why };
        let record = serde_json::from_slice(line).map_err(|error| refused(error.to_string()))?;
        fits(&record, index, &mut planned).map_err(|why| refused(why.to_owned()))?;
        records.push(record);
    }
    Ok(Lines { records, torn: whole < bytes.len() })
}

/// Whether a record can stand here.
fn fits(
    record: &Record,
    index: usize,
    planned: &mut BTreeMap<usize, Planned>,
) -> Result<(), &'static str> {
    let known = |step: &usize, address: &str, verb: Verb| {
        let same = |planned: &Planned| planned.address == address && planned.verb == verb;
        if planned.get(step).is_some_and(same) { Ok(()) } else { Err("a step of another plan") }
    };
    match record {
        Record::Begin(begin) if index == 0 => {
            *planned = begin.steps.iter().map(|step| (step.step, step.clone())).collect();
            Ok(())
        }
        Record::Begin(_) => Err("a second `begin`"),
        _ if index == 0 => Err("a journal starts with `begin`"),
        Record::Start(start) => known(&start.step, &start.address, start.verb),
        Record::Made(made) => known(&made.step, &made.address, made.verb),
        Record::Outcome(outcome) => known(&outcome.step, &outcome.address, outcome.verb),
        Record::End(_) => Ok(()),
    }
}

/// Refuses another form before its records are misread.
fn check_version(path: &Path, line: &[u8]) -> Result<(), JournalError> {
    #[derive(serde::Deserialize)]
    struct Version {
        format_version: u32,
    }
    match serde_json::from_slice::<Version>(line) {
        Ok(Version { format_version }) if format_version != FORMAT_VERSION => {
            Err(JournalError::Version { path: path.to_owned(), found: format_version })
        }
        _ => Ok(()),
    }
}

/// The run that writes it holds a lock on it, which goes with its process, however that ends.
#[cfg(unix)]
pub fn is_being_written(path: &Path) -> bool {
    let lock = |file: File| file.try_lock_shared();
    File::open(path).is_ok_and(|file| matches!(lock(file), Err(fs::TryLockError::WouldBlock)))
}

/// Where a lock keeps readers out too, none is taken.
#[cfg(not(unix))]
pub fn is_being_written(_: &Path) -> bool {
    false
}
