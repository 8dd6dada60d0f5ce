//! Entries of the old files in the words of the new ones, and those that held something back and are dropped.
//!
//! Invariant: two old entries never get the same name, so that none stands for another.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use crate::{
    address::{Address, Kind, Name, RemoteId},
    diagnostic::Span,
    resource::{
        Desired, Snapshot, Spec,
        desired::{GoneCause, ListScope, Unlisted},
    },
};

/// How the new files call what the old ones name.
#[derive(Clone, Debug, Default)]
pub struct Entries {
    members: HashMap<Arc<str>, Arc<str>>,
    workspaces: HashMap<Arc<str>, Arc<str>>,
    keys: BTreeMap<Address, Place>,
    /// Old entries without an object that are dropped, which has a consequence.
    pub dropped: Vec<Dropped>,
}

/// Where a key is listed: its workspace, and what it is listed as.
type Place = (Option<Arc<str>>, Arc<str>);

/// An old entry that wanted nothing, and that the new files do not have.
#[derive(Clone, Debug)]
pub struct Dropped {
    /// What it was about, in the words of the new files.
    pub address: Address,
    /// What it said.
    pub said: &'static str,
    /// What follows for what is live.
    pub effect: &'static str,
    /// Where it stood.
    pub at: Option<Span>,
}

impl Entries {
    /// Says who is who, by what the new entries were bound to; `origin` has the old entry of each object.
    pub(super) fn of(
        old: &Desired,
        new: &Desired,
        live: &Snapshot,
        origin: &BTreeMap<RemoteId, Address>,
    ) -> Self {
        let mut entries = Self::default();
        for (address, object) in live {
            let Some(before) = object.remote.as_ref().and_then(|remote| origin.get(&remote.id))
            else {
                continue;
            };
            let listed = new.objects.contains(address) || new.gone.contains_key(address);
            match address.kind {
                Kind::Member | Kind::Workspace if listed => {
                    entries.rename(address.kind, before.name.text(), address.name.text());
                }
                // Its name went to another: it is no longer the entry of that name.
                Kind::Member | Kind::Workspace if live.contains(before) && before != address => {
                    let former = format!("{} (as it was)", before.name).into();
                    entries.rename(address.kind, before.name.text(), &former);
                }
                Kind::ApiKey => {
                    let wanted = new.objects.get(address).map(|object| &object.spec);
                    if let Some(Spec::ApiKey(key)) = wanted {
                        let workspace = key.workspace.as_ref().map(|name| Arc::clone(name.text()));
                        let place = (workspace, Arc::clone(address.name.text()));
                        entries.keys.insert(before.clone(), place);
                    }
                }
                Kind::Member | Kind::Workspace | Kind::WorkspaceMember => {}
            }
        }
        // Entries that want nothing have no object: only a pin says who is who.
        for (address, pin) in &new.pins {
            let means = |other: &Address| {
                let former = pin.previously.iter().flatten().any(|name| name == other.name.text());
                let id = old.pins.get(other).and_then(|pin| pin.id.as_ref());
                former || (id.is_some() && id == pin.id.as_ref())
            };
            let of_kind = |other: &&Address| other.kind == address.kind && *other != address;
            for other in old.gone.keys().filter(of_kind).filter(|other| means(other)) {
                entries.rename(address.kind, other.name.text(), address.name.text());
            }
        }
        entries.dropped = entries.all_dropped(old, new);
        entries
    }

    fn rename(&mut self, kind: Kind, before: &Arc<str>, after: &Arc<str>) {
        let names = if kind == Kind::Member { &mut self.members } else { &mut self.workspaces };
        if before != after {
            names.insert(Arc::clone(before), Arc::clone(after));
        }
    }

    /// What a person is listed as now, by the canonical address.
    pub fn member(&self, before: &Arc<str>) -> Arc<str> {
        Arc::clone(self.members.get(before).unwrap_or(before))
    }

    /// What a workspace is listed as now.
    pub fn workspace(&self, before: &Arc<str>) -> Arc<str> {
        Arc::clone(self.workspaces.get(before).unwrap_or(before))
    }

    /// Where a key is listed now.
    pub fn key(&self, address: &Address, workspace: Option<&Arc<str>>) -> Place {
        self.keys.get(address).cloned().unwrap_or_else(|| {
            (workspace.map(|name| self.workspace(name)), Arc::clone(address.name.text()))
        })
    }

    /// The address of an old entry in the words of the new files; a key always with its workspace.
    pub(super) fn now(&self, old: &Desired, before: &Address) -> Address {
        let label = |name: Arc<str>| Name::Label(name);
        let name = before.name.text();
        match (before.kind, &before.scope) {
            (Kind::Member, _) => Address::member(label(self.member(name))),
            (Kind::WorkspaceMember, Some(workspace)) => Address::workspace_member(
                label(self.workspace(workspace.text())),
                label(self.member(name)),
            ),
            (Kind::Workspace, _) | (Kind::WorkspaceMember, None) => {
                Address::workspace(label(self.workspace(name)))
            }
            (Kind::ApiKey, _) => {
                let workspace = match old.objects.get(before).map(|object| &object.spec) {
                    Some(Spec::ApiKey(key)) => key.workspace.as_ref().map(Name::text),
                    _ => None,
                };
                let (workspace, name) = self.key(before, workspace);
                Address::api_key_named(workspace.map(label), label(name))
            }
        }
    }

    /// A removal that is called off, and a grant that was held on to and no longer is.
    fn all_dropped(&self, old: &Desired, new: &Desired) -> Vec<Dropped> {
        let gone = old.gone.iter().map(|(before, gone)| {
            let said = match gone.cause {
                GoneCause::None => "none",
                GoneCause::Expired => "past its `until`",
                GoneCause::Archived => "archived",
            };
            (before, said, Some(gone.source.span.clone()))
        });
        let kept = old.kept.iter().map(|before| (before, "unmanaged", None));
        let mut dropped = Vec::new();
        for (before, said, at) in gone.chain(kept) {
            let address = self.now(old, before);
            let named = new.objects.contains(&address)
                || new.gone.contains_key(&address)
                || new.kept.contains(&address);
            let effect = match (old.kept.contains(before), goes_unlisted(new, &address)) {
                (true, true) => "whoever is there is removed",
                (false, false) if address.kind == Kind::Workspace => "it stays if it is there",
                (false, false) => "whoever is there stays",
                // Nothing follows from it: what stayed stays, what was to go goes.
                (true, false) | (false, true) => continue,
            };
            if !named {
                dropped.push(Dropped { address, said, effect, at });
            }
        }
        dropped
    }
}

/// Whether the new files remove what is at an address that they do not list.
fn goes_unlisted(new: &Desired, address: &Address) -> bool {
    let scope = &new.scope;
    let removes = |list: Option<&ListScope>| list.is_some_and(|l| l.unlisted == Unlisted::Remove);
    let goes = |of: &Address, list: Option<&ListScope>| {
        new.gone.contains_key(of) || (removes(list) && !new.objects.contains(of))
    };
    match (address.kind, &address.scope) {
        (Kind::Member, _) => removes(scope.members.as_ref()),
        (Kind::WorkspaceMember, Some(workspace)) => {
            removes(scope.workspace_members.get(workspace))
                || goes(&Address::member(address.name.clone()), scope.members.as_ref())
                || goes(&Address::workspace(workspace.clone()), scope.workspaces.as_ref())
        }
        (Kind::Workspace, _) => removes(scope.workspaces.as_ref()),
        (Kind::ApiKey, workspace) => removes(scope.api_keys.get(workspace)),
        (Kind::WorkspaceMember, None) => false,
    }
}
