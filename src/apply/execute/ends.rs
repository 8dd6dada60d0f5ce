//! How a step that is not done is told.
//!
//! Invariant: what is said of a step names the calls that were made, and never one that was not.

use super::{Asked, Execution, Failure, Method, Outcome, WriteError, refusal};
use crate::api::error::ApiError;

impl Execution<'_> {
    pub(super) fn failed(&mut self, error: WriteError) -> Outcome {
        let failure =
            Failure { help: refusal::help(self.step, error.error()), ..Failure::of(error.error()) };
        self.error = Some(error);
        Outcome::Failed { failure }
    }

    pub(super) fn unknown(&mut self, error: ApiError) -> Outcome {
        let failure = Failure {
            help: Some("run `charter plan`: it shows what is left to do".to_owned()),
            ..Failure::of(&error)
        };
        self.error = Some(WriteError::Unknown(error));
        Outcome::Unknown { failure }
    }

    /// Says that some calls of the step were made before it failed.
    pub(super) fn half_way(&self, ends: Outcome, made: usize) -> Outcome {
        let rest = format!(
            "{made} of {} calls were made; the next run does the rest",
            self.step.calls.len()
        );
        let tell = |mut failure: Failure| {
            failure.help = Some(match failure.help {
                Some(help) => format!("{rest}; {help}"),
                None => rest.clone(),
            });
            failure
        };
        match ends {
            Outcome::Failed { failure } => Outcome::Failed { failure: tell(failure) },
            Outcome::Unknown { failure } => Outcome::Unknown { failure: tell(failure) },
            other => other,
        }
    }

    /// The request of the last call.
    pub(super) fn asked(&self) -> Asked {
        let (method, target) = match self.calls.last() {
            Some(call) => (call.method, call.path.clone()),
            None => (Method::Post, String::new()),
        };
        Asked { method, target }
    }
}
