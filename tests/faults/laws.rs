//! The faults, and the law for each class of write, side of the effect and number of times.
//!
//! Invariant: a law knows nothing of a single write or fault, only of the classes below.

use std::time::Duration;

use orgcharter::{
    api::call::Resend,
    apply::journal::Word,
    sandbox::{Drip, Fault, RetryAfter, TypedError},
};
use serde_json::{Map, Value};

use crate::network::PATIENCE;

/// Where a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The API says that nothing was done.
    Refused,
    /// The limit of requests is used up: nothing was done, and the run waits for room.
    Limited,
    /// Nothing was done, and nobody says so.
    Before,
    /// It was done, and nobody says so.
    After,
    /// It was done, and the reply comes late.
    Late,
    /// The API says that nothing was done and that it never will be.
    Final,
    /// The API refuses it, and asks to send it again.
    Asked,
    /// Nothing was done, and a success says something else than what was asked for.
    NotTaken,
    /// It was done, as the code of an error says.
    SaysDone,
    /// It was made in part, as the code of an error says; the flag: it is there.
    MadeInPart(bool),
    /// Somebody else changed it at the same time; the flag: what was asked for is there all the same.
    ChangedToo(bool),
}

/// How often a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Times {
    Once,
    Twice,
    Always,
    /// Once, and then nothing can be read any more.
    Blind,
}

impl Times {
    pub(crate) const ALL: [Times; 4] = [Times::Once, Times::Twice, Times::Always, Times::Blind];

    /// The limit of the rule.
    pub(crate) fn most(self) -> Option<u64> {
        match self {
            Times::Once | Times::Blind => Some(1),
            Times::Twice => Some(2),
            Times::Always => None,
        }
    }
}

/// Every fault, with its side.
pub(crate) fn faults() -> Vec<(Side, Fault)> {
    let minute = u64::try_from(PATIENCE.as_millis()).unwrap();
    let drip = |pause_ms| Fault::Drip(Drip { bytes: 16, pause_ms });
    let sides = [
        (
            Side::Limited,
            vec![
                Fault::RateLimited(RetryAfter::seconds(20.0)),
                Fault::RateLimited(RetryAfter::seconds(1.5)),
                Fault::RateLimited(RetryAfter::date_in(7)),
                Fault::RateLimited(RetryAfter::milliseconds(250)),
                Fault::RateLimited(RetryAfter::default()),
            ],
        ),
        (Side::Refused, vec![Fault::StatusBefore(409)]),
        (
            Side::Before,
            vec![
                Fault::StatusBefore(500),
                Fault::StatusBefore(503),
                Fault::StatusBefore(529),
                Fault::StatusBefore(408),
                Fault::StatusBefore(499),
                // A code of a later day says nothing.
                Fault::Error(TypedError::new(409, "from_the_future")),
                Fault::ClosedBefore,
                Fault::SilentBefore,
                Fault::Html(200),
                Fault::Html(502),
                Fault::WrongTypeBefore,
            ],
        ),
        (
            Side::After,
            vec![
                Fault::StatusAfter(500),
                Fault::StatusAfter(503),
                Fault::StatusAfter(529),
                Fault::StatusAfter(408),
                Fault::StatusAfter(499),
                Fault::ErrorAfter(TypedError::new(409, "from_the_future")),
                Fault::ContradictsAfter(other()),
                Fault::ClosedAfter,
                Fault::SilentAfter,
                Fault::Truncated,
                Fault::CutShort,
                Fault::HtmlAfter(200),
                Fault::HtmlAfter(502),
                Fault::WrongType,
                Fault::LatencyMs(minute + 1),
                drip(minute),
            ],
        ),
        (
            Side::Final,
            vec![
                Fault::StatusBefore(412),
                Fault::StatusBefore(413),
                Fault::StatusBefore(431),
                Fault::StatusBefore(501),
                Fault::Error(TypedError::new(400, "from_the_future")),
            ],
        ),
        (Side::Asked, vec![Fault::Error(asked_again())]),
        (Side::NotTaken, vec![Fault::ContradictsBefore(other())]),
        (Side::Late, vec![Fault::LatencyMs(minute - 1), drip(20)]),
    ];
    let flat = |(side, faults): (Side, Vec<Fault>)| faults.into_iter().map(move |f| (side, f));
    sides.into_iter().flat_map(flat).collect()
}

/// An answer about something else, whatever was asked.
fn other() -> Map<String, Value> {
    let fields = ["id", "user_id", "workspace_id", "email", "name"];
    fields.map(|field| (field.to_owned(), Value::from("other@acme.com"))).into_iter().collect()
}

/// 400 without a code, to be sent again.
fn asked_again() -> TypedError {
    let headers = [("x-should-retry".to_owned(), "true".to_owned())].into();
    TypedError { code: None, headers, ..TypedError::new(400, "") }
}

/// Replies that the documents have for one call only, each on both sides of its effect where it could be played so.
pub(crate) fn replies(write: &str) -> Vec<(Side, Fault)> {
    let coded = TypedError::new;
    let waits = |error: TypedError| {
        let headers = [("retry-after".to_owned(), "3".to_owned())].into();
        TypedError { headers, ..error }
    };
    let incomplete = || coded(503, "workspace_created_incomplete");
    let unchecked =
        || (Side::Refused, Fault::Error(waits(coded(503, "authorization_check_unavailable"))));
    let raced = || (Side::Refused, Fault::Error(coded(409, "external_key_changed")));
    let late = || (Side::Refused, Fault::Error(coded(400, "external_key_validation_timed_out")));
    let privacy = "inference_data_privacy.human_review";
    match write {
        "workspace create" => vec![
            (
                Side::MadeInPart(true),
                Fault::ErrorAfter(incomplete().detail("workspace_id", "{id}")),
            ),
            (
                Side::MadeInPart(false),
                Fault::Error(incomplete().detail("workspace_id", "wrkspc_x")),
            ),
            unchecked(),
            raced(),
            late(),
        ],
        "workspace update" | "workspace rename" => {
            let changed = || coded(409, "workspace_changed_concurrently").detail("field", privacy);
            let unknown = || coded(503, "change_outcome_unknown");
            let profile = coded(400, "storage_profile_mismatch").detail("field", "user_profile_id");
            vec![
                (Side::Before, Fault::Error(unknown())),
                (Side::After, Fault::ErrorAfter(unknown())),
                (Side::ChangedToo(false), Fault::Error(changed())),
                (Side::ChangedToo(true), Fault::ErrorAfter(changed())),
                (Side::Final, Fault::Error(profile)),
                unchecked(),
                raced(),
                late(),
            ]
        }
        "workspace archive" => {
            vec![(Side::SaysDone, Fault::ErrorAfter(coded(409, "storage_attached_during_archive")))]
        }
        "user delete" => {
            vec![(Side::Refused, Fault::Error(coded(409, "concurrent_membership_change")))]
        }
        "invite create" => {
            vec![(Side::Final, Fault::Error(coded(400, "rbac_group_owner_access_unconfirmed")))]
        }
        _ => Vec::new(),
    }
}

/// What has to come of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Law {
    /// Whether the organization is as wanted afterwards; otherwise it is as it was.
    pub(crate) wanted: bool,
    pub(crate) outcome: Word,
    pub(crate) exit: u8,
    /// The most often that the call may be sent.
    pub(crate) sends: usize,
}

/// Requests in the five minutes after which a limit that lets nothing through is given up: four a minute, and a few
/// before the rate is known.
const LIMITED: usize = 25;
/// The most tries of one call, and of one that is asked for again only to be readable.
const TRIES: usize = 6;

/// The law of a cell.
#[expect(clippy::match_same_arms, reason = "a table, a law to a line")]
pub(crate) fn law(write: &str, resend: Resend, side: Side, times: Times) -> Law {
    let done = |sends| Law { wanted: true, outcome: Word::Done, exit: 0, sends };
    let unknown = |wanted, sends| Law { wanted, outcome: Word::Unknown, exit: 5, sends };
    let failed = |sends| Law { wanted: false, outcome: Word::Failed, exit: 1, sends };
    let partly = |wanted| Law { wanted, outcome: Word::Partly, exit: 5, sends: 1 };
    match (side, resend, times) {
        (Side::Late | Side::SaysDone, ..) => done(1),
        (Side::Final, ..) => failed(1),
        (Side::MadeInPart(there), ..) => partly(there),
        // What the plan sets is looked for; without a look nobody knows which part is there.
        (Side::ChangedToo(true), _, Times::Once | Times::Twice | Times::Always) => done(1),
        (Side::ChangedToo(there), ..) => partly(there),
        // What makes something is looked for before it is sent again.
        (Side::Asked, Resend::LookFirst, Times::Blind) => failed(1),
        (Side::Asked, Resend::LookFirst, Times::Always) => failed(3),
        (Side::Asked, _, Times::Once | Times::Blind) => done(2),
        (Side::Asked, _, Times::Twice) => done(3),
        (Side::Asked, _, Times::Always) => failed(TRIES),
        // Nobody knows what else was made, so it is not made again.
        (Side::NotTaken, Resend::LookFirst, _) => unknown(false, 1),
        (Side::NotTaken, _, Times::Once | Times::Blind) => done(2),
        (Side::NotTaken, _, Times::Twice) => done(3),
        (Side::NotTaken, _, Times::Always) => failed(3),
        // The second removal of a grant is refused without a code, which alone is no proof that it is gone.
        (Side::After, _, Times::Blind) if write == "workspace member delete" => unknown(true, 2),

        // What was certainly not done is sent again, whatever it is.
        (Side::Refused | Side::Limited, _, Times::Once | Times::Blind) => done(2),
        (Side::Refused | Side::Limited, _, Times::Twice) => done(3),
        (Side::Refused, _, Times::Always) => failed(TRIES),
        // Waiting for room uses up no tries: it is given up by time, and asked more and more seldom.
        (Side::Limited, _, Times::Always) => failed(LIMITED),
        // What makes something is looked for, and sent once more if it is not there.
        (Side::Before, Resend::LookFirst, Times::Once) => done(2),
        (Side::Before, Resend::LookFirst, Times::Twice | Times::Always) => unknown(false, 2),
        (Side::Before, Resend::LookFirst, Times::Blind) => unknown(false, 1),
        (Side::After, Resend::LookFirst, Times::Once | Times::Twice | Times::Always) => done(1),
        (Side::After, Resend::LookFirst, Times::Blind) => unknown(true, 1),
        // What sets or removes is sent again without harm.
        (Side::Before, _, Times::Once | Times::Blind) => done(2),
        (Side::Before, _, Times::Twice) => done(3),
        (Side::Before, _, Times::Always) => unknown(false, TRIES),
        // A second removal finds nothing, which says it all, if it is heard.
        (Side::After, _, Times::Once | Times::Blind) => done(2),
        (Side::After, _, Times::Twice) => done(3),
        (Side::After, _, Times::Always) => done(TRIES),
    }
}

/// The longest that a cell may take by its own clock.
pub(crate) const LONGEST: Duration = Duration::from_mins(15);
