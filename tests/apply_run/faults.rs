//! What hangs on a step that failed, or whose reply was lost. `tests/faults` tries every fault on every write.

use orgcharter::{
    apply::{Ended, Journal, Options, Outcome, Progress, Reason, Stop},
    plan::Step,
    sandbox::{Fault, Rule},
};

use super::support::*;

const INVITES: &str = "POST /v1/organizations/invites";
const WORKSPACES: &str = "POST /v1/organizations/workspaces";

#[tokio::test]
async fn a_lost_reply_to_a_new_workspace_leaves_one_workspace_and_its_grants_find_it() {
    let org = Org::new(|state| {
        state.add_user("bob@acme.com", "user");
    });
    let wanted = Wanted::new().member("bob@acme.com", "user").workspace_with("New", full).grant(
        "New",
        "bob@acme.com",
        "workspace_user",
    );
    let plan = org.plan(&wanted).await;
    org.fault(WORKSPACES, Fault::ClosedAfter);
    let report = org.run(&plan).await;
    assert_eq!(report.ended(), Ended::Complete, "{report:#?}");
    assert_eq!(org.workspaces_named("New"), 1);
    assert_eq!(org.left(&wanted).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_archived_namesake_is_not_taken_for_a_new_workspace() {
    let org = Org::new(|state| {
        state.add_workspace("New");
        state.archive_workspace("New");
    });
    org.pass(std::time::Duration::from_hours(1));
    let wanted = Wanted::new().workspace("New").declared_new("New");
    let plan = org.plan(&wanted).await;
    org.fault(WORKSPACES, Fault::StatusBefore(500));
    let report = org.run(&plan).await;
    assert_eq!(report.ended(), Ended::Complete, "{report:#?}");
    assert_eq!(org.writes().len(), 2);
    assert_eq!(org.workspaces_named("New"), 2);
}

#[tokio::test]
async fn a_failed_workspace_blocks_its_grants_and_nothing_else() {
    let org = Org::new(|state| {
        state.add_user("bob@acme.com", "user");
        state.add_workspace("Staging");
    });
    let wanted = Wanted::new()
        .member("bob@acme.com", "user")
        .workspace("Staging")
        .workspace("New")
        .grant("New", "bob@acme.com", "workspace_user")
        .grant("Staging", "bob@acme.com", "workspace_user");
    let plan = org.plan(&wanted).await;
    org.fault(WORKSPACES, refusal(400, Some("workspace_policy_violation")));
    let report = org.run(&plan).await;
    assert_eq!(
        outcomes(&report),
        [
            "failed workspace/New",
            "skipped workspace_member/New/bob@acme.com",
            "done workspace_member/Staging/bob@acme.com",
        ]
    );
    let Outcome::Skipped { because: Reason::Blocked { on } } = &report.steps[1].outcome else {
        panic!("blocked");
    };
    assert_eq!(on.to_string(), "workspace/New");
    assert_eq!(report.ended(), Ended::Partly);
}

#[tokio::test]
async fn a_failed_role_change_blocks_that_persons_new_grants() {
    let org = Org::new(|state| {
        state.add_user("bob@acme.com", "billing");
        state.add_user("cy@acme.com", "user");
        state.add_workspace("Staging");
    });
    let wanted = Wanted::new()
        .member("bob@acme.com", "developer")
        .member("cy@acme.com", "user")
        .workspace("Staging")
        .grant("Staging", "bob@acme.com", "workspace_user")
        .grant("Staging", "cy@acme.com", "workspace_user");
    let plan = org.plan(&wanted).await;
    org.fault("POST /v1/organizations/users/*", refusal(400, Some("some_new_code")));
    let report = org.run(&plan).await;
    assert_eq!(
        outcomes(&report),
        [
            "failed member/bob@acme.com",
            "skipped workspace_member/Staging/bob@acme.com",
            "done workspace_member/Staging/cy@acme.com",
        ]
    );
}

#[tokio::test]
async fn when_every_step_fails_the_run_has_failed() {
    let org = Org::new(|_| {});
    let wanted = Wanted::new().member("ada@acme.com", "user");
    let plan = org.plan(&wanted).await;
    org.rule(Rule::new(INVITES, refusal(400, Some("email_domain_not_allowed"))));
    let report = org.run(&plan).await;
    assert_eq!(report.ended(), Ended::Failed);
    assert_eq!(report.ended().exit_code(), 1);
    let Outcome::Failed { failure } = only(&report) else { panic!("failed") };
    assert_eq!(failure.code.as_deref(), Some("email_domain_not_allowed"));
    assert!(failure.help.as_deref().unwrap().contains("`acme.com`"));
    assert!(failure.request_id.is_some());
}

#[tokio::test]
async fn a_replaced_invite_whose_new_one_fails_says_how_far_it_came_and_the_next_run_mends_it() {
    let org = Org::new(|state| {
        state.add_invite("cy@acme.com", "user");
    });
    let wanted = Wanted::new().member("cy@acme.com", "developer");
    let plan = org.plan(&wanted).await;
    org.fault(INVITES, refusal(400, Some("email_domain_not_allowed")));
    let report = org.run(&plan).await;
    let Outcome::Failed { failure } = only(&report) else { panic!("{report:#?}") };
    let help = failure.help.as_deref().unwrap();
    assert!(help.starts_with("1 of 2 calls were made; the next run does the rest; "), "{help}");
    assert_eq!(org.invites_to("cy@acme.com"), 0);
    assert_eq!(org.left(&wanted).await, ["create member/cy@acme.com"]);
    assert_eq!(org.apply(&wanted).await.ended(), Ended::Complete);
}

#[tokio::test]
async fn a_replaced_invite_whose_replies_are_lost_is_one_invite_with_the_new_role() {
    let org = Org::new(|state| {
        state.add_invite("cy@acme.com", "user");
    });
    let wanted = Wanted::new().member("cy@acme.com", "developer");
    let plan = org.plan(&wanted).await;
    org.fault("DELETE /v1/organizations/invites/*", Fault::ClosedAfter);
    org.fault(INVITES, Fault::ClosedAfter);
    let report = org.run(&plan).await;
    assert!(only(&report).is_done(), "{report:#?}");
    assert_eq!(org.invites_to("cy@acme.com"), 1);
    assert_eq!(org.left(&wanted).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_look_that_fails_is_no_answer_and_the_outcome_stays_unknown() {
    let org = Org::new(|state| {
        state.add_user("bob@acme.com", "user");
    });
    let plan = org.plan(&Wanted::new().member("bob@acme.com", "developer")).await;
    org.rule(Rule::new("* /v1/organizations/users/*", Fault::StatusBefore(503)));
    let report = org.run(&plan).await;
    let Outcome::Unknown { failure } = only(&report) else { panic!("{report:#?}") };
    assert!(failure.help.as_deref().unwrap().contains("`charter plan`"), "{failure:?}");
}

#[tokio::test]
async fn what_only_goes_is_not_held_back_by_a_change_that_failed() {
    let org = Org::new(|state| {
        state.add_user("bob@acme.com", "user");
        state.add_workspace("Staging");
        state.set_grant("Staging", "bob@acme.com", "workspace_developer");
    });
    let wanted = Wanted::new()
        .member("bob@acme.com", "developer")
        .workspace("Staging")
        .grants_are_all("Staging");
    let plan = org.plan(&wanted).await;
    org.fault("POST /v1/organizations/users/*", refusal(400, None));
    let report = org.run(&plan).await;
    assert_eq!(
        outcomes(&report),
        ["failed member/bob@acme.com", "done workspace_member/Staging/bob@acme.com"]
    );
}

/// How many steps were under way at the same time, at most.
#[derive(Default)]
struct UnderWay(std::sync::Mutex<(usize, usize)>);

impl Progress for UnderWay {
    fn started(&self, _step: &Step) {
        let mut now = self.0.lock().unwrap();
        now.0 += 1;
        now.1 = now.1.max(now.0);
    }

    fn finished(&self, _step: &Step, _outcome: &Outcome) {
        self.0.lock().unwrap().0 -= 1;
    }
}

#[tokio::test]
async fn no_more_steps_are_under_way_than_are_allowed() {
    let org = Org::new(|state| {
        for number in 0..9 {
            state.add_user(&format!("p{number}@acme.com"), "user");
        }
    });
    // Of two classes, since a class by itself begins with few.
    let wanted = (0..9).fold(Wanted::new(), |wanted, number| {
        let wanted = wanted.member(&format!("p{number}@acme.com"), "developer");
        wanted.member(&format!("new{number}@acme.com"), "user")
    });
    let plan = org.plan(&wanted).await;
    let most = UnderWay::default();
    let options = Options { at_once: 2 };
    let stop = Stop::new();
    let run = orgcharter::apply::run(&plan, &org.hands, Journal::none(), &most, &stop, options);
    assert_eq!(run.await.tally().done, 18);
    assert_eq!(most.0.into_inner().unwrap().1, 2);
}
