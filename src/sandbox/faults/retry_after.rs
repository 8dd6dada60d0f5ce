//! The wait that a 429 asks for, in each form that servers use.
//!
//! Invariant: an HTTP date is told by the organization's own clock, as its `Date` header is.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::sandbox::clock;

/// The wait that a 429 names; none of them, and the reply names none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryAfter {
    /// `retry-after` in seconds, whole or fractional.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// `retry-after` as the HTTP date so many seconds from now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_in: Option<u64>,
    /// `retry-after-ms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub milliseconds: Option<u64>,
}

impl RetryAfter {
    /// In seconds.
    pub fn seconds(seconds: f64) -> Self {
        Self { seconds: Some(seconds), ..Self::default() }
    }

    /// As an HTTP date.
    pub fn date_in(seconds: u64) -> Self {
        Self { date_in: Some(seconds), ..Self::default() }
    }

    /// In `retry-after-ms`.
    pub fn milliseconds(milliseconds: u64) -> Self {
        Self { milliseconds: Some(milliseconds), ..Self::default() }
    }

    pub(super) fn headers(self, now: Timestamp) -> Vec<(String, String)> {
        let Self { seconds, date_in, milliseconds } = self;
        let mut headers = Vec::new();
        if let Some(seconds) = seconds {
            headers.push(("retry-after".to_owned(), seconds.to_string()));
        }
        if let Some(wait) = date_in {
            let at = clock::add(now, Duration::from_secs(wait));
            headers.push(("retry-after".to_owned(), http_date(at)));
        }
        if let Some(milliseconds) = milliseconds {
            headers.push(("retry-after-ms".to_owned(), milliseconds.to_string()));
        }
        headers
    }
}

/// An instant as the `Date` header shows it.
pub(crate) fn http_date(at: Timestamp) -> String {
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap_or_default()
}
