//! What the files may touch, worked out from the generated model alone.
//!
//! Invariant: knows nothing of how charter plans; every change of the organization is either allowed by a line of the
//! files that is named here, or broken frame. Rules cite product.md.

mod grants;
mod keys;
mod people;
mod workspaces;

use orgcharter::{email::Email, sandbox::State};

use crate::{
    model::files::{Files, Target},
    run::Verdict,
};

/// Compares two states of the organization: only what the files name has changed, and only to what they say.
pub(crate) fn check(files: &Files, before: &State, after: &State) -> Verdict {
    let today = after.now().to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
    let frame = Frame { files, before, after, today };
    frame.users()?;
    frame.invites()?;
    frame.workspaces()?;
    frame.grants()?;
    frame.keys()
}

struct Frame<'a> {
    files: &'a Files,
    before: &'a State,
    after: &'a State,
    today: String,
}

fn canonical(email: &str) -> String {
    Email::lenient(email).canonical().to_string()
}

/// The API refuses to change these (core.md §5.8), so nothing may try.
fn protected(role: &str) -> bool {
    matches!(role, "admin" | "owner" | "primary_owner" | "membership_admin")
}

/// No grant adds to what these have, and none is touched.
fn inherits_all(role: &str) -> bool {
    matches!(role, "admin" | "owner" | "primary_owner")
}

impl Frame<'_> {
    fn ignored(&self, target: Target, name: &str) -> bool {
        self.files.manage.ignore.iter().any(|entry| entry.covers(target, name))
    }
}
