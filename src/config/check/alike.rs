//! What a reader takes for something else: letters of several scripts in one word, a domain that only looks like
//! another, names that differ in blanks and case.
//!
//! Invariant: warnings only, since each of them can be meant; one for each address and each pair of names.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    characters::{folded, imitates_latin, mixed_scripts, quoted},
    config::document::Document,
    diagnostic::{Diagnostic, Span},
    email::Email,
};

pub(super) fn check(document: &Document, found: &mut Vec<Diagnostic>) {
    let mut seen: BTreeSet<&Email> = BTreeSet::new();
    for (email, span) in addresses(document) {
        if !email.as_written().is_ascii() && seen.insert(email) {
            found.extend(address(email, span));
        }
    }
    names(document, found);
}

/// Every address that the files name, where it is first.
fn addresses(document: &Document) -> impl Iterator<Item = (&Email, Option<&Span>)> {
    let members = document.members.iter().flat_map(|members| &members.entries);
    let members = members.flat_map(|(email, person)| {
        let earlier = person.previously.iter().flat_map(|list| &list.value);
        let earlier = earlier.map(|old| (&old.value, old.span.as_ref()));
        std::iter::once((email, person.place.0.as_ref())).chain(earlier)
    });
    let teams = document.teams.iter().flat_map(|teams| teams.entries.values());
    let teams =
        teams.flat_map(|team| &team.people).map(|person| (&person.value, person.span.as_ref()));
    let workspaces = document.workspaces.iter().flat_map(|list| list.entries.values());
    let grants = workspaces
        .filter_map(|workspace| workspace.members.as_ref())
        .flat_map(|grants| &grants.people)
        .map(|(email, grant)| (email, grant.place.0.as_ref()));
    members.chain(teams).chain(grants)
}

fn address(email: &Email, span: Option<&Span>) -> Option<Diagnostic> {
    let (local, domain) = email.as_written().rsplit_once('@')?;
    let message = match (mixed_scripts(email.as_written()), email.ascii_domain()) {
        (Some((one, other)), ascii) => {
            let domain = ascii.map_or(String::new(), |ascii| format!("; its domain is `{ascii}`"));
            format!("`{email}` mixes {one} and {other} letters in one word{domain}")
        }
        (None, Some(ascii)) if domain.split('.').any(imitates_latin) => {
            format!("the domain of `{email}` only looks like Latin letters; it is `{ascii}`")
        }
        (None, _) if imitates_latin(local) => {
            format!("`{local}` in `{email}` only looks like Latin letters")
        }
        (None, _) => return None,
    };
    let finding = Diagnostic::warning("config/mixed-scripts", message).at_opt(span);
    Some(finding.help("type the address again; letters of other scripts look the same and are not"))
}

/// Workspaces whose names a reader cannot tell apart, or takes for others.
fn names(document: &Document, found: &mut Vec<Diagnostic>) {
    let mut first: BTreeMap<String, (&str, Option<&Span>)> = BTreeMap::new();
    for (label, workspace) in document.workspaces.iter().flat_map(|list| &list.entries) {
        let name = &**workspace.name(label);
        let span =
            workspace.name.as_ref().map_or(workspace.place.0.as_ref(), |name| name.span.as_ref());
        if let Some((one, other)) = mixed_scripts(name) {
            found.push(
                Diagnostic::warning(
                    "config/mixed-scripts",
                    format!("`{name}` mixes {one} and {other} letters in one word"),
                )
                .at_opt(span)
                .help("type the name again; letters of other scripts look the same and are not"),
            );
        }
        if workspace.is_archived() {
            continue;
        }
        match first.get(&folded(name)) {
            None => {
                first.insert(folded(name), (name, span));
            }
            // The same name twice is an error of its own, or pinned by ids.
            Some((other, _)) if *other == name => {}
            Some((other, place)) => {
                let (mut here, mut there) = ((name, span), (*other, *place));
                if here.1 < there.1 {
                    std::mem::swap(&mut here, &mut there);
                }
                let mut finding = Diagnostic::warning(
                    "config/similar-names",
                    format!(
                        "the workspaces `{}` and `{}` differ only in blanks or case",
                        quoted(here.0),
                        quoted(there.0)
                    ),
                )
                .at_opt(here.1)
                .help("if one workspace is meant, keep one entry; else give one of them a name of its own");
                if let Some(place) = there.1 {
                    finding = finding.with(place, "the other one");
                }
                found.push(finding);
            }
        }
    }
}
