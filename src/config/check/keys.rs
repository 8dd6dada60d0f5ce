//! API keys: one entry for each.
//!
//! Invariant: a key is listed in one place.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    config::document::{Document, KEY_ID_PREFIX, Key},
    diagnostic::Diagnostic,
};

pub(super) fn check(document: &Document, found: &mut Vec<Diagnostic>) {
    let mut first: BTreeMap<&Arc<str>, &Key> = BTreeMap::new();
    let listed = document.workspaces.iter().flat_map(|section| section.values());
    let lists =
        listed.filter_map(|workspace| workspace.api_keys.as_ref()).chain(&document.api_keys);
    for (name, key) in lists.flat_map(|list| &list.entries) {
        // Names repeat, also between workspaces; ids do not.
        if !name.starts_with(KEY_ID_PREFIX) {
            continue;
        }
        let Some(other) = first.get(name) else {
            first.insert(name, key);
            continue;
        };
        let mut finding = Diagnostic::error(
            "config/duplicate-id",
            format!("the key `{name}` is listed in two places, and belongs to one"),
        )
        .at_opt(key.place.0.as_ref())
        .help("keep the entry in the workspace of the key; keys of the Default Workspace stand at the top level");
        if let Some(span) = &other.place.0 {
            finding = finding.with(span, "first here");
        }
        found.push(finding);
    }
}
