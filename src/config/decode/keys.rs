//! `api_keys`, at the top level and of workspaces.
//!
//! Invariant: a key by name is only ever kept active; everything else needs its id.

use std::sync::Arc;

use super::{Cx, packed, shown, text::Rule};
use crate::{
    config::{
        document::{KEY_ID_PREFIX, Key as ApiKey, Section, Sp},
        shape::{self, KEY, MAX_KEY_NAME},
        yaml::{Key, Node, Sort, Value},
    },
    resource::KeyStatus,
};

impl Cx<'_> {
    pub(super) fn api_keys(&mut self, key: &Key<'_>, node: &Node<'_>) -> Section<Arc<str>, ApiKey> {
        let mut section = Section { place: self.place(key.mark), ..Default::default() };
        for (key, node) in self.entries(node, "`api_keys`", "{ci-deploy: active}") {
            let rule = Rule::line("the name or id of a key", MAX_KEY_NAME);
            let name = self.key_text(key, rule);
            let entry = self.api_key(key, node);
            if let Some(name) = name {
                section.entries.insert(Self::arc(name), entry);
            }
        }
        section.entries = packed(section.entries);
        section
    }

    fn api_key(&mut self, key: &Key<'_>, node: &Node<'_>) -> ApiKey {
        let mut entry = ApiKey { place: self.place(key.mark), ..Default::default() };
        match &node.value {
            Value::Map(_) => {
                let what = format!("the key `{}`", shown(&key.scalar.text));
                let Some(mut fields) = self.record(node, &KEY, key.mark, &what) else {
                    return entry;
                };
                let name = Rule::line("`name`", MAX_KEY_NAME);
                entry.name = fields.value("name").and_then(|node| self.text(node, name));
                entry.status = fields.value("status").and_then(|node| self.key_status(node));
                entry.note = self.note(fields.value("note"), "`note`");
                entry.until = self.date(fields.value("until"));
            }
            Value::Scalar(scalar) if scalar.sort == Sort::Null => {
                self.error(
                    "config/null",
                    key.mark,
                    format!("nothing stands after `{}:`", shown(&key.scalar.text)),
                    "write `active`, or remove the line",
                );
                return entry;
            }
            _ => entry.status = self.key_status(node),
        }
        match key.scalar.text.strip_prefix(KEY_ID_PREFIX) {
            None => self.key_by_name(key, &entry, node),
            Some(rest)
                if !rest.is_empty()
                    && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)) => {}
            Some(_) => self.error(
                "config/bad-id",
                key.mark,
                format!("`{}` is not the id of a key", shown(&key.scalar.text)),
                "such an id looks like `apikey_01AbC…`; `charter import` shows it",
            ),
        }
        entry
    }

    /// A name may only say that a key stays active: anything else needs to be sure which key is meant.
    fn key_by_name(&mut self, key: &Key<'_>, entry: &ApiKey, node: &Node<'_>) {
        let broken = match &entry.status {
            Some(status) if status.value != KeyStatus::Active => {
                Some(format!("`{}`", status.value))
            }
            _ if entry.name.is_some() => Some("`name`".to_owned()),
            _ if entry.until.is_some() => Some("`until`".to_owned()),
            None if matches!(&node.value, Value::Map(entries) if !entries.iter().any(|(key, _)| key.scalar.text == "status")) =>
            {
                self.error(
                    "config/missing-key",
                    key.mark,
                    format!("the key `{}` lacks `status`", shown(&key.scalar.text)),
                    "add `status: active`; by name a key can only be kept active",
                );
                None
            }
            _ => None,
        };
        if let Some(what) = broken {
            self.error(
                "config/key-by-name",
                key.mark,
                format!(
                    "{what} is not possible for the key `{}`: names of keys repeat, and a name can only keep a key active",
                    shown(&key.scalar.text)
                ),
                "write the key's id, `apikey_…`, in place of its name; `charter import` shows it",
            );
        }
    }

    fn key_status(&mut self, node: &Node<'_>) -> Option<Sp<KeyStatus>> {
        if matches!(&node.value, Value::Scalar(scalar) if scalar.text == "expired") {
            self.error(
                "config/unknown-value",
                node.mark,
                "`expired` cannot be wanted: a key expires by its own clock",
                "write `inactive` to switch it off, or remove `status`",
            );
            return None;
        }
        self.word(node, "`status`", &shape::key_statuses(), KeyStatus::known)
    }
}
