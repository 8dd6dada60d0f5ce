//! What people do in the Console between a plan and its steps.
//!
//! Invariant: what is no longer what was reviewed is left alone and said so; what is so already is no error; and the
//! next runs bring the files about.

use orgcharter::{
    apply::Journal,
    sandbox::{Edit, Fault, KeyStatus, Rule, TypedError},
};

use crate::{
    world::{World, outcomes, ready},
    writes::PEOPLE,
};

/// When an edit is made.
#[derive(Clone, Copy, Debug)]
enum When {
    /// After the plan, before anything is done.
    Before,
    /// Just after this request of the apply: the look that a step takes before it destroys or makes.
    After(&'static str),
}
use When::{After, Before};

struct Race {
    files: &'static str,
    when: When,
    edits: Vec<Edit>,
    /// What the API answers once in place of a plain reply, and to which call.
    reply: Option<(&'static str, Fault)>,
    /// The outcome of the only step.
    told: &'static str,
    exit: u8,
}

const LOOK_AT_USER: When = After("GET /v1/organizations/users/*");
const LOOK_AT_INVITE: When = After("GET /v1/organizations/invites/*");
const LOOK_AT_WORKSPACE: When = After("GET /v1/organizations/workspaces/*");
const LOOK_AT_WORKSPACES: When = After("GET /v1/organizations/workspaces");
const LOOK_AT_GRANT: When = After("GET /v1/organizations/workspaces/*/members");
const LOOK_AT_KEY: When = After("GET /v1/organizations/api_keys/*");

const NO_INVITE: &str =
    "manage: {members: remove}\nmembers: {root@acme.com: admin, bob@acme.com: user}";
const OTHER_INVITE: &str = "members: {cy@acme.com: developer}";
const NO_BOB: &str =
    "manage: {members: remove}\nmembers: {root@acme.com: admin, cy@acme.com: user}";
const BOB_DEVELOPS: &str = "members: {bob@acme.com: developer}";
const ADA: &str = "members: {ada@acme.com: user}";
const NEW: &str = "workspaces: {New: {tags: {env: prod}}}";
const TAGS: &str = "workspaces: {Staging: {tags: {env: prod}}}";
const NO_EMPTY: &str = "workspaces: {Empty: {id: wrkspc_empty, state: archived}}";
const MORE: &str = "workspaces: {Staging: {members: {bob@acme.com: workspace_developer}}}";
const FRESH: &str = "workspaces: {Empty: {members: {bob@acme.com: workspace_developer}}}";
const NONE: &str = "members: {bob@acme.com: user}\nmanage: {workspace_members: remove}\nworkspaces: {Staging: {members: {}}}";
const OFF: &str = "workspaces: {Staging: {api_keys: {apikey_ci: inactive}}}";
const RENAMED: &str = "workspaces: {Staging: {api_keys: {apikey_ci: {name: deploy}}}}";
const KEY_GONE: &str = "workspaces: {Staging: {api_keys: {apikey_ci: archived}}}";

fn role(role: &str) -> Vec<Edit> {
    vec![Edit::SetRole { user: "bob@acme.com".into(), role: role.into() }]
}

fn bob_leaves() -> Vec<Edit> {
    vec![Edit::RemoveUser { user: "bob@acme.com".into() }]
}

fn cy_accepts() -> Vec<Edit> {
    vec![Edit::Accept { invite: "cy@acme.com".into() }]
}

fn archive(workspace: &str) -> Vec<Edit> {
    vec![Edit::ArchiveWorkspace { workspace: workspace.into() }]
}

fn grant(workspace: &str, role: &str) -> Vec<Edit> {
    let (workspace, user) = (workspace.into(), "bob@acme.com".into());
    vec![Edit::SetGrant { workspace, user, role: role.into() }]
}

fn no_grant() -> Vec<Edit> {
    vec![Edit::RemoveGrant { workspace: "Staging".into(), user: "bob@acme.com".into() }]
}

fn key(status: KeyStatus) -> Vec<Edit> {
    vec![Edit::SetKeyStatus { key: "apikey_ci".into(), status }]
}

fn other_name() -> Vec<Edit> {
    vec![Edit::RenameKey { key: "apikey_ci".into(), name: "payments".into() }]
}

fn made(tags: &str) -> Vec<Edit> {
    let tags = if tags.is_empty() { vec![] } else { vec![("env".to_owned(), tags.to_owned())] };
    vec![
        Edit::AddWorkspace { name: "New".into() },
        Edit::SetTags { workspace: "New".into(), tags: tags.into_iter().collect() },
    ]
}

#[rustfmt::skip] // a table
fn races() -> Vec<Race> {
    const ACCEPTED: &str = "skipped member/cy@acme.com: `cy@acme.com` accepted the invite meanwhile; the next run sees a member";
    const CY_GONE: &str = "done member/cy@acme.com: it was gone already";
    const ADMIN: &str = "manual member/bob@acme.com: `bob@acme.com` has become `admin`, which the API neither changes nor removes: do it in the Console under Settings > Members";
    const BOB_GONE: &str = "done member/bob@acme.com: it was gone already";
    const GRANT_GONE: &str = "done workspace_member/Staging/bob@acme.com: it was gone already";
    const NO_STAGING: &str = "skipped workspace_member/Staging/bob@acme.com: `Staging` was archived meanwhile";
    const KEY_SO: &str = "done api_key/apikey_ci: it was so already";
    let row =
        |files, when, edits, told, exit| Race { files, when, edits, reply: None, told, exit };
    let withdrawn = || vec![Edit::Withdraw { invite: "cy@acme.com".into() }];
    let invited = |role: &str| vec![Edit::Invite { email: "ada@acme.com".into(), role: role.into() }];
    let joined = |role: &str| vec![Edit::AddUser { email: "ada@acme.com".into(), role: role.into() }];
    let renamed = || vec![Edit::RenameWorkspace { workspace: "Empty".into(), name: "Revived".into() }];
    vec![
        // Invites that are accepted, or open no longer.
        row(NO_INVITE, Before, cy_accepts(), ACCEPTED, 0),
        row(NO_INVITE, LOOK_AT_INVITE, cy_accepts(), ACCEPTED, 0),
        row(OTHER_INVITE, Before, cy_accepts(), ACCEPTED, 0),
        row(OTHER_INVITE, LOOK_AT_INVITE, cy_accepts(), ACCEPTED, 0),
        row(NO_INVITE, Before, withdrawn(), CY_GONE, 0),
        row(NO_INVITE, LOOK_AT_INVITE, withdrawn(), CY_GONE, 0),
        row(OTHER_INVITE, LOOK_AT_INVITE, withdrawn(), CY_GONE, 0),
        // People who are invited or join meanwhile.
        row(ADA, Before, invited("user"), "done member/ada@acme.com: it was so already", 0),
        row(ADA, Before, invited("developer"), "skipped member/ada@acme.com: `ada@acme.com` was invited meanwhile, with the role `developer`; the next run replaces the invite", 5),
        row(ADA, Before, joined("user"), "done member/ada@acme.com: is a member already", 0),
        row(ADA, Before, joined("developer"), "skipped member/ada@acme.com: `ada@acme.com` is a member meanwhile, with the role `developer`; the next run sets it", 5),
        // People whose role changes, or who leave.
        row(BOB_DEVELOPS, Before, role("developer"), "done member/bob@acme.com", 0),
        row(BOB_DEVELOPS, Before, role("admin"), ADMIN, 0),
        row(BOB_DEVELOPS, Before, bob_leaves(), "skipped member/bob@acme.com: `bob@acme.com` is no longer a member", 5),
        row(NO_BOB, Before, role("billing"), "skipped member/bob@acme.com: `bob@acme.com` changed meanwhile: role is `billing`, and was `user` when the plan was made", 5),
        row(NO_BOB, Before, role("admin"), "skipped member/bob@acme.com: `bob@acme.com` changed meanwhile: role is `admin`, and was `user` when the plan was made", 5),
        row(NO_BOB, LOOK_AT_USER, role("admin"), ADMIN, 0),
        row(NO_BOB, Before, bob_leaves(), BOB_GONE, 0),
        row(NO_BOB, LOOK_AT_USER, bob_leaves(), BOB_GONE, 0),
        // Workspaces that are made, changed or archived.
        row(NEW, Before, made("prod"), "done workspace/New: it was made meanwhile", 0),
        row(NEW, Before, made(""), "skipped workspace/New: a workspace named `New` (*) was made meanwhile, with other settings; the next run sets them", 5),
        row(NEW, LOOK_AT_WORKSPACES, made("prod"), "done workspace/New: somebody else made it at the same time; this run's own one (*) was archived again", 0),
        row(NEW, LOOK_AT_WORKSPACES, made("test"), "skipped workspace/New: a workspace named `New` (*) was made meanwhile, with other settings; the next run sets them; this run's own one (*) was archived again", 5),
        row(TAGS, Before, archive("Staging"), "skipped workspace/Staging: `Staging` was archived meanwhile", 5),
        row(NO_EMPTY, Before, archive("Empty"), "done workspace/Empty: it was archived already", 0),
        row(NO_EMPTY, LOOK_AT_WORKSPACE, archive("Empty"), "done workspace/Empty", 0),
        row(NO_EMPTY, Before, renamed(), "skipped workspace/Empty: `Empty` changed meanwhile: name is `Revived`, and was `Empty` when the plan was made", 5),
        // Grants that are made, changed or taken, or whose workspace or person goes.
        row(FRESH, Before, grant("Empty", "workspace_developer"), "done workspace_member/Empty/bob@acme.com: it was so already", 0),
        row(FRESH, Before, grant("Empty", "workspace_admin"), "skipped workspace_member/Empty/bob@acme.com: `bob@acme.com` has the role `workspace_admin` there meanwhile; the next run sets it", 5),
        row(FRESH, Before, archive("Empty"), "skipped workspace_member/Empty/bob@acme.com: `Empty` was archived meanwhile", 5),
        row(FRESH, Before, bob_leaves(), "skipped workspace_member/Empty/bob@acme.com: `bob@acme.com` is no longer a member", 5),
        row(FRESH, Before, role("admin"), "skipped workspace_member/Empty/bob@acme.com: `bob@acme.com` has the organization role `admin` meanwhile, and `workspace_admin` everywhere through it", 5),
        row(MORE, Before, grant("Staging", "workspace_developer"), "done workspace_member/Staging/bob@acme.com", 0),
        row(MORE, Before, no_grant(), "skipped workspace_member/Staging/bob@acme.com: `bob@acme.com` has no grant there any more; the next run makes it anew", 5),
        row(MORE, Before, archive("Staging"), NO_STAGING, 5),
        row(NONE, Before, grant("Staging", "workspace_admin"), "skipped workspace_member/Staging/bob@acme.com: `bob@acme.com` changed meanwhile: role is `workspace_admin`, and was `workspace_user` when the plan was made", 5),
        row(NONE, Before, no_grant(), GRANT_GONE, 0),
        row(NONE, LOOK_AT_GRANT, no_grant(), GRANT_GONE, 0),
        row(NONE, Before, archive("Staging"), NO_STAGING, 5),
        row(NONE, LOOK_AT_GRANT, archive("Staging"), NO_STAGING, 5),
        row(NONE, Before, bob_leaves(), GRANT_GONE, 0),
        // Keys that are switched off, renamed or archived.
        row(OFF, Before, key(KeyStatus::Inactive), KEY_SO, 0),
        row(OFF, Before, key(KeyStatus::Archived), KEY_SO, 0),
        row(OFF, LOOK_AT_KEY, key(KeyStatus::Inactive), "done api_key/apikey_ci", 0),
        row(OFF, LOOK_AT_KEY, key(KeyStatus::Archived), KEY_SO, 0),
        row(OFF, Before, other_name(), "skipped api_key/apikey_ci: `ci` changed meanwhile: name is `payments`, and was `ci` when the plan was made", 5),
        row(KEY_GONE, Before, key(KeyStatus::Archived), KEY_SO, 0),
        row(KEY_GONE, LOOK_AT_KEY, key(KeyStatus::Archived), "done api_key/apikey_ci", 0),
        row(RENAMED, Before, key(KeyStatus::Inactive), "done api_key/apikey_ci", 0),
        row(RENAMED, Before, key(KeyStatus::Archived), "done api_key/apikey_ci", 0),
    ]
}

/// Edits beside a reply that says more than its status.
#[rustfmt::skip] // a table
fn replies() -> Vec<Race> {
    const MAKE: &str = "POST /v1/organizations/workspaces";
    const CHANGE: &str = "POST /v1/organizations/workspaces/*";
    const CLOSE: &str = "POST /v1/organizations/workspaces/*/archive";
    const REMOVE: &str = "DELETE /v1/organizations/users/*";
    const INVITE: &str = "POST /v1/organizations/invites";
    const REGRANT: &str = "POST /v1/organizations/workspaces/*/members/*";
    const REVOKE: &str = "DELETE /v1/organizations/workspaces/*/members/*";
    let coded = TypedError::new;
    let again = || TypedError {
        code: None,
        headers: [("x-should-retry".to_owned(), "true".to_owned())].into(),
        ..coded(400, "")
    };
    let plain = || TypedError { code: None, ..coded(400, "") };
    let incomplete = || coded(503, "workspace_created_incomplete").detail("workspace_id", "{id}");
    let row = |files, when, edits, on, fault, told, exit| Race { files, when, edits, reply: Some((on, fault)), told, exit };
    let invited = || vec![Edit::Invite { email: "ada@acme.com".into(), role: "user".into() }];
    let tagged = || vec![Edit::SetTags { workspace: "Staging".into(), tags: [("team".to_owned(), "core".to_owned())].into() }];
    vec![
        row(NEW, LOOK_AT_WORKSPACES, made("prod"), MAKE, Fault::ErrorAfter(incomplete()), "done workspace/New: somebody else made it at the same time; this run's own one (*) was archived again", 0),
        row(NO_EMPTY, LOOK_AT_WORKSPACE, archive("Empty"), CLOSE, Fault::ErrorAfter(coded(409, "storage_attached_during_archive")), "done workspace/Empty: the workspace is archived, and customer storage that was attached to it meanwhile still is: somebody with the permission `org:external-storage:use` detaches it by archiving the workspace once more, in the Console or by the API", 0),
        row(TAGS, Before, tagged(), CHANGE, Fault::ErrorAfter(coded(409, "workspace_changed_concurrently")), "done workspace/Staging: it was so already", 0),
        row(TAGS, After(CHANGE), archive("Staging"), CHANGE, Fault::Error(coded(503, "change_outcome_unknown")), "skipped workspace/Staging: `Staging` was archived meanwhile", 5),
        row(NO_BOB, After(REMOVE), bob_leaves(), REMOVE, Fault::Error(coded(409, "concurrent_membership_change")), "done member/bob@acme.com: it was gone already", 0),
        row(ADA, After(INVITE), invited(), INVITE, Fault::Error(again()), "done member/ada@acme.com: it was so already", 0),
        row(ADA, After(INVITE), invited(), INVITE, Fault::StatusBefore(499), "done member/ada@acme.com: the reply was lost, and looking showed that it is done", 0),
        row(MORE, After(REGRANT), no_grant(), REGRANT, Fault::Error(plain()), "skipped workspace_member/Staging/bob@acme.com: `bob@acme.com` has no grant there any more; the next run makes it anew", 5),
        row(MORE, After(REGRANT), archive("Staging"), REGRANT, Fault::Error(plain()), "skipped workspace_member/Staging/bob@acme.com: `Staging` was archived meanwhile", 5),
        row(NONE, After(REVOKE), no_grant(), REVOKE, Fault::Error(plain()), "done workspace_member/Staging/bob@acme.com: it was gone already", 0),
        row(NO_BOB, After(REMOVE), role("admin"), REMOVE, Fault::ContradictsBefore([("id".to_owned(), "user_else".into())].into_iter().collect()), "manual member/bob@acme.com: `bob@acme.com` has become `admin`, which the API neither changes nor removes: do it in the Console under Settings > Members", 0),
    ]
}

/// Whether a text is the pattern, where each `*` stands for an id.
fn fits(pattern: &str, text: &str) -> bool {
    let id = |c: char| c.is_alphanumeric() || c == '_';
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == text };
    text.strip_prefix(head).is_some_and(|rest| {
        let end = rest.find(|c| !id(c)).unwrap_or(rest.len());
        end > 0 && fits(tail, &rest[end..])
    })
}

#[tokio::test]
async fn what_people_do_between_a_plan_and_its_step_is_respected_and_told() {
    for race in races().into_iter().chain(replies()) {
        is_respected(0, race).await;
    }
    // Other seeds are other ids: which of two workspaces of the same time has the smaller one differs.
    let makes =
        |race: &Race| race.edits.iter().any(|edit| matches!(edit, Edit::AddWorkspace { .. }));
    for seed in 1..12 {
        for race in races().into_iter().filter(makes) {
            is_respected(seed, race).await;
        }
    }
}

async fn is_respected(seed: u64, race: Race) {
    let Race { files, when, edits, reply, told, exit } = race;
    let world = World::new(&format!("seed: {seed}\n{PEOPLE}"), files);
    let plan = world.planned().await;
    let what = format!("seed {seed}: {files}\n{when:?} {edits:?}");
    assert_eq!(ready(&plan).len(), 1, "{what}: {:?}", ready(&plan));
    match when {
        Before => {
            for edit in edits {
                world.sandbox.with(|state| edit.make(state)).unwrap();
            }
        }
        After(on) => world.after(on, edits),
    }
    if let Some((on, fault)) = reply {
        world.fail(Rule::new(on, fault).times(1));
    }
    world.sandbox.with(|state| state.log.clear());
    let report = world.apply(&plan, Journal::none()).await;
    let [outcome] = outcomes(&report).try_into().unwrap();
    assert!(fits(told, &outcome), "{what}: {outcome}");
    assert_eq!(report.ended().exit_code(), exit, "{what}: {outcome}");
    world.sandbox.with(|state| {
        assert_eq!(state.scripts.trouble(), [""; 0], "{what}");
        assert_eq!(state.scripts.waiting().count(), 0, "{what}: the script did not play");
    });
    if !outcome.starts_with("done") && !outcome.ends_with("archived again") {
        let log = world.sandbox.log();
        assert_eq!(log.writes().filter(|entry| entry.done).count(), 0, "{what}: {outcome}");
    }
    // The files are brought about by the next runs, as far as they can be.
    for _ in 0..2 {
        world.run().await;
    }
    let left = ready(&world.planned().await);
    assert_eq!(left, Vec::<String>::new(), "{what}: {outcome}");
}
