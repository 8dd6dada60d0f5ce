//! A folder on disk.
//!
//! Invariant: what is opened is a regular file inside the folder, known to be one before a byte of it is read.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    ROOT_FILE, Side, findings,
    names::{Named, is_misspelled_root, named},
    outside::Outside,
    scope::Scope,
    shown, unreadable,
    walk::{Entry, Led, Tree, What},
};
use crate::{
    config::revision::{Absent, Environment, absent_from},
    diagnostic::Diagnostic,
};

/// What a path of the command line means.
pub(super) enum Place {
    /// A file that stands for itself.
    File(PathBuf),
    /// A folder with a root file.
    Folder(Disk),
}

impl Place {
    pub(super) fn find(path: &Path, side: Side) -> Result<Self, Box<Diagnostic>> {
        let fail = |error: std::io::Error| Box::new(unreadable(path, &error));
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let metadata = fs::metadata(path);
        if metadata.as_ref().is_ok_and(fs::Metadata::is_dir) {
            return Disk::new(path).map(Self::Folder).map_err(fail);
        }
        if name == ROOT_FILE {
            let parent = path.parent().unwrap_or(Path::new(""));
            let missing = fs::symlink_metadata(path).err();
            let disk = Disk::new(parent).map_err(fail)?;
            return match missing {
                Some(error) if error.kind() == ErrorKind::NotFound => {
                    Err(Box::new(disk.misspelled().unwrap_or_else(|| unreadable(path, &error))))
                }
                Some(error) => Err(fail(error)),
                None => Ok(Self::Folder(disk)),
            };
        }
        let metadata = metadata.map_err(fail)?;
        if is_misspelled_root(&name) && side == Side::Own {
            return Err(Box::new(findings::misspelled_root(&shown(path), false)));
        }
        let is_stream =
            ["/dev/stdin", "/dev/fd", "/proc/self/fd"].iter().any(|one| path.starts_with(one));
        // Such files have the memory, the variables and the arguments of a process.
        let of_process = fs::canonicalize(path).is_ok_and(|path| path.starts_with("/proc"));
        if of_process && !is_stream {
            return Err(Box::new(findings::no_file(&shown(path), "a view of a process")));
        }
        if !metadata.is_file() && !is_stream {
            let what = "a device, a pipe or a socket";
            return Err(Box::new(findings::no_file(&shown(path), what)));
        }
        Ok(Self::File(path.to_owned()))
    }
}

/// A folder.
pub(super) struct Disk {
    /// As it was given.
    top: PathBuf,
    /// How paths in it begin in findings.
    prefix: PathBuf,
    /// Without links.
    home: PathBuf,
}

impl Disk {
    fn new(path: &Path) -> Result<Self, std::io::Error> {
        let is_here = path.components().all(|part| part == std::path::Component::CurDir);
        let top = if is_here { PathBuf::from(".") } else { path.to_owned() };
        let prefix = if is_here { PathBuf::new() } else { path.to_owned() };
        let home = fs::canonicalize(&top)?;
        Ok(Self { top, prefix, home })
    }

    pub(super) fn top(&self) -> PathBuf {
        self.top.clone()
    }

    /// The root file, and where it leads if it is a link.
    pub(super) fn root(&mut self) -> Result<(PathBuf, Option<String>), Box<Diagnostic>> {
        let path = self.top.join(ROOT_FILE);
        let name = self.called(ROOT_FILE);
        let metadata = match fs::symlink_metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Box::new(self.no_root()));
            }
            Err(error) => return Err(Box::new(unreadable(&path, &error))),
        };
        if metadata.is_symlink() {
            return match self.follow(ROOT_FILE, &path)? {
                Led::File(target, at) if named(&target) == Named::Yaml => Ok((at, Some(target))),
                led => Err(Box::new(findings::root_link(&name, led.why()))),
            };
        }
        if metadata.is_file() {
            return Ok((path, None));
        }
        let what = if metadata.is_dir() { "a folder" } else { "a device, a pipe or a socket" };
        Err(Box::new(findings::no_file(&name, what)))
    }

    /// What says that a file here is meant as the root.
    fn misspelled(&self) -> Option<Diagnostic> {
        let (names, _) = self.names();
        let twin = names.into_iter().find(|name| is_misspelled_root(name))?;
        Some(findings::no_root(&self.called(""), &[], Some(&self.called(&twin)), None, false))
    }

    fn no_root(&self) -> Diagnostic {
        let (names, folders) = self.names();
        let twin = names.iter().find(|name| is_misspelled_root(name)).map(|name| self.called(name));
        let below = folders.iter().find(|folder| self.top.join(folder).join(ROOT_FILE).is_file());
        let below = below.map(|folder| self.called(folder));
        let above = findings::has_root_above(&self.top);
        findings::no_root(&self.called(""), &names, twin.as_deref(), below.as_deref(), above)
    }

    /// The names of the YAML files and of the folders at the top.
    fn names(&self) -> (Vec<String>, Vec<String>) {
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for entry in
            fs::read_dir(&self.top).into_iter().flatten().flatten().take(super::MAX_ENTRIES)
        {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(name);
            } else if matches!(named(&name), Named::Yaml | Named::Nearly) {
                files.push(name);
            }
        }
        files.sort();
        folders.sort();
        (files, folders)
    }

    /// What Git has here and the folder does not.
    pub(super) fn not_checked_out(&self, scope: &Scope, environment: &Environment) -> Vec<Outside> {
        let (mut missing, mut found) = (Vec::new(), Vec::new());
        let is_hidden = |path: &str| path.split('/').any(|part| part.starts_with('.'));
        for (path, absent) in absent_from(&self.home, environment) {
            let name = path.rsplit('/').next().unwrap_or(&path);
            if is_hidden(&path) {
                continue;
            }
            match absent {
                Absent::File => {
                    let gone = fs::symlink_metadata(self.top.join(&path)).is_err();
                    if gone && named(name) == Named::Yaml && scope.reads(&path) {
                        missing.push(path);
                    }
                }
                Absent::Submodule => {
                    let around = format!("{path}/x");
                    if scope.may_hold(&path) && !scope.is_excluded(&around) && found.len() < 20 {
                        found.push(findings::submodule(&self.called(&path), &path));
                    }
                }
            }
        }
        if !missing.is_empty() {
            missing.sort();
            found.push(findings::not_checked_out(&self.called(ROOT_FILE), &missing).into());
        }
        found
    }
}

impl Tree for Disk {
    type At = PathBuf;
    type Error = Box<Diagnostic>;

    fn list(
        &mut self,
        folder: &PathBuf,
        most: usize,
    ) -> Result<Vec<Entry<PathBuf>>, Box<Diagnostic>> {
        let fail = |error: std::io::Error| Box::new(unreadable(folder, &error));
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder).map_err(fail)?.take(most + 1) {
            let entry = entry.map_err(fail)?;
            let kind = entry.file_type().map_err(fail)?;
            let what = if kind.is_symlink() {
                What::Link
            } else if kind.is_dir() {
                What::Folder
            } else if kind.is_file() {
                What::File
            } else {
                What::Other
            };
            let name = entry.file_name();
            let utf8 = name.to_str().is_some();
            entries.push(Entry {
                name: name.to_string_lossy().into_owned(),
                utf8,
                what,
                at: entry.path(),
            });
        }
        Ok(entries)
    }

    fn follow(&mut self, _: &str, link: &PathBuf) -> Result<Led<PathBuf>, Box<Diagnostic>> {
        let Ok(target) = fs::canonicalize(link) else { return Ok(Led::Nowhere) };
        let Ok(below) = target.strip_prefix(&self.home) else { return Ok(Led::Outside) };
        let below = shown(below);
        Ok(match fs::metadata(&target) {
            Ok(metadata) if metadata.is_dir() => Led::Folder,
            Ok(metadata) if metadata.is_file() => Led::File(below, target),
            Ok(_) => Led::Other,
            Err(_) => Led::Nowhere,
        })
    }

    fn called(&self, path: &str) -> Arc<str> {
        if path.is_empty() {
            shown(&self.top).into()
        } else {
            shown(&self.prefix.join(path)).into()
        }
    }
}
