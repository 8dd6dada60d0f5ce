//! What the generated live organization holds, as plain data that becomes a sandbox's seed.
//!
//! Invariant: every id is made from the place of its object in the model, so files can pin it beforehand.

use std::collections::BTreeMap;

use super::files::{Kind, ResidencyEntry};

#[derive(Clone, Debug, Default)]
pub(crate) struct Live {
    pub(crate) kind: Kind,
    pub(crate) users: Vec<User>,
    pub(crate) invites: Vec<Invite>,
    pub(crate) workspaces: Vec<Workspace>,
    pub(crate) keys: Vec<Key>,
    /// Addresses of people who left, with the ids they had.
    pub(crate) former: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) canonical: String,
    pub(crate) role: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InviteState {
    Pending,
    Expired,
    /// It ran out within the hour.
    JustExpired,
    Accepted,
}

#[derive(Clone, Debug)]
pub(crate) struct Invite {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) canonical: String,
    pub(crate) role: String,
    pub(crate) state: InviteState,
    /// How many weeks ago it ended; 0: within the last one.
    pub(crate) weeks: i64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Workspace {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) default: bool,
    pub(crate) archived: bool,
    pub(crate) display_color: String,
    pub(crate) tags: BTreeMap<String, String>,
    /// The product's own tag is set.
    pub(crate) reserved_tag: bool,
    pub(crate) residency: ResidencyEntry,
    pub(crate) external_key_id: Option<String>,
    pub(crate) user_profile_id: Option<String>,
    /// Role by user id.
    pub(crate) members: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) status: &'static str,
    /// `None`: the organization.
    pub(crate) workspace: Option<String>,
    pub(crate) created_by: Option<String>,
    pub(crate) principal: Option<String>,
    pub(crate) expires_at: Option<&'static str>,
    pub(crate) hint: Option<&'static str>,
}
