//! Values of options that are more than a word.
//!
//! Invariant: an error says what to write instead.

use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use jiff::civil::Date;

use super::OrgKindArg;
use crate::{
    plan::Only,
    resource::{OrgKind, desired::GuardName},
};

pub(super) fn only(text: &str) -> Result<Only, String> {
    Only::parse(text).map_err(|error| error.to_string())
}

/// Where a result is written. What looks like a slip of the keyboard would make a file of a strange name.
pub(super) fn output() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().try_map(|path| match path.to_str().and_then(slip) {
        Some(why) => Err(why),
        None => Ok(PathBuf::from(path)),
    })
}

/// A path; empty if there is none.
pub(super) fn maybe_path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// What was meant, if not a path: `-out=FILE` is `-o ut=FILE`, and `-o json` asks other programs for a format.
fn slip(path: &str) -> Option<String> {
    if let Some(file) = path.strip_prefix("ut=") {
        return Some(format!("write two dashes: `--out={file}`"));
    }
    let formats = [
        "json", "text", "yaml", "yml", "markdown", "github", "sarif", "junit", "wide", "name",
        "table",
    ];
    formats.contains(&path).then(|| {
        format!(
            "`-o` is short for `--out` and names a file; a format is asked for with `--format`, and a file of this name \
             is `./{path}`"
        )
    })
}

pub(in crate::cli) fn allowance(text: &str) -> Result<(GuardName, u64), String> {
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
