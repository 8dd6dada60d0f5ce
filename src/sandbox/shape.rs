//! The shape of a request: what rules of failure and scripts wait for.
//!
//! Invariant: a shape looks at method and path only, never at the query.

use globset::{GlobBuilder, GlobMatcher};

use crate::api::transport::Method;

/// A method, or any, and a pattern for the path.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    method: String,
    path: GlobMatcher,
}

impl Shape {
    /// Reads `POST /v1/organizations/users/*`: method `*` is any, `*` one segment, `**` the rest.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (method, pattern) = text
            .split_once(' ')
            .filter(|(method, path)| {
                matches!(*method, "*" | "GET" | "POST" | "DELETE") && path.starts_with('/')
            })
            .ok_or_else(|| {
                format!(
                    "`{text}` matches nothing; write a method (GET, POST, DELETE or *) and a path, \
                     such as `POST /v1/organizations/invites`"
                )
            })?;
        let path = GlobBuilder::new(pattern)
            .literal_separator(true)
            .build()
            .map_err(|error| format!("`{text}` is no pattern: {error}"))?
            .compile_matcher();
        Ok(Self { method: method.to_owned(), path })
    }

    /// Whether a request has it.
    pub(crate) fn fits(&self, method: Method, target: &str) -> bool {
        let path = target.split('?').next().unwrap_or_default();
        (self.method == "*" || self.method == method.as_str()) && self.path.is_match(path)
    }
}
