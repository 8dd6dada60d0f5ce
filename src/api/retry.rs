//! Which failures are worth another try, and how long to wait before it.
//!
//! Invariant: the error code decides first, then the rule that what makes something is looked for before it is sent
//! again, then `x-should-retry`, then the status. No header lifts that rule, and none overrules a code.

use std::{sync::Mutex, time::Duration};

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};

use super::{
    call::Resend,
    codes::Class as Became,
    error::ApiError,
    transport::{RawResponse, TransportError},
};

/// Tries of one request, the first included, and those that met the request limit left out.
pub(crate) const TRIES: u32 = 6;
/// Tries that may end in a conflict.
const CONFLICTS: u32 = 3;
/// Tries to reach a host, or to get the API's own words from it: a mistyped one should be known within seconds.
const CONNECTS: u32 = 3;
/// The longest wait a server may ask for; beyond it the request fails and says so.
pub(crate) const LONGEST: Duration = Duration::from_mins(2);
/// The sum of a request's waits.
const ALL_WAITS: Duration = Duration::from_mins(5);
/// The wait after an external key could not be checked in time.
const KEY_CHECK: Duration = Duration::from_secs(5);

/// What a request may do to be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// It reads.
    Read,
    /// It writes.
    Write(Resend),
}

/// What the answer's headers say about trying again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hints {
    /// `retry-after-ms`, else `retry-after`.
    pub(crate) wait: Option<Duration>,
    /// `x-should-retry`.
    pub(crate) should_retry: Option<bool>,
}

impl Hints {
    /// Reads the headers; `now` is for a `retry-after` that is a date, if the answer does not say when it was given:
    /// the two clocks need not agree.
    pub(crate) fn of(response: &RawResponse, now: Timestamp) -> Self {
        let now = response.header("date").and_then(http_date).unwrap_or(now);
        let milliseconds = response.header("retry-after-ms").and_then(|text| seconds(text, 1e-3));
        let wait = milliseconds.or_else(|| {
            let text = response.header("retry-after")?;
            seconds(text, 1.0).or_else(|| {
                let until = http_date(text)?.duration_since(now);
                Duration::try_from(until.max(SignedDuration::ZERO)).ok()
            })
        });
        let should_retry = match response.header("x-should-retry").map(str::trim) {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        };
        Self { wait: wait.filter(|wait| !wait.is_zero()), should_retry }
    }
}

/// The tries of one request so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tries {
    /// How many were made.
    pub(crate) made: u32,
    /// How many of them ended in a conflict.
    pub(crate) conflicts: u32,
    /// How many of them met the request limit; those are bounded by time, and not by their number.
    pub(crate) limited: u32,
    /// When the first of those was refused, by the monotonic clock.
    pub(crate) limited_since: Option<Duration>,
    /// The sum of the waits between the others.
    pub(crate) waited: Duration,
}

/// What follows a failed try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// No other try.
    Stop,
    /// Another try after this long.
    After(Duration),
    /// Another try once everybody has cooled down this long.
    CoolDown(Duration),
}

/// Judges a failed try. `backoff` is the wait if the server named none.
pub(crate) fn judge(
    error: &ApiError,
    hints: Hints,
    rule: Rule,
    tries: Tries,
    backoff: Duration,
) -> Verdict {
    let class = classify(error);
    let allowed = match class {
        Class::Never => false,
        Class::Limited | Class::KeyCheck | Class::Raced => true,
        Class::NotSent => tries.made < CONNECTS,
        Class::Conflict => tries.conflicts < CONFLICTS,
        Class::MaybeDone => rule != Rule::Write(Resend::LookFirst),
        Class::Unreadable => tries.made < CONNECTS && rule != Rule::Write(Resend::LookFirst),
        Class::Foreign => {
            tries.made < CONNECTS && matches!(rule, Rule::Write(Resend::Safe | Resend::Gone))
        }
        Class::Refused => {
            hints.should_retry == Some(true) && rule != Rule::Write(Resend::LookFirst)
        }
    };
    let wait = match (hints.wait, class) {
        (Some(wait), _) => wait,
        (None, Class::KeyCheck) => KEY_CHECK,
        (None, _) => backoff,
    };
    let is_forbidden = hints.should_retry == Some(false) && !class.is_decided_by_code();
    if !allowed || is_forbidden || wait > LONGEST {
        return Verdict::Stop;
    }
    if class == Class::Limited {
        return Verdict::CoolDown(wait);
    }
    if tries.made - tries.limited >= TRIES || tries.waited + wait > ALL_WAITS {
        return Verdict::Stop;
    }
    Verdict::After(wait)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// 429: nothing was done.
    Limited,
    /// 409 without a code: nothing was done.
    Conflict,
    /// A code which says that nothing was done, and that the same request may succeed in a moment.
    Raced,
    /// No connection: nothing was done.
    NotSent,
    /// The one 400 that asks to be sent again.
    KeyCheck,
    /// 5xx, 408, a lost reply.
    MaybeDone,
    /// A success that was cut short, or is no JSON.
    Unreadable,
    /// A success with the JSON of something else: reading it again helps nobody.
    Foreign,
    /// Another status.
    Refused,
    /// Sending it again cannot help.
    Never,
}

impl Class {
    fn is_decided_by_code(self) -> bool {
        matches!(self, Class::Raced | Class::KeyCheck)
    }
}

fn classify(error: &ApiError) -> Class {
    if let ApiError::Transport { source, .. } = error {
        return match source {
            TransportError::Connect(_) => Class::NotSent,
            TransportError::Lost(_) => Class::MaybeDone,
            TransportError::Certificate(_)
            | TransportError::TooLarge(_)
            | TransportError::Redirect(_) => Class::Never,
        };
    }
    let (became, status) = match error {
        ApiError::Shape { .. } | ApiError::Contradicts { .. } => return Class::Foreign,
        ApiError::Status(_) | ApiError::NotJson { .. } => {
            (error.class(), error.status().unwrap_or_default())
        }
        _ => return Class::Never,
    };
    match (became, status) {
        (Became::Done | Became::PartlyDone, _) | (_, 300..400) => Class::Never,
        (_, 200..300) => Class::Unreadable,
        (Became::NothingDone, 429) => Class::Limited,
        (Became::NothingDone, 400) => Class::KeyCheck,
        (Became::NothingDone, _) if error.is_decided_by_code() => Class::Raced,
        (Became::NothingDone, _) => Class::Conflict,
        (Became::MaybeDone, _) => Class::MaybeDone,
        (Became::Final, _) if error.is_decided_by_code() => Class::Never,
        (Became::Final, _) => Class::Refused,
    }
}

/// Random numbers for jitter: not for secrets.
pub(crate) struct Jitter(Mutex<u64>);

impl Jitter {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    /// The wait after try `made` (from 1): 0.5 s doubling up to 8 s, less up to a quarter.
    pub(crate) fn backoff(&self, made: u32) -> Duration {
        let base = (0.5 * 2_f64.powi(i32::try_from(made.clamp(1, 16)).unwrap_or(1) - 1)).min(8.0);
        Duration::from_secs_f64(base * (1.0 - 0.25 * self.unit()))
    }

    /// A number in `[0, 1)`: one step of the splitmix64 generator.
    pub(crate) fn unit(&self) -> f64 {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let high = u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap_or(u32::MAX);
        f64::from(high) / (f64::from(u32::MAX) + 1.0)
    }
}

/// A date as HTTP headers write it: `Sun, 22 Nov 2026 10:00:00 GMT`.
pub(crate) fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()
}

/// A number of units, fractions allowed; anything else, and anything negative, counts as not said.
fn seconds(text: &str, unit: f64) -> Option<Duration> {
    let number: f64 = text.trim().parse().ok()?;
    Duration::try_from_secs_f64(number * unit).ok()
}

#[cfg(test)]
mod tests;
