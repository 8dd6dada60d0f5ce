//! What a stop does to steps that wait for the request budget.
//!
//! Invariant: time is the clock's own; nothing here waits for real.

use std::{sync::Arc, time::Duration};

use orgcharter::{
    api::{
        client::{Client, Options as ClientOptions},
        clock::Clock as _,
        credential::Credential,
    },
    apply::{self, Ended, Hands, Journal, Options, Outcome, Report, Stop},
    plan::Plan,
    sandbox::{Fault, RetryAfter},
    secret::Secret,
};

use super::support::{Org, Wanted, outcomes, refusal};

/// The same organization through a client of its own, which starts so many requests a minute.
fn slow(org: &mut Org, requests_per_minute: u32) {
    let credential =
        Credential::Key(Secret::new(org.sandbox.admin_key()), "ANTHROPIC_ADMIN_KEY".into());
    let clock = Arc::new(org.clock.clone());
    let options = ClientOptions { requests_per_minute, seed: 7, ..ClientOptions::default() };
    let transport = Arc::new(org.sandbox.transport());
    let client = Client::new(transport, credential, clock.clone(), options);
    org.hands = Hands::new(&client, clock);
}

/// Applies, is asked to stop after so many seconds, and gives how many seconds passed after that.
async fn stopped_after(org: &Org, plan: &Plan, seconds: u64) -> (Report, u64) {
    org.sandbox.with(|state| state.log.clear());
    let (stop, began) = (Stop::new(), org.clock.monotonic());
    let run = apply::run(plan, &org.hands, Journal::none(), &(), &stop, Options::default());
    let asked = async {
        org.clock.sleep(Duration::from_secs(seconds)).await;
        stop.request();
    };
    let (report, ()) = tokio::join!(run, asked);
    let took = org.clock.monotonic().saturating_sub(began).as_secs();
    (report, took - seconds)
}

/// So many people whose role is to change.
async fn role_changes(people: usize) -> (Org, Plan) {
    let mut org = Org::new(|state| {
        for person in 0..people {
            state.add_user(&format!("p{person:03}@acme.com"), "user");
        }
    });
    let wanted = (0..people).fold(Wanted::new(), |wanted, person| {
        wanted.member(&format!("p{person:03}@acme.com"), "developer")
    });
    let plan = org.plan(&wanted).await;
    assert_eq!(plan.ready().count(), people);
    slow(&mut org, 90);
    (org, plan)
}

#[tokio::test]
async fn steps_that_wait_for_the_budget_are_not_sent_after_a_stop() {
    let (org, plan) = role_changes(200).await;
    let (report, after) = stopped_after(&org, &plan, 12).await;
    assert_eq!(after, 0, "nothing was waited for");
    assert_eq!(org.writes().len(), 90);
    let tally = report.tally();
    assert_eq!((tally.done, tally.not_started), (90, 110), "{tally:?}");
    assert_eq!((report.stopped, report.ended()), (true, Ended::Partly));
    // Nothing is told as called that was not.
    let not_started = report.steps.iter().filter(|step| step.outcome == Outcome::NotStarted);
    assert!(not_started.into_iter().all(|step| step.calls.is_empty()));
}

#[tokio::test]
async fn what_has_begun_makes_its_second_call_before_everything_else() {
    let mut org = Org::new(|state| {
        for person in 0..6 {
            state.add_invite(&format!("p{person}@acme.com"), "user");
        }
    });
    let wanted = (0..6).fold(Wanted::new(), |wanted, person| {
        wanted.member(&format!("p{person}@acme.com"), "developer")
    });
    let plan = org.plan(&wanted).await;
    assert_eq!(plan.ready().map(|step| step.calls.len()).collect::<Vec<_>>(), [2; 6]);
    // Three look, and two of them withdraw what they replace; then the budget is used up.
    slow(&mut org, 5);
    let (report, after) = stopped_after(&org, &plan, 12).await;
    let words: Vec<&str> = report.steps.iter().map(|step| step.outcome.word()).collect();
    let done = words.iter().filter(|word| **word == "done").count();
    assert_eq!(words.iter().filter(|word| **word == "not_started").count(), 6 - done, "{words:?}");
    let writes = org.writes();
    let withdrawn = writes.iter().filter(|call| call.starts_with("DELETE")).count();
    assert_eq!((withdrawn, writes.len()), (done, 2 * done), "{writes:?}");
    assert!((1..6).contains(&done), "{words:?}");
    assert_eq!(after, 60 - 12, "the second calls came with the next minute");
    assert_eq!((0..6).map(|n| org.invites_to(&format!("p{n}@acme.com"))).sum::<usize>(), 6);
}

#[tokio::test]
async fn a_stop_that_leaves_nothing_out_ends_a_complete_run() {
    struct StopAtEnd<'a>(&'a Stop);
    impl apply::Progress for StopAtEnd<'_> {
        fn finished(&self, _: &orgcharter::plan::Step, _: &Outcome) {
            self.0.request();
        }
    }
    let (org, plan) = role_changes(3).await;
    let stop = Stop::new();
    // The second and the third are sent when the first one ends.
    let progress = StopAtEnd(&stop);
    let options = Options { at_once: 3 };
    let report = apply::run(&plan, &org.hands, Journal::none(), &progress, &stop, options).await;
    assert_eq!((report.tally().done, report.halted, report.stopped), (3, None, false));
}

#[tokio::test]
async fn what_ends_the_run_also_holds_back_what_waits() {
    let (org, plan) = role_changes(200).await;
    // The last one that the budget lets through.
    let fault = refusal(401, None);
    let rule = orgcharter::sandbox::Rule::new("POST /v1/organizations/users/*", fault).nth(90);
    org.rule(rule);
    org.sandbox.with(|state| state.log.clear());
    let report = org.run(&plan).await;
    assert!(report.halted.is_some() && !report.stopped);
    assert_eq!(org.writes().len(), 90, "{:?}", report.halted);
    assert_eq!(report.tally().not_started, 110);
}

#[tokio::test]
async fn a_refused_call_is_not_sent_again_after_a_stop() {
    let (org, plan) = role_changes(1).await;
    org.fault("POST /v1/organizations/users/*", Fault::RateLimited(RetryAfter::seconds(30.0)));
    let (report, after) = stopped_after(&org, &plan, 12).await;
    assert_eq!((after, org.writes().len()), (0, 1));
    let Outcome::Failed { failure } = &report.steps[0].outcome else {
        panic!("{:?}", outcomes(&report))
    };
    assert_eq!(failure.status, Some(429));
}
