//! How the decoder reports what is wrong.
//!
//! Invariant: a text of the file is shown escaped and cut, and findings beyond a bound are counted.

use super::{Cx, Mark, Record};
use crate::{
    characters,
    config::{
        shape::FILE,
        yaml::{Key, Node, Sort, Value},
    },
    diagnostic::{Diagnostic, MAX_HELD, Span, did_you_mean},
};

impl Cx<'_> {
    pub(super) fn push(&mut self, finding: Diagnostic) {
        if self.found.len() < MAX_HELD {
            self.found.push(finding);
        } else {
            // What is new in this version is only a warning in a base, however much of it there is.
            let count = if finding.is_recent() {
                &mut self.dropped.recent
            } else {
                &mut self.dropped.known
            };
            *count += 1;
        }
    }

    pub(super) fn error(
        &mut self,
        code: &'static str,
        mark: Mark,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let finding = Diagnostic::error(code, message).at(&self.span(mark)).help(help);
        self.push(finding);
    }

    /// Reports an error; `new`: versions before this one did not find it.
    pub(super) fn error_since(
        &mut self,
        new: bool,
        code: &'static str,
        mark: Mark,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let finding = Diagnostic::error(code, message).at(&self.span(mark)).help(help);
        self.push(if new { finding.recent() } else { finding });
    }

    /// Says that two things cannot stand beside each other.
    pub(super) fn error_with(
        &mut self,
        code: &'static str,
        mark: Mark,
        message: impl Into<String>,
        (other, words): (Option<&Span>, &str),
        help: impl Into<String>,
    ) {
        let mut finding = Diagnostic::error(code, message).at(&self.span(mark)).help(help);
        if let Some(other) = other {
            finding = finding.with(other, words);
        }
        self.push(finding);
    }

    /// Says that a value has the wrong type. `what` is the subject, `wanted` what it should be.
    pub(super) fn wrong_type(
        &mut self,
        node: &Node<'_>,
        what: &str,
        wanted: &str,
        help: impl Into<String>,
    ) {
        let message = match &node.value {
            Value::Scalar(scalar) if scalar.sort != Sort::Null => {
                format!("`{}` is {}, and {what} is {wanted}", shown(&scalar.text), node.noun())
            }
            _ => format!("{what} must be {wanted}, but this is {}", node.noun()),
        };
        let help = key_hint(node, wanted).unwrap_or_else(|| help.into());
        self.error("config/wrong-type", node.mark, message, help);
    }

    pub(super) fn unknown_key(&mut self, record: &'static Record, key: &Key<'_>, what: &str) {
        let text = &*key.scalar.text;
        let keys: Vec<_> = record.keys().collect();
        // `removals.members` is the guard's name on the command line, and looks like a key.
        let dotted = text.split_once('.').filter(|(head, _)| record.field(head).is_some());
        let help = match (dotted, did_you_mean(text, keys.iter().copied())) {
            (Some((head, rest)), _) => format!("write `{head}: {{{rest}: …}}`"),
            (None, Some(near)) => format!("did you mean `{near}`?"),
            (None, None) => format!("the keys here are {}", listed(&keys)),
        };
        let other = if record.name == FILE.name && !self.root {
            "; if the file is another program's, leave it out with `read.exclude` in `charter.yaml`"
        } else {
            ""
        };
        let help = format!("{help}{other}");
        if text.is_empty() {
            self.error(
                "config/unknown-key",
                key.mark,
                format!("a key of {what} is empty"),
                "write a key before the `:`, or remove the line",
            );
            return;
        }
        self.error(
            "config/unknown-key",
            key.mark,
            format!("`{}` is not a key of {what}", shown(text)),
            help,
        );
    }
}

/// A user's text as it is shown in a message: not longer than a line, and without control characters.
pub(super) fn shown(text: &str) -> String {
    let escaped: String = text
        .chars()
        .take(61)
        .map(|c| if c.is_whitespace() && !c.is_ascii() { spelled(c) } else { c.to_string() })
        .collect();
    let escaped = characters::spelled_out(&escaped);
    if text.chars().nth(61).is_some() { format!("{escaped}…") } else { escaped.into_owned() }
}

/// Where a map is wanted and a text holds a `:` that ends no key: what keeps it from doing so.
fn key_hint(node: &Node<'_>, wanted: &str) -> Option<String> {
    let Value::Scalar(scalar) = &node.value else { return None };
    let (key, rest) = scalar.text.split_once(':').filter(|_| wanted == "a map")?;
    let next = rest.chars().next().filter(|c| !c.is_ascii_whitespace() && *c != '/')?;
    if key.is_empty() || key.contains(' ') {
        return None;
    }
    Some(if next.is_whitespace() {
        format!("replace `U+{:04X}` after the `:` by a space", u32::from(next))
    } else {
        format!("put a space after the `:`, as in `{}: …`", shown(key))
    })
}

/// A blank that is not the space: nobody sees the difference.
fn spelled(c: char) -> String {
    format!("<U+{:04X}>", u32::from(c))
}

/// Words in backticks with commas.
pub(super) fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
