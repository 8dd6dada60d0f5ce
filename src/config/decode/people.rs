//! `organization`, `members`, `teams`.
//!
//! Invariant: an entry whose key is an address stays an entry, whatever is wrong with its value, so that what
//! refers to it is not reported too.

use std::{collections::btree_map::Entry, sync::Arc};

use jiff::civil::Date;

use super::{Cx, listed, shown, text::Rule};
use crate::{
    config::{
        document::{Organization, Person, Section, Sp, Team, Wanted},
        shape::{self, MAX_TEXT, ORGANIZATION, PERSON},
        yaml::{Key, Node, Sort, Value},
    },
    diagnostic::{Diagnostic, Span, did_you_mean},
    email::Email,
    resource::{OrgKind, Role, WorkspaceRole},
};

impl Cx<'_> {
    pub(super) fn organization(&mut self, key: &Key<'_>, node: &Node<'_>) -> Organization {
        let mut organization = Organization { place: self.place(key.mark), ..Default::default() };
        let Some(mut fields) = self.record(node, &ORGANIZATION, key.mark, "`organization`") else {
            return organization;
        };
        if let Some(node) = fields.value("id") {
            organization.id = self.text(node, Rule::line("`organization.id`", MAX_TEXT));
            if let Some(id) = &mut organization.id {
                if is_uuid(id) {
                    id.value = id.to_ascii_lowercase().into();
                } else {
                    let message = format!("`{}` is not the id of an organization", shown(id));
                    self.error(
                        "config/bad-id",
                        node.mark,
                        message,
                        "it is a UUID, shown in the Console under Settings > Organization",
                    );
                }
            }
        }
        if let Some(node) = fields.value("kind") {
            let kind = self.word(node, "`organization.kind`", &shape::kinds(), |word| {
                [OrgKind::Console, OrgKind::Enterprise, OrgKind::Aws]
                    .into_iter()
                    .find(|kind| kind.as_str() == word)
            });
            organization.kind = kind.unwrap_or_default();
        }
        organization
    }

    pub(super) fn members(&mut self, key: &Key<'_>, node: &Node<'_>) -> Section<Email, Person> {
        let mut section = Section { place: self.place(key.mark), ..Default::default() };
        for (key, node) in self.entries(node, "`members`", "{ada@acme.com: developer}") {
            let Some(email) = self.email(&key.scalar, key.mark) else {
                // The rest of the entry may be wrong as well.
                self.person(key, node);
                continue;
            };
            let person = self.person(key, node);
            match section.entries.entry(email) {
                Entry::Vacant(place) => {
                    place.insert(person);
                }
                Entry::Occupied(first) => {
                    self.same_person(key, first.key(), first.get().place.0.as_ref());
                }
            }
        }
        section
    }

    /// Reports two spellings of one address.
    pub(super) fn same_person(&mut self, key: &Key<'_>, first: &Email, place: Option<&Span>) {
        let message = format!(
            "`{}` and `{first}` are one address: case and the spelling of the domain do not count",
            shown(&key.scalar.text)
        );
        let other = (place, "first here");
        self.error_with("config/same-person", key.mark, message, other, "keep one of them");
    }

    fn person(&mut self, key: &Key<'_>, node: &Node<'_>) -> Person {
        let mut person = Person {
            place: self.place(key.mark),
            role: Sp::new(Wanted::Unmanaged),
            until: None,
            note: None,
            previously: None,
            id: None,
        };
        match &node.value {
            Value::Map(_) => {}
            Value::Scalar(scalar) if scalar.sort == Sort::Null => {
                self.error(
                    "config/null",
                    key.mark,
                    format!("nothing stands after `{}:`", shown(&key.scalar.text)),
                    "write a role, or `none` for somebody who is to go",
                );
                return person;
            }
            _ => {
                person.role = self.role(node);
                return person;
            }
        }
        let what = format!("the entry of `{}`", shown(&key.scalar.text));
        let Some(mut fields) = self.record(node, &PERSON, key.mark, &what) else { return person };
        if let Some(node) = fields.value("role") {
            person.role = self.role(node);
        }
        person.until = self.date(fields.value("until"));
        person.note = self.note(fields.value("note"), "`note`");
        if let Some(node) = fields.value("previously") {
            person.previously = {
                let emails = self.emails(node, "`previously`");
                Some(self.sp(emails, node.mark))
            };
        }
        person.id = fields.value("id").and_then(|node| self.id(node, "user_", "a user"));
        if person.role.value == Wanted::None {
            self.until_without_access(person.until.as_ref());
        }
        person
    }

    /// Reports a last day of no access.
    pub(super) fn until_without_access(&mut self, until: Option<&Sp<Date>>) {
        let Some(until) = until else { return };
        let finding = Diagnostic::error(
            "config/until-without-access",
            "`until` has no meaning beside `none`: there is no access to end",
        )
        .at_opt(until.span.as_ref())
        .help("remove `until`, or write the role to hold until then");
        self.push(finding);
    }

    /// The role of a person; `Unmanaged` stands in for one that is wrong.
    fn role(&mut self, node: &Node<'_>) -> Sp<Wanted<Role>> {
        let fallback = Sp::new(Wanted::Unmanaged);
        let Some(text) = self.text(node, Rule::line("a role", MAX_TEXT)) else { return fallback };
        let wanted = match &*text.value {
            "none" => Wanted::None,
            "unmanaged" => Wanted::Unmanaged,
            word => {
                let Some(role) = Role::known(word) else {
                    self.unknown_role(node, word);
                    return fallback;
                };
                Wanted::Role(role)
            }
        };
        self.sp(wanted, node.mark)
    }

    fn unknown_role(&mut self, node: &Node<'_>, word: &str) {
        let words = shape::roles();
        let kinds = |role: &str| {
            Role::known(role).map_or(String::new(), |role| {
                let kinds: Vec<_> = [OrgKind::Console, OrgKind::Enterprise]
                    .into_iter()
                    .filter(|kind| role.exists_in(*kind))
                    .map(OrgKind::as_str)
                    .collect();
                format!(" ({})", kinds.join(", "))
            })
        };
        let within = WorkspaceRole::known(word).map(|_| &word["workspace_".len()..]);
        let near = did_you_mean(within.unwrap_or(word), words.iter().copied());
        let message = if within.is_some() {
            format!("`{word}` is a role in a workspace, not in the organization")
        } else {
            format!("`{}` is not a role of the organization", shown(word))
        };
        let help = match near {
            Some(near) => format!("did you mean `{near}`{}?", kinds(near)),
            None => format!("the roles are {}", listed(&words)),
        };
        self.error("config/unknown-role", node.mark, message, help);
    }

    pub(super) fn teams(&mut self, key: &Key<'_>, node: &Node<'_>) -> Section<Arc<str>, Team> {
        let mut section = Section { place: self.place(key.mark), ..Default::default() };
        for (key, node) in self.entries(node, "`teams`", "{platform: [ada@acme.com]}") {
            let rule = Rule::line("the name of a team", MAX_TEXT);
            let Some(name) = self.key_text(key, rule) else { continue };
            if !is_team_name(name) {
                self.error(
                    "config/bad-name",
                    key.mark,
                    format!("`{}` cannot be the name of a team", shown(name)),
                    "use letters, digits, `-` and `_`",
                );
            }
            let place = self.place(key.mark);
            if node.is_null() {
                self.incomplete = true;
                self.error(
                    "config/null",
                    key.mark,
                    format!("nothing stands after `{}:`", shown(name)),
                    "write `[]` for a team without people, or remove the line",
                );
            }
            let people = if node.is_null() {
                Vec::new()
            } else {
                self.emails(node, &format!("the team `{}`", shown(name)))
            };
            section.entries.insert(Self::arc(name), Team { place, people });
        }
        section
    }
}

/// Whether a text can name a team.
pub(super) fn is_team_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Whether a text is the id of an organization.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
