//! The files as they stand in a revision of a Git repository: read from its objects, never from the work tree.
//!
//! Invariant: only objects that the repository already holds are read, as they are; no link leads out of the folder, no
//! submodule is followed, no filter, hook or other program of the repository runs, and nothing is fetched.

mod blobs;
mod error;
mod git;
mod history;
mod index;
mod message;
mod names;
mod read;
mod tree;

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use jiff::Timestamp;

use self::git::{Entry, Git, Mode};
pub(crate) use self::index::{Absent, absent_from};
pub use self::{
    error::GitError,
    git::Environment,
    message::{Trailers, Unread, Why},
};
use super::{
    document::Document,
    load::{Loaded, MAX_ENTRIES, ROOT_FILE, Rejected},
    yaml::MAX_BYTES,
};
use crate::diagnostic::{Diagnostic, Sources};

/// All files of a revision together may have so many bytes: packed objects can be far smaller than what they hold.
const MAX_TOTAL: u64 = 256 << 20;

/// Files that only have to be looked at may have so many.
const MAX_LOOKED: u64 = 1 << 30;

/// So many root files of other places are looked at, at most.
const MAX_ROOTS: usize = 20;

/// A commit of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// As it was asked for.
    pub rev: String,
    /// Its id.
    pub id: String,
}

/// A path in a repository: the same for all of its revisions.
#[derive(Debug)]
pub struct InRepository {
    git: Git,
    /// The path as it was given, for messages and places.
    shown: String,
    /// The path from the top of the repository, with `/`; empty for the top.
    inside: String,
}

/// Why the files of a revision cannot be used.
#[derive(Debug)]
pub enum Unusable {
    /// Git does not give them.
    Git(GitError),
    /// They are wrong.
    Rejected(Box<Rejected>),
}

impl From<Rejected> for Unusable {
    fn from(wrong: Rejected) -> Self {
        Unusable::Rejected(Box::new(wrong))
    }
}

impl From<Box<Diagnostic>> for Unusable {
    fn from(finding: Box<Diagnostic>) -> Self {
        rejected(*finding)
    }
}

impl From<GitError> for Unusable {
    fn from(error: GitError) -> Self {
        Unusable::Git(error)
    }
}

impl InRepository {
    /// Finds the repository of a path. The path need not exist in the work tree: it may be one of another revision.
    pub fn find(path: &Path, environment: &Environment) -> Result<Self, GitError> {
        let (folder, rest) = anchor(path)?;
        let (git, prefix) = Git::open(folder.clone(), environment)?;
        if git.is_submodule()? || is_nested(&git, &folder, environment)? {
            return Err(GitError::Nested(path.display().to_string()));
        }
        let inside = join(prefix.trim_end_matches('/'), &rest.join("/"));
        let shown = path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
        Ok(Self { git, shown, inside })
    }

    /// The commit that a revision names.
    pub fn commit(&self, rev: &str) -> Result<Commit, GitError> {
        Ok(Commit { rev: rev.to_owned(), id: self.git.resolve(rev)? })
    }

    /// The newest commit of a branch.
    pub fn tip(&self, branch: &str) -> Result<Commit, GitError> {
        Ok(Commit { rev: branch.to_owned(), id: self.git.tip(branch)? })
    }

    /// The newest commits that both have: more than one where branches were merged into each other.
    pub fn merge_bases(&self, one: &Commit, other: &Commit) -> Result<Vec<Commit>, GitError> {
        let ids = self.git.merge_bases(&one.id, &other.id)?;
        Ok(ids.into_iter().map(|id| Commit { rev: short(&id).to_owned(), id }).collect())
    }

    /// When a commit was made, as it says itself.
    pub fn committed(&self, commit: &Commit) -> Result<Option<Timestamp>, GitError> {
        self.git.committed(&commit.id)
    }

    /// The values of a trailer of a commit's message, such as `Charter-Ack`.
    pub fn trailers(&self, commit: &Commit, token: &str) -> Result<Trailers, GitError> {
        Ok(Trailers::of(&self.git.message(&commit.id)?, token))
    }

    /// The root files that a commit has, wherever they are: paths from the top of the repository, and what they say.
    pub fn roots(&self, commit: &Commit) -> Result<Vec<(String, Vec<u8>)>, GitError> {
        let mut files = Vec::new();
        let mut left = MAX_ENTRIES;
        self.git.entries(&commit.id, |Entry { mode, id, path }| {
            if mode == Mode::File && path.rsplit('/').next() == Some(ROOT_FILE) {
                files.push((path, id));
            }
            left -= 1;
            files.len() < MAX_ROOTS && left > 0
        })?;
        let mut reader = self.git.blobs()?;
        let mut roots = Vec::with_capacity(files.len());
        for (path, id) in files {
            roots.push((path, reader.read(&id, MAX_BYTES as u64)?));
        }
        reader.end()?;
        Ok(roots)
    }
}

/// What a path that is not there says.
pub fn absent() -> Loaded {
    Loaded { document: Document::default(), sources: Sources::default(), warnings: Vec::new() }
}

/// The two sides of `OLD..NEW`, or of `OLD...NEW`, which begins where they parted. An empty side is `HEAD`.
pub fn range(text: &str) -> Option<(String, String, bool)> {
    let (old, new, parted) = match text.split_once("...") {
        Some((old, new)) => (old, new, true),
        None => text.split_once("..").map(|(old, new)| (old, new, false))?,
    };
    let side = |rev: &str| if rev.is_empty() { "HEAD".to_owned() } else { rev.to_owned() };
    // `../files` is a path.
    let is_path = new.starts_with('/') || new.contains("..") || old.ends_with('/');
    (!is_path && (!old.is_empty() || !new.is_empty())).then(|| (side(old), side(new), parted))
}

/// The first digits of an id, enough for people.
pub fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// The folder of the work tree that a path begins in, and the rest of the path. Links of the work tree are not
/// followed, for what they lead to may be chosen by whoever wrote the revision.
fn anchor(path: &Path) -> Result<(PathBuf, Vec<String>), GitError> {
    let unusable = || GitError::Path(path.display().to_string());
    let here = std::env::current_dir().map_err(|_| unusable())?;
    let mut folder = here.clone();
    let mut components = path.components().peekable();
    if path.is_absolute() {
        match path.strip_prefix(&here) {
            Ok(below) => components = below.components().peekable(),
            Err(_) => {
                // Whoever gave an absolute path chose its folder, links and all.
                let parent = path.parent().into_iter().flat_map(Path::ancestors);
                let whole = parent.clone().find(|folder| folder.is_dir()).ok_or_else(unusable)?;
                folder = whole.to_path_buf();
                let below = path.strip_prefix(&folder).map_err(|_| unusable())?;
                components = below.components().peekable();
            }
        }
    }
    while components.next_if_eq(&Component::ParentDir).is_some() {
        folder.push("..");
    }
    let mut rest: Vec<String> = Vec::new();
    for component in components {
        let part = match component {
            Component::CurDir => continue,
            Component::Normal(part) => part,
            _ => return Err(unusable()),
        };
        let next = folder.join(part);
        let is_folder = fs::symlink_metadata(&next).is_ok_and(|metadata| metadata.is_dir());
        if rest.is_empty() && is_folder {
            folder = next;
        } else {
            rest.push(part.to_str().ok_or_else(unusable)?.to_owned());
        }
    }
    Ok((folder, rest))
}

/// Whether another repository is around a folder, below the current one: then the path crosses from one to the other.
fn is_nested(git: &Git, folder: &Path, environment: &Environment) -> Result<bool, GitError> {
    let here = std::env::current_dir().map_err(GitError::Run)?;
    let below = folder.strip_prefix(&here).unwrap_or(Path::new(""));
    if !below.components().any(|part| matches!(part, Component::Normal(_)))
        || below.components().any(|part| part == Component::ParentDir)
    {
        return Ok(false);
    }
    match Git::open(here, environment) {
        Ok((around, _)) => Ok(around.home()? != git.home()?),
        Err(GitError::NoRepository(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

fn join(folder: &str, path: &str) -> String {
    match (folder.trim_end_matches('/'), path) {
        ("" | ".", path) => path.to_owned(),
        (folder, "") => folder.to_owned(),
        (folder, path) => format!("{folder}/{path}"),
    }
}

/// The folder of a path and its last part.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn rejected(finding: Diagnostic) -> Unusable {
    Unusable::Rejected(Box::new(Rejected::of(finding)))
}

#[cfg(test)]
mod tests;
