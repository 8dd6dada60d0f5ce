//! What a workspace's fields may hold: names, colours, tags, and the ids that are written once.
//!
//! Invariant: these functions only judge; what they accept is stored by `workspace`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::workspace::{Attachments, Workspace};
use crate::sandbox::{
    refusal::Refusal,
    request::text,
    state::State,
    switches::{ArchivedWrites, CapClaudeCode, CapDefault, WorkspaceNameLimit, WorkspaceNames},
};

/// Refuses writes in an archived workspace, if the switch says so.
pub(crate) fn writable(state: &State, workspace: &Workspace) -> Result<(), Refusal> {
    let refused = state.switches.archived_writes == ArchivedWrites::Refused;
    match workspace.archived_at {
        Some(_) if refused => Err(Refusal::invalid("the workspace is archived")),
        _ => Ok(()),
    }
}

pub(crate) fn counts(state: &State, workspace: &Workspace) -> bool {
    workspace.archived_at.is_none()
        && (!workspace.is_default || state.switches.cap_default == CapDefault::Counts)
        && (workspace.name != "Claude Code"
            || state.switches.cap_claude_code == CapClaudeCode::Counts)
}

pub(crate) fn check_name(state: &State, name: &str, own: Option<&str>) -> Result<(), Refusal> {
    let limit = match state.switches.workspace_name_limit {
        WorkspaceNameLimit::Newest => 255,
        WorkspaceNameLimit::Older => 40,
    };
    if !(1..=limit).contains(&name.chars().count()) {
        return Err(Refusal::invalid(format!("name: must have 1 to {limit} characters")));
    }
    let clashes = |other: &Workspace| {
        other.name == name
            && Some(other.id.as_str()) != own
            && match state.switches.workspace_names {
                WorkspaceNames::MayRepeat => false,
                WorkspaceNames::UniqueActive => other.archived_at.is_none(),
                WorkspaceNames::Unique => true,
            }
    };
    match state.workspaces.iter().find(|other| clashes(other)) {
        Some(_) => Err(Refusal::invalid(format!("name: a workspace `{name}` exists already"))),
        None => Ok(()),
    }
}

pub(crate) fn check_color(color: Option<&str>) -> Result<(), Refusal> {
    if color.is_none_or(is_color) {
        return Ok(());
    }
    Err(Refusal::invalid("display_color: must look like #6C5BB9"))
}

/// `^#[0-9A-Fa-f]{6}$`
pub(crate) fn is_color(text: &str) -> bool {
    text.len() == 7
        && text.strip_prefix('#').is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

pub(crate) fn tags_of<T: Ord, U>(
    value: Value,
    read: impl Fn(String, Value) -> Result<(T, U), Refusal>,
) -> Result<BTreeMap<T, U>, Refusal> {
    let Value::Object(tags) = value else {
        return Err(Refusal::invalid("tags: must be an object"));
    };
    if let Some(key) = tags.keys().find(|key| is_reserved_tag(key)) {
        return Err(Refusal::invalid(format!("tags: keys like `{key}` are reserved")));
    }
    tags.into_iter().map(|(key, value)| read(key, value)).collect()
}

/// Whether a tag's key is the API's own.
pub(crate) fn is_reserved_tag(key: &str) -> bool {
    key.to_ascii_lowercase().starts_with("anthropic")
}

pub(crate) fn merge_tags(tags: &mut BTreeMap<String, String>, value: Value) -> Result<(), Refusal> {
    let changes = tags_of(value, |key, value| match value {
        Value::Null => Ok((key, None)),
        value => Ok((key, Some(text("tags", value)?))),
    })?;
    for (key, value) in changes {
        match value {
            Some(value) => tags.insert(key, value),
            None => tags.remove(&key),
        };
    }
    Ok(())
}

pub(crate) fn write_once(
    name: &str,
    slot: &mut Option<String>,
    given: Option<String>,
) -> Result<(), Refusal> {
    match (&slot, given) {
        (_, None) => Ok(()),
        (Some(now), Some(given)) if *now == given => Ok(()),
        (Some(_), Some(_)) => {
            Err(Refusal::invalid(format!("{name}: is set and cannot be changed")))
        }
        (None, Some(given)) => {
            *slot = Some(given);
            Ok(())
        }
    }
}

pub(crate) fn check_attachments(
    state: &State,
    key: Option<&str>,
    profile: Option<&str>,
) -> Result<(), Refusal> {
    let Attachments { external_keys, user_profiles, requires_external_key: _ } =
        &state.workspaces.attachments;
    if let Some(key) = key
        && !external_keys.contains(key)
    {
        return Err(Refusal::invalid(format!("external_key_id: `{key}` cannot be used"))
            .code("external_key_validation_failed"));
    }
    match profile.map(|profile| (profile, user_profiles.get(profile))) {
        None | Some((_, Some(None))) => Ok(()),
        Some((profile, None)) => {
            Err(Refusal::invalid(format!("user_profile_id: `{profile}` does not exist"))
                .code("user_profile_not_found"))
        }
        Some((_, Some(Some(wanted)))) if Some(wanted.as_str()) == key => Ok(()),
        Some((profile, Some(Some(_)))) => {
            Err(Refusal::invalid(format!("`{profile}` goes with another external key"))
                .code("key_profile_mismatch"))
        }
    }
}
