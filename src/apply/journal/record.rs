//! The records of a journal: one JSON object a line.
//!
//! Invariant: no record can hold a secret: of a request only method and path are kept, of a body only role, name,
//! status and address. The form has a version and a schema (`schema/journal.schema.json`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::apply::report::{CallTrace, Ended, Outcome, Report, StepReport, Tally};
use crate::{
    address::Kind,
    api::transport::Method,
    plan::{Plan, Step},
    resource::{Verb, desired::GuardName},
};

/// The version of this form. A reader refuses a newer one.
pub const FORMAT_VERSION: u32 = 1;

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// The first line: what is about to be applied.
    Begin(Begin),
    /// The first call of a step is about to be made.
    Start(Start),
    /// What became of a step.
    Outcome(OutcomeLine),
    /// The last line. Without it the run was cut off.
    End(End),
}

/// What is about to be applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Begin {
    /// The version of this form.
    pub format_version: u32,
    /// The charter that applies.
    pub charter_version: String,
    /// When it began.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// When the plan was made.
    #[schemars(with = "String")]
    pub planned_at: Timestamp,
    /// The charter that made the plan.
    pub planned_by: String,
    /// The organization's id.
    pub organization: String,
    /// The organization's name, if the API gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_name: Option<String>,
    /// Where the credential came from: the name of a variable, never its text.
    pub credential: String,
    /// Ready steps by kind and verb, as `member create`.
    pub steps: BTreeMap<String, usize>,
    /// Guards that were passed for this run with `--allow`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allows: Vec<Allow>,
}

/// A guard that was passed for one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Allow {
    /// The guard.
    #[schemars(with = "String")]
    pub guard: GuardName,
    /// The workspace it counts in, for a count per workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// The count that was allowed.
    pub count: u64,
}

/// A step whose first call is about to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Start {
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The step's place in the plan, from 0.
    pub step: usize,
    /// What it is about: `member/ada@acme.com`.
    pub address: String,
    /// What it does.
    #[schemars(schema_with = "verbs")]
    pub verb: Verb,
    /// The role, name, status or e-mail it changes or sets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Values>,
    /// The calls it will make, with `<…>` for ids that are not known yet: methods and paths.
    pub calls: Vec<String>,
}

/// A value before and after.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Values {
    /// The value before; absent if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The value after; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutcomeLine {
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The step's place in the plan, from 0.
    pub step: usize,
    /// What it is about.
    pub address: String,
    /// What it does.
    #[schemars(schema_with = "verbs")]
    pub verb: Verb,
    /// What became of it.
    pub outcome: Word,
    /// What there is to say about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// `error.details.error_code` of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// The id of what it made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The calls it made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<CallLine>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// The word for an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// What was wanted holds.
    Done,
    /// Refused, or not reached; no effect.
    Failed,
    /// Not tried, or given up without harm.
    Skipped,
    /// Only a person can do it.
    Manual,
    /// A later run does the rest.
    Waiting,
    /// It may or may not have had its effect.
    Unknown,
    /// The run ended before its turn.
    NotStarted,
}

/// A call that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallLine {
    /// The method.
    #[schemars(schema_with = "methods")]
    pub method: Method,
    /// The path, ids filled in.
    pub path: String,
    /// The status of an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The `request-id` of the last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// How often it was sent, if it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// `error.details.error_code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct End {
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Outcomes by their word.
    pub counts: Tally,
    /// How it ended.
    pub ended: Ended,
    /// Why it ended before its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halted: Option<String>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

impl Begin {
    pub(super) fn of(at: Timestamp, plan: &Plan) -> Self {
        let mut steps: BTreeMap<String, usize> = BTreeMap::new();
        for step in plan.ready() {
            let verb = verb_word(step.change.verb());
            *steps.entry(format!("{} {verb}", step.address.kind)).or_default() += 1;
        }
        Self {
            format_version: FORMAT_VERSION,
            charter_version: env!("CARGO_PKG_VERSION").to_owned(),
            at,
            planned_at: plan.created_at,
            planned_by: plan.charter_version.clone(),
            organization: plan.organization.id.clone(),
            organization_name: plan.organization.name.clone(),
            credential: plan.observed.credential.clone(),
            steps,
            allows: plan
                .guards
                .iter()
                .filter(|guard| guard.allowed)
                .map(|guard| Allow {
                    guard: guard.guard,
                    within: guard.within.clone(),
                    count: guard.count,
                })
                .collect(),
        }
    }
}

impl Start {
    pub(super) fn of(at: Timestamp, index: usize, step: &Step) -> Self {
        Self {
            at,
            step: index,
            address: step.address.to_string(),
            verb: step.change.verb(),
            fields: shown_fields(step),
            calls: step
                .calls
                .iter()
                .map(|call| {
                    // The body stays out: it may hold more than the fields that are shown.
                    let mut bare = call.clone();
                    bare.body = None;
                    bare.to_string()
                })
                .collect(),
        }
    }
}

impl OutcomeLine {
    pub(super) fn of(at: Timestamp, report: &StepReport) -> Self {
        let StepReport { step, address, verb, outcome, calls, id, took } = report;
        Self {
            at,
            step: *step,
            address: address.to_string(),
            verb: *verb,
            outcome: Word::of(outcome),
            detail: outcome.detail(),
            error_code: match outcome {
                Outcome::Failed { failure } | Outcome::Unknown { failure } => failure.code.clone(),
                _ => None,
            },
            id: id.as_ref().map(ToString::to_string),
            calls: calls.iter().map(CallLine::of).collect(),
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

impl CallLine {
    fn of(call: &CallTrace) -> Self {
        let CallTrace { method, path, status, request_id, attempts, code } = call.clone();
        Self { method, path, status, request_id, attempts, error_code: code }
    }
}

impl Word {
    fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Done { .. } => Word::Done,
            Outcome::Failed { .. } => Word::Failed,
            Outcome::Skipped { .. } => Word::Skipped,
            Outcome::Manual { .. } => Word::Manual,
            Outcome::Waiting { .. } => Word::Waiting,
            Outcome::Unknown { .. } => Word::Unknown,
            Outcome::NotStarted => Word::NotStarted,
        }
    }
}

impl End {
    pub(super) fn of(at: Timestamp, report: &Report) -> Self {
        Self {
            at,
            counts: report.tally(),
            ended: report.ended(),
            halted: report.halted.clone(),
            took_ms: u64::try_from(report.took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// Role, name, status and e-mail before and after: for an update what differs, else what there is.
fn shown_fields(step: &Step) -> BTreeMap<String, Values> {
    let mut fields: BTreeMap<String, Values> = BTreeMap::new();
    let sides = [step.change.before(), step.change.after()];
    for (side, object) in sides.into_iter().enumerate() {
        for (field, value) in object.iter().flat_map(|object| object.spec.resource().fields()) {
            let Value::String(text) = value else { continue };
            if !matches!(field.as_str(), "role" | "name" | "status") {
                continue;
            }
            let values = fields.entry(field).or_default();
            let place = if side == 0 { &mut values.before } else { &mut values.after };
            *place = Some(text);
        }
    }
    if step.change.before().is_some() && step.change.after().is_some() {
        fields.retain(|_, values| values.before != values.after);
    }
    if step.address.kind == Kind::Member {
        let email = Some(step.change.object().spec.resource().title());
        let values = Values {
            before: email.clone().filter(|_| step.change.before().is_some()),
            after: email.filter(|_| step.change.after().is_some()),
        };
        fields.insert("email".to_owned(), values);
    }
    fields
}

fn verb_word(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "create",
        Verb::Update => "update",
        Verb::Replace => "replace",
        Verb::Remove => "remove",
    }
}

fn verbs(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": "string", "enum": ["create", "update", "replace", "remove"]})
}

fn methods(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": "string", "enum": ["GET", "POST", "DELETE"]})
}
