//! What happens to an object, in a symbol and a word of its kind.
//!
//! Invariant: the word alone says it; the symbol and the colour only repeat it.

use anstyle::Style;

use super::count;
use crate::{
    address::Kind,
    plan::Step,
    render::style::{ADD, CHANGE, REMOVE},
    resource::{Change, KeyStatus, Phase, Spec},
};

/// What happens, in a symbol, a word and a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// `+`, `~`, `-/+` or `-`.
    pub symbol: &'static str,
    /// `invite`, `change`, `archive` …
    pub verb: &'static str,
    /// How it is painted.
    pub(super) style: Style,
}

const fn words(symbol: &'static str, verb: &'static str, style: Style) -> Words {
    Words { symbol, verb, style }
}

/// What a change does, in the words of its kind.
pub fn words_of(change: &Change) -> Words {
    let object = change.object();
    match (&object.spec, change) {
        (Spec::Member(_), Change::Create { .. }) => words("+", "invite", ADD),
        (Spec::Member(_), Change::Replace { .. }) => words("-/+", "re-invite", CHANGE),
        (Spec::Member(_), Change::Remove { before }) if before.phase() == Some(Phase::Pending) => {
            words("-", "withdraw", REMOVE)
        }
        (Spec::Workspace(_), Change::Remove { .. }) => words("-", "archive", REMOVE),
        (Spec::WorkspaceMember(_), Change::Create { .. }) => words("+", "grant", ADD),
        (Spec::WorkspaceMember(_), Change::Remove { .. }) => words("-", "revoke", REMOVE),
        (Spec::ApiKey(key), Change::Update { fields, .. }) => {
            let switched = fields.iter().any(|change| change.field == "status");
            match (&key.status, switched) {
                (Some(KeyStatus::Active), true) => words("~", "switch on", ADD),
                (Some(KeyStatus::Inactive), true) => words("~", "switch off", REMOVE),
                (Some(KeyStatus::Archived), true) => words("-", "archive", REMOVE),
                _ => words("~", "change", CHANGE),
            }
        }
        (_, Change::Create { .. }) => words("+", "create", ADD),
        (_, Change::Update { .. }) => words("~", "change", CHANGE),
        (_, Change::Replace { .. }) => words("-/+", "replace", CHANGE),
        (_, Change::Remove { .. }) => words("-", "remove", REMOVE),
    }
}

/// How many of what the ready steps do, by verb, for a question: `2 to invite, 1 to archive`.
pub(super) fn by_verb<'a>(steps: impl Iterator<Item = &'a Step>) -> Vec<(Kind, Words, usize)> {
    let mut counts: Vec<(Kind, Words, usize)> = Vec::new();
    for step in steps {
        let (kind, words) = (step.address.kind, words_of(&step.change));
        match counts.iter_mut().find(|(k, w, _)| *k == kind && *w == words) {
            Some((.., number)) => *number += 1,
            None => counts.push((kind, words, 1)),
        }
    }
    counts.sort_by_key(|(kind, words, _)| (*kind, words.verb));
    counts
}

/// `2 members`, `1 grant`.
pub(in crate::render) fn nouns(kind: Kind, number: usize) -> String {
    match kind {
        Kind::Member => count(number, "member", "members"),
        Kind::Workspace => count(number, "workspace", "workspaces"),
        Kind::WorkspaceMember => count(number, "grant", "grants"),
        Kind::ApiKey => count(number, "API key", "API keys"),
    }
}
