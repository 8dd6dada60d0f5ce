//! Shows findings the way rustc does: what, where with the line itself, and what to do.
//!
//! Invariant: any span gives an answer: one that lies outside its text, or whose text was not kept, shows as
//! `file:line:column`.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{
    clean::{clean, clean_in_place},
    layout::{self, Flow},
    style::{ATTENTION, BOLD, ERROR, PLAIN, WARNING, paint},
};
use crate::{
    config::load::MORE_FINDINGS,
    diagnostic::{Diagnostic, Severity, Sources, Span},
};

/// Places further apart than this are shown in snippets of their own.
const APART: u32 = 12;

/// All findings, in the order given, with ANSI styles.
pub fn diagnostics(diagnostics: &[Diagnostic], sources: &Sources, width: usize) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&one(diagnostic, sources, width));
        out.push_str("\n\n");
    }
    out
}

/// How many errors and warnings there are, in words; `None` if neither.
pub fn tally(diagnostics: &[Diagnostic]) -> Option<String> {
    let count = |severity| diagnostics.iter().filter(|one| one.severity == severity).count();
    let words: Vec<String> = [(Severity::Error, "error"), (Severity::Warning, "warning")]
        .into_iter()
        .filter_map(|(severity, word)| match count(severity) {
            0 => None,
            1 => Some(format!("1 {word}")),
            many => Some(format!("{many} {word}s")),
        })
        .collect();
    let more = diagnostics.iter().any(|one| one.code == MORE_FINDINGS);
    let lead = if more { "more than " } else { "" };
    (!words.is_empty()).then(|| format!("{lead}{}", words.join(", ")))
}

fn one(diagnostic: &Diagnostic, sources: &Sources, width: usize) -> String {
    let Diagnostic { code, severity, message, span, related, help, recent: _ } = diagnostic;
    if span.is_none() && related.is_empty() {
        return without_place(diagnostic, width);
    }
    let level = match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    // The title stays on one line, so that it can be searched for.
    let mut group: Group<'_> =
        Group::with_title(level.primary_title(clean(message)).id(clean(code)));

    let mut marks: Vec<Mark<'_>> = Vec::new();
    marks.extend(span.iter().map(|span| Mark { span, words: None }));
    marks.extend(related.iter().map(|(span, words)| Mark { span, words: Some(words) }));
    for window in windows(&marks) {
        match Excerpt::new(window, sources) {
            Some(excerpt) => group = group.element(excerpt.snippet()),
            None => {
                for Mark { span, words } in window {
                    let origin = Origin::path(clean(&span.file).into_owned())
                        .line(span.line as usize)
                        .char_column(span.column as usize);
                    group = group.element(origin);
                    if let Some(words) = words {
                        group = group.element(Level::NOTE.message(clean(words).into_owned()));
                    }
                }
            }
        }
    }
    if let Some(help) = help {
        group = group.element(Level::HELP.message(wrapped(help, width.saturating_sub(12).max(40))));
    }
    Renderer::styled().term_width(width).render(&[group])
}

/// A finding about nothing in a file.
fn without_place(diagnostic: &Diagnostic, width: usize) -> String {
    let Diagnostic { code, severity, message, span: _, related: _, help, recent: _ } = diagnostic;
    let (style, word) = match severity {
        Severity::Error => (ERROR, "error"),
        Severity::Warning => (WARNING, "warning"),
        Severity::Note => (ATTENTION.bold(), "note"),
    };
    let head = paint(style, &format!("{word}[{}]", clean(code)));
    let mut out = format!("{head}: {}", paint(BOLD, &clean(message)));
    if let Some(help) = help {
        let lead = format!("  = {}: ", paint(BOLD, "help"));
        let lines = Flow::new().words(0, PLAIN, help).lines(&lead, 10, 10, width);
        out = format!("{out}\n{}", lines.trim_end());
    }
    out
}

/// A place to point at.
#[derive(Clone, Copy)]
struct Mark<'a> {
    span: &'a Span,
    /// `None`: the place the finding is about.
    words: Option<&'a str>,
}

/// Neighbours in one file, in the order given.
fn windows<'m, 'a>(marks: &'m [Mark<'a>]) -> Vec<&'m [Mark<'a>]> {
    marks
        .chunk_by(|a, b| a.span.file == b.span.file && a.span.line.abs_diff(b.span.line) <= APART)
        .collect()
}

/// The lines that hold some marks, and the marks within them.
struct Excerpt<'a> {
    file: &'a str,
    first_line: u32,
    text: String,
    marks: Vec<(Range<usize>, Option<&'a str>)>,
}

impl<'a> Excerpt<'a> {
    fn new(marks: &[Mark<'a>], sources: &Sources) -> Option<Self> {
        let first = marks.iter().map(|mark| mark.span.line).min()?;
        let last = marks.iter().map(|mark| mark.span.line).max()?;
        let file = &*marks.first()?.span.file;
        let text = sources.text(file)?;
        let start = line_start(text, 0, first.checked_sub(1)?)?;
        let end = line_start(text, start, last - first + 1).unwrap_or(text.len());
        let window = text.get(start..end)?;
        let marks = marks
            .iter()
            .map(|mark| Some((range(mark.span, window, start, first)?, mark.words)))
            .collect::<Option<_>>()?;
        Some(Self { file, first_line: first, text: clean_in_place(window).into_owned(), marks })
    }

    fn snippet(self) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let marks = self.marks.into_iter().map(|(range, words)| match words {
            None => AnnotationKind::Primary.span(range),
            Some(words) => AnnotationKind::Context.span(range).label(clean(words).into_owned()),
        });
        Snippet::source(self.text)
            .line_start(self.first_line as usize)
            .path(clean(self.file).into_owned())
            .annotations(marks)
    }
}

/// Where the line `lines` below the one that starts at `from` starts.
fn line_start(text: &str, from: usize, lines: u32) -> Option<usize> {
    let mut at = from;
    for _ in 0..lines {
        at += text.get(at..)?.find('\n')? + 1;
    }
    Some(at)
}

/// The bytes of a span within the window that starts at byte `start` with line `first`; at least one letter, and
/// not beyond its line.
fn range(span: &Span, window: &str, start: usize, first: u32) -> Option<Range<usize>> {
    let line = line_start(window, 0, span.line - first)?;
    let end_of_line = window[line..].find(['\n', '\r']).map_or(window.len(), |at| line + at);
    // The column is what people read, so the caret follows it, and the bytes only tell how far it goes.
    let column = (span.column as usize).saturating_sub(1);
    let from = window[line..end_of_line]
        .char_indices()
        .nth(column)
        .map_or(end_of_line, |(offset, _)| line + offset);
    let (head, tail) = span.bytes;
    let asked = from + tail.saturating_sub(head) as usize;
    let one_letter = from + window[from..].chars().next().map_or(0, char::len_utf8);
    let to = if (start + from) as u64 == u64::from(head) && asked > from {
        window.floor_char_boundary(asked.min(end_of_line)).max(from)
    } else {
        one_letter.min(end_of_line)
    };
    Some(from..to)
}

/// Cleaned text, broken into lines.
fn wrapped(text: &str, width: usize) -> String {
    let lines = layout::paragraph(0, text, width);
    lines.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    const FILE: &str = "\
version: 1
members:
  ada@acme.com: admin
  bob@acme.com: developper   # \u{202e}hidden
teams:
  platform: [ada@acme.com]
";

    fn sources() -> Sources {
        Sources([(Arc::from("charter.yaml"), Arc::from(FILE))].into())
    }

    fn span(line: u32, column: u32, text: &str) -> Span {
        let head = u32::try_from(FILE.find(text).unwrap()).unwrap();
        let bytes = (head, head + u32::try_from(text.len()).unwrap());
        Span { file: "charter.yaml".into(), line, column, bytes }
    }

    fn shown(diagnostic: Diagnostic) -> String {
        let text = diagnostics(&[diagnostic], &sources(), 80);
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn a_finding_shows_its_line_with_a_caret_and_what_to_do() {
        let finding = Diagnostic::error("config/unknown-role", "unknown role `developper`")
            .at(&span(4, 17, "developper"))
            .help("did you mean `developer`?");
        insta::assert_snapshot!(shown(finding), @r"
        error[config/unknown-role]: unknown role `developper`
         --> charter.yaml:4:17
          |
        4 |   bob@acme.com: developper   # �hidden
          |                 ^^^^^^^^^^
          |
          = help: did you mean `developer`?
        ");
    }

    #[test]
    fn related_places_have_their_words_near_and_far() {
        let finding = Diagnostic::error("config/twice", "`ada@acme.com` stands twice")
            .at(&span(6, 14, "ada@acme.com]"))
            .with(&span(3, 3, "ada@acme.com"), "first here")
            .with(
                &Span { file: "teams/other.yaml".into(), line: 7, column: 2, bytes: (0, 0) },
                "and here",
            );
        insta::assert_snapshot!(shown(finding), @r"
        error[config/twice]: `ada@acme.com` stands twice
         --> charter.yaml:6:14
          |
        3 |   ada@acme.com: admin
          |   ------------ first here
        ...
        6 |   platform: [ada@acme.com]
          |              ^^^^^^^^^^^^^
         ::: teams/other.yaml:7:2
          = note: and here
        ");
    }

    #[test]
    fn a_span_outside_its_text_still_gives_an_answer() {
        for (line, column) in [(99, 1), (1, 500), (0, 0), (6, 27)] {
            let span = Span { file: "charter.yaml".into(), line, column, bytes: (9_999, 12_000) };
            let text = shown(Diagnostic::warning("x/y", "off").at(&span));
            assert!(text.contains("charter.yaml"), "{line}:{column}: {text}");
        }
    }

    #[test]
    fn a_long_help_wraps_and_a_title_stays_on_its_line() {
        let finding = Diagnostic::note(
            "config/long",
            "a message that goes on and on until it does not fit on one line of eighty columns any more",
        )
        .help("a help that also goes on and on until it does not fit on one line of eighty columns any more");
        insta::assert_snapshot!(shown(finding), @r"
        note[config/long]: a message that goes on and on until it does not fit on one line of eighty columns any more
          = help: a help that also goes on and on until it does not fit on one line of
                  eighty columns any more
        ");
    }

    proptest! {
        #[test]
        fn no_text_and_no_place_can_break_it(
            text in "(\\PC|[\\x00-\\x20\u{7f}-\u{9f}é工🚀\u{202e}]){0,60}",
            places in prop::collection::vec((0..9_u32, 0..20_u32, 0..80_u32, 0..80_u32), 1..4),
        ) {
            let sources = Sources([(Arc::from("f"), Arc::from(text.as_str()))].into());
            let span = |(line, column, head, tail)| Span {
                file: "f".into(),
                line,
                column,
                bytes: (head, tail),
            };
            let mut finding = Diagnostic::error("a/b", text.clone()).at(&span(places[0])).help(text);
            for place in &places[1..] {
                finding = finding.with(&span(*place), "here");
            }
            let shown = diagnostics(&[finding], &sources, 60);
            let shown = anstream::adapter::strip_str(&shown).to_string();
            prop_assert!(!shown.contains(|letter: char| letter.is_control() && letter != '\n'));
            let reversed = shown.contains('\u{202e}');
            prop_assert!(!reversed);
        }
    }

    #[test]
    fn errors_and_warnings_are_counted_in_words() {
        let error = Diagnostic::error("a/b", "c");
        let warning = Diagnostic::warning("a/b", "c");
        assert_eq!(tally(&[error.clone(), error, warning]).as_deref(), Some("2 errors, 1 warning"));
        assert_eq!(tally(&[Diagnostic::note("a/b", "c")]), None);
    }
}
