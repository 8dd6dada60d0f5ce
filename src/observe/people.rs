//! Users and invites as one object per person, and what past invites tell.
//!
//! Invariant: somebody who is a member is never shown as invited, and an invite is open only if both its status
//! and the clock say so.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};

use super::Placed;
use crate::{
    address::{Address, Name},
    api::wire,
    email::Email,
    resource::{
        Facts, InviteHistory, Member, Object, Phase, Remote, Role, Spec,
        member::{MemberFacts, PendingInvite},
        snapshot::LapsedInvite,
    },
};

/// How long an invite lives; only used where the API leaves the end out.
const INVITE_LIFE: SignedDuration = SignedDuration::from_hours(21 * 24);

/// The people of an organization.
#[derive(Debug, Default)]
pub(super) struct People {
    /// Members and those with an open invite.
    pub(super) objects: Vec<(Address, Arc<Object>)>,
    /// What past invites say, by canonical address.
    pub(super) history: BTreeMap<Arc<str>, InviteHistory>,
}

/// The open invites to one address.
#[derive(Debug)]
struct Open {
    email: Email,
    /// Newest first.
    invites: Vec<PendingInvite>,
}

/// What an invite is at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InviteState {
    /// It waits for an answer until then.
    Open(Timestamp),
    /// Nobody answered, and then it lapsed.
    Expired(Timestamp),
    /// It was accepted then.
    Accepted(Timestamp),
    /// It was withdrawn, or is in a state that charter does not know.
    Over,
}

impl InviteState {
    /// The state of `invite` at `now`. The status may lag the clock, so the clock decides what is still open.
    pub fn of(invite: &wire::Invite, now: Timestamp) -> Self {
        let wire::Invite { status, invited_at, expires_at, accepted_at, .. } = invite;
        let ends = expires_at.unwrap_or_else(|| {
            invited_at.unwrap_or(now).checked_add(INVITE_LIFE).unwrap_or(Timestamp::MAX)
        });
        match status.as_str() {
            "pending" if ends > now => InviteState::Open(ends),
            "pending" | "expired" => InviteState::Expired(ends),
            // Without a time it counts as long ago: it still says that somebody was here.
            "accepted" => {
                InviteState::Accepted(accepted_at.or(*invited_at).unwrap_or(Timestamp::MIN))
            }
            _ => InviteState::Over,
        }
    }
}

/// Joins users and invites into people.
pub(super) fn join(users: Vec<Placed>, invites: &[wire::Invite], now: Timestamp) -> People {
    let (mut open, history) = sort_invites(invites, now);
    let mut members = BTreeSet::new();
    let mut objects = users;
    for (_, object) in &mut objects {
        let Spec::Member(Member { email, .. }) = &object.spec else { continue };
        let canonical = Arc::clone(email.canonical());
        let Some(Open { invites, .. }) = open.get(&canonical) else { continue };
        if let Some(Remote { facts: Facts::Member(facts), .. }) = &mut Arc::make_mut(object).remote
        {
            facts.pending.clone_from(invites);
        }
        members.insert(canonical);
    }
    open.retain(|canonical, _| !members.contains(canonical));
    objects.extend(open.into_values().filter_map(invited));
    People { objects, history }
}

/// Open invites by address, and the history of the others.
fn sort_invites(
    invites: &[wire::Invite],
    now: Timestamp,
) -> (BTreeMap<Arc<str>, Open>, BTreeMap<Arc<str>, InviteHistory>) {
    // The API lists the newest first; a listing in another order gives the same people.
    let mut newest_first: Vec<&wire::Invite> = invites.iter().collect();
    newest_first.sort_by(|a, b| b.invited_at.cmp(&a.invited_at).then_with(|| a.id.cmp(&b.id)));
    let mut open: BTreeMap<Arc<str>, Open> = BTreeMap::new();
    let mut history: BTreeMap<Arc<str>, InviteHistory> = BTreeMap::new();
    for invite in newest_first {
        let email = Email::lenient(&invite.email);
        let canonical = Arc::clone(email.canonical());
        match InviteState::of(invite, now) {
            InviteState::Open(expires_at) => open
                .entry(canonical)
                .or_insert_with(|| Open { email, invites: Vec::new() })
                .invites
                .push(PendingInvite {
                    id: invite.id.clone(),
                    role: Role::from_wire(&invite.role),
                    expires_at,
                    groups: groups(invite),
                }),
            InviteState::Expired(at) => {
                let entry = history.entry(canonical).or_default();
                entry.expired.push(at);
                entry.lapsed.get_or_insert_with(|| LapsedInvite {
                    at,
                    role: Role::from_wire(&invite.role),
                    groups: groups(invite),
                });
            }
            InviteState::Accepted(at) => {
                let entry = history.entry(canonical).or_default();
                entry.accepted = entry.accepted.max(Some(at));
            }
            InviteState::Over => {}
        }
    }
    for entry in history.values_mut() {
        entry.expired.sort_by(|a, b| b.cmp(a));
        let answered = |lapsed: &LapsedInvite| entry.accepted.is_some_and(|at| at > lapsed.at);
        if entry.lapsed.as_ref().is_some_and(answered) {
            entry.lapsed = None;
        }
    }
    (open, history)
}

fn groups(invite: &wire::Invite) -> Vec<Arc<str>> {
    invite.rbac_group_ids.iter().map(|id| Arc::from(id.as_str())).collect()
}

/// Somebody who is invited and no member yet.
fn invited(Open { email, invites }: Open) -> Option<(Address, Arc<Object>)> {
    let newest = invites.first()?;
    let role =
        invites.iter().skip(1).fold(&newest.role, |most, invite| match invite.role.compare(most) {
            Some(Ordering::Greater) => &invite.role,
            _ => most,
        });
    let address = Address::member(Name::id(&newest.id));
    let object = Object {
        spec: Spec::Member(Member { email, role: Some(role.clone()), groups: Vec::new() }),
        remote: Some(Remote {
            id: newest.id.clone(),
            phase: Phase::Pending,
            facts: Facts::Member(Box::new(MemberFacts {
                pending: invites,
                ..MemberFacts::default()
            })),
        }),
        source: None,
    };
    Some((address, Arc::new(object)))
}

#[cfg(test)]
mod tests {
    use super::{super::objects, *};
    use crate::address::RemoteId;

    const NOW: &str = "2026-11-22T10:00:00Z";

    fn user_of(id: &str, email: &str) -> wire::User {
        wire::User {
            id: RemoteId::new(id),
            email: email.into(),
            name: String::new(),
            role: "developer".into(),
            added_at: None,
        }
    }

    fn invite_of(
        id: &str,
        email: &str,
        status: &str,
        role: &str,
        invited_at: &str,
    ) -> wire::Invite {
        let invited_at: Timestamp = invited_at.parse().unwrap();
        wire::Invite {
            id: RemoteId::new(id),
            email: email.into(),
            role: role.into(),
            status: status.into(),
            invited_at: Some(invited_at),
            expires_at: Some(invited_at + INVITE_LIFE),
            accepted_at: None,
            rbac_group_ids: Vec::new(),
        }
    }

    fn people(users: &[wire::User], invites: &[wire::Invite]) -> People {
        let placed = |user: &wire::User| {
            (Address::member(Name::id(&user.id)), Arc::new(objects::user(user.clone())))
        };
        join(users.iter().map(placed).collect(), invites, NOW.parse().unwrap())
    }

    #[test]
    fn a_member_with_an_open_invite_is_one_person() {
        let people = people(
            &[user_of("user_1", "Ada@acme.com")],
            &[invite_of("invite_1", "ada@ACME.com", "pending", "user", "2026-11-20T00:00:00Z")],
        );
        let [(address, ada)] = people.objects.as_slice() else { panic!("one person") };
        assert_eq!(address.to_string(), "member/user_1");
        assert_eq!(ada.phase(), Some(Phase::Active));
        assert_eq!(ada.member_facts().unwrap().pending.len(), 1);
    }

    #[test]
    fn the_newest_of_two_open_invites_names_the_person_and_the_strongest_role_counts() {
        let people = people(
            &[],
            &[
                invite_of("invite_new", "ada@acme.com", "pending", "user", "2026-11-20T00:00:00Z"),
                invite_of("invite_old", "ADA@acme.com", "pending", "admin", "2026-11-10T00:00:00Z"),
            ],
        );
        let [(address, ada)] = people.objects.as_slice() else { panic!("one person") };
        assert_eq!(address.to_string(), "member/invite_new");
        let Spec::Member(member) = &ada.spec else { panic!("a member") };
        assert_eq!(member.role, Some(Role::Admin));
        let ids: Vec<_> =
            ada.member_facts().unwrap().pending.iter().map(|open| open.id.as_str()).collect();
        assert_eq!(ids, ["invite_new", "invite_old"]);
    }

    #[test]
    fn a_pending_invite_past_its_end_counts_as_expired() {
        let people = people(
            &[],
            &[
                invite_of("invite_1", "ada@acme.com", "pending", "user", "2026-10-01T00:00:00Z"),
                invite_of("invite_2", "ada@acme.com", "expired", "user", "2026-10-02T00:00:00Z"),
            ],
        );
        assert!(people.objects.is_empty());
        let expired = &people.history["ada@acme.com"].expired;
        let days: Vec<_> = expired.iter().map(ToString::to_string).collect();
        assert_eq!(days, ["2026-10-23T00:00:00Z", "2026-10-22T00:00:00Z"]);
    }

    #[test]
    fn an_accepted_invite_is_history_and_a_deleted_or_unknown_one_is_nothing() {
        let mut accepted =
            invite_of("invite_1", "ada@acme.com", "accepted", "user", "2026-01-01T00:00:00Z");
        accepted.accepted_at = Some("2026-01-02T00:00:00Z".parse().unwrap());
        let people = people(
            &[],
            &[
                accepted,
                invite_of("invite_2", "bob@acme.com", "deleted", "user", "2026-11-20T00:00:00Z"),
                invite_of("invite_3", "bob@acme.com", "paused", "user", "2026-11-20T00:00:00Z"),
            ],
        );
        assert!(people.objects.is_empty());
        assert_eq!(people.history.keys().map(|key| &**key).collect::<Vec<_>>(), ["ada@acme.com"]);
        assert_eq!(
            people.history["ada@acme.com"].accepted.unwrap().to_string(),
            "2026-01-02T00:00:00Z"
        );
    }

    #[test]
    fn two_members_with_one_canonical_address_are_both_kept_by_id() {
        let people =
            people(&[user_of("user_1", "ada@acme.com"), user_of("user_2", "ADA@acme.com")], &[]);
        let addresses: Vec<_> =
            people.objects.iter().map(|(address, _)| address.to_string()).collect();
        assert_eq!(addresses, ["member/user_1", "member/user_2"]);
    }
}
