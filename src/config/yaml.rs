//! Text to a tree of nodes with places: the only module that calls a YAML library.
//!
//! Invariant: any text ends in a tree or in diagnostics, in time and memory bounded by the size of the text:
//! aliases are paid for from a budget, and depth is limited.

mod scalar;
mod syntax;

use std::{borrow::Cow, collections::HashMap, sync::Arc};

pub(crate) use self::scalar::sort as plain_sort;

use granit_parser::{Event, Parser, ScalarStyle, StructureStyle, Tag, options};

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
    let mut builder = Builder {
        file,
        open: Vec::new(),
        root: None,
        documents: 0,
        anchors: HashMap::new(),
        budget: COPY_BUDGET,
        broken: false,
        found,
    };
    let options = options! {
        emit_comments: false,
        emit_unresolved_aliases: true,
        flow_nesting_limit: MAX_DEPTH + 1,
        block_nesting_limit: MAX_DEPTH + 1,
    };
    for event in Parser::new_from_str_with_options(text, options) {
        let outcome = match event {
            Ok((event, span)) => builder.event(event, mark_of(&span)),
            Err(error) => Err(Box::new(syntax::explain(file, text, &error, builder.open_flow()))),
        };
        if let Err(last) = outcome {
            builder.found.push(*last);
            return Parsed::Broken;
        }
    }
    match builder.root {
        _ if builder.broken => Parsed::Broken,
        Some(node) => Parsed::Tree(node),
        None => Parsed::Empty,
    }
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

/// A container that is still open.
struct Open<'a> {
    mark: Mark,
    /// Written with brackets.
    flow: bool,
    anchor: usize,
    content: Content<'a>,
    /// Keys of a large map seen so far, with their index.
    seen: HashMap<Cow<'a, str>, usize>,
    height: usize,
    price: usize,
}

enum Content<'a> {
    List(Vec<Node<'a>>),
    Map { entries: Vec<(Key<'a>, Node<'a>)>, key: Option<Key<'a>>, skip: bool },
}

/// A finished node that aliases may repeat.
struct Anchor<'a> {
    node: Node<'a>,
    height: usize,
    price: usize,
}

/// Builds the tree from events.
struct Builder<'a, 'f> {
    file: &'f Arc<str>,
    open: Vec<Open<'a>>,
    root: Option<Node<'a>>,
    documents: usize,
    anchors: HashMap<usize, Anchor<'a>>,
    budget: usize,
    broken: bool,
    found: &'f mut Vec<Diagnostic>,
}

/// From this many keys on, a map's duplicates are found through a hash map.
const HASH_FROM: usize = 12;

type Step = Result<(), Box<Diagnostic>>;

impl<'a> Builder<'a, '_> {
    fn event(&mut self, event: Event<'a>, mark: Mark) -> Step {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents == 1 {
                    return Ok(());
                }
                Err(self.error(
                    "config/several-documents",
                    mark,
                    "a second document starts here, and a file holds one",
                    "remove the `---`, or move what follows into a file of its own in a folder",
                ))
            }
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = self.scalar(text, style, tag.as_deref(), mark)?;
                let price = NODE_PRICE + scalar.text.len();
                let node = Node { mark, value: Value::Scalar(scalar) };
                self.finish(node, anchor, 0, price)
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.container_tag(tag.as_deref(), "seq", mark)?;
                self.push(mark, style, anchor, Content::List(Vec::new()))
            }
            Event::MappingStart(style, anchor, tag) => {
                self.container_tag(tag.as_deref(), "map", mark)?;
                let content = Content::Map { entries: Vec::new(), key: None, skip: false };
                self.push(mark, style, anchor, content)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(done) = self.open.pop() else { return Ok(()) };
                let value = match done.content {
                    Content::List(items) => Value::List(items),
                    Content::Map { entries, .. } => Value::Map(entries),
                };
                let node = Node { mark: done.mark, value };
                self.finish(node, done.anchor, done.height + 1, done.price + NODE_PRICE)
            }
            Event::Alias(id) => self.alias(id, mark),
            Event::UnresolvedAlias(name) => Err(self.error(
                "config/yaml-alias",
                mark,
                format!("`*{name}` repeats an anchor that does not stand above it"),
                format!("text that starts with `*` needs quotes: `\"*{name}\"`"),
            )),
            // Starts and ends that say nothing, and metadata that is not asked for.
            _ => Ok(()),
        }
    }

    fn scalar(
        &self,
        text: Cow<'a, str>,
        style: ScalarStyle,
        tag: Option<&Tag>,
        mark: Mark,
    ) -> Result<Scalar<'a>, Box<Diagnostic>> {
        let plain = style == ScalarStyle::Plain;
        let sort = if plain { scalar::sort(&text) } else { Sort::Text };
        let Some(tag) = tag else { return Ok(Scalar { text, sort }) };
        let told = match tag.core_suffix() {
            Some("str") => Some(Sort::Text),
            Some("null") => Some(Sort::Null),
            Some("bool") => Some(Sort::Bool),
            Some("int") => Some(Sort::Int),
            Some("float") => Some(Sort::Float),
            // The non-specific tag `!` makes text of any scalar.
            None if tag.handle().is_empty() && tag.suffix() == "!" => Some(Sort::Text),
            _ => None,
        };
        match told {
            Some(Sort::Text) => Ok(Scalar { text, sort: Sort::Text }),
            Some(told) if plain && told == sort => Ok(Scalar { text, sort }),
            _ => Err(self.bad_tag(tag, mark)),
        }
    }

    fn container_tag(&self, tag: Option<&Tag>, own: &str, mark: Mark) -> Step {
        match tag {
            Some(tag) if tag.core_suffix() != Some(own) => Err(self.bad_tag(tag, mark)),
            _ => Ok(()),
        }
    }

    fn bad_tag(&self, tag: &Tag, mark: Mark) -> Box<Diagnostic> {
        self.error(
            "config/yaml-tag",
            mark,
            format!("the tag `{}` means nothing here", tag.original()),
            "remove the tag, or quote text that starts with `!`",
        )
    }

    fn push(
        &mut self,
        mark: Mark,
        style: StructureStyle,
        anchor: usize,
        content: Content<'a>,
    ) -> Step {
        if self.open.len() >= MAX_DEPTH {
            return Err(Box::new(syntax::too_deep(&mark.span(self.file))));
        }
        let flow = style == StructureStyle::Flow;
        let seen = HashMap::new();
        self.open.push(Open { mark, flow, anchor, content, seen, height: 0, price: 0 });
        Ok(())
    }

    /// Where the innermost bracket that is still open stands.
    fn open_flow(&self) -> Option<Mark> {
        self.open.last().filter(|open| open.flow).map(|open| open.mark)
    }

    fn alias(&mut self, id: usize, mark: Mark) -> Step {
        let Some(anchor) = self.anchors.get(&id) else {
            return Err(self.error(
                "config/yaml-alias",
                mark,
                "an alias stands inside the value that it repeats",
                "write the value out, without the alias",
            ));
        };
        let (height, price) = (anchor.height, anchor.price);
        if self.open.len() + height > MAX_DEPTH {
            return Err(Box::new(syntax::too_deep(&mark.span(self.file))));
        }
        let Some(left) = self.budget.checked_sub(price) else {
            return Err(self.expands_too_far(mark));
        };
        self.budget = left;
        let node = Node { mark, value: anchor.node.value.clone() };
        self.finish(node, 0, height, price)
    }

    fn expands_too_far(&self, mark: Mark) -> Box<Diagnostic> {
        self.error(
            "config/yaml-alias",
            mark,
            "the anchors and aliases of this file repeat more than 10 MB",
            "write the values out, or use a team for people who share their access",
        )
    }

    /// Hands a finished node to its anchor and to the container it stands in.
    fn finish(&mut self, node: Node<'a>, anchor: usize, height: usize, price: usize) -> Step {
        if anchor != 0 {
            let Some(left) = self.budget.checked_sub(price) else {
                return Err(self.expands_too_far(node.mark));
            };
            self.budget = left;
            self.anchors.insert(anchor, Anchor { node: node.clone(), height, price });
        }
        let Some(top) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        top.height = top.height.max(height);
        top.price += price;
        match &mut top.content {
            Content::List(items) => items.push(node),
            Content::Map { entries, key, skip } => {
                if let Some(key) = key.take() {
                    if !std::mem::take(skip) {
                        entries.push((key, node));
                    }
                    return Ok(());
                }
                return self.key(node);
            }
        }
        Ok(())
    }

    /// Takes a node as the next key of the map on top.
    fn key(&mut self, node: Node<'a>) -> Step {
        let mark = node.mark;
        let Value::Scalar(scalar) = node.value else {
            return Err(self.error(
                "config/yaml-key",
                mark,
                "a list or a map cannot be a key",
                "a key is text; did a `{` or `[` start too early?",
            ));
        };
        let mut finding = None;
        let Some(Open { content: Content::Map { entries, key, skip }, seen, .. }) =
            self.open.last_mut()
        else {
            return Ok(());
        };
        // `<<` in quotes is a key like any other; the parser's span then covers the quotes.
        if scalar.text == "<<" && mark.bytes.1.saturating_sub(mark.bytes.0) == 2 {
            *skip = true;
            // What it was to bring in would be missed everywhere.
            self.broken = true;
            finding = Some(
                Diagnostic::error(
                    "config/yaml-merge-key",
                    "`<<` is not merged: YAML 1.2 has no merge keys",
                )
                .at(&mark.span(self.file))
                .help("write the keys out, or use a team for people who share their access"),
            );
        } else if let Some(first) = first_place(entries, seen, &scalar.text) {
            *skip = true;
            finding = Some(
                Diagnostic::error(
                    "config/duplicate-key",
                    format!("the key `{}` stands twice in this map", scalar.text),
                )
                .at(&mark.span(self.file))
                .with(&first.span(self.file), "first here")
                .help("keep one of them"),
            );
        }
        *key = Some(Key { mark, scalar });
        self.found.extend(finding);
        Ok(())
    }

    fn error(
        &self,
        code: &'static str,
        mark: Mark,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Box<Diagnostic> {
        Box::new(Diagnostic::error(code, message).at(&mark.span(self.file)).help(help))
    }
}

/// Where `text` already is a key of the map, if it is; large maps are indexed as they grow.
fn first_place<'a>(
    entries: &[(Key<'a>, Node<'a>)],
    seen: &mut HashMap<Cow<'a, str>, usize>,
    text: &str,
) -> Option<Mark> {
    if entries.len() < HASH_FROM {
        return entries.iter().find(|(key, _)| key.scalar.text == text).map(|(key, _)| key.mark);
    }
    for (index, (key, _)) in entries.iter().enumerate().skip(seen.len()) {
        seen.insert(key.scalar.text.clone(), index);
    }
    seen.get(text).map(|index| entries[*index].0.mark)
}

#[cfg(test)]
#[path = "yaml/tests.rs"]
mod tests;
