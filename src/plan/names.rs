//! Names of workspaces that change hands: whether two may have one name is up to the API, so a name is freed before it
//! is taken.
//!
//! Invariant: only the order of renames and creates changes, and a circle of them, which no order helps, is said.

use std::collections::HashMap;

use super::step::{Stage, Step};
use crate::{
    address::Kind,
    diagnostic::Diagnostic,
    resource::{Change, Spec},
};

impl Step {
    /// Whether this step gives up the name that `other` takes.
    pub fn frees_the_name_of(&self, other: &Step) -> bool {
        gives_up(self).is_some_and(|name| takes(other) == Some(name))
    }
}

/// The name that a step takes from nobody or somebody: that of a new workspace, or another one.
fn takes(step: &Step) -> Option<&str> {
    let renamed = step.change.field("name").is_some();
    match &step.change {
        Change::Create { after } => name(&after.spec),
        Change::Update { after, .. } | Change::Replace { after, .. } if renamed => {
            name(&after.spec)
        }
        Change::Update { .. } | Change::Replace { .. } | Change::Remove { .. } => None,
    }
}

/// The name that nobody has once the step is done.
fn gives_up(step: &Step) -> Option<&str> {
    let renamed = step.change.field("name").is_some();
    step.change.before().filter(|_| renamed).and_then(|before| name(&before.spec))
}

fn name(spec: &Spec) -> Option<&str> {
    match spec {
        Spec::Workspace(workspace) => Some(&workspace.name),
        _ => None,
    }
}

/// Puts each step that gives a name up before the one that takes it, and leaves the rest as it is.
pub(super) fn free_first(steps: &mut Vec<Step>) {
    let (order, _) = order(steps);
    if order.is_sorted() {
        return;
    }
    let mut old: Vec<Option<Step>> = std::mem::take(steps).into_iter().map(Some).collect();
    steps.extend(order.into_iter().filter_map(|index| old[index].take()));
}

/// Says which names go round in a circle: the first of such renames always meets a name that is still there.
pub(super) fn circles(steps: &[Step]) -> Vec<Diagnostic> {
    let (_, circles) = order(steps);
    let said = |circle: &Vec<usize>| {
        let mut members: Vec<&Step> = circle.iter().map(|&index| &steps[index]).collect();
        members.sort_by_key(|step| &step.address);
        let names: Vec<String> =
            members.iter().filter_map(|step| takes(step)).map(|name| format!("`{name}`")).collect();
        let first = members.first()?;
        let finding = Diagnostic::warning(
            "plan/names-in-a-circle",
            format!(
                "workspaces pass the names {} on in a circle: if the API lets no two have one name, it refuses \
                 these renames, however often they are tried",
                names.join(", ")
            ),
        )
        .at_opt(first.at.as_ref())
        .help(format!(
            "if they are refused: give one of them a name that nobody has (`name:`), apply, then give it {}, and apply again",
            names.first()?
        ));
        let others = members[1..].iter().filter_map(|step| step.at.as_ref());
        Some(others.fold(finding, |finding, at| finding.with(at, "in the same circle")))
    };
    circles.iter().filter_map(said).collect()
}

/// The order of the steps in which names are freed first, and the circles in which that cannot be.
fn order(steps: &[Step]) -> (Vec<usize>, Vec<Vec<usize>>) {
    let moves =
        |step: &Step| step.disposition.is_ready() && step.stage == Stage::Build(Kind::Workspace);
    let holders: HashMap<&str, usize> = steps
        .iter()
        .enumerate()
        .filter(|(_, step)| moves(step))
        .filter_map(|(index, step)| Some((gives_up(step)?, index)))
        .collect();
    let mut order = Vec::with_capacity(steps.len());
    let mut circles = Vec::new();
    let mut placed = vec![false; steps.len()];
    for index in 0..steps.len() {
        // What has to come before it, the last first.
        let mut chain: Vec<usize> = Vec::new();
        let mut next = Some(index);
        while let Some(at) = next.filter(|at| !placed[*at]) {
            if let Some(start) = chain.iter().position(|link| *link == at) {
                circles.push(chain[start..].to_vec());
                break;
            }
            chain.push(at);
            let step = &steps[at];
            let wanted = if moves(step) { takes(step) } else { None };
            next = wanted.and_then(|name| holders.get(name).copied());
        }
        for at in chain.into_iter().rev() {
            placed[at] = true;
            order.push(at);
        }
    }
    (order, circles)
}
