//! The rules of the files, and how they differ between two sets of files: what is managed, until when, within which
//! limits, and how entries find their objects.
//!
//! Invariant: old entries are compared under the names that the new files have for them. A rule of an entry is compared
//! only where both have it; what is new or gone as a whole is a change, or is said once; a pin is always said.

mod collect;
mod reading;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use self::collect::{Granted, Rule, RuleKey, Rules};
use super::compare::{Compared, Dropped, Entries};
use crate::{
    address::{Address, Kind},
    config::document::Document,
    diagnostic::Span,
    resource::Spec,
};

/// One rule that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RuleChange {
    /// Where it is in the files: `manage.members`, `members.ada@acme.com.until`.
    pub rule: String,
    /// What it was; `None`: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it is; `None`: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What follows for what is live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
    /// Where it stands now, else where it stood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Span>,
}

const MANAGED: &str = "managed";

/// The rules that differ, in the order of the files' sections.
pub fn rules(old: &Document, new: &Document, compared: &Compared) -> Vec<RuleChange> {
    let same = Entries::default();
    let (left, right) = (Rules::of(old, &compared.entries), Rules::of(new, &same));
    let in_both = |entry: &Option<String>| {
        entry
            .as_ref()
            .is_none_or(|entry| left.entries.contains(entry) && right.entries.contains(entry))
    };
    let keys: BTreeSet<&RuleKey> = left.values.keys().chain(right.values.keys()).collect();
    let mut changes = Vec::new();
    for key in keys {
        let (before, after) = (left.values.get(key), right.values.get(key));
        let value = |side: Option<&Rule>| side.map(|rule| rule.value.clone());
        let takes = after.and_then(|rule| rule.takes);
        if value(before) == value(after) || !(takes.is_some() || in_both(&key.entry)) {
            continue;
        }
        let left_out = key.name.starts_with("read.").then(|| reading::no_longer_read(old, new));
        let lost = value(before).as_deref() == Some(MANAGED) && after.is_none();
        changes.push(RuleChange {
            rule: key.name.clone(),
            before: value(before),
            after: value(after),
            effect: lost
                .then(|| effect(key, compared))
                .or(takes.map(str::to_owned))
                .or(left_out.flatten()),
            at: after.or(before).and_then(|rule| rule.at.clone()),
        });
    }
    changes.extend(granted_otherwise(&left, &right));
    changes.extend(no_longer_listed(new, compared));
    changes.extend(compared.entries.dropped.iter().map(|dropped| {
        let Dropped { address, said, effect, at } = dropped;
        RuleChange {
            rule: entry_name(address),
            before: Some((*said).to_owned()),
            after: Some("not listed".to_owned()),
            effect: Some((*effect).to_owned()),
            at: at.clone(),
        }
    }));
    changes
}

/// Grants that another entry gives now, with other rules: what a team's entry says, or one of the person's own.
fn granted_otherwise(left: &Rules<'_>, right: &Rules<'_>) -> Vec<RuleChange> {
    let mut changes = Vec::new();
    for (grantee, after) in &right.granted {
        let Some(before) = left.granted.get(grantee) else { continue };
        let (workspace, person) = grantee;
        let name = format!("workspaces.{workspace}.members.{person}");
        // The same entry is compared as it stands.
        if before.through == after.through {
            continue;
        }
        let said = |granted: &Granted| granted.managed.then(|| MANAGED.to_owned());
        for (field, before, after_value) in [
            ("role", said(before), said(after)),
            ("until", before.until.clone(), after.until.clone()),
        ] {
            if before != after_value {
                changes.push(RuleChange {
                    rule: format!("{name}.{field}"),
                    before,
                    after: after_value,
                    effect: Some(format!("now through {}", after.through)),
                    at: after.at.clone(),
                });
            }
        }
    }
    changes
}

/// Entries that a list no longer names and that stay.
fn no_longer_listed(new: &Document, compared: &Compared) -> Vec<RuleChange> {
    let listed = |address: &Address| match address.kind {
        Kind::Member => new.members.is_some(),
        Kind::Workspace => new.workspaces.is_some(),
        Kind::WorkspaceMember | Kind::ApiKey => match &address.scope {
            Some(scope) => {
                let workspaces = new.workspaces.as_ref();
                workspaces.and_then(|section| section.get(scope.as_str())).is_some_and(
                    |workspace| match address.kind {
                        Kind::WorkspaceMember => workspace.members.is_some(),
                        _ => workspace.api_keys.is_some(),
                    },
                )
            }
            None => new.api_keys.is_some(),
        },
    };
    compared
        .stays
        .iter()
        .filter(|(address, _)| listed(address))
        .map(|(address, object)| {
            let grants = compared
                .stays
                .keys()
                .filter(|other| other.kind == Kind::WorkspaceMember)
                .filter(|other| match address.kind {
                    Kind::Member => other.name == address.name,
                    Kind::Workspace => other.scope.as_ref() == Some(&address.name),
                    Kind::WorkspaceMember | Kind::ApiKey => false,
                })
                .count();
            let role = match &object.spec {
                Spec::Member(member) => member.role.as_ref().map(ToString::to_string),
                Spec::WorkspaceMember(grant) => Some(grant.role.to_string()),
                Spec::ApiKey(key) => key.status.as_ref().map(ToString::to_string),
                Spec::Workspace(_) => None,
            };
            let mut effect = "it stays as it is".to_owned();
            let held = object.source.as_ref().is_some_and(|source| source.expired);
            if let Some(role) = role.filter(|_| !held) {
                effect = format!("stays {role}");
            }
            if grants > 0 {
                effect = format!("{effect}, with {}", counted(grants, "grant", "grants"));
            }
            RuleChange {
                rule: entry_name(address),
                before: Some(MANAGED.to_owned()),
                after: None,
                effect: Some(effect),
                at: object.source.as_ref().map(|source| source.span.clone()),
            }
        })
        .collect()
}

fn entry_name(address: &Address) -> String {
    let name = &address.name;
    match (address.kind, &address.scope) {
        (Kind::Member, _) => format!("members.{name}"),
        (Kind::Workspace, _) => format!("workspaces.{name}"),
        (Kind::WorkspaceMember, Some(scope)) => format!("workspaces.{scope}.members.{name}"),
        (Kind::ApiKey, Some(scope)) => format!("workspaces.{scope}.api_keys.{name}"),
        (Kind::WorkspaceMember | Kind::ApiKey, None) => format!("api_keys.{name}"),
    }
}

/// What stays of a list that is not managed any more.
fn effect(rule: &RuleKey, compared: &Compared) -> String {
    let RuleKey { name, entry, .. } = rule;
    let label = entry.as_ref().and_then(|entry| entry.strip_prefix("workspaces."));
    let count = |kind: Kind| {
        let of_kind = compared.stays.keys().filter(|address| address.kind == kind);
        of_kind
            .filter(|address| match (label, &address.scope) {
                (Some(label), Some(scope)) => scope.as_str() == label,
                (Some(_), None) => false,
                (None, scope) => kind != Kind::ApiKey || name == "workspaces" || scope.is_none(),
            })
            .count()
    };
    let grants = || counted(count(Kind::WorkspaceMember), "grant", "grants");
    let keys = || counted(count(Kind::ApiKey), "API key", "API keys");
    let field = match entry {
        Some(entry) => name.strip_prefix(entry.as_str()).unwrap_or_default(),
        None => name.as_str(),
    };
    let parts = match field {
        "members" => vec![counted(count(Kind::Member), "person", "people"), grants()],
        "workspaces" => {
            vec![counted(count(Kind::Workspace), "workspace", "workspaces"), grants()]
        }
        ".members" => vec![grants()],
        ".api_keys" | "api_keys" => vec![keys()],
        _ => return "it stays as it is".to_owned(),
    };
    format!("{} stay as they are", parts.join(" and "))
}

fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests;
