//! New workspaces where there is no room for more.

use orgcharter::apply::{Ended, Outcome};

use super::support::*;

/// An organization with as many active workspaces as it may have, and the id of `Old`, one of them.
fn full(limit: usize) -> (Org, String) {
    let mut old = String::new();
    let org = Org::new(|state| {
        state.add_user("bob@acme.com", "user");
        old = state.add_workspace("Old");
        // The Default Workspace counts.
        for index in 2..limit {
            state.add_workspace(&format!("W{index:03}"));
        }
        state.limits.workspaces = limit;
    });
    (org, old)
}

#[tokio::test]
async fn a_workspace_refused_for_want_of_room_is_made_after_the_archives_with_all_that_needs_it() {
    let (org, old) = full(100);
    let wanted = Wanted::new()
        .workspace("Evaluation")
        .grant("Evaluation", "bob@acme.com", "workspace_user")
        .archived("Old", &old);
    let plan = org.plan(&wanted).await;
    let report = org.run(&plan).await;
    assert_eq!(report.ended(), Ended::Complete, "{report:#?}");
    let writes = org.writes();
    let writes: Vec<&str> = writes
        .iter()
        .map(|call| call.split(' ').nth(1).unwrap().rsplit('/').next().unwrap())
        .collect();
    assert_eq!(writes, ["workspaces", "archive", "workspaces", "members"]);
    assert_eq!(org.left(&wanted).await, Vec::<String>::new());
    assert_eq!(org.workspaces_named("Evaluation"), 1);
}

#[tokio::test]
async fn a_workspace_that_is_refused_where_nothing_makes_room_says_why_it_may_be() {
    let (org, _) = full(100);
    let wanted = Wanted::new().workspace("Evaluation");
    let report = org.run(&org.plan(&wanted).await).await;
    let Outcome::Failed { failure } = only(&report) else { panic!("{report:#?}") };
    let help = failure.help.as_deref().unwrap_or_default();
    assert!(
        help.contains("99 workspaces are active") && help.contains("does not say so"),
        "{help}"
    );
    assert_eq!(org.writes().len(), 1, "it is not tried again");
}

#[tokio::test]
async fn more_than_a_hundred_workspaces_are_no_reason_not_to_make_another() {
    let (org, _) = full(200);
    org.sandbox.with(|state| state.limits.workspaces = 500);
    let report = org.run(&org.plan(&Wanted::new().workspace("Evaluation")).await).await;
    assert_eq!(report.ended(), Ended::Complete);
}

#[tokio::test]
async fn a_refusal_that_is_not_for_want_of_room_is_not_tried_again_after_an_archive() {
    // The same refusal in an organization with few workspaces.
    let mut old = String::new();
    let org = Org::new(|state| old = state.add_workspace("Old"));
    org.fault("POST /v1/organizations/workspaces", refusal(400, None));
    let wanted = Wanted::new().workspace("Evaluation").archived("Old", &old);
    let report = org.run(&org.plan(&wanted).await).await;
    assert_eq!(outcomes(&report), ["failed workspace/Evaluation", "done workspace/Old"]);
    assert_eq!(org.writes().len(), 2, "{:?}", org.writes());
}

#[tokio::test]
async fn if_the_archive_fails_what_was_put_off_is_as_it_was_refused() {
    let (org, old) = full(100);
    org.fault("POST /v1/organizations/workspaces/*/archive", refusal(403, None));
    let wanted = Wanted::new()
        .workspace("Evaluation")
        .grant("Evaluation", "bob@acme.com", "workspace_user")
        .archived("Old", &old);
    let report = org.run(&org.plan(&wanted).await).await;
    assert_eq!(
        outcomes(&report),
        [
            "failed workspace/Evaluation",
            "skipped workspace_member/Evaluation/bob@acme.com",
            "failed workspace/Old"
        ]
    );
    assert_eq!(org.writes().len(), 2, "{:?}", org.writes());
}
