//! What an error means beyond its step: advice for its code, whether others of its sort would meet it too, whether
//! the run can go on at all.
//!
//! Invariant: nothing here reads the text of a message; only status, type and code decide.

use std::collections::BTreeMap;

use super::report::Outcome;
use crate::{
    address::Kind,
    api::{
        codes,
        error::{ApiError, WriteError},
        transport::TransportError,
    },
    plan::Step,
    resource::Verb,
};

/// So many steps of one class meet the same refusal, and none succeeds, before the class is given up.
const REFUSALS: usize = 3;
/// So many steps in a row end in trouble of the network or the server before the run is given up.
const TROUBLES: usize = 8;

/// What to do about an error of `step`.
pub(super) fn help(step: &Step, error: &ApiError) -> Option<String> {
    let title = step.change.object().spec.resource().title();
    let coded = match error {
        ApiError::Status(error) => codes::help(error, &title),
        _ => None,
    };
    coded.or_else(|| error.next_step())
}

/// Steps that the API would refuse alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Class(Kind, Verb);

impl Class {
    pub(super) fn of(step: &Step) -> Self {
        let verb = match step.change.verb() {
            // A replaced invite is withdrawn and sent anew: what stops invites stops it.
            Verb::Replace => Verb::Create,
            verb => verb,
        };
        Self(step.address.kind, verb)
    }

    fn noun(self) -> &'static str {
        match (self.0, self.1) {
            (Kind::Member, Verb::Create | Verb::Replace) => "invites",
            (Kind::Member, Verb::Update) => "role changes",
            (Kind::Member, Verb::Remove) => "removals of members",
            (Kind::Workspace, Verb::Create | Verb::Replace) => "new workspaces",
            (Kind::Workspace, Verb::Update) => "changes of workspaces",
            (Kind::Workspace, Verb::Remove) => "archiving of workspaces",
            (Kind::WorkspaceMember, Verb::Create | Verb::Replace) => "new workspace members",
            (Kind::WorkspaceMember, Verb::Update) => "role changes in workspaces",
            (Kind::WorkspaceMember, Verb::Remove) => "removals of workspace members",
            (Kind::ApiKey, _) => "changes of API keys",
        }
    }
}

/// Invites, which also have a budget of their own.
const INVITES: Class = Class(Kind::Member, Verb::Create);

#[derive(Debug, Default)]
struct Record {
    succeeded: bool,
    refused: usize,
    /// Why no more steps of this class are begun.
    closed: Option<String>,
}

/// Notices refusals that would meet every other step of the same class, and trouble that would meet every step.
#[derive(Debug, Default)]
pub(super) struct Watch {
    classes: BTreeMap<Class, Record>,
    troubles: usize,
}

/// What follows from an outcome for the rest of the run.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Follows {
    /// Nothing.
    Nothing,
    /// No more steps of this class, for this reason.
    Close(String),
    /// No more steps at all, for this reason.
    Halt(String),
}

impl Watch {
    /// Why steps of this class are no longer begun.
    pub(super) fn closed(&self, class: Class) -> Option<&str> {
        self.classes.get(&class).and_then(|record| record.closed.as_deref())
    }

    /// How many steps of a class may be in flight: until one has succeeded no more than can be refused before the
    /// class is given up.
    pub(super) fn at_once(&self, class: Class, most: usize) -> usize {
        match self.classes.get(&class) {
            Some(Record { succeeded: true, .. }) => most,
            Some(Record { refused, .. }) => most.min(REFUSALS.saturating_sub(*refused).max(1)),
            None => most.min(REFUSALS),
        }
    }

    /// Takes note of an outcome and of the error behind it.
    pub(super) fn note(
        &mut self,
        class: Class,
        outcome: &Outcome,
        error: Option<&WriteError>,
    ) -> Follows {
        let record = self.classes.entry(class).or_default();
        let (Outcome::Failed { .. } | Outcome::Unknown { .. }, Some(error)) = (outcome, error)
        else {
            let succeeded = matches!(outcome, Outcome::Done { .. } | Outcome::Partly { .. });
            record.succeeded |= succeeded;
            if succeeded {
                self.troubles = 0;
            }
            return Follows::Nothing;
        };
        let error = error.error();
        // Invites have a budget of their own: its end is not the end of the run.
        let invites_only = class == INVITES && limited(error);
        if let Some(why) = fatal(error).filter(|_| !invites_only) {
            return Follows::Halt(why);
        }
        if trouble(error) || (limited(error) && !invites_only) {
            self.troubles += 1;
            if self.troubles >= TROUBLES {
                return Follows::Halt(format!(
                    "{TROUBLES} steps in a row met trouble of the network or the API"
                ));
            }
            return Follows::Nothing;
        }
        if record.closed.is_some() {
            return Follows::Nothing;
        }
        match closing(class, record, error) {
            Some(why) => {
                record.closed = Some(why.clone());
                Follows::Close(why)
            }
            None => Follows::Nothing,
        }
    }
}

/// Why the API would refuse every other step of this class too.
fn closing(class: Class, record: &mut Record, error: &ApiError) -> Option<String> {
    let noun = class.noun();
    if class == INVITES && limited(error) {
        return Some("the API takes no more invites for now: run again later".to_owned());
    }
    match (error.status(), error.code()) {
        (_, Some("org_member_limit_exceeded")) => {
            return Some(
                "the API refuses more invites: the organization has as many members as Anthropic allows it"
                    .to_owned(),
            );
        }
        (_, Some("organization_type_not_supported")) => {
            return Some(format!(
                "the API offers no {noun} for this kind of organization: check `organization.kind`"
            ));
        }
        (Some(400 | 403), None) => {}
        _ => return None,
    }
    record.refused += 1;
    if record.succeeded || record.refused < REFUSALS {
        return None;
    }
    let why = match (error.status(), class.0) {
        (Some(403), _) => format!(
            "the API refuses all {noun}: the credential may not do this; use an Admin API key, or a token with the \
             scope `org:admin`"
        ),
        // The API's own words: it gives no code, so nobody here knows more than it says.
        _ => match error.words() {
            Some(words) => {
                format!("the API refuses all {noun}, with the words \u{201c}{words}\u{201d}")
            }
            None => format!("the API refuses all {noun} and does not say why"),
        },
    };
    Some(why)
}

/// Why no other step can succeed either.
fn fatal(error: &ApiError) -> Option<String> {
    let why = match error {
        ApiError::TokenExchange(_)
        | ApiError::IdentityToken(_)
        | ApiError::IdentityTokenTaken { .. } => "the credential cannot be renewed",
        ApiError::Limited { .. } => "the API asked to wait too long",
        ApiError::AnotherOrganization { .. } => "answers came from two organizations",
        // The first refusal ends the run: every other write of this credential needs the same.
        ApiError::Status(error) if error.lacks_scope() => {
            return Some(format!("the credential lacks a scope (the API says: {})", error.message));
        }
        ApiError::Transport { source, .. } => match source {
            TransportError::Connect(_) => "the API cannot be reached",
            TransportError::Certificate(_) => "the server's certificate is refused",
            TransportError::Redirect(_) => "the server redirects elsewhere",
            TransportError::Lost(_) | TransportError::TooLarge(_) => return None,
        },
        _ => match (error.status()?, error.code().unwrap_or_default()) {
            (_, "organization_on_hold") => "the organization is on hold",
            (_, "sandbox_egress_restricted") => {
                "calls from inside a restricted sandbox are refused"
            }
            (401, _) => "the credential is refused",
            (429, _) => "the API's request limit is used up",
            (402, _) => "the organization's billing blocks it",
            _ => return None,
        },
    };
    Some(why.to_owned())
}

/// The API asked to wait longer than one request may.
fn limited(error: &ApiError) -> bool {
    matches!(error, ApiError::Limited { .. }) || error.status() == Some(429)
}

/// The network or the server, not the request.
fn trouble(error: &ApiError) -> bool {
    error.maybe_done() || matches!(error, ApiError::NotJson { .. })
}

#[cfg(test)]
mod tests;
