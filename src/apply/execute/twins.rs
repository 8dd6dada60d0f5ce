//! What becomes of a workspace that two runs made at the same time.
//!
//! Invariant: only the workspace that this very step made a moment ago is archived again, and only where it is listed
//! beside one that nobody but somebody else can have made: this step sent a single call, and it made this one.

use std::{collections::BTreeMap, time::Duration};

use super::{Call, Ends, Execution, JournalError, Outcome, RemoteId, Resend, Shared};
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
        let line = {
            let Shared { hands, .. } = self.shared;
            self.shared.journal().made(hands.clock.now(), self.index, self.step, &mine)
        };
        self.written_down(line);
        let mut others = Vec::new();
        for wait in WAITS {
            self.shared.hands.clock.sleep(Duration::from_secs(wait)).await;
            // A look that fails changes nothing: what was wanted is there, and the next plan sees a second one.
            match rank(self.step, &mine, &self.eyes()).await.unwrap_or(Rank::First) {
                Rank::First => {
                    self.keep(mine);
                    return Ok(());
                }
                Rank::Tied => others.clear(),
                Rank::Unseen(ids) => others = ids,
                Rank::Second => {
                    others.clear();
                    break;
                }
            }
        }
        let title = self.step.change.object().spec.resource().title();
        if let Some(other) = others.first() {
            self.notes.push(format!(
                "another workspace `{title}` ({other}) is there, and this one ({mine}) is not listed yet: see which of the \
                 two stays, and archive the other in the Console"
            ));
            self.keep(mine);
            return Ok(());
        }
        if self.sent > 1 {
            // An earlier try of this very step may have made the other one.
            self.keep(mine.clone());
            return Err(Outcome::Manual {
                why: format!(
                    "there are several workspaces `{title}` now. This run had to send the call more than once, so they \
                     may all be its own: keep one ({mine} is the last that it made), archive the others in the Console, \
                     and write the id of the one that stays in the files"
                ),
            });
        }
        let path = [Part::text("workspaces"), Part::from(&mine), Part::text("archive")];
        let archive = Call::post_empty(path, Resend::Safe);
        let request = archive.resolve(&BTreeMap::new());
        let sent = match request {
            Ok(request) => self.send(&request, &archive).await.map_err(|error| error.to_string()),
            Err(unknown) => Err(unknown.to_string()),
        };
        if let Err(error) = sent {
            return Err(Outcome::Manual {
                why: format!(
                    "somebody else made a workspace `{title}` at the same time, and this one ({mine}) could not be \
                     archived again: archive one of the two in the Console ({error})"
                ),
            });
        }
        let archived = format!("this run's own one ({mine}) was archived again");
        match Effect::MakeWorkspace.before(self.step, &self.eyes()).await {
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

impl Execution<'_> {
    /// What cannot be written down is said; the run ends with the next line that cannot.
    fn written_down(&mut self, line: Result<(), JournalError>) {
        if let Err(error) = line {
            self.notes.push(error.to_string());
        }
    }
}

fn changed(what: String) -> Ends {
    Outcome::Skipped { because: Reason::Changed { what } }
}
