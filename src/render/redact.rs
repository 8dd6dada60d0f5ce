//! Replaces e-mails, names and key hints by pseudonyms, so that a plan can be shown where people must not be named.
//!
//! Invariant: the same original gives the same pseudonym under the same key, everywhere; without the key nobody can
//! tell which original it was, not even by trying; what stands in a message is replaced as well as what has a field.

mod files;
mod objects;
mod plan;
mod policy;
mod words;

use std::{borrow::Cow, cell::OnceCell, collections::BTreeMap};

use aho_corasick::AhoCorasick;
use aws_lc_rs::hmac;

use self::words::{is_word, mails};
use crate::{
    diagnostic::{Diagnostic, Span},
    email::Email,
    resource::workspace::{CLAUDE_CODE, DEFAULT},
    secret::Secret,
};

/// The fewest bytes of a key: with fewer, whoever knows the addresses could find it by trying.
pub const SHORTEST_KEY: usize = 16;
/// The domain of pseudonyms of people; nothing is ever sent to it (RFC 2606).
const DOMAIN: &str = "redacted.invalid";

/// A key that is too short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key for pseudonyms has {0} bytes, and needs {SHORTEST_KEY}")]
pub struct ShortKey(pub usize);

/// What an original is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// An e-mail address.
    Mail,
    /// A person's name.
    Name,
    Workspace,
    Key,
    Hint,
    Team,
    Organization,
    /// Free text of the files: notes and reasons.
    Note,
    /// The name of a rule or test that the files make up.
    Rule,
}

impl Class {
    fn as_str(self) -> &'static str {
        match self {
            Class::Mail => "person",
            Class::Name => "name",
            Class::Workspace => "workspace",
            Class::Key => "key",
            Class::Hint => "hint",
            Class::Team => "team",
            Class::Organization => "organization",
            Class::Note => "note",
            Class::Rule => "rule",
        }
    }
}

/// Knows originals and their pseudonyms.
pub struct Redactor {
    key: hmac::Key,
    /// Originals met so far.
    known: BTreeMap<String, String>,
    /// First parts of addresses, in lower case: they are names only where a value stands by itself.
    locals: BTreeMap<String, String>,
    /// Finds them; made when it is first needed after new ones were met.
    finder: OnceCell<Option<Finder>>,
}

struct Finder {
    automaton: AhoCorasick,
    /// Pseudonyms, in the order of the automaton's patterns.
    pseudonyms: Vec<String>,
    /// Pseudonyms by what is left of an original without case and punctuation, as file names are made of names.
    folded: BTreeMap<String, String>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor(…, {} known)", self.known.len())
    }
}

impl Redactor {
    /// With a key.
    ///
    /// # Errors
    /// If the key is too short to keep anything hidden.
    pub fn new(key: &Secret) -> Result<Self, ShortKey> {
        let key = key.expose().as_bytes();
        if key.len() < SHORTEST_KEY {
            return Err(ShortKey(key.len()));
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        Ok(Self { key, known: BTreeMap::new(), locals: BTreeMap::new(), finder: OnceCell::new() })
    }

    /// Findings without their originals.
    pub fn diagnostics(&mut self, found: &[Diagnostic]) -> Vec<Diagnostic> {
        found.iter().map(|one| self.diagnostic(one)).collect()
    }

    /// Free text without any original that is known, nor anything that looks like an e-mail address.
    pub fn text(&self, text: &str) -> String {
        self.replaced(text, |_| true)
    }

    /// The last net, over what is about to be printed: it holds nothing that is an original and cannot be a word of
    /// the format itself.
    pub fn sweep(&self, printed: &str) -> String {
        self.replaced(printed, |original| !is_word(original))
    }

    fn diagnostic(&mut self, one: &Diagnostic) -> Diagnostic {
        let Diagnostic { code, severity, message, span, related, help, recent } = one;
        Diagnostic {
            // A rule of the files gives its own name to its code.
            code: match code.strip_prefix("policy/") {
                Some(rule) => format!("policy/{}", self.text(rule)).into(),
                None => code.clone(),
            },
            severity: *severity,
            message: self.text(message),
            span: span.as_ref().map(|span| self.span(span)),
            related: related
                .iter()
                .map(|(span, words)| (self.span(span), self.text(words)))
                .collect(),
            help: help.as_ref().map(|help| self.text(help)),
            recent: *recent,
        }
    }

    fn span(&self, span: &Span) -> Span {
        let Span { file, line, column, bytes } = span;
        Span { file: self.path(file).into(), line: *line, column: *column, bytes: *bytes }
    }

    /// A path without originals. It may name people and workspaces (`workspaces/production.yaml`); then it points nowhere
    /// any more.
    pub fn path(&self, path: &str) -> String {
        let part = |part: &str| {
            let (stem, rest) = part.split_at(part.find('.').unwrap_or(part.len()));
            let same = self.finder().and_then(|finder| finder.folded.get(&folded(stem)));
            match same {
                Some(pseudonym) => format!("{pseudonym}{rest}"),
                None => self.text(part),
            }
        };
        path.split('/').map(part).collect::<Vec<_>>().join("/")
    }

    /// A value that somebody chose: a tag may be the first part of somebody's address.
    fn chosen(&self, text: &str) -> String {
        match self.locals.get(&text.to_lowercase()) {
            Some(pseudonym) => pseudonym.clone(),
            None => self.text(text),
        }
    }

    /// The pseudonym of an address, whatever way it is written.
    fn mail(&mut self, text: &str) -> String {
        let pseudonym = self.mail_pseudonym(text);
        self.meet(text, &pseudonym);
        let canonical = Email::lenient(text).canonical().clone();
        self.meet(&canonical, &pseudonym);
        let local = Email::lenient(text).local().to_lowercase();
        self.locals.entry(local).or_insert_with(|| pseudonym.clone());
        pseudonym
    }

    fn mail_pseudonym(&self, text: &str) -> String {
        // A pseudonym is none of somebody; more may hang on it, as in the name of a rule.
        if text.contains(&format!("@{DOMAIN}")) {
            return text.to_owned();
        }
        let email = Email::lenient(text);
        format!("{}@{DOMAIN}", self.pseudonym(Class::Mail, email.canonical()))
    }

    /// The pseudonym of a name.
    fn name(&mut self, class: Class, text: &str) -> String {
        let reserved = class == Class::Workspace && [DEFAULT, CLAUDE_CODE].contains(&text);
        if text.is_empty() || reserved {
            return text.to_owned();
        }
        if text.contains('@') && !text.contains(char::is_whitespace) {
            return self.mail(text);
        }
        let pseudonym = self.pseudonym(class, text);
        self.meet(text, &pseudonym);
        pseudonym
    }

    fn pseudonym(&self, class: Class, text: &str) -> String {
        let class = class.as_str();
        let tag = hmac::sign(&self.key, format!("{class}\0{text}").as_bytes());
        let mut pseudonym = format!("{class}-");
        pseudonym.extend(tag.as_ref().iter().take(6).map(|byte| format!("{byte:02x}")));
        pseudonym
    }

    fn meet(&mut self, original: &str, pseudonym: &str) {
        // What has no letter would be found in every line.
        let tells = original != pseudonym && original.chars().any(char::is_alphanumeric);
        if tells && !self.known.contains_key(original) {
            self.known.insert(original.to_owned(), pseudonym.to_owned());
            self.finder = OnceCell::new();
        }
    }

    fn finder(&self) -> Option<&Finder> {
        let make = || {
            let automaton = AhoCorasick::new(self.known.keys()).ok()?;
            let pairs = || self.known.iter();
            Some(Finder {
                automaton,
                pseudonyms: pairs().map(|(_, pseudonym)| pseudonym.clone()).collect(),
                folded: pairs()
                    .map(|(name, pseudonym)| (folded(name), pseudonym.clone()))
                    .collect(),
            })
        };
        self.finder.get_or_init(make).as_ref()
    }

    /// The text with pseudonyms for the known originals that are chosen (of those that overlap, for the first and
    /// longest), and for what looks like an address.
    fn replaced(&self, text: &str, chosen: impl Fn(&str) -> bool) -> String {
        let Some(Finder { automaton, pseudonyms, folded: _ }) = self.finder() else {
            // So many originals that none can be found: better nothing than a name.
            return "(redacted)".to_owned();
        };
        let mut found: Vec<_> = automaton
            .find_overlapping_iter(text)
            .filter(|found| stands_alone(text, found.start(), found.end()))
            .filter(|found| chosen(&text[found.range()]))
            .collect();
        found.sort_by_key(|found| (found.start(), std::cmp::Reverse(found.end())));
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for found in found {
            if found.start() >= at {
                out.push_str(&self.without_mails(&text[at..found.start()]));
                out.push_str(&pseudonyms[found.pattern().as_usize()]);
                at = found.end();
            }
        }
        out.push_str(&self.without_mails(&text[at..]));
        out
    }

    fn without_mails<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let found = mails(text);
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for range in found {
            out.push_str(&text[at..range.start]);
            out.push_str(&self.mail_pseudonym(&text[range.clone()]));
            at = range.end;
        }
        out.push_str(&text[at..]);
        Cow::Owned(out)
    }
}

fn folded(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether what stands at these bytes is not a part of a longer word.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let joins = |left: Option<char>, right: Option<char>| {
        let in_word = |letter: char| letter.is_ascii_alphanumeric();
        left.is_some_and(in_word) && right.is_some_and(in_word)
    };
    let (head, tail) = (text[..start].chars().next_back(), text[end..].chars().next());
    let inner = &text[start..end];
    !joins(head, inner.chars().next()) && !joins(inner.chars().next_back(), tail)
}

#[cfg(test)]
mod tests;
