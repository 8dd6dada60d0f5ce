//! Looks for features in a sandbox's state and in the files.
//!
//! Invariant: every feature that is counted stands in the list of those that must be met.

use std::collections::{BTreeMap, BTreeSet};

use orgcharter::sandbox::{InviteStatus, KeyStatus, State};

use crate::{
    generate::{CLAUDE_CODE, Case, DEFAULT, UNKNOWN_ROLE},
    model::files::{Kind, Layout, ResidencyEntry, TODAY, Target, Who, WorkspaceEntry, past},
};

pub(super) type Seen = BTreeSet<&'static str>;

fn note(seen: &mut Seen, feature: &'static str, there: bool) {
    if there {
        seen.insert(feature);
    }
}

fn canonical(email: &str) -> String {
    orgcharter::email::Email::lenient(email).canonical().to_string()
}

fn repeats<T: Ord>(items: impl IntoIterator<Item = T>) -> bool {
    let mut seen = BTreeSet::new();
    items.into_iter().any(|item| !seen.insert(item))
}

pub(super) fn live(state: &State, seen: &mut Seen) {
    let mixed = |email: &str| {
        email.bytes().any(|b| b.is_ascii_uppercase())
            && email.bytes().any(|b| b.is_ascii_lowercase())
    };
    for user in state.users() {
        note(seen, "live: an e-mail in mixed case", mixed(&user.email));
        note(seen, "live: a Unicode e-mail", !user.email.is_ascii());
        note(seen, "live: an unknown role", user.role == UNKNOWN_ROLE);
    }
    note(
        seen,
        "live: two members with one canonical address",
        repeats(state.users().map(|user| canonical(&user.email))),
    );
    invites(state, seen);
    for grant in state.grants() {
        let role = state.user(&grant.user_id).map_or("", |user| user.role.as_str());
        note(seen, "live: an admin with an explicit grant", role == "admin");
        note(seen, "live: a billing member with an explicit grant", role == "billing");
        note(seen, "live: an unknown workspace role", grant.role == UNKNOWN_ROLE);
    }
    let active = || state.workspaces().filter(|row| row.archived_at.is_none());
    note(seen, "live: two active workspaces of one name", repeats(active().map(|row| &row.name)));
    for row in state.workspaces() {
        note(seen, "live: Default", row.is_default);
        note(seen, "live: Claude Code", row.name == CLAUDE_CODE);
        note(
            seen,
            "live: a second workspace named Default",
            !row.is_default && row.name == DEFAULT,
        );
        note(
            seen,
            "live: a tag of the product",
            row.tags.keys().any(|key| key.starts_with("anthropic")),
        );
        note(
            seen,
            "live: an active workspace and an archived one of one name",
            row.archived_at.is_some() && active().any(|other| other.name == row.name),
        );
    }
    keys(state, seen);
}

fn invites(state: &State, seen: &mut Seen) {
    let now = state.now();
    let (mut expired, mut pending) = (BTreeMap::<String, u32>::new(), Vec::new());
    for invite in state.invites() {
        let email = canonical(&invite.email);
        match invite.status(now, &state.switches) {
            InviteStatus::Expired => {
                seen.insert("live: an expired invite");
                *expired.entry(email).or_default() += 1;
            }
            InviteStatus::Accepted => {
                seen.insert("live: an accepted invite");
            }
            InviteStatus::Pending => {
                seen.insert("live: a pending invite");
                note(seen, "live: a pending invite of an admin", invite.role == "admin");
                let member = state.users().any(|user| canonical(&user.email) == email);
                note(seen, "live: a member with a pending invite", member);
                pending.push(email);
            }
            InviteStatus::Deleted => {}
        }
    }
    let many = expired.values().any(|count| *count >= 3);
    note(seen, "live: somebody with three expired invites", many);
    note(seen, "live: two pending invites with one canonical address", repeats(pending));
}

fn keys(state: &State, seen: &mut Seen) {
    let now = state.now();
    note(
        seen,
        "live: two keys of one name in one place",
        repeats(state.api_keys().map(|key| (&key.workspace_id, &key.name))),
    );
    for key in state.api_keys() {
        seen.insert(match key.status_at(now) {
            KeyStatus::Active => "live: an active key",
            KeyStatus::Inactive => "live: an inactive key",
            KeyStatus::Archived => "live: an archived key",
            KeyStatus::Expired => "live: an expired key",
        });
        let home = key.workspace_id.as_ref().and_then(|id| state.workspace(id));
        note(seen, "live: an organization-wide key", key.workspace_id.is_none());
        note(seen, "live: a key in Default", home.is_some_and(|home| home.is_default));
        note(seen, "live: a key in Claude Code", home.is_some_and(|home| home.name == CLAUDE_CODE));
        let personal = key.principal.as_ref().is_some_and(|id| id.starts_with("user_"));
        note(seen, "live: a personal key", personal);
        let hint = key.partial_key_hint.as_deref();
        note(seen, "live: the key in use", hint.is_some_and(|hint| hint.ends_with("box")));
    }
}

pub(super) fn files(case: &Case, seen: &mut Seen) {
    let files = &case.files;
    seen.insert(match files.kind {
        Kind::Console => "kind: console",
        Kind::Enterprise => "kind: enterprise",
        Kind::Aws => "kind: aws",
    });
    seen.insert(match files.layout {
        Layout::OneFile => "files: one file",
        Layout::Folder => "files: a folder",
        Layout::Torn => "files: lists in two files",
    });
    seen.insert(if files.members.is_some() { "files: members" } else { "files: no members" });
    seen.insert(if files.workspaces.is_some() {
        "files: workspaces"
    } else {
        "files: no workspaces"
    });
    seen.insert(if files.api_keys.is_some() { "files: api_keys" } else { "files: no api_keys" });
    note(seen, "files: nobody in members", files.members.as_ref().is_some_and(Vec::is_empty));
    for person in files.members.iter().flatten() {
        let plain = person.until.is_none()
            && person.note.is_none()
            && person.previously.is_none()
            && person.id.is_none();
        seen.insert(if plain && !person.long {
            "files: a short entry"
        } else {
            "files: a long entry"
        });
        note(seen, "files: none", person.role == "none");
        note(seen, "files: unmanaged", person.role == "unmanaged");
        note(seen, "files: admin", person.role == "admin");
        if let Some(day) = person.until {
            let today = day == TODAY;
            note(seen, "files: until, past", past(day, TODAY));
            note(seen, "files: until, today", today);
            note(seen, "files: until, ahead", !past(day, TODAY) && !today);
        }
        previously(person.previously.as_ref().map(Vec::is_empty), seen);
        note(seen, "files: a pinned member", person.id.is_some());
    }
    workspaces(case, seen);
    let manage = &files.manage;
    if files.members.is_some() {
        note(seen, "files: manage members remove", manage.members == Some("remove"));
        note(seen, "files: manage members report", matches!(manage.members, None | Some("report")));
        note(seen, "files: manage members ignore", manage.members == Some("ignore"));
    }
    note(
        seen,
        "files: manage workspace_members remove",
        manage.workspace_members == Some("remove"),
    );
    for ignore in &manage.ignore {
        seen.insert(match ignore.target {
            Target::Members => "files: ignore members",
            Target::Workspaces => "files: ignore workspaces",
            Target::ApiKeys => "files: ignore api_keys",
        });
        note(seen, "files: ignore, past", ignore.until.is_some_and(|day| past(day, TODAY)));
    }
}

fn previously(list_is_empty: Option<bool>, seen: &mut Seen) {
    match list_is_empty {
        Some(true) => _ = seen.insert("files: previously []"),
        Some(false) => _ = seen.insert("files: previously"),
        None => {}
    }
}

fn workspaces(case: &Case, seen: &mut Seen) {
    let files = &case.files;
    let entries = || files.workspaces.iter().flatten();
    note(seen, "files: two entries of one name", repeats(entries().map(WorkspaceEntry::name)));
    for entry in entries() {
        previously(entry.previously.as_ref().map(Vec::is_empty), seen);
        note(seen, "files: a pinned workspace", entry.id.is_some());
        note(
            seen,
            "files: a workspace by label, with name and id",
            entry.name.is_some() && entry.id.is_some(),
        );
        note(seen, "files: state archived", entry.archived());
        note(seen, "files: Default", entry.label == DEFAULT);
        note(seen, "files: Claude Code", entry.label == CLAUDE_CODE);
        note(seen, "files: tags", entry.tags.as_ref().is_some_and(|tags| !tags.is_empty()));
        note(seen, "files: no tags wanted", entry.tags.as_ref().is_some_and(BTreeMap::is_empty));
        let part = |parts: &ResidencyEntry| parts.default.is_some() != parts.allowed.is_some();
        note(seen, "files: a part of data_residency", entry.residency.as_ref().is_some_and(part));
        let once = entry.external_key_id.is_some() || entry.user_profile_id.is_some();
        note(seen, "files: write-once fields", once);
        match &entry.members {
            None => _ = seen.insert("files: a workspace without members"),
            Some(grants) => {
                seen.insert("files: a workspace with members");
                note(seen, "files: nobody in a workspace's members", grants.is_empty());
                for grant in grants {
                    note(seen, "files: a grant to a team", matches!(grant.who, Who::Team(_)));
                    note(seen, "files: a grant none", grant.role == "none");
                    note(seen, "files: a grant with until", grant.until.is_some());
                }
            }
        }
    }
    let lists = entries().filter_map(|entry| entry.api_keys.as_ref()).chain(&files.api_keys);
    for key in lists.flatten() {
        let by_id = key.key.starts_with("apikey_");
        seen.insert(if by_id { "files: a key by id" } else { "files: a key by name" });
        note(seen, "files: a key to be archived", key.status == Some("archived"));
        note(seen, "files: a key with until, past", key.until.is_some_and(|day| past(day, TODAY)));
    }
}

pub(super) fn both(case: &Case, seen: &mut Seen) {
    let members = || case.files.members.iter().flatten();
    for user in &case.live.users {
        let listed = members().find(|person| person.canonical == user.canonical);
        match listed {
            Some(person) => {
                let (written, stored) = (person.email.as_str(), user.email.as_str());
                let ascii = written != stored && written.eq_ignore_ascii_case(stored);
                note(seen, "both: a mixed-case spelling of one address", ascii);
                let unicode = !written.eq_ignore_ascii_case(stored);
                note(seen, "both: a Unicode spelling of one address", unicode);
            }
            None => note(seen, "both: an unlisted member", case.files.members.is_some()),
        }
    }
    let entries = case.files.workspaces.as_ref();
    let unlisted = case.live.workspaces.iter().any(|row| {
        !row.default && entries.is_some_and(|list| !list.iter().any(|e| e.name() == row.name))
    });
    note(seen, "both: a live workspace that is not listed", unlisted);
}
