//! Compares two snapshots. It has no options: what is not managed was made equal before.
//!
//! Invariant: an object that is in both with equal fields gives no change, and every other one gives exactly one.

use std::sync::Arc;

use serde_json::Value;

use crate::{
    address::Address,
    resource::{Change, FieldChange, Object, Snapshot, snapshot::Beside},
};

/// The changes from `live` to `after`, in apply order of their addresses.
pub fn diff(live: &Snapshot, after: &Snapshot) -> Vec<(Address, Change)> {
    let change = |(address, before, after): Beside<'_>| {
        let change = match (before, after) {
            (Some(before), Some(after)) => compare(before, after)?,
            (Some(before), None) => Change::Remove { before: Arc::clone(before) },
            (None, after) => Change::Create { after: Arc::clone(after?) },
        };
        Some((address.clone(), change))
    };
    live.beside(after).filter_map(change).collect()
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
