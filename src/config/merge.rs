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
};

/// Merges parts in the order of their files; the first is the root file's, the only one with rules.
pub(crate) fn merge(parts: Vec<Part>, found: &mut Vec<Diagnostic>) -> Document {
    let mut parts = parts.into_iter().map(|part| part.document);
    let mut whole = parts.next().unwrap_or_default();
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
        } = part;
        section(&mut whole.members, members, found, never);
        section(&mut whole.teams, teams, found, never);
        section(&mut whole.workspaces, workspaces, found, workspace);
        section(&mut whole.api_keys, api_keys, found, never);
    }
    pack(&mut whole);
    whole
}

/// Builds the long maps anew from their sorted entries: one that grew entry by entry is half empty.
fn pack(whole: &mut Document) {
    fn packed<K: Ord, V>(map: &mut BTreeMap<K, V>) {
        *map = std::mem::take(map).into_iter().collect();
    }
    if let Some(members) = &mut whole.members {
        packed(&mut members.entries);
    }
    for workspace in whole.workspaces.iter_mut().flat_map(|section| section.entries.values_mut()) {
        workspace.members.iter_mut().for_each(|grants| packed(&mut grants.people));
        workspace.api_keys.iter_mut().for_each(|keys| packed(&mut keys.entries));
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
