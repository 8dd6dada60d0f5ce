//! What a wrong clock of this machine means for a plan: ends by date and the ends of invites are judged by it.
//!
//! Invariant: no removal is planned because of a day that the API does not have.

use jiff::{SignedDuration, Timestamp};

use super::{
    approval::SKEW,
    connect::Connection,
    failure::Failure,
    prepare::{Files, day},
};
use crate::{api::about, config::lower::lower, diagnostic::Diagnostic};

/// How far this machine's clock is ahead of the API's, if it is wrong; asked after an answer came.
fn off(connection: &Connection) -> Option<SignedDuration> {
    connection.client.reader().clock_skew().filter(|skew| skew.abs() > SKEW)
}

/// `3 days ahead of`.
fn words(skew: SignedDuration) -> String {
    let way = if skew.is_positive() { "ahead of" } else { "behind" };
    format!("{} {way}", about(skew.unsigned_abs()))
}

/// Refuses to apply with a wrong clock.
///
/// # Errors
/// If the clock is wrong.
pub(super) fn refuse(connection: &Connection) -> Result<(), Failure> {
    let Some(skew) = off(connection) else { return Ok(()) };
    Err(Failure::refused(format!(
        "this machine's clock is {} the server's, so `until` dates cannot be trusted",
        words(skew)
    ))
    .help("set the clock, and run again"))
}

/// The API's time, and a warning if this machine's is another.
///
/// # Errors
/// If the files have entries that have ended by one of the two clocks only.
pub(super) fn checked(
    connection: &Connection,
    files: &Files,
    now: Timestamp,
) -> Result<(Timestamp, Option<Diagnostic>), Failure> {
    let Some(skew) = off(connection) else { return Ok((now, None)) };
    let there = now.checked_sub(skew).unwrap_or(now);
    let ended = |at: Timestamp| {
        let (desired, _) = lower(files.document(), day(at));
        desired.gone.into_keys().collect::<Vec<_>>()
    };
    let off = format!("this machine's clock is {} the API's", words(skew));
    if day(now) != day(there) && ended(now) != ended(there) {
        return Err(Failure::refused(format!(
            "{off}, and entries of the files (`until`) have ended by one of the two clocks only"
        ))
        .help("set the clock, and run again"));
    }
    let warning = Diagnostic::warning("clock/off", off).help(
        "set the clock: `charter apply` refuses to run with it, and ends by date are judged by it",
    );
    Ok((there, Some(warning)))
}
