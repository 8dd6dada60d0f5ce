//! Dates that had passed before anybody reviewed them: entries of the files with an `until` that the base does not have.
//!
//! Invariant: a date that both sets of files have for the same entry is never reported, whatever its entry is called now.

use std::sync::Arc;

use jiff::civil::Date;

use crate::{
    config::document::{Document, Grants, Key, Person, Section, Sp, Workspace},
    diagnostic::Diagnostic,
    email::Email,
};

/// The code of what is found here.
const CODE: &str = "base/past-date";

/// What to do instead, of access.
const ACCESS: &str = "to end it now, remove the entry, so that it is reviewed and counted as a removal; else give a day that is still \
                      to come";
/// What to do instead, of a key.
const KEY: &str = "to switch it off now, say `inactive` and remove the date; else give a day that is still to come";
/// What to do instead, of an exception.
const EXCEPTION: &str =
    "it would accept nothing: remove the entry, or give a day that is still to come";

/// Every `until` that has passed on a day and that the base does not have, or has otherwise. The dates of `ignore` are
/// left out: past them an entry protects as before.
pub fn past_dates(head: &Document, base: &Document, name: &str, today: Date) -> Vec<Diagnostic> {
    let mut search = Search { name, today, found: Vec::new() };
    for (email, person) in people(head) {
        let before = addresses(head, base, email)
            .find_map(|email| base.members.as_ref()?.get(email))
            .and_then(|person| person.until.as_ref());
        search.look(&format!("`{email}` under `members`"), person.until.as_ref(), before, ACCESS);
    }
    search.keys(head.api_keys.as_ref(), base.api_keys.as_ref(), "under `api_keys`");
    for (label, workspace) in workspaces(head) {
        let before = workspace_before(base, label, workspace);
        let grants = before.and_then(|workspace| workspace.members.as_ref());
        search.grants(head, base, label, (workspace.members.as_ref(), grants));
        let keys = before.and_then(|workspace| workspace.api_keys.as_ref());
        search.keys(workspace.api_keys.as_ref(), keys, &format!("in `{label}`"));
    }
    for exception in &head.policy.exceptions {
        let same = base
            .policy
            .exceptions
            .iter()
            .filter(|other| other.rule == exception.rule && other.of == exception.of)
            .map(|other| other.until.as_ref());
        // One person may be accepted twice.
        let before = same.clone().find(|until| *until == exception.until.as_ref());
        let before = before.or_else(|| same.clone().next()).flatten();
        let what = format!(
            "the exception of `{}` from the rule `{}`",
            exception.of.value, exception.rule.value
        );
        search.look(&what, exception.until.as_ref(), before, EXCEPTION);
    }
    search.found
}

/// The day that dates are compared with, and what was found.
struct Search<'a> {
    name: &'a str,
    today: Date,
    found: Vec<Diagnostic>,
}

impl Search<'_> {
    fn look(
        &mut self,
        what: &str,
        until: Option<&Sp<Date>>,
        before: Option<&Sp<Date>>,
        help: &str,
    ) {
        let Some(until) = until.filter(|until| until.value < self.today) else { return };
        let base = match before {
            Some(before) if before == until => return,
            Some(before) => format!("the base `{}` has `{}`", self.name, before.value),
            None => format!("the base `{}` does not have it", self.name),
        };
        let message =
            format!("the `until` of {what}, `{}`, has passed already, and {base}", until.value);
        self.found.push(Diagnostic::error(CODE, message).at_opt(until.span.as_ref()).help(help));
    }

    fn keys(
        &mut self,
        keys: Option<&Section<Arc<str>, Key>>,
        base: Option<&Section<Arc<str>, Key>>,
        place: &str,
    ) {
        for (label, key) in keys.into_iter().flat_map(|section| &section.entries) {
            let before = base.and_then(|keys| keys.get(label)).and_then(|key| key.until.as_ref());
            self.look(&format!("the key `{label}` {place}"), key.until.as_ref(), before, KEY);
        }
    }

    fn grants(
        &mut self,
        head: &Document,
        base: &Document,
        label: &str,
        (grants, before): (Option<&Grants>, Option<&Grants>),
    ) {
        let Some(grants) = grants else { return };
        for (email, grant) in &grants.people {
            let before = addresses(head, base, email)
                .find_map(|email| before?.people.get(email))
                .and_then(|grant| grant.until.as_ref());
            self.look(&format!("`{email}` in `{label}`"), grant.until.as_ref(), before, ACCESS);
        }
        for (team, grant) in &grants.teams {
            let before = before.and_then(|grants| grants.teams.get(team));
            let before = before.and_then(|grant| grant.until.as_ref());
            self.look(&format!("`team/{team}` in `{label}`"), grant.until.as_ref(), before, ACCESS);
        }
    }
}

fn people(document: &Document) -> impl Iterator<Item = (&Email, &Person)> {
    document.members.iter().flat_map(|section| &section.entries)
}

fn workspaces(document: &Document) -> impl Iterator<Item = (&Arc<str>, &Workspace)> {
    document.workspaces.iter().flat_map(|section| &section.entries)
}

/// What a person of the files is called in the base, maybe: as here, as earlier, or as an entry of the same id.
fn addresses<'a>(
    head: &'a Document,
    base: &'a Document,
    email: &'a Email,
) -> impl Iterator<Item = &'a Email> {
    let person = head.members.as_ref().and_then(|members| members.get(email));
    let earlier = person.and_then(|person| person.previously.as_ref());
    let earlier = earlier.into_iter().flat_map(|list| &list.value).map(|email| &email.value);
    let id = person.and_then(|person| person.id.as_ref());
    let pinned = people(base).filter(move |(_, other)| id.is_some() && other.id.as_ref() == id);
    std::iter::once(email).chain(earlier).chain(pinned.map(|(email, _)| email))
}

/// The same workspace in the base: by its label, else by its id, its name or an earlier name.
fn workspace_before<'a>(
    base: &'a Document,
    label: &Arc<str>,
    workspace: &Workspace,
) -> Option<&'a Workspace> {
    let is_same = |other_label: &Arc<str>, other: &Workspace| {
        let name = other.name(other_label);
        let earlier = workspace.previously.iter().flat_map(|list| &list.value);
        (workspace.id.is_some() && other.id == workspace.id)
            || name == workspace.name(label)
            || earlier.into_iter().any(|earlier| earlier.value == *name)
    };
    let section = base.workspaces.as_ref()?;
    section
        .get(label)
        .or_else(|| workspaces(base).find(|(other, it)| is_same(other, it)).map(|(_, it)| it))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::config::load::load_sources;

    fn document(yaml: &str) -> Document {
        let text = format!("version: 1\n{yaml}");
        let loaded = load_sources(vec![("charter.yaml".into(), text.into())]);
        loaded.unwrap_or_else(|rejected| panic!("{:#?}", rejected.diagnostics)).document
    }

    /// Places and messages.
    fn found(head: &str, base: &str) -> String {
        let found = past_dates(&document(head), &document(base), "main", date(2026, 11, 22));
        let lines = found.iter().map(|one| {
            let span = one.span.as_ref().unwrap();
            assert!(one.is_error() && one.help.is_some(), "{one:?}");
            format!("{}:{}: {}", span.line, span.column, one.message)
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    const PAST: &str = "\
members:
  ada@acme.com: {role: user, until: 2026-11-21}
  bob@acme.com: {role: user, until: 2026-11-22}
teams: {ml: [bob@acme.com]}
workspaces:
  Models:
    members:
      ada@acme.com: {role: workspace_user, until: 2026-11-20}
      team/ml: {role: workspace_user, until: 2026-11-19}
    api_keys: {apikey_01A: {until: 2026-11-18}}
api_keys: {apikey_01B: {until: 2026-11-17}}
policy:
  admins: {most: 1}
  exceptions: [{rule: admins, of: ada@acme.com, reason: was a mistake, until: 2026-11-16}]
manage: {ignore: [{members: z@acme.com, reason: vendor, until: 2026-11-15}]}
";

    #[test]
    fn every_entry_with_a_new_date_that_has_passed_is_named() {
        insta::assert_snapshot!(found(PAST, "members: {ada@acme.com: user}\n"), @r"
        3:37: the `until` of `ada@acme.com` under `members`, `2026-11-21`, has passed already, and the base `main` does not have it
        12:32: the `until` of the key `apikey_01B` under `api_keys`, `2026-11-17`, has passed already, and the base `main` does not have it
        9:51: the `until` of `ada@acme.com` in `Models`, `2026-11-20`, has passed already, and the base `main` does not have it
        10:46: the `until` of `team/ml` in `Models`, `2026-11-19`, has passed already, and the base `main` does not have it
        11:36: the `until` of the key `apikey_01A` in `Models`, `2026-11-18`, has passed already, and the base `main` does not have it
        15:79: the `until` of the exception of `ada@acme.com` from the rule `admins`, `2026-11-16`, has passed already, and the base `main` does not have it
        ");
    }

    #[test]
    fn a_date_that_the_base_has_too_was_reviewed_with_it() {
        assert_eq!(found(PAST, PAST), "");
        let base = PAST.replace("until: 2026-11-21", "until: 2027-11-21");
        assert_eq!(
            found(PAST, &base),
            "3:37: the `until` of `ada@acme.com` under `members`, `2026-11-21`, has passed already, and the base `main` has `2027-11-21`"
        );
    }

    #[test]
    fn what_is_called_otherwise_now_is_the_same_entry() {
        let person = "ada@acme.com: {role: user, until: 2026-11-21";
        let grants = "api_keys: {apikey_01A: {until: 2026-11-18}}, members: {";
        let base = format!(
            "members: {{{person}}}}}\nworkspaces: {{Models: {{{grants}ada@acme.com: {{role: workspace_user, until: 2026-11-20}}}}}}}}\n"
        );
        let head = "\
members: {ada@new.com: {role: user, until: 2026-11-21, previously: [ada@acme.com]}}
workspaces:
  New:
    previously: [Models]
    api_keys: {apikey_01A: {until: 2026-11-18}}
    members: {ada@new.com: {role: workspace_user, until: 2026-11-20}}
";
        assert_eq!(found(head, &base), "");
        let pinned = |yaml: &str| yaml.replace("role: user", "id: user_01A, role: user");
        let head = pinned(head).replace(", previously: [ada@acme.com]", "");
        assert_eq!(found(&head, &pinned(&base)), "");
        assert!(found(&head, &base).contains("ada@new.com"));
    }
}
