//! From files and live organization to a plan: bind, adopt, diff, schedule, guard. Pure functions.
//!
//! Invariant: the same inputs give the same plan to the byte, and nothing here can reach the network.

pub mod acknowledge;
pub mod adopt;
pub mod again;
mod alike;
pub mod attribution;
pub mod bind;
pub mod compare;
pub mod diff;
pub mod expiring;
pub mod guard;
pub mod hidden;
mod holds;
pub mod keys;
mod limit;
pub mod names;
pub mod record;
pub mod rest;
pub mod rules;
pub mod schedule;
pub mod seal;
pub mod select;
pub mod stale;
pub mod step;
mod successors;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;

pub use self::{
    select::Only,
    step::{Cause, Plan, Stage, Step},
};
use crate::{
    access,
    address::{Address, Kind, Name, RemoteId},
    diagnostic::{self, Diagnostic},
    resource::{
        Change, Desired, Ids, KeyStatus, Live, Phase, Snapshot, Spec, World, desired::GuardName,
    },
};

/// What a plan is made from.
pub struct Input<'a> {
    /// What the files want.
    pub desired: &'a Desired,
    /// What is live.
    pub live: &'a Live,
    /// The time, read once per command.
    pub now: Timestamp,
    /// Findings of the files that are to be shown with the plan.
    pub notes: Vec<Diagnostic>,
    /// How live was seen.
    pub observed: step::Observed,
    /// Narrows the plan; empty: everything.
    pub only: &'a [Only],
    /// Guards that may be passed this once, each with its exact count.
    pub allow: &'a BTreeMap<GuardName, u64>,
    /// Whether a step whose effect the API may hide is to be sent: this change wants it for the first time, or
    /// somebody names it.
    pub asked: &'a dyn Fn(&Address) -> bool,
    /// What the files wanted that were applied last, if that is known: what waited is done without being asked for only
    /// if they wanted it.
    pub applied: Option<&'a Desired>,
}

/// Makes the plan.
pub fn make(input: Input<'_>) -> Plan {
    let Input { desired, live, now, notes, observed, only, allow, asked, applied } = input;
    let bound = bind::bind(desired, live);
    let adopted = adopt::adopt(desired, live, &bound);
    let changes = diff::diff(&bound.live, &adopted.after);
    let world = World {
        kind: desired.organization.kind,
        now,
        live: &bound.live,
        after: &adopted.after,
        history: &live.history,
        asked,
    };
    let unchecked = hidden::unchecked(desired, &world);
    let steps = schedule::schedule(desired, &bound, &adopted, changes, &world);
    let mut notes = notes;
    notes.extend(bound.notes);
    notes.extend(unchecked);
    notes.extend(select::idle(&steps, only).map(|choice| {
        let pattern = choice.as_written();
        Diagnostic::warning("plan/only", format!("no step of the plan matches `--only {pattern}`"))
            .help(
                "nothing differs there, or the pattern is mistyped: `charter plan` shows all steps",
            )
    }));
    let freeing = names::Freeing::by(&steps);
    let mut steps = match applied.filter(|_| select::has_deferred(only)) {
        None => select::select(steps, only, &|_| true),
        Some(applied) => {
            select::select(steps, only, &attribution::wants_too(desired, applied, live, now))
        }
    };
    notes.extend(names::free_first(&mut steps, &freeing, &bound.live));
    notes.extend(names::many(&steps, &bound.live));
    notes.extend(successors::successors(&steps, desired, &bound.live));
    diagnostic::sort(&mut notes);

    let keys = keys::fates(&steps, &bound.live, &|address, _| listed_active(address, desired));
    let population = population(desired, &bound.live);
    let limits = desired.guard.0.iter().map(|(name, (limit, _))| (*name, *limit)).collect();
    let returning = guard::returning(&steps, live);
    let returns = returning.len() as u64;
    let guards = guard::check(&steps, &keys, &population, &limits, allow, returns);
    let access = access_changes(&bound.live, &steps);

    let mut plan = Plan {
        format_version: step::FORMAT_VERSION,
        charter_version: env!("CARGO_PKG_VERSION").to_owned(),
        passed: guard::passed(&guards),
        passed_when_saved: None,
        organization: step::Organization {
            id: live.organization.to_string(),
            name: live.organization_name.as_deref().map(str::to_owned),
            kind: desired.organization.kind,
            pinned: desired.organization.id.is_some(),
        },
        created_at: now,
        observed,
        waiting: waiting(desired, &bound.live),
        unmanaged: adopted
            .unmanaged
            .iter()
            .filter(|address| !keys.iter().any(|key| key.dies && key.address == **address))
            .filter_map(|address| unmanaged(address, &bound.live))
            .collect(),
        expiring: expiring::expiring(desired, &bound.live, &steps, now),
        bindings: bindings(&steps, &bound.live, &population),
        steps,
        keys,
        access,
        guards,
        // Judged by `policy`, which sees the plan as a whole.
        policy: Vec::new(),
        notes,
        population,
        limits,
        only: only.iter().map(Only::as_written).map(str::to_owned).collect(),
        base: None,
        last_applied: None,
        revision: None,
        approval: desired.approval.clone(),
        acknowledgement: None,
        hmac: None,
    };
    plan.acknowledgement = acknowledge::needed(&plan, &returning);
    plan
}

/// Whether the plan takes something away that keys may depend on, while keys were not read.
pub fn wants_keys(plan: &Plan, live: &Live) -> bool {
    !live.coverage.api_keys
        && plan.organization.kind.has_api_keys()
        && plan.ready().any(|step| {
            matches!(step.change, Change::Remove { .. }) && step.address.kind != Kind::ApiKey
        })
}

/// What the ready steps leave behind.
pub fn outcome(live: &Snapshot, steps: &[Step]) -> Snapshot {
    let mut after = live.clone();
    let mut gone: BTreeSet<Address> = BTreeSet::new();
    for step in steps.iter().filter(|step| step.disposition.is_ready()) {
        match &step.change {
            Change::Create { after: object } => {
                after.replace(step.address.clone(), Arc::clone(object));
            }
            Change::Update { before, after: object, .. }
            | Change::Replace { before, after: object, .. } => {
                let mut object = crate::resource::Object::clone(object);
                object.remote.clone_from(&before.remote);
                after.replace(step.address.clone(), Arc::new(object));
            }
            Change::Remove { .. } => {
                after.remove(&step.address);
                gone.insert(step.address.clone());
            }
        }
    }
    if gone.iter().any(|address| address.kind <= Kind::Workspace) {
        let lost: Vec<Address> = after
            .of(Kind::WorkspaceMember)
            .filter(|(_, o)| o.spec.resource().references().iter().any(|r| gone.contains(r)))
            .map(|(address, _)| address.clone())
            .collect();
        for address in lost {
            after.remove(&address);
        }
    }
    after
}

/// How much there is of what guards count.
fn population(desired: &Desired, live: &Snapshot) -> step::Population {
    let mut population = guard::population(live);
    // Rules may need grants that the files do not manage: a guard's share is of those that they do.
    let managed: BTreeSet<&str> =
        desired.scope.workspace_members.keys().map(Name::as_str).collect();
    population.workspace_members.retain(|name, _| managed.contains(name.as_str()));
    population
}

fn access_changes(live: &Snapshot, steps: &[Step]) -> Vec<access::AccessChange> {
    let touches = |step: &&Step| step.disposition.is_ready() && step.address.kind != Kind::ApiKey;
    let touched: Vec<_> =
        steps.iter().filter(touches).map(|step| (&step.address, &step.change)).collect();
    if touched.is_empty() {
        return Vec::new();
    }
    let before = access::around(live, touched.iter().copied());
    access::changes(&before, &outcome(&before, steps), touched)
}

fn waiting(desired: &Desired, live: &Snapshot) -> Vec<step::Waiting> {
    let pending = live.of(Kind::Member).filter(|(_, o)| o.phase() == Some(Phase::Pending));
    pending
        .filter_map(|(address, object)| {
            let Spec::Member(member) = &object.spec else { return None };
            let wanted = desired.objects.get(address)?;
            let Spec::Member(wanted) = &wanted.spec else { return None };
            let role = member.role.as_ref()?;
            if wanted.role.as_ref().is_some_and(|wanted| wanted != role) {
                return None;
            }
            let invite = object.member_facts()?.pending.first()?;
            Some(step::Waiting {
                address: address.clone(),
                role: role.as_str().to_owned(),
                expires_at: invite.expires_at,
            })
        })
        .collect()
}

fn unmanaged(address: &Address, live: &Snapshot) -> Option<step::Unmanaged> {
    let object = live.get(address)?;
    let detail = match &object.spec {
        Spec::Member(member) => member.role.as_ref().map(|role| role.as_str().to_owned()),
        Spec::WorkspaceMember(grant) => Some(grant.role.as_str().to_owned()),
        Spec::ApiKey(key) => key.status.as_ref().map(|status| status.as_str().to_owned()),
        Spec::Workspace(_) => None,
    };
    Some(step::Unmanaged {
        address: address.clone(),
        title: object.spec.resource().title(),
        id: object.remote.as_ref()?.id.clone(),
        detail: detail.unwrap_or_default(),
    })
}

fn listed_active(address: &Address, desired: &Desired) -> bool {
    desired.objects.get(address).is_some_and(|wanted| {
        matches!(&wanted.spec, Spec::ApiKey(spec) if spec.status == Some(KeyStatus::Active))
    })
}

/// The ids that calls of ready steps name through references, and those of the workspaces whose grants a guard counts.
fn bindings(
    steps: &[Step],
    live: &Snapshot,
    population: &step::Population,
) -> Vec<(Address, RemoteId)> {
    let ids = Ids(live);
    let ready = || steps.iter().filter(|step| step.disposition.is_ready());
    let mut references: BTreeSet<Address> =
        ready().flat_map(|step| step.change.object().spec.resource().references()).collect();
    if ready().any(guard::removes_grant) {
        let names = population.workspace_members.keys();
        references.extend(names.map(|name| Address::workspace(Name::label(name.as_str()))));
    }
    references
        .into_iter()
        .filter_map(|address| ids.known(&address).cloned().map(|id| (address, id)))
        .collect()
}

#[cfg(test)]
mod tests;
