//! The listings themselves: which ones, how many at a time, and what is wrong when one breaks off.
//!
//! Invariant: asks for nothing outside the scope, and for each page once.

use std::{
    collections::{BTreeSet, HashSet},
    convert::identity,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{StreamExt, TryStreamExt, future::join, stream};

use super::{Listings, Placed, objects};
use crate::{
    address::{Address, Name, RemoteId},
    api::{
        client::Reader,
        error::{ApiError, Asked},
        transport::Method,
        wire,
    },
    beside::Beside,
    resource::{
        matching::{Candidate, Found, Target, match_all},
        read_scope::{GrantScope, ReadScope},
        snapshot::Coverage,
        workspace::{CLAUDE_CODE, DEFAULT},
    },
};

/// Member listings under way at once; the limiter decides how fast they start.
const LISTINGS_AT_ONCE: usize = 16;

/// Why the organization could not be read whole.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ObserveError {
    /// Which organization it is could not be told.
    #[error("cannot tell which organization this is: {0}")]
    Organization(ApiError),
    /// A listing failed.
    #[error("cannot list {what}: {source}")]
    Listing {
        /// What was being listed.
        what: String,
        /// Why not.
        source: ApiError,
    },
}

impl ObserveError {
    /// What the API said.
    pub fn api(&self) -> &ApiError {
        match self {
            ObserveError::Organization(error) | ObserveError::Listing { source: error, .. } => {
                error
            }
        }
    }

    /// What to do next, if there is something to say.
    pub fn next_step(&self) -> Option<String> {
        self.api().next_step()
    }
}

/// Reads every listing in `scope`, side by side. The first error ends all of them.
pub(super) async fn listings(reader: &Reader, scope: &ReadScope) -> Result<Listings, ObserveError> {
    let ReadScope { members, workspaces, default_workspace, grants, api_keys } = scope;
    let ids = Arc::new(Ids::default());
    let users = async {
        if !members {
            return Ok(Vec::new());
        }
        users(reader.clone(), Arc::clone(&ids)).end().await
    };
    let invites = list(reader, *members, "invites", &["invites"], &[], identity::<wire::Invite>);
    let keys = list(reader, *api_keys, "API keys", &["api_keys"], &[], identity::<wire::ApiKey>);
    let spaces = workspaces_and_grants(reader, *workspaces, *default_workspace, grants, &ids);
    let (users, invites, keys, Spaces { workspaces: listed, default, grants }) =
        tokio::try_join!(users, invites, keys, spaces)?;
    let (listed_in, grants) = grants.into_iter().unzip();
    let coverage = Coverage {
        members: *members,
        workspaces: *workspaces,
        default_workspace: *default_workspace,
        workspace_members: listed_in,
        api_keys: *api_keys,
    };
    Ok(Listings { users, invites, workspaces: listed, default, grants, keys, coverage })
}

/// Lists the people beside the rest: most often that is the longest chain of pages, and the next one is asked for only
/// when the last is read.
fn users(reader: Reader, ids: Arc<Ids>) -> Beside<Result<Vec<Placed>, ObserveError>> {
    Beside::begin(async move {
        let placed = |user: wire::User| {
            let id = ids.shared(user.id);
            let address = Address::member(Name::id(&id));
            (address, Arc::new(objects::user(wire::User { id, ..user })))
        };
        let users = list(&reader, true, "users", &["users"], &[], placed).await?;
        if users.is_empty() && !reader.may_have_nobody() {
            return Err(ObserveError::Listing {
                what: "users".to_owned(),
                source: ApiError::Pagination {
                    asked: Asked {
                        method: Method::Get,
                        target: "/v1/organizations/users".to_owned(),
                    },
                    why: "the list is empty, and an organization has at least one member"
                        .to_owned(),
                },
            });
        }
        Ok(users)
    })
}

struct Spaces {
    workspaces: Vec<wire::Workspace>,
    default: Option<wire::Workspace>,
    grants: Vec<(RemoteId, Vec<Placed>)>,
}

/// Ids of people, each kept once, whichever list names it first: there are many grants, and comparing them is mostly
/// comparing pointers.
#[derive(Default)]
struct Ids(Mutex<HashSet<RemoteId>>);

impl Ids {
    fn shared(&self, id: RemoteId) -> RemoteId {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = ids.get(&id) {
            return known.clone();
        }
        ids.insert(id.clone());
        id
    }
}

async fn workspaces_and_grants(
    reader: &Reader,
    wanted: bool,
    default: bool,
    grants: &GrantScope,
    ids: &Ids,
) -> Result<Spaces, ObserveError> {
    // Archived ones too: their names must be known before a workspace of the same name is made.
    let all = [("include_archived", "true")];
    let with_default = [("include_default", "true")];
    let what = "workspaces";
    let as_read = identity::<wire::Workspace>;
    let all = list(reader, wanted, what, &["workspaces"], &all, as_read);
    let with_default = list(reader, default, what, &["workspaces"], &with_default, as_read);
    let (workspaces, with_default) = tokio::try_join!(all, with_default)?;
    let default = if default { find_default(&workspaces, with_default) } else { None };

    let in_scope = grant_scope(&workspaces, default.as_ref(), grants);
    reader.expect(in_scope.len());
    let grants = stream::iter(in_scope)
        .map(|(id, name)| async move {
            let what = format!("the members of the workspace `{name}`");
            let path = ["workspaces", id.as_str(), "members"];
            let grant = |wire::WorkspaceMember { user_id, workspace_role }| {
                let user = ids.shared(user_id);
                let address = Address::workspace_member(Name::id(&id), Name::id(&user));
                (address, Arc::new(objects::grant(&id, &user, &workspace_role)))
            };
            reader.expected_one();
            let members = list(reader, true, &what, &path, &[], grant).await?;
            Ok((id, members))
        })
        .buffered(LISTINGS_AT_ONCE)
        .try_collect()
        .await?;
    Ok(Spaces { workspaces, default, grants })
}

/// The Default Workspace: the one that is listed only on request (core.md §3.4). No field says so, and another
/// workspace can be made between the two listings, so its fixed name must fit too. One that is listed anyway is
/// none, whatever it is called: nothing says that others cannot have the name.
fn find_default(
    ordinary: &[wire::Workspace],
    with_default: Vec<wire::Workspace>,
) -> Option<wire::Workspace> {
    let known: BTreeSet<&RemoteId> = ordinary.iter().map(|workspace| &workspace.id).collect();
    let mut only_on_request = with_default
        .into_iter()
        .filter(|workspace| workspace.name == DEFAULT && !known.contains(&workspace.id));
    match (only_on_request.next(), only_on_request.next()) {
        (Some(default), None) => Some(default),
        (_, Some(_)) | (None, None) => None,
    }
}

/// The workspaces whose members are in scope, with their names.
fn grant_scope(
    workspaces: &[wire::Workspace],
    default: Option<&wire::Workspace>,
    scope: &GrantScope,
) -> Vec<(RemoteId, String)> {
    let active: Vec<&wire::Workspace> = workspaces
        .iter()
        .filter(|workspace| workspace.archived_at.is_none())
        .filter(|workspace| default.is_none_or(|default| default.id != workspace.id))
        .collect();
    let pair = |workspace: &wire::Workspace| (workspace.id.clone(), workspace.name.clone());
    match scope {
        GrantScope::None => Vec::new(),
        GrantScope::All => active.into_iter().map(pair).collect(),
        GrantScope::Of(entries) => {
            let targets: Vec<Target> = entries.iter().map(|entry| entry.target.clone()).collect();
            let candidates: Vec<Candidate<'_>> = active
                .iter()
                .map(|workspace| Candidate { id: &workspace.id, name: &workspace.name })
                .collect();
            let mut wanted = BTreeSet::new();
            let mut claimed = BTreeSet::new();
            let mut renamed = false;
            for (entry, found) in entries.iter().zip(match_all(&targets, &candidates)) {
                match found {
                    Found::One(index) => {
                        claimed.insert(index);
                        wanted.extend(entry.managed.then_some(index));
                    }
                    Found::Many(indices) => claimed.extend(indices),
                    Found::Nothing => renamed |= entry.may_be_renamed,
                }
            }
            if renamed {
                let is_open = |index: &usize| {
                    !claimed.contains(index) && candidates[*index].name != CLAUDE_CODE
                };
                wanted.extend((0..candidates.len()).filter(is_open));
            }
            wanted.into_iter().filter_map(|index| active.get(index).copied().map(pair)).collect()
        }
    }
}

/// Reads a list, and makes of each object what is kept of it.
async fn list<T: wire::Wire, U>(
    reader: &Reader,
    wanted: bool,
    what: &str,
    path: &[&str],
    query: &[(&str, &str)],
    keep: impl Fn(T) -> U,
) -> Result<Vec<U>, ObserveError> {
    let mut kept = Vec::new();
    if !wanted {
        return Ok(kept);
    }
    let mut pages = reader.pages(path, query);
    let failed = |source| ObserveError::Listing { what: what.to_owned(), source };
    let mut page = pages.next().await.map_err(failed)?;
    while let Some(objects) = page {
        // The next page is asked for first, and comes meanwhile.
        let keeping = async { kept.extend(objects.into_iter().map(&keep)) };
        let (next, ()) = join(pages.next(), keeping).await;
        page = next.map_err(failed)?;
    }
    Ok(kept)
}
