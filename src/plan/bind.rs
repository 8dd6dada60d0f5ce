//! Gives every live object its address: that of the entry that means it, else one made from the object itself.
//!
//! Invariant: binding changes no live object, and no object is lost or bound twice.

mod keys;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use super::alike::similar_names;
use crate::{
    address::{Address, Kind, Name, RemoteId},
    diagnostic::Diagnostic,
    resource::{
        Desired, Disposition, Live, Object, Snapshot, Spec,
        matching::{ByName, Candidate, Found, Target, match_all},
    },
};

/// The live organization in the words of the files.
#[derive(Clone, Debug, Default)]
pub struct Bound {
    /// Live objects by address.
    pub live: Snapshot,
    /// Entries that cannot be carried out, given live: ambiguous, missing or archived.
    pub blocked: BTreeMap<Address, Disposition>,
    /// People that an entry may mean and nothing tells apart: never removed by guesswork.
    pub ambiguous: BTreeSet<RemoteId>,
    /// What else is worth saying.
    pub notes: Vec<Diagnostic>,
}

/// Binds.
pub fn bind(desired: &Desired, live: &Live) -> Bound {
    let mut bound = Bound::default();
    let of_kind = |kind: Kind| -> Vec<&Arc<Object>> {
        live.objects
            .iter()
            .filter(|(address, _)| address.kind == kind)
            .map(|(_, object)| object)
            .collect()
    };

    let workspaces = bind_workspaces(desired, live, &of_kind(Kind::Workspace), &mut bound);
    let members = bind_members(desired, &of_kind(Kind::Member), &mut bound);
    let name_of = |kind: Kind, name: &Name| -> Name {
        let names = match kind {
            Kind::Member => &members,
            Kind::Workspace => &workspaces,
            Kind::WorkspaceMember | Kind::ApiKey => return name.clone(),
        };
        names.get(name.as_str()).unwrap_or(name).clone()
    };
    let rebound = |object: &Arc<Object>| -> Arc<Object> {
        let mut object = Object::clone(object);
        object.spec.resource_mut().rebind(&name_of);
        Arc::new(object)
    };

    let mut pairs: Vec<(Address, Arc<Object>)> = Vec::with_capacity(live.objects.len());
    for (address, object) in &live.objects {
        match address.kind {
            Kind::Workspace | Kind::Member => {
                let name = name_of(address.kind, &address.name);
                pairs.push((Address { name, ..address.clone() }, Arc::clone(object)));
            }
            Kind::WorkspaceMember => {
                let object = rebound(object);
                if let Spec::WorkspaceMember(grant) = &object.spec {
                    let (workspace, member) = (grant.workspace.clone(), grant.member.clone());
                    pairs.push((Address::workspace_member(workspace, member), object));
                }
            }
            Kind::ApiKey => {}
        }
    }
    let keys: Vec<Arc<Object>> = of_kind(Kind::ApiKey).into_iter().map(rebound).collect();
    pairs.extend(keys::bind_keys(desired, keys, &mut bound));

    let (snapshot, duplicates) = Snapshot::collect(pairs);
    for duplicate in duplicates {
        bound.notes.push(Diagnostic::warning(
            "live/duplicate",
            format!("the API lists {} twice; only the first is looked at", duplicate.address),
        ));
    }
    bound.notes.extend(similar_names(live));
    bound.live = snapshot;
    bound
}

/// Names of live workspaces by id.
fn bind_workspaces(
    desired: &Desired,
    live: &Live,
    objects: &[&Arc<Object>],
    bound: &mut Bound,
) -> HashMap<Arc<str>, Name> {
    let mut names = HashMap::new();
    let is_default = |object: &Object| matches!(&object.spec, Spec::Workspace(w) if w.is_default);
    let (default, ordinary): (Vec<&Arc<Object>>, Vec<&Arc<Object>>) =
        objects.iter().copied().partition(|o| is_default(o));

    let entries: Vec<(&Name, Target, bool)> = desired.workspace_targets().collect();
    let candidates: Vec<Candidate<'_>> = ordinary.iter().filter_map(|o| candidate(o)).collect();
    let targets: Vec<Target> = entries.iter().map(|(_, target, _)| target.clone()).collect();
    for ((name, target, _), found) in entries.iter().zip(match_all(&targets, &candidates)) {
        let address = Address::workspace((*name).clone());
        match found {
            Found::One(index) => {
                names.insert(candidates[index].id.0.clone(), (*name).clone());
            }
            Found::Many(indices) => {
                let ids: Vec<&RemoteId> = indices.iter().map(|&i| candidates[i].id).collect();
                let names: BTreeSet<String> =
                    indices.iter().map(|&i| format!("`{}`", candidates[i].name)).collect();
                let names: Vec<String> = names.into_iter().collect();
                let why = format!(
                    "several active workspaces are named {}: add `id:` with the one meant ({})",
                    names.join(" or "),
                    list(&ids)
                );
                bound.blocked.insert(address, Disposition::Manual { why });
            }
            Found::Nothing => missing_workspace(desired, live, &address, target, bound),
        }
    }

    for object in default {
        let wanted = desired.objects.of(Kind::Workspace).find(|(_, wanted)| is_default(wanted));
        if let (Some((address, _)), Some(remote)) = (wanted, &object.remote) {
            names.insert(remote.id.0.clone(), address.name.clone());
        }
    }
    names
}

fn missing_workspace(
    desired: &Desired,
    live: &Live,
    address: &Address,
    target: &Target,
    bound: &mut Bound,
) {
    if !live.coverage.workspaces {
        return;
    }
    let has_name = |object: &Arc<Object>, name: &Arc<str>| matches!(&object.spec, Spec::Workspace(spec) if spec.name == *name);
    let archived = match &target.id {
        Some(id) => live
            .archived
            .iter()
            .find(|object| object.remote.as_ref().is_some_and(|remote| remote.id == *id)),
        None => std::iter::once(&target.name)
            .chain(&target.previously)
            .find_map(|name| live.archived.iter().find(|object| has_name(object, name))),
    };
    let gone = desired.gone.get(address);
    match (&target.id, archived, gone) {
        (Some(id), None, Some(gone)) => {
            let mut note = Diagnostic::warning(
                "live/unknown-id",
                format!("no workspace has the id `{id}`, so there is nothing to archive"),
            );
            note = note.at(&gone.source.span).help("check the id, or drop the entry");
            bound.notes.push(note);
        }
        (Some(id), Some(_), None) => {
            let why = format!(
                "workspace `{id}` is archived, which cannot be undone: write `state: archived`, or drop `id:` and \
                 add `previously: []` to make a new one"
            );
            bound.blocked.insert(address.clone(), Disposition::Manual { why });
        }
        (Some(id), None, None) => {
            let why = format!(
                "no workspace of this organization has the id `{id}`: fix the id, or drop it to make a new one"
            );
            bound.blocked.insert(address.clone(), Disposition::Manual { why });
        }
        (None, Some(old), None) if !desired.is_declared_new(address) => {
            let id = old.remote.as_ref().map_or("", |remote| remote.id.as_str());
            let why = format!(
                "the only workspace named `{}` is archived ({id}) and cannot come back: write `previously: []` to make \
                 a new one named `{}`",
                old.spec.resource().title(),
                target.name
            );
            bound.blocked.insert(address.clone(), Disposition::Held { why });
        }
        // Archived as wanted, or simply not there yet.
        (Some(_), Some(_), Some(_)) | (None, _, _) => {}
    }
}

/// Names of live people by id.
fn bind_members(
    desired: &Desired,
    objects: &[&Arc<Object>],
    bound: &mut Bound,
) -> HashMap<Arc<str>, Name> {
    let canonical = |object: &Object| match &object.spec {
        Spec::Member(member) => Arc::clone(member.email.canonical()),
        _ => Arc::from(""),
    };
    let emails: Vec<Arc<str>> = objects.iter().map(|object| canonical(object)).collect();
    let candidates: Vec<Candidate<'_>> = objects
        .iter()
        .zip(&emails)
        .filter_map(|(object, email)| {
            object.remote.as_ref().map(|remote| Candidate { id: &remote.id, name: email })
        })
        .collect();

    let entries = desired
        .objects
        .of(Kind::Member)
        .map(|(address, _)| address)
        .chain(desired.gone.keys().filter(|address| address.kind == Kind::Member))
        .map(|address| (address, target(address, desired)));
    let (entries, targets): (Vec<&Address>, Vec<Target>) = entries.unzip();

    let by_address = ByName::of(&candidates);
    let mut names: HashMap<Arc<str>, Name> = HashMap::with_capacity(objects.len());
    let mut taken: std::collections::HashSet<&str> =
        entries.iter().map(|address| address.name.as_str()).collect();
    let found = match_all(&targets, &candidates);
    for ((address, target), found) in entries.iter().zip(&targets).zip(found) {
        // Whoever has the entry's own address, whoever the entry means.
        let namesakes = || by_address.all(&target.name);
        let has_none = namesakes().next().is_none();
        let is_gone = desired.gone.contains_key(*address);
        let (unclear, why) = match found {
            Found::One(index) if has_none || namesakes().any(|other| other == index) => {
                let candidate = &candidates[index];
                names.insert(candidate.id.0.clone(), address.name.clone());
                if has_none {
                    bound.notes.push(elsewhere(address, candidate, desired));
                }
                continue;
            }
            Found::One(index) => {
                let why = format!(
                    "by its address this entry means {}, by `id` or `previously` {}, so neither is touched: drop `id` \
                     and `previously` if the address is right, else write the address that the person has",
                    who(namesakes(), &candidates),
                    who([index], &candidates)
                );
                (namesakes().chain([index]).collect(), why)
            }
            Found::Many(indices) => {
                let what =
                    if has_none { "have an earlier address of" } else { "share the address" };
                let ids: Vec<&RemoteId> = indices.iter().map(|&i| candidates[i].id).collect();
                let why = format!(
                    "several live people {what} `{}`: add `id:` with the one meant ({})",
                    target.name,
                    list(&ids)
                );
                (indices, why)
            }
            Found::Nothing if is_gone => continue,
            Found::Nothing => {
                let why = match &target.id {
                    Some(id) => format!(
                        "nobody in this organization has the id `{id}`: fix the id, or drop it to invite the address"
                    ),
                    None if has_none => continue,
                    None => format!(
                        "{} is live, but another entry means them by `id` or `previously`: correct one of the two",
                        who(namesakes(), &candidates)
                    ),
                };
                (Vec::new(), why)
            }
        };
        bound.ambiguous.extend(unclear.into_iter().map(|i| candidates[i].id.clone()));
        if let Some(gone) = desired.gone.get(*address) {
            // Nothing is to be made at this address, so there is no step that could say it.
            bound.notes.push(Diagnostic::warning("live/ambiguous", why).at(&gone.source.span));
        } else {
            bound.blocked.insert((*address).clone(), Disposition::Manual { why });
        }
    }

    // People that no entry means are called by their address, unless that would be ambiguous.
    for candidate in &candidates {
        let unique = by_address.all(candidate.name).nth(1).is_none()
            && !bound.ambiguous.contains(candidate.id);
        if unique && !names.contains_key(&candidate.id.0) && taken.insert(candidate.name) {
            names.insert(candidate.id.0.clone(), Name::label(candidate.name));
        }
    }
    names
}

/// Says who stands behind an entry whose own address nobody has: the calls carry ids only.
fn elsewhere(address: &Address, candidate: &Candidate<'_>, desired: &Desired) -> Diagnostic {
    let object = desired.objects.get(address).and_then(|object| object.source.as_ref());
    let source = object.or_else(|| desired.gone.get(address).map(|gone| &gone.source));
    Diagnostic::warning(
        "live/other-address",
        format!(
            "the entry `{}` means somebody whose live address is `{}` ({})",
            address.name, candidate.name, candidate.id
        ),
    )
    .at_opt(source.map(|source| &source.span))
    .help("make sure that it is the same person")
}

/// People with their ids and addresses, in a sentence.
fn who(indices: impl IntoIterator<Item = usize>, candidates: &[Candidate<'_>]) -> String {
    let people: BTreeSet<String> = indices
        .into_iter()
        .map(|i| format!("`{}` (`{}`)", candidates[i].name, candidates[i].id))
        .collect();
    people.into_iter().collect::<Vec<_>>().join(", ")
}

/// What an entry for a person says about whom it means.
fn target(address: &Address, desired: &Desired) -> Target {
    let pin = desired.pins.get(address);
    let name = match &address.name {
        Name::Label(name) | Name::Id(name) => Arc::clone(name),
    };
    Target {
        id: pin.and_then(|pin| pin.id.clone()),
        name,
        previously: pin.and_then(|pin| pin.previously.clone()).unwrap_or_default(),
    }
}

fn candidate(object: &Arc<Object>) -> Option<Candidate<'_>> {
    match (&object.spec, &object.remote) {
        (Spec::Workspace(spec), Some(remote)) => {
            Some(Candidate { id: &remote.id, name: &spec.name })
        }
        _ => None,
    }
}

/// Ids in a sentence, in an order that the API has no say in.
fn list(ids: &[&RemoteId]) -> String {
    let ids: BTreeSet<&RemoteId> = ids.iter().copied().collect();
    ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
}
