//! Law 3: through random failures, planning and applying again converges.
//!
//! Invariant: a failure may cost time and another run, never a second invite or workspace, and never a write that no
//! plan held.

use orgcharter::{
    apply::{Outcome, Report},
    config::document::Document,
    plan::Plan,
    resource::Verb,
    sandbox::{Fault, Faults, RetryAfter, Rule, Sandbox, TypedError},
};

use crate::{
    common::{load, runtime},
    converge::{
        Refused, every_write_was_planned, judged, plan_and_apply, plan_only, revealed_grants,
    },
    coverage::Coverage,
    frame,
    generate::{Case, tape::Tape},
    run::{Verdict, ensure, law},
};

/// Runs while requests fail; afterwards none fail any more.
const TROUBLED_RUNS: usize = 3;
/// Runs that may then follow: one that does what is left, and one for what that brings to light.
const QUIET_RUNS: usize = 2;

#[test]
fn law_3_through_random_failures_planning_again_converges_and_nothing_is_made_twice() {
    let runtime = runtime();
    law("3 trouble", |case, coverage| {
        for outcome in ["done", "failed", "unknown", "skipped", "not_started"] {
            coverage.want(outcome);
        }
        coverage.want("a reading that failed");
        coverage.want("a lost reply whose effect was there");
        runtime.block_on(converges_through_trouble(case, coverage))
    });
}

async fn converges_through_trouble(case: &Case, coverage: &mut Coverage) -> Verdict {
    let document = load(&case.sources)?.document;
    let sandbox = case.sandbox();
    let before = sandbox.state();
    sandbox.with(|state| state.faults = faults(&mut case.later()));
    let mut plans: Vec<Plan> = Vec::new();
    for _ in 0..TROUBLED_RUNS {
        let met = sandbox.with(|state| state.log.len());
        let Ok((plan, report)) = plan_and_apply(&sandbox, &document).await else {
            coverage.meet("a reading that failed");
            continue;
        };
        for step in &report.steps {
            coverage.meet(step.outcome.word());
        }
        plans.push(plan);
        if !sandbox.log().entries()[met..].iter().any(|entry| entry.fault.is_some()) {
            break;
        }
        if let Some(plan) = plans.last() {
            outcomes_are_true(&document, &sandbox, plan, &report).await?;
        }
    }
    let lost = |entry: &&orgcharter::sandbox::Entry| entry.done && entry.status != 200;
    if sandbox.log().writes().any(|entry| lost(&entry)) {
        coverage.meet("a lost reply whose effect was there");
    }

    sandbox.with(|state| state.faults.clear());
    let mut refused = Refused::default();
    let mut left = QUIET_RUNS;
    loop {
        let (plan, report) = plan_and_apply(&sandbox, &document).await?;
        if plan.ready().all(|step| refused.contains(step)) {
            break;
        }
        ensure!(left > 0, "still something to do after {QUIET_RUNS} quiet runs: {:?}", plan.steps);
        left -= 1;
        refused.extend(judged(&plan, &report, &before)?);
        plans.push(plan);
    }

    every_write_was_planned(&sandbox, &plans.iter().collect::<Vec<_>>())?;
    // One invite for each address and one workspace for each name, too.
    frame::check(&case.files, &before, &sandbox.state())
}

/// What is reported as done holds, and what is reported as failed has had no effect: a look without failures shows
/// it.
async fn outcomes_are_true(
    document: &Document,
    sandbox: &Sandbox,
    plan: &Plan,
    report: &Report,
) -> Verdict {
    let quiet = Sandbox::new(sandbox.state());
    quiet.with(|state| state.faults.clear());
    let now = plan_only(&quiet, document).await?;
    let revealed = revealed_grants(plan, report, quiet.state().switches);
    for step in &report.steps {
        let planned = &plan.steps[step.step];
        let again = now.steps.iter().find(|other| {
            other.address == step.address && other.change.verb() == planned.change.verb()
        });
        let person = orgcharter::address::Address::member(step.address.name.clone());
        match &step.outcome {
            Outcome::Done { .. } => ensure!(
                again.is_none_or(|again| !again.disposition.is_ready())
                    || revealed.contains(&person),
                "{} is reported as done, and is to be done: {again:?}",
                step.address
            ),
            // A step of several calls may have got half way.
            Outcome::Failed { .. } if planned.calls.len() == 1 => {
                let gone = planned.change.verb() == Verb::Remove
                    || planned.change.object().spec.resource().references().is_empty();
                ensure!(
                    again.is_some() || !gone,
                    "{} is reported as failed, and is done: {:?}",
                    step.address,
                    step.outcome
                );
            }
            _ => {}
        }
    }
    Ok(())
}

/// Rules of failure: which requests, how often, on which side of their effect.
fn faults(tape: &mut Tape<'_>) -> Faults {
    let rules = (0..tape.one(&[1, 2, 2, 3])).map(|_| {
        let on = tape.weighted(&[
            (4, "* /**"),
            (4, "POST /**"),
            (3, "DELETE /**"),
            (2, "GET /**"),
            (3, "POST /v1/organizations/invites"),
            (3, "POST /v1/organizations/workspaces"),
            (2, "POST /v1/organizations/workspaces/*/members"),
            (1, "GET /v1/organizations/*/*"),
        ]);
        let then = tape.one(&[
            Fault::ClosedAfter,
            Fault::ClosedBefore,
            Fault::StatusAfter(500),
            Fault::StatusBefore(529),
            Fault::Truncated,
            Fault::WrongType,
            Fault::Html(502),
            Fault::StatusAfter(504),
            Fault::RateLimited(RetryAfter::seconds(1.5)),
            Fault::RateLimited(RetryAfter::date_in(3)),
            Fault::RateLimited(RetryAfter::milliseconds(20)),
            Fault::RateLimited(RetryAfter::default()),
            Fault::RateLimited(RetryAfter::seconds(100_000.0)),
            Fault::Error(error(409)),
            Fault::Error(error(403)),
            Fault::Error(error(401)),
        ]);
        let probability = tape.one(&[1.0, 0.5, 0.25]);
        let times = u64::from(tape.byte() % 24) + 1;
        Rule::new(on, then).probability(probability).times(times)
    });
    Faults::new(rules.collect()).expect("rules of failure")
}

fn error(status: u16) -> TypedError {
    TypedError {
        status,
        code: None,
        message: None,
        details: serde_json::Map::new(),
        headers: std::collections::BTreeMap::new(),
    }
}
