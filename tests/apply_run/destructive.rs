//! What the Console changed between the plan and a step that destroys.

use orgcharter::apply::{Ended, Outcome, Reason};

use super::support::*;

fn leaver() -> (Org, Wanted) {
    let org = Org::new(|state| {
        state.add_user("leaver@acme.com", "developer");
    });
    let wanted = Wanted::new().members_are_all().member("root@acme.com", "admin");
    (org, wanted)
}

#[tokio::test]
async fn a_leaver_whose_role_changed_meanwhile_stays_for_the_next_plan() {
    let (org, wanted) = leaver();
    let plan = org.plan(&wanted).await;
    org.sandbox.with(|state| state.set_role("leaver@acme.com", "billing"));
    let report = org.run(&plan).await;
    assert_eq!(
        changed(only(&report)),
        "`leaver@acme.com` changed meanwhile: role is `billing`, and was `developer` when the plan was made"
    );
    assert_eq!(report.ended(), Ended::Partly);
    assert_eq!(org.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_leaver_who_is_gone_already_is_done() {
    let (org, wanted) = leaver();
    let plan = org.plan(&wanted).await;
    org.sandbox.with(|state| state.remove_user("leaver@acme.com"));
    let report = org.run(&plan).await;
    assert_eq!(note(only(&report)), "it was gone already");
    assert_eq!(report.ended(), Ended::Complete);
}

#[tokio::test]
async fn an_invite_accepted_meanwhile_is_left_and_is_no_error() {
    for role in [None, Some("developer")] {
        let org = Org::new(|state| {
            state.add_invite("cy@acme.com", "user");
        });
        let wanted = Wanted::new().members_are_all().member("root@acme.com", "admin");
        let wanted = match role {
            Some(role) => wanted.member("cy@acme.com", role), // a replace
            None => wanted,                                   // a removal
        };
        let plan = org.plan(&wanted).await;
        org.sandbox.with(|state| state.accept_invite("cy@acme.com").unwrap());
        let report = org.run(&plan).await;
        let Outcome::Skipped { because: Reason::Accepted { what } } = only(&report) else {
            panic!("{report:#?}")
        };
        assert_eq!(what, "`cy@acme.com` accepted the invite meanwhile; the next run sees a member");
        assert_eq!(report.ended(), Ended::Complete);
        assert_eq!(org.writes(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_replaced_invite_that_somebody_withdrew_is_still_sent_anew() {
    let mut invite = String::new();
    let org = Org::new(|state| {
        invite = state.add_invite("cy@acme.com", "user");
    });
    let wanted = Wanted::new().member("cy@acme.com", "developer");
    let plan = org.plan(&wanted).await;
    let target = format!("/v1/organizations/invites/{invite}");
    let request = orgcharter::api::call::Call::delete([
        orgcharter::api::call::Part::text("invites"),
        orgcharter::api::call::Part::text(&*invite),
    ]);
    let mut request = request.resolve(&std::collections::BTreeMap::new()).unwrap();
    assert_eq!(request.target, target);
    request.headers = vec![
        ("x-api-key".into(), org.sandbox.admin_key()),
        ("anthropic-version".into(), "2023-06-01".into()),
    ];
    assert_eq!(org.sandbox.exchange(&request).response.status, 200);
    let report = org.run(&plan).await;
    assert_eq!(note(only(&report)), "it was gone already");
    assert_eq!(org.left(&wanted).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_lapsed_invite_needs_no_withdrawal() {
    let org = Org::new(|state| {
        state.add_invite("cy@acme.com", "user");
    });
    let wanted = Wanted::new().members_are_all().member("root@acme.com", "admin");
    let plan = org.plan(&wanted).await;
    org.pass(std::time::Duration::from_hours(22 * 24));
    let report = org.run(&plan).await;
    assert_eq!(note(only(&report)), "it was open no longer");
}

#[tokio::test]
async fn a_workspace_that_changed_or_was_archived_meanwhile_is_not_archived() {
    let mut old = String::new();
    let org = Org::new(|state| {
        old = state.add_workspace("Old");
    });
    let wanted = Wanted::new().archived("Old", &old);
    let plan = org.plan(&wanted).await;
    org.sandbox.with(|state| state.edit_workspace("Old", |space| space.name = "Revived".into()));
    let report = org.run(&plan).await;
    assert!(changed(only(&report)).contains("name is `Revived`"), "{report:#?}");
    assert_eq!(org.writes(), Vec::<String>::new());

    org.sandbox.with(|state| state.edit_workspace(&old, |space| space.name = "Old".into()));
    org.sandbox.with(|state| state.archive_workspace("Old"));
    let report = org.run(&plan).await;
    assert_eq!(note(only(&report)), "it was archived already");
    assert_eq!(org.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_grant_that_was_raised_meanwhile_is_not_taken() {
    let org = Org::new(|state| {
        state.add_user("bob@acme.com", "user");
        state.add_workspace("Staging");
        state.set_grant("Staging", "bob@acme.com", "workspace_user");
    });
    let wanted = Wanted::new().workspace("Staging").grants_are_all("Staging");
    let plan = org.plan(&wanted).await;
    org.sandbox.with(|state| state.set_grant("Staging", "bob@acme.com", "workspace_admin"));
    let report = org.run(&plan).await;
    assert!(changed(only(&report)).contains("role is `workspace_admin`"));
    org.sandbox.with(|state| state.remove_grant("Staging", "bob@acme.com"));
    let report = org.run(&plan).await;
    assert_eq!(note(only(&report)), "it was gone already");
}

#[tokio::test]
async fn a_key_that_was_renamed_meanwhile_is_not_switched_off_and_one_that_is_off_is_done() {
    let mut key = String::new();
    let org = Org::new(|state| {
        state.add_workspace("Staging");
        key = state.add_api_key("ci", Some("Staging")).unwrap();
    });
    let wanted = Wanted::new().workspace("Staging").key("Staging", &key, "inactive");
    let plan = org.plan(&wanted).await;
    org.sandbox.with(|state| state.edit_api_key(&key, |key| key.name = "payments".into()));
    let report = org.run(&plan).await;
    assert!(changed(only(&report)).contains("name is `payments`"), "{report:#?}");
    org.sandbox.with(|state| {
        state.edit_api_key(&key, |key| {
            key.name = "ci".into();
            key.status = orgcharter::sandbox::KeyStatus::Inactive;
        })
    });
    let report = org.run(&plan).await;
    assert_eq!(note(only(&report)), "it was so already");
    assert_eq!(org.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn the_look_is_taken_just_before_the_step_and_not_when_the_run_begins() {
    let org = Org::new(|state| {
        state.add_user("bob@acme.com", "user");
        state.add_user("leaver@acme.com", "developer");
    });
    let wanted = Wanted::new()
        .members_are_all()
        .member("root@acme.com", "admin")
        .member("bob@acme.com", "developer");
    let plan = org.plan(&wanted).await;
    let meanwhile = Meanwhile {
        before: "member/leaver@acme.com",
        act: || {
            org.sandbox.with(|state| state.set_role("leaver@acme.com", "user"));
        },
    };
    let report = org.run_with(&plan, orgcharter::apply::Journal::none(), &meanwhile).await;
    assert_eq!(outcomes(&report), ["done member/bob@acme.com", "skipped member/leaver@acme.com"]);
}

#[tokio::test]
async fn the_key_that_charter_runs_with_is_not_switched_off_by_a_plan_made_with_another() {
    let mut key = String::new();
    let org = Org::new(|state| {
        state.add_workspace("Staging");
        key = state.add_api_key("ci", Some("Staging")).unwrap();
    });
    let wanted = Wanted::new().workspace("Staging").key("Staging", &key, "inactive");
    let plan = org.plan(&wanted).await;
    let own = org.sandbox.admin_key();
    let hint = format!("{}...{}", &own[..12], &own[own.len() - 4..]);
    org.sandbox.with(|state| {
        state.edit_api_key(&key, |key| key.partial_key_hint = Some(hint));
    });
    let report = org.run(&plan).await;
    let Outcome::Manual { why } = only(&report) else { panic!("{report:#?}") };
    assert!(why.contains("the one charter runs with"), "{why}");
    assert_eq!(org.writes(), Vec::<String>::new());
}
