//! What became of each step, and what the run as a whole came to.
//!
//! Invariant: every ready step of the plan has exactly one outcome, also those that were never started.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    address::{Address, RemoteId},
    api::{error::ApiError, transport::Method},
    resource::Verb,
};

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// What was wanted holds.
    Done {
        /// The last call's `request-id`.
        #[serde(skip_serializing_if = "Option::is_none")]
        request_id: Option<String>,
        /// What was not as usual: it was gone already, the reply was lost.
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        /// What it leaves to a person.
        #[serde(skip_serializing_if = "Option::is_none")]
        by_hand: Option<String>,
    },
    /// Some of it holds, as the API says; the next plan has the rest.
    Partly {
        /// What happened, and what to do.
        failure: Failure,
    },
    /// The API refused it, or could not be reached; it had no effect.
    Failed {
        /// Why.
        failure: Failure,
    },
    /// It was not tried, or given up without harm.
    Skipped {
        /// Why.
        because: Reason,
    },
    /// Only a person can do it, as showed when it was tried.
    Manual {
        /// Why, and what to do.
        why: String,
    },
    /// It was tried as far as it goes now; a later run does the rest.
    Waiting {
        /// What it waits for.
        why: String,
    },
    /// It may or may not have had its effect.
    Unknown {
        /// What went wrong last.
        failure: Failure,
    },
    /// The run ended before its turn.
    NotStarted,
}

/// Why a step was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// The step of something it refers to was not done.
    Blocked {
        /// What it refers to.
        on: Address,
    },
    /// The live object is no longer what the plan saw.
    Changed {
        /// What is different.
        what: String,
    },
    /// The invite was accepted in between: there is a member now.
    Accepted {
        /// Whose.
        what: String,
    },
    /// The API refused the same for others, and will for this one.
    Refused {
        /// What it refuses.
        what: String,
    },
}

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// What happened: lower case, no final period.
    pub message: String,
    /// The HTTP status, if there was an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// `error.details.error_code`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The `request-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Failure {
    /// A failure with what the API said, and its advice.
    pub fn of(error: &ApiError) -> Self {
        Self {
            message: error.to_string(),
            status: error.status(),
            code: error.code().map(str::to_owned),
            request_id: error.request_id().map(str::to_owned),
            help: error.next_step(),
        }
    }
}

impl Outcome {
    /// Whether what the step wanted holds now.
    pub fn is_done(&self) -> bool {
        matches!(self, Outcome::Done { .. })
    }

    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Outcome::Done { .. } => "done",
            Outcome::Partly { .. } => "partly",
            Outcome::Failed { .. } => "failed",
            Outcome::Skipped { .. } => "skipped",
            Outcome::Manual { .. } => "manual",
            Outcome::Waiting { .. } => "waiting",
            Outcome::Unknown { .. } => "unknown",
            Outcome::NotStarted => "not_started",
        }
    }

    /// What there is to say about it.
    pub fn detail(&self) -> Option<String> {
        match self {
            Outcome::Done { request_id: _, note, by_hand } => {
                let told: Vec<&str> = note.iter().chain(by_hand).map(String::as_str).collect();
                (!told.is_empty()).then(|| told.join("; "))
            }
            Outcome::Partly { failure }
            | Outcome::Failed { failure }
            | Outcome::Unknown { failure } => Some(failure.message.clone()),
            Outcome::Skipped { because } => Some(because.to_string()),
            Outcome::Manual { why } | Outcome::Waiting { why } => Some(why.clone()),
            Outcome::NotStarted => None,
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Reason::Blocked { on } => write!(f, "needs {on}, whose step was not done"),
            Reason::Changed { what } | Reason::Accepted { what } | Reason::Refused { what } => {
                f.write_str(what)
            }
        }
    }
}

/// One call as it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallTrace {
    /// The method.
    pub method: Method,
    /// The path, ids filled in.
    pub path: String,
    /// The HTTP status of an error; `None`: it succeeded, or no answer came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The `request-id` of the last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// How often the client sent it; `None` if it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// `error.details.error_code`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// One step and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepReport {
    /// Its place in the plan's steps, from 0.
    pub step: usize,
    /// What it is about.
    pub address: Address,
    /// What it does.
    pub verb: Verb,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The calls that were made for it, tries after a lost reply included.
    pub calls: Vec<CallTrace>,
    /// The id of what it made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RemoteId>,
    /// How long it took.
    #[serde(rename = "took_ms", serialize_with = "milliseconds")]
    pub took: Duration,
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Each ready step of the plan, in the plan's order.
    pub steps: Vec<StepReport>,
    /// What the API refuses as a whole, each once, with what to do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
    /// Why the run ended before its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub halted: Option<String>,
    /// It ended so because somebody asked.
    pub stopped: bool,
    /// How long it took.
    #[serde(rename = "took_ms", serialize_with = "milliseconds")]
    pub took: Duration,
}

/// How a run ended, for the exit code.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Everything that can be done now is done.
    Complete,
    /// Some of it is not done, or an outcome is unknown.
    Partly,
    /// Every step that was tried failed, or none could be.
    Failed,
}

impl Ended {
    /// The exit code of `apply`.
    pub fn exit_code(self) -> u8 {
        match self {
            Ended::Complete => 0,
            Ended::Partly => 5,
            Ended::Failed => 1,
        }
    }
}

/// Outcomes by their word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tally {
    /// What was wanted holds.
    pub done: usize,
    /// Some of it holds; the next plan has the rest.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub partly: usize,
    /// Refused, or not reached.
    pub failed: usize,
    /// Not tried, or given up without harm.
    pub skipped: usize,
    /// Only a person can.
    pub manual: usize,
    /// A later run does the rest.
    pub waiting: usize,
    /// May or may not have had its effect.
    pub unknown: usize,
    /// The run ended before.
    pub not_started: usize,
}

impl Report {
    /// Outcomes by their word.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for step in &self.steps {
            *match &step.outcome {
                Outcome::Done { .. } => &mut tally.done,
                Outcome::Partly { .. } => &mut tally.partly,
                Outcome::Failed { .. } => &mut tally.failed,
                Outcome::Skipped { .. } => &mut tally.skipped,
                Outcome::Manual { .. } => &mut tally.manual,
                Outcome::Waiting { .. } => &mut tally.waiting,
                Outcome::Unknown { .. } => &mut tally.unknown,
                Outcome::NotStarted => &mut tally.not_started,
            } += 1;
        }
        tally
    }

    /// How the run ended. What waits for a person does not count against it, as in a plan.
    pub fn ended(&self) -> Ended {
        let tally = self.tally();
        let given_up = self.steps.iter().any(|step| match &step.outcome {
            Outcome::Skipped { because } => !matches!(because, Reason::Accepted { .. }),
            _ => false,
        });
        let Tally { done, partly, failed, skipped: _, manual, waiting, unknown, not_started } =
            tally;
        let broke_off = failed > 0 || (not_started > 0 && !self.stopped);
        if broke_off && done + partly + manual + waiting + unknown == 0 {
            Ended::Failed
        } else if partly + failed + unknown + not_started > 0 || given_up || self.halted.is_some() {
            Ended::Partly
        } else {
            Ended::Complete
        }
    }
}

// The signature is what serde calls.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

fn milliseconds<S: serde::Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{Kind, Name};

    fn ended(stopped: bool, outcomes: &[Outcome]) -> Ended {
        let step = |(step, outcome): (usize, &Outcome)| StepReport {
            step,
            address: Address::member(Name::label(format!("p{step}@acme.com"))),
            verb: Verb::Create,
            outcome: outcome.clone(),
            calls: Vec::new(),
            id: None,
            took: Duration::ZERO,
        };
        let steps: Vec<StepReport> = outcomes.iter().enumerate().map(step).collect();
        assert!(steps.iter().all(|step| step.address.kind == Kind::Member));
        Report { steps, refused: Vec::new(), halted: None, stopped, took: Duration::ZERO }.ended()
    }

    #[test]
    fn a_run_fails_only_if_nothing_at_all_came_of_it() {
        let failure = Failure {
            message: "no".to_owned(),
            status: None,
            code: None,
            request_id: None,
            help: None,
        };
        let failed = || Outcome::Failed { failure: failure.clone() };
        let unknown = || Outcome::Unknown { failure: failure.clone() };
        let done = || Outcome::Done { request_id: None, note: None, by_hand: None };
        let partly = || Outcome::Partly { failure: failure.clone() };
        let manual = || Outcome::Manual { why: "by hand".to_owned() };
        let waiting = || Outcome::Waiting { why: "later".to_owned() };
        assert_eq!(ended(false, &[]), Ended::Complete);
        assert_eq!(ended(false, &[done(), manual(), waiting()]), Ended::Complete);
        assert_eq!(ended(false, &[failed()]), Ended::Failed);
        assert_eq!(ended(false, &[failed(), failed(), Outcome::NotStarted]), Ended::Failed);
        assert_eq!(ended(false, &[Outcome::NotStarted]), Ended::Failed);
        assert_eq!(ended(true, &[Outcome::NotStarted]), Ended::Partly);
        for other in [done(), manual(), waiting(), unknown()] {
            assert_eq!(ended(false, &[failed(), other.clone()]), Ended::Partly, "{other:?}");
            assert_eq!(ended(false, &[Outcome::NotStarted, other]), Ended::Partly);
        }
        assert_eq!(ended(false, &[failed(), manual(), waiting()]), Ended::Partly);
        // As many of one as of another do not cancel each other out.
        assert_eq!(ended(false, &[failed(), done(), unknown()]), Ended::Partly);
        assert_eq!(ended(false, &[failed(), manual(), unknown()]), Ended::Partly);
        assert_eq!(ended(false, &[failed(), done(), manual()]), Ended::Partly);
        assert_eq!(ended(false, &[failed(), unknown(), Outcome::NotStarted]), Ended::Partly);
        assert_eq!(ended(false, &[unknown()]), Ended::Partly);
        assert_eq!(ended(false, &[partly()]), Ended::Partly);
        assert_eq!(ended(false, &[failed(), partly()]), Ended::Partly);
        assert_eq!(ended(true, &[done(), unknown(), Outcome::NotStarted]), Ended::Partly);
        let taken = Outcome::Skipped {
            because: Reason::Accepted { what: "`p@acme.com` accepted the invite".to_owned() },
        };
        assert_eq!(ended(false, &[taken]), Ended::Complete);
        assert!(done().is_done() && !failed().is_done() && !manual().is_done());
    }
}
