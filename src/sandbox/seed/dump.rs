//! From an organization to a seed file.
//!
//! Invariant: every row is taken apart field by field, so a new field cannot be forgotten here.

use super::{
    ClockSeed, InviteSeed, KeySeed, OrganizationSeed, ScopeSeed, Seed, UserSeed, WorkspaceSeed,
};
use crate::sandbox::{
    kinds::{
        api_key::ApiKey,
        invite::Invite,
        user::User,
        workspace::{Attachments, Workspace},
    },
    state::{Organization, State},
};

/// The organization as a seed.
pub(super) fn dump(state: &State) -> Seed {
    let Organization { id, name, kind } = state.organization.clone();
    let Attachments { external_keys, user_profiles, requires_external_key } =
        state.workspaces.attachments.clone();
    let running = state.clock.runs().then_some(ClockSeed::Running);
    Seed {
        organization: OrganizationSeed { id: Some(id), name: Some(name), kind },
        now: Some(state.now()),
        clock: running,
        tick_ms: u64::try_from(state.clock.tick().as_millis()).unwrap_or(u64::MAX),
        seed: state.ids.seed(),
        users: state.users().map(dump_user).collect(),
        former_users: state.users.former().clone().into_iter().collect(),
        invites: state.invites().map(|row| dump_invite(row, state)).collect(),
        workspaces: state.workspaces().map(|row| dump_workspace(row, state)).collect(),
        api_keys: state.api_keys().map(dump_key).collect(),
        external_keys,
        user_profiles,
        requires_external_key,
        limits: state.limits.clone(),
        credentials: state.credentials.clone(),
        switches: state.switches,
        faults: state.faults.rules().cloned().collect(),
        scripts: state.scripts.waiting().cloned().collect(),
    }
}

fn dump_user(user: &User) -> UserSeed {
    let User { id, email, name, role, added_at } = user.clone();
    UserSeed { email, role, id: Some(id), name: Some(name), added_at: Some(added_at) }
}

fn dump_invite(invite: &Invite, state: &State) -> InviteSeed {
    let status = invite.status(state.now(), &state.switches);
    let Invite {
        id,
        email,
        role,
        invited_at,
        expires_at,
        accepted_at,
        withdrawn: _,
        rbac_group_ids,
    } = invite.clone();
    InviteSeed {
        email,
        role,
        id: Some(id),
        status: Some(status),
        invited_at: Some(invited_at),
        expires_at: Some(expires_at),
        accepted_at,
        rbac_group_ids,
    }
}

fn dump_workspace(workspace: &Workspace, state: &State) -> WorkspaceSeed {
    let Workspace {
        id,
        name,
        is_default,
        created_at,
        archived_at,
        display_color,
        data_residency,
        tags,
        external_key_id,
        user_profile_id,
        compartment_id,
    } = workspace.clone();
    let members = state.members.of(&id).map(|(user, role)| {
        let email = state.users.get(user).map_or(user, |user| user.email.as_str());
        (email.to_owned(), role.to_owned())
    });
    WorkspaceSeed {
        name,
        members: members.collect(),
        id: Some(id),
        default: is_default,
        created_at: Some(created_at),
        archived_at,
        display_color: Some(display_color),
        tags,
        data_residency,
        external_key_id,
        user_profile_id,
        compartment_id: Some(compartment_id),
    }
}

fn dump_key(key: &ApiKey) -> KeySeed {
    let ApiKey {
        id,
        name,
        status,
        workspace_id,
        created_by,
        principal,
        created_at,
        expires_at,
        partial_key_hint,
        archives_at,
    } = key.clone();
    KeySeed {
        name,
        id: Some(id),
        status,
        scope: workspace_id.is_none().then_some(ScopeSeed::Organization),
        workspace: workspace_id,
        created_by,
        principal,
        created_at: Some(created_at),
        expires_at,
        archives_at,
        partial_key_hint,
    }
}
