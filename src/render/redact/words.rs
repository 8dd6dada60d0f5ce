//! Finds what looks like an e-mail address, and tells names from words that a format may use itself.
//!
//! Invariant: a mask for a whole domain (`*@acme.com`) names nobody, and is left as it is.

use std::ops::Range;

/// Where something in a text looks like an e-mail address, in order.
pub(super) fn mails(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, _) in text.match_indices('@') {
        let head = &text[..at];
        let local = head.trim_end_matches(in_local);
        let domain = text[at + 1..].trim_start_matches(in_domain);
        let start = local.len();
        let mut end = text.len() - domain.len();
        // The point at the end of a sentence is no part of it.
        end = at + 1 + text[at + 1..end].trim_end_matches(['.', '-']).len();
        let local = &text[start..at];
        let names_one = !local.is_empty() && !local.bytes().all(|byte| byte == b'*');
        if names_one && end > at + 1 && found.last().is_none_or(|last| last.end <= start) {
            found.push(start..end);
        }
    }
    found
}

/// Whether an original is so plain that a format may use it as a word of its own.
pub(super) fn is_word(original: &str) -> bool {
    original.chars().count() < 3 || original.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn in_local(letter: char) -> bool {
    letter.is_alphanumeric()
        || matches!(letter, '.' | '+' | '-' | '_' | '%' | '*' | '!' | '~' | '^' | '$')
}

fn in_domain(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '.' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_and_masks_of_domains_are_not() {
        let found = |text: &'static str| -> Vec<&str> {
            mails(text).into_iter().map(|range| &text[range]).collect()
        };
        assert_eq!(found("ask ada+x@acme.com."), ["ada+x@acme.com"]);
        assert_eq!(found("`ada@acme.com`, (bob@ü.example)"), ["ada@acme.com", "bob@ü.example"]);
        assert_eq!(found("team/x/ada@acme.com:3"), ["ada@acme.com"]);
        assert_eq!(found("*@acme.com @@ members @@ a @ b @x y@"), Vec::<&str>::new());
        assert_eq!(found("a*@acme.com a@b@c"), ["a*@acme.com", "a@b"]);
    }
}
