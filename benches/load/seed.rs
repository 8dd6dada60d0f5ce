//! The bench's organization as a seed of the sandbox.
//!
//! Invariant: the sandbox then shows what [`organization::live`] says is live.

use std::collections::BTreeMap;

use orgcharter::{
    address::Name,
    resource::{KeyStatus, Role, Spec},
};
use serde_json::{Map, Value, json};

use super::{
    bare::KEY,
    organization::{self, Size},
};

/// The seed, as JSON, which is YAML too.
pub(crate) fn seed(size: Size) -> String {
    let live = organization::live(size);
    let mut users: Vec<Value> = Vec::new();
    let mut emails: BTreeMap<&str, &str> = BTreeMap::new();
    let mut workspaces: BTreeMap<&str, Value> = BTreeMap::new();
    let mut members: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    let mut keys: Vec<Value> = Vec::new();
    for (_, object) in &live.objects {
        let Some(remote) = &object.remote else { continue };
        let id = remote.id.as_str();
        match &object.spec {
            Spec::Member(member) => {
                let (email, role) = (member.email.as_written(), member.role.as_ref());
                emails.insert(id, email);
                users.push(json!({"id": id, "email": email, "role": role.map(Role::as_str)}));
            }
            Spec::Workspace(workspace) => {
                let (name, tags) = (&*workspace.name, &workspace.tags);
                workspaces.insert(id, json!({"id": id, "name": name, "tags": tags}));
            }
            Spec::WorkspaceMember(grant) => {
                let email = emails[grant.member.as_str()];
                let of = members.entry(grant.workspace.as_str()).or_default();
                of.insert(email.to_owned(), grant.role.as_str().into());
            }
            Spec::ApiKey(key) => keys.push(json!({
                "id": id,
                "name": key.name.as_deref(),
                "status": key.status.as_ref().map(KeyStatus::as_str),
                "workspace": key.workspace.as_ref().map(Name::as_str),
            })),
        }
    }
    for (id, members) in members {
        workspaces.get_mut(id).expect("a workspace before its members")["members"] = members.into();
    }
    json!({
        "organization": {"id": &*live.organization, "name": "Bench"},
        "credentials": {"admin_keys": [KEY]},
        "limits": {"workspaces": 1_000},
        "users": users,
        "workspaces": workspaces.into_values().collect::<Vec<_>>(),
        "api_keys": keys,
    })
    .to_string()
}
