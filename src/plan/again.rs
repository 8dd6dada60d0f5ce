//! Judges a saved plan again by what is live now: how many objects there are, which keys die, who comes back.
//!
//! Invariant: steps, calls and limits stay as they were reviewed, but for steps that would end the key that charter runs
//! with; no count is taken from the file where live was read.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    acknowledge,
    bind::bind,
    guard,
    keys::{self, InUse},
    stale::stand_ins,
    step::{KeyFate, Plan},
};
use crate::{
    address::{Address, Kind, RemoteId},
    diagnostic::Diagnostic,
    resource::{
        Desired, Disposition, KeyStatus, Live, Snapshot, Spec,
        desired::{GuardName, Pin},
    },
};

/// Counts everything that guards and acknowledgements look at again.
pub fn judge_again(plan: &mut Plan, live: &Live, allow: &BTreeMap<GuardName, u64>) {
    let bound = bind(&known(plan), live).live;
    let returning = guard::returning(&plan.steps, live);
    // What was acknowledged is what was reviewed: keys that came later make the plan stale, and none is missed.
    plan.acknowledgement = acknowledge::needed(plan, &returning);
    let now = guard::population(&bound);
    if live.coverage.members {
        plan.population.members = now.members;
    }
    if live.coverage.api_keys {
        plan.population.api_keys = now.api_keys;
        plan.keys = keys_again(plan, &bound);
    }
    for (address, id) in &plan.bindings {
        let read = live.coverage.workspace_members.contains(id);
        if let (true, Some(count)) =
            (read, plan.population.workspace_members.get_mut(address.name.as_str()))
        {
            *count = now.workspace_members.get(address.name.as_str()).copied().unwrap_or_default();
        }
    }
    plan.guards = guard::judge(plan, allow, returning.len() as u64);
    let now = guard::passed(&plan.guards);
    plan.passed_when_saved = Some(std::mem::replace(&mut plan.passed, now));
    // The plan may have been made with another credential.
    let in_use = InUse::among(&bound);
    for step in plan.steps.iter_mut().filter(|step| step.disposition.is_ready()) {
        if let Some(why) = in_use.ended_by(&step.change, &bound) {
            step.disposition = Disposition::Manual { why };
            step.calls.clear();
        }
    }
}

/// The keys that would stop working by now and that nobody knew of when the plan was made: those of others, and those
/// that the files list. Keys that the very person who leaves has made since do not hold up their removal.
pub fn new_keys(plan: &Plan, live: &Live) -> Vec<Diagnostic> {
    if !live.coverage.api_keys {
        return Vec::new();
    }
    let bound = bind(&known(plan), live).live;
    let known: BTreeSet<&RemoteId> =
        plan.keys.iter().filter(|key| acknowledge::counts(key)).map(|key| &key.id).collect();
    let now = keys_again(plan, &bound);
    now.iter()
        .filter(|key| acknowledge::counts(key) && !known.contains(&key.id))
        .map(|key| {
            Diagnostic::error(
                "plan/stale",
                format!(
                    "the key `{}` ({}) would stop working with the step {}, and did not exist or was not active when the \
                     plan was made",
                    key.name, key.id, key.because_of
                ),
            )
            .help("make a new plan, review it, and apply that")
        })
        .collect()
}

/// What becomes of the keys, each called as the files call it.
fn keys_again(plan: &Plan, live: &Snapshot) -> Vec<KeyFate> {
    let before: BTreeMap<&RemoteId, &KeyFate> =
        plan.keys.iter().map(|key| (&key.id, key)).collect();
    // A plan that switches a key on lists it, and so does one that cannot.
    let wanted: BTreeSet<&Address> = plan
        .steps
        .iter()
        .filter(|step| {
            matches!(&step.change.object().spec, Spec::ApiKey(key) if key.status == Some(KeyStatus::Active))
        })
        .map(|step| &step.address)
        .collect();
    let mut keys = keys::fates(&plan.steps, live, &|address, id| {
        wanted.contains(address) || before.get(id).is_some_and(|key| key.listed_active)
    });
    for key in &mut keys {
        match before.get(&key.id) {
            Some(old) => key.address.clone_from(&old.address),
            None => key.late = key.dies && !acknowledge::counts(key),
        }
    }
    keys
}

/// What the plan knows about which live object is which, in the form of files that pin them all.
fn known(plan: &Plan) -> Desired {
    let mut desired = Desired::default();
    let of_steps = plan.steps.iter().map(|step| {
        let remote = step.change.before().and_then(|before| before.remote.as_ref());
        (step.address.clone(), Arc::clone(step.change.object()), remote.map(|live| live.id.clone()))
    });
    let bound = stand_ins(plan).map(|(address, object)| {
        let id = object.remote.as_ref().map(|live| live.id.clone());
        (address, object, id)
    });
    for (address, object, id) in of_steps.chain(bound) {
        if let (Kind::Member | Kind::Workspace, Some(id)) = (address.kind, id) {
            desired.pins.insert(address.clone(), Pin { id: Some(id), previously: None });
        }
        desired.objects.replace(address, object);
    }
    desired
}
