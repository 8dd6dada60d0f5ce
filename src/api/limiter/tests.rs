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
            limiter.start(Budget::Shared).await.unwrap();
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
        limiter.start(Budget::Invites).await.unwrap();
    }
    assert_eq!(clock.monotonic(), Duration::ZERO);
    let invite = async {
        limiter.start(Budget::Invites).await.unwrap();
        clock.monotonic()
    };
    let other = async {
        tokio::task::yield_now().await;
        limiter.start(Budget::Shared).await.unwrap();
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
        limiter.start(budget).await.unwrap();
    }
    assert_eq!(clock.monotonic(), Duration::from_mins(1));
}

#[tokio::test]
async fn who_gives_up_waiting_does_not_hold_up_the_next() {
    let clock = clock();
    let limiter = Limiter::new(Arc::new(clock.clone()), 1);
    limiter.start(Budget::Shared).await.unwrap();
    let mut waiting = Box::pin(limiter.start(Budget::Shared));
    assert!(futures_util::poll!(&mut waiting).is_pending());
    drop(waiting);
    limiter.start(Budget::Shared).await.unwrap();
    assert_eq!(clock.monotonic(), Duration::from_mins(1));
}

#[tokio::test]
async fn a_shorter_cool_down_does_not_end_a_longer_one() {
    let clock = clock();
    let limiter = Limiter::new(Arc::new(clock.clone()), 10);
    limiter.cool_down(Duration::from_secs(30));
    limiter.cool_down(Duration::from_secs(1));
    limiter.start(Budget::Shared).await.unwrap();
    assert_eq!(clock.monotonic(), Duration::from_secs(30));
}
