//! Many runs through random faults: they converge, and make nothing twice.

use orgcharter::sandbox::{Fault, RetryAfter, Rule, State, Switches, switches::IdentityProvider};

use super::support::*;

const FILE: &str = r##"
version: 1
organization: {id: 3f0c1b1e-0000-4000-8000-000000000000}
manage: {members: remove, workspace_members: remove}
members:
  root@acme.com: admin
  a1@acme.com: developer
  a2@acme.com: user
  a3@acme.com: claude_code_user
  bob@acme.com: developer
  cy@acme.com: developer
  eve@acme.com: user
workspaces:
  Old: {id: OLD, name: Old, state: archived}
  One: {tags: {env: prod}, members: {bob@acme.com: workspace_developer, eve@acme.com: workspace_user}}
  Two: {members: {bob@acme.com: workspace_admin, eve@acme.com: workspace_developer}}
  Three: {display_color: "#112233", members: {}, api_keys: {KEY: inactive}}
"##;

fn organization(seed: u64) -> (Org, Wanted) {
    let mut ids = (String::new(), String::new());
    let org = Org::new(|state| {
        let variants = Switches::all_variants();
        let switches = variants[usize::try_from(seed).unwrap() % variants.len()];
        *state = State::from_yaml(&format!("seed: {seed}\nnow: 2026-11-22T09:00:00Z")).unwrap();
        // Where an identity provider rules people, no run can do what this file asks.
        if switches.identity_provider == IdentityProvider::None {
            state.switches = switches;
        }
        for (email, role) in [
            ("root@acme.com", "admin"),
            ("bob@acme.com", "user"),
            ("eve@acme.com", "developer"),
            ("leaver@acme.com", "developer"),
        ] {
            state.add_user(email, role);
        }
        state.add_invite("cy@acme.com", "user");
        state.add_invite("gone@acme.com", "user");
        ids.0 = state.add_workspace("Old");
        for name in ["Two", "Three"] {
            state.add_workspace(name);
            state.set_grant(name, "eve@acme.com", "workspace_user");
            state.set_grant(name, "leaver@acme.com", "workspace_user");
        }
        ids.1 = state.add_api_key("ci", Some("Three")).unwrap();
    });
    let file = FILE.replace("OLD", &ids.0).replace("KEY", &ids.1);
    let file =
        file.replace("3f0c1b1e-0000-4000-8000-000000000000", &org.sandbox.state().organization.id);
    (org, Wanted::file(&file))
}

fn faults() -> Vec<Fault> {
    vec![
        Fault::ClosedBefore,
        Fault::ClosedAfter,
        Fault::StatusBefore(500),
        Fault::StatusAfter(504),
        Fault::StatusBefore(529),
        Fault::Truncated,
        Fault::WrongType,
        Fault::Html(502),
        Fault::RateLimited(RetryAfter::seconds(1.0)),
        refusal(409, Some("concurrent_membership_change")),
        refusal(400, None),
        refusal(404, None),
        refusal(403, None),
    ]
}

#[tokio::test]
async fn through_random_faults_runs_converge_and_make_nothing_twice() {
    for seed in 0..150 {
        let (org, wanted) = organization(seed);
        let mut runs = 0;
        loop {
            let plan = org.plan(&wanted).await;
            if plan.is_empty() {
                break;
            }
            runs += 1;
            assert!(runs < 40, "seed {seed}: {:#?}", plan.ready().map(line).collect::<Vec<_>>());
            for fault in faults() {
                for method in ["POST", "DELETE", "GET"] {
                    let rule = Rule::new(format!("{method} /**"), fault.clone());
                    org.rule(rule.probability(if method == "GET" { 0.01 } else { 0.04 }));
                }
            }
            let report = org.run(&plan).await;
            org.sandbox.with(|state| state.faults.clear());
            let ready = plan.ready().count();
            assert_eq!(report.steps.len(), ready, "seed {seed}");
        }
        for email in ["a1@acme.com", "a2@acme.com", "a3@acme.com", "cy@acme.com"] {
            assert_eq!(org.invites_to(email), 1, "seed {seed}: {email}");
        }
        assert_eq!(org.invites_to("gone@acme.com"), 0, "seed {seed}");
        for name in ["One", "Two", "Three", "Old"] {
            assert_eq!(org.workspaces_named(name), 1, "seed {seed}: {name}");
        }
        org.sandbox.with(|state| {
            assert!(state.user("leaver@acme.com").is_none(), "seed {seed}");
            assert!(state.workspace("Old").unwrap().archived_at.is_some(), "seed {seed}");
            assert_eq!(state.granted("One", "eve@acme.com"), Some("workspace_user"));
            assert_eq!(state.granted("Three", "eve@acme.com"), None);
        });
    }
}
