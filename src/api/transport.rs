//! One HTTP exchange as plain data, and the seam every real or fake network hides behind.
//!
//! Invariant: a `RawRequest` carries no credential until the client adds it, and its `Debug` shows no header values.

use std::{fmt, future::Future, pin::Pin};

use bytes::Bytes;

/// A boxed future, as the object-safe traits here return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The methods the Admin API knows.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    Get,
    /// Creates and updates.
    Post,
    /// Removes.
    Delete,
}

impl Method {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A request before it meets a transport.
#[derive(Clone)]
pub struct RawRequest {
    /// The method.
    pub method: Method,
    /// Path and query, percent-encoded, from the first `/` after the base URL's own path.
    pub target: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body; `None` sends none (`Content-Length: 0` on a POST).
    pub body: Option<Bytes>,
}

impl fmt::Debug for RawRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.target)
    }
}

/// A response with its whole body.
#[derive(Clone)]
pub struct RawResponse {
    /// The status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl RawResponse {
    /// The first value of a header (`name` in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for RawResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.status, self.body.len())
    }
}

/// Why no whole response came back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No connection was made, so nothing was sent: safe to send again.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The certificate was refused: never retried.
    #[error("the server's certificate was refused: {0}")]
    Certificate(String),
    /// The connection broke, or time ran out, after the request may have been seen.
    #[error("the reply was lost: {0}")]
    Lost(String),
    /// The body was longer than the client accepts.
    #[error("the reply is longer than {0} bytes")]
    TooLarge(usize),
    /// The server answered with a redirect, which is never followed.
    #[error("the server redirects to `{0}`")]
    Redirect(String),
}

/// Sends one request and returns its whole response; no retries, no limits, no credentials.
pub trait Transport: Send + Sync {
    /// Sends it.
    fn send(&self, request: RawRequest) -> BoxFuture<'_, Result<RawResponse, TransportError>>;

    /// The base URL that it sends to; empty: no host.
    fn base(&self) -> String {
        String::new()
    }

    /// Closes connections that carry no request: nothing is sent for a while.
    fn rest(&self) {}
}
