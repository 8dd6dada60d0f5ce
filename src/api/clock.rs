//! Time as a value that is handed in: the clock of the machine, and one for tests that never waits.
//!
//! Invariant: nothing in the library asks the machine for the time, or sleeps, except through a [`Clock`].

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use jiff::Timestamp;

use super::transport::BoxFuture;

/// Tells the time and waits.
pub trait Clock: Send + Sync {
    /// The time of day.
    fn now(&self) -> Timestamp;
    /// Time since some fixed moment; never goes back.
    fn monotonic(&self) -> Duration;
    /// Waits.
    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()>;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A clock for tests: when all that is left to do is to wait, time jumps to the next moment somebody waits for.
///
/// Sleepers wake in the order of their moments, whoever fell asleep first. Work that runs beside a sleeper
/// gets many turns of the runtime before time jumps; more than that (real network input) and time
/// may pass while it is under way, as it would in life.
#[derive(Clone, Debug)]
pub struct TestClock {
    start: Timestamp,
    state: Arc<Mutex<State>>,
}

/// Turns of the runtime without a new sleeper before time jumps. tokio's runtime polls up to 61 tasks before it looks
/// at the one it blocks on, so fewer turns could leave that one out.
const QUIET_POLLS: u32 = 256;

#[derive(Debug, Default)]
struct State {
    now: Duration,
    /// By the moment they wake, then by who came first. The first one keeps itself awake and moves time.
    sleepers: BTreeMap<(Duration, u64), Waker>,
    next: u64,
    quiet: u32,
    slept: Vec<Duration>,
}

impl TestClock {
    /// A clock that stands at `start`.
    pub fn new(start: Timestamp) -> Self {
        Self { start, state: Arc::default() }
    }

    /// Every sleep asked for so far, in the order they were begun.
    pub fn sleeps(&self) -> Vec<Duration> {
        self.lock().slept.clone()
    }

    /// Lets time pass without anybody sleeping.
    pub fn advance(&self, by: Duration) {
        let mut state = self.lock();
        state.now += by;
        state.quiet = 0;
        let now = state.now;
        for ((moment, _), waker) in &state.sleepers {
            if *moment <= now {
                waker.wake_by_ref();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let passed = self.lock().now;
        self.start.checked_add(passed).unwrap_or(Timestamp::MAX)
    }

    fn monotonic(&self) -> Duration {
        self.lock().now
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        let mut state = self.lock();
        let key = (state.now + duration, state.next);
        state.next += 1;
        state.slept.push(duration);
        drop(state);
        Box::pin(Sleep { clock: self.clone(), key })
    }
}

struct Sleep {
    clock: TestClock,
    key: (Duration, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.lock();
        if state.now >= self.key.0 {
            return Poll::Ready(()); // dropping wakes the next one
        }
        if state.sleepers.insert(self.key, context.waker().clone()).is_none() {
            state.quiet = 0;
        }
        if state.sleepers.first_key_value().map(|(key, _)| *key) != Some(self.key) {
            return Poll::Pending;
        }
        state.quiet += 1;
        if state.quiet > QUIET_POLLS {
            state.now = self.key.0;
            state.quiet = 0;
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let mut state = self.clock.lock();
        state.sleepers.remove(&self.key);
        if let Some((_, waker)) = state.sleepers.first_key_value() {
            waker.wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock() -> TestClock {
        TestClock::new("2026-11-22T10:00:00Z".parse().unwrap())
    }

    #[tokio::test]
    async fn sleepers_wake_in_the_order_of_their_moments() {
        let clock = clock();
        let woken = Mutex::new(Vec::new());
        let sleeper = |seconds: u64| {
            let (clock, woken) = (clock.clone(), &woken);
            async move {
                clock.sleep(Duration::from_secs(seconds)).await;
                woken.lock().unwrap().push((seconds, clock.monotonic().as_secs()));
            }
        };
        tokio::join!(sleeper(60), sleeper(1), sleeper(30), sleeper(1));
        assert_eq!(*woken.lock().unwrap(), [(1, 1), (1, 1), (30, 30), (60, 60)]);
        assert_eq!(clock.now().to_string(), "2026-11-22T10:01:00Z");
    }

    #[tokio::test]
    async fn a_task_that_sleeps_again_is_not_overtaken_by_a_longer_sleeper() {
        let clock = clock();
        let short = async {
            for _ in 0..10 {
                clock.sleep(Duration::from_secs(1)).await;
                tokio::task::yield_now().await;
            }
            clock.monotonic()
        };
        let long = async {
            clock.sleep(Duration::from_secs(100)).await;
            clock.monotonic()
        };
        let (short, long) = tokio::join!(short, long);
        assert_eq!((short.as_secs(), long.as_secs()), (10, 100));
    }

    #[tokio::test]
    async fn a_sleep_that_is_given_up_does_not_hold_the_others() {
        let clock = clock();
        let mut given_up = clock.sleep(Duration::from_secs(1));
        let poll = futures_util::poll!(&mut given_up);
        assert!(poll.is_pending());
        let other = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(2)).await }
        });
        tokio::task::yield_now().await;
        drop(given_up);
        other.await.unwrap();
        assert_eq!(clock.monotonic(), Duration::from_secs(2));
    }

    #[tokio::test]
    async fn advancing_wakes_those_whose_moment_has_come() {
        let clock = clock();
        let sleeping = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(5)).await }
        });
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(5));
        sleeping.await.unwrap();
        assert_eq!(clock.monotonic(), Duration::from_secs(5));
        assert_eq!(clock.sleeps(), [Duration::from_secs(5)]);
    }
}
