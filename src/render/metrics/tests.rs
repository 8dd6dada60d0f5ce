//! The text form, read by its grammar and not by the code that writes it.
//!
//! Invariant: the reader here knows nothing of charter's families.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// Types by name, and samples.
type Exposed = (BTreeMap<String, String>, Vec<(String, Labels, f64)>);

/// What the exposition format (text, version 0.0.4) makes of a text.
fn read(text: &str) -> Result<Exposed, String> {
    let (mut types, mut samples) = (BTreeMap::new(), Vec::new());
    let (mut helps, mut done, mut current) = (BTreeSet::new(), BTreeSet::new(), String::new());
    if !text.is_empty() && !text.ends_with('\n') {
        return Err("the last line has no end".to_owned());
    }
    for line in text.split_terminator('\n') {
        let wrong = |why: &str| Err(format!("{why}: {line}"));
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            let (sort, name) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
            let rest = words.next().unwrap_or("");
            if !is_name(name, true) {
                return wrong("no name");
            }
            let fresh = match sort {
                "HELP" => helps.insert(name.to_owned()) && unescaped(rest, "\\n").is_some(),
                "TYPE" if !["counter", "gauge"].contains(&rest) => return wrong("no type"),
                "TYPE" => types.insert(name.to_owned(), rest.to_owned()).is_none(),
                _ => return wrong("neither help nor type"),
            };
            // Both come before the samples, and all lines of a family stand together.
            if !fresh || done.contains(name) || (current == name && sort == "HELP") {
                return wrong("out of place");
            }
            if current != name {
                done.insert(std::mem::replace(&mut current, name.to_owned()));
            }
            continue;
        }
        let (name, rest) = line.split_at(line.find(['{', ' ']).unwrap_or(line.len()));
        if !is_name(name, true) || name != current || !types.contains_key(name) {
            return wrong("a sample without its family");
        }
        let mut labels = Labels::new();
        let mut rest = rest;
        if let Some(mut inner) = rest.strip_prefix('{') {
            while !inner.starts_with('}') {
                let (label, after) = inner.split_once('=').ok_or("a label without value")?;
                let after = after.strip_prefix('"').ok_or("a value without quotes")?;
                let mut end = None;
                let mut escape = false;
                for (at, letter) in after.char_indices() {
                    match letter {
                        '"' if !escape => {
                            end = Some(at);
                            break;
                        }
                        letter => escape = letter == '\\' && !escape,
                    }
                }
                let end = end.ok_or("a value that does not end")?;
                let value = unescaped(&after[..end], "\\n\"").ok_or("a wrong escape")?;
                if !is_name(label, false) || labels.insert(label.to_owned(), value).is_some() {
                    return wrong("a wrong label");
                }
                inner = &after[end + 1..];
                inner = inner.strip_prefix(',').unwrap_or(inner);
            }
            rest = &inner[1..];
        }
        let value = rest.strip_prefix(' ').and_then(|text| text.parse::<f64>().ok());
        let Some(value) = value else { return wrong("no value") };
        samples.push((name.to_owned(), labels, value));
    }
    let distinct: BTreeSet<_> = samples.iter().map(|(name, labels, _)| (name, labels)).collect();
    if distinct.len() < samples.len() {
        return Err("a series stands twice".to_owned());
    }
    Ok((types, samples))
}

fn is_name(name: &str, metric: bool) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || (metric && c == ':');
    !name.is_empty() && name.chars().all(fits) && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// The text behind escapes; only `allowed` may stand behind a backslash.
fn unescaped(text: &str, allowed: &str) -> Option<String> {
    let mut out = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        out.push(match letter {
            '\\' => match letters.next().filter(|letter| allowed.contains(*letter))? {
                'n' => '\n',
                letter => letter,
            },
            letter => letter,
        });
    }
    Some(out)
}

fn of(organization: &str) -> Labels {
    [("organization", organization), ("command", "drift")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

#[test]
fn what_is_written_fits_the_grammar() {
    let mut metrics = Metrics::default();
    for family in FAMILIES {
        metrics.set(family, of("a"), 1.5);
        metrics.set(family, of("\"\\\n工程"), 1_795_386_000.0);
    }
    let (types, samples) = read(&metrics.text()).unwrap();
    assert_eq!(types.len(), FAMILIES.len());
    assert_eq!(samples.len(), 2 * FAMILIES.len());
    for (name, labels, value) in samples {
        assert_eq!(metrics.get(family(&name).unwrap(), &labels), Some(value));
    }
    assert_eq!(read(&Metrics::default().text()), Ok(Default::default()));
}

#[test]
fn the_grammar_refuses_what_is_wrong() {
    for wrong in [
        "charter_x 1",
        "charter_x 1\n",
        "# TYPE charter_x gauge\ncharter_x{a=b} 1\n",
        "# TYPE charter_x gauge\ncharter_x{a=\"\\q\"} 1\n",
        "# TYPE charter_x gauge\ncharter_x{a=\"b} 1\n",
        "# TYPE charter_x gauge\ncharter_x one\n",
        "# TYPE charter_x gauge\ncharter_x 1\ncharter_x 2\n",
        "# TYPE 9x gauge\n",
        "# TYPE charter_x clock\n",
        "# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# HELP a late\n",
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn names_keep_to_the_conventions() {
    assert!(FAMILIES.is_sorted_by_key(|family| family.name));
    for Family { name, kind, help } in FAMILIES {
        assert!(name.starts_with("charter_") && is_name(name, true), "{name}");
        assert_eq!(name.ends_with("_total"), kind == Kind::Counter, "{name}");
        assert!(help.ends_with('.') && !help.contains('\n'), "{help}");
    }
}

#[test]
fn the_docs_list_every_family_with_its_type_and_the_alerts_name_no_other() {
    let docs = include_str!("../../../docs/telemetry.md");
    let rows = docs.lines().filter_map(|line| line.strip_prefix("| `charter_"));
    let listed: Vec<(String, &str)> = rows
        .map(|row| {
            let mut cells = row.split('|').map(str::trim);
            (
                format!("charter_{}", cells.next().unwrap().trim_end_matches('`')),
                cells.next().unwrap(),
            )
        })
        .collect();
    let known: Vec<(String, &str)> =
        FAMILIES.map(|family| (family.name.to_owned(), family.kind.word())).into();
    assert_eq!(listed, known);
    // The help of each family is its row, word for word.
    for Family { name, help, .. } in FAMILIES {
        let row = docs.lines().find(|line| line.starts_with(&format!("| `{name}`"))).unwrap();
        let told = row.trim_end_matches(" |").rsplit('|').next().unwrap().trim();
        assert_eq!(told.replace('`', ""), help, "{name}");
    }
    let alerts = [
        include_str!("../../../deploy/prometheus/charter.rules.yml"),
        include_str!("../../../deploy/prometheus/charter-kubernetes.rules.yml"),
    ]
    .concat();
    let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    let named: BTreeSet<&str> =
        alerts.split(word).filter(|word| word.starts_with("charter_")).collect();
    assert!(named.len() >= 4 && named.iter().all(|name| family(name).is_some()), "{named:?}");
    // The page names every alert, and no other.
    let alerts: BTreeSet<&str> =
        alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let rows = docs.lines().filter_map(|line| line.strip_prefix("| `Charter"));
    let told: BTreeSet<String> =
        rows.filter_map(|row| Some(format!("Charter{}", row.split_once('`')?.0))).collect();
    assert!(alerts.iter().copied().eq(told.iter().map(String::as_str)), "{alerts:?} {told:?}");
}

#[test]
fn anything_else_is_not_taken_for_metrics() {
    for other in ["version: 1\n", "other_metric{a=\"b\"} 1\n", "charter_exit_code{", "{}", "\n"] {
        assert_eq!(Metrics::parse(other), None, "{other}");
    }
    assert_eq!(Metrics::parse(""), Some(Metrics::default()));
}

proptest! {
    #[test]
    fn what_is_written_reads_back_the_same(
        series in prop::collection::vec((0..FAMILIES.len(), "\\PC*|[\\\\\"\n{},= ]*", 0.0..2e9_f64), 0..8)
    ) {
        let mut metrics = Metrics::default();
        for (family, organization, value) in series {
            metrics.set(FAMILIES[family], of(&organization), value);
        }
        prop_assert_eq!(Metrics::parse(&metrics.text()), Some(metrics.clone()));
        prop_assert_eq!(read(&metrics.text()).map(|(_, samples)| samples.len()), Ok(metrics.0.len()));
    }
}
