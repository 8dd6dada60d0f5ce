//! Carries out one step: looks first where it destroys or makes what stays for ever, sends its calls in order, and looks again where a reply was
//! lost or a refusal may mean that it is so already.
//!
//! Invariant: a call that makes something is sent a second time only after looking showed that the first had no
//! effect.

mod afterwards;
mod ends;
mod twins;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::Value;
use tracing::{Instrument as _, field::Empty};

use super::{
    refusal,
    report::{CallTrace, Failure, Outcome, Reason},
    verify::{After, Before, Effect, Eyes},
};
use crate::{
    address::{Address, RemoteId},
    api::{
        call::{Call, Resend},
        client::{Client, Reader, Reply, Writer},
        clock::Clock,
        error::{ApiError, Asked, WriteError},
        stop::Stop,
        transport::{Method, RawRequest},
    },
    plan::Step,
    resource::Phase,
};

/// Waits before a call is sent again that found something missing which this run has just made.
const NOT_THERE_YET: [u64; 5] = [1, 2, 4, 8, 15];

/// What apply works with: the one place that can write.
#[derive(Clone)]
pub struct Hands {
    pub(super) client: Client,
    pub(super) reader: Reader,
    writer: Writer,
    pub(super) clock: Arc<dyn Clock>,
}

impl Hands {
    /// Works through `client`; waits and tells the time by `clock`.
    pub fn new(client: &Client, clock: Arc<dyn Clock>) -> Self {
        Self { client: client.clone(), reader: client.reader(), writer: client.writer(), clock }
    }
}

/// What the steps of a run share.
pub(super) struct Shared<'a> {
    pub(super) hands: &'a Hands,
    /// When the run began.
    pub(super) began: Timestamp,
    /// Ids of what this run made.
    pub(super) made: Mutex<BTreeMap<Address, RemoteId>>,
    /// Asked as soon as nothing more is to be begun: a step that has had no effect so far is left then.
    pub(super) gate: Stop,
}

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
    step: &'a Step,
    shared: &'a Shared<'a>,
    calls: Vec<CallTrace>,
    /// A call of it had its effect, or may have had it: it is seen through.
    begun: bool,
    notes: Vec<String>,
    id: Option<RemoteId>,
    request_id: Option<String>,
    error: Option<WriteError>,
    is_full: bool,
}

/// Why a step ends before its last call.
type Ends = Outcome;

/// What looking for the effect of a lost reply showed.
enum Looked {
    Done,
    NotDone(ApiError),
}

impl Shared<'_> {
    pub(super) fn made(&self) -> MutexGuard<'_, BTreeMap<Address, RemoteId>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn eyes(&self) -> Eyes<'_> {
        Eyes {
            reader: &self.hands.reader,
            credential: self.hands.client.credential(),
            now: self.hands.clock.now(),
            began: self.began,
            claimed: self.made().values().cloned().collect(),
        }
    }
}

/// Carries out a step.
pub(super) async fn execute(step: &Step, shared: &Shared<'_>) -> Executed {
    let span = tracing::info_span!(
        target: "orgcharter::apply", "step",
        address = %step.address, verb = step.change.verb().as_str(), outcome = Empty, attempt = Empty,
        request_id = Empty, took_ms = Empty,
    );
    let executed = carry_out(step, shared).instrument(span.clone()).await;
    span.record("outcome", executed.outcome.word());
    span.record("took_ms", u64::try_from(executed.took.as_millis()).unwrap_or(u64::MAX));
    if let Some(last) = executed.calls.last() {
        span.record("attempt", last.attempts);
        span.record("request_id", last.request_id.as_deref());
    }
    executed
}

async fn carry_out(step: &Step, shared: &Shared<'_>) -> Executed {
    let start = shared.hands.clock.monotonic();
    let mut execution = Execution {
        step,
        shared,
        calls: Vec::new(),
        begun: false,
        notes: Vec::new(),
        id: None,
        request_id: None,
        error: None,
        is_full: false,
    };
    let outcome = match execution.all().await {
        Ok(()) => {
            let notes = std::mem::take(&mut execution.notes);
            let note = (!notes.is_empty()).then(|| notes.join("; "));
            Outcome::Done { request_id: execution.request_id.take(), note }
        }
        Err(ends) => ends,
    };
    let took = shared.hands.clock.monotonic().saturating_sub(start);
    let Execution { calls, id, error, is_full, .. } = execution;
    Executed { outcome, calls, id, error, is_full, took }
}

impl Execution<'_> {
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
            match effect.before(self.step, &self.shared.eyes()).await {
                Ok(Before::Same) => {}
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
        let mut sent_again = false;
        let mut not_there = NOT_THERE_YET.iter();
        let mut missing = None;
        loop {
            match self.send(&request, call).await {
                Err(WriteError::Failed(ApiError::Stopped { .. })) => {
                    return match missing {
                        None => Err(Outcome::NotStarted),
                        Some(error) => self.look_after_refusal(effect.as_ref(), error).await,
                    };
                }
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
                        Looked::NotDone(error) => return Err(self.unknown(error)),
                    },
                },
                Err(WriteError::Failed(error)) if error.is_not_found() => {
                    if call.resend == Resend::Gone {
                        self.notes.push("it was gone already".to_owned());
                        return Ok(());
                    }
                    // What this run has just made may not be seen everywhere yet.
                    let fresh = call.references().next().is_some();
                    let Some(wait) = not_there.next().filter(|_| fresh) else {
                        return self.look_after_refusal(effect.as_ref(), error).await;
                    };
                    missing = Some(error);
                    self.wait_unless_stopped(Duration::from_secs(*wait)).await;
                }
                Err(WriteError::Failed(error)) => {
                    return self.look_after_refusal(effect.as_ref(), error).await;
                }
                Err(WriteError::Unknown(error)) => {
                    match self.look_after_loss(effect.as_ref(), error).await? {
                        Looked::Done => return Ok(()),
                        Looked::NotDone(error) => {
                            if call.resend != Resend::LookFirst || sent_again {
                                return Err(self.unknown(error));
                            }
                        }
                    }
                    sent_again = true;
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
        self.begun |= matches!(sent, Ok(_) | Err(WriteError::Unknown(_)));
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
                std::future::pending().await
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

    /// Takes what a success says: the id of what was made.
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
            Some(id) => Ok(Some(RemoteId::new(id))),
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

    /// After a refusal: what was wanted may hold already, or something else explains it.
    async fn look_after_refusal(
        &mut self,
        effect: Option<&Effect>,
        error: ApiError,
    ) -> Result<(), Ends> {
        let refused = matches!(error.status(), Some(400 | 403 | 404 | 409));
        let found = match effect.filter(|_| refused) {
            Some(effect) => effect.after(self.step, Some(&error), &self.shared.eyes()).await,
            None => Ok(After::Not),
        };
        match found {
            Ok(After::Holds { id, note }) => {
                self.notes.push(note.unwrap_or_else(|| "it was so already".to_owned()));
                if let Some(id) = id {
                    self.keep(id);
                }
                Ok(())
            }
            Ok(After::Instead(outcome)) => Err(outcome),
            // If looking fails too, the refusal is the better message.
            Ok(After::Not) | Err(_) => Err(self.refused(effect, error).await),
        }
    }

    /// After a reply was lost: looks, more than once where reads may lag.
    async fn look_after_loss(
        &mut self,
        effect: Option<&Effect>,
        error: ApiError,
    ) -> Result<Looked, Ends> {
        let Some(effect) = effect else { return Err(self.unknown(error)) };
        for wait in effect.looks() {
            self.shared.hands.clock.sleep(Duration::from_secs(*wait)).await;
            match effect.after(self.step, None, &self.shared.eyes()).await {
                Ok(After::Holds { id, note }) => {
                    self.notes
                        .push("the reply was lost, and looking showed that it is done".to_owned());
                    self.notes.extend(note);
                    if let Some(id) = id {
                        self.keep(id);
                    }
                    return Ok(Looked::Done);
                }
                Ok(After::Not) => {}
                Ok(After::Instead(outcome)) => return Err(outcome),
                Err(_) => return Err(self.unknown(error)),
            }
        }
        Ok(Looked::NotDone(error))
    }
}
