//! The built-in rules.
//!
//! Invariant: a rule is judged only where what it is about is known; else it says what is not.

mod people;
mod things;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use self::{
    people::{admins, contractors, email_domains, invite_age, separation},
    things::{key_age, names, tags, workspace_admins},
};
use super::{Found, state::State};
use crate::config::document::{Text, policy::Demand};

type Judged = Result<(), &'static str>;

/// Judges one rule. `Err`: what it is about is not known.
pub(super) fn judge(demand: &Demand, state: &State, found: &mut Vec<Found>) -> Judged {
    match demand {
        Demand::Admins { least, most, only } => {
            admins(least.as_ref(), most.as_ref(), only.as_deref(), state, found)
        }
        Demand::EmailDomains { roles, domains } => email_domains(roles, domains, state, found),
        Demand::WorkspaceAdmins { workspaces, least, inherited } => {
            workspace_admins(workspaces, *least, *inherited, state, found)
        }
        Demand::Separation { one, other } => separation(one, other, state, found),
        Demand::Contractors { people, days } => {
            contractors(people, days.as_ref().map(|days| days.value), state, found)
        }
        Demand::KeyAge { api_keys, days } => key_age(api_keys, days.value, state, found),
        Demand::InviteAge { days } => invite_age(days.value, state, found),
        Demand::Names { of, patterns } => names(*of, patterns, state, found),
        Demand::Tags { workspaces, required } => tags(workspaces, required, state, found),
        // Judged elsewhere.
        Demand::Custom(_) => Ok(()),
    }
}

/// Patterns as one; none match everything.
fn set(patterns: &[Text]) -> GlobSet {
    globs(patterns, false)
}

/// The same over addresses, whose case does not count.
fn people_set(patterns: &[Text]) -> GlobSet {
    globs(patterns, true)
}

fn globs(patterns: &[Text], any_case: bool) -> GlobSet {
    let mut builder = GlobSetBuilder::new();
    let all = if patterns.is_empty() { Some("*") } else { None };
    for pattern in patterns.iter().map(|pattern| &*pattern.value).chain(all) {
        // The decoder refused the others.
        if let Ok(glob) = GlobBuilder::new(pattern).case_insensitive(any_case).build() {
            builder.add(glob);
        }
    }
    builder.build().unwrap_or_else(|_| GlobSet::empty())
}

fn shown(patterns: &[Text]) -> String {
    patterns.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ")
}
