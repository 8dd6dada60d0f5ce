//! Goes through a plan's ready steps: stage by stage, the steps of a stage side by side.
//!
//! Invariant: decides nothing the plan has not decided; only leaves steps out, and each with its reason.

mod later;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Mutex,
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};

use self::later::Later;
use super::{
    execute::{Executed, Hands, Shared, execute},
    journal::Journal,
    progress::Progress,
    refusal::{Class, Follows, Watch},
    report::{Failure, Outcome, Reason, Report, StepReport},
    verify::Rosters,
};
use crate::{
    address::{Address, Kind},
    api::stop::Stop,
    plan::{Plan, Stage, Step},
    resource::Verb,
};

/// How a run goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Steps in flight at once; the client's limiter decides how fast their calls start.
    pub at_once: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { at_once: 16 }
    }
}

/// Applies a plan. The journal is opened by the caller and closed here.
pub async fn run(
    plan: &Plan,
    hands: &Hands,
    journal: Journal,
    progress: &dyn Progress,
    stop: &Stop,
    options: Options,
) -> Report {
    let start = hands.clock.monotonic();
    let shared = Shared {
        hands,
        began: hands.clock.now(),
        since: hands.since_now(),
        made: Mutex::new(BTreeMap::new()),
        journal: Mutex::new(journal),
        rosters: Rosters::default(),
        gate: Stop::new(),
    };
    let mut run = Run {
        plan,
        progress,
        stop,
        at_once: options.at_once.max(1),
        shared: &shared,
        watch: Watch::default(),
        reports: BTreeMap::new(),
        not_done: BTreeMap::new(),
        later: Later::of(plan),
        refused: Vec::new(),
        halted: None,
        stopped: false,
    };
    // On the heap: the future of a whole run is large.
    Box::pin(run.all()).await;
    let Run { reports, refused, halted, stopped, .. } = run;
    let mut report = Report {
        steps: reports.into_values().collect(),
        refused,
        halted,
        stopped,
        took: hands.clock.monotonic().saturating_sub(start),
    };
    let ended = shared.journal().end(hands.clock.now(), &report);
    if let Err(error) = ended {
        report.halted.get_or_insert_with(|| error.to_string());
    }
    report
}

struct Run<'a> {
    plan: &'a Plan,
    progress: &'a dyn Progress,
    stop: &'a Stop,
    at_once: usize,
    shared: &'a Shared<'a>,
    watch: Watch,
    /// Outcomes so far, by the step's place in the plan.
    reports: BTreeMap<usize, StepReport>,
    /// Addresses whose step was not done, with its verb.
    not_done: BTreeMap<Address, Verb>,
    later: Later<'a>,
    refused: Vec<String>,
    halted: Option<String>,
    stopped: bool,
}

type Running<'a> = FuturesUnordered<BoxFuture<'a, (usize, &'a Step, Executed)>>;

impl<'a> Run<'a> {
    async fn all(&mut self) {
        let plan = self.plan;
        let mut stages: BTreeMap<Stage, VecDeque<(usize, &Step)>> = BTreeMap::new();
        for (index, step) in plan.steps.iter().enumerate() {
            if step.disposition.is_ready() {
                stages.entry(step.stage).or_default().push_back((index, step));
            }
        }
        self.progress.begin(stages.values().map(VecDeque::len).sum());
        let date = self.shared.hands.reader.server_date();
        let begun = self.shared.journal().begin(self.shared.began, date, plan);
        if let Err(error) = begun {
            self.halt(&error.to_string());
        }
        for steps in stages.into_values() {
            self.stage(steps).await;
        }
        for steps in self.tried_again() {
            self.stage(steps).await;
        }
    }

    async fn stage(&mut self, mut queue: VecDeque<(usize, &'a Step)>) {
        let mut running: Running<'a> = FuturesUnordered::new();
        let mut in_flight: BTreeMap<usize, &'a Step> = BTreeMap::new();
        loop {
            while running.len() < self.at_once
                && let Some((index, step)) = queue.pop_front()
            {
                if self.stop.requested() {
                    self.stopped();
                }
                if self.put_off(index, step) {
                    continue;
                }
                let class = Class::of(step);
                if let Some(outcome) = self.left_out(step, class) {
                    self.settle(index, step, Executed::without_calls(outcome));
                    continue;
                }
                // The plan has it first: with the name still there, this one may be refused.
                let waits = in_flight.values().any(|before| before.frees_the_name_of(step));
                let busy = in_flight.values().filter(|step| Class::of(step) == class).count();
                if waits || busy >= self.watch.at_once(class, self.at_once) {
                    queue.push_front((index, step));
                    break;
                }
                let now = self.shared.hands.clock.now();
                let started = self.shared.journal().start(now, index, step, &self.shared.made());
                if let Err(error) = started {
                    // What cannot be written down is not done.
                    self.halt(&error.to_string());
                    queue.push_front((index, step));
                    continue;
                }
                in_flight.insert(index, step);
                self.progress.started(step);
                let shared = self.shared;
                running
                    .push(async move { (index, step, execute(index, step, shared).await) }.boxed());
            }
            let ended = tokio::select! {
                // What has ended is known, whoever asks what.
                biased;
                ended = running.next() => ended,
                () = self.stop.left() => {
                    self.leave(std::mem::take(&mut in_flight));
                    running.clear();
                    continue;
                }
                // What waits and has had no effect is left; whether that ends the run early shows below.
                () = self.stop.asked(), if !self.shared.gate.requested() => {
                    self.shared.gate.request();
                    continue;
                }
            };
            let Some((index, step, executed)) = ended else { break };
            in_flight.remove(&index);
            if executed.outcome == Outcome::NotStarted && self.stop.requested() {
                self.stopped();
            }
            self.settle_or_put_off(index, step, executed);
        }
    }

    /// Somebody asked to begin nothing else. What has ended the run before then stays the reason.
    fn stopped(&mut self) {
        if self.halted.is_none() {
            self.stopped = true;
            self.halt("stopped on request");
        }
    }

    /// Waits for nothing any more.
    fn leave(&mut self, in_flight: BTreeMap<usize, &'a Step>) {
        self.stopped = true;
        self.halt("stopped on request");
        for (index, step) in in_flight {
            self.settle(index, step, Executed::without_calls(Outcome::Unknown { failure: left() }));
        }
    }

    /// Why a step is not begun.
    fn left_out(&self, step: &Step, class: Class) -> Option<Outcome> {
        if self.halted.is_some() {
            return Some(Outcome::NotStarted);
        }
        let skipped = |because| Some(Outcome::Skipped { because });
        if let Some(on) = self.blocked_by(step) {
            return skipped(Reason::Blocked { on });
        }
        if let Some(what) = self.watch.closed(class) {
            return skipped(Reason::Refused { what: what.to_owned() });
        }
        None
    }

    /// What it refers to and was to be made or taken away, or a person whose role was to change first: roles decide
    /// what a grant adds. What only goes needs nothing to succeed before it.
    fn blocked_by(&self, step: &Step) -> Option<Address> {
        if step.change.verb() == Verb::Remove || self.not_done.is_empty() {
            return None;
        }
        let references = step.change.object().spec.resource().references();
        references.into_iter().find(|address| match self.not_done.get(address) {
            Some(Verb::Update) => address.kind == Kind::Member,
            Some(Verb::Create | Verb::Replace | Verb::Remove) => true,
            None => false,
        })
    }

    fn settle(&mut self, index: usize, step: &Step, executed: Executed) {
        let Executed { outcome, calls, id, error, is_full: _, took } = executed;
        // What is there in part can be referred to.
        if !matches!(outcome, Outcome::Done { .. } | Outcome::Partly { .. }) {
            self.not_done.insert(step.address.clone(), step.change.verb());
        }
        let report = StepReport {
            step: index,
            address: step.address.clone(),
            verb: step.change.verb(),
            outcome,
            calls,
            id,
            took,
        };
        let told = self.shared.journal().outcome(self.shared.hands.clock.now(), &report);
        if let Err(error) = told {
            self.halt(&error.to_string());
        }
        self.progress.finished(step, &report.outcome);
        match self.watch.note(Class::of(step), &report.outcome, error.as_ref()) {
            Follows::Nothing => {}
            Follows::Close(why) => {
                self.progress.line(&why);
                self.refused.push(why);
            }
            Follows::Halt(why) => self.halt(&why),
        }
        self.reports.insert(index, report);
    }

    /// Begins nothing more, and leaves what is in flight and has had no effect so far.
    fn halt(&mut self, why: &str) {
        self.shared.gate.request();
        if self.halted.is_none() {
            self.progress.line(&format!("{why}: nothing more is begun"));
            self.halted = Some(why.to_owned());
        }
    }
}

/// Why the outcome of a step that was left in flight is unknown.
fn left() -> Failure {
    Failure {
        message: "charter was told not to wait for its outcome".to_owned(),
        status: None,
        code: None,
        request_id: None,
        help: Some(
            "run `charter apply --resume` with the journal: it looks what became of it".to_owned(),
        ),
    }
}

impl Executed {
    fn without_calls(outcome: Outcome) -> Self {
        Self {
            outcome,
            calls: Vec::new(),
            id: None,
            error: None,
            is_full: false,
            took: Duration::ZERO,
        }
    }
}
