//! How a call ends that did not simply succeed: what looking shows, and which outcome follows from it.
//!
//! Invariant: nothing here sends a write; what looking does not show for certain is never called done.

use std::time::Duration;

use super::{
    ApiError, Asked, Effect, Ends, Execution, Method, Outcome, RemoteId, Timestamp, Value,
    WriteError,
};
use crate::apply::{refusal, report::Failure, verify::After};

/// Waits before each look after a refusal that a list which lags would explain.
const LOOKS_AGAIN: [u64; 3] = [0, 2, 8];

/// What looking for the effect of a call showed.
pub(super) enum Looked {
    Done,
    NotDone(ApiError),
    /// Nothing could be read.
    Blind(ApiError),
}

/// Whether a refusal may be that of a place which does not know yet what was just written: the list of members shows the
/// grant, and for tens of seconds the API says that the person is not in the workspace.
pub(super) fn lags(effect: Option<&Effect>, error: &ApiError) -> bool {
    error.status() == Some(400)
        && error.code().is_none()
        // Then it was sent again often enough.
        && error.should_retry() != Some(true)
        && matches!(effect, Some(Effect::ChangeGrant(_) | Effect::RemoveGrant(_)))
}

/// Whether the API asks to send a call again that it refused; a code that is decided is no matter of asking.
pub(super) fn is_to_be_asked_again(error: &ApiError) -> bool {
    error.should_retry() == Some(true) && !error.is_decided_by_code()
}

impl Execution<'_> {
    /// Why an id cannot be that of the workspace which was just made.
    pub(super) fn old(&self, id: &RemoteId, answer: &Value) -> Option<String> {
        let was_there = self.known.as_ref().is_some_and(|known| known.contains(id));
        if was_there || self.shared.made().values().any(|made| made == id) {
            return Some(format!("the new object has the id {id}, which another workspace has"));
        }
        let created =
            answer.get("created_at").and_then(Value::as_str)?.parse::<Timestamp>().ok()?;
        (!self.shared.since.includes(created))
            .then(|| format!("the new object ({id}) was made at {created}, before this run began"))
    }

    /// After a refusal: what was wanted may hold already, or something else explains it.
    pub(super) async fn look_after_refusal(
        &mut self,
        effect: Option<&Effect>,
        error: ApiError,
    ) -> Result<Looked, Ends> {
        let refused = matches!(error.status(), Some(400 | 403 | 404 | 409));
        let Some(effect) = effect.filter(|_| refused) else { return Ok(Looked::NotDone(error)) };
        // "Is there already", and no list shows it yet.
        let may_lag = match effect {
            Effect::Grant(_) => error.code().is_none() && matches!(error.status(), Some(400 | 409)),
            Effect::Invite => {
                matches!(error.code(), Some("already_member" | "invite_already_exists"))
            }
            _ => false,
        };
        let waits = if may_lag { &LOOKS_AGAIN[..] } else { &LOOKS_AGAIN[..1] };
        let mut last = Ok(After::Not);
        for wait in waits {
            if *wait > 0 {
                self.shared.hands.clock.sleep(Duration::from_secs(*wait)).await;
            }
            last = effect.after(self.step, Some(&error), &self.eyes()).await;
            let goes_on = match &last {
                Ok(After::Not) => true,
                // Of an invite: the API knows somebody whom it does not show.
                Ok(After::Instead(Outcome::Manual { .. })) => *effect == Effect::Invite,
                Ok(After::Holds { .. } | After::Instead(_)) | Err(_) => false,
            };
            if !goes_on {
                break;
            }
        }
        match last {
            Ok(After::Holds { id, note }) => {
                let gone = matches!(effect, Effect::RemoveGrant(_) | Effect::RemoveUser(_));
                let so = if gone { "it was gone already" } else { "it was so already" };
                self.notes.push(note.unwrap_or_else(|| so.to_owned()));
                if let Some(id) = id {
                    self.keep(id);
                }
                Ok(Looked::Done)
            }
            Ok(After::Instead(outcome)) => Err(outcome),
            Ok(After::Not) => Ok(Looked::NotDone(error)),
            // If looking fails too, the refusal is the better message, and nothing is sent again.
            Err(_) => Ok(Looked::Blind(error)),
        }
    }

    /// After an error whose code says that it was done all the same.
    pub(super) async fn done_all_the_same(
        &mut self,
        effect: Option<&Effect>,
        error: ApiError,
    ) -> Result<(), Ends> {
        if effect != Some(&Effect::MakeWorkspace) {
            let help = refusal::help(self.step, &error);
            self.by_hand = Some(help.unwrap_or_else(|| error.to_string()));
            return Ok(());
        }
        let told = match &error {
            ApiError::Status(error) => error.details.as_ref(),
            _ => None,
        };
        let told = told.and_then(|details| details.get("workspace_id")).and_then(Value::as_str);
        let id = told.filter(|id| id.starts_with("wrkspc_")).map(RemoteId::new);
        match id.filter(|id| self.old(id, &Value::Null).is_none()) {
            Some(id) => {
                self.make_room_for_a_twin(id.clone()).await?;
                // Somebody else's is the one that stays, and it lacks nothing.
                if self.id.as_ref() != Some(&id) {
                    return Ok(());
                }
            }
            // It was made, and nobody says under which id: it is looked for, and not made again.
            None => match self.look_after_loss(effect, error.clone()).await? {
                Looked::Done => {}
                Looked::NotDone(error) | Looked::Blind(error) => return Err(self.unknown(error)),
            },
        }
        Err(self.partly(error))
    }

    /// After a reply was lost: looks, more than once where reads may lag.
    pub(super) async fn look_after_loss(
        &mut self,
        effect: Option<&Effect>,
        error: ApiError,
    ) -> Result<Looked, Ends> {
        let Some(effect) = effect else { return Err(self.unknown(error)) };
        for wait in effect.looks() {
            self.shared.hands.clock.sleep(Duration::from_secs(*wait)).await;
            match effect.after(self.step, None, &self.eyes()).await {
                Ok(After::Holds { id, note }) => {
                    let lost = "the reply was lost, and looking showed that it is done".to_owned();
                    self.notes.push(match &error {
                        ApiError::Contradicts { why, .. } => {
                            format!("the answer contradicted the request ({why}), and looking showed that it is done")
                        }
                        _ => lost,
                    });
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

    pub(super) fn failed(&mut self, error: WriteError) -> Outcome {
        let failure =
            Failure { help: refusal::help(self.step, error.error()), ..Failure::of(error.error()) };
        self.error = Some(error);
        Outcome::Failed { failure }
    }

    pub(super) fn unknown(&mut self, error: ApiError) -> Outcome {
        let failure = Failure {
            help: Some(match &error {
                ApiError::Contradicts { .. } => {
                    "look in the Console what became of it, and run `charter plan`: it shows what is left to do".to_owned()
                }
                _ => "run `charter plan`: it shows what is left to do".to_owned(),
            }),
            ..Failure::of(&error)
        };
        self.error = Some(WriteError::Unknown(error));
        Outcome::Unknown { failure }
    }

    /// Some of it was done, as the API says.
    pub(super) fn partly(&mut self, error: ApiError) -> Outcome {
        let failure = Failure { help: refusal::help(self.step, &error), ..Failure::of(&error) };
        let failure = match &self.id {
            Some(id) => {
                Failure { message: format!("made as {id}: {}", failure.message), ..failure }
            }
            None => failure,
        };
        self.error = Some(WriteError::Partly(error));
        Outcome::Partly { failure }
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
