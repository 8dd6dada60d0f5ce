//! Live workspaces that a reader cannot tell apart by their names.
//!
//! Invariant: a warning for each set of such names, with their ids; nothing else depends on it.

use std::collections::BTreeMap;

use crate::{
    characters::{folded, quoted},
    diagnostic::Diagnostic,
    resource::{Live, Spec},
};

/// Warns of live workspaces whose names differ only in blanks or case.
pub(super) fn similar_names(live: &Live) -> Vec<Diagnostic> {
    let mut sets: BTreeMap<String, Vec<(&str, &str)>> = BTreeMap::new();
    for (_, object) in &live.objects {
        if let (Spec::Workspace(workspace), Some(remote)) = (&object.spec, &object.remote) {
            let set = sets.entry(folded(&workspace.name)).or_default();
            set.push((&workspace.name, remote.id.as_str()));
        }
    }
    let differ = |set: &&Vec<(&str, &str)>| set.iter().any(|(name, _)| *name != set[0].0);
    sets.values()
        .filter(differ)
        .map(|set| {
            let names: Vec<String> =
                set.iter().map(|(name, id)| format!("`{}` ({id})", quoted(name))).collect();
            Diagnostic::warning(
                "live/similar-names",
                format!(
                    "the live workspaces {} differ only in blanks or case",
                    names.join(" and ")
                ),
            )
            .help("pin each entry with its `id:`, or rename one of them in the files or in the Console")
        })
        .collect()
}
