//! Grants in workspaces.
//!
//! Invariant: a grant changes only in a workspace whose entry has `members`, never for somebody who inherits all access,
//! and a role that charter does not know is never overwritten.

use std::collections::{BTreeMap, BTreeSet};

use orgcharter::sandbox::State;

use super::{Frame, canonical, inherits_all};
use crate::{
    model::files::{GrantEntry, Target, Who, past},
    run::{Verdict, ensure},
};

impl Frame<'_> {
    pub(super) fn grants(&self) -> Verdict {
        let rows = |state: &State| -> BTreeMap<(String, String), String> {
            state.grants().map(|grant| ((grant.workspace_id, grant.user_id), grant.role)).collect()
        };
        let (before, after) = (rows(self.before), rows(self.after));
        let places: BTreeSet<&(String, String)> = before.keys().chain(after.keys()).collect();
        for place in places {
            let (was, is) = (before.get(place), after.get(place));
            if was != is {
                self.changed_grant(&place.0, &place.1, was, is)
                    .map_err(|why| format!("{why}: {place:?} from {was:?} to {is:?}"))?;
            }
        }
        Ok(())
    }

    fn changed_grant(
        &self,
        workspace: &str,
        user: &str,
        was: Option<&String>,
        is: Option<&String>,
    ) -> Verdict {
        let Some(person) = self.after.user(user) else {
            // Removing somebody drops their grants (core.md §5.34); that they went is judged above.
            ensure!(is.is_none(), "a grant to somebody who left");
            return Ok(());
        };
        ensure!(!inherits_all(&person.role), "a grant of somebody who inherits all was touched");
        // What is left of a billing member's own grant may be a row of what they inherit.
        let is_billing = person.role == "billing";
        let is = is.filter(|role| !(is_billing && *role == "workspace_billing"));
        ensure!(
            !is_billing || is.is_none_or(|role| role == "workspace_admin"),
            "a billing member was given another role than workspace_admin"
        );
        let unknown = was.is_some_and(|was| was == crate::generate::UNKNOWN_ROLE);
        let email = canonical(&person.email);
        ensure!(!self.ignored(Target::Members, &email), "a grant of somebody ignored was touched");
        // The person as the files call them.
        let called: BTreeSet<String> = self
            .before
            .user(user)
            .map(|before| self.entries_of(before).map(|entry| entry.canonical.clone()).collect())
            .unwrap_or_default();
        let named = |who: &str| called.contains(who) || (called.is_empty() && who == email);

        let row = self.before.workspace(workspace).filter(|row| row.id == workspace);
        let entry = match row {
            Some(row) => {
                ensure!(row.archived_at.is_none(), "a grant in an archived workspace was touched");
                ensure!(
                    !self.ignored(Target::Workspaces, &row.name),
                    "a grant in an ignored workspace was touched"
                );
                self.entry_of(row)
            }
            None => {
                let made = self.after.workspace(workspace);
                made.and_then(|made| {
                    self.workspace_entries().find(|e| e.name() == made.name && e.id.is_none())
                })
            }
        };
        let grants = entry.and_then(|entry| entry.members.as_ref());
        let Some(grants) = grants else {
            return Err("a grant in a workspace without `members` was touched".to_owned());
        };
        let said = self.said(grants, &named);
        match is {
            Some(role) => {
                let wanted = said.iter().any(|(word, ended)| !ended && word == role);
                ensure!(wanted, "no line gives this role; the lines say {said:?}");
                ensure!(!unknown, "a role that charter does not know was overwritten");
            }
            None => {
                let taken = said.iter().any(|(word, ended)| *ended || word == "none");
                let unlisted = !unknown
                    && said.is_empty()
                    && self.files.manage.workspace_members == Some("remove");
                let gone = self
                    .entries()
                    .any(|entry| called.contains(&entry.canonical) && entry.gone(&self.today));
                ensure!(taken || unlisted || gone, "nothing takes it; the lines say {said:?}");
            }
        }
        Ok(())
    }

    /// What the lines of a workspace say of somebody: roles, and whether their date has passed. A line by e-mail wins
    /// over teams.
    fn said(&self, grants: &[GrantEntry], named: &dyn Fn(&str) -> bool) -> Vec<(String, bool)> {
        let line = |grant: &GrantEntry| {
            (grant.role.clone(), grant.until.is_some_and(|day| past(day, &self.today)))
        };
        let own =
            grants.iter().filter(|grant| matches!(&grant.who, Who::Person(_, who) if named(who)));
        let own: Vec<_> = own.map(line).collect();
        if !own.is_empty() {
            return own;
        }
        let team = |name: &str| self.files.teams.iter().find(|team| team.name == name);
        grants
            .iter()
            .filter(|grant| {
                let Who::Team(name) = &grant.who else { return false };
                team(name).is_some_and(|team| team.people.iter().any(|(_, who)| named(who)))
            })
            .map(line)
            .collect()
    }
}
