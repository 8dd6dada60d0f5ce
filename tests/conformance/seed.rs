//! The seed file: what it fills in, what it refuses, and that a dump reads back the same.
//!
//! Invariant: the examples of `docs/sandbox.md` are seed files that work.

use orgcharter::sandbox::{
    CredentialKind, Fault, InviteStatus, KeyStatus, RetryAfter, Rule, Sandbox, SeedError, State,
    Switches,
};
use serde_json::json;

use crate::support::{SEED, ok, post};

const PAGE: &str = include_str!("../../docs/sandbox.md");

/// The `yaml` blocks of the documentation.
fn documented() -> Vec<String> {
    let blocks = PAGE.split("```yaml\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_documentation_names_every_switch_position() {
    for (axis, positions) in Switches::AXES {
        let row = PAGE.lines().find(|line| line.starts_with(&format!("| `{axis}` |"))).unwrap();
        for position in 1..*positions {
            let set = Switches::draw(|name, _| if name == *axis { position } else { 0 });
            let word = set.differences()[axis].as_str().unwrap().to_owned();
            assert!(row.contains(&format!("`{word}`:")), "{row}");
        }
    }
}

#[test]
fn the_documented_examples_work_and_dumps_round_trip() {
    let blocks = documented();
    assert_eq!(blocks.len(), 3);
    for text in blocks.into_iter().chain([SEED.to_owned(), String::new()]) {
        let once = State::from_yaml(&text).unwrap().to_yaml().unwrap();
        let twice = State::from_yaml(&once).unwrap().to_yaml().unwrap();
        let fixed = |dump: &str| {
            // Without `now` the clock runs.
            dump.lines().filter(|line| !line.starts_with("now:")).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(fixed(&once), fixed(&twice));
    }
}

#[test]
fn a_changed_organization_dumps_and_reads_back() {
    let mut state = State::from_yaml(SEED).unwrap();
    state.switches = Switches::from_choices(&[1; 50]);
    state.limits.seats = Some(9);
    state
        .faults
        .add(Rule::new("GET /v1/**", Fault::RateLimited(RetryAfter::seconds(0.5))).times(2))
        .unwrap();
    state.faults.add(Rule::new("* /v1/**", Fault::ClosedAfter).probability(0.25)).unwrap();
    let sandbox = Sandbox::new(state);
    sandbox.with(|state| {
        assert!(state.remove_user("user_bob"));
        state.faults.add(Rule::new("GET /v1/**", Fault::Html(502)).nth(1)).unwrap();
        state.set_grant("Production", "ada@acme.com", "workspace_user");
        state.archive_workspace("Production");
        state.accept_invite("eve@acme.com").unwrap();
        state.add_invite("yes@acme.com", "admin");
    });
    let once = sandbox.state().to_yaml().unwrap();
    assert_eq!(State::from_yaml(&once).unwrap().to_yaml().unwrap(), once);
    assert!(once.contains("former_users:"));
}

#[test]
fn what_is_left_out_is_filled_in() {
    let state = State::from_yaml(SEED).unwrap();
    let statuses: Vec<_> = state
        .invites()
        .map(|invite| (invite.id.as_str(), invite.status(state.now(), &state.switches)))
        .collect();
    for (id, status) in [
        ("invite_eve", InviteStatus::Pending),
        ("invite_old", InviteStatus::Expired),
        ("invite_bob", InviteStatus::Accepted),
        ("invite_gone", InviteStatus::Deleted),
    ] {
        assert!(statuses.contains(&(id, status)), "{statuses:?}");
    }
    assert_eq!(state.api_key("dead").unwrap().status_at(state.now()), KeyStatus::Archived);
    let short =
        State::from_yaml("{now: 2026-11-22, users: [{email: a@acme.com, role: user}]}").unwrap();
    let again = State::from_yaml(
        "{now: 2026-11-22, users: [{email: b@acme.com, role: user}, {email: a@acme.com, role: user}]}",
    );
    assert_eq!(short.user("a@acme.com").unwrap().id, again.unwrap().user("a@acme.com").unwrap().id);
    assert_eq!(short.workspaces().filter(|row| row.is_default).count(), 1);
    let named = |name: &str| State::from_yaml(&format!("organization: {{name: {name}}}")).unwrap();
    assert_eq!(named("A").organization.id, named("A").organization.id);
    assert_ne!(named("A").organization.id, named("B").organization.id);
}

#[test]
fn a_file_without_now_runs_with_real_time() {
    let state = State::from_yaml("users: []").unwrap();
    assert!(state.clock.runs());
    let gap = jiff::Timestamp::now().duration_since(state.now());
    assert!(gap.unsigned_abs() < std::time::Duration::from_mins(1));
    assert!(State::from_yaml("{now: 2026-11-22, clock: running}").unwrap().clock.runs());
    assert!(!State::from_yaml("now: 2026-11-22").unwrap().clock.runs());
}

#[test]
fn mistakes_are_named_with_their_place() {
    let yaml = |text: &str| match State::from_yaml(text).unwrap_err() {
        SeedError::Yaml { line, message, .. } => (line, message),
        other => panic!("{other}"),
    };
    let (line, message) =
        yaml("now: 2026-11-22\nusers:\n  - {email: a@acme.com, role: user, rôle: x}\n");
    assert_eq!(line, 3);
    assert!(message.contains("rôle"), "{message}");
    assert_eq!(yaml("now: 2026-11-22\nmembers: []\n").0, 2);
    assert_eq!(yaml("now: soon\n").0, 1);
    assert_eq!(yaml("switches:\n  list_order: sideways\n").0, 2);
    assert!(yaml("users: [\n").0 > 0);

    for (text, at, part) in [
        (
            "users: [{email: a@acme.com, role: user}, {email: A@acme.com, role: user}]",
            "users[1]",
            "same address",
        ),
        ("users: [{email: a@acme.com, role: user, id: usr_1}]", "users[0]", "must start `user_`"),
        (
            "workspaces: [{name: A, members: {a@acme.com: workspace_user}}]",
            "workspaces[0]",
            "is no user",
        ),
        (
            "workspaces: [{name: A, id: wrkspc_1}, {name: B, id: wrkspc_1}]",
            "workspaces[1]",
            "stands twice",
        ),
        (
            "workspaces: [{name: A, default: true}, {name: B, default: true}]",
            "workspaces",
            "only one",
        ),
        ("workspaces: [{name: A, display_color: red}]", "workspaces[0]", "#6C5BB9"),
        ("workspaces: [{name: A, tags: {anthropic-x: '1'}}]", "workspaces[0]", "reserved"),
        ("api_keys: [{name: k, workspace: Nowhere}]", "api_keys[0]", "does not exist"),
        ("api_keys: [{name: k, scope: organization}]", "api_keys[0]", "principal"),
        ("api_keys: [{name: k, created_by: nobody@acme.com}]", "api_keys[0]", "neither"),
        (
            "api_keys: [{name: k, status: expired, expires_at: 2999-01-01}]",
            "api_keys[0]",
            "lies ahead",
        ),
        (
            "invites: [{email: a@acme.com, role: user, status: pending, expires_at: 2020-01-01}]",
            "invites[0]",
            "does not fit",
        ),
        ("faults: [{on: everything, then: closed_after}]", "faults", "such as"),
    ] {
        match State::from_yaml(text).unwrap_err() {
            SeedError::Entry { at: place, message } => {
                assert_eq!(place, at, "{message}");
                assert!(message.contains(part), "{message}");
            }
            other => panic!("{text}: {other}"),
        }
    }
}

#[test]
fn an_invite_to_a_seeded_organization_gets_the_same_id_each_time() {
    let invite = || {
        let sandbox = Sandbox::new(State::from_yaml(SEED).unwrap());
        let made = ok(post(&sandbox, "/invites", &json!({"email": "n@acme.com", "role": "user"})));
        assert_eq!(sandbox.log().entries()[0].credential, CredentialKind::AdminKey);
        made["id"].as_str().unwrap().to_owned()
    };
    assert_eq!(invite(), invite());
}

#[test]
fn twenty_thousand_people_are_read_from_a_seed() {
    let users: String =
        (0..20_000).map(|n| format!("  - {{email: p{n}@acme.com, role: user}}\n")).collect();
    let state = State::from_yaml(&format!("now: 2026-11-22\nusers:\n{users}")).unwrap();
    assert_eq!(state.users().count(), 20_000);
}
