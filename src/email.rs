//! E-mail addresses: sent as written, compared in one canonical form.
//!
//! Invariant: two addresses are the same person exactly when their canonical forms are equal bytes. Plus-tags
//! and dots count: the API's own filter ignores them, so nothing here may rely on that filter.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::UnicodeNormalization;

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
    fn shapes_that_are_no_address_are_refused() {
        for text in
            ["", "ada", "@acme.com", "ada@", "a@b@c", "a da@acme.com", "ada@ac me.com", "a@-.-"]
        {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
    }
}
