//! Rules, tests and limits in words, as lists and comparisons show them.
//!
//! Invariant: two that differ in what they demand differ in words.

use super::{Access, Allowed, Custom, Demand, Expected, FileLimit, Named, Rule, Test, Text};
use crate::diagnostic::Severity;

impl Rule {
    /// What it demands, and how much it weighs where that is not an error.
    pub fn words(&self) -> String {
        with_severity(self.demand.words(), self.severity)
    }
}

fn with_severity(words: String, severity: Severity) -> String {
    if severity == Severity::Error { words } else { format!("{words} (warning)") }
}

fn admins(count: u64) -> String {
    if count == 1 { "1 admin".to_owned() } else { format!("{count} admins") }
}

/// Patterns or words in backticks.
fn list(texts: &[Text]) -> String {
    texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
}

/// Of what: nothing for everything.
fn of(texts: &[Text], what: &str) -> String {
    if texts.is_empty() {
        format!("every {what}")
    } else {
        format!("every {what} named {}", list(texts))
    }
}

impl Demand {
    /// What it demands.
    pub fn words(&self) -> String {
        match self {
            Demand::Admins { least, most, only } => {
                let mut parts = Vec::new();
                parts.extend(
                    least.as_ref().map(|least| format!("at least {}", admins(least.value))),
                );
                parts.extend(most.as_ref().map(|most| format!("at most {}", admins(most.value))));
                parts.extend(only.as_ref().map(|only| match only.as_slice() {
                    [] => "nobody is admin".to_owned(),
                    only => {
                        let names: Vec<_> = only.iter().map(|email| format!("`{email}`")).collect();
                        format!("nobody but {} is admin", names.join(", "))
                    }
                }));
                parts.join(", ")
            }
            Demand::EmailDomains { roles, domains } => {
                let who = if roles.is_empty() {
                    "everybody".to_owned()
                } else {
                    let roles: Vec<_> = roles.iter().map(|role| format!("`{role}`")).collect();
                    format!("everybody who is {}", roles.join(", "))
                };
                format!("{who} has an address of {}", list(domains))
            }
            Demand::WorkspaceAdmins { workspaces, least, inherited } => {
                let count = admins(*least);
                let whose = if *inherited { ", inherited ones included" } else { " of its own" };
                format!("{} has {count}{whose}", of(workspaces, "workspace"))
            }
            Demand::Separation { one, other } => {
                format!("nobody holds both {} and {}", one.words(), other.words())
            }
            Demand::Contractors { people, days } => {
                let within = days.as_ref().map(|days| format!(", at most {days} days away"));
                format!(
                    "everybody with an address like {} has a last day{}",
                    list(people),
                    within.unwrap_or_default()
                )
            }
            Demand::KeyAge { api_keys, days } => {
                format!("{} that is on was made at most {days} days ago", of(api_keys, "key"))
            }
            Demand::InviteAge { days } => format!("no invite waits longer than {days} days"),
            Demand::Names { of, patterns } => {
                format!("every {} is named like {}", of.noun(), list(patterns))
            }
            Demand::Tags { workspaces, required } => {
                let tags: Vec<_> = required
                    .iter()
                    .map(|(tag, values)| {
                        let values = if values.is_empty() {
                            String::new()
                        } else {
                            format!(" (one of {})", list(values))
                        };
                        format!("`{tag}`{values}")
                    })
                    .collect();
                format!("{} has the tags {}", of(workspaces, "workspace"), tags.join(", "))
            }
            Demand::Custom(custom) => custom.words(),
        }
    }
}

impl Named {
    /// The word for one.
    pub fn noun(self) -> &'static str {
        match self {
            Named::Workspaces => "workspace",
            Named::ApiKeys => "key",
            Named::Teams => "team",
        }
    }
}

impl Custom {
    fn words(&self) -> String {
        let Custom { for_each, when, check, message } = self;
        let each = for_each.map(|subject| format!("for each of {}: ", subject.as_str()));
        let when = when.as_ref().map(|when| format!("when {}: ", when.source()));
        let message = message.as_ref().map(|message| format!(" ({})", message.value));
        format!(
            "{}{}{}{}",
            each.unwrap_or_default(),
            when.unwrap_or_default(),
            check.source(),
            message.unwrap_or_default()
        )
    }
}

impl Access {
    /// The access.
    pub fn words(&self) -> String {
        let Access { place: _, role, workspace, grant } = self;
        let some = |role: Option<String>| role.unwrap_or_else(|| "a role".to_owned());
        match workspace {
            None => some(role.as_ref().map(|role| format!("`{role}`"))),
            Some(workspace) => {
                debug_assert!(role.is_none(), "a role in both places");
                format!(
                    "{} in `{workspace}`",
                    some(grant.as_ref().map(|grant| format!("`{grant}`")))
                )
            }
        }
    }
}

impl Test {
    /// What it expects.
    pub fn words(&self) -> String {
        let Test { place: _, person, must, must_not, severity } = self;
        let mut parts = Vec::new();
        for (verb, expected) in [("must", must), ("must not", must_not)] {
            if !expected.is_empty() {
                let words: Vec<_> = expected.iter().map(Expected::words).collect();
                parts.push(format!("{verb} {}", words.join(" and ")));
            }
        }
        let who = person.as_ref().map(|person| format!("`{person}` "));
        with_severity(format!("{}{}", who.unwrap_or_default(), parts.join(", ")), *severity)
    }
}

impl Expected {
    /// What is expected.
    pub fn words(&self) -> String {
        match self {
            Expected::Access(access) => format!("hold {}", access.words()),
            Expected::Expression(expression) => expression.source().to_owned(),
        }
    }
}

impl FileLimit {
    /// What it allows.
    pub fn words(&self) -> String {
        let FileLimit { place: _, members, teams, workspaces, grants, api_keys } = self;
        let parts: Vec<_> = [
            ("members", members),
            ("teams", teams),
            ("workspaces", workspaces),
            ("grants", grants),
            ("api_keys", api_keys),
        ]
        .into_iter()
        .filter_map(|(key, allowed)| {
            Some(match allowed.as_ref()? {
                Allowed::Any => format!("{key}: any"),
                Allowed::Nothing => format!("{key}: none"),
                Allowed::Only(patterns) => format!("{key}: {}", list(patterns)),
            })
        })
        .collect();
        if parts.is_empty() { "anything".to_owned() } else { parts.join("; ") }
    }
}
