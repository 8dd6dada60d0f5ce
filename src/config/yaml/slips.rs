//! Slips that the parser meets too late, or knows under another name: what stands in the text tells them.
//!
//! Invariant: looks at the text around the error only, and names a slip only where the text shows it.

use granit_parser::ErrorKind;

use super::{Mark, small};
use crate::characters::is_invisible;

/// A slip: where it is, what it is, and what to do.
pub(super) struct Slip {
    pub(super) at: usize,
    pub(super) message: String,
    pub(super) help: &'static str,
}

/// Looks for a slip at byte `at`, where the parser stopped; `scalar` is the last plain text before it.
pub(super) fn find(text: &str, kind: &ErrorKind, at: usize, scalar: Option<Mark>) -> Option<Slip> {
    let slip = |at, message: &str, help| Some(Slip { at, message: message.to_owned(), help });
    if let Some(slip) = odd_blank(text, at, scalar) {
        return Some(slip);
    }
    let before = text[..at].trim_end_matches([' ', '\t', '\r', '\n']).chars().next_back();
    let here = text[at..].chars().next();
    let tight_colon = match kind {
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => {
            tight_colon_above(text, at, scalar)
        }
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => tight_colon(text, at),
        _ => None,
    };
    match kind {
        _ if let Some(colon) = tight_colon => slip(
            colon,
            "a `:` has no space after it",
            "put a space after the `:`, as in `ada@acme.com: admin`; quote text that holds a `:`",
        ),
        _ if here == Some(',') && matches!(before, Some(',' | '[' | '{')) => {
            slip(at, "one comma too many", "remove a `,`")
        }
        ErrorKind::CommentInterceptedScalar => slip(
            at,
            "a text goes on after this comment",
            "put the comment on a line of its own above, or write the text in quotes",
        ),
        ErrorKind::ExpectedDocumentStart if here != Some('%') => slip(
            at,
            "something follows the end of the document",
            "put everything into one map: inside the first `{` and the last `}`, or without them",
        ),
        ErrorKind::ExpectedBlockMappingKey if here == Some('*') && follows_anchor(&text[..at]) => {
            slip(at, "an alias cannot have an anchor", "remove the `&…` before it")
        }
        ErrorKind::ExpectedBlockMappingKey if matches!(before, Some('}' | ']')) => {
            let on_this_line = !text[..at].trim_end_matches([' ', '\t']).ends_with('\n');
            let bracket = if before == Some('}') { '}' } else { ']' };
            on_this_line.then(|| Slip {
                at,
                message: format!("something follows the `{bracket}` that closes the value"),
                help: "start a new line for the next key, or put brackets around all of them",
            })
        }
        ErrorKind::ExpectedBlockSequenceEntry if here != Some('-') => slip(
            at,
            "a key stands among the items of a list",
            "start the line with `- ` for another item, or indent the key like the one that holds the list",
        ),
        ErrorKind::PlainScalarStartsWithDashFlowIndicator => {
            let dash = if here == Some('-') { at } else { at.saturating_sub(1) };
            slip(dash, "a bare `-` is no value", "quote it: `\"-\"`")
        }
        _ => None,
    }
}

/// A blank that YAML takes for a letter, where a space is meant: after `:` or `-`, before `#`, or at the start of a line.
fn odd_blank(text: &str, at: usize, scalar: Option<Mark>) -> Option<Slip> {
    let from = scalar.map_or(at, |mark| (mark.bytes.0 as usize).min(at));
    let from = text[..from].rfind('\n').map_or(0, |at| at + 1);
    let to = text[at..].find('\n').map_or(text.len(), |end| at + end);
    let window = &text[from..to];
    let odd = |c: char| !c.is_ascii() && (c.is_whitespace() || is_invisible(c)) && c != '\u{feff}';
    let (found, c) = window.char_indices().find(|(place, c)| {
        let before = window[..*place].chars().next_back();
        let after = window[place + c.len_utf8()..].chars().next();
        odd(*c)
            && (matches!(before, None | Some('\n' | ':' | '-'))
                || window[..*place].lines().next_back().is_some_and(|line| line.trim().is_empty())
                || after == Some('#'))
    })?;
    Some(Slip {
        at: from + found,
        message: format!("`U+{:04X}` is here, which YAML does not take for a space", u32::from(c)),
        help: "replace it by a space: it looks like one, and comes from a text that was pasted",
    })
}

/// The `:` of a line above that should have ended a key: the text that the parser read started there.
fn tight_colon_above(text: &str, at: usize, scalar: Option<Mark>) -> Option<usize> {
    let start = scalar?.bytes.0 as usize;
    // On one line the text has two keys, which is another slip.
    text.get(start..at)?.contains('\n').then(|| tight_colon(text, start)).flatten()
}

/// The `:` that should have ended the key that starts at a byte, if text follows it without a space.
fn tight_colon(text: &str, start: usize) -> Option<usize> {
    let line = text.get(start..)?.lines().next()?;
    let colon = line.find(':')?;
    let after = line[colon + 1..].chars().next()?;
    let key = &line[..colon];
    (!key.is_empty() && !key.contains([' ', '\t']) && !after.is_whitespace() && after != '/')
        .then_some(start + colon)
}

/// Whether a text ends with an anchor and blanks.
fn follows_anchor(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or_default();
    let word = line.split_whitespace().next_back().unwrap_or_default();
    word.starts_with('&') && line.ends_with([' ', '\t'])
}

/// The place of byte `at`.
pub(super) fn place(text: &str, at: usize) -> Mark {
    let head = &text[..at];
    let start = head.rfind('\n').map_or(0, |at| at + 1);
    let line = head.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let width = text[at..].chars().next().map_or(0, char::len_utf8);
    Mark {
        line: small(line),
        column: small(head[start..].chars().count() + 1),
        bytes: (small(at), small(at + width)),
    }
}
