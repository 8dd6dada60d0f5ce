//! An API key: its name and whether it works. Keys are made and deleted in the Console only.
//!
//! Invariant: the key that charter itself uses is never switched off, and an expired or archived key is never
//! asked to come back.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Calls, Change, Fact, FieldChange, Ids, KeyStatus, Manual, Object, Resource, Settled, Spec,
    World, all_field_facts,
};
use crate::{
    address::{Address, Kind, Name, RemoteId},
    api::call::{Call, Part, Resend},
};

/// A key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ApiKey {
    /// The name; `None` in the files: not managed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Arc<str>>,
    /// Whether it works; `None` in the files: not managed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<KeyStatus>,
    /// The workspace it is bound to, by its name in its address; `None`: the Default Workspace, or the
    /// organization as a whole. It cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<Name>,
}

/// What the API says of a live key beyond name and status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct KeyFacts {
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it lapses; `None`: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The person who made it, if a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<RemoteId>,
    /// Whom it acts as; `None`: itself (an old workspace key).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<Principal>,
    /// What it reaches.
    pub reach: Reach,
    /// Head and tail of the secret, safe to print.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<Arc<str>>,
    /// It is the key charter runs with.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_use: bool,
}

/// Whom a key acts as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Principal {
    /// A person: the key dies with the membership.
    User(RemoteId),
    /// A service account: the key follows the account.
    ServiceAccount(RemoteId),
}

/// What a key reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// One workspace, by id (the Default Workspace has an id too).
    Workspace(RemoteId),
    /// The organization.
    Organization,
    /// The API did not say (`workspace_id: null` of the older version means the Default Workspace or the
    /// organization).
    Unsaid,
}

impl Resource for ApiKey {
    fn title(&self) -> String {
        self.name.as_deref().unwrap_or("unnamed key").to_owned()
    }

    fn fields(&self) -> Vec<(String, Value)> {
        let ApiKey { name, status, workspace } = self;
        let mut fields = Vec::with_capacity(3);
        if let Some(name) = name {
            fields.push(("name".to_owned(), Value::from(&**name)));
        }
        if let Some(status) = status {
            fields.push(("status".to_owned(), Value::from(status.as_str())));
        }
        let place = workspace.as_ref().map_or(Value::Null, |name| Value::from(name.as_str()));
        fields.push(("workspace".to_owned(), place));
        fields
    }

    fn adopt(&mut self, live: &Spec) {
        let Spec::ApiKey(live) = live else { return };
        if self.name.is_none() {
            self.name.clone_from(&live.name);
        }
        if self.status.is_none() {
            self.status.clone_from(&live.status);
        }
    }

    fn references(&self) -> Vec<Address> {
        self.workspace.iter().map(|name| Address::workspace(name.clone())).collect()
    }

    fn rebind(&mut self, name_of: &dyn Fn(Kind, &Name) -> Name) {
        if let Some(workspace) = &mut self.workspace {
            *workspace = name_of(Kind::Workspace, workspace);
        }
    }

    fn settle(&self, change: &Change, _world: &World<'_>) -> Settled {
        match change {
            Change::Create { .. } => Settled::manual(
                "no such key exists here, and keys can only be made in the Console under Settings > API keys: make \
                 it there, or fix the name or id",
            ),
            Change::Remove { .. } => Settled::Satisfied,
            Change::Update { before, fields, .. } | Change::Replace { before, fields, .. } => {
                self.settle_update(before, fields)
            }
        }
    }

    fn rests_on(&self, change: &Change, _world: &World<'_>) -> Vec<Fact> {
        let mut facts =
            change.before().map(|before| all_field_facts(Kind::ApiKey, before)).unwrap_or_default();
        // A key cannot move, and its workspace has a name of the files here, which no observation knows.
        facts.retain(|fact| !matches!(fact, Fact::Field { field, .. } if field == "workspace"));
        facts
    }

    fn create(&self, _ids: &Ids<'_>) -> Calls {
        Err(Manual::new("keys can only be made in the Console"))
    }

    fn update(&self, before: &Object, fields: &[FieldChange], _ids: &Ids<'_>) -> Calls {
        let Some(remote) = &before.remote else { return Err(Manual::new("the key is not live")) };
        let body: Vec<_> = fields
            .iter()
            .filter(|change| matches!(change.field.as_str(), "name" | "status"))
            .map(|change| (change.field.clone(), Part::Text(change.after.clone())))
            .collect();
        if body.is_empty() {
            return Ok(Vec::new());
        }
        let path = [Part::text("api_keys"), Part::from(&remote.id)];
        Ok(vec![Call::post(path, body, Resend::Safe)])
    }

    fn remove(&self, _before: &Object, _ids: &Ids<'_>) -> Calls {
        Err(Manual::new(
            "keys cannot be deleted; write `status: archived` to switch one off for ever",
        ))
    }
}

impl ApiKey {
    fn settle_update(&self, before: &Object, fields: &[FieldChange]) -> Settled {
        let title = self.title();
        if let Some(place) = fields.iter().find(|change| change.field == "workspace") {
            return Settled::manual(format!(
                "key `{title}` belongs to {}, and a key cannot be moved: list it there",
                place.before.as_str().map_or_else(
                    || "the Default Workspace or the organization".to_owned(),
                    |name| format!("the workspace `{name}`")
                )
            ));
        }
        let Spec::ApiKey(ApiKey { status: Some(live), .. }) = &before.spec else {
            return Settled::READY;
        };
        let wanted = self.status.as_ref().unwrap_or(live);
        match (live, wanted) {
            (KeyStatus::Archived, KeyStatus::Active) => Settled::manual(format!(
                "key `{title}` is archived, for ever: make a new one in the Console, or drop the entry"
            )),
            // It does not work any more, which is what was wanted; only archiving is left to it.
            (KeyStatus::Expired, KeyStatus::Inactive) | (KeyStatus::Archived, _) => {
                Settled::Satisfied
            }
            (KeyStatus::Expired, KeyStatus::Active) => Settled::manual(format!(
                "key `{title}` has expired and cannot be switched on again: make a new one in the Console, or drop \
                 the entry"
            )),
            (KeyStatus::Other(unknown), wanted) if live != wanted => Settled::manual(format!(
                "key `{title}` has the status `{unknown}`, which charter does not know and never rewrites"
            )),
            (live, wanted) => {
                let off = *wanted != KeyStatus::Active && live != wanted;
                if off && before.key_facts().is_some_and(|facts| facts.in_use) {
                    return Settled::manual(format!(
                        "key `{title}` is the one charter runs with now: run with another credential to switch it \
                         off"
                    ));
                }
                Settled::READY
            }
        }
    }
}
