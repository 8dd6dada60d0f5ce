//! What is left of a saved plan once some of its steps are done, and how one plan is told from another.
//!
//! Invariant: no step is added or changed but for ids that are known by now, and what is left rests on what the done
//! steps left behind.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest::{SHA256, digest as sha256};

use super::{
    acknowledge::hex,
    step::{Plan, Step},
};
use crate::{
    access::{AccessChange, Place},
    address::{Address, Kind, RemoteId},
    email::Email,
    resource::{Fact, FieldChange, Phase, Verb},
};

/// SHA-256 over a plan, without its seal.
///
/// # Errors
/// If the plan cannot be JSON.
pub fn digest(plan: &Plan) -> Result<String, serde_json::Error> {
    let bytes = serde_json::to_vec(&Plan { hmac: None, ..plan.clone() })?;
    Ok(hex(sha256(&SHA256, &bytes).as_ref()))
}

/// Takes the steps out that are done, named as a journal names them, with the id of what each made.
pub fn rest<'d>(
    plan: &mut Plan,
    done: impl IntoIterator<Item = (&'d str, Verb, Option<&'d RemoteId>)>,
) {
    let done: BTreeMap<(&str, Verb), Option<&RemoteId>> =
        done.into_iter().map(|(address, verb, id)| ((address, verb), id)).collect();
    let mut names: BTreeMap<(String, Verb), usize> = BTreeMap::new();
    for step in &plan.steps {
        *names.entry(name(step)).or_default() += 1;
    }
    // Two steps of one name cannot be told apart: then neither is taken for done, and the facts decide.
    let is_done = |step: &Step| {
        let name = name(step);
        step.disposition.is_ready()
            && names.get(&name) == Some(&1)
            && done.contains_key(&(name.0.as_str(), name.1))
    };
    let (gone, mut left): (Vec<Step>, Vec<Step>) =
        std::mem::take(&mut plan.steps).into_iter().partition(is_done);
    let mut made: BTreeMap<Address, RemoteId> = BTreeMap::new();
    let mut set: BTreeMap<(Kind, &RemoteId, &str), String> = BTreeMap::new();
    for step in &gone {
        let name = name(step);
        let id = done.get(&(name.0.as_str(), name.1)).copied().flatten();
        let lasts = step.change.object().spec.resource().born() == Phase::Active;
        if let Some(id) = id.filter(|_| lasts && step.change.verb() == Verb::Create) {
            made.insert(step.address.clone(), id.clone());
        }
        let live = step.change.before().and_then(|before| before.remote.as_ref());
        for FieldChange { field, before: _, after } in step.change.fields() {
            set.extend(
                live.map(|live| ((step.address.kind, &live.id, &**field), after.to_string())),
            );
        }
    }
    for step in &mut left {
        step.calls = step.calls.iter().map(|call| call.fill(&made)).collect();
        for fact in &mut step.rests_on {
            // What a done step has set is as it set it.
            if let Fact::Field { kind, id, name: _, field, is } = fact
                && let Some(after) = set.get(&(*kind, id, &**field))
            {
                is.clone_from(after);
            }
        }
    }
    plan.bindings.extend(made);
    only_touched(&mut plan.access, &left);
    plan.steps = left;
}

/// What a journal calls a step.
fn name(step: &Step) -> (String, Verb) {
    (step.address.to_string(), step.change.verb())
}

/// Keeps the access of people and workspaces that some step is about.
fn only_touched(access: &mut Vec<AccessChange>, steps: &[Step]) {
    let (mut people, mut workspaces) = (BTreeSet::new(), BTreeSet::new());
    for step in steps {
        match step.address.kind {
            Kind::Member | Kind::WorkspaceMember => {
                people.insert(step.address.name.as_str());
            }
            Kind::Workspace => {
                workspaces.insert(step.change.object().spec.resource().title());
            }
            Kind::ApiKey => {}
        }
    }
    access.retain(|AccessChange { person, place, before: _, after: _ }| {
        people.contains(&**Email::lenient(person).canonical())
            || matches!(place, Place::Workspace(name) if workspaces.contains(name))
    });
}
