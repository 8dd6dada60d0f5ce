//! A sample of the matrix over real sockets, where connections really break and patience really ends.
//!
//! Invariant: the same laws as in process, with the client and the timeouts of the program.

use std::{sync::Arc, time::Duration};

use orgcharter::{
    api::{
        client::{Client, Options as ClientOptions},
        credential::Credential,
        http::{BaseUrl, HttpTransport, Timeouts},
    },
    apply::{self, Hands, Journal, Options, Report, Stop},
    plan::Plan,
    sandbox::{Drip, Fault, Rule, Server},
    secret::Secret,
};

use crate::{
    laws::{Law, Side, Times, law},
    world::{World, outcomes, state, wanted},
    writes::WRITES,
};

const PATIENCE: Duration = Duration::from_millis(250);

/// Faults that are made of connections and bytes.
fn faults() -> [(Side, Fault); 11] {
    let drip = |pause_ms| Fault::Drip(Drip { bytes: 16, pause_ms });
    [
        (Side::Before, Fault::ClosedBefore),
        (Side::Before, Fault::SilentBefore),
        (Side::Before, Fault::Html(200)),
        (Side::Before, Fault::WrongTypeBefore),
        (Side::After, Fault::ClosedAfter),
        (Side::After, Fault::SilentAfter),
        (Side::After, Fault::Truncated),
        (Side::After, Fault::CutShort),
        (Side::After, Fault::HtmlAfter(502)),
        (Side::After, drip(200)),
        (Side::Late, drip(2)),
    ]
}

async fn over_http(world: &World, plan: &Plan) -> Report {
    let server = Server::share(world.sandbox.clone(), ([127, 0, 0, 1], 0).into()).await.unwrap();
    let base = BaseUrl::parse(&server.base_url()).unwrap();
    let timeouts = Timeouts { whole: PATIENCE, ..Timeouts::default() };
    let transport = HttpTransport::with_timeouts(base, None, timeouts).unwrap();
    let key = Secret::new(world.sandbox.admin_key());
    let credential = Credential::Key(key, "ANTHROPIC_ADMIN_KEY".into());
    // Waits between tries cost nothing here either; only replies take their time.
    let clock = Arc::new(world.clock.clone());
    let client = Client::new(
        Arc::new(transport),
        credential,
        Arc::clone(&clock) as _,
        ClientOptions { seed: 7, ..ClientOptions::default() },
    );
    let (hands, stop) = (Hands::new(&client, clock), Stop::new());
    apply::run(plan, &hands, Journal::none(), &(), &stop, Options::default()).await
}

#[tokio::test]
async fn over_real_sockets_the_laws_are_the_same() {
    let sample = ["invite create", "workspace create", "user update", "user delete"];
    let mut cells = 0;
    for write in WRITES.iter().filter(|write| sample.contains(&write.name)) {
        let (start, desired) = (state(write.seed), wanted(write.files));
        for (side, fault) in faults() {
            let world = World::of(start.clone(), &desired);
            let before = world.look();
            let plan = world.planned().await;
            world.fail(Rule::new(write.on, fault.clone()).times(1));
            world.sandbox.with(|state| state.log.clear());
            let report = over_http(&world, &plan).await;
            let what = format!("{} × {fault:?}: {:#?}", write.name, outcomes(&report));
            let Law { wanted, outcome: _, exit, sends } =
                law(write.name, write.resend, side, Times::Once);
            assert_eq!(world.look() != before, wanted, "{what}");
            assert_eq!(report.ended().exit_code(), exit, "{what}");
            assert!(world.sandbox.log().writes().count() <= sends, "{what}");
            let left = world.planned().await;
            assert!(left.is_empty(), "{what}: {:?}", left.steps);
            cells += 1;
        }
    }
    println!("{cells} cells over sockets");
}
