//! From a file to the organization it asks for, and through what people do in between.

use orgcharter::apply::{Ended, Journal, journal};

use super::support::*;

const FILE: &str = r##"
version: 1
organization: {id: 3f0c1b1e-0000-4000-8000-000000000000}
manage: {members: remove, workspace_members: remove}
members:
  root@acme.com: admin
  ada@acme.com: developer
  bob@acme.com: developer
  cy@acme.com: {role: user, until: 2026-11-01}
  dee@acme.com: none
  zoe@acme.com: admin
teams:
  platform: [ada@acme.com, bob@acme.com]
workspaces:
  Production:
    previously: [Prod]
    display_color: "#6C5BB9"
    tags: {env: prod}
    members: {team/platform: workspace_developer}
  Lab: {members: {bob@acme.com: workspace_admin}}
"##;

fn organization() -> Org {
    Org::new(|state| {
        for (email, role) in [
            ("bob@acme.com", "user"),
            ("cy@acme.com", "user"),
            ("dee@acme.com", "developer"),
            ("leaver@acme.com", "developer"),
            ("zoe@acme.com", "user"),
        ] {
            state.add_user(email, role);
        }
        state.add_workspace("Prod");
        state.set_grant("Prod", "leaver@acme.com", "workspace_developer");
        state.set_grant("Prod", "zoe@acme.com", "workspace_user");
    })
}

#[tokio::test]
async fn a_file_is_applied_and_the_grant_of_the_invited_follows_when_she_accepts() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.jsonl");
    let org = organization();
    let wanted = Wanted::file(FILE);
    let plan = org.plan(&wanted).await;
    let report = org.run_with(&plan, Journal::create(&path).unwrap(), &()).await;
    assert_eq!(report.ended(), Ended::Complete, "{report:#?}");
    let again = org.plan(&wanted).await;
    let counts = again.counts();
    assert_eq!((counts.ready, counts.deferred, counts.manual), (0, 1, 1), "{:#?}", again.steps);
    let starts = |record: &&journal::Record| matches!(record, journal::Record::Start(_));
    let records = journal::read(&path).unwrap().records;
    assert_eq!(records.iter().filter(starts).count(), plan.counts().ready);

    org.sandbox.with(|state| state.accept_invite("ada@acme.com").unwrap());
    assert_eq!(org.left(&wanted).await, ["create workspace_member/production/ada@acme.com"]);
    assert_eq!(org.apply(&wanted).await.ended(), Ended::Complete);
    assert_eq!(org.left(&wanted).await, Vec::<String>::new());
    org.sandbox.with(|state| {
        assert_eq!(state.granted("Production", "ada@acme.com"), Some("workspace_developer"));
        assert!(state.workspace("Prod").is_none() && state.user("leaver@acme.com").is_none());
    });
}

#[tokio::test]
async fn an_applied_plan_comes_back_from_json_with_the_same_calls() {
    let org = organization();
    let plan = org.plan(&Wanted::file(FILE)).await;
    let json = serde_json::to_string(&plan).unwrap();
    let saved: orgcharter::plan::Plan = serde_json::from_str(&json).unwrap();
    let report = org.run(&saved).await;
    assert_eq!(report.ended(), Ended::Complete, "{report:#?}");
    assert_eq!(org.left(&Wanted::file(FILE)).await, Vec::<String>::new());
}
