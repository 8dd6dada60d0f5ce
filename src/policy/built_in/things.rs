//! Rules about workspaces, keys and names.
//!
//! Invariant: the workspace of Claude Code is judged only where the files name it.

use std::{collections::BTreeMap, sync::Arc};

use super::{Judged, set, shown};
use crate::{
    config::document::{Text, policy::Named as Things},
    diagnostic::Span,
    policy::{
        Found,
        state::{Key, State, Workspace},
    },
    resource::{KeyStatus, Role, WorkspaceRole},
};

pub(super) fn workspace_admins(
    patterns: &[Text],
    least: u64,
    inherited: bool,
    state: &State,
    found: &mut Vec<Found>,
) -> Judged {
    if inherited && !state.known.people {
        return Err("the files do not list `members`, so admins of the organization are not known");
    }
    let concerned = set(patterns);
    let everywhere = state.people.iter().filter(|person| {
        inherited && person.role.as_ref().and_then(Role::inherited) == Some(WorkspaceRole::Admin)
    });
    let everywhere = everywhere.filter(|person| !person.pending).count();
    let mut judged = false;
    for (place, workspace) in state.workspaces.iter().enumerate() {
        if !workspace.grants_known || workspace.shielded || !concerned.is_match(&*workspace.name) {
            continue;
        }
        judged = true;
        let own = workspace.people.iter().filter(|person| {
            let person = &state.people[**person];
            let grant = person.grants.get(&place);
            let counted = inherited
                && !person.pending
                && person.role.as_ref().and_then(Role::inherited) == Some(WorkspaceRole::Admin);
            !counted && grant.is_some_and(|grant| grant.role == WorkspaceRole::Admin)
        });
        let count = (own.count() + everywhere) as u64;
        if count < least {
            let whose = if inherited { "" } else { " of its own" };
            let have = match count {
                0 => format!("no admin{whose}"),
                1 => format!("1 admin{whose}"),
                count => format!("{count} admins{whose}"),
            };
            let wanted = if least == 1 {
                String::new()
            } else {
                format!(", and the rule wants at least {least}")
            };
            found.push(Found {
                names: workspace_names(workspace),
                message: format!("the workspace `{}` has {have}{wanted}", workspace.name),
                lacks: least.saturating_sub(count),
                span: workspace.listed.span.clone(),
                help: "grant somebody `workspace_admin` in it".to_owned(),
                ..Found::default()
            });
        }
    }
    if judged || state.workspaces.is_empty() {
        Ok(())
    } else {
        Err("the files list the `members` of none of these workspaces")
    }
}

pub(super) fn key_age(
    patterns: &[Text],
    days: u64,
    state: &State,
    found: &mut Vec<Found>,
) -> Judged {
    if !state.known.keys {
        return Err("only a plan knows when keys were made");
    }
    let concerned = set(patterns);
    for key in &state.keys {
        let names = key_names(key);
        let matches = names.iter().any(|name| concerned.is_match(&**name));
        let (true, Some(KeyStatus::Active), Some(created)) = (matches, &key.status, key.created)
        else {
            continue;
        };
        let age = created.until(state.today).map_or(0, |span| i64::from(span.get_days()));
        if u64::try_from(age).unwrap_or(0) > days {
            found.push(Found {
                message: format!(
                    "the key {} was made {age} days ago, on {created}, and the rule wants at most {days}",
                    key_title(key)
                ),
                names,
                span: key.listed.span.clone(),
                help:
                    "make a new key in the Console, and switch this one off: its id with `inactive`"
                        .to_owned(),
                ..Found::default()
            });
        }
    }
    Ok(())
}

pub(super) fn names(
    of: Things,
    patterns: &[Text],
    state: &State,
    found: &mut Vec<Found>,
) -> Judged {
    let allowed = set(patterns);
    let mut wrong = |name: &Arc<str>, names: Vec<Arc<str>>, span: Option<&Span>| {
        if !allowed.is_match(&**name) {
            found.push(Found {
                names,
                message: format!(
                    "the name of the {} `{name}` is not like {}",
                    of.noun(),
                    shown(patterns)
                ),
                span: span.cloned(),
                help: "give it another name; of a workspace, name the old one under `previously`"
                    .to_owned(),
                ..Found::default()
            });
        }
    };
    match of {
        Things::Workspaces if state.live && !state.known.workspaces => {
            return Err("workspaces were not read");
        }
        Things::ApiKeys if state.live && !state.known.keys => return Err("keys were not read"),
        Things::Workspaces => {
            for workspace in state.workspaces.iter().filter(|workspace| !workspace.shielded) {
                wrong(&workspace.name, workspace_names(workspace), workspace.listed.span.as_ref());
            }
        }
        Things::ApiKeys => {
            let archived = |key: &&Key| key.status != Some(KeyStatus::Archived);
            for key in state.keys.iter().filter(archived) {
                if let Some(name) = &key.name {
                    wrong(name, key_names(key), key.listed.span.as_ref());
                }
            }
        }
        Things::Teams => {
            for (name, span) in &state.teams {
                wrong(name, vec![Arc::clone(name)], span.as_ref());
            }
        }
    }
    Ok(())
}

pub(super) fn tags(
    patterns: &[Text],
    required: &BTreeMap<Arc<str>, Vec<Text>>,
    state: &State,
    found: &mut Vec<Found>,
) -> Judged {
    if state.live && !state.known.workspaces {
        return Err("workspaces were not read");
    }
    let concerned = set(patterns);
    let required: Vec<_> =
        required.iter().map(|(tag, values)| (tag, values, set(values))).collect();
    let mut unknown = false;
    for workspace in &state.workspaces {
        if workspace.shielded || !concerned.is_match(&*workspace.name) {
            continue;
        }
        let Some(tags) = &workspace.tags else {
            unknown = true;
            continue;
        };
        for (tag, values, allowed) in &required {
            let (message, help) = match tags.get(&***tag) {
                None => (
                    format!("the workspace `{}` lacks the tag `{tag}`", workspace.name),
                    format!("add `{tag}` to its `tags`"),
                ),
                Some(value) if !values.is_empty() && !allowed.is_match(value) => (
                    format!("the tag `{tag}` of the workspace `{}` is `{value}`", workspace.name),
                    format!("write one like {}", shown(values)),
                ),
                Some(_) => continue,
            };
            let (names, span) = (workspace_names(workspace), workspace.listed.span.clone());
            found.push(Found { names, message, span, help, ..Found::default() });
        }
    }
    if unknown {
        return Err("the files do not list the `tags` of some of these workspaces");
    }
    Ok(())
}

fn workspace_names(workspace: &Workspace) -> Vec<Arc<str>> {
    let mut names = vec![Arc::clone(&workspace.name)];
    if workspace.label.as_str() != &*workspace.name {
        names.push(workspace.label.as_str().into());
    }
    names
}

fn key_names(key: &Key) -> Vec<Arc<str>> {
    key.name.iter().chain(&key.id).cloned().collect()
}

fn key_title(key: &Key) -> String {
    match (&key.name, &key.id) {
        (Some(name), Some(id)) => format!("`{name}` (`{id}`)"),
        (Some(one), None) | (None, Some(one)) => format!("`{one}`"),
        (None, None) => "without a name".to_owned(),
    }
}
