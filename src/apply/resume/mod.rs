//! What a journal tells of its run, and what the organization shows of the steps that it left open.
//!
//! Invariant: a step counts as done only if its run saw so, or if its effect is seen now; looking never writes.

mod judge;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use super::{
    journal::{Begin, DoneBefore, End, Lines, OutcomeLine, Planned, Record, Start, Word},
    verify::Since,
};
use crate::{
    address::{Kind, RemoteId},
    resource::{
        Live, Verb,
        matching::Target,
        read_scope::{GrantScope, GrantTarget, ReadScope},
    },
};

/// A request that was sent may have its effect after charter is gone. What a call was to make is looked for no
/// sooner after its start than this, as long as after a lost reply: a workspace made twice stays for ever.
const SETTLES: SignedDuration = SignedDuration::from_secs(15);

/// A run as its journal tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recap {
    /// What was to be applied.
    pub begin: Begin,
    /// The last line of the journal was torn.
    pub torn: bool,
    /// How it ended; `None`: it was cut off.
    pub end: Option<End>,
    /// Steps that were done.
    pub done: Vec<OutcomeLine>,
    /// Steps that were tried or left out, and had no effect.
    pub not_done: Vec<OutcomeLine>,
    /// Steps that may have had an effect, all or part of it.
    pub unclear: Vec<Unclear>,
    /// Steps that were never started.
    pub never: Vec<Planned>,
}

/// A step that may have had an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclear {
    /// How it was started.
    pub start: Start,
    /// What its run said of it; `None`: nothing any more.
    pub outcome: Option<OutcomeLine>,
    /// The id of what it made, if the API had told it.
    pub made: Option<RemoteId>,
    /// What is seen now; `None`: nobody has looked.
    pub seen: Option<Seen>,
}

/// What is seen of a step's effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// All of it is there.
    There {
        /// The id of what was made.
        id: Option<RemoteId>,
    },
    /// It is not there.
    Not,
    /// Neither: in words.
    Otherwise(String),
}

impl Recap {
    /// Sorts the lines of a journal; `None`: not even its first one is whole.
    pub fn of(lines: &Lines) -> Option<Self> {
        let begin = lines.begin()?;
        let mut started: BTreeMap<usize, &Start> = BTreeMap::new();
        let mut outcomes: BTreeMap<usize, &OutcomeLine> = BTreeMap::new();
        let mut made: BTreeMap<usize, RemoteId> = BTreeMap::new();
        let mut end = None;
        for record in &lines.records {
            match record {
                Record::Begin(_) => {}
                Record::Start(start) => {
                    started.insert(start.step, start);
                }
                Record::Made(it) => {
                    made.insert(it.step, it.id.clone());
                }
                Record::Outcome(outcome) => {
                    made.extend(outcome.id.clone().map(|id| (outcome.step, id)));
                    outcomes.insert(outcome.step, outcome);
                }
                Record::End(last) => end = Some(last.clone()),
            }
        }
        let mut recap = Self {
            begin: begin.clone(),
            torn: lines.torn,
            end,
            done: Vec::new(),
            not_done: Vec::new(),
            unclear: Vec::new(),
            never: Vec::new(),
        };
        for planned in &begin.steps {
            let outcome = outcomes.get(&planned.step).copied();
            match (started.get(&planned.step), outcome) {
                (_, Some(outcome)) if outcome.outcome == Word::Done => {
                    recap.done.push(outcome.clone());
                }
                (Some(start), outcome) if outcome.is_none_or(may_have_had_effect) => {
                    recap.unclear.push(Unclear {
                        start: (*start).clone(),
                        outcome: outcome.cloned(),
                        made: made.get(&planned.step).cloned(),
                        seen: None,
                    });
                }
                (_, Some(outcome)) if outcome.outcome != Word::NotStarted => {
                    recap.not_done.push(outcome.clone());
                }
                (_, _) => recap.never.push(planned.clone()),
            }
        }
        Some(recap)
    }

    /// What has to be read to look at the steps that are unclear.
    pub fn scope(&self) -> ReadScope {
        let mut scope = ReadScope::nothing();
        let mut grants = Vec::new();
        for Unclear { start, .. } in &self.unclear {
            match start.kind() {
                Some(Kind::Member) => scope.members = true,
                Some(Kind::Workspace) => {
                    scope.workspaces = true;
                    scope.default_workspace |= start.verb == Verb::Update;
                }
                Some(Kind::WorkspaceMember) => {
                    scope.workspaces = true;
                    let id = start.id.as_ref().and_then(|id| id.as_str().split_once('/'));
                    grants.extend(id.map(|(workspace, _)| RemoteId::new(workspace)));
                }
                Some(Kind::ApiKey) => scope.api_keys = true,
                None => {}
            }
        }
        if !grants.is_empty() {
            let target =
                |id: RemoteId| Target { name: id.0.clone(), id: Some(id), previously: Vec::new() };
            let grants: BTreeSet<RemoteId> = grants.into_iter().collect();
            scope.grants = GrantScope::Of(
                grants.into_iter().map(|id| GrantTarget::managed(target(id))).collect(),
            );
        }
        scope
    }

    /// How long to wait before looking: a call that was to make something may still be under way.
    pub fn settles_in(&self, now: Timestamp) -> Duration {
        let makes = |verb: Verb| matches!(verb, Verb::Create | Verb::Replace);
        let starts = self.unclear.iter().map(|unclear| &unclear.start);
        let Some(last) = starts.filter(|start| makes(start.verb)).map(|start| start.at).max()
        else {
            return Duration::ZERO;
        };
        // A clock that was set back does not make anybody wait longer.
        let waited = now.duration_since(last).max(SignedDuration::ZERO);
        (SETTLES - waited).try_into().unwrap_or(Duration::ZERO)
    }

    /// Looks for the effects of the steps that are unclear.
    pub fn look(&mut self, live: &Live) {
        let claimed: BTreeSet<RemoteId> =
            self.done.iter().filter_map(|line| line.id.clone()).collect();
        let begin = &self.begin;
        for unclear in &mut self.unclear {
            // What is made is told by the API's clock, and the journal by ours.
            let ahead = begin.api_date.map(|date| begin.at.duration_since(date));
            let since = Since::ours(unclear.start.at, ahead);
            let made = unclear.made.as_ref();
            unclear.seen = Some(judge::seen(&unclear.start, made, live, &claimed, since));
        }
    }

    /// Every step of the plan that is done: by this run, by those it resumed, or as is seen now.
    pub fn done_steps(&self) -> Vec<DoneBefore> {
        let before = self.begin.origin.iter().flat_map(|origin| origin.done.iter().cloned());
        let done = self.done.iter().map(|line| DoneBefore {
            address: line.address.clone(),
            verb: line.verb,
            id: line.id.clone(),
        });
        let seen = self.unclear.iter().filter_map(|Unclear { start, seen, .. }| match seen {
            Some(Seen::There { id }) => Some(DoneBefore {
                address: start.address.clone(),
                verb: start.verb,
                id: id.clone(),
            }),
            _ => None,
        });
        before.chain(done).chain(seen).collect()
    }
}

/// Whether a step that is not done may have changed something: nobody knows, or one of its calls succeeded.
fn may_have_had_effect(outcome: &OutcomeLine) -> bool {
    matches!(outcome.outcome, Word::Unknown | Word::Partly)
        || outcome.calls.iter().any(|call| call.attempts.is_some())
}
