//! Whether the effect of a step is there, by what its journal says it was to do.
//!
//! Invariant: pure; what is there in another way than the step wanted is never called there.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Seen;
use crate::{
    address::{Kind, RemoteId},
    apply::{
        journal::{EMAIL, Start},
        verify::{Made, Since, fields_hold, judge_made},
    },
    email::Email,
    resource::{Live, Object, Phase, Role, Spec, Verb, WorkspaceMember},
};

/// Looks for the effect of a step. `made`: the id of what it made, if the API had told it; `claimed`: those of what other
/// steps made; `since`: when it began.
pub(super) fn seen(
    start: &Start,
    made: Option<&RemoteId>,
    live: &Live,
    claimed: &BTreeSet<RemoteId>,
    since: Since,
) -> Seen {
    match start.kind() {
        Some(Kind::Member) => person(start, live),
        Some(Kind::Workspace) => match made.filter(|_| start.verb == Verb::Create) {
            Some(id) => made_workspace(id, live),
            None => workspace(start, live, claimed, since),
        },
        Some(Kind::WorkspaceMember) => grant(start, live),
        Some(Kind::ApiKey) => match by_id(start, live, Kind::ApiKey) {
            Some(key) => when(as_wanted(start, key)),
            None => Seen::Otherwise("no key has its id any more".to_owned()),
        },
        None => Seen::Otherwise("charter knows no such kind".to_owned()),
    }
}

const THERE: Seen = Seen::There { id: None };

fn when(there: bool) -> Seen {
    if there { THERE } else { Seen::Not }
}

fn person(start: &Start, live: &Live) -> Seen {
    if start.verb == Verb::Update {
        return match by_id(start, live, Kind::Member) {
            Some(member) => when(as_wanted(start, member)),
            None => Seen::Otherwise("this person is no longer a member".to_owned()),
        };
    }
    let Some(email) =
        start.fields.get(EMAIL).and_then(|it| it.after.as_ref().or(it.before.as_ref()))
    else {
        return Seen::Otherwise("the journal does not tell whose it is".to_owned());
    };
    let email = Email::lenient(email.as_str().unwrap_or_default());
    let is_them = |object: &&Object| matches!(&object.spec, Spec::Member(m) if m.email == email);
    let them = live.objects.iter().map(|(_, object)| &**object).find(is_them);
    let is_theirs = |id: &RemoteId| start.id.as_ref() == Some(id);
    let Some((them, remote)) = them.and_then(|them| Some((them, them.remote.as_ref()?))) else {
        return match start.verb {
            Verb::Remove => THERE,
            Verb::Replace => {
                Seen::Otherwise("the invite was withdrawn, and there is no new one".to_owned())
            }
            Verb::Create | Verb::Update => Seen::Not,
        };
    };
    let open = || them.member_facts().map(|facts| facts.pending.as_slice()).unwrap_or_default();
    match (start.verb, remote.phase) {
        // Whoever has the same address under another id came later.
        (Verb::Remove, Phase::Active) => when(!is_theirs(&remote.id)),
        (Verb::Remove, Phase::Pending) if open().iter().any(|invite| is_theirs(&invite.id)) => {
            Seen::Not
        }
        (Verb::Remove, Phase::Pending) => {
            Seen::Otherwise("there is still an open invite to this address".to_owned())
        }
        (_, Phase::Active) if as_wanted(start, them) => THERE,
        (_, Phase::Active) => Seen::Otherwise(format!("is a member, as `{}`", role(them))),
        (_, Phase::Pending) => {
            let wanted = start.fields.get("role").and_then(|role| role.after.as_ref());
            let new = open().iter().find(|invite| {
                !is_theirs(&invite.id) && wanted == Some(&Value::from(invite.role.as_str()))
            });
            match new {
                Some(invite) => Seen::There { id: Some(invite.id.clone()) },
                None if open().iter().any(|invite| is_theirs(&invite.id)) => Seen::Not,
                None => Seen::Otherwise(format!("is invited, as `{}`", role(them))),
            }
        }
    }
}

/// What there is of a workspace whose id is known: it is never made again, also if it is not listed yet.
fn made_workspace(id: &RemoteId, live: &Live) -> Seen {
    let is = |object: &Object| object.remote.as_ref().is_some_and(|remote| remote.id == *id);
    if live.objects.iter().any(|(_, object)| is(object)) {
        Seen::There { id: Some(id.clone()) }
    } else if live.archived.iter().any(|object| is(object)) {
        Seen::Otherwise(format!("it was made ({id}) and archived meanwhile"))
    } else {
        Seen::Otherwise(format!(
            "the API made it ({id}) and does not list it yet: wait a minute, and look at it in the Console"
        ))
    }
}

fn workspace(start: &Start, live: &Live, claimed: &BTreeSet<RemoteId>, since: Since) -> Seen {
    let active = by_id(start, live, Kind::Workspace);
    let archived = live.archived.iter().find(|object| has_id(start, object));
    match (start.verb, active, archived) {
        (Verb::Create, ..) => {
            let name = start.fields.get("name").and_then(|name| name.after.as_ref()?.as_str());
            let all = live.objects.iter().map(|(_, object)| &**object);
            let all = all.chain(live.archived.iter().map(|object| &**object));
            match judge_made(name.unwrap_or_default(), all, since, None, claimed) {
                Made::Not => Seen::Not,
                Made::One(id) => Seen::There { id: Some(id) },
                Made::Archived(why) | Made::Several(why) => Seen::Otherwise(why),
            }
        }
        (Verb::Remove, _, Some(_)) => THERE,
        (Verb::Remove, Some(_), None) => Seen::Not,
        (Verb::Update | Verb::Replace, Some(live), _) => when(as_wanted(start, live)),
        (_, None, Some(_)) => Seen::Otherwise("it was archived meanwhile".to_owned()),
        (_, None, None) => Seen::Otherwise("no workspace has its id".to_owned()),
    }
}

fn grant(start: &Start, live: &Live) -> Seen {
    match (start.verb, by_id(start, live, Kind::WorkspaceMember)) {
        (Verb::Remove, row) => when(row.is_none()),
        (_, Some(row)) if as_wanted(start, row) => THERE,
        (Verb::Create, Some(row)) => Seen::Otherwise(format!("has the role `{}` there", role(row))),
        (Verb::Update | Verb::Replace, Some(_)) | (Verb::Create, None) => Seen::Not,
        (Verb::Update | Verb::Replace, None) => {
            Seen::Otherwise("there is no grant any more".to_owned())
        }
    }
}

/// The live object that a step works on.
fn by_id<'l>(start: &Start, live: &'l Live, kind: Kind) -> Option<&'l Object> {
    let mut objects = live.objects.iter().filter(|(address, _)| address.kind == kind);
    objects.find(|(_, object)| has_id(start, object)).map(|(_, object)| &**object)
}

fn has_id(start: &Start, object: &Object) -> bool {
    object.remote.as_ref().is_some_and(|remote| start.id.as_ref() == Some(&remote.id))
}

/// Whether every field is as the step was to leave it.
fn as_wanted(start: &Start, live: &Object) -> bool {
    let fields = start.fields.iter().filter(|(field, _)| *field != EMAIL);
    let wanted =
        fields.map(|(field, value)| (field.as_str(), value.after.as_ref().unwrap_or(&Value::Null)));
    fields_hold(wanted, live)
}

fn role(object: &Object) -> String {
    match &object.spec {
        Spec::Member(member) => member.role.as_ref().map_or("?", Role::as_str).to_owned(),
        Spec::WorkspaceMember(WorkspaceMember { role, .. }) => role.to_string(),
        Spec::Workspace(_) | Spec::ApiKey(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use super::*;
    use crate::{
        address::{Address, Name},
        apply::journal::Values,
        resource::{Facts, Member, Remote, member::MemberFacts, member::PendingInvite},
    };

    /// A person of one role, with these open invites.
    fn live(role: Role, phase: Phase, invites: &[(&str, Role)]) -> Live {
        let pending = invites
            .iter()
            .map(|(id, role)| PendingInvite {
                id: RemoteId::new(*id),
                role: role.clone(),
                expires_at: "2026-12-01T00:00:00Z".parse().unwrap(),
                groups: Vec::new(),
            })
            .collect();
        let facts = Facts::Member(Box::new(MemberFacts { pending, ..MemberFacts::default() }));
        let email = Email::lenient("ada@acme.com");
        let spec = Member { email, role: Some(role), groups: Vec::new() };
        let remote = Remote { id: RemoteId::new("theirs"), phase, facts };
        let object = Object { spec: Spec::Member(spec), remote: Some(remote), source: None };
        let address = Address::member(Name::label("ada@acme.com"));
        Live {
            organization: "org-1".into(),
            organization_name: None,
            objects: vec![(address, Arc::new(object))],
            archived: Vec::new(),
            history: BTreeMap::new(),
            coverage: crate::resource::snapshot::Coverage::default(),
        }
    }

    /// What is seen of a step that was to withdraw `old`, or to invite as `developer` in its place.
    fn of(verb: Verb, live: &Live) -> Seen {
        let value = |before: &str, after: &str| Values {
            before: Some(before.into()),
            after: (verb != Verb::Remove).then(|| after.into()),
        };
        let start = Start {
            at: "2026-11-22T10:00:00Z".parse().unwrap(),
            step: 0,
            address: "member/ada@acme.com".to_owned(),
            verb,
            id: Some(RemoteId::new("old")),
            fields: BTreeMap::from([
                (EMAIL.to_owned(), value("ada@acme.com", "ada@acme.com")),
                ("role".to_owned(), value("user", "developer")),
            ]),
            calls: Vec::new(),
        };
        seen(&start, None, live, &BTreeSet::new(), Since::ours(start.at, None))
    }

    #[test]
    fn an_invite_is_replaced_once_a_new_one_with_the_role_is_open() {
        let there = |id: &str| Seen::There { id: Some(RemoteId::new(id)) };
        let invited = |invites: &[(&str, Role)]| {
            of(Verb::Replace, &live(Role::User, Phase::Pending, invites))
        };
        assert_eq!(invited(&[("old", Role::User)]), Seen::Not);
        assert_eq!(invited(&[("old", Role::Developer)]), Seen::Not);
        assert_eq!(invited(&[("old", Role::User), ("new", Role::Developer)]), there("new"));
        let other = Seen::Otherwise("is invited, as `user`".to_owned());
        assert_eq!(invited(&[("new", Role::User)]), other);
        let joined = |role: Role| of(Verb::Replace, &live(role, Phase::Active, &[]));
        assert_eq!(joined(Role::Developer), THERE);
        assert_eq!(joined(Role::User), Seen::Otherwise("is a member, as `user`".to_owned()));
    }

    #[test]
    fn an_invite_is_withdrawn_once_it_is_not_open_and_no_other_is() {
        let left =
            |invites: &[(&str, Role)]| of(Verb::Remove, &live(Role::User, Phase::Pending, invites));
        assert_eq!(left(&[("old", Role::User)]), Seen::Not);
        assert!(matches!(left(&[("new", Role::User)]), Seen::Otherwise(_)));
        let nobody = Live { objects: Vec::new(), ..live(Role::User, Phase::Pending, &[]) };
        assert_eq!(of(Verb::Remove, &nobody), THERE);
    }
}
