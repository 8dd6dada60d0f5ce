//! Grants of billing members, which the API may show or hide, and take away or not.

use orgcharter::{
    apply::{Ended, Outcome},
    plan::Plan,
    sandbox::switches::{BillingGrants, BillingRemoval, Switches},
};

use super::support::*;

/// `dot`, a billing member, in an organization with a workspace `Prod`.
fn acme(switches: impl FnOnce(&mut Switches)) -> Org {
    Org::new(|state| {
        state.add_user("dot@acme.com", "billing");
        state.add_workspace("Prod");
        switches(&mut state.switches);
    })
}

fn raised() -> Wanted {
    Wanted::new().workspace("Prod").grant("Prod", "dot@acme.com", "workspace_admin")
}

fn requests(org: &Org, of: &str) -> usize {
    org.sandbox.log().entries().iter().filter(|entry| entry.call().starts_with(of)).count()
}

async fn asked(org: &Org) -> Plan {
    org.plan_asked(&raised(), &|_| true).await
}

#[tokio::test]
async fn a_raised_billing_member_is_sent_once_looked_for_once_and_then_left_to_a_person() {
    let org = acme(|_| {});
    let plan = asked(&org).await;
    let report = org.run(&plan).await;
    assert_eq!(report.ended(), Ended::Complete);
    assert!(note(only(&report)).starts_with("accepted, cannot be seen"), "{report:#?}");
    assert_eq!(org.writes().len(), 1);
    assert_eq!(requests(&org, "GET"), 2, "the list and the member, once each");
    // In every later run there is the same step by hand, and nothing is sent.
    for _ in 0..2 {
        let later = org.plan(&raised()).await;
        assert_eq!((later.counts().manual, later.counts().ready), (1, 0));
        org.run(&later).await;
        assert_eq!(org.writes(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_raised_billing_member_who_is_shown_is_done_without_a_word() {
    for shown in [BillingGrants::Listed, BillingGrants::Member] {
        let org = acme(|switches| switches.billing_grants = shown);
        let report = org.run(&asked(&org).await).await;
        let Outcome::Done { note, .. } = only(&report) else { panic!("{report:#?}") };
        assert_eq!(*note, None, "{shown:?}");
    }
}

#[tokio::test]
async fn a_grant_that_is_there_and_hidden_is_refused_and_left_to_a_person() {
    let org = acme(|_| {});
    org.sandbox.with(|state| state.set_grant("Prod", "dot@acme.com", "workspace_admin"));
    let report = org.run(&asked(&org).await).await;
    let Outcome::Manual { why } = only(&report) else { panic!("{report:#?}") };
    assert!(why.contains("it may be there already"), "{why}");
    assert_eq!(org.writes().len(), 1);
}

/// Revokes the grant that `dot` is seen to have.
async fn revoked(removal: BillingRemoval) -> (Org, orgcharter::apply::Report, usize) {
    let org = acme(|switches| {
        switches.billing_grants = BillingGrants::Listed;
        switches.billing_removal = removal;
    });
    org.sandbox.with(|state| state.set_grant("Prod", "dot@acme.com", "workspace_admin"));
    let wanted = Wanted::new().workspace("Prod").grants_are_all("Prod");
    let report = org.run(&org.plan(&wanted).await).await;
    assert_eq!(org.writes().len(), 1, "{:?}", org.writes());
    let left = org.left(&wanted).await.len();
    (org, report, left)
}

#[tokio::test]
async fn a_billing_members_grant_goes_and_a_row_of_what_is_inherited_may_stay() {
    for removal in [BillingRemoval::Accepted, BillingRemoval::LeavesRow] {
        let (org, report, left) = revoked(removal).await;
        assert_eq!((report.ended(), left), (Ended::Complete, 0), "{removal:?}: {report:#?}");
        let row =
            org.sandbox.with(|state| state.granted("Prod", "dot@acme.com").map(str::to_owned));
        let stays = (removal == BillingRemoval::LeavesRow).then_some("workspace_billing");
        assert_eq!(row.as_deref(), stays);
    }
}

#[tokio::test]
async fn a_billing_members_grant_that_the_api_does_not_take_is_left_to_a_person() {
    let (_, report, left) = revoked(BillingRemoval::Refused).await;
    let Outcome::Manual { why } = only(&report) else { panic!("{report:#?}") };
    assert!(why.contains("refuses to take the grant of `dot@acme.com`"), "{why}");
    assert_eq!((report.ended(), left), (Ended::Complete, 1), "the next run says it again");
}

#[tokio::test]
async fn a_removal_that_is_refused_is_not_done_because_the_list_hides_the_row() {
    // Their role hides the row between the plan and the removal.
    let org = Org::new(|state| {
        state.add_user("dot@acme.com", "user");
        state.add_workspace("Prod");
        state.set_grant("Prod", "dot@acme.com", "workspace_developer");
        state.switches.billing_removal = BillingRemoval::Refused;
    });
    let wanted =
        Wanted::new().member("dot@acme.com", "billing").workspace("Prod").grants_are_all("Prod");
    let report = org.run(&org.plan(&wanted).await).await;
    assert_eq!(
        outcomes(&report),
        ["done member/dot@acme.com", "manual workspace_member/Prod/dot@acme.com"]
    );
}
