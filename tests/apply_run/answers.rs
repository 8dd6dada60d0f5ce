//! Answers that say more than their status: made in part, done all the same, something else than was asked, not yet.
//!
//! Invariant: nothing is made twice, nothing is built on an answer that contradicts its request, and nobody else is blamed
//! without a proof.

use std::time::Duration;

use orgcharter::{
    apply::{
        Ended, Journal, Outcome,
        journal::{self, Record, Word},
        resume::{Recap, Seen},
    },
    sandbox::{Edit, Fault, PageFault, Rule, Script, State, TypedError, switches},
};
use serde_json::{Map, Value};

use super::support::*;

const WORKSPACES: &str = "POST /v1/organizations/workspaces";
const GRANTS: &str = "POST /v1/organizations/workspaces/*/members";
const GRANT: &str = "* /v1/organizations/workspaces/*/members/*";

fn fields(fields: &[(&str, &str)]) -> Map<String, Value> {
    fields.iter().map(|(field, value)| ((*field).to_owned(), Value::from(*value))).collect()
}

fn bob(state: &mut State) {
    state.add_user("bob@acme.com", "user");
    state.add_workspace("Staging");
}

/// A workspace that is not there yet, with a grant in it.
fn new() -> Wanted {
    Wanted::new().member("bob@acme.com", "user").workspace("Staging").workspace("New").grant(
        "New",
        "bob@acme.com",
        "workspace_user",
    )
}

fn times(org: &Org, call: &str) -> usize {
    org.writes().iter().filter(|write| write.starts_with(call)).count()
}

#[tokio::test]
async fn a_workspace_made_in_part_keeps_the_id_that_was_told_and_is_never_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let org = Org::new(bob);
    let incomplete = TypedError::new(503, "workspace_created_incomplete");
    org.rule(Rule::new(WORKSPACES, Fault::ErrorAfter(incomplete.detail("workspace_id", "{id}"))));
    let plan = org.plan(&new()).await;
    let report = org.run_with(&plan, Journal::create(&path).unwrap(), &()).await;
    let [made, grant] = report.steps.as_slice() else { panic!("{report:#?}") };
    let Outcome::Partly { failure } = &made.outcome else { panic!("{made:#?}") };
    assert!(failure.message.starts_with("made as wrkspc_"), "{}", failure.message);
    assert!(failure.help.as_deref().unwrap().contains("the workspace exists"), "{failure:?}");
    assert!(grant.outcome.is_done(), "what refers to it goes on: {grant:#?}");
    assert_eq!((report.ended(), report.tally().partly), (Ended::Partly, 1));
    assert_eq!((times(&org, "POST /workspaces {"), org.workspaces_named("New")), (1, 1));
    assert!(org.sandbox.with(|state| state.granted("New", "bob@acme.com").is_some()));

    let lines = journal::read(&path).unwrap();
    let id = lines.records.iter().find_map(|record| match record {
        Record::Made(made) => Some(made.id.clone()),
        _ => None,
    });
    assert_eq!(made.id, id, "the id is written down at once");
    // Resumed from the moment at which nothing but the id was known.
    for outcome in [true, false] {
        let mut lines = lines.clone();
        let of_step = |record: &Record| match record {
            Record::Outcome(line) => outcome && line.outcome == Word::Partly,
            Record::End(_) => false,
            _ => true,
        };
        lines.records.retain(of_step);
        let mut recap = Recap::of(&lines).unwrap();
        recap.look(&org.observe(&new()).await);
        let seen: Vec<_> = recap.unclear.iter().filter(|it| it.made.is_some()).collect();
        assert_eq!(seen.len(), 1, "{recap:#?}");
        assert_eq!(seen[0].seen, Some(Seen::There { id: id.clone() }));
        // Where it is not listed yet it is not taken for missing.
        recap.look(&Org::new(bob).observe(&new()).await);
        let unseen = recap.unclear.iter().find(|it| it.made.is_some()).unwrap();
        let Some(Seen::Otherwise(why)) = &unseen.seen else { panic!("{unseen:#?}") };
        assert!(why.contains("does not list it yet"), "{why}");
    }
}

#[tokio::test]
async fn made_in_part_without_an_id_is_looked_for_and_never_made_again() {
    let org = Org::new(bob);
    let fault = Fault::ErrorAfter(TypedError::new(503, "workspace_created_incomplete"));
    org.rule(Rule::new(WORKSPACES, fault));
    let report = org.apply(&new()).await;
    assert_eq!(outcomes(&report)[0], "partly workspace/New");
    assert!(report.steps[1].outcome.is_done(), "{report:#?}");
    assert_eq!(org.workspaces_named("New"), 1);
    // Not even if it is nowhere to be seen.
    let org = Org::new(bob);
    let fault = Fault::Error(TypedError::new(503, "workspace_created_incomplete"));
    org.rule(Rule::new(WORKSPACES, fault));
    let report = org.apply(&new()).await;
    assert_eq!(outcomes(&report)[0], "unknown workspace/New");
    assert_eq!(times(&org, "POST"), 1, "{:?}", org.writes());
}

#[tokio::test]
async fn an_archive_that_left_storage_attached_is_done_once_and_says_what_is_by_hand() {
    let mut id = String::new();
    let org = Org::new(|state| id = state.add_workspace("Old"));
    let fault = Fault::ErrorAfter(TypedError::new(409, "storage_attached_during_archive"));
    org.rule(Rule::new("POST /v1/organizations/workspaces/*/archive", fault));
    let report = org.apply(&Wanted::new().archived("Old", &id)).await;
    let Outcome::Done { by_hand: Some(by_hand), .. } = only(&report) else { panic!("{report:#?}") };
    assert!(by_hand.contains("`org:external-storage:use`"), "{by_hand}");
    assert_eq!((report.ended(), org.writes().len()), (Ended::Complete, 1));
}

#[tokio::test]
async fn a_grant_that_is_too_new_for_a_change_is_waited_for_and_looked_up_in_the_list() {
    let people: Vec<String> = (0..9).map(|number| format!("p{number}@acme.com")).collect();
    let org = Org::new(|state| {
        state.switches.fresh_grants = switches::FreshGrants::Unknown;
        state.switches.member_cache = switches::MemberCache::Stale;
        state.clock = state.clock.clone().with_tick(Duration::from_millis(500));
        state.add_workspace("Staging");
        for email in &people {
            state.add_user(email, "user");
        }
    });
    let with = |role: &str| {
        let wanted = people.iter().fold(Wanted::new(), |all, email| all.member(email, "user"));
        let wanted = wanted.workspace("Staging").grants_are_all("Staging");
        people.iter().fold(wanted, |all, email| all.grant("Staging", email, role))
    };
    assert_eq!(org.apply(&with("workspace_user")).await.ended(), Ended::Complete);
    let none = people.iter().fold(Wanted::new(), |all, email| all.member(email, "user"));
    let none = none.workspace("Staging").grants_are_all("Staging");
    for wanted in [with("workspace_developer"), none] {
        let report = org.apply(&wanted).await;
        assert_eq!(report.tally().done, people.len(), "{:#?}", report.steps);
        assert_eq!(org.left(&wanted).await, [""; 0]);
    }
}

#[tokio::test]
async fn all_that_wait_for_one_workspace_share_its_reads() {
    let people: Vec<String> = (0..12).map(|number| format!("p{number:02}@acme.com")).collect();
    let org = Org::new(|state| {
        state.add_workspace("Staging");
        for email in &people {
            state.add_user(email, "user");
            state.set_grant("Staging", email, "workspace_user");
        }
    });
    let wanted = people.iter().fold(Wanted::new(), |all, email| all.member(email, "user"));
    let wanted = wanted.workspace("Staging").grants_are_all("Staging");
    let plan = org.plan(&wanted).await;
    // Refused for as long as it is waited for.
    org.rule(Rule::new(GRANT, refusal(400, None)));
    let report = org.run(&plan).await;
    assert_eq!(report.ended(), Ended::Failed);
    let log = org.sandbox.log();
    let one = log.entries().iter().filter(|entry| entry.target.contains("/members/user_"));
    assert!(one.clone().all(|entry| entry.method.as_str() != "GET"), "a single member is read");
    let writes = one.count();
    assert!(writes <= 3 * 6, "{writes} writes");
}

#[tokio::test]
async fn a_create_that_is_refused_with_the_wish_to_be_sent_again_is_looked_for_first() {
    let again = |code: Option<&str>| TypedError {
        code: code.map(str::to_owned),
        headers: [("x-should-retry".to_owned(), "true".to_owned())].into(),
        ..TypedError::new(400, "")
    };
    let wanted = Wanted::new().member("ada@acme.com", "user");
    let invites = "POST /v1/organizations/invites";
    // It had no effect: sent again.
    let org = Org::new(|_| {});
    org.fault(invites, Fault::Error(again(None)));
    assert!(only(&org.apply(&wanted).await).is_done());
    assert_eq!((org.writes().len(), org.invites_to("ada@acme.com")), (2, 1));
    // It had its effect: not sent again.
    let org = Org::new(|_| {});
    org.fault(invites, Fault::ErrorAfter(again(None)));
    assert!(only(&org.apply(&wanted).await).is_done());
    assert_eq!((org.writes().len(), org.invites_to("ada@acme.com")), (1, 1));
    // The code is decided.
    let org = Org::new(|_| {});
    org.fault(invites, Fault::Error(again(Some("email_domain_not_allowed"))));
    assert!(matches!(only(&org.apply(&wanted).await), Outcome::Failed { .. }));
    assert_eq!(org.writes().len(), 1);
}

#[tokio::test]
async fn a_grant_that_is_there_and_not_listed_yet_is_done_and_no_refusal() {
    let org = Org::new(|state| {
        bob(state);
        state.add_user("cy@acme.com", "user");
        state.set_grant("Staging", "cy@acme.com", "workspace_user");
    });
    let wanted = Wanted::new().member("bob@acme.com", "user").workspace("Staging").grant(
        "Staging",
        "bob@acme.com",
        "workspace_user",
    );
    let plan = org.plan(&wanted).await;
    org.sandbox.with(|state| {
        state.switches.list_order = switches::ListOrder::OldestFirst;
        state.set_grant("Staging", "bob@acme.com", "workspace_user")
    });
    let list = "GET /v1/organizations/workspaces/*/members";
    org.rule(Rule::new(list, Fault::Page(PageFault::LosesRow)).times(2));
    let report = org.run(&plan).await;
    assert_eq!(note(only(&report)), "it was so already");
    assert_eq!(org.writes().len(), 1);
}

#[tokio::test]
async fn what_the_api_refuses_for_all_is_told_in_its_own_words_and_nobody_else_is_blamed() {
    let org = Org::new(|state| state.limits.seats = Some(1));
    let wanted = (0..20).fold(Wanted::new(), |wanted, number| {
        wanted.member(&format!("p{number:02}@acme.com"), "user")
    });
    let report = org.apply(&wanted).await;
    let [why] = report.refused.as_slice() else { panic!("{report:#?}") };
    assert_eq!(why, "the API refuses all invites, with the words “all 1 seats are taken”");
    assert_eq!((org.writes().len(), report.tally().skipped), (3, 17));
}

#[tokio::test]
async fn an_answer_that_contradicts_its_request_is_not_done_and_nothing_is_built_on_it() {
    let org = Org::new(bob);
    let staging = org.sandbox.with(|state| state.workspace("Staging").unwrap().id.clone());
    let other = |more: &[(&str, &str)]| {
        let mut all = fields(more);
        all.insert("id".to_owned(), Value::from(staging.as_str()));
        all
    };
    for contradiction in [other(&[]), other(&[("name", "Staging")]), fields(&[("name", "Staging")])]
    {
        // Nothing was made: nothing else is sent, and the other workspace is left alone.
        let org = Org::new(bob);
        let before = org.sandbox.with(|state| state.workspace("Staging").unwrap().id.clone());
        assert_eq!(before, staging, "ids come from the seed");
        org.rule(Rule::new(WORKSPACES, Fault::ContradictsBefore(contradiction.clone())));
        let report = org.apply(&new()).await;
        assert_eq!(
            outcomes(&report),
            ["unknown workspace/New", "skipped workspace_member/New/bob@acme.com"]
        );
        assert!(report.steps[0].outcome.detail().unwrap().contains("contradicts"), "{report:#?}");
        assert_eq!(org.writes().len(), 1, "{:?}", org.writes());
        assert_eq!(report.ended(), Ended::Partly);
        // It was made all the same: it is found, and the grant goes there.
        let org = Org::new(bob);
        org.rule(Rule::new(WORKSPACES, Fault::ContradictsAfter(contradiction)));
        let report = org.apply(&new()).await;
        assert_eq!(report.tally().done, 2, "{report:#?}");
        assert!(!org.sandbox.with(|state| state.granted("Staging", "bob@acme.com").is_some()));
        assert_eq!((org.workspaces_named("New"), times(&org, "POST /workspaces/")), (1, 1));
    }
}

#[tokio::test]
async fn a_role_that_was_not_taken_is_failed_whatever_the_status() {
    let org = Org::new(bob);
    let wanted = Wanted::new().member("bob@acme.com", "developer");
    let fault = Fault::ContradictsBefore(fields(&[("role", "user")]));
    org.rule(Rule::new("POST /v1/organizations/users/*", fault));
    let report = org.apply(&wanted).await;
    let Outcome::Failed { failure } = only(&report) else { panic!("{report:#?}") };
    let why = "role is `user`, and `developer` was asked for";
    assert!(failure.message.contains(why), "{}", failure.message);
    // The same for a removal that names somebody else, and for a grant.
    let org = Org::new(bob);
    let fault = Fault::ContradictsBefore(fields(&[("id", "user_else")]));
    org.rule(Rule::new("DELETE /v1/organizations/users/*", fault));
    let report = org.apply(&Wanted::new().member("root@acme.com", "admin").members_are_all()).await;
    assert!(matches!(only(&report), Outcome::Failed { .. }), "{report:#?}");
    let org = Org::new(bob);
    let fault = Fault::ContradictsBefore(fields(&[("workspace_role", "workspace_admin")]));
    org.rule(Rule::new(GRANTS, fault));
    let wanted = Wanted::new().member("bob@acme.com", "user").workspace("Staging").grant(
        "Staging",
        "bob@acme.com",
        "workspace_user",
    );
    let report = org.apply(&wanted).await;
    assert!(matches!(only(&report), Outcome::Unknown { .. }), "{report:#?}");
}

#[tokio::test]
async fn a_clock_that_is_far_ahead_of_the_apis_makes_no_workspace_twice() {
    for ahead in [Duration::from_mins(11), Duration::from_hours(24 * 400)] {
        let org = Org::new(bob);
        org.clock.advance(ahead);
        org.fault(WORKSPACES, Fault::StatusAfter(500));
        let report = org.apply(&new()).await;
        assert_eq!(report.tally().done, 2, "{report:#?}");
        assert_eq!((org.workspaces_named("New"), times(&org, "POST /workspaces {")), (1, 1));
    }
}

#[tokio::test]
async fn a_second_workspace_that_this_run_may_have_made_itself_is_nobody_elses_and_stays() {
    let org = Org::new(bob);
    org.fault(WORKSPACES, Fault::StatusBefore(500));
    // Just after the last look, as if the first call had its effect late.
    let late = Script::new(
        "GET /v1/organizations/workspaces",
        [Edit::AddWorkspace { name: "New".to_owned() }],
    );
    let plan = org.plan(&new()).await;
    org.sandbox.with(|state| state.scripts.add(late.nth(4))).unwrap();
    let report = org.run(&plan).await;
    let Outcome::Manual { why } = &report.steps[0].outcome else { panic!("{report:#?}") };
    assert!(why.contains("they may all be its own"), "{why}");
    assert_eq!(times(&org, "POST /workspaces/"), 0, "nothing is archived: {:?}", org.writes());
    assert_eq!(org.workspaces_named("New"), 2);
}
