//! Invites: sent, waited for, accepted, withdrawn or expired by the clock.
//!
//! Invariant: an invite is never edited; only a pending one can be withdrawn or accepted.

mod console;

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::user::{check_role, filterable, fold, paging, ruled_here};
use crate::{
    api::transport::Method,
    sandbox::{
        clock,
        handle::Asked,
        refusal::Refusal,
        request::{Fields, domain_of},
        routes::{Offered, Route, Takes},
        state::{OrganizationKind, State},
        switches::{
            AddressMatching, DeletedInvite, EmailStorage, InviteExpiry, InviteGroups, ListOrder,
            SeatError, Switches,
        },
        table::{Row, Table},
    },
};

/// How long an invite lives.
pub(crate) const LIFE_DAYS: u64 = 21;

/// The status of an invite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InviteStatus {
    /// It waits.
    Pending,
    /// It was accepted.
    Accepted,
    /// Its time ran out.
    Expired,
    /// It was withdrawn.
    Deleted,
}

/// An invite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    /// `invite_…`.
    pub id: String,
    /// The address, as it is stored.
    pub email: String,
    /// The role it gives.
    pub role: String,
    /// When it was sent.
    pub invited_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// When it was accepted.
    pub accepted_at: Option<Timestamp>,
    /// Whether it was withdrawn.
    pub withdrawn: bool,
    /// Groups it gives (Enterprise).
    pub rbac_group_ids: Vec<String>,
}

impl Invite {
    /// The status at a time.
    pub fn status(&self, now: Timestamp, switches: &Switches) -> InviteStatus {
        let lag = match switches.invite_expiry {
            InviteExpiry::Exact => Duration::ZERO,
            InviteExpiry::LagsAnHour => Duration::from_hours(1),
        };
        if self.withdrawn {
            InviteStatus::Deleted
        } else if self.accepted_at.is_some() {
            InviteStatus::Accepted
        } else if clock::add(self.expires_at, lag) <= now {
            InviteStatus::Expired
        } else {
            InviteStatus::Pending
        }
    }
}

impl Row for Invite {
    fn id(&self) -> &str {
        &self.id
    }
}

/// The invites, also found by address.
#[derive(Clone, Debug, Default)]
pub(crate) struct Invites {
    table: Table<Invite>,
    by_address: BTreeSet<(String, u64)>,
}

impl Invites {
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Invite> {
        self.table.iter()
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Invite> {
        self.table.get(id)
    }

    pub(crate) fn insert(&mut self, invite: Invite) {
        let address = fold(&invite.email);
        let number = self.table.insert(invite);
        self.by_address.insert((address, number));
    }

    fn like(&self, email: &str) -> impl DoubleEndedIterator<Item = (u64, &Invite)> {
        let address = fold(email);
        let range = (address.clone(), 0)..=(address, u64::MAX);
        self.by_address
            .range(range)
            .filter_map(|(_, number)| Some((*number, self.table.at(*number)?)))
    }
}

pub(crate) const ROUTES: [Route; 4] = [
    Route {
        method: Method::Get,
        pattern: "/v1/organizations/invites",
        offered: Offered::People,
        takes: Takes::Nothing,
        query: &["after_id", "before_id", "email", "limit", "roles[]", "statuses[]"],
        handler: list,
    },
    Route {
        method: Method::Post,
        pattern: "/v1/organizations/invites",
        offered: Offered::People,
        takes: Takes::Object,
        query: &[],
        handler: create,
    },
    Route {
        method: Method::Get,
        pattern: "/v1/organizations/invites/{invite_}",
        offered: Offered::People,
        takes: Takes::Nothing,
        query: &[],
        handler: get,
    },
    Route {
        method: Method::Delete,
        pattern: "/v1/organizations/invites/{invite_}",
        offered: Offered::People,
        takes: Takes::Nothing,
        query: &[],
        handler: withdraw,
    },
];

// Handlers share one signature.
#[allow(clippy::needless_pass_by_value)]
fn list(state: &mut State, asked: Asked) -> Result<Value, Refusal> {
    let (now, invites) = (state.now(), &state.invites);
    let paging = paging(state, &asked.query, |id| invites.table.number(id))?;
    let roles = asked.query.choices("roles", filterable(state.organization.kind))?;
    let statuses = asked.query.choices("statuses", &["accepted", "expired", "pending"])?;
    let keep = |invite: &Invite| {
        let status = invite.status(now, &state.switches);
        status != InviteStatus::Deleted
            && (roles.is_empty() || roles.contains(&invite.role.as_str()))
            && (statuses.is_empty() || statuses.contains(&word(status)))
    };
    let order = ListOrder::NewestFirst;
    let cursor = |(_, invite): &(u64, &Invite)| invite.id.clone();
    let show = |(_, invite): &(u64, &Invite)| show(state, invite);
    Ok(if let Some(email) = asked.query.address("email")? {
        let rows = invites
            .like(email)
            .rev()
            .filter(|(number, invite)| paging.covers(order, *number) && keep(invite));
        paging.page(rows, cursor, show)
    } else {
        let rows = invites.table.slice(order, paging.from()).filter(|(_, row)| keep(row));
        paging.page(rows, cursor, show)
    })
}

#[allow(clippy::needless_pass_by_value)]
fn get(state: &mut State, asked: Asked) -> Result<Value, Refusal> {
    let invite = state.invites.get(&asked.ids[0]).ok_or_else(missing)?;
    if invite.withdrawn && state.switches.deleted_invite == DeletedInvite::NotFound {
        return Err(missing());
    }
    Ok(show(state, invite))
}

fn create(state: &mut State, asked: Asked) -> Result<Value, Refusal> {
    let mut fields = Fields::new(asked.body);
    let (email, role) = (fields.string("email")?, fields.string("role")?);
    let groups = match fields.take("rbac_group_ids") {
        None => Vec::new(),
        Some(value) => serde_json::from_value::<Vec<String>>(value)
            .ok()
            .filter(|groups| groups.len() <= 100)
            .ok_or_else(|| Refusal::invalid("rbac_group_ids: must be at most 100 strings"))?,
    };
    fields.end()?;
    let domain = domain_of(&email).ok_or_else(|| {
        Refusal::invalid(format!("email: `{email}` is not a valid email address"))
    })?;
    check_role(state, &role, &asked.grant)?;
    if !groups.is_empty() {
        if state.organization.kind != OrganizationKind::Enterprise {
            return Err(Refusal::invalid("rbac_group_ids: this organization has no groups"));
        }
        asked.grant.needs("write:rbac_groups")?;
    }
    ruled_here(state)?;
    if let Some(domains) = &state.limits.email_domains
        && !domains.iter().any(|allowed| allowed.eq_ignore_ascii_case(domain))
    {
        return Err(Refusal::invalid(format!("addresses of `{domain}` cannot be invited"))
            .code("email_domain_not_allowed"));
    }
    free_address(state, &email)?;
    free_seat(state)?;
    let now = state.now();
    let invite = Invite {
        id: state.ids.fresh("invite_"),
        email: match state.switches.email_storage {
            EmailStorage::AsTyped => email,
            EmailStorage::LowerCase => email.to_ascii_lowercase(),
        },
        role,
        invited_at: now,
        expires_at: clock::add(now, clock::days(LIFE_DAYS)),
        accepted_at: None,
        withdrawn: false,
        rbac_group_ids: groups,
    };
    let shown = show(state, &invite);
    state.hide(&invite.id);
    state.invites.insert(invite);
    Ok(shown)
}

#[allow(clippy::needless_pass_by_value)]
fn withdraw(state: &mut State, asked: Asked) -> Result<Value, Refusal> {
    let (id, now) = (&asked.ids[0], state.now());
    let status = state.invites.get(id).ok_or_else(missing)?.status(now, &state.switches);
    match status {
        InviteStatus::Pending => {}
        InviteStatus::Deleted => return Err(missing()),
        InviteStatus::Accepted | InviteStatus::Expired => {
            let message = format!("only a pending invite can be deleted; it is {}", word(status));
            return Err(Refusal::invalid(message));
        }
    }
    ruled_here(state)?;
    if let Some(invite) = state.invites.table.get_mut(id) {
        invite.withdrawn = true;
    }
    Ok(json!({"id": id, "type": "invite_deleted"}))
}

/// Refuses an address that a member or a pending invite has.
fn free_address(state: &State, email: &str) -> Result<(), Refusal> {
    let same = |stored: &str| match state.switches.address_matching {
        AddressMatching::Exact => stored.eq_ignore_ascii_case(email),
        AddressMatching::Variants => true,
    };
    if let Some((_, user)) = state.users.like(email).find(|(_, user)| same(&user.email)) {
        let message = format!("`{}` is already a member: {}", user.email, user.id);
        return Err(Refusal::invalid(message).code("already_member"));
    }
    let now = state.now();
    let pending = |invite: &Invite| invite.status(now, &state.switches) == InviteStatus::Pending;
    if let Some((_, invite)) =
        state.invites.like(email).find(|(_, invite)| same(&invite.email) && pending(invite))
    {
        let message = format!("`{}` has a pending invite: {}", invite.email, invite.id);
        return Err(Refusal::invalid(message).code("invite_already_exists"));
    }
    Ok(())
}

/// Refuses an invite when members and pending invites take every seat.
fn free_seat(state: &State) -> Result<(), Refusal> {
    let Some(seats) = state.limits.seats else { return Ok(()) };
    let now = state.now();
    let pending = state
        .invites()
        .filter(|invite| invite.status(now, &state.switches) == InviteStatus::Pending)
        .count();
    if state.users.len() + pending < seats {
        return Ok(());
    }
    let refusal = Refusal::invalid(format!("all {seats} seats are taken"));
    Err(match state.switches.seat_error {
        SeatError::Coded => refusal.code("org_member_limit_exceeded"),
        SeatError::Plain => refusal,
    })
}

fn missing() -> Refusal {
    Refusal::not_found("invite")
}

fn word(status: InviteStatus) -> &'static str {
    match status {
        InviteStatus::Pending => "pending",
        InviteStatus::Accepted => "accepted",
        InviteStatus::Expired => "expired",
        InviteStatus::Deleted => "deleted",
    }
}

fn show(state: &State, invite: &Invite) -> Value {
    let status = invite.status(state.now(), &state.switches);
    let Invite {
        id,
        email,
        role,
        invited_at,
        expires_at,
        accepted_at,
        withdrawn: _,
        rbac_group_ids,
    } = invite;
    let mut shown = json!({
        "id": id, "email": email, "role": role, "status": word(status),
        "invited_at": clock::text(*invited_at), "expires_at": clock::text(*expires_at),
        "accepted_at": accepted_at.map(clock::text), "type": "invite",
    });
    if state.switches.invite_groups == InviteGroups::Present {
        shown["rbac_group_ids"] = json!(rbac_group_ids);
    }
    shown
}
