//! A place in the queue of requests, and a request that has started.
//!
//! Invariant: both are given back however they end, also where nobody waits for them any more.

use std::time::Duration;

use super::{Limiter, Rank, State, index};
use crate::api::{call::Budget, pace::Next};

/// A place in the queue.
pub(super) struct Place<'l> {
    limiter: &'l Limiter,
    pub(super) ticket: (Rank, u64),
}

impl<'l> Place<'l> {
    pub(super) fn take(limiter: &'l Limiter, budget: Budget, rank: Rank) -> Self {
        let mut state = limiter.lock();
        state.tickets += 1;
        let ticket = (rank, state.tickets);
        state.queue.insert(ticket, budget);
        drop(state);
        Self { limiter, ticket }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.limiter.lock().queue.remove(&self.ticket);
        self.limiter.changed.notify_waiters();
    }
}

/// A request that has started; whoever holds it says how it ended.
pub struct Permit<'l> {
    pub(super) limiter: &'l Limiter,
    pub(super) budget: Budget,
    pub(super) number: u64,
    pub(super) open: bool,
}

impl Permit<'_> {
    /// It was let through.
    pub fn passed(self) {
        self.end(|state, budget, number, now| {
            state.refused_since[..=index(budget)].fill(None);
            state.each_pace(budget, |pace| pace.passed(now, number));
        });
    }

    /// It was refused, and everybody is to wait so long. `spread` of 0 to 1 keeps several runs from trying in step.
    /// Gives how long the next one of this budget waits.
    pub fn refused(self, wait: Duration, spread: f64) -> Duration {
        self.end(|state, budget, number, now| {
            let latest = state.number;
            state.refused_since[index(budget)].get_or_insert(now);
            state.cool_until = state.cool_until.max(now.saturating_add(wait));
            // Of an invite nobody says which of the two budgets refused it.
            state.paces[index(budget)].refused(now, number, latest, wait, spread);
            if budget == Budget::Invites {
                state.paces[0].gone(number);
            }
            match state.next(budget, now) {
                Next::At(at) => at.saturating_sub(now),
                Next::AfterAnswer => wait,
            }
        })
    }

    fn end<T>(mut self, act: impl FnOnce(&mut State, Budget, u64, Duration) -> T) -> T {
        self.open = false;
        let now = self.limiter.clock.monotonic();
        let mut state = self.limiter.lock();
        state.flying -= 1;
        let done = act(&mut state, self.budget, self.number, now);
        drop(state);
        self.limiter.changed.notify_waiters();
        done
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.open {
            let (budget, number) = (self.budget, self.number);
            let mut state = self.limiter.lock();
            state.flying -= 1;
            state.each_pace(budget, |pace| pace.gone(number));
            drop(state);
            self.limiter.changed.notify_waiters();
        }
    }
}
