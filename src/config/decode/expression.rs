//! Expressions: parsed where they stand, with the place of a mistake in the file.
//!
//! Invariant: the place shown for a mistake lies within the value.

use super::{Cx, text::Rule};
use crate::{
    config::{
        document::Sp,
        yaml::{Mark, Node, Value},
    },
    expression::{Expression, MAX_SOURCE, Problem, Subject},
};

impl Cx<'_> {
    /// An expression about one of these, or about everything.
    pub(super) fn expression(
        &mut self,
        node: &Node<'_>,
        what: &str,
        about: Option<Subject>,
    ) -> Option<Sp<Expression>> {
        let rule = Rule { what, max: MAX_SOURCE, lines: true };
        let text = self.text(node, rule)?;
        match Expression::parse(&text, &Subject::variables(about)) {
            Ok(expression) => Some(self.sp(expression, node.mark)),
            Err(Problem { at, message, help }) => {
                let mark = within(self.text, node, at);
                self.error("config/bad-expression", mark, message, help);
                None
            }
        }
    }
}

/// The place of a character of a scalar's value, which the file may write with quotes, escapes or folds.
fn within(file: &str, node: &Node<'_>, at: usize) -> Mark {
    let mark = node.mark;
    let Value::Scalar(scalar) = &node.value else { return mark };
    let start = mark.bytes.0 as usize;
    let Some(raw) = file.get(start..) else { return mark };
    let mut written = raw.char_indices().peekable();
    let mut place = (0, raw);
    for wanted in scalar.text.chars().take(at + 1) {
        // What the file has and the value does not is punctuation of YAML: skipped.
        let found = if wanted.is_whitespace() {
            written.peek().copied()
        } else {
            written.find(|(_, c)| *c == wanted)
        };
        let Some((byte, _)) = found else { return mark };
        place = (byte, &raw[byte..]);
    }
    // Past the end of the value: just behind its last character.
    let past = at >= scalar.text.chars().count();
    let end = place.1.chars().next().map_or(0, char::len_utf8);
    let byte = place.0 + if past { end } else { 0 };
    let before = &raw[..byte];
    let (line, column) = match before.rfind('\n') {
        Some(last) => (
            mark.line + before.matches('\n').count().try_into().unwrap_or(0),
            before[last + 1..].chars().count() + 1,
        ),
        None => (mark.line, mark.column as usize + before.chars().count()),
    };
    let first = (start + byte).try_into().unwrap_or(mark.bytes.0);
    let last = (start + byte + if past { 0 } else { end }).try_into().unwrap_or(first);
    Mark { line, column: column.try_into().unwrap_or(mark.column), bytes: (first, last) }
}
