//! Workspaces and their fields.
//!
//! Invariant: a field changes only if the entry that means the workspace names it, and only to what it says.

use std::collections::{BTreeMap, BTreeSet};

use orgcharter::sandbox::{AllowedGeos, Workspace};

use super::Frame;
use crate::{
    generate::{CLAUDE_CODE, DEFAULT},
    model::files::{Target, WorkspaceEntry},
    run::{Verdict, ensure},
};

impl Frame<'_> {
    pub(super) fn workspaces(&self) -> Verdict {
        let mut after: BTreeMap<&str, &Workspace> =
            self.after.workspaces().map(|row| (row.id.as_str(), row)).collect();
        for row in self.before.workspaces() {
            let Some(now) = after.remove(row.id.as_str()) else {
                return Err(format!("{row:?} vanished"));
            };
            if now != row {
                self.changed_workspace(row, now)
                    .map_err(|why| format!("{why}\nbefore: {row:?}\nafter: {now:?}"))?;
            }
        }
        let mut made: BTreeMap<&str, usize> = BTreeMap::new();
        for row in after.into_values() {
            *made.entry(&row.name).or_default() += 1;
            let entry = self
                .workspace_entries()
                .find(|entry| entry.name() == row.name && entry.id.is_none() && !entry.archived());
            let Some(entry) = entry else {
                return Err(format!("{row:?} was made, and no entry says so"));
            };
            ensure!(
                !self.ignored(Target::Workspaces, &row.name),
                "{row:?} is ignored and was made"
            );
            ensure!(row.archived_at.is_none(), "{row:?} was made and archived");
            ensure!(
                row.name != DEFAULT && row.name != CLAUDE_CODE,
                "{row:?} is the product's to make"
            );
            let tags = entry.tags.clone().unwrap_or_default();
            ensure!(row.tags == tags, "{row:?} was made with other tags than {tags:?}");
        }
        ensure!(made.values().all(|count| *count == 1), "one name was made twice: {made:?}");
        Ok(())
    }

    pub(super) fn workspace_entries(&self) -> impl Iterator<Item = &WorkspaceEntry> {
        self.files.workspaces.iter().flatten()
    }

    /// The entry that means this workspace, if there is exactly one that can and nothing makes it ambiguous.
    pub(super) fn entry_of(&self, row: &Workspace) -> Option<&WorkspaceEntry> {
        if row.is_default {
            return self.workspace_entries().find(|entry| entry.label == DEFAULT);
        }
        if let Some(entry) =
            self.workspace_entries().find(|entry| entry.id.as_ref() == Some(&row.id))
        {
            return Some(entry);
        }
        let claimed =
            |id: &str| self.workspace_entries().any(|entry| entry.id.as_deref() == Some(id));
        let free = |name: &str| {
            let named = |other: &&Workspace| {
                other.name == name && other.archived_at.is_none() && !other.is_default
            };
            self.before.workspaces().filter(named).filter(|other| !claimed(&other.id)).count()
        };
        let unpinned = || {
            self.workspace_entries().filter(|entry| entry.id.is_none() && entry.label != DEFAULT)
        };
        // A name with several live objects is by hand.
        let by_name = unpinned().find(|entry| entry.name() == row.name);
        let by_previous = || {
            unpinned().find(|entry| {
                entry.previously.iter().flatten().any(|old| *old == row.name)
                    && free(entry.name()) == 0
            })
        };
        by_name.or_else(by_previous).filter(|_| free(&row.name) == 1)
    }

    fn changed_workspace(&self, row: &Workspace, now: &Workspace) -> Verdict {
        let Workspace {
            id,
            name,
            is_default,
            created_at,
            archived_at,
            display_color,
            data_residency,
            tags,
            external_key_id,
            user_profile_id,
            compartment_id,
        } = now;
        let fixed = (id, is_default, created_at, compartment_id)
            == (&row.id, &row.is_default, &row.created_at, &row.compartment_id);
        ensure!(fixed, "what is fixed has changed");
        ensure!(row.archived_at.is_none(), "an archived workspace was touched");
        let Some(entry) = self.entry_of(row) else {
            return Err("a workspace was touched that no entry means".to_owned());
        };
        ensure!(!self.ignored(Target::Workspaces, &row.name), "an ignored workspace was touched");
        if archived_at.is_some() {
            ensure!(entry.archived(), "archived, and the entry does not say so");
            ensure!(entry.id.as_ref() == Some(id), "archived without its id");
            ensure!(row.name != CLAUDE_CODE && !is_default, "the product's workspace was archived");
        }
        if *name != row.name {
            ensure!(name == entry.name(), "renamed to something else");
            ensure!(row.name != CLAUDE_CODE && !is_default, "the product's workspace was renamed");
        }
        if *display_color != row.display_color {
            let wanted = entry.display_color.as_ref();
            ensure!(
                wanted.is_some_and(|color| color.eq_ignore_ascii_case(display_color)),
                "another colour than the entry's"
            );
        }
        let reserved = |tags: &BTreeMap<String, String>| -> BTreeMap<String, String> {
            let own = tags.iter().filter(|(key, _)| key.starts_with("anthropic"));
            own.map(|(key, value)| (key.clone(), value.clone())).collect()
        };
        ensure!(reserved(tags) == reserved(&row.tags), "the product's tags were touched");
        if *tags != row.tags {
            let mut wanted = entry.tags.clone().unwrap_or_else(|| row.tags.clone());
            wanted.extend(reserved(&row.tags));
            ensure!(*tags == wanted, "other tags than the entry's");
        }
        ensure!(
            data_residency.workspace_geo == row.data_residency.workspace_geo,
            "`workspace_geo` cannot change"
        );
        let parts = entry.residency.clone().unwrap_or_default();
        if data_residency.default_inference_geo != row.data_residency.default_inference_geo {
            ensure!(
                parts.default == Some(data_residency.default_inference_geo.as_str()),
                "another default than the entry's"
            );
        }
        if data_residency.allowed_inference_geos != row.data_residency.allowed_inference_geos {
            let now = match &data_residency.allowed_inference_geos {
                AllowedGeos::Word(word) => BTreeSet::from([word.as_str()]),
                AllowedGeos::List(list) => list.iter().map(String::as_str).collect(),
            };
            let wanted = parts.allowed.map(|list| list.into_iter().collect::<BTreeSet<_>>());
            ensure!(wanted == Some(now), "other geos than the entry's");
        }
        for (field, was, is, wanted) in [
            ("external_key_id", &row.external_key_id, external_key_id, &entry.external_key_id),
            ("user_profile_id", &row.user_profile_id, user_profile_id, &entry.user_profile_id),
        ] {
            ensure!(is == was || (was.is_none() && is == wanted), "`{field}` was touched");
        }
        Ok(())
    }
}
