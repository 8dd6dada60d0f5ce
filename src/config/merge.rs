//! The parts of several files as one document.
//!
//! Invariant: maps merge by key; whatever else two files say is a finding that shows both places, never a choice.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt::Display,
    sync::Arc,
};

use super::{
    decode::Part,
    document::{Document, Grant, Grants, Key, Person, Residency, Section, Sp, Team, Workspace},
};
use crate::{
    diagnostic::{Diagnostic, Span},
    email::Email,
    threads,
};

/// Merges parts in the order of their files; the first is the root file's, the only one with rules.
pub(crate) fn merge(parts: Vec<Part>, found: &mut Vec<Diagnostic>) -> Document {
    let mut parts = parts.into_iter().map(|part| part.document);
    let mut whole = parts.next().unwrap_or_default();
    let mut all = Lists::of(&mut whole);
    for part in parts {
        // The other sections stand in the root file only, which the decoder has seen to.
        let Document {
            members,
            teams,
            workspaces,
            api_keys,
            organization: _,
            manage: _,
            guard: _,
            policy: _,
            tests: _,
            files: _,
            read: _,
        } = part;
        all.members.extend(members);
        all.teams.extend(teams);
        all.workspaces.extend(workspaces);
        all.api_keys.extend(api_keys);
    }
    let Lists { members, teams, workspaces, api_keys } = all;
    whole.members = sections(members, found, never);
    whole.teams = sections(teams, found, never);
    whole.workspaces = sections(workspaces, found, workspace);
    whole.api_keys = sections(api_keys, found, never);
    whole
}

/// The lists of all files, in the order of the files.
struct Lists {
    members: Vec<Section<Email, Person>>,
    teams: Vec<Section<Arc<str>, Team>>,
    workspaces: Vec<Section<Arc<str>, Workspace>>,
    api_keys: Vec<Section<Arc<str>, Key>>,
}

impl Lists {
    /// Those of the first.
    fn of(document: &mut Document) -> Self {
        Self {
            members: document.members.take().into_iter().collect(),
            teams: document.teams.take().into_iter().collect(),
            workspaces: document.workspaces.take().into_iter().collect(),
            api_keys: document.api_keys.take().into_iter().collect(),
        }
    }
}

/// What stands at a place of the files.
trait Placed {
    fn span(&self) -> Option<&Span>;
}

macro_rules! placed {
    ($($name:ident),*) => {
        $(impl Placed for $name {
            fn span(&self) -> Option<&Span> {
                self.place.0.as_ref()
            }
        })*
    };
}

placed!(Person, Team, Workspace, Key, Grant, Residency);

impl<T> Placed for Sp<T> {
    fn span(&self) -> Option<&Span> {
        self.span.as_ref()
    }
}

impl<K: Ord, V> Placed for Section<K, V> {
    fn span(&self) -> Option<&Span> {
        self.place.0.as_ref()
    }
}

/// Joins two entries of one key. What cannot be joined is handed back.
type Join<V> = fn(&mut V, V, &mut Vec<Diagnostic>) -> Option<V>;

/// Two entries of one key are one too many.
#[expect(clippy::unnecessary_wraps, reason = "it is one of the ways to join")]
fn never<V>(_: &mut V, second: V, _: &mut Vec<Diagnostic>) -> Option<V> {
    Some(second)
}

/// Sections as one. They are sorted together: a map that grows entry by entry is slow, and half empty.
fn sections<K: Ord + Display + Send, V: Placed + Send>(
    sections: Vec<Section<K, V>>,
    found: &mut Vec<Diagnostic>,
    join: Join<V>,
) -> Option<Section<K, V>> {
    let place = sections.first()?.place.clone();
    let mut all: Vec<(K, V)> = sections.into_iter().flat_map(|section| section.entries).collect();
    // Of two entries of one key, that of the earlier file stays before the other.
    threads::sort_by(&mut all, |a, b| a.0.cmp(&b.0));
    let mut unique: Vec<(K, V)> = Vec::with_capacity(all.len());
    for (key, value) in all {
        match unique.last_mut() {
            Some((last, first)) if *last == key => {
                if let Some(value) = join(first, value, found) {
                    found.push(twice(last, first.span(), value.span()));
                }
            }
            _ => unique.push((key, value)),
        }
    }
    Some(Section { place, entries: unique.into_iter().collect() })
}

fn section<K: Ord + Display, V: Placed>(
    into: &mut Option<Section<K, V>>,
    from: Option<Section<K, V>>,
    found: &mut Vec<Diagnostic>,
    join: Join<V>,
) {
    let Some(from) = from else { return };
    match into {
        None => *into = Some(from),
        Some(into) => entries(&mut into.entries, from.entries, found, join),
    }
}

fn entries<K: Ord + Display, V: Placed>(
    into: &mut BTreeMap<K, V>,
    from: BTreeMap<K, V>,
    found: &mut Vec<Diagnostic>,
    join: Join<V>,
) {
    for (key, value) in from {
        match into.entry(key) {
            Entry::Vacant(place) => {
                place.insert(value);
            }
            Entry::Occupied(mut first) => {
                if let Some(value) = join(first.get_mut(), value, found) {
                    found.push(twice(&first.key(), first.get().span(), value.span()));
                }
            }
        }
    }
}

/// A workspace may stand in several files, each of which says something else of it.
fn workspace(
    into: &mut Workspace,
    from: Workspace,
    found: &mut Vec<Diagnostic>,
) -> Option<Workspace> {
    let Workspace {
        place: _,
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
    } = from;
    once("name", &mut into.name, name, found);
    once("id", &mut into.id, id, found);
    once("previously", &mut into.previously, previously, found);
    once("state", &mut into.state, state, found);
    once("display_color", &mut into.display_color, display_color, found);
    once("tags", &mut into.tags, tags, found);
    once("data_residency", &mut into.data_residency, data_residency, found);
    once("external_key_id", &mut into.external_key_id, external_key_id, found);
    once("user_profile_id", &mut into.user_profile_id, user_profile_id, found);
    once("note", &mut into.note, note, found);
    section(&mut into.api_keys, api_keys, found, never);
    match (&mut into.members, members) {
        (_, None) => {}
        (none @ None, some) => *none = some,
        (Some(into), Some(Grants { place: _, people, teams })) => {
            entries::<Email, Grant>(&mut into.people, people, found, never);
            entries::<Arc<str>, Grant>(&mut into.teams, teams, found, never);
        }
    }
    None
}

/// Takes a value that may stand once.
fn once<T: Placed>(key: &str, into: &mut Option<T>, from: Option<T>, found: &mut Vec<Diagnostic>) {
    match (&*into, from) {
        (_, None) => {}
        (None, from) => *into = from,
        (Some(first), Some(second)) => found.push(twice(&key, first.span(), second.span())),
    }
}

fn twice(key: &dyn Display, first: Option<&Span>, second: Option<&Span>) -> Diagnostic {
    let mut finding =
        Diagnostic::error("config/duplicate-key", format!("`{key}` stands twice in these files"))
            .at_opt(second)
            .help("keep one of them; only the lists themselves merge across files");
    if let Some(first) = first {
        finding = finding.with(first, "first here");
    }
    finding
}
