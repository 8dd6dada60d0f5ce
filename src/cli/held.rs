//! What a plan is held against: the files before this change, and those that were applied last, by their record.
//!
//! Invariant: a record that cannot be used refuses the plan, and that there is none is said in it; no option leaves a
//! record out that is there.

use std::{cell::OnceCell, fs, io, path::Path};

use jiff::Timestamp;

use super::{
    approval::seal_key,
    args::review::{Against, DriftApplied, LastApplied},
    failure::Failure,
    prepare::{Files, Wishes},
    revision::{self, Age, Base},
};
use crate::{
    config::{
        document::Document,
        load::Side,
        revision::{Commit, GitError, InRepository, short},
    },
    diagnostic::Diagnostic,
    plan::{
        attribution::{Applied, Merged, Past},
        record::Record,
        seal,
        step::Revision,
    },
    resource::Desired,
};

/// No record is larger.
const LARGEST: u64 = 64 << 10;

/// So many merged changes are looked at to name the one that a step comes from.
const MOST: usize = 32;

/// Where the files are that are planned.
#[derive(Clone, Copy)]
pub(super) struct Place<'f> {
    /// Their path.
    pub(super) path: &'f Path,
    /// Their revision, if they are read from one.
    pub(super) rev: Option<&'f str>,
}

/// What a plan is held against.
#[derive(Default)]
pub(super) struct Held {
    base: Option<Base>,
    last: Option<Last>,
    /// What is to be said about it.
    notes: Vec<Diagnostic>,
    /// The commit whose files are planned, if one says what they say.
    pub(super) revision: Option<Revision>,
}

/// What was applied last.
struct Last {
    record: Record,
    place: InRepository,
    commit: Commit,
    /// The newest commit that is no part of this change.
    upto: Commit,
    /// `None`: the base is it.
    files: Option<Base>,
}

impl Held {
    /// Reads what the options name.
    pub(super) fn read(
        against: &Against,
        applied: &LastApplied,
        at: Place<'_>,
        files: &Files,
    ) -> Result<Self, Failure> {
        let base = |age| Base::read(against, at.path, age);
        let Some(file) = &applied.last_applied else {
            let revision = match at.rev {
                Some(rev) => {
                    let place = revision::find(at.path)?;
                    let (commit, path) = (place.commit(rev)?.id, place.inside().to_owned());
                    Some(Revision { commit, path })
                }
                None => None,
            };
            return Ok(Self { base: base(Age::Commit)?, revision, ..Self::default() });
        };
        let asked = Asked::of(file, files, &at)?;
        let head = asked.place.commit(at.rev.unwrap_or("HEAD"))?;
        let revision = Self::named(&asked.place, &head, &at, files)?;
        let Some(record) = asked.record()? else {
            let base = base(Age::Commit)?;
            let notes = vec![no_record(base.as_ref())];
            return Ok(Self { base, last: None, notes, revision });
        };
        let place = asked.place;
        let named = match &against.base_rev {
            Some(rev) => Some(place.commit(rev)?),
            None => None,
        };
        let commit = usable(&place, &record, &head, named.as_ref())?;
        let mut notes = Vec::new();
        if !place.is_ancestor(&commit, &head)? {
            notes.push(rewritten(&commit, &head));
        }
        // What was applied is no part of this change, so a base before it says nothing more.
        let earlier = match &named {
            Some(named) => place.is_ancestor(named, &commit)?,
            None => false,
        };
        let at_last = |commit| Base::of(&place, commit, Some(record.planned_at), at.path).map(Some);
        let (base, files, upto) = match named {
            Some(named) if named.id == commit.id => (at_last(&named)?, None, named),
            Some(named) if earlier => (at_last(&commit)?, None, named),
            Some(named) => match base(Age::Unknown) {
                Ok(base) => (base, at_last(&commit)?, named),
                // What was applied last was right, and holds.
                Err(failure) if revision::is_broken_base(&failure) => {
                    notes.push(broken_base(&named.rev));
                    (None, at_last(&commit)?, head)
                }
                Err(failure) => return Err(failure),
            },
            None => (None, at_last(&commit)?, head),
        };
        let last = Some(Last { record, place, commit, upto, files });
        Ok(Self { base, last, notes, revision })
    }

    /// The same for drift, where nothing is by a change.
    pub(super) fn of_drift(
        applied: &DriftApplied,
        at: Place<'_>,
        files: &Files,
    ) -> Result<Self, Failure> {
        let applied = LastApplied { last_applied: applied.last_applied.clone() };
        Self::read(&Against::default(), &applied, at, files)
    }

    /// The commit that says what the files say.
    fn named(
        place: &InRepository,
        head: &Commit,
        at: &Place<'_>,
        files: &Files,
    ) -> Result<Option<Revision>, Failure> {
        let says_so = || match revision::files(place, head, "HEAD:", Side::Own) {
            Ok(committed) => Ok(committed.as_ref().map(Files::document) == Some(files.document())),
            // What is wrong there is right here, so it says something else.
            Err(Failure::Files(_)) => Ok(false),
            Err(failure) => Err(failure),
        };
        let named = at.rev.is_some() || says_so()?;
        let (commit, path) = (head.id.clone(), place.inside().to_owned());
        Ok(named.then_some(Revision { commit, path }))
    }

    /// Every set of files in it.
    pub(super) fn files(&self) -> impl Iterator<Item = &Files> {
        self.bases().map(Base::files)
    }

    /// The names of these files, which their places begin with.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.bases().map(Base::name)
    }

    fn bases(&self) -> impl Iterator<Item = &Base> {
        self.base.iter().chain(self.last.iter().filter_map(|last| last.files.as_ref()))
    }

    /// The record of what was applied last.
    pub(super) fn record(&self) -> Option<&Record> {
        self.last.as_ref().map(|last| &last.record)
    }

    /// What the files want at a time, with what is needed to hold it against all this.
    pub(super) fn wishes<'f>(&'f self, files: &'f Files, now: Timestamp) -> Wishes<'f> {
        let mut wishes = files.wishes(now);
        wishes.notes.extend(self.notes.iter().cloned());
        for base in self.bases() {
            let rules = base.rules(files);
            wishes.notes.extend(base.findings(files, &rules));
            wishes.rules.push((base.name().to_owned(), rules));
        }
        let former = |base: &Base, after: (&Document, &Desired)| base.former(after, now);
        let head = (files.document(), &wishes.desired);
        let base = self.base.as_ref().map(|base| former(base, head));
        let last = self.last.as_ref().map(|last| Applied {
            commit: last.record.commit.clone(),
            at: last.record.planned_at,
            // The rules of this change are those since the base.
            former: last.files.as_ref().map(|files| match (&self.base, &base) {
                (Some(before), Some(base)) => {
                    former(files, (before.files().document(), &base.desired))
                }
                _ => former(files, head),
            }),
            merged: last.merged(self.base.as_ref(), now),
        });
        wishes.past = Past { base, last };
        wishes
    }
}

impl Last {
    /// The changes that were merged since, newest first.
    fn merged<'l>(
        &'l self,
        base: Option<&'l Base>,
        now: Timestamp,
    ) -> Box<dyn Iterator<Item = Merged> + 'l> {
        let commits = OnceCell::new();
        let mut next = 0;
        Box::new(std::iter::from_fn(move || {
            let commits: &Vec<Commit> = commits.get_or_init(|| {
                self.place.between(&self.commit, &self.upto, MOST).unwrap_or_default()
            });
            let newest = commits.get(next)?;
            // Files that were wrong say nothing: then the newest of several changes is named.
            loop {
                next += 1;
                let before = match commits.get(next) {
                    Some(commit) => match revision::files(&self.place, commit, "", Side::Base) {
                        Ok(files) => files.unwrap_or_default().wishes(now).desired,
                        Err(Failure::Files(_)) => continue,
                        Err(_) => return None,
                    },
                    None if commits.len() == MOST => return None,
                    None => self.files.as_ref().or(base)?.files().wishes(now).desired,
                };
                return Some(Merged { commit: newest.id.clone(), before });
            }
        }))
    }
}

/// What is asked of a record.
struct Asked<'f> {
    file: &'f Path,
    key: Vec<u8>,
    organization: String,
    place: InRepository,
}

impl<'f> Asked<'f> {
    fn of(file: &'f Path, files: &Files, at: &Place<'_>) -> Result<Self, Failure> {
        let key = key()?;
        let organization = files.organization().id.ok_or_else(|| {
            Failure::usage(
                "the files do not say which organization they are for, so no record is for them",
            )
            .help("add `organization.id` to the root file")
        })?;
        let place = revision::find(at.path)?;
        Ok(Self { file, key, organization: organization.to_string(), place })
    }

    fn record(&self) -> Result<Option<Record>, Failure> {
        read(self.file, &self.key, &self.organization, self.place.inside())
    }
}

/// The key that seals records.
pub(super) fn key() -> Result<Vec<u8>, Failure> {
    seal_key()?.ok_or_else(|| {
        Failure::usage(format!(
            "`--last-applied` needs the key that seals the record, and `{}` is not set",
            seal::VARIABLE
        ))
        .help("set it to the key of the pipeline, or leave `--last-applied` out")
    })
}

/// Reads a record; `None`: there is none.
pub(super) fn read(
    file: &Path,
    key: &[u8],
    organization: &str,
    path: &str,
) -> Result<Option<Record>, Failure> {
    let unreadable = |error: io::Error| Failure::file("read", file, &error);
    let metadata = match fs::symlink_metadata(file) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    if !metadata.is_file() || metadata.len() > LARGEST {
        return Err(Failure::refused(format!(
            "the record of what was applied last, `{}`, is refused: it is no regular file of at most 64 KiB",
            file.display()
        ))
        .help("give the file that `charter apply --last-applied` wrote, and no link to it"));
    }
    let text = fs::read_to_string(file).map_err(unreadable)?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    let record = Record::read(&text, key, organization, path).map_err(|error| {
        Failure::refused(format!(
            "the record of what was applied last, `{}`, is refused: {error}",
            file.display()
        ))
        .help(
            "give the record that `charter apply --last-applied` wrote for these files; if its key was changed, an owner \
             deletes it, and the next plan is held against `--base-rev` alone",
        )
    })?;
    Ok(Some(record))
}

/// The commit of a record, if it is one that the head comes after.
fn usable(
    place: &InRepository,
    record: &Record,
    head: &Commit,
    named: Option<&Commit>,
) -> Result<Commit, Failure> {
    let id = &record.commit;
    let shallow = || place.is_shallow();
    let refused = |what: &str, how: String| {
        Failure::refused(format!("the commit that was applied last, {id}, {what}")).help(how)
    };
    let commit = match place.commit(id) {
        Ok(commit) => commit,
        Err(GitError::Unknown(_)) => {
            let how = if shallow()? {
                "fetch the repository with its whole history: this clone is shallow"
            } else {
                "fetch that commit, as in `git fetch origin COMMIT`; if it is gone for good, an owner deletes the record, \
                 and the next plan is held against `--base-rev` alone"
            };
            return Err(refused("is not in this repository", how.to_owned()));
        }
        Err(error) => return Err(error.into()),
    };
    if place.is_ancestor(&commit, head)? {
        return Ok(commit);
    }
    // Whoever writes the whole id knows which commit it is. A commit before it is old, and no rewritten branch.
    let meant = named.is_some_and(|named| named.rev == commit.id);
    if meant && !place.is_ancestor(head, &commit)? {
        return Ok(commit);
    }
    let head = short(&head.id);
    let how = if shallow()? {
        "fetch the repository with its whole history: this clone is shallow".to_owned()
    } else {
        format!(
            "use the newest commit; if the branch was rewritten, and that was meant, hold `charter plan` and `charter \
             apply` against what was applied: `--base-rev {id}`"
        )
    };
    Err(refused(&format!("does not come before {head}, the commit of the files"), how))
}

fn rewritten(commit: &Commit, head: &Commit) -> Diagnostic {
    let (commit, head) = (short(&commit.id), short(&head.id));
    Diagnostic::warning(
        "record/rewritten",
        format!("the branch was rewritten: {commit}, which was applied last, does not come before {head}"),
    )
    .help("look at what the branch lost; the plan is held against what was applied, as `--base-rev` says")
}

fn broken_base(name: &str) -> Diagnostic {
    Diagnostic::warning(
        "record/base-broken",
        format!(
            "the files of the base `{name}` are wrong: the plan is held against what was applied last alone, and says \
             `merged, not applied` of everything since"
        ),
    )
    .help("right for the change that mends them")
}

fn no_record(base: Option<&Base>) -> Diagnostic {
    let against = match base {
        Some(base) => format!("the plan is held against the base `{}` alone", base.name()),
        None => "the plan is held against nothing".to_owned(),
    };
    Diagnostic::warning(
        "record/none",
        format!("there is no record of what was applied last: {against}"),
    )
    .help(
        "right before the first apply, which writes the record; until then a change that was refused is the base of the \
         next one",
    )
}
