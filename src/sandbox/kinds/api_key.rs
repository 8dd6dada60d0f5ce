//! API keys: switched, renamed and archived here; made and deleted only in the Console.
//!
//! Invariant: `expired` is set by the clock alone, `archived` is final, and no secret is kept.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::user::paging;
use crate::{
    api::transport::Method,
    sandbox::{
        clock,
        handle::Asked,
        refusal::Refusal,
        request::{Fields, text},
        routes::{Offered, Route, Takes},
        state::State,
        switches::{KeyWorkspaceId, NullKeyField, PrincipalShape, Switches},
        table::{Row, Table},
    },
};

/// The status of a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyStatus {
    /// It works.
    #[default]
    Active,
    /// It is off.
    Inactive,
    /// It is gone for good.
    Archived,
    /// Its time ran out.
    Expired,
}

/// An API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// `apikey_…`.
    pub id: String,
    /// Its name; names repeat.
    pub name: String,
    /// The status that was set; [`ApiKey::status_at`] adds the clock.
    pub status: KeyStatus,
    /// The workspace it is bound to; `None` is organization scope.
    pub workspace_id: Option<String>,
    /// `user_…` or `svac_…`; `None` for legacy keys.
    pub created_by: Option<String>,
    /// Who it acts as; `None` for legacy keys.
    pub principal: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
    /// The visible part of the secret.
    pub partial_key_hint: Option<String>,
    /// When the archiving of its workspace reaches it.
    pub archives_at: Option<Timestamp>,
}

impl ApiKey {
    /// The status at a time.
    pub fn status_at(&self, now: Timestamp) -> KeyStatus {
        if self.status == KeyStatus::Archived || self.archives_at.is_some_and(|at| at <= now) {
            KeyStatus::Archived
        } else if self.expires_at.is_some_and(|at| at <= now) {
            KeyStatus::Expired
        } else {
            self.status
        }
    }
}

impl Row for ApiKey {
    fn id(&self) -> &str {
        &self.id
    }
}

/// The keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct ApiKeys {
    table: Table<ApiKey>,
}

impl ApiKeys {
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &ApiKey> {
        self.table.iter()
    }

    pub(crate) fn get(&self, id: &str) -> Option<&ApiKey> {
        self.table.get(id)
    }

    pub(crate) fn insert(&mut self, key: ApiKey) {
        self.table.insert(key);
    }

    /// Archives the keys that act as somebody who left; their other keys live on.
    pub(crate) fn archive_personal(&mut self, user: &str) {
        for key in self.table.iter_mut().filter(|key| key.principal.as_deref() == Some(user)) {
            key.status = KeyStatus::Archived;
        }
    }

    /// Archives the keys of a workspace at a time.
    pub(crate) fn archive_workspace(&mut self, workspace: &str, at: Timestamp) {
        for key in
            self.table.iter_mut().filter(|key| key.workspace_id.as_deref() == Some(workspace))
        {
            key.archives_at.get_or_insert(at);
        }
    }
}

pub(crate) const ROUTES: [Route; 3] = [
    Route {
        method: Method::Get,
        pattern: "/v1/organizations/api_keys",
        offered: Offered::Console,
        takes: Takes::Nothing,
        query: &["after_id", "before_id", "created_by_user_id", "limit", "status", "workspace_id"],
        handler: list,
    },
    Route {
        method: Method::Get,
        pattern: "/v1/organizations/api_keys/{apikey_}",
        offered: Offered::Console,
        takes: Takes::Nothing,
        query: &[],
        handler: get,
    },
    Route {
        method: Method::Post,
        pattern: "/v1/organizations/api_keys/{apikey_}",
        offered: Offered::Console,
        takes: Takes::Object,
        query: &[],
        handler: update,
    },
];

// Handlers share one signature.
#[allow(clippy::needless_pass_by_value)]
fn list(state: &mut State, asked: Asked) -> Result<Value, Refusal> {
    let (table, query, now) = (&state.api_keys.table, &asked.query, state.now());
    let paging = paging(state, query, |id| table.number(id))?;
    let status = match query.one("status") {
        None => None,
        Some(word) => Some(status_of(word).ok_or_else(|| {
            Refusal::invalid("status: must be active, inactive, archived or expired")
        })?),
    };
    let (workspace, creator) = (query.one("workspace_id"), query.one("created_by_user_id"));
    let rows = table.slice(state.switches.list_order, paging.from()).filter(|(_, key)| {
        status.is_none_or(|status| key.status_at(now) == status)
            && workspace.is_none_or(|id| key.workspace_id.as_deref() == Some(id))
            && creator.is_none_or(|id| key.created_by.as_deref() == Some(id))
    });
    let show = |(_, key): &(u64, &ApiKey)| show(state, key, &asked.version);
    Ok(paging.page(rows, |(_, key)| key.id.clone(), show))
}

#[allow(clippy::needless_pass_by_value)]
fn get(state: &mut State, asked: Asked) -> Result<Value, Refusal> {
    let key = state.api_keys.get(&asked.ids[0]).ok_or_else(missing)?;
    Ok(show(state, key, &asked.version))
}

fn update(state: &mut State, asked: Asked) -> Result<Value, Refusal> {
    let mut fields = Fields::new(asked.body);
    let name = field(&mut fields, "name", &state.switches)?;
    let status = field(&mut fields, "status", &state.switches)?;
    fields.end()?;
    let key = state.api_keys.get(&asked.ids[0]).ok_or_else(missing)?;
    if name.as_ref().is_some_and(|name| !(1..=500).contains(&name.chars().count())) {
        return Err(Refusal::invalid("name: must have 1 to 500 characters"));
    }
    let status = match status.as_deref() {
        None => None,
        Some("active") => Some(KeyStatus::Active),
        Some("inactive") => Some(KeyStatus::Inactive),
        Some("archived") => Some(KeyStatus::Archived),
        Some(_) => {
            return Err(Refusal::invalid("status: must be active, inactive or archived"));
        }
    };
    if let Some(to) = status {
        let from = key.status_at(state.now());
        transition(from, to)?;
        if from != KeyStatus::Active && to == KeyStatus::Active {
            room(state, key)?;
        }
    }
    if let Some(key) = state.api_keys.table.get_mut(&asked.ids[0]) {
        if let Some(name) = name {
            key.name = name;
        }
        if let Some(status) = status {
            key.status = status;
        }
    }
    let key = state.api_keys.get(&asked.ids[0]).ok_or_else(missing)?;
    Ok(show(state, key, &asked.version))
}

fn transition(from: KeyStatus, to: KeyStatus) -> Result<(), Refusal> {
    match (from, to) {
        (KeyStatus::Active | KeyStatus::Inactive, _)
        | (KeyStatus::Expired | KeyStatus::Archived, KeyStatus::Archived) => Ok(()),
        (KeyStatus::Expired, _) => Err(Refusal::invalid("an expired key can only be archived")),
        (KeyStatus::Archived, _) => Err(Refusal::invalid("an archived key cannot be changed")),
    }
}

/// Refuses a reactivation that goes beyond a limit.
fn room(state: &State, key: &ApiKey) -> Result<(), Refusal> {
    let now = state.now();
    let active = |of: &dyn Fn(&ApiKey) -> bool| {
        state.api_keys.iter().filter(|k| k.status_at(now) == KeyStatus::Active && of(k)).count()
    };
    if state.limits.organization_api_keys.is_some_and(|max| active(&|_| true) >= max) {
        return Err(Refusal::invalid("the organization has as many active keys as it may have")
            .code("org_api_key_limit_exceeded"));
    }
    let here = |other: &ApiKey| other.workspace_id == key.workspace_id;
    if key.workspace_id.is_some()
        && state.limits.workspace_api_keys.is_some_and(|max| active(&here) >= max)
    {
        return Err(Refusal::invalid("the workspace has as many active keys as it may have")
            .code("workspace_api_key_limit_exceeded"));
    }
    Ok(())
}

fn field(fields: &mut Fields, name: &str, switches: &Switches) -> Result<Option<String>, Refusal> {
    match fields.take(name) {
        None => Ok(None),
        Some(Value::Null) if switches.null_key_field == NullKeyField::Ignored => Ok(None),
        Some(value) => text(name, value).map(Some),
    }
}

fn status_of(word: &str) -> Option<KeyStatus> {
    match word {
        "active" => Some(KeyStatus::Active),
        "inactive" => Some(KeyStatus::Inactive),
        "archived" => Some(KeyStatus::Archived),
        "expired" => Some(KeyStatus::Expired),
        _ => None,
    }
}

fn missing() -> Refusal {
    Refusal::not_found("api key")
}

fn show(state: &State, key: &ApiKey, version: &str) -> Value {
    let status = key.status_at(state.now());
    let ApiKey {
        id,
        name,
        status: _,
        workspace_id,
        created_by,
        principal,
        created_at,
        expires_at,
        partial_key_hint,
        archives_at: _,
    } = key;
    let plain = |actor: &String| {
        let kind = if is_user(actor) { "user" } else { "service_account" };
        json!({"id": actor, "type": kind})
    };
    let actor = |actor: &String| match (state.switches.principal_shape, is_user(actor)) {
        (PrincipalShape::Plain, _) => plain(actor),
        (PrincipalShape::Actor, true) => json!({"type": "user_actor", "user_id": actor}),
        (PrincipalShape::Actor, false) => {
            json!({"type": "service_account_actor", "service_account_id": actor})
        }
    };
    let scope = match workspace_id {
        Some(workspace) => json!({"type": "workspace", "workspace_id": workspace}),
        None => json!({"type": "organization"}),
    };
    let mut shown = json!({
        "id": id, "name": name, "status": status, "created_at": clock::text(*created_at),
        "expires_at": expires_at.map(clock::text),
        "created_by": created_by.as_ref().map(plain), "principal": principal.as_ref().map(actor),
        "scope": scope, "partial_key_hint": partial_key_hint, "type": "api_key",
    });
    let old =
        version != "2026-10-21" && state.switches.key_workspace_id == KeyWorkspaceId::OldVersion;
    if old {
        let own = workspace_id
            .as_ref()
            .filter(|id| state.workspaces.get(id).is_some_and(|workspace| !workspace.is_default));
        shown["workspace_id"] = json!(own);
    }
    shown
}

/// Whether an actor is a person.
pub(crate) fn is_user(actor: &str) -> bool {
    actor.starts_with("user_")
}

/// What a person does in the Console, or what tests look at.
impl State {
    /// Every key, oldest first.
    pub fn api_keys(&self) -> impl DoubleEndedIterator<Item = &ApiKey> {
        self.api_keys.iter()
    }

    /// A key by id, else the oldest one with this name.
    pub fn api_key(&self, which: &str) -> Option<&ApiKey> {
        self.api_keys.get(which).or_else(|| self.api_keys.iter().find(|key| key.name == which))
    }

    /// Makes a legacy key (no creator, no principal) in a workspace, or for the organization; gives the id, or
    /// `None` if the workspace does not exist.
    pub fn add_api_key(&mut self, name: &str, workspace: Option<&str>) -> Option<String> {
        let workspace_id = match workspace {
            None => None,
            Some(which) => Some(self.workspace(which)?.id.clone()),
        };
        let id = self.ids.fresh("apikey_");
        self.api_keys.insert(ApiKey {
            partial_key_hint: Some(hint(&id)),
            id: id.clone(),
            name: name.to_owned(),
            status: KeyStatus::Active,
            workspace_id,
            created_by: None,
            principal: None,
            created_at: self.now(),
            expires_at: None,
            archives_at: None,
        });
        Some(id)
    }

    /// Changes a key by hand; false if there is none.
    pub fn edit_api_key(&mut self, which: &str, edit: impl FnOnce(&mut ApiKey)) -> bool {
        let id = self.api_key(which).map(|key| key.id.clone());
        match id.and_then(|id| self.api_keys.table.get_mut(&id)) {
            Some(key) => {
                edit(key);
                true
            }
            None => false,
        }
    }
}

/// The visible part of a secret that would belong to this id.
pub(crate) fn hint(id: &str) -> String {
    let tail: String = id.chars().rev().take(7).collect();
    // A seed may name any id, so the cut is by characters.
    let cut = tail.char_indices().nth(3).map_or(tail.len(), |(at, _)| at);
    let (head, end) = tail.split_at(cut);
    format!("sk-ant-api03-{head}...{end}")
}
