//! What Git's index has below a folder and the work tree does not: entries of a sparse checkout, and submodules.
//!
//! Invariant: where there is no Git, no repository or no trust, nothing is known, and that is no error.

use std::path::Path;

use super::git::{Environment, Git};

/// Why the files of an entry of the index are not in the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absent {
    /// It is marked as not checked out.
    File,
    /// It is a repository of its own.
    Submodule,
}

/// The entries that are not in a folder, by their paths below it.
pub(crate) fn absent_from(folder: &Path, environment: &Environment) -> Vec<(String, Absent)> {
    // Without a repository no program has to be run.
    if !folder.ancestors().any(|around| around.join(".git").symlink_metadata().is_ok()) {
        return Vec::new();
    }
    let Ok((git, _)) = Git::open(folder.to_owned(), environment) else { return Vec::new() };
    let mut found = Vec::new();
    let listed = git.lines(&["ls-files", "-t", "--stage", "-z"], |line| {
        found.extend(absent(line));
        true
    });
    // Half a list says nothing about the other half, and what it says is true.
    drop(listed);
    found
}

/// `S 100644 ID 0\tPATH`
fn absent(line: &[u8]) -> Option<(String, Absent)> {
    let line = line.strip_suffix(&[0]).unwrap_or(line);
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    let mut words = line[..tab].split(|byte| *byte == b' ');
    let (tag, mode) = (words.next()?, words.next()?);
    let absent = match (tag, mode) {
        (_, b"160000") => Absent::Submodule,
        (b"S", _) => Absent::File,
        _ => return None,
    };
    Some((String::from_utf8_lossy(&line[tab + 1..]).into_owned(), absent))
}
