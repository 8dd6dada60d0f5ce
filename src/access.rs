//! Who can really do what: grants, and what an organization role gives in every workspace.
//!
//! Invariant: computed from a snapshot alone, for live and for wanted states alike.

pub mod report;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{
    address::{Address, Kind, Name},
    resource::{Change, Object, Phase, Role, Snapshot, Spec, WorkspaceRole},
};

/// What one person can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonAccess {
    /// The address as shown.
    pub email: String,
    /// The organization role, if it is known.
    pub role: Option<Role>,
    /// In force, or invited.
    pub phase: Phase,
    /// What the organization role gives in every workspace.
    pub inherited: Option<WorkspaceRole>,
    /// Grants of their own, by the name of the workspace in its address.
    pub grants: BTreeMap<Name, WorkspaceRole>,
}

/// Every person's access in a snapshot, by address of the person.
pub fn effective(snapshot: &Snapshot) -> BTreeMap<Name, PersonAccess> {
    let people = snapshot.of(Kind::Member);
    with_grants(
        people
            .filter_map(|(address, object)| Some((address.name.clone(), person(object)?)))
            .collect(),
        snapshot,
    )
}

/// The access of some people in a snapshot; whoever is not in it has none.
fn effective_of(names: &BTreeSet<Name>, snapshot: &Snapshot) -> BTreeMap<Name, PersonAccess> {
    let person = |name: &Name| person(snapshot.get(&Address::member(name.clone()))?);
    let people = names.iter().filter_map(|name| Some((name.clone(), person(name)?))).collect();
    with_grants(people, snapshot)
}

fn with_grants(
    mut people: BTreeMap<Name, PersonAccess>,
    snapshot: &Snapshot,
) -> BTreeMap<Name, PersonAccess> {
    // Every grant is looked up, and most are of others.
    let mut by_name: HashMap<&Name, &mut PersonAccess> = people.iter_mut().collect();
    for (_, object) in snapshot.of(Kind::WorkspaceMember) {
        let Spec::WorkspaceMember(grant) = &object.spec else { continue };
        if let Some(person) = by_name.get_mut(&grant.member) {
            person.grants.insert(grant.workspace.clone(), grant.role.clone());
        }
    }
    people
}

fn person(object: &Object) -> Option<PersonAccess> {
    let Spec::Member(member) = &object.spec else { return None };
    let phase = object.phase().unwrap_or(Phase::Pending);
    Some(PersonAccess {
        email: member.email.as_written().to_owned(),
        role: member.role.clone(),
        phase,
        inherited: member
            .role
            .as_ref()
            .filter(|_| phase == Phase::Active)
            .and_then(Role::inherited),
        grants: BTreeMap::new(),
    })
}

/// A person's access to the organization or one workspace before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AccessChange {
    /// The person's address.
    pub person: String,
    /// Where.
    pub place: Place,
    /// The role before; `None`: no access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<AccessRole>,
    /// The role after; `None`: no access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<AccessRole>,
}

/// Where access holds.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The organization itself.
    Organization,
    /// Every workspace alike, through an organization role: how many there are.
    EveryWorkspace(usize),
    /// One workspace, by name.
    Workspace(String),
}

/// A role and where it comes from.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct AccessRole {
    /// The role's word.
    pub role: String,
    /// The organization role it comes from; `None`: given directly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
    /// It holds only once an invite is accepted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub once_accepted: bool,
}

/// The part of a snapshot in which [`changes`] finds all that the given changes mean for people: enough to play them
/// on, and small where the organization is large.
pub fn around<'a>(
    snapshot: &Snapshot,
    touched: impl IntoIterator<Item = (&'a Address, &'a Change)>,
) -> Snapshot {
    let people = touched_people(snapshot, touched);
    let people: HashSet<&Name> = people.iter().collect();
    let bears = |address: &Address| match address.kind {
        Kind::Member | Kind::WorkspaceMember => people.contains(&address.name),
        Kind::Workspace => true,
        Kind::ApiKey => false,
    };
    let part = snapshot.iter().filter(|(address, _)| bears(address));
    Snapshot::collect(part.map(|(address, object)| (address.clone(), Arc::clone(object)))).0
}

/// What changes for people between two snapshots, looking only at the people (and workspaces) that the given
/// changes touch.
pub fn changes<'a>(
    before: &Snapshot,
    after: &Snapshot,
    touched: impl IntoIterator<Item = (&'a Address, &'a Change)>,
) -> Vec<AccessChange> {
    let people = touched_people(before, touched);
    if people.is_empty() {
        return Vec::new();
    }
    let (old, new) = (effective_of(&people, before), effective_of(&people, after));
    let mut out = Vec::new();
    for name in &people {
        let email = new
            .get(name)
            .or_else(|| old.get(name))
            .map_or_else(|| name.as_str().to_owned(), |person| person.email.clone());
        let (mut left, mut right) =
            (places(old.get(name), before, after), places(new.get(name), after, after));
        // Both sides may inherit in a different number of workspaces; the number shown is that of its own side.
        let keys: BTreeSet<Place> = left.keys().chain(right.keys()).cloned().collect();
        for place in keys {
            let (before, after) = (left.remove(&place), right.remove(&place));
            if before != after {
                out.push(AccessChange { person: email.clone(), place, before, after });
            }
        }
    }
    out
}

/// The people whose access the changes may touch.
fn touched_people<'a>(
    before: &Snapshot,
    touched: impl IntoIterator<Item = (&'a Address, &'a Change)>,
) -> BTreeSet<Name> {
    let mut people: BTreeSet<Name> = BTreeSet::new();
    let mut workspaces: BTreeSet<Name> = BTreeSet::new();
    for (address, change) in touched {
        match address.kind {
            Kind::Member | Kind::WorkspaceMember => _ = people.insert(address.name.clone()),
            // A rename or a new colour changes nobody's access; an archive does.
            Kind::Workspace if matches!(change, Change::Remove { .. }) => {
                workspaces.insert(address.name.clone());
            }
            Kind::Workspace | Kind::ApiKey => {}
        }
    }
    if !workspaces.is_empty() {
        for (address, _) in before.of(Kind::WorkspaceMember) {
            if address.scope.as_ref().is_some_and(|scope| workspaces.contains(scope)) {
                people.insert(address.name.clone());
            }
        }
    }
    people
}

/// A person's access by place. A workspace is called by its newest name, so that a rename changes nobody's access.
fn places(
    person: Option<&PersonAccess>,
    snapshot: &Snapshot,
    newest: &Snapshot,
) -> BTreeMap<Place, AccessRole> {
    let Some(person) = person else { return BTreeMap::new() };
    let mut places = BTreeMap::new();
    let direct = |role: &str, pending: bool| AccessRole {
        role: role.to_owned(),
        through: None,
        once_accepted: pending,
    };
    if let Some(role) = &person.role {
        places.insert(Place::Organization, direct(role.as_str(), person.phase == Phase::Pending));
    }
    if let (Some(inherited), Some(role)) = (&person.inherited, &person.role) {
        let count = snapshot.of(Kind::Workspace).count();
        places.insert(
            Place::EveryWorkspace(count),
            AccessRole {
                role: inherited.as_str().to_owned(),
                through: Some(role.as_str().to_owned()),
                once_accepted: false,
            },
        );
    }
    for (workspace, role) in &person.grants {
        // A grant of somebody who inherits more shows again only after a demotion.
        if person.inherited == Some(WorkspaceRole::Admin) {
            continue;
        }
        let address = Address::workspace(workspace.clone());
        let title = newest
            .get(&address)
            .or_else(|| snapshot.get(&address))
            .map_or_else(|| workspace.as_str().to_owned(), |o| o.spec.resource().title());
        places.insert(Place::Workspace(title), direct(role.as_str(), false));
    }
    places
}
