//! Carries out a plan: its ready steps, in the order of their stages, each outcome written down as it happens.
//!
//! Invariant: only this module names [`crate::api::client::Writer`], and it does nothing that no plan says.

mod execute;
pub mod journal;
mod progress;
mod refusal;
mod report;
pub mod resume;
mod run;
mod verify;

pub use self::{
    execute::Hands,
    journal::Journal,
    progress::Progress,
    report::{CallTrace, Ended, Failure, Outcome, Reason, Report, StepReport, Tally},
    run::{Options, run},
};
pub use crate::api::stop::Stop;
