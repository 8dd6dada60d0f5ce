//! How long after a write the API does not know a grant everywhere: reads of a single member are cached, and writes may
//! not know a new one.
//!
//! Invariant: without the switches nothing here is seen; the list of members is always fresh.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;

use crate::sandbox::{
    state::State,
    switches::{FreshGrants, MemberCache},
};

/// How long a read of a single member may show what was there before.
const CACHED: Duration = Duration::from_secs(30);
/// How long a new grant may be unknown to writes.
const FRESH: Duration = Duration::from_secs(20);

/// The last write to each grant through the API: when, and the role before it.
#[derive(Clone, Debug, Default)]
pub(super) struct Writes(HashMap<(String, String), (Timestamp, Option<String>)>);

/// Notes that a grant is about to be written.
pub(super) fn note(state: &mut State, workspace: &str, user: &str) {
    let before = state.members.get(workspace, user).map(str::to_owned);
    let now = state.clock.now();
    let key = (workspace.to_owned(), user.to_owned());
    state.members.writes.0.insert(key, (now, before));
}

/// The role before a write; `None`: there was none.
pub(super) type Before<'a> = Option<&'a str>;

/// What was there before a write that is no older than `most`.
fn before<'a>(state: &'a State, workspace: &str, user: &str, most: Duration) -> Option<Before<'a>> {
    let (at, role) = state.members.writes.0.get(&(workspace.to_owned(), user.to_owned()))?;
    let young = state.now().duration_since(*at).unsigned_abs() < most;
    young.then_some(role.as_deref())
}

/// What a read of the single member shows in place of what is there, if the switch says so.
pub(super) fn stale<'a>(state: &'a State, workspace: &str, user: &str) -> Option<Before<'a>> {
    if state.switches.member_cache != MemberCache::Stale {
        return None;
    }
    before(state, workspace, user, CACHED)
}

/// Whether the grant is too new for another write, if the switch says so.
pub(super) fn is_unknown(state: &State, workspace: &str, user: &str) -> bool {
    state.switches.fresh_grants == FreshGrants::Unknown
        && matches!(before(state, workspace, user, FRESH), Some(None))
}
