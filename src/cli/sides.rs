//! The two sides of a comparison of revisions.
//!
//! Invariant: the commits are found before any file is read, so that what is wrong with a side names its revision.

use std::path::{Path, PathBuf};

use super::{
    failure::Failure,
    prepare::Files,
    revision::{earlier, files, find, root_of},
};
use crate::{
    config::{
        load::Side,
        revision::{Commit, InRepository, range},
    },
    diagnostic::Diagnostic,
};

/// The two sides of a comparison of revisions, and what is to be said of where they parted.
pub(super) struct Sides {
    place: InRepository,
    path: PathBuf,
    left: Commit,
    right: Commit,
    note: Option<Diagnostic>,
}

impl Sides {
    /// Finds the commits. Without `new`, `old` is a range.
    pub(super) fn find(old: &str, new: Option<&str>, path: &Path) -> Result<Self, Failure> {
        let (old, new, parted) = match new {
            Some(new) => (old.to_owned(), new.to_owned(), false),
            None => range(old).ok_or_else(|| {
                Failure::usage(format!("`{old}` is no range of revisions, and there is nothing to compare it with"))
                    .help("give two files or folders, or revisions as in `charter diff origin/main..HEAD -- PATH`")
            })?,
        };
        let place = find(path)?;
        let (mut left, right) = (place.commit(&old)?, place.commit(&new)?);
        let mut note = None;
        if parted {
            let bases = place.merge_bases(&left, &right)?;
            note = parted_often(&old, &new, &bases);
            left = bases.into_iter().next().unwrap_or(left);
        }
        Ok(Self { place, path: path.to_owned(), left, right, note })
    }

    /// The revision of the earlier files, which the places of these begin with.
    pub(super) fn earlier(&self) -> &str {
        &self.left.rev
    }

    /// Reads the files, the earlier ones first.
    pub(super) fn read(self) -> Result<(Files, Files, Option<Diagnostic>), Failure> {
        let Self { place, path, left, right, note } = self;
        // What is wrong with the path itself is no fault of the base.
        let after = files(&place, &right, "", Side::Own)?;
        let before = earlier(&place, &left)?;
        if before.is_none() && after.is_none() {
            return Err(Failure::usage(format!(
                "neither `{}` nor `{}` has `{}`",
                left.rev,
                right.rev,
                root_of(&path)
            ))
            .help("give the path of the files after `--`, as in `charter diff OLD..NEW -- PATH`"));
        }
        Ok((before.unwrap_or_default(), after.unwrap_or_default(), note))
    }
}

/// Two branches that were merged into each other have no one commit where they parted.
fn parted_often(old: &str, new: &str, bases: &[Commit]) -> Option<Diagnostic> {
    let [taken, _, ..] = bases else { return None };
    let all: Vec<&str> = bases.iter().map(|base| &*base.id).collect();
    Some(
        Diagnostic::warning(
            "revision/several-merge-bases",
            format!(
                "`{old}` and `{new}` have {} merge bases ({}): this is seen from {}",
                bases.len(),
                all.join(", "),
                taken.id
            ),
        )
        .help(format!(
            "compare with each of them, as in `charter diff COMMIT..{new} -- PATH`, or merge `{old}` into `{new}` first"
        )),
    )
}
