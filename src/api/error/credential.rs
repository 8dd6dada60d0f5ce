//! What errors say of the credential: which one it was, and why it would not do.
//!
//! Invariant: none of it holds a credential.

use super::{ApiError, StatusError};
use crate::api::credential::CredentialKind;

/// The credential that a request was sent with, without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedInWith {
    /// The variable that it came from.
    pub source: String,
    /// What it is.
    pub kind: CredentialKind,
    /// Other credentials that are set and not used.
    pub also_set: Vec<String>,
}

impl StatusError {
    /// The API refuses it for want of a scope. No code says so, so the word in the message does; what follows from it
    /// only ever stops more.
    pub fn lacks_scope(&self) -> bool {
        self.status == 403 && self.code.is_none() && self.message.to_lowercase().contains("scope")
    }
}

/// Why an identity could not be exchanged.
#[derive(Clone, Debug, PartialEq)]
pub struct ExchangeError {
    /// What the API said, or why it said nothing.
    pub error: ApiError,
    /// The identity token has a `jti`.
    pub is_named: bool,
    /// What the API may have refused it for, as far as that can be told here.
    pub flaws: Vec<String>,
}

impl From<ApiError> for ExchangeError {
    fn from(error: ApiError) -> Self {
        Self { error, is_named: false, flaws: Vec::new() }
    }
}
