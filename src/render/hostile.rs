//! The law of all renderers: whatever text comes from the organization or the files, it changes no more than itself.
//!
//! Invariant: every format is read by somebody else's parser, or line by line, and must have the same shape as with a
//! harmless text in all the same places.

use proptest::prelude::*;
use pulldown_cmark::{CodeBlockKind, Event, Options as Extensions, Parser, Tag};
use serde_json::Value;

use super::{
    clean::clean,
    github::annotations,
    json::json,
    junit::{Fails, junit},
    markdown::{COMMENT, markdown},
    places::Places,
    redact::Redactor,
    review::{Review, Standing},
    sample::{full, held, span},
    sarif::sarif,
    text::{self, Options},
};
use crate::{
    diagnostic::{Diagnostic, Sources},
    plan::{Plan, compare::Compared, rules::RuleChange},
    secret::Secret,
};

/// What the sample says in our own words, or what decides its shape.
const OURS: [&str; 12] = [
    "kind",
    "verb",
    "disposition",
    "cause",
    "stage",
    "fact",
    "phase",
    "method",
    "resend",
    "budget",
    "guard",
    "reach",
];
/// Properties whose values are no text.
const TYPED: [&str; 14] = [
    "planned_at",
    "id",
    "code",
    "severity",
    "end",
    "on",
    "until",
    "expires_at",
    "created_at",
    "added_at",
    "status",
    "field",
    "display_color",
    "place",
];

/// The sample with this text wherever a text can come from elsewhere.
fn plan(text: &str) -> Plan {
    let mut plan = full();
    plan.notes = findings(text);
    held(&mut plan, text, &rules(text));
    let mut value = serde_json::to_value(&plan).unwrap();
    infect(&mut value, text);
    serde_json::from_value(value).unwrap()
}

fn infect(value: &mut Value, text: &str) {
    match value {
        Value::Object(map) => {
            let tags = map.remove("tags");
            for (key, value) in map.iter_mut() {
                match value {
                    _ if OURS.contains(&&**key) => {}
                    Value::String(_) if TYPED.contains(&&**key) => {}
                    // An absolute path has another shape by right.
                    Value::String(old) if key == "file" => *old = format!("a{text}"),
                    Value::String(old) => text.clone_into(old),
                    _ => infect(value, text),
                }
            }
            if let Some(tags) = tags {
                let one = [(text.to_owned(), Value::from(text))];
                let tags = tags.as_object().map(|_| Value::Object(one.into_iter().collect()));
                map.insert("tags".to_owned(), tags.unwrap_or_default());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| match item {
            Value::String(old) => text.clone_into(old),
            item => infect(item, text),
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn rules(text: &str) -> Vec<RuleChange> {
    let mut place = span(3);
    place.file = format!("a{text}").into();
    let some = || Some(text.to_owned());
    let rule = RuleChange {
        rule: text.to_owned(),
        before: some(),
        after: some(),
        effect: some(),
        at: Some(place),
    };
    vec![rule]
}

fn findings(text: &str) -> Vec<Diagnostic> {
    let mut place = span(3);
    place.file = format!("a{text}").into();
    let message = format!("`{text}` is wrong");
    [
        Diagnostic::error("config/x", message.clone()).at(&place),
        Diagnostic::warning("config/y", message).with(&place, text).help(text),
        Diagnostic::note("config/z", text),
    ]
    .into()
}

fn places() -> Places {
    let repository = "/work/repo".to_owned();
    Places { here: repository.clone(), root: repository, ..Places::default() }
}

/// What is printed, and what a reader makes of it.
struct Shown {
    raw: Vec<String>,
    shape: Vec<String>,
}

fn shown(hostile: &str) -> Shown {
    let mut raw = Vec::new();
    let mut shape = Vec::new();
    let plan = plan(hostile);
    let rules = rules(hostile);
    let found = findings(hostile);
    let compared = Compared { access: plan.access.clone(), ..Compared::default() };
    let sources = Sources::default();
    let reviews = [
        Review::of_plan("plan", &plan),
        Review::of_diff(&rules, &compared, &found),
        Review::of_findings("validate", &found),
    ];
    for review in &reviews {
        let text = markdown(review, COMMENT);
        shape.push(format!("{} comments", text.matches("<!--").count()));
        shape.extend(markdown_shape(&text));
        raw.push(text);
        let text = annotations(review, &places());
        shape.extend(text.lines().map(command_shape));
        raw.push(text);
        let text = json(&sarif(review, &sources, &places())).unwrap();
        shape.push(json_shape(&serde_json::from_str(&text).unwrap()));
        raw.push(text);
        let fails = Fails { standings: vec![Standing::Ready], ..Fails::default() };
        let text = junit(review, &fails, &places());
        shape.push(xml_shape(roxmltree::Document::parse(&text).unwrap().root_element()));
        raw.push(text);
    }
    let text = json(&plan).unwrap();
    shape.push(json_shape(&serde_json::from_str(&text).unwrap()));
    raw.push(text);
    let wide = Options { width: usize::MAX, calls: true, ..Default::default() };
    for text in [
        text::plan(&plan, wide),
        super::diff::diff(&rules, &compared, wide),
        super::diagnostics::diagnostics(&found, &sources, usize::MAX),
    ] {
        let text = anstream::adapter::strip_str(&text).to_string();
        shape.push(format!("{} lines", text.lines().count()));
        raw.push(text);
    }
    // With lines that break, any word may come to stand first.
    for width in [40, 80] {
        let text = text::plan(&plan, Options { width, calls: true, ..Default::default() });
        raw.push(anstream::adapter::strip_str(&text).to_string());
    }
    Shown { raw, shape }
}

/// All that a reader of Markdown sees but what stands in code; of code, how many lines it has and where each starts.
fn markdown_shape(text: &str) -> Vec<String> {
    let mut shape = Vec::new();
    let mut in_code = false;
    for event in Parser::new_ext(text, Extensions::all()) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                in_code = true;
                shape.push(format!("code {language}"));
            }
            Event::End(pulldown_cmark::TagEnd::CodeBlock) => in_code = false,
            Event::Text(code) if in_code => {
                shape.extend(code.lines().map(|line| line.chars().take(2).collect()));
            }
            Event::Code(_) => shape.push("a span of code".to_owned()),
            event => shape.push(format!("{event:?}")),
        }
    }
    shape
}

/// The word and the properties of a command, as a runner takes them apart.
fn command_shape(line: &str) -> String {
    let (head, _) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
    let (word, properties) = head.split_once(' ').unwrap();
    let properties: Vec<&str> = properties
        .split(',')
        .map(|property| match property.split_once('=') {
            Some(("line" | "col", number)) => number,
            Some((name, _)) => name,
            None => property,
        })
        .collect();
    format!("{word} {}", properties.join(" "))
}

fn json_shape(value: &Value) -> String {
    match value {
        Value::String(_) => "text".to_owned(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(json_shape).collect::<Vec<_>>().join(","))
        }
        Value::Object(map) => {
            format!("{{{}}}", map.values().map(json_shape).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

fn xml_shape(node: roxmltree::Node<'_, '_>) -> String {
    let attributes: Vec<&str> = node.attributes().map(|attribute| attribute.name()).collect();
    let children = node.children().filter(|child| !child.is_text()).map(xml_shape);
    format!("<{} {}>{}", node.tag_name().name(), attributes.join(" "), children.collect::<String>())
}

/// What no text that is printed may hold, whoever reads it.
fn harm(text: &str) -> Option<String> {
    for line in text.split('\n') {
        let start = line.trim_start();
        let ours =
            ["::error ", "::warning ", "::notice "].iter().any(|word| start.starts_with(word));
        // The sign of a second place in a finding is no command: nothing ends it.
        let sign = start.starts_with("::: ");
        if start.starts_with("::") && !ours && !sign {
            return Some(format!("a command: {line}"));
        }
        if line.contains("##[") || line.contains("##vso") {
            return Some(format!("an old command: {line}"));
        }
        if clean(&line.replace("::", "")) != line.replace("::", "") {
            return Some(format!("a letter that steers: {line:?}"));
        }
    }
    None
}

/// Texts that mean something to some reader, alone and side by side.
fn hostile() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "\n",
        "\r\n",
        "\t",
        " ",
        "  ",
        "\u{1b}[2J",
        "\u{9b}31m",
        "\u{7}",
        "\u{202e}",
        "\u{2066}",
        "\u{200b}",
        "\u{2028}",
        "\u{85}",
        "\u{feff}",
        "\u{fffe}",
        "\u{0}",
        "::error::",
        "::add-mask::x",
        "::",
        ":",
        "##[group]",
        "##vso[x]",
        "#",
        "%0A",
        "%",
        ",",
        "=",
        "file=x,line=1",
        "]]>",
        "<![CDATA[",
        "</testcase>",
        "<",
        ">",
        "&",
        "&#10;",
        "&lt;",
        "\"",
        "'",
        "`",
        "``",
        "```",
        "```\n",
        "~~~",
        "|",
        "\\|",
        "\\",
        "*",
        "**",
        "_",
        "[x](y)",
        "![x](y)",
        "](1)",
        "[",
        "]",
        "{0}",
        "{",
        "}",
        "<!--",
        "-->",
        "<!-- charter:plan -->",
        "</details>",
        "<script>",
        "@acme",
        "@@",
        "http://x.example",
        "- ",
        "+ ",
        "! ",
        "# ",
        "> ",
        "1. ",
        "/close",
        "$x$",
        "a",
        "plan: nothing to do",
        "Ü",
        "工程",
        "🚀",
    ]);
    prop::collection::vec(token, 1..7).prop_map(|tokens| tokens.concat())
}

fn judge(text: &str, harmless: &Shown) -> Result<(), TestCaseError> {
    let shown = shown(text);
    for raw in &shown.raw {
        prop_assert_eq!(harm(raw), None);
    }
    for (at, (found, wanted)) in shown.shape.iter().zip(&harmless.shape).enumerate() {
        prop_assert_eq!(
            found,
            wanted,
            "at {} after {:?}",
            at,
            &shown.shape[at.saturating_sub(3)..at]
        );
    }
    prop_assert_eq!(shown.shape.len(), harmless.shape.len());
    Ok(())
}

#[test]
fn no_text_from_elsewhere_changes_the_shape_of_any_format() {
    let harmless = shown("x");
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(96));
    runner
        .run(&hostile().prop_filter("some text", |text| !text.trim().is_empty()), |text| {
            judge(&text, &harmless)
        })
        .unwrap();
}

#[test]
fn no_redacted_text_does_either() {
    let text = "::error::`\n</details>@acme.com";
    let mut redactor = Redactor::new(&Secret::new("sixteen bytes or so".into())).unwrap();
    let hidden = redactor.plan(&plan(text));
    let review = Review::of_plan("plan", &hidden);
    for raw in [markdown(&review, COMMENT), annotations(&review, &places())] {
        assert_eq!(harm(&raw), None);
    }
}
