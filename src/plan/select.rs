//! Narrows a plan to some of its steps, and to what those need.
//!
//! Invariant: a selected step that refers to another step brings it along; nothing else is added.

use std::collections::BTreeSet;

use globset::{Glob, GlobMatcher};

use super::step::{Cause, Step};
use crate::{
    address::{Address, Kind},
    diagnostic::did_you_mean,
    glob::{Of, misplaced_stars},
    resource::Disposition,
};

/// Why a choice selects nothing, ever.
#[derive(Debug, thiserror::Error)]
pub enum OnlyError {
    /// It is no pattern.
    #[error(transparent)]
    Pattern(#[from] globset::Error),
    /// It has a `**` that is no whole part.
    #[error("`**` is not a whole part of the pattern, and would act as `*`: write `{0}`")]
    Stars(String),
    /// It resembles one that does.
    #[error("no address starts like this; did you mean `{0}`?")]
    Meant(String),
    /// Several stand in one.
    #[error("give each by itself: `--only expired --only deferred`")]
    Several,
    /// It does not.
    #[error("no address starts like this: write `expired`, `deferred`, or a pattern such as {0}")]
    Kind(String),
}

/// One `--only` choice.
#[derive(Clone, Debug)]
pub enum Only {
    /// Steps whose address matches, such as `member/*@acme.com` or `workspace_member/Production/*`.
    Addresses(GlobMatcher),
    /// Steps that an `until` causes.
    Expired,
    /// Grants that waited for an invite that has been accepted, and what still waits; where it is known what was applied
    /// last, only what that wanted.
    Deferred,
}

impl Only {
    /// Reads one choice.
    pub fn parse(text: &str) -> Result<Self, OnlyError> {
        Ok(match text {
            "expired" => Only::Expired,
            "deferred" => Only::Deferred,
            pattern
                if pattern
                    .split(',')
                    .any(|part| ["expired", "deferred"].contains(&part.trim())) =>
            {
                return Err(OnlyError::Several);
            }
            pattern => {
                let glob = Glob::new(pattern)?;
                if let Some(meant) = misplaced_stars(pattern, Of::Names) {
                    return Err(OnlyError::Stars(meant));
                }
                check_kind(pattern)?;
                Only::Addresses(glob.compile_matcher())
            }
        })
    }

    /// Whether the choice is this one address, written out.
    pub fn names(&self, address: &Address) -> bool {
        let Only::Addresses(pattern) = self else { return false };
        pattern.glob().glob() == address.as_pattern()
    }

    /// The choice as it is written.
    pub fn as_written(&self) -> &str {
        match self {
            Only::Addresses(pattern) => pattern.glob().glob(),
            Only::Expired => "expired",
            Only::Deferred => "deferred",
        }
    }

    fn selects(&self, step: &Step, was_wanted: &dyn Fn(&Step) -> bool) -> bool {
        match self {
            Only::Addresses(pattern) => pattern.is_match(step.address.to_string()),
            Only::Expired => step.cause == Cause::Expired,
            Only::Deferred => {
                (step.cause == Cause::Accepted
                    || matches!(step.disposition, Disposition::Deferred { .. }))
                    && was_wanted(step)
            }
        }
    }
}

/// A glob that starts with plain words can only match addresses of the kind that they name.
fn check_kind(pattern: &str) -> Result<(), OnlyError> {
    let (kind, rest) = pattern.split_once('/').unwrap_or((pattern, ""));
    let is_plain = !kind.contains(['*', '?', '[', ']', '{', '}', '\\']);
    let is_kind = Kind::ALL.iter().any(|known| known.as_str() == kind) && pattern.contains('/');
    if !is_plain || is_kind {
        return Ok(());
    }
    let kinds = Kind::ALL.map(Kind::as_str);
    let rest = if rest.is_empty() { "*" } else { rest };
    let meant = match did_you_mean(kind, kinds.into_iter().chain(["expired", "deferred"])) {
        Some(near @ ("expired" | "deferred")) => near.to_owned(),
        Some(near) => format!("{near}/{rest}"),
        None if kind.contains('@') => format!("member/{pattern}"),
        None => return Err(OnlyError::Kind(kinds.map(|kind| format!("`{kind}/*`")).join(", "))),
    };
    Err(OnlyError::Meant(meant))
}

/// The choices of addresses that no step matches.
pub fn idle<'o>(steps: &[Step], only: &'o [Only]) -> impl Iterator<Item = &'o Only> {
    only.iter().filter(|choice| {
        matches!(choice, Only::Addresses(_))
            && !steps.iter().any(|step| choice.selects(step, &|_| true))
    })
}

/// Whether what waited is chosen.
pub fn has_deferred(only: &[Only]) -> bool {
    only.iter().any(|choice| matches!(choice, Only::Deferred))
}

/// Keeps the selected steps and what they need. No choices keep everything. What waited counts only where it
/// `was_wanted` before.
pub fn select(steps: Vec<Step>, only: &[Only], was_wanted: &dyn Fn(&Step) -> bool) -> Vec<Step> {
    if only.is_empty() {
        return steps;
    }
    let chosen = |step: &&Step| only.iter().any(|choice| choice.selects(step, was_wanted));
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
