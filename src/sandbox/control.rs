//! `POST /_sandbox/…`: what people do outside the Admin API, for stories that run the real binary.
//!
//! Invariant: these calls need no credential, meet no fault, and stay out of the request log.

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{clock::moment, faults::Rule, state::State};
use crate::api::transport::{Method, RawRequest, RawResponse};

const PREFIX: &str = "/_sandbox/";

/// An edit that a person makes in the Console.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Edit {
    SetRole {
        user: String,
        role: String,
    },
    AddUser {
        email: String,
        role: String,
    },
    RemoveUser {
        user: String,
    },
    Invite {
        email: String,
        role: String,
    },
    SetGrant {
        workspace: String,
        user: String,
        role: String,
    },
    RemoveGrant {
        workspace: String,
        user: String,
    },
    AddWorkspace {
        name: String,
    },
    RenameWorkspace {
        workspace: String,
        name: String,
    },
    SetTags {
        workspace: String,
        tags: std::collections::BTreeMap<String, String>,
    },
    ArchiveWorkspace {
        workspace: String,
    },
    AddApiKey {
        name: String,
        #[serde(default)]
        workspace: Option<String>,
    },
    SetKeyStatus {
        key: String,
        status: super::KeyStatus,
    },
    AddFault {
        rule: Rule,
    },
    ClearFaults,
    RevokeTokens,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Accept {
    /// An invite's id or address; absent, every invite that waits.
    #[serde(default)]
    invite: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    #[serde(default)]
    seconds: Option<u64>,
    #[serde(default, with = "moment")]
    to: Option<jiff::Timestamp>,
}

/// The operation that a target names, if it is one of these.
pub(crate) fn operation(target: &str) -> Option<&str> {
    target.strip_prefix(PREFIX).map(|rest| rest.split('?').next().unwrap_or_default())
}

/// Carries it out.
pub(crate) fn run(state: &mut State, request: &RawRequest, operation: &str) -> RawResponse {
    match (request.method, operation) {
        (Method::Get, "state") => match state.to_yaml() {
            Ok(yaml) => reply(200, "application/yaml", yaml),
            Err(error) => failure(500, &error.to_string()),
        },
        (Method::Get, "log") => shown(&json!({
            "entries": state.log.entries(), "calls": state.log.calls(), "reads": state.log.reads(),
        })),
        (Method::Get, "clock") => shown(&json!({"now": state.now()})),
        (Method::Delete, "log") => {
            state.log.clear();
            shown(&json!({}))
        }
        (Method::Post, "accept") => with(request, |Accept { invite }| match invite {
            None => Ok(json!({"users": state.accept_all()})),
            Some(which) => match state.accept_invite(&which) {
                Some(user) => Ok(json!({"users": [user]})),
                None => Err(format!("no invite `{which}` waits")),
            },
        }),
        (Method::Post, "clock") => with(request, |Move { seconds, to }| {
            match (seconds, to) {
                (Some(seconds), None) => state.advance(Duration::from_secs(seconds)),
                (None, Some(to)) => state.clock.set(to),
                _ => return Err("give either `seconds` or `to`".to_owned()),
            }
            Ok(json!({"now": state.now()}))
        }),
        (Method::Post, "edit") => with(request, |edit| apply(state, edit)),
        _ => failure(404, "the control routes are accept, clock, edit, log and state"),
    }
}

fn apply(state: &mut State, edit: Edit) -> Result<Value, String> {
    let done = match edit {
        Edit::SetRole { user, role } => state.set_role(&user, &role),
        Edit::AddUser { email, role } => {
            return match state.user(&email) {
                Some(user) => Err(format!("`{email}` is a member: {}", user.id)),
                None => Ok(json!({"id": state.add_user(&email, &role)})),
            };
        }
        Edit::RemoveUser { user } => state.remove_user(&user),
        Edit::Invite { email, role } => return Ok(json!({"id": state.add_invite(&email, &role)})),
        Edit::SetGrant { workspace, user, role } => state.set_grant(&workspace, &user, &role),
        Edit::RemoveGrant { workspace, user } => state.remove_grant(&workspace, &user),
        Edit::AddWorkspace { name } => return Ok(json!({"id": state.add_workspace(&name)})),
        Edit::RenameWorkspace { workspace, name } => {
            state.edit_workspace(&workspace, |row| row.name = name)
        }
        Edit::SetTags { workspace, tags } => {
            state.edit_workspace(&workspace, |row| row.tags = tags)
        }
        Edit::ArchiveWorkspace { workspace } => state.archive_workspace(&workspace),
        Edit::AddApiKey { name, workspace } => {
            return match state.add_api_key(&name, workspace.as_deref()) {
                Some(id) => Ok(json!({"id": id})),
                None => Err("no such workspace".to_owned()),
            };
        }
        Edit::SetKeyStatus { key, status } => state.edit_api_key(&key, |key| key.status = status),
        Edit::AddFault { rule } => {
            state.faults.add(rule)?;
            true
        }
        Edit::ClearFaults => {
            state.faults.clear();
            true
        }
        Edit::RevokeTokens => {
            state.revoke_tokens();
            true
        }
    };
    if done { Ok(json!({})) } else { Err("no such object".to_owned()) }
}

fn with<T: for<'de> Deserialize<'de>>(
    request: &RawRequest,
    run: impl FnOnce(T) -> Result<Value, String>,
) -> RawResponse {
    let body = request.body.as_ref().filter(|body| !body.is_empty());
    let body = body.map_or(b"{}".as_slice(), |body| body);
    match serde_json::from_slice(body).map_err(|error| error.to_string()).and_then(run) {
        Ok(value) => shown(&value),
        Err(message) => failure(400, &message),
    }
}

fn shown(value: &Value) -> RawResponse {
    reply(200, "application/json", value.to_string())
}

fn failure(status: u16, message: &str) -> RawResponse {
    reply(status, "application/json", json!({"error": message}).to_string())
}

fn reply(status: u16, media: &str, body: String) -> RawResponse {
    let headers = vec![("content-type".to_owned(), media.to_owned())];
    RawResponse { status, headers, body: Bytes::from(body) }
}
