//! Makes text from files and from the API fit for a terminal and for the log of a pipeline; [`markup`] does the same
//! for what is not read on a terminal.
//!
//! Invariant: nothing that comes out can move the cursor, start a line, change colours, reverse the reading
//! direction, hide, or command the runner that keeps the log; what is replaced stays visible, so that a reviewer
//! sees that it was there.

pub mod markup;

use std::{borrow::Cow, fmt::Write as _};

use crate::{
    characters::{is_invisible, is_shaping, quoted},
    email::Email,
};

/// The text on one line: what steers a terminal, a reader or a runner is spelled out (`\n`, `\u{202e}`).
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(steers) && !commands(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    let mut passed: [Option<char>; 2] = [None; 2];
    let mut seen = Seen::default();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let [before, last] = passed;
        let starts = before.is_none_or(char::is_whitespace);
        passed = [last, Some(letter)];
        let steers = seen.steers(letter, letters.peek().copied());
        match letter {
            ':' if last == Some(':') && starts => out.push_str("\\u{3a}"),
            '#' if last == Some('#') && letters.peek().is_some_and(|next| names_command(*next)) => {
                out.push_str("\\u{23}");
            }
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            letter if steers => {
                // Writing to a string does not fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    Cow::Owned(out)
}

/// A name or an address for people, not clean yet: blanks at its ends show, and a domain in letters beyond ASCII has its
/// A-labels beside it.
pub fn name(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.contains('@') {
        return quoted(text);
    }
    match Email::lenient(text).ascii_domain() {
        Some(ascii) => Cow::Owned(format!("{text} ({ascii})")),
        None => quoted(text),
    }
}

/// The same for text that carries byte positions: every such character gives way to one of the same length in
/// bytes; line ends stay.
pub fn clean_in_place(text: &str) -> Cow<'_, str> {
    let bad = |letter: char| steers(letter) && !matches!(letter, '\n' | '\t');
    if !text.contains(bad) && !commands(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut last = None;
    let mut seen = Seen::default();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let steers = seen.steers(letter, letters.peek().copied());
        let in_command = letter == '#' && last == Some('#');
        out.push(match letter {
            '\r' => ' ',
            '#' if in_command && letters.peek().is_some_and(|next| names_command(*next)) => '?',
            letter if !(steers && bad(letter)) => letter,
            letter => match letter.len_utf8() {
                1 => '?',
                2 => '\u{bf}',
                3 => char::REPLACEMENT_CHARACTER,
                _ => '\u{1f6c7}',
            },
        });
        last = Some(letter);
    }
    Cow::Owned(out)
}

/// JSON text that shows nothing but what it says: such characters are escaped, which JSON readers undo.
///
/// They can only stand inside strings, so the meaning stays the same; line ends between values stay.
pub fn clean_json(json: &str) -> Cow<'_, str> {
    let bad = |letter: char| steers(letter) && letter != '\n';
    if is_free_of(json, bad) && !json.contains("##") {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    let mut last = None;
    let mut seen = Seen::default();
    let mut letters = json.chars().peekable();
    while let Some(letter) = letters.next() {
        let doubled = letter == '#' && last == Some('#');
        last = Some(letter);
        if seen.steers(letter, letters.peek().copied()) && bad(letter) || doubled {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(letter);
        }
    }
    Cow::Owned(out)
}

/// Whether a text has no `bad` letter, which is never ASCII that shows itself nor a line end. Of a text that has nothing
/// else, as a long plan mostly has not, that is told many bytes at a time.
pub(crate) fn is_free_of(text: &str, bad: impl Fn(char) -> bool) -> bool {
    let others = text.bytes().filter(|byte| !matches!(byte, b' '..=b'~' | b'\n'));
    others.count() == 0 || !text.contains(bad)
}

/// Whether a text holds what a runner takes for a command: `::error::…` where a line may start, `##[…]` and
/// `##vso[…]` anywhere. (A line breaks between words, so any word may come to start one.)
fn commands(text: &str) -> bool {
    let colons = || {
        text.match_indices("::")
            .any(|(at, _)| text[..at].chars().next_back().is_none_or(char::is_whitespace))
    };
    // Looked for from the second sign, since three or more in a row end with two.
    let hashes = || {
        text.match_indices('#')
            .any(|(at, _)| text[..at].ends_with('#') && text[at + 1..].starts_with(names_command))
    };
    colons() || hashes()
}

/// What follows `##` in a command.
fn names_command(letter: char) -> bool {
    letter == '[' || letter.is_ascii_alphabetic()
}

/// Control characters, and what is there without being seen.
fn steers(letter: char) -> bool {
    letter.is_control() || is_invisible(letter)
}

/// The letter before the next one, if it is seen.
#[derive(Default)]
struct Seen(Option<char>);

impl Seen {
    /// Whether the next letter steers where it is: selectors and joiners that shape what is seen do not.
    fn steers(&mut self, letter: char, after: Option<char>) -> bool {
        let steers = steers(letter) && !is_shaping(self.0, letter, after);
        self.0 = (!steers).then_some(letter);
        steers
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::characters::invisible_in;

    #[test]
    fn emoji_and_joined_letters_stay_and_what_hides_is_spelled_out_in_json_too() {
        for name in ["⚙\u{fe0f} Platform", "👩\u{200d}💻", "می\u{200c}خواهم"] {
            assert_eq!(clean(name), name);
            assert_eq!(clean_in_place(name), name);
            assert_eq!(clean_json(&format!("\"{name}\"")), format!("\"{name}\""));
        }
        for c in [
            '\u{34f}',
            '\u{115f}',
            '\u{180b}',
            '\u{2800}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{ffa0}',
            '\u{e0100}',
        ] {
            let code = u32::from(c);
            assert_eq!(clean(&format!("Pro{c}d")), format!("Pro\\u{{{code:x}}}d"));
            assert!(!clean_in_place(&format!("Pro{c}d")).contains(c));
            let json = format!("\"Pro{c}d\"");
            let cleaned = clean_json(&json);
            assert!(cleaned.is_ascii(), "{cleaned}");
            assert_eq!(serde_json::from_str::<String>(&cleaned).ok(), Some(format!("Pro{c}d")));
        }
        // What is hidden carries nothing over.
        assert_eq!(clean("a\u{fe0f}\u{200d}💻"), "a\\u{fe0f}\\u{200d}💻");
    }

    #[test]
    fn blanks_at_the_ends_and_domains_of_other_letters_show() {
        assert_eq!(name("Prod "), "\"Prod \"");
        assert_eq!(name("kim@\u{430}cme.com"), "kim@\u{430}cme.com (xn--cme-5cd.com)");
        assert_eq!(name("kim@acme.com"), "kim@acme.com");
    }

    #[test]
    fn plain_text_stays_as_it_is() {
        for text in ["Production", "Ünïcode · 工程 🚀", ""] {
            assert!(matches!(clean(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn escapes_line_ends_and_direction_marks_are_spelled_out() {
        assert_eq!(clean("a\x1b[31mb"), "a\\u{1b}[31mb");
        assert_eq!(clean("ops\nplan: nothing to do"), "ops\\nplan: nothing to do");
        assert_eq!(clean("x\u{202e}nimda\u{9b}2J\u{200b}"), "x\\u{202e}nimda\\u{9b}2J\\u{200b}");
    }

    #[test]
    fn what_a_runner_takes_for_a_command_is_spelled_out() {
        assert_eq!(clean("::add-mask::x"), ":\\u{3a}add-mask::x");
        assert_eq!(clean("a  ::stop-commands::x"), "a  :\\u{3a}stop-commands::x");
        assert_eq!(clean("a ##[group]b ##vso[task]"), "a #\\u{23}[group]b #\\u{23}vso[task]");
        assert_eq!(clean("###[group]b"), "##\\u{23}[group]b");
        assert_eq!(clean(":::error::b"), ":\\u{3a}:error::b");
        assert_eq!(clean_in_place("## a\n##[group]b"), "## a\n#?[group]b");
        assert_eq!(clean_json("\"##[x]\""), "\"#\\u0023[x]\"");
        assert_eq!(clean_json("\"#\",\"#\""), "\"#\",\"#\"");
        for plain in ["http://[::1]:80", "## heading", "#1 ##", "a::b"] {
            assert_eq!(clean(plain), plain);
        }
    }

    #[test]
    fn cleaned_json_reads_back_the_same() -> Result<(), serde_json::Error> {
        let value = serde_json::json!({"n\u{202e}": "a\u{1b}\u{9b}\u{7f}\u{e0041} 🚀"});
        let text = value.to_string();
        let cleaned = clean_json(&text);
        assert!(!cleaned.contains(steers));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&cleaned)?, value);
        Ok(())
    }

    proptest! {
        #[test]
        fn nothing_that_steers_comes_out(text in "\\PC*|[\\x00-\\x20\\u{7f}-\\u{ad}\\u{2000}-\\u{2070}a]*|[:#\\[ a]*") {
            let hidden = |text: &str, lines: bool| {
                let control = |letter: char| {
                    letter.is_control() && !(lines && matches!(letter, '\n' | '\t'))
                };
                text.contains(control) || invisible_in(text).next().is_some()
            };
            prop_assert!(!hidden(&clean(&text), false));
            prop_assert!(!commands(&clean(&text)));
            let in_place = clean_in_place(&text);
            prop_assert_eq!(in_place.len(), text.len());
            prop_assert!(!hidden(&in_place, true));
        }
    }
}
