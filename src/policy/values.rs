//! The state as values of expressions.
//!
//! Invariant: fields stand in the order of their schema in [`crate::expression::subject`].

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use jiff::civil::Date;

use super::changes::Change;
use super::state::{Key, Listed, Person, State, Workspace};
use crate::{
    address::Kind,
    diagnostic::Span,
    expression::{
        Facts, Record, Subject, Value,
        subject::{CHANGE, GRANT, KEY, PERSON, WORKSPACE},
    },
    resource::{KeyStatus, Role},
};

/// Everything that expressions may name.
pub(super) struct Values {
    today: Date,
    /// The values of the variables that are always there.
    pub(super) variables: Vec<Value>,
    people: HashMap<Arc<str>, Value>,
    workspaces: HashMap<Arc<str>, Value>,
    /// By subject: each one with its names and its place.
    pub(super) each: BTreeMap<Subject, Vec<One>>,
}

/// One that a rule is asked about.
#[derive(Clone)]
pub(super) struct One {
    pub(super) value: Value,
    pub(super) names: Vec<Arc<str>>,
    pub(super) title: String,
    pub(super) span: Option<Span>,
}

impl Facts for Values {
    fn today(&self) -> Date {
        self.today
    }

    fn person(&self, email: &str) -> Option<Value> {
        self.people.get(email).or_else(|| self.people.get(&*email.to_ascii_lowercase())).cloned()
    }

    fn workspace(&self, name: &str) -> Option<Value> {
        self.workspaces.get(name).cloned()
    }
}

fn date(date: Option<Date>) -> Value {
    Value::text_or_null(date.map(|date| date.to_string()))
}

fn map(entries: impl IntoIterator<Item = (Arc<str>, Value)>) -> Value {
    Value::Map(Arc::new(entries.into_iter().collect()))
}

fn is_listed(listed: &Listed) -> Value {
    Value::Bool(listed.span.is_some())
}

fn note(listed: &Listed) -> Value {
    Value::text_or_null(listed.note.clone())
}

fn record(schema: &'static crate::expression::Schema, fields: Vec<Value>) -> Value {
    Value::Record(Arc::new(Record::new(schema, fields)))
}

impl Values {
    pub(super) fn of(state: &State) -> Self {
        let mut each: BTreeMap<Subject, Vec<One>> = BTreeMap::new();
        // Grants first: people and workspaces hold them.
        let mut by_workspace: Vec<Vec<Value>> = vec![Vec::new(); state.workspaces.len()];
        let mut by_person: Vec<Vec<Value>> = Vec::with_capacity(state.people.len());
        let grants = each.entry(Subject::Grants).or_default();
        for person in &state.people {
            let mut own = Vec::with_capacity(person.grants.len());
            for (place, grant) in &person.grants {
                let name = &state.workspaces[*place].name;
                let value = record(
                    &GRANT,
                    vec![
                        Value::Text(Arc::clone(&person.email)),
                        Value::Text(Arc::clone(name)),
                        Value::text(grant.role.as_str()),
                        date(grant.listed.until),
                        note(&grant.listed),
                        is_listed(&grant.listed),
                    ],
                );
                by_workspace[*place].push(value.clone());
                own.push(value.clone());
                grants.push(One {
                    value,
                    names: vec![Arc::clone(&person.email), Arc::clone(name)],
                    title: format!("`{}` in `{name}`", person.email),
                    span: grant.listed.span.clone().or_else(|| person.listed.span.clone()),
                });
            }
            by_person.push(own);
        }

        let mut access: Vec<BTreeMap<Arc<str>, Value>> =
            vec![BTreeMap::new(); state.workspaces.len()];
        let mut people = HashMap::with_capacity(state.people.len());
        for (person, grants) in state.people.iter().zip(by_person) {
            let value = person_value(person, grants, state, &mut access);
            people.insert(Arc::clone(&person.email), value.clone());
            each.entry(Subject::People).or_default().push(One {
                value,
                names: vec![Arc::clone(&person.email)],
                title: format!("`{}`", person.email),
                span: person.listed.span.clone(),
            });
        }

        let mut keys_of: HashMap<&str, Vec<Value>> = HashMap::new();
        for key in &state.keys {
            let value = key_value(key);
            if let Some(workspace) = &key.workspace {
                keys_of.entry(workspace).or_default().push(value.clone());
            }
            let names: Vec<Arc<str>> = key.name.iter().chain(&key.id).cloned().collect();
            let title = names.first().map_or_else(String::new, |name| format!("`{name}`"));
            let span = key.listed.span.clone();
            each.entry(Subject::Keys).or_default().push(One { value, names, title, span });
        }

        let mut workspaces = HashMap::with_capacity(state.workspaces.len());
        let held = by_workspace.into_iter().zip(access);
        for (workspace, (grants, access)) in state.workspaces.iter().zip(held) {
            let keys = keys_of.get(&*workspace.name).cloned().unwrap_or_default();
            let value = workspace_value(workspace, grants, access, keys);
            workspaces.insert(Arc::clone(&workspace.name), value.clone());
            each.entry(Subject::Workspaces).or_default().push(One {
                value,
                names: vec![Arc::clone(&workspace.name), workspace.label.as_str().into()],
                title: format!("`{}`", workspace.name),
                span: workspace.listed.span.clone(),
            });
        }

        for change in &state.changes {
            each.entry(Subject::Changes).or_default().push(One {
                value: change_value(change),
                names: vec![change.what.as_str().into(), change.address.to_string().into()],
                title: format!("the change of `{}`", change.what),
                span: change.span.clone(),
            });
        }

        let all = |subject: Subject| {
            Value::list(each.get(&subject).into_iter().flatten().map(|one| one.value.clone()))
        };
        // In the order of `Subject::variables`.
        let mut variables: Vec<Value> = Subject::ALL.into_iter().map(all).collect();
        variables.push(Value::text(state.today.to_string()));
        variables.push(Value::Bool(state.live));
        Self { today: state.today, variables, people, workspaces, each }
    }
}

fn person_value(
    person: &Person,
    grants: Vec<Value>,
    state: &State,
    access: &mut [BTreeMap<Arc<str>, Value>],
) -> Value {
    let everywhere = person.role.as_ref().is_some_and(|role| role.inherited().is_some());
    let places: Vec<usize> = if everywhere {
        (0..state.workspaces.len()).collect()
    } else {
        person.grants.keys().copied().collect()
    };
    let mut own = BTreeMap::new();
    for place in places {
        if let Some(role) = state.role_in(person, place) {
            let role = Value::text(role.as_str());
            access[place].insert(Arc::clone(&person.email), role.clone());
            own.insert(Arc::clone(&state.workspaces[place].name), role);
        }
    }
    record(
        &PERSON,
        vec![
            Value::Text(Arc::clone(&person.email)),
            Value::text(person.email.rsplit_once('@').map_or("", |(_, domain)| domain)),
            Value::text_or_null(person.role.as_ref().map(Role::as_str)),
            Value::Bool(person.pending),
            date(person.listed.until),
            note(&person.listed),
            is_listed(&person.listed),
            Value::list(grants),
            Value::Map(Arc::new(own)),
        ],
    )
}

fn workspace_value(
    workspace: &Workspace,
    grants: Vec<Value>,
    access: BTreeMap<Arc<str>, Value>,
    keys: Vec<Value>,
) -> Value {
    let tags = workspace.tags.iter().flatten();
    record(
        &WORKSPACE,
        vec![
            Value::Text(Arc::clone(&workspace.name)),
            map(tags.map(|(tag, value)| (Arc::from(tag.as_str()), Value::text(value.as_str())))),
            Value::text_or_null(workspace.geo.clone()),
            is_listed(&workspace.listed),
            Value::list(grants),
            map(access),
            Value::list(keys),
        ],
    )
}

fn key_value(key: &Key) -> Value {
    record(
        &KEY,
        vec![
            Value::text_or_null(key.name.clone()),
            Value::text_or_null(key.id.clone()),
            Value::text_or_null(key.status.as_ref().map(KeyStatus::as_str)),
            Value::text_or_null(key.workspace.clone()),
            date(key.created),
            date(key.expires),
            date(key.listed.until),
            note(&key.listed),
            is_listed(&key.listed),
        ],
    )
}

fn change_value(change: &Change) -> Value {
    let person = match change.address.kind {
        Kind::Member => Some(change.what.to_ascii_lowercase()),
        Kind::WorkspaceMember => Some(change.address.name.as_str().to_owned()),
        Kind::Workspace | Kind::ApiKey => None,
    };
    record(
        &CHANGE,
        vec![
            Value::text(change.address.kind.as_str()),
            Value::text(change.verb),
            Value::text(change.state),
            Value::text(change.cause),
            Value::text(change.what.as_str()),
            Value::text_or_null(person),
            Value::text_or_null(change.workspace.clone()),
            Value::text_or_null(change.before.as_deref()),
            Value::text_or_null(change.after.as_deref()),
        ],
    )
}
