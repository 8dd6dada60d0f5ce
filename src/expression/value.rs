//! Values of expressions.
//!
//! Invariant: cloning a value never copies what is in it.

use std::{collections::BTreeMap, sync::Arc};

use super::types::Schema;

/// A value.
#[derive(Clone, Debug)]
pub enum Value {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Text; dates are text too, `2027-03-31`.
    Text(Arc<str>),
    /// A list.
    List(Arc<Vec<Value>>),
    /// A map.
    Map(Arc<BTreeMap<Arc<str>, Value>>),
    /// One of the things rules are about.
    Record(Arc<Record>),
}

/// Something with fixed fields.
#[derive(Clone, Debug)]
pub struct Record {
    schema: &'static Schema,
    fields: Vec<Value>,
}

impl Record {
    /// A record whose fields stand in the order of the schema; what is missing is null.
    pub fn new(schema: &'static Schema, mut fields: Vec<Value>) -> Self {
        debug_assert_eq!(fields.len(), schema.fields.len(), "{}", schema.name);
        fields.resize(schema.fields.len(), Value::Null);
        Self { schema, fields }
    }

    /// What it is.
    pub fn schema(&self) -> &'static Schema {
        self.schema
    }

    /// The value of a field that its schema has.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.fields.get(self.schema.position(name)?)
    }
}

impl Value {
    /// A text.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Value::Text(text.into())
    }

    /// Some text, or null.
    pub fn text_or_null(text: Option<impl Into<Arc<str>>>) -> Self {
        text.map_or(Value::Null, |text| Value::Text(text.into()))
    }

    /// A list.
    pub fn list(values: impl IntoIterator<Item = Value>) -> Self {
        Value::List(Arc::new(values.into_iter().collect()))
    }

    /// What it is, for a sentence.
    pub fn noun(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "true or false",
            Value::Int(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Record(record) => record.schema.noun,
        }
    }
}
