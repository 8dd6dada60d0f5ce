//! Plans as JSON: how they are printed and saved, read back, and described by a schema.
//!
//! Invariant: a plan of a form that this charter does not know is refused before anything of it is used.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::clean::clean_json;
use crate::{
    apply::journal::{self, Record},
    config::{is_section, schema::SCHEMAS},
    plan::{Plan, step::FORMAT_VERSION},
};

/// The property of a plan with pseudonyms.
const REDACTED: &str = "redacted";

/// A value as JSON, fit for a terminal.
///
/// # Errors
/// If the value cannot be JSON: a map with keys that are no strings.
pub fn json<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    let text = serde_json::to_string_pretty(value)?;
    let cleaned = match clean_json(&text) {
        Cow::Owned(clean) => Some(clean),
        Cow::Borrowed(_) => None,
    };
    let mut text = cleaned.unwrap_or(text);
    text.push('\n');
    Ok(text)
}

/// A redacted plan as JSON: it says that it is one, so that nobody applies it.
///
/// # Errors
/// As [`json()`].
pub fn redacted_plan(plan: &Plan) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Redacted<'a> {
        redacted: bool,
        #[serde(flatten)]
        plan: &'a Plan,
    }
    json(&Redacted { redacted: true, plan })
}

/// Why a text is not a plan to be used.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// It is no JSON, or JSON of something else.
    #[error("it is no saved plan: {0}")]
    NotPlan(serde_json::Error),
    /// Its form is not known.
    #[error("its format_version is {found}, and this charter reads {FORMAT_VERSION}")]
    Version {
        /// The version of its form.
        found: u64,
    },
    /// Its people are pseudonyms.
    #[error(
        "it was printed with `--redact`: the people in it are pseudonyms, not to be invited or removed"
    )]
    Redacted,
}

impl PlanError {
    /// What to do next.
    pub fn next_step(&self) -> &'static str {
        "make a new plan with `charter plan --out FILE`, by the charter that applies it, and have that one reviewed"
    }
}

/// Whether a text is a saved plan, and no files of an organization written as JSON: told by its keys, of one that is cut
/// off by its text.
pub fn is_plan(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Head {
        #[serde(default)]
        format_version: Option<serde::de::IgnoredAny>,
    }
    let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    text.starts_with('{')
        && serde_json::from_str::<Head>(text).map_or_else(
            |_| text.contains("\"format_version\""),
            |head| head.format_version.is_some(),
        )
}

/// Whether JSON that is no saved plan may be the files of an organization: it has a section of them at its top.
#[allow(clippy::zero_sized_map_values, reason = "the values are passed over")]
pub fn may_be_files(text: &str) -> bool {
    let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    match serde_json::from_str::<BTreeMap<String, serde::de::IgnoredAny>>(text) {
        Ok(entries) => entries.keys().any(|key| is_section(key)),
        // Mended, it might be.
        Err(_) => ["\"members\"", "\"organization\"", "\"workspaces\""]
            .iter()
            .any(|key| text.contains(key)),
    }
}

/// Whether something is a plan of charter, of whatever version of its form.
pub fn is_any_plan(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Head {
        #[serde(rename = "format_version")]
        _format: u64,
        #[serde(rename = "charter_version")]
        _charter: String,
        #[serde(rename = "created_at")]
        _at: String,
        #[serde(rename = "organization")]
        _organization: serde::de::IgnoredAny,
        #[serde(rename = "steps")]
        _steps: Vec<serde::de::IgnoredAny>,
    }
    bytes.trim_ascii_start().starts_with(b"{") && serde_json::from_slice::<Head>(bytes).is_ok()
}

/// Reads a saved plan.
pub fn read_plan(text: &str) -> Result<Plan, PlanError> {
    #[derive(Deserialize)]
    struct Head {
        format_version: u64,
        #[serde(default)]
        redacted: bool,
    }
    let Head { format_version, redacted } =
        serde_json::from_str(text).map_err(PlanError::NotPlan)?;
    if format_version != u64::from(FORMAT_VERSION) {
        return Err(PlanError::Version { found: format_version });
    }
    if redacted {
        return Err(PlanError::Redacted);
    }
    serde_json::from_str(text).map_err(PlanError::NotPlan)
}

/// The JSON Schema of a saved plan.
pub fn plan_schema() -> Value {
    let mut schema = schema_of::<Plan>("charter plan", "plan.schema.json");
    if let Some(Value::Object(properties)) = schema.pointer_mut("/properties") {
        let redacted = json!({
            "description": "Its people, names and hints are pseudonyms. Such a plan is refused.",
            "type": "boolean",
        });
        properties.insert(REDACTED.to_owned(), redacted);
    }
    only_version(&mut schema, "/properties/format_version", "plan", FORMAT_VERSION);
    schema
}

/// The JSON Schema of one line of a journal.
pub fn journal_schema() -> Value {
    let mut schema = schema_of::<Record>("a line of a charter journal", "journal.schema.json");
    let place = "/$defs/Begin/properties/format_version";
    only_version(&mut schema, place, "journal", journal::FORMAT_VERSION);
    schema
}

/// Says that a form has one version.
fn only_version(schema: &mut Value, place: &str, form: &str, version: u32) {
    if let Some(property) = schema.pointer_mut(place) {
        *property = json!({
            "description": format!("The version of this form. A {form} of another version is refused."),
            "const": version,
        });
    }
}

/// The schema of one of charter's own forms.
pub fn schema_of<T: JsonSchema>(title: &str, file: &str) -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    plain(&mut schema);
    if let Some(Value::Object(definitions)) = schema.get_mut("$defs") {
        for (name, definition) in definitions {
            definition["title"] = titled(name).into();
        }
    }
    if let Value::Object(map) = &mut schema {
        map.insert("title".to_owned(), title.into());
        map.insert("$id".to_owned(), format!("{SCHEMAS}:{file}").into());
    }
    schema
}

/// Leaves only the formats that the standard knows: strict validators refuse a schema with any other.
fn plain(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            let known = ["date", "date-time"];
            let format = map.get("format").and_then(Value::as_str);
            if format.is_some_and(|format| !known.contains(&format)) {
                map.remove("format");
            }
            map.values_mut().for_each(plain);
        }
        Value::Array(list) => list.iter_mut().for_each(plain),
        _ => {}
    }
}

/// The name of a type in words: `AccessChange` is `access change`.
fn titled(name: &str) -> String {
    let mut title = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !title.is_empty() {
            title.push(' ');
        }
        title.extend(letter.to_lowercase());
    }
    title
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{empty, full};

    #[test]
    fn a_plan_reads_back_as_it_was() {
        for plan in [empty(), full()] {
            let text = json(&plan).unwrap();
            assert_eq!(read_plan(&text).unwrap(), plan);
            assert_eq!(json(&read_plan(&text).unwrap()).unwrap(), text);
            assert!(is_plan(&text));
        }
    }

    #[test]
    fn a_plan_of_another_version_is_refused_by_its_version() {
        let text =
            json(&empty()).unwrap().replacen("\"format_version\": 2", "\"format_version\": 1", 1);
        let error = read_plan(&text).unwrap_err();
        assert_eq!(error.to_string(), "its format_version is 1, and this charter reads 2");
        // Whatever else a newer form holds.
        assert!(matches!(
            read_plan("{\"format_version\": 7}"),
            Err(PlanError::Version { found: 7 })
        ));
    }

    #[test]
    fn a_redacted_plan_is_refused_and_fits_the_schema() {
        let text = redacted_plan(&full()).unwrap();
        assert!(matches!(read_plan(&text), Err(PlanError::Redacted)));
        let validator = jsonschema::validator_for(&plan_schema()).unwrap();
        assert!(validator.is_valid(&serde_json::from_str(&text).unwrap()));
    }

    #[test]
    fn a_charter_file_is_not_taken_for_a_plan() {
        assert!(!is_plan("version: 1\nmembers: {}\n"));
        assert!(!is_plan("{version: 1, members: {}}"));
        assert!(!is_plan("{\"version\": 1, \"members\": {}}"));
        assert!(is_plan("{\"format_version\": 1, \"steps\": ["), "one that was cut off");
    }

    #[test]
    fn every_plan_fits_the_schema() {
        let schema = plan_schema();
        jsonschema::meta::validate(&schema).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        for plan in [empty(), full()] {
            let value = serde_json::to_value(&plan).unwrap();
            let errors: Vec<String> =
                validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert_eq!(errors, Vec::<String>::new());
        }
        assert!(!validator.is_valid(&json!({"format_version": 1})));
    }

    #[test]
    fn the_committed_schema_is_the_one_that_is_printed() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/plan.schema.json");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == json(&plan_schema()).unwrap(),
            "run: cargo run -- schema plan > schema/plan.schema.json"
        );
    }
}
