//! Grants that a list leaves out and a read of the one member may show.
//!
//! Invariant: only `workspace_admin` that is shown counts, so that no step ever changes or takes what a list hides.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{ObserveError, Placed, objects};
use crate::{
    address::{Address, Name, RemoteId},
    api::{client::Reader, wire},
    resource::WorkspaceRole,
};

/// Reads under way at once; the limiter decides how fast they start.
const AT_ONCE: usize = 16;

/// The grants of these people in these workspaces that their own entries show.
///
/// # Errors
/// If a read fails in another way than that there is no such member.
pub async fn grants_by_member(
    reader: &Reader,
    places: &[(RemoteId, RemoteId)],
) -> Result<Vec<Placed>, ObserveError> {
    let read = places.iter().map(|(workspace, user)| async move {
        let path = ["workspaces", workspace.as_str(), "members", user.as_str()];
        match reader.get::<wire::WorkspaceMember>(&path).await {
            Ok(row) => Ok(own(workspace, user, &row.workspace_role)),
            Err(error) if matches!(error.status(), Some(400 | 404)) => Ok(None),
            Err(source) => {
                let what = format!("the grant of `{user}` in the workspace `{workspace}`");
                Err(ObserveError::Listing { what, source })
            }
        }
    });
    let rows: Vec<Option<Placed>> = stream::iter(read).buffered(AT_ONCE).try_collect().await?;
    Ok(rows.into_iter().flatten().collect())
}

/// The row as a grant, if it is the one that a billing member can be given. A plan rests on nothing else that a list hides.
fn own(workspace: &RemoteId, user: &RemoteId, role: &str) -> Option<Placed> {
    if WorkspaceRole::from_wire(role) != WorkspaceRole::Admin {
        return None;
    }
    let address = Address::workspace_member(Name::id(workspace), Name::id(user));
    Some((address, Arc::new(objects::grant(workspace, user, role))))
}
