//! Makes text that a server sent fit to be shown: one line, bounded, without control characters or credentials.
//!
//! Invariant: nothing that comes out can move a terminal's cursor, fill a log, or be used to sign in.

use std::{fmt::Write as _, time::Duration};

use super::transport::RawResponse;

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

/// One line of at most `most` characters: white space runs become one space, other control and
/// direction-changing characters are dropped.
fn bounded(text: &str, most: usize) -> String {
    let mut out = String::new();
    let mut count = 0;
    for word in text.split_whitespace() {
        let mut first = !out.is_empty();
        for letter in word.chars().filter(|letter| !steers(*letter)) {
            if count >= most {
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
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
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
}
