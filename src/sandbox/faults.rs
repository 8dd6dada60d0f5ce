//! Faults by rule: which request fails, how, and on which side of its effect.
//!
//! Invariant: a fault "before" leaves the organization untouched, a fault "after" leaves it changed; which requests
//! fail depends only on the rules, the seed and the order of requests.

mod page;
mod retry_after;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::{page::PageFault, retry_after::RetryAfter};
pub(crate) use self::{page::without_cursor, retry_after::http_date};
use super::{ids::Ids, refusal::Refusal, shape::Shape};
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
    /// A typed error after the effect. In its details `{id}` stands for the field `id` of the answer that it replaces.
    ErrorAfter(TypedError),
    /// The connection closes before the effect.
    ClosedBefore,
    /// The connection closes after the effect.
    ClosedAfter,
    /// No reply ever comes, and nothing is done.
    SilentBefore,
    /// No reply ever comes, though it is done.
    SilentAfter,
    /// After the effect, half the body comes, then the connection closes.
    Truncated,
    /// After the effect, half the body comes as if it were whole.
    CutShort,
    /// A proxy's HTML page with this status, before the effect.
    Html(u16),
    /// A proxy's HTML page with this status, after the effect.
    HtmlAfter(u16),
    /// After the effect, 200 with JSON of another shape.
    WrongType,
    /// 200 with JSON of another shape, and nothing is done.
    WrongTypeBefore,
    /// After the effect, 200 in which these fields are other ones.
    ContradictsAfter(Map<String, Value>),
    /// 200 in which these fields are other ones, and nothing is done.
    ContradictsBefore(Map<String, Value>),
    /// A page of a list is not as it should be.
    Page(PageFault),
    /// The reply comes so many milliseconds late.
    LatencyMs(u64),
    /// The reply comes in small pieces.
    Drip(Drip),
    /// After the effect, the reply says that it comes from the organization of this id.
    OtherOrganization(String),
}

/// An error that a rule makes up, such as 400 `organization_on_hold`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// More members of `error.details`. After the effect, the text `{id}` stands for the field `id` of what the
    /// request would have been answered, and so with every other field.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
    /// More response headers, such as `x-should-retry`.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub headers: std::collections::BTreeMap<String, String>,
}

impl TypedError {
    /// A typed error without a message or headers of its own.
    pub fn new(status: u16, code: &str) -> Self {
        Self {
            status,
            code: Some(code.to_owned()),
            message: None,
            details: Map::new(),
            headers: std::collections::BTreeMap::new(),
        }
    }

    /// Adds one more member of `error.details`.
    #[must_use]
    pub fn detail(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    /// The refusal and its headers; `answer` is what was answered in its place, if the request had its effect.
    pub(crate) fn refusal(&self, answer: Option<&Value>) -> (Refusal, Vec<(String, String)>) {
        let Self { status, code, message, details, headers } = self;
        let message = message.as_deref().unwrap_or("an injected error");
        let mut refusal = Refusal::status(*status, message);
        if let Some(code) = code {
            refusal = refusal.code(code);
        }
        for (key, value) in details {
            let field = value.as_str().and_then(|text| text.strip_prefix('{')?.strip_suffix('}'));
            let found = field.and_then(|field| answer?.get(field));
            refusal = refusal.detail(key, found.unwrap_or(value).clone());
        }
        (refusal, headers.iter().map(|(k, v)| (k.to_lowercase(), v.clone())).collect())
    }
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
    shape: Shape,
    seen: u64,
    fired: u64,
}

impl Faults {
    /// Reads the rules' patterns.
    pub fn new(rules: Vec<Rule>) -> Result<Self, String> {
        let mut faults = Self::default();
        rules.into_iter().try_for_each(|rule| faults.add(rule)).map(|()| faults)
    }

    /// Adds a rule.
    pub fn add(&mut self, rule: Rule) -> Result<(), String> {
        let shape = Shape::parse(&rule.on)?;
        self.0.push(Armed { rule, shape, seen: 0, fired: 0 });
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
        let mut picked = None;
        for armed in &mut self.0 {
            if !armed.shape.fits(method, target) {
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
    /// JSON that answers nothing.
    Surprise,
    /// Nothing.
    Nothing,
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
            Fault::Error(error) => {
                let (refusal, headers) = error.refusal(None);
                Some(Instead::Refusal(refusal, headers))
            }
            Fault::ClosedBefore | Fault::SilentBefore => Some(Instead::Nothing),
            Fault::Html(status) => Some(Instead::Html(*status)),
            Fault::WrongTypeBefore => Some(Instead::Surprise),
            Fault::StatusAfter(_)
            | Fault::ErrorAfter(_)
            | Fault::ContradictsAfter(_)
            | Fault::ContradictsBefore(_)
            | Fault::ClosedAfter
            | Fault::SilentAfter
            | Fault::Truncated
            | Fault::CutShort
            | Fault::HtmlAfter(_)
            | Fault::WrongType
            | Fault::Page(_)
            | Fault::LatencyMs(_)
            | Fault::Drip(_)
            | Fault::OtherOrganization(_) => None,
        }
    }

    /// The word that the request log shows.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Fault::RateLimited(_) => "rate_limited",
            Fault::StatusBefore(_) => "status_before",
            Fault::StatusAfter(_) => "status_after",
            Fault::Error(_) => "error",
            Fault::ErrorAfter(_) => "error_after",
            Fault::ContradictsAfter(_) => "contradicts_after",
            Fault::ContradictsBefore(_) => "contradicts_before",
            Fault::ClosedBefore => "closed_before",
            Fault::ClosedAfter => "closed_after",
            Fault::SilentBefore => "silent_before",
            Fault::SilentAfter => "silent_after",
            Fault::Truncated => "truncated",
            Fault::CutShort => "cut_short",
            Fault::Html(_) => "html",
            Fault::HtmlAfter(_) => "html_after",
            Fault::WrongType => "wrong_type",
            Fault::WrongTypeBefore => "wrong_type_before",
            Fault::Page(_) => "page",
            Fault::LatencyMs(_) => "latency_ms",
            Fault::Drip(_) => "drip",
            Fault::OtherOrganization(_) => "other_organization",
        }
    }
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
