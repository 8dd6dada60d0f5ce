//! Spreads the starts of requests so that the organization's budgets hold, for all tasks that share a credential.
//!
//! Invariant: never more than the budget's starts in any sliding window; a start is delayed only if it would
//! break that, or a server asked to wait; who asks first starts first.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::sync::Mutex;

use super::{call::Budget, clock::Clock};

/// The window of the budget all requests share.
const MINUTE: Duration = Duration::from_mins(1);
/// The window of the invites' own budget.
const HOUR: Duration = Duration::from_hours(1);
/// Invites that may be created in an hour (`admin-api` notes on rate limits).
const INVITES_PER_HOUR: usize = 1_200;

/// One per credential.
pub struct Limiter {
    clock: Arc<dyn Clock>,
    /// Held while waiting for a start: tokio's mutex hands over in the order of asking.
    shared: Mutex<Window>,
    invites: Mutex<Window>,
    cooling: std::sync::Mutex<Cooling>,
}

/// Until when nobody starts, or nobody is even to wait.
#[derive(Default)]
struct Cooling {
    all: Duration,
    closed_for_all: Duration,
    closed_for_invites: Duration,
}

/// A server asked for a wait that is too long to sit out; nothing was counted or sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// What is left of it.
    pub left: Duration,
}

impl Limiter {
    /// At most `requests_per_minute` starts (at least 1) in any 60 seconds.
    pub fn new(clock: Arc<dyn Clock>, requests_per_minute: u32) -> Self {
        let most = usize::try_from(requests_per_minute).unwrap_or(usize::MAX).max(1);
        Self {
            clock,
            shared: Mutex::new(Window::new(most, MINUTE)),
            invites: Mutex::new(Window::new(INVITES_PER_HOUR, HOUR)),
            cooling: std::sync::Mutex::default(),
        }
    }

    /// Returns when the request may start, and counts it.
    pub async fn start(&self, budget: Budget) -> Result<(), Closed> {
        // An invite that waits for its hour holds up other invites only: it takes its place among all
        // requests once its own budget has room.
        let mut invites = match budget {
            Budget::Shared => None,
            Budget::Invites => {
                let invites = self.invites.lock().await;
                self.wait_until(|| invites.free_at()).await;
                Some(invites)
            }
        };
        let mut shared = self.shared.lock().await;
        self.wait_until(|| shared.free_at().max(self.cooling().all)).await;
        let now = self.clock.monotonic();
        let left = self.closed_until(budget).saturating_sub(now);
        if !left.is_zero() {
            return Err(Closed { left });
        }
        shared.count(now);
        if let Some(invites) = &mut invites {
            invites.count(now);
        }
        Ok(())
    }

    /// Nobody starts for `wait` from now: a server asked for it.
    pub fn cool_down(&self, wait: Duration) {
        let until = self.clock.monotonic().saturating_add(wait);
        let mut cooling = self.cooling();
        cooling.all = cooling.all.max(until);
    }

    /// Requests of this budget fail for `wait` from now, without being sent: it is too long to sit out.
    /// The invites' own budget closes invites only.
    pub fn close(&self, budget: Budget, wait: Duration) {
        let until = self.clock.monotonic().saturating_add(wait);
        let mut cooling = self.cooling();
        match budget {
            Budget::Shared => cooling.closed_for_all = cooling.closed_for_all.max(until),
            Budget::Invites => cooling.closed_for_invites = cooling.closed_for_invites.max(until),
        }
    }

    fn closed_until(&self, budget: Budget) -> Duration {
        let cooling = self.cooling();
        match budget {
            Budget::Shared => cooling.closed_for_all,
            Budget::Invites => cooling.closed_for_all.max(cooling.closed_for_invites),
        }
    }

    fn cooling(&self) -> std::sync::MutexGuard<'_, Cooling> {
        self.cooling.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Asks again after each sleep, since a cool-down may have begun meanwhile.
    async fn wait_until(&self, moment: impl Fn() -> Duration) {
        loop {
            let left = moment().saturating_sub(self.clock.monotonic());
            if left.is_zero() {
                return;
            }
            if left > Duration::from_secs(1) {
                tracing::info!(target: "orgcharter::api", wait_ms = left.as_millis(), "waiting for the request budget");
            }
            self.clock.sleep(left).await;
        }
    }
}

/// The last starts of one budget.
struct Window {
    most: usize,
    span: Duration,
    starts: VecDeque<Duration>,
}

impl Window {
    fn new(most: usize, span: Duration) -> Self {
        Self { most, span, starts: VecDeque::new() }
    }

    /// When the next start is within the budget: a window is half open, `[t, t + span)`.
    fn free_at(&self) -> Duration {
        if self.starts.len() < self.most {
            return Duration::ZERO;
        }
        self.starts.front().map_or(Duration::ZERO, |oldest| oldest.saturating_add(self.span))
    }

    fn count(&mut self, now: Duration) {
        if self.starts.len() >= self.most {
            self.starts.pop_front();
        }
        self.starts.push_back(now);
    }
}

#[cfg(test)]
mod tests;
