//! Numbers, truths and patterns of rules.
//!
//! Invariant: a pattern that is accepted compiles.

use super::{Cx, Fields, shown, text::Rule};
use crate::{
    config::{
        document::{Sp, Text},
        shape::MAX_TEXT,
        yaml::{Mark, Node, Sort, Value},
    },
    glob::{Of, misplaced_stars},
};

impl Cx<'_> {
    pub(super) fn number(&mut self, fields: &mut Fields<'_, '_>, key: &str) -> Option<Sp<u64>> {
        let node = fields.value(key)?;
        let count = self.count(node, &format!("`{key}`"))?;
        Some(self.sp(count, node.mark))
    }

    pub(super) fn truth(&mut self, node: &Node<'_>, what: &str) -> Option<bool> {
        if let Value::Scalar(scalar) = &node.value
            && scalar.sort == Sort::Bool
        {
            return Some(scalar.text.eq_ignore_ascii_case("true"));
        }
        self.wrong_type(node, what, "`true` or `false`", "write `true` or `false`");
        None
    }

    /// The patterns under a key. A list that is given and empty would match nothing.
    pub(super) fn patterns(
        &mut self,
        fields: &mut Fields<'_, '_>,
        key: &str,
        needed: bool,
    ) -> Option<Vec<Text>> {
        let Some(node) = fields.value(key) else {
            return if needed { None } else { Some(Vec::new()) };
        };
        let patterns = self.pattern_list(node, &format!("`{key}`"))?;
        if patterns.is_empty() {
            self.asks_nothing(node.mark, &format!("`{key}`"), &["*"]);
            return None;
        }
        Some(patterns)
    }

    pub(super) fn pattern_list(&mut self, node: &Node<'_>, what: &str) -> Option<Vec<Text>> {
        if !matches!(node.value, Value::List(_)) {
            self.items(node, what, "[\"team-*\"]");
            return None;
        }
        let items = self.items(node, what, "[\"team-*\"]");
        let patterns: Vec<_> = items.iter().map(|item| self.pattern(item, what)).collect();
        patterns.into_iter().collect()
    }

    /// A pattern that compiles.
    pub(super) fn pattern(&mut self, node: &Node<'_>, what: &str) -> Option<Text> {
        let pattern = self.text(node, Rule::line(what, MAX_TEXT))?;
        self.compiles(&pattern, Of::Names, node.mark).then_some(pattern)
    }

    /// Whether a pattern compiles; one that means less than it seems to is reported and kept.
    pub(super) fn compiles(&mut self, pattern: &str, of: Of, mark: Mark) -> bool {
        if let Err(error) = globset::Glob::new(pattern) {
            let help = match of {
                Of::Paths => {
                    "`**` stands for any folders, `*` for any text within one, as in `teams/ml/**`"
                }
                Of::Names => {
                    "`*` stands for any text, `?` for one character, `[ab]` and `{a,b}` for either"
                }
            };
            let message = format!("`{}` is not a pattern: {}", shown(pattern), error.kind());
            self.error("config/bad-glob", mark, message, help);
            return false;
        }
        if let Some(meant) = misplaced_stars(pattern, of) {
            self.error_since(
                true,
                "config/bad-glob",
                mark,
                format!(
                    "`**` in `{}` is not a whole part of a path, and would act as `*`",
                    shown(pattern)
                ),
                format!("write `{}`", shown(&meant)),
            );
        }
        true
    }
}
