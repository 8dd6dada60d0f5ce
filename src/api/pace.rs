//! What is known of a limit that the server keeps and others use too: learned from what it refuses, what it lets
//! through, and what its headers say.
//!
//! Invariant: after a refusal one request is sent to see whether the limit has room again, and no other until that one
//! is let through; from then on starts keep to the rate that was measured, which grows until the next refusal.
//!
//! A limit is taken for a bucket that fills at some rate. Two refusals show it empty twice, so what was let through
//! in between, divided by the time, *is* the rate at which it fills for this run. Room that is not used stays in
//! the bucket, so a wait that is too long loses nothing.

use std::time::Duration;

/// What headers say of a limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Quota {
    /// Requests in all.
    pub(super) limit: u32,
    /// Requests that are left.
    pub(super) remaining: u32,
    /// When all of them are there again.
    pub(super) reset_in: Option<Duration>,
}

/// When the next request may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// At this moment, or now if it has passed.
    At(Duration),
    /// When an answer has come.
    AfterAnswer,
}

/// One limit.
#[derive(Debug)]
pub(super) struct Pace {
    /// The most a second that this run wants.
    most: f64,
    /// What a minute is.
    minute: Duration,
    slow: Option<Slow>,
}

/// A limit that was met.
#[derive(Debug)]
struct Slow {
    /// Requests a second.
    rate: f64,
    /// Up to here the rate grows fast again: it was measured.
    known: f64,
    /// When it last grew, or was measured.
    grew_at: Duration,
    /// Room in the bucket at `at`; below one, none.
    level: f64,
    at: Duration,
    /// When the bucket was known to be empty.
    empty_at: Option<Duration>,
    /// The last request that was started before the last refusal.
    late: u64,
    /// What was let through since the bucket was empty.
    passed: u32,
    /// Nothing starts until one request was let through.
    shut: Option<Shut>,
    /// Requests without an answer that started after the last refusal.
    flying: usize,
    /// The most of them at once.
    most_flying: usize,
}

#[derive(Clone, Copy, Debug)]
struct Shut {
    /// Refusals in a row.
    refused: u32,
    /// When the next request may try.
    until: Duration,
    /// The one that tries.
    probe: Option<u64>,
}

/// The slowest rate: two requests a minute.
const SLOWEST: f64 = 2.0;
/// The least that a rate grows by with each request that is let through.
const GROWTH: f64 = 1.03;
/// The same, below a rate that was measured before.
const REGROWTH: f64 = 1.3;

impl Pace {
    /// A limit that was not met yet; the run wants at most `most` a minute.
    pub(super) fn new(most: usize, minute: Duration) -> Self {
        #[allow(clippy::cast_precision_loss, reason = "no budget comes near 2^52")]
        let most = most as f64 / minute.as_secs_f64();
        Self { most, minute, slow: None }
    }

    /// When the next request may start.
    pub(super) fn next(&self, now: Duration) -> Next {
        let Some(slow) = &self.slow else { return Next::At(Duration::ZERO) };
        match slow.shut {
            Some(Shut { probe: Some(_), .. }) => Next::AfterAnswer,
            Some(Shut { until, .. }) => Next::At(until),
            None if slow.flying >= slow.most_flying => Next::AfterAnswer,
            None => {
                let missing = 1.0 - slow.level_at(now, self.minute);
                Next::At(now + seconds((missing / slow.rate).max(0.0)))
            }
        }
    }

    /// When the last of `number` more requests may start, about.
    pub(super) fn after(&self, number: usize, now: Duration) -> Duration {
        let Some(slow) = &self.slow else { return now };
        #[allow(clippy::cast_precision_loss, reason = "an estimate")]
        let missing = number as f64 - slow.level_at(now, self.minute);
        let until = slow.shut.map_or(now, |shut| shut.until.max(now));
        until.max(now + seconds((missing / slow.rate).max(0.0)))
    }

    /// A request starts.
    pub(super) fn started(&mut self, now: Duration, number: u64) {
        let minute = self.minute;
        let Some(slow) = &mut self.slow else { return };
        slow.fill(now, minute);
        slow.level = (slow.level - 1.0).max(-1.0);
        slow.flying += 1;
        if let Some(shut) = &mut slow.shut {
            shut.probe = Some(number);
        }
    }

    /// A request was let through.
    pub(super) fn passed(&mut self, now: Duration, number: u64) {
        let Self { most, minute, slow: Some(slow) } = self else { return };
        if !slow.answered(number) {
            return;
        }
        slow.fill(now, *minute);
        slow.passed += 1;
        slow.most_flying += 1;
        if slow.shut.is_some_and(|shut| shut.probe == Some(number)) {
            slow.shut = None;
        }
        // However slow it is, it doubles in a minute without a refusal: others may have gone.
        let time = now.saturating_sub(slow.grew_at).as_secs_f64();
        let by_time = 2_f64.powf(time / minute.as_secs_f64()).min(2.0);
        let least = if slow.rate < slow.known { REGROWTH } else { GROWTH };
        slow.rate = (slow.rate * by_time.max(least)).min(*most);
        slow.grew_at = now;
        let quiet = slow.empty_at.is_none_or(|at| now.saturating_sub(at) > *minute * 2);
        if slow.rate >= *most && quiet && slow.level >= 1.0 {
            self.slow = None;
        }
    }

    /// A request was refused, and is to wait so long; `latest` is the last one that has started. `spread` of 0 to 1
    /// keeps several runs from trying in step.
    pub(super) fn refused(
        &mut self,
        now: Duration,
        number: u64,
        latest: u64,
        wait: Duration,
        spread: f64,
    ) {
        let (most, minute) = (self.most, self.minute);
        let slow = self.slow.get_or_insert_with(|| Slow::new(most / 2.0, now));
        if !slow.answered(number) {
            // It started before the refusal that is known already.
            if let Some(shut) = &mut slow.shut {
                shut.until = shut.until.max(now + wait);
            }
            return;
        }
        let slowest = SLOWEST / minute.as_secs_f64();
        let refused = slow.shut.map_or(1, |shut| shut.refused + 1);
        match slow.empty_at.map(|at| now.saturating_sub(at).as_secs_f64()).filter(|it| *it > 0.0) {
            Some(time) if slow.passed > 0 => {
                slow.rate = (f64::from(slow.passed) / time).clamp(slowest, most);
                slow.known = slow.rate;
                slow.empty_at = Some(now);
            }
            // Not one request in all that time.
            Some(time) => slow.rate = slow.rate.min(1.0 / time).max(slowest),
            None => slow.empty_at = Some(now),
        }
        // At a rate that was just measured nothing is there sooner, whatever the server asks for.
        let own = match refused {
            1 if slow.passed == 0 => wait,
            1 => seconds(0.7 / slow.rate),
            _ => seconds((1.0 + 0.25 * spread) / slow.rate),
        };
        let until = now + wait.max(own);
        slow.shut = Some(Shut { refused, until, probe: None });
        slow.passed = 0;
        (slow.level, slow.at) = (0.0, now);
        slow.grew_at = now;
        slow.most_flying = (slow.most_flying / 2).max(1);
        slow.flying = 0;
        slow.late = latest;
    }

    /// A request ended without an answer that tells anything.
    pub(super) fn gone(&mut self, number: u64) {
        let Some(slow) = &mut self.slow else { return };
        slow.answered(number);
        if let Some(shut) = &mut slow.shut
            && shut.probe == Some(number)
        {
            shut.probe = None;
        }
    }

    /// Headers came; `latest` is the last request that has started.
    pub(super) fn told(&mut self, now: Duration, latest: u64, quota: Quota) {
        let Quota { limit, remaining, reset_in } = quota;
        let (most, minute) = (self.most, self.minute);
        let room = f64::from(remaining);
        match &mut self.slow {
            Some(slow) => {
                slow.fill(now, minute);
                slow.level = slow.level.min(room);
            }
            None if remaining.saturating_mul(5) < limit => {
                let used = f64::from(limit.saturating_sub(remaining));
                let time = reset_in.unwrap_or(minute).as_secs_f64().max(1e-3);
                let rate = (used / time).clamp(SLOWEST / minute.as_secs_f64(), most);
                let slow =
                    Slow { level: room, late: latest, most_flying: 8, ..Slow::new(rate, now) };
                self.slow = Some(slow);
            }
            None => {}
        }
    }
}

impl Slow {
    fn new(rate: f64, now: Duration) -> Self {
        Self {
            rate,
            known: rate,
            grew_at: now,
            level: 0.0,
            at: now,
            empty_at: None,
            late: 0,
            passed: 0,
            shut: None,
            flying: 0,
            most_flying: 4,
        }
    }

    /// The room at a moment; a bucket holds no more than a minute brings.
    fn level_at(&self, now: Duration, minute: Duration) -> f64 {
        let time = now.saturating_sub(self.at).as_secs_f64();
        let most = (self.rate * minute.as_secs_f64()).max(self.level);
        (self.level + self.rate * time).min(most)
    }

    fn fill(&mut self, now: Duration, minute: Duration) {
        (self.level, self.at) = (self.level_at(now, minute), now);
    }

    /// Takes an answer; `false`: it belongs to a request that started before the last refusal.
    fn answered(&mut self, number: u64) -> bool {
        let counts = number > self.late;
        if counts {
            self.flying = self.flying.saturating_sub(1);
        }
        counts
    }
}

fn seconds(number: f64) -> Duration {
    // A day is for ever here, and fits.
    Duration::try_from_secs_f64(number.min(86_400.0)).unwrap_or_default()
}
