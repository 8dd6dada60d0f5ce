//! What files may name, by their path: `files` in the root file.
//!
//! Invariant: whatever a file says of an object counts as naming it, under each of its names; the root file, which
//! holds the limits, has none.

use std::sync::Arc;

use globset::{Glob, GlobMatcher};

use crate::{
    address::Kind,
    config::document::{
        Document, Grants, Key, Place, Section, Sp, Workspace,
        policy::{Allowed, FileLimit, FileLimits},
    },
    diagnostic::{Diagnostic, Span},
    glob::of_paths,
};

/// A limit, ready to use.
struct Limit<'d> {
    pattern: &'d str,
    paths: GlobMatcher,
    place: Option<&'d Span>,
    /// By sort.
    names: [Option<Names<'d>>; 5],
}

/// What may be named: `None` is anything.
struct Names<'d> {
    allowed: &'d Allowed,
    patterns: Vec<GlobMatcher>,
}

impl<'d> Names<'d> {
    fn new(allowed: &'d Allowed) -> Option<Self> {
        let patterns = match allowed {
            Allowed::Any => return None,
            Allowed::Nothing => Vec::new(),
            Allowed::Only(patterns) => {
                // The decoder refused the others.
                let globs = patterns.iter().filter_map(|pattern| Glob::new(pattern).ok());
                globs.map(|glob| glob.compile_matcher()).collect()
            }
        };
        Some(Self { allowed, patterns })
    }

    fn allow(&self, name: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.is_match(name))
    }
}

/// What is named: the sort of it decides which of a file's limits holds.
#[derive(Clone, Copy)]
enum Sort {
    Member,
    Team,
    Workspace,
    Grant,
    Key,
}

impl Sort {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Sort::Member => ("the member", "members"),
            Sort::Team => ("the team", "teams"),
            Sort::Workspace => ("the workspace", "workspaces"),
            Sort::Grant => ("a grant for", "grants"),
            Sort::Key => ("the key", "api_keys"),
        }
    }
}

/// Judges what the files name. `names` are the files that were read.
pub(crate) fn check<'f>(
    document: &Document,
    names: &(impl Iterator<Item = &'f str> + Clone),
    found: &mut Vec<Diagnostic>,
) {
    let Some(limits) = &document.files else { return };
    let Some(root) = limits.place.0.as_ref().map(|span| &*span.file) else { return };
    let folder = root.rfind('/').map_or("", |at| &root[..=at]);
    let limits = compile(limits);
    for Limit { pattern, paths, place, names: _ } in &limits {
        let mut files = names.clone().filter(|name| *name != root);
        if !files.any(|name| paths.is_match(below(folder, name))) {
            found.push(
                Diagnostic::warning(
                    "config/files-match-nothing",
                    format!("`{pattern}` matches no file, so it limits nothing"),
                )
                .at_opt(*place)
                .help("correct the path, which starts below the folder of the root file, or remove the entry"),
            );
        }
    }
    let mut judge = Judge { root, folder, limits, found };
    judge.document(document);
}

/// What is wrong with an entry that pins a live object of this name by its id: the name counts as named too.
pub(crate) fn pinned(
    document: &Document,
    kind: Kind,
    name: &str,
    span: &Span,
) -> Option<Diagnostic> {
    let limits = document.files.as_ref()?;
    let root = &*limits.place.0.as_ref()?.file;
    let folder = root.rfind('/').map_or("", |at| &root[..=at]);
    let sort = match kind {
        Kind::Member => Sort::Member,
        Kind::Workspace => Sort::Workspace,
        // A grant has no id, and a key is listed by it.
        Kind::WorkspaceMember | Kind::ApiKey => return None,
    };
    let mut found = Vec::new();
    let mut judge = Judge { root, folder, limits: compile(limits), found: &mut found };
    judge.named(sort, &[name], Some(span));
    found.pop()
}

fn compile(limits: &FileLimits) -> Vec<Limit<'_>> {
    let compiled = limits.iter().filter_map(|(pattern, limit)| {
        // The decoder refused the others.
        let glob = of_paths(pattern).ok()?;
        let FileLimit { place, members, teams, workspaces, grants, api_keys } = limit;
        // In the order of `Sort`.
        let names = [members, teams, workspaces, grants, api_keys]
            .map(|allowed| allowed.as_ref().and_then(Names::new));
        Some(Limit { pattern, paths: glob.compile_matcher(), place: place.0.as_ref(), names })
    });
    compiled.collect()
}

/// The path of a file from the folder of the root file on.
fn below<'n>(folder: &str, name: &'n str) -> &'n str {
    name.strip_prefix(folder).unwrap_or(name)
}

struct Judge<'j, 'd> {
    root: &'j str,
    folder: &'j str,
    limits: Vec<Limit<'d>>,
    found: &'j mut Vec<Diagnostic>,
}

impl Judge<'_, '_> {
    fn document(&mut self, document: &Document) {
        for (email, person) in document.members.iter().flat_map(|section| &section.entries) {
            let earlier = person.previously.iter().flat_map(|list| &list.value);
            let names: Vec<&str> = std::iter::once(email)
                .chain(earlier.map(|email| &email.value))
                .map(|email| &**email.canonical())
                .collect();
            self.named(Sort::Member, &names, person.place.0.as_ref());
        }
        for (name, team) in document.teams.iter().flat_map(|section| &section.entries) {
            self.named(Sort::Team, &[name], team.place.0.as_ref());
        }
        for (label, workspace) in document.workspaces.iter().flat_map(|section| &section.entries) {
            self.workspace(label, workspace);
        }
        if let Some(keys) = &document.api_keys {
            self.keys(keys);
        }
    }

    fn workspace(&mut self, label: &Arc<str>, workspace: &Workspace) {
        let earlier = workspace.previously.iter().flat_map(|list| &list.value);
        let mut names: Vec<&str> = vec![label];
        names.extend(workspace.name.as_ref().map(|name| &*name.value));
        names.extend(earlier.map(|name| &*name.value));
        let mut spans = places(workspace);
        // Once for each file that says something of it.
        spans.sort();
        spans.dedup_by(|a, b| a.file == b.file);
        for span in spans {
            self.named(Sort::Workspace, &names, Some(span));
        }
        if let Some(Grants { place: _, people, teams }) = &workspace.members {
            for (email, grant) in people {
                self.named(Sort::Grant, &[email.canonical()], grant.place.0.as_ref());
            }
            for (team, grant) in teams {
                self.named(Sort::Grant, &[&format!("team/{team}")], grant.place.0.as_ref());
            }
        }
        if let Some(keys) = &workspace.api_keys {
            self.keys(keys);
        }
    }

    fn keys(&mut self, keys: &Section<Arc<str>, Key>) {
        for (label, key) in &keys.entries {
            let mut names: Vec<&str> = vec![label];
            names.extend(key.name.as_ref().map(|name| &*name.value));
            self.named(Sort::Key, &names, key.place.0.as_ref());
        }
    }

    /// Something that a file names, by all its names; each must be allowed.
    fn named(&mut self, sort: Sort, names: &[&str], span: Option<&Span>) {
        let Some(span) = span.filter(|span| *span.file != *self.root) else { return };
        for Limit { pattern, paths, place, names: allowed } in &self.limits {
            let Some(allowed) = &allowed[sort as usize] else { continue };
            if !paths.is_match(below(self.folder, &span.file)) {
                continue;
            }
            let Some(name) = names.iter().find(|name| !allowed.allow(name)) else { continue };
            let (what, key) = sort.words();
            let may = match allowed.allowed {
                Allowed::Any | Allowed::Nothing => "none of those may be named there".to_owned(),
                Allowed::Only(patterns) => {
                    let list: Vec<_> = patterns.iter().map(|one| format!("`{one}`")).collect();
                    format!("only {} may be named there", list.join(", "))
                }
            };
            let mut finding = Diagnostic::error(
                "config/not-this-file",
                format!("{what} `{name}` cannot stand in a file of `{pattern}`: {may}"),
            )
            .at(span)
            .help(format!(
                "move it to a file that may name it, or widen `{key}` of `files` in the root file"
            ));
            if let Some(place) = place {
                finding = finding.with(place, "limited here");
            }
            self.found.push(finding);
        }
    }
}

/// Every place that says something of a workspace.
fn places(workspace: &Workspace) -> Vec<&Span> {
    let Workspace {
        place,
        name,
        id,
        previously,
        state,
        display_color,
        tags,
        data_residency,
        external_key_id,
        user_profile_id,
        note,
        members,
        api_keys,
    } = workspace;
    let mut found: Vec<Option<&Span>> = vec![
        place.0.as_ref(),
        of(name.as_ref()),
        of(id.as_ref()),
        of(previously.as_ref()),
        of(state.as_ref()),
        of(display_color.as_ref()),
        section(tags.as_ref()),
        data_residency.as_ref().and_then(|residency| residency.place.0.as_ref()),
        of(external_key_id.as_ref()),
        of(user_profile_id.as_ref()),
        of(note.as_ref()),
        section(api_keys.as_ref()),
    ];
    let at = |place: &'_ Place| place.0.is_some();
    if let Some(Grants { place, people, teams }) = members {
        found.push(place.0.as_ref());
        let grants = people.values().chain(teams.values());
        found.extend(grants.filter(|grant| at(&grant.place)).map(|grant| grant.place.0.as_ref()));
    }
    let keys = api_keys.iter().flat_map(|section| section.values());
    found.extend(keys.map(|key| key.place.0.as_ref()));
    found.into_iter().flatten().collect()
}

fn of<T>(value: Option<&Sp<T>>) -> Option<&Span> {
    value.and_then(|value| value.span.as_ref())
}

fn section<K: Ord, V>(section: Option<&Section<K, V>>) -> Option<&Span> {
    section.and_then(|section| section.place.0.as_ref())
}
