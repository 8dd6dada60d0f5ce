//! Two applies of the same files at once, their requests interleaved as a seed has it.
//!
//! Invariant: between them they do what one would have done, each thing once; a workspace that both make is archived
//! again by one of them.

use std::{collections::BTreeSet, sync::Arc};

use orgcharter::{
    apply::{Journal, Outcome, Report},
    plan::Plan,
    resource::Desired,
    sandbox::{Fault, InviteStatus, Rule, Sandbox, State, TypedError},
};

use crate::{
    dice::Dice,
    sweep::{FILES, SEED, standing},
    world::{World, long, outcomes, ready, state, wanted},
};

/// What came of two runs.
struct Pair {
    sandbox: Sandbox,
    plans: [Plan; 2],
    reports: [Report; 2],
}

/// Plans and applies twice at once; the second begins a little later.
async fn both(start: &State, desired: &Arc<Desired>, seed: u64) -> Pair {
    let sandbox = Sandbox::new(start.clone());
    let world = |seed| World::with(&sandbox, desired, |network| network.turns(seed));
    let (one, two) = (world(seed), world(seed ^ 0x5eed));
    let late = Dice(seed).below(60);
    let run = async |world: &World, late: u64| {
        for _ in 0..late {
            tokio::task::yield_now().await;
        }
        let plan = world.planned().await;
        let report = world.apply(&plan, Journal::none()).await;
        (plan, report)
    };
    let ((plan, report), (other, other_report)) = tokio::join!(run(&one, 0), run(&two, late));
    Pair { sandbox, plans: [plan, other], reports: [report, other_report] }
}

/// How often a workspace of the files is there, active and archived.
fn made(state: &State) -> (usize, usize) {
    let new = || state.workspaces().filter(|space| space.name == "New");
    let archived = new().filter(|space| space.archived_at.is_some()).count();
    (new().count() - archived, archived)
}

/// Every write with an effect is a call of one of the plans, or takes a workspace back that a run has made.
fn only_what_was_planned(pair: &Pair, seed: u64) {
    let steps = || pair.plans.iter().flat_map(Plan::ready);
    let shapes: BTreeSet<String> = steps()
        .flat_map(|step| {
            step.calls.iter().map(|call| format!("{} {}", call.method, call.path.len()))
        })
        .collect();
    let log = pair.sandbox.log();
    let made = pair.sandbox.with(|state| {
        let new = state.workspaces().filter(|space| space.name == "New");
        new.map(|space| space.id.clone()).collect::<Vec<_>>()
    });
    for entry in log.writes().filter(|entry| entry.done) {
        let path: Vec<&str> = entry.target.split('/').skip(3).collect();
        let back = path.last() == Some(&"archive") && made.iter().any(|id| path.contains(&&**id));
        let shape = format!("{} {}", entry.method, path.len());
        assert!(back || shapes.contains(&shape), "seed {seed}: {}", entry.call());
    }
}

async fn seeds(tick_ms: u64, seeds: u64, reply: Option<Fault>) -> (usize, usize) {
    let desired = wanted(FILES);
    let start = state(&format!("tick_ms: {tick_ms}\n{SEED}"));
    let alone = World::of(start.clone(), &desired);
    let mut start = start;
    if let Some(fault) = reply {
        // One of the two meets it.
        let rule = Rule::new("POST /v1/organizations/workspaces", fault).times(1);
        start.faults.add(rule).unwrap();
    }
    alone.run().await;
    let reference = alone.sandbox.with(|state| standing(state));
    let (mut twins, mut met) = (0, 0);
    for seed in 0..seeds {
        let pair = Box::pin(both(&start, &desired, seed)).await;
        only_what_was_planned(&pair, seed);
        let told = || pair.reports.iter().map(outcomes).collect::<Vec<_>>();
        for report in &pair.reports {
            for step in &report.steps {
                let fine = matches!(
                    step.outcome,
                    Outcome::Done { .. } | Outcome::Partly { .. } | Outcome::Skipped { .. }
                );
                assert!(fine, "seed {seed}: {:#?}", told());
            }
        }
        let (active, archived) = pair.sandbox.with(|state| made(state));
        assert!(active == 1 && archived <= 1, "seed {seed}: {active} {archived} {:#?}", told());
        twins += archived;
        met += usize::from(pair.plans.iter().all(|plan| plan.ready().count() > 0));
        let pending = pair.sandbox.with(|state| {
            let waits = |status| status == InviteStatus::Pending;
            let open = state.invites().filter(|i| waits(i.status(state.now(), &state.switches)));
            open.map(|invite| invite.email.clone()).collect::<Vec<_>>()
        });
        let once: BTreeSet<&String> = pending.iter().collect();
        assert_eq!(once.len(), pending.len(), "seed {seed}: {pending:?}");

        let third = World::with(&pair.sandbox, &desired, |network| network);
        let left = ready(&third.planned().await);
        assert_eq!(left, Vec::<String>::new(), "seed {seed}: {:#?}", told());
        let end = pair.sandbox.with(|state| standing(state));
        assert_eq!(end, reference, "seed {seed}: {:#?}", told());
    }
    (met, twins)
}

#[tokio::test]
async fn two_applies_at_once_do_what_one_would_have_done() {
    let count = if long() { 600 } else { 60 };
    let (met, twins) = Box::pin(seeds(1, count, None)).await;
    println!("{met} pairs met, {twins} workspaces were archived again");
    assert!(met * 2 > usize::try_from(count).unwrap() && twins > 0, "{met} met, {twins} twins");
}

#[tokio::test]
async fn two_workspaces_of_the_same_time_are_told_apart_too() {
    let count = if long() { 600 } else { 60 };
    let (met, twins) = Box::pin(seeds(0, count, None)).await;
    println!("{met} pairs met, {twins} workspaces were archived again");
    assert!(twins > 0, "{met} met, {twins} twins");
}

#[tokio::test]
async fn one_of_two_that_makes_a_workspace_in_part_or_hears_nothing_of_it_leaves_one() {
    let count = if long() { 300 } else { 30 };
    let incomplete = TypedError::new(503, "workspace_created_incomplete");
    for fault in [
        Fault::ErrorAfter(incomplete.detail("workspace_id", "{id}")),
        Fault::ContradictsAfter([("name".to_owned(), "Old".into())].into_iter().collect()),
    ] {
        let (met, twins) = Box::pin(seeds(1, count, Some(fault))).await;
        println!("{met} pairs met, {twins} workspaces were archived again");
        assert!(met > 0, "{met} met, {twins} twins");
    }
}
