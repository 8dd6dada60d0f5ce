//! What a change of `read` leaves out.
//!
//! Invariant: counts entries of the old files that the new files have nowhere, each once.

use crate::{
    config::{
        document::{Document, Place},
        load::{ROOT_FILE, Scope},
    },
    diagnostic::Span,
};

/// How many entries of the old files stand in files that the new ones do not read; `None`: none.
pub(super) fn no_longer_read(old: &Document, new: &Document) -> Option<String> {
    let folder = folder(old)?;
    let scope = Scope::of(new.read.as_ref());
    let is_left_out = |place: &Place| {
        let path = place.0.as_ref().and_then(|span| span.file.strip_prefix(folder));
        path.is_some_and(|path| path != ROOT_FILE && !scope.reads(path))
    };
    let members = old.members.iter().flat_map(|section| &section.entries);
    let has_member =
        |email| new.members.as_ref().is_some_and(|section| section.contains_key(email));
    let mut count =
        members.filter(|(email, person)| is_left_out(&person.place) && !has_member(email)).count();
    let teams = old.teams.iter().flat_map(|section| &section.entries);
    let has_team = |name: &std::sync::Arc<str>| {
        new.teams.as_ref().is_some_and(|section| section.contains_key(name))
    };
    count += teams.filter(|(name, team)| is_left_out(&team.place) && !has_team(name)).count();
    let keys = old.api_keys.iter().flat_map(|section| &section.entries);
    let has_key = |name: &std::sync::Arc<str>| {
        new.api_keys.as_ref().is_some_and(|section| section.contains_key(name))
    };
    count += keys.filter(|(name, key)| is_left_out(&key.place) && !has_key(name)).count();
    for (label, workspace) in old.workspaces.iter().flat_map(|section| &section.entries) {
        let now = new.workspaces.as_ref().and_then(|section| section.get(label));
        count += usize::from(now.is_none() && is_left_out(&workspace.place));
        if let Some(grants) = &workspace.members {
            let left = now.and_then(|now| now.members.as_ref());
            count += grants
                .people
                .iter()
                .filter(|(email, _)| left.is_none_or(|left| !left.people.contains_key(*email)))
                .filter(|(_, grant)| is_left_out(&grant.place))
                .count();
            count += grants
                .teams
                .iter()
                .filter(|(team, _)| left.is_none_or(|left| !left.teams.contains_key(*team)))
                .filter(|(_, grant)| is_left_out(&grant.place))
                .count();
        }
        for (name, key) in workspace.api_keys.iter().flat_map(|section| &section.entries) {
            let left = now.and_then(|now| now.api_keys.as_ref());
            let is_there = left.is_some_and(|left| left.contains_key(name));
            count += usize::from(!is_there && is_left_out(&key.place));
        }
    }
    match count {
        0 => None,
        1 => Some("1 entry is no longer read".to_owned()),
        _ => Some(format!("{count} entries are no longer read")),
    }
}

/// How the names of the files of a folder begin, with their revision: a section of the root file says.
fn folder(document: &Document) -> Option<&str> {
    let Document { organization, manage, guard, files, read, .. } = document;
    let places = [
        Some(&organization.place),
        Some(&manage.place),
        Some(&guard.place),
        files.as_ref().map(|files| &files.place),
        read.as_ref().map(|read| &read.place),
    ];
    let mut spans = places.into_iter().flatten().filter_map(|place| place.0.as_ref());
    spans.find_map(|span: &Span| span.file.strip_suffix(ROOT_FILE))
}
