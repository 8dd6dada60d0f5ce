//! Layout that this parser reads and other YAML readers refuse: brackets and quoted text that go on at the
//! indentation of their parent, a tab before a nested map.
//!
//! Invariant: the text is read on as it was; each line is looked at once.

use granit_parser::{Event, ScalarStyle, StructureStyle};

use super::{Mark, small};
use crate::diagnostic::{Diagnostic, Span};

/// Findings of this sort in one file; the next line with one has the same cause.
const MOST: usize = 20;

/// What has been seen of the layout of a file.
pub(super) struct Layout<'a> {
    text: &'a str,
    /// The last line that has a token.
    line: u32,
    found: usize,
}

/// Where a value lies.
#[derive(Clone, Copy)]
pub(super) struct Around {
    /// Inside brackets.
    pub(super) flow: bool,
    /// The value of a key of a map without brackets.
    pub(super) value: bool,
    /// The column of the innermost map or list without brackets, from 1.
    pub(super) parent: Option<u32>,
}

impl<'a> Layout<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, line: 0, found: 0 }
    }

    /// Looks at the next event.
    pub(super) fn event(
        &mut self,
        event: &Event<'_>,
        mark: Mark,
        around: Around,
        span: impl Fn(Mark) -> Span,
    ) -> Option<Diagnostic> {
        let mut finding = None;
        let parent = around.parent.map(|column| column as usize);
        if let Some(parent) = parent
            && around.flow
            && mark.line > self.line
        {
            finding = self.flow_line(mark, parent);
        }
        if let Some(parent) = parent
            && around.value
            && mark.line > self.line
            && matches!(
                event,
                Event::MappingStart(StructureStyle::Flow, ..)
                    | Event::SequenceStart(StructureStyle::Flow, ..)
                    | Event::Scalar(_, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted, ..)
            )
            && (mark.column as usize) <= parent
        {
            finding = Some((
                mark,
                "config/yaml-indent",
                "this value is not indented deeper than its key, which other YAML readers refuse",
                format!("indent the line by at least {parent} {}", plural(parent)),
            ));
        }
        self.line = self.line.max(mark.line);
        match event {
            Event::Scalar(_, style, ..)
                if !matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) =>
            {
                finding = finding.or(self.scalar(mark, parent));
            }
            Event::MappingStart(StructureStyle::Block, ..)
            | Event::SequenceStart(StructureStyle::Block, ..) => {
                finding = finding.or(self.tab(mark));
            }
            _ => {}
        }
        let (mark, code, message, help) = finding?;
        self.found += 1;
        (self.found <= MOST)
            .then(|| Diagnostic::error(code, message).at(&span(mark)).help(help).recent())
    }

    /// The first token of a line inside brackets.
    fn flow_line(&self, mark: Mark, parent: usize) -> Option<Finding> {
        let head = self.text.get(..mark.bytes.0 as usize)?;
        let start = head.rfind('\n').map_or(0, |at| at + 1);
        let (spaces, first) = indent(&self.text[start..]);
        let closes = matches!(first, Some('}' | ']'));
        // A closing bracket may stand where the parent does.
        let enough = if closes { spaces + 1 >= parent } else { spaces >= parent };
        (!enough).then(|| {
            (
                self.place(start, mark.line),
                "config/yaml-indent",
                "this line is inside brackets and not indented deeper than what they belong to, which other YAML \
                 readers refuse",
                format!("indent the line by at least {parent} {}", plural(parent)),
            )
        })
    }

    /// The further lines of a quoted text, or of a plain one inside brackets.
    fn scalar(&mut self, mark: Mark, parent: Option<usize>) -> Option<Finding> {
        let text = self.text.get(mark.bytes.0 as usize..mark.bytes.1 as usize)?;
        let mut finding = None;
        let mut at = 0;
        while let Some(end) = text[at..].find('\n') {
            at += end + 1;
            self.line += 1;
            let (spaces, first) = indent(&text[at..]);
            let Some(parent) = parent.filter(|parent| spaces < *parent && first.is_some()) else {
                continue;
            };
            finding = finding.or_else(|| {
                Some((
                    self.place(mark.bytes.0 as usize + at, self.line),
                    "config/yaml-indent",
                    "a text continues here without being indented deeper than what it belongs to, which other YAML \
                     readers refuse",
                    format!(
                        "indent the line by at least {parent} {}, or put the text on one line",
                        plural(parent)
                    ),
                ))
            });
        }
        finding
    }

    /// A map or list that starts after `-` and a tab.
    fn tab(&self, mark: Mark) -> Option<Finding> {
        let head = self.text.get(..mark.bytes.0 as usize)?;
        let blanks = head.len() - head.trim_end_matches([' ', '\t']).len();
        let at = head.len() - blanks;
        let tab = head[at..].find('\t')?;
        if !head[..at].ends_with(['-', '?', ':']) {
            return None;
        }
        let column = mark.column.checked_sub(small(blanks - tab))?;
        let bytes = (small(at + tab), small(at + tab + 1));
        Some((
            Mark { line: mark.line, column, bytes },
            "config/yaml-tab",
            "a tab stands before a nested map or list, and YAML indents with spaces only",
            "replace the tab by a space".to_owned(),
        ))
    }

    /// The first letter of the line that starts at byte `start`.
    fn place(&self, start: usize, line: u32) -> Mark {
        let rest = &self.text[start..];
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let at = start + blanks;
        Mark { line, column: small(blanks + 1), bytes: (small(at), small(at)) }
    }
}

type Finding = (Mark, &'static str, &'static str, String);

/// How many spaces a line starts with, and the first letter that is no blank; none on an empty line.
fn indent(line: &str) -> (usize, Option<char>) {
    let spaces = line.len() - line.trim_start_matches(' ').len();
    let first = line.trim_start_matches([' ', '\t']).chars().next();
    (spaces, first.filter(|c| !matches!(c, '\r' | '\n')))
}

fn plural(spaces: usize) -> &'static str {
    if spaces == 1 { "space" } else { "spaces" }
}
