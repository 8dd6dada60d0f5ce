//! Counts what generated organizations have in them.
//!
//! Invariant: a feature is counted where it is in the files or in the sandbox's state, never because the generator
//! meant it to be.

use std::collections::{BTreeMap, BTreeSet};

use orgcharter::sandbox::{InviteStatus, KeyStatus, State, Switches};

use crate::{
    generate::Case,
    model::files::{Kind, Layout, TODAY, Target, Who, WorkspaceEntry, past},
};

/// Everything that a run of a law must have met.
pub(crate) const FEATURES: &[&str] = &[
    // What the issue asks for by name.
    "live: two active workspaces of one name",
    "live: an e-mail in mixed case",
    "live: a Unicode e-mail",
    "live: an expired invite",
    "live: an accepted invite",
    "live: an admin with an explicit grant",
    "live: an unknown role",
    "live: an active workspace and an archived one of one name",
    "live: Claude Code",
    "live: Default",
    // The rest of the live side.
    "live: a pending invite",
    "live: a pending invite of an admin",
    "live: somebody with three expired invites",
    "live: a member with a pending invite",
    "live: two members with one canonical address",
    "live: two pending invites with one canonical address",
    "live: a billing member with an explicit grant",
    "live: an unknown workspace role",
    "live: a tag of the product",
    "live: a key in every status",
    "live: an organization-wide key",
    "live: a personal key",
    "live: two keys of one name in one place",
    "live: a key in Default",
    "live: a key in Claude Code",
    "live: a second workspace named Default",
    "live: the key in use",
    "kind: console",
    "kind: enterprise",
    "kind: aws",
    // The files.
    "files: one file",
    "files: a folder",
    "files: lists in two files",
    "files: no members",
    "files: members",
    "files: no workspaces",
    "files: workspaces",
    "files: no api_keys",
    "files: api_keys",
    "files: nobody in members",
    "files: a short entry",
    "files: a long entry",
    "files: none",
    "files: unmanaged",
    "files: admin",
    "files: until, past",
    "files: until, today",
    "files: until, ahead",
    "files: previously",
    "files: previously []",
    "files: a pinned member",
    "files: a pinned workspace",
    "files: a workspace by label, with name and id",
    "files: two entries of one name",
    "files: state archived",
    "files: Default",
    "files: Claude Code",
    "files: tags",
    "files: no tags wanted",
    "files: a part of data_residency",
    "files: write-once fields",
    "files: a workspace with members",
    "files: a workspace without members",
    "files: nobody in a workspace's members",
    "files: a grant to a team",
    "files: a grant none",
    "files: a grant with until",
    "files: a key by name",
    "files: a key by id",
    "files: a key to be archived",
    "files: a key with until, past",
    "files: manage members remove",
    "files: manage members report",
    "files: manage members ignore",
    "files: manage workspace_members remove",
    "files: ignore members",
    "files: ignore workspaces",
    "files: ignore api_keys",
    "files: ignore, past",
    "both: a mixed-case spelling of one address",
    "both: a Unicode spelling of one address",
    "both: an unlisted member",
    "both: a live workspace that is not listed",
];

/// Counts per feature, and per position of each switch.
#[derive(Default)]
pub(crate) struct Coverage {
    features: BTreeMap<&'static str, u32>,
    switches: BTreeMap<(&'static str, usize), u32>,
    /// What a law met beyond its organizations.
    met: BTreeMap<&'static str, u32>,
    wanted: BTreeSet<&'static str>,
}

impl Coverage {
    /// Counts what a case has in it.
    pub(crate) fn look_at(&mut self, case: &Case) {
        let mut seen = BTreeSet::new();
        live(&case.state(), &mut seen);
        files(case, &mut seen);
        both(case, &mut seen);
        for feature in seen {
            *self.features.entry(feature).or_default() += 1;
        }
        // A switch is told by its name and position, which drawing shows.
        let choices: Vec<u8> = case.positions();
        let mut choices = choices.into_iter();
        Switches::draw(|axis, positions| {
            let at = usize::from(choices.next().unwrap_or_default()) % positions;
            *self.switches.entry((axis, at)).or_default() += 1;
            at
        });
    }

    /// Counts something that a law met.
    pub(crate) fn meet(&mut self, what: &'static str) {
        *self.met.entry(what).or_default() += 1;
    }

    /// Says that a law must meet something.
    pub(crate) fn want(&mut self, what: &'static str) {
        self.wanted.insert(what);
    }

    /// How often something was met.
    pub(crate) fn complete(&self, cases: u32) {
        let mut missing: Vec<String> = Vec::new();
        for feature in FEATURES {
            if !self.features.contains_key(feature) {
                missing.push((*feature).to_owned());
            }
        }
        for feature in self.features.keys() {
            assert!(FEATURES.contains(feature), "`{feature}` is counted and not listed");
        }
        for (axis, positions) in Switches::AXES {
            for at in 0..*positions {
                if !self.switches.contains_key(&(axis, at)) {
                    missing.push(format!("switch {axis} at position {at}"));
                }
            }
        }
        for what in &self.wanted {
            if !self.met.contains_key(what) {
                missing.push(format!("met: {what}"));
            }
        }
        if std::env::var_os("LAWS_COUNTS").is_some() {
            println!("{:#?}\n{:#?}", self.features, self.met);
        }
        // A few cases, as when one failure is looked into, cannot meet everything.
        if cases >= crate::run::CASES {
            assert!(missing.is_empty(), "no organization had: {missing:#?}");
        }
    }
}

type Seen = BTreeSet<&'static str>;

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

fn live(state: &State, seen: &mut Seen) {
    let mixed = |email: &str| {
        email.bytes().any(|b| b.is_ascii_uppercase())
            && email.bytes().any(|b| b.is_ascii_lowercase())
    };
    for user in state.users() {
        note(seen, "live: an e-mail in mixed case", mixed(&user.email));
        note(seen, "live: a Unicode e-mail", !user.email.is_ascii());
        note(seen, "live: an unknown role", user.role == crate::generate::UNKNOWN_ROLE);
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
        note(seen, "live: an unknown workspace role", grant.role == crate::generate::UNKNOWN_ROLE);
    }
    let active = || state.workspaces().filter(|row| row.archived_at.is_none());
    note(seen, "live: two active workspaces of one name", repeats(active().map(|row| &row.name)));
    for row in state.workspaces() {
        note(seen, "live: Default", row.is_default);
        note(seen, "live: Claude Code", row.name == "Claude Code");
        note(
            seen,
            "live: a second workspace named Default",
            !row.is_default && row.name == "Default",
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
    let statuses: BTreeSet<KeyStatus> = state.api_keys().map(|key| key.status_at(now)).collect();
    note(seen, "live: a key in every status", statuses.len() >= 3);
    note(
        seen,
        "live: two keys of one name in one place",
        repeats(state.api_keys().map(|key| (&key.workspace_id, &key.name))),
    );
    for key in state.api_keys() {
        let home = key.workspace_id.as_ref().and_then(|id| state.workspace(id));
        note(seen, "live: an organization-wide key", key.workspace_id.is_none());
        note(seen, "live: a key in Default", home.is_some_and(|home| home.is_default));
        note(
            seen,
            "live: a key in Claude Code",
            home.is_some_and(|home| home.name == "Claude Code"),
        );
        let personal = key.principal.as_ref().is_some_and(|id| id.starts_with("user_"));
        note(seen, "live: a personal key", personal);
        let hint = key.partial_key_hint.as_deref();
        note(seen, "live: the key in use", hint.is_some_and(|hint| hint.ends_with("box")));
    }
}

fn files(case: &Case, seen: &mut Seen) {
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
        note(seen, "files: Default", entry.label == "Default");
        note(seen, "files: Claude Code", entry.label == "Claude Code");
        note(seen, "files: tags", entry.tags.as_ref().is_some_and(|tags| !tags.is_empty()));
        note(seen, "files: no tags wanted", entry.tags.as_ref().is_some_and(BTreeMap::is_empty));
        let part = |parts: &crate::model::files::ResidencyEntry| {
            parts.default.is_some() != parts.allowed.is_some()
        };
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

fn both(case: &Case, seen: &mut Seen) {
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
