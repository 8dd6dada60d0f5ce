//! The files of a folder, each judged by what it holds: parts of the document, and what does not belong to it.
//!
//! Invariant: a file that names a section of charter is a part or an error, never passed over.

use std::sync::Arc;

use super::{
    Loaded, Rejected, Side, assemble,
    content::{Content, content, is_of_another_shape, json_names_section},
    findings::{self, patterns, removes, top},
    names::Named,
    no_version,
    outside::{Listed, Outside, told},
    scope::Scope,
    walk::Candidate,
};
use crate::{
    config::{
        decode::{self, Part},
        document::Document,
        shape::{FILE, Need},
        yaml::{self, Node, Parsed, Value},
    },
    diagnostic::Diagnostic,
    threads::side_by_side,
};

/// One file after reading and decoding.
pub(super) struct Source {
    pub(super) name: Arc<str>,
    pub(super) text: Arc<str>,
    pub(super) part: Part,
    /// It is no root and has what only a root has.
    pub(super) like_root: bool,
}

/// The root file, and what is known before the others are read.
pub(in crate::config) struct Root {
    source: Option<Source>,
    /// Which other files are read.
    pub(in crate::config) scope: Scope,
    found: Vec<Diagnostic>,
    /// What was found around it.
    pub(in crate::config) outside: Vec<Outside>,
}

impl Root {
    /// Decodes the root file.
    pub(in crate::config) fn new(name: &Arc<str>, text: Result<Arc<str>, Box<Diagnostic>>) -> Self {
        let mut found = Vec::new();
        let source = match text {
            Ok(text) => Some(root(name, text, &mut found)),
            Err(finding) => {
                found.push(*finding);
                None
            }
        };
        let read = source.as_ref().and_then(|source| source.part.document.read.as_ref());
        Self { scope: Scope::of(read), source, found, outside: Vec::new() }
    }

    /// Whether the file could be read: else nobody knows what it would leave out.
    pub(in crate::config) fn is_whole(&self) -> bool {
        self.source.as_ref().is_some_and(|source| source.part.version.is_some())
    }

    /// Puts the root file and judged files together.
    pub(in crate::config) fn with(
        self,
        judged: Vec<Judged>,
        side: Side,
    ) -> Result<Loaded, Rejected> {
        let is_whole = self.is_whole();
        let Self { source, scope, mut found, outside } = self;
        let mut incomplete = source.is_none();
        let mut others = Others { listed: scope.listed(), outside, ..Others::default() };
        let mut sources: Vec<Source> = source.into_iter().collect();
        others.root = sources.first().map(|source| Arc::clone(&source.name));
        let strangers = if side == Side::Base { strangers(&judged) } else { Vec::new() };
        for Judged { path, outcome, found: findings, outside } in judged {
            if strangers.iter().any(|folder| path.starts_with(folder)) {
                continue;
            }
            match outcome {
                Outcome::Part(source) => {
                    others.ours.push(path);
                    sources.push(source);
                }
                Outcome::Unreadable => {
                    others.ours.push(path);
                    incomplete = true;
                }
                Outcome::Misplaced if !is_whole => continue,
                Outcome::Misplaced => others.ours.push(path),
                Outcome::Alone => others.alone.push(path),
                Outcome::Foreign => others.foreign.push(path),
                Outcome::Sandbox => others.sandboxes.push(path),
                Outcome::Fleet => others.fleets.push(path),
                Outcome::Nothing => {}
            }
            found.extend(findings);
            others.outside.extend(outside);
        }
        if !is_whole {
            others = Others { outside: others.outside, ..Others::default() };
        }
        assemble(sources, incomplete, found, others, side)
    }
}

/// Folders of a base that are another organization's: the version before read them only where it was told to.
fn strangers(judged: &[Judged]) -> Vec<String> {
    let roots = judged.iter().filter(|one| match &one.outcome {
        Outcome::Part(source) => source.like_root,
        Outcome::Alone => true,
        _ => false,
    });
    let folders = roots.filter_map(|one| one.path.strip_suffix(super::ROOT_FILE));
    folders.filter(|folder| folder.ends_with('/')).map(str::to_owned).collect()
}

fn root(name: &Arc<str>, text: Arc<str>, found: &mut Vec<Diagnostic>) -> Source {
    let incomplete = || Part { incomplete: true, ..Part::default() };
    let parsed = yaml::parse(name, &text, found);
    let part = match content(&parsed, &text) {
        Content::Empty => {
            found.push(
                Diagnostic::error("config/empty", "the file says nothing")
                    .at(&top(name))
                    .help("start with `version: 1`; `charter import` writes a first file"),
            );
            incomplete()
        }
        Content::Sandbox => {
            found.push(
                Diagnostic::error(
                    "config/sandbox-state",
                    "this is the state of a sandbox, not a charter file",
                )
                .at(&top(name))
                .help("write `--sandbox=FILE`, with `=`, and give the charter files as the path"),
            );
            incomplete()
        }
        Content::Fleet => {
            found.push(
                Diagnostic::error(
                    "config/fleet-file",
                    "this is a fleet file, not the files of one organization",
                )
                .at(&top(name))
                .help("give it as `--fleet FILE`, or give the folder of one organization"),
            );
            incomplete()
        }
        Content::Charter | Content::Nearly | Content::Plan | Content::Foreign => match parsed {
            Parsed::Tree(node) => decode::decode(name, true, &text, &node, found),
            Parsed::Empty | Parsed::Broken => incomplete(),
        },
    };
    if part.version.is_none() && !part.incomplete {
        found.push(no_version(name));
    }
    Source { name: Arc::clone(name), text, part, like_root: false }
}

/// Whether a key at the top of a file is of a sort.
fn names(parsed: &Parsed<'_>, is: impl Fn(&str) -> bool) -> bool {
    match parsed {
        Parsed::Tree(Node { value: Value::Map(entries), .. }) => {
            entries.iter().any(|(key, _)| is(&key.scalar.text))
        }
        _ => false,
    }
}

/// Whether a file says what is wanted; one that cannot be parsed may.
fn names_list(parsed: &Parsed<'_>) -> bool {
    let is_list =
        |key: &str| ["members", "teams", "workspaces", "api_keys", "version"].contains(&key);
    !matches!(parsed, Parsed::Tree(_)) || names(parsed, is_list)
}

/// A file that was judged.
pub(in crate::config) struct Judged {
    path: String,
    outcome: Outcome,
    found: Vec<Diagnostic>,
    outside: Option<Outside>,
}

#[allow(clippy::large_enum_variant, reason = "most are parts")]
enum Outcome {
    /// It is a part of the document.
    Part(Source),
    /// It is one that cannot be read.
    Unreadable,
    /// It has sections, and is not read for another reason, which is said.
    Misplaced,
    /// It names an organization itself, so it is one of its own.
    Alone,
    /// It names no section.
    Foreign,
    Sandbox,
    Fleet,
    /// It has nothing to do with the files.
    Nothing,
}

/// How files are judged.
#[derive(Clone, Copy)]
pub(in crate::config) struct Judge {
    pub(in crate::config) side: Side,
}

impl Judge {
    /// Judges files side by side.
    pub(in crate::config) fn all<A: Send>(
        self,
        files: Vec<Candidate<A>>,
        called: &(dyn Fn(&str) -> Arc<str> + Sync),
        read: impl Fn(&Arc<str>, A) -> Result<Arc<str>, Box<Diagnostic>> + Sync,
    ) -> Vec<Judged> {
        side_by_side(files, |_, Candidate { path, at, named, included }| {
            let name = called(&path);
            let text = read(&name, at);
            self.file(path, &name, text, named, included)
        })
    }

    /// What a file is.
    pub(in crate::config) fn file(
        self,
        path: String,
        name: &Arc<str>,
        text: Result<Arc<str>, Box<Diagnostic>>,
        named: Named,
        included: bool,
    ) -> Judged {
        let wanted = named == Named::Yaml && included;
        let mut outside = None;
        let (outcome, found) = match text {
            Err(finding) if wanted && self.side == Side::Base => {
                (Outcome::Unreadable, vec![finding.recent()])
            }
            Err(finding) if wanted => (Outcome::Unreadable, vec![*finding]),
            Err(finding) if named == Named::Nearly && included => {
                outside = Some(findings::not_looked_into(name, &path, &finding.message));
                (Outcome::Misplaced, Vec::new())
            }
            Err(_) => (Outcome::Nothing, Vec::new()),
            Ok(text) if wanted => self.part(name, text),
            Ok(text) => {
                outside = misplaced(&path, name, &text, named);
                let outcome = if outside.is_some() { Outcome::Misplaced } else { Outcome::Nothing };
                (outcome, Vec::new())
            }
        };
        Judged { path, outcome, found, outside }
    }

    fn part(self, name: &Arc<str>, text: Arc<str>) -> (Outcome, Vec<Diagnostic>) {
        let mut found = Vec::new();
        let parsed = yaml::parse(name, &text, &mut found);
        let what = content(&parsed, &text);
        let is_base = self.side == Side::Base;
        let like_root =
            names(&parsed, |key| FILE.field(key).is_some_and(|field| field.need == Need::Root));
        // It may be given by its name; one that is called like a root takes its folder along.
        let stands_alone = like_root && !name.ends_with("/charter.yaml");
        match what {
            Content::Empty if !is_base => {
                found.push(
                    Diagnostic::error("config/empty", "the file says nothing")
                        .at(&top(name))
                        .help("remove the file, or give it a section such as `members:`; `read.exclude` in `charter.yaml` leaves it out"),
                );
                (Outcome::Unreadable, found)
            }
            Content::Foreign => (Outcome::Foreign, Vec::new()),
            Content::Sandbox => (Outcome::Sandbox, Vec::new()),
            Content::Fleet => (Outcome::Fleet, Vec::new()),
            // The version before read the others of a base only where it was told to, and then refused them.
            Content::Empty | Content::Nearly | Content::Plan if is_base => {
                (Outcome::Foreign, Vec::new())
            }
            Content::Charter
                if is_base
                    && (stands_alone || !names_list(&parsed) || is_of_another_shape(&parsed)) =>
            {
                (Outcome::Foreign, Vec::new())
            }
            Content::Charter
                if names(&parsed, |key| key == "version")
                    && names(&parsed, |key| key == "organization") =>
            {
                (Outcome::Alone, Vec::new())
            }
            Content::Charter | Content::Nearly | Content::Plan | Content::Empty => {
                let part = match parsed {
                    Parsed::Tree(node) => decode::decode(name, false, &text, &node, &mut found),
                    Parsed::Empty | Parsed::Broken => Part { incomplete: true, ..Part::default() },
                };
                (Outcome::Part(Source { name: Arc::clone(name), text, part, like_root }), found)
            }
        }
    }
}

/// A file that is not read, whatever it holds: if it has sections, that is an error.
fn misplaced(path: &str, name: &Arc<str>, text: &str, named: Named) -> Option<Outside> {
    let is_json = named == Named::Json;
    let has_sections = if is_json {
        json_names_section(text)
    } else {
        let parsed = yaml::parse(name, text, &mut Vec::new());
        content(&parsed, text) == Content::Charter
    };
    match named {
        _ if !has_sections => None,
        Named::Yaml => Some(findings::not_included(name, path).into()),
        Named::Nearly | Named::Json | Named::Other => Some(findings::misnamed(name, path, is_json)),
    }
}

/// Files that are no parts of the document, by their paths, and what is said of files that are not read.
#[derive(Default)]
pub(super) struct Others {
    root: Option<Arc<str>>,
    listed: Listed,
    ours: Vec<String>,
    alone: Vec<String>,
    foreign: Vec<String>,
    sandboxes: Vec<String>,
    fleets: Vec<String>,
    outside: Vec<Outside>,
}

impl Others {
    /// Says which files are not read.
    pub(super) fn report(&mut self, document: &Document) {
        let Self { root: Some(root), listed: _, ours, alone, foreign, sandboxes, fleets, outside } =
            self
        else {
            return;
        };
        if !alone.is_empty() {
            outside.push(findings::alone(root, alone));
        }
        if !foreign.is_empty() {
            let ours: Vec<&str> = [&*ours, &*alone, &*sandboxes, &*fleets]
                .into_iter()
                .flatten()
                .map(String::as_str)
                .collect();
            let patterns = patterns(foreign, &ours);
            outside.push(findings::foreign(root, foreign, patterns, removes(document)));
        }
        if !sandboxes.is_empty() {
            outside.push(findings::of_charter(root, sandboxes, "the state of a sandbox"));
        }
        if !fleets.is_empty() {
            outside.push(findings::of_charter(root, fleets, "a fleet file"));
        }
    }

    /// The same as findings, with the lines to write.
    pub(super) fn told(self) -> Vec<Diagnostic> {
        told(self.outside, self.listed)
    }
}
