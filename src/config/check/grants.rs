//! Who is granted what: people and teams that are there, and teams that agree.
//!
//! Invariant: one person has at most one grant in a workspace.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use super::{
    error,
    people::{MAX_SUGGESTIONS, Unknown},
};
use crate::{
    characters,
    config::document::{Document, Grant, Grants, Sp, Text, Workspace},
    diagnostic::{Diagnostic, did_you_mean},
    email::Email,
};

/// Grants name people and teams that are there; teams do not disagree about anybody.
pub(super) fn check(
    document: &Document,
    workspaces: &BTreeMap<Arc<str>, Workspace>,
    found: &mut Vec<Diagnostic>,
) {
    let mut unknown = document.members.as_ref().map(Unknown::new);
    // Tens of thousands of grants are looked up: hashing beats comparing along a tree.
    let listed: Option<HashSet<&str>> = document
        .members
        .as_ref()
        .map(|members| members.keys().map(|email| &**email.canonical()).collect());
    let mut suggestions = MAX_SUGGESTIONS;
    for (label, workspace) in workspaces {
        let Some(grants) = &workspace.members else { continue };
        if let (Some(unknown), Some(listed)) = (&mut unknown, &listed) {
            for (email, grant) in &grants.people {
                if !listed.contains(&**email.canonical()) {
                    let by = format!("the workspace `{label}`");
                    found.push(unknown.person(email, grant.place.0.as_ref(), &by));
                }
            }
        }
        for (name, grant) in &grants.teams {
            if document.teams.as_ref().is_none_or(|teams| !teams.contains_key(name)) {
                found.push(unknown_team(document, name, grant, &mut suggestions));
            }
        }
        disagreements(document, label, grants, found);
    }
}

/// Keys of grants that are neither an address nor `team/NAME`.
pub(crate) fn unnamed(document: &Document, keys: &[Text], found: &mut Vec<Diagnostic>) {
    let mut suggestions = MAX_SUGGESTIONS;
    for key in keys {
        let shown = characters::spelled_out(key);
        let near = suggestions.checked_sub(1).and_then(|left| {
            suggestions = left;
            meant(document, key)
        });
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write a whole address, as in `ada@acme.com`, or `team/NAME`".to_owned(),
        };
        found.push(error(
            "config/bad-email",
            key.span.as_ref(),
            format!("`{shown}` is neither an e-mail address nor `team/NAME`"),
            &help,
        ));
    }
}

/// The team or the person that a name without `@` and `team/` is likely to mean.
fn meant(document: &Document, key: &str) -> Option<String> {
    let word = ["teams/", "team:", "team-", "@"]
        .iter()
        .find_map(|lead| key.strip_prefix(lead))
        .unwrap_or(key);
    let teams = || document.teams.iter().flat_map(|teams| teams.keys()).map(|name| &**name);
    let people = || document.members.iter().flat_map(|members| members.keys());
    let team = |name: &str| format!("team/{name}");
    teams()
        .find(|name| *name == key)
        .or_else(|| teams().find(|name| *name == word))
        .map(team)
        .or_else(|| {
            let local = word.to_ascii_lowercase();
            let mut of_this_name = people().filter(|email| email.local() == local);
            let email = of_this_name.next()?;
            of_this_name.next().is_none().then(|| email.to_string())
        })
        .or_else(|| did_you_mean(word, teams()).map(team))
}

fn unknown_team(
    document: &Document,
    name: &str,
    grant: &Grant,
    suggestions: &mut usize,
) -> Diagnostic {
    let near = suggestions.checked_sub(1).and_then(|left| {
        *suggestions = left;
        let teams = document.teams.iter().flat_map(|teams| teams.keys());
        did_you_mean(name, teams.map(|name| &**name))
    });
    let help = match near {
        Some(near) => format!("did you mean `team/{near}`?"),
        None => format!("add `{name}` to the top-level `teams`"),
    };
    error(
        "config/unknown-team",
        grant.place.0.as_ref(),
        format!("there is no team `{name}`"),
        &help,
    )
}

/// Two teams that give one person different grants, unless a grant by e-mail decides.
fn disagreements(document: &Document, label: &str, grants: &Grants, found: &mut Vec<Diagnostic>) {
    if grants.teams.len() < 2 {
        return;
    }
    let Some(teams) = &document.teams else { return };
    let mut first: BTreeMap<&Email, (&str, &Grant)> = BTreeMap::new();
    for (name, grant) in &grants.teams {
        for person in teams.get(name).iter().flat_map(|team| &team.people) {
            if grants.people.contains_key(&person.value) {
                continue;
            }
            let Some((other, given)) = first.get(&person.value) else {
                first.insert(&person.value, (name, grant));
                continue;
            };
            if same_grant(given, grant) {
                continue;
            }
            let mut finding = error(
                "config/teams-disagree",
                grant.place.0.as_ref(),
                format!(
                    "the teams `{other}` and `{name}` give `{person}` different grants in `{label}`: {} and {}",
                    words(given),
                    words(grant)
                ),
                "",
            )
            .help(format!("grant `{person}` a role by e-mail, which wins, or take them off one team"));
            if let Some(span) = &given.place.0 {
                finding = finding.with(span, "the other grant");
            }
            found.push(finding);
        }
    }
}

/// Whether two grants come to the same, whatever their notes say.
fn same_grant(one: &Grant, other: &Grant) -> bool {
    let until = |grant: &Grant| grant.until.as_ref().map(|until| until.value);
    one.role == other.role && until(one) == until(other)
}

fn words(grant: &Grant) -> String {
    let Sp { value: role, .. } = &grant.role;
    match &grant.until {
        Some(until) => format!("`{role}` until {until}"),
        None => format!("`{role}`"),
    }
}
