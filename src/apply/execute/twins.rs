//! What becomes of a workspace that two runs made at the same time.
//!
//! Invariant: only the workspace that this very step made a moment ago is archived again, and only after looking showed
//! another one of its name.

use std::{collections::BTreeMap, time::Duration};

use super::{Call, Ends, Execution, Outcome, RemoteId, Resend};
use crate::{
    api::call::Part,
    apply::{
        report::Reason,
        verify::{Before, Effect, Rank, rank},
    },
};

/// Waits before each look. Of two that are tied, the maker of the other one gives way at once if it saw this one; if it
/// looked too early for that, it never will.
const WAITS: [u64; 3] = [0, 2, 5];

impl Execution<'_> {
    /// After a workspace was made: keeps it, or gives way to one of the same name that somebody else made at the same
    /// time. Two would be there for ever, and no plan could tell which one is meant.
    pub(super) async fn make_room_for_a_twin(&mut self, mine: RemoteId) -> Result<(), Ends> {
        for wait in WAITS {
            self.shared.hands.clock.sleep(Duration::from_secs(wait)).await;
            // A look that fails changes nothing: what was wanted is there, and the next plan sees a second one.
            match rank(self.step, &mine, &self.shared.eyes()).await.unwrap_or(Rank::First) {
                Rank::First => {
                    self.keep(mine);
                    return Ok(());
                }
                Rank::Tied => {}
                Rank::Second => break,
            }
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
        let archived = format!("this run's own one ({mine}) was archived again");
        match Effect::MakeWorkspace.before(self.step, &self.shared.eyes()).await {
            Ok(Before::AlreadySo { id: Some(id), .. }) => {
                self.notes.push(format!("somebody else made it at the same time; {archived}"));
                self.keep(id);
                Ok(())
            }
            Ok(Before::Instead(Outcome::Skipped { because: Reason::Changed { what } })) => {
                Err(changed(format!("{what}; {archived}")))
            }
            Ok(_) | Err(_) => Err(changed(format!(
                "`{title}` was made twice at the same time; {archived}, and the next run sees what is there"
            ))),
        }
    }
}

fn changed(what: String) -> Ends {
    Outcome::Skipped { because: Reason::Changed { what } }
}
