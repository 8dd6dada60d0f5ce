//! Metrics in the text form of Prometheus, for the textfile collector of a node exporter.
//!
//! Invariant: what is written reads back the same; every series stands under the type and the help of its family, and
//! only families of the table are known.

use std::{collections::BTreeMap, fmt::Write as _};

/// Whether a value only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It grows over runs.
    Counter,
    /// It is as the last run left it.
    Gauge,
}

/// A family of series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// Whether its values only grow.
    pub kind: Kind,
    /// What it is.
    pub help: &'static str,
}

/// By how much live differs from the files.
pub const DRIFT: Family = Family {
    name: "charter_drift_objects",
    kind: Kind::Gauge,
    help: "Objects by which the organization differs from its files, by what becomes of them; absent if no plan could be made, or it was applied.",
};
/// How the last run ended.
pub const EXIT_CODE: Family = Family {
    name: "charter_exit_code",
    kind: Kind::Gauge,
    help: "Exit code of the last run: 0 done, 1 failed, 2 changes, 3 bad usage or files, 4 refused, 5 partly applied, 130 or 143 stopped before anything was changed.",
};
/// How many parts the fleet has, of which one was looked at.
pub const FLEET_PARTS: Family = Family {
    name: "charter_fleet_parts",
    kind: Kind::Gauge,
    help: "The number of parts that the fleet is divided into, by the part that the last run was for.",
};
/// When the last run ended.
pub const LAST_RUN: Family = Family {
    name: "charter_last_run_timestamp_seconds",
    kind: Kind::Gauge,
    help: "When the work of the last run ended; a run that was stopped before anything was changed does not count.",
};
/// When the last run ended that was a success.
pub const LAST_SUCCESS: Family = Family {
    name: "charter_last_success_timestamp_seconds",
    kind: Kind::Gauge,
    help: "When the last run ended that had the exit code 0 or 2.",
};
/// Requests, by the class of their answers' status.
pub const REQUESTS: Family = Family {
    name: "charter_requests_total",
    kind: Kind::Counter,
    help: "Requests to the API, each try counted, by the class of the answer's status; none: no answer came.",
};
/// How long the last run took.
pub const DURATION: Family = Family {
    name: "charter_run_duration_seconds",
    kind: Kind::Gauge,
    help: "How long the work of the last run took, without what waits for other organizations or for an answer.",
};
/// Steps of apply, by outcome.
pub const STEPS: Family = Family {
    name: "charter_steps_total",
    kind: Kind::Counter,
    help: "Steps that apply went through, by outcome.",
};

/// All of them, sorted by name.
pub const FAMILIES: [Family; 8] =
    [DRIFT, EXIT_CODE, FLEET_PARTS, LAST_RUN, LAST_SUCCESS, REQUESTS, DURATION, STEPS];

/// Labels by name.
pub type Labels = BTreeMap<String, String>;

/// Series and their values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics(BTreeMap<(&'static str, Labels), f64>);

impl Metrics {
    /// Sets a value.
    pub fn set(&mut self, family: Family, labels: Labels, value: f64) {
        self.0.insert((family.name, labels), value);
    }

    /// Adds to a value.
    pub fn add(&mut self, family: Family, labels: Labels, value: f64) {
        *self.0.entry((family.name, labels)).or_default() += value;
    }

    /// A value.
    pub fn get(&self, family: Family, labels: &Labels) -> Option<f64> {
        self.0.get(&(family.name, labels.clone())).copied()
    }

    /// Drops what is not to be kept.
    pub fn retain(&mut self, keep: impl Fn(Family, &Labels) -> bool) {
        self.0.retain(|(name, labels), _| family(name).is_some_and(|family| keep(family, labels)));
    }

    /// The text.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for family in FAMILIES {
            let mut series = self.0.iter().filter(|((name, _), _)| *name == family.name).peekable();
            if series.peek().is_none() {
                continue;
            }
            let Family { name, kind, help } = family;
            // Writing to a string does not fail.
            let _ = writeln!(out, "# HELP {name} {}", escaped(help, false));
            let _ = writeln!(out, "# TYPE {name} {}", kind.word());
            for ((_, labels), value) in series {
                let labels: Vec<String> = labels
                    .iter()
                    .map(|(name, value)| format!("{name}=\"{}\"", escaped(value, true)))
                    .collect();
                let _ = writeln!(out, "{name}{{{}}} {value}", labels.join(","));
            }
        }
        out
    }

    /// Reads a text that [`Metrics::text`] wrote; `None`: it is something else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut metrics = Self::default();
        for line in text.lines().filter(|line| !line.starts_with("# ")) {
            let (name, rest) = line.split_once('{')?;
            let (labels, rest) = labels(rest)?;
            let value: f64 = rest.strip_prefix(' ')?.parse().ok()?;
            metrics.set(family(name)?, labels, value);
        }
        Some(metrics)
    }
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        }
    }
}

fn family(name: &str) -> Option<Family> {
    FAMILIES.into_iter().find(|family| family.name == name)
}

/// A help text or the value of a label, on one line.
fn escaped(text: &str, quoted: bool) -> String {
    let text = text.replace('\\', "\\\\").replace('\n', "\\n");
    if quoted { text.replace('"', "\\\"") } else { text }
}

/// The labels up to `}`, and what follows it.
fn labels(mut rest: &str) -> Option<(Labels, &str)> {
    let mut labels = Labels::new();
    while !rest.starts_with('}') {
        let (name, after) = rest.split_once("=\"")?;
        let (value, after) = quoted(after)?;
        labels.insert(name.to_owned(), value);
        rest = after.strip_prefix(',').unwrap_or(after);
    }
    Some((labels, &rest[1..]))
}

/// The text up to the quote that ends it, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match letters.next()?.1 {
                'n' => value.push('\n'),
                letter => value.push(letter),
            },
            letter => value.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests;
