//! What refuses a plan besides its guards: its base, its seal, its age, steps that nobody has acknowledged.
//!
//! Invariant: each refusal says what to do next, and none can be passed by leaving something out.

use jiff::{SignedDuration, Timestamp};

use super::{failure::Failure, trailers::Given};
use crate::{
    diagnostic::Diagnostic,
    plan::{Plan, acknowledge, seal},
};

/// More than this between two clocks, and days cannot be trusted.
pub(super) const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// The fewest bytes of a key that seals: as many as the digest has.
const SHORTEST_KEY: usize = 32;

/// The key that seals saved plans. One that is set and empty is a secret that did not arrive, and no wish to go
/// without.
pub(super) fn seal_key() -> Result<Option<Vec<u8>>, Failure> {
    match std::env::var_os(seal::VARIABLE) {
        None => Ok(None),
        Some(key) if key.is_empty() => {
            Err(Failure::usage(format!("`{}` is set, and empty", seal::VARIABLE))
                .help("give it the key (`openssl rand -hex 32` makes one), or unset it to go without HMACs"))
        }
        Some(key) if key.len() < SHORTEST_KEY => Err(Failure::usage(format!(
            "`{}` has {} bytes, and a key needs {SHORTEST_KEY} or more: a short one can be guessed from a saved plan",
            seal::VARIABLE,
            key.len()
        ))
        .help("`openssl rand -hex 32` makes one")),
        Some(key) => Ok(Some(key.into_encoded_bytes())),
    }
}

/// Refuses a plan that does what its base protects.
pub(super) fn refused_by_base(plan: &Plan) -> Result<(), Failure> {
    let protects = |note: &&Diagnostic| note.is_error() && note.code.starts_with("base/");
    let mut found = plan.notes.iter().filter(protects);
    let Some(first) = found.next() else { return Ok(()) };
    let more = match found.count() {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let failure = Failure::refused(format!("the base refuses this plan: {}{more}", first.message));
    Err(match &first.help {
        Some(help) => failure.help(help.clone()),
        None => failure,
    })
}

/// Refuses steps that nobody has acknowledged.
pub(super) fn acknowledged(plan: &Plan, given: &Given) -> Result<(), Failure> {
    let Some(asked) = &plan.acknowledgement else { return Ok(()) };
    let Given { digests, unread } = given;
    if acknowledge::is_acknowledged(asked, digests) {
        return Ok(());
    }
    let number = asked.steps.len();
    let steps = if number == 1 { "step has".to_owned() } else { format!("{number} steps have") };
    let why = match &digests[..] {
        [] => "not been acknowledged",
        _ => "been acknowledged by another digest than theirs: other steps were meant",
    };
    let digest = &asked.digest;
    let unread: String = unread.iter().map(|text| format!("; {text}")).collect();
    Err(Failure::refused(format!("the listed {steps} {why}{unread}")).help(format!(
        "look at them; if they are meant, run again with `--ack {digest}`, or put `Charter-Ack: {digest}` into the last \
         paragraph of the merge commit's message, after the title of the request, and use `--ack-from-commit`"
    )))
}

/// Refuses a saved plan that is not the one that was saved.
pub(super) fn check_seal(text: &str) -> Result<(), Failure> {
    let Some(key) = seal_key()? else { return Ok(()) };
    seal::check(seal::Sealed::Plan, text, &key).map_err(|error| {
        Failure::refused(format!("the plan is refused: {error}"))
            .help("make a new plan with the same `CHARTER_PLAN_KEY`, review it, and apply that")
    })
}

/// Refuses a saved plan that is older than its files allow, or from the future.
pub(super) fn check_age(plan: &Plan, now: Timestamp) -> Result<(), Failure> {
    let age = now.duration_since(plan.created_at);
    let help = "make a new plan, review it, and apply that";
    if age < -SKEW {
        let made = plan.created_at;
        return Err(Failure::refused(format!(
            "the plan says that it was made at {made}, in the future"
        ))
        .help(help));
    }
    match plan.approval.max_plan_age {
        Some(most) if age > most.duration() => Err(Failure::refused(format!(
            "the plan is {} old, and `guard.max_plan_age` is {most}",
            in_words(age)
        ))
        .help(help)),
        _ => Ok(()),
    }
}

fn in_words(age: SignedDuration) -> String {
    let (hours, minutes) = (age.as_hours(), age.as_mins() % 60);
    if hours == 0 { format!("{minutes}m") } else { format!("{hours}h {minutes}m") }
}
