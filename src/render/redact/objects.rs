//! Objects, their changes and calls without their originals.
//!
//! Invariant: ids, roles, dates and colours stay; a name and an address have the same pseudonym wherever they stand.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use super::{Class, Redactor};
use crate::{
    address::{Address, Kind, Name},
    api::call::{Call, Part},
    email::Email,
    resource::{
        ApiKey, Change, Fact, Facts, FieldChange, Member, Object, Remote, Source, Spec, Workspace,
        WorkspaceMember, api_key::KeyFacts, member::MemberFacts,
    },
};

impl Redactor {
    pub(super) fn object(&mut self, object: &Object) -> Object {
        let Object { spec, remote, source } = object;
        Object {
            spec: self.spec(spec),
            remote: remote.as_ref().map(|remote| self.remote(remote)),
            source: source.as_ref().map(|source| self.source(source)),
        }
    }

    pub(super) fn address(&mut self, address: &Address) -> Address {
        let Address { kind, scope, name } = address;
        let class = match kind {
            Kind::Member | Kind::WorkspaceMember => Class::Mail,
            Kind::Workspace => Class::Workspace,
            Kind::ApiKey => Class::Key,
        };
        Address {
            kind: *kind,
            scope: scope.as_ref().map(|scope| self.label(Class::Workspace, scope)),
            name: self.label(class, name),
        }
    }

    /// Ids stay: they name nobody to whom the organization is closed.
    pub(super) fn label(&mut self, class: Class, name: &Name) -> Name {
        match name {
            Name::Id(id) => Name::Id(Arc::clone(id)),
            Name::Label(text) if class == Class::Mail => Name::label(self.mail(text)),
            Name::Label(text) => Name::label(self.name(class, text)),
        }
    }

    pub(super) fn workspace_or_id(&mut self, name: &str) -> String {
        if name.starts_with("wrkspc_") {
            name.to_owned()
        } else {
            self.name(Class::Workspace, name)
        }
    }

    pub(super) fn change(&mut self, change: &Change) -> Change {
        let class = match change.object().spec {
            Spec::Member(_) | Spec::WorkspaceMember(_) => Class::Name,
            Spec::Workspace(_) => Class::Workspace,
            Spec::ApiKey(_) => Class::Key,
        };
        match change {
            Change::Create { after } => Change::Create { after: Arc::new(self.object(after)) },
            Change::Update { before, after, fields } => Change::Update {
                before: Arc::new(self.object(before)),
                after: Arc::new(self.object(after)),
                fields: fields.iter().map(|field| self.field(class, field)).collect(),
            },
            Change::Replace { before, after, fields } => Change::Replace {
                before: Arc::new(self.object(before)),
                after: Arc::new(self.object(after)),
                fields: fields.iter().map(|field| self.field(class, field)).collect(),
            },
            Change::Remove { before } => Change::Remove { before: Arc::new(self.object(before)) },
        }
    }

    pub(super) fn field(&mut self, class: Class, change: &FieldChange) -> FieldChange {
        let FieldChange { field, before, after } = change;
        let name = field.clone();
        let mut side = |value: &Value| match (&**field, value) {
            ("role" | "status" | "display_color", value) => value.clone(),
            ("name", Value::String(text)) => Value::String(self.name(class, text)),
            ("workspace", Value::String(text)) => Value::String(self.workspace_or_id(text)),
            (_, value) => self.value(value),
        };
        let (before, after) = (side(before), side(after));
        let field = match name.strip_prefix("tags.") {
            Some(key) => format!("tags.{}", self.chosen(key)),
            None => name,
        };
        FieldChange { field, before, after }
    }

    pub(super) fn value(&self, value: &Value) -> Value {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
            Value::String(text) => Value::String(self.chosen(text)),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(map) => {
                map.iter().map(|(key, value)| (self.chosen(key), self.value(value))).collect()
            }
        }
    }

    pub(super) fn spec(&mut self, spec: &Spec) -> Spec {
        match spec {
            Spec::Member(Member { email, role, groups }) => Spec::Member(Member {
                email: Email::lenient(&self.mail(email.as_written())),
                role: role.clone(),
                groups: groups.clone(),
            }),
            Spec::Workspace(workspace) => Spec::Workspace(Box::new(self.workspace(workspace))),
            Spec::WorkspaceMember(WorkspaceMember { workspace, member, role }) => {
                Spec::WorkspaceMember(WorkspaceMember {
                    workspace: self.label(Class::Workspace, workspace),
                    member: self.label(Class::Mail, member),
                    role: role.clone(),
                })
            }
            Spec::ApiKey(ApiKey { name, status, workspace }) => Spec::ApiKey(ApiKey {
                name: name.as_ref().map(|name| self.name(Class::Key, name).into()),
                status: status.clone(),
                workspace: workspace.as_ref().map(|name| self.label(Class::Workspace, name)),
            }),
        }
    }

    pub(super) fn workspace(&mut self, workspace: &Workspace) -> Workspace {
        let Workspace {
            name,
            display_color,
            tags,
            data_residency,
            external_key_id,
            user_profile_id,
            is_default,
        } = workspace;
        let tags = tags.as_ref().map(|tags| -> BTreeMap<String, String> {
            tags.iter().map(|(key, value)| (self.chosen(key), self.chosen(value))).collect()
        });
        Workspace {
            name: if *is_default {
                Arc::clone(name)
            } else {
                self.name(Class::Workspace, name).into()
            },
            display_color: display_color.clone(),
            tags,
            data_residency: data_residency.clone(),
            external_key_id: external_key_id.clone(),
            user_profile_id: user_profile_id.clone(),
            is_default: *is_default,
        }
    }

    pub(super) fn remote(&mut self, remote: &Remote) -> Remote {
        let Remote { id, phase, facts } = remote;
        let facts = match facts {
            Facts::Member(facts) => {
                let MemberFacts { name, added_at, pending } = &**facts;
                Facts::Member(Box::new(MemberFacts {
                    name: self.name(Class::Name, name).into(),
                    added_at: *added_at,
                    pending: pending.clone(),
                }))
            }
            Facts::Workspace(facts) => Facts::Workspace(facts.clone()),
            Facts::WorkspaceMember => Facts::WorkspaceMember,
            Facts::ApiKey(facts) => {
                let KeyFacts { created_at, expires_at, created_by, principal, reach, hint, in_use } =
                    &**facts;
                Facts::ApiKey(Box::new(KeyFacts {
                    created_at: *created_at,
                    expires_at: *expires_at,
                    created_by: created_by.clone(),
                    principal: principal.clone(),
                    reach: reach.clone(),
                    hint: hint.as_ref().map(|hint| self.name(Class::Hint, hint).into()),
                    in_use: *in_use,
                }))
            }
        };
        Remote { id: id.clone(), phase: *phase, facts }
    }

    pub(super) fn source(&mut self, source: &Source) -> Source {
        let Source { span, note, until, expired } = source;
        Source {
            span: self.span(span),
            // Free text may name anybody.
            note: note.as_ref().map(|note| self.name(Class::Note, note).into()),
            until: *until,
            expired: *expired,
        }
    }

    pub(super) fn fact(&mut self, fact: &Fact) -> Fact {
        match fact {
            Fact::Field { kind, id, name, field, is } => {
                // It holds the value as JSON, where a name may be escaped.
                let is = match serde_json::from_str::<Value>(is) {
                    Ok(_) if matches!(&**field, "role" | "status") => is.clone(),
                    Ok(value) => self.value(&value).to_string(),
                    Err(_) => self.text(is),
                };
                let name = self.text(name);
                Fact::Field { kind: *kind, id: id.clone(), name, field: field.clone(), is }
            }
            Fact::Nobody { email } => Fact::Nobody { email: self.mail(email) },
            Fact::NoWorkspace { name } => {
                Fact::NoWorkspace { name: self.name(Class::Workspace, name) }
            }
            Fact::NoGrant { workspace, user, name } => Fact::NoGrant {
                workspace: workspace.clone(),
                user: user.clone(),
                name: self.text(name),
            },
        }
    }

    pub(super) fn call(&mut self, call: &Call) -> Call {
        let Call { method, path, body, resend, budget } = call;
        let mut part = |part: &Part| match part {
            Part::Text(value) => Part::Text(self.value(value)),
            Part::IdOf(address) => Part::IdOf(self.address(address)),
        };
        Call {
            method: *method,
            path: path.iter().map(&mut part).collect(),
            body: body
                .as_ref()
                .map(|body| body.iter().map(|(key, value)| (key.clone(), part(value))).collect()),
            resend: *resend,
            budget: *budget,
        }
    }
}
