//! The objects of the Admin API as they come over the wire.
//!
//! Invariant: what is not known here is kept or passed over, never refused and never rewritten: unknown fields
//! are ignored, unknown words stay strings. What is needed and missing is an error that names the field.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use super::text;
use crate::address::RemoteId;

/// The longest text of a single object that is read.
const LARGEST_OBJECT: usize = 1024 * 1024;

/// An object that the API lists.
pub trait Wire: DeserializeOwned + Send {
    /// The constant in its `type` field.
    const TYPE: &'static str;

    /// What tells it from the others of its list.
    fn list_key(&self) -> &RemoteId;
}

/// A person who is a member of the organization.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct User {
    /// `user_…`
    pub id: RemoteId,
    /// The address, in whatever case the server keeps.
    pub email: String,
    /// The person's name; empty if there is none.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// The organization role, known or not.
    pub role: String,
    /// Since when.
    #[serde(default)]
    pub added_at: Option<Timestamp>,
}

/// An invitation to the organization.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Invite {
    /// `invite_…`
    pub id: RemoteId,
    /// The address it went to.
    pub email: String,
    /// The organization role it gives.
    pub role: String,
    /// accepted, deleted, expired, pending, or a word not known yet.
    pub status: String,
    /// When it was sent.
    #[serde(default)]
    pub invited_at: Option<Timestamp>,
    /// When it ends, or ended.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// When it was accepted.
    #[serde(default)]
    pub accepted_at: Option<Timestamp>,
    /// Groups that it gives (Enterprise).
    #[serde(default, deserialize_with = "or_default")]
    pub rbac_group_ids: Vec<String>,
}

/// A workspace.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Workspace {
    /// `wrkspc_…`
    pub id: RemoteId,
    /// Its name; may repeat.
    pub name: String,
    /// `#RRGGBB`
    #[serde(default)]
    pub display_color: Option<String>,
    /// Where data rests and models run.
    #[serde(default)]
    pub data_residency: Option<DataResidency>,
    /// Its tags.
    #[serde(default, deserialize_with = "tags")]
    pub tags: BTreeMap<String, String>,
    /// The customer's encryption key; write-once.
    #[serde(default)]
    pub external_key_id: Option<String>,
    /// The user profile; write-once.
    #[serde(default)]
    pub user_profile_id: Option<String>,
    /// The encryption compartment; read-only.
    #[serde(default)]
    pub compartment_id: Option<String>,
    /// Since when.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// Since when it is archived; `None`: it is active.
    #[serde(default)]
    pub archived_at: Option<Timestamp>,
}

/// Where a workspace's data rests and its models run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct DataResidency {
    /// Where data rests; immutable.
    #[serde(default)]
    pub workspace_geo: Option<String>,
    /// Where models run if a request does not say.
    #[serde(default)]
    pub default_inference_geo: Option<String>,
    /// Where models may run.
    #[serde(default)]
    pub allowed_inference_geos: Option<Geos>,
}

/// A word (`unrestricted`) or a list of places, as they came.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Geos {
    /// `unrestricted`, or a word not known yet.
    Word(String),
    /// These.
    List(Vec<String>),
}

/// The explicit grant of one person in one workspace.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct WorkspaceMember {
    /// Who.
    pub user_id: RemoteId,
    /// The workspace role, known or not.
    pub workspace_role: String,
}

/// An API key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ApiKey {
    /// `apikey_…`
    pub id: RemoteId,
    /// Its name; may repeat, and is empty if there is none.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// active, inactive, archived, expired, or a word not known yet.
    pub status: String,
    /// Since when.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// When it expires; `None`: never.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// Who made it; `None` for keys of old, and those the system made.
    #[serde(default)]
    pub created_by: Option<Actor>,
    /// Who it acts as.
    #[serde(default)]
    pub principal: Option<Actor>,
    /// What it reaches, in the newer shape; read it through [`ApiKey::reach`].
    #[serde(default)]
    pub scope: Option<Scope>,
    /// What it reaches, in the older shape; read it through [`ApiKey::reach`].
    #[serde(default)]
    pub workspace_id: Option<RemoteId>,
    /// Its head and tail; safe to print.
    #[serde(default)]
    pub partial_key_hint: Option<String>,
}

/// The `scope` of a key as it came.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Scope {
    /// workspace, organization, or a word not known yet.
    #[serde(rename = "type")]
    pub kind: String,
    /// The workspace, if it is one.
    #[serde(default)]
    pub workspace_id: Option<RemoteId>,
}

/// What a key reaches, from whichever shape came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// One workspace.
    Workspace(RemoteId),
    /// The organization.
    Organization,
    /// The older shape without a workspace: the Default Workspace or the organization, it does not say which.
    DefaultOrOrganization,
    /// A scope not known yet.
    Other(String),
}

impl ApiKey {
    /// What it reaches; the newer shape wins.
    pub fn reach(&self) -> Reach {
        match (&self.scope, &self.workspace_id) {
            (Some(Scope { kind, workspace_id: Some(id) }), _) if kind == "workspace" => {
                Reach::Workspace(id.clone())
            }
            (Some(Scope { kind, .. }), _) if kind == "organization" => Reach::Organization,
            (Some(Scope { kind, .. }), _) => Reach::Other(kind.clone()),
            (None, Some(id)) => Reach::Workspace(id.clone()),
            (None, None) => Reach::DefaultOrOrganization,
        }
    }
}

/// A person or service account behind a key, in either shape the API has used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A person.
    User(RemoteId),
    /// A service account.
    ServiceAccount(RemoteId),
    /// A sort not known yet, with its id if it had one.
    Other(String, Option<RemoteId>),
}

impl<'de> Deserialize<'de> for Actor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Raw {
            #[serde(rename = "type")]
            kind: String,
            #[serde(default)]
            id: Option<RemoteId>,
            #[serde(default)]
            user_id: Option<RemoteId>,
            #[serde(default)]
            service_account_id: Option<RemoteId>,
        }
        let Raw { kind, id, user_id, service_account_id } = Raw::deserialize(deserializer)?;
        Ok(match kind.as_str() {
            "user" | "user_actor" => match user_id.or(id) {
                Some(id) => Actor::User(id),
                None => Actor::Other(kind, None),
            },
            "service_account" | "service_account_actor" => match service_account_id.or(id) {
                Some(id) => Actor::ServiceAccount(id),
                None => Actor::Other(kind, None),
            },
            _ => Actor::Other(kind, id.or(user_id).or(service_account_id)),
        })
    }
}

/// The organization a credential belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Me {
    /// A bare UUID.
    pub id: RemoteId,
    /// Its name; empty if there is none.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
}

/// Reads one object from its text; the error names the field.
pub fn decode<T: Wire>(text: &[u8]) -> Result<T, String> {
    if text.len() > LARGEST_OBJECT {
        return Err(format!("one object of {} bytes", text.len()));
    }
    typed(serde_json::from_slice(text).map_err(|error| error.to_string())?, "")
}

macro_rules! wire {
    ($($name:ident $word:literal by $key:ident),+) => {$(
        impl Wire for $name {
            const TYPE: &'static str = $word;
            fn list_key(&self) -> &RemoteId {
                &self.$key
            }
        }
    )+};
}
wire!(
    User "user" by id,
    Invite "invite" by id,
    Workspace "workspace" by id,
    WorkspaceMember "workspace_member" by user_id,
    ApiKey "api_key" by id,
    Me "organization" by id
);

pub(super) fn typed<T: Wire>(value: Value, at: &str) -> Result<T, String> {
    match value.get("type") {
        Some(Value::String(word)) if word != T::TYPE => {
            Err(format!("{}: wanted `{}`, got `{}`", join(at, "type"), T::TYPE, text::word(word)))
        }
        _ => read(value, at),
    }
}

pub(super) fn read<T: DeserializeOwned>(value: Value, at: &str) -> Result<T, String> {
    // serde would take a list for the fields in their order.
    if !value.is_object() {
        let colon = if at.is_empty() { "" } else { ": " };
        return Err(format!("{at}{colon}wanted an object"));
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let inner = match error.path().to_string() {
            path if path == "." => String::new(),
            path => path,
        };
        match join(at, &inner) {
            place if place.is_empty() => text::message(&error.inner().to_string()),
            place => text::message(&format!("{place}: {}", error.inner())),
        }
    })
}

fn join(outer: &str, inner: &str) -> String {
    let dot = if outer.is_empty() || inner.is_empty() { "" } else { "." };
    format!("{outer}{dot}{inner}")
}

fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A tag whose value is null is a tag that is not there.
fn tags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let tags: Option<BTreeMap<String, Option<String>>> = Option::deserialize(deserializer)?;
    Ok(tags.into_iter().flatten().filter_map(|(key, value)| Some((key, value?))).collect())
}

#[cfg(test)]
mod tests;
