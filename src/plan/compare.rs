//! Compares two sets of files as if the first were live: what changes, who gains or loses access, what stays
//! although no file names it any more.
//!
//! Invariant: nothing live is known here, so nothing depends on it: two equal sets of files give nothing.

mod entries;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

pub use self::entries::{Dropped, Entries};
use super::{adopt, bind, diff};
use crate::{
    access::{self, AccessChange},
    address::{Address, Kind, Name, RemoteId},
    email::Email,
    resource::{
        ApiKey, Change, Desired, Facts, Live, Member, Object, Phase, Remote, Snapshot, Spec, Verb,
        Workspace, WorkspaceMember, WorkspaceRole,
        api_key::{KeyFacts, Reach},
        desired::Pin,
        snapshot::Coverage,
    },
};

/// The role of a grant that the old files did not name.
const UNSAID: &str = "unknown";

/// How two sets of files differ.
#[derive(Clone, Debug, Default)]
pub struct Compared {
    /// What an organization that equals the old files has to become.
    pub changes: Vec<(Address, Change)>,
    /// What that means for people.
    pub access: Vec<AccessChange>,
    /// What the old files name and the new ones leave as it is, unnamed: by how the files called it.
    pub stays: BTreeMap<Address, Arc<Object>>,
    /// How the old entries are called in the new files, and those that are dropped without an object.
    pub entries: Entries,
}

/// Compares.
pub fn compare(old: &Desired, new: &Desired) -> Compared {
    let (live, origin) = as_live(old, &new.pins);
    let bound = bind::bind(new, &live);
    let entries = Entries::of(old, new, &bound.live, &origin);
    let after = adopt::adopt(new, &live, &bound).after;
    let mut changes = diff::diff(&bound.live, &after);
    for (_, change) in &mut changes {
        keep_made(change);
    }
    changes.extend(newly_unwanted(old, new, &bound.live, &entries));
    changes.sort_by(|(left, _), (right, _)| left.cmp(right));
    let gone: BTreeSet<Address> = changes
        .iter()
        .filter(|(_, change)| change.verb() == Verb::Remove)
        .map(|(address, _)| address.clone())
        .collect();
    // A grant goes with its person or workspace; saying both says the same twice.
    changes.retain(|(address, change)| {
        !gone.contains(address)
            || !change.object().spec.resource().references().iter().any(|of| gone.contains(of))
    });
    let touched = changes.iter().filter(|(address, _)| address.kind != Kind::ApiKey);
    let access = access::changes(
        &bound.live,
        &standing(&after),
        touched.map(|(address, change)| (address, change)),
    );
    let stays = bound
        .live
        .iter()
        .filter(|(address, object)| {
            object.source.is_some()
                && !new.objects.contains(address)
                && !new.kept.contains(address)
                && after.contains(address)
        })
        .filter_map(|(_, object)| {
            let before = origin.get(&object.remote.as_ref()?.id)?;
            Some((entries.now(old, before), Arc::clone(object)))
        })
        .collect();
    Compared { changes, access, stays, entries }
}

/// What the files want, as if it held: everybody has accepted, everything is there.
pub fn standing_of(desired: &Desired) -> Snapshot {
    bind::bind(desired, &as_live(desired, &desired.pins).0).live
}

/// The same objects, in force.
fn standing(after: &Snapshot) -> Snapshot {
    let objects = after.iter().map(|(address, object)| {
        let object = match object.remote {
            Some(_) => Arc::clone(object),
            None => Arc::new(Object {
                remote: Some(remote(made_up(address), &object.spec)),
                ..Object::clone(object)
            }),
        };
        (address.clone(), object)
    });
    Snapshot::collect(objects).0
}

/// An organization that equals the files. An id that no file gives is made up; `pins` of the other files give ids
/// too, so that adding a pin is no change. With it comes the entry that each object is from.
fn as_live(
    desired: &Desired,
    pins: &BTreeMap<Address, Pin>,
) -> (Live, BTreeMap<RemoteId, Address>) {
    let id_of = |address: &Address| -> RemoteId {
        let own = desired.pins.get(address).and_then(|pin| pin.id.clone());
        let same = || pins.get(address).and_then(|pin| pin.id.clone());
        let renamed = || {
            let is_former = |name: &Arc<str>| **name == *address.name.as_str();
            pins.iter()
                .filter(|(other, _)| other.kind == address.kind)
                .find(|(_, pin)| pin.previously.iter().flatten().any(is_former))
                .and_then(|(_, pin)| pin.id.clone())
        };
        own.or_else(same).or_else(renamed).unwrap_or_else(|| made_up(address))
    };
    let mut objects: BTreeMap<Address, Arc<Object>> = BTreeMap::new();
    let mut origin = BTreeMap::new();
    for (entry, object) in &desired.objects {
        let (address, spec) = match &object.spec {
            Spec::Member(_) => (Address::member(Name::id(&id_of(entry))), object.spec.clone()),
            Spec::Workspace(_) => {
                (Address::workspace(Name::id(&id_of(entry))), object.spec.clone())
            }
            Spec::WorkspaceMember(grant) => {
                let member = Address::member(grant.member.clone());
                let workspace = id_of(&Address::workspace(grant.workspace.clone()));
                let person = id_of(&member);
                if !desired.objects.contains(&member) {
                    // Without `members` in the files, people are known by their grants only.
                    let email = Email::lenient(grant.member.as_str());
                    let spec = Spec::Member(Member { email, role: None, groups: Vec::new() });
                    let object =
                        Object { remote: Some(remote(person.clone(), &spec)), spec, source: None };
                    origin.insert(person.clone(), member);
                    objects
                        .entry(Address::member(Name::id(&person)))
                        .or_insert_with(|| Arc::new(object));
                }
                let mut grant = grant.clone();
                grant.workspace = Name::id(&workspace);
                grant.member = Name::id(&person);
                let (workspace, member) = (grant.workspace.clone(), grant.member.clone());
                (Address::workspace_member(workspace, member), Spec::WorkspaceMember(grant))
            }
            Spec::ApiKey(key) => {
                let mut key = key.clone();
                key.workspace =
                    key.workspace.map(|workspace| Name::id(&id_of(&Address::workspace(workspace))));
                let id = match &entry.name {
                    Name::Id(id) => RemoteId(Arc::clone(id)),
                    Name::Label(_) => made_up(entry),
                };
                (Address::api_key(&id), Spec::ApiKey(key))
            }
        };
        let id = match &spec {
            Spec::WorkspaceMember(grant) => {
                let part = |name: &Name| RemoteId::new(name.as_str());
                RemoteId::grant(&part(&grant.workspace), &part(&grant.member))
            }
            _ => RemoteId::new(address.name.as_str()),
        };
        origin.insert(id.clone(), entry.clone());
        let object =
            Object { remote: Some(remote(id, &spec)), spec, source: object.source.clone() };
        objects.insert(address, Arc::new(object));
    }
    let workspace_members = objects
        .keys()
        .filter(|address| address.kind == Kind::Workspace)
        .map(|address| RemoteId::new(address.name.as_str()));
    let coverage = Coverage {
        members: true,
        workspaces: true,
        default_workspace: true,
        workspace_members: workspace_members.collect(),
        api_keys: true,
    };
    let live = Live {
        organization: desired.organization.id.clone().unwrap_or_else(|| "".into()),
        organization_name: None,
        objects: objects.into_iter().collect(),
        archived: Vec::new(),
        history: BTreeMap::new(),
        coverage,
    };
    (live, origin)
}

/// No file makes a key, so one that only the new files name is there already, in a state that no file says.
fn keep_made(change: &mut Change) {
    let Change::Create { after } = change else { return };
    let Spec::ApiKey(key) = &after.spec else { return };
    let unsaid = ApiKey { name: key.name.clone(), status: None, workspace: key.workspace.clone() };
    let spec = Spec::ApiKey(unsaid);
    let fields = diff::differing(&spec.resource().fields(), &after.spec.resource().fields());
    let before = Arc::new(Object { remote: None, spec, source: None });
    *change = Change::Update { before, after: Arc::clone(after), fields };
}

/// What the new files want gone and the old ones did not name at all: it may well be live, so its removal is shown.
fn newly_unwanted(
    old: &Desired,
    new: &Desired,
    live: &Snapshot,
    entries: &Entries,
) -> Vec<(Address, Change)> {
    let wanted_gone: BTreeSet<Address> =
        old.gone.keys().map(|before| entries.now(old, before)).collect();
    new.gone
        .iter()
        // What the old files had is bound, whatever they called it, and its removal is among the changes.
        .filter(|(address, _)| !live.contains(address) && !wanted_gone.contains(address))
        .filter_map(|(address, gone)| {
            let name = address.name.clone();
            let pinned = new.pins.get(address).and_then(|pin| pin.id.clone());
            let spec = match (address.kind, &address.scope) {
                (Kind::Member, _) => {
                    let email = Email::lenient(name.as_str());
                    Spec::Member(Member { email, role: None, groups: Vec::new() })
                }
                // A label may be anything; only the id says what is archived.
                (Kind::Workspace, _) => {
                    Spec::Workspace(Box::new(Workspace::named(&match &pinned {
                        Some(id) => format!("{} ({id})", name.as_str()),
                        None => name.as_str().to_owned(),
                    })))
                }
                (Kind::WorkspaceMember, Some(workspace)) => {
                    Spec::WorkspaceMember(WorkspaceMember {
                        workspace: workspace.clone(),
                        member: name,
                        role: WorkspaceRole::from_wire(UNSAID),
                    })
                }
                // Keys are not gone from the files: they have a status.
                (Kind::WorkspaceMember, None) | (Kind::ApiKey, _) => return None,
            };
            let id = pinned.unwrap_or_else(|| made_up(address));
            let before =
                Object { remote: Some(remote(id, &spec)), spec, source: Some(gone.source.clone()) };
            Some((address.clone(), Change::Remove { before: Arc::new(before) }))
        })
        .collect()
}

fn made_up(address: &Address) -> RemoteId {
    RemoteId::new(address.to_string())
}

fn remote(id: RemoteId, spec: &Spec) -> Remote {
    let facts = match spec {
        Spec::Member(_) => Facts::Member(Box::default()),
        Spec::Workspace(_) => Facts::Workspace(Box::default()),
        Spec::WorkspaceMember(_) => Facts::WorkspaceMember,
        Spec::ApiKey(_) => Facts::ApiKey(Box::new(KeyFacts {
            created_at: None,
            expires_at: None,
            created_by: None,
            principal: None,
            reach: Reach::Unsaid,
            hint: None,
            in_use: false,
        })),
    };
    Remote { id, phase: Phase::Active, facts }
}
