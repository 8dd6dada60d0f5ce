//! What the answers mean, without asking: whether an effect is there, or what else is.
//!
//! Invariant: pure functions; every hit of a fuzzy filter is compared before it counts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::After;
use crate::{
    address::RemoteId,
    api::wire,
    apply::report::Outcome,
    email::Email,
    observe::InviteState,
    plan::Step,
    resource::{KeyStatus, Member, Object, Role, Spec, workspace::WorkspaceFacts},
};

/// How far the server's clock may be behind ours when a workspace is recognized by when it was made.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_mins(10);

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

/// Among all workspaces, the one that was made since the run began.
pub(in crate::apply) fn judge_made<'a>(
    name: &str,
    all: impl IntoIterator<Item = &'a Object>,
    began: Timestamp,
    claimed: &BTreeSet<RemoteId>,
) -> Made {
    let since = began.checked_sub(CLOCK_SLACK).unwrap_or(began);
    let new = |object: &'a Object| {
        let (Spec::Workspace(workspace), Some(remote), Some(facts)) =
            (&object.spec, &object.remote, object.workspace_facts())
        else {
            return None;
        };
        let WorkspaceFacts { created_at, archived_at } = facts;
        let ours = &*workspace.name == name && !claimed.contains(&remote.id);
        // Without a time, an archived one is taken for old.
        let timely = created_at.map_or(archived_at.is_none(), |created| created >= since);
        (ours && timely).then_some((&remote.id, archived_at.is_some()))
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
mod tests {
    use super::*;
    use crate::resource::{Facts, Phase, Remote, Workspace, workspace::Residency};

    fn now() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    fn wanted() -> Member {
        Member { email: Email::parse("ada@acme.com").unwrap(), role: Some(Role::User) }
    }

    fn user(email: &str, role: &str) -> wire::User {
        wire::User {
            id: RemoteId::new("user_1"),
            email: email.into(),
            name: String::new(),
            role: role.into(),
            added_at: None,
        }
    }

    fn invite(email: &str, role: &str, status: &str, expires_at: &str) -> wire::Invite {
        wire::Invite {
            id: RemoteId::new("invite_1"),
            email: email.into(),
            role: role.into(),
            status: status.into(),
            invited_at: None,
            expires_at: Some(expires_at.parse().unwrap()),
            accepted_at: None,
            rbac_group_ids: Vec::new(),
        }
    }

    const LATER: &str = "2026-12-01T00:00:00Z";
    const EARLIER: &str = "2026-11-01T00:00:00Z";

    #[test]
    fn a_hit_of_the_fuzzy_filter_is_not_the_person() {
        let near = [user("ada+x@acme.com", "user"), user("a.da@acme.com", "user")];
        assert_eq!(judge_invite(&wanted(), &near, &[], None, now()), After::Not);
        let open = [invite("a.da@acme.com", "user", "pending", LATER)];
        assert_eq!(judge_invite(&wanted(), &[], &open, None, now()), After::Not);
    }

    #[test]
    fn an_open_invite_with_the_role_is_what_was_wanted_and_a_lapsed_or_accepted_one_is_not() {
        let open = [invite("ADA@acme.com", "user", "pending", LATER)];
        let After::Holds { id: Some(id), note: None } =
            judge_invite(&wanted(), &[], &open, None, now())
        else {
            panic!("holds")
        };
        assert_eq!(id.as_str(), "invite_1");
        for (status, until) in [("pending", EARLIER), ("accepted", LATER), ("expired", EARLIER)] {
            let past = [invite("ada@acme.com", "user", status, until)];
            assert_eq!(judge_invite(&wanted(), &[], &past, None, now()), After::Not, "{status}");
        }
    }

    #[test]
    fn an_address_that_the_api_knows_and_does_not_show_is_left_to_a_person() {
        for code in ["already_member", "invite_already_exists"] {
            let after = judge_invite(&wanted(), &[], &[], Some(code), now());
            let After::Instead(Outcome::Manual { why }) = after else {
                panic!("{code}: {after:?}")
            };
            assert!(why.contains("shows nobody with that address"), "{why}");
        }
    }

    fn workspace(id: &str, created_at: Option<&str>, archived: bool) -> Object {
        let created_at = created_at.map(|at| at.parse().unwrap());
        let archived_at = archived.then(now);
        let facts = Facts::Workspace(WorkspaceFacts { created_at, archived_at });
        Object {
            spec: Spec::Workspace(Workspace {
                name: "New".into(),
                display_color: None,
                tags: None,
                data_residency: Residency::default(),
                external_key_id: None,
                user_profile_id: None,
                is_default: false,
            }),
            remote: Some(Remote { id: RemoteId::new(id), phase: Phase::Active, facts }),
            source: None,
        }
    }

    fn made(all: &[&Object], claimed: &[&str]) -> Made {
        let claimed = claimed.iter().map(|id| RemoteId::new(*id)).collect();
        judge_made("New", all.iter().copied(), now(), &claimed)
    }

    #[test]
    fn a_workspace_is_recognized_by_name_and_age_and_is_given_to_one_step_only() {
        let old = workspace("wrkspc_0", Some("2025-01-01T00:00:00Z"), true);
        let new = workspace("wrkspc_1", Some("2026-11-22T10:00:30Z"), false);
        let other = workspace("wrkspc_2", None, false);
        assert_eq!(made(&[&old], &[]), Made::Not);
        assert_eq!(made(&[&old, &new], &[]), Made::One(RemoteId::new("wrkspc_1")));
        assert_eq!(made(&[&old, &new], &["wrkspc_1"]), Made::Not);
        let gone = workspace("wrkspc_3", Some("2026-11-22T10:00:30Z"), true);
        let Made::Archived(why) = made(&[&gone], &[]) else { panic!("archived") };
        assert!(why.contains("(wrkspc_3) was made and archived"), "{why}");
        assert_eq!(made(&[&gone, &new], &[]), Made::One(RemoteId::new("wrkspc_1")));
        let Made::Several(why) = made(&[&old, &new, &other], &[]) else { panic!("ambiguous") };
        assert!(why.contains("wrkspc_1, wrkspc_2"), "{why}");
    }
}
