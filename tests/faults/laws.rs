//! The faults, and the law for each class of write, side of the effect and number of times.
//!
//! Invariant: a law knows nothing of a single write or fault, only of the classes below.

use std::time::Duration;

use orgcharter::{
    api::call::Resend,
    apply::journal::Word,
    sandbox::{Drip, Fault, RetryAfter},
};

use crate::network::PATIENCE;

/// Where a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The API says that nothing was done.
    Refused,
    /// Nothing was done, and nobody says so.
    Before,
    /// It was done, and nobody says so.
    After,
    /// It was done, and the reply comes late.
    Late,
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
            Side::Refused,
            vec![
                Fault::RateLimited(RetryAfter::seconds(20.0)),
                Fault::RateLimited(RetryAfter::seconds(1.5)),
                Fault::RateLimited(RetryAfter::date_in(7)),
                Fault::RateLimited(RetryAfter::milliseconds(250)),
                Fault::RateLimited(RetryAfter::default()),
            ],
        ),
        (
            Side::Before,
            vec![
                Fault::StatusBefore(500),
                Fault::StatusBefore(503),
                Fault::StatusBefore(529),
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
        (Side::Late, vec![Fault::LatencyMs(minute - 1), drip(20)]),
    ];
    let flat = |(side, faults): (Side, Vec<Fault>)| faults.into_iter().map(move |f| (side, f));
    sides.into_iter().flat_map(flat).collect()
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

/// The most tries of one call, and of one that is asked for again only to be readable.
const TRIES: usize = 6;

/// The law of a cell.
#[expect(clippy::match_same_arms, reason = "a table, a law to a line")]
pub(crate) fn law(resend: Resend, side: Side, times: Times) -> Law {
    let done = |sends| Law { wanted: true, outcome: Word::Done, exit: 0, sends };
    let unknown = |wanted, sends| Law { wanted, outcome: Word::Unknown, exit: 5, sends };
    match (side, resend, times) {
        (Side::Late, ..) => done(1),
        // What was certainly not done is sent again, whatever it is.
        (Side::Refused, _, Times::Once | Times::Blind) => done(2),
        (Side::Refused, _, Times::Twice) => done(3),
        (Side::Refused, _, Times::Always) => {
            Law { wanted: false, outcome: Word::Failed, exit: 1, sends: TRIES }
        }
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
