//! A budget of so many starts in any window of time.
//!
//! Invariant: a start that is counted when [`Window::free_at`] allows it never breaks the budget.

use std::{collections::VecDeque, time::Duration};

/// The last starts of one budget.
#[derive(Clone)]
pub(super) struct Window {
    most: usize,
    span: Duration,
    starts: VecDeque<Duration>,
}

impl Window {
    pub(super) fn new(most: usize, span: Duration) -> Self {
        Self { most, span, starts: VecDeque::new() }
    }

    /// When the next start is within the budget: a window is half open, `[t, t + span)`.
    pub(super) fn free_at(&self) -> Duration {
        if self.starts.len() < self.most {
            return Duration::ZERO;
        }
        self.starts.front().map_or(Duration::ZERO, |oldest| oldest.saturating_add(self.span))
    }

    pub(super) fn count(&mut self, now: Duration) {
        if self.starts.len() >= self.most {
            self.starts.pop_front();
        }
        self.starts.push_back(now);
    }

    /// When the last of `number` more starts is within the budget, if each starts as soon as it may.
    pub(super) fn after(&self, number: usize, now: Duration) -> Duration {
        let mut ahead = self.clone();
        let mut at = now;
        for _ in 0..number.min(LOOK_AHEAD) {
            at = at.max(ahead.free_at());
            ahead.count(at);
        }
        // Beyond that the windows repeat.
        let rest = number.saturating_sub(LOOK_AHEAD) / self.most.max(1);
        at.saturating_add(self.span.saturating_mul(u32::try_from(rest).unwrap_or(u32::MAX)))
    }
}

/// Starts that are reckoned one by one.
const LOOK_AHEAD: usize = 20_000;
