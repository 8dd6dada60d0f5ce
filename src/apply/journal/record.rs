//! The records of a journal: one JSON object a line.
//!
//! Invariant: no record can hold a secret: of a request only method and path are kept, and of what it sends only the
//! fields that a plan shows. The form has a version and a schema (`schema/journal.schema.json`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    address::{Kind, RemoteId},
    api::transport::Method,
    apply::report::{Ended, Tally},
    resource::{Verb, desired::GuardName},
};

/// The version of this form. A reader refuses every other one.
pub const FORMAT_VERSION: u32 = 1;

/// The field that tells whose membership a step is about.
pub(in crate::apply) const EMAIL: &str = "email";

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// The first line: what is about to be applied.
    Begin(Box<Begin>),
    /// The first call of a step is about to be made.
    Start(Start),
    /// A step has just made something that stays for good, and goes on.
    Made(Made),
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
    /// What the API's own clock said then, by the `Date` of its last answer: ages of what the run made are told by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub api_date: Option<Timestamp>,
    /// Where the credential came from: the name of a variable, never its text.
    pub credential: String,
    /// What is applied, so that the run can be resumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The steps that are ready, in their order. One that no other line is about was never started.
    pub steps: Vec<Planned>,
    /// Guards that were passed for this run with `--allow`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allows: Vec<Allow>,
}

/// What a run applies, and how it was narrowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// Files, or a saved plan.
    pub of: Applied,
    /// Where they were, as an absolute path.
    pub path: String,
    /// The version of the files' form, or of the saved plan's.
    pub form: u32,
    /// SHA-256 of the plan: of the whole saved one, else of the one that was made.
    pub plan_digest: String,
    /// Each `--only`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// `--rev`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rev: Option<String>,
    /// `--last-applied`, as an absolute path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_applied: Option<String>,
    /// `--base-rev`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_rev: Option<String>,
    /// `--base-path`, as an absolute path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_path: Option<String>,
    /// The journal of the run that this one resumes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumes: Option<String>,
    /// Steps of the saved plan that runs before this one did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub done: Vec<DoneBefore>,
}

/// What a run applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Applied {
    /// A file or folder: the plan was made by the run.
    Files,
    /// A plan saved before.
    Plan,
}

/// A step that an earlier run did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DoneBefore {
    /// What it is about.
    pub address: String,
    /// What it does.
    #[schemars(schema_with = "verbs")]
    pub verb: Verb,
    /// The id of what it made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RemoteId>,
}

/// A step that is ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Planned {
    /// Its place in the plan, from 0.
    pub step: usize,
    /// What it is about.
    pub address: String,
    /// What it does.
    #[schemars(schema_with = "verbs")]
    pub verb: Verb,
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
    /// The id of the live object it works on; of a grant, `workspace/person`. Absent for what it makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RemoteId>,
    /// What it changes, or what it makes or takes away; `email` tells whose membership it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Values>,
    /// The calls it will make: methods and paths.
    pub calls: Vec<String>,
}

/// A value before and after.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Values {
    /// The value before; absent if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The value after; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// The id of something that a step has made, as soon as the API told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Made {
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
    /// The id.
    pub id: RemoteId,
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
    pub id: Option<RemoteId>,
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
    /// Some of it holds; the next plan has the rest.
    Partly,
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

impl Start {
    /// What sort of object it is about; `None`: of a sort that this charter does not know.
    pub fn kind(&self) -> Option<Kind> {
        let (kind, _) = self.address.split_once('/')?;
        Kind::ALL.into_iter().find(|known| known.as_str() == kind)
    }
}

fn verbs(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": "string", "enum": ["create", "update", "replace", "remove"]})
}

fn methods(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": "string", "enum": ["GET", "POST", "DELETE"]})
}
