//! A fleet: several organizations, each with its folder and the variable that holds its credential.
//!
//! Invariant: every organization has a folder of its own whose files are for it, or the fleet is refused as a whole,
//! before anything is asked of anybody.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use aws_lc_rs::digest::{SHA256, digest};

use super::{
    decode::{self, Listed, is_uuid},
    document::Text,
    load::{ROOT_FILE, Rejected, read, shown},
    yaml::{self, Parsed},
};
use crate::diagnostic::{self, Diagnostic, Sources, Span};

/// An organization of a fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// Its id, in lower case.
    pub id: Arc<str>,
    /// The folder with its files, seen from where charter runs.
    pub folder: PathBuf,
    /// The variable that holds its credential.
    pub credential: Arc<str>,
}

/// Reads a fleet file, in its order; with a shard, only the organizations of that part.
///
/// # Errors
/// Everything that is wrong with the file, and with the folders of the organizations that are read.
pub fn load(path: &Path, shard: Option<Shard>) -> Result<Vec<Organization>, Rejected> {
    let name: Arc<str> = shown(path).into();
    let mut found = Vec::new();
    let mut sources = Sources::default();
    let mut organizations = Vec::new();
    match read(&name, path) {
        Ok(text) => {
            let listed = listed(&name, &text, &mut found);
            // A line that is shown must not hold a credential that does not belong there.
            if !text.contains("sk-ant-") {
                sources.0.insert(name, text);
            }
            let holds = |one: &Listed| shard.is_none_or(|shard| shard.holds(&one.id));
            let mut folders = Folders::of(path, &mut sources, &mut found);
            organizations = listed
                .iter()
                .filter(|one| holds(one))
                .map(|one| Organization {
                    id: one.id.value.clone(),
                    folder: folders.check(one),
                    credential: one.credential.value.clone(),
                })
                .collect();
        }
        Err(finding) if finding.code == "config/not-found" => {
            let message = format!("`{name}` does not exist");
            found.push(Diagnostic::error("fleet/not-found", message).help(
                "give a fleet file: `version: 1`, and `organizations:` with an id, a folder and a credential each",
            ));
        }
        Err(finding) => found.push(*finding),
    }
    diagnostic::sort(&mut found);
    if found.is_empty() { Ok(organizations) } else { Err(Rejected { diagnostics: found, sources }) }
}

fn listed(name: &Arc<str>, text: &str, found: &mut Vec<Diagnostic>) -> Vec<Listed> {
    match yaml::parse(name, text, found) {
        Parsed::Tree(node) if !node.is_null() => decode::fleet(name, text, &node, found),
        Parsed::Empty | Parsed::Tree(_) => {
            let top = Span { file: name.clone(), line: 1, column: 1, bytes: (0, 0) };
            let finding = Diagnostic::error("fleet/empty", "the fleet file says nothing");
            found.push(finding.at(&top).help("start with `version: 1` and `organizations:`"));
            Vec::new()
        }
        Parsed::Broken => Vec::new(),
    }
}

/// The folders of a fleet.
struct Folders<'f> {
    /// Where the fleet file is, as given and as it really is.
    below: PathBuf,
    home: Option<PathBuf>,
    /// Where those that were looked at really are.
    seen: Vec<(PathBuf, Text)>,
    sources: &'f mut Sources,
    found: &'f mut Vec<Diagnostic>,
}

impl<'f> Folders<'f> {
    fn of(fleet: &Path, sources: &'f mut Sources, found: &'f mut Vec<Diagnostic>) -> Self {
        let below = fleet.parent().map(Path::to_owned).unwrap_or_default();
        let here = if below.as_os_str().is_empty() { Path::new(".") } else { &below };
        let home = fs::canonicalize(here).ok();
        Self { below, home, seen: Vec::new(), sources, found }
    }

    /// Looks at the folder of an organization, and gives its path.
    fn check(&mut self, one: &Listed) -> PathBuf {
        // Without a `./` that says nothing.
        let folder: PathBuf = self.below.join(&*one.folder.value).components().collect();
        match fs::canonicalize(&folder) {
            Ok(place) if place.is_dir() => self.check_place(one, &folder, place),
            Ok(_) => self.refuse(&one.folder, "is not a folder", "give a folder with its files"),
            Err(error) => {
                let why = format!("cannot be read: {error}");
                let help = "paths start at the folder of the fleet file; `charter import` writes the first files of an \
                            organization";
                self.refuse(&one.folder, &why, help);
            }
        }
        folder
    }

    fn check_place(&mut self, one: &Listed, folder: &Path, place: PathBuf) {
        let Some(home) = &self.home else { return };
        if place == *home {
            let help = "put the files of each organization into a folder of its own below it";
            return self.refuse(&one.folder, "is that of the fleet file itself", help);
        }
        if !place.starts_with(home) {
            let help = "put the files themselves below the fleet file: a link must not lead out";
            return self.refuse(&one.folder, "is not below that of the fleet file", help);
        }
        let meets =
            |(other, _): &&(PathBuf, Text)| place.starts_with(other) || other.starts_with(&place);
        if let Some((other, first)) = self.seen.iter().find(meets) {
            let how = if *other == place { "stands twice" } else { "overlaps with another" };
            let message = format!("the folder `{}` {how} in the fleet", one.folder);
            let finding = Diagnostic::error("fleet/folder-twice", message)
                .at_opt(one.folder.span.as_ref())
                .help("a folder is read whole: give each organization one of its own");
            let finding = match &first.span {
                Some(span) => finding.with(span, "here too"),
                None => finding,
            };
            self.found.push(finding);
            return;
        }
        self.seen.push((place, one.folder.clone()));
        self.check_organization(one, &folder.join(ROOT_FILE));
    }

    /// Looks which organization the files are for. What else is wrong with them is told when they are read.
    fn check_organization(&mut self, one: &Listed, root: &Path) {
        let name: Arc<str> = shown(root).into();
        let text = match read(&name, root) {
            Ok(text) => text,
            Err(finding) if finding.code == "config/not-found" => {
                let help = "`charter import` writes the first files of an organization";
                return self.refuse(&one.folder, &format!("has no `{ROOT_FILE}`"), help);
            }
            Err(_) => return,
        };
        let mut wrong = Vec::new();
        let Parsed::Tree(node) = yaml::parse(&name, &text, &mut wrong) else { return };
        let part = decode::decode(&name, true, &text, &node, &mut wrong);
        let finding = match part.document.organization.id {
            Some(id) if id.value == one.id.value || !is_uuid(&id) => return,
            Some(id) => {
                let message =
                    format!("the files in `{}` are for the organization `{id}`", one.folder);
                let finding = Diagnostic::error("fleet/other-organization", message)
                    .at_opt(one.folder.span.as_ref())
                    .help("correct the folder, or the id of the one or the other");
                match &id.span {
                    Some(span) => finding.with(span, "they say so here"),
                    None => finding,
                }
            }
            None if wrong.iter().any(Diagnostic::is_error) => return,
            None => {
                let message = format!("the files in `{}` do not say for whom they are", one.folder);
                let help = format!("add `organization: {{id: {}}}` to `{name}`", one.id);
                Diagnostic::error("fleet/no-id", message)
                    .at_opt(one.folder.span.as_ref())
                    .help(help)
            }
        };
        self.found.push(finding);
        self.sources.0.insert(name, text);
    }

    fn refuse(&mut self, folder: &Text, why: &str, help: &str) {
        let finding = Diagnostic::error("fleet/folder", format!("the folder `{folder}` {why}"));
        self.found.push(finding.at_opt(folder.span.as_ref()).help(help));
    }
}

/// One of so many parts of a fleet. Which part an organization is in depends on its id and the number of parts only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    part: u64,
    parts: u64,
}

impl Shard {
    /// Parses `3/10`. Parts are counted from 1; 0 is the last one, for those who count from there.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let number = |text: &str| {
            let digits = (1..=6).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| text.parse::<u64>().ok()).flatten()
        };
        let split = text.split_once('/');
        match split.and_then(|(part, parts)| number(part).zip(number(parts))) {
            Some((part, parts)) if parts > 0 && part <= parts => Ok(Self { part, parts }),
            Some((_, parts)) if parts > 0 => {
                Err(format!("there are {parts} parts: write 1/{parts} to {parts}/{parts}"))
            }
            _ => Err("write which part of how many, as in 3/10".to_owned()),
        }
    }

    /// Which part it is, from 1.
    pub fn part(self) -> u64 {
        if self.part == 0 { self.parts } else { self.part }
    }

    /// How many parts there are.
    pub fn parts(self) -> u64 {
        self.parts
    }

    /// Whether it is the part of an indexed Job's pod with this number, and the Job has more pods than there are parts:
    /// counted from 0 the last part is that before, and this one would be read twice.
    pub fn is_beyond(self, index: u64) -> bool {
        self.part == index && index >= self.parts
    }

    /// Whether an organization is in this part: by the first eight bytes of the SHA-256 of its id, modulo the number of
    /// parts.
    pub fn holds(self, id: &str) -> bool {
        let hash = digest(&SHA256, id.to_ascii_lowercase().as_bytes());
        let head = hash.as_ref().iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        head % self.parts == self.part % self.parts
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.part, self.parts)
    }
}

#[cfg(test)]
mod tests;
