//! Objects by address: what is live, what is desired, and what both come to.
//!
//! Invariant: one object per address; a second one is refused, never written over the first.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, btree_map},
    iter,
    sync::Arc,
};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{Role, Spec, api_key::KeyFacts, member::MemberFacts, workspace::WorkspaceFacts};
use crate::{
    address::{Address, Kind, Name, RemoteId},
    diagnostic::Span,
    threads,
};

/// Whether a live object is in force, or waits for a person.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// In force.
    Active,
    /// Invited, not yet accepted.
    Pending,
}

/// What the API says of a live object beyond its spec: read-only, per kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Facts {
    /// Of a person.
    Member(Box<MemberFacts>),
    /// Of a workspace.
    Workspace(Box<WorkspaceFacts>),
    /// A grant has none.
    WorkspaceMember,
    /// Of an API key.
    ApiKey(Box<KeyFacts>),
}

/// The live side of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Remote {
    /// The id; of a pending person, the invite's.
    pub id: RemoteId,
    /// In force, or waiting.
    pub phase: Phase,
    /// What else the API says.
    pub facts: Facts,
}

/// Where in the files an object stands, and what only the files know of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Source {
    /// The place of its key.
    pub span: Span,
    /// The note for reviewers; never sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Arc<str>>,
    /// The last day it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// That day has passed, and the spec says what follows from it (a key: inactive).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expired: bool,
}

impl Source {
    /// A plain entry at this place.
    pub fn at(span: Span) -> Self {
        Self { span, note: None, until: None, expired: false }
    }
}

/// One object: what it is, its live side if it is live, its place if it is in the files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Object {
    /// What it is or should be.
    pub spec: Spec,
    /// Only if live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<Remote>,
    /// Only if in a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

impl Object {
    /// Facts of a person, if it is a live one.
    pub fn member_facts(&self) -> Option<&MemberFacts> {
        match self.remote.as_ref().map(|remote| &remote.facts) {
            Some(Facts::Member(facts)) => Some(facts),
            _ => None,
        }
    }

    /// Facts of a workspace, if it is a live one.
    pub fn workspace_facts(&self) -> Option<&WorkspaceFacts> {
        match self.remote.as_ref().map(|remote| &remote.facts) {
            Some(Facts::Workspace(facts)) => Some(facts),
            _ => None,
        }
    }

    /// Facts of a key, if it is a live one.
    pub fn key_facts(&self) -> Option<&KeyFacts> {
        match self.remote.as_ref().map(|remote| &remote.facts) {
            Some(Facts::ApiKey(facts)) => Some(facts),
            _ => None,
        }
    }

    /// The live phase.
    pub fn phase(&self) -> Option<Phase> {
        self.remote.as_ref().map(|remote| remote.phase)
    }
}

/// Objects by address. Objects are shared, so that copying a snapshot is cheap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<Address, Arc<Object>>);

/// An address was taken already.
#[derive(Debug, thiserror::Error)]
#[error("{address} stands twice")]
pub struct Duplicate {
    /// The address.
    pub address: Address,
    /// What stood there first.
    pub first: Arc<Object>,
}

impl Snapshot {
    /// Builds it from sorted or unsorted pairs; of two objects with one address the first stays and the
    /// second is returned.
    pub fn collect(
        pairs: impl IntoIterator<Item = (Address, Arc<Object>)>,
    ) -> (Self, Vec<Duplicate>) {
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        // A stable sort keeps the first of two first; building a map from sorted pairs is linear.
        threads::sort_by(&mut pairs, |a, b| a.0.cmp(&b.0));
        let mut duplicates = Vec::new();
        pairs.dedup_by(|(address, _), (last, first)| {
            let again = address == last;
            if again {
                let (address, first) = (address.clone(), Arc::clone(first));
                duplicates.push(Duplicate { address, first });
            }
            again
        });
        (Self(pairs.into_iter().collect()), duplicates)
    }

    /// Adds an object whose address must be free.
    pub fn insert_unique(
        &mut self,
        address: Address,
        object: Arc<Object>,
    ) -> Result<(), Box<Duplicate>> {
        match self.0.entry(address) {
            btree_map::Entry::Vacant(place) => {
                place.insert(object);
                Ok(())
            }
            btree_map::Entry::Occupied(place) => Err(Box::new(Duplicate {
                address: place.key().clone(),
                first: Arc::clone(place.get()),
            })),
        }
    }

    /// Puts an object in the place of whatever stood there.
    pub fn replace(&mut self, address: Address, object: Arc<Object>) {
        self.0.insert(address, object);
    }

    /// Takes an object out.
    pub fn remove(&mut self, address: &Address) -> Option<Arc<Object>> {
        self.0.remove(address)
    }

    /// The object at an address.
    pub fn get(&self, address: &Address) -> Option<&Arc<Object>> {
        self.0.get(address)
    }

    /// Whether an address is taken.
    pub fn contains(&self, address: &Address) -> bool {
        self.0.contains_key(address)
    }

    /// All objects in apply order.
    pub fn iter(&self) -> btree_map::Iter<'_, Address, Arc<Object>> {
        self.0.iter()
    }

    /// The objects of one kind.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = (&Address, &Arc<Object>)> {
        // Labels sort before ids and no scope before any: the least address of a kind has the empty label.
        let first = Address { kind, scope: None, name: Name::label("") };
        self.0.range(first..).take_while(move |(address, _)| address.kind == kind)
    }

    /// Every address of either snapshot in apply order, with the object of this one and of the other. It walks
    /// both once, where looking up each address would search the tree again and again.
    pub fn beside<'a>(&'a self, other: &'a Snapshot) -> impl Iterator<Item = Beside<'a>> {
        let (mut left, mut right) = (self.iter().peekable(), other.iter().peekable());
        iter::from_fn(move || {
            let order = match (left.peek(), right.peek()) {
                (None, None) => return None,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((left, _)), Some((right, _))) => left.cmp(right),
            };
            let own = if order.is_le() { left.next() } else { None };
            let others = if order.is_ge() { right.next() } else { None };
            let (address, _) = own.or(others)?;
            Some((address, own.map(|(_, object)| object), others.map(|(_, object)| object)))
        })
    }
}

/// An address and what stands at it in two snapshots; in at least one there is something.
pub type Beside<'a> = (&'a Address, Option<&'a Arc<Object>>, Option<&'a Arc<Object>>);

impl<'a> IntoIterator for &'a Snapshot {
    type Item = (&'a Address, &'a Arc<Object>);
    type IntoIter = btree_map::Iter<'a, Address, Arc<Object>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// What the invites of one address say about its past.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InviteHistory {
    /// When an invite was last accepted: somebody with this address was a member once.
    pub accepted: Option<Timestamp>,
    /// Expiry times of invites that nobody accepted, newest first.
    pub expired: Vec<Timestamp>,
    /// The newest of those invites, unless one was accepted since.
    pub lapsed: Option<LapsedInvite>,
}

/// An invite that nobody accepted in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LapsedInvite {
    /// When it lapsed.
    pub at: Timestamp,
    /// The role it would have given.
    pub role: Role,
    /// The groups it would have given (Enterprise).
    pub groups: Vec<Arc<str>>,
}

/// The organization as the API shows it, before anything is bound to the files.
#[derive(Clone, Debug)]
pub struct Live {
    /// Its id.
    pub organization: Arc<str>,
    /// Its name, if the API gave it.
    pub organization_name: Option<Arc<str>>,
    /// Every live object, addressed by remote ids; archived workspaces are not among them.
    pub objects: Vec<(Address, Arc<Object>)>,
    /// Archived workspaces: seen, so that their names are known, and never adopted.
    pub archived: Vec<Arc<Object>>,
    /// What past invites say, by canonical address.
    pub history: BTreeMap<Arc<str>, InviteHistory>,
    /// What was read whole. Nothing else may lead to a removal.
    pub coverage: Coverage,
}

/// Which listings were read to their end.
#[expect(clippy::struct_excessive_bools, reason = "one flag a listing says it best")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Users and invites.
    pub members: bool,
    /// Workspaces, archived ones included.
    pub workspaces: bool,
    /// The Default Workspace was asked for.
    pub default_workspace: bool,
    /// The members of these workspaces.
    pub workspace_members: std::collections::BTreeSet<RemoteId>,
    /// API keys.
    pub api_keys: bool,
}
