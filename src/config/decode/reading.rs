//! `read`.
//!
//! Invariant: a pattern that cannot be read keeps the files from loading; none is ever dropped.

use super::{Cx, shown, text::Rule};
use crate::{
    config::{
        document::{Sp, Text, reading::Reading},
        shape::{MAX_TEXT, READ},
        yaml::{Key, Mark, Node},
    },
    glob::{Of, is_below},
};

impl Cx<'_> {
    pub(super) fn reading(&mut self, key: &Key<'_>, node: &Node<'_>) -> Reading {
        let mut reading = Reading { place: self.place(key.mark), ..Reading::default() };
        let Some(mut fields) = self.record(node, &READ, key.mark, "`read`") else { return reading };
        reading.include = fields.value("include").map(|node| self.paths(node, "`include`"));
        reading.exclude = fields.value("exclude").map(|node| self.paths(node, "`exclude`"));
        reading
    }

    fn paths(&mut self, node: &Node<'_>, what: &str) -> Sp<Vec<Text>> {
        let mut paths = Vec::new();
        for item in self.items(node, what, "[\"people/**\"]") {
            let Some(path) = self.text(item, Rule::line(what, MAX_TEXT)) else { continue };
            self.path_pattern(&path, item.mark);
            paths.push(path);
        }
        self.sp(paths, node.mark)
    }

    /// Refuses a pattern of paths below the folder of the root file that cannot be read, or matches nothing there.
    pub(super) fn path_pattern(&mut self, pattern: &str, mark: Mark) {
        if let Some(rest) = pattern.strip_prefix('!') {
            self.error_since(
                true,
                "config/bad-glob",
                mark,
                format!("`{}` takes nothing back: patterns have no exceptions", shown(pattern)),
                format!(
                    "list what is meant instead; for a file whose name begins with `!` write `[!]{}`",
                    shown(rest)
                ),
            );
            return;
        }
        if is_below(pattern) {
            self.compiles(pattern, Of::Paths, mark);
        } else {
            self.error(
                "config/bad-glob",
                mark,
                format!(
                    "`{}` matches no file: paths start below the folder of the root file",
                    shown(pattern)
                ),
                "write it as `teams/ml/**`",
            );
        }
    }
}
