//! The fields of an object and what changes in them, as the files would write them.
//!
//! Invariant: a value that is empty or begins or ends with blanks is quoted, so that it can be seen.

use serde_json::Value;

use crate::resource::{FieldChange, Object, Spec, member::group_list};

/// The groups that an invite keeps of one that lapsed.
pub(super) fn given_groups(object: &Object) -> Vec<String> {
    match &object.spec {
        Spec::Member(member) if !member.groups.is_empty() => {
            vec![format!("with {} of the invite that lapsed", group_list(&member.groups))]
        }
        _ => Vec::new(),
    }
}

pub(super) fn set_fields(object: &Object) -> Vec<String> {
    object
        .spec
        .resource()
        .fields()
        .into_iter()
        .filter(|(field, value)| field != "name" && !value.is_null())
        .map(|(field, value)| format!("{field}: {}", shown(&value)))
        .collect()
}

pub(super) fn field_change(change: &FieldChange) -> String {
    let FieldChange { field, before, after } = change;
    format!("{field}: {} -> {}", shown(before), shown(after))
}

/// A value as the files would write it.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "(not set)".to_owned(),
        Value::String(text) if text.is_empty() || text.trim() != text => format!("{text:?}"),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
