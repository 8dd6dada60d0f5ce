//! The rules of one set of files, by name.
//!
//! Invariant: every field of the document is looked at, and either is a rule or says what is wanted.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::Serialize;

mod policy;

use super::MANAGED;
use crate::{
    address::{Address, Kind, Name, RemoteId},
    config::document::{
        Document, Grant, Grants, Guard, KEY_ID_PREFIX, Key, Person, Section, Sp, Team, Wanted,
        Workspace, reading::Reading,
    },
    diagnostic::Span,
    email::Email,
    plan::{compare::Entries, guard::default_limit},
    resource::desired::{GuardName, Limit},
};

/// What `id` does.
const TAKES_ID: Option<&str> = Some("takes over whatever has that id");
/// What `previously` does.
const TAKES_NAME: Option<&str> = Some("takes over whatever is called that");

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
    /// What a pin or an earlier name does, which counts for a new entry too.
    pub(super) takes: Option<&'static str>,
}

/// How somebody has a grant.
pub(super) struct Granted {
    /// The entry that gives it.
    pub(super) through: String,
    /// Whether the role is said.
    pub(super) managed: bool,
    pub(super) until: Option<String>,
    pub(super) at: Option<Span>,
}

/// A workspace and a person, as the new files call them.
pub(super) type Grantee = (Arc<str>, Arc<str>);

/// All rules of one set of files.
pub(super) struct Rules<'a> {
    pub(super) values: BTreeMap<RuleKey, Rule>,
    pub(super) entries: BTreeSet<String>,
    pub(super) granted: BTreeMap<Grantee, Granted>,
    section: u8,
    names: &'a Entries,
}

impl<'a> Rules<'a> {
    /// Gathers them; `names` says how the new files call what these name.
    pub(super) fn of(document: &Document, names: &'a Entries) -> Self {
        let Document {
            organization,
            members,
            teams,
            workspaces,
            api_keys,
            manage,
            guard,
            policy,
            tests,
            files,
            read,
        } = document;
        let mut rules = Self {
            values: BTreeMap::new(),
            entries: BTreeSet::new(),
            granted: BTreeMap::new(),
            section: 0,
            names,
        };
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
        if let Some(Reading { place: _, include, exclude }) = read {
            for (name, list) in [("read.include", include), ("read.exclude", exclude)] {
                let Some(list) = list else { continue };
                let patterns: Vec<&str> = list.value.iter().map(|text| &*text.value).collect();
                let value = format!("[{}]", patterns.join(", "));
                rules.put(name, None, value, list.span.clone());
            }
        }

        rules.section += 1;
        if let Some(section) = members {
            rules.managed("members", None, section.place.0.clone());
            for (email, person) in &section.entries {
                let name = names.member(email.canonical());
                let entry = format!("members.{name}");
                // Who is meant, by the address that these files have.
                let place = person.place.0.clone();
                rules.put(&entry, Some(&entry), email.canonical().to_string(), place);
                rules.person(&entry, person);
            }
        }

        rules.section += 1;
        if let Some(section) = workspaces {
            rules.managed("workspaces", None, section.place.0.clone());
            for (label, workspace) in &section.entries {
                let name = names.workspace(label);
                rules.workspace(label, &format!("workspaces.{name}"), workspace);
                if let Some(grants) = &workspace.members {
                    rules.grantees(&name, grants, teams.as_ref());
                }
            }
        }

        rules.section += 1;
        if let Some(section) = api_keys {
            rules.managed("api_keys", None, section.place.0.clone());
            for (label, key) in &section.entries {
                rules.key(None, label, key);
            }
        }
        rules
    }

    fn put(&mut self, name: &str, entry: Option<&str>, value: String, at: Option<Span>) {
        let (section, entry) = (self.section, entry.map(str::to_owned));
        let key = RuleKey { section, name: name.to_owned(), entry };
        self.values.insert(key, Rule { value, at, takes: None });
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

    /// How an entry finds what it means.
    fn pins<T: std::fmt::Display>(
        &mut self,
        entry: &str,
        id: Option<&Sp<Arc<str>>>,
        previously: Option<&Sp<Vec<Sp<T>>>>,
    ) {
        let id = id.map(|id| ("id", id.value.to_string(), id.span.clone(), TAKES_ID));
        let former = previously.map(|list| {
            let names: Vec<String> = list.value.iter().map(|n| n.value.to_string()).collect();
            // An empty list says that nothing is taken over.
            let takes = TAKES_NAME.filter(|_| !names.is_empty());
            ("previously", format!("[{}]", names.join(", ")), list.span.clone(), takes)
        });
        for (field, value, at, takes) in id.into_iter().chain(former) {
            let name = format!("{entry}.{field}");
            let key = RuleKey { section: self.section, name, entry: Some(entry.to_owned()) };
            self.values.insert(key, Rule { value, at, takes });
        }
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
        self.pins(entry, id.as_ref(), previously.as_ref());
    }

    fn workspace(&mut self, workspace_label: &Arc<str>, entry: &str, workspace: &Workspace) {
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
        self.pins(entry, id.as_ref(), previously.as_ref());
        let residency = data_residency.as_ref();
        let fields = [
            ("display_color", display_color.as_ref().map(|color| color.span.clone())),
            ("tags", tags.as_ref().map(|tags| tags.place.0.clone())),
            (
                "data_residency.workspace_geo",
                residency.and_then(|r| r.workspace_geo.as_ref()).map(|geo| geo.span.clone()),
            ),
            (
                "data_residency.default_inference_geo",
                residency.and_then(|r| r.default_inference_geo.as_ref()).map(|g| g.span.clone()),
            ),
            (
                "data_residency.allowed_inference_geos",
                residency.and_then(|r| r.allowed_inference_geos.as_ref()).map(|g| g.span.clone()),
            ),
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
                let name = self.names.member(email.canonical());
                self.grant(&format!("{entry}.members.{name}"), grant);
            }
            for (team, grant) in &grants.teams {
                self.grant(&format!("{entry}.members.team/{team}"), grant);
            }
        }
        if let Some(keys) = api_keys {
            self.managed(&format!("{entry}.api_keys"), Some(entry), keys.place.0.clone());
            for (label, key) in &keys.entries {
                self.key(Some(workspace_label), label, key);
            }
        }
    }

    /// Who has a grant, and through which entry: one by e-mail wins.
    fn grantees(
        &mut self,
        workspace: &Arc<str>,
        grants: &Grants,
        teams: Option<&Section<Arc<str>, Team>>,
    ) {
        let mut put = |names: &Entries, email: &Email, through: &str, grant: &Grant| {
            let grantee = (Arc::clone(workspace), names.member(email.canonical()));
            self.granted.insert(
                grantee,
                Granted {
                    through: through.to_owned(),
                    managed: !matches!(grant.role.value, Wanted::Unmanaged),
                    until: grant.until.as_ref().map(ToString::to_string),
                    at: grant.place.0.clone(),
                },
            );
        };
        for (team, grant) in &grants.teams {
            let people = teams.and_then(|teams| teams.entries.get(team));
            let through = format!("team/{team}");
            for email in people.iter().flat_map(|team| &team.people) {
                put(self.names, &email.value, &through, grant);
            }
        }
        for (email, grant) in &grants.people {
            put(self.names, email, "an entry of their own", grant);
        }
    }

    fn grant(&mut self, entry: &str, grant: &Grant) {
        let Grant { place: _, role, until, note: _ } = grant;
        self.entries.insert(entry.to_owned());
        self.role(entry, role);
        self.text(&format!("{entry}.until"), Some(entry), until.as_ref());
    }

    fn key(&mut self, workspace: Option<&Arc<str>>, label: &Arc<str>, key: &Key) {
        let Key { place: _, name, status, note: _, until } = key;
        let address = if label.starts_with(KEY_ID_PREFIX) {
            Address::api_key(&RemoteId(Arc::clone(label)))
        } else {
            let scope = workspace.map(|label| Name::Label(Arc::clone(label)));
            Address::api_key_named(scope, Name::Label(Arc::clone(label)))
        };
        let entry = &match self.names.key(&address, workspace) {
            (Some(workspace), label) => format!("workspaces.{workspace}.api_keys.{label}"),
            (None, label) => format!("api_keys.{label}"),
        };
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
