//! What the answers mean, without asking: whether an effect is there, or what else is.
//!
//! Invariant: pure functions; every hit of a fuzzy filter is compared before it counts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::After;
use crate::{
    address::RemoteId,
    api::{error::ApiError, wire},
    apply::report::Outcome,
    email::Email,
    observe::InviteState,
    plan::Step,
    resource::{
        KeyStatus, Member, Object, Role, Spec, member::group_list, workspace::WorkspaceFacts,
    },
};

/// How far the server's clock may be behind ours, where no answer told its time.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_mins(10);
/// How far two clocks of the server may be apart: the one of `Date`, and the one that writes `created_at`.
const SERVER_SLACK: SignedDuration = SignedDuration::from_mins(1);

/// From when on something counts as made by a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::apply) struct Since(Timestamp);

impl Since {
    /// From a time that the server told.
    pub(in crate::apply) fn theirs(date: Timestamp) -> Self {
        Self(date.checked_sub(SERVER_SLACK).unwrap_or(date))
    }

    /// From a time of this machine, whose clock is `ahead` of the server's; `None`: nobody knows how far.
    pub(in crate::apply) fn ours(at: Timestamp, ahead: Option<SignedDuration>) -> Self {
        match ahead {
            Some(ahead) => Self::theirs(at.checked_sub(ahead).unwrap_or(at)),
            None => Self(at.checked_sub(CLOCK_SLACK).unwrap_or(at)),
        }
    }

    /// Whether something that was made then is the run's.
    pub(in crate::apply) fn includes(self, made: Timestamp) -> bool {
        made >= self.0
    }
}

/// Judges the answers. The API's filter by address is fuzzy, so each hit is compared.
pub(super) fn judge_invite(
    wanted: &Member,
    users: &[wire::User],
    invites: &[wire::Invite],
    code: Option<&str>,
    now: Timestamp,
) -> After {
    let is_them = |email: &str| Email::lenient(email) == wanted.email;
    let title = &wanted.email;
    let as_wanted = |role: &str| wanted.role.as_ref().is_some_and(|want| want.as_str() == role);
    if let Some(user) = users.iter().find(|user| is_them(&user.email)) {
        if as_wanted(&user.role) {
            return After::noted("is a member already");
        }
        return After::changed(format!(
            "`{title}` is a member meanwhile, with the role `{}`; the next run sets it",
            Role::from_wire(&user.role)
        ));
    }
    let open = |invite: &&wire::Invite| {
        is_them(&invite.email) && matches!(InviteState::of(invite, now), InviteState::Open(_))
    };
    if let Some(invite) = invites.iter().filter(open).find(|invite| as_wanted(&invite.role)) {
        return After::Holds { id: Some(invite.id.clone()), note: None };
    }
    if let Some(invite) = invites.iter().find(open) {
        return After::changed(format!(
            "`{title}` was invited meanwhile, with the role `{}`; the next run replaces the invite",
            Role::from_wire(&invite.role)
        ));
    }
    let lapsed = invites.iter().any(|invite| is_them(&invite.email) && invite.status == "pending");
    let variant = match code {
        Some("already_member") => users.first().map(|user| &user.email),
        Some("invite_already_exists") if lapsed => {
            return After::Instead(Outcome::Waiting {
                why: format!(
                    "the API still counts a lapsed invite to `{title}` as open; the next run invites"
                ),
            });
        }
        Some("invite_already_exists") => {
            invites.iter().find(|invite| invite.status == "pending").map(|invite| &invite.email)
        }
        _ => return After::Not,
    };
    let has = if code == Some("already_member") { "a member" } else { "somebody invited" };
    After::Instead(Outcome::Manual {
        why: match variant {
            Some(variant) => format!(
                "the API takes `{title}` for {has} whose address differs only in case, dots or a plus-tag: `{}`; write \
                 that address in the files, or `previously` if it changed",
                Email::lenient(variant)
            ),
            None => format!(
                "the API takes `{title}` for {has}, but shows nobody with that address: look in the Console under \
                 Settings > Members, and write the address shown there in the files"
            ),
        },
    })
}

/// Why an invite with groups was refused on account of them: without them it would not be the invite that was planned.
pub(super) fn refused_groups(wanted: &Member, refusal: &ApiError) -> Option<Outcome> {
    if wanted.groups.is_empty() {
        return None;
    }
    let cause = match (refusal.code(), refusal.status()) {
        (Some("rbac_group_grants_owner_access"), _) => "one of them gives owner rights",
        (Some("rbac_group_owner_access_unconfirmed"), _) => {
            "the API could not check whether one of them gives owner rights"
        }
        (None, Some(403)) => "the credential may lack the scope `write:rbac_groups`",
        _ => return None,
    };
    let Member { email, role: _, groups } = wanted;
    Some(Outcome::Manual {
        why: format!(
            "the API refuses to invite `{email}` with {} of the invite that lapsed ({cause}), and without them they \
             would be lost: invite them in the Console under Settings > Members",
            group_list(groups)
        ),
    })
}

/// Whether a workspace was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::apply) enum Made {
    /// None was.
    Not,
    /// This one.
    One(RemoteId),
    /// One was, and is archived by now: in words.
    Archived(String),
    /// More than one was: in words.
    Several(String),
}

/// Among all workspaces, the one that was made since the run began. `known`: every active one that was listed before the
/// call; where that is known, no clock has to tell which active one is new.
pub(in crate::apply) fn judge_made<'a>(
    name: &str,
    all: impl IntoIterator<Item = &'a Object>,
    since: Since,
    known: Option<&BTreeSet<RemoteId>>,
    claimed: &BTreeSet<RemoteId>,
) -> Made {
    let new = |object: &'a Object| {
        let (Spec::Workspace(workspace), Some(remote), Some(facts)) =
            (&object.spec, &object.remote, object.workspace_facts())
        else {
            return None;
        };
        let WorkspaceFacts { created_at, archived_at } = facts;
        let ours = &*workspace.name == name && !claimed.contains(&remote.id);
        let archived = archived_at.is_some();
        let timely = match known {
            Some(known) if known.contains(&remote.id) => false,
            Some(_) if !archived => true,
            // Without a time, an archived one is taken for old.
            _ => created_at.map_or(!archived, |created| since.includes(created)),
        };
        (ours && timely).then_some((&remote.id, archived))
    };
    let new: Vec<(&RemoteId, bool)> = all.into_iter().filter_map(new).collect();
    let active: Vec<&str> =
        new.iter().filter(|(_, archived)| !archived).map(|(id, _)| id.as_str()).collect();
    match (active.as_slice(), new.first()) {
        ([], None) => Made::Not,
        ([], Some((id, _))) => Made::Archived(format!(
            "`{name}` ({id}) was made and archived meanwhile; the next run makes it anew"
        )),
        ([id], _) => Made::One(RemoteId::new(*id)),
        (several, _) => Made::Several(format!(
            "several workspaces named `{name}` were made just now ({}): archive all but one in the Console, and \
             write its id in the files",
            several.join(", ")
        )),
    }
}

/// What a live object's fields are, by name. A key's workspace is left out: it cannot change, and one read of the
/// key does not tell its name.
fn fields(object: &Object) -> BTreeMap<String, Value> {
    let mut fields: BTreeMap<String, Value> = object.spec.resource().fields().into_iter().collect();
    if matches!(object.spec, Spec::ApiKey(_)) {
        fields.remove("workspace");
    }
    fields
}

/// Whether every field that the step sets is as it wants, and, for what it makes, every field it names.
pub(super) fn wanted_fields_hold(step: &Step, live: &Object) -> bool {
    match step.change.before() {
        Some(_) => {
            let changes = step.change.fields().iter();
            fields_hold(changes.map(|change| (change.field.as_str(), &change.after)), live)
        }
        None => {
            let wanted = fields(step.change.object());
            fields_hold(wanted.iter().map(|(field, value)| (field.as_str(), value)), live)
        }
    }
}

/// Whether fields are as they should be; null is a field that is not there.
pub(in crate::apply) fn fields_hold<'a>(
    wanted: impl Iterator<Item = (&'a str, &'a Value)> + Clone,
    live: &Object,
) -> bool {
    let now = fields(live);
    let is = |field: &str, wanted: &Value| now.get(field).unwrap_or(&Value::Null) == wanted;
    let is_key = matches!(live.spec, Spec::ApiKey(_));
    let off = is_key
        && wanted.clone().any(|(field, after)| {
            field == "status" && after.as_str() != Some(KeyStatus::Active.as_str())
        });
    // A key that is archived is over: no plan asks for its name any more. It may be this very run that archived it,
    // by removing its person.
    if off && is("status", &KeyStatus::Archived.as_str().into()) {
        return true;
    }
    wanted.into_iter().all(|(field, after)| {
        is(field, after)
            // What has expired or is archived does not work any more, which is what was wanted.
            || (is_key
                && field == "status"
                && after.as_str() == Some(KeyStatus::Inactive.as_str())
                && [KeyStatus::Expired, KeyStatus::Archived]
                    .iter()
                    .any(|status| is("status", &status.as_str().into())))
    })
}

/// How a live object differs from what the plan saw.
pub(super) fn difference(planned: &Object, now: &Object) -> Option<String> {
    let (then, now) = (fields(planned), fields(now));
    let names: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    let title = planned.spec.resource().title();
    names.into_iter().find_map(|name| {
        let (then, now) = (then.get(name), now.get(name));
        let show = |value: Option<&Value>| match value {
            Some(Value::String(text)) => format!("`{text}`"),
            Some(other) => format!("`{other}`"),
            None => "absent".to_owned(),
        };
        (then != now).then(|| {
            format!(
                "`{title}` changed meanwhile: {name} is {}, and was {} when the plan was made",
                show(now),
                show(then)
            )
        })
    })
}

pub(super) fn protected(live: &Object) -> Option<Role> {
    match &live.spec {
        Spec::Member(Member { role: Some(role), .. }) if role.protected() => Some(role.clone()),
        _ => None,
    }
}

pub(super) fn by_hand(title: &str, role: &Role) -> Outcome {
    Outcome::Manual {
        why: format!(
            "`{title}` has become `{role}`, which the API neither changes nor removes: do it in the Console under \
             Settings > Members"
        ),
    }
}

#[cfg(test)]
mod tests;
