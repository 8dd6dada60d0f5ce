//! What has to be read for a document, known before all of it is lowered: listing can begin meanwhile.
//!
//! Invariant: the scope is that of the whole document; no entry of a list but a workspace has a say in it.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{
    document::{Document, Grants, Section, Workspace},
    lower::lower,
};
use crate::resource::read_scope::ReadScope;

/// What has to be read to plan a document.
pub fn read_scope(document: &Document) -> ReadScope {
    // No date has a say either.
    lower(&outline(document), Date::ZERO).0.read_scope()
}

/// A document with its workspaces and without the entries of its other lists, which can be long.
fn outline(document: &Document) -> Document {
    let Document {
        organization,
        members,
        teams: _,
        workspaces,
        api_keys,
        manage: _,
        guard: _,
        policy: _,
        tests: _,
        files: _,
        read: _,
    } = document;
    Document {
        organization: organization.clone(),
        members: members.as_ref().map(emptied),
        workspaces: workspaces.as_ref().map(|section| Section {
            place: section.place.clone(),
            entries: section
                .entries
                .iter()
                .map(|(label, workspace)| (label.clone(), without_lists(workspace)))
                .collect(),
        }),
        api_keys: api_keys.as_ref().map(emptied),
        ..Document::default()
    }
}

fn without_lists(workspace: &Workspace) -> Workspace {
    let Workspace {
        place,
        name,
        id,
        previously,
        state,
        display_color: _,
        tags: _,
        data_residency: _,
        external_key_id: _,
        user_profile_id: _,
        note: _,
        members,
        api_keys,
    } = workspace;
    Workspace {
        place: place.clone(),
        name: name.clone(),
        id: id.clone(),
        previously: previously.clone(),
        state: state.clone(),
        members: members.as_ref().map(|Grants { place, .. }| Grants {
            place: place.clone(),
            people: BTreeMap::new(),
            teams: BTreeMap::new(),
        }),
        api_keys: api_keys.as_ref().map(emptied),
        ..Workspace::default()
    }
}

fn emptied<K: Ord, V>(section: &Section<K, V>) -> Section<K, V> {
    Section { place: section.place.clone(), entries: BTreeMap::new() }
}
