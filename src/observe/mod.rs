//! Reads the organization: every listing in scope, side by side, into [`Live`] objects addressed by their ids.
//!
//! Invariant: an observation is whole or an error; a listing that broke off never becomes a smaller organization.

mod hidden;
pub mod objects;
mod people;
mod read;

use std::{collections::HashSet, sync::Arc};

use jiff::Timestamp;

pub use self::hidden::grants_by_member;
pub use self::{people::InviteState, read::ObserveError};
use crate::{
    address::{Address, Name, RemoteId},
    api::{client::Reader, error::ApiError, wire},
    resource::{Live, Object, OrgKind, read_scope::ReadScope, snapshot::Coverage},
};

/// Whom the credential belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationInfo {
    /// Its id.
    pub id: Arc<str>,
    /// Its name, if the API gave it.
    pub name: Option<Arc<str>>,
}

/// Asks which organization the credential belongs to: the first request of every command that reads.
pub async fn me(reader: &Reader) -> Result<wire::Me, ApiError> {
    reader.get(&["me"]).await
}

/// Which organization an answer to [`me`] names.
///
/// Where `GET me` may be missing (every kind but Console), the header that each answer carries tells the id.
pub fn identify(
    me: Result<wire::Me, ApiError>,
    reader: &Reader,
    kind: OrgKind,
) -> Result<OrganizationInfo, ObserveError> {
    match me {
        Ok(wire::Me { id, name }) => {
            Ok(OrganizationInfo { id: id.0, name: (!name.is_empty()).then(|| name.into()) })
        }
        Err(error) if kind != OrgKind::Console && is_missing(&error) => reader
            .organization_header()
            .map(|id| OrganizationInfo { id: id.into(), name: None })
            .ok_or(ObserveError::Organization(error)),
        Err(error) => Err(ObserveError::Organization(error)),
    }
}

/// Reads all that is in `scope`.
///
/// Needs a runtime of tokio, since the lists of people have a task of their own.
///
/// `own_key` says whether a key's hint fits the credential in use; `now` decides which invites are still open.
pub async fn observe(
    reader: &Reader,
    organization: &OrganizationInfo,
    scope: &ReadScope,
    own_key: &(dyn Fn(&str) -> bool + Sync),
    now: Timestamp,
) -> Result<Live, ObserveError> {
    // On the heap: the future of all lists at once is large.
    let listings = Box::pin(read::listings(reader, scope)).await?;
    Ok(assemble(organization, listings, own_key, now))
}

/// An object under its id.
type Placed = (Address, Arc<Object>);

/// What was read. Long lists are made objects of page by page, while the next page is on its way.
#[derive(Debug, Default)]
struct Listings {
    users: Vec<Placed>,
    invites: Vec<wire::Invite>,
    workspaces: Vec<wire::Workspace>,
    /// The Default Workspace, if it was asked for and found.
    default: Option<wire::Workspace>,
    /// Those of each workspace whose members were asked for.
    grants: Vec<Vec<Placed>>,
    keys: Vec<wire::ApiKey>,
    coverage: Coverage,
}

fn assemble(
    organization: &OrganizationInfo,
    listings: Listings,
    own_key: &(dyn Fn(&str) -> bool + Sync),
    now: Timestamp,
) -> Live {
    let Listings { users, invites, workspaces, default, grants, keys, coverage } = listings;
    let people::People { mut objects, history } = people::join(users, &invites, now);
    let is_default = |id: &RemoteId| default.as_ref().is_some_and(|default| default.id == *id);

    let granted: usize = grants.iter().map(Vec::len).sum();
    objects.reserve_exact(workspaces.len() + 1 + granted + keys.len());
    let mut archived = Vec::new();
    // Ids are shared between a workspace, its grants and its keys, so that comparing them is cheap.
    let mut placed: HashSet<&RemoteId> = HashSet::with_capacity(workspaces.len());
    for workspace in workspaces.iter().filter(|workspace| !is_default(&workspace.id)) {
        placed.insert(&workspace.id);
        let object = Arc::new(objects::workspace(workspace, false));
        if workspace.archived_at.is_some() {
            archived.push(object);
        } else {
            objects.push((Address::workspace(Name::id(&workspace.id)), object));
        }
    }
    if let Some(default) = &default {
        let object = Arc::new(objects::workspace(default, true));
        objects.push((Address::workspace(Name::id(&default.id)), object));
    }

    objects.extend(grants.into_iter().flatten());

    for key in keys {
        let place = match key.reach() {
            wire::Reach::Workspace(id) => placed.get(&id).map(|id| Name::id(id)),
            wire::Reach::Organization
            | wire::Reach::DefaultOrOrganization
            | wire::Reach::Other(_) => None,
        };
        let in_use = key.partial_key_hint.as_deref().is_some_and(own_key);
        let object = Arc::new(objects::api_key(&key, place, in_use));
        objects.push((Address::api_key(&key.id), object));
    }

    Live {
        organization: Arc::clone(&organization.id),
        organization_name: organization.name.clone(),
        objects,
        archived,
        history,
        coverage,
    }
}

/// The call does not exist for this kind of organization.
fn is_missing(error: &ApiError) -> bool {
    matches!(error.status(), Some(400 | 403 | 404))
}

#[cfg(test)]
mod tests;
