//! What people do in the Console, as data: the control route and scripts carry it out.
//!
//! Invariant: an edit that names nothing there is an error, and changes nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{faults::Rule, kinds::api_key::KeyStatus, scripts::Script, state::State};

/// An edit. People, workspaces and keys are named by id, or by address or name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Edit {
    /// A person gets another organization role, any.
    SetRole {
        /// Who.
        user: String,
        /// The role.
        role: String,
    },
    /// A person joins.
    AddUser {
        /// Who.
        email: String,
        /// The role, any.
        role: String,
    },
    /// A person goes.
    RemoveUser {
        /// Who.
        user: String,
    },
    /// A person's row moves to the newest end of the list.
    MoveUser {
        /// Who.
        user: String,
    },
    /// A person is invited.
    Invite {
        /// Who.
        email: String,
        /// The role, any.
        role: String,
    },
    /// A person accepts an invite.
    Accept {
        /// Its id or address.
        invite: String,
    },
    /// An invite is withdrawn.
    Withdraw {
        /// Its id or address.
        invite: String,
    },
    /// A grant is made or changed.
    SetGrant {
        /// Where.
        workspace: String,
        /// Whose.
        user: String,
        /// The role, any.
        role: String,
    },
    /// A grant is taken.
    RemoveGrant {
        /// Where.
        workspace: String,
        /// Whose.
        user: String,
    },
    /// A workspace is made.
    AddWorkspace {
        /// Its name.
        name: String,
    },
    /// A workspace is renamed.
    RenameWorkspace {
        /// Which.
        workspace: String,
        /// Its new name.
        name: String,
    },
    /// A workspace gets other tags, as a whole.
    SetTags {
        /// Which.
        workspace: String,
        /// All its tags.
        tags: BTreeMap<String, String>,
    },
    /// A workspace is archived.
    ArchiveWorkspace {
        /// Which.
        workspace: String,
    },
    /// A key is made.
    AddApiKey {
        /// Its name.
        name: String,
        /// Where; absent, the Default Workspace.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        workspace: Option<String>,
    },
    /// A key is renamed.
    RenameKey {
        /// Which.
        key: String,
        /// Its new name.
        name: String,
    },
    /// A key gets another status.
    SetKeyStatus {
        /// Which.
        key: String,
        /// The status.
        status: KeyStatus,
    },
    /// Requests begin to fail.
    AddFault {
        /// Which, and how.
        rule: Rule,
    },
    /// No request fails any more.
    ClearFaults,
    /// Something will happen after a request.
    AddScript {
        /// What, and when.
        script: Script,
    },
    /// Every token that was given out is refused from now on.
    RevokeTokens,
}

impl Edit {
    /// Carries it out; gives the id of what it made, `{"id": …}`, or why it cannot be done.
    pub fn make(self, state: &mut State) -> Result<Value, String> {
        let made = |id: String| Ok(json!({"id": id}));
        let done = match self {
            Edit::SetRole { user, role } => state.set_role(&user, &role),
            Edit::AddUser { email, role } => {
                return match state.user(&email) {
                    Some(user) => Err(format!("`{email}` is a member: {}", user.id)),
                    None => made(state.add_user(&email, &role)),
                };
            }
            Edit::RemoveUser { user } => state.remove_user(&user),
            Edit::MoveUser { user } => state.move_user(&user),
            Edit::Invite { email, role } => return made(state.add_invite(&email, &role)),
            Edit::Accept { invite } => {
                return match state.accept_invite(&invite) {
                    Some(user) => made(user),
                    None => Err(format!("no invite `{invite}` waits")),
                };
            }
            Edit::Withdraw { invite } => state.withdraw_invite(&invite),
            Edit::SetGrant { workspace, user, role } => state.set_grant(&workspace, &user, &role),
            Edit::RemoveGrant { workspace, user } => state.remove_grant(&workspace, &user),
            Edit::AddWorkspace { name } => return made(state.add_workspace(&name)),
            Edit::RenameWorkspace { workspace, name } => {
                state.edit_workspace(&workspace, |row| row.name = name)
            }
            Edit::SetTags { workspace, tags } => {
                state.edit_workspace(&workspace, |row| row.tags = tags)
            }
            Edit::ArchiveWorkspace { workspace } => state.archive_workspace(&workspace),
            Edit::AddApiKey { name, workspace } => {
                return match state.add_api_key(&name, workspace.as_deref()) {
                    Some(id) => made(id),
                    None => Err("no such workspace".to_owned()),
                };
            }
            Edit::RenameKey { key, name } => state.edit_api_key(&key, |key| key.name = name),
            Edit::SetKeyStatus { key, status } => {
                state.edit_api_key(&key, |key| key.status = status)
            }
            Edit::AddFault { rule } => return state.faults.add(rule).map(|()| json!({})),
            Edit::ClearFaults => {
                state.faults.clear();
                true
            }
            Edit::AddScript { script } => return state.scripts.add(script).map(|()| json!({})),
            Edit::RevokeTokens => {
                state.revoke_tokens();
                true
            }
        };
        if done { Ok(json!({})) } else { Err("no such object".to_owned()) }
    }
}
