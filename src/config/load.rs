//! From a path to a checked document: finds the files, reads them side by side, merges, checks.
//!
//! Invariant: the result depends on what the files hold and what they are called, never on the order in which
//! the file system lists them or the threads end.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    check,
    decode::{self, Part},
    document::Document,
    merge,
    yaml::{self, MAX_BYTES, Parsed},
};
use crate::{
    diagnostic::{self, Diagnostic, Sources, Span},
    threads::side_by_side,
};

/// The root file of a folder.
pub const ROOT_FILE: &str = "charter.yaml";

/// The code of the finding that counts those that are not listed.
pub const MORE_FINDINGS: &str = "config/more-findings";

/// More files than this are a mistake, not a configuration.
pub(super) const MAX_FILES: usize = 10_000;

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
    load_for(path, Side::Own)
}

/// The same, for either side of a comparison.
pub fn load_for(path: &Path, side: Side) -> Result<Loaded, Rejected> {
    let mut found = Vec::new();
    let paths = match find(path, &mut found) {
        Ok(paths) => paths,
        Err(finding) => {
            found.push(*finding);
            return Err(Rejected { diagnostics: found, sources: Sources::default() });
        }
    };
    let read = side_by_side(paths, |index, (name, path)| {
        let mut found = Vec::new();
        let source = match read(&name, &path) {
            Ok(text) => Some(one(&name, text, index == 0, &mut found)),
            Err(finding) => {
                found.push(*finding);
                None
            }
        };
        (source, found)
    });
    assemble(read, found, side)
}

/// Loads sources that are at hand: names and texts, the root file first.
pub fn load_sources(sources: Vec<(Arc<str>, Arc<str>)>) -> Result<Loaded, Rejected> {
    let read = side_by_side(sources, |index, (name, text)| {
        let mut found = Vec::new();
        let source = if text.len() > MAX_BYTES {
            // The text is not shown either.
            found.extend(yaml::decode_text(&name, text.as_bytes().to_vec()).err().map(|f| *f));
            None
        } else {
            let text = text.strip_prefix('\u{feff}').map_or_else(|| Arc::clone(&text), Arc::from);
            Some(one(&name, text, index == 0, &mut found))
        };
        (source, found)
    });
    assemble(read, Vec::new(), Side::Own)
}

/// Loads files whose bytes are at hand, the root file first; `found` is what is known about them already.
pub(super) fn load_bytes(
    files: Vec<(Arc<str>, Vec<u8>)>,
    found: Vec<Diagnostic>,
    side: Side,
) -> Result<Loaded, Rejected> {
    let read = side_by_side(files, |index, (name, bytes)| {
        let mut found = Vec::new();
        let source = match yaml::decode_text(&name, bytes) {
            Ok(text) => Some(one(&name, Arc::from(text), index == 0, &mut found)),
            Err(finding) => {
                found.push(*finding);
                None
            }
        };
        (source, found)
    });
    assemble(read, found, side)
}

/// One file after reading and decoding.
struct Source {
    name: Arc<str>,
    text: Arc<str>,
    part: Part,
}

/// Parses and decodes one file.
fn one(name: &Arc<str>, text: Arc<str>, root: bool, found: &mut Vec<Diagnostic>) -> Source {
    let part = match yaml::parse(name, &text, found) {
        Parsed::Tree(node) if !node.is_null() => decode::decode(name, root, &text, &node, found),
        Parsed::Empty | Parsed::Tree(_) => {
            let top = Span { file: Arc::clone(name), line: 1, column: 1, bytes: (0, 0) };
            let help = if root {
                "start with `version: 1`; `charter import` writes a first file"
            } else {
                "remove the file, or give it a section such as `members:`"
            };
            found.push(
                Diagnostic::error("config/empty", "the file says nothing").at(&top).help(help),
            );
            Part { incomplete: true, ..Part::default() }
        }
        Parsed::Broken => Part { incomplete: true, ..Part::default() },
    };
    Source { name: Arc::clone(name), text, part }
}

/// Puts the parts together and judges the whole.
fn assemble(
    read: Vec<(Option<Source>, Vec<Diagnostic>)>,
    mut found: Vec<Diagnostic>,
    side: Side,
) -> Result<Loaded, Rejected> {
    let mut sources = Sources::default();
    let mut parts = Vec::with_capacity(read.len());
    let mut incomplete = false;
    let mut unnamed = Vec::new();
    let mut dropped = 0;
    for (index, (source, findings)) in read.into_iter().enumerate() {
        found.extend(findings);
        let Some(Source { name, text, part }) = source else {
            incomplete = true;
            continue;
        };
        incomplete |= part.incomplete;
        if index == 0 && part.version.is_none() && !part.incomplete {
            found.push(no_version(&name));
        }
        sources.0.insert(name, text);
        unnamed.extend(part.unnamed.iter().cloned());
        dropped += part.dropped;
        parts.push(part);
    }
    let document = merge::merge(parts, &mut found);
    check::check(&document, !incomplete, &mut found);
    check::unnamed(&document, &unnamed, &mut found);
    check::files(&document, &sources.0.keys().map(|name| &**name), &mut found);
    if side == Side::Base {
        diagnostic::demote_recent(&mut found);
    }
    diagnostic::sort(&mut found);
    // A value that an alias repeats is judged once for each place, and shown once.
    found.dedup();
    diagnostic::bound(&mut found, dropped, MORE_FINDINGS);
    if found.iter().any(Diagnostic::is_error) {
        Err(Rejected { diagnostics: found, sources })
    } else {
        Ok(Loaded { document, sources, warnings: found })
    }
}

fn no_version(name: &Arc<str>) -> Diagnostic {
    let top = Span { file: Arc::clone(name), line: 1, column: 1, bytes: (0, 0) };
    let below = Path::new(&**name).parent().map(|folder| folder.join(ROOT_FILE));
    let part = Path::new(&**name).file_name().is_some_and(|file| file != ROOT_FILE);
    let help = match below {
        Some(root) if part && root.is_file() => format!(
            "the file is part of a folder with a `{ROOT_FILE}`: give the folder; else start with `version: 1`"
        ),
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

/// The files of a path, the root file first, the others sorted by name.
fn find(
    path: &Path,
    found: &mut Vec<Diagnostic>,
) -> Result<Vec<(Arc<str>, PathBuf)>, Box<Diagnostic>> {
    let metadata = fs::metadata(path).map_err(|error| Box::new(unreadable(path, &error)))?;
    if !metadata.is_dir() {
        return Ok(vec![(shown(path).into(), path.to_owned())]);
    }
    let home = fs::canonicalize(path).map_err(|error| Box::new(unreadable(path, &error)))?;
    let mut walk =
        Walk { top: path.to_owned(), home, seen: BTreeSet::new(), files: Vec::new(), found };
    walk.folder(path)?;
    let mut files = walk.files;
    files.sort();
    let root = path.join(ROOT_FILE);
    let Some(index) = files.iter().position(|file| *file == root) else {
        return Err(Box::new(no_root(path, &files)));
    };
    let root = files.remove(index);
    files.insert(0, root);
    Ok(files.into_iter().map(|file| (shown(&file).into(), file)).collect())
}

fn no_root(folder: &Path, files: &[PathBuf]) -> Diagnostic {
    let shown_folder = shown(folder);
    let twin = files.iter().find(|file| {
        file.parent() == Some(folder) && file.file_stem().is_some_and(|stem| stem == "charter")
    });
    let help = match twin {
        Some(twin) => format!("rename `{}` to `{ROOT_FILE}`", shown(twin)),
        None if files.is_empty() => {
            format!("put a `{ROOT_FILE}` there; `charter import` writes a first one")
        }
        None => format!(
            "put a `{ROOT_FILE}` with `version: 1` beside the other files, or give one file"
        ),
    };
    let message = if files.is_empty() {
        format!("the folder `{shown_folder}` has no YAML files")
    } else {
        format!("the folder `{shown_folder}` has no `{ROOT_FILE}`")
    };
    Diagnostic::error("config/no-root", message).help(help)
}

/// Walks a folder. Whatever the links are like, no folder and no file is visited twice.
struct Walk<'f> {
    /// The folder as it was given.
    top: PathBuf,
    home: PathBuf,
    seen: BTreeSet<PathBuf>,
    files: Vec<PathBuf>,
    found: &'f mut Vec<Diagnostic>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path) -> Result<(), Box<Diagnostic>> {
        let fail = |error: std::io::Error| Box::new(unreadable(folder, &error));
        if !self.seen.insert(fs::canonicalize(folder).map_err(fail)?) {
            return Ok(());
        }
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let is_link = entry.file_type().map_err(fail)?.is_symlink();
            // Links come last, so that a file is known by its own name if it has one in the folder.
            entries.push((is_link, entry.path()));
        }
        entries.sort();
        for (is_link, path) in entries {
            self.entry(is_link, &path)?;
        }
        Ok(())
    }

    fn entry(&mut self, is_link: bool, path: &Path) -> Result<(), Box<Diagnostic>> {
        let yaml = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
        let (Ok(metadata), Ok(target)) = (fs::metadata(path), fs::canonicalize(path)) else {
            // A broken link is only worth a word if it was to be read.
            if yaml {
                self.skipped(path, "leads nowhere");
            }
            return Ok(());
        };
        if is_link && !target.starts_with(&self.home) {
            if yaml || metadata.is_dir() {
                self.skipped(path, "leaves the folder");
            }
            return Ok(());
        }
        if metadata.is_dir() {
            return self.folder(path);
        }
        let below = path.strip_prefix(&self.top).unwrap_or(path);
        if yaml && below.to_str().is_none() {
            self.found.push(bad_name(&shown(path)));
        } else if yaml && metadata.is_file() && self.seen.insert(target) {
            self.files.push(path.to_owned());
            if self.files.len() > MAX_FILES {
                let message = format!("the folder has more than {MAX_FILES} YAML files");
                return Err(Box::new(
                    Diagnostic::error("config/too-large", message)
                        .help("give the folder that holds the charter files only"),
                ));
            }
        }
        Ok(())
    }

    fn skipped(&mut self, path: &Path, why: &str) {
        self.found.push(
            Diagnostic::warning(
                "config/link-not-read",
                format!("the link `{}` {why}, and is not read", shown(path)),
            )
            .help("put the file itself into the folder, or remove the link"),
        );
    }
}

/// Of such a name no other place could speak: not a finding, not a plan, not `files`.
pub(super) fn bad_name(shown: &str) -> Diagnostic {
    Diagnostic::error("config/bad-file-name", format!("the name of `{shown}` is not UTF-8"))
        .help("rename the file, or the folder that it is in")
}

#[cfg(test)]
pub(crate) mod tests;
