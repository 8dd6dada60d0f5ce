//! What ends within 14 days: entries with `until`, invites that wait, keys, and ignores.
//!
//! Invariant: what has ended already is a step, not a forecast, and so is what the plan itself ends.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use super::step::{Expiring, ExpiringKind, Step};
use crate::{
    address::Address,
    resource::{Change, Desired, KeyStatus, Phase, Snapshot, Spec},
};

/// How far ahead is looked.
const DAYS: i64 = 14;

/// Everything that ends soon, by day, unless a ready step ends it now.
pub fn expiring(
    desired: &Desired,
    live: &Snapshot,
    steps: &[Step],
    now: Timestamp,
) -> Vec<Expiring> {
    let today = day(now);
    let last =
        day(now.checked_add(SignedDuration::from_hours(24 * DAYS)).unwrap_or(Timestamp::MAX));
    let soon = |date: Date| date >= today && date <= last;
    let ended = ended(steps);
    let mut out = Vec::new();
    for (address, object) in &desired.objects {
        let Some(source) = &object.source else { continue };
        if let Some(on) = source.until.filter(|date| soon(*date)) {
            let at = Some(source.span.clone());
            out.push(Expiring { on, what: address.to_string(), end: ExpiringKind::Until, at });
        }
    }
    for (address, object) in live {
        let (end, time) = match &object.spec {
            Spec::Member(_) if object.phase() == Some(Phase::Pending) => {
                let invites = object.member_facts().map(|facts| facts.pending.as_slice());
                let Some(invite) = invites.unwrap_or_default().first() else { continue };
                (ExpiringKind::Invite, invite.expires_at)
            }
            Spec::ApiKey(key) if key.status == Some(KeyStatus::Active) => {
                let Some(time) = object.key_facts().and_then(|facts| facts.expires_at) else {
                    continue;
                };
                (ExpiringKind::Key, time)
            }
            _ => continue,
        };
        let on = day(time);
        if soon(on) && !ended.contains(address) {
            let listed = desired.objects.get(address).and_then(|object| object.source.as_ref());
            let at = listed.map(|source| source.span.clone());
            out.push(Expiring { on, what: address.to_string(), end, at });
        }
    }
    for ignore in &desired.scope.ignore {
        if let Some(on) = ignore.until.filter(|date| soon(*date)) {
            let what = ignore.pattern.glob().to_owned();
            let at = Some(ignore.span.clone());
            out.push(Expiring { on, what, end: ExpiringKind::Ignore, at });
        }
    }
    out.sort();
    out
}

/// Invites that ready steps withdraw or send anew, and keys that they switch off.
fn ended(steps: &[Step]) -> BTreeSet<&Address> {
    let ends = |step: &&Step| match &step.change {
        Change::Remove { .. } | Change::Replace { .. } => true,
        Change::Update { after, .. } => match &after.spec {
            Spec::ApiKey(key) => key.status != Some(KeyStatus::Active),
            _ => false,
        },
        Change::Create { .. } => false,
    };
    let ready = steps.iter().filter(|step| step.disposition.is_ready());
    ready.filter(ends).map(|step| &step.address).collect()
}

fn day(time: Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}
