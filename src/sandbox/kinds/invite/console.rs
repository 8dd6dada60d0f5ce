//! What people do with invites outside the API.
//!
//! Invariant: only an invite that waits can be accepted or withdrawn, by the clock and not by its status alone.

use super::{Invite, InviteStatus, LIFE_DAYS};
use crate::sandbox::{clock, state::State};

/// What people do with invites, or what tests look at.
impl State {
    /// Every invite, withdrawn ones included, oldest first.
    pub fn invites(&self) -> impl DoubleEndedIterator<Item = &Invite> {
        self.invites.iter()
    }

    /// Adds an invite sent now, with any role; gives the id.
    pub fn add_invite(&mut self, email: &str, role: &str) -> String {
        let (id, now) = (self.ids.fresh("invite_"), self.now());
        self.invites.insert(Invite {
            id: id.clone(),
            email: email.to_owned(),
            role: role.to_owned(),
            invited_at: now,
            expires_at: clock::add(now, clock::days(LIFE_DAYS)),
            accepted_at: None,
            withdrawn: false,
            rbac_group_ids: Vec::new(),
        });
        id
    }

    /// The person clicks the link of a pending invite (named by id or exact address, but for case): they become a
    /// member with its role. Gives the user's id, or `None` if no invite waits or they are a member already.
    pub fn accept_invite(&mut self, which: &str) -> Option<String> {
        let now = self.now();
        let invite = self.waiting(which)?;
        let (id, email, role) = (invite.id.clone(), invite.email.clone(), invite.role.clone());
        if self.user(&email).is_some() {
            return None;
        }
        if let Some(invite) = self.invites.table.get_mut(&id) {
            invite.accepted_at = Some(now);
        }
        let user = self.add_user(&email, &role);
        self.hide(&user);
        Some(user)
    }

    /// Somebody withdraws a pending invite (named as above); false if none waits.
    pub fn withdraw_invite(&mut self, which: &str) -> bool {
        let id = self.waiting(which).map(|invite| invite.id.clone());
        match id.and_then(|id| self.invites.table.get_mut(&id)) {
            Some(invite) => {
                invite.withdrawn = true;
                true
            }
            None => false,
        }
    }

    /// Accepts every invite that waits; gives the users' ids.
    pub fn accept_all(&mut self) -> Vec<String> {
        let ids: Vec<String> = self.invites().map(|invite| invite.id.clone()).collect();
        ids.iter().filter_map(|id| self.accept_invite(id)).collect()
    }

    /// The invite that waits for an answer under this id or address.
    fn waiting(&self, which: &str) -> Option<&Invite> {
        let now = self.now();
        let waits = |invite: &Invite| {
            invite.expires_at > now && invite.status(now, &self.switches) == InviteStatus::Pending
        };
        self.invites.get(which).filter(|invite| waits(invite)).or_else(|| {
            let named = |invite: &Invite| invite.email.eq_ignore_ascii_case(which);
            self.invites.like(which).map(|(_, row)| row).find(|row| named(row) && waits(row))
        })
    }
}
