//! Values of options that are more than a word.
//!
//! Invariant: an error says what to write instead.

use jiff::civil::Date;

use super::OrgKindArg;
use crate::{
    plan::Only,
    resource::{OrgKind, desired::GuardName},
};

pub(super) fn only(text: &str) -> Result<Only, String> {
    Only::parse(text).map_err(|error| error.to_string())
}

pub(super) fn allowance(text: &str) -> Result<(GuardName, u64), String> {
    let names = || GuardName::ALL.map(GuardName::as_str).join(", ");
    let (name, count) = text
        .split_once('=')
        .ok_or_else(|| "write GUARD=COUNT, as in removals.members=40".to_owned())?;
    let guard = GuardName::parse(name)
        .ok_or_else(|| format!("there is no guard `{name}`; the guards are {}", names()))?;
    let count = count.parse().map_err(|_| format!("`{count}` is not a count"))?;
    Ok((guard, count))
}

/// A day that people could mean: what is far from it has no day before or after it.
pub(super) fn day(text: &str) -> Result<Date, String> {
    let date: Date = text.parse().map_err(|_| "write a day, as in 2027-03-31".to_owned())?;
    if (1970..3000).contains(&date.year()) {
        Ok(date)
    } else {
        Err("write a day from 1970-01-01 to 2999-12-31".to_owned())
    }
}

impl From<OrgKindArg> for OrgKind {
    fn from(kind: OrgKindArg) -> Self {
        match kind {
            OrgKindArg::Console => OrgKind::Console,
            OrgKindArg::Enterprise => OrgKind::Enterprise,
            OrgKindArg::Aws => OrgKind::Aws,
        }
    }
}
