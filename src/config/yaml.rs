//! Text to a tree of nodes with places: the only module that calls a YAML library.
//!
//! Invariant: any text ends in a tree or in diagnostics, in time and memory bounded by the size of the text:
//! aliases are paid for from a budget, and depth is limited.

mod build;
mod conflict;
mod scalar;
mod slips;
mod strict;
mod syntax;

use std::{borrow::Cow, sync::Arc};

pub(crate) use self::scalar::sort as plain_sort;

use granit_parser::{Parser, options};

use self::build::Builder;
use crate::diagnostic::{Diagnostic, Span};

/// The largest file that is read, in bytes.
pub(crate) const MAX_BYTES: usize = 10_000_000;
/// How deep lists and maps may lie within each other.
pub(crate) const MAX_DEPTH: usize = 64;
/// What all anchors and aliases of a file may copy together: bytes of text and a flat price per node.
const COPY_BUDGET: usize = MAX_BYTES;
/// The price of copying a node besides its text.
const NODE_PRICE: usize = 16;

/// A place within one file, without the file's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) bytes: (u32, u32),
}

impl Mark {
    /// The same place as a span of `file`.
    pub(crate) fn span(self, file: &Arc<str>) -> Span {
        Span { file: Arc::clone(file), line: self.line, column: self.column, bytes: self.bytes }
    }
}

/// One value with its place. The place of an alias is the alias; what lies below it keeps its own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node<'a> {
    pub(crate) mark: Mark,
    pub(crate) value: Value<'a>,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Scalar(Scalar<'a>),
    List(Vec<Node<'a>>),
    Map(Vec<(Key<'a>, Node<'a>)>),
}

/// A key of a map: always a scalar.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key<'a> {
    pub(crate) mark: Mark,
    pub(crate) scalar: Scalar<'a>,
}

/// A scalar as written, and what YAML 1.2's core schema takes it for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scalar<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) sort: Sort,
}

/// The type of a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    Null,
    Bool,
    Int,
    Float,
    Text,
}

impl Sort {
    /// The word for a value of this type in a sentence.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Sort::Null => "nothing",
            Sort::Bool => "a truth value",
            Sort::Int | Sort::Float => "a number",
            Sort::Text => "text",
        }
    }
}

impl Node<'_> {
    /// Whether it is `null`, `~` or empty.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.sort == Sort::Null)
    }

    /// What it is, for a sentence.
    pub(crate) fn noun(&self) -> &'static str {
        match &self.value {
            Value::Scalar(scalar) => scalar.sort.noun(),
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// Turns the bytes of a file into text, without its byte order mark.
pub(crate) fn decode_text(file: &Arc<str>, mut bytes: Vec<u8>) -> Result<String, Box<Diagnostic>> {
    if bytes.len() > MAX_BYTES {
        return Err(Box::new(too_large(file)));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let utf16 = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
        let before = String::from_utf8_lossy(&bytes[..valid]);
        let mark = end_of(&before);
        let what = if utf16 { "the file is UTF-16" } else { "the file is not UTF-8 from here on" };
        Box::new(
            Diagnostic::error("config/encoding", format!("{what}, and only UTF-8 is read"))
                .at(&mark.span(file))
                .help("save the file as UTF-8"),
        )
    })
}

/// What a file is.
#[derive(Debug)]
pub(crate) enum Parsed<'a> {
    /// It has no document.
    Empty,
    /// Its document; of keys that stand twice, only the first.
    Tree(Node<'a>),
    /// It is no YAML that can be judged any further.
    Broken,
}

/// Parses the one document of a file.
pub(crate) fn parse<'a>(file: &Arc<str>, text: &'a str, found: &mut Vec<Diagnostic>) -> Parsed<'a> {
    if text.len() > MAX_BYTES {
        found.push(too_large(file));
        return Parsed::Broken;
    }
    let conflict = conflict::find(text);
    let mut builder = Builder::new(file, text, found);
    let options = options! {
        emit_comments: false,
        emit_unresolved_aliases: true,
        flow_nesting_limit: MAX_DEPTH + 1,
        block_nesting_limit: MAX_DEPTH + 1,
    };
    for event in Parser::new_from_str_with_options(text, options) {
        let outcome = match event {
            Ok((event, span)) => builder.event(event, mark_of(&span)),
            // What follows a marker is no YAML, and says nothing that helps.
            Err(_) if conflict.is_some() => {
                builder.found.extend(conflict.map(|mark| merge_conflict(&mark.span(file))));
                return Parsed::Broken;
            }
            Err(error) => {
                let near =
                    syntax::Near { bracket: builder.open_flow(), scalar: builder.last_plain };
                Err(Box::new(syntax::explain(file, text, &error, near)))
            }
        };
        if let Err(last) = outcome {
            builder.found.push(*last);
            return Parsed::Broken;
        }
    }
    builder.finish_findings();
    builder.found.extend(conflict.map(|mark| merge_conflict(&mark.span(file)).recent()));
    match builder.root {
        _ if builder.broken => Parsed::Broken,
        Some(node) => Parsed::Tree(node),
        None => Parsed::Empty,
    }
}

fn merge_conflict(span: &Span) -> Diagnostic {
    Diagnostic::error("config/merge-conflict", "unresolved merge conflict").at(span).help(
        "keep the lines that are meant, and remove the markers `<<<<<<<`, `=======` and `>>>>>>>`",
    )
}

/// The place of the end of `text`.
fn end_of(text: &str) -> Mark {
    let start = text.rfind('\n').map_or(0, |at| at + 1);
    let line = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = text[start..].chars().count() + 1;
    let at = small(text.len());
    Mark { line: small(line), column: small(column), bytes: (at, at) }
}

fn too_large(file: &Arc<str>) -> Diagnostic {
    let top = Mark { line: 1, column: 1, bytes: (0, 0) };
    Diagnostic::error("config/too-large", "the file is larger than 10 MB, and is not read")
        .at(&top.span(file))
        .help("give a folder, and split the file by team or by workspace")
}

/// Positions fit, since files end at 10 MB.
fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn mark_of(span: &granit_parser::Span) -> Mark {
    let bytes = span.byte_range().map_or((0, 0), |range| (small(range.start), small(range.end)));
    Mark { line: small(span.start.line()), column: small(span.start.col() + 1), bytes }
}

#[cfg(test)]
#[path = "yaml/tests.rs"]
mod tests;
