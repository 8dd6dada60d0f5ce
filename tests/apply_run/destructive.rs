//! What is looked at just before a step that destroys. `tests/faults` tries what people may do in between.

use orgcharter::apply::Outcome;

use super::support::*;

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

#[tokio::test]
async fn an_invite_that_was_accepted_meanwhile_is_not_even_tried_to_be_withdrawn() {
    let org = Org::new(|state| {
        state.add_invite("cy@acme.com", "user");
    });
    let wanted = Wanted::new().members_are_all().member("root@acme.com", "admin");
    let plan = org.plan(&wanted).await;
    org.sandbox.with(|state| state.accept_invite("cy@acme.com"));
    let report = org.run(&plan).await;
    assert_eq!(outcomes(&report), ["skipped member/cy@acme.com"]);
    assert_eq!(org.writes(), Vec::<String>::new());
}
