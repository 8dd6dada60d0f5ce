//! The rules of the files, and how they differ between two sets of files: what is managed, until when, within which
//! limits, and how entries find their objects.
//!
//! Invariant: a rule of an entry is compared only where both sets of files have the entry; what is new or gone as a
//! whole is a change, or is said once.

mod collect;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use self::collect::{Rule, RuleKey, Rules};
use super::compare::Compared;
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
    let (left, right) = (Rules::of(old), Rules::of(new));
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
        if value(before) == value(after) || !in_both(&key.entry) {
            continue;
        }
        let lost = value(before).as_deref() == Some(MANAGED) && after.is_none();
        changes.push(RuleChange {
            rule: key.name.clone(),
            before: value(before),
            after: value(after),
            effect: lost.then(|| effect(&key.name, compared)),
            at: after.or(before).and_then(|rule| rule.at.clone()),
        });
    }
    changes.extend(dropped(new, compared));
    changes
}

/// Entries that a list no longer names and that stay.
fn dropped(new: &Document, compared: &Compared) -> Vec<RuleChange> {
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
            if let Some(role) = role {
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
fn effect(rule: &str, compared: &Compared) -> String {
    let count = |kind: Kind, scope: Option<&str>| {
        compared
            .stays
            .keys()
            .filter(|address| address.kind == kind)
            .filter(|address| {
                scope.is_none_or(|scope| {
                    address.scope.as_ref().is_some_and(|own| own.as_str() == scope)
                })
            })
            .count()
    };
    let within = |suffix: &str| rule.strip_prefix("workspaces.")?.strip_suffix(suffix);
    let parts: Vec<String> = if rule == "members" {
        vec![
            counted(count(Kind::Member, None), "person", "people"),
            counted(count(Kind::WorkspaceMember, None), "grant", "grants"),
        ]
    } else if rule == "workspaces" {
        vec![
            counted(count(Kind::Workspace, None), "workspace", "workspaces"),
            counted(count(Kind::WorkspaceMember, None), "grant", "grants"),
        ]
    } else if let Some(workspace) = within(".members") {
        vec![counted(count(Kind::WorkspaceMember, Some(workspace)), "grant", "grants")]
    } else if let Some(workspace) = within(".api_keys") {
        vec![counted(count(Kind::ApiKey, Some(workspace)), "API key", "API keys")]
    } else if rule == "api_keys" {
        vec![counted(count(Kind::ApiKey, None), "API key", "API keys")]
    } else {
        return "it stays as it is".to_owned();
    };
    format!("{} stay as they are", parts.join(" and "))
}

fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
