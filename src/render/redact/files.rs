//! Originals of the files and of the live organization: what a message may name although no step does.
//!
//! Invariant: every name, address and note that a document or a live object has is met.

use super::{Class, Redactor};
use crate::{
    config::document::{
        Document, Grant, Grants, KEY_ID_PREFIX, Key, Person, Section, Text, Workspace,
    },
    resource::Live,
};

impl Redactor {
    /// Meets what the files name.
    pub fn learn_files(&mut self, document: &Document) {
        let Document {
            organization: _,
            members,
            teams,
            workspaces,
            api_keys,
            manage,
            guard: _,
            policy,
            tests,
            files,
            read: _,
        } = document;
        self.policy_of_files(policy);
        self.tests_of_files(tests.as_ref());
        self.limits_of_files(files.as_ref());
        for (email, person) in members.iter().flat_map(|section| &section.entries) {
            self.mail(email.as_written());
            let Person { place: _, role: _, until: _, note, previously, id: _ } = person;
            self.note(note.as_ref());
            for email in previously.iter().flat_map(|list| &list.value) {
                self.mail(email.as_written());
            }
        }
        for (name, team) in teams.iter().flat_map(|section| &section.entries) {
            self.name(Class::Team, name);
            for email in &team.people {
                self.mail(email.as_written());
            }
        }
        for (label, workspace) in workspaces.iter().flat_map(|section| &section.entries) {
            self.name(Class::Workspace, label);
            self.workspace_of_files(workspace);
        }
        self.keys_of_files(api_keys.as_ref());
        for ignore in &manage.ignore {
            self.note(Some(&ignore.reason));
            self.note(Some(&ignore.pattern));
        }
    }

    /// Meets what is live.
    pub fn learn_live(&mut self, live: &Live) {
        let Live { organization: _, organization_name, objects, archived, history, coverage: _ } =
            live;
        if let Some(name) = organization_name {
            self.name(Class::Organization, name);
        }
        for object in objects.iter().map(|(_, object)| object).chain(archived) {
            self.object(object);
        }
        for email in history.keys() {
            self.mail(email);
        }
    }

    fn workspace_of_files(&mut self, workspace: &Workspace) {
        let Workspace {
            place: _,
            name,
            id: _,
            previously,
            state: _,
            display_color: _,
            tags: _,
            data_residency: _,
            external_key_id: _,
            user_profile_id: _,
            note,
            members,
            api_keys,
        } = workspace;
        let former = previously.iter().flat_map(|list| &list.value);
        for name in name.iter().chain(former) {
            self.name(Class::Workspace, name);
        }
        self.note(note.as_ref());
        if let Some(Grants { place: _, people, teams }) = members {
            for email in people.keys() {
                self.mail(email.as_written());
            }
            for team in teams.keys() {
                self.name(Class::Team, team);
            }
            for Grant { place: _, role: _, until: _, note } in people.values().chain(teams.values())
            {
                self.note(note.as_ref());
            }
        }
        self.keys_of_files(api_keys.as_ref());
    }

    fn keys_of_files(&mut self, keys: Option<&Section<std::sync::Arc<str>, Key>>) {
        for (label, key) in keys.iter().flat_map(|section| &section.entries) {
            let Key { place: _, name, status: _, note, until: _ } = key;
            if !label.starts_with(KEY_ID_PREFIX) {
                self.name(Class::Key, label);
            }
            if let Some(name) = name {
                self.name(Class::Key, name);
            }
            self.note(note.as_ref());
        }
    }

    pub(super) fn note(&mut self, note: Option<&Text>) {
        if let Some(note) = note {
            self.name(Class::Note, note);
        }
    }
}
