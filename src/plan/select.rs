//! Narrows a plan to some of its steps, and to what those need.
//!
//! Invariant: a selected step that refers to another step brings it along; nothing else is added.

use std::collections::BTreeSet;

use globset::{Glob, GlobMatcher};

use super::step::{Cause, Step};
use crate::{address::Address, resource::Disposition};

/// One `--only` choice.
#[derive(Clone, Debug)]
pub enum Only {
    /// Steps whose address matches, such as `member/*@acme.com` or `workspace_member/Production/*`.
    Addresses(GlobMatcher),
    /// Steps that an `until` causes.
    Expired,
    /// Grants that waited for an invite that has been accepted, and what still waits.
    Deferred,
}

impl Only {
    /// Reads one choice.
    pub fn parse(text: &str) -> Result<Self, globset::Error> {
        Ok(match text {
            "expired" => Only::Expired,
            "deferred" => Only::Deferred,
            pattern => Only::Addresses(Glob::new(pattern)?.compile_matcher()),
        })
    }

    /// The choice as it is written.
    pub fn as_written(&self) -> &str {
        match self {
            Only::Addresses(pattern) => pattern.glob().glob(),
            Only::Expired => "expired",
            Only::Deferred => "deferred",
        }
    }

    fn selects(&self, step: &Step) -> bool {
        match self {
            Only::Addresses(pattern) => pattern.is_match(step.address.to_string()),
            Only::Expired => step.cause == Cause::Expired,
            Only::Deferred => {
                step.cause == Cause::Accepted
                    || matches!(step.disposition, Disposition::Deferred { .. })
            }
        }
    }
}

/// Keeps the selected steps and what they need. No choices keep everything.
pub fn select(steps: Vec<Step>, only: &[Only]) -> Vec<Step> {
    if only.is_empty() {
        return steps;
    }
    let chosen = |step: &&Step| only.iter().any(|choice| choice.selects(step));
    let mut keep: BTreeSet<Address> =
        steps.iter().filter(chosen).map(|step| step.address.clone()).collect();
    // References point to smaller kinds, so going backwards once finds everything.
    let mut by_kind: Vec<&Step> = steps.iter().collect();
    by_kind.sort_by(|a, b| b.address.cmp(&a.address));
    for step in by_kind {
        if keep.contains(&step.address) {
            keep.extend(step.change.object().spec.resource().references());
        }
    }
    steps.into_iter().filter(|step| keep.contains(&step.address)).collect()
}
