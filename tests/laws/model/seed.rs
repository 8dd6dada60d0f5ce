//! The live side as a sandbox's organization.
//!
//! Invariant: the sandbox holds exactly the model's objects, under the model's ids.

use orgcharter::sandbox::{State, Switches};
use serde_json::{Map, Value, json};

use super::{
    files::ResidencyEntry,
    live::{Invite, InviteState, Key, Live, User, Workspace},
};

/// When every generated organization is looked at.
pub(crate) const NOW: &str = "2026-11-22T09:00:00Z";

/// Builds the organization.
pub(crate) fn plant(live: &Live, switches: Switches, seed: u64) -> State {
    let document = json!({
        "organization": {"id": super::yaml::ORGANIZATION, "name": "Acme", "kind": live.kind.word()},
        "now": NOW,
        "seed": seed % 1_000_000,
        "users": live.users.iter().map(user).collect::<Vec<_>>(),
        "former_users": live.former,
        "invites": live.invites.iter().map(invite).collect::<Vec<_>>(),
        "workspaces": live.workspaces.iter().map(workspace).collect::<Vec<_>>(),
        "api_keys": live.keys.iter().map(key).collect::<Vec<_>>(),
        "external_keys": EXTERNAL_KEYS,
        "user_profiles": {PROFILES[0]: null, PROFILES[1]: null},
    });
    // JSON is YAML.
    let mut state = State::from_yaml(&document.to_string())
        .unwrap_or_else(|error| panic!("the seed is refused: {error}\n{document:#}"));
    state.switches = switches;
    for workspace in live.workspaces.iter().filter(|workspace| workspace.reserved_tag) {
        // The product sets its own tags; a seed may not.
        state.edit_workspace(&workspace.id, |row| {
            row.tags.insert("anthropic:owner".to_owned(), "claude".to_owned());
        });
    }
    state
}

/// External keys and user profiles that workspaces may be given.
pub(crate) const EXTERNAL_KEYS: [&str; 2] = ["ekey_1", "ekey_2"];
pub(crate) const PROFILES: [&str; 2] = ["uprof_1", "uprof_2"];

fn user(User { id, email, canonical: _, role }: &User) -> Value {
    json!({"id": id, "email": email, "role": role, "added_at": "2026-03-01T00:00:00Z"})
}

fn invite(invite: &Invite) -> Value {
    let Invite { id, email, canonical: _, role, state, weeks } = invite;
    let now: jiff::Timestamp = NOW.parse().unwrap();
    let hours = jiff::SignedDuration::from_hours;
    let ends = match state {
        InviteState::Pending => now + hours(24 * 10) - hours(weeks * 40),
        InviteState::JustExpired => now - hours(1) / 2,
        InviteState::Expired | InviteState::Accepted => now - hours(24 * (7 * weeks + 1)),
    };
    let mut row = json!({
        "id": id, "email": email, "role": role, "expires_at": ends.to_string(),
        "invited_at": (ends - hours(24 * 21)).to_string(),
    });
    if *state == InviteState::Accepted {
        row["accepted_at"] = json!((ends - hours(24 * 20)).to_string());
    }
    row
}

fn workspace(workspace: &Workspace) -> Value {
    let Workspace {
        id,
        name,
        default,
        archived,
        display_color,
        tags,
        reserved_tag: _,
        residency,
        external_key_id,
        user_profile_id,
        members,
    } = workspace;
    let ResidencyEntry { workspace_geo: _, default: geo, allowed } = residency;
    let allowed = allowed.clone().unwrap_or_else(|| vec!["unrestricted"]);
    let allowed = if allowed == ["unrestricted"] { json!("unrestricted") } else { json!(allowed) };
    let mut row = json!({
        "id": id, "name": name, "default": default, "display_color": display_color, "tags": tags,
        "data_residency": {
            "default_inference_geo": geo.unwrap_or("global"), "allowed_inference_geos": allowed,
        },
        "members": members,
    });
    let mut put = |field: &str, value: Option<&str>| {
        if let (Some(value), Value::Object(row)) = (value, &mut row) {
            row.insert(field.to_owned(), value.into());
        }
    };
    put("archived_at", archived.then_some("2026-10-01T00:00:00Z"));
    put("external_key_id", external_key_id.as_deref());
    put("user_profile_id", user_profile_id.as_deref());
    row
}

fn key(key: &Key) -> Value {
    let Key { id, name, status, workspace, created_by, principal, expires_at, hint } = key;
    let mut row = Map::new();
    let mut put = |field: &str, value: Option<&str>| {
        row.extend(value.map(|value| (field.to_owned(), Value::from(value))));
    };
    put("id", Some(id));
    put("name", Some(name));
    put("status", Some(status));
    put("workspace", workspace.as_deref());
    put("scope", workspace.is_none().then_some("organization"));
    put("created_by", created_by.as_deref());
    put("principal", principal.as_deref());
    put("expires_at", *expires_at);
    put("partial_key_hint", *hint);
    Value::Object(row)
}
