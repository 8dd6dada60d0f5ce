//! The JSON Schemas of one charter file and of a fleet file, for editors: made from the tables that the decoder works
//! from.
//!
//! Invariant: the schema accepts every file that charter accepts; what it cannot say is left to charter.

use serde_json::{Map, Value, json};

use super::shape::{FILE, FLEET, Form, Need, Record, meaning};

/// What the schemas are called, before the name of each: a name, and no place to fetch them from.
pub const SCHEMAS: &str = "urn:orgcharter:schema";

/// The JSON Schema (draft 2020-12) of one charter file.
pub fn schema() -> Value {
    let mut file = document(&FILE, "charter file", "charter.schema.json");
    let Value::Object(root) = &mut file else { return file };
    // The files of a folder share one schema: what only the root file may hold comes with its version.
    let with_version: Map<String, Value> = FILE
        .fields
        .iter()
        .filter(|field| field.need == Need::Root && field.key != "version")
        .map(|field| (field.key.to_owned(), json!(["version"])))
        .collect();
    root.insert("dependentRequired".to_owned(), Value::Object(with_version));
    root.insert("minProperties".to_owned(), json!(1));
    file
}

/// The JSON Schema (draft 2020-12) of a fleet file.
pub fn fleet_schema() -> Value {
    document(&FLEET, "charter fleet", "fleet.schema.json")
}

fn document(what: &Record, title: &str, name: &str) -> Value {
    let mut definitions = Map::new();
    let mut file = record(what, &mut definitions);
    let Value::Object(root) = &mut file else { return file };
    root.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    root.insert("$id".to_owned(), json!(format!("{SCHEMAS}:{name}")));
    root.insert("title".to_owned(), json!(title));
    root.insert("$defs".to_owned(), Value::Object(definitions));
    file
}

/// A map with fixed keys.
fn record(record: &Record, definitions: &mut Map<String, Value>) -> Value {
    let fields = || record.fields.iter();
    let properties: Map<String, Value> = fields()
        .map(|field| {
            let mut value = form(field.form, definitions);
            if let Value::Object(value) = &mut value {
                value.insert("description".to_owned(), json!(field.about));
            }
            (field.key.to_owned(), value)
        })
        .collect();
    let required: Vec<_> =
        fields().filter(|field| field.need == Need::Required).map(|field| field.key).collect();
    let mut value = json!({
        // Editors show the nearest title above a key: that of the file says nothing.
        "title": record.name.replace('_', " "),
        "description": record.about,
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if let (Value::Object(value), false) = (&mut value, required.is_empty()) {
        value.insert("required".to_owned(), json!(required));
    }
    value
}

fn form(what: Form, definitions: &mut Map<String, Value>) -> Value {
    match what {
        Form::Number(number) => json!({"const": number}),
        Form::Count => json!({"type": "integer", "minimum": 0}),
        Form::Date => json!({
            "type": "string",
            "format": "date",
            "pattern": "^(20[2-9][0-9]|2100)-[0-9]{2}-[0-9]{2}$",
        }),
        // Not `enum`: each word has a text of its own.
        Form::Word(words) => {
            let word = |word: &'static str| json!({"const": word, "description": meaning(word)});
            json!({"anyOf": words().into_iter().map(word).collect::<Vec<_>>()})
        }
        Form::Text { pattern, max } => text(pattern, max),
        Form::TextBut { pattern, never, max } => {
            let mut value = text(pattern, max);
            value["not"] = json!({"type": "string", "pattern": never});
            value
        }
        Form::List(items) => json!({"type": "array", "items": form(*items, definitions)}),
        Form::Map { keys, values } => json!({
            "type": "object",
            "propertyNames": form(*keys, definitions),
            "additionalProperties": form(*values, definitions),
        }),
        Form::Record(fields) => {
            if !definitions.contains_key(fields.name) {
                // The name is taken first, so that a record could hold itself.
                definitions.insert(fields.name.to_owned(), Value::Null);
                let definition = record(fields, definitions);
                definitions.insert(fields.name.to_owned(), definition);
            }
            json!({"$ref": format!("#/$defs/{}", fields.name)})
        }
        Form::Either(forms) => {
            let any: Vec<_> = forms.iter().map(|one| form(*one, definitions)).collect();
            json!({"anyOf": any})
        }
        Form::Truth => json!({"type": "boolean"}),
    }
}

fn text(pattern: &str, max: usize) -> Value {
    let mut value = json!({"type": "string", "pattern": pattern});
    if max < usize::MAX {
        value["maxLength"] = json!(max);
    }
    value
}
