//! Spreads the starts of requests so that the organization's budgets hold, for all tasks that share a credential.
//!
//! Invariant: never more than the budget's starts in any sliding window; a start is delayed only if it would
//! break that, or a server asked to wait or refused others; who asks first starts first, after what was begun already.

mod permit;

use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

pub use self::permit::Permit;
use self::permit::Place;
use super::{
    call::Budget,
    clock::Clock,
    pace::{Next, Pace, Quota},
    window::Window,
};

/// Invites that may be created in an hour (`admin-api` notes on rate limits).
const INVITES_PER_HOUR: usize = 1_200;
/// Minutes without a single request that was let through, after which a request that is refused is given up.
const PATIENCE: u32 = 5;
/// Minutes after which a request is given up although others are let through.
const NEVER: u32 = 30;

/// One per credential.
pub struct Limiter {
    clock: Arc<dyn Clock>,
    minute: Duration,
    state: Mutex<State>,
    /// A request has started, has ended, or left the queue.
    changed: Notify,
}

/// Which requests go first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// It ends what was begun.
    Begun,
    /// It begins something.
    #[default]
    Fresh,
}

/// A server asked for a wait that is too long to sit out; nothing was counted or sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// What is left of it.
    pub left: Duration,
}

/// Why requests wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// This run's own budget (`--requests-per-minute`) is used up for now.
    OwnBudget,
    /// The API refused a request, since its limit for the organization is used up.
    ServerLimit,
    /// The budget of invites for this hour is used up.
    Invites,
}

/// A wait of all requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Why.
    pub why: Why,
    /// How long it still takes until the next one starts.
    pub left: Duration,
}

struct State {
    shared: Window,
    invites: Window,
    paces: [Pace; 2],
    /// Nobody starts before: a server asked for it.
    cool_until: Duration,
    closed_until: [Duration; 2],
    /// The last ticket of those that are given up.
    given_up: [u64; 2],
    /// Since when every request was refused.
    refused_since: [Option<Duration>; 2],
    queue: BTreeMap<(Rank, u64), Budget>,
    tickets: u64,
    /// The last request that has started.
    number: u64,
    /// Requests that have started and not ended.
    flying: usize,
}

/// Whether it is a request's turn.
enum Turn {
    Now,
    In(Duration),
    AfterOthers,
    Never(Closed),
}

fn index(budget: Budget) -> usize {
    match budget {
        Budget::Shared => 0,
        Budget::Invites => 1,
    }
}

impl Limiter {
    /// At most `requests_per_minute` starts (at least 1) in any 60 seconds.
    pub fn new(clock: Arc<dyn Clock>, requests_per_minute: u32) -> Self {
        Self::of_minute(clock, requests_per_minute, Duration::from_mins(1))
    }

    /// The same where a minute, and what is reckoned from it, is shorter or longer.
    pub fn of_minute(clock: Arc<dyn Clock>, requests_per_minute: u32, minute: Duration) -> Self {
        let most = usize::try_from(requests_per_minute).unwrap_or(usize::MAX).max(1);
        let state = State {
            shared: Window::new(most, minute),
            invites: Window::new(INVITES_PER_HOUR, minute * 60),
            paces: [Pace::new(most, minute), Pace::new(most, minute)],
            cool_until: Duration::ZERO,
            closed_until: [Duration::ZERO; 2],
            given_up: [0; 2],
            refused_since: [None; 2],
            queue: BTreeMap::new(),
            tickets: 0,
            number: 0,
            flying: 0,
        };
        Self { clock, minute, state: Mutex::new(state), changed: Notify::new() }
    }

    /// Returns when the request may start, and counts it.
    pub async fn start(&self, budget: Budget, rank: Rank) -> Result<Permit<'_>, Closed> {
        let place = Place::take(self, budget, rank);
        loop {
            // From here on no change is missed.
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            let turn = {
                let (mut state, now) = (self.lock(), self.clock.monotonic());
                match state.turn(place.ticket, budget, now) {
                    Turn::Now => {
                        let number = state.begin(budget, now);
                        return Ok(Permit { limiter: self, budget, number, open: true });
                    }
                    later => later,
                }
            };
            match turn {
                Turn::Now => {}
                Turn::Never(why) => return Err(why),
                Turn::AfterOthers => changed.await,
                Turn::In(left) => {
                    if left > Duration::from_secs(1) {
                        tracing::info!(target: "orgcharter::api", wait_ms = super::trace::millis(left), "waiting for the request budget");
                    }
                    tokio::select! {
                        biased;
                        () = &mut changed => {}
                        () = self.clock.sleep(left) => {}
                    }
                }
            }
        }
    }

    /// Nobody starts for `wait` from now: a server asked for it.
    pub fn cool_down(&self, wait: Duration) {
        let until = self.clock.monotonic().saturating_add(wait);
        let mut state = self.lock();
        state.cool_until = state.cool_until.max(until);
        drop(state);
        self.changed.notify_waiters();
    }

    /// Requests of this budget fail for `wait` from now, without being sent: it is too long to sit out.
    /// The invites' own budget closes invites only.
    pub fn close(&self, budget: Budget, wait: Duration) {
        let until = self.clock.monotonic().saturating_add(wait);
        let mut state = self.lock();
        let closed = &mut state.closed_until[index(budget)];
        *closed = (*closed).max(until);
        drop(state);
        self.changed.notify_waiters();
    }

    /// Whether a request that was first refused at `since`, and now is to wait so long, is still waited for: while
    /// others of its budget are let through, or all have not been refused for long. If not, those that wait beside it
    /// have no better prospects, and are not sent.
    pub fn is_patient(&self, budget: Budget, since: Duration, wait: Duration) -> bool {
        let then = self.clock.monotonic().saturating_add(wait);
        let mut state = self.lock();
        let refused_since = state.refused_since[index(budget)];
        let all = refused_since.map_or(Duration::ZERO, |since| then.saturating_sub(since));
        if all > self.minute * PATIENCE {
            state.given_up[index(budget)] = state.tickets;
            drop(state);
            self.changed.notify_waiters();
            return false;
        }
        then.saturating_sub(since) <= self.minute * NEVER
    }

    /// Takes what an answer's headers say of the limit.
    pub(super) fn told(&self, budget: Budget, quota: Quota) {
        let now = self.clock.monotonic();
        let mut state = self.lock();
        let latest = state.number;
        state.paces[index(budget)].told(now, latest, quota);
        drop(state);
        self.changed.notify_waiters();
    }

    /// What requests wait for, if any does.
    pub fn waiting(&self) -> Option<Waiting> {
        let now = self.clock.monotonic();
        let state = self.lock();
        let first = |budget| state.queue.values().any(|it| *it == budget).then_some(budget);
        let budget = first(Budget::Shared).or(first(Budget::Invites))?;
        let Next::At(at) = state.next(budget, now) else { return None };
        let left = at.checked_sub(now).filter(|left| !left.is_zero())?;
        let why = if budget == Budget::Invites && state.invites.free_at() >= at {
            Why::Invites
        } else if state.shared.free_at() >= at {
            Why::OwnBudget
        } else {
            Why::ServerLimit
        };
        Some(Waiting { why, left })
    }

    /// Requests that wait, and requests that are under way.
    pub fn busy(&self) -> (usize, usize) {
        let state = self.lock();
        (state.queue.len(), state.flying)
    }

    /// How long it takes, about, until so many more requests have started, of which some are invites.
    pub fn takes(&self, requests: usize, invites: usize) -> Duration {
        if requests == 0 {
            return Duration::ZERO;
        }
        let now = self.clock.monotonic();
        let state = self.lock();
        let mut until = state.shared.after(requests, now).max(state.cool_until);
        until = until.max(state.paces[index(Budget::Shared)].after(requests, now));
        if invites > 0 {
            until = until.max(state.invites.after(invites, now));
            until = until.max(state.paces[index(Budget::Invites)].after(invites, now));
        }
        until.saturating_sub(now)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn turn(&self, ticket: (Rank, u64), budget: Budget, now: Duration) -> Turn {
        let closed = match budget {
            Budget::Shared => self.closed_until[0],
            Budget::Invites => self.closed_until[0].max(self.closed_until[1]),
        };
        if closed > now {
            return Turn::Never(Closed { left: closed.saturating_sub(now) });
        }
        if self.given_up[..=index(budget)].iter().any(|last| ticket.1 <= *last) {
            let until = self.cool_until.max(now + Duration::from_secs(1));
            return Turn::Never(Closed { left: until.saturating_sub(now) });
        }
        // An invite that waits for its hour holds up other invites only.
        let mut before = self.queue.range(..ticket).map(|(_, budget)| *budget);
        match self.next(budget, now) {
            Next::AfterAnswer => Turn::AfterOthers,
            Next::At(at) if at > now => {
                if before.any(|other| other == budget) {
                    Turn::AfterOthers
                } else {
                    Turn::In(at.saturating_sub(now))
                }
            }
            Next::At(_) => {
                let ready = |other| matches!(self.next(other, now), Next::At(at) if at <= now);
                if before.any(ready) { Turn::AfterOthers } else { Turn::Now }
            }
        }
    }

    /// When a request of this budget may start.
    fn next(&self, budget: Budget, now: Duration) -> Next {
        let mut at = self.shared.free_at().max(self.cool_until);
        let mut paces = &self.paces[..1];
        if budget == Budget::Invites {
            at = at.max(self.invites.free_at());
            paces = &self.paces;
        }
        for pace in paces {
            match pace.next(now) {
                Next::At(moment) => at = at.max(moment),
                Next::AfterAnswer => return Next::AfterAnswer,
            }
        }
        Next::At(at)
    }

    fn begin(&mut self, budget: Budget, now: Duration) -> u64 {
        self.number += 1;
        self.flying += 1;
        self.shared.count(now);
        if budget == Budget::Invites {
            self.invites.count(now);
        }
        let number = self.number;
        self.each_pace(budget, |pace| pace.started(now, number));
        number
    }

    /// A request counts against the budget that all share, and an invite against its own too.
    fn each_pace(&mut self, budget: Budget, mut act: impl FnMut(&mut Pace)) {
        self.paces[..=index(budget)].iter_mut().for_each(&mut act);
    }
}

#[cfg(test)]
mod tests;
