//! A fleet file: which organization has its files where, and which variable holds its credential.
//!
//! Invariant: what stands where the name of a variable should stand is never shown: it may be the credential.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    path::{Component, Path},
    sync::Arc,
};

use super::{Cx, is_uuid, shown, text::Rule};
use crate::{
    config::{
        document::Text,
        shape::{FLEET, MAX_ID, MAX_TEXT, MEMBER},
        yaml::{Key, Mark, Node},
    },
    diagnostic::{Diagnostic, Span},
};

/// An entry of a fleet file.
#[derive(Debug)]
pub(crate) struct Listed {
    /// The organization, in lower case.
    pub(crate) id: Text,
    /// Its folder, as written.
    pub(crate) folder: Text,
    /// The variable with its credential.
    pub(crate) credential: Text,
}

/// Decodes a fleet file. Entries that are wrong are reported and left out.
pub(crate) fn fleet(
    file: &Arc<str>,
    text: &str,
    node: &Node<'_>,
    found: &mut Vec<Diagnostic>,
) -> Vec<Listed> {
    let mut cx = Cx::new(file, true, text, found);
    let Some(mut fields) = cx.record(node, &FLEET, node.mark, "a fleet file") else {
        return Vec::new();
    };
    if let Some(node) = fields.value("version") {
        cx.version(node);
    }
    let Some((key, node)) = fields.take("organizations") else { return Vec::new() };
    let example = "{3f0c1b1e-…: {folder: acme, credential: ACME_ADMIN_KEY}}";
    let entries = cx.entries(node, "`organizations`", example);
    if entries.is_empty() {
        cx.error(
            "fleet/empty",
            key.mark,
            "the fleet has no organizations, so nothing would be looked at",
            format!("list them, as in `{example}`"),
        );
    }
    let listed: Vec<Listed> =
        entries.iter().filter_map(|(key, node)| cx.organization_of_fleet(key, node)).collect();
    cx.no_two(&listed, "fleet/id-twice", "keep one of them", |listed| &listed.id);
    let help = "a credential is for one organization: give each its own variable";
    cx.no_two(&listed, "fleet/credential-twice", help, |listed| &listed.credential);
    listed
}

impl Cx<'_> {
    fn organization_of_fleet(&mut self, key: &Key<'_>, node: &Node<'_>) -> Option<Listed> {
        let id = self.key_text(key, Rule::line("the id of an organization", MAX_TEXT));
        let id = id.filter(|id| {
            let right = is_uuid(id);
            if !right {
                self.error(
                    "fleet/bad-id",
                    key.mark,
                    format!("`{}` is not the id of an organization", shown(id)),
                    "it is a UUID, shown in the Console under Settings > Organization",
                );
            }
            right
        });
        let mut fields = self.record(node, &MEMBER, key.mark, "an organization of the fleet")?;
        let folder = fields.value("folder").and_then(|node| self.folder(node));
        let credential = fields.value("credential").and_then(|node| self.variable(node));
        Some(Listed {
            id: self.sp(id?.to_ascii_lowercase().into(), key.mark),
            folder: folder?,
            credential: credential?,
        })
    }

    fn folder(&mut self, node: &Node<'_>) -> Option<Text> {
        let folder = self.text(node, Rule::line("`folder`", MAX_TEXT))?;
        let up = |part: Component<'_>| !matches!(part, Component::Normal(_) | Component::CurDir);
        if Path::new(&**folder).components().any(up) {
            self.error(
                "fleet/folder",
                node.mark,
                format!("the folder `{}` is not below that of the fleet file", shown(&folder)),
                "give a path below it, without `..`, as in `organizations/acme`",
            );
            return None;
        }
        Some(folder)
    }

    fn variable(&mut self, node: &Node<'_>) -> Option<Text> {
        let name = self.text(node, Rule::line("`credential`", MAX_ID))?;
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !starts || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            self.error(
                "fleet/credential",
                node.mark,
                "`credential` is not the name of an environment variable",
                "give the name of the variable that holds the credential, as in `ACME_ADMIN_KEY`; a credential that was \
                 written into the file is known to whoever can read it: revoke it",
            );
            return None;
        }
        Some(name)
    }

    /// Reports each value that stands twice, with its first place.
    fn no_two(
        &mut self,
        listed: &[Listed],
        code: &'static str,
        help: &str,
        value: impl Fn(&Listed) -> &Text,
    ) {
        let mut first: BTreeMap<&str, &Text> = BTreeMap::new();
        for text in listed.iter().map(value) {
            match first.entry(text) {
                Entry::Vacant(place) => {
                    place.insert(text);
                }
                Entry::Occupied(other) => {
                    let message = format!("`{text}` stands twice in the fleet");
                    let other = (other.get().span.as_ref(), "first here");
                    self.error_with(code, mark(text.span.as_ref()), message, other, help);
                }
            }
        }
    }
}

fn mark(span: Option<&Span>) -> Mark {
    span.map_or_else(Mark::default, |span| Mark {
        line: span.line,
        column: span.column,
        bytes: span.bytes,
    })
}
