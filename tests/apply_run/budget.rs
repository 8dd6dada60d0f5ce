//! Long applies against a server that counts: the whole budget is used, and none of it is overdrawn.
//!
//! Invariant: server and client read one clock, and the server refuses what is over its documented limits.

use std::{sync::Arc, time::Duration};

use orgcharter::{
    api::{
        client::{Client, Options},
        clock::{Clock as _, SystemClock, TestClock},
        credential::Credential,
        http::{BaseUrl, HttpTransport},
        transport::{BoxFuture, RawRequest, RawResponse, Transport, TransportError},
    },
    apply::{Hands, Outcome},
    sandbox::{Bucket, InProcess, Limits, Server, State, Switches, switches::RateLimitHeaders},
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

/// An organization whose server keeps a bucket of 100 requests a minute, of which another client takes half.
fn shared_bucket(switches: Switches, counts_refused: bool, retry_after_ms: Option<u64>) -> Org {
    counting(|state| {
        let bucket = Bucket {
            capacity: 100,
            per_minute: 100,
            others_per_minute: 50,
            retry_after_ms,
            counts_refused,
        };
        state.limits = Limits { bucket: Some(bucket), ..Limits::default() };
        state.switches = switches;
        large(state);
    })
}

const PEOPLE: usize = 2_000;
const WORKSPACES: usize = 51;
const WRITES: usize = 120;

fn large(state: &mut State) {
    for person in 0..PEOPLE {
        state.add_user(&format!("p{person}@acme.com"), "user");
    }
    for workspace in 0..WORKSPACES {
        state.add_workspace(&format!("w{workspace:02}"));
    }
}

/// 120 changed roles, and the members of every workspace looked at.
fn changes() -> Wanted {
    let wanted = (0..WORKSPACES).fold(Wanted::new(), |wanted, workspace| {
        let name = format!("w{workspace:02}");
        wanted.workspace(&name).grants_are_all(&name)
    });
    (0..WRITES)
        .fold(wanted, |wanted, person| wanted.member(&format!("p{person}@acme.com"), "developer"))
}

/// Plans, and then applies what is planned anew; gives the requests that were let through and those that were refused.
async fn plan_then_apply(org: &Org) -> (usize, usize) {
    let wanted = changes();
    assert_eq!(org.plan(&wanted).await.ready().count(), WRITES);
    let plan = org.plan(&wanted).await;
    assert_eq!(plan.ready().count(), WRITES);
    let count = |refused: bool| {
        org.sandbox.log().entries().iter().filter(|entry| (entry.status == 429) == refused).count()
    };
    let (passed, refused) = (count(false), count(true));
    let report = org.run(&plan).await;
    let failed = report.steps.iter().find(|step| step.outcome.word() != "done");
    assert!(failed.is_none(), "{failed:?}");
    assert_eq!(org.sandbox.log().writes().filter(|entry| entry.done).count(), WRITES);
    (passed + count(false), refused + count(true))
}

/// What the bucket alone dictates: it begins full, and then brings 50 a minute.
fn dictated(requests: usize, minute: Duration) -> Duration {
    minute.mul_f64(u32::try_from(requests.saturating_sub(100)).map_or(f64::MAX, f64::from) / 50.0)
}

#[tokio::test]
async fn a_bucket_that_another_client_drains_by_half_fails_nothing_and_costs_little_time() {
    let headers = Switches { rate_limit_headers: RateLimitHeaders::Present, ..Switches::default() };
    for (switches, counts_refused, retry_after_ms) in [
        (Switches::default(), false, None),
        (Switches::default(), false, Some(1_000)),
        (Switches::default(), true, None),
        (headers, false, None),
        (headers, true, Some(1_000)),
    ] {
        let org = shared_bucket(switches, counts_refused, retry_after_ms);
        let began = org.clock.monotonic();
        let (passed, refused) = plan_then_apply(&org).await;
        let took = org.clock.monotonic().saturating_sub(began);
        let least = dictated(passed, Duration::from_mins(1));
        let case = format!(
            "{:?} {counts_refused} {retry_after_ms:?}: {passed} requests, {refused} refused",
            switches.differences()
        );
        assert!(took <= least.mul_f64(1.25), "{took:?} instead of {least:?}; {case}");
        assert!(refused <= passed / 4, "{case}");
    }
}

#[tokio::test]
async fn a_bucket_that_others_take_whole_is_given_up_by_time() {
    let org = counting(|state| {
        let bucket = Bucket {
            capacity: 100,
            per_minute: 100,
            others_per_minute: 100,
            retry_after_ms: Some(1_000),
            counts_refused: false,
        };
        state.limits = Limits { bucket: Some(bucket), ..Limits::default() };
        large(state);
    });
    let wanted = changes();
    let plan = org.plan(&wanted).await;
    let began = org.clock.monotonic();
    let report = org.run(&plan).await;
    let took = org.clock.monotonic().saturating_sub(began);
    assert!(report.steps.iter().any(|step| step.outcome.word() == "done"));
    let not_started =
        report.steps.iter().filter(|step| matches!(step.outcome, Outcome::NotStarted)).count();
    assert!(not_started > 40, "{not_started} steps were not started");
    assert_eq!(report.halted.as_deref(), Some("the API's request limit is used up"));
    assert!(took > Duration::from_mins(4) && took < Duration::from_mins(8), "{took:?}");
}

/// The same over sockets, with a minute of five seconds. It takes real time, so only with `CHARTER_LONG=1`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_sockets_too_a_drained_bucket_fails_nothing_and_costs_little_time() {
    if std::env::var_os("CHARTER_LONG").is_none_or(|value| value == "0") {
        return;
    }
    let minute = Duration::from_secs(5);
    let org = Org::new(|state| {
        state.clock = orgcharter::sandbox::Clock::running(state.now());
        let bucket = Bucket {
            capacity: 100,
            per_minute: 1_200,
            others_per_minute: 600,
            retry_after_ms: Some(1_000 / 12),
            counts_refused: false,
        };
        state.limits = Limits { bucket: Some(bucket), ..Limits::default() };
        large(state);
    });
    let server = Server::share(org.sandbox.clone(), ([127, 0, 0, 1], 0).into()).await.unwrap();
    let base = BaseUrl::parse(&server.base_url()).unwrap();
    let credential =
        Credential::Key(Secret::new(org.sandbox.admin_key()), "ANTHROPIC_ADMIN_KEY".into());
    let clock = Arc::new(SystemClock::new());
    let options = Options { minute, ..Options::default() };
    let transport = HttpTransport::new(base, None).unwrap();
    let client = Client::new(Arc::new(transport), credential, clock.clone(), options);
    let org = Org { reader: client.reader(), hands: Hands::new(&client, clock.clone()), ..org };
    let began = clock.monotonic();
    let (passed, refused) = plan_then_apply(&org).await;
    let took = clock.monotonic().saturating_sub(began);
    let least = dictated(passed, minute);
    println!(
        "{passed} requests, {refused} refused: {took:?}, and the bucket alone dictates {least:?}"
    );
    assert!(took <= least.mul_f64(1.25), "{took:?} instead of {least:?}, {refused} refused");
}
