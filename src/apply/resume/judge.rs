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
        verify::{Made, fields_hold, judge_made},
    },
    email::Email,
    resource::{Live, Object, Phase, Role, Spec, Verb, WorkspaceMember},
};

/// Looks for the effect of a step; `claimed`: the ids of what other steps made.
pub(super) fn seen(start: &Start, live: &Live, claimed: &BTreeSet<RemoteId>) -> Seen {
    match start.kind() {
        Some(Kind::Member) => person(start, live),
        Some(Kind::Workspace) => workspace(start, live, claimed),
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

fn workspace(start: &Start, live: &Live, claimed: &BTreeSet<RemoteId>) -> Seen {
    let active = by_id(start, live, Kind::Workspace);
    let archived = live.archived.iter().find(|object| has_id(start, object));
    match (start.verb, active, archived) {
        (Verb::Create, ..) => {
            let name = start.fields.get("name").and_then(|name| name.after.as_ref()?.as_str());
            let all = live.objects.iter().map(|(_, object)| &**object);
            let all = all.chain(live.archived.iter().map(|object| &**object));
            match judge_made(name.unwrap_or_default(), all, start.at, claimed) {
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
