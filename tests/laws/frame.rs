//! What the files may touch, worked out from the generated model alone.
//!
//! Invariant: knows nothing of how charter plans; every change of the organization is either allowed by a line of the
//! files that is named here, or broken frame. Rules cite product.md.

use std::collections::{BTreeMap, BTreeSet};

use orgcharter::{
    email::Email,
    sandbox::{ApiKey, Invite, InviteStatus, KeyStatus, State, User, Workspace},
};

use crate::{
    generate::{CLAUDE_CODE, DEFAULT},
    model::files::{Files, GrantEntry, KeyEntry, PersonEntry, Target, Who, WorkspaceEntry, past},
    run::{Verdict, ensure},
};

/// Compares two states of the organization: only what the files name has changed, and only to what they say.
pub(crate) fn check(files: &Files, before: &State, after: &State) -> Verdict {
    let today = after.now().to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
    let frame = Frame { files, before, after, today };
    frame.users()?;
    frame.invites()?;
    frame.workspaces()?;
    frame.grants()?;
    frame.keys()
}

struct Frame<'a> {
    files: &'a Files,
    before: &'a State,
    after: &'a State,
    today: String,
}

fn canonical(email: &str) -> String {
    Email::lenient(email).canonical().to_string()
}

/// The API refuses to change these (core.md §5.8), so nothing may try.
fn protected(role: &str) -> bool {
    matches!(role, "admin" | "owner" | "primary_owner" | "membership_admin")
}

fn inherits(role: &str) -> bool {
    matches!(role, "admin" | "owner" | "primary_owner" | "billing")
}

impl Frame<'_> {
    fn ignored(&self, target: Target, name: &str) -> bool {
        self.files.manage.ignore.iter().any(|entry| entry.covers(target, name))
    }

    // --- people

    fn users(&self) -> Verdict {
        let mut after: BTreeMap<&str, &User> =
            self.after.users().map(|user| (user.id.as_str(), user)).collect();
        for user in self.before.users() {
            match after.remove(user.id.as_str()) {
                Some(now) if now == user => {}
                Some(now) => self.changed_user(user, now)?,
                None => self.removed_user(user)?,
            }
        }
        ensure!(after.is_empty(), "users came without an invite: {after:?}");
        Ok(())
    }

    fn changed_user(&self, user: &User, now: &User) -> Verdict {
        let User { id, email, name, role, added_at } = now;
        let same =
            (id, email, name, added_at) == (&user.id, &user.email, &user.name, &user.added_at);
        ensure!(same, "more than the role of {user:?} changed: {now:?}");
        self.touchable_user(user)?;
        ensure!(!protected(role), "{user:?} was given a protected role");
        let wanted =
            self.entries_of(user).any(|entry| !entry.gone(&self.today) && entry.role == *role);
        ensure!(wanted, "{user:?} got the role {role}, which no entry gives");
        ensure!(
            user.role != crate::generate::UNKNOWN_ROLE,
            "an unknown role was rewritten: {user:?}"
        );
        Ok(())
    }

    fn removed_user(&self, user: &User) -> Verdict {
        self.touchable_user(user)?;
        let mut entries = self.entries_of(user).peekable();
        let named = entries.peek().is_some();
        let gone = entries.any(|entry| entry.gone(&self.today));
        let unlisted = !named && self.files.manage.members == Some("remove");
        ensure!(gone || unlisted, "{user:?} was removed, and nothing says so");
        Ok(())
    }

    fn touchable_user(&self, user: &User) -> Verdict {
        ensure!(self.files.members.is_some(), "{user:?} was touched without `members`");
        ensure!(!protected(&user.role), "{user:?} is protected and was touched");
        let email = canonical(&user.email);
        ensure!(!self.ignored(Target::Members, &email), "{user:?} is ignored and was touched");
        let twins = self.before.users().filter(|other| canonical(&other.email) == email).count();
        let pinned = |entry: &PersonEntry| entry.id.is_some();
        let ambiguous = twins > 1
            && self.entries().any(|entry| names(entry, &email) && !pinned(entry))
            && !self.entries().any(|entry| entry.id.as_ref() == Some(&user.id));
        // An address with several live people is by hand.
        ensure!(!ambiguous, "one of two with one address was touched: {user:?}");
        Ok(())
    }

    fn entries(&self) -> impl Iterator<Item = &PersonEntry> {
        self.files.members.iter().flatten()
    }

    /// Entries that can mean this user: by id, else by address, else by an earlier one.
    fn entries_of<'s>(&'s self, user: &'s User) -> impl Iterator<Item = &'s PersonEntry> {
        let email = canonical(&user.email);
        self.entries().filter(move |entry| match &entry.id {
            Some(id) => *id == user.id,
            None => names(entry, &email),
        })
    }

    fn invites(&self) -> Verdict {
        let mut after: BTreeMap<&str, &Invite> =
            self.after.invites().map(|invite| (invite.id.as_str(), invite)).collect();
        let now = self.before.now();
        for invite in self.before.invites() {
            let Some(later) = after.remove(invite.id.as_str()) else {
                return Err(format!("{invite:?} vanished"));
            };
            if later == invite {
                continue;
            }
            let withdrawn = Invite { withdrawn: true, ..invite.clone() };
            ensure!(*later == withdrawn, "an invite was edited: {invite:?}, {later:?}");
            let pending = invite.status(now, &self.before.switches) == InviteStatus::Pending;
            ensure!(pending, "{invite:?} was not pending");
            self.withdrawn(invite)?;
        }
        let mut sent = BTreeSet::new();
        for invite in after.into_values() {
            let email = canonical(&invite.email);
            let entry = self.entries().find(|entry| entry.canonical == email);
            let wanted =
                entry.is_some_and(|entry| !entry.gone(&self.today) && entry.role == invite.role);
            ensure!(wanted, "{invite:?} was sent, and no entry says so");
            ensure!(!self.ignored(Target::Members, &email), "{invite:?} went to somebody ignored");
            ensure!(sent.insert(email), "two invites were sent: {invite:?}");
            let member =
                self.before.users().any(|user| canonical(&user.email) == canonical(&invite.email));
            ensure!(!member, "{invite:?} went to a member");
        }
        Ok(())
    }

    fn withdrawn(&self, invite: &Invite) -> Verdict {
        let email = canonical(&invite.email);
        ensure!(self.files.members.is_some(), "{invite:?} was withdrawn without `members`");
        ensure!(
            !self.ignored(Target::Members, &email),
            "{invite:?} of somebody ignored was withdrawn"
        );
        let ids: BTreeSet<&str> = self
            .before
            .users()
            .filter(|user| canonical(&user.email) == email)
            .map(|user| user.id.as_str())
            .chain([invite.id.as_str()])
            .collect();
        let mut entries = self
            .entries()
            .filter(|entry| match &entry.id {
                Some(id) => ids.contains(id.as_str()),
                None => names(entry, &email),
            })
            .peekable();
        let listed = entries.peek().is_some();
        let replaced = entries.any(|entry| {
            entry.gone(&self.today) || entry.role != invite.role || entry.canonical != email
        });
        let twin = self.before.invites().any(|other| {
            other.id != invite.id && canonical(&other.email) == email && other.role != invite.role
        });
        let unlisted = !listed && self.files.manage.members == Some("remove");
        ensure!(
            replaced || unlisted || (listed && twin),
            "{invite:?} was withdrawn, and nothing says so"
        );
        Ok(())
    }

    // --- workspaces

    fn workspaces(&self) -> Verdict {
        let mut after: BTreeMap<&str, &Workspace> =
            self.after.workspaces().map(|row| (row.id.as_str(), row)).collect();
        for row in self.before.workspaces() {
            let Some(now) = after.remove(row.id.as_str()) else {
                return Err(format!("{row:?} vanished"));
            };
            if now != row {
                self.changed_workspace(row, now)
                    .map_err(|why| format!("{why}\nbefore: {row:?}\nafter: {now:?}"))?;
            }
        }
        let mut made: BTreeMap<&str, usize> = BTreeMap::new();
        for row in after.into_values() {
            *made.entry(&row.name).or_default() += 1;
            let entry = self
                .workspace_entries()
                .find(|entry| entry.name() == row.name && entry.id.is_none() && !entry.archived());
            let Some(entry) = entry else {
                return Err(format!("{row:?} was made, and no entry says so"));
            };
            ensure!(
                !self.ignored(Target::Workspaces, &row.name),
                "{row:?} is ignored and was made"
            );
            ensure!(row.archived_at.is_none(), "{row:?} was made and archived");
            ensure!(
                row.name != DEFAULT && row.name != CLAUDE_CODE,
                "{row:?} is the product's to make"
            );
            let tags = entry.tags.clone().unwrap_or_default();
            ensure!(row.tags == tags, "{row:?} was made with other tags than {tags:?}");
        }
        ensure!(made.values().all(|count| *count == 1), "one name was made twice: {made:?}");
        Ok(())
    }

    fn workspace_entries(&self) -> impl Iterator<Item = &WorkspaceEntry> {
        self.files.workspaces.iter().flatten()
    }

    /// The entry that means this workspace, if there is exactly one that can and nothing makes it ambiguous.
    fn entry_of(&self, row: &Workspace) -> Option<&WorkspaceEntry> {
        if row.is_default {
            return self.workspace_entries().find(|entry| entry.label == DEFAULT);
        }
        if let Some(entry) =
            self.workspace_entries().find(|entry| entry.id.as_ref() == Some(&row.id))
        {
            return Some(entry);
        }
        let claimed =
            |id: &str| self.workspace_entries().any(|entry| entry.id.as_deref() == Some(id));
        let free = |name: &str| {
            let named = |other: &&Workspace| {
                other.name == name && other.archived_at.is_none() && !other.is_default
            };
            self.before.workspaces().filter(named).filter(|other| !claimed(&other.id)).count()
        };
        let unpinned = || {
            self.workspace_entries().filter(|entry| entry.id.is_none() && entry.label != DEFAULT)
        };
        // A name with several live objects is by hand.
        let by_name = unpinned().find(|entry| entry.name() == row.name);
        let by_previous = || {
            unpinned().find(|entry| {
                entry.previously.iter().flatten().any(|old| *old == row.name)
                    && free(entry.name()) == 0
            })
        };
        by_name.or_else(by_previous).filter(|_| free(&row.name) == 1)
    }

    fn changed_workspace(&self, row: &Workspace, now: &Workspace) -> Verdict {
        let Workspace {
            id,
            name,
            is_default,
            created_at,
            archived_at,
            display_color,
            data_residency,
            tags,
            external_key_id,
            user_profile_id,
            compartment_id,
        } = now;
        let fixed = (id, is_default, created_at, compartment_id)
            == (&row.id, &row.is_default, &row.created_at, &row.compartment_id);
        ensure!(fixed, "what is fixed has changed");
        ensure!(row.archived_at.is_none(), "an archived workspace was touched");
        let Some(entry) = self.entry_of(row) else {
            return Err("a workspace was touched that no entry means".to_owned());
        };
        ensure!(!self.ignored(Target::Workspaces, &row.name), "an ignored workspace was touched");
        if archived_at.is_some() {
            ensure!(entry.archived(), "archived, and the entry does not say so");
            ensure!(entry.id.as_ref() == Some(id), "archived without its id");
            ensure!(row.name != CLAUDE_CODE && !is_default, "the product's workspace was archived");
        }
        if *name != row.name {
            ensure!(name == entry.name(), "renamed to something else");
            ensure!(row.name != CLAUDE_CODE && !is_default, "the product's workspace was renamed");
        }
        if *display_color != row.display_color {
            let wanted = entry.display_color.as_ref();
            ensure!(
                wanted.is_some_and(|color| color.eq_ignore_ascii_case(display_color)),
                "another colour than the entry's"
            );
        }
        let reserved = |tags: &BTreeMap<String, String>| -> BTreeMap<String, String> {
            let own = tags.iter().filter(|(key, _)| key.starts_with("anthropic"));
            own.map(|(key, value)| (key.clone(), value.clone())).collect()
        };
        ensure!(reserved(tags) == reserved(&row.tags), "the product's tags were touched");
        if *tags != row.tags {
            let mut wanted = entry.tags.clone().unwrap_or_else(|| row.tags.clone());
            wanted.extend(reserved(&row.tags));
            ensure!(*tags == wanted, "other tags than the entry's");
        }
        ensure!(
            data_residency.workspace_geo == row.data_residency.workspace_geo,
            "`workspace_geo` cannot change"
        );
        let parts = entry.residency.clone().unwrap_or_default();
        if data_residency.default_inference_geo != row.data_residency.default_inference_geo {
            ensure!(
                parts.default == Some(data_residency.default_inference_geo.as_str()),
                "another default than the entry's"
            );
        }
        if data_residency.allowed_inference_geos != row.data_residency.allowed_inference_geos {
            let now = match &data_residency.allowed_inference_geos {
                orgcharter::sandbox::AllowedGeos::Word(word) => BTreeSet::from([word.as_str()]),
                orgcharter::sandbox::AllowedGeos::List(list) => {
                    list.iter().map(String::as_str).collect()
                }
            };
            let wanted = parts.allowed.map(|list| list.into_iter().collect::<BTreeSet<_>>());
            ensure!(wanted == Some(now), "other geos than the entry's");
        }
        for (field, was, is, wanted) in [
            ("external_key_id", &row.external_key_id, external_key_id, &entry.external_key_id),
            ("user_profile_id", &row.user_profile_id, user_profile_id, &entry.user_profile_id),
        ] {
            ensure!(is == was || (was.is_none() && is == wanted), "`{field}` was touched");
        }
        Ok(())
    }

    // --- grants

    fn grants(&self) -> Verdict {
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
        ensure!(!inherits(&person.role), "a grant of somebody who inherits access was touched");
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
                ensure!(was.is_none_or(|was| was != crate::generate::UNKNOWN_ROLE) || wanted, "");
            }
            None => {
                let taken = said.iter().any(|(word, ended)| *ended || word == "none");
                let unlisted =
                    said.is_empty() && self.files.manage.workspace_members == Some("remove");
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

    // --- keys

    fn keys(&self) -> Verdict {
        let mut after: BTreeMap<&str, &ApiKey> =
            self.after.api_keys().map(|key| (key.id.as_str(), key)).collect();
        for key in self.before.api_keys() {
            let Some(now) = after.remove(key.id.as_str()) else {
                return Err(format!("{key:?} vanished"));
            };
            if now != key {
                self.changed_key(key, now)
                    .map_err(|why| format!("{why}\nbefore: {key:?}\nafter: {now:?}"))?;
            }
        }
        ensure!(after.is_empty(), "keys came from nowhere: {after:?}");
        Ok(())
    }

    fn changed_key(&self, key: &ApiKey, now: &ApiKey) -> Verdict {
        let home = key.workspace_id.as_deref();
        let archived = |id: &str| {
            let at = |state: &State| state.workspace(id).and_then(|row| row.archived_at);
            at(self.before).is_none() && at(self.after).is_some()
        };
        // Archiving a workspace and removing a person archive keys (core.md §3.2, §3.4); both are judged above.
        let with_workspace = home.is_some_and(archived);
        let with_person = key
            .principal
            .as_deref()
            .is_some_and(|id| self.before.user(id).is_some() && self.after.user(id).is_none());
        let mut rest = now.clone();
        if with_workspace {
            rest.archives_at = key.archives_at;
        }
        if with_person {
            rest.status = key.status;
        }
        if rest == *key {
            return Ok(());
        }
        rest.name.clone_from(&key.name);
        rest.status = key.status;
        ensure!(rest == *key, "more than name and status changed");
        ensure!(
            !self.ignored(Target::ApiKeys, &key.name) && !self.ignored(Target::ApiKeys, &key.id),
            "an ignored key was touched"
        );
        let Some(entry) = self.key_entry(key) else {
            return Err("a key was touched that no entry means".to_owned());
        };
        if now.name != key.name {
            ensure!(entry.name.as_ref() == Some(&now.name), "renamed to something else");
        }
        if now.status != key.status && !with_person {
            let ended = entry.until.is_some_and(|day| past(day, &self.today));
            let wanted = match now.status {
                KeyStatus::Active => entry.status == Some("active") && !ended,
                KeyStatus::Inactive => entry.status == Some("inactive") || ended,
                KeyStatus::Archived => entry.status == Some("archived"),
                KeyStatus::Expired => false,
            };
            ensure!(wanted, "another status than the entry's");
            let in_use = key.partial_key_hint.as_deref() == Some("sk-ant-adm...box");
            ensure!(!in_use || now.status == KeyStatus::Active, "the key in use was switched off");
        }
        Ok(())
    }

    fn key_entry(&self, key: &ApiKey) -> Option<&KeyEntry> {
        let place = key.workspace_id.as_ref().and_then(|id| self.before.workspace(id));
        let place = place.filter(|row| !row.is_default);
        let list = match place {
            None => self.files.api_keys.as_ref(),
            Some(row) if self.ignored(Target::Workspaces, &row.name) => None,
            Some(row) => self.entry_of(row).and_then(|entry| entry.api_keys.as_ref()),
        }?;
        if let Some(entry) = list.iter().find(|entry| entry.key == key.id) {
            return Some(entry);
        }
        // By name it must be the only one that is neither archived nor listed by its id.
        let every = || {
            let lists = self.workspace_entries().filter_map(|entry| entry.api_keys.as_ref());
            lists.chain(&self.files.api_keys).flatten()
        };
        let now = self.before.now();
        let here = |other: &&ApiKey| {
            let home = other.workspace_id.as_ref().and_then(|id| self.before.workspace(id));
            let home = home.filter(|row| !row.is_default).map(|row| &row.id);
            home == place.map(|row| &row.id)
                && other.name == key.name
                && other.status_at(now) != KeyStatus::Archived
                && !every().any(|entry| entry.key == other.id)
        };
        let alone = self.before.api_keys().filter(here).count() == 1;
        let by_id = every().any(|entry| entry.key == key.id);
        list.iter().find(|entry| entry.key == key.name).filter(|_| alone && !by_id)
    }
}

/// An entry without id means whoever has its address, else an earlier one.
fn names(entry: &PersonEntry, email: &str) -> bool {
    entry.canonical == email || entry.previously.iter().flatten().any(|(_, old)| old == email)
}
