//! Every request that came, so that a test can say "exactly these calls were made".
//!
//! Invariant: no secret stands in it: of a credential only its kind is kept, of an identity token nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::api::transport::Method;

/// What kind of credential came with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// An Admin API key.
    AdminKey,
    /// A personal or service-account key with organization scope.
    OrganizationKey,
    /// A Claude Enterprise key with fixed scopes.
    ScopedKey,
    /// A key that is bound to a workspace.
    WorkspaceKey,
    /// An OAuth token.
    Token,
    /// Something nobody knows.
    Unknown,
    /// None.
    None,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Counted from 1 since the log was last cleared.
    pub number: u64,
    /// When, by the organization's clock.
    pub at: Timestamp,
    /// The method.
    pub method: Method,
    /// Path and query as they came.
    pub target: String,
    /// The route's pattern, such as `/v1/organizations/users/{user_}`; `None` if no route matched.
    pub route: Option<&'static str>,
    /// The body, if it was JSON; an assertion is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The kind of credential.
    pub credential: CredentialKind,
    /// The status that was sent; 0 if the connection was closed instead.
    pub status: u16,
    /// Whether the organization carried the request out (a reply may still have been lost).
    pub done: bool,
    /// The fault that struck it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<&'static str>,
}

impl Entry {
    /// `POST /v1/organizations/invites {"email":…}`, to compare with the calls of a plan.
    pub fn call(&self) -> String {
        match &self.body {
            Some(body) => format!("{} {} {body}", self.method, self.target),
            None => format!("{} {}", self.method, self.target),
        }
    }
}

/// The request log.
#[derive(Clone, Debug, Default)]
pub struct Log(Vec<Entry>);

impl Log {
    /// Every request, in order of arrival.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// The requests that may change something (`POST` and `DELETE` on the organization), in order.
    pub fn writes(&self) -> impl Iterator<Item = &Entry> {
        self.0
            .iter()
            .filter(|entry| entry.method != Method::Get && !entry.target.starts_with("/v1/oauth/"))
    }

    /// The writes as text, in order.
    pub fn calls(&self) -> Vec<String> {
        self.writes().map(Entry::call).collect()
    }

    /// How many requests read each route.
    pub fn reads(&self) -> BTreeMap<&'static str, usize> {
        let mut out = BTreeMap::new();
        let gets = self.0.iter().filter(|entry| entry.method == Method::Get);
        for route in gets.filter_map(|entry| entry.route) {
            *out.entry(route).or_default() += 1;
        }
        out
    }

    /// How many requests came, reads and token exchanges included.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none came.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets what came so far.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn push(&mut self, mut entry: Entry) {
        entry.number = self.0.len() as u64 + 1;
        if let Some(assertion) = entry.body.as_mut().and_then(|body| body.get_mut("assertion")) {
            *assertion = Value::from("…");
        }
        self.0.push(entry);
    }
}
