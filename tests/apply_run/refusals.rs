//! What the API refuses: explained by a look, given up for a whole class, or the end of the run.

use orgcharter::{
    apply::{Ended, Journal, Options, Outcome, Progress, Reason, Stop},
    plan::Step,
    sandbox::{Fault, RetryAfter, Rule, switches},
};

use super::support::*;

const INVITES: &str = "POST /v1/organizations/invites";

#[tokio::test]
async fn a_variant_of_a_members_address_is_left_to_a_person_with_the_address_that_counts() {
    let org = Org::new(|state| {
        state.switches.address_matching = switches::AddressMatching::Variants;
        state.add_user("a.da@acme.com", "user");
        state.add_invite("bob+x@acme.com", "user");
    });
    let wanted = Wanted::new().member("ada@acme.com", "user").member("bob@acme.com", "user");
    let report = org.apply(&wanted).await;
    for (step, variant) in report.steps.iter().zip(["`a.da@acme.com`", "`bob+x@acme.com`"]) {
        let Outcome::Manual { why } = &step.outcome else { panic!("{step:#?}") };
        assert!(why.contains(variant), "{why}");
    }
    assert_eq!(report.ended(), Ended::Complete);
}

#[tokio::test]
async fn an_invite_that_the_api_has_not_let_lapse_yet_waits_for_the_next_run() {
    let org = Org::new(|state| {
        state.switches.invite_expiry = switches::InviteExpiry::LagsAnHour;
        state.add_invite("ada@acme.com", "user");
    });
    org.pass(std::time::Duration::from_hours(21 * 24 + 1) - std::time::Duration::from_mins(30));
    let wanted = Wanted::new().member("ada@acme.com", "user");
    let report = org.apply(&wanted).await;
    assert!(matches!(only(&report), Outcome::Waiting { .. }), "{report:#?}");
    assert_eq!(report.ended(), Ended::Complete);
}

#[tokio::test]
async fn somebody_who_became_an_admin_meanwhile_is_left_to_a_person() {
    for status in [switches::ProtectedStatus::BadRequest, switches::ProtectedStatus::Forbidden] {
        let org = Org::new(|state| {
            state.switches.protected_status = status;
            state.add_user("bob@acme.com", "user");
        });
        let wanted = Wanted::new().member("bob@acme.com", "developer");
        let plan = org.plan(&wanted).await;
        org.sandbox.with(|state| state.set_role("bob@acme.com", "admin"));
        let report = org.run(&plan).await;
        let Outcome::Manual { why } = only(&report) else { panic!("{report:#?}") };
        assert!(why.starts_with("`bob@acme.com` has become `admin`"), "{why}");
    }
}

#[tokio::test]
async fn a_grant_made_meanwhile_is_done_whatever_the_api_answers() {
    use switches::AddExisting::{BadRequest, Conflict, Updates};
    for answer in [BadRequest, Conflict, Updates] {
        let org = Org::new(|state| {
            state.switches.add_existing = answer;
            state.add_user("bob@acme.com", "user");
            state.add_workspace("Staging");
        });
        let wanted = Wanted::new().member("bob@acme.com", "user").workspace("Staging").grant(
            "Staging",
            "bob@acme.com",
            "workspace_user",
        );
        let plan = org.plan(&wanted).await;
        org.sandbox.with(|state| state.set_grant("Staging", "bob@acme.com", "workspace_user"));
        let report = org.run(&plan).await;
        assert!(only(&report).is_done(), "{answer:?} {report:#?}");
    }
}

#[tokio::test]
async fn where_an_identity_provider_rules_few_are_tried_and_one_message_says_so() {
    let mut emails = Vec::new();
    let org = Org::new(|state| {
        state.switches.identity_provider = switches::IdentityProvider::Manages;
        for number in 0..30 {
            let email = format!("p{number:02}@acme.com");
            state.add_user(&email, "user");
            emails.push(email);
        }
    });
    let wanted =
        emails.iter().fold(Wanted::new(), |wanted, email| wanted.member(email, "developer"));
    let report = org.apply(&wanted).await;
    assert_eq!(report.ended(), Ended::Failed);
    assert_eq!(org.writes().len(), 3);
    assert_eq!(report.tally().failed, 3);
    assert_eq!(report.tally().skipped, 27);
    assert_eq!(report.refused.len(), 1);
    assert!(report.refused[0].contains("identity provider"), "{:?}", report.refused);
    assert!(matches!(
        report.steps[29].outcome,
        Outcome::Skipped { because: Reason::Refused { .. } }
    ));
}

#[tokio::test]
async fn one_bad_address_does_not_stop_the_other_invites() {
    let org = Org::new(|_| {});
    let wanted = (0..9).fold(Wanted::new(), |wanted, number| {
        wanted.member(&format!("p{number}@acme.com"), "user")
    });
    let plan = org.plan(&wanted).await;
    org.fault(INVITES, refusal(400, None));
    let report = org.run(&plan).await;
    assert_eq!((report.tally().failed, report.tally().done), (1, 8));
    assert_eq!(report.ended(), Ended::Partly);
    assert_eq!(report.ended().exit_code(), 5);
}

#[tokio::test]
async fn at_the_limit_of_members_no_further_invites_are_tried() {
    let org = Org::new(|state| {
        state.limits.seats = Some(1);
        state.switches.seat_error = switches::SeatError::Coded;
    });
    let wanted = (0..20).fold(Wanted::new(), |wanted, number| {
        wanted.member(&format!("p{number:02}@acme.com"), "user")
    });
    let report = org.apply(&wanted).await;
    assert_eq!(org.writes().len(), 3);
    assert_eq!(report.tally().skipped, 17);
    assert!(report.refused[0].contains("as many members as Anthropic allows"), "{report:#?}");
}

#[tokio::test]
async fn the_last_member_stays_with_a_clear_message() {
    let org = Org::new(|state| {
        state.add_user("bob@acme.com", "user");
        state.remove_user("root@acme.com");
    });
    let wanted = Wanted::new().members_are_all();
    let report = org.apply(&wanted).await;
    let Outcome::Failed { failure } = only(&report) else { panic!("{report:#?}") };
    assert_eq!(failure.code.as_deref(), Some("cannot_remove_last_member"));
    assert!(failure.help.as_deref().unwrap().contains("keeps at least one member"));
}

#[tokio::test]
async fn a_credential_that_is_refused_ends_the_run_at_once() {
    let org = Org::new(|_| {});
    let wanted = (0..20).fold(Wanted::new(), |wanted, number| {
        wanted.member(&format!("p{number:02}@acme.com"), "user")
    });
    let plan = org.plan(&wanted).await;
    org.rule(Rule::new(INVITES, refusal(401, None)));
    let report = org.run(&plan).await;
    assert_eq!(report.ended(), Ended::Failed);
    assert_eq!(report.halted.as_deref(), Some("the credential is refused"));
    assert_eq!(report.tally().not_started, 19);
}

#[tokio::test]
async fn a_server_in_lasting_trouble_ends_the_run() {
    let org = Org::new(|_| {});
    let wanted = (0..40).fold(Wanted::new(), |wanted, number| {
        wanted.member(&format!("p{number:02}@acme.com"), "user")
    });
    let plan = org.plan(&wanted).await;
    org.rule(Rule::new("* /**", Fault::StatusBefore(503)));
    let report = org.run(&plan).await;
    assert!(report.halted.is_some(), "{report:#?}");
    assert!(report.tally().unknown <= 11, "{:?}", report.tally());
    assert!(report.tally().not_started >= 29);
}

#[tokio::test]
async fn a_server_that_always_asks_to_wait_ends_the_run_too() {
    let org = Org::new(|state| {
        for number in 0..40 {
            state.add_user(&format!("p{number:02}@acme.com"), "user");
        }
    });
    let wanted = (0..40).fold(Wanted::new(), |wanted, number| {
        wanted.member(&format!("p{number:02}@acme.com"), "developer")
    });
    let plan = org.plan(&wanted).await;
    let wait = Fault::RateLimited(RetryAfter::seconds(20.0));
    org.rule(Rule::new("POST /v1/organizations/users/*", wait));
    let report = org.run(&plan).await;
    assert_eq!(report.ended(), Ended::Failed, "{report:#?}");
    assert!(report.halted.is_some() && report.tally().not_started >= 29, "{:?}", report.tally());
    assert!(report.took < std::time::Duration::from_mins(20), "{:?}", report.took);
}

fn can_move_between_threads<T: Send>(future: T) -> T {
    future
}

/// Asks to stop when the third step starts.
struct StopAt<'a>(&'a Stop, std::sync::atomic::AtomicUsize);

impl Progress for StopAt<'_> {
    fn started(&self, _step: &Step) {
        if self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 2 {
            self.0.request();
        }
    }
}

#[tokio::test]
async fn a_stop_finishes_what_is_in_flight_and_begins_nothing_else() {
    let org = Org::new(|_| {});
    let wanted = (0..20)
        .fold(Wanted::new(), |wanted, number| {
            wanted.member(&format!("p{number:02}@acme.com"), "user")
        })
        .workspace("New");
    let plan = org.plan(&wanted).await;
    org.sandbox.with(|state| state.log.clear());
    let stop = Stop::new();
    let progress = StopAt(&stop, std::sync::atomic::AtomicUsize::new(0));
    let options = Options { at_once: 2 };
    let run = orgcharter::apply::run(&plan, &org.hands, Journal::none(), &progress, &stop, options);
    let report = can_move_between_threads(run).await;
    // The third one has sent nothing yet.
    assert_eq!(report.tally().done, 2);
    assert_eq!(report.tally().not_started, 19);
    assert_eq!(org.writes().len(), 2);
    assert_eq!(report.halted.as_deref(), Some("stopped on request"));
    assert!(report.stopped);
    assert_eq!(report.ended(), Ended::Partly);
    let report = org.apply(&wanted).await;
    assert_eq!(report.ended(), Ended::Complete);
    assert_eq!(org.left(&wanted).await, Vec::<String>::new());
}
