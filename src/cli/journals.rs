//! Where journals are kept, and which one is the newest of an organization.
//!
//! Invariant: charter removes only files that it named itself, in the folder that is its own, and never one whose run
//! still goes on.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::{
    failure::Failure,
    state::{self, NO_HOME, make_private, plain, variable},
    ui::Ui,
};
use crate::{
    apply::{
        Journal,
        journal::{JournalError, is_being_written},
    },
    render::{
        clean::clean,
        style::{ATTENTION, paint},
    },
    resource::desired::OrganizationPin,
};

/// The variable that stands in for `--journal`.
const VARIABLE: &str = "CHARTER_JOURNAL";

/// So many journals of one organization are kept.
const KEPT: usize = 100;

/// So many runs may begin in one millisecond.
const AT_ONCE: u32 = 1_000;

/// The length of a time in a name.
const STAMP: usize = "20261201T040000000Z".len();

/// What decides where the journal of a run is kept.
pub(super) struct Place<'a> {
    /// `--journal`.
    pub(super) asked: Option<&'a Path>,
    /// It is one of several organizations, which cannot share a file.
    pub(super) several: bool,
    /// It is kept without being asked for: the organization outlives the command.
    pub(super) kept: bool,
    /// It goes on where another run ended, whose journal the variable may name.
    pub(super) resumes: bool,
    /// What is applied.
    pub(super) files: &'a Path,
}

impl Place<'_> {
    /// Makes the journal of a run, and says where it is.
    pub(super) fn open(&self, organization: &str, ui: &Ui) -> Result<Journal, Failure> {
        let variable = variable(VARIABLE).filter(|_| self.kept);
        let asked = self.asked.map(Path::to_owned).or(variable);
        let made = match asked {
            Some(file) if self.resumes && self.asked.is_none() && file.is_file() => after(&file),
            Some(folder) if self.several || folder.is_dir() => named(&folder, organization),
            Some(file) => Journal::create(&file).map(|journal| (journal, file)),
            None if self.kept => Ok(self.at_home(organization, ui)?),
            None => return Ok(Journal::none()),
        };
        let (journal, path) = made.map_err(refused)?;
        ui.say(&format!("journal: {}\n", clean(&path.display().to_string())));
        Ok(journal)
    }

    /// In the folder for journals, else beside the files.
    fn at_home(&self, organization: &str, ui: &Ui) -> Result<(Journal, PathBuf), Failure> {
        let why = match home() {
            None => NO_HOME.to_owned(),
            Some(folder) => {
                let made = make_private(&folder)
                    .map_err(|source| JournalError::Write { path: folder.clone(), source })
                    .and_then(|()| named(&folder, organization));
                match made {
                    Ok(made) => {
                        thin_out(&folder, organization);
                        return Ok(made);
                    }
                    Err(error) => error.to_string(),
                }
            }
        };
        let made = named(beside(self.files), organization).map_err(refused)?;
        ui.say(&format!(
            "{}: {}; the journal, which holds e-mail addresses, is written beside the files: keep it out of Git, or set \
             `{VARIABLE}`\n",
            paint(ATTENTION.bold(), "warning"),
            clean(&why)
        ));
        Ok(made)
    }
}

/// The newest journal of an organization: of those in the folder for journals, in that of the variable, and beside the
/// files.
pub(super) fn newest(organization: &OrganizationPin, files: &Path) -> Result<PathBuf, Failure> {
    let Some(id) = organization.id.as_deref() else {
        return Err(Failure::usage("the files do not say which organization they are for")
            .help("give the journal: `charter apply --resume JOURNAL`"));
    };
    // A journal is never written over, so a file there, or one after it, is that of the last run which the variable was
    // set for.
    if let Some(file) = variable(VARIABLE).filter(|path| path.is_file()) {
        let age = |path: &PathBuf| fs::metadata(path).and_then(|about| about.modified()).ok();
        let all = (1..=AT_ONCE).map(|number| numbered(&file, number));
        let last = all.take_while(|path| path.is_file()).max_by_key(age);
        return Ok(last.unwrap_or(file));
    }
    let folders = [variable(VARIABLE), home(), Some(beside(files).to_owned())];
    let folders: Vec<PathBuf> = folders.into_iter().flatten().collect();
    let all = folders.iter().flat_map(|folder| journals(folder, id));
    let newest = all.max_by(|(one, _), (other, _)| one.cmp(other));
    newest.map(|(_, path)| path).ok_or_else(|| {
        let folders: Vec<String> =
            folders.iter().map(|folder| format!("`{}`", folder.display())).collect();
        Failure::usage(format!(
            "there is no journal of the organization `{id}` in {}",
            folders.join(" or ")
        ))
        .help(
            "give the journal: `charter apply --resume JOURNAL`; or run `charter apply`: its plan holds what is left",
        )
    })
}

/// The folder for journals.
fn home() -> Option<PathBuf> {
    state::folder("journals")
}

/// The folder of what is applied.
fn beside(files: &Path) -> &Path {
    if files.is_dir() {
        return files;
    }
    match files.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Makes a journal whose name says of which organization it is and when its run began.
fn named(folder: &Path, organization: &str) -> Result<(Journal, PathBuf), JournalError> {
    let stamp = Timestamp::now().strftime("%Y%m%dT%H%M%S%3fZ").to_string();
    let mut number = 0;
    loop {
        let path = folder.join(name(organization, &stamp, number));
        match Journal::create(&path) {
            // Another run began in the same millisecond.
            Err(JournalError::Exists(_)) if number < AT_ONCE => number += 1,
            made => return made.map(|journal| (journal, path)),
        }
    }
}

/// Makes the journal of a run that goes on where another one ended: a file cannot be written to again, so it has a name of
/// its own beside it.
fn after(file: &Path) -> Result<(Journal, PathBuf), JournalError> {
    let mut number = 2;
    loop {
        let path = numbered(file, number);
        match Journal::create(&path) {
            Err(JournalError::Exists(_)) if number < AT_ONCE => number += 1,
            made => return made.map(|journal| (journal, path)),
        }
    }
}

/// The journal of the run with this number, of those that went on from one another: `run.jsonl`, `run-2.jsonl`, …
fn numbered(file: &Path, number: u32) -> PathBuf {
    if number == 1 {
        return file.to_owned();
    }
    let mut name = file.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{number}"));
    if let Some(extension) = file.extension() {
        name.push(".");
        name.push(extension);
    }
    file.with_file_name(name)
}

fn name(organization: &str, stamp: &str, number: u32) -> String {
    let number = if number == 0 { String::new() } else { format!("-{number}") };
    format!("charter-journal-{}-{stamp}{number}.jsonl", plain(organization))
}

/// When the run of a journal began, and which of that millisecond it was.
type Age = (String, u32);

/// Reads a name; `None`: it is not the name of a journal of this organization.
fn age(name: &str, organization: &str) -> Option<Age> {
    let rest = name.strip_prefix("charter-journal-")?.strip_suffix(".jsonl")?;
    let rest = rest.strip_prefix(&*plain(organization))?.strip_prefix('-')?;
    let (stamp, number) = rest.split_at_checked(STAMP)?;
    let number = match number {
        "" => 0,
        number => number.strip_prefix('-')?.parse().ok()?,
    };
    let is_stamp = |(at, byte): (usize, u8)| match at {
        8 => byte == b'T',
        at if at + 1 == STAMP => byte == b'Z',
        _ => byte.is_ascii_digit(),
    };
    stamp.bytes().enumerate().all(is_stamp).then(|| (stamp.to_owned(), number))
}

/// The journals of an organization in a folder.
fn journals(folder: &Path, organization: &str) -> Vec<(Age, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    files
        .filter_map(|entry| Some((age(entry.file_name().to_str()?, organization)?, entry.path())))
        .collect()
}

/// Removes all but the newest journals of an organization. What cannot be removed is tried again by the next run.
fn thin_out(folder: &Path, organization: &str) {
    let mut all = journals(folder, organization);
    all.sort_unstable_by(|(one, _), (other, _)| other.cmp(one));
    for (_, path) in all.into_iter().skip(KEPT) {
        if !is_being_written(&path) {
            let _ = fs::remove_file(path);
        }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
fn refused(error: JournalError) -> Failure {
    Failure::usage(error.to_string()).help(error.next_step())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "3f0c1b1e-0000-4000-8000-000000000000";

    #[test]
    fn a_name_tells_the_organization_and_the_order_of_runs() {
        let stamp = "20261201T040000123Z";
        let read = |number| age(&name(ID, stamp, number), ID);
        assert_eq!(read(0), Some((stamp.to_owned(), 0)));
        assert!(read(2) > read(0) && read(10) > read(2));
        for other in [
            name("3f0c1b1e-0000-4000-8000-00000000000a", stamp, 0),
            name(&format!("{ID}-{ID}"), stamp, 0),
            "charter-journal-20261201T040000123Z.jsonl".to_owned(),
            format!("charter-journal-{ID}-20261201T0400001234.jsonl"),
            format!("charter-journal-{ID}-{stamp}-x.jsonl"),
            format!("charter-journal-{ID}-{stamp}.jsonl.bak"),
        ] {
            assert_eq!(age(&other, ID), None, "{other}");
        }
        assert_eq!(name("../a b", stamp, 1), format!("charter-journal-___a_b-{stamp}-1.jsonl"));
    }

    #[test]
    fn runs_of_the_same_millisecond_have_a_journal_each() {
        let folder = tempfile::tempdir().unwrap();
        let made: Vec<_> = (0..200).map(|_| named(folder.path(), ID).unwrap()).collect();
        let names: std::collections::BTreeSet<_> = made.iter().map(|(_, path)| path).collect();
        assert_eq!((names.len(), journals(folder.path(), ID).len()), (200, 200));
    }

    #[test]
    fn only_the_oldest_journals_of_the_same_organization_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let stamp = |number: usize| format!("20261201T040000{number:03}Z");
        let names: Vec<String> = (0..KEPT + 5).map(|n| name(ID, &stamp(n), 0)).collect();
        let other = name("another", &stamp(0), 0);
        for name in names.iter().chain([&other]) {
            fs::write(path(name), "").unwrap();
        }
        fs::write(path("notes.jsonl"), "").unwrap();
        // The run of the second one still goes on.
        #[cfg(unix)]
        let running = {
            let file = fs::File::open(path(&names[1])).unwrap();
            file.try_lock().unwrap();
            file
        };
        thin_out(folder.path(), ID);
        let left = |name: &String| path(name).exists();
        assert_eq!(names.iter().position(left), Some(if cfg!(unix) { 1 } else { 5 }));
        assert!(names[2..5].iter().all(|name| !left(name)) && names[5..].iter().all(left));
        assert!(left(&other) && path("notes.jsonl").exists());
        #[cfg(unix)]
        drop(running);
    }
}
