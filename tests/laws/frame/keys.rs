//! API keys.
//!
//! Invariant: a key changes by the one entry that means it, or dies with its person or workspace.

use std::collections::BTreeMap;

use orgcharter::sandbox::{ApiKey, KeyStatus, State};

use super::Frame;
use crate::{
    model::files::{KeyEntry, Target, past},
    run::{Verdict, ensure},
};

impl Frame<'_> {
    pub(super) fn keys(&self) -> Verdict {
        let mut after: BTreeMap<&str, &ApiKey> =
            self.after.api_keys().map(|key| (key.id.as_str(), key)).collect();
        for key in self.before.api_keys() {
            let Some(now) = after.remove(key.id.as_str()) else {
                return Err(format!("{key:?} vanished"));
            };
            if now != key {
                self.changed_key(key, now)
                    .map_err(|why| format!("{why}\nbefore: {key:?}\nafter: {now:?}"))?;
            }
        }
        ensure!(after.is_empty(), "keys came from nowhere: {after:?}");
        Ok(())
    }

    fn changed_key(&self, key: &ApiKey, now: &ApiKey) -> Verdict {
        let home = key.workspace_id.as_deref();
        let archived = |id: &str| {
            let at = |state: &State| state.workspace(id).and_then(|row| row.archived_at);
            at(self.before).is_none() && at(self.after).is_some()
        };
        // Archiving a workspace and removing a person archive keys (core.md §3.2, §3.4); both are judged above.
        let with_workspace = home.is_some_and(archived);
        let with_person = key
            .principal
            .as_deref()
            .is_some_and(|id| self.before.user(id).is_some() && self.after.user(id).is_none());
        let mut rest = now.clone();
        if with_workspace {
            rest.archives_at = key.archives_at;
        }
        if with_person {
            rest.status = key.status;
        }
        if rest == *key {
            return Ok(());
        }
        rest.name.clone_from(&key.name);
        rest.status = key.status;
        ensure!(rest == *key, "more than name and status changed");
        ensure!(
            !self.ignored(Target::ApiKeys, &key.name) && !self.ignored(Target::ApiKeys, &key.id),
            "an ignored key was touched"
        );
        let Some(entry) = self.key_entry(key) else {
            return Err("a key was touched that no entry means".to_owned());
        };
        if now.name != key.name {
            ensure!(entry.name.as_ref() == Some(&now.name), "renamed to something else");
        }
        if now.status != key.status && !with_person {
            let ended = entry.until.is_some_and(|day| past(day, &self.today));
            let wanted = match now.status {
                KeyStatus::Active => entry.status == Some("active") && !ended,
                KeyStatus::Inactive => entry.status == Some("inactive") || ended,
                KeyStatus::Archived => entry.status == Some("archived"),
                KeyStatus::Expired => false,
            };
            ensure!(wanted, "another status than the entry's");
            let in_use = key.partial_key_hint.as_deref() == Some("sk-ant-adm...box");
            ensure!(!in_use || now.status == KeyStatus::Active, "the key in use was switched off");
        }
        Ok(())
    }

    fn key_entry(&self, key: &ApiKey) -> Option<&KeyEntry> {
        let place = key.workspace_id.as_ref().and_then(|id| self.before.workspace(id));
        let place = place.filter(|row| !row.is_default);
        let list = match place {
            None => self.files.api_keys.as_ref(),
            Some(row) if self.ignored(Target::Workspaces, &row.name) => None,
            Some(row) => self.entry_of(row).and_then(|entry| entry.api_keys.as_ref()),
        }?;
        if let Some(entry) = list.iter().find(|entry| entry.key == key.id) {
            return Some(entry);
        }
        // By name it must be the only one that is neither archived nor listed by its id.
        let every = || {
            let lists = self.workspace_entries().filter_map(|entry| entry.api_keys.as_ref());
            lists.chain(&self.files.api_keys).flatten()
        };
        let now = self.before.now();
        let here = |other: &&ApiKey| {
            let home = other.workspace_id.as_ref().and_then(|id| self.before.workspace(id));
            let home = home.filter(|row| !row.is_default).map(|row| &row.id);
            home == place.map(|row| &row.id)
                && other.name == key.name
                && other.status_at(now) != KeyStatus::Archived
                && !every().any(|entry| entry.key == other.id)
        };
        let alone = self.before.api_keys().filter(here).count() == 1;
        let by_id = every().any(|entry| entry.key == key.id);
        list.iter().find(|entry| entry.key == key.name).filter(|_| alone && !by_id)
    }
}
