//! `--only`: a plan narrowed to one step does that step, what it needs, and nothing else.
//!
//! Invariant: a narrowed plan is a part of the whole one, step for step.

use std::collections::BTreeSet;

use orgcharter::{
    address::Address,
    plan::{Only, Plan, Step},
};

use crate::{
    common::{Session, load, lowered, make, runtime},
    converge::{every_write_was_planned, judged, plan_only},
    coverage::Coverage,
    frame,
    generate::Case,
    run::{Verdict, ensure, law},
};

#[test]
fn a_plan_narrowed_to_one_step_does_it_with_what_it_needs_and_nothing_else() {
    let runtime = runtime();
    law("1 and 2, narrowed by --only", |case, coverage| {
        coverage.want("a step that needed another");
        runtime.block_on(narrowed(case, coverage))
    });
}

async fn narrowed(case: &Case, coverage: &mut Coverage) -> Verdict {
    let document = load(&case.sources)?.document;
    let sandbox = case.sandbox();
    let before = sandbox.state();
    let session = Session::new(&sandbox);
    let (desired, _) = lowered(&document, session.now);
    let (whole, live) = session.plan(&desired).await.map_err(|error| error.to_string())?;
    let ready: Vec<&Step> = whole.ready().collect();
    let Some(chosen) = ready.get(usize::from(case.later().byte()) % ready.len().max(1)) else {
        return Ok(());
    };
    let only = Only::parse(&chosen.address.to_string()).map_err(|error| error.to_string())?;
    let part = make(&desired, &live, session.now, &[only]);
    part_of(&whole, &part, &chosen.address)?;
    if part.steps.len() > 1 {
        coverage.meet("a step that needed another");
    }

    let report = session.apply(&part).await;
    every_write_was_planned(&sandbox, &[&part])?;
    let refused = judged(&part, &report, &before)?;
    frame::check(&case.files, &before, &sandbox.state())?;
    let after = plan_only(&sandbox, &document).await?;
    let again = after.ready().find(|step| {
        part.ready().any(|done| done.address == step.address) && !refused.contains(step)
    });
    ensure!(again.is_none(), "a step is still to do: {again:?}");
    Ok(())
}

/// The steps of a narrowed plan are steps of the whole one: the chosen one, and what it refers to.
fn part_of(whole: &Plan, part: &Plan, chosen: &Address) -> Verdict {
    let mut needed = BTreeSet::from([chosen.clone()]);
    // References point to smaller kinds, so two rounds reach everything.
    for _ in 0..2 {
        let more: Vec<Address> = whole
            .steps
            .iter()
            .filter(|step| needed.contains(&step.address))
            .flat_map(|step| step.change.object().spec.resource().references())
            .collect();
        needed.extend(more);
    }
    let expected: Vec<&Step> =
        whole.steps.iter().filter(|step| needed.contains(&step.address)).collect();
    let found: Vec<&Step> = part.steps.iter().collect();
    ensure!(found == expected, "narrowed to {chosen}: {found:#?}\nexpected {expected:#?}");
    Ok(())
}
