//! `files`.
//!
//! Invariant: a limit that cannot be read keeps the files from loading; none is ever dropped.

use std::sync::Arc;

use super::{Cx, text::Rule};
use crate::config::{
    document::policy::{Allowed, FileLimit, FileLimits},
    shape::{FILE_LIMIT, MAX_TEXT},
    yaml::{Key, Node, Value},
};

impl Cx<'_> {
    pub(super) fn file_limits(&mut self, key: &Key<'_>, node: &Node<'_>) -> FileLimits {
        let mut limits = FileLimits { place: self.place(key.mark), ..Default::default() };
        let example = "{\"teams/ml/**\": {workspaces: [\"ML *\"], members: false}}";
        for (key, node) in self.entries(node, "`files`", example) {
            let pattern = self.key_text(key, Rule::line("a pattern of paths", MAX_TEXT));
            let limit = self.file_limit(key, node);
            let (Some(pattern), Some(limit)) = (pattern, limit) else { continue };
            self.path_pattern(pattern, key.mark);
            limits.entries.insert(Arc::from(pattern), limit);
        }
        limits
    }

    fn file_limit(&mut self, key: &Key<'_>, node: &Node<'_>) -> Option<FileLimit> {
        let mut fields = self.record(node, &FILE_LIMIT, key.mark, "an entry of `files`")?;
        let mut allowed =
            |key: &str| fields.value(key).and_then(|node| self.allowed(node, &format!("`{key}`")));
        let (members, teams, workspaces) =
            (allowed("members"), allowed("teams"), allowed("workspaces"));
        let (grants, api_keys) = (allowed("grants"), allowed("api_keys"));
        Some(FileLimit {
            place: self.place(key.mark),
            members,
            teams,
            workspaces,
            grants,
            api_keys,
        })
    }

    fn allowed(&mut self, node: &Node<'_>, what: &str) -> Option<Allowed> {
        if let Value::List(_) = &node.value {
            let patterns = self.pattern_list(node, what)?;
            return Some(if patterns.is_empty() {
                Allowed::Nothing
            } else {
                Allowed::Only(patterns)
            });
        }
        let truth =
            matches!(&node.value, Value::Scalar(s) if s.sort == crate::config::yaml::Sort::Bool);
        if !truth {
            self.wrong_type(
                node,
                what,
                "`false`, or a list of patterns",
                "write `false` for none, or a list as in `[\"ML *\"]`",
            );
            return None;
        }
        self.truth(node, what).map(|any| if any { Allowed::Any } else { Allowed::Nothing })
    }
}
