//! From a path to a checked document: finds the files, reads them side by side, merges, checks.
//!
//! Invariant: the result depends on what the files hold and what they are called, never on the order in which
//! the file system lists them or the threads end.

mod content;
mod disk;
mod findings;
mod judge;
mod names;
mod outside;
mod scope;
mod walk;

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

pub(crate) use self::scope::Scope;
use self::{
    disk::{Disk, Place},
    judge::{Others, Source},
};
pub(in crate::config) use self::{
    findings::{misspelled_root, no_root, root_link},
    judge::{Judge, Root},
    names::{Named, is_misspelled_root, named},
    walk::{Candidate, Entry, Led, Tree, What, walk},
};
use super::{
    check,
    document::Document,
    merge,
    revision::Environment,
    yaml::{self, MAX_BYTES},
};
use crate::diagnostic::{self, Diagnostic, Dropped, Sources, Span};

/// The root file of a folder.
pub const ROOT_FILE: &str = "charter.yaml";

/// The code of the finding that counts those that are not listed.
pub const MORE_FINDINGS: &str = "config/more-findings";

/// More files than this are a mistake, not a configuration.
pub(super) const MAX_FILES: usize = 10_000;

/// So many entries of a folder are looked at, of whatever sort.
pub(super) const MAX_ENTRIES: usize = 200_000;

/// Files that are right.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What they say.
    pub document: Document,
    /// Their text.
    pub sources: Sources,
    /// Warnings and notes, in the order they are shown.
    pub warnings: Vec<Diagnostic>,
}

/// Files that are wrong.
#[derive(Clone, Debug)]
pub struct Rejected {
    /// What is wrong, and warnings, in the order they are shown. At least one is an error.
    pub diagnostics: Vec<Diagnostic>,
    /// The text of the files.
    pub sources: Sources,
}

impl Rejected {
    /// For one reason, before any file was read.
    pub(super) fn of(finding: Diagnostic) -> Self {
        Self { diagnostics: vec![finding], sources: Sources::default() }
    }
}

/// What files are read for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    /// To be carried out or judged.
    #[default]
    Own,
    /// To hold others against them. An earlier version accepted them: what is an error only since this version is a
    /// warning, and reading continues.
    Base,
}

/// Loads a file, or a folder with its root file `charter.yaml`.
pub fn load(path: &Path) -> Result<Loaded, Rejected> {
    load_for(path, Side::Own, &Environment::default())
}

/// The same, for either side of a comparison. Git is found through the environment: it knows which files of a folder
/// are not checked out.
pub fn load_for(path: &Path, side: Side, environment: &Environment) -> Result<Loaded, Rejected> {
    match Place::find(path, side) {
        Ok(Place::Folder(disk)) => of_disk(disk, side, environment),
        Ok(Place::File(path)) => {
            let name: Arc<str> = shown(&path).into();
            Root::new(&name, read(&name, &path)).with(Vec::new(), side)
        }
        Err(finding) => Err(Rejected::of(*finding)),
    }
}

fn of_disk(mut disk: Disk, side: Side, environment: &Environment) -> Result<Loaded, Rejected> {
    let (path, target) = disk.root().map_err(|finding| Rejected::of(*finding))?;
    let name = disk.called(ROOT_FILE);
    let mut root = Root::new(&name, read(&name, &path));
    let top = disk.top();
    let walked = walk(&mut disk, top, &root.scope, side, target.as_deref())
        .map_err(|finding| Rejected::of(*finding))?;
    if root.is_whole() {
        root.outside.extend(walked.found);
        root.outside.extend(disk.not_checked_out(&root.scope, environment));
    }
    let judge = Judge { side };
    let judged =
        judge.all(walked.files, &|path| disk.called(path), |name, path: PathBuf| read(name, &path));
    root.with(judged, side)
}

/// Loads sources that are at hand: names and texts, the root file first.
pub fn load_sources(sources: Vec<(Arc<str>, Arc<str>)>) -> Result<Loaded, Rejected> {
    let mut sources = sources.into_iter();
    let Some((name, text)) = sources.next() else { return Err(Rejected::of(nothing())) };
    let plain = |name: &Arc<str>, text: Arc<str>| {
        if text.len() > MAX_BYTES {
            // The text is not shown either.
            return yaml::decode_text(name, text.as_bytes().to_vec()).map(Arc::from);
        }
        Ok(text.strip_prefix('\u{feff}').map_or_else(|| Arc::clone(&text), Arc::from))
    };
    let root = Root::new(&name, plain(&name, text));
    let folder = name.rfind('/').map_or("", |at| &name[..=at]);
    let files = sources.map(|(name, text)| {
        let path = name.strip_prefix(folder).unwrap_or(&name).to_owned();
        let included = root.scope.includes(&path);
        Candidate { path, at: text, named: Named::Yaml, included }
    });
    let files = files.collect();
    let judge = Judge { side: Side::Own };
    let judged = judge.all(files, &|path| format!("{folder}{path}").into(), plain);
    root.with(judged, Side::Own)
}

fn nothing() -> Diagnostic {
    Diagnostic::error("config/no-root", "there are no files").help("give a file")
}

/// Puts the parts together and judges the whole. The first is the root file's.
fn assemble(
    read: Vec<Source>,
    mut incomplete: bool,
    mut found: Vec<Diagnostic>,
    mut others: Others,
    side: Side,
) -> Result<Loaded, Rejected> {
    let mut sources = Sources::default();
    let mut parts = Vec::with_capacity(read.len());
    let mut unnamed = Vec::new();
    let mut dropped = Dropped::default();
    for Source { name, text, part, like_root: _ } in read {
        incomplete |= part.incomplete;
        sources.0.insert(name, text);
        unnamed.extend(part.unnamed.iter().cloned());
        dropped.known += part.dropped.known;
        dropped.recent += part.dropped.recent;
        parts.push(part);
    }
    let document = merge::merge(parts, &mut found);
    check::check(&document, !incomplete, &mut found);
    check::unnamed(&document, &unnamed, &mut found);
    check::files(&document, &sources.0.keys().map(|name| &**name), &mut found);
    if side == Side::Own {
        others.report(&document);
    }
    found.extend(others.told());
    if side == Side::Base {
        diagnostic::demote_recent(&mut found);
    }
    diagnostic::sort(&mut found);
    // A value that an alias repeats is judged once for each place, and shown once.
    found.dedup();
    let errors = dropped.known + if side == Side::Own { dropped.recent } else { 0 };
    diagnostic::bound(&mut found, errors, dropped.known + dropped.recent, MORE_FINDINGS);
    if found.iter().any(Diagnostic::is_error) {
        Err(Rejected { diagnostics: found, sources })
    } else {
        Ok(Loaded { document, sources, warnings: found })
    }
}

fn no_version(name: &Arc<str>) -> Diagnostic {
    let top = Span { file: Arc::clone(name), line: 1, column: 1, bytes: (0, 0) };
    let folder = Path::new(&**name).parent();
    let part = Path::new(&**name).file_name().is_some_and(|file| file != ROOT_FILE);
    let help = match folder {
        Some(folder)
            if part && (folder.join(ROOT_FILE).is_file() || findings::has_root_above(folder)) =>
        {
            format!(
                "the file is part of a folder with a `{ROOT_FILE}`: give the folder; else start with `version: 1`"
            )
        }
        _ => "start with `version: 1`".to_owned(),
    };
    Diagnostic::error("config/version", "the file lacks `version`").at(&top).help(help)
}

/// Reads a file that may not be larger than the limit.
pub(super) fn read(name: &Arc<str>, path: &Path) -> Result<Arc<str>, Box<Diagnostic>> {
    let mut bytes = Vec::new();
    let read =
        File::open(path).and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) => yaml::decode_text(name, bytes).map(Arc::from),
        Err(error) => Err(Box::new(unreadable(path, &error))),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Diagnostic {
    let path = shown(path);
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            Diagnostic::error("config/not-found", format!("`{path}` does not exist")).help(format!(
                "give a file, or a folder with a `{ROOT_FILE}`; `charter import` writes a first one"
            ))
        }
        _ => Diagnostic::error("config/unreadable", format!("`{path}` cannot be read: {error}"))
            .help("look at the permissions of the file and of its folder"),
    }
}

/// A path as it is shown: with `/`, and whatever is not Unicode replaced.
pub(super) fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    if std::path::MAIN_SEPARATOR == '/' {
        text.into_owned()
    } else {
        text.replace(std::path::MAIN_SEPARATOR, "/")
    }
}

/// Of such a name no other place could speak: not a finding, not a plan, not `files`.
pub(super) fn bad_name(shown: &str) -> Diagnostic {
    Diagnostic::error("config/bad-file-name", format!("the name of `{shown}` is not UTF-8"))
        .help("rename the file, or the folder that it is in")
}

#[cfg(test)]
pub(crate) mod tests;
