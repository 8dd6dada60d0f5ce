//! Everything that can go wrong between a request and its answer, in one enum.
//!
//! Invariant: what is shown has the status, the code and the request-id if there are any, is bounded and free
//! of control characters, and never holds a credential.

mod credential;

use std::{fmt, sync::Arc, time::Duration};

use serde::Deserialize;
use serde_json::Value;

pub use self::credential::{ExchangeError, SignedInWith};
use super::{
    codes::{self, Class, Operation},
    text,
    transport::{Method, RawRequest, RawResponse, TransportError},
};

/// The request an error belongs to: method and path, without the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The method.
    pub method: Method,
    /// The path, without the query.
    pub target: String,
}

impl Asked {
    /// What `request` asks for.
    pub fn of(request: &RawRequest) -> Self {
        let path = request.target.split('?').next().unwrap_or_default();
        Self { method: request.method, target: path.to_owned() }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, text::message(&self.target))
    }
}

/// An error the API answered with.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusError {
    /// The request.
    pub asked: Asked,
    /// The HTTP status.
    pub status: u16,
    /// `error.type`; empty if there is none.
    pub error_type: String,
    /// `error.details.error_code`.
    pub code: Option<String>,
    /// `error.details`, raw.
    pub details: Option<Value>,
    /// `error.message`, fit to be shown; never matched on.
    pub message: String,
    /// The `request-id` header, else the body's.
    pub request_id: Option<String>,
    /// How long the server asked to wait.
    pub retry_after: Option<Duration>,
    /// `x-should-retry`: what the server says about sending it again.
    pub should_retry: Option<bool>,
    /// What it was signed in with, if that is known.
    pub credential: Option<Arc<SignedInWith>>,
    /// How long it waited for the request limit before it was given up.
    pub limited_for: Option<Duration>,
}

impl fmt::Display for StatusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.asked, self.status)?;
        if !self.error_type.is_empty() {
            write!(f, " {}", self.error_type)?;
        }
        if let Some(code) = &self.code {
            write!(f, " ({})", text::word(code))?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        f.write_str(&tail(self.request_id.as_ref()))
    }
}

/// Why the API could not be read or written.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ApiError {
    /// The API answered with an error.
    #[error("{0}")]
    Status(Box<StatusError>),
    /// The answer is no JSON: most often a proxy's page.
    #[error("{asked}: status {status}, but the answer is not the API's JSON: `{start}`{}", tail(.request_id.as_ref()))]
    NotJson {
        /// The request.
        asked: Asked,
        /// The HTTP status.
        status: u16,
        /// Its first characters, fit to be shown.
        start: String,
        /// The `request-id` header.
        request_id: Option<String>,
    },
    /// The answer is JSON, but not what this request is answered with.
    #[error("{asked}: unexpected answer: {why}{}", tail(.request_id.as_ref()))]
    Shape {
        /// The request.
        asked: Asked,
        /// Which field, and what is wrong with it.
        why: String,
        /// The `request-id` header.
        request_id: Option<String>,
    },
    /// A success that says something else than what was asked for.
    #[error("{asked}: the answer contradicts the request: {why}{}", tail(.request_id.as_ref()))]
    Contradicts {
        /// The request.
        asked: Asked,
        /// What was asked for and what came back.
        why: String,
        /// The `request-id` header.
        request_id: Option<String>,
    },
    /// No whole answer came back.
    #[error("{asked}: {source}")]
    Transport {
        /// The request.
        asked: Asked,
        /// Why.
        source: TransportError,
    },
    /// The API asked for a wait too long to sit out; this request was not sent.
    #[error("{asked}: not sent, since the API asked to wait {}", text::span(*.left))]
    Limited {
        /// The request.
        asked: Asked,
        /// What is left of the wait.
        left: Duration,
    },
    /// Somebody asked to stop before it was sent.
    #[error("{asked}: not sent, since charter was asked to stop")]
    Stopped {
        /// The request.
        asked: Asked,
    },
    /// Answers came from two organizations.
    #[error(
        "{asked}: an answer came from the organization `{then}`, and earlier ones from `{first}`; nothing more is sent"
    )]
    AnotherOrganization {
        /// The request.
        asked: Asked,
        /// Where the first answers came from.
        first: String,
        /// Where a later one came from.
        then: String,
    },
    /// A list does not end, or says that it goes on but not where.
    #[error("{asked}: {why}")]
    Pagination {
        /// The first page's request.
        asked: Asked,
        /// What is wrong.
        why: String,
    },
    /// The workload identity could not be exchanged for a token.
    #[error("workload identity: {}", .0.error)]
    TokenExchange(Box<ExchangeError>),
    /// The identity token was exchanged already, and names itself.
    #[error(
        "workload identity: the identity token is still the one that this run has exchanged already, and has a `jti`: it is not sent again"
    )]
    IdentityTokenTaken {
        /// It stands in a variable, so it cannot change.
        literal: bool,
    },
    /// The workload identity's own token cannot be used.
    #[error("workload identity: {0}")]
    IdentityToken(String),
    /// A path that must not be sent: an empty, `.` or `..` segment.
    #[error("the path `{0}` has an empty, `.` or `..` segment and was not sent")]
    Path(String),
}

impl ApiError {
    /// The error of an answer that is not a success.
    pub fn from_response(asked: Asked, response: &RawResponse) -> Self {
        let request_id = request_id(response);
        let Ok(Envelope { error, request_id: in_body }) = serde_json::from_slice(&response.body)
        else {
            return ApiError::NotJson {
                asked,
                status: response.status,
                start: text::start(&response.body),
                request_id,
            };
        };
        let code = error.details.as_ref().and_then(|details| details.get("error_code"));
        ApiError::Status(Box::new(StatusError {
            asked,
            status: response.status,
            error_type: text::word(&error.kind.unwrap_or_default()),
            code: code.and_then(Value::as_str).map(str::to_owned),
            message: text::message(&error.message.unwrap_or_default()),
            details: error.details,
            request_id: request_id.or_else(|| in_body.map(|id| text::word(&id))),
            retry_after: None,
            should_retry: None,
            credential: None,
            limited_for: None,
        }))
    }

    /// The HTTP status, if there was one.
    pub fn status(&self) -> Option<u16> {
        match self {
            ApiError::Status(error) => Some(error.status),
            ApiError::NotJson { status, .. } => Some(*status),
            ApiError::TokenExchange(exchange) => exchange.error.status(),
            ApiError::Shape { .. }
            | ApiError::Contradicts { .. }
            | ApiError::Transport { .. }
            | ApiError::Limited { .. }
            | ApiError::Stopped { .. }
            | ApiError::AnotherOrganization { .. }
            | ApiError::Pagination { .. }
            | ApiError::IdentityTokenTaken { .. }
            | ApiError::IdentityToken(_)
            | ApiError::Path(_) => None,
        }
    }

    /// `error.details.error_code`, if the API gave one.
    pub fn code(&self) -> Option<&str> {
        match self {
            ApiError::Status(error) => error.code.as_deref(),
            _ => None,
        }
    }

    /// The API says that the object is not there. A proxy's 404 does not count.
    pub fn is_not_found(&self) -> bool {
        matches!(self, ApiError::Status(error) if error.status == 404)
    }

    /// Somebody else changed the object at the same time.
    pub fn is_conflict(&self) -> bool {
        matches!(self, ApiError::Status(error) if error.status == 409)
    }

    /// What became of the request: the code decides, else the status, else what came in place of an answer.
    pub fn class(&self) -> Class {
        match self {
            ApiError::Status(error) => {
                codes::class(Operation::of(&error.asked), error.status, error.code.as_deref())
            }
            // A success that cannot be read.
            ApiError::NotJson { status: 200..300, .. }
            | ApiError::Shape { .. }
            | ApiError::Contradicts { .. } => Class::MaybeDone,
            ApiError::NotJson { status, .. } => codes::class(None, *status, None),
            ApiError::Transport { source, .. } => match source {
                TransportError::Lost(_) | TransportError::TooLarge(_) => Class::MaybeDone,
                TransportError::Connect(_) => Class::NothingDone,
                TransportError::Certificate(_) | TransportError::Redirect(_) => Class::Final,
            },
            ApiError::Limited { .. } | ApiError::Stopped { .. } => Class::NothingDone,
            ApiError::Pagination { .. }
            | ApiError::AnotherOrganization { .. }
            | ApiError::TokenExchange(_)
            | ApiError::IdentityTokenTaken { .. }
            | ApiError::IdentityToken(_)
            | ApiError::Path(_) => Class::Final,
        }
    }

    /// The request may have had its effect although it failed: 5xx, 408, 499, a success that cannot be read or says
    /// something else, a lost reply.
    pub fn maybe_done(&self) -> bool {
        self.class() == Class::MaybeDone
    }

    /// Whether the error has a code that is decided for this request; then neither headers nor status count.
    pub(crate) fn is_decided_by_code(&self) -> bool {
        let ApiError::Status(error) = self else { return false };
        let known = Operation::of(&error.asked).zip(error.code.as_deref());
        known.is_some_and(|(operation, code)| codes::entry(operation, error.status, code).is_some())
    }

    /// What the API says of sending the request again, if it says anything.
    pub fn should_retry(&self) -> Option<bool> {
        match self {
            ApiError::Status(error) => error.should_retry,
            _ => None,
        }
    }

    /// The API's own words, if it gave any.
    pub fn words(&self) -> Option<&str> {
        match self {
            ApiError::Status(error) if !error.message.is_empty() => Some(&error.message),
            _ => None,
        }
    }

    /// The server's id of the request, if it gave one.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            ApiError::Status(error) => error.request_id.as_deref(),
            ApiError::NotJson { request_id, .. }
            | ApiError::Shape { request_id, .. }
            | ApiError::Contradicts { request_id, .. } => request_id.as_deref(),
            ApiError::TokenExchange(exchange) => exchange.error.request_id(),
            ApiError::Transport { .. }
            | ApiError::Limited { .. }
            | ApiError::Stopped { .. }
            | ApiError::AnotherOrganization { .. }
            | ApiError::Pagination { .. }
            | ApiError::IdentityTokenTaken { .. }
            | ApiError::IdentityToken(_)
            | ApiError::Path(_) => None,
        }
    }
}

/// How a write ended, if it did not end well.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WriteError {
    /// It had no effect.
    #[error("{0}")]
    Failed(ApiError),
    /// It may have had its effect: look before anything else is done.
    #[error("the outcome is unknown: {0}")]
    Unknown(ApiError),
    /// It had its effect, as the error's code says.
    #[error("{0}")]
    Done(ApiError),
    /// Some of it had its effect, as the error's code says.
    #[error("{0}")]
    Partly(ApiError),
}

impl WriteError {
    /// What went wrong, alone.
    pub fn into_error(self) -> ApiError {
        match self {
            WriteError::Failed(error)
            | WriteError::Unknown(error)
            | WriteError::Done(error)
            | WriteError::Partly(error) => error,
        }
    }

    /// What went wrong.
    pub fn error(&self) -> &ApiError {
        match self {
            WriteError::Failed(error)
            | WriteError::Unknown(error)
            | WriteError::Done(error)
            | WriteError::Partly(error) => error,
        }
    }
}

/// The `request-id` header, fit to be shown.
pub(crate) fn request_id(response: &RawResponse) -> Option<String> {
    response.header("request-id").map(text::word).filter(|id| !id.is_empty())
}

#[derive(Deserialize)]
struct Envelope {
    error: Inner,
    #[serde(default)]
    request_id: Option<String>,
}

#[derive(Deserialize)]
struct Inner {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    details: Option<Value>,
}

fn tail(request_id: Option<&String>) -> String {
    request_id.map(|id| format!(" (request-id {id})")).unwrap_or_default()
}

#[cfg(test)]
mod tests;
