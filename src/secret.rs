//! Holds a credential so that it cannot be printed by accident.
//!
//! Invariant: neither `Debug` nor `Display` nor serde ever shows the text; it is zeroized on drop.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A credential: an API key, a token, an identity JWT.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes the text over.
    pub fn new(text: String) -> Self {
        Self(SecretString::from(text))
    }

    /// Shows the text, to put it on the wire. Callers never store or format the result.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown_by_debug() {
        assert_eq!(format!("{:?}", Secret::new("sk-ant-admin01-x".into())), "Secret(…)");
    }
}
