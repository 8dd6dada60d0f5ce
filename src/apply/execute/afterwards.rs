//! What is looked at once an answer came: whether an accepted grant is shown, and whether a refusal may be for want of
//! room.
//!
//! Invariant: one look each, and no call follows from it.

use super::{Effect, Execution, Outcome};
use crate::{
    api::error::{ApiError, WriteError},
    apply::verify::{active_workspaces, is_shown},
    plan::names::WORKSPACES,
};

impl Execution<'_> {
    /// After a grant to a billing member was accepted: whether anything shows it. Once, and nothing follows from it but
    /// what is said.
    pub(super) async fn look_whether_it_is_shown(&mut self, effect: Option<&Effect>) {
        let Some(Effect::Grant(place) | Effect::ChangeGrant(place)) = effect else { return };
        if !self.step.is_grant_of_billing() {
            return;
        }
        self.notes.extend(match is_shown(self.step, place, &self.eyes()).await {
            Ok(true) => None,
            Ok(false) => Some(
                "accepted, cannot be seen: neither the list of members nor the member's own entry shows it, so later \
                 plans leave it to a person"
                    .to_owned(),
            ),
            Err(error) => Some(format!("accepted; whether it can be seen is not known: {error}")),
        });
    }

    /// Fails. A new workspace that is refused without a code may be one too many.
    pub(super) async fn refused(&mut self, effect: Option<&Effect>, error: ApiError) -> Outcome {
        let plain = matches!(error.status(), Some(400 | 409)) && error.code().is_none();
        let active = match effect {
            Some(Effect::MakeWorkspace) if plain => {
                active_workspaces(&self.eyes()).await.unwrap_or_default()
            }
            _ => 0,
        };
        let mut outcome = self.failed(WriteError::Failed(error));
        // The Default Workspace is not listed, and may count.
        if let (true, Outcome::Failed { failure }) = (active + 1 >= WORKSPACES, &mut outcome) {
            self.is_full = true;
            failure.help = Some(format!(
                "{active} workspaces are active, and most organizations may have {WORKSPACES}, so this may be one too \
                 many, though the API does not say so: archive one that is not needed any more (`state: archived`), or \
                 ask Anthropic for a higher limit, and run again"
            ));
        }
        outcome
    }
}
