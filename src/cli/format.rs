//! The formats that results for reviews and pipelines can be printed in, and which command offers which.
//!
//! Invariant: a format that a command does not offer is refused when the command line is parsed.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

/// How a result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReviewFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
    /// For the comment on a pull request.
    Markdown,
    /// For GitHub Actions.
    Github,
    /// For code scanning.
    Sarif,
    /// For test reports.
    Junit,
}

impl ReviewFormat {
    /// What `plan`, `diff`, `policy` and `validate` offer.
    pub(crate) const PLAN: &[ReviewFormat] = &[
        ReviewFormat::Text,
        ReviewFormat::Json,
        ReviewFormat::Markdown,
        ReviewFormat::Github,
        ReviewFormat::Sarif,
    ];
    /// What `drift` offers.
    pub(crate) const DRIFT: &[ReviewFormat] = &[
        ReviewFormat::Text,
        ReviewFormat::Json,
        ReviewFormat::Markdown,
        ReviewFormat::Github,
        ReviewFormat::Sarif,
        ReviewFormat::Junit,
    ];

    fn as_str(self) -> &'static str {
        match self {
            ReviewFormat::Text => "text",
            ReviewFormat::Json => "json",
            ReviewFormat::Markdown => "markdown",
            ReviewFormat::Github => "github",
            ReviewFormat::Sarif => "sarif",
            ReviewFormat::Junit => "junit",
        }
    }

    fn help(self) -> &'static str {
        match self {
            ReviewFormat::Text => "For people",
            ReviewFormat::Json => "For machines; it has a schema",
            ReviewFormat::Markdown => {
                "For the comment on a pull request: at most 60,000 characters"
            }
            ReviewFormat::Github => "Annotations for GitHub Actions, and the summary of the step",
            ReviewFormat::Sarif => "SARIF 2.1.0, for code scanning",
            ReviewFormat::Junit => "A JUnit report: what drifts is a test that fails",
        }
    }
}

impl std::fmt::Display for ReviewFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Parses one of the formats that a command offers.
pub(crate) fn one_of(
    offered: &'static [ReviewFormat],
) -> impl TypedValueParser<Value = ReviewFormat> {
    let value = |format: &ReviewFormat| PossibleValue::new(format.as_str()).help(format.help());
    PossibleValuesParser::new(offered.iter().map(value)).try_map(|word: String| {
        let named = |format: &&ReviewFormat| format.as_str() == word;
        offered.iter().find(named).copied().ok_or("no such format")
    })
}
