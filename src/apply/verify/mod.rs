//! How to look at what a call works on: just before a destructive one, and after one that was refused or whose
//! reply was lost. All that apply knows of the four kinds is here.
//!
//! Invariant: looking never writes; what cannot be seen for certain is never called done.

mod effect;
mod hidden;
mod judge;
mod rosters;
mod twins;

use std::collections::BTreeSet;

use jiff::Timestamp;

use self::judge::{by_hand, difference, judge_invite, protected, wanted_fields_hold};
pub(super) use self::{
    effect::{Effect, Place},
    hidden::is_shown,
    judge::{Made, Since, fields_hold, judge_made},
    rosters::Rosters,
    twins::{Rank, rank},
};
use super::report::{Outcome, Reason};
use crate::{
    address::RemoteId,
    api::{client::Reader, credential::Credential, error::ApiError, wire},
    observe::{InviteState, objects},
    plan::Step,
    resource::{Object, Phase, Role, Spec, WorkspaceMember},
};

/// What is seen before a destructive call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// What the plan saw, or nothing at all: then the call itself tells.
    Same,
    /// No workspace has the name that is to be made; these are all there are.
    Free(BTreeSet<RemoteId>),
    /// The step has nothing left to do.
    AlreadySo {
        /// The id of what it was to make.
        id: Option<RemoteId>,
        /// Why.
        note: &'static str,
    },
    /// Something that decides what becomes of the step.
    Instead(Outcome),
}

/// What is seen after a call that did not simply succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// Its effect is there.
    Holds {
        /// The id of what it made.
        id: Option<RemoteId>,
        /// How that came, if not by the call.
        note: Option<String>,
    },
    /// Its effect is not there, and could still come by the call.
    Not,
    /// Something else is there, which decides what becomes of the step.
    Instead(Outcome),
}

impl Before {
    fn already_so(note: &'static str) -> Self {
        Before::AlreadySo { id: None, note }
    }
}

impl After {
    const HOLDS: After = After::Holds { id: None, note: None };

    fn noted(note: &str) -> Self {
        After::Holds { id: None, note: Some(note.to_owned()) }
    }

    fn changed(what: String) -> Self {
        After::Instead(changed(what))
    }

    fn when(holds: bool) -> Self {
        if holds { After::HOLDS } else { After::Not }
    }
}

/// With what to look.
pub(super) struct Eyes<'a> {
    pub(super) reader: &'a Reader,
    /// What charter signs in with: a key that is never switched off.
    pub(super) credential: &'a Credential,
    /// The time, by the API's clock where it told it.
    pub(super) now: Timestamp,
    /// When the run began, by the API's clock where it told it.
    pub(super) since: Since,
    /// Every active workspace that was there before the step made one; `None`: nobody has looked.
    pub(super) known: Option<&'a BTreeSet<RemoteId>>,
    /// Lists of workspace members, read once for all that ask at the same time.
    pub(super) rosters: &'a Rosters,
    /// Workspaces that other steps of this run made.
    pub(super) claimed: BTreeSet<RemoteId>,
}

impl Effect {
    /// Looks at what a destructive call is about to take, or at what is there already of what it makes. What is
    /// not found is left to the call: reads may lag, and its own 404 is the proof.
    pub(super) async fn before(&self, step: &Step, eyes: &Eyes<'_>) -> Result<Before, ApiError> {
        if *self == Effect::MakeWorkspace {
            return twins::before(step, eyes).await;
        }
        let Some(planned) = step.change.before() else { return Ok(Before::Same) };
        let now = match self {
            Effect::Withdraw(id) => return withdrawable(id, planned, eyes).await,
            Effect::RemoveUser(id) => {
                found(eyes.reader.get::<wire::User>(&["users", id]).await)?.map(objects::user)
            }
            Effect::Archive(id) => {
                let found = found(eyes.reader.get::<wire::Workspace>(&["workspaces", id]).await)?;
                if found.as_ref().is_some_and(|workspace| workspace.archived_at.is_some()) {
                    return Ok(Before::already_so("it was archived already"));
                }
                found.map(|workspace| objects::workspace(&workspace, false))
            }
            Effect::RemoveGrant(place) => {
                return hidden::before_removal(planned, place, eyes).await;
            }
            Effect::ChangeKey(id) => {
                let key = found(eyes.reader.get::<wire::ApiKey>(&["api_keys", id]).await)?;
                let own = |hint: &String| eyes.credential.matches_hint(hint);
                if key.as_ref().and_then(|key| key.partial_key_hint.as_ref()).is_some_and(own) {
                    // The plan may have been made with another credential.
                    return Ok(Before::Instead(Outcome::Manual {
                        why: format!(
                            "key `{}` is the one charter runs with now: run with another credential to switch it off",
                            planned.spec.resource().title()
                        ),
                    }));
                }
                let key = key.map(|key| objects::api_key(&key, None, false));
                if key.as_ref().is_some_and(|key| wanted_fields_hold(step, key)) {
                    return Ok(Before::already_so("it was so already"));
                }
                key
            }
            Effect::Invite
            | Effect::SetRole(_)
            | Effect::MakeWorkspace
            | Effect::ChangeWorkspace(_)
            | Effect::Grant(_)
            | Effect::ChangeGrant(_) => None,
        };
        Ok(match now.and_then(|now| difference(planned, &now)) {
            Some(what) => Before::Instead(changed(what)),
            None => Before::Same,
        })
    }

    /// Looks whether the effect is there. `refusal`: how the API refused the call; `None`: the reply was lost.
    pub(super) async fn after(
        &self,
        step: &Step,
        refusal: Option<&ApiError>,
        eyes: &Eyes<'_>,
    ) -> Result<After, ApiError> {
        let title = step.change.object().spec.resource().title();
        if let (Some(_), Some(Place { workspace, .. })) = (refusal, self.place())
            && let Spec::WorkspaceMember(grant) = &step.change.object().spec
            && is_archived(workspace, eyes).await?
        {
            return Ok(After::changed(format!("`{}` was archived meanwhile", grant.workspace)));
        }
        match self {
            Effect::Invite => invited(step, refusal, eyes).await,
            Effect::Withdraw(id) => {
                let planned = step.change.before().and_then(|before| before.phase());
                let invite = found(eyes.reader.get::<wire::Invite>(&["invites", id]).await)?;
                Ok(match invite.map(|invite| InviteState::of(&invite, eyes.now)) {
                    Some(InviteState::Open(_)) => After::Not,
                    Some(InviteState::Accepted(_)) if planned == Some(Phase::Pending) => {
                        After::Instead(accepted(&title))
                    }
                    Some(
                        InviteState::Accepted(_) | InviteState::Expired(_) | InviteState::Over,
                    )
                    | None => After::noted("it was open no longer"),
                })
            }
            Effect::SetRole(id) => {
                let Some(user) = found(eyes.reader.get::<wire::User>(&["users", id]).await)? else {
                    return Ok(After::changed(format!("`{title}` is no longer a member")));
                };
                let live = objects::user(user);
                Ok(match protected(&live) {
                    _ if wanted_fields_hold(step, &live) => After::HOLDS,
                    Some(role) => After::Instead(by_hand(&title, &role)),
                    None => After::Not,
                })
            }
            Effect::RemoveUser(id) => {
                let Some(user) = found(eyes.reader.get::<wire::User>(&["users", id]).await)? else {
                    return Ok(After::HOLDS);
                };
                Ok(match protected(&objects::user(user)) {
                    Some(role) => After::Instead(by_hand(&title, &role)),
                    None => After::Not,
                })
            }
            Effect::MakeWorkspace => made(step, eyes).await,
            Effect::ChangeWorkspace(id) => {
                let Some(live) =
                    found(eyes.reader.get::<wire::Workspace>(&["workspaces", id]).await)?
                else {
                    return Ok(After::Not);
                };
                if live.archived_at.is_some() {
                    return Ok(After::changed(format!("`{title}` was archived meanwhile")));
                }
                Ok(After::when(wanted_fields_hold(step, &objects::workspace(&live, false))))
            }
            Effect::Archive(id) => Ok(After::when(is_archived(id, eyes).await?)),
            Effect::Grant(place) => granted(step, place, refusal, eyes).await,
            Effect::ChangeGrant(place) => Ok(match row(place, eyes).await? {
                Some(live) => After::when(wanted_fields_hold(step, &live)),
                None => After::changed(format!(
                    "`{title}` has no grant there any more; the next run makes it anew"
                )),
            }),
            Effect::RemoveGrant(place) => hidden::after_removal(step, place, refusal, eyes).await,
            Effect::ChangeKey(id) => {
                let key = found(eyes.reader.get::<wire::ApiKey>(&["api_keys", id]).await)?;
                let Some(key) = key else { return Ok(After::Not) };
                let live = objects::api_key(&key, None, false);
                if wanted_fields_hold(step, &live) {
                    return Ok(After::HOLDS);
                }
                // What has expired or was archived meanwhile takes no change any more.
                let planned = step.change.before().filter(|_| refusal.is_some());
                Ok(match planned.and_then(|planned| difference(planned, &live)) {
                    Some(what) => After::changed(what),
                    None => After::Not,
                })
            }
        }
    }
}

/// Whether an invite is still the plan's to withdraw.
async fn withdrawable(id: &str, planned: &Object, eyes: &Eyes<'_>) -> Result<Before, ApiError> {
    let invite = found(eyes.reader.get::<wire::Invite>(&["invites", id]).await)?;
    let state = invite.map(|invite| InviteState::of(&invite, eyes.now));
    Ok(match state {
        Some(InviteState::Accepted(_)) if planned.phase() == Some(Phase::Pending) => {
            Before::Instead(accepted(&planned.spec.resource().title()))
        }
        // Of a member whose other invites go too, or no longer open: the call finds out.
        _ => Before::Same,
    })
}

fn accepted(title: &str) -> Outcome {
    let what = format!("`{title}` accepted the invite meanwhile; the next run sees a member");
    Outcome::Skipped { because: Reason::Accepted { what } }
}

fn changed(what: String) -> Outcome {
    Outcome::Skipped { because: Reason::Changed { what } }
}

/// What there is of somebody who was to be invited.
async fn invited(
    step: &Step,
    refusal: Option<&ApiError>,
    eyes: &Eyes<'_>,
) -> Result<After, ApiError> {
    let Spec::Member(wanted) = &step.change.object().spec else { return Ok(After::Not) };
    let query = [("email", wanted.email.as_written())];
    let invites = eyes.reader.list::<wire::Invite>(&["invites"], &query).await?;
    let users = eyes.reader.list::<wire::User>(&["users"], &query).await?;
    let code = refusal.and_then(ApiError::code);
    let after = judge_invite(wanted, &users, &invites, code, eyes.now);
    let refused = refusal.and_then(|refusal| judge::refused_groups(wanted, refusal));
    Ok(match (after, refused) {
        (After::Not, Some(refused)) => After::Instead(refused),
        (after, _) => after,
    })
}

/// The workspace that a lost reply was about: no active one had its name when the plan was made, so one that was
/// made since is it.
async fn made(step: &Step, eyes: &Eyes<'_>) -> Result<After, ApiError> {
    let Spec::Workspace(wanted) = &step.change.object().spec else { return Ok(After::Not) };
    let query = [("include_archived", "true")];
    let all = eyes.reader.list::<wire::Workspace>(&["workspaces"], &query).await?;
    let all: Vec<Object> =
        all.iter().map(|workspace| objects::workspace(workspace, false)).collect();
    Ok(match judge_made(&wanted.name, &all, eyes.since, eyes.known, &eyes.claimed) {
        Made::Not => After::Not,
        Made::One(id) => {
            let live = all
                .iter()
                .find(|object| object.remote.as_ref().is_some_and(|remote| remote.id == id));
            match live.and_then(|live| twins::other(step, live)) {
                Some(what) => After::changed(what),
                None => After::Holds { id: Some(id), note: None },
            }
        }
        Made::Archived(why) => After::changed(why),
        Made::Several(why) => After::Instead(Outcome::Manual { why }),
    })
}

/// How many workspaces are active.
pub(super) async fn active_workspaces(eyes: &Eyes<'_>) -> Result<usize, ApiError> {
    let all = eyes.reader.list::<wire::Workspace>(&["workspaces"], &[]).await?;
    Ok(all.iter().filter(|workspace| workspace.archived_at.is_none()).count())
}

async fn is_archived(workspace: &str, eyes: &Eyes<'_>) -> Result<bool, ApiError> {
    let found = found(eyes.reader.get::<wire::Workspace>(&["workspaces", workspace]).await)?;
    Ok(found.is_some_and(|workspace| workspace.archived_at.is_some()))
}

/// What there is of a grant that was to be made.
async fn granted(
    step: &Step,
    place: &Place,
    refusal: Option<&ApiError>,
    eyes: &Eyes<'_>,
) -> Result<After, ApiError> {
    let title = step.change.object().spec.resource().title();
    if let Some(live) = row(place, eyes).await? {
        if wanted_fields_hold(step, &live) {
            return Ok(After::HOLDS);
        }
        let Spec::WorkspaceMember(WorkspaceMember { role, .. }) = &live.spec else {
            return Ok(After::Not);
        };
        return Ok(After::changed(format!(
            "`{title}` has the role `{role}` there meanwhile; the next run sets it"
        )));
    }
    let Some(user) = found(eyes.reader.get::<wire::User>(&["users", &place.user]).await)? else {
        return Ok(After::changed(format!("`{title}` is no longer a member")));
    };
    let role = Role::from_wire(&user.role);
    if role == Role::Billing && step.is_grant_of_billing() {
        return Ok(hidden::after_grant(&title, refusal));
    }
    Ok(match role.inherited() {
        Some(inherited) => After::changed(format!(
            "`{title}` has the organization role `{role}` meanwhile, and `{inherited}` everywhere through it"
        )),
        None => After::Not,
    })
}

/// The grant in the workspace's list, which is fresh: a read of the one member is cached for tens of seconds, or shows what
/// is inherited.
async fn row(place: &Place, eyes: &Eyes<'_>) -> Result<Option<Object>, ApiError> {
    let Place { workspace, user } = place;
    let rows = eyes.rosters.of(workspace, eyes.reader).await?;
    Ok(rows.iter().find(|row| row.user_id.as_str() == user).map(|row| {
        objects::grant(&RemoteId::new(workspace.as_str()), &row.user_id, &row.workspace_role)
    }))
}

/// A read in which 404 is an answer.
fn found<T>(read: Result<T, ApiError>) -> Result<Option<T>, ApiError> {
    match read {
        Ok(object) => Ok(Some(object)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
