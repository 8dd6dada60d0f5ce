//! Our words for what a YAML parser refuses: what is wrong, why, what to do next.
//!
//! Invariant: no text of the library reaches a user.

use std::sync::Arc;

use granit_parser::{ErrorKind, ScanError};

use super::{MAX_DEPTH, Mark, slips, small};
use crate::diagnostic::{Diagnostic, Span};

/// What the parser had read last.
#[derive(Clone, Copy)]
pub(super) struct Near {
    /// The innermost bracket that is open.
    pub(super) bracket: Option<Mark>,
    /// The last value or key without quotes.
    pub(super) scalar: Option<Mark>,
}

/// Explains why the parser stopped.
pub(super) fn explain(file: &Arc<str>, text: &str, error: &ScanError, near: Near) -> Diagnostic {
    let Near { bracket, scalar } = near;
    let marker = error.marker();
    let line = marker.line().max(1);
    let at = small(marker.byte_offset().unwrap_or(0).min(text.len()));
    let mark = Mark { line: small(line), column: small(marker.col() + 1), bytes: (at, at) };
    if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
        return too_deep(&mark.span(file));
    }
    if let Some(tab) = tab_in_indentation(text, line) {
        return Diagnostic::error(
            "config/yaml-tab",
            "a tab stands in the indentation, and YAML indents with spaces only",
        )
        .at(&tab.span(file))
        .help("replace the tab by two spaces");
    }
    if let Some(slips::Slip { at, message, help }) =
        slips::find(text, error.kind(), at as usize, scalar)
    {
        let mark = slips::place(text, at);
        return Diagnostic::error("config/yaml-syntax", message).at(&mark.span(file)).help(help);
    }
    let (message, help) = words(error.kind());
    let finding = Diagnostic::error("config/yaml-syntax", message).at(&mark.span(file));
    // A bracket that an earlier line left open is met where the next key stands.
    match bracket.filter(|bracket| bracket.line < mark.line && !in_quotes(error.kind())) {
        Some(bracket) => finding
            .with(&bracket.span(file), "this bracket is still open")
            .help("close the bracket with `}` or `]`"),
        None => finding.help(help),
    }
}

/// Whether an error lies within a quoted text, where no bracket is to blame.
fn in_quotes(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::UnclosedQuotedScalar
            | ErrorKind::DocumentIndicatorInQuotedScalar
            | ErrorKind::InvalidQuotedScalarIndent
            | ErrorKind::InvalidTrailingSingleQuotedScalar
            | ErrorKind::InvalidTrailingDoubleQuotedScalar
            | ErrorKind::UnknownQuotedScalarEscape
            | ErrorKind::InvalidQuotedScalarHexEscape
            | ErrorKind::InvalidUnicodeEscape
    )
}

/// Says that lists and maps lie too deep.
pub(super) fn too_deep(span: &Span) -> Diagnostic {
    Diagnostic::error(
        "config/yaml-depth",
        format!("lists and maps lie more than {MAX_DEPTH} levels deep here"),
    )
    .at(span)
    .help("a charter file needs five levels; was a bracket left open?")
}

/// The first tab in the indentation of line `number`, the line before it or the one after.
fn tab_in_indentation(text: &str, number: usize) -> Option<Mark> {
    let first = number.saturating_sub(2);
    let mut start = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if index > number {
            break;
        }
        if index >= first {
            let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
            let blank = line.trim().is_empty();
            if let Some(column) = line[..indent].find('\t').filter(|_| !blank) {
                let at = start + column;
                return Some(Mark {
                    line: small(index + 1),
                    column: small(column + 1),
                    bytes: (small(at), small(at + 1)),
                });
            }
        }
        start += line.len();
    }
    None
}

/// The message and the help for one sort of error.
fn words(kind: &ErrorKind) -> (String, &'static str) {
    use ErrorKind as K;
    let (message, help) = match kind {
        K::UnexpectedEofFlowSequence
        | K::UnexpectedEofFlowMapping
        | K::UnexpectedEofImplicitFlowMapping => {
            ("the file ends inside a `{` or `[`", "close it with `}` or `]`")
        }
        K::UnclosedFlowCollection { open } => {
            return (format!("the `{open}` that opened before is not closed"), CLOSE);
        }
        K::MismatchedFlowCollectionEnd { open, close } => {
            return (format!("`{open}` is closed by `{close}`"), CLOSE);
        }
        K::MisplacedFlowCollectionEnd => ("a closing bracket stands where none is open", CLOSE),
        K::ExpectedFlowMappingSeparator | K::ExpectedFlowSequenceSeparator => {
            ("a `,` or a closing bracket is missing here", CLOSE)
        }
        K::UnclosedQuotedScalar => {
            ("a quoted text is not closed", "close it with the same quote that opened it")
        }
        K::DocumentIndicatorInQuotedScalar | K::InvalidQuotedScalarIndent => (
            "a quoted text goes on over lines in a way YAML does not allow",
            "close the quote on its line, or indent what follows",
        ),
        K::InvalidTrailingSingleQuotedScalar | K::InvalidTrailingDoubleQuotedScalar => (
            "something follows a closed quote",
            "put the whole text in one pair of quotes, and double a `'` inside single quotes",
        ),
        K::UnknownQuotedScalarEscape
        | K::InvalidQuotedScalarHexEscape
        | K::InvalidLowSurrogateHexEscape
        | K::InvalidLowSurrogate
        | K::MissingLowSurrogate
        | K::UnpairedLowSurrogate
        | K::InvalidUnicodeEscape => (
            "an escape in a double-quoted text is not one that YAML knows",
            "use single quotes, where a backslash is only a backslash",
        ),
        K::MappingValueNotAllowed | K::InvalidColonPlacement => (
            "a `:` stands where no key can be",
            "look at the indentation of this line and the one above, and quote text that holds `: `",
        ),
        K::MappingKeyNotAllowed | K::ExpectedBlockMappingKey | K::InvalidIndentation => (
            "this line does not line up with the keys above it",
            "indent the keys of one map by the same number of spaces",
        ),
        K::SimpleKeyExpected | K::InvalidSimpleKey => {
            ("a key without its `:`", "write `key: value`, and quote text that goes on over lines")
        }
        K::InvalidMappingValueWhitespace | K::FlowMappingValueAdjacentCollection => {
            ("a `:` needs a space after it", "write `key: value`")
        }
        K::ExpectedBlockSequenceEntry
        | K::BlockSequenceEntryNotAllowed
        | K::BlockEntryInFlowCollection
        | K::InvalidBlockEntryWhitespace
        | K::PlainScalarStartsWithDashFlowIndicator => (
            "a `-` does not line up with a list",
            "put each `- item` on a line of its own, indented alike, with a space after the `-`",
        ),
        K::UnexpectedCharacter { character } => {
            return (
                format!("`{}` cannot start a value", character.escape_default()),
                "quote the text",
            );
        }
        K::TabNotAllowed
        | K::TabInBlockIndentation
        | K::TabInIndentation
        | K::TabInPlainScalar
        | K::TabAtBlockScalarStart => {
            ("a tab stands where YAML wants spaces", "replace the tab by spaces")
        }
        K::CommentNotSeparated | K::ExpectedWhitespace | K::CommentInterceptedScalar => (
            "a `#` or a quote touches the text before it",
            "put a space before a comment, and quote text that holds `#`",
        ),
        K::BomInsideDocument => (
            "a byte order mark stands inside the file",
            "remove it; it comes from files that were put together",
        ),
        K::DirectiveDisallowed
        | K::DuplicateVersionDirective
        | K::UnsupportedYamlMajorVersion
        | K::DuplicateTagDirective
        | K::MissingDocumentEndBeforeDirective
        | K::InvalidDirectiveTerminator
        | K::MissingYamlVersionSeparator
        | K::MissingDirectiveName
        | K::InvalidDirectiveName
        | K::DirectiveByteLimitExceeded { .. }
        | K::TooManyReservedDirectiveParams { .. }
        | K::YamlVersionTooLong
        | K::MissingYamlVersion
        | K::InvalidTagDirectiveTerminator
        | K::ExpectedTagDirectiveBang
        | K::ExpectedDocumentStart => (
            "a line that starts with `%`, or what follows it, is not understood",
            "remove the `%` line, or quote text that starts with `%`",
        ),
        K::ExpectedTagBang
        | K::InvalidGlobalTagCharacter
        | K::InvalidTagTerminator
        | K::MissingTagUri
        | K::UnclosedVerbatimTag
        | K::InvalidTagEscape
        | K::InvalidTagUtf8LeadingByte
        | K::InvalidTagUtf8TrailingByte
        | K::InvalidTagUtf8
        | K::UndeclaredTagHandle => {
            ("a `!` starts a tag that is not understood", "quote text that starts with `!`")
        }
        K::MissingAnchorOrAliasName | K::UnknownAnchor | K::AnchorCountOverflow => (
            "a `&` or `*` starts an anchor or alias without a name that is known",
            "quote text that starts with `&` or `*`",
        ),
        K::ZeroBlockScalarIndent | K::InvalidBlockScalarHeader | K::InvalidBlockScalarIndent => (
            "the text after `|` or `>` is not indented as YAML wants it",
            "indent every line of it deeper than its key",
        ),
        K::InvalidFlowScalarIndent => {
            ("a line inside `{` or `[` is indented less than the map around it", "indent it deeper")
        }
        K::InvalidDocumentEnd => ("something follows the end of the document", "remove the `...`"),
        _ => (
            "this is not YAML",
            "look at the indentation, quotes and brackets of this line and the one above",
        ),
    };
    (message.to_owned(), help)
}

const CLOSE: &str = "look for a `,`, `}` or `]` that is missing or stands too early";
