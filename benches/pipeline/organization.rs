//! An organization of any size: as a folder of files, and as it is live, drifted from the files a little.
//!
//! Invariant: the same size gives the same files and the same live objects.

use std::{collections::BTreeMap, fmt::Write as _, fs, io, path::Path, sync::Arc};

use jiff::Timestamp;
use orgcharter::{
    address::{Address, Name, RemoteId},
    api::wire,
    observe::objects,
    resource::{Live, Object, snapshot::Coverage},
};
use serde_json::json;

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// People in the files.
    pub(crate) people: usize,
    /// Workspaces.
    pub(crate) workspaces: usize,
    /// Grants in each workspace.
    pub(crate) grants: usize,
    /// Keys over all workspaces.
    pub(crate) keys: usize,
    /// Files in the folder.
    pub(crate) files: usize,
}

impl Size {
    /// The organization that the budgets are for.
    pub(crate) const LARGE: Size =
        Size { people: 20_000, workspaces: 100, grants: 500, keys: 5_000, files: 100 };

    /// The same with so many times the people.
    pub(crate) fn times(self, factor: usize) -> Self {
        Self { people: self.people * factor, ..self }
    }

    fn keys_each(&self) -> usize {
        self.keys / self.workspaces
    }

    /// Who holds the nth grant of a workspace.
    fn holder(&self, workspace: usize, grant: usize) -> usize {
        // Neighbours share people, and every person is reached.
        (workspace * self.people / self.workspaces + grant) % self.people
    }
}

const ROLES: [&str; 4] = ["user", "developer", "claude_code_user", "billing"];
const GRANTS: [&str; 3] = ["workspace_user", "workspace_developer", "workspace_admin"];
const ORGANIZATION: &str = "3f0c1b1e-0000-4000-8000-000000000000";
const LONG_AGO: &str = "2026-01-02T03:04:05Z";

fn email(person: usize) -> String {
    format!("person-{person:06}@unit-{:02}.acme.com", person % 40)
}

/// The role in the files; admins and billing members inherit, so they are few.
fn role(person: usize) -> &'static str {
    if person % 500 == 3 { "billing" } else { ROLES[person % 3] }
}

fn grant(workspace: usize, person: usize) -> &'static str {
    GRANTS[(workspace + person) % 3]
}

fn key_id(workspace: usize, key: usize) -> String {
    format!("apikey_01Bench{workspace:04}{key:06}")
}

/// Writes the files.
pub(crate) fn write(size: Size, folder: &Path) -> io::Result<()> {
    let guard = "guard: {removals: {members: 100%, workspace_members: 100%}, downgrades: 100%, invites: 100000}";
    let root = format!(
        "version: 1\norganization: {{id: {ORGANIZATION}}}\n\
         manage: {{members: remove, workspace_members: remove}}\n{guard}\n"
    );
    fs::write(folder.join("charter.yaml"), root)?;
    let people_files = size.files / 2 - 1;
    let workspace_files = size.files - 1 - people_files;
    for file in 0..people_files {
        let mut text = String::from("members:\n");
        for person in (0..size.people).filter(|person| person % people_files == file) {
            entry(&mut text, person);
        }
        fs::write(folder.join(format!("people-{file:03}.yaml")), text)?;
    }
    for file in 0..workspace_files {
        let mut text = String::from("workspaces:\n");
        for workspace in (0..size.workspaces).filter(|w| w % workspace_files == file) {
            workspace_entry(&mut text, size, workspace);
        }
        fs::write(folder.join(format!("workspaces-{file:03}.yaml")), text)?;
    }
    Ok(())
}

fn entry(text: &mut String, person: usize) {
    let (email, role) = (email(person), role(person));
    // One in ten is written the long way.
    let _ = if person.is_multiple_of(10) {
        writeln!(
            text,
            "  {email}:\n    role: {role}\n    until: 2099-12-31\n    note: SOW-{person}"
        )
    } else {
        writeln!(text, "  {email}: {role}")
    };
}

fn workspace_entry(text: &mut String, size: Size, workspace: usize) {
    let _ = writeln!(
        text,
        "  Workspace {workspace:03}:\n    tags: {{env: prod, cost-center: \"{workspace}\"}}\n    members:"
    );
    for nth in 0..size.grants {
        let person = size.holder(workspace, nth);
        let _ = writeln!(text, "      {}: {}", email(person), grant(workspace, person));
    }
    let _ = writeln!(text, "    api_keys:");
    for key in 0..size.keys_each() {
        let _ =
            writeln!(text, "      {}: {{name: key-{key}, status: active}}", key_id(workspace, key));
    }
}

/// The live organization: about one object in a hundred differs from the files, and as many are missing or too
/// many.
pub(crate) fn live(size: Size) -> Live {
    let time: Timestamp = LONG_AGO.parse().expect("a time");
    let mut all: Vec<(Address, Arc<Object>)> = Vec::new();
    let mut users: Vec<Option<RemoteId>> = Vec::with_capacity(size.people);
    for person in 0..size.people + size.people / 200 {
        if person % 100 == 7 {
            users.push(None);
            continue;
        }
        let id = RemoteId::new(format!("user_01Bench{person:08}"));
        let role = if person % 100 == 9 { ROLES[(person + 1) % 3] } else { role(person) };
        let user = wire::User {
            id: id.clone(),
            email: email(person),
            name: format!("Person {person}"),
            role: role.to_owned(),
            added_at: Some(time),
        };
        all.push((Address::member(Name::id(&id)), Arc::new(objects::user(user))));
        users.push(Some(id));
    }
    let mut managed = std::collections::BTreeSet::new();
    for workspace in 0..size.workspaces {
        let id = RemoteId::new(format!("wrkspc_01Bench{workspace:06}"));
        managed.insert(id.clone());
        let tags = [("env", "prod"), ("cost-center", &workspace.to_string())];
        let wire = wire::Workspace {
            id: id.clone(),
            name: format!("Workspace {workspace:03}"),
            display_color: Some("#6C5BB9".to_owned()),
            data_residency: None,
            tags: tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            external_key_id: None,
            user_profile_id: None,
            compartment_id: None,
            created_at: Some(time),
            archived_at: None,
        };
        all.push((Address::workspace(Name::id(&id)), Arc::new(objects::workspace(&wire, false))));
        // One grant more than wanted, and now and then one that differs or is missing.
        for nth in (0..=size.grants).filter(|nth| nth % 100 != 11) {
            let person = size.holder(workspace, nth);
            let Some(user) = &users[person] else { continue };
            let role = grant(workspace, if nth % 100 == 13 { person + 1 } else { person });
            all.push((
                Address::workspace_member(Name::id(&id), Name::id(user)),
                Arc::new(objects::grant(&id, user, role)),
            ));
        }
        for key in 0..size.keys_each() {
            let status = if key == 17 { "inactive" } else { "active" };
            let wire: wire::ApiKey = serde_json::from_value(json!({
                "id": key_id(workspace, key),
                "name": format!("key-{key}"),
                "status": status,
                "created_at": LONG_AGO,
                "scope": {"type": "workspace", "workspace_id": id.as_str()},
                "partial_key_hint": "sk-ant-api03-R2D...igAA",
            }))
            .expect("a key");
            let object = objects::api_key(&wire, Some(Name::id(&id)), false);
            all.push((Address::api_key(&wire.id), Arc::new(object)));
        }
    }
    Live {
        organization: ORGANIZATION.into(),
        organization_name: Some("Bench".into()),
        objects: all,
        archived: Vec::new(),
        history: BTreeMap::new(),
        coverage: Coverage {
            members: true,
            workspaces: true,
            default_workspace: false,
            workspace_members: managed,
            api_keys: true,
        },
    }
}
