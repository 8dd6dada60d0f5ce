//! Turns changes into steps: what is ready, what waits, what only a person can do, in which order, by which calls.
//!
//! Invariant: a step is ready only if every call it needs can be built now and everything it refers to will be
//! there before it runs.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    adopt::Adopted,
    bind::Bound,
    holds,
    step::{Cause, Stage, Step},
};
use crate::{
    address::{Address, Kind},
    resource::{
        Change, Desired, Disposition, Ids, KeyStatus, Live, Object, Phase, Settled, Spec, Verb,
        World, workspace::CLAUDE_CODE,
    },
};

/// The most active workspaces an organization may have.
const MAX_WORKSPACES: usize = 100;
/// An invite accepted within these days makes a missing grant one that waited for it.
const ACCEPTED_DAYS: i64 = 30;

/// Schedules.
pub fn schedule(
    desired: &Desired,
    live: &Live,
    bound: &Bound,
    adopted: &Adopted,
    changes: Vec<(Address, Change)>,
    world: &World<'_>,
) -> Vec<Step> {
    let removed: BTreeSet<&Address> = changes
        .iter()
        .filter(|(_, change)| change.verb() == Verb::Remove)
        .map(|(address, _)| address)
        .collect();
    let implied: BTreeSet<Address> = changes
        .iter()
        .filter(|(address, change)| {
            removed.contains(address)
                && change.before().is_some_and(|o| {
                    o.spec.resource().references().iter().any(|r| removed.contains(r))
                })
        })
        .map(|(address, _)| address.clone())
        .collect();
    let mut holds = holds::holds(desired, bound, adopted, &changes, world);
    let unclear: BTreeSet<Address> =
        holds.keys().filter(|address| address.kind == Kind::Workspace).cloned().collect();

    let ids = Ids(world.live);
    let mut steps: Vec<Step> = Vec::with_capacity(changes.len());
    // What became of each create, for what refers to it: kinds come in order, so references are settled first.
    let mut created: BTreeMap<Address, bool> = BTreeMap::new();
    for (address, change) in changes {
        if implied.contains(&address) {
            continue;
        }
        let resource = change.object().spec.resource();
        let settled = match bound.blocked.get(&address).cloned().or_else(|| holds.remove(&address))
        {
            Some(disposition) => Settled::As(disposition),
            None => resource.settle(&change, world),
        };
        let Settled::As(mut disposition) = settled else { continue };
        if let Some(held) = is_listed_elsewhere(&change, &unclear) {
            let why = format!("until it is clear which workspace `{}` is", held.name);
            disposition = Disposition::Deferred { until: held, why };
        }
        if disposition.is_ready() && change.verb() != Verb::Remove {
            let waits =
                resource.references().into_iter().find_map(|r| wait_for(&r, world, &created));
            disposition = waits.unwrap_or(Disposition::Ready);
        }
        let calls = if disposition.is_ready() {
            let calls = match &change {
                Change::Create { .. } => resource.create(&ids),
                Change::Update { before, fields, .. } | Change::Replace { before, fields, .. } => {
                    resource.update(before, fields, &ids)
                }
                Change::Remove { before } => resource.remove(before, &ids),
            };
            calls.unwrap_or_else(|manual| {
                disposition = Disposition::Manual { why: manual.why };
                Vec::new()
            })
        } else {
            Vec::new()
        };
        if change.verb() == Verb::Create {
            created.insert(
                address.clone(),
                disposition.is_ready() && resource.born() == Phase::Active,
            );
        }
        let (cause, at) = origin(&address, &change, desired, adopted, world);
        let rests_on = resource.rests_on(&change, world);
        let stage = stage(address.kind, &change);
        steps.push(Step {
            address,
            change,
            disposition,
            cause,
            stage,
            at,
            rests_on,
            calls,
            attribution: None,
        });
    }
    keep_workspace_cap(live, &mut steps);
    steps.sort_by(|a, b| (a.stage, &a.address).cmp(&(b.stage, &b.address)));
    steps
}

/// The held workspace under which a live key is listed: where the key really is, says the step of that workspace.
fn is_listed_elsewhere(change: &Change, held: &BTreeSet<Address>) -> Option<Address> {
    if change.before().is_none() || change.field("workspace").is_none() {
        return None;
    }
    change.object().spec.resource().references().into_iter().find(|of| held.contains(of))
}

/// Why something that refers to `reference` cannot be done yet.
fn wait_for(
    reference: &Address,
    world: &World<'_>,
    created: &BTreeMap<Address, bool>,
) -> Option<Disposition> {
    let deferred = |why: String| Disposition::Deferred { until: reference.clone(), why };
    let live = world.live.get(reference);
    match live.and_then(|object| object.phase()) {
        Some(Phase::Active) => None,
        Some(Phase::Pending) => {
            Some(deferred(format!("until `{}` accepts the invite", reference.name)))
        }
        None => match created.get(reference) {
            Some(true) => None,
            Some(false) if reference.kind == Kind::Member => {
                Some(deferred(format!("until `{}` is invited and accepts", reference.name)))
            }
            Some(false) => Some(deferred(format!("until {reference} exists"))),
            None => Some(Disposition::Manual {
                why: format!(
                    "no {} `{}` is in this organization: fix the name, or list it",
                    reference.kind.noun(),
                    reference.name
                ),
            }),
        },
    }
}

/// Why a step is there, and which line says so.
fn origin(
    address: &Address,
    change: &Change,
    desired: &Desired,
    adopted: &Adopted,
    world: &World<'_>,
) -> (Cause, Option<crate::diagnostic::Span>) {
    if let Some((cause, span)) = adopted.going.get(address) {
        return (*cause, Some(span.clone()));
    }
    let source = desired.objects.get(address).and_then(|object| object.source.as_ref());
    let cause = if source.is_some_and(|source| source.expired) {
        Cause::Expired
    } else if change.verb() == Verb::Create && waited(change.object(), world) {
        Cause::Accepted
    } else {
        Cause::Listed
    };
    (cause, source.map(|source| source.span.clone()))
}

/// Whether a grant is made for somebody who accepted an invite lately.
fn waited(object: &Object, world: &World<'_>) -> bool {
    let Spec::WorkspaceMember(grant) = &object.spec else { return false };
    let accepted = world.history.get(grant.member.as_str()).and_then(|history| history.accepted);
    let horizon = world.now.checked_sub(jiff::SignedDuration::from_hours(24 * ACCEPTED_DAYS));
    // Before the beginning of time nobody accepted anything, and after it everybody did.
    accepted.is_some_and(|accepted| horizon.map_or(true, |horizon| accepted > horizon))
}

fn stage(kind: Kind, change: &Change) -> Stage {
    match (kind, change.verb()) {
        (Kind::ApiKey, _) => {
            let archived = change
                .field("status")
                .is_some_and(|field| field.after.as_str() == Some(KeyStatus::Archived.as_str()));
            if archived { Stage::Archive } else { Stage::Switch }
        }
        (Kind::Workspace, Verb::Remove) => Stage::Archive,
        (Kind::Member, Verb::Remove) => Stage::RemoveMembers,
        (Kind::WorkspaceMember, Verb::Remove) => Stage::RemoveGrants,
        (kind, Verb::Create | Verb::Update | Verb::Replace) => Stage::Build(kind),
    }
}

/// Keeps within the cap on active workspaces: archives make room where they must, and creates beyond it are left
/// to a person. Whether the product's own workspaces count is not documented, so only what is surely too
/// much is refused.
fn keep_workspace_cap(live: &Live, steps: &mut [Step]) {
    let ready = |step: &Step, verb: Verb| {
        step.address.kind == Kind::Workspace
            && step.change.verb() == verb
            && step.disposition.is_ready()
    };
    let creates = steps.iter().filter(|step| ready(step, Verb::Create)).count();
    if creates == 0 {
        return;
    }
    let (mut surely, mut perhaps) = (0, 1); // the Default Workspace may count
    for (_, object) in &live.objects {
        let Spec::Workspace(workspace) = &object.spec else { continue };
        if workspace.is_default {
            continue;
        }
        perhaps += 1;
        surely += usize::from(&*workspace.name != CLAUDE_CODE);
    }
    if perhaps + creates <= MAX_WORKSPACES {
        return;
    }
    let mut archives = 0;
    for step in steps.iter_mut() {
        if ready(step, Verb::Remove) {
            step.stage = Stage::MakeRoom;
            archives += 1;
        }
    }
    let mut room = (MAX_WORKSPACES + archives).saturating_sub(surely);
    let mut refused = BTreeSet::new();
    for step in steps.iter_mut() {
        if !ready(step, Verb::Create) {
            continue;
        }
        if room > 0 {
            room -= 1;
            continue;
        }
        step.disposition = Disposition::Manual {
            why: format!(
                "the organization has no room for another of {MAX_WORKSPACES} active workspaces: archive one first \
                 (`state: archived`), or ask for a higher limit"
            ),
        };
        step.calls.clear();
        refused.insert(step.address.clone());
    }
    for step in steps.iter_mut() {
        let waits = step.change.object().spec.resource().references();
        if let Some(until) = waits.into_iter().find(|address| refused.contains(address)) {
            let why = format!("until {until} exists");
            step.disposition = Disposition::Deferred { until, why };
            step.calls.clear();
        }
    }
}
