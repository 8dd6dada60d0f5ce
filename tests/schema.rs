//! The committed JSON Schema is the one the program prints, and it agrees with the program about files.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its files fails")]

use std::path::Path;

use orgcharter::{
    config::{
        fleet,
        load::load,
        schema::{fleet_schema, schema},
    },
    render::json::{journal_schema, plan_schema},
};

/// Writes the schema anew when `UPDATE_GOLDEN` is set, as the test's message says.
#[test]
fn the_committed_schema_is_the_one_that_is_printed() {
    for (name, schema) in [("charter", schema()), ("fleet", fleet_schema())] {
        let name = format!("schema/{name}.schema.json");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&name);
        let printed = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, &printed).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == printed,
            "{name} is out of date: run `UPDATE_GOLDEN=1 cargo test --test schema`"
        );
    }
}

#[test]
fn the_schema_is_a_valid_schema() {
    jsonschema::meta::validate(&schema()).unwrap();
    jsonschema::meta::validate(&fleet_schema()).unwrap();
}

/// Every schema that charter prints.
fn schemas() -> [(&'static str, serde_json::Value); 4] {
    [
        ("charter", schema()),
        ("fleet", fleet_schema()),
        ("plan", plan_schema()),
        ("journal", journal_schema()),
    ]
}

/// Calls `seen` with every object of a schema.
fn walk(
    value: &serde_json::Value,
    seen: &mut dyn FnMut(&serde_json::Map<String, serde_json::Value>),
) {
    match value {
        serde_json::Value::Object(map) => {
            seen(map);
            map.values().for_each(|value| walk(value, seen));
        }
        serde_json::Value::Array(list) => list.iter().for_each(|value| walk(value, seen)),
        _ => {}
    }
}

/// Validators have the engine of their language: ECMA 262, RE2 (Go), Rust's. None of the three has what is refused here
/// in the same way: look-around, back-references, code points as `\\u`, classes by property.
#[test]
fn patterns_keep_to_what_every_engine_of_regular_expressions_knows() {
    let mut seen = 0;
    for (name, schema) in schemas() {
        walk(&schema, &mut |map| {
            let keys = map.get("patternProperties").and_then(|keys| keys.as_object());
            let patterns = map.get("pattern").and_then(|pattern| pattern.as_str()).into_iter();
            for pattern in patterns.chain(keys.into_iter().flatten().map(|(key, _)| &**key)) {
                seen += 1;
                for refused in ["(?", r"\u", r"\p", r"\P", r"\k", r"\b", r"\z", r"\A", "[["] {
                    assert!(!pattern.contains(refused), "{name}: {refused} in {pattern}");
                }
                let back =
                    (b'1'..=b'9').any(|digit| pattern.contains(&format!("\\{}", digit as char)));
                assert!(!back, "{name}: a back-reference in {pattern}");
                regex::Regex::new(pattern).unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        });
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn every_schema_has_an_id_and_titles_and_only_formats_of_the_standard() {
    for (name, schema) in schemas() {
        let id = schema["$id"].as_str().unwrap();
        assert_eq!(id, format!("urn:orgcharter:schema:{name}.schema.json"));
        for (definition, value) in schema["$defs"].as_object().unwrap() {
            let title = value["title"].as_str().unwrap_or_else(|| panic!("{name}: {definition}"));
            assert!(!title.contains(char::is_uppercase) && !title.contains("charter"), "{title}");
        }
        walk(&schema, &mut |map| {
            if let Some(format) = map.get("format").and_then(|format| format.as_str()) {
                assert!(["date", "date-time"].contains(&format), "{name}: {format}");
            }
            // Of several words, each stands with its text.
            for alternatives in ["anyOf", "oneOf"].iter().filter_map(|key| map.get(*key)) {
                let words = alternatives.as_array().unwrap().iter();
                for word in words.filter(|word| word.get("const").is_some()) {
                    let text = word["description"].as_str().unwrap_or_default();
                    assert!(!text.is_empty(), "{name}: {word} has no text");
                }
            }
        });
    }
}

#[test]
fn the_schema_and_charter_agree_about_a_fleet() {
    let validator = jsonschema::validator_for(&fleet_schema()).unwrap();
    let place = tempfile::TempDir::new().unwrap();
    let id = "3f0c1b1e-0000-4000-8000-000000000000";
    std::fs::create_dir_all(place.path().join("acme")).unwrap();
    let files = format!("version: 1\norganization: {{id: {id}}}\n");
    std::fs::write(place.path().join("acme/charter.yaml"), files).unwrap();
    let path = place.path().join("fleet.yaml");
    for (entry, right) in [
        ("{folder: acme, credential: ACME_KEY}", true),
        ("{folder: ./acme/, credential: _k9}", true),
        ("{folder: ../acme, credential: ACME_KEY}", false),
        ("{folder: acme/.., credential: ACME_KEY}", false),
        ("{folder: /acme, credential: ACME_KEY}", false),
        ("{folder: acme, credential: sk-ant-admin01}", false),
        ("{folder: acme, credential: 9KEY}", false),
        ("{folder: acme}", false),
        ("{folder: acme, credential: ACME_KEY, base_url: x}", false),
    ] {
        let text = format!("version: 1\norganizations:\n  {id}: {entry}\n");
        std::fs::write(&path, &text).unwrap();
        let json = as_json(&path).unwrap();
        assert_eq!(validator.is_valid(&json), right, "{entry}");
        assert_eq!(fleet::load(&path, None).is_ok(), right, "{entry}");
    }
}

fn validator() -> jsonschema::Validator {
    jsonschema::validator_for(&schema()).unwrap()
}

/// A file as JSON, read by another YAML reader than charter's own.
fn as_json(path: &Path) -> Option<serde_json::Value> {
    serde_yaml::from_str(&std::fs::read_to_string(path).ok()?).ok()
}

fn yaml_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return files };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(yaml_files(&path));
        } else if path.extension().is_some_and(|end| end == "yaml" || end == "yml") {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn every_example_that_loads_is_valid_by_the_schema() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let validator = validator();
    let mut seen = 0;
    for entry in std::fs::read_dir(&examples).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // States of a sandbox are not charter files, and broken ones have a test of their own.
        if name == "broken" || name.ends_with(".live.yaml") {
            continue;
        }
        if path.is_dir() && yaml_files(&path).is_empty() {
            continue;
        }
        let Ok(loaded) = load(&path) else { continue };
        // Files of other programs are no parts of it.
        for file in loaded.sources.0.keys().map(|name| Path::new(&**name)) {
            let json = as_json(file).unwrap_or_else(|| panic!("{} is YAML", file.display()));
            let errors: Vec<_> = validator.iter_errors(&json).map(|e| e.to_string()).collect();
            assert!(errors.is_empty(), "{}: {errors:#?}", file.display());
            seen += 1;
        }
    }
    assert!(seen > 0 || !examples.join("minimal.yaml").exists(), "no example was looked at");
}

#[test]
fn the_example_of_the_docs_is_valid_by_the_schema() {
    let docs = include_str!("../docs/files.md");
    let yaml = docs.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let json: serde_json::Value = serde_yaml::from_str(yaml).unwrap();
    let errors: Vec<_> = validator().iter_errors(&json).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

/// What the schema can say as well as charter: keys, types, words and patterns within one file.
const STRUCTURAL: &[&str] = &[
    "config/bad-color",
    "config/bad-date",
    "config/bad-email",
    "config/bad-limit",
    "config/bad-name",
    "config/missing-key",
    "config/null",
    "config/remove-not-offered",
    "config/reserved-tag",
    "config/role-not-grantable",
    "config/too-long",
    "config/unknown-key",
    "config/unknown-role",
    "config/unknown-value",
    "config/version",
    "config/wrong-type",
];

#[test]
fn what_is_wrong_with_the_structure_is_refused_by_the_schema_too() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/broken");
    let validator = validator();
    let mut seen = 0;
    for path in yaml_files(&folder) {
        let Err(rejected) = load(&path) else { continue };
        if !rejected.diagnostics.iter().any(|finding| STRUCTURAL.contains(&&*finding.code)) {
            continue;
        }
        // Members of a folder lack a version by right.
        let part = path.parent() != Some(folder.as_path());
        let Some(json) = as_json(&path).filter(|_| !part) else { continue };
        assert!(!validator.is_valid(&json), "{} is valid by the schema", path.display());
        seen += 1;
    }
    assert!(seen >= 15, "only {seen} files were looked at");
}
