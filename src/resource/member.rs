//! A person of the organization: an invite and a user as one, from invite to removal.
//!
//! Invariant: a pending invite is never edited, only withdrawn and made anew; a protected role is never sent.

use std::{collections::BTreeSet, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Calls, Change, Disposition, Fact, FieldChange, Ids, Lookalike, Manual, Object, OrgKind, Phase,
    Resource, Role, Settled, Spec, World, field_fact,
};
use crate::{
    address::{Kind, RemoteId},
    api::call::{Budget, Call, Part, Resend},
    email::Email,
};

/// After this many invites that nobody accepted, charter stops inviting by itself.
const EXPIRED_INVITES_LIMIT: usize = 3;
/// Only invites that expired within this time count towards it.
const EXPIRED_INVITES_DAYS: i64 = 120;

/// A person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Member {
    /// The address: of a wanted person as the files write it, of a live one as the API shows it.
    pub email: Email,
    /// The role; `None` in the files: `unmanaged`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Groups that an invite gives (Enterprise). No file names them: an invite that is sent again keeps those of the
    /// one that lapsed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Arc<str>>,
}

/// What the API says of a live person beyond the role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct MemberFacts {
    /// The display name; empty for somebody invited.
    pub name: Arc<str>,
    /// When the person joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added_at: Option<Timestamp>,
    /// Invites that wait for an answer, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<PendingInvite>,
}

/// An invite that waits for an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PendingInvite {
    /// Its id.
    pub id: RemoteId,
    /// The role it will give.
    pub role: Role,
    /// When it lapses.
    pub expires_at: Timestamp,
    /// Groups that it will give (Enterprise).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Arc<str>>,
}

impl Resource for Member {
    fn title(&self) -> String {
        self.email.as_written().to_owned()
    }

    fn fields(&self) -> Vec<(String, Value)> {
        // The address is how a person is found; the API cannot change it, so it is no field.
        let Member { email: _, role, groups: _ } = self;
        role.iter().map(|role| ("role".to_owned(), Value::from(role.as_str()))).collect()
    }

    fn adopt(&mut self, live: &Spec) {
        if let (None, Spec::Member(live)) = (&self.role, live) {
            self.role.clone_from(&live.role);
        }
    }

    fn born(&self) -> Phase {
        Phase::Pending
    }

    fn replaced_by(&self, before: &Object, _fields: &[FieldChange]) -> bool {
        before.phase() == Some(Phase::Pending)
    }

    fn settle(&self, change: &Change, world: &World<'_>) -> Settled {
        match change {
            Change::Create { .. } => self.settle_invite(world, true),
            Change::Replace { before, .. } => match self.keeps_groups(before) {
                Some(manual) => manual,
                None => self.settle_invite(world, false),
            },
            Change::Update { before, .. } => self.settle_role(before, world),
            Change::Remove { before } => self.settle_removal(before),
        }
    }

    fn rests_on(&self, change: &Change, _world: &World<'_>) -> Vec<Fact> {
        match change.before() {
            None => vec![Fact::Nobody { email: self.email.canonical().to_string() }],
            Some(before) => field_fact(Kind::Member, before, "role").into_iter().collect(),
        }
    }

    fn likeness(&self) -> Option<String> {
        Some(fold(self.email.local()))
    }

    fn resembles(&self, other: &Lookalike<'_>) -> Option<Disposition> {
        let Spec::Member(live) = &other.object.spec else { return None };
        let (own, theirs) = (&self.email, &live.email);
        if own == theirs {
            return None;
        }
        if other.goes {
            return Some(Disposition::Held {
                why: format!(
                    "`{own}` is invited while `{theirs}` is removed: the same person? add `previously: [{theirs}]` to \
                     the entry, or `previously: []` if not"
                ),
            });
        }
        // The API may take a variant for the same address, and refuse the invite in every run.
        let has = match other.object.phase()? {
            Phase::Active => "a member",
            Phase::Pending => "somebody invited",
        };
        (own.domain() == theirs.domain()).then(|| Disposition::Manual {
            why: format!(
                "`{own}` differs from the address of {has} only in case, dots or a plus-tag: `{theirs}`; write that \
                 address in the files, or `previously: []` if this is somebody else"
            ),
        })
    }

    fn create(&self, _ids: &Ids<'_>) -> Calls {
        let Some(role) = &self.role else {
            return Err(Manual::new("no role is given to invite with"));
        };
        let mut body = vec![
            ("email", Part::text(self.email.as_written())),
            ("role", Part::text(role.as_str())),
        ];
        if !self.groups.is_empty() {
            let groups = self.groups.iter().map(|group| Value::from(&**group)).collect();
            body.push(("rbac_group_ids", Part::Text(groups)));
        }
        let call = Call::post([Part::text("invites")], body, Resend::LookFirst);
        Ok(vec![call.budget(Budget::Invites)])
    }

    fn update(&self, before: &Object, fields: &[FieldChange], ids: &Ids<'_>) -> Calls {
        let Some(remote) = &before.remote else {
            return Err(Manual::new("the person is not live"));
        };
        match remote.phase {
            Phase::Pending => {
                let mut calls = self.remove(before, ids)?;
                calls.extend(self.create(ids)?);
                Ok(calls)
            }
            Phase::Active => {
                let Some(role) = fields.iter().find(|change| change.field == "role") else {
                    return Ok(Vec::new());
                };
                let path = [Part::text("users"), Part::from(&remote.id)];
                let body = [("role", Part::Text(role.after.clone()))];
                Ok(vec![Call::post(path, body, Resend::Safe)])
            }
        }
    }

    fn remove(&self, before: &Object, _ids: &Ids<'_>) -> Calls {
        let Some(remote) = &before.remote else { return Ok(Vec::new()) };
        let mut calls = Vec::new();
        if remote.phase == Phase::Active {
            calls.push(Call::delete([Part::text("users"), Part::from(&remote.id)]));
        }
        // Somebody can be a member and still hold an open invite: left open, it would let them back in.
        for invite in
            before.member_facts().map(|facts| facts.pending.as_slice()).unwrap_or_default()
        {
            calls.push(Call::delete([Part::text("invites"), Part::from(&invite.id)]));
        }
        Ok(calls)
    }
}

impl Member {
    fn settle_invite(&self, world: &World<'_>, fresh: bool) -> Settled {
        let Some(role) = &self.role else {
            return Settled::manual(format!(
                "nobody with the address `{}` is in the organization, and `unmanaged` gives no role to invite \
                 with: write the role",
                self.email
            ));
        };
        if !role.assignable(world.kind) {
            return Settled::manual(format!(
                "the API cannot invite with the role `{role}`: invite `{}` in the Console under Settings > \
                 Members, or write a role that can be given and raise it there afterwards",
                self.email
            ));
        }
        let unanswered = world.history.get(self.email.canonical()).map_or(0, |history| {
            let horizon = world.now - SignedDuration::from_hours(24 * EXPIRED_INVITES_DAYS);
            let floor = history.accepted.map_or(horizon, |accepted| accepted.max(horizon));
            history.expired.iter().filter(|expired| **expired > floor).count()
        });
        if fresh && unanswered >= EXPIRED_INVITES_LIMIT {
            return Settled::manual(format!(
                "{unanswered} invites to `{}` expired unanswered within {EXPIRED_INVITES_DAYS} days: check the \
                 address with the person and invite them in the Console, or remove the entry",
                self.email
            ));
        }
        self.settle_groups(role, world).unwrap_or(Settled::READY)
    }

    /// Why an invite that would carry the groups of a lapsed one is left to a person; `None`: charter sends it.
    fn settle_groups(&self, role: &Role, world: &World<'_>) -> Option<Settled> {
        if self.groups.is_empty() {
            return None;
        }
        let lapsed = world.history.get(self.email.canonical())?.lapsed.as_ref()?;
        let horizon = world.now - SignedDuration::from_hours(24 * EXPIRED_INVITES_DAYS);
        let (email, groups, old) = (&self.email, group_list(&self.groups), &lapsed.role);
        let why = if old != role {
            format!(
                "the invite to `{email}` that lapsed gave the role `{old}` and {groups}, and charter cannot tell \
                 whether these go with `{role}`: invite them in the Console under Settings > Members"
            )
        } else if lapsed.at <= horizon {
            format!(
                "the last invite to `{email}` lapsed more than {EXPIRED_INVITES_DAYS} days ago and gave {groups}, \
                 which charter does not renew after so long: invite them in the Console under Settings > Members"
            )
        } else if world.kind != OrgKind::Enterprise {
            format!(
                "the invite to `{email}` that lapsed gave {groups}, which only an Enterprise organization has: check \
                 `organization.kind`, or invite them in the Console under Settings > Members"
            )
        } else {
            return None;
        };
        Some(Settled::manual(why))
    }

    /// An open invite that gives groups cannot become one with another role without losing what a person chose.
    fn keeps_groups(&self, before: &Object) -> Option<Settled> {
        let open = before.member_facts().map(|facts| facts.pending.as_slice()).unwrap_or_default();
        let groups: BTreeSet<&Arc<str>> = open.iter().flat_map(|invite| &invite.groups).collect();
        if groups.is_empty() {
            return None;
        }
        let groups = group_list(groups);
        let (email, role) = (&self.email, self.role.as_ref()?);
        Some(Settled::manual(format!(
            "the open invite to `{email}` gives {groups}, and an invite cannot be edited: withdraw it in the Console \
             under Settings > Members and invite again as `{role}` with the groups that go with it, or write the \
             role of the open invite"
        )))
    }

    fn settle_role(&self, before: &Object, world: &World<'_>) -> Settled {
        let Spec::Member(Member { role: Some(live), .. }) = &before.spec else {
            return Settled::READY;
        };
        let Some(wanted) = &self.role else { return Settled::Satisfied };
        if live.protected() {
            return Settled::manual(format!(
                "the API cannot take the role `{live}`: set `{}` to `{wanted}` in the Console under Settings > \
                 Members",
                self.email
            ));
        }
        if !wanted.assignable(world.kind) {
            return Settled::manual(format!(
                "the API cannot give the role `{wanted}`: set `{}` to `{wanted}` in the Console under \
                 Settings > Members",
                self.email
            ));
        }
        if let Role::Other(unknown) = live {
            return Settled::manual(format!(
                "`{}` has the role `{unknown}`, which charter does not know and never rewrites: change it in the \
                 Console, or write `unmanaged`",
                self.email
            ));
        }
        Settled::READY
    }

    fn settle_removal(&self, before: &Object) -> Settled {
        match (&self.role, before.phase()) {
            (Some(role), Some(Phase::Active)) if role.protected() => Settled::manual(format!(
                "the API cannot remove somebody with the role `{role}`: remove `{}` in the Console under \
                 Settings > Members",
                self.email
            )),
            _ => Settled::READY,
        }
    }
}

/// Groups in a sentence.
pub(crate) fn group_list(groups: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let groups: Vec<String> =
        groups.into_iter().map(|group| format!("`{}`", group.as_ref())).collect();
    let noun = if groups.len() == 1 { "the group" } else { "the groups" };
    format!("{noun} {}", groups.join(", "))
}

/// The part before the `@` without case, dots and plus-tag, to notice two spellings of one mailbox.
fn fold(local: &str) -> String {
    let folded = local.split('+').next().unwrap_or_default().replace('.', "").to_lowercase();
    // An address of a tag only must not resemble every other such address.
    if folded.is_empty() { local.to_owned() } else { folded }
}
