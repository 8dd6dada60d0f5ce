//! When nothing goes wrong.

use orgcharter::apply::Ended;

use super::support::*;

#[tokio::test]
async fn a_run_makes_exactly_the_calls_of_the_plan_and_leaves_nothing_to_do() {
    let mut workspace = String::new();
    let mut key = String::new();
    let org = Org::new(|state| {
        state.add_user("bob@acme.com", "user");
        state.add_user("leaver@acme.com", "developer");
        state.add_invite("cy@acme.com", "user");
        workspace = state.add_workspace("Old");
        state.add_workspace("Staging");
        state.set_grant("Staging", "leaver@acme.com", "workspace_user");
        state.set_grant("Staging", "bob@acme.com", "workspace_user");
        key = state.add_api_key("ci", Some("Staging")).unwrap();
    });
    let wanted = Wanted::new()
        .members_are_all()
        .member("root@acme.com", "admin")
        .member("ada@acme.com", "developer")
        .member("bob@acme.com", "developer")
        .member("cy@acme.com", "developer")
        .workspace_with("Staging", full)
        .archived("Old", &workspace)
        .grant("Staging", "bob@acme.com", "workspace_developer")
        .key("Staging", &key, "inactive");
    let plan = org.plan(&wanted).await;
    let expected = calls(&plan);
    assert_eq!(expected.len(), 9, "{expected:#?}");

    let heard = Heard::default();
    let report = org.run_with(&plan, orgcharter::apply::Journal::none(), &heard).await;

    assert_eq!(report.ended(), Ended::Complete, "{report:#?}");
    let (mut made, mut expected) = (org.writes(), expected);
    made.sort();
    expected.sort();
    assert_eq!(made, expected);
    assert_eq!(org.left(&wanted).await, Vec::<String>::new());
    let heard = heard.0.into_inner().unwrap();
    assert_eq!(heard.len(), 1 + 2 * plan.ready().count());
    assert_eq!(heard[0], format!("begin {}", plan.ready().count()));
}

#[tokio::test]
async fn kinds_go_in_order_and_archives_come_last() {
    let mut workspace = String::new();
    let mut key = String::new();
    let org = Org::new(|state| {
        state.add_user("bob@acme.com", "user");
        state.add_user("leaver@acme.com", "developer");
        workspace = state.add_workspace("Old");
        state.add_workspace("Staging");
        state.set_grant("Staging", "bob@acme.com", "workspace_user");
        key = state.add_api_key("ci", Some("Staging")).unwrap();
    });
    let wanted = Wanted::new()
        .members_are_all()
        .member("root@acme.com", "admin")
        .member("ada@acme.com", "user")
        .member("bob@acme.com", "user")
        .workspace("New")
        .workspace("Staging")
        .grant("New", "bob@acme.com", "workspace_user")
        .grants_are_all("Staging")
        .archived("Old", &workspace)
        .key("Staging", &key, "inactive");
    let report = org.apply(&wanted).await;
    assert_eq!(report.ended(), Ended::Complete, "{report:#?}");
    let made = org.sandbox.with(|state| state.workspace("New").unwrap().id.clone());
    let staging = org.sandbox.with(|state| state.workspace("Staging").unwrap().id.clone());
    let bob = org.id_of("bob@acme.com");
    let leaver = report.steps.iter().find(|step| step.address.to_string().contains("leaver"));
    let leaver = leaver.unwrap().calls[0].path.clone();
    assert_eq!(
        org.writes(),
        [
            format!(r#"POST /api_keys/{key} {{"status":"inactive"}}"#),
            r#"POST /invites {"email":"ada@acme.com","role":"user"}"#.to_owned(),
            r#"POST /workspaces {"name":"New"}"#.to_owned(),
            format!(
                r#"POST /workspaces/{made}/members {{"user_id":"{bob}","workspace_role":"workspace_user"}}"#
            ),
            format!("DELETE /workspaces/{staging}/members/{bob}"),
            format!("DELETE {}", leaver.replace("/v1/organizations", "")),
            format!("POST /workspaces/{workspace}/archive"),
        ]
    );
}

#[tokio::test]
async fn a_grant_finds_a_new_workspace_that_is_not_seen_everywhere_yet() {
    let org = Org::new(|state| {
        state.add_user("bob@acme.com", "user");
    });
    let wanted = Wanted::new().member("bob@acme.com", "user").workspace("New").grant(
        "New",
        "bob@acme.com",
        "workspace_user",
    );
    org.rule(
        orgcharter::sandbox::Rule::new(
            "POST /v1/organizations/workspaces/*/members",
            refusal(404, None),
        )
        .times(2),
    );
    let report = org.apply(&wanted).await;
    assert_eq!(report.ended(), Ended::Complete, "{report:#?}");
    assert_eq!(org.left(&wanted).await, Vec::<String>::new());
}

#[tokio::test]
async fn steps_that_are_not_ready_are_not_run() {
    let org = Org::new(|_| {});
    let wanted = Wanted::new()
        .member("ada@acme.com", "user")
        .member("eve@acme.com", "admin")
        .workspace("New")
        .grant("New", "ada@acme.com", "workspace_user");
    let plan = org.plan(&wanted).await;
    let counts = plan.counts();
    assert_eq!((counts.ready, counts.deferred, counts.manual), (2, 1, 1));
    let report = org.run(&plan).await;
    assert_eq!(outcomes(&report), ["done member/ada@acme.com", "done workspace/New"]);
}

#[tokio::test]
async fn a_name_is_free_before_the_step_that_takes_it_begins() {
    let mut ids = (String::new(), String::new());
    let org = Org::new(|state| {
        ids.0 = state.add_workspace("Blue");
        ids.1 = state.add_workspace("Green");
    });
    let wanted = Wanted::file(&format!(
        "
version: 1
organization: {{id: 3f0c1b1e-0000-4000-8000-000000000000}}
workspaces:
  First: {{id: {}, name: Green}}
  Second: {{id: {}, name: Red}}
",
        ids.0, ids.1
    ));
    let plan = org.plan(&wanted).await;
    let heard = Heard::default();
    let report = org.run_with(&plan, orgcharter::apply::Journal::none(), &heard).await;
    assert_eq!(report.ended(), Ended::Complete, "{report:#?}");
    let heard = heard.0.into_inner().unwrap();
    let at = |line: &str| heard.iter().position(|heard| heard.contains(line)).unwrap();
    assert!(heard.len() == 5, "{heard:#?}");
    assert!(at("Second") < at("First"), "{heard:#?}");
    assert!(heard[1].contains("Second") && heard[2].contains("Second"), "{heard:#?}");
}

#[tokio::test]
async fn a_workspace_is_made_anew_while_the_one_of_its_name_is_archived() {
    let mut id = String::new();
    let org = Org::new(|state| id = state.add_workspace("Staging"));
    let wanted = Wanted::new().archived("Old", &id).workspace("Staging").declared_new("Staging");
    let plan = org.plan(&wanted).await;
    assert_eq!(plan.ready().count(), 2, "{:#?}", plan.steps);
    let report = org.run(&plan).await;
    assert_eq!(outcomes(&report), ["done workspace/Staging", "done workspace/Old"]);
    assert_eq!(org.workspaces_named("Staging"), 2);
}
