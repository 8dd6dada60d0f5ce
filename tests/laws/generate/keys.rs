//! API keys: listed by id or name, in the right list or a wrong one, in every status.
//!
//! Invariant: an id stands in one list, and a name stands in a list once.

use super::tape::Tape;
use crate::model::{
    files::{FUTURE_DAYS, Files, KeyEntry, PAST_DAYS},
    live::{Key, Live},
};

const NAMES: [&str; 3] = ["ci-deploy", "batch", "\u{4e2d}\u{6587} key"];

pub(super) fn generate(tapes: &[Vec<u8>], files: &mut Files, live: &mut Live) {
    for (index, bytes) in tapes.iter().enumerate() {
        let mut tape = Tape::new(bytes);
        let key = key(&mut tape, index, live);
        entry(&mut tape, &key, index, files, live);
        live.keys.push(key);
    }
}

fn key(tape: &mut Tape<'_>, index: usize, live: &Live) -> Key {
    let at = usize::from(tape.byte());
    let workspace =
        (!tape.chance(20)).then(|| live.workspaces[at % live.workspaces.len()].id.clone());
    let user = |tape: &mut Tape<'_>| {
        let at = usize::from(tape.byte());
        match live.users.get(at % live.users.len().max(1)) {
            Some(user) if at < 200 => user.id.clone(),
            _ => "svac_ci".to_owned(),
        }
    };
    let created_by = tape.chance(60).then(|| user(tape));
    let mut principal = tape.chance(40).then(|| user(tape));
    if workspace.is_none() && principal.is_none() {
        principal = Some(user(tape));
    }
    let status = tape.weighted(&[(5, "active"), (3, "inactive"), (1, "archived"), (1, "expired")]);
    let expires_at = match status {
        "expired" => Some("2026-10-01T00:00:00Z"),
        "active" => tape.weighted(&[
            (6, None),
            (1, Some("2026-12-01T00:00:00Z")),
            (1, Some("2028-01-01T00:00:00Z")),
        ]),
        _ => None,
    };
    Key {
        id: format!("apikey_{index}"),
        name: tape.one(&NAMES).to_owned(),
        status,
        workspace,
        created_by,
        principal,
        expires_at,
        // It may be the key that charter itself runs with.
        hint: tape.chance(8).then_some("sk-ant-adm...box"),
    }
}

fn entry(tape: &mut Tape<'_>, key: &Key, index: usize, files: &mut Files, live: &Live) {
    let relation = tape.weighted(&[
        (5, "by id"),
        (4, "by name"),
        (3, "unlisted"),
        (1, "elsewhere"),
        (1, "wrong id"),
        (1, "wrong name"),
    ]);
    if relation == "unlisted" {
        return;
    }
    let home = key.workspace.as_ref().and_then(|id| {
        live.workspaces.iter().find(|workspace| workspace.id == *id && !workspace.default)
    });
    let top = &mut files.api_keys;
    let mut lists: Vec<&mut Vec<KeyEntry>> = Vec::new();
    let mut own = None;
    if let Some(list) = top {
        if home.is_none() {
            own = Some(0);
        }
        lists.push(list);
    }
    for workspace in files.workspaces.iter_mut().flatten() {
        let means = home.is_some_and(|home| match &workspace.id {
            Some(id) => *id == home.id,
            None => {
                let old = workspace.previously.iter().flatten();
                workspace.name() == home.name || old.into_iter().any(|old| *old == home.name)
            }
        });
        if let Some(list) = &mut workspace.api_keys {
            if means && own.is_none() {
                own = Some(lists.len());
            }
            lists.push(list);
        }
    }
    let at = if relation == "elsewhere" {
        if lists.is_empty() { None } else { Some(usize::from(tape.byte()) % lists.len()) }
    } else {
        own
    };
    let Some(list) = at.map(|at| &mut lists[at]) else { return };
    let note = tape.chance(15).then(|| "OPS-7".to_owned());
    let long = tape.chance(30);
    let by_name = |name: String| KeyEntry {
        key: name,
        status: Some("active"),
        note: note.clone(),
        long,
        ..KeyEntry::default()
    };
    let entry = match relation {
        "by name" => by_name(key.name.clone()),
        "wrong name" => by_name("nobody has this".to_owned()),
        _ => KeyEntry {
            key: if relation == "wrong id" {
                format!("apikey_nowhere{index}")
            } else {
                key.id.clone()
            },
            name: tape.weighted(&[
                (6, None),
                (3, Some(key.name.clone())),
                (2, Some("renamed".to_owned())),
            ]),
            status: tape.weighted(&[
                (3, Some("active")),
                (3, Some("inactive")),
                (1, Some("archived")),
                (2, None),
            ]),
            until: tape.weighted(&[(8, None), (1, Some(FUTURE_DAYS[2])), (1, Some(PAST_DAYS[0]))]),
            note: note.clone(),
            long,
        },
    };
    if !list.iter().any(|other| other.key == entry.key) {
        list.push(entry);
    }
}
