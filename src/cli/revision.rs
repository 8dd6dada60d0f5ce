//! What the commands ask of Git: files of a revision, the tip of a branch, acknowledgements in a commit.
//!
//! Invariant: nothing here uses a credential or the network.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use jiff::Timestamp;

use super::{args::review, failure::Failure, prepare::Files};
use crate::{
    address::Address,
    config::{
        check_files,
        document::{Document, Place, Section},
        load::{ROOT_FILE, Side},
        revision::{Commit, Environment, GitError, InRepository, Unusable, absent},
    },
    diagnostic::{self, Diagnostic, Span},
    plan::{attribution::Former, compare::compare, rules::rules},
    resource::{Desired, desired::GoneCause},
};

/// The code of what [`broken`] says: of the files, it repeats nothing.
pub(super) const BROKEN: &str = "base/broken";

/// Who says how old the files of a base are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// Their commit does.
    Commit,
    /// Nobody: what was applied last tells which dates were still to come.
    Unknown,
}

/// The files that a plan is held against.
pub(super) struct Base {
    name: String,
    commit: Option<String>,
    /// When it was committed; of a path, and where the commit does not say, unknown.
    committed: Option<Timestamp>,
    files: Files,
    /// If it has no files at the path.
    absent: Option<Absent>,
}

/// What is known of a base that has no files at the path.
struct Absent {
    path: String,
    /// Root files that it has elsewhere.
    roots: Vec<(String, Vec<u8>)>,
}

impl Base {
    /// Reads what the options name; `None`: they name nothing.
    pub(super) fn read(
        options: &review::Against,
        path: &Path,
        age: Age,
    ) -> Result<Option<Self>, Failure> {
        let review::Against { base_rev, base_path } = options;
        if let Some(other) = base_path {
            let (name, files) = (other.display().to_string(), earlier_at(other)?);
            return Ok(Some(Self { name, commit: None, committed: None, files, absent: None }));
        }
        let Some(rev) = base_rev else { return Ok(None) };
        let place = find(path)?;
        let commit = place.commit(rev)?;
        let committed = match age {
            Age::Commit => place.committed(&commit)?,
            Age::Unknown => None,
        };
        Self::of(&place, &commit, committed, path).map(Some)
    }

    /// The files of a commit.
    pub(super) fn of(
        place: &InRepository,
        commit: &Commit,
        committed: Option<Timestamp>,
        path: &Path,
    ) -> Result<Self, Failure> {
        let files = earlier(place, commit)?;
        let absent = if files.is_some() {
            None
        } else {
            Some(Absent { path: root_of(path), roots: place.roots(commit)? })
        };
        let files = files.unwrap_or_default();
        let Commit { rev, id } = commit.clone();
        Ok(Self { name: rev, commit: Some(id), committed, files, absent })
    }

    /// The files.
    pub(super) fn files(&self) -> &Files {
        &self.files
    }

    /// What they want at a time, and how the rules of later files differ.
    pub(super) fn former(&self, (after, wanted): (&Document, &Desired), now: Timestamp) -> Former {
        let Self { name, commit, committed, files: base, absent: _ } = self;
        let desired = base.wishes(now).desired;
        let rules = rules(base.document(), after, &compare(&desired, wanted));
        // A date that had passed when it was committed was never reviewed as an end that was to come.
        let ended =
            committed.map(|then| ended(&base.wishes(then.min(now)).desired)).unwrap_or_default();
        Former { name: name.clone(), commit: commit.clone(), desired, ended, rules }
    }

    /// The files under the rules, tests and limits of the base.
    pub(super) fn rules(&self, files: &Files) -> Document {
        let Document { policy, tests, files: limits, .. } = self.files.document();
        // Limits hold below the folder of the root file.
        let limits = limits.clone().map(|limits| Section { place: Place(root(files)), ..limits });
        let (policy, tests) = (policy.clone(), tests.clone());
        Document { policy, tests, files: limits, ..files.document().clone() }
    }

    /// What is to be said about the files and this base, whose `rules` hold for them.
    pub(super) fn findings(&self, files: &Files, rules: &Document) -> Vec<Diagnostic> {
        let absent = self.absent.as_ref().map(|absent| absent.finding(&self.name, files));
        self.misnamed(files, rules).into_iter().chain(absent).collect()
    }

    /// Entries of the files that the base's `files` does not allow where they stand.
    fn misnamed(&self, files: &Files, rules: &Document) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        check_files(rules, &files.sources.0.keys().map(|name| &**name), &mut found);
        found.retain(Diagnostic::is_error);
        let by_base = |finding: Diagnostic| Diagnostic {
            code: "base/files".into(),
            message: by_the_base(&finding.message, &self.name),
            ..finding
        };
        found.into_iter().map(by_base).collect()
    }

    /// What it is called.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl Absent {
    /// Files that come to a new place leave what protects them behind; files that are new have nothing to leave.
    fn finding(&self, name: &str, files: &Files) -> Diagnostic {
        let Self { path, roots } = self;
        let organization = files.organization().id;
        let moved = organization.as_ref().and_then(|id| {
            let id = id.to_string();
            let says = |text: &[u8]| text.windows(id.len()).any(|part| part == id.as_bytes());
            roots.iter().find(|(_, text)| says(text)).map(|(root, _)| root)
        });
        match moved {
            Some(root) => Diagnostic::error(
                "base/moved",
                format!("the base `{name}` has no `{path}`, and holds this organization in `{root}`"),
            )
            .help("their guards and ignores would be left behind: hold the plan against a copy of them with `--base-path`"),
            None => Diagnostic::warning(
                "base/no-files",
                format!("the base `{name}` has no `{path}`: only the defaults hold"),
            )
            .help("right if these files are new; else give a base that has them"),
        }
    }
}

/// The files of a path: as they lie on disk, or as they are in a revision. A revision's places are those of the work
/// tree, which is where they are mended.
pub(super) fn read(path: &Path, rev: Option<&str>) -> Result<Files, Failure> {
    let Some(rev) = rev else { return Files::read(path) };
    let place = find(path)?;
    files(&place, &place.commit(rev)?, "", Side::Own)?.ok_or_else(|| {
        Failure::usage(format!("`{rev}` has no `{}`", path.display()))
            .help("give the path of the files in that revision")
    })
}

/// Adds what the rules of the base refuse and those of the files do not: loosening a rule and using it takes two
/// merges.
pub(super) fn also_of_base(own: &mut Vec<Diagnostic>, found: Vec<Diagnostic>, name: &str) {
    let known = |finding: &Diagnostic| {
        own.iter()
            .any(|own| own.is_error() && own.code == finding.code && own.message == finding.message)
    };
    let mut refused: Vec<Diagnostic> =
        found.into_iter().filter(|finding| finding.is_error() && !known(finding)).collect();
    for finding in &mut refused {
        finding.message = by_the_base(&finding.message, name);
    }
    own.extend(refused);
    diagnostic::sort(own);
}

fn by_the_base(message: &str, name: &str) -> String {
    format!("{message}, by the rules of the base `{name}`")
}

/// The top of the root file: of several, that of the highest folder.
fn root(files: &Files) -> Option<Span> {
    let names = files.sources.0.keys();
    let is_root =
        |name: &&Arc<str>| Path::new(&***name).file_name().is_some_and(|n| n == ROOT_FILE);
    let highest = names.clone().filter(is_root).min_by_key(|name| name.len());
    let file = Arc::clone(highest.or_else(|| names.clone().next())?);
    Some(Span { file, line: 1, column: 1, bytes: (0, 0) })
}

/// What has to be the newest.
#[derive(Clone, Copy)]
pub(super) enum Judged<'d> {
    /// A commit: the files were read from it, now or when the plan was saved.
    Commit(&'d str),
    /// The files on disk, and the commit that is checked out.
    Files(&'d Document),
}

/// Refuses unless a commit is the tip of a branch; files on disk have to be those of the commit that is checked out.
pub(super) fn require_tip(tip: &str, path: &Path, judged: Judged<'_>) -> Result<(), Failure> {
    let place = find(path)?;
    let rev = match &judged {
        Judged::Commit(commit) => commit,
        Judged::Files(_) => "HEAD",
    };
    let (head, newest) = (place.commit(rev)?, place.tip(tip)?);
    if head.id != newest.id {
        return Err(Failure::refused(format!(
            "the commit of the files, {}, is not the tip of `{tip}`, {}",
            head.id, newest.id
        ))
        .help("apply from the newest commit; an old job that is run again would undo what came after it"));
    }
    let Judged::Files(document) = judged else { return Ok(()) };
    let committed = files(&place, &head, "HEAD:", Side::Own)?;
    if committed.as_ref().map(Files::document) != Some(document) {
        return Err(Failure::refused(format!(
            "`{}` does not say what the commit {} says there",
            path.display(),
            head.id
        ))
        .help("commit the files, or check the commit out again"));
    }
    Ok(())
}

/// How files are named that are not there: of the current folder by its root file.
pub(super) fn root_of(path: &Path) -> String {
    if path == Path::new(".") { ROOT_FILE.to_owned() } else { path.display().to_string() }
}

/// The variables of this process.
pub(super) fn environment() -> Environment {
    Environment::new(std::env::vars_os())
}

/// The repository of a path.
pub(super) fn find(path: &Path) -> Result<InRepository, GitError> {
    InRepository::find(path, &environment())
}

/// The files of a commit; `None`: it has none at this path.
pub(super) fn files(
    place: &InRepository,
    commit: &Commit,
    label: &str,
    side: Side,
) -> Result<Option<Files>, Failure> {
    match place.load(commit, label, side) {
        Ok(loaded) => Ok(loaded.map(Files::from)),
        Err(Unusable::Git(error)) => Err(error.into()),
        Err(Unusable::Rejected(rejected)) => Err(Failure::Files(rejected)),
    }
}

/// The files of the commit that a change is held against: their places begin with its revision.
pub(super) fn earlier(place: &InRepository, commit: &Commit) -> Result<Option<Files>, Failure> {
    let Commit { rev, .. } = commit;
    files(place, commit, &format!("{rev}:"), Side::Base).map_err(|failure| broken(failure, rev))
}

/// The files of a path that a change is held against.
pub(super) fn earlier_at(path: &Path) -> Result<Files, Failure> {
    Files::read_base(path).map_err(|failure| broken(failure, &path.display().to_string()))
}

/// Every entry whose date has passed.
fn ended(desired: &Desired) -> BTreeSet<Address> {
    let gone = desired.gone.iter().filter(|(_, gone)| gone.cause == GoneCause::Expired);
    let objects = desired
        .objects
        .iter()
        .filter(|(_, object)| object.source.as_ref().is_some_and(|source| source.expired));
    gone.map(|(address, _)| address).chain(objects.map(|(address, _)| address)).cloned().collect()
}

/// Whether it is the files of the base that are wrong.
pub(super) fn is_broken_base(failure: &Failure) -> bool {
    matches!(failure, Failure::Files(wrong) if wrong.diagnostics.iter().any(|one| one.code == BROKEN))
}

/// Says first that it is the base which is wrong: the change may be what mends it.
fn broken(failure: Failure, name: &str) -> Failure {
    let Failure::Files(mut rejected) = failure else { return failure };
    // A path that is not there is mistyped, and no base.
    if rejected.diagnostics.iter().all(|one| one.code == "config/not-found") {
        return Failure::Files(rejected);
    }
    let finding = Diagnostic::error(
        BROKEN,
        format!("the files of the base `{name}` are wrong, so nothing can be held against them: what follows is said of the base, not of the change"),
    )
    .help(
        "mend the base in a change of its own, and nothing else in it: no check can hold it to rules that cannot be \
         read, so it is for the owners to read and to merge. Without a base, `charter validate` and `charter policy` \
         judge it alone",
    );
    rejected.diagnostics.insert(0, finding);
    Failure::Files(rejected)
}

impl Default for Files {
    /// What a path that is not there says: nothing.
    fn default() -> Self {
        Self::from(absent())
    }
}
