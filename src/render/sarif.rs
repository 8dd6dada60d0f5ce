//! Findings and steps as SARIF 2.1.0, for code scanning and for editors.
//!
//! Invariant: the same review gives the same bytes, and they hold to the published schema and to what code scanning
//! requires: each result has a location, and a fingerprint that no other result has. Text from elsewhere stands in
//! strings only, and no message is Markdown.

mod rules;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::{Value, json};

use super::{
    clean::{
        clean,
        markup::{shortened, uri},
    },
    places::Places,
    review::{PASSED, Review, Standing, rule_change},
};
use crate::diagnostic::{Severity, Sources, Span};

/// Results in one run: code scanning takes 25,000.
const MOST: usize = 20_000;
/// The longest fingerprint.
const PRINT: usize = 300;
/// The longest message.
const LONGEST: usize = 2_000;

/// One thing to show.
struct Found<'a> {
    rule: String,
    level: &'static str,
    text: String,
    at: Option<&'a Span>,
    related: Vec<(&'a Span, String)>,
    /// What it is about, whatever its words are.
    print: String,
}

/// The report.
pub fn sarif(review: &Review<'_>, sources: &Sources, places: &Places) -> Value {
    let all = all(review);
    let mut rules: BTreeMap<&str, &'static str> = BTreeMap::new();
    for found in &all {
        rules.entry(&found.rule).or_insert(found.level);
    }
    let index: BTreeMap<&str, usize> =
        rules.keys().enumerate().map(|(index, rule)| (*rule, index)).collect();
    let left_out = all.len().saturating_sub(MOST);
    let mut prints = BTreeSet::new();
    let results: Vec<Value> = all
        .iter()
        .take(MOST)
        .map(|found| {
            let print = unique(&found.print, &mut prints);
            result(found, &print, index[&*found.rule], sources, places)
        })
        .collect();
    let rules: Vec<Value> = rules.into_iter().map(|(id, level)| rules::rule(id, level)).collect();
    let mut run = json!({
        "tool": {"driver": {
            "name": "charter",
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": rules,
        }},
        "automationDetails": {"id": format!("charter/{}/", review.command)},
        "columnKind": "unicodeCodePoints",
        "results": results,
    });
    if left_out > 0 {
        run["properties"] = json!({"resultsLeftOut": left_out});
    }
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    })
}

fn all<'a>(review: &'a Review<'_>) -> Vec<Found<'a>> {
    let mut all = Vec::new();
    if let Some(passed) = &review.passed {
        all.push(Found {
            rule: PASSED.to_owned(),
            level: "warning",
            text: passed.clone(),
            at: None,
            related: Vec::new(),
            print: passed.clone(),
        });
    }
    for finding in &review.findings {
        let help = finding.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        all.push(Found {
            rule: finding.code.to_string(),
            level: match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            },
            text: format!("{}{help}", finding.message),
            at: finding.span.as_ref(),
            related: finding.related.iter().map(|(span, words)| (span, words.clone())).collect(),
            print: format!("{} {}", finding.code, finding.message),
        });
    }
    for rule in review.rules.iter() {
        all.push(Found {
            rule: "files/rule-change".to_owned(),
            level: "warning",
            text: rule_change(rule),
            at: rule.at.as_ref(),
            related: Vec::new(),
            print: rule.rule.clone(),
        });
    }
    let losses = review.losses().into_iter();
    let others = review.entries.iter().filter(|entry| entry.loss.is_none());
    for entry in losses.chain(others) {
        let level = match (entry.standing, entry.loss) {
            (Standing::Ready, Some(_)) | (Standing::Held | Standing::Manual, _) => "warning",
            (Standing::Ready, None) | (Standing::Deferred, _) => "note",
        };
        all.push(Found {
            rule: format!("step/{}", entry.word().replace(' ', "-")),
            level,
            text: entry.sentence(),
            at: entry.at,
            related: Vec::new(),
            print: format!("{} {}", entry.word(), entry.address),
        });
    }
    all
}

/// The fingerprint of a result; of those that would have the same, all but the first are numbered.
fn unique(print: &str, taken: &mut BTreeSet<String>) -> String {
    let print = clean(&shortened(print, PRINT)).into_owned();
    let mut numbered = print.clone();
    let mut count = 1;
    while !taken.insert(numbered.clone()) {
        count += 1;
        numbered = format!("{print} ({count})");
    }
    numbered
}

fn result(
    found: &Found<'_>,
    print: &str,
    index: usize,
    sources: &Sources,
    places: &Places,
) -> Value {
    let Found { rule, level, text, at, related, print: _ } = found;
    let location_of = |at: Option<&Span>| {
        at.map_or_else(|| artifact(&places.default_path()), |span| location(span, sources, places))
    };
    let mut result = json!({
        "ruleId": rule,
        "ruleIndex": index,
        "level": level,
        "message": message(&with_revision(text, *at, places)),
        "partialFingerprints": {"charter/v1": print},
        "locations": [location_of(*at)],
    });
    if !related.is_empty() {
        result["relatedLocations"] = related
            .iter()
            .map(|(span, words)| {
                let mut location = location(span, sources, places);
                location["message"] = message(&with_revision(words, Some(span), places));
                location
            })
            .collect();
    }
    result
}

/// The text; for a place in another revision with that place, which the location does not tell.
fn with_revision<'t>(text: &'t str, at: Option<&Span>, places: &Places) -> Cow<'t, str> {
    match at.filter(|span| places.revision(&span.file).is_some()) {
        Some(span) => {
            Cow::Owned(format!("{} (at {})", shortened(text, LONGEST), places.shown(span)))
        }
        None => Cow::Borrowed(text),
    }
}

/// A message in plain text. What a reader could take for a link or a placeholder is escaped, as the standard says;
/// other brackets stay as they are, since not every reader knows the escapes.
fn message(text: &str) -> Value {
    let mut text = clean(&shortened(text, LONGEST)).into_owned();
    if text.contains("](") {
        text = text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]");
    }
    let placeholder =
        |(at, _): (usize, &str)| text[at + 1..].starts_with(|letter: char| letter.is_ascii_digit());
    if text.match_indices('{').any(placeholder) {
        text = text.replace('{', "{{").replace('}', "}}");
    }
    json!({"text": text})
}

fn location(span: &Span, sources: &Sources, places: &Places) -> Value {
    let Span { file, line: _, column, bytes } = span;
    let mut location = artifact(&places.path(file));
    let Some(line) = places.line(span) else { return location };
    let mut region = json!({"startLine": line.max(1), "startColumn": column.max(&1)});
    // Where the text is known, the region reaches as far as what is meant, and not beyond its line.
    let text = sources.text(file).and_then(|text| text.get(bytes.0 as usize..bytes.1 as usize));
    if let Some(text) = text
        && let Some(first) = text.lines().next()
        && !first.is_empty()
    {
        let letters = u32::try_from(first.chars().count()).unwrap_or(1);
        region["endColumn"] = json!(column.max(&1).saturating_add(letters));
    }
    location["physicalLocation"]["region"] = region;
    location
}

/// A file as a location, by its path in the repository or, outside of it, on this machine.
fn artifact(path: &str) -> Value {
    let artifact = if path.starts_with('/') {
        json!({"uri": format!("file://{}", uri(path))})
    } else {
        json!({"uri": uri(path), "uriBaseId": "%SRCROOT%"})
    };
    json!({"physicalLocation": {"artifactLocation": artifact}})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        diagnostic::Diagnostic,
        render::{
            json::json as printed,
            sample::{empty, full, span},
        },
    };

    fn faults(report: &Value) -> Vec<String> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/sarif-2.1.0.json");
        let mut schema: Value =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        // One pattern of the published schema is no regular expression; no report here has that property.
        for of in ["run", "toolComponent"] {
            let language = format!("/definitions/{of}/properties/language");
            let language = schema.pointer_mut(&language).unwrap();
            language.as_object_mut().unwrap().remove("pattern").unwrap();
        }
        let validator = jsonschema::validator_for(&schema).unwrap();
        validator.iter_errors(report).map(|error| error.to_string()).collect()
    }

    #[test]
    fn every_report_holds_to_the_published_schema() {
        for plan in [empty(), full()] {
            let report =
                sarif(&Review::of_plan("plan", &plan), &Sources::default(), &Places::default());
            assert_eq!(faults(&report), Vec::<String>::new());
        }
        let mut broken = sarif(&Review::default(), &Sources::default(), &Places::default());
        broken["runs"][0]["results"] = json!([{"ruleId": 3}]);
        assert_ne!(faults(&broken), Vec::<String>::new());
    }

    #[test]
    fn a_finding_has_its_region_and_related_places() {
        let mut place = span(3);
        place.bytes = (11, 13);
        let sources = Sources([("charter.yaml".into(), "members:\n  é: [admi]\n".into())].into());
        let finding = Diagnostic::error("config/unknown-role", "unknown role `[x](y) {0}`")
            .at(&place)
            .with(&span(9), "first here")
            .help("did you mean `admin`?");
        let found = [finding];
        let report = sarif(&Review::of_findings("validate", &found), &sources, &Places::default());
        assert_eq!(faults(&report), Vec::<String>::new());
        insta::assert_snapshot!(printed(&report["runs"][0]["results"]).unwrap(), @r#"
        [
          {
            "level": "error",
            "locations": [
              {
                "physicalLocation": {
                  "artifactLocation": {
                    "uri": "charter.yaml",
                    "uriBaseId": "%SRCROOT%"
                  },
                  "region": {
                    "endColumn": 4,
                    "startColumn": 3,
                    "startLine": 3
                  }
                }
              }
            ],
            "message": {
              "text": "unknown role `\\[x\\](y) {{0}}`; did you mean `admin`?"
            },
            "partialFingerprints": {
              "charter/v1": "config/unknown-role unknown role `[x](y) {0}`"
            },
            "relatedLocations": [
              {
                "message": {
                  "text": "first here"
                },
                "physicalLocation": {
                  "artifactLocation": {
                    "uri": "charter.yaml",
                    "uriBaseId": "%SRCROOT%"
                  },
                  "region": {
                    "startColumn": 3,
                    "startLine": 9
                  }
                }
              }
            ],
            "ruleId": "config/unknown-role",
            "ruleIndex": 0
          }
        ]
        "#);
    }
}
