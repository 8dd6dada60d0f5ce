//! What the message of a commit says about a plan: acknowledged steps, and guards that may be passed.
//!
//! Invariant: a trailer that was found and does not count is told with the reason, and its text is not repeated.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{args::parse::allowance, failure::Failure, revision::find};
use crate::{
    config::revision::{Trailers, Unread},
    resource::desired::GuardName,
};

/// The trailer that acknowledges steps.
const ACKNOWLEDGEMENT: &str = "Charter-Ack";
/// The trailer that lets a guard be passed: `GUARD=COUNT`, as after `--allow`.
const ALLOWANCE: &str = "Charter-Allow";

/// The digests that somebody gave.
#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    /// The digests.
    pub(super) digests: Vec<String>,
    /// Trailers that do not count, in words.
    pub(super) unread: Vec<String>,
}

impl From<Vec<String>> for Given {
    fn from(digests: Vec<String>) -> Self {
        Self { digests, unread: Vec::new() }
    }
}

impl Given {
    /// Adds what a commit's message acknowledges.
    pub(super) fn add_from_commit(&mut self, rev: &str, path: &Path) -> Result<(), Failure> {
        let Trailers { values, unread } = read(rev, path, ACKNOWLEDGEMENT)?;
        self.digests.extend(values);
        let mut whys: Vec<_> = unread.into_iter().map(|Unread { why, .. }| why).collect();
        whys.sort_unstable();
        whys.dedup();
        self.unread.extend(whys.into_iter().map(|why| {
            format!("the message of `{rev}` has a `{ACKNOWLEDGEMENT}:` that was not read: {why}")
        }));
        Ok(())
    }
}

/// The guards that the message of a commit says may be passed, each with its count, if `rev` is that commit. It decides
/// nothing here: no guard is passed by it. Counts that contradict each other do not count.
pub(super) fn allowed_by(
    rev: &str,
    commit: &str,
    path: &Path,
) -> Result<BTreeMap<GuardName, u64>, Failure> {
    if find(path)?.commit(rev)?.id != commit {
        return Ok(BTreeMap::new());
    }
    let Trailers { values, .. } = read(rev, path, ALLOWANCE)?;
    let mut counts: BTreeMap<GuardName, BTreeSet<u64>> = BTreeMap::new();
    for value in values {
        // As it is written, and not as a number could be read: `0003` is a slip.
        if let Ok((guard, count)) = allowance(&value)
            && value == format!("{}={count}", guard.as_str())
        {
            counts.entry(guard).or_default().insert(count);
        } else if let Some((guard, _)) = value.split_once('=')
            && let Ok((guard, _)) = allowance(&format!("{guard}=0"))
        {
            counts.entry(guard).or_default().extend([u64::MAX, 0]);
        }
    }
    let one = |(guard, counts): (GuardName, BTreeSet<u64>)| {
        let mut counts = counts.into_iter();
        counts.next().filter(|_| counts.next().is_none()).map(|count| (guard, count))
    };
    Ok(counts.into_iter().filter_map(one).collect())
}

fn read(rev: &str, path: &Path, token: &str) -> Result<Trailers, Failure> {
    let place = find(path)?;
    let commit = place.commit(rev)?;
    Ok(place.trailers(&commit, token)?)
}
