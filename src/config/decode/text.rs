//! Single values: text, words, e-mails, ids, dates, counts.
//!
//! Invariant: a text that is accepted is not empty and holds nothing that a terminal would not show.

use std::sync::Arc;

use super::{Cx, listed, shown};
use crate::{
    characters,
    config::{
        document::{Sp, Text},
        shape::MAX_TEXT,
        yaml::{Key, Mark, Node, Scalar, Sort, Value},
    },
    diagnostic::did_you_mean,
    email::{Email, EmailError},
};

/// How `null` is written, for a sentence.
pub(super) fn nothing(text: &str) -> String {
    if text.is_empty() { "empty".to_owned() } else { format!("`{text}`") }
}

/// What a text may be.
#[derive(Clone, Copy)]
pub(super) struct Rule<'w> {
    /// The subject of a message: "`note`".
    pub(super) what: &'w str,
    /// How many characters it may have.
    pub(super) max: usize,
    /// Whether it may have several lines.
    pub(super) lines: bool,
}

impl<'w> Rule<'w> {
    /// A text of one line.
    pub(super) fn line(what: &'w str, max: usize) -> Self {
        Self { what, max, lines: false }
    }
}

/// What versions before this one refused: the others are new findings.
fn was_refused(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{2064}'
                | '\u{2066}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0001}'
        )
}

/// Whether a text can stand in a file, as it is, with so many characters.
pub(crate) fn is_plain_text(text: &str, max: usize, lines: bool) -> bool {
    !text.trim().is_empty() && text.chars().count() <= max && odd_character(text, lines).is_none()
}

/// The first character that may not stand in a text, of several lines or one.
fn odd_character(text: &str, lines: bool) -> Option<char> {
    let control = |c: &char| c.is_control() && !(lines && matches!(c, '\n' | '\t'));
    // A blank at an end is seen only where it is quoted, and U+00A0 not even there.
    let blank = |c: &char| !c.is_ascii() && c.is_whitespace() && !lines;
    if text.is_ascii() {
        return text.chars().find(control);
    }
    let ends = [text.chars().next(), text.chars().next_back()];
    let invisible = || characters::invisible_in(text).map(|(_, c)| c).next();
    text.chars().find(control).or_else(invisible).or_else(|| ends.into_iter().flatten().find(blank))
}

impl Cx<'_> {
    /// A text.
    pub(super) fn text(&mut self, node: &Node<'_>, rule: Rule<'_>) -> Option<Text> {
        let Value::Scalar(scalar) = &node.value else {
            self.wrong_type(node, rule.what, "text", "write it on one line, in quotes if need be");
            return None;
        };
        let text = self.scalar_text(scalar, node.mark, rule)?;
        Some(self.sp(text.into(), node.mark))
    }

    /// The text of a key.
    pub(super) fn key_text<'k>(&mut self, key: &'k Key<'_>, rule: Rule<'_>) -> Option<&'k str> {
        self.scalar_text(&key.scalar, key.mark, rule)
    }

    fn scalar_text<'k>(
        &mut self,
        scalar: &'k Scalar<'_>,
        mark: Mark,
        rule: Rule<'_>,
    ) -> Option<&'k str> {
        let text = &*scalar.text;
        let what = rule.what;
        if scalar.sort == Sort::Null {
            self.error(
                "config/null",
                mark,
                format!("{what} is text, but this is {}", nothing(text)),
                "give it a value, or remove the line; quote the word `null` if it is meant",
            );
            return None;
        }
        if scalar.sort != Sort::Text {
            self.error(
                "config/wrong-type",
                mark,
                format!("`{}` is {}, and {what} is text", shown(text), scalar.sort.noun()),
                format!("quote it: `\"{}\"`", shown(text)),
            );
            return None;
        }
        self.check_text(text, mark, rule).then_some(text)
    }

    fn check_text(&mut self, text: &str, mark: Mark, rule: Rule<'_>) -> bool {
        let what = rule.what;
        if text.trim().is_empty() {
            self.error(
                "config/empty-text",
                mark,
                format!("{what} is empty"),
                "write something, or remove it",
            );
            return false;
        }
        if let Some(c) = odd_character(text, rule.lines) {
            let message = format!("{what} holds the invisible character `U+{:04X}`", u32::from(c));
            let help = "remove it: a name must be what it looks like";
            let before = text.chars().any(was_refused);
            self.error_since(!before, "config/invisible-character", mark, message, help);
            if before {
                return false;
            }
        }
        if text.len() > rule.max && text.chars().count() > rule.max {
            self.error(
                "config/too-long",
                mark,
                format!("{what} has more than {} characters", rule.max),
                "shorten it",
            );
            return false;
        }
        true
    }

    /// A note or a reason.
    pub(super) fn note(&mut self, node: Option<&Node<'_>>, what: &str) -> Option<Text> {
        self.text(node?, Rule { what, max: MAX_TEXT, lines: true })
    }

    /// One of some words; anything else is reported with the nearest of them.
    pub(super) fn word<T>(
        &mut self,
        node: &Node<'_>,
        what: &str,
        words: &[&'static str],
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<Sp<T>> {
        let text = self.text(node, Rule::line(what, MAX_TEXT))?;
        if let Some(value) = words.contains(&&*text.value).then(|| parse(&text)).flatten() {
            return Some(self.sp(value, node.mark));
        }
        let help = match (did_you_mean(&text, words.iter().copied()), words) {
            (_, [only]) => format!("write `{only}`"),
            (Some(near), _) => format!("did you mean `{near}`? the values are {}", listed(words)),
            (None, _) => format!("the values are {}", listed(words)),
        };
        self.error(
            "config/unknown-value",
            node.mark,
            format!("`{}` is not a value of {what}", shown(&text)),
            help,
        );
        None
    }

    /// The address of a key or of a value.
    pub(super) fn email(&mut self, scalar: &Scalar<'_>, mark: Mark) -> Option<Email> {
        let text = self.scalar_text(scalar, mark, Rule::line("an e-mail address", 320))?;
        let error = match Email::parse(text) {
            Ok(email) => return Some(email),
            Err(error) => error,
        };
        let bare = "write the bare address, as in `ada@acme.com`";
        let help = match &error {
            EmailError::Shape if text.starts_with("team/") => {
                "teams are named in the `members` of a workspace only, and do not nest"
            }
            EmailError::Shape => "write a whole address, as in `ada@acme.com`",
            EmailError::Scheme => {
                "remove `mailto:` and write the bare address, as in `ada@acme.com`"
            }
            EmailError::Character('*' | '?') => {
                "write one address: patterns are allowed under `manage.ignore`, `files` and in rules only"
            }
            EmailError::Character(_) => bare,
            EmailError::Dot => "look for a dot too many",
            EmailError::Domain(_) => "look at the part after the `@`",
            EmailError::NoDot(_) => {
                "write the whole domain, as in `acme.com`; if the live address has none, list it under `manage.ignore`"
            }
        };
        // What was an address before is still one in a base, so that nobody seems to be new.
        let before = Email::parse_legacy(text).ok();
        let message = format!("`{}` is not an e-mail address: {error}", shown(text));
        // An invisible character is reported already.
        let reported =
            matches!(error, EmailError::Character(c) if odd_character(text, false) == Some(c));
        if !reported {
            self.error_since(before.is_some(), "config/bad-email", mark, message, help);
        }
        before
    }

    /// A list of addresses. What is no address is reported and left out.
    pub(super) fn emails(&mut self, node: &Node<'_>, what: &str) -> Vec<Sp<Email>> {
        let mut emails: Vec<Sp<Email>> = Vec::new();
        for item in self.items(node, what, "[ada@acme.com]") {
            let Value::Scalar(scalar) = &item.value else {
                self.wrong_type(
                    item,
                    &format!("an entry of {what}"),
                    "an e-mail address",
                    "write it as `ada@acme.com`",
                );
                continue;
            };
            let Some(email) = self.email(scalar, item.mark) else { continue };
            emails.push(self.sp(email, item.mark));
        }
        // Sorting finds repeats in long lists; a stable sort keeps the first first.
        let mut order: Vec<_> = emails.iter().collect();
        order.sort_by(|a, b| a.value.cmp(&b.value));
        let repeats: Vec<_> = order
            .windows(2)
            .filter(|pair| pair[0].value == pair[1].value)
            .map(|pair| (pair[0].clone(), pair[1].clone()))
            .collect();
        for (first, second) in repeats {
            let Some(span) = &second.span else { continue };
            let mark = Mark { line: span.line, column: span.column, bytes: span.bytes };
            self.error_with(
                "config/listed-twice",
                mark,
                format!("`{second}` stands twice in {what}"),
                (first.span.as_ref(), "first here"),
                "keep one of them",
            );
        }
        emails
    }

    /// An id of the API, which starts with `prefix`.
    pub(super) fn id(&mut self, node: &Node<'_>, prefix: &str, of: &str) -> Option<Text> {
        let id = self.text(node, Rule::line("`id`", crate::config::shape::MAX_ID))?;
        let rest = id.strip_prefix(prefix).unwrap_or("");
        if !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
        {
            return Some(id);
        }
        self.error(
            "config/bad-id",
            node.mark,
            format!("`{}` is not the id of {of}", shown(&id)),
            format!("such an id looks like `{prefix}01AbC…`; `charter import` shows it"),
        );
        None
    }

    /// A whole number from 0 up.
    pub(super) fn count(&mut self, node: &Node<'_>, what: &str) -> Option<u64> {
        if let Value::Scalar(Scalar { text, sort: Sort::Int }) = &node.value
            && let Ok(count) = text.parse()
        {
            return Some(count);
        }
        self.error(
            "config/bad-limit",
            node.mark,
            format!("{what} is not a whole number from 0 up"),
            "write it as `20`",
        );
        None
    }

    /// A share such as `10%`.
    pub(super) fn share(&mut self, node: &Node<'_>, what: &str) -> Option<u8> {
        let share = match &node.value {
            Value::Scalar(scalar) => scalar
                .text
                .strip_suffix('%')
                .map(|digits| digits.strip_suffix(' ').unwrap_or(digits))
                .filter(|digits| matches!(digits.len(), 1..=2) || *digits == "100")
                .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
                .and_then(|digits| digits.parse().ok())
                .filter(|share| *share <= 100),
            _ => None,
        };
        if share.is_none() {
            self.error(
                "config/bad-limit",
                node.mark,
                format!("{what} is not a share from 0% to 100%"),
                "write whole percents, as in `10%`",
            );
        }
        share
    }

    /// An `Arc` of a key's text.
    pub(super) fn arc(text: &str) -> Arc<str> {
        Arc::from(text)
    }
}
