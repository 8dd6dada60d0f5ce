//! Gives every live key its address: by id, or by a name that is unique in its workspace.
//!
//! Invariant: a name that several keys have is given to none of them, and no key is switched on by a name that an
//! archived one had too.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{Bound, list};
use crate::{
    address::{Address, Kind, Name, RemoteId},
    resource::{
        Desired, Disposition, KeyStatus, Object, Spec,
        matching::{Candidate, Found, Target, match_all},
    },
};

/// Keys with their addresses: that of the entry that means it, else its id.
pub(super) fn bind_keys(
    desired: &Desired,
    keys: Vec<Arc<Object>>,
    bound: &mut Bound,
) -> Vec<(Address, Arc<Object>)> {
    // A key by name is looked for among the keys of its workspace that are not archived and that no entry has by id.
    let place = |workspace: Option<&Name>, name: &str| -> Arc<str> {
        format!("{}\u{0}{name}", workspace.map_or("", Name::as_str)).into()
    };
    let mut named: Vec<(&RemoteId, Arc<str>)> = Vec::new();
    let mut off: HashSet<&RemoteId> = HashSet::new();
    let mut archived: HashMap<Arc<str>, &RemoteId> = HashMap::new();
    for key in &keys {
        let (Spec::ApiKey(spec), Some(remote)) = (&key.spec, &key.remote) else { continue };
        let (Some(name), Some(status)) = (&spec.name, &spec.status) else { continue };
        let by_id = desired.objects.contains(&Address::api_key(&remote.id));
        match status {
            _ if by_id => {}
            KeyStatus::Archived => {
                archived.insert(place(spec.workspace.as_ref(), name), &remote.id);
            }
            status => {
                named.push((&remote.id, place(spec.workspace.as_ref(), name)));
                if *status == KeyStatus::Inactive {
                    off.insert(&remote.id);
                }
            }
        }
    }
    let candidates: Vec<Candidate<'_>> =
        named.iter().map(|(id, name)| Candidate { id, name }).collect();
    let entries: Vec<(&Address, &str)> = desired
        .objects
        .of(Kind::ApiKey)
        .filter_map(|(address, _)| match &address.name {
            Name::Label(label) => Some((address, &**label)),
            Name::Id(_) => None,
        })
        .collect();
    let targets: Vec<Target> = entries
        .iter()
        .map(|(address, name)| Target {
            id: None,
            name: place(address.scope.as_ref(), name),
            previously: Vec::new(),
        })
        .collect();
    let mut names: HashMap<Arc<str>, Address> = HashMap::new();
    for ((address, name), found) in entries.iter().zip(match_all(&targets, &candidates)) {
        match found {
            Found::One(index) => {
                let Candidate { id, name: place } = candidates[index];
                names.insert(id.0.clone(), (*address).clone());
                // The key that was meant may be the one that is gone: this one was switched off, perhaps for a reason.
                if let Some(gone) = archived.get(place).filter(|_| off.contains(id)) {
                    let why = format!(
                        "the key named `{name}` here is switched off, and another of that name is archived (`{}`), so \
                         the name does not tell which was meant: list it by its id (`{}`)",
                        gone.0, id.0
                    );
                    bound.blocked.insert((*address).clone(), Disposition::Manual { why });
                }
            }
            Found::Many(indices) => {
                let ids: Vec<&RemoteId> = indices.iter().map(|&i| candidates[i].id).collect();
                bound.blocked.insert(
                    (*address).clone(),
                    Disposition::Manual {
                        why: format!(
                            "several keys here are named `{name}`: list them by id ({})",
                            list(&ids)
                        ),
                    },
                );
            }
            Found::Nothing => {}
        }
    }
    keys.into_iter()
        .filter_map(|key| {
            let id = &key.remote.as_ref()?.id;
            let address = names.get(&id.0).cloned().unwrap_or_else(|| Address::api_key(id));
            Some((address, key))
        })
        .collect()
}
