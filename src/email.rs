//! E-mail addresses: sent as written, compared in one canonical form.
//!
//! Invariant: two addresses are the same person exactly when their canonical forms are equal bytes. Plus-tags
//! and dots count: the API's own filter ignores them, so nothing here may rely on that filter.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::UnicodeNormalization;

use crate::characters::{self, Class};

/// An e-mail address, as written and in canonical form.
#[derive(Clone, Debug)]
pub struct Email {
    written: Arc<str>,
    canonical: Arc<str>,
}

/// Why a text is not an e-mail address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// Nothing before or after the `@`, or none at all.
    #[error("an e-mail address needs one `@` with text on both sides")]
    Shape,
    /// A character that no unquoted address has.
    #[error("an e-mail address cannot hold {}", characters::named(*.0))]
    Character(char),
    /// The address is written as a link.
    #[error("`mailto:` is not part of the address")]
    Scheme,
    /// A dot at either end of a part, or two in a row.
    #[error("a dot needs text on both sides")]
    Dot,
    /// The part after the `@` is not a domain name.
    #[error("`{0}` is not a domain name")]
    Domain(String),
    /// The domain is a single word.
    #[error("the domain `{0}` has no dot")]
    NoDot(String),
}

impl Email {
    /// Parses an address strictly, as the files want it. What is accepted can be sent as it is written, and is the
    /// address that a reader sees.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let trimmed = text.trim();
        if trimmed.get(..7).is_some_and(|head| head.eq_ignore_ascii_case("mailto:")) {
            return Err(EmailError::Scheme);
        }
        let (local, domain) = parts(trimmed)?;
        check_local(local)?;
        let ascii = check_domain(domain)?;
        Ok(Self::assemble(trimmed, local, &ascii))
    }

    /// Parses what versions before this one took for an address. The base of a pull request may still hold it.
    pub fn parse_legacy(text: &str) -> Result<Self, EmailError> {
        let trimmed = text.trim();
        let (local, domain) = parts(trimmed)?;
        if let Some(bad) = trimmed.chars().find(|c| {
            c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | ';' | '"')
        }) {
            return Err(EmailError::Character(bad));
        }
        let domain_ascii = idna::domain_to_ascii_strict(domain)
            .map_err(|_| EmailError::Domain(domain.to_owned()))?;
        Ok(Self::assemble(trimmed, local, &domain_ascii))
    }

    /// Takes whatever the API says: an odd address still gets a canonical form, and never an error.
    pub fn lenient(text: &str) -> Self {
        let trimmed = text.trim();
        match trimmed.rsplit_once('@') {
            Some((local, domain)) => {
                let ascii =
                    idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_ascii_lowercase());
                Self::assemble(trimmed, local, &ascii)
            }
            None => {
                let canonical: String = trimmed.to_ascii_lowercase().nfc().collect();
                Self { written: trimmed.into(), canonical: canonical.into() }
            }
        }
    }

    /// The address as written (trimmed): what is sent.
    pub fn as_written(&self) -> &str {
        &self.written
    }

    /// The form that is compared: ASCII lower case, local part in NFC, domain as A-labels.
    pub fn canonical(&self) -> &Arc<str> {
        &self.canonical
    }

    /// The canonical part before the `@`.
    pub fn local(&self) -> &str {
        self.canonical.rsplit_once('@').map_or(&*self.canonical, |(local, _)| local)
    }

    /// The canonical part after the `@`.
    pub fn domain(&self) -> &str {
        self.canonical.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The domain as A-labels, if it is written in other letters: the form that tells look-alikes apart.
    pub fn ascii_domain(&self) -> Option<&str> {
        let written = self.written.rsplit_once('@').map_or("", |(_, domain)| domain);
        (!written.is_ascii()).then(|| self.domain())
    }

    /// The addresses inside this one that end or begin beside a character which no local part and no domain has, in
    /// canonical form: what was meant, if the character was pasted along.
    pub fn contained(&self) -> Vec<String> {
        // As written: the canonical domain hides a quote in an A-label.
        let Some((local, domain)) = self.written.rsplit_once('@') else { return Vec::new() };
        let after_foreign =
            |(index, c): (usize, char)| (!is_local_character(c)).then(|| index + c.len_utf8());
        let foreign = |(index, c): (usize, char)| (!is_domain_character(c)).then_some(index);
        let starts: Vec<usize> =
            [0].into_iter().chain(local.char_indices().filter_map(after_foreign)).collect();
        let ends: Vec<usize> =
            domain.char_indices().filter_map(foreign).chain([domain.len()]).collect();
        let whole = (0, domain.len());
        starts
            .iter()
            .flat_map(|start| ends.iter().map(move |end| (*start, *end)))
            .filter(|part| *part != whole && part.0 < local.len() && part.1 > 0)
            .map(|(start, end)| format!("{}@{}", &local[start..], &domain[..end]))
            .map(|text| Email::lenient(&text).canonical.to_string())
            .collect()
    }

    fn assemble(written: &str, local: &str, domain_ascii: &str) -> Self {
        let mut canonical: String = if local.is_ascii() {
            local.to_ascii_lowercase()
        } else {
            local.to_ascii_lowercase().nfc().collect()
        };
        canonical.push('@');
        canonical.push_str(&domain_ascii.to_ascii_lowercase());
        let canonical: Arc<str> = canonical.into();
        let written =
            if *canonical == *written { Arc::clone(&canonical) } else { Arc::from(written) };
        Self { written, canonical }
    }
}

/// The parts around the one `@`.
fn parts(text: &str) -> Result<(&str, &str), EmailError> {
    let (local, domain) = text.rsplit_once('@').ok_or(EmailError::Shape)?;
    if local.is_empty() || domain.is_empty() || local.contains('@') {
        return Err(EmailError::Shape);
    }
    Ok((local, domain))
}

/// Whether a character can be in an unquoted local part. Of the ASCII signs that RFC 5322 allows, brackets,
/// backticks and the wildcards of patterns are refused: where they come up, they were put around an address, or mean
/// many. Beyond ASCII there are words only, as in domains: no quotes, brackets, dashes or symbols.
pub fn is_local_character(c: char) -> bool {
    match c {
        c if c.is_ascii_alphanumeric() => true,
        '.' | '!' | '#' | '$' | '%' | '&' | '\'' | '+' | '-' | '/' | '=' | '^' | '_' | '|'
        | '~' => true,
        c => !c.is_ascii() && is_word(c),
    }
}

/// Whether a character can be in a domain as people write it: letters, digits and what separates them.
pub fn is_domain_character(c: char) -> bool {
    match c {
        c if c.is_ascii() => c.is_ascii_alphanumeric() || c == '-' || c == '.',
        // The full stops that IDNA reads as a dot, and the middle dots of Catalan and Japanese.
        '\u{3002}' | '\u{ff0e}' | '\u{ff61}' | '\u{b7}' | '\u{30fb}' => true,
        c => is_word(c),
    }
}

fn is_word(c: char) -> bool {
    characters::class(c) == Class::Word && !characters::is_invisible(c)
}

fn check_local(local: &str) -> Result<(), EmailError> {
    if let Some(bad) = local.chars().find(|c| !is_local_character(*c)) {
        return Err(EmailError::Character(bad));
    }
    // An apostrophe is part of a name; at an end it is a quotation mark.
    if local.starts_with('\'') || local.ends_with('\'') {
        return Err(EmailError::Character('\''));
    }
    if local.split('.').any(str::is_empty) {
        return Err(EmailError::Dot);
    }
    Ok(())
}

/// The domain as A-labels.
fn check_domain(domain: &str) -> Result<String, EmailError> {
    if let Some(bad) = domain.chars().find(|c| !is_domain_character(*c)) {
        return Err(EmailError::Character(bad));
    }
    if domain.split(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}']).any(str::is_empty) {
        return Err(EmailError::Dot);
    }
    let ascii =
        idna::domain_to_ascii_strict(domain).map_err(|_| EmailError::Domain(domain.to_owned()))?;
    match ascii.rsplit_once('.') {
        None => Err(EmailError::NoDot(domain.to_owned())),
        // The end of an IP address, which is no name.
        Some((_, last)) if last.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(EmailError::Domain(domain.to_owned()))
        }
        Some(_) => Ok(ascii),
    }
}

impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }
}

impl Eq for Email {}

impl PartialOrd for Email {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Email {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.canonical.cmp(&other.canonical)
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl schemars::JsonSchema for Email {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Email".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

impl Serialize for Email {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.written)
    }
}

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Email::lenient(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        Email::parse(text).unwrap().canonical().to_string()
    }

    #[test]
    fn case_white_space_and_unicode_domains_do_not_tell_people_apart() {
        assert_eq!(canonical(" Ada@ACME.com "), "ada@acme.com");
        assert_eq!(canonical("jo@bücher.example"), "jo@xn--bcher-kva.example");
        assert_eq!(
            Email::lenient("JO@BÜCHER.example"),
            Email::parse("jo@xn--bcher-kva.example").unwrap()
        );
    }

    #[test]
    fn plus_tags_dots_and_non_ascii_case_do() {
        assert_ne!(canonical("a.da@acme.com"), canonical("ada@acme.com"));
        assert_ne!(canonical("ada+x@acme.com"), canonical("ada@acme.com"));
        assert_ne!(canonical("Ünal@acme.com"), canonical("ünal@acme.com"));
        assert_eq!(canonical("u\u{308}nal@acme.com"), canonical("\u{fc}nal@acme.com"));
    }

    #[test]
    fn what_is_written_is_kept_for_sending() {
        let email = Email::parse(" Ada@ACME.com ").unwrap();
        assert_eq!(email.as_written(), "Ada@ACME.com");
    }

    #[test]
    fn an_address_inside_another_is_seen_only_beside_what_no_address_has() {
        let contained = |text: &str| Email::lenient(text).contained();
        for text in ["\u{201c}kim@acme.com\u{201d}", "\u{2022}kim@acme.com", "mailto:kim@acme.com"]
        {
            assert!(contained(text).contains(&"kim@acme.com".to_owned()), "{text}");
        }
        assert_eq!(contained("Kim@acme.com)"), ["kim@acme.com"]);
        for text in
            ["joakim@acme.com", "o'brien@acme.com", "k.i-m+x@acme.com", "j\u{f6}kim@acme.com"]
        {
            assert_eq!(contained(text), Vec::<String>::new(), "{text}");
        }
        assert_eq!(contained("e\u{301}x\u{301}kim@acme.com.au"), Vec::<String>::new());
        assert_eq!(contained("nobody"), Vec::<String>::new());
    }

    #[test]
    fn shapes_that_are_no_address_are_refused() {
        for text in
            ["", "ada", "@acme.com", "ada@", "a@b@c", "a da@acme.com", "ada@ac me.com", "a@-.-"]
        {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn marks_put_around_an_address_never_become_part_of_it() {
        for text in [
            "“kim@acme.com”",
            "„kim@acme.com“",
            "«kim@acme.com»",
            "‘kim@acme.com’",
            "'kim@acme.com'",
            "'kim@acme.com",
            "kim'@acme.com",
            "`kim@acme.com`",
            "´kim@acme.com´",
            "ʼkim@acme.com",
            "「kim@acme.com」",
            "(kim@acme.com)",
            "（kim@acme.com）",
            "[kim@acme.com]",
            "{kim@acme.com}",
            "⟨kim@acme.com⟩",
            "<kim@acme.com>",
            "kim(at work)@acme.com",
            "to:kim@acme.com",
            "*@acme.com",
            "k?m@acme.com",
            "kim@acme.com)",
            "kim@acme.com.",
            ".kim@acme.com",
            "kim.@acme.com",
            "ki..m@acme.com",
            "kim@.acme.com",
            "kim@acme..com",
            "kim@acme。。com",
            "kim@acme",
            "kim@10.0.0.1",
            "kim\\@acme.com",
            "kim–doe@acme.com",
            "k\u{a0}im@acme.com",
            "kim@acme.com›",
            "•kim@acme.com",
            "kim@i❤.ws",
            "kim\u{200b}@acme.com",
            "kim@ac\u{ad}me.com",
            "kim\u{fe0f}@acme.com",
            "👩\u{200d}💻@acme.com",
            "k\u{2800}m@acme.com",
            "kim@acme.com\u{3164}",
            "kim@ac\u{34f}me.com",
            "kim\u{e0100}@acme.com",
            "k\u{115f}m@acme.com",
            "k\u{180b}m@acme.com",
            "k\u{ffa0}m@acme.com",
        ] {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
        assert_eq!(Email::parse("mailto:kim@acme.com").unwrap_err(), EmailError::Scheme);
        assert_eq!(Email::parse("kim@acme").unwrap_err(), EmailError::NoDot("acme".into()));
        let quoted = Email::parse("“kim@acme.com”").unwrap_err();
        assert_eq!(quoted.to_string(), "an e-mail address cannot hold `“` (`U+201C`)");
        let blank = Email::parse("k\u{a0}im@acme.com").unwrap_err();
        assert_eq!(blank.to_string(), "an e-mail address cannot hold `U+00A0`");
    }

    #[test]
    fn addresses_that_people_have_stay_addresses() {
        for text in [
            "o'brien@acme.com",
            "joe.doe+claude@sub.acme.co.uk",
            "joe_doe-1@acme.com",
            "_kim@acme.com",
            "kim=acme.com@lists.acme.com",
            "a/b!c#d$e%f&g^h|i~j@acme.com",
            "ünal@bücher.example",
            "пользователь@пример.com",
            "用户@例子.公司",
            "kim@acme。com",
            "kim@xn--bcher-kva.example",
            "kim@col·lecció.cat",
            "आरव@उदाहरण.भारत",
            "u\u{308}nal@acme.com",
        ] {
            assert!(Email::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_domain_in_other_letters_has_its_ascii_form() {
        let mixed = Email::parse("kim@\u{430}cme.com").unwrap();
        assert_eq!(mixed.ascii_domain(), Some("xn--cme-5cd.com"));
        assert_eq!(Email::parse("ünal@acme.com").unwrap().ascii_domain(), None);
    }

    #[test]
    fn what_is_newly_refused_was_an_address_before() {
        for text in ["“kim@acme.com”", "mailto:kim@acme.com", "kim@acme", "*@acme.com"] {
            assert!(Email::parse_legacy(text).is_ok(), "{text}");
        }
        assert!(Email::parse_legacy("ada").is_err());
    }
}
