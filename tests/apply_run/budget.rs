//! Long applies against a server that counts: the whole budget is used, and none of it is overdrawn.
//!
//! Invariant: server and client read one clock, and the server refuses what is over its documented limits.

use std::{sync::Arc, time::Duration};

use orgcharter::{
    api::{
        client::{Client, Options},
        clock::{Clock as _, TestClock},
        credential::Credential,
        transport::{BoxFuture, RawRequest, RawResponse, Transport, TransportError},
    },
    apply::Hands,
    sandbox::{InProcess, Limits, State},
    secret::Secret,
};

use super::support::{Org, Wanted};

/// The sandbox, at the client's time.
struct OneTime(InProcess, TestClock);

impl Transport for OneTime {
    fn send(&self, request: RawRequest) -> BoxFuture<'_, Result<RawResponse, TransportError>> {
        let (sandbox, now) = (self.0.sandbox(), self.1.now());
        let behind = now.duration_since(sandbox.now());
        sandbox.advance(Duration::try_from(behind).unwrap_or_default());
        self.0.send(request)
    }
}

/// An organization whose server counts requests as the documents say.
fn counting(plant: impl FnOnce(&mut State)) -> Org {
    let mut org = Org::new(|state| {
        state.limits = Limits {
            requests_per_minute: Some(100),
            invites_per_hour: Some(1_200),
            ..Limits::default()
        };
        plant(state);
    });
    let transport = OneTime(org.sandbox.transport(), org.clock.clone());
    let credential =
        Credential::Key(Secret::new(org.sandbox.admin_key()), "ANTHROPIC_ADMIN_KEY".into());
    let clock = Arc::new(org.clock.clone());
    let client = Client::new(Arc::new(transport), credential, clock.clone(), Options::default());
    org.reader = client.reader();
    org.hands = Hands::new(&client, clock);
    org
}

/// Applies, and gives how long it took, after asserting that all was done and nothing was refused.
async fn applied(org: &Org, wanted: &Wanted, writes: usize) -> Duration {
    let plan = org.plan(wanted).await;
    assert_eq!(plan.ready().count(), writes);
    let began = org.clock.monotonic();
    let report = org.run(&plan).await;
    assert_eq!(report.steps.len(), writes);
    assert!(
        report.steps.iter().all(|step| step.outcome.word() == "done"),
        "{:?}",
        report.steps.last()
    );
    let log = org.sandbox.log();
    assert_eq!(log.writes().count(), writes);
    let refused = log.entries().iter().filter(|entry| entry.status == 429).count();
    assert_eq!(refused, 0, "the server refused requests for being too many");
    assert_eq!(org.left(wanted).await, Vec::<String>::new());
    org.clock.monotonic().saturating_sub(began)
}

#[tokio::test]
async fn ten_thousand_writes_use_the_whole_budget_and_meet_no_429() {
    let people = 10_000;
    let org = counting(|state| {
        for person in 0..people {
            state.add_user(&format!("p{person}@acme.com"), "user");
        }
    });
    let wanted = (0..people).fold(Wanted::new(), |wanted, person| {
        wanted.member(&format!("p{person}@acme.com"), "developer")
    });
    let took = applied(&org, &wanted, people).await;
    // 90 at once, then 90 in each minute.
    let allowed = Duration::from_mins(people as u64 / 90);
    assert!(took <= allowed.mul_f64(1.05), "{took:?} instead of {allowed:?}");
}

#[tokio::test]
async fn invites_keep_to_their_own_budget_of_an_hour() {
    let people = 2_500;
    let org = counting(|_| {});
    let wanted = (0..people).fold(Wanted::new(), |wanted, person| {
        wanted.member(&format!("p{person}@acme.com"), "user")
    });
    let took = applied(&org, &wanted, people).await;
    let allowed = Duration::from_mins(121);
    assert!(took <= allowed.mul_f64(1.05), "{took:?} instead of {allowed:?}");
}
