//! Makes text that a server sent fit to be shown: one line, bounded, without control characters or credentials.
//!
//! Invariant: nothing that comes out can move a terminal's cursor, fill a log, or be used to sign in.

use std::{fmt::Write as _, time::Duration};

use super::transport::RawResponse;
use crate::characters::is_invisible;

/// Longest message shown, in characters.
const MESSAGE: usize = 400;

/// What a server said, for a person.
pub(crate) fn message(text: &str) -> String {
    bounded(&redact(text), MESSAGE)
}

/// A short word a server said: a code, an id.
pub(crate) fn word(text: &str) -> String {
    bounded(&redact(text), 120)
}

/// The first bytes of a body that is not what was expected.
pub(crate) fn start(body: &[u8]) -> String {
    let head = body.get(..600).unwrap_or(body);
    bounded(&redact(&String::from_utf8_lossy(head)), 120)
}

/// The response without `secret`, should the server have sent it back.
pub(crate) fn without(response: &RawResponse, secret: &str) -> RawResponse {
    let mut response = response.clone();
    if !secret.is_empty()
        && response.body.windows(secret.len()).any(|bytes| bytes == secret.as_bytes())
    {
        let body = String::from_utf8_lossy(&response.body).replace(secret, "[hidden]");
        response.body = body.into();
    }
    response
}

/// A length of time, rounded up.
pub(crate) fn span(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    if seconds < 120 { format!("{seconds} s") } else { format!("{} min", seconds.div_ceil(60)) }
}

/// A length of time in its largest unit, rounded: `58 s`, `7 min`, `3 h`, `2 days`.
pub(crate) fn about(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_millis() >= 500);
    let in_units = |unit: u64| (seconds + unit / 2) / unit;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", in_units(60)),
        7_200..172_800 => format!("{} h", in_units(3_600)),
        _ => format!("{} days", in_units(86_400)),
    }
}

/// One line of at most `most` characters: white space runs become one space, other control and
/// direction-changing characters are dropped.
fn bounded(text: &str, most: usize) -> String {
    let mut out = String::new();
    let mut count = 0;
    for word in text.split_whitespace() {
        let mut first = !out.is_empty();
        for letter in word.chars().filter(|letter| !steers(*letter)) {
            // The space before it counts too.
            if count + usize::from(first) >= most {
                out.push('…');
                return out;
            }
            if std::mem::take(&mut first) {
                out.push(' ');
                count += 1;
            }
            out.push(letter);
            count += 1;
        }
    }
    out
}

fn steers(letter: char) -> bool {
    letter.is_control() || is_invisible(letter)
}

/// Hides what looks like a credential: long `sk-ant-…` runs and JSON web tokens. Key hints stay.
fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let run = rest.find(|letter| !token_letter(letter)).unwrap_or(rest.len());
        let (token, after) = rest.split_at(run);
        let key = token.find("sk-ant-").map(|at| (at, token.len() - at > 24, "sk-ant-"));
        let jwt = token.find("eyJ").map(|at| (at, token[at..].contains('.'), "eyJ"));
        match key.filter(|found| found.1).or(jwt.filter(|found| found.1 && token.len() > 24)) {
            Some((at, _, head)) => {
                let _ = write!(out, "{}{head}[hidden]", &token[..at]);
            }
            None => out.push_str(token),
        }
        let between = after.find(token_letter).unwrap_or(after.len());
        out.push_str(&after[..between]);
        rest = &after[between..];
    }
    out
}

fn token_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_direction_characters_do_not_reach_a_terminal() {
        assert_eq!(message("a\x1b[31mred\r\n\t b\u{202e}c\u{7}"), "a[31mred bc");
    }

    #[test]
    fn a_long_text_is_cut() {
        let shown = message(&"x".repeat(5_000));
        assert_eq!(shown.chars().count(), MESSAGE + 1);
        assert!(shown.ends_with('…'));
    }

    #[test]
    fn a_credential_that_a_server_echoes_is_hidden_and_a_hint_is_not() {
        let key = format!("sk-ant-admin01-{}", "k".repeat(60));
        assert_eq!(message(&format!("bad key \"{key}\".")), "bad key \"sk-ant-[hidden]\".");
        let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl";
        assert_eq!(message(&format!("assertion={jwt}")), "assertion=eyJ[hidden]");
        assert_eq!(message("key sk-ant-api03-R2D...igAA"), "key sk-ant-api03-R2D...igAA");
    }

    #[test]
    fn a_page_of_html_shows_its_first_words() {
        assert_eq!(start(b"<html>\n  <title>Proxy</title>"), "<html> <title>Proxy</title>");
        assert_eq!(start(&[0xff; 10]).chars().count(), 10);
    }

    #[test]
    fn a_long_text_of_words_is_cut_after_as_many_letters_and_spaces_as_are_allowed() {
        assert_eq!(message(&"x ".repeat(5_000)), format!("{}x…", "x ".repeat(MESSAGE / 2 - 1)));
        assert_eq!(message(&"xx ".repeat(5_000)).chars().count(), MESSAGE + 1);
    }

    #[test]
    fn a_short_run_that_only_begins_like_a_credential_is_shown() {
        for shown in [
            "sk-ant-api03-abcdefghijk",
            "the_name_of_something_long.sk-ant-api03-abc",
            "eyJ.eyJ",
            "eyJhbGciOiJSUzI1.eyJzdWI",
            "eyJust-a-long-word-without-any-dot",
        ] {
            assert_eq!(message(shown), shown);
        }
        assert_eq!(message("sk-ant-api03-abcdefghijkl"), "sk-ant-[hidden]");
        assert_eq!(message("token:my.eyJhbGciOiJSUzI1NiJ9.eyJz"), "token:my.eyJ[hidden]");
    }

    #[test]
    fn a_secret_that_comes_back_is_taken_out_and_other_bodies_stay_as_they_were() {
        let body = |bytes: &'static [u8]| RawResponse {
            status: 200,
            headers: Vec::new(),
            body: bytes.into(),
        };
        let left = |bytes, secret| without(&body(bytes), secret).body;
        assert_eq!(left(b"it was s3cret, no?", "s3cret"), "it was [hidden], no?");
        assert_eq!(&left(b"binary \xff stays", "s3cret")[..], b"binary \xff stays");
        assert_eq!(left(b"nothing to hide", ""), "nothing to hide");
    }

    #[test]
    fn a_length_of_time_is_rounded_up_and_told_in_minutes_from_two_on() {
        for (milliseconds, shown) in [
            (0, "0 s"),
            (1, "1 s"),
            (1_000, "1 s"),
            (1_001, "2 s"),
            (119_000, "119 s"),
            (119_001, "2 min"),
            (121_000, "3 min"),
        ] {
            assert_eq!(span(Duration::from_millis(milliseconds)), shown);
        }
    }
}
