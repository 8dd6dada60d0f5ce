//! Workspace members: explicit grants, beside the access that organization roles bring along.
//!
//! Invariant: a grant belongs to a user who exists; inherited access is worked out when asked, never stored.

mod console;

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::{
    member_writes::{Writes, is_unknown, note, stale},
    user::paging,
    workspace::{self, Workspace},
    workspace_rules::writable,
};
use crate::{
    api::transport::Method,
    sandbox::{
        handle::Asked,
        ids,
        refusal::Refusal,
        request::Fields,
        routes::{Offered, Route, Takes},
        state::State,
        switches::{
            AddExisting, AddInherited, AdminGrants, BillingGrants, BillingRemoval, DefaultMembers,
            InheritedMember, ListOrder, NonMember,
        },
        table::bounds,
    },
};

const GRANTED: [&str; 4] =
    ["workspace_user", "workspace_restricted_developer", "workspace_developer", "workspace_admin"];

/// An explicit grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The workspace.
    pub workspace_id: String,
    /// The user.
    pub user_id: String,
    /// The role; any string may be seeded.
    pub role: String,
}

#[derive(Clone, Debug, Default)]
struct Rows {
    by_number: BTreeMap<u64, (String, String)>,
    by_user: HashMap<String, u64>,
}

/// The grants, by workspace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members {
    workspaces: BTreeMap<String, Rows>,
    next: u64,
    pub(super) writes: Writes,
}

impl Members {
    pub(super) fn get(&self, workspace: &str, user: &str) -> Option<&str> {
        let rows = self.workspaces.get(workspace)?;
        let (_, role) = rows.by_number.get(rows.by_user.get(user)?)?;
        Some(role)
    }

    /// Grants a role, or changes it.
    pub(crate) fn set(&mut self, workspace: &str, user: &str, role: &str) {
        let rows = self.workspaces.entry(workspace.to_owned()).or_default();
        let number = *rows.by_user.entry(user.to_owned()).or_insert_with(|| {
            self.next += 1;
            self.next
        });
        rows.by_number.insert(number, (user.to_owned(), role.to_owned()));
    }

    fn remove(&mut self, workspace: &str, user: &str) -> bool {
        let rows = self.workspaces.get_mut(workspace);
        let taken = rows.and_then(|rows| {
            let number = rows.by_user.remove(user)?;
            rows.by_number.remove(&number)
        });
        taken.is_some()
    }

    /// Drops every grant of somebody who left.
    pub(crate) fn drop_user(&mut self, user: &str) {
        for rows in self.workspaces.values_mut() {
            if let Some(number) = rows.by_user.remove(user) {
                rows.by_number.remove(&number);
            }
        }
    }

    fn count(&self, workspace: &str) -> usize {
        self.workspaces.get(workspace).map_or(0, |rows| rows.by_number.len())
    }

    /// The grants of one workspace, oldest first.
    pub(crate) fn of(&self, workspace: &str) -> impl Iterator<Item = (&str, &str)> {
        let rows = self.workspaces.get(workspace).into_iter();
        rows.flat_map(|rows| rows.by_number.values()).map(|(u, role)| (u.as_str(), role.as_str()))
    }
}

pub(crate) const ROUTES: [Route; 5] = [
    Route {
        method: Method::Get,
        pattern: "/v1/organizations/workspaces/{wrkspc_}/members",
        offered: Offered::Console,
        takes: Takes::Nothing,
        query: &["after_id", "before_id", "limit"],
        handler: list,
    },
    Route {
        method: Method::Post,
        pattern: "/v1/organizations/workspaces/{wrkspc_}/members",
        offered: Offered::Console,
        takes: Takes::Object,
        query: &[],
        handler: add,
    },
    Route {
        method: Method::Get,
        pattern: "/v1/organizations/workspaces/{wrkspc_}/members/{user_}",
        offered: Offered::Console,
        takes: Takes::Nothing,
        query: &[],
        handler: get,
    },
    Route {
        method: Method::Post,
        pattern: "/v1/organizations/workspaces/{wrkspc_}/members/{user_}",
        offered: Offered::Console,
        takes: Takes::Object,
        query: &[],
        handler: update,
    },
    Route {
        method: Method::Delete,
        pattern: "/v1/organizations/workspaces/{wrkspc_}/members/{user_}",
        offered: Offered::Console,
        takes: Takes::Nothing,
        query: &[],
        handler: remove,
    },
];

/// The access that an organization role brings to every workspace.
fn inherited(organization_role: &str) -> Option<&'static str> {
    match organization_role {
        "admin" | "owner" | "primary_owner" => Some("workspace_admin"),
        "billing" => Some("workspace_billing"),
        _ => None,
    }
}

/// What the API shows of somebody in a workspace: the explicit role unless inherited access hides it.
enum Seen<'a> {
    Explicit(&'a str),
    Inherited(&'static str),
    Nobody,
}

fn seen<'a>(state: &'a State, workspace: &str, user: &str, in_list: bool) -> Seen<'a> {
    let explicit = state.members.get(workspace, user);
    let above = state.users.get(user).and_then(|user| inherited(&user.role));
    let listed = match above {
        None => true,
        Some("workspace_billing") => match state.switches.billing_grants {
            BillingGrants::Hidden => false,
            BillingGrants::Listed => true,
            BillingGrants::Member => !in_list,
        },
        Some(_) => state.switches.admin_grants == AdminGrants::Listed,
    };
    match (explicit, above) {
        (Some(role), _) if listed => Seen::Explicit(role),
        (_, Some(above)) => Seen::Inherited(above),
        _ => Seen::Nobody,
    }
}

// Handlers share one signature.
#[allow(clippy::needless_pass_by_value)]
fn list(state: &mut State, asked: Asked) -> Result<Value, Refusal> {
    let id = &asked.ids[0];
    let workspace = state.workspaces.get(id).ok_or_else(workspace::missing)?;
    if workspace.is_default {
        match state.switches.default_members {
            DefaultMembers::Empty => {}
            DefaultMembers::BadRequest => return Err(no_members()),
            DefaultMembers::NotFound => return Err(workspace::missing()),
        }
    }
    // A cursor is a row number in disguise; a user id is refused.
    let rows = state.members.workspaces.get(id);
    let paging = paging(state, &asked.query, ids::row_of)?;
    let order = state.switches.list_order;
    let range = bounds(order, paging.from());
    let rows = rows.into_iter().flat_map(|rows| rows.by_number.range(range)).filter_map(
        |(number, (user, _))| match seen(state, id, user, true) {
            Seen::Explicit(role) => Some((*number, user.as_str(), role)),
            Seen::Inherited(_) | Seen::Nobody => None,
        },
    );
    let cursor = |(number, ..): &(u64, &str, &str)| ids::cursor(*number);
    let show = |(_, user, role): &(u64, &str, &str)| show(id, user, role);
    Ok(match order {
        ListOrder::OldestFirst => paging.page(rows, cursor, show),
        ListOrder::NewestFirst => paging.page(rows.rev(), cursor, show),
    })
}

#[allow(clippy::needless_pass_by_value)]
fn get(state: &mut State, asked: Asked) -> Result<Value, Refusal> {
    let [workspace, user] = [&asked.ids[0], &asked.ids[1]];
    state.workspaces.get(workspace).ok_or_else(workspace::missing)?;
    if let Some(before) = stale(state, workspace, user) {
        return before.map(|role| show(workspace, user, role)).ok_or_else(missing);
    }
    match seen(state, workspace, user, false) {
        Seen::Explicit(role) => Ok(show(workspace, user, role)),
        Seen::Inherited(role) if state.switches.inherited_member == InheritedMember::Shown => {
            Ok(show(workspace, user, role))
        }
        Seen::Inherited(_) | Seen::Nobody => Err(missing()),
    }
}

fn add(state: &mut State, asked: Asked) -> Result<Value, Refusal> {
    let mut fields = Fields::new(asked.body);
    let (user, role) = (fields.string("user_id")?, fields.string("workspace_role")?);
    fields.end()?;
    let workspace = &asked.ids[0];
    check_workspace(state, workspace)?;
    check_role(&role)?;
    let organization_role =
        state.users.get(&user).map(|user| user.role.as_str()).ok_or_else(no_user)?;
    match inherited(organization_role) {
        None => {}
        Some("workspace_billing") if role == "workspace_admin" => {}
        Some(_) if state.switches.add_inherited == AddInherited::Accepted => {}
        Some(above) => {
            return Err(Refusal::invalid(format!("the user has {above} in every workspace")));
        }
    }
    if state.members.get(workspace, &user).is_some() {
        match state.switches.add_existing {
            AddExisting::BadRequest => {
                return Err(Refusal::invalid("the user is a member of the workspace already"));
            }
            AddExisting::Conflict => {
                return Err(Refusal::conflict("the user is a member of the workspace already"));
            }
            AddExisting::Updates => {}
        }
    } else {
        if state.limits.workspace_members.is_some_and(|max| state.members.count(workspace) >= max) {
            return Err(Refusal::invalid("the workspace has as many members as it may have")
                .code("workspace_member_limit_exceeded"));
        }
        state.hide(&format!("{workspace}/{user}"));
    }
    note(state, workspace, &user);
    state.members.set(workspace, &user, &role);
    Ok(show(workspace, &user, &role))
}

fn update(state: &mut State, asked: Asked) -> Result<Value, Refusal> {
    let mut fields = Fields::new(asked.body);
    let role = fields.string("workspace_role")?;
    fields.end()?;
    let [workspace, user] = [&asked.ids[0], &asked.ids[1]];
    check_workspace(state, workspace)?;
    check_role(&role)?;
    match state.users.get(user).and_then(|user| inherited(&user.role)) {
        Some("workspace_billing") if role == "workspace_admin" => {}
        Some(_) => return Err(protected()),
        None if state.members.get(workspace, user).is_none() => return Err(no_member(state)),
        None => known(state, workspace, user)?,
    }
    note(state, workspace, user);
    state.members.set(workspace, user, &role);
    Ok(show(workspace, user, &role))
}

#[allow(clippy::needless_pass_by_value)]
fn remove(state: &mut State, asked: Asked) -> Result<Value, Refusal> {
    let [workspace, user] = [&asked.ids[0], &asked.ids[1]];
    check_workspace(state, workspace)?;
    match state.users.get(user).and_then(|user| inherited(&user.role)) {
        None => {}
        Some("workspace_billing") => {
            let own =
                state.members.get(workspace, user).filter(|role| *role != "workspace_billing");
            if own.is_none() || state.switches.billing_removal == BillingRemoval::Refused {
                return Err(protected());
            }
            if state.switches.billing_removal == BillingRemoval::LeavesRow {
                state.members.set(workspace, user, "workspace_billing");
                return Ok(removed(workspace, user));
            }
        }
        Some(_) => return Err(protected()),
    }
    if state.members.get(workspace, user).is_some() {
        known(state, workspace, user)?;
        note(state, workspace, user);
    }
    if !state.members.remove(workspace, user) {
        return Err(no_member(state));
    }
    Ok(removed(workspace, user))
}

fn removed(workspace: &str, user: &str) -> Value {
    json!({"type": "workspace_member_deleted", "user_id": user, "workspace_id": workspace})
}

/// Refuses a write to a grant that is too new to be known everywhere, if the switch says so.
fn known(state: &State, workspace: &str, user: &str) -> Result<(), Refusal> {
    if is_unknown(state, workspace, user) {
        return Err(Refusal::invalid("The specified user is not in the Workspace"));
    }
    Ok(())
}

/// Refuses writes where there is no member list to write.
fn check_workspace(state: &State, id: &str) -> Result<(), Refusal> {
    let workspace: &Workspace = state.workspaces.get(id).ok_or_else(workspace::missing)?;
    if workspace.is_default {
        return Err(match state.switches.default_members {
            DefaultMembers::Empty | DefaultMembers::BadRequest => no_members(),
            DefaultMembers::NotFound => workspace::missing(),
        });
    }
    writable(state, workspace)
}

fn check_role(role: &str) -> Result<(), Refusal> {
    if GRANTED.contains(&role) {
        return Ok(());
    }
    let message = format!(
        "workspace_role: `{role}` cannot be granted; it must be one of {}",
        GRANTED.join(", ")
    );
    Err(Refusal::invalid(message))
}

fn no_members() -> Refusal {
    Refusal::invalid("the Default Workspace has no member list")
}

fn no_user() -> Refusal {
    Refusal::not_found("user")
}

fn protected() -> Refusal {
    Refusal::invalid("access that comes from an organization role cannot be changed here")
}

fn missing() -> Refusal {
    Refusal::not_found("workspace member")
}

/// Refuses a change of somebody who is not in the workspace.
fn no_member(state: &State) -> Refusal {
    match state.switches.non_member {
        NonMember::BadRequest => Refusal::invalid("The specified user is not in the Workspace"),
        NonMember::NotFound => missing(),
    }
}

fn show(workspace: &str, user: &str, role: &str) -> Value {
    json!({
        "type": "workspace_member", "user_id": user, "workspace_id": workspace,
        "workspace_role": role,
    })
}
