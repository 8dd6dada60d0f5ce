//! Names of workspaces that change hands: whether two may have one name is up to the API, so a name is freed before it
//! is taken.
//!
//! Invariant: only the order of steps within a stage changes, and what no order helps is said: a circle of renames, and
//! a name that somebody still has.

use std::collections::{BTreeMap, HashMap};

use super::step::{Stage, Step};
use crate::{
    address::{Address, Kind, RemoteId},
    diagnostic::Diagnostic,
    resource::{Change, Object, Snapshot, Spec},
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

/// The most active workspaces an organization may have, unless Anthropic raised the limit.
pub const WORKSPACES: usize = 100;

/// Whether it is done where names change hands.
fn moves(step: &Step) -> bool {
    step.disposition.is_ready() && step.stage == Stage::Build(Kind::Workspace)
}

/// Which steps would free names, by the address of the workspace, whether a narrower plan keeps them or not.
pub(super) struct Freeing(BTreeMap<Address, Freed>);

/// When a step frees a name.
#[derive(Clone, Copy)]
enum Freed {
    /// Before anything takes it.
    InTime,
    /// By an archive at the end of the run.
    AtTheEnd,
    /// Not in this run: it waits, or is left to a person.
    NotYet,
}

impl Freeing {
    /// By all steps.
    pub(super) fn by(steps: &[Step]) -> Self {
        let freed = |step: &Step| {
            let archived = matches!(step.change, Change::Remove { .. });
            if step.address.kind != Kind::Workspace || !(archived || gives_up(step).is_some()) {
                return None;
            }
            Some(match step.stage {
                _ if !step.disposition.is_ready() => Freed::NotYet,
                Stage::Archive => Freed::AtTheEnd,
                _ => Freed::InTime,
            })
        };
        Self(steps.iter().filter_map(|step| Some((step.address.clone(), freed(step)?))).collect())
    }
}

/// Says that new workspaces may be too many. Whether they are is up to the API: its limit may have been raised, and
/// whether the product's own workspaces count is not documented.
pub(super) fn many(steps: &[Step], live: &Snapshot) -> Option<Diagnostic> {
    let creates: Vec<&Step> = steps
        .iter()
        .filter(|step| moves(step) && matches!(step.change, Change::Create { .. }))
        .collect();
    let first = creates.first()?;
    let is_ordinary = |object: &Object| matches!(&object.spec, Spec::Workspace(workspace) if !workspace.is_default);
    let active = live.of(Kind::Workspace).filter(|(_, object)| is_ordinary(object)).count();
    // If more than the limit are active, it is another one. The Default Workspace may count.
    if active + creates.len() < WORKSPACES || active > WORKSPACES {
        return None;
    }
    Some(
        Diagnostic::warning(
            "plan/many-workspaces",
            format!(
                "{active} workspaces are active and {} more would be made, and most organizations may have {WORKSPACES}: \
                 the API may refuse the last ones",
                creates.len()
            ),
        )
        .at_opt(first.at.as_ref())
        .help(
            "if it does: archive one that is not needed any more (`state: archived`), or ask Anthropic for a higher limit",
        ),
    )
}

/// Puts each step that gives a name up before the one that takes it, and what no order helps last in its stage: refused
/// steps may stop those after them. Says what that is: renames in a circle, of which the first always meets a name that
/// is still there, and names that somebody has for longer than the plan can wait.
pub(super) fn free_first(
    steps: &mut Vec<Step>,
    freeing: &Freeing,
    live: &Snapshot,
) -> Vec<Diagnostic> {
    let in_use = in_use(steps, freeing, live);
    let (order, circles) = order(steps, in_use.iter().map(|(index, _)| *index));
    let circles = circles.iter().filter_map(|circle| in_a_circle(circle, steps));
    let found = circles.chain(in_use.into_iter().map(|(_, finding)| finding)).collect();
    if !order.is_sorted() {
        let mut old: Vec<Option<Step>> = std::mem::take(steps).into_iter().map(Some).collect();
        steps.extend(order.into_iter().filter_map(|index| old[index].take()));
    }
    found
}

/// The steps that take a name which another live workspace has then, each with what is to be said of it. Archived
/// workspaces are none of them: whether the API keeps their names is not known.
fn in_use(steps: &[Step], freeing: &Freeing, live: &Snapshot) -> Vec<(usize, Diagnostic)> {
    let mut wanted: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, step) in steps.iter().enumerate().filter(|(_, step)| moves(step)) {
        if let Some(name) = takes(step) {
            wanted.entry(name).or_default().push(index);
        }
    }
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (address, object) in live.of(Kind::Workspace) {
        let takers = name(&object.spec).and_then(|name| wanted.get(name));
        let (Some(takers), Some(remote)) = (takers, &object.remote) else { continue };
        let frees = freeing.0.get(address).copied();
        let is_chosen = frees.is_some() && steps.iter().any(|step| step.address == *address);
        if is_chosen && matches!(frees, Some(Freed::InTime)) {
            continue;
        }
        for &index in takers.iter().filter(|&&index| steps[index].address != *address) {
            let finding = still_there(&steps[index], address, &remote.id);
            found.push((index, finding.help(instead(address, frees, is_chosen))));
        }
    }
    found
}

fn still_there(step: &Step, holder: &Address, id: &RemoteId) -> Diagnostic {
    let name = takes(step).unwrap_or_default();
    // A workspace that no entry means is called by its id.
    let holder = if holder.name.as_str() == id.as_str() {
        format!("workspace `{id}`")
    } else {
        format!("workspace `{}` (`{id}`)", holder.name)
    };
    Diagnostic::warning(
        "plan/name-in-use",
        format!(
            "`{}` takes the name `{name}` while the {holder} still has it: if the API lets no two have one name, it \
             refuses this step",
            step.address.name
        ),
    )
    .at_opt(step.at.as_ref())
}

/// What to do about a name that `holder` has.
fn instead(holder: &Address, frees: Option<Freed>, is_chosen: bool) -> String {
    let only = holder.on_a_command_line();
    match frees {
        Some(Freed::AtTheEnd) if is_chosen => format!(
            "archives come last: if it is refused, apply once more, or archive that workspace first, by itself: \
             `--only {only}`"
        ),
        Some(Freed::AtTheEnd) => {
            format!("archive that workspace first, by itself: `--only {only}`")
        }
        Some(Freed::InTime) => format!("choose the step that frees the name too: `--only {only}`"),
        Some(Freed::NotYet) => format!(
            "the step `{holder}` would free it, and is not ready: see there what it needs, and do that first"
        ),
        None => "if it is refused: rename or archive that workspace first, or take another name (`name:`)".to_owned(),
    }
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

/// The order of the steps in which names are freed first, and the circles in which that cannot be. What takes a name
/// that is in use comes as late as they do.
fn order(steps: &[Step], in_use: impl Iterator<Item = usize>) -> (Vec<usize>, Vec<Vec<usize>>) {
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
    // Whether a step is in a circle, takes a name in use, or waits for one that does.
    let mut stuck = vec![false; steps.len()];
    in_use.for_each(|index| stuck[index] = true);
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
