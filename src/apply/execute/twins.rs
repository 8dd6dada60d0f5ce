//! What becomes of a workspace that two runs made at the same time.
//!
//! Invariant: only the workspace that this very step made a moment ago is archived again, and only after looking showed
//! another one of its name.

use std::collections::BTreeMap;

use super::{Call, Ends, Execution, Outcome, RemoteId, Resend};
use crate::{
    api::call::Part,
    apply::{
        report::Reason,
        verify::{Before, Effect, yields},
    },
};

impl Execution<'_> {
    /// After a workspace was made: keeps it, or gives way to one of the same name that somebody else made at the same
    /// time. Two would be there for ever, and no plan could tell which one is meant.
    pub(super) async fn make_room_for_a_twin(&mut self, mine: RemoteId) -> Result<(), Ends> {
        // A look that fails changes nothing: what was wanted is there, and the next plan would see a second one.
        if !yields(self.step, &mine, &self.shared.eyes()).await.unwrap_or(false) {
            self.keep(mine);
            return Ok(());
        }
        let path = [Part::text("workspaces"), Part::from(&mine), Part::text("archive")];
        let archive = Call::post_empty(path, Resend::Safe);
        let request = archive.resolve(&BTreeMap::new());
        let sent = match request {
            Ok(request) => self.send(&request, &archive).await.map_err(|error| error.to_string()),
            Err(unknown) => Err(unknown.to_string()),
        };
        let title = self.step.change.object().spec.resource().title();
        if let Err(error) = sent {
            return Err(Outcome::Manual {
                why: format!(
                    "somebody else made a workspace `{title}` at the same time, and this one ({mine}) could not be \
                     archived again: archive one of the two in the Console ({error})"
                ),
            });
        }
        match Effect::MakeWorkspace.before(self.step, &self.shared.eyes()).await {
            Ok(Before::AlreadySo { id: Some(id), .. }) => {
                self.notes.push(format!(
                    "somebody else made it at the same time; a second one ({mine}) was archived again"
                ));
                self.keep(id);
                Ok(())
            }
            Ok(Before::Instead(outcome)) => Err(outcome),
            Ok(Before::AlreadySo { .. } | Before::Same) | Err(_) => Err(Outcome::Skipped {
                because: Reason::Changed {
                    what: format!(
                        "`{title}` was made twice at the same time, and one ({mine}) was archived again; the next run \
                         sees what is there"
                    ),
                },
            }),
        }
    }
}
