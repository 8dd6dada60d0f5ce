//! Rules about people.
//!
//! Invariant: whoever is only invited counts where it could be too many, and not where it could be too few.

use std::sync::Arc;

use super::{Judged, people_set, shown};
use crate::{
    config::document::{Sp, Text, policy::Access},
    email::Email,
    policy::{
        Found,
        access::Named,
        state::{Person, State},
    },
    resource::Role,
};

pub(super) fn admins(
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
            lacks: least.value.saturating_sub(certain),
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

pub(super) fn email_domains(
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

pub(super) fn separation(
    one: &Access,
    other: &Access,
    state: &State,
    found: &mut Vec<Found>,
) -> Judged {
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
            ..Found::default()
        });
    }
    Ok(())
}

pub(super) fn contractors(
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

pub(super) fn invite_age(days: u64, state: &State, found: &mut Vec<Found>) -> Judged {
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
