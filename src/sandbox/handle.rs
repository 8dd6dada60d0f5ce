//! One request against the organization: fault, rate limit, credential, version, route, handler, log.
//!
//! Invariant: sockets and in-process callers go through [`handle`], so they see the same organization.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{
    credentials::{self, Grant},
    faults::{Drip, Fault, Instead, PageFault, without_cursor},
    limits::Wait,
    log::Entry,
    refusal::Refusal,
    reply::{blank, finish, html, json_reply, refuse, surprise},
    request::{self, Query, header},
    routes::{self, Takes},
    scripts,
    state::State,
    switches::{RateLimitHeaders, UnknownFields},
    watch::{self, Seen},
};
use crate::api::transport::{Method, RawRequest, RawResponse};

/// A reply, and how it travels.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The reply; of a closed connection, what would have been sent.
    pub response: RawResponse,
    /// How it travels.
    pub wire: Wire,
    /// How late it comes.
    pub delay: Duration,
}

/// How a reply travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// Whole.
    Whole,
    /// Not at all: the connection closes.
    Closed,
    /// Not at all: the connection stays open.
    Silent,
    /// Half of it, then the connection closes.
    Truncated,
    /// In small pieces.
    Drip(Drip),
}

/// What a handler gets.
pub(crate) struct Asked {
    /// The ids in the path, in order.
    pub(crate) ids: Vec<String>,
    pub(crate) query: Query,
    pub(crate) body: Map<String, Value>,
    /// `anthropic-version`.
    pub(crate) version: String,
    pub(crate) grant: Grant,
    /// The values of `anthropic-beta`.
    pub(crate) betas: Vec<String>,
}

const VERSIONS: [&str; 3] = ["2023-01-01", "2023-06-01", "2026-10-21"];
const MAX_BODY: usize = 1024 * 1024;

/// Answers one request and logs it.
pub fn handle(state: &mut State, request: &RawRequest) -> Exchange {
    let request = &*request::joined(request);
    let tick = state.clock.tick();
    state.clock.advance(tick);
    let now = state.now();
    let fault = state.faults.pick(request.method, &request.target, &mut state.ids);
    let request_id = state.ids.fresh("req_");
    let (credential, verdict) = credentials::check(state, request);
    let mut trace = Trace { done: false, headers: Vec::new() };

    let response = match fault.as_ref().and_then(|fault| fault.before(now)) {
        Some(Instead::Nothing) => blank(0),
        Some(Instead::Surprise) => surprise(),
        Some(Instead::Html(status)) => html(status),
        Some(Instead::Refusal(refusal, headers)) => {
            let mut response = refuse(&refusal, &request_id);
            response.headers.extend(headers);
            response
        }
        None => {
            let answered = match &fault {
                Some(Fault::Page(fault)) => spoilt(state, request, verdict, &mut trace, *fault),
                // What would be done is done to a copy that nobody sees.
                Some(Fault::ContradictsBefore(_)) => {
                    answer(&mut state.clone(), request, verdict, &mut trace)
                }
                _ => answer(state, request, verdict, &mut trace),
            };
            let mut response = match &answered {
                Ok(value) => {
                    trace.done = !matches!(fault, Some(Fault::ContradictsBefore(_)));
                    let mut value = value.clone();
                    if let Some(Fault::ContradictsAfter(other) | Fault::ContradictsBefore(other)) =
                        &fault
                    {
                        contradict(&mut value, other);
                    }
                    json_reply(200, &dress(value, state.switches.unknown_fields))
                }
                Err(refusal) => refuse(refusal, &request_id),
            };
            if trace.done {
                match &fault {
                    Some(Fault::StatusAfter(status)) => {
                        let refusal = Refusal::status(*status, "an injected failure");
                        response = refuse(&refusal, &request_id);
                    }
                    Some(Fault::ErrorAfter(error)) => {
                        let (refusal, headers) = error.refusal(answered.as_ref().ok());
                        response = refuse(&refusal, &request_id);
                        response.headers.extend(headers);
                    }
                    Some(Fault::WrongType) => response = surprise(),
                    Some(Fault::HtmlAfter(status)) => response = html(*status),
                    Some(Fault::CutShort) => {
                        response.body.truncate(response.body.len() / 2);
                    }
                    _ => {}
                }
            }
            response.headers.append(&mut trace.headers);
            response
        }
    };
    let (wire, delay) = match &fault {
        Some(Fault::ClosedBefore | Fault::ClosedAfter) => (Wire::Closed, Duration::ZERO),
        Some(Fault::SilentBefore | Fault::SilentAfter) => (Wire::Silent, Duration::ZERO),
        Some(Fault::Truncated) => (Wire::Truncated, Duration::ZERO),
        Some(Fault::LatencyMs(ms)) => (Wire::Whole, Duration::from_millis(*ms)),
        Some(Fault::Drip(drip)) => (Wire::Drip(*drip), Duration::ZERO),
        _ => (Wire::Whole, Duration::ZERO),
    };
    let mut response = finish(state, response, &request_id);
    if let Some(Fault::OtherOrganization(id)) = &fault {
        for (name, value) in &mut response.headers {
            if name == "anthropic-organization-id" {
                value.clone_from(id);
            }
        }
    }
    let (fault_seen, switches) = (fault.as_ref(), &state.switches);
    watch::show(&Seen { request, response: &response, wire, fault: fault_seen, switches });
    state.log.push(Entry {
        number: 0,
        at: now,
        method: request.method,
        target: request.target.clone(),
        route: routes::pattern_of(request),
        body: request.body.as_ref().and_then(|body| serde_json::from_slice(body).ok()),
        credential,
        status: if matches!(wire, Wire::Closed | Wire::Silent) { 0 } else { response.status },
        done: trace.done,
        fault: fault.as_ref().map(Fault::word),
    });
    scripts::play(state, request);
    Exchange { response, wire, delay }
}

/// Makes an answer say something else.
fn contradict(answer: &mut Value, other: &Map<String, Value>) {
    if let Value::Object(fields) = answer {
        fields.extend(other.iter().map(|(field, value)| (field.clone(), value.clone())));
    }
}

/// The reply to a method that no path takes.
pub(crate) fn method_not_allowed(state: &mut State, method: &str, target: &str) -> RawResponse {
    let request_id = state.ids.fresh("req_");
    let (refusal, allow) = routes::unserved(method, target);
    let mut response = refuse(&refusal, &request_id);
    response.headers.extend(allow.map(|allow| ("allow".to_owned(), allow)));
    finish(state, response, &request_id)
}

struct Trace {
    done: bool,
    headers: Vec<(String, String)>,
}

fn answer(
    state: &mut State,
    request: &RawRequest,
    verdict: Result<Grant, Refusal>,
    trace: &mut Trace,
) -> Result<Value, Refusal> {
    let unserved = |trace: &mut Trace| {
        let (refusal, allow) = routes::unserved(request.method.as_str(), &request.target);
        trace.headers.extend(allow.map(|allow| ("allow".to_owned(), allow)));
        refusal
    };
    let Some((segments, query)) = request::split(&request.target) else {
        return Err(unserved(trace));
    };
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    if request.body.as_ref().is_some_and(|body| body.len() > MAX_BODY) {
        return Err(Refusal::status(413, "request exceeds the maximum size"));
    }
    if routes::is_token(&path) {
        return match request.method {
            Method::Post => credentials::exchange(state, request),
            Method::Get | Method::Delete => Err(unserved(trace)),
        };
    }
    let grant = verdict?;
    meter(state, request, trace)?;
    let version = header(request, "anthropic-version")
        .ok_or_else(|| Refusal::invalid("anthropic-version: header is required"))?;
    if !VERSIONS.contains(&version) {
        return Err(Refusal::invalid(format!("anthropic-version: `{version}` is not known")));
    }
    let Some(route) = routes::find(request.method, &path) else {
        return Err(unserved(trace));
    };
    routes::check_offer(state, route, &grant)?;
    let ids = routes::ids(state, route, &path)?;
    routes::check_query(state, route, &query)?;
    let body = match route.takes {
        Takes::Object => request::object(request)?,
        Takes::Nothing => {
            request::nothing(request.body.as_ref())?;
            Map::new()
        }
    };
    let single = request.method == Method::Get && route.pattern.ends_with('}');
    if single && state.hides(&ids.join("/")) {
        return Err(Refusal::not_found("object"));
    }
    let version = version.to_owned();
    let betas = header(request, "anthropic-beta").unwrap_or_default().split(',');
    let betas = betas.map(|beta| beta.trim().to_owned()).collect();
    (route.handler)(state, Asked { ids, query, body, version, grant, betas })
}

/// The page that a fault makes of it.
fn spoilt(
    state: &mut State,
    request: &RawRequest,
    verdict: Result<Grant, Refusal>,
    trace: &mut Trace,
    fault: PageFault,
) -> Result<Value, Refusal> {
    let mut first = None;
    if request.target.contains("after_id=") {
        let start = RawRequest { target: without_cursor(&request.target), ..request.clone() };
        let page = answer(state, &start, verdict.clone(), trace)?;
        if !fault.heeds_cursor() {
            return Ok(page);
        }
        first = page.pointer("/data/0").cloned();
    }
    let mut page = answer(state, request, verdict, trace)?;
    fault.spoil(&mut page, first);
    Ok(page)
}

fn meter(state: &mut State, request: &RawRequest, trace: &mut Trace) -> Result<(), Refusal> {
    let path = request.target.split('?').next().unwrap_or_default();
    let reading = state.meter.count(&state.limits, state.clock.now(), request.method, path);
    if state.switches.rate_limit_headers == RateLimitHeaders::Present {
        let (limit, remaining, reset) = reading.headers;
        for (name, value) in [
            ("limit", limit.to_string()),
            ("remaining", remaining.to_string()),
            ("reset", reset.to_string()),
        ] {
            trace.headers.push((format!("anthropic-ratelimit-requests-{name}"), value));
        }
    }
    match reading.wait {
        None => Ok(()),
        Some(wait) => {
            let (name, value) = match wait {
                Wait::Seconds(seconds) => ("retry-after", seconds.to_string()),
                Wait::Milliseconds(wait) => ("retry-after-ms", wait.to_string()),
            };
            trace.headers.push((name.to_owned(), value));
            Err(Refusal::status(429, "number of requests has exceeded the rate limit"))
        }
    }
}

/// Adds a field that no document names to every object with a `type`, if the switch says so.
fn dress(mut value: Value, unknown: UnknownFields) -> Value {
    fn walk(value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(walk),
            Value::Object(fields) => {
                if fields.get("type").is_some_and(Value::is_string) {
                    fields.insert("from_the_future".to_owned(), json!({"type": "novelty"}));
                }
                if let Some(data) = fields.get_mut("data") {
                    walk(data);
                }
            }
            _ => {}
        }
    }
    if unknown == UnknownFields::Present {
        walk(&mut value);
    }
    value
}
