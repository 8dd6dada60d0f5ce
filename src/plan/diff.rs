//! Compares two snapshots. It has no options: what is not managed was made equal before.
//!
//! Invariant: an object that is in both with equal fields gives no change, and every other one gives exactly one.

use std::sync::Arc;

use serde_json::Value;

use crate::{
    address::Address,
    resource::{Change, FieldChange, Object, Snapshot},
};

/// The changes from `live` to `after`, in apply order of their addresses.
pub fn diff(live: &Snapshot, after: &Snapshot) -> Vec<(Address, Change)> {
    let mut changes = Vec::new();
    let (mut left, mut right) = (live.iter().peekable(), after.iter().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => return changes,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some((l, _)), Some((r, _))) => l.cmp(r),
        };
        let (before, wanted) = match order {
            std::cmp::Ordering::Less => (left.next(), None),
            std::cmp::Ordering::Greater => (None, right.next()),
            std::cmp::Ordering::Equal => (left.next(), right.next()),
        };
        match (before, wanted) {
            (Some((address, before)), Some((_, after))) => {
                if let Some(change) = compare(before, after) {
                    changes.push((address.clone(), change));
                }
            }
            (Some((address, before)), None) => {
                changes.push((address.clone(), Change::Remove { before: Arc::clone(before) }));
            }
            (None, Some((address, after))) => {
                changes.push((address.clone(), Change::Create { after: Arc::clone(after) }));
            }
            (None, None) => {}
        }
    }
}

fn compare(before: &Arc<Object>, after: &Arc<Object>) -> Option<Change> {
    if before.spec == after.spec {
        return None;
    }
    let fields = differing(&before.spec.resource().fields(), &after.spec.resource().fields());
    if fields.is_empty() {
        return None;
    }
    let (before, after) = (Arc::clone(before), Arc::clone(after));
    Some(if after.spec.resource().replaced_by(&before, &fields) {
        Change::Replace { before, after, fields }
    } else {
        Change::Update { before, after, fields }
    })
}

/// The fields that differ between two field lists; a field that one side lacks is null there.
pub fn differing(before: &[(String, Value)], after: &[(String, Value)]) -> Vec<FieldChange> {
    let value = |fields: &[(String, Value)], name: &str| {
        fields.iter().find(|(field, _)| field == name).map_or(Value::Null, |(_, v)| v.clone())
    };
    let mut names: Vec<&String> = before.iter().chain(after).map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .map(|name| FieldChange {
            field: name.clone(),
            before: value(before, name),
            after: value(after, name),
        })
        .filter(|change| change.before != change.after)
        .collect()
}
