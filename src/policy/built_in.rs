//! The built-in rules.
//!
//! Invariant: a rule is judged only where what it is about is known; else it says what is not.

use std::sync::Arc;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::{
    Found,
    access::Named,
    state::{Key, Person, State, Workspace},
};
use crate::{
    config::document::{
        Sp, Text,
        policy::{Access, Demand, Named as Things},
    },
    email::Email,
    resource::{KeyStatus, Role, WorkspaceRole},
};

type Judged = Result<(), &'static str>;

/// Judges one rule. `Err`: what it is about is not known.
pub(super) fn judge(demand: &Demand, state: &State, found: &mut Vec<Found>) -> Judged {
    match demand {
        Demand::Admins { least, most, only } => {
            admins(least.as_ref(), most.as_ref(), only.as_deref(), state, found)
        }
        Demand::EmailDomains { roles, domains } => email_domains(roles, domains, state, found),
        Demand::WorkspaceAdmins { workspaces, least, inherited } => {
            workspace_admins(workspaces, *least, *inherited, state, found)
        }
        Demand::Separation { one, other } => separation(one, other, state, found),
        Demand::Contractors { people, days } => {
            contractors(people, days.as_ref().map(|days| days.value), state, found)
        }
        Demand::KeyAge { api_keys, days } => key_age(api_keys, days.value, state, found),
        Demand::InviteAge { days } => invite_age(days.value, state, found),
        Demand::Names { of, patterns } => names(*of, patterns, state, found),
        Demand::Tags { workspaces, required } => tags(workspaces, required, state, found),
        // Judged elsewhere.
        Demand::Custom(_) => Ok(()),
    }
}

/// Patterns as one; none match everything.
fn set(patterns: &[Text]) -> GlobSet {
    globs(patterns, false)
}

/// The same over addresses, whose case does not count.
fn people_set(patterns: &[Text]) -> GlobSet {
    globs(patterns, true)
}

fn globs(patterns: &[Text], any_case: bool) -> GlobSet {
    let mut builder = GlobSetBuilder::new();
    let all = if patterns.is_empty() { Some("*") } else { None };
    for pattern in patterns.iter().map(|pattern| &*pattern.value).chain(all) {
        // The decoder refused the others.
        if let Ok(glob) = GlobBuilder::new(pattern).case_insensitive(any_case).build() {
            builder.add(glob);
        }
    }
    builder.build().unwrap_or_else(|_| GlobSet::empty())
}

fn shown(patterns: &[Text]) -> String {
    patterns.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ")
}

fn admins(
    least: Option<&Sp<u64>>,
    most: Option<&Sp<u64>>,
    only: Option<&[Sp<Email>]>,
    state: &State,
    found: &mut Vec<Found>,
) -> Judged {
    if !state.known.people {
        return Err("the files do not list `members`");
    }
    let is_admin = |person: &&Person| {
        matches!(&person.role, Some(Role::Admin | Role::Owner | Role::PrimaryOwner))
    };
    let admins: Vec<&Person> = state.people.iter().filter(is_admin).collect();
    let places = || {
        let spans = admins.iter().filter_map(|admin| admin.listed.span.clone());
        spans.take(20).map(|span| (span, "an admin".to_owned())).collect::<Vec<_>>()
    };
    let count = |count: u64, what: &str| {
        if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
    };
    // Somebody invited will be one, and is none yet.
    let certain = admins.iter().filter(|admin| !admin.pending).count() as u64;
    if let Some(least) = least
        && certain < least.value
    {
        found.push(Found {
            names: vec!["organization".into()],
            message: format!(
                "{} in the organization, and the rule wants at least {least}",
                count(certain, "admin")
            ),
            others: places(),
            help: "make somebody admin in the Console, and list them so".to_owned(),
            ..Found::default()
        });
    }
    let all = admins.len() as u64;
    if let Some(most) = most
        && all > most.value
    {
        let names: Vec<_> =
            admins.iter().take(20).map(|admin| format!("`{}`", admin.email)).collect();
        let more = if admins.len() > 20 { ", …" } else { "" };
        found.push(Found {
            names: vec!["organization".into()],
            message: format!(
                "{} in the organization ({}{more}), and the rule wants at most {most}",
                count(all, "admin"),
                names.join(", ")
            ),
            others: places(),
            help: "give some of them another role in the Console, and list them so".to_owned(),
            ..Found::default()
        });
    }
    if let Some(only) = only {
        for admin in &admins {
            if !only.iter().any(|email| *email.value.canonical() == admin.email) {
                found.push(Found {
                    names: vec![Arc::clone(&admin.email)],
                    message: format!(
                        "`{}` is admin, and is not among those who may be",
                        admin.email
                    ),
                    span: admin.listed.span.clone(),
                    help:
                        "give them another role in the Console, or add them to `only` of the rule"
                            .to_owned(),
                    ..Found::default()
                });
            }
        }
    }
    Ok(())
}

fn email_domains(
    roles: &[Sp<Role>],
    domains: &[Text],
    state: &State,
    found: &mut Vec<Found>,
) -> Judged {
    if !state.known.people {
        return Err("the files do not list `members`");
    }
    let allowed = people_set(domains);
    for person in &state.people {
        let concerned = roles.is_empty()
            || person.role.as_ref().is_some_and(|role| roles.iter().any(|one| one.value == *role));
        let domain = person.email.rsplit_once('@').map_or("", |(_, domain)| domain);
        if concerned && !allowed.is_match(domain) {
            let role =
                person.role.as_ref().map_or_else(|| "in".to_owned(), |role| format!("`{role}`"));
            found.push(Found {
                names: vec![Arc::clone(&person.email)],
                message: format!(
                    "`{}` is {role} with an address of `{domain}`, and allowed are {}",
                    person.email,
                    shown(domains)
                ),
                span: person.listed.span.clone(),
                help: "give them another role, or use an address of an allowed domain".to_owned(),
                ..Found::default()
            });
        }
    }
    Ok(())
}

fn workspace_admins(
    patterns: &[Text],
    least: u64,
    inherited: bool,
    state: &State,
    found: &mut Vec<Found>,
) -> Judged {
    if inherited && !state.known.people {
        return Err("the files do not list `members`, so admins of the organization are not known");
    }
    let concerned = set(patterns);
    let everywhere = state.people.iter().filter(|person| {
        inherited && person.role.as_ref().and_then(Role::inherited) == Some(WorkspaceRole::Admin)
    });
    let everywhere = everywhere.filter(|person| !person.pending).count();
    let mut judged = false;
    for (place, workspace) in state.workspaces.iter().enumerate() {
        if !workspace.grants_known || workspace.shielded || !concerned.is_match(&*workspace.name) {
            continue;
        }
        judged = true;
        let own = workspace.people.iter().filter(|person| {
            let person = &state.people[**person];
            let grant = person.grants.get(&place);
            let counted = inherited
                && !person.pending
                && person.role.as_ref().and_then(Role::inherited) == Some(WorkspaceRole::Admin);
            !counted && grant.is_some_and(|grant| grant.role == WorkspaceRole::Admin)
        });
        let count = (own.count() + everywhere) as u64;
        if count < least {
            let whose = if inherited { "" } else { " of its own" };
            let have = match count {
                0 => format!("no admin{whose}"),
                1 => format!("1 admin{whose}"),
                count => format!("{count} admins{whose}"),
            };
            let wanted = if least == 1 {
                String::new()
            } else {
                format!(", and the rule wants at least {least}")
            };
            found.push(Found {
                names: workspace_names(workspace),
                message: format!("the workspace `{}` has {have}{wanted}", workspace.name),
                span: workspace.listed.span.clone(),
                help: "grant somebody `workspace_admin` in it".to_owned(),
                ..Found::default()
            });
        }
    }
    if judged || state.workspaces.is_empty() {
        Ok(())
    } else {
        Err("the files list the `members` of none of these workspaces")
    }
}

fn separation(one: &Access, other: &Access, state: &State, found: &mut Vec<Found>) -> Judged {
    if !state.known.people && (one.role.is_some() || other.role.is_some()) {
        return Err("the files do not list `members`, so roles in the organization are not known");
    }
    let (one, other) = (Named::new(one, state), Named::new(other, state));
    for person in &state.people {
        let (first, second) = (one.held(person), other.held(person));
        let (Some(first), Some(second)) = (first.first(), second.first()) else { continue };
        let place = one.span(person);
        let others = other.span(person).filter(|span| Some(*span) != place);
        found.push(Found {
            names: vec![Arc::clone(&person.email)],
            message: format!("`{}` holds both {first} and {second}", person.email),
            span: place.cloned(),
            others: others.map(|span| (span.clone(), "and this".to_owned())).into_iter().collect(),
            help: "take one of them away".to_owned(),
        });
    }
    Ok(())
}

fn contractors(
    patterns: &[Text],
    days: Option<u64>,
    state: &State,
    found: &mut Vec<Found>,
) -> Judged {
    if !state.known.people {
        return Err("the files do not list `members`");
    }
    let concerned = people_set(patterns);
    for person in state.people.iter().filter(|person| concerned.is_match(&*person.email)) {
        let message = match (person.listed.until, days) {
            (None, _) if person.listed.span.is_none() => {
                format!("`{}` has no last day: the files do not list them", person.email)
            }
            (None, _) => format!("`{}` has no last day", person.email),
            (Some(until), Some(days)) => {
                let left =
                    state.today.until(until).map_or(i64::MAX, |span| i64::from(span.get_days()));
                if u64::try_from(left).unwrap_or(0) <= days {
                    continue;
                }
                format!(
                    "the last day of `{}`, {until}, is {left} days away, and the rule wants at most {days}",
                    person.email
                )
            }
            (Some(_), None) => continue,
        };
        found.push(Found {
            names: vec![Arc::clone(&person.email)],
            message,
            span: person.listed.span.clone(),
            help: "write `until:` in their entry under `members`, or a nearer one".to_owned(),
            ..Found::default()
        });
    }
    Ok(())
}

fn key_age(patterns: &[Text], days: u64, state: &State, found: &mut Vec<Found>) -> Judged {
    if !state.known.keys {
        return Err("only a plan knows when keys were made");
    }
    let concerned = set(patterns);
    for key in &state.keys {
        let names = key_names(key);
        let matches = names.iter().any(|name| concerned.is_match(&**name));
        let (true, Some(KeyStatus::Active), Some(created)) = (matches, &key.status, key.created)
        else {
            continue;
        };
        let age = created.until(state.today).map_or(0, |span| i64::from(span.get_days()));
        if u64::try_from(age).unwrap_or(0) > days {
            found.push(Found {
                message: format!(
                    "the key {} was made {age} days ago, on {created}, and the rule wants at most {days}",
                    key_title(key)
                ),
                names,
                span: key.listed.span.clone(),
                help:
                    "make a new key in the Console, and switch this one off: its id with `inactive`"
                        .to_owned(),
                ..Found::default()
            });
        }
    }
    Ok(())
}

fn invite_age(days: u64, state: &State, found: &mut Vec<Found>) -> Judged {
    if !state.live {
        return Err("only a plan knows which invites wait");
    }
    if !state.known.people {
        return Err("people were not read");
    }
    for person in state.people.iter().filter(|person| person.pending) {
        let Some(sent) = person.invited else { continue };
        let sent = sent.to_zoned(jiff::tz::TimeZone::UTC).date();
        let age = sent.until(state.today).map_or(0, |span| i64::from(span.get_days()));
        if u64::try_from(age).unwrap_or(0) > days {
            found.push(Found {
                names: vec![Arc::clone(&person.email)],
                message: format!(
                    "the invite of `{}` has waited for {age} days, and the rule wants at most {days}",
                    person.email
                ),
                span: person.listed.span.clone(),
                help: "remind the person, or take them out of the files".to_owned(),
                ..Found::default()
            });
        }
    }
    Ok(())
}

fn names(of: Things, patterns: &[Text], state: &State, found: &mut Vec<Found>) -> Judged {
    let allowed = set(patterns);
    let mut wrong = |name: &Arc<str>,
                     names: Vec<Arc<str>>,
                     span: Option<&crate::diagnostic::Span>| {
        if !allowed.is_match(&**name) {
            found.push(Found {
                names,
                message: format!(
                    "the name of the {} `{name}` is not like {}",
                    of.noun(),
                    shown(patterns)
                ),
                span: span.cloned(),
                help: "give it another name; of a workspace, name the old one under `previously`"
                    .to_owned(),
                ..Found::default()
            });
        }
    };
    match of {
        Things::Workspaces if state.live && !state.known.workspaces => {
            return Err("workspaces were not read");
        }
        Things::ApiKeys if state.live && !state.known.keys => return Err("keys were not read"),
        Things::Workspaces => {
            for workspace in state.workspaces.iter().filter(|workspace| !workspace.shielded) {
                wrong(&workspace.name, workspace_names(workspace), workspace.listed.span.as_ref());
            }
        }
        Things::ApiKeys => {
            let archived = |key: &&Key| key.status != Some(KeyStatus::Archived);
            for key in state.keys.iter().filter(archived) {
                if let Some(name) = &key.name {
                    wrong(name, key_names(key), key.listed.span.as_ref());
                }
            }
        }
        Things::Teams => {
            for (name, span) in &state.teams {
                wrong(name, vec![Arc::clone(name)], span.as_ref());
            }
        }
    }
    Ok(())
}

fn tags(
    patterns: &[Text],
    required: &std::collections::BTreeMap<Arc<str>, Vec<Text>>,
    state: &State,
    found: &mut Vec<Found>,
) -> Judged {
    if state.live && !state.known.workspaces {
        return Err("workspaces were not read");
    }
    let concerned = set(patterns);
    let required: Vec<_> =
        required.iter().map(|(tag, values)| (tag, values, set(values))).collect();
    let mut unknown = false;
    for workspace in &state.workspaces {
        if workspace.shielded || !concerned.is_match(&*workspace.name) {
            continue;
        }
        let Some(tags) = &workspace.tags else {
            unknown = true;
            continue;
        };
        for (tag, values, allowed) in &required {
            let (message, help) = match tags.get(&***tag) {
                None => (
                    format!("the workspace `{}` lacks the tag `{tag}`", workspace.name),
                    format!("add `{tag}` to its `tags`"),
                ),
                Some(value) if !values.is_empty() && !allowed.is_match(value) => (
                    format!("the tag `{tag}` of the workspace `{}` is `{value}`", workspace.name),
                    format!("write one like {}", shown(values)),
                ),
                Some(_) => continue,
            };
            let (names, span) = (workspace_names(workspace), workspace.listed.span.clone());
            found.push(Found { names, message, span, help, ..Found::default() });
        }
    }
    if unknown {
        return Err("the files do not list the `tags` of some of these workspaces");
    }
    Ok(())
}

fn workspace_names(workspace: &Workspace) -> Vec<Arc<str>> {
    let mut names = vec![Arc::clone(&workspace.name)];
    if workspace.label.as_str() != &*workspace.name {
        names.push(workspace.label.as_str().into());
    }
    names
}

fn key_names(key: &Key) -> Vec<Arc<str>> {
    key.name.iter().chain(&key.id).cloned().collect()
}

fn key_title(key: &Key) -> String {
    match (&key.name, &key.id) {
        (Some(name), Some(id)) => format!("`{name}` (`{id}`)"),
        (Some(one), None) | (None, Some(one)) => format!("`{one}`"),
        (None, None) => "without a name".to_owned(),
    }
}
