//! What both sets of files want of the same live organization, and what each calls what is live.
//!
//! Invariant: an object is known by its id wherever it has one, so that no label of the files can hide which it is.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    address::{Address, Kind, Name, RemoteId},
    plan::{
        adopt::{self, Adopted},
        bind, diff, schedule,
        step::{Cause, Step},
    },
    resource::{Change, Desired, Live, Object, Snapshot, Spec, Verb, World, desired::IgnoreTarget},
};

/// What of a step other files do not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Changed {
    /// They want the same, and would do it.
    Nothing,
    /// They want these fields otherwise.
    Fields(Vec<String>),
    /// They want something else there.
    All,
}

impl Changed {
    /// Whether one of the fields is among them.
    pub(super) fn any_of(&self, fields: &[String]) -> bool {
        match self {
            Changed::Nothing => false,
            Changed::Fields(names) => names.iter().any(|name| fields.contains(name)),
            Changed::All => true,
        }
    }
}

/// The fields that a step changes; none: it makes or ends its object as a whole.
pub(super) fn fields(step: &Step) -> Vec<String> {
    match &step.change {
        Change::Update { fields, .. } | Change::Replace { fields, .. } => {
            fields.iter().map(|change| change.field.clone()).collect()
        }
        Change::Create { .. } | Change::Remove { .. } => Vec::new(),
    }
}

/// Whether other files want exactly what a step does, and would do it.
pub(in crate::plan) fn wants_too<'a>(
    head: &'a Desired,
    other: &'a Desired,
    live: &Live,
    now: Timestamp,
) -> impl Fn(&Step) -> bool {
    let sides = Sides::new(head, other, live, now);
    move |step| sides.changed(step) == Changed::Nothing
}

/// The base and the files, side by side.
pub(super) struct Sides<'a> {
    base: &'a Desired,
    /// Live in the words of the files.
    pub(super) here: Snapshot,
    /// Live in the words of the base.
    there: Snapshot,
    /// What the base aims at.
    adopted: Adopted,
    /// What the base's own plan would do.
    done: BTreeMap<Address, Verb>,
    /// The base's names of live people and workspaces, by the head's.
    renamed: BTreeMap<(Kind, Name), Name>,
    /// The base's addresses of live objects.
    by_id: BTreeMap<(Kind, RemoteId), Address>,
}

impl<'a> Sides<'a> {
    pub(super) fn new(head: &Desired, base: &'a Desired, live: &Live, now: Timestamp) -> Self {
        let bound = bind::bind(base, live);
        let adopted = adopt::adopt(base, live, &bound);
        let world = World {
            kind: base.organization.kind,
            now,
            live: &bound.live,
            after: &adopted.after,
            history: &live.history,
            // What is asked for is there by this change only if the base does not want it.
            asked: &|_| true,
        };
        let changes = diff::diff(&bound.live, &adopted.after);
        let done = schedule::schedule(base, &bound, &adopted, changes, &world)
            .into_iter()
            .filter(|step| step.disposition.is_ready())
            .map(|step| (step.address, step.change.verb()))
            .collect();
        let id_of = |address: &Address, object: &Object| {
            object.remote.as_ref().map(|remote| (address.kind, remote.id.clone()))
        };
        let by_id: BTreeMap<_, _> = bound
            .live
            .iter()
            .filter_map(|(address, object)| Some((id_of(address, object)?, address.clone())))
            .collect();
        let here = bind::bind(head, live).live;
        let renamed = [Kind::Member, Kind::Workspace]
            .into_iter()
            .flat_map(|kind| here.of(kind))
            .filter_map(|(address, object)| {
                let other = by_id.get(&id_of(address, object)?)?;
                Some(((address.kind, address.name.clone()), other.name.clone()))
            })
            .collect();
        Self { base, here, there: bound.live, adopted, done, renamed, by_id }
    }

    /// What of a step the base does not have. What it wants and would not do, it does not have either.
    pub(super) fn changed(&self, step: &Step) -> Changed {
        let does = || self.done.get(&self.base_address(step)) == Some(&step.change.verb());
        match self.by_fields(step) {
            Changed::Nothing if step.disposition.is_ready() && !does() => Changed::All,
            changed => changed,
        }
    }

    /// Whether the base has a date here that has passed too, and was still to come when the base was committed.
    pub(super) fn was_announced(&self, step: &Step, ended: &BTreeSet<Address>) -> bool {
        let address = self.base_address(step);
        if ended.contains(&address) {
            return false;
        }
        match self.adopted.going.get(&address) {
            Some((cause, _)) => *cause == Cause::Expired,
            None => self
                .base
                .objects
                .get(&address)
                .and_then(|object| object.source.as_ref())
                .is_some_and(|source| source.expired),
        }
    }

    /// Everything that an ignore could name a step's object by: what live, the files and the base call it, its person
    /// and its workspace.
    pub(super) fn names(&self, step: &Step) -> Vec<(IgnoreTarget, String)> {
        let mut names = Vec::new();
        let wanted = self.base.objects.get(&self.base_address(step));
        let (before, after) = (step.change.before(), step.change.after());
        names.extend([before, after, wanted].into_iter().flatten().flat_map(|o| own_names(o)));
        let mut around = BTreeSet::new();
        for object in [before, after].into_iter().flatten() {
            match &object.spec {
                Spec::Member(_) | Spec::Workspace(_) => around.extend([step.address.clone()]),
                Spec::WorkspaceMember(_) => around.extend(object.spec.resource().references()),
                Spec::ApiKey(key) => {
                    around.extend(key.workspace.iter().cloned().map(Address::workspace));
                }
            }
        }
        for address in around {
            let target = match address.kind {
                Kind::Member => IgnoreTarget::Members,
                Kind::Workspace => IgnoreTarget::Workspaces,
                Kind::WorkspaceMember | Kind::ApiKey => continue,
            };
            let name = self.base_name(address.kind, &address.name);
            let other = Address { name: name.clone(), ..address.clone() };
            let known =
                [self.here.get(&address), self.there.get(&other), self.base.objects.get(&other)];
            names.extend(known.into_iter().flatten().flat_map(|object| own_names(object)));
            names.extend([&address.name, &name].map(|name| (target, name.to_string())));
        }
        names
    }

    /// The same by what is wanted alone, whether or not it can be done.
    fn by_fields(&self, step: &Step) -> Changed {
        let wanted = self
            .adopted
            .after
            .get(&self.base_address(step))
            .map(|object| object.spec.resource().fields());
        let (Some(after), Some(wanted)) = (step.change.after(), &wanted) else {
            // One of them wants it gone.
            return match (step.change.after(), wanted) {
                (None, None) => Changed::Nothing,
                _ => Changed::All,
            };
        };
        let after = after.spec.resource().fields();
        let value = |fields: &[(String, Value)], name: &str| {
            fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone())
        };
        let same = |field: &str| match field {
            // Labels may differ where the workspace is the same.
            "workspace" => true,
            field => value(&after, field) == value(wanted, field),
        };
        match &step.change {
            Change::Update { .. } | Change::Replace { .. } => {
                let fields = fields(step);
                let changed: Vec<String> =
                    fields.iter().filter(|field| !same(field)).cloned().collect();
                if changed.is_empty() {
                    Changed::Nothing
                } else if changed.len() == fields.len() {
                    Changed::All
                } else {
                    Changed::Fields(changed)
                }
            }
            Change::Create { .. } | Change::Remove { .. } => {
                let names: BTreeSet<&String> =
                    after.iter().chain(wanted).map(|(field, _)| field).collect();
                if names.into_iter().all(|field| same(field)) {
                    Changed::Nothing
                } else {
                    Changed::All
                }
            }
        }
    }

    /// What the base calls a person or workspace of the files.
    fn base_name(&self, kind: Kind, name: &Name) -> Name {
        self.renamed.get(&(kind, name.clone())).unwrap_or(name).clone()
    }

    /// What the base calls the object of a step.
    fn base_address(&self, step: &Step) -> Address {
        let address = &step.address;
        let id = step.change.before().and_then(|object| object.remote.as_ref());
        let known = id.and_then(|remote| self.by_id.get(&(address.kind, remote.id.clone())));
        if let Some(known) = known {
            return known.clone();
        }
        let mut other = address.clone();
        other.scope = other.scope.map(|scope| self.base_name(Kind::Workspace, &scope));
        if address.kind == Kind::WorkspaceMember {
            other.name = self.base_name(Kind::Member, &other.name);
        }
        other
    }
}

/// What an object itself can be ignored by.
fn own_names(object: &Object) -> Vec<(IgnoreTarget, String)> {
    match &object.spec {
        Spec::Member(member) => {
            vec![(IgnoreTarget::Members, member.email.canonical().to_string())]
        }
        Spec::Workspace(workspace) => vec![(IgnoreTarget::Workspaces, workspace.name.to_string())],
        Spec::ApiKey(key) => {
            let id = object.remote.as_ref().map(|remote| remote.id.to_string());
            let name = key.name.as_ref().map(ToString::to_string);
            name.into_iter().chain(id).map(|name| (IgnoreTarget::ApiKeys, name)).collect()
        }
        // Its person and its workspace are.
        Spec::WorkspaceMember(_) => Vec::new(),
    }
}
