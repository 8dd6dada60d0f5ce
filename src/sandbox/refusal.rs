//! A request that the organization refuses, as the API's error envelope shows it.
//!
//! Invariant: a handler that returns a refusal has changed nothing.

use serde_json::{Map, Value, json};

/// One typed error: status, `error.type`, message and the optional `error.details`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    kind: &'static str,
    message: String,
    details: Map<String, Value>,
}

impl Refusal {
    /// Any status, with the `error.type` that the API pairs with it.
    pub(crate) fn status(status: u16, message: impl Into<String>) -> Self {
        Self { status, kind: kind_of(status), message: message.into(), details: Map::new() }
    }

    /// 400: a rule is broken.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::status(400, message)
    }

    /// 403.
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::status(403, message)
    }

    /// 404.
    pub(crate) fn not_found(what: impl std::fmt::Display) -> Self {
        Self::status(404, format!("{what} not found"))
    }

    /// 409.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::status(409, message)
    }

    /// Adds `error.details.error_code`.
    pub(crate) fn code(self, code: &str) -> Self {
        self.detail("error_code", json!(code))
    }

    /// Adds one more member of `error.details`.
    pub(crate) fn detail(mut self, key: &str, value: Value) -> Self {
        self.details.insert(key.to_owned(), value);
        self
    }

    /// The body on the wire.
    pub(crate) fn envelope(&self, request_id: &str) -> Value {
        let mut error = json!({"type": self.kind, "message": self.message});
        if !self.details.is_empty() {
            error["details"] = Value::Object(self.details.clone());
        }
        json!({"type": "error", "error": error, "request_id": request_id})
    }
}

/// By the contract, which pairs neither 409 nor 413 with a type of its own.
fn kind_of(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        504 => "timeout_error",
        503 | 529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}
