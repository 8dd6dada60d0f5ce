//! A plan, a comparison and rules without their originals.
//!
//! Invariant: structures are taken apart field by field, so that a new field does not pass unseen; ids, roles, dates and
//! counts stay, and equal originals stay equal.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use super::{Class, Redactor};
use crate::{
    access::{AccessChange, Place},
    address::{Address, Kind, Name},
    api::call::{Call, Part},
    email::Email,
    plan::{
        Plan, Step,
        compare::Compared,
        rules::RuleChange,
        step::{Expiring, GuardResult, KeyFate, Organization, Population, Unmanaged, Waiting},
    },
    resource::{
        ApiKey, Change, Disposition, Fact, Facts, FieldChange, Member, Object, Remote, Source,
        Spec, Workspace, WorkspaceMember, api_key::KeyFacts, member::MemberFacts,
    },
};

impl Redactor {
    /// A plan without its originals.
    pub fn plan(&mut self, plan: &Plan) -> Plan {
        // The first time meets every original that has a field, the second finds them in messages too.
        self.walk_plan(plan);
        self.walk_plan(plan)
    }

    /// A comparison and its rules without their originals.
    pub fn comparison(
        &mut self,
        compared: &Compared,
        rules: &[RuleChange],
    ) -> (Compared, Vec<RuleChange>) {
        self.walk_compared(compared);
        let compared = self.walk_compared(compared);
        (compared, rules.iter().map(|rule| self.rule(rule)).collect())
    }

    pub(super) fn object(&mut self, object: &Object) -> Object {
        let Object { spec, remote, source } = object;
        Object {
            spec: self.spec(spec),
            remote: remote.as_ref().map(|remote| self.remote(remote)),
            source: source.as_ref().map(|source| self.source(source)),
        }
    }

    fn walk_plan(&mut self, plan: &Plan) -> Plan {
        let Plan {
            format_version,
            charter_version,
            organization,
            created_at,
            observed,
            steps,
            waiting,
            unmanaged,
            expiring,
            keys,
            access,
            guards,
            notes,
            bindings,
            population,
            limits,
        } = plan;
        let Organization { id, name, kind, pinned } = organization;
        let Population { members, workspace_members, api_keys } = population;
        Plan {
            format_version: *format_version,
            charter_version: charter_version.clone(),
            organization: Organization {
                id: id.clone(),
                name: name.as_ref().map(|name| self.name(Class::Organization, name)),
                kind: *kind,
                pinned: *pinned,
            },
            created_at: *created_at,
            observed: observed.clone(),
            steps: steps.iter().map(|step| self.step(step)).collect(),
            waiting: waiting.iter().map(|one| self.waiting(one)).collect(),
            unmanaged: unmanaged.iter().map(|one| self.unmanaged(one)).collect(),
            expiring: expiring.iter().map(|one| self.expiring(one)).collect(),
            keys: keys.iter().map(|one| self.fate(one)).collect(),
            access: access.iter().map(|one| self.access(one)).collect(),
            guards: guards.iter().map(|one| self.guard(one)).collect(),
            notes: self.diagnostics(notes),
            bindings: bindings
                .iter()
                .map(|(address, id)| (self.address(address), id.clone()))
                .collect(),
            population: Population {
                members: *members,
                workspace_members: workspace_members
                    .iter()
                    .map(|(name, count)| (self.workspace_or_id(name), *count))
                    .collect(),
                api_keys: *api_keys,
            },
            limits: limits.clone(),
        }
    }

    fn walk_compared(&mut self, compared: &Compared) -> Compared {
        let Compared { changes, access, stays } = compared;
        Compared {
            changes: changes
                .iter()
                .map(|(address, change)| (self.address(address), self.change(change)))
                .collect(),
            access: access.iter().map(|one| self.access(one)).collect(),
            stays: stays
                .iter()
                .map(|(address, object)| (self.address(address), Arc::new(self.object(object))))
                .collect(),
        }
    }

    fn rule(&mut self, change: &RuleChange) -> RuleChange {
        let RuleChange { rule, before, after, effect, at } = change;
        RuleChange {
            rule: self.text(rule),
            before: before.as_ref().map(|text| self.text(text)),
            after: after.as_ref().map(|text| self.text(text)),
            effect: effect.as_ref().map(|text| self.text(text)),
            at: at.as_ref().map(|span| self.span(span)),
        }
    }

    fn step(&mut self, step: &Step) -> Step {
        let Step { address, change, disposition, cause, stage, at, rests_on, calls } = step;
        Step {
            address: self.address(address),
            change: self.change(change),
            disposition: match disposition {
                Disposition::Ready => Disposition::Ready,
                Disposition::Deferred { until, why } => {
                    Disposition::Deferred { until: self.address(until), why: self.text(why) }
                }
                Disposition::Manual { why } => Disposition::Manual { why: self.text(why) },
                Disposition::Held { why } => Disposition::Held { why: self.text(why) },
            },
            cause: *cause,
            stage: *stage,
            at: at.as_ref().map(|span| self.span(span)),
            rests_on: rests_on.iter().map(|fact| self.fact(fact)).collect(),
            calls: calls.iter().map(|call| self.call(call)).collect(),
        }
    }

    fn address(&mut self, address: &Address) -> Address {
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
    fn label(&mut self, class: Class, name: &Name) -> Name {
        match name {
            Name::Id(id) => Name::Id(Arc::clone(id)),
            Name::Label(text) if class == Class::Mail => Name::label(self.mail(text)),
            Name::Label(text) => Name::label(self.name(class, text)),
        }
    }

    fn workspace_or_id(&mut self, name: &str) -> String {
        if name.starts_with("wrkspc_") {
            name.to_owned()
        } else {
            self.name(Class::Workspace, name)
        }
    }

    fn change(&mut self, change: &Change) -> Change {
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

    fn field(&mut self, class: Class, change: &FieldChange) -> FieldChange {
        let FieldChange { field, before, after } = change;
        let name = field.clone();
        let mut side = |value: &Value| match (&**field, value) {
            ("role" | "status" | "display_color", value) => value.clone(),
            ("name", Value::String(text)) => Value::String(self.name(class, text)),
            ("workspace", Value::String(text)) => Value::String(self.workspace_or_id(text)),
            (_, value) => self.value(value),
        };
        let (before, after) = (side(before), side(after));
        FieldChange { field: self.text(&name), before, after }
    }

    fn value(&self, value: &Value) -> Value {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(map) => {
                map.iter().map(|(key, value)| (self.text(key), self.value(value))).collect()
            }
        }
    }

    fn spec(&mut self, spec: &Spec) -> Spec {
        match spec {
            Spec::Member(Member { email, role }) => Spec::Member(Member {
                email: Email::lenient(&self.mail(email.as_written())),
                role: role.clone(),
            }),
            Spec::Workspace(workspace) => Spec::Workspace(self.workspace(workspace)),
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

    fn workspace(&mut self, workspace: &Workspace) -> Workspace {
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
            tags.iter().map(|(key, value)| (self.text(key), self.text(value))).collect()
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

    fn remote(&mut self, remote: &Remote) -> Remote {
        let Remote { id, phase, facts } = remote;
        let facts = match facts {
            Facts::Member(MemberFacts { name, added_at, pending }) => Facts::Member(MemberFacts {
                name: self.name(Class::Name, name).into(),
                added_at: *added_at,
                pending: pending.clone(),
            }),
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

    fn source(&mut self, source: &Source) -> Source {
        let Source { span, note, until, expired } = source;
        Source {
            span: self.span(span),
            // Free text may name anybody.
            note: note.as_ref().map(|note| self.name(Class::Note, note).into()),
            until: *until,
            expired: *expired,
        }
    }

    fn fact(&mut self, fact: &Fact) -> Fact {
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

    fn call(&mut self, call: &Call) -> Call {
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

    fn waiting(&mut self, waiting: &Waiting) -> Waiting {
        let Waiting { address, role, expires_at } = waiting;
        Waiting { address: self.address(address), role: role.clone(), expires_at: *expires_at }
    }

    fn unmanaged(&mut self, unmanaged: &Unmanaged) -> Unmanaged {
        let Unmanaged { address, title, id, detail } = unmanaged;
        let title = match address.kind {
            Kind::Member => self.name(Class::Name, title),
            Kind::Workspace => self.workspace_or_id(title),
            Kind::WorkspaceMember => self.text(title),
            Kind::ApiKey => self.name(Class::Key, title),
        };
        Unmanaged { address: self.address(address), title, id: id.clone(), detail: detail.clone() }
    }

    fn expiring(&mut self, expiring: &Expiring) -> Expiring {
        let Expiring { on, what, end, at } = expiring;
        Expiring {
            on: *on,
            what: self.text(what),
            end: *end,
            at: at.as_ref().map(|span| self.span(span)),
        }
    }

    fn fate(&mut self, fate: &KeyFate) -> KeyFate {
        let KeyFate { address, name, id, hint, dies, because_of, why, listed_active, by_expiry } =
            fate;
        KeyFate {
            address: self.address(address),
            name: self.name(Class::Key, name),
            id: id.clone(),
            hint: hint.as_ref().map(|hint| self.name(Class::Hint, hint)),
            dies: *dies,
            because_of: self.address(because_of),
            why: self.text(why),
            listed_active: *listed_active,
            by_expiry: *by_expiry,
        }
    }

    fn access(&mut self, change: &AccessChange) -> AccessChange {
        let AccessChange { person, place, before, after } = change;
        AccessChange {
            person: self.mail(person),
            place: match place {
                Place::Organization => Place::Organization,
                Place::EveryWorkspace(count) => Place::EveryWorkspace(*count),
                Place::Workspace(name) => Place::Workspace(self.workspace_or_id(name)),
            },
            before: before.clone(),
            after: after.clone(),
        }
    }

    fn guard(&mut self, guard: &GuardResult) -> GuardResult {
        let within = guard.within.as_ref().map(|name| self.workspace_or_id(name));
        GuardResult { within, ..guard.clone() }
    }
}
