//! The kinds of objects charter manages: one file per kind, closed by [`Spec`], uniform through [`Resource`].
//!
//! Invariant: `Spec::resource` is the only dispatch over kinds; the passes see [`Object`]s and never name one.
//! To add a kind: its file here, its variant in [`Spec`] and [`crate::address::Kind`], its YAML in `config`, its
//! listing in `observe`, its table and routes in `sandbox`.

pub mod api_key;
pub mod change;
pub mod desired;
pub mod matching;
pub mod member;
pub mod read_scope;
pub mod role;
pub mod snapshot;
pub mod workspace;
pub mod workspace_member;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::{
    api_key::ApiKey,
    change::{Calls, Change, Disposition, Fact, FieldChange, Manual, Settled, Verb},
    desired::Desired,
    member::Member,
    role::{KeyStatus, OrgKind, Role, WorkspaceRole},
    snapshot::{Facts, InviteHistory, Live, Object, Phase, Remote, Snapshot, Source},
    workspace::Workspace,
    workspace_member::WorkspaceMember,
};
use crate::{
    address::{Address, Kind, Name, RemoteId},
    api::call::Part,
};

/// What an object is, or should be. A field that is `None` in a desired spec is not managed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Spec {
    /// A person.
    Member(Member),
    // Few and wide: the box keeps the many others small.
    /// A workspace.
    Workspace(Box<Workspace>),
    /// A grant.
    WorkspaceMember(WorkspaceMember),
    /// A key.
    ApiKey(ApiKey),
}

impl Spec {
    /// The one dispatch over kinds.
    pub fn resource(&self) -> &dyn Resource {
        match self {
            Spec::Member(spec) => spec,
            Spec::Workspace(spec) => &**spec,
            Spec::WorkspaceMember(spec) => spec,
            Spec::ApiKey(spec) => spec,
        }
    }

    /// The same, to change it.
    pub fn resource_mut(&mut self) -> &mut dyn Resource {
        match self {
            Spec::Member(spec) => spec,
            Spec::Workspace(spec) => &mut **spec,
            Spec::WorkspaceMember(spec) => spec,
            Spec::ApiKey(spec) => spec,
        }
    }
}

/// What every kind knows about itself. The passes of `plan` need nothing else.
pub trait Resource {
    /// What people call it: an e-mail, a workspace's name, a key's name.
    fn title(&self) -> String;

    /// The fields that can differ, each as the files call it; unmanaged ones are left out.
    fn fields(&self) -> Vec<(String, Value)>;

    /// Takes every field that the files do not manage from the live object.
    fn adopt(&mut self, live: &Spec);

    /// What it refers to; always of a smaller kind.
    fn references(&self) -> Vec<Address> {
        Vec::new()
    }

    /// Renames what it refers to, once live objects have their addresses.
    fn rebind(&mut self, _name_of: &dyn Fn(Kind, &Name) -> Name) {}

    /// The phase it is in right after `create`.
    fn born(&self) -> Phase {
        Phase::Active
    }

    /// Whether this difference needs a new object.
    fn replaced_by(&self, _before: &Object, _fields: &[FieldChange]) -> bool {
        false
    }

    /// What becomes of a change, judged with the rest of live and wanted.
    fn settle(&self, change: &Change, world: &World<'_>) -> Settled;

    /// What becomes of removing it only because no list names it, where that needs a person.
    fn settle_unlisted(&self) -> Option<Disposition> {
        None
    }

    /// The live facts that a change rests on.
    fn rests_on(&self, change: &Change, world: &World<'_>) -> Vec<Fact>;

    /// What two objects share that may be one and the same under a new name; `None`: nothing tells.
    fn likeness(&self) -> Option<String> {
        None
    }

    /// What becomes of creating this beside a live object of the same likeness that is wanted under no address, if that
    /// looks like a mistake.
    fn resembles(&self, _other: &Lookalike<'_>) -> Option<Disposition> {
        None
    }

    /// The calls that make it.
    fn create(&self, ids: &Ids<'_>) -> Calls;

    /// The calls that change `before` into it.
    fn update(&self, before: &Object, fields: &[FieldChange], ids: &Ids<'_>) -> Calls;

    /// The calls that take it away; `before` is the live object.
    fn remove(&self, before: &Object, ids: &Ids<'_>) -> Calls;
}

/// A live object that a new one may be meant to be.
#[derive(Clone, Copy)]
pub struct Lookalike<'a> {
    /// The live object.
    pub object: &'a Object,
    /// An entry of the files names it (and says that it goes).
    pub named: bool,
    /// The same plan removes it.
    pub goes: bool,
}

/// What a change is judged with.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// The kind of organization.
    pub kind: OrgKind,
    /// The time, read once per command.
    pub now: Timestamp,
    /// Live objects, bound.
    pub live: &'a Snapshot,
    /// What the plan aims at.
    pub after: &'a Snapshot,
    /// What past invites say.
    pub history: &'a BTreeMap<Arc<str>, InviteHistory>,
    /// Whether a step whose effect the API may hide is to be sent: this change wants it for the first time, or
    /// somebody names it.
    pub asked: &'a dyn Fn(&Address) -> bool,
}

impl World<'_> {
    /// Whether an active workspace has this name.
    pub fn has_workspace(&self, name: &str) -> bool {
        self.live
            .of(Kind::Workspace)
            .any(|(_, object)| matches!(&object.spec, Spec::Workspace(spec) if *spec.name == *name))
    }

    /// Whether some billing member is seen to hold a grant of their own: then the API shows such grants, and one that
    /// is not shown is not there.
    pub fn shows_grants_of_billing(&self) -> bool {
        let is_billing = |object: &Object| {
            object.phase() == Some(Phase::Active)
                && matches!(&object.spec, Spec::Member(member) if member.role == Some(Role::Billing))
        };
        let people = self.live.of(Kind::Member).filter(|(_, object)| is_billing(object));
        let people: BTreeSet<&Name> = people.map(|(address, _)| &address.name).collect();
        !people.is_empty()
            && self.live.of(Kind::WorkspaceMember).any(|(_, object)| {
                matches!(&object.spec, Spec::WorkspaceMember(grant)
                    if grant.role != WorkspaceRole::Billing && people.contains(&grant.member))
            })
    }

    /// The organization role that decides what a person inherits once this plan is applied: the live role of
    /// somebody the API cannot change, else the wanted one if the API can give it.
    pub fn deciding_role(&self, member: &Name) -> Option<Role> {
        let address = Address::member(member.clone());
        // An invite gives nothing yet, whatever role it names.
        let live = self.live.get(&address).filter(|object| object.phase() == Some(Phase::Active));
        let live = live.and_then(|object| match &object.spec {
            Spec::Member(spec) => spec.role.clone(),
            _ => None,
        });
        if live.as_ref().is_some_and(Role::protected) {
            return live;
        }
        let wanted = self.after.get(&address).and_then(|object| match &object.spec {
            Spec::Member(spec) => spec.role.clone(),
            _ => None,
        });
        match wanted {
            Some(role) if role.assignable(self.kind) || live.is_none() => Some(role),
            _ => live,
        }
    }
}

/// The ids of live objects, for building calls.
#[derive(Clone, Copy)]
pub struct Ids<'a>(pub &'a Snapshot);

impl Ids<'_> {
    /// The id of what stands at `address`, or a reference to be filled in when a step has made it.
    pub fn of(&self, address: &Address) -> Part {
        match self.known(address) {
            Some(id) => Part::from(id),
            None => Part::IdOf(address.clone()),
        }
    }

    /// The id, if the object is live and in force.
    pub fn known(&self, address: &Address) -> Option<&RemoteId> {
        self.0
            .get(address)
            .and_then(|object| object.remote.as_ref())
            .filter(|remote| remote.phase == Phase::Active)
            .map(|remote| &remote.id)
    }
}

/// A fact about one field of a live object.
pub(crate) fn field_fact(kind: Kind, object: &Object, field: &str) -> Option<Fact> {
    let remote = object.remote.as_ref()?;
    let resource = object.spec.resource();
    let is = resource
        .fields()
        .into_iter()
        .find(|(name, _)| name == field)
        .map_or(Value::Null, |(_, value)| value);
    Some(Fact::Field {
        kind,
        id: remote.id.clone(),
        name: resource.title(),
        field: field.to_owned(),
        is: is.to_string(),
    })
}

/// Facts about every field of a live object.
pub(crate) fn all_field_facts(kind: Kind, object: &Object) -> Vec<Fact> {
    let Some(remote) = &object.remote else { return Vec::new() };
    let resource = object.spec.resource();
    resource
        .fields()
        .into_iter()
        .map(|(field, value)| Fact::Field {
            kind,
            id: remote.id.clone(),
            name: resource.title(),
            field,
            is: value.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests;
