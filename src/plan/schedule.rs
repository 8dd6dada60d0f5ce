//! Turns changes into steps: what is ready, what waits, what only a person can do, in which order, by which calls.
//!
//! Invariant: a step is ready only if every call it needs can be built now and everything it refers to will be
//! there before it runs.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    adopt::Adopted,
    bind::Bound,
    holds,
    keys::InUse,
    step::{Cause, Stage, Step},
};
use crate::{
    address::{Address, Kind},
    resource::{
        Change, Desired, Disposition, Ids, KeyStatus, Object, Phase, Settled, Spec, Verb, World,
    },
};

/// An invite accepted within these days makes a missing grant one that waited for it.
const ACCEPTED_DAYS: i64 = 30;

/// Schedules.
pub fn schedule(
    desired: &Desired,
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
    let in_use = InUse::among(world.live);
    let mut steps: Vec<Step> = Vec::with_capacity(changes.len());
    // What became of each create, for what refers to it: kinds come in order, so references are settled first.
    let mut created: BTreeMap<Address, bool> = BTreeMap::new();
    for (address, change) in changes {
        if implied.contains(&address) {
            continue;
        }
        let resource = change.object().spec.resource();
        let (cause, at) = origin(&address, &change, desired, adopted, world);
        let decided = bound.blocked.get(&address).cloned().or_else(|| holds.remove(&address));
        let with_workspace = || with_its_workspace(&address, &change, &created, &unclear);
        let settled = match decided.or_else(with_workspace) {
            Some(disposition) => Settled::As(disposition),
            None => resource.settle(&change, world),
        };
        let Settled::As(mut disposition) = settled else { continue };
        if disposition.is_ready() && change.verb() != Verb::Remove {
            let waits =
                resource.references().into_iter().find_map(|r| wait_for(&r, world, &created));
            disposition = waits.unwrap_or(Disposition::Ready);
        }
        if disposition.is_ready() && change.verb() == Verb::Remove {
            let unlisted = (cause == Cause::Unlisted).then(|| resource.settle_unlisted()).flatten();
            let ends = || in_use.ended_by(&change, world.live);
            disposition = unlisted
                .or_else(|| ends().map(|why| Disposition::Manual { why }))
                .unwrap_or(Disposition::Ready);
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
    steps.sort_by(|a, b| (a.stage, &a.address).cmp(&(b.stage, &b.address)));
    steps
}

/// What becomes of a key whose workspace an entry means and cannot have: whatever is wrong with the key follows from
/// that, and is told there.
fn with_its_workspace(
    address: &Address,
    change: &Change,
    created: &BTreeMap<Address, bool>,
    unclear: &BTreeSet<Address>,
) -> Option<Disposition> {
    let moves = change.verb() == Verb::Create || change.field("workspace").is_some();
    if address.kind != Kind::ApiKey || !moves {
        return None;
    }
    let references = change.object().spec.resource().references();
    let cannot_have = |of: &Address| created.get(of) == Some(&false) || unclear.contains(of);
    let until = references.into_iter().find(cannot_have)?;
    let why = if unclear.contains(&until) {
        format!("until it is clear which workspace `{}` is", until.name)
    } else {
        format!("until {until} is settled")
    };
    Some(Disposition::Deferred { until, why })
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
