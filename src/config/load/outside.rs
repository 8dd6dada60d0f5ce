//! Files that are not read, and the one line that leaves them out.
//!
//! Invariant: the lines that the findings of one root ask for can all be written; none gives `read` or `exclude` a second time.

use std::collections::BTreeSet;

use super::ROOT_FILE;
use crate::diagnostic::Diagnostic;

/// So many patterns are shown to be pasted.
const PASTED: usize = 12;

/// What the root file says under `read`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::config) enum Listed {
    /// Nothing.
    #[default]
    Nothing,
    /// Other things than what is left out.
    Read,
    /// What is left out.
    Exclude,
}

/// A finding that ends when files are left out.
#[derive(Debug)]
pub(in crate::config) struct Outside {
    said: Diagnostic,
    /// What the help says before and after the line to write.
    words: (String, &'static str),
    /// What leaves the files out.
    patterns: Vec<String>,
    /// The files may as well be meant as ours, so that their patterns are shown by themselves.
    maybe_ours: bool,
}

impl From<Diagnostic> for Outside {
    fn from(said: Diagnostic) -> Self {
        Self { said, words: (String::new(), ""), patterns: Vec::new(), maybe_ours: false }
    }
}

impl Outside {
    /// Files that are nothing of ours.
    pub(super) fn foreign(
        said: Diagnostic,
        before: impl Into<String>,
        patterns: Vec<String>,
        after: &'static str,
    ) -> Self {
        Self { said, words: (before.into(), after), patterns, maybe_ours: false }
    }

    /// A file that may as well be meant as ours.
    pub(super) fn maybe_ours(said: Diagnostic, before: impl Into<String>, pattern: String) -> Self {
        Self { said, words: (before.into(), ""), patterns: vec![pattern], maybe_ours: true }
    }
}

/// The findings, each with the line to write.
pub(super) fn told(found: Vec<Outside>, listed: Listed) -> Vec<Diagnostic> {
    let shared: BTreeSet<&String> =
        found.iter().filter(|one| !one.maybe_ours).flat_map(|one| &one.patterns).collect();
    let shared: Vec<String> = shared.into_iter().cloned().collect();
    let alone = found.iter().filter(|one| one.maybe_ours && !one.patterns.is_empty()).count();
    let several = alone + usize::from(!shared.is_empty()) > 1;
    found
        .into_iter()
        .map(|Outside { said, words: (before, after), patterns, maybe_ours }| {
            if patterns.is_empty() {
                return said;
            }
            let line = exclude(if maybe_ours { &patterns } else { &shared }, listed, several);
            said.help(format!("{before}{line}{after}"))
        })
        .collect()
}

/// The line that leaves files out.
fn exclude(patterns: &[String], listed: Listed, several: bool) -> String {
    let shown: Vec<String> = patterns.iter().take(PASTED).map(|one| quoted(one)).collect();
    let more = if patterns.len() > PASTED { ", …" } else { "" };
    let list = format!("{}{more}", shown.join(", "));
    let together = if several { ", in one list with what other findings name" } else { "" };
    match listed {
        Listed::Exclude => format!("add {list} to `read.exclude` in `{ROOT_FILE}`"),
        Listed::Read => {
            format!("add `exclude: [{list}]` to the `read` that `{ROOT_FILE}` has{together}")
        }
        Listed::Nothing => {
            format!("write `read: {{exclude: [{list}]}}` in `{ROOT_FILE}`{together}")
        }
    }
}

/// A pattern in double quotes, as YAML reads it.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_else(|_| format!("{text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn helps(listed: Listed, with_misnamed: bool) -> Vec<String> {
        let said = || Diagnostic::error("a/b", "c");
        let mut found = vec![
            Outside::foreign(said(), "if so, ", vec!["charts/**".into()], ""),
            Outside::foreign(said(), "", vec!["lab.yaml".into()], "; else rename it"),
            Outside::from(said().help("other")),
        ];
        if with_misnamed {
            found.push(Outside::maybe_ours(said(), "rename it; else ", "eng.Yml".into()));
        }
        told(found, listed).into_iter().map(|one| one.help.unwrap()).collect()
    }

    #[test]
    fn findings_of_one_root_ask_for_one_line() {
        let line = r#"write `read: {exclude: ["charts/**", "lab.yaml"]}` in `charter.yaml`"#;
        assert_eq!(
            helps(Listed::Nothing, false),
            [format!("if so, {line}"), format!("{line}; else rename it"), "other".to_owned()]
        );
    }

    #[test]
    fn what_is_there_is_extended() {
        let line = r#"add "charts/**", "lab.yaml" to `read.exclude` in `charter.yaml`"#;
        assert_eq!(helps(Listed::Exclude, false)[0], format!("if so, {line}"));
        let line =
            r#"add `exclude: ["charts/**", "lab.yaml"]` to the `read` that `charter.yaml` has"#;
        assert_eq!(helps(Listed::Read, false)[0], format!("if so, {line}"));
    }

    #[test]
    fn a_file_that_may_be_ours_is_left_out_by_nobodys_else_line() {
        let helps = helps(Listed::Nothing, true);
        let together = "in `charter.yaml`, in one list with what other findings name";
        assert_eq!(
            helps[0],
            format!(r#"if so, write `read: {{exclude: ["charts/**", "lab.yaml"]}}` {together}"#)
        );
        assert_eq!(
            helps[3],
            format!(r#"rename it; else write `read: {{exclude: ["eng.Yml"]}}` {together}"#)
        );
    }
}
