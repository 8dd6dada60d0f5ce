//! A text as a YAML scalar.
//!
//! Invariant: any reader of YAML, also of older versions, reads the same text back, wherever the scalar stands.

use std::fmt::Write as _;

use crate::{
    characters::invisible_in,
    config::{
        decode::is_uuid,
        yaml::{Sort, plain_sort},
    },
};

/// A text as a scalar that any YAML reader takes for this text, also within brackets and as a key.
pub(super) fn scalar(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    let mut hidden = invisible_in(text).peekable();
    for (at, c) in text.char_indices() {
        let hidden = hidden.next_if(|(place, _)| *place == at).is_some();
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || hidden || is_noncharacter(c) => {
                let code = u32::from(c);
                let _ = if code <= 0xffff {
                    write!(out, "\\u{code:04X}")
                } else {
                    write!(out, "\\U{code:08X}")
                };
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Whether a text needs no quotes. Stricter than YAML, so that readers of older versions agree.
fn is_plain(text: &str) -> bool {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return false };
    let inner =
        |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '@' | '/' | '+' | ' ');
    let starts_like_a_number = !(first.is_alphabetic() || first == '_');
    if !text.chars().all(inner) || matches!(first, ' ' | '-' | '.' | '@' | '/' | '+') {
        return false;
    }
    if starts_like_a_number && !text.contains('@') && !is_uuid(text) {
        return false;
    }
    let old_word = matches!(
        text.to_ascii_lowercase().as_str(),
        "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null"
    );
    !old_word && !text.ends_with(' ') && plain_sort(text) == Sort::Text
}

/// Code points that are no characters, which YAML does not print.
fn is_noncharacter(c: char) -> bool {
    u32::from(c) & 0xfffe == 0xfffe || ('\u{fdd0}'..='\u{fdef}').contains(&c)
}
