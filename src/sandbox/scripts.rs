//! Scripts: what people do in the Console just after some request, so that a race runs the same way each time.
//!
//! Invariant: a script plays once, after its request was carried out and before the next one is; what it could not
//! do is kept.

use serde::{Deserialize, Serialize};

use super::{edit::Edit, shape::Shape, state::State};
use crate::api::transport::RawRequest;

/// Edits that follow one request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Method and path, as those of a fault: `GET /v1/organizations/users/*`.
    pub after: String,
    /// Only the nth matching request, counted from 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub nth: u64,
    /// What is done, in order.
    pub edits: Vec<Edit>,
}

impl Script {
    /// A script that follows the first request of a shape.
    pub fn new(after: impl Into<String>, edits: impl IntoIterator<Item = Edit>) -> Self {
        Self { after: after.into(), nth: 1, edits: edits.into_iter().collect() }
    }

    /// Follows the `nth` matching request instead.
    #[must_use]
    pub fn nth(mut self, nth: u64) -> Self {
        self.nth = nth;
        self
    }
}

/// The scripts that have not played, with their counters.
#[derive(Clone, Debug, Default)]
pub struct Scripts {
    waiting: Vec<Cue>,
    trouble: Vec<String>,
}

#[derive(Clone, Debug)]
struct Cue {
    script: Script,
    shape: Shape,
    seen: u64,
}

impl Scripts {
    /// Reads the scripts' patterns.
    pub fn new(scripts: Vec<Script>) -> Result<Self, String> {
        let mut all = Self::default();
        scripts.into_iter().try_for_each(|script| all.add(script)).map(|()| all)
    }

    /// Adds one.
    pub fn add(&mut self, script: Script) -> Result<(), String> {
        let shape = Shape::parse(&script.after)?;
        self.waiting.push(Cue { script, shape, seen: 0 });
        Ok(())
    }

    /// Those that have not played.
    pub fn waiting(&self) -> impl Iterator<Item = &Script> {
        self.waiting.iter().map(|cue| &cue.script)
    }

    /// Edits that could not be made, with the reason.
    pub fn trouble(&self) -> &[String] {
        &self.trouble
    }

    fn due(&mut self, request: &RawRequest) -> Vec<Edit> {
        let mut edits = Vec::new();
        self.waiting.retain_mut(|cue| {
            cue.seen += u64::from(cue.shape.fits(request.method, &request.target));
            let due = cue.seen == cue.script.nth;
            if due {
                edits.append(&mut cue.script.edits);
            }
            !due
        });
        edits
    }
}

/// Plays what follows a request.
pub(crate) fn play(state: &mut State, request: &RawRequest) {
    for edit in state.scripts.due(request) {
        let told = format!("{edit:?}");
        if let Err(why) = edit.make(state) {
            state.scripts.trouble.push(format!("{told}: {why}"));
        }
    }
}

fn one() -> u64 {
    1
}

// The signature is what serde calls.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_one(number: &u64) -> bool {
    *number == 1
}
