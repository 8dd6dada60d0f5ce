//! Shows internationalized addresses as the files write them: plans compare addresses in one canonical form, whose
//! domain is in A-labels, and messages and names of grants hold that form.
//!
//! Invariant: only whole addresses change, and each keeps its A-label beside it, so that look-alikes stay apart.

use std::{borrow::Cow, collections::BTreeMap};

use aho_corasick::{AhoCorasick, MatchKind};

use super::clean::{clean, name};
use crate::config::document::Document;

/// The spellings that are known.
#[derive(Debug, Default)]
pub struct Spellings {
    /// What is shown for a canonical address.
    shown: BTreeMap<String, String>,
    /// Finds the canonical addresses; `None`: there is none.
    finder: Option<AhoCorasick>,
}

impl Spellings {
    /// Learns the spellings of a document; those that are known stay.
    pub fn learn(&mut self, document: &Document) {
        let known = self.shown.len();
        let members = document.members.iter().flat_map(|section| section.entries.keys());
        for email in members.filter(|email| email.ascii_domain().is_some()) {
            let shown = || clean(&name(email.as_written())).into_owned();
            self.shown.entry(email.canonical().to_string()).or_insert_with(shown);
        }
        if self.shown.len() > known {
            let mut builder = AhoCorasick::builder();
            builder.match_kind(MatchKind::LeftmostLongest);
            self.finder = builder.build(self.shown.keys()).ok();
        }
    }

    /// The text with the spellings of the files.
    pub fn respell<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let Some(finder) = &self.finder else { return Cow::Borrowed(text) };
        let mut out = String::new();
        let mut at = 0;
        for found in finder.find_iter(text) {
            if is_whole(text, found.start(), found.end()) {
                out.push_str(&text[at..found.start()]);
                out.push_str(&self.shown[&text[found.range()]]);
                at = found.end();
            }
        }
        if at == 0 {
            return Cow::Borrowed(text);
        }
        out.push_str(&text[at..]);
        Cow::Owned(out)
    }
}

/// Whether these bytes are a whole address, and not a part of a longer one or of the name of a file.
fn is_whole(text: &str, start: usize, end: usize) -> bool {
    let joins = |letter: char| letter.is_alphanumeric() || "-_+".contains(letter);
    let before = without_style(&text[..start]).chars().next_back();
    let mut after = text[end..].chars();
    let goes_on = match after.next() {
        Some('.') => after.next().is_some_and(joins),
        next => next.is_some_and(|letter| joins(letter) || letter == '@'),
    };
    !goes_on && !before.is_some_and(|letter| joins(letter) || letter == '.')
}

/// The text without an ANSI style at its end, whose last letter belongs to no word.
fn without_style(text: &str) -> &str {
    let style = text.strip_suffix('m').and_then(|text| text.rsplit_once("\u{1b}["));
    match style {
        Some((head, codes)) if codes.bytes().all(|b| b.is_ascii_digit() || b == b';') => head,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load::load_sources;

    #[test]
    fn a_canonical_address_is_shown_as_the_files_write_it() {
        let file = "version: 1\norganization: {}\nmembers:\n  Kim@Müller.example: user\n  bo@xn--mller-kva.example: user\n  ada@acme.com: admin\n";
        let document = load_sources(vec![("charter.yaml".into(), file.into())]).unwrap().document;
        let mut spellings = Spellings::default();
        spellings.learn(&document);
        for (text, shown) in [
            (
                "grant kim@xn--mller-kva.example in Prod",
                "grant Kim@Müller.example (xn--mller-kva.example) in Prod",
            ),
            ("`kim@xn--mller-kva.example`.", "`Kim@Müller.example (xn--mller-kva.example)`."),
            (
                "member/kim@xn--mller-kva.example",
                "member/Kim@Müller.example (xn--mller-kva.example)",
            ),
            (
                "\u{1b}[1mkim@xn--mller-kva.example\u{1b}[0m",
                "\u{1b}[1mKim@Müller.example (xn--mller-kva.example)\u{1b}[0m",
            ),
            // Another person, a file, and one whom the files write in A-labels.
            ("joakim@xn--mller-kva.example", "joakim@xn--mller-kva.example"),
            ("kim@xn--mller-kva.example.org", "kim@xn--mller-kva.example.org"),
            ("kim@xn--mller-kva.example.yaml:3", "kim@xn--mller-kva.example.yaml:3"),
            ("bo@xn--mller-kva.example", "bo@xn--mller-kva.example"),
        ] {
            assert_eq!(spellings.respell(text), shown);
        }
    }
}
