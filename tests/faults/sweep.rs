//! One edit in the Console after each request in turn: while the plan is made, after it, and while it is applied.
//!
//! Invariant: whenever it happens, the next runs come to what they would have come to had it happened first, and nothing
//! goes that neither the files nor the edit take away.

use orgcharter::{
    apply::Journal,
    sandbox::{Edit, InviteStatus, KeyStatus, Sandbox, Script, State},
};

use crate::world::{World, long, outcomes, ready, state, wanted};

pub(crate) const SEED: &str = "\
users:
  - {email: root@acme.com, role: admin}
  - {email: bob@acme.com, role: user}
  - {email: dee@acme.com, role: developer}
  - {email: leaver@acme.com, role: developer}
workspaces:
  - {name: Staging, id: wrkspc_staging, tags: {env: test}, members: {bob@acme.com: workspace_user, dee@acme.com: workspace_user, leaver@acme.com: workspace_user}}
  - {name: Old, id: wrkspc_old}
api_keys:
  - {name: ci, id: apikey_ci, workspace: Staging}
invites:
  - {email: cy@acme.com, role: user}
  - {email: gone@acme.com, role: user}
";

pub(crate) const FILES: &str = "\
manage: {members: remove, workspace_members: remove}
members: {root@acme.com: admin, ada@acme.com: user, bob@acme.com: developer, cy@acme.com: developer, dee@acme.com: developer}
workspaces:
  New: {tags: {env: prod}, members: {dee@acme.com: workspace_admin}}
  Old: {id: wrkspc_old, state: archived}
  Staging:
    tags: {env: prod}
    members: {bob@acme.com: workspace_developer}
    api_keys: {apikey_ci: inactive}
";

fn edits() -> Vec<Edit> {
    let bob = || "bob@acme.com".to_owned();
    let staging = || "Staging".to_owned();
    let role = |user: &str, role: &str| Edit::SetRole { user: user.into(), role: role.into() };
    vec![
        Edit::Accept { invite: "cy@acme.com".into() },
        Edit::Accept { invite: "gone@acme.com".into() },
        Edit::Withdraw { invite: "cy@acme.com".into() },
        Edit::Withdraw { invite: "gone@acme.com".into() },
        Edit::Invite { email: "ada@acme.com".into(), role: "developer".into() },
        Edit::AddUser { email: "ada@acme.com".into(), role: "user".into() },
        Edit::RemoveUser { user: bob() },
        Edit::RemoveUser { user: "leaver@acme.com".into() },
        role("bob@acme.com", "billing"),
        role("bob@acme.com", "admin"),
        role("leaver@acme.com", "admin"),
        role("leaver@acme.com", "user"),
        Edit::AddWorkspace { name: "New".into() },
        Edit::ArchiveWorkspace { workspace: "wrkspc_old".into() },
        Edit::ArchiveWorkspace { workspace: "wrkspc_staging".into() },
        Edit::RenameWorkspace { workspace: "wrkspc_old".into(), name: "Revived".into() },
        Edit::SetTags { workspace: staging(), tags: [("team".into(), "core".into())].into() },
        Edit::SetGrant { workspace: staging(), user: bob(), role: "workspace_admin".into() },
        Edit::SetGrant {
            workspace: staging(),
            user: "dee@acme.com".into(),
            role: "workspace_admin".into(),
        },
        Edit::RemoveGrant { workspace: staging(), user: bob() },
        Edit::RemoveGrant { workspace: staging(), user: "dee@acme.com".into() },
        Edit::SetKeyStatus { key: "apikey_ci".into(), status: KeyStatus::Inactive },
        Edit::SetKeyStatus { key: "apikey_ci".into(), status: KeyStatus::Archived },
        Edit::RenameKey { key: "apikey_ci".into(), name: "payments".into() },
    ]
}

/// Runs until there is nothing left to do.
async fn converge(world: &World) -> usize {
    for run in 0..5 {
        let plan = world.planned().await;
        if ready(&plan).is_empty() {
            return run;
        }
        world.apply(&plan, Journal::none()).await;
    }
    panic!("still something to do: {:?}", ready(&world.planned().await));
}

/// What counts in the end: who is in or invited, and what is open to whom. Left out is what is over (invites that were
/// withdrawn, accepted, or of somebody who is in; archived workspaces) and what does not count (grants of an admin).
pub(crate) fn standing(state: &State) -> Vec<String> {
    let open = |id: &str| state.workspace(id).filter(|space| space.archived_at.is_none());
    let role = |id: &str| state.user(id).map_or("", |user| user.role.as_str());
    let mut lines: Vec<String> =
        state.users().map(|user| format!("user {} {}", user.email, user.role)).collect();
    lines.extend(state.invites().filter_map(|invite| {
        let waits = invite.status(state.now(), &state.switches) == InviteStatus::Pending;
        (waits && state.user(&invite.email).is_none())
            .then(|| format!("invite {} {}", invite.email, invite.role))
    }));
    lines.extend(state.workspaces().filter_map(|space| {
        open(&space.id).map(|space| format!("workspace {} {:?}", space.name, space.tags))
    }));
    lines.extend(state.grants().filter(|grant| role(&grant.user_id) != "admin").filter_map(
        |grant| {
            let (space, user) = (open(&grant.workspace_id)?, state.user(&grant.user_id)?);
            Some(format!("grant {} {} {}", space.name, user.email, grant.role))
        },
    ));
    let now = state.now();
    lines.extend(state.api_keys().map(|key| format!("key {} {:?}", key.name, key.status_at(now))));
    lines.sort();
    lines
}

/// Nothing tells two workspaces of one name apart that were made one after the other: a person has to.
fn made_twice(state: &State) -> bool {
    let active = state.workspaces().filter(|space| space.archived_at.is_none());
    active.filter(|space| space.name == "New").count() > 1
}

#[tokio::test]
async fn an_edit_at_any_moment_ends_where_it_would_have_ended_had_it_come_first() {
    let desired = wanted(FILES);
    let start: State = state(SEED);
    let requests = {
        let world = World::of(start.clone(), &desired);
        let report = world.run().await;
        assert_eq!(report.ended().exit_code(), 0, "{:?}", outcomes(&report));
        assert!(report.steps.len() >= 10, "{:?}", outcomes(&report));
        world.network.sent().len()
    };
    let step = if long() { 1 } else { 3 };
    let (mut runs, mut twice) = (0, 0);
    for (number, edit) in edits().into_iter().enumerate() {
        let mut first = start.clone();
        edit.clone().make(&mut first).unwrap();
        let first = World::of(first, &desired);
        assert!(converge(&first).await <= 2, "{edit:?}");
        let reference = first.sandbox.with(|state| standing(state));
        for nth in (1 + number % step..=requests).step_by(step) {
            let sandbox = Sandbox::new(start.clone());
            let script = Script::new("* /**", [edit.clone()]).nth(u64::try_from(nth).unwrap());
            sandbox.with(|state| state.scripts.add(script)).unwrap();
            let world = World::with(&sandbox, &desired, |network| network);
            converge(&world).await;
            if sandbox.with(|state| !state.scripts.trouble().is_empty()) {
                continue; // what was to be edited had gone by then
            }
            if sandbox.with(|state| made_twice(state)) {
                twice += 1;
                continue;
            }
            let end = sandbox.with(|state| standing(state));
            assert_eq!(end, reference, "{edit:?} after request {nth} of {requests}");
            runs += 1;
        }
    }
    assert!(runs >= 150 && twice <= requests / 2, "{runs} runs, {twice} made twice");
    println!("{runs} runs with an edit");
}
