//! Ceilings of the organization, and the server's own rate limit.
//!
//! Invariant: a request that the meter refuses is not counted unless its bucket says so, so waiting as told lets the
//! next one through.

use std::{collections::VecDeque, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::clock;
use crate::api::transport::Method;

/// Ceilings; those that are absent do not bind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Active workspaces.
    pub workspaces: usize,
    /// Seats: members and pending invites.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seats: Option<usize>,
    /// Members of one workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_members: Option<usize>,
    /// Active keys of the organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_api_keys: Option<usize>,
    /// Active keys of one workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_api_keys: Option<usize>,
    /// Domains that may be invited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_domains: Option<Vec<String>>,
    /// Requests in any 60 seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<usize>,
    /// Invites created in any hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invites_per_hour: Option<usize>,
    /// A token bucket for all requests, in place of, or beside, the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<Bucket>,
}

/// A token bucket: each request takes a token, and one that finds none is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// The most tokens that it holds; it begins full.
    pub capacity: u32,
    /// Tokens that come in a minute.
    pub per_minute: u32,
    /// Tokens that another client takes in a minute, before anybody else gets one.
    #[serde(default)]
    pub others_per_minute: u32,
    /// `retry-after-ms` of a refusal; absent: `retry-after`, in whole seconds until the next token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// A refused request takes a token too, if there is a part of one.
    #[serde(default)]
    pub counts_refused: bool,
}

impl Bucket {
    /// Tokens a second that are left for this organization's requests.
    fn rate(&self) -> f64 {
        (f64::from(self.per_minute) - f64::from(self.others_per_minute)) / 60.0
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            workspaces: 100,
            seats: None,
            workspace_members: None,
            organization_api_keys: None,
            workspace_api_keys: None,
            email_domains: None,
            requests_per_minute: None,
            invites_per_hour: None,
            bucket: None,
        }
    }
}

/// When the requests of the last minute and the invites of the last hour came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter {
    requests: VecDeque<Timestamp>,
    invites: VecDeque<Timestamp>,
    /// Tokens in the bucket, and when there were so many.
    tokens: Option<(f64, Timestamp)>,
}

/// What the meter says of a request.
pub(crate) struct Reading {
    /// How long to wait, if it is refused.
    pub(crate) wait: Option<Wait>,
    /// Limit, remaining, and when the oldest request leaves the window.
    pub(crate) headers: (usize, usize, Timestamp),
}

/// A wait, and the header that says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// `retry-after`, in whole seconds.
    Seconds(u128),
    /// `retry-after-ms`.
    Milliseconds(u64),
}

/// What headers say when nothing is limited here.
const DOCUMENTED_PER_MINUTE: usize = 100;
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

impl Meter {
    /// Counts a request, or says how long it has to wait.
    pub(crate) fn count(
        &mut self,
        limits: &Limits,
        now: Timestamp,
        method: Method,
        path: &str,
    ) -> Reading {
        let invite = method == Method::Post && path == "/v1/organizations/invites";
        forget(&mut self.requests, now, MINUTE);
        forget(&mut self.invites, now, HOUR);
        let too_many = |stamps: &VecDeque<Timestamp>, limit: Option<usize>, window| {
            let oldest = stamps.front().filter(|_| limit.is_some_and(|max| stamps.len() >= max))?;
            Some(clock::add(*oldest, window).duration_since(now).unsigned_abs())
        };
        let wait = too_many(&self.requests, limits.requests_per_minute, MINUTE)
            .max(too_many(&self.invites, limits.invites_per_hour, HOUR).filter(|_| invite));
        if let Some(bucket) = &limits.bucket
            && wait.is_none()
        {
            let (wait, remaining, full_in) = self.take_token(bucket, now);
            let limit = usize::try_from(bucket.capacity).unwrap_or(usize::MAX);
            if wait.is_none() && invite && limits.invites_per_hour.is_some() {
                self.invites.push_back(now);
            }
            return Reading { wait, headers: (limit, remaining, clock::add(now, full_in)) };
        }
        let wait = wait.map(|wait| Wait::Seconds(wait.as_millis().div_ceil(1000)));
        if wait.is_none() {
            self.requests.push_back(now);
            if invite && limits.invites_per_hour.is_some() {
                self.invites.push_back(now);
            }
        }
        let limit = limits.requests_per_minute.unwrap_or(DOCUMENTED_PER_MINUTE);
        let reset = self.requests.front().map_or(now, |oldest| clock::add(*oldest, MINUTE));
        Reading { wait, headers: (limit, limit.saturating_sub(self.requests.len()), reset) }
    }

    /// Takes a token or says how long to wait; and how many are left, and when all will be there again.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few tokens")]
    fn take_token(&mut self, bucket: &Bucket, now: Timestamp) -> (Option<Wait>, usize, Duration) {
        let (capacity, rate) = (f64::from(bucket.capacity), bucket.rate());
        let (level, at) = self.tokens.unwrap_or((capacity, now));
        let passed = now.duration_since(at).as_secs_f64().max(0.0);
        let level = (level + rate * passed).clamp(0.0, capacity);
        // A thousandth is a rounding of the clock's.
        let taken = level >= 0.999;
        let level = if taken || bucket.counts_refused { (level - 1.0).max(0.0) } else { level };
        self.tokens = Some((level, now));
        let until = |tokens: f64| match (tokens - level) / rate {
            seconds if seconds.is_finite() && seconds >= 0.0 => seconds.min(3_600.0),
            _ => 3_600.0,
        };
        let wait = (!taken).then(|| match bucket.retry_after_ms {
            Some(milliseconds) => Wait::Milliseconds(milliseconds),
            None => Wait::Seconds(until(1.0).ceil().max(1.0) as u128),
        });
        (wait, level as usize, Duration::from_secs_f64(until(capacity)))
    }
}

fn forget(stamps: &mut VecDeque<Timestamp>, now: Timestamp, window: Duration) {
    while stamps.front().is_some_and(|stamp| clock::add(*stamp, window) <= now) {
        stamps.pop_front();
    }
}
