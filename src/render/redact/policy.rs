//! Originals of rules, tests and limits: names that people made up, patterns, reasons, texts within conditions.
//!
//! Invariant: whatever a finding or a changed rule may quote from these sections is met.

use super::{Class, Redactor};
use crate::{
    config::document::{
        Text,
        policy::{
            Access, Allowed, Custom, Demand, Exception, Expected, FileLimit, FileLimits, Policy,
            Test, Tests,
        },
    },
    expression::Expression,
};

impl Redactor {
    pub(super) fn policy_of_files(&mut self, policy: &Policy) {
        let Policy { place: _, rules, exceptions } = policy;
        for rule in rules {
            match &rule.demand {
                // These name nobody, or people by addresses, which are known by their form.
                Demand::Admins { .. } | Demand::InviteAge { .. } => {}
                Demand::EmailDomains { roles: _, domains } => self.patterns(Class::Note, domains),
                Demand::WorkspaceAdmins { workspaces, least: _, inherited: _ } => {
                    self.patterns(Class::Workspace, workspaces);
                }
                Demand::Separation { one, other } => {
                    self.demanded(one);
                    self.demanded(other);
                }
                Demand::Contractors { people, days: _ } => self.patterns(Class::Note, people),
                Demand::KeyAge { api_keys, days: _ } => self.patterns(Class::Key, api_keys),
                Demand::Names { of: _, patterns } => self.patterns(Class::Note, patterns),
                Demand::Tags { workspaces, required } => {
                    self.patterns(Class::Workspace, workspaces);
                    for (tag, values) in required {
                        self.name(Class::Note, tag);
                        self.patterns(Class::Note, values);
                    }
                }
                Demand::Custom(Custom { for_each: _, when, check, message }) => {
                    self.made_up(&rule.name);
                    self.note(message.as_ref());
                    for condition in when.iter().chain([check]) {
                        self.literals(&condition.value);
                    }
                }
            }
        }
        for Exception { place: _, rule: _, of, reason, until: _ } in exceptions {
            self.note(Some(of));
            self.note(Some(reason));
        }
    }

    pub(super) fn tests_of_files(&mut self, tests: Option<&Tests>) {
        for (name, test) in tests.iter().flat_map(|section| &section.entries) {
            let Test { place: _, person, must, must_not, severity: _ } = test;
            self.made_up(name);
            self.note(person.as_ref());
            for expected in must.iter().chain(must_not) {
                match expected {
                    Expected::Access(access) => self.demanded(access),
                    Expected::Expression(condition) => self.literals(&condition.value),
                }
            }
        }
    }

    pub(super) fn limits_of_files(&mut self, files: Option<&FileLimits>) {
        for (_, limit) in files.iter().flat_map(|section| &section.entries) {
            let FileLimit { place: _, members, teams, workspaces, grants, api_keys } = limit;
            for (class, allowed) in [
                (Class::Note, members),
                (Class::Team, teams),
                (Class::Workspace, workspaces),
                (Class::Note, grants),
                (Class::Key, api_keys),
            ] {
                if let Some(Allowed::Only(patterns)) = allowed {
                    self.patterns(class, patterns);
                }
            }
        }
    }

    fn demanded(&mut self, access: &Access) {
        let Access { place: _, role: _, workspace, grant: _ } = access;
        if let Some(workspace) = workspace {
            self.name(Class::Workspace, workspace);
        }
    }

    fn patterns(&mut self, class: Class, patterns: &[Text]) {
        for pattern in patterns {
            self.name(class, pattern);
        }
    }

    /// A name of the files' own, and how it stands in a code.
    fn made_up(&mut self, name: &str) {
        self.name(Class::Rule, name);
        self.name(Class::Rule, &name.replace('_', "-"));
    }

    /// Texts in quotes within a condition.
    fn literals(&mut self, condition: &Expression) {
        for quote in ['"', '\''] {
            for literal in condition.source().split(quote).skip(1).step_by(2) {
                self.name(Class::Note, literal);
            }
        }
    }
}
