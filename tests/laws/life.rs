//! What happens to an organization between runs: invites are accepted, days pass, somebody works in the Console.
//!
//! Invariant: whatever happened, the next runs converge to what the files want on that day, and touch nothing else.

use std::time::Duration;

use orgcharter::{
    address::{Address, Kind},
    apply::Outcome,
    config::document::Document,
    plan::{Cause, Plan, Step, stale},
    resource::{Disposition, KeyStatus, Phase, Spec, Verb},
    sandbox::{Sandbox, State},
};

use crate::{
    common::{Session, load, lowered, runtime},
    converge::{Refused, every_write_was_planned, judged, plan_and_apply, plan_only},
    coverage::Coverage,
    disturb::disturb,
    frame,
    generate::Case,
    run::{Verdict, ensure, law},
};

/// Runs that may be needed until nothing is left: one, and one for what the first brings to light.
const RUNS: usize = 2;

#[test]
fn accepted_invites_make_deferred_grants_ready_and_the_next_apply_makes_them() {
    let runtime = runtime();
    law("1, with invites accepted between runs", |case, coverage| {
        coverage.want("a deferred grant that became ready");
        runtime.block_on(accepted(case, coverage))
    });
}

#[test]
fn when_days_pass_what_has_ended_goes_and_nothing_else() {
    let runtime = runtime();
    law("1 and 2, with days passing", |case, coverage| {
        coverage.want("an expiry carried out");
        runtime.block_on(aged(case, coverage))
    });
}

#[test]
fn edits_in_the_console_between_plan_and_apply_are_never_destroyed() {
    let runtime = runtime();
    law("6, without the check: edits between plan and apply", |case, coverage| {
        coverage.want("a destructive step left out");
        coverage.want("a step left out or failed after an edit");
        runtime.block_on(edited(case, coverage))
    });
}

async fn accepted(case: &Case, coverage: &mut Coverage) -> Verdict {
    let document = load(&case.sources)?.document;
    let sandbox = case.sandbox();
    let (first, _) = plan_and_apply(&sandbox, &document).await?;
    let before = plan_only(&sandbox, &document).await?;
    let joined = sandbox.with(State::accept_all);
    let snapshot = sandbox.state();
    let second = plan_only(&sandbox, &document).await?;
    for step in &before.steps {
        let Disposition::Deferred { until, .. } = &step.disposition else { continue };
        let Some(person) = joined_as(&snapshot, &joined, until) else { continue };
        let now = second.steps.iter().find(|other| other.address == step.address);
        // Whoever joined with a role that inherits access needs no grant, or gets none.
        if matches!(person.as_str(), "admin" | "billing") {
            continue;
        }
        let Some(now) = now else {
            return Err(format!("{} waited, and is forgotten after the acceptance", step.address));
        };
        // It may wait for its workspace as well.
        if matches!(&now.disposition, Disposition::Deferred { until, .. } if until.kind == Kind::Workspace)
        {
            continue;
        }
        // Whether a billing member has the grant already cannot be seen where no such grant is shown.
        if matches!(now.disposition, Disposition::Manual { .. }) && now.is_grant_of_billing() {
            continue;
        }
        ensure!(
            now.disposition.is_ready(),
            "{} is not ready after the acceptance: {:?}",
            step.address,
            now.disposition
        );
        ensure!(
            now.cause == Cause::Accepted,
            "{} is not told apart: {:?}",
            step.address,
            now.cause
        );
        coverage.meet("a deferred grant that became ready");
    }
    let mut plans = vec![first];
    plans.extend(until_quiet(&document, &sandbox).await?);
    every_write_was_planned(&sandbox, &plans.iter().collect::<Vec<_>>())?;
    frame::check(&case.files, &snapshot, &sandbox.state())
}

/// The role of somebody who has just joined, if the address is theirs and nobody else's.
fn joined_as(state: &State, joined: &[String], address: &Address) -> Option<String> {
    let canonical = |email: &str| orgcharter::email::Email::lenient(email).canonical().to_string();
    let mut users = state.users().filter(|user| canonical(&user.email) == address.name.as_str());
    match (users.next(), users.next()) {
        (Some(user), None) => joined.contains(&user.id).then(|| user.role.clone()),
        _ => None,
    }
}

async fn aged(case: &Case, coverage: &mut Coverage) -> Verdict {
    let document = load(&case.sources)?.document;
    let sandbox = case.sandbox();
    plan_and_apply(&sandbox, &document).await?;
    // To the day after the first date of the files, then beyond them all.
    for days in [6, 180] {
        sandbox.advance(Duration::from_secs(days * 86_400));
        let before = sandbox.state();
        let plan = plan_only(&sandbox, &document).await?;
        for step in plan.ready().filter(|step| step.cause == Cause::Expired) {
            let source = step.at.as_ref();
            ensure!(source.is_some(), "{} expired, and no line says so", step.address);
            coverage.meet("an expiry carried out");
        }
        let only_expiries = plan.ready().all(|step| step.cause == Cause::Expired);
        ensure!(
            !only_expiries || plan.breaches().next().is_none(),
            "expiries count in guards: {:?}",
            plan.breaches().collect::<Vec<_>>()
        );
        until_quiet(&document, &sandbox).await?;
        frame::check(&case.files, &before, &sandbox.state())?;
    }
    Ok(())
}

/// Runs until nothing is left to do but what the organization refuses.
async fn until_quiet(document: &Document, sandbox: &Sandbox) -> Result<Vec<Plan>, String> {
    let mut refused = Refused::default();
    let mut plans = Vec::new();
    for _ in 0..=RUNS {
        let before = sandbox.state();
        let (plan, report) = plan_and_apply(sandbox, document).await?;
        if plan.ready().all(|step| refused.contains(step)) {
            return Ok(plans);
        }
        refused.extend(judged(&plan, &report, &before)?);
        plans.push(plan);
    }
    let left = plan_only(sandbox, document).await?;
    ensure!(
        left.ready().all(|step| refused.contains(step)),
        "still something to do after {RUNS} runs: {:#?}",
        left.ready().collect::<Vec<_>>()
    );
    Ok(plans)
}

/// A plan is saved, every step is disturbed with some chance, and the plan is applied all the same: as if the edits
/// came after the check for staleness.
async fn edited(case: &Case, coverage: &mut Coverage) -> Verdict {
    let sandbox = case.sandbox();
    let session = Session::new(&sandbox);
    let (desired, _) = lowered(&load(&case.sources)?.document, session.now);
    let (plan, _) = session.plan(&desired).await.map_err(|error| error.to_string())?;
    let mut later = case.later();
    let mut disturbed: Vec<&Step> = Vec::new();
    for step in plan.ready() {
        // One edit of a person or workspace is enough for all that refers to it.
        if later.chance(40) && !disturbed.iter().any(|other| related(other, step)) {
            let edit = sandbox.with(|state| disturb(state, step, &mut later));
            disturbed.extend(edit.map(|_| step));
        }
    }
    let before = sandbox.state();
    let report = session.apply(&plan).await;
    let after = sandbox.state();
    every_write_was_planned(&sandbox, &[&plan])?;
    for step in &disturbed {
        let Some(done) = report.steps.iter().find(|report| report.address == step.address) else {
            continue;
        };
        if !done.outcome.is_done() {
            coverage.meet("a step left out or failed after an edit");
        }
        if destroys(step) {
            survives(step, &before, &after).map_err(|why| format!("{why}: {step:?}\n{done:?}"))?;
            if matches!(done.outcome, Outcome::Skipped { .. }) {
                coverage.meet("a destructive step left out");
            }
        }
    }

    // With the check, nothing at all is done.
    if !disturbed.is_empty() {
        let scope = stale::read_scope(&plan);
        let again = case.sandbox();
        for step in &disturbed {
            again.with(|state| disturb(state, step, &mut case.later()));
        }
        let live = Session::new(&again).read(&scope, desired.organization.kind).await;
        let found = stale::stale_facts(&plan, &live.map_err(|error| error.to_string())?);
        ensure!(!found.is_empty(), "edits under ready steps leave the plan fresh");
    }
    Ok(())
}

/// Whether an edit of one step's object is felt by another step.
fn related(one: &Step, other: &Step) -> bool {
    let names = |step: &Step| {
        let object = step.change.object();
        let mut names = object.spec.resource().references();
        names.push(step.address.clone());
        names
    };
    let (left, right) = (names(one), names(other));
    left.iter().any(|name| right.contains(name))
}

fn destroys(step: &Step) -> bool {
    let switched_off = step
        .change
        .field("status")
        .is_some_and(|field| field.after.as_str() != Some(KeyStatus::Active.as_str()));
    step.change.verb() == Verb::Remove || (step.address.kind == Kind::ApiKey && switched_off)
}

/// What was edited in between is as the edit left it (product.md: a destructive step re-reads its object just before).
fn survives(step: &Step, before: &State, after: &State) -> Verdict {
    let Some(remote) = step.change.before().and_then(|before| before.remote.as_ref()) else {
        return Ok(());
    };
    let id = remote.id.as_str();
    match &step.change.object().spec {
        Spec::Member(_) if remote.phase == Phase::Active => {
            ensure!(
                before.user(id) == after.user(id),
                "somebody was removed or changed after an edit"
            );
        }
        Spec::Member(member) => {
            // The invite was accepted meanwhile.
            let email = member.email.as_written();
            ensure!(before.user(email) == after.user(email), "somebody was removed after joining");
        }
        Spec::Workspace(_) => {
            ensure!(
                before.workspace(id) == after.workspace(id),
                "a workspace was archived after an edit"
            );
        }
        Spec::WorkspaceMember(_) => {
            let (workspace, user) = id.split_once('/').ok_or("a grant's id")?;
            ensure!(
                before.granted(workspace, user) == after.granted(workspace, user)
                    || after.user(user).is_none(),
                "a grant was taken after an edit"
            );
        }
        Spec::ApiKey(_) => {
            ensure!(
                before.api_key(id) == after.api_key(id),
                "a key was switched off after an edit"
            );
        }
    }
    Ok(())
}
