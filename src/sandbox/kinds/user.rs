//! Users: the people of the organization.
//!
//! Invariant: admins and owners are changed only from the Console, and the last member stays.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    api::transport::Method,
    sandbox::{
        clock,
        handle::Asked,
        page::Paging,
        refusal::Refusal,
        request::{Fields, Query},
        routes::{Offered, Route, Takes},
        state::{OrganizationKind, State},
        switches::{IdentityProvider, ListOrder, ProtectedStatus, ReturningUser},
        table::{Row, Table},
    },
};

/// A member of the organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// `user_…`.
    pub id: String,
    /// The address, as it is stored.
    pub email: String,
    /// The person's name.
    pub name: String,
    /// The organization role; any string may be seeded.
    pub role: String,
    /// When they joined.
    pub added_at: Timestamp,
}

impl Row for User {
    fn id(&self) -> &str {
        &self.id
    }
}

/// The users, also found by address.
#[derive(Clone, Debug, Default)]
pub(crate) struct Users {
    table: Table<User>,
    by_address: BTreeSet<(String, u64)>,
    /// The ids of people who left, by address in lower case.
    former: HashMap<String, String>,
}

impl Users {
    pub(crate) fn get(&self, id: &str) -> Option<&User> {
        self.table.get(id)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &User> {
        self.table.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    pub(crate) fn insert(&mut self, user: User) {
        let address = fold(&user.email);
        let number = self.table.insert(user);
        self.by_address.insert((address, number));
    }

    /// The users whose folded address is the same, oldest first.
    pub(crate) fn like(&self, email: &str) -> impl DoubleEndedIterator<Item = (u64, &User)> {
        let address = fold(email);
        let range = (address.clone(), 0)..=(address, u64::MAX);
        self.by_address
            .range(range)
            .filter_map(|(_, number)| Some((*number, self.table.at(*number)?)))
    }

    pub(crate) fn former(&self) -> &HashMap<String, String> {
        &self.former
    }

    pub(crate) fn remember(&mut self, email: &str, id: String) {
        self.former.insert(email.to_ascii_lowercase(), id);
    }

    fn remove(&mut self, id: &str) -> Option<User> {
        let number = self.table.number(id)?;
        let user = self.table.remove(id)?;
        self.by_address.remove(&(fold(&user.email), number));
        self.remember(&user.email, user.id.clone());
        Some(user)
    }
}

/// What the `email` filter and the switch `address_matching: variants` compare: lower case, without plus-tag and dots.
pub(crate) fn fold(email: &str) -> String {
    let email = email.trim().to_lowercase();
    match email.rsplit_once('@') {
        None => email,
        Some((local, domain)) => {
            let local = local.split('+').next().unwrap_or_default().replace('.', "");
            format!("{local}@{domain}")
        }
    }
}

/// The roles that the API assigns in a kind of organization.
pub(crate) fn assignable(kind: OrganizationKind) -> &'static [&'static str] {
    match kind {
        OrganizationKind::Console | OrganizationKind::Aws => {
            &["user", "developer", "billing", "claude_code_user"]
        }
        OrganizationKind::Enterprise => &["user", "managed"],
    }
}

/// The roles that the `roles[]` filter knows.
pub(crate) fn filterable(kind: OrganizationKind) -> &'static [&'static str] {
    match kind {
        OrganizationKind::Console | OrganizationKind::Aws => {
            &["user", "developer", "billing", "admin", "claude_code_user"]
        }
        OrganizationKind::Enterprise => {
            &["user", "owner", "primary_owner", "membership_admin", "managed"]
        }
    }
}

/// Whether the API leaves a member with this role alone.
pub(crate) fn is_protected(role: &str) -> bool {
    matches!(role, "admin" | "owner" | "primary_owner" | "membership_admin")
}

pub(crate) const ROUTES: [Route; 4] = [
    Route {
        method: Method::Get,
        pattern: "/v1/organizations/users",
        offered: Offered::People,
        takes: Takes::Nothing,
        query: &["after_id", "before_id", "email", "limit", "roles[]"],
        handler: list,
    },
    Route {
        method: Method::Get,
        pattern: "/v1/organizations/users/{user_}",
        offered: Offered::People,
        takes: Takes::Nothing,
        query: &[],
        handler: get,
    },
    Route {
        method: Method::Post,
        pattern: "/v1/organizations/users/{user_}",
        offered: Offered::People,
        takes: Takes::Object,
        query: &[],
        handler: update,
    },
    Route {
        method: Method::Delete,
        pattern: "/v1/organizations/users/{user_}",
        offered: Offered::People,
        takes: Takes::Nothing,
        query: &[],
        handler: remove,
    },
];

// Handlers share one signature.
#[allow(clippy::needless_pass_by_value)]
fn list(state: &mut State, asked: Asked) -> Result<Value, Refusal> {
    let users = &state.users;
    let paging = paging(state, &asked.query, |id| users.table.number(id))?;
    let roles = asked.query.choices("roles", filterable(state.organization.kind))?;
    let keep = |user: &User| roles.is_empty() || roles.contains(&user.role.as_str());
    let order = ListOrder::NewestFirst;
    let cursor = |(_, user): &(u64, &User)| user.id.clone();
    let show = |(_, user): &(u64, &User)| show(user);
    Ok(if let Some(email) = asked.query.address("email")? {
        let rows = users
            .like(email)
            .rev()
            .filter(|(number, user)| paging.covers(order, *number) && keep(user));
        paging.page(rows, cursor, show)
    } else {
        let rows = users.table.slice(order, paging.from()).filter(|(_, user)| keep(user));
        paging.page(rows, cursor, show)
    })
}

#[allow(clippy::needless_pass_by_value)]
fn get(state: &mut State, asked: Asked) -> Result<Value, Refusal> {
    state.users.get(&asked.ids[0]).map(show).ok_or_else(missing)
}

fn update(state: &mut State, asked: Asked) -> Result<Value, Refusal> {
    let mut fields = Fields::new(asked.body);
    let role = fields.string("role")?;
    fields.end()?;
    check_role(state, &role, &asked.grant)?;
    let user = state.users.table.get(&asked.ids[0]).ok_or_else(missing)?;
    changeable(state, user)?;
    let user = state.users.table.get_mut(&asked.ids[0]).ok_or_else(missing)?;
    user.role = role;
    Ok(show(user))
}

#[allow(clippy::needless_pass_by_value)]
fn remove(state: &mut State, asked: Asked) -> Result<Value, Refusal> {
    let user = state.users.get(&asked.ids[0]).ok_or_else(missing)?;
    changeable(state, user)?;
    if state.users.len() == 1 {
        return Err(Refusal::invalid("the last member of an organization cannot be removed")
            .code("cannot_remove_last_member"));
    }
    let id = user.id.clone();
    state.remove_user(&id);
    Ok(json!({"id": id, "type": "user_deleted"}))
}

/// Refuses a role that the API does not assign here.
pub(crate) fn check_role(
    state: &State,
    role: &str,
    grant: &crate::sandbox::credentials::Grant,
) -> Result<(), Refusal> {
    let roles = assignable(state.organization.kind);
    if !roles.contains(&role) {
        return Err(Refusal::invalid(format!(
            "role: `{role}` cannot be assigned; it must be one of {}",
            roles.join(", ")
        )));
    }
    if role == "managed" { grant.needs("write:rbac_groups") } else { Ok(()) }
}

/// Refuses what an identity provider rules.
pub(crate) fn ruled_here(state: &State) -> Result<(), Refusal> {
    match state.switches.identity_provider {
        IdentityProvider::None => Ok(()),
        IdentityProvider::Manages => {
            Err(Refusal::invalid("members are managed by the identity provider"))
        }
    }
}

pub(crate) fn paging(
    state: &State,
    query: &Query,
    row_of: impl Fn(&str) -> Option<u64>,
) -> Result<Paging, Refusal> {
    Paging::read(query, (state.switches.page_size, state.switches.has_more), row_of)
}

fn changeable(state: &State, user: &User) -> Result<(), Refusal> {
    if is_protected(&user.role) {
        let status = match state.switches.protected_status {
            ProtectedStatus::BadRequest => 400,
            ProtectedStatus::Forbidden => 403,
        };
        let message = format!("a member with role {} cannot be changed here", user.role);
        return Err(Refusal::status(status, message));
    }
    ruled_here(state)
}

pub(crate) fn missing() -> Refusal {
    Refusal::not_found("user")
}

pub(crate) fn show(user: &User) -> Value {
    let User { id, email, name, role, added_at } = user;
    json!({
        "id": id, "email": email, "name": name, "role": role,
        "added_at": clock::text(*added_at), "type": "user",
    })
}

/// What a person does in the Console, or what tests look at.
impl State {
    /// Every user, oldest first.
    pub fn users(&self) -> impl DoubleEndedIterator<Item = &User> {
        self.users.iter()
    }

    /// A user by id or by exact address (but for case).
    pub fn user(&self, who: &str) -> Option<&User> {
        self.users.get(who).or_else(|| {
            self.users
                .like(who)
                .map(|(_, user)| user)
                .find(|user| user.email.eq_ignore_ascii_case(who))
        })
    }

    /// Adds somebody, without an invite; gives the id.
    pub fn add_user(&mut self, email: &str, role: &str) -> String {
        let known = self.users.former().get(&email.to_ascii_lowercase());
        let id = match (known, self.switches.returning_user) {
            (Some(id), ReturningUser::SameId) if self.users.get(id).is_none() => id.clone(),
            _ => self.ids.fresh("user_"),
        };
        let user = User {
            id: id.clone(),
            name: name_of(email),
            email: email.to_owned(),
            role: role.to_owned(),
            added_at: self.now(),
        };
        self.users.insert(user);
        id
    }

    /// Sets any role, admin included; false if nobody has this id or address.
    pub fn set_role(&mut self, who: &str, role: &str) -> bool {
        let id = self.user(who).map(|user| user.id.clone());
        match id.and_then(|id| self.users.table.get_mut(&id)) {
            Some(user) => {
                role.clone_into(&mut user.role);
                true
            }
            None => false,
        }
    }

    /// Moves somebody's row to the newest end of the list, as if they had just joined; false if nobody has this id
    /// or address.
    pub fn move_user(&mut self, who: &str) -> bool {
        let Some(id) = self.user(who).map(|user| user.id.clone()) else { return false };
        match self.users.remove(&id) {
            Some(user) => {
                self.users.insert(user);
                true
            }
            None => false,
        }
    }

    /// Removes somebody with their memberships, and archives their personal keys; false if nobody has this id or
    /// address.
    pub fn remove_user(&mut self, who: &str) -> bool {
        let Some(id) = self.user(who).map(|user| user.id.clone()) else { return false };
        self.users.remove(&id);
        self.members.drop_user(&id);
        self.api_keys.archive_personal(&id);
        true
    }
}

/// A name for an address: `ada.m@acme.com` is "Ada M".
pub(crate) fn name_of(email: &str) -> String {
    let local = email.split(['@', '+']).next().unwrap_or_default();
    let words = local.split(['.', '_', '-']).filter(|word| !word.is_empty());
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_uppercase().chain(letters).collect::<String>()
        })
    };
    words.map(capital).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_ignores_case_dots_and_plus_tags_of_the_local_part() {
        assert_eq!(fold("Ada.M+ci@Acme.com"), "adam@acme.com");
        assert_eq!(fold("ada@a.b"), "ada@a.b");
        assert_eq!(name_of("ada.m+x@acme.com"), "Ada M");
    }
}
