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

    /// The domain as A-labels, if it is written in other letters: the form that tells look-alikes apart.
    pub fn ascii_domain(&self) -> Option<&str> {
        let written = self.written.rsplit_once('@').map_or("", |(_, domain)| domain);
        (!written.is_ascii()).then(|| self.domain())
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
mod tests;
