//! The organization's clock: it stands still, or runs with the machine's, and can be moved by hand.
//!
//! Invariant: expiry, rate limits and the `Date` header all read this clock and no other.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// A settable clock.
#[derive(Clone, Debug)]
pub struct Clock {
    at: Timestamp,
    since: Option<Instant>,
    tick: Duration,
}

impl Clock {
    /// Stands still at `now`.
    pub fn frozen(now: Timestamp) -> Self {
        Self { at: now, since: None, tick: Duration::ZERO }
    }

    /// Starts at `now` and runs with real time.
    pub fn running(now: Timestamp) -> Self {
        Self { at: now, since: Some(Instant::now()), tick: Duration::ZERO }
    }

    /// Also moves on by `tick` with each request.
    #[must_use]
    pub fn with_tick(mut self, tick: Duration) -> Self {
        self.tick = tick;
        self
    }

    /// The time, in whole microseconds.
    pub fn now(&self) -> Timestamp {
        let elapsed = self.since.map_or(Duration::ZERO, |since| since.elapsed());
        let now = add(self.at, elapsed);
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    /// Moves the clock forward.
    pub fn advance(&mut self, by: Duration) {
        self.at = add(self.at, by);
    }

    /// Sets the clock.
    pub fn set(&mut self, now: Timestamp) {
        self.at = now;
        self.since = self.since.map(|_| Instant::now());
    }

    /// Whether it runs by itself.
    pub fn runs(&self) -> bool {
        self.since.is_some()
    }

    /// How far each request moves it.
    pub fn tick(&self) -> Duration {
        self.tick
    }
}

/// `at + by`, and the last representable instant beyond it.
pub(crate) fn add(at: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by)
        .ok()
        .and_then(|by| at.checked_add(by).ok())
        .unwrap_or(Timestamp::MAX)
}

/// `at - by`, and the first representable instant before it.
pub(crate) fn sub(at: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by)
        .ok()
        .and_then(|by| at.checked_sub(by).ok())
        .unwrap_or(Timestamp::MIN)
}

/// An instant as the API writes it: without a fraction, or with six digits of one.
pub(crate) fn text(at: Timestamp) -> String {
    if at.subsec_nanosecond() == 0 { at.to_string() } else { format!("{at:.6}") }
}

/// `days` days of 24 hours.
pub(crate) fn days(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

/// An instant in a seed file: RFC 3339, or a date for its midnight UTC.
pub(crate) mod moment {
    use jiff::{Timestamp, civil::Date, tz::TimeZone};
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(crate) fn parse(text: &str) -> Result<Timestamp, String> {
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(at);
        }
        text.parse::<Date>()
            .ok()
            .filter(|_| text.len() == 10)
            .and_then(|date| date.to_zoned(TimeZone::UTC).ok())
            .map(|zoned| zoned.timestamp())
            .ok_or_else(|| {
                format!("`{text}` is no time; write `2026-11-22` or `2026-11-22T09:00:00Z`")
            })
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| parse(&text).map_err(D::Error::custom)).transpose()
    }

    // The signature is what `#[serde(with)]` calls.
    #[allow(clippy::ref_option)]
    pub(crate) fn serialize<S: Serializer>(
        at: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => serializer.collect_str(at),
            None => serializer.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_no_fraction_or_one_of_six_digits() {
        let read = |text: &str| super::text(moment::parse(text).unwrap());
        assert_eq!(read("2026-11-22T09:00:00Z"), "2026-11-22T09:00:00Z");
        assert_eq!(read("2026-11-22T09:00:00.5Z"), "2026-11-22T09:00:00.500000Z");
        assert_eq!(read("2026-11-22T09:00:00.123456789Z"), "2026-11-22T09:00:00.123456Z");
        let running = Clock::running(moment::parse("2026-11-22T09:00:00.000000999Z").unwrap());
        assert_eq!(running.now().subsec_nanosecond() % 1000, 0);
    }

    #[test]
    fn a_frozen_clock_moves_only_by_hand() {
        let start = moment::parse("2026-11-22").unwrap();
        let mut clock = Clock::frozen(start);
        assert_eq!(clock.now(), start);
        clock.advance(days(1));
        assert_eq!(clock.now().to_string(), "2026-11-23T00:00:00Z");
        assert!(moment::parse("soon").unwrap_err().contains("is no time"));
    }
}
