//! From the tree of one file to its part of the document: types, words and forms, value by value.
//!
//! Invariant: everything wrong in a file is found in one pass; what is wrong is replaced by something harmless,
//! and the findings keep the document from ever being used.

mod dates;
mod expectations;
mod expression;
mod files;
mod fleet;
mod keys;
mod patterns;
mod people;
mod policy;
mod reading;
mod report;
mod rules;
mod text;
mod workspaces;

pub(crate) use self::{
    fleet::{Listed, fleet},
    people::is_uuid,
    text::is_plain_text,
};

use std::{collections::BTreeMap, sync::Arc};

use self::report::{listed, shown};
use super::{
    document::{Document, Place, Sp, Text, VERSION},
    shape::{FILE, Need, Record},
    yaml::{Key, Mark, Node, Sort, Value},
};
use crate::diagnostic::{Diagnostic, Dropped, Span};

/// What one file says.
#[derive(Debug, Default)]
pub(crate) struct Part {
    /// Its part of the document.
    pub(crate) document: Document,
    /// Where `version` stands, if it does.
    pub(crate) version: Option<Span>,
    /// A list of the file could not be read whole: what refers to it cannot be judged.
    pub(crate) incomplete: bool,
    /// Keys of grants that are neither an address nor a team: whether a team or a person of that name exists in another
    /// file decides what is said of them.
    pub(crate) unnamed: Vec<Text>,
    /// Errors that were only counted.
    pub(crate) dropped: Dropped,
}

/// Decodes one file.
pub(crate) fn decode(
    file: &Arc<str>,
    root: bool,
    text: &str,
    node: &Node<'_>,
    found: &mut Vec<Diagnostic>,
) -> Part {
    let mut cx = Cx::new(file, root, text, found);
    let mut part = Part::default();
    if cx.is_saved_plan(node) {
        return Part { incomplete: true, ..part };
    }
    let Some(mut fields) = cx.record(node, &FILE, node.mark, "a charter file") else {
        return Part { incomplete: true, ..part };
    };
    if let Some((key, node)) = fields.take("version") {
        cx.version(node);
        part.version = Some(cx.span(key.mark));
    }
    let document = &mut part.document;
    if let Some((key, node)) = fields.take("organization") {
        document.organization = cx.organization(key, node);
    }
    if let Some((key, node)) = fields.take("members") {
        document.members = Some(cx.members(key, node));
    }
    if let Some((key, node)) = fields.take("teams") {
        document.teams = Some(cx.teams(key, node));
    }
    if let Some((key, node)) = fields.take("workspaces") {
        document.workspaces = Some(cx.workspaces(key, node));
    }
    if let Some((key, node)) = fields.take("api_keys") {
        document.api_keys = Some(cx.api_keys(key, node));
    }
    if let Some((key, node)) = fields.take("manage") {
        document.manage = cx.manage(key, node);
    }
    if let Some((key, node)) = fields.take("guard") {
        document.guard = cx.guard(key, node);
    }
    if let Some((key, node)) = fields.take("policy") {
        document.policy = cx.policy(key, node);
    }
    if let Some((key, node)) = fields.take("tests") {
        document.tests = Some(cx.tests(key, node));
    }
    if let Some((key, node)) = fields.take("files") {
        document.files = Some(cx.file_limits(key, node));
    }
    if let Some((key, node)) = fields.take("read") {
        document.read = Some(cx.reading(key, node));
    }
    cx.report_midnights();
    part.incomplete = cx.incomplete;
    part.unnamed = cx.unnamed;
    part.dropped = cx.dropped;
    part
}

/// A long map built anew from its sorted entries: one that grew entry by entry is half empty.
fn packed<K: Ord, V>(map: BTreeMap<K, V>) -> BTreeMap<K, V> {
    map.into_iter().collect()
}

/// What decoding one file needs.
struct Cx<'f> {
    file: &'f Arc<str>,
    root: bool,
    /// The text of the file, for places within a value.
    text: &'f str,
    found: &'f mut Vec<Diagnostic>,
    incomplete: bool,
    unnamed: Vec<Text>,
    /// Findings that were only counted.
    dropped: Dropped,
    /// Dates that hold a time, midnight.
    midnights: Vec<Mark>,
}

/// The entries of a map with fixed keys; unknown and empty ones are reported already.
struct Fields<'n, 'a> {
    record: &'static Record,
    entries: Vec<(&'n Key<'a>, &'n Node<'a>)>,
}

impl<'n, 'a> Fields<'n, 'a> {
    /// The entry of a key of the record.
    fn take(&mut self, key: &str) -> Option<(&'n Key<'a>, &'n Node<'a>)> {
        debug_assert!(self.record.field(key).is_some(), "`{key}` is not in the table");
        let index = self.entries.iter().position(|(entry, _)| entry.scalar.text == key)?;
        Some(self.entries.swap_remove(index))
    }

    /// The value of a key of the record.
    fn value(&mut self, key: &str) -> Option<&'n Node<'a>> {
        self.take(key).map(|(_, node)| node)
    }
}

impl Drop for Fields<'_, '_> {
    fn drop(&mut self) {
        // A key that the table has and the decoder forgets would be dropped without a word.
        debug_assert!(
            self.entries.is_empty() || std::thread::panicking(),
            "`{}` is in the table and not decoded",
            self.entries.first().map_or("", |(key, _)| &*key.scalar.text)
        );
    }
}

impl<'f> Cx<'f> {
    fn new(file: &'f Arc<str>, root: bool, text: &'f str, found: &'f mut Vec<Diagnostic>) -> Self {
        let (unnamed, midnights) = (Vec::new(), Vec::new());
        Self {
            file,
            root,
            text,
            found,
            incomplete: false,
            unnamed,
            dropped: Dropped::default(),
            midnights,
        }
    }
}

impl Cx<'_> {
    /// Whether this is no file of people but a plan, which says so once.
    fn is_saved_plan(&mut self, node: &Node<'_>) -> bool {
        let Value::Map(entries) = &node.value else { return false };
        let has = |name: &str| entries.iter().any(|(key, _)| key.scalar.text == name);
        let is_plan = has("format_version") && has("steps");
        if is_plan {
            let help = "apply it as it is: `charter apply FILE`; to check files, give the files";
            self.error("config/saved-plan", node.mark, "this is a saved plan", help);
        }
        is_plan
    }

    fn span(&self, mark: Mark) -> Span {
        mark.span(self.file)
    }

    fn place(&self, mark: Mark) -> Place {
        Place(Some(self.span(mark)))
    }

    fn sp<T>(&self, value: T, mark: Mark) -> Sp<T> {
        Sp::at(value, self.span(mark))
    }

    /// The entries of a map with free keys.
    fn entries<'n, 'a>(
        &mut self,
        node: &'n Node<'a>,
        what: &str,
        example: &str,
    ) -> &'n [(Key<'a>, Node<'a>)] {
        if let Value::Map(entries) = &node.value {
            return entries;
        }
        self.incomplete = true;
        self.wrong_type(node, what, "a map", format!("write it as `{example}`"));
        &[]
    }

    /// The items of a list.
    fn items<'n, 'a>(&mut self, node: &'n Node<'a>, what: &str, example: &str) -> &'n [Node<'a>] {
        if let Value::List(items) = &node.value {
            return items;
        }
        self.incomplete = true;
        self.wrong_type(node, what, "a list", format!("write it as `{example}`"));
        &[]
    }

    /// Opens a map with fixed keys. Unknown, empty, misplaced and missing keys are reported here.
    fn record<'n, 'a>(
        &mut self,
        node: &'n Node<'a>,
        record: &'static Record,
        place: Mark,
        what: &str,
    ) -> Option<Fields<'n, 'a>> {
        let Value::Map(map) = &node.value else {
            let keys: Vec<_> = record.keys().take(4).map(|key| format!("`{key}`")).collect();
            let help = format!("its keys are {} and so on", keys.join(", "));
            self.wrong_type(node, what, "a map", help);
            return None;
        };
        let mut entries = Vec::with_capacity(map.len());
        for (key, node) in map {
            if self.accepts(record, key, node, what) {
                entries.push((key, node));
            }
        }
        for field in record.fields.iter().filter(|field| field.need == Need::Required) {
            if !map.iter().any(|(key, _)| key.scalar.text == field.key) {
                self.error(
                    "config/missing-key",
                    place,
                    format!("{what} lacks `{}`", field.key),
                    format!("add `{}:`: {}", field.key, field.about),
                );
            }
        }
        Some(Fields { record, entries })
    }

    /// Whether an entry of a map with fixed keys can be decoded.
    fn accepts(
        &mut self,
        record: &'static Record,
        key: &Key<'_>,
        node: &Node<'_>,
        what: &str,
    ) -> bool {
        let text = &*key.scalar.text;
        let Some(field) = record.field(text) else {
            self.unknown_key(record, key, what);
            return false;
        };
        if field.need == Need::Root && !self.root {
            self.error(
                "config/root-only",
                key.mark,
                format!("`{text}` stands in the root file only"),
                "move it to `charter.yaml` at the top of the folder; `read.exclude` there leaves other files out",
            );
            return false;
        }
        if node.is_null() {
            // A section that says nothing may have meant everything: judge nothing by its absence.
            self.incomplete = true;
            let help = match (field.form.empty(), text) {
                (Some(empty), _) => {
                    format!(
                        "write `{text}: {empty}` to say that none is wanted, or remove the line"
                    )
                }
                (None, "display_color") => {
                    "quote the colour: a `#` starts a comment, as in `display_color: \"#6C5BB9\"`"
                        .into()
                }
                (None, _) => format!("give `{text}` a value, or remove the line"),
            };
            let message = match &node.value {
                Value::Scalar(scalar) if !scalar.text.is_empty() => {
                    format!("`{text}` is `{}`, which could mean none or not managed", scalar.text)
                }
                _ => format!("`{text}:` has no value, which could mean none or not managed"),
            };
            self.error("config/null", key.mark, message, help);
            return false;
        }
        true
    }

    fn version(&mut self, node: &Node<'_>) {
        match &node.value {
            Value::Scalar(scalar)
                if scalar.sort == Sort::Int && scalar.text == VERSION.to_string() => {}
            Value::Scalar(scalar) if scalar.sort == Sort::Int => self.error(
                "config/version",
                node.mark,
                format!(
                    "version `{}` of the format is not known; this charter reads {VERSION}",
                    scalar.text
                ),
                "write `version: 1`, or use a charter that knows the other version",
            ),
            _ => self.wrong_type(node, "`version`", "the number 1", "write `version: 1`"),
        }
    }
}
