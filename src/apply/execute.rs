//! Carries out one step: looks first where it destroys or makes what stays for ever, sends its calls in order, and looks again where a reply was
//! lost or a refusal may mean that it is so already.
//!
//! Invariant: a call that makes something is sent a second time only after looking showed that the first had no
//! effect, and never after an answer that says it was done.

mod afterwards;
mod ends;
mod shared;
mod twins;

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;
use serde_json::Value;
use tracing::{Instrument as _, field::Empty};

use self::ends::{Looked, is_to_be_asked_again, lags};
pub use self::shared::Hands;
pub(super) use self::shared::Shared;
use super::{
    journal::JournalError,
    report::{CallTrace, Outcome, Reason},
    verify::{Before, Effect, Eyes},
};
use crate::{
    address::RemoteId,
    api::{
        call::{Call, Resend},
        client::Reply,
        error::{ApiError, Asked, WriteError},
        transport::{Method, RawRequest},
    },
    plan::Step,
    resource::Phase,
};

/// Waits before a call is sent again that found something missing which this run has just made.
const NOT_THERE_YET: [u64; 5] = [1, 2, 4, 8, 15];
/// Waits before a call is sent again that the API refuses and asks to be sent again.
const ASKED_AGAIN: [u64; 2] = [1, 4];

/// How a step went.
pub(super) struct Executed {
    pub(super) outcome: Outcome,
    pub(super) calls: Vec<CallTrace>,
    pub(super) id: Option<RemoteId>,
    /// The error behind a bad outcome.
    pub(super) error: Option<WriteError>,
    /// A new workspace was refused, perhaps for want of room.
    pub(super) is_full: bool,
    pub(super) took: Duration,
}

/// One step under way.
struct Execution<'a> {
    /// Its place in the plan.
    index: usize,
    step: &'a Step,
    shared: &'a Shared<'a>,
    calls: Vec<CallTrace>,
    /// A call of it had its effect, or may have had it: it is seen through.
    begun: bool,
    notes: Vec<String>,
    /// What is left to a person, though it is done.
    by_hand: Option<String>,
    id: Option<RemoteId>,
    request_id: Option<String>,
    error: Option<WriteError>,
    is_full: bool,
    /// Every active workspace that was there before this step makes one.
    known: Option<BTreeSet<RemoteId>>,
    /// How often the call was sent that may have been done each time.
    sent: u32,
}

/// Why a step ends before its last call.
type Ends = Outcome;

/// Carries out a step.
pub(super) async fn execute(index: usize, step: &Step, shared: &Shared<'_>) -> Executed {
    let span = tracing::info_span!(
        target: "orgcharter::apply", "step",
        address = %step.address, verb = step.change.verb().as_str(), outcome = Empty, attempt = Empty,
        request_id = Empty, took_ms = Empty,
    );
    let executed = carry_out(index, step, shared).instrument(span.clone()).await;
    span.record("outcome", executed.outcome.word());
    span.record("took_ms", u64::try_from(executed.took.as_millis()).unwrap_or(u64::MAX));
    if let Some(last) = executed.calls.last() {
        span.record("attempt", last.attempts);
        span.record("request_id", last.request_id.as_deref());
    }
    executed
}

async fn carry_out(index: usize, step: &Step, shared: &Shared<'_>) -> Executed {
    let start = shared.hands.clock.monotonic();
    let mut execution = Execution {
        index,
        step,
        shared,
        calls: Vec::new(),
        begun: false,
        notes: Vec::new(),
        by_hand: None,
        id: None,
        request_id: None,
        error: None,
        is_full: false,
        known: None,
        sent: 0,
    };
    let outcome = match execution.all().await {
        Ok(()) => {
            let notes = std::mem::take(&mut execution.notes);
            let note = (!notes.is_empty()).then(|| notes.join("; "));
            let (request_id, by_hand) = (execution.request_id.take(), execution.by_hand.take());
            Outcome::Done { request_id, note, by_hand }
        }
        Err(ends) => ends,
    };
    let took = shared.hands.clock.monotonic().saturating_sub(start);
    let Execution { calls, id, error, is_full, .. } = execution;
    Executed { outcome, calls, id, error, is_full, took }
}

impl Execution<'_> {
    fn eyes(&self) -> Eyes<'_> {
        let Shared { hands, since, rosters, .. } = self.shared;
        Eyes {
            reader: &hands.reader,
            credential: hands.client.credential(),
            now: hands.api_now(),
            since: *since,
            known: self.known.as_ref(),
            rosters,
            claimed: self.shared.made().values().cloned().collect(),
        }
    }

    async fn all(&mut self) -> Result<(), Ends> {
        let gate = self.shared.gate.clone();
        let looked = tokio::select! {
            biased;
            () = gate.asked() => return Err(Outcome::NotStarted),
            looked = self.look_before() => looked?,
        };
        if looked {
            return Ok(());
        }
        let calls: Vec<Call> = self.step.calls.clone();
        for (index, call) in calls.iter().enumerate() {
            if let Err(ends) = self.one(call).await {
                return Err(if index == 0 { ends } else { self.half_way(ends, index) });
            }
        }
        Ok(())
    }

    /// Looks at everything that nothing brings back or takes back. `true`: there is nothing left to do.
    async fn look_before(&mut self) -> Result<bool, Ends> {
        for call in &self.step.calls {
            let Some(effect) = Effect::of(call, &self.shared.made()) else { continue };
            if !effect.is_final(self.step) {
                continue;
            }
            match effect.before(self.step, &self.eyes()).await {
                Ok(Before::Same) => {}
                Ok(Before::Free(ids)) => self.known = Some(ids),
                Ok(Before::AlreadySo { id, note }) => {
                    self.notes.push(note.to_owned());
                    if let Some(id) = id {
                        self.keep(id);
                    }
                    return Ok(true);
                }
                Ok(Before::Instead(outcome)) => return Err(outcome),
                Err(error) => return Err(self.failed(WriteError::Failed(error))),
            }
        }
        Ok(false)
    }

    /// Makes one call, whatever becomes of its replies.
    async fn one(&mut self, call: &Call) -> Result<(), Ends> {
        let (request, effect) = {
            let made = self.shared.made();
            let request = call.resolve(&made).map_err(|unknown| Outcome::Skipped {
                because: Reason::Blocked { on: unknown.0 },
            })?;
            (request, Effect::of(call, &made))
        };
        let mut not_there = NOT_THERE_YET.iter();
        let mut asked_again = ASKED_AGAIN.iter();
        let mut refused = None;
        self.sent = 0;
        loop {
            let sent = self.send(&request, call).await;
            if let Err(WriteError::Failed(ApiError::Stopped { .. })) = &sent {
                let Some(error) = refused else { return Err(Outcome::NotStarted) };
                return match self.look_after_refusal(effect.as_ref(), error).await? {
                    Looked::Done => Ok(()),
                    Looked::NotDone(error) | Looked::Blind(error) => {
                        Err(self.refused(effect.as_ref(), error).await)
                    }
                };
            }
            // The client sends again by itself: each try may have been the one that made it.
            self.sent += match &sent {
                Ok(reply) => reply.attempts,
                Err(WriteError::Failed(_)) => 0,
                Err(_) => 1,
            };
            let (looked, wait) = match sent {
                Ok(reply) => match self.take(&reply, effect.as_ref()) {
                    Ok(Some(id)) if effect == Some(Effect::MakeWorkspace) => {
                        return self.make_room_for_a_twin(id).await;
                    }
                    Ok(Some(id)) => {
                        self.keep(id);
                        return Ok(());
                    }
                    Ok(None) => {
                        self.look_whether_it_is_shown(effect.as_ref()).await;
                        return Ok(());
                    }
                    // It was made, and the answer does not say under which id.
                    Err(error) => match self.look_after_loss(effect.as_ref(), error).await? {
                        Looked::Done => return Ok(()),
                        Looked::NotDone(error) | Looked::Blind(error) => {
                            return Err(self.unknown(error));
                        }
                    },
                },
                Err(WriteError::Done(error)) => {
                    return self.done_all_the_same(effect.as_ref(), error).await;
                }
                Err(WriteError::Partly(error)) => {
                    return match self.look_after_refusal(effect.as_ref(), error).await? {
                        Looked::Done => Ok(()),
                        Looked::NotDone(error) | Looked::Blind(error) => Err(self.partly(error)),
                    };
                }
                Err(WriteError::Failed(error))
                    if error.is_not_found() && call.resend == Resend::Gone =>
                {
                    self.notes.push("it was gone already".to_owned());
                    return Ok(());
                }
                Err(WriteError::Failed(error)) => {
                    // What this run has just made may not be seen everywhere yet.
                    let fresh = error.is_not_found() && call.references().next().is_some();
                    let wait = not_there.as_slice().first().filter(|_| fresh);
                    match wait {
                        Some(wait) => {
                            not_there.next();
                            (Looked::NotDone(error), Some(*wait))
                        }
                        None => {
                            let looked = self.look_after_refusal(effect.as_ref(), error).await?;
                            let wait = match &looked {
                                Looked::NotDone(error) if lags(effect.as_ref(), error) => {
                                    not_there.next()
                                }
                                // The client has not sent again what makes something.
                                Looked::NotDone(error)
                                    if call.resend == Resend::LookFirst
                                        && is_to_be_asked_again(error) =>
                                {
                                    asked_again.next()
                                }
                                Looked::NotDone(_) | Looked::Blind(_) | Looked::Done => None,
                            };
                            (looked, wait.copied())
                        }
                    }
                }
                Err(WriteError::Unknown(error)) => {
                    let looked = self.look_after_loss(effect.as_ref(), error).await?;
                    if let Looked::NotDone(error) = looked {
                        // Two answers agree that a value was not taken; of what makes something nobody knows what it made.
                        let contradicts = matches!(error, ApiError::Contradicts { .. });
                        if contradicts && call.resend != Resend::LookFirst {
                            return Err(self.failed(WriteError::Failed(error)));
                        }
                        if contradicts
                            || call.resend != Resend::LookFirst
                            || self.sent > 1
                            || error.should_retry() == Some(false)
                        {
                            return Err(self.unknown(error));
                        }
                        continue;
                    }
                    (looked, None)
                }
            };
            match (looked, wait) {
                (Looked::Done, _) => return Ok(()),
                (Looked::NotDone(error) | Looked::Blind(error), None) => {
                    return Err(self.refused(effect.as_ref(), error).await);
                }
                (Looked::NotDone(error) | Looked::Blind(error), Some(wait)) => {
                    refused = Some(error);
                    self.wait_unless_stopped(Duration::from_secs(wait)).await;
                }
            }
        }
    }

    /// Sends a request and keeps what the journal needs of it.
    async fn send(&mut self, request: &RawRequest, call: &Call) -> Result<Reply, WriteError> {
        let (writer, copy) = (&self.shared.hands.writer, request.clone());
        let sent = if self.begun {
            writer.send(copy, call.resend, call.budget).await
        } else {
            writer.send_unless(&self.shared.gate, copy, call.resend, call.budget).await
        };
        if let Err(WriteError::Failed(ApiError::Stopped { .. })) = &sent {
            return sent;
        }
        self.begun |= !matches!(sent, Err(WriteError::Failed(_)));
        let (request_id, attempts, error) = match &sent {
            Ok(reply) => (reply.request_id.clone(), Some(reply.attempts), None),
            Err(error) => {
                (error.error().request_id().map(str::to_owned), None, Some(error.error()))
            }
        };
        if request_id.is_some() {
            self.request_id.clone_from(&request_id);
        }
        self.calls.push(CallTrace {
            method: request.method,
            path: request.target.clone(),
            status: error.and_then(ApiError::status),
            request_id,
            attempts,
            code: error.and_then(ApiError::code).map(str::to_owned),
        });
        sent
    }

    /// Waits, unless nothing more is to be begun and this step has had no effect so far.
    async fn wait_unless_stopped(&self, wait: Duration) {
        let Shared { hands, gate, .. } = self.shared;
        let stop = async {
            if self.begun {
                std::future::pending::<()>().await;
            } else {
                gate.asked().await;
            }
        };
        tokio::select! {
            biased;
            () = stop => {}
            () = hands.clock.sleep(wait) => {}
        }
    }

    /// Takes what a success says: the id of what was made, if it can be the id of that.
    fn take(
        &mut self,
        reply: &Reply,
        effect: Option<&Effect>,
    ) -> Result<Option<RemoteId>, ApiError> {
        if reply.already_gone {
            self.notes.push("it was gone already".to_owned());
        }
        if !matches!(effect, Some(Effect::MakeWorkspace | Effect::Invite)) {
            return Ok(None);
        }
        match reply.value.get("id").and_then(Value::as_str) {
            Some(id) => match self.old(&RemoteId::new(id), &reply.value) {
                None => Ok(Some(RemoteId::new(id))),
                Some(why) => Err(ApiError::Contradicts {
                    asked: self.asked(),
                    why,
                    request_id: reply.request_id.clone(),
                }),
            },
            None => Err(ApiError::Shape {
                asked: self.asked(),
                why: "id: missing".to_owned(),
                request_id: reply.request_id.clone(),
            }),
        }
    }

    /// Keeps the id of what was made. Others may refer to a workspace; somebody invited is nobody's member yet.
    fn keep(&mut self, id: RemoteId) {
        if self.step.change.object().spec.resource().born() == Phase::Active {
            self.shared.made().insert(self.step.address.clone(), id.clone());
        }
        self.id = Some(id);
    }
}
