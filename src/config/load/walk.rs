//! Finds the files of a folder, on disk or in a revision of Git by the same rules.
//!
//! Invariant: every entry counts to a bound; nothing is opened here, and no link is followed but to a regular file
//! inside the folder.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    MAX_ENTRIES, MAX_FILES, ROOT_FILE, Side, findings,
    names::{Named, is_misspelled_root, named},
    outside::Outside,
    scope::Scope,
};
use crate::diagnostic::Diagnostic;

/// Folders nest so deep, at most.
pub(super) const MAX_DEPTH: usize = 64;
/// So many links are looked at, at most.
const MAX_LINKS: usize = 1_000;
/// So many findings of one sort are shown.
const MAX_FINDINGS: usize = 20;

/// What an entry of a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum What {
    File,
    Folder,
    Link,
    Submodule,
    /// A device, a pipe, a socket.
    Other,
}

/// An entry of a folder.
#[derive(Debug)]
pub(in crate::config) struct Entry<A> {
    /// What is no UTF-8 in it is replaced.
    pub(in crate::config) name: String,
    /// Whether nothing had to be replaced.
    pub(in crate::config) utf8: bool,
    pub(in crate::config) what: What,
    /// Where it is.
    pub(in crate::config) at: A,
}

/// Where a link leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) enum Led<A> {
    /// To a regular file: its path below the folder, and where it is.
    File(String, A),
    Folder,
    /// To something that is neither.
    Other,
    Outside,
    Nowhere,
}

impl<A> Led<A> {
    /// What is said of a link that does not lead to a file.
    pub(in crate::config) fn why(&self) -> &'static str {
        match self {
            Led::File(..) => "leads to a file that is not called `*.yaml` or `*.yml`",
            Led::Folder => "leads to a folder",
            Led::Other => "leads to what is no regular file",
            Led::Outside => "leaves the folder",
            Led::Nowhere => "leads nowhere",
        }
    }
}

/// A folder, on disk or in a revision.
pub(in crate::config) trait Tree {
    /// Where an entry is.
    type At: Clone;
    /// Why it cannot be read.
    type Error: From<Box<Diagnostic>>;

    /// The entries of a folder. More than `most` need not be listed.
    fn list(&mut self, folder: &Self::At, most: usize)
    -> Result<Vec<Entry<Self::At>>, Self::Error>;

    /// Where a link leads. Its path is below the folder that is walked.
    fn follow(&mut self, path: &str, link: &Self::At) -> Result<Led<Self::At>, Self::Error>;

    /// What a path below the folder is called in findings; empty for the folder itself.
    fn called(&self, path: &str) -> Arc<str>;
}

/// A file that may be read.
#[derive(Debug)]
pub(in crate::config) struct Candidate<A> {
    /// Its path below the folder.
    pub(in crate::config) path: String,
    pub(in crate::config) at: A,
    pub(in crate::config) named: Named,
    /// Whether `read.include` names it.
    pub(in crate::config) included: bool,
}

/// What a folder holds.
#[derive(Debug)]
pub(in crate::config) struct Walked<A> {
    /// Without the root file, sorted by path.
    pub(in crate::config) files: Vec<Candidate<A>>,
    pub(in crate::config) found: Vec<Outside>,
}

/// Walks a folder whose root file is known. `root` is where that leads if it is a link.
pub(in crate::config) fn walk<T: Tree>(
    tree: &mut T,
    folder: T::At,
    scope: &Scope,
    side: Side,
    root: Option<&str>,
) -> Result<Walked<T::At>, T::Error> {
    let mut walk = Walk {
        scope,
        side,
        root,
        files: BTreeMap::new(),
        links: Vec::new(),
        nested: Vec::new(),
        findings: Findings::default(),
        count: 0,
        used: BTreeSet::new(),
    };
    let mut pending = vec![(String::new(), true, folder, 0)];
    let mut left = MAX_ENTRIES;
    while let Some((path, utf8, at, depth)) = pending.pop() {
        let mut entries = tree.list(&at, left)?;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        left = left
            .checked_sub(entries.len())
            .ok_or_else(|| Box::new(findings::too_many_entries(&tree.called(""))))?;
        if walk.is_of_another(&path, &entries) {
            continue;
        }
        for Entry { name, utf8: plain, what, at } in entries {
            let below = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            let is_root = path.is_empty() && name == ROOT_FILE;
            if name.starts_with('.') || is_root || walk.excludes(&below, what != What::File) {
                continue;
            }
            let utf8 = utf8 && plain;
            if what == What::Folder {
                if depth == MAX_DEPTH {
                    return Err(Box::new(findings::too_deep(&tree.called(""))).into());
                }
                pending.push((below, utf8, at, depth + 1));
            } else {
                walk.entry(tree, below, &name, (what, utf8), at)?;
            }
        }
    }
    walk.follow(tree)?;
    Ok(walk.end(tree))
}

/// What is known so far.
struct Walk<'w, A> {
    scope: &'w Scope,
    side: Side,
    root: Option<&'w str>,
    files: BTreeMap<String, Candidate<A>>,
    links: Vec<(String, A)>,
    nested: Vec<String>,
    findings: Findings,
    count: usize,
    /// The patterns of `read.exclude` that left something out, by their places.
    used: BTreeSet<usize>,
}

impl<A: Clone> Walk<'_, A> {
    fn excludes(&mut self, path: &str, may_be_folder: bool) -> bool {
        let by = self.scope.excluded_by(path, may_be_folder);
        let excludes = !by.is_empty();
        self.used.extend(by);
        excludes
    }

    /// Whether a folder is that of another organization. A base is read as the version before read it.
    fn is_of_another(&mut self, path: &str, entries: &[Entry<A>]) -> bool {
        let has_root = |entry: &Entry<A>| {
            entry.name == ROOT_FILE && matches!(entry.what, What::File | What::Link)
        };
        let root = format!("{path}/{ROOT_FILE}");
        let nested = !path.is_empty()
            && self.side == Side::Own
            && entries.iter().any(has_root)
            && !self.excludes(&root, false)
            && self.root != Some(root.as_str());
        if nested {
            self.nested.push(root);
        }
        nested
    }

    fn entry<T: Tree<At = A>>(
        &mut self,
        tree: &T,
        path: String,
        name: &str,
        (what, utf8): (What, bool),
        at: A,
    ) -> Result<(), T::Error> {
        let named = named(name);
        match what {
            What::File if !utf8 => {
                if named == Named::Yaml {
                    self.findings.add(Sort::Name, || super::bad_name(&tree.called(&path)));
                }
            }
            What::File => {
                let is_top = !path.contains('/');
                if is_top && is_misspelled_root(name) && self.side == Side::Own {
                    let called = tree.called(&path);
                    self.findings.add(Sort::Name, || findings::misspelled_root(&called, true));
                } else if named != Named::Other && self.root != Some(path.as_str()) {
                    self.candidate(tree, path, named, at)?;
                }
            }
            What::Link if self.scope.may_hold(&path) || self.scope.includes(&path) => {
                self.links.push((path, at));
            }
            What::Submodule if self.scope.may_hold(&path) => {
                let called = tree.called(&path);
                self.findings.add(Sort::Link, || findings::submodule(&called, &path));
            }
            What::Other if named == Named::Yaml && self.scope.includes(&path) => {
                let called = tree.called(&path);
                self.findings.add(Sort::Name, || {
                    findings::no_file(&called, "a device, a pipe or a socket").recent()
                });
            }
            What::Link | What::Submodule | What::Folder | What::Other => {}
        }
        Ok(())
    }

    fn candidate<T: Tree<At = A>>(
        &mut self,
        tree: &T,
        path: String,
        named: Named,
        at: A,
    ) -> Result<(), T::Error> {
        let included = self.scope.includes(&path);
        self.count += usize::from(named == Named::Yaml && included);
        if self.count > MAX_FILES {
            return Err(Box::new(findings::too_many_files(&tree.called(""))).into());
        }
        self.files.insert(path.clone(), Candidate { path, at, named, included });
        Ok(())
    }

    /// Looks where the links lead, when all files are known: one that has a name of its own is known by that.
    fn follow<T: Tree<At = A>>(&mut self, tree: &mut T) -> Result<(), T::Error> {
        self.links.sort_by(|a, b| a.0.cmp(&b.0));
        let mut targets = BTreeSet::new();
        let links = std::mem::take(&mut self.links);
        let beyond = links.len().saturating_sub(MAX_LINKS);
        for (path, link) in links.into_iter().take(MAX_LINKS) {
            let led = tree.follow(&path, &link)?;
            let name = path.rsplit('/').next().unwrap_or(&path);
            let by_name = named(name);
            match led {
                Led::File(target, _)
                    if target == ROOT_FILE || self.root == Some(target.as_str()) => {}
                Led::File(target, _) if self.files.contains_key(&target) => {}
                Led::File(..) if by_name == Named::Other => {}
                Led::File(target, at) if named(&target) == Named::Yaml => {
                    // The way a mounted configuration looks: a link to a hidden file of the same folder.
                    if targets.insert(target) {
                        self.candidate(tree, path, by_name, at)?;
                    }
                }
                Led::File(..) if by_name == Named::Json => {}
                led => {
                    let called = tree.called(&path);
                    self.findings.add(Sort::Link, || findings::link(&called, &path, led.why()));
                }
            }
        }
        self.findings.links += beyond;
        Ok(())
    }

    fn end<T: Tree<At = A>>(self, tree: &T) -> Walked<A> {
        let Self { mut nested, findings, files, scope, side, used, .. } = self;
        let mut found = findings.found;
        if findings.links > 0 {
            found.push(findings::more(findings.links, "links and submodules").into());
        }
        if findings.names > 0 {
            found.push(findings::more(findings.names, "files whose names are wrong").into());
        }
        if !nested.is_empty() {
            nested.sort();
            found.push(findings::nested_roots(&tree.called(ROOT_FILE), &nested));
        }
        let idle = scope.patterns().iter().enumerate().filter(|(at, _)| !used.contains(at));
        if side == Side::Own {
            found.extend(idle.map(|(_, pattern)| findings::excludes_nothing(pattern).into()));
        }
        Walked { files: files.into_values().collect(), found }
    }
}

/// Sorts of findings that are capped.
#[derive(Clone, Copy)]
enum Sort {
    Link,
    Name,
}

/// What was found, not more of each sort than anybody reads.
#[derive(Default)]
struct Findings {
    found: Vec<Outside>,
    shown: [usize; 2],
    links: usize,
    names: usize,
}

impl Findings {
    fn add<F: Into<Outside>>(&mut self, sort: Sort, finding: impl FnOnce() -> F) {
        let shown = &mut self.shown[sort as usize];
        if *shown < MAX_FINDINGS {
            *shown += 1;
            self.found.push(finding().into());
        } else {
            match sort {
                Sort::Link => self.links += 1,
                Sort::Name => self.names += 1,
            }
        }
    }
}
