//! What the message of a commit says about a plan: acknowledged steps, and guards that may be passed.
//!
//! Invariant: a trailer that was found and does not count is told with the reason, and its text is not repeated.

use std::{collections::BTreeMap, path::Path};

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

/// The guards that a commit's message says may be passed, each with its count. It decides nothing here: no guard is
/// passed by it.
pub(super) fn allowed_by(rev: &str, path: &Path) -> Result<BTreeMap<GuardName, u64>, Failure> {
    let Trailers { values, .. } = read(rev, path, ALLOWANCE)?;
    Ok(values.iter().filter_map(|value| allowance(value).ok()).collect())
}

fn read(rev: &str, path: &Path, token: &str) -> Result<Trailers, Failure> {
    let place = find(path)?;
    let commit = place.commit(rev)?;
    Ok(place.trailers(&commit, token)?)
}
