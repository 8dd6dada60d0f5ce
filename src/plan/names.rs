//! Names of workspaces that change hands: whether two may have one name is up to the API, so a name is freed before it
//! is taken.
//!
//! Invariant: only the order of steps within a stage changes, and a circle of renames, which no order helps, is said.

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

/// Puts each step that gives a name up before the one that takes it, and what no order helps last in its stage: refused
/// steps may stop those after them. Says which names go round in a circle: the first of such renames always meets a name
/// that is still there.
pub(super) fn free_first(steps: &mut Vec<Step>) -> Vec<Diagnostic> {
    let (order, circles) = order(steps);
    let found = circles.iter().filter_map(|circle| in_a_circle(circle, steps)).collect();
    if !order.is_sorted() {
        let mut old: Vec<Option<Step>> = std::mem::take(steps).into_iter().map(Some).collect();
        steps.extend(order.into_iter().filter_map(|index| old[index].take()));
    }
    found
}

fn in_a_circle(circle: &[usize], steps: &[Step]) -> Option<Diagnostic> {
    let mut members: Vec<&Step> = circle.iter().map(|&index| &steps[index]).collect();
    members.sort_by_key(|step| &step.address);
    let names: Vec<String> =
        members.iter().filter_map(|step| takes(step)).map(|name| format!("`{name}`")).collect();
    let first = members.first()?;
    let finding = Diagnostic::warning(
        "plan/names-in-a-circle",
        format!(
            "workspaces pass the names {} on in a circle: if the API lets no two have one name, it refuses these \
             renames, however often they are tried",
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
}

/// The order of the steps in which names are freed first, and the circles in which that cannot be.
fn order(steps: &[Step]) -> (Vec<usize>, Vec<Vec<usize>>) {
    let moves =
        |step: &Step| step.disposition.is_ready() && step.stage == Stage::Build(Kind::Workspace);
    // Live workspaces may share a name: it is free when all of them have given it up.
    let mut holders: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, step) in steps.iter().enumerate().filter(|(_, step)| moves(step)) {
        if let Some(name) = gives_up(step) {
            holders.entry(name).or_default().push(index);
        }
    }
    let waits_for = |index: usize| {
        let wanted = Some(&steps[index]).filter(|step| moves(step)).and_then(takes);
        wanted.and_then(|name| holders.get(name)).map_or(&[][..], Vec::as_slice).iter()
    };
    let mut order = Vec::with_capacity(steps.len());
    let mut circles = Vec::new();
    let mut placed = vec![false; steps.len()];
    // Whether a step is in a circle, or waits for one that is.
    let mut stuck = vec![false; steps.len()];
    for index in 0..steps.len() {
        // Each waits for the next; with what it may still have to wait for.
        let mut chain = if placed[index] { vec![] } else { vec![(index, waits_for(index))] };
        while let Some((at, rest)) = chain.last_mut() {
            let at = *at;
            match rest.next() {
                Some(&next) if placed[next] => stuck[at] |= stuck[next],
                Some(&next) => match chain.iter().position(|(link, _)| *link == next) {
                    Some(start) => {
                        stuck[at] = true;
                        circles.push(chain[start..].iter().map(|(link, _)| *link).collect());
                    }
                    None => chain.push((next, waits_for(next))),
                },
                None => {
                    placed[at] = true;
                    order.push(at);
                    chain.pop();
                    if let Some((before, _)) = chain.last() {
                        stuck[*before] |= stuck[at];
                    }
                }
            }
        }
    }
    order.sort_by_key(|&index| (steps[index].stage, stuck[index]));
    (order, circles)
}
