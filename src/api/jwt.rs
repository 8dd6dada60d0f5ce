//! What an identity token says of itself, for messages: read without checking its signature, which only the API can.
//!
//! Invariant: nothing here decides whether a token is sent but that one which names itself by `jti` is not exchanged
//! twice; no part of a token is shown but its audience, its times and whether it has a `jti`.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::Value;

use super::text;

/// How long a token may live for an issuer with the default `max_jwt_lifetime_seconds`.
const LONGEST_LIFE: i64 = 3_600;
/// What two clocks may differ by.
const SKEW: i64 = 30;
/// What the API is called in a token.
pub(crate) const AUDIENCE: &str = "https://api.anthropic.com";

/// What a token says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// `aud`, fit to be shown.
    pub audience: Vec<String>,
    /// `iat`, in seconds since 1970.
    pub issued_at: Option<i64>,
    /// `exp`, in seconds since 1970.
    pub expires_at: Option<i64>,
    /// `iss`; never shown.
    pub(crate) issuer: Option<String>,
    /// `sub`; never shown.
    pub(crate) subject: Option<String>,
    /// It has a `jti`, by which an issuer can tell that it was exchanged before.
    pub is_named: bool,
}

impl Claims {
    /// Reads them; `None`: it is no JWT.
    pub(crate) fn of(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
        let payload = BASE64_URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        let payload: Value = serde_json::from_slice(&payload).ok()?;
        let payload = payload.as_object()?;
        // Some issuers write fractions.
        #[allow(clippy::cast_possible_truncation, reason = "a time in seconds")]
        let seconds = |name: &str| {
            let number = payload.get(name)?;
            number.as_i64().or_else(|| number.as_f64().map(|number| number as i64))
        };
        let string = |name: &str| payload.get(name)?.as_str().map(str::to_owned);
        let audience = match payload.get("aud") {
            Some(Value::String(one)) => vec![text::word(one)],
            Some(Value::Array(all)) => {
                all.iter().filter_map(Value::as_str).take(8).map(text::word).collect()
            }
            _ => Vec::new(),
        };
        Some(Self {
            audience,
            issued_at: seconds("iat"),
            expires_at: seconds("exp"),
            issuer: string("iss"),
            subject: string("sub"),
            is_named: payload.contains_key("jti"),
        })
    }

    /// What the API would refuse it for, as far as that can be told here.
    pub(crate) fn flaws(&self, now: Timestamp) -> Vec<String> {
        let now = now.as_second();
        let mut found = Vec::new();
        if let Some(expires) = self.expires_at.filter(|expires| expires + SKEW < now) {
            let ago = text::about(Duration::from_secs((now - expires).unsigned_abs()));
            found.push(format!(
                "it expired {ago} ago by this machine's clock: give each exchange a fresh one"
            ));
        }
        if let Some(issued) = self.issued_at.filter(|issued| *issued > now + SKEW) {
            let ahead = text::about(Duration::from_secs((issued - now).unsigned_abs()));
            found.push(format!(
                "it was issued {ahead} from now by this machine's clock: check the clocks"
            ));
        }
        if let (Some(issued), Some(expires)) = (self.issued_at, self.expires_at)
            && expires - issued > LONGEST_LIFE
        {
            let life = expires - issued;
            found.push(format!(
                "it lives {life} s, and an issuer takes at most {LONGEST_LIFE} s unless its `max_jwt_lifetime_seconds` says \
                 more: raise that to {life}, or shorten the job's time limit"
            ));
        }
        if !self.audience.is_empty() && !self.audience.iter().any(|one| one == AUDIENCE) {
            found.push(format!(
                "its audience is `{}`: the rule must name it, and `{AUDIENCE}` is the usual one",
                self.audience.join("`, `")
            ));
        }
        found
    }
}

#[cfg(test)]
mod tests;
