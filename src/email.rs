//! E-mail addresses: sent as written, compared in one canonical form.
//!
//! Invariant: two addresses are the same person exactly when their canonical forms are equal bytes. Plus-tags
//! and dots count: the API's own filter ignores them, so nothing here may rely on that filter.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

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
    /// White space, control characters or angle brackets inside.
    #[error("an e-mail address cannot hold `{0}`")]
    Character(char),
    /// The part after the `@` is not a domain name.
    #[error("`{0}` is not a domain name")]
    Domain(String),
}

impl Email {
    /// Parses an address strictly, as the files want it.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let trimmed = text.trim();
        let (local, domain) = trimmed.rsplit_once('@').ok_or(EmailError::Shape)?;
        if local.is_empty() || domain.is_empty() || local.contains('@') {
            return Err(EmailError::Shape);
        }
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
            |(index, c): (usize, char)| (!is_local(c)).then(|| index + c.len_utf8());
        let foreign = |(index, c): (usize, char)| (!is_domain(c)).then_some(index);
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

/// Whether a character can be in a local part that is not quoted (RFC 5322 §3.2.3, RFC 6531 §3.3). Of other scripts,
/// letters, digits and their marks can.
fn is_local(c: char) -> bool {
    c == '.' || c.is_ascii_graphic() && !r#"()<>[]:;@\,""#.contains(c) || is_word(c)
}

/// Whether a character can be in a domain.
fn is_domain(c: char) -> bool {
    matches!(c, '.' | '-') || is_word(c)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
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
}
