//! People and their invites.
//!
//! Invariant: a person changes only by an entry that means them, or under `remove` for nobody's entry.

use std::collections::{BTreeMap, BTreeSet};

use orgcharter::sandbox::{Invite, InviteStatus, User};

use super::{Frame, canonical, protected};
use crate::{
    model::files::{PersonEntry, Target},
    run::{Verdict, ensure},
};

impl Frame<'_> {
    pub(super) fn users(&self) -> Verdict {
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

    pub(super) fn entries(&self) -> impl Iterator<Item = &PersonEntry> {
        self.files.members.iter().flatten()
    }

    /// Entries that can mean this user: by id, else by address, else by an earlier one.
    pub(super) fn entries_of<'s>(
        &'s self,
        user: &'s User,
    ) -> impl Iterator<Item = &'s PersonEntry> {
        let email = canonical(&user.email);
        self.entries().filter(move |entry| match &entry.id {
            Some(id) => *id == user.id,
            None => names(entry, &email),
        })
    }

    pub(super) fn invites(&self) -> Verdict {
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
}

/// An entry without id means whoever has its address, else an earlier one.
fn names(entry: &PersonEntry, email: &str) -> bool {
    entry.canonical == email || entry.previously.iter().flatten().any(|(_, old)| old == email)
}
