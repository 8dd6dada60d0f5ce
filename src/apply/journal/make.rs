//! Records from plans, steps and outcomes.
//!
//! Invariant: nothing of a request but its method and path comes from here into a record.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::record::{
    Allow, Begin, CallLine, EMAIL, End, FORMAT_VERSION, Origin, OutcomeLine, Planned, Start,
    Values, Word,
};
use crate::{
    address::{Address, Kind, RemoteId},
    api::call::Call,
    apply::{
        report::{CallTrace, Outcome, Report, StepReport},
        verify::{Effect, Place},
    },
    plan::{Plan, Step},
    resource::{Change, FieldChange},
};

impl Begin {
    pub(super) fn of(
        at: Timestamp,
        api_date: Option<Timestamp>,
        plan: &Plan,
        origin: Option<Origin>,
    ) -> Self {
        let ready = plan.steps.iter().enumerate().filter(|(_, step)| step.disposition.is_ready());
        Self {
            format_version: FORMAT_VERSION,
            charter_version: env!("CARGO_PKG_VERSION").to_owned(),
            at,
            planned_at: plan.created_at,
            planned_by: plan.charter_version.clone(),
            organization: plan.organization.id.clone(),
            organization_name: plan.organization.name.clone(),
            api_date,
            credential: plan.observed.credential.clone(),
            origin,
            steps: ready
                .map(|(index, step)| Planned {
                    step: index,
                    address: step.address.to_string(),
                    verb: step.change.verb(),
                })
                .collect(),
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
    /// `made`: the ids of what this run has made, which the step may work on.
    pub(super) fn of(
        at: Timestamp,
        index: usize,
        step: &Step,
        made: &BTreeMap<Address, RemoteId>,
    ) -> Self {
        let live = step.change.before().and_then(|before| before.remote.as_ref());
        let grant = || {
            step.calls.iter().find_map(|call| match Effect::of(call, made) {
                Some(Effect::Grant(Place { workspace, user })) => {
                    Some(RemoteId::grant(&RemoteId::new(workspace), &RemoteId::new(user)))
                }
                _ => None,
            })
        };
        Self {
            at,
            step: index,
            address: step.address.to_string(),
            verb: step.change.verb(),
            id: live.map(|live| live.id.clone()).or_else(grant),
            fields: shown_fields(step),
            // The body stays out: what it sets is among the fields.
            calls: step
                .calls
                .iter()
                .map(|call| Call { body: None, ..call.fill(made) }.to_string())
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
                Outcome::Failed { failure }
                | Outcome::Partly { failure }
                | Outcome::Unknown { failure } => failure.code.clone(),
                _ => None,
            },
            id: id.clone(),
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
            Outcome::Partly { .. } => Word::Partly,
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

/// What changes, or what is made or taken away; of a person also the address.
fn shown_fields(step: &Step) -> BTreeMap<String, Values> {
    let some = |value: &Value| (!value.is_null()).then(|| value.clone());
    let whole = |side: fn(Value) -> Values| {
        let fields = step.change.object().spec.resource().fields();
        fields.into_iter().map(|(field, value)| (field, side(value))).collect()
    };
    let mut fields: BTreeMap<String, Values> = match &step.change {
        Change::Create { .. } => whole(|value| Values { before: None, after: Some(value) }),
        Change::Remove { .. } => whole(|value| Values { before: Some(value), after: None }),
        Change::Update { fields, .. } | Change::Replace { fields, .. } => fields
            .iter()
            .map(|FieldChange { field, before, after }| {
                (field.clone(), Values { before: some(before), after: some(after) })
            })
            .collect(),
    };
    if step.address.kind == Kind::Member {
        let email = Value::from(step.change.object().spec.resource().title());
        let values = Values {
            before: step.change.before().map(|_| email.clone()),
            after: step.change.after().map(|_| email),
        };
        fields.insert(EMAIL.to_owned(), values);
    }
    fields
}
