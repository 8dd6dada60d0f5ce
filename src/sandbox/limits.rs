//! Ceilings of the organization, and the server's own rate limit.
//!
//! Invariant: a request that the meter refuses is not counted, so waiting as told always lets the next one through.

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
        }
    }
}

/// When the requests of the last minute and the invites of the last hour came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter {
    requests: VecDeque<Timestamp>,
    invites: VecDeque<Timestamp>,
}

/// What the meter says of a request.
pub(crate) struct Reading {
    /// How long to wait, if it is refused.
    pub(crate) wait: Option<Duration>,
    /// Limit, remaining, and when the oldest request leaves the window.
    pub(crate) headers: (usize, usize, Timestamp),
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
}

fn forget(stamps: &mut VecDeque<Timestamp>, now: Timestamp, window: Duration) {
    while stamps.front().is_some_and(|stamp| clock::add(*stamp, window) <= now) {
        stamps.pop_front();
    }
}
