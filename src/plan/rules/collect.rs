//! The rules of one set of files, by name.
//!
//! Invariant: every field of the document is looked at, and either is a rule or says what is wanted.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

mod policy;

use super::MANAGED;
use crate::{
    address::Kind,
    config::document::{Document, Grant, Guard, Key, Person, Sp, Wanted, Workspace},
    diagnostic::Span,
    plan::guard::default_limit,
    resource::desired::{GuardName, Limit},
};

/// What a rule is called, and the entry it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RuleKey {
    /// The section's place among sections.
    section: u8,
    pub(super) name: String,
    pub(super) entry: Option<String>,
}

/// What it says, and where.
pub(super) struct Rule {
    pub(super) value: String,
    pub(super) at: Option<Span>,
}

/// All rules of one set of files.
#[derive(Default)]
pub(super) struct Rules {
    pub(super) values: BTreeMap<RuleKey, Rule>,
    pub(super) entries: BTreeSet<String>,
    section: u8,
}

impl Rules {
    /// Gathers them.
    pub(super) fn of(document: &Document) -> Self {
        let Document {
            organization,
            members,
            teams: _,
            workspaces,
            api_keys,
            manage,
            guard,
            policy,
            tests,
            files,
        } = document;
        let mut rules = Self::default();
        rules.text("organization.id", None, organization.id.as_ref());
        let kind = &organization.kind;
        rules.put("organization.kind", None, kind.value.to_string(), kind.span.clone());

        rules.section += 1;
        for (kind, word) in [
            (Kind::Member, "members"),
            (Kind::WorkspaceMember, "workspace_members"),
            (Kind::Workspace, "workspaces"),
            (Kind::ApiKey, "api_keys"),
        ] {
            let rule = manage.rule(kind);
            let value = rule.map(|rule| rule.value).unwrap_or_default();
            let at = rule.and_then(|rule| rule.span.clone());
            rules.put(&format!("manage.{word}"), None, word_of(&value), at);
        }
        for ignore in &manage.ignore {
            let until = ignore.until.as_ref().map(|until| format!(", until {}", until.value));
            let name =
                format!("manage.ignore.{}.{}", word_of(&ignore.target), ignore.pattern.value);
            let value = format!("{}{}", ignore.reason.value, until.unwrap_or_default());
            rules.put(&name, None, value, ignore.place.0.clone());
        }

        rules.section += 1;
        let Guard { place: _, limits, acknowledge, max_plan_age } = guard;
        for name in GuardName::ALL {
            let set = limits.get(&name);
            let limit = set.map_or_else(|| default_limit(name), |limit| limit.value);
            let at = set.and_then(|limit| limit.span.clone());
            rules.put(&format!("guard.{}", name.as_str()), None, limit_in_words(limit), at);
        }
        if let Some(names) = acknowledge {
            let words: Vec<&str> = names.value.iter().map(|name| name.as_str()).collect();
            let words = format!("[{}]", words.join(", "));
            rules.put("guard.acknowledge", None, words, names.span.clone());
        }
        rules.text("guard.max_plan_age", None, max_plan_age.as_ref());

        rules.section += 1;
        rules.policy(policy, tests.as_ref(), files.as_ref());

        rules.section += 1;
        if let Some(section) = members {
            rules.managed("members", None, section.place.0.clone());
            for (email, person) in &section.entries {
                rules.person(&format!("members.{email}"), person);
            }
        }

        rules.section += 1;
        if let Some(section) = workspaces {
            rules.managed("workspaces", None, section.place.0.clone());
            for (label, workspace) in &section.entries {
                rules.workspace(&format!("workspaces.{label}"), workspace);
            }
        }

        rules.section += 1;
        if let Some(section) = api_keys {
            rules.managed("api_keys", None, section.place.0.clone());
            for (label, key) in &section.entries {
                rules.key(&format!("api_keys.{label}"), key);
            }
        }
        rules
    }

    fn put(&mut self, name: &str, entry: Option<&str>, value: String, at: Option<Span>) {
        let (section, entry) = (self.section, entry.map(str::to_owned));
        let key = RuleKey { section, name: name.to_owned(), entry };
        self.values.insert(key, Rule { value, at });
    }

    fn text<T: std::fmt::Display>(
        &mut self,
        name: &str,
        entry: Option<&str>,
        value: Option<&Sp<T>>,
    ) {
        if let Some(value) = value {
            self.put(name, entry, value.value.to_string(), value.span.clone());
        }
    }

    fn managed(&mut self, name: &str, entry: Option<&str>, at: Option<Span>) {
        self.put(name, entry, MANAGED.to_owned(), at);
    }

    fn former<T: std::fmt::Display>(&mut self, entry: &str, previously: Option<&Sp<Vec<Sp<T>>>>) {
        let Some(list) = previously else { return };
        let names: Vec<String> = list.value.iter().map(|name| name.value.to_string()).collect();
        let value = format!("[{}]", names.join(", "));
        self.put(&format!("{entry}.previously"), Some(entry), value, list.span.clone());
    }

    fn role<R>(&mut self, entry: &str, role: &Sp<Wanted<R>>) {
        if !matches!(role.value, Wanted::Unmanaged) {
            self.managed(&format!("{entry}.role"), Some(entry), role.span.clone());
        }
    }

    fn person(&mut self, entry: &str, person: &Person) {
        let Person { place: _, role, until, note: _, previously, id } = person;
        self.entries.insert(entry.to_owned());
        self.role(entry, role);
        self.text(&format!("{entry}.until"), Some(entry), until.as_ref());
        self.text(&format!("{entry}.id"), Some(entry), id.as_ref());
        self.former(entry, previously.as_ref());
    }

    fn workspace(&mut self, entry: &str, workspace: &Workspace) {
        let Workspace {
            place: _,
            // A name and a state are what is wanted, not how.
            name: _,
            state: _,
            id,
            previously,
            display_color,
            tags,
            data_residency,
            external_key_id,
            user_profile_id,
            note: _,
            members,
            api_keys,
        } = workspace;
        self.entries.insert(entry.to_owned());
        self.text(&format!("{entry}.id"), Some(entry), id.as_ref());
        self.former(entry, previously.as_ref());
        let fields = [
            ("display_color", display_color.as_ref().map(|color| color.span.clone())),
            ("tags", tags.as_ref().map(|tags| tags.place.0.clone())),
            ("data_residency", data_residency.as_ref().map(|place| place.place.0.clone())),
            ("external_key_id", external_key_id.as_ref().map(|id| id.span.clone())),
            ("user_profile_id", user_profile_id.as_ref().map(|id| id.span.clone())),
        ];
        for (field, at) in fields {
            if let Some(at) = at {
                self.managed(&format!("{entry}.{field}"), Some(entry), at);
            }
        }
        if let Some(grants) = members {
            self.managed(&format!("{entry}.members"), Some(entry), grants.place.0.clone());
            for (email, grant) in &grants.people {
                self.grant(&format!("{entry}.members.{email}"), grant);
            }
            for (team, grant) in &grants.teams {
                self.grant(&format!("{entry}.members.team/{team}"), grant);
            }
        }
        if let Some(keys) = api_keys {
            self.managed(&format!("{entry}.api_keys"), Some(entry), keys.place.0.clone());
            for (label, key) in &keys.entries {
                self.key(&format!("{entry}.api_keys.{label}"), key);
            }
        }
    }

    fn grant(&mut self, entry: &str, grant: &Grant) {
        let Grant { place: _, role, until, note: _ } = grant;
        self.entries.insert(entry.to_owned());
        self.role(entry, role);
        self.text(&format!("{entry}.until"), Some(entry), until.as_ref());
    }

    fn key(&mut self, entry: &str, key: &Key) {
        let Key { place: _, name, status, note: _, until } = key;
        self.entries.insert(entry.to_owned());
        for (field, at) in [
            ("name", name.as_ref().map(|name| name.span.clone())),
            ("status", status.as_ref().map(|status| status.span.clone())),
        ] {
            if let Some(at) = at {
                self.managed(&format!("{entry}.{field}"), Some(entry), at);
            }
        }
        self.text(&format!("{entry}.until"), Some(entry), until.as_ref());
    }
}

/// The word that the files use for a plain value.
fn word_of<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

fn limit_in_words(limit: Limit) -> String {
    let Limit { share, count } = limit;
    match (share, count) {
        (Some(share), Some(count)) => format!("{share}% and {count}"),
        (Some(share), None) => format!("{share}%"),
        (None, Some(count)) => count.to_string(),
        (None, None) => "no limit".to_owned(),
    }
}
