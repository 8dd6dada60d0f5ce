//! Findings about files, the live organization and plans, as data: a stable code, a place, a way out.
//!
//! Invariant: a diagnostic never ends the program by itself, and its text never holds a secret.

use std::{cmp::Ordering, collections::BTreeMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// A place in a file: where a value or key stands.
// Two are equal when file, line and column are: how far the text reaches is for drawing only, and not kept in a
// saved plan.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Span {
    /// The file's path as the user gave it (or below the folder the user gave), with `/` separators.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Byte range in the file, for carets; empty where only the place is known.
    #[serde(skip)]
    pub bytes: (u32, u32),
}

impl PartialEq for Span {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Span {}

impl PartialOrd for Span {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Span {
    fn cmp(&self, other: &Self) -> Ordering {
        let Span { file, line, column, bytes: _ } = self;
        (file, line, column).cmp(&(&other.file, &other.line, &other.column))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// How much a diagnostic weighs.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing runs.
    Error,
    /// Shown; does not stop anything.
    Warning,
    /// Shown; good to know.
    Note,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Diagnostic {
    /// Stable code: `config/unknown-role`, `guard/too-many-removals`.
    pub code: std::borrow::Cow<'static, str>,
    /// How much it weighs.
    pub severity: Severity,
    /// What is wrong and why: lower case, no final period, user values in backticks.
    pub message: String,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub span: Option<Span>,
    /// Other places that belong to it, each with a few words.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub related: Vec<(Span, String)>,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub help: Option<String>,
    /// Whether the version before did not have it.
    #[serde(skip)]
    pub recent: Recent,
}

/// Whether a finding is new in this version. Findings that differ in nothing else are equal, and it is not kept in a
/// saved plan.
#[derive(Clone, Copy, Debug, Default)]
pub struct Recent(bool);

impl PartialEq for Recent {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Recent {}

impl Diagnostic {
    /// An error with its code and message.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// A warning with its code and message.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    /// A note with its code and message.
    pub fn note(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, message)
    }

    fn new(severity: Severity, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            severity,
            message: message.into(),
            span: None,
            related: Vec::new(),
            help: None,
            recent: Recent(false),
        }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, span: &Span) -> Self {
        self.span = Some(span.clone());
        self
    }

    /// Says where, if a place is known.
    #[must_use]
    pub fn at_opt(mut self, span: Option<&Span>) -> Self {
        self.span = span.cloned();
        self
    }

    /// Shows another place.
    #[must_use]
    pub fn with(mut self, span: &Span, words: impl Into<String>) -> Self {
        self.related.push((span.clone(), words.into()));
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Marks an error that the version before did not report. In the base of a change it is a warning
    /// ([`demote_recent`]), so that an upgrade does not refuse the change that corrects it. What is read is used all the
    /// same there, so the error must leave something harmless in its place.
    #[must_use]
    pub fn recent(mut self) -> Self {
        self.recent = Recent(true);
        self
    }

    /// Whether it is new in this version.
    pub fn is_recent(&self) -> bool {
        self.recent.0
    }

    /// Whether it stops the run.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Makes warnings of the errors that are new in this version: of a base, which an earlier version accepted.
pub fn demote_recent(diagnostics: &mut [Diagnostic]) {
    for finding in diagnostics.iter_mut().filter(|finding| finding.recent.0 && finding.is_error()) {
        finding.severity = Severity::Warning;
    }
}

/// How many findings one file may come to before more are only counted.
pub const MAX_HELD: usize = 2_000;
/// How many findings are kept for whoever reads them; errors come first.
pub const MAX_KEPT: usize = 300;

/// Errors that were only counted while a file was read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dropped {
    /// Those that versions before this one found, too.
    pub known: usize,
    /// Those marked as [`Diagnostic::recent`].
    pub recent: usize,
}

/// Keeps the first findings of a sorted list, and counts the others with the `dropped` ones, of which `errors` are
/// errors, in a last finding of this code.
pub fn bound(found: &mut Vec<Diagnostic>, errors: usize, dropped: usize, code: &'static str) {
    let rest = if found.len() > MAX_KEPT { found.split_off(MAX_KEPT) } else { Vec::new() };
    let count = rest.len() + dropped;
    if count == 0 {
        return;
    }
    let is_error = errors > 0 || rest.iter().any(Diagnostic::is_error);
    let severity = if is_error { Severity::Error } else { Severity::Warning };
    let noun = if count == 1 { "finding is" } else { "findings are" };
    let place = rest.first().or(found.last()).and_then(|one| one.span.clone());
    found.push(
        Diagnostic::new(severity, code, format!("{count} more {noun} not listed"))
            .at_opt(place.as_ref())
            .help("correct the first ones and run the command again: many findings often have one cause"),
    );
}

/// Sorts findings the way they are shown: errors first, then by place, then by code and text.
pub fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by(|a, b| {
        (a.severity, &a.span, &a.code, &a.message).cmp(&(b.severity, &b.span, &b.code, &b.message))
    });
}

/// The text of the files that were read, for showing the line a span points at.
#[derive(Clone, Debug, Default)]
pub struct Sources(pub BTreeMap<Arc<str>, Arc<str>>);

impl Sources {
    /// The text of `file`, if it was read.
    pub fn text(&self, file: &str) -> Option<&str> {
        self.0.get(file).map(AsRef::as_ref)
    }
}

/// The nearest of `candidates` to `word`, if it is near enough to be a slip of the hand.
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word, &candidate.to_lowercase()), candidate))
        .filter(|(score, candidate)| {
            // A common start alone is no misspelling: `find` is not `findPerson`.
            let distance = strsim::damerau_levenshtein(&word, &candidate.to_lowercase());
            *score >= 0.85 && distance <= 2.max(word.chars().count() / 2)
        })
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_errors_that_are_new_in_this_version_are_warnings_in_a_base() {
        let mut found = [
            Diagnostic::error("config/new", "new").recent(),
            Diagnostic::error("config/old", "old"),
            Diagnostic::note("config/note", "note").recent(),
        ];
        demote_recent(&mut found);
        let severities = found.map(|finding| finding.severity);
        assert_eq!(severities, [Severity::Warning, Severity::Error, Severity::Note]);
    }

    #[test]
    fn whether_a_finding_is_new_is_nothing_that_tells_two_apart() {
        let old = Diagnostic::error("config/x", "x");
        assert_eq!(old.clone().recent(), old);
        let text = serde_json::to_string(&old.clone().recent()).unwrap();
        assert_eq!(text, serde_json::to_string(&old).unwrap());
    }
}
