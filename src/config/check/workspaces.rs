//! Workspaces: names, pins, reserved names, residency.
//!
//! Invariant: one live workspace is meant by at most one entry, and none is of the product's own.

use std::{collections::BTreeMap, sync::Arc};

use super::{error, grants};
use crate::{
    config::{
        document::{Document, Text, Workspace},
        shape::LONG_WORKSPACE_NAME,
    },
    diagnostic::{Diagnostic, Span},
    resource::workspace::{CLAUDE_CODE, DEFAULT, Geos},
};

pub(super) fn check(document: &Document, complete: bool, found: &mut Vec<Diagnostic>) {
    let Some(workspaces) = &document.workspaces else { return };
    for (label, workspace) in &workspaces.entries {
        if &**workspace.name(label) == DEFAULT || &**label == DEFAULT {
            default_workspace(label, workspace, found);
        } else if &**workspace.name(label) == CLAUDE_CODE {
            claude_code(workspace, found);
        }
        let own = !matches!(&**workspace.name(label), DEFAULT | CLAUDE_CODE);
        if own {
            name(label, workspace, found);
            archived(label, workspace, found);
        }
        residency(workspace, found);
    }
    names(&workspaces.entries, found);
    unique_ids(
        workspaces.iter().map(|(label, workspace)| (&**label, workspace.id.as_ref())),
        found,
    );
    if complete {
        grants::check(document, &workspaces.entries, found);
    }
}

/// The Default Workspace has colour, tags and residency; it cannot be renamed, archived or joined.
fn default_workspace(label: &str, workspace: &Workspace, found: &mut Vec<Diagnostic>) {
    let Workspace {
        place,
        name,
        id,
        previously,
        state,
        display_color: _,
        tags: _,
        data_residency: _,
        external_key_id,
        user_profile_id,
        note: _,
        members,
        api_keys,
    } = workspace;
    if label != DEFAULT || name.is_some() {
        let span = name.as_ref().map_or(place.0.as_ref(), |name| name.span.as_ref());
        found.push(error(
            "config/reserved-name",
            span,
            format!("the name `{DEFAULT}` is reserved for the Default Workspace, which has no other"),
            "list the Default Workspace under the key `Default`, without `name`; choose another name for others",
        ));
        return;
    }
    let rest = "the Default Workspace has `display_color`, `tags` and `data_residency` only";
    let mut refuse = |key: &str, span: Option<&Span>, help: &str| {
        let message = format!("`{key}` is not possible for `{DEFAULT}`: {rest}");
        found.push(error("config/reserved-name", span, message, help));
    };
    let line = "remove the line; choose another name for a workspace of your own";
    for (key, value) in
        [("id", id), ("external_key_id", external_key_id), ("user_profile_id", user_profile_id)]
    {
        if let Some(value) = value {
            refuse(key, value.span.as_ref(), line);
        }
    }
    if let Some(value) = previously {
        refuse("previously", value.span.as_ref(), line);
    }
    if let Some(value) = state {
        refuse("state", value.span.as_ref(), line);
    }
    if let Some(value) = members {
        refuse(
            "members",
            value.place.0.as_ref(),
            "everybody in the organization is in it: remove the section",
        );
    }
    if let Some(value) = api_keys {
        refuse("api_keys", value.place.0.as_ref(), "list its keys under the top-level `api_keys`");
    }
}

/// The workspace that Claude Code makes and fills.
fn claude_code(workspace: &Workspace, found: &mut Vec<Diagnostic>) {
    if let Some(state) = workspace.state.as_ref().filter(|_| workspace.is_archived()) {
        found.push(error(
            "config/reserved-name",
            state.span.as_ref(),
            format!("`{CLAUDE_CODE}` is never archived: Claude Code would stop for the whole organization"),
            "remove the entry, and charter leaves that workspace alone",
        ));
        return;
    }
    found.push(
        Diagnostic::note(
            "config/claude-code-workspace",
            format!(
                "`{CLAUDE_CODE}` is made and filled by Claude Code: people join it by signing in"
            ),
        )
        .at_opt(workspace.place.0.as_ref())
        .help("remove the entry to leave that workspace alone"),
    );
}

/// Older versions of the API refuse long names.
fn name(label: &Arc<str>, workspace: &Workspace, found: &mut Vec<Diagnostic>) {
    let name = workspace.name(label);
    if name.len() <= LONG_WORKSPACE_NAME || name.chars().count() <= LONG_WORKSPACE_NAME {
        return;
    }
    let span =
        workspace.name.as_ref().map_or(workspace.place.0.as_ref(), |name| name.span.as_ref());
    found.push(
        Diagnostic::warning(
            "config/long-name",
            format!("`{name}` has more than {LONG_WORKSPACE_NAME} characters, which some versions of the API refuse"),
        )
        .at_opt(span)
        .help("shorten the name, and add the long one to `previously` if it is live"),
    );
}

/// Archiving is for ever: it needs the id, and nothing else of the workspace is managed any more.
fn archived(label: &str, workspace: &Workspace, found: &mut Vec<Diagnostic>) {
    let Some(state) = workspace.state.as_ref().filter(|_| workspace.is_archived()) else { return };
    if workspace.id.is_none() {
        found.push(error(
            "config/archive-needs-id",
            state.span.as_ref(),
            format!("archiving `{label}` cannot be undone, and needs its id"),
            "add `id: wrkspc_…`; the Console and `charter import` show it",
        ));
    }
    let rest = [
        ("members", workspace.members.as_ref().map(|v| &v.place.0)),
        ("display_color", workspace.display_color.as_ref().map(|v| &v.span)),
        ("tags", workspace.tags.as_ref().map(|v| &v.place.0)),
        ("data_residency", workspace.data_residency.as_ref().map(|v| &v.place.0)),
        ("external_key_id", workspace.external_key_id.as_ref().map(|v| &v.span)),
        ("user_profile_id", workspace.user_profile_id.as_ref().map(|v| &v.span)),
    ];
    for (key, span) in rest {
        let Some(span) = span else { continue };
        found.push(
            Diagnostic::warning(
                "config/archived-workspace",
                format!("`{key}` of `{label}` is not looked at: the workspace is to be archived"),
            )
            .at_opt(span.as_ref())
            .help("remove it"),
        );
    }
}

/// The default place of inference is an allowed one.
fn residency(workspace: &Workspace, found: &mut Vec<Diagnostic>) {
    let Some(residency) = &workspace.data_residency else { return };
    let (Some(default), Some(allowed)) =
        (&residency.default_inference_geo, &residency.allowed_inference_geos)
    else {
        return;
    };
    if allowed.allows(default) {
        return;
    }
    let named = match &allowed.value {
        Geos::Unrestricted => return,
        Geos::Only(geos) => {
            geos.iter().map(|geo| format!("`{geo}`")).collect::<Vec<_>>().join(", ")
        }
    };
    let mut finding = error(
        "config/residency",
        default.span.as_ref(),
        format!("inference would run in `{default}` by default, where it is not allowed"),
        "",
    )
    .help(format!("write {named}, or add `{default}` to `allowed_inference_geos`"));
    if let Some(span) = &allowed.span {
        finding = finding.with(span, "allowed here");
    }
    found.push(finding);
}

/// Each id pins one entry.
pub(super) fn unique_ids<'d>(
    pins: impl Iterator<Item = (&'d str, Option<&'d Text>)>,
    found: &mut Vec<Diagnostic>,
) {
    let mut first: BTreeMap<&str, (&str, &Text)> = BTreeMap::new();
    for (name, id) in pins {
        let Some(id) = id else { continue };
        if let Some((other, place)) = first.get(&*id.value) {
            let mut finding = error(
                "config/duplicate-id",
                id.span.as_ref(),
                format!("`{id}` pins `{other}` already"),
                "",
            )
            .help(format!("look up the id of `{name}`, or remove the line"));
            if let Some(span) = &place.span {
                finding = finding.with(span, "first here");
            }
            found.push(finding);
        } else {
            first.insert(&id.value, (name, id));
        }
    }
}

/// Of several entries with one name at most one goes without an id; an earlier name is no entry's name now.
fn names(workspaces: &BTreeMap<Arc<str>, Workspace>, found: &mut Vec<Diagnostic>) {
    let mut unpinned: BTreeMap<&str, (&str, &Workspace)> = BTreeMap::new();
    let mut all: BTreeMap<&str, &Workspace> = BTreeMap::new();
    for (label, workspace) in workspaces {
        let name = &**workspace.name(label);
        if !workspace.is_archived() {
            all.entry(name).or_insert(workspace);
        }
        if workspace.id.is_some() {
            continue;
        }
        let Some((mut other, mut first)) = unpinned.get(name).copied() else {
            unpinned.insert(name, (label, workspace));
            continue;
        };
        // The later one in the files is wrong, whichever label sorts first.
        let (mut label, mut later) = (&**label, workspace);
        if later.place.0 < first.place.0 {
            std::mem::swap(&mut label, &mut other);
            std::mem::swap(&mut later, &mut first);
        }
        let span = later.name.as_ref().map_or(later.place.0.as_ref(), |name| name.span.as_ref());
        let mut finding = error(
            "config/duplicate-name",
            span,
            format!("`{label}` and `{other}` both mean the workspace `{name}`"),
            "give each an `id`, or another name",
        );
        if let Some(span) = &first.place.0 {
            finding = finding.with(span, "first here");
        }
        found.push(finding);
    }
    let mut claimed: BTreeMap<&str, (&str, Option<&Span>)> = BTreeMap::new();
    for (label, workspace) in workspaces {
        let own = &**workspace.name(label);
        for old in workspace.previously.iter().flat_map(|list| &list.value) {
            let clash = |message: String, other: Option<&Span>, words: &str, help: &str| {
                let finding = error("config/previously-clash", old.span.as_ref(), message, help);
                match other {
                    Some(other) => finding.with(other, words),
                    None => finding,
                }
            };
            let named = all.get(&*old.value);
            if &*old.value == own {
                found.push(clash(
                    format!("`{old}` is the name of the workspace itself"),
                    None,
                    "",
                    "write the name it had before, or remove it",
                ));
            } else if matches!(&*old.value, DEFAULT | CLAUDE_CODE) {
                found.push(clash(
                    format!("`{old}` is a workspace of the product, and cannot have been renamed"),
                    None,
                    "",
                    "remove it",
                ));
            } else if let Some(other) = named {
                found.push(clash(
                    format!("`{old}` is listed as a workspace of its own"),
                    other.place.0.as_ref(),
                    "listed here",
                    "remove one of them; to swap names, pin both with `id`",
                ));
            } else if let Some((first, place)) = claimed.get(&*old.value) {
                found.push(clash(
                    format!("`{old}` is an earlier name of `{first}` already"),
                    *place,
                    "first here",
                    "keep one of them: a workspace has one name at a time",
                ));
            } else {
                claimed.insert(&old.value, (label, old.span.as_ref()));
            }
        }
    }
}
