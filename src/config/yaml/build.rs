//! Events to nodes: keys, anchors, aliases, and what may not stand in a file.
//!
//! Invariant: an alias is copied only while the budget lasts and the depth allows it.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use granit_parser::{Event, ScalarStyle, StructureStyle, Tag};

use super::{
    COPY_BUDGET, Key, MAX_DEPTH, Mark, NODE_PRICE, Node, Scalar, Sort, Value, scalar,
    strict::{Around, Layout},
    syntax,
};
use crate::diagnostic::{Diagnostic, MAX_HELD};

/// A container that is still open.
struct Open<'a> {
    mark: Mark,
    /// Where its lines start: the column of its keys or dashes.
    column: u32,
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
pub(super) struct Builder<'a, 'f> {
    file: &'f Arc<str>,
    text: &'a str,
    layout: Layout<'a>,
    /// What other readers refuse: worth saying only of a file that can be read.
    strict: Vec<Diagnostic>,
    /// The last scalar without quotes.
    pub(super) last_plain: Option<Mark>,
    /// Where the first finding is that is only counted, and how many there are.
    dropped: Option<(Mark, usize)>,
    open: Vec<Open<'a>>,
    pub(super) root: Option<Node<'a>>,
    documents: usize,
    anchors: HashMap<usize, Anchor<'a>>,
    budget: usize,
    pub(super) broken: bool,
    pub(super) found: &'f mut Vec<Diagnostic>,
}

/// From this many keys on, a map's duplicates are found through a hash map.
const HASH_FROM: usize = 12;

type Step = Result<(), Box<Diagnostic>>;

impl<'a, 'f> Builder<'a, 'f> {
    pub(super) fn new(file: &'f Arc<str>, text: &'a str, found: &'f mut Vec<Diagnostic>) -> Self {
        Self {
            file,
            text,
            layout: Layout::new(text),
            strict: Vec::new(),
            last_plain: None,
            dropped: None,
            open: Vec::new(),
            root: None,
            documents: 0,
            anchors: HashMap::new(),
            budget: COPY_BUDGET,
            broken: false,
            found,
        }
    }

    pub(super) fn event(&mut self, event: Event<'a>, mark: Mark) -> Step {
        let around = Around {
            flow: self.open.last().is_some_and(|open| open.flow),
            value: self.open.last().is_some_and(|open| {
                !open.flow && matches!(open.content, Content::Map { key: Some(_), .. })
            }),
            parent: self.open.iter().rev().find(|open| !open.flow).map(|open| open.column),
        };
        let span = |mark: Mark| mark.span(self.file);
        let finding = self.layout.event(&event, mark, around, span);
        self.strict.extend(finding);
        if matches!(&event, Event::Scalar(_, ScalarStyle::Plain, ..)) {
            self.last_plain = Some(mark);
        }
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
        // The parser says `~` where nothing is written.
        let written = mark.bytes.1 > mark.bytes.0;
        let text = if plain && !written { Cow::Borrowed("") } else { text };
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

    fn bad_tag(&self, tag: &Tag, value: Mark) -> Box<Diagnostic> {
        let mark = self.place_of_tag(tag, value).unwrap_or(value);
        self.error(
            "config/yaml-tag",
            mark,
            format!("the tag `{}` means nothing here", tag.original()),
            "remove the tag, or quote text that starts with `!`",
        )
    }

    /// The column of a list's dashes or of a map's keys. The parser places a list whose dashes stand under the key that
    /// holds it at its first item.
    fn column(&self, mark: Mark, flow: bool, content: &Content<'_>) -> u32 {
        let in_map = self
            .open
            .last()
            .is_some_and(|open| !open.flow && matches!(open.content, Content::Map { .. }));
        if flow || !in_map || !matches!(content, Content::List(_)) {
            return mark.column;
        }
        let head = self.text.get(..mark.bytes.0 as usize).unwrap_or_default();
        let line = &self.text[head.rfind('\n').map_or(0, |at| at + 1)..];
        super::small(line.len() - line.trim_start_matches(' ').len() + 1)
    }

    /// Where a tag stands: before its value, on the same line.
    fn place_of_tag(&self, tag: &Tag, value: Mark) -> Option<Mark> {
        let head = self.text.get(..value.bytes.0 as usize)?;
        let line = &head[head.rfind('\n').map_or(0, |at| at + 1)..];
        let written = tag.original();
        let at = line.rfind(&*written)?;
        let start = head.len() - line.len() + at;
        Some(Mark {
            line: value.line,
            column: super::small(line[..at].chars().count() + 1),
            bytes: (super::small(start), super::small(start + written.len())),
        })
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
        let column = self.column(mark, flow, &content);
        self.open.push(Open { mark, column, flow, anchor, content, seen, height: 0, price: 0 });
        Ok(())
    }

    /// Where the innermost bracket that is still open stands.
    pub(super) fn open_flow(&self) -> Option<Mark> {
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
        match finding {
            Some(_) if self.found.len() >= MAX_HELD => {
                self.dropped.get_or_insert((mark, 0)).1 += 1;
            }
            finding => self.found.extend(finding),
        }
        Ok(())
    }

    /// Reports what is only worth saying once the whole file is read.
    pub(super) fn finish_findings(&mut self) {
        self.found.append(&mut self.strict);
        let Some((mark, count)) = self.dropped else { return };
        let message = format!("{count} more keys are refused from here on");
        let help = "correct the others first";
        self.found.push(*self.error("config/duplicate-key", mark, message, help));
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
