//! People: earlier addresses, pins, teams, entries that are ignored.
//!
//! Invariant: one live person is meant by at most one entry.

use std::collections::BTreeMap;

use crate::{
    config::{
        document::{Document, Person, Section},
        lower::ignore_glob,
    },
    diagnostic::{Diagnostic, Span, did_you_mean},
    email::Email,
    resource::desired::IgnoreTarget,
};

/// Suggestions cost a look at every name: enough for whoever reads, bounded for whoever broke a thousand lines.
pub(super) const MAX_SUGGESTIONS: usize = 20;

pub(super) fn check(document: &Document, complete: bool, found: &mut Vec<Diagnostic>) {
    if let Some(members) = &document.members {
        previously(members, found);
        super::workspaces::unique_ids(
            members.iter().map(|(email, person)| (email.as_written(), person.id.as_ref())),
            found,
        );
        ignored(document, members, found);
    }
    if complete {
        team_references(document, found);
    }
}

/// An earlier address belongs to one person, who is not also listed under it.
fn previously(members: &Section<Email, Person>, found: &mut Vec<Diagnostic>) {
    let mut claimed: BTreeMap<&Email, (&Email, Option<&Span>)> = BTreeMap::new();
    for (email, person) in &members.entries {
        for old in person.previously.iter().flat_map(|list| &list.value) {
            let clash = |message: String, other: Option<&Span>, words: &str, help: &str| {
                let finding = Diagnostic::error("config/previously-clash", message)
                    .at_opt(old.span.as_ref())
                    .help(help);
                match other {
                    Some(other) => finding.with(other, words),
                    None => finding,
                }
            };
            if old.value == *email {
                found.push(clash(
                    format!("`{old}` is the address of the entry itself"),
                    None,
                    "",
                    "write the address the person had before, or remove it",
                ));
            } else if let Some(other) = members.get(&old.value) {
                found.push(clash(
                    format!("`{old}` is listed as somebody of their own"),
                    other.place.0.as_ref(),
                    "listed here",
                    "remove one of them: an address is somebody's now or was somebody's before",
                ));
            } else if let Some((first, place)) = claimed.get(&old.value) {
                found.push(clash(
                    format!("`{old}` is an earlier address of `{first}` already"),
                    *place,
                    "first here",
                    "keep one of them: two people cannot have been one",
                ));
            } else {
                claimed.insert(&old.value, (email, old.span.as_ref()));
            }
        }
    }
}

/// Somebody listed and ignored is not touched: say so, since the list does not.
fn ignored(document: &Document, members: &Section<Email, Person>, found: &mut Vec<Diagnostic>) {
    const THEY: &str = "stand in `members` and match this `ignore`: they are";
    for ignore in document.manage.ignore.iter().filter(|i| i.target == IgnoreTarget::Members) {
        let Some(glob) = ignore_glob(ignore.target, &ignore.pattern) else { continue };
        let matcher = glob.compile_matcher();
        let mut listed = members.iter().filter(|(email, _)| matcher.is_match(&**email.canonical()));
        let Some((email, person)) = listed.next() else { continue };
        let (more, they) = match listed.count() {
            0 => (String::new(), "stands in `members` and matches this `ignore`: it is"),
            1 => (" and 1 other".to_owned(), THEY),
            others => (format!(" and {others} others"), THEY),
        };
        let mut finding = Diagnostic::warning(
            "config/listed-and-ignored",
            format!("`{email}`{more} {they} never touched"),
        )
        .at_opt(ignore.pattern.span.as_ref())
        .help("narrow the pattern, or take everybody whom it matches off the list");
        if let Some(place) = &person.place.0 {
            finding = finding.with(place, "listed here");
        }
        found.push(finding);
    }
}

/// Everybody in a team is somebody, where `members` says who is.
fn team_references(document: &Document, found: &mut Vec<Diagnostic>) {
    let Some(members) = &document.members else { return };
    let mut unknown = Unknown::new(members);
    for (name, team) in document.teams.iter().flat_map(|teams| &teams.entries) {
        for person in &team.people {
            if !members.contains_key(&person.value) {
                found.push(unknown.person(
                    &person.value,
                    person.span.as_ref(),
                    &format!("the team `{name}`"),
                ));
            }
        }
    }
}

/// Reports people who are named and not listed.
pub(super) struct Unknown<'d> {
    members: &'d Section<Email, Person>,
    /// Who had an address before.
    before: BTreeMap<&'d Email, &'d Email>,
    left: usize,
}

impl<'d> Unknown<'d> {
    pub(super) fn new(members: &'d Section<Email, Person>) -> Self {
        let before = members
            .iter()
            .flat_map(|(email, person)| {
                let old = person.previously.iter().flat_map(|list| &list.value);
                old.map(move |old| (&old.value, email))
            })
            .collect();
        Self { members, before, left: MAX_SUGGESTIONS }
    }

    pub(super) fn person(&mut self, email: &Email, span: Option<&Span>, by: &str) -> Diagnostic {
        let help = if let Some(now) = self.before.get(email) {
            format!("the address is now `{now}`")
        } else if let Some(near) = self.near(email) {
            format!("did you mean `{near}`? else add `{email}` to `members`")
        } else {
            format!("add `{email}` to `members`, or take the address away here")
        };
        let mut finding = Diagnostic::error(
            "config/unknown-person",
            format!("{by} names `{email}`, who is not in `members`"),
        )
        .at_opt(span)
        .help(help);
        if let Some(place) = &self.members.place.0 {
            finding = finding.with(place, "people are listed here");
        }
        finding
    }

    fn near(&mut self, email: &Email) -> Option<&'d str> {
        self.left = self.left.checked_sub(1)?;
        did_you_mean(email.canonical(), self.members.keys().map(|email| &**email.canonical()))
    }
}
