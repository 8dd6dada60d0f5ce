//! Faults by rule: which request fails, how, and on which side of its effect.
//!
//! Invariant: a fault "before" leaves the organization untouched, a fault "after" leaves it changed; which requests
//! fail depends only on the rules, the seed and the order of requests.

use std::time::Duration;

use globset::{GlobBuilder, GlobMatcher};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{clock, ids::Ids, refusal::Refusal};
use crate::api::transport::Method;

/// One rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Method and path, `POST /v1/organizations/users/*`: method `*` is any, `*` one segment, `**` the rest.
    pub on: String,
    /// Only this matching request, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// At most so often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// With this probability, drawn from the organization's seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// What happens.
    pub then: Fault,
}

impl Rule {
    /// A rule for every matching request.
    pub fn new(on: impl Into<String>, then: Fault) -> Self {
        Self { on: on.into(), nth: None, times: None, probability: None, then }
    }

    /// Only the `nth` matching request.
    #[must_use]
    pub fn nth(mut self, nth: u64) -> Self {
        self.nth = Some(nth);
        self
    }

    /// At most `times` times.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// With a probability.
    #[must_use]
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = Some(probability);
        self
    }
}

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// 429 before the effect.
    RateLimited(RetryAfter),
    /// This status (500, 503, 529, …) before the effect.
    StatusBefore(u16),
    /// This status after the effect.
    StatusAfter(u16),
    /// A typed error before the effect.
    Error(TypedError),
    /// The connection closes before the effect.
    ClosedBefore,
    /// The connection closes after the effect.
    ClosedAfter,
    /// After the effect, half the body comes, then the connection closes.
    Truncated,
    /// A proxy's HTML page with this status, before the effect.
    Html(u16),
    /// After the effect, 200 with JSON of another shape.
    WrongType,
    /// The reply comes so many milliseconds late.
    LatencyMs(u64),
    /// The reply comes in small pieces.
    Drip(Drip),
}

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

    fn headers(self, now: Timestamp) -> Vec<(String, String)> {
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

/// An error that a rule makes up, such as 400 `organization_on_hold`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypedError {
    /// The status.
    pub status: u16,
    /// `error.details.error_code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// `error.message`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// More members of `error.details`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
    /// More response headers, such as `x-should-retry`.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub headers: std::collections::BTreeMap<String, String>,
}

/// How slowly a reply comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drip {
    /// Bytes in a piece.
    pub bytes: usize,
    /// The pause before each piece, in milliseconds.
    pub pause_ms: u64,
}

/// The rules with their counters.
#[derive(Clone, Debug, Default)]
pub struct Faults(Vec<Armed>);

#[derive(Clone, Debug)]
struct Armed {
    rule: Rule,
    method: String,
    path: GlobMatcher,
    seen: u64,
    fired: u64,
}

impl Faults {
    /// Reads the rules' patterns.
    pub fn new(rules: Vec<Rule>) -> Result<Self, String> {
        rules.into_iter().map(arm).collect::<Result<_, _>>().map(Self)
    }

    /// Adds a rule.
    pub fn add(&mut self, rule: Rule) -> Result<(), String> {
        self.0.push(arm(rule)?);
        Ok(())
    }

    /// Takes every rule away.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The rules.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.0.iter().map(|armed| &armed.rule)
    }

    /// What happens to this request; the first rule that fires wins, each matching rule counts.
    pub(crate) fn pick(&mut self, method: Method, target: &str, ids: &mut Ids) -> Option<Fault> {
        let path = target.split('?').next().unwrap_or_default();
        let mut picked = None;
        for armed in &mut self.0 {
            let method = armed.method == "*" || armed.method == method.as_str();
            if !method || !armed.path.is_match(path) {
                continue;
            }
            armed.seen += 1;
            let Rule { on: _, nth, times, probability, then } = &armed.rule;
            let fires = picked.is_none()
                && nth.is_none_or(|nth| nth == armed.seen)
                && times.is_none_or(|times| armed.fired < times)
                && probability.is_none_or(|probability| ids.chance() < probability);
            if fires {
                armed.fired += 1;
                picked = Some(then.clone());
            }
        }
        picked
    }
}

/// The reply a fault gives instead of asking the organization.
pub(crate) enum Instead {
    /// A typed error with more headers.
    Refusal(Refusal, Vec<(String, String)>),
    /// An HTML page.
    Html(u16),
    /// Nothing: the connection closes.
    Closed,
}

impl Fault {
    /// The reply, if the fault comes before the effect.
    pub(crate) fn before(&self, now: Timestamp) -> Option<Instead> {
        match self {
            Fault::RateLimited(retry) => Some(Instead::Refusal(
                Refusal::status(429, "number of requests has exceeded the rate limit"),
                retry.headers(now),
            )),
            Fault::StatusBefore(status) => {
                Some(Instead::Refusal(Refusal::status(*status, "an injected failure"), Vec::new()))
            }
            Fault::Error(TypedError { status, code, message, details, headers }) => {
                let mut refusal =
                    Refusal::status(*status, message.as_deref().unwrap_or("an injected error"));
                if let Some(code) = code {
                    refusal = refusal.code(code);
                }
                for (key, value) in details {
                    refusal = refusal.detail(key, value.clone());
                }
                let headers = headers.iter().map(|(k, v)| (k.to_lowercase(), v.clone())).collect();
                Some(Instead::Refusal(refusal, headers))
            }
            Fault::ClosedBefore => Some(Instead::Closed),
            Fault::Html(status) => Some(Instead::Html(*status)),
            Fault::StatusAfter(_)
            | Fault::ClosedAfter
            | Fault::Truncated
            | Fault::WrongType
            | Fault::LatencyMs(_)
            | Fault::Drip(_) => None,
        }
    }

    /// The word that the request log shows.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Fault::RateLimited(_) => "rate_limited",
            Fault::StatusBefore(_) => "status_before",
            Fault::StatusAfter(_) => "status_after",
            Fault::Error(_) => "error",
            Fault::ClosedBefore => "closed_before",
            Fault::ClosedAfter => "closed_after",
            Fault::Truncated => "truncated",
            Fault::Html(_) => "html",
            Fault::WrongType => "wrong_type",
            Fault::LatencyMs(_) => "latency_ms",
            Fault::Drip(_) => "drip",
        }
    }
}

/// An instant as the `Date` header shows it.
pub(crate) fn http_date(at: Timestamp) -> String {
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap_or_default()
}

fn arm(rule: Rule) -> Result<Armed, String> {
    let (method, pattern) = rule
        .on
        .split_once(' ')
        .filter(|(method, path)| {
            matches!(*method, "*" | "GET" | "POST" | "DELETE") && path.starts_with('/')
        })
        .ok_or_else(|| {
            format!(
                "`{}` matches nothing; write a method (GET, POST, DELETE or *) and a path, \
                 such as `POST /v1/organizations/invites`",
                rule.on
            )
        })?;
    let path = GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .map_err(|error| format!("`{}` is no pattern: {error}", rule.on))?
        .compile_matcher();
    let method = method.to_owned();
    Ok(Armed { method, path, seen: 0, fired: 0, rule })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_request_fails_and_no_other() {
        let on = "POST /v1/organizations/workspaces/*";
        let mut faults = Faults::new(vec![Rule::new(on, Fault::ClosedAfter).nth(2)]).unwrap();
        let ids = &mut Ids::new(1);
        let mut hit = |method, target| faults.pick(method, target, ids).is_some();
        assert!(!hit(Method::Post, "/v1/organizations/workspaces/a"));
        assert!(!hit(Method::Get, "/v1/organizations/workspaces/a"));
        assert!(!hit(Method::Post, "/v1/organizations/workspaces/a/archive"));
        assert!(hit(Method::Post, "/v1/organizations/workspaces/b?x=1"));
        assert!(!hit(Method::Post, "/v1/organizations/workspaces/c"));
    }

    #[test]
    fn a_probability_repeats_with_its_seed() {
        let run = || {
            let rule = Rule::new("* /**", Fault::ClosedBefore).probability(0.5).times(20);
            let (mut faults, mut ids) = (Faults::new(vec![rule]).unwrap(), Ids::new(9));
            (0..100).map(|_| faults.pick(Method::Get, "/v1/x", &mut ids).is_some()).collect()
        };
        let (one, two): (Vec<bool>, Vec<bool>) = (run(), run());
        assert_eq!(one, two);
        assert_eq!(one.iter().filter(|fired| **fired).count(), 20);
    }

    #[test]
    fn a_pattern_without_method_is_refused() {
        assert!(Faults::new(vec![Rule::new("/v1/x", Fault::Truncated)]).is_err());
    }
}
