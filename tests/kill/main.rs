//! The real binary, killed with SIGKILL at chosen and at random moments of an apply, and resumed from its journal.
//!
//! Invariant: what the organization's own request log says is the truth that every report is held against.
#![cfg(unix)]
// Helpers are not marked as tests, so the exception for tests does not reach them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod arena;
#[path = "../common/contract.rs"]
mod contract;
#[path = "../common/dice.rs"]
mod dice;
mod life;
mod truth;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use life::Met;

/// Kills by these seeds, two lives at a time.
fn lives(seeds: u64) -> Met {
    let met = Met::default();
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let seed = next.fetch_add(1, Ordering::Relaxed)
                    && seed < seeds
                {
                    life::live(seed, &met);
                }
            });
        }
    });
    met
}

fn long() -> bool {
    std::env::var_os("CHARTER_LONG").is_some()
}

#[test]
fn a_killed_apply_is_resumed_truthfully_and_nothing_is_done_twice() {
    let met = lives(if long() { 200 } else { 12 });
    println!("{met:?}");
    let Met { killed, early, there, not_there, part, torn, saved, stale } = met;
    let least = if long() { [200, 5, 60, 30, 3, 10, 40, 0] } else { [8, 0, 4, 1, 0, 0, 1, 0] };
    for (number, least) in
        [killed, early, there, not_there, part, torn, saved, stale].into_iter().zip(least)
    {
        assert!(number.into_inner() >= least, "too little was met");
    }
}

#[test]
fn a_workspace_that_appears_after_the_kill_is_not_made_again() {
    // It takes as long as charter waits for such a call.
    if long() {
        life::late();
    }
}
