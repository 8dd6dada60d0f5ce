//! The budgets hold, and nobody waits for nothing (`admin-api` notes on rate limits).

use proptest::prelude::*;

use super::*;
use crate::api::clock::TestClock;

fn clock() -> TestClock {
    TestClock::new("2026-11-22T10:00:00Z".parse().unwrap())
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// When each of `arrivals` starts, with `cool_downs` told at their moments.
fn starts(most: u32, arrivals: &[u64], cool_downs: &[(u64, u64)]) -> Vec<u64> {
    let clock = clock();
    let limiter = Limiter::new(Arc::new(clock.clone()), most);
    let told = cool_downs.iter().map(|(at, wait)| {
        let (clock, limiter) = (&clock, &limiter);
        async move {
            clock.sleep(Duration::from_millis(*at)).await;
            limiter.cool_down(Duration::from_millis(*wait));
        }
    });
    let requests = arrivals.iter().map(|arrival| {
        let (clock, limiter) = (&clock, &limiter);
        async move {
            clock.sleep(Duration::from_millis(*arrival)).await;
            limiter.start(Budget::Shared, Rank::Fresh).await.unwrap();
            u64::try_from(clock.monotonic().as_millis()).unwrap()
        }
    });
    let all = futures_util::future::join(
        futures_util::future::join_all(told),
        futures_util::future::join_all(requests),
    );
    run(all).1
}

/// The earliest starts that the budget and the cool-downs allow, first come first served.
fn earliest(most: u32, arrivals: &[u64], cool_downs: &[(u64, u64)]) -> Vec<u64> {
    let mut starts: Vec<u64> = Vec::new();
    for arrival in arrivals {
        let mut start = *arrival;
        if let Some(before) = starts.len().checked_sub(most as usize) {
            start = start.max(starts[before] + 60_000);
        }
        start = start.max(starts.last().copied().unwrap_or(0));
        while let Some((at, wait)) =
            cool_downs.iter().find(|(at, wait)| *at <= start && start < at + wait)
        {
            start = at + wait;
        }
        starts.push(start);
    }
    starts
}

#[test]
fn a_burst_within_the_budget_is_not_delayed_and_the_next_one_waits_for_the_window() {
    let started = starts(90, &[0; 91], &[]);
    assert_eq!((started[89], started[90]), (0, 60_000));
}

#[test]
fn a_budget_of_none_is_taken_for_one() {
    assert_eq!(starts(0, &[0, 0], &[]), [0, 60_000]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    // Requests arrive at even milliseconds and cool-downs are told at odd ones, so that the order is given.
    #[test]
    fn starts_keep_to_the_budget_and_are_never_needlessly_late(
        most in 1_u32..8,
        gaps in prop::collection::vec(prop_oneof![Just(0_u64), 0_u64..15_000, 30_000_u64..90_000], 1..60),
        cool_downs in prop::collection::vec((0_u64..200_000, 0_u64..40_000), 0..4),
    ) {
        let mut at = 0;
        let arrivals: Vec<u64> = gaps.iter().map(|gap| { at += gap * 2; at }).collect();
        let cool_downs: Vec<_> = cool_downs.iter().map(|(at, wait)| (at * 2 + 1, wait * 2 + 1)).collect();
        let started = starts(most, &arrivals, &cool_downs);
        for (index, start) in started.iter().enumerate() {
            let in_window = started.iter().filter(|other| *start <= **other && **other < start + 60_000).count();
            prop_assert!(in_window <= most as usize, "{in_window} starts from request {index} on");
        }
        prop_assert_eq!(started, earliest(most, &arrivals, &cool_downs));
    }
}

#[tokio::test]
async fn an_invite_beyond_its_hour_waits_without_holding_up_others() {
    let clock = clock();
    let limiter = Limiter::new(Arc::new(clock.clone()), 1_000_000);
    for _ in 0..1_200 {
        limiter.start(Budget::Invites, Rank::Fresh).await.unwrap();
    }
    assert_eq!(clock.monotonic(), Duration::ZERO);
    let invite = async {
        limiter.start(Budget::Invites, Rank::Fresh).await.unwrap();
        clock.monotonic()
    };
    let other = async {
        tokio::task::yield_now().await;
        limiter.start(Budget::Shared, Rank::Fresh).await.unwrap();
        clock.monotonic()
    };
    let (invite, other) = tokio::join!(invite, other);
    assert_eq!((invite, other), (Duration::from_hours(1), Duration::ZERO));
}

#[tokio::test]
async fn invites_count_against_the_shared_budget_too() {
    let clock = clock();
    let limiter = Limiter::new(Arc::new(clock.clone()), 2);
    for budget in [Budget::Invites, Budget::Shared, Budget::Invites] {
        limiter.start(budget, Rank::Fresh).await.unwrap();
    }
    assert_eq!(clock.monotonic(), Duration::from_mins(1));
}

#[tokio::test]
async fn who_gives_up_waiting_does_not_hold_up_the_next() {
    let clock = clock();
    let limiter = Limiter::new(Arc::new(clock.clone()), 1);
    limiter.start(Budget::Shared, Rank::Fresh).await.unwrap();
    let mut waiting = Box::pin(limiter.start(Budget::Shared, Rank::Fresh));
    assert!(futures_util::poll!(&mut waiting).is_pending());
    drop(waiting);
    limiter.start(Budget::Shared, Rank::Fresh).await.unwrap();
    assert_eq!(clock.monotonic(), Duration::from_mins(1));
}

#[tokio::test]
async fn a_shorter_cool_down_does_not_end_a_longer_one() {
    let clock = clock();
    let limiter = Limiter::new(Arc::new(clock.clone()), 10);
    limiter.cool_down(Duration::from_secs(30));
    limiter.cool_down(Duration::from_secs(1));
    limiter.start(Budget::Shared, Rank::Fresh).await.unwrap();
    assert_eq!(clock.monotonic(), Duration::from_secs(30));
}

/// A server's bucket: it fills by `rate` a second for this run, and refuses what finds it empty.
struct Bucket {
    capacity: f64,
    rate: f64,
    level: f64,
    at: Duration,
    refused: usize,
}

impl Bucket {
    fn new(capacity: f64, rate: f64) -> Self {
        Self { capacity, rate, level: capacity, at: Duration::ZERO, refused: 0 }
    }

    fn take(&mut self, now: Duration) -> bool {
        let passed = (now.saturating_sub(self.at)).as_secs_f64();
        (self.level, self.at) = ((self.level + self.rate * passed).min(self.capacity), now);
        let taken = self.level >= 1.0;
        if taken {
            self.level -= 1.0;
        } else {
            self.refused += 1;
        }
        taken
    }
}

/// Sends `number` requests, so many at once, each answered after `latency`; gives when the last one was let through.
fn through(
    bucket: &Mutex<Bucket>,
    most: u32,
    number: usize,
    at_once: usize,
    latency: u64,
) -> Duration {
    use futures_util::StreamExt as _;
    let clock = clock();
    let limiter = Limiter::new(Arc::new(clock.clone()), most);
    let one = |_| {
        let (clock, limiter) = (&clock, &limiter);
        async move {
            let mut rank = Rank::Fresh;
            loop {
                let permit = limiter.start(Budget::Shared, rank).await.unwrap();
                clock.sleep(Duration::from_millis(latency)).await;
                if bucket.lock().unwrap().take(clock.monotonic()) {
                    return permit.passed();
                }
                let _ = permit.refused(Duration::from_secs(1), 0.5);
                rank = Rank::Begun;
            }
        }
    };
    run(futures_util::stream::iter(0..number)
        .map(one)
        .buffer_unordered(at_once)
        .collect::<Vec<()>>());
    clock.monotonic()
}

#[test]
fn a_bucket_that_others_drain_is_used_up_and_seldom_asked_in_vain() {
    for latency in [20, 900] {
        for rate in [50.0, 20.0, 5.0] {
            let bucket = Mutex::new(Bucket::new(100.0, rate / 60.0));
            let took = through(&bucket, 90, 300, 16, latency);
            let dictated = 200.0 / rate * 60.0;
            assert!(
                took.as_secs_f64() <= dictated * 1.15 + 5.0,
                "{rate} a minute, {latency} ms: {took:?} instead of {dictated} s"
            );
            let refused = bucket.lock().unwrap().refused;
            assert!(refused <= 100, "{rate} a minute, {latency} ms: refused {refused} times");
        }
    }
}

#[test]
fn a_rate_that_recovers_is_found_again() {
    let bucket = Mutex::new(Bucket { level: 0.0, ..Bucket::new(100.0, 2.0) });
    let took = through(&bucket, 90, 300, 16, 50);
    // Its own budget allows no more than this.
    assert!(took <= Duration::from_secs(270), "{took:?}");
}

#[tokio::test]
async fn after_a_refusal_one_request_tries_and_the_others_wait_for_its_answer() {
    let clock = clock();
    let limiter = Limiter::new(Arc::new(clock.clone()), 90);
    let first = limiter.start(Budget::Shared, Rank::Fresh).await.unwrap();
    first.refused(Duration::from_secs(20), 0.0);
    let probe = limiter.start(Budget::Shared, Rank::Fresh).await.unwrap();
    assert_eq!(clock.monotonic(), Duration::from_secs(20));
    let mut other = Box::pin(limiter.start(Budget::Shared, Rank::Fresh));
    for _ in 0..10 {
        assert!(futures_util::poll!(&mut other).is_pending());
    }
    probe.passed();
    other.await.unwrap().passed();
}

#[tokio::test]
async fn a_probe_that_ends_without_an_answer_lets_the_next_one_try() {
    let clock = clock();
    let limiter = Limiter::new(Arc::new(clock.clone()), 90);
    let first = limiter.start(Budget::Shared, Rank::Fresh).await.unwrap();
    first.refused(Duration::from_secs(1), 0.0);
    drop(limiter.start(Budget::Shared, Rank::Fresh).await.unwrap());
    limiter.start(Budget::Shared, Rank::Fresh).await.unwrap().passed();
    assert_eq!(clock.monotonic(), Duration::from_secs(1));
}

#[tokio::test]
async fn a_request_is_given_up_by_time_and_only_if_none_is_let_through() {
    let clock = clock();
    let limiter = Limiter::new(Arc::new(clock.clone()), 90);
    let (second, zero) = (Duration::from_secs(1), Duration::ZERO);
    let refused = async |budget| {
        limiter.start(budget, Rank::Fresh).await.unwrap().refused(Duration::from_millis(1), 0.0);
    };
    refused(Budget::Shared).await;
    refused(Budget::Invites).await;
    clock.advance(Duration::from_secs(290));
    assert!(limiter.is_patient(Budget::Shared, zero, second));
    limiter.start(Budget::Shared, Rank::Fresh).await.unwrap().passed();
    assert!(limiter.is_patient(Budget::Shared, zero, second * 20));
    assert!(!limiter.is_patient(Budget::Shared, zero, Duration::from_mins(26)));
    // Whether invites are let through is another question.
    let probe = limiter.start(Budget::Invites, Rank::Fresh).await.unwrap();
    let mut other = Box::pin(limiter.start(Budget::Invites, Rank::Fresh));
    assert!(futures_util::poll!(&mut other).is_pending());
    assert!(!limiter.is_patient(Budget::Invites, zero, second * 20));
    assert!(other.await.is_err(), "what waits beside it has no better prospects");
    drop(probe);
    limiter.start(Budget::Shared, Rank::Fresh).await.unwrap().passed();
    limiter.start(Budget::Invites, Rank::Fresh).await.unwrap().passed();
}

#[tokio::test]
async fn what_was_begun_goes_before_what_is_new() {
    let clock = clock();
    let limiter = Limiter::new(Arc::new(clock.clone()), 1);
    limiter.start(Budget::Shared, Rank::Fresh).await.unwrap().passed();
    let order = Mutex::new(Vec::new());
    let request = |rank| {
        let (limiter, order) = (&limiter, &order);
        async move {
            limiter.start(Budget::Shared, rank).await.unwrap().passed();
            order.lock().unwrap().push(rank);
        }
    };
    tokio::join!(request(Rank::Fresh), request(Rank::Begun));
    assert_eq!(*order.lock().unwrap(), [Rank::Begun, Rank::Fresh]);
}

#[tokio::test]
async fn headers_slow_down_before_anything_is_refused() {
    let clock = clock();
    let limiter = Limiter::new(Arc::new(clock.clone()), 90);
    let quota = |remaining| Quota { limit: 100, remaining, reset_in: Some(Duration::from_mins(1)) };
    limiter.start(Budget::Shared, Rank::Fresh).await.unwrap().passed();
    limiter.told(Budget::Shared, quota(50));
    for remaining in (0..2).rev() {
        limiter.start(Budget::Shared, Rank::Fresh).await.unwrap().passed();
        limiter.told(Budget::Shared, quota(remaining));
    }
    assert_eq!(clock.monotonic(), Duration::ZERO);
    limiter.start(Budget::Shared, Rank::Fresh).await.unwrap().passed();
    assert!(clock.monotonic() >= Duration::from_millis(550), "{:?}", clock.monotonic());
}

#[tokio::test]
async fn a_wait_says_why_and_how_long_and_the_rest_is_estimated() {
    let clock = clock();
    let limiter = Limiter::new(Arc::new(clock.clone()), 90);
    assert_eq!(limiter.takes(90, 0), Duration::ZERO);
    for _ in 0..90 {
        limiter.start(Budget::Shared, Rank::Fresh).await.unwrap().passed();
    }
    clock.advance(Duration::from_secs(2));
    assert_eq!(limiter.waiting(), None);
    assert_eq!(limiter.takes(600, 0), Duration::from_secs(6 * 60 + 58));
    let mut next = Box::pin(limiter.start(Budget::Shared, Rank::Fresh));
    assert!(futures_util::poll!(&mut next).is_pending());
    let waiting = Waiting { why: Why::OwnBudget, left: Duration::from_secs(58) };
    assert_eq!(limiter.waiting(), Some(waiting));
    next.await.unwrap().refused(Duration::from_secs(100), 0.0);
    let mut next = Box::pin(limiter.start(Budget::Shared, Rank::Fresh));
    assert!(futures_util::poll!(&mut next).is_pending());
    assert_eq!(limiter.waiting().unwrap().why, Why::ServerLimit);
    drop(next);
    assert_eq!(limiter.waiting(), None);
}

#[test]
fn many_runs_under_one_limit_all_get_through() {
    use futures_util::{StreamExt as _, future::join_all, stream};
    let (clock, bucket) = (clock(), Mutex::new(Bucket::new(100.0, 100.0 / 60.0)));
    let one_run = |number: u32| {
        let (clock, bucket) = (&clock, &bucket);
        let limiter = Limiter::new(Arc::new(clock.clone()), 90);
        async move {
            let limiter = &limiter;
            let requests = (0..30).map(|_| async move {
                let since = clock.monotonic();
                loop {
                    let permit = limiter.start(Budget::Shared, Rank::Fresh).await.unwrap();
                    clock.sleep(Duration::from_millis(200)).await;
                    if bucket.lock().unwrap().take(clock.monotonic()) {
                        return permit.passed();
                    }
                    let wait = permit.refused(Duration::from_secs(1), f64::from(number) / 16.0);
                    assert!(limiter.is_patient(Budget::Shared, since, wait), "run {number}");
                }
            });
            stream::iter(requests).buffer_unordered(4).collect::<Vec<()>>().await;
        }
    };
    run(join_all((0..16).map(one_run)));
    // 480 requests, of which the full bucket held 100.
    let (took, dictated) = (clock.monotonic(), Duration::from_secs(228));
    assert!(took <= dictated.mul_f64(1.5), "{took:?} instead of {dictated:?}");
}
