//! New workspaces that were refused for what may be want of room: they are tried once more when the archives of the same
//! plan have made some.
//!
//! Invariant: a step is put off once, and only while archives are still to come; what needs it is put off with it.

use std::collections::{BTreeMap, VecDeque};

use super::{Executed, Run};
use crate::{
    address::Kind,
    plan::{Plan, Stage, Step},
    resource::Verb,
};

/// Steps that were put off.
#[derive(Default)]
pub(super) struct Later<'a> {
    /// Workspaces are archived at the end of the run.
    makes_room: bool,
    /// The archives are done: nothing is put off any more.
    over: bool,
    steps: BTreeMap<usize, &'a Step>,
    /// What the first try came to, of those that were tried.
    first: BTreeMap<usize, Executed>,
}

impl Later<'_> {
    pub(super) fn of(plan: &Plan) -> Self {
        Self { makes_room: plan.ready().any(makes_room), ..Self::default() }
    }
}

impl<'a> Run<'a> {
    /// Puts a step off that needs one which was put off. `false`: its turn is now.
    pub(super) fn put_off(&mut self, index: usize, step: &'a Step) -> bool {
        let references = step.change.object().spec.resource().references();
        let waits = !self.later.over
            && self.later.steps.values().any(|other| references.contains(&other.address));
        if waits {
            self.later.steps.insert(index, step);
        }
        waits
    }

    /// Takes an outcome, unless it is a refusal that the archives to come may change.
    pub(super) fn settle_or_put_off(&mut self, index: usize, step: &'a Step, executed: Executed) {
        let later = &mut self.later;
        if !(executed.is_full && later.makes_room && !later.over) {
            return self.settle(index, step, executed);
        }
        later.steps.insert(index, step);
        later.first.insert(index, executed);
        let name = step.change.object().spec.resource().title();
        self.progress.line(&format!(
            "`{name}` was refused, perhaps for want of room: it is tried once more after the archives"
        ));
    }

    /// What is tried once more, stage by stage, when all else is done.
    pub(super) fn tried_again(&mut self) -> Vec<VecDeque<(usize, &'a Step)>> {
        self.later.over = true;
        let archived = |step: &Step| makes_room(step) && !self.not_done.contains_key(&step.address);
        let room = self.halted.is_none() && self.plan.ready().any(archived);
        let steps = std::mem::take(&mut self.later.steps);
        let mut stages: BTreeMap<Stage, VecDeque<(usize, &Step)>> = BTreeMap::new();
        for (index, step) in steps {
            match self.later.first.remove(&index) {
                // Nothing has changed: the first answer is the last one.
                Some(executed) if !room => self.settle(index, step, executed),
                _ => stages.entry(step.stage).or_default().push_back((index, step)),
            }
        }
        stages.into_values().collect()
    }
}

/// Whether a step leaves one active workspace less.
fn makes_room(step: &Step) -> bool {
    step.address.kind == Kind::Workspace && step.change.verb() == Verb::Remove
}
