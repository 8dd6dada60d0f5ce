//! The steps that somebody has to acknowledge before they are done, and the digest that does it.
//!
//! Invariant: the digest depends on the organization, and on what is done to which live objects, and on nothing
//! else: a plan made again, later or from other files, with the same such steps has the same digest.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use super::{
    guard,
    step::{Cause, Plan, Step},
};
use crate::{
    address::{Address, Kind},
    resource::{KeyStatus, Verb, desired::GuardName},
};

/// What the digest is of, so that no other digest can be taken for it.
const DOMAIN: &str = "orgcharter acknowledgement 1";

/// What has to be acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Acknowledgement {
    /// The digest over the organization and these steps.
    pub digest: String,
    /// The steps.
    pub steps: Vec<Address>,
}

/// The steps of a plan that have to be acknowledged: archives, and the guards that its files (and its base) name.
/// `returning` are the invites to people who were members before. What ends by its date is acknowledged only where
/// `expirations` is among the guards.
pub fn needed(plan: &Plan, returning: &BTreeSet<Address>) -> Option<Acknowledgement> {
    let mut guards = plan.approval.acknowledge.clone();
    guards.insert(GuardName::Archives);
    // Whatever makes a listed key stop working.
    let deadly: BTreeSet<&Address> = plan
        .keys
        .iter()
        .filter(|key| key.dies && key.listed_active && !key.by_expiry)
        .map(|key| &key.because_of)
        .collect();
    let has_to_be = |step: &&Step| {
        guard::classes(step).iter().any(|class| guards.contains(class))
            || step.cause != Cause::Expired
                && (guards.contains(&GuardName::Returns) && returning.contains(&step.address)
                    || guards.contains(&GuardName::DyingKeys) && deadly.contains(&step.address))
    };
    let steps: Vec<&Step> = plan.ready().filter(has_to_be).collect();
    if steps.is_empty() {
        return None;
    }
    Some(Acknowledgement {
        digest: digest(&plan.organization.id, &steps),
        steps: steps.into_iter().map(|step| step.address.clone()).collect(),
    })
}

/// Whether one of the digests given is the one that is asked for.
pub fn is_acknowledged<T: AsRef<str>>(asked: &Acknowledgement, given: &[T]) -> bool {
    given.iter().any(|given| given.as_ref().trim().eq_ignore_ascii_case(&asked.digest))
}

/// SHA-256 over the organization and the sorted pairs of verb and remote id; each part with its length before it.
fn digest(organization: &str, steps: &[&Step]) -> String {
    let pairs: BTreeSet<(&str, String)> =
        steps.iter().map(|step| (verb(step), remote_id(step))).collect();
    let mut context = Context::new(&SHA256);
    let mut part = |text: &str| {
        context.update(&(text.len() as u64).to_be_bytes());
        context.update(text.as_bytes());
    };
    part(DOMAIN);
    part(organization);
    for (verb, id) in &pairs {
        part(verb);
        part(id);
    }
    hex(context.finish().as_ref())
}

/// What is done.
fn verb(step: &Step) -> &'static str {
    let status = step.change.field("status").filter(|_| step.address.kind == Kind::ApiKey);
    let after = status.and_then(|status| status.after.as_str());
    match (step.address.kind, step.change.verb()) {
        (Kind::Workspace, Verb::Remove) => "archive",
        _ if after == Some(KeyStatus::Archived.as_str()) => "archive",
        _ if after == Some(KeyStatus::Inactive.as_str()) => "deactivate",
        (_, verb) => verb.as_str(),
    }
}

/// The live object it is done to; what is not there yet is known by its address.
fn remote_id(step: &Step) -> String {
    match step.change.before().and_then(|object| object.remote.as_ref()) {
        Some(remote) => remote.id.to_string(),
        None => step.address.to_string(),
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
