//! From a checked document to what is wanted today: teams expanded, dates judged, names shared.
//!
//! Invariant: total on checked documents; the only thing it finds out is what a passed date or a `none` takes along.

mod ignores;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use jiff::civil::Date;

pub(crate) use self::ignores::IGNORE_EXPIRED;
pub(super) use self::ignores::ignore_glob;
use self::ignores::{lower_ignore, past_ignore};
use super::document::{
    Document, Grant, Grants, KEY_ID_PREFIX, Key, Person, Place, Section, Sp, Text, Wanted,
    Workspace,
};
use crate::{
    address::{Address, Kind, Name, RemoteId},
    diagnostic::{Diagnostic, Span},
    email::Email,
    resource::{
        ApiKey, Desired, KeyStatus, Member, Object, Snapshot, Source, Spec, WorkspaceMember,
        desired::{Approval, Gone, GoneCause, GuardLimits, ListScope, OrganizationPin, Pin, Scope},
        workspace::{DEFAULT, Residency},
    },
};

/// Says what a document wants on a day, and what a passed date or a `none` takes along.
pub fn lower(document: &Document, today: Date) -> (Desired, Vec<Diagnostic>) {
    let Document {
        organization,
        members,
        teams: _,
        workspaces,
        api_keys,
        manage,
        guard,
        // Judged as they stand, by `policy` and by the check.
        policy: _,
        tests: _,
        files: _,
        read: _,
    } = document;
    let mut lower = Lower { document, today, people: HashMap::new(), out: Out::default() };
    if let Some(members) = members {
        lower.people.extend(members.iter().map(|(email, person)| {
            let name = Name::label(Arc::clone(email.canonical()));
            (&**email.canonical(), Named { name, person: Some(person) })
        }));
    }

    for (email, person) in members.iter().flat_map(|section| &section.entries) {
        lower.member(email, person);
    }
    for (label, workspace) in workspaces.iter().flat_map(|section| &section.entries) {
        lower.workspace(label, workspace);
    }
    if let Some(section) = api_keys {
        lower.keys(None, section);
    }

    let Out { pairs, pins, gone, kept, mut scope, mut notes } = lower.out;
    scope.members =
        members.as_ref().map(|section| lower_list(document, Kind::Member, &section.place));
    scope.workspaces =
        workspaces.as_ref().map(|section| lower_list(document, Kind::Workspace, &section.place));
    scope.ignore = manage.ignore.iter().filter_map(|ignore| lower_ignore(ignore, today)).collect();
    notes.extend(manage.ignore.iter().filter_map(|ignore| past_ignore(ignore, today)));
    let limits = guard
        .limits
        .iter()
        .map(|(name, limit)| (*name, (limit.value, span_of(limit.span.as_ref()))))
        .collect();
    let desired = Desired {
        organization: OrganizationPin {
            id: organization.id.as_ref().map(|id| Arc::clone(&id.value)),
            kind: organization.kind.value,
            span: organization.id.as_ref().and_then(|id| id.span.clone()),
        },
        // A checked document has no address twice.
        objects: Snapshot::collect(pairs).0,
        pins,
        gone,
        kept,
        granted_to_teams: document.granted_to_teams(),
        scope,
        guard: GuardLimits(limits),
        approval: Approval {
            acknowledge: guard
                .acknowledge
                .iter()
                .flat_map(|set| set.value.iter().copied())
                .collect(),
            max_plan_age: guard.max_plan_age.as_ref().map(|age| age.value),
        },
    };
    (desired, notes)
}

/// What is gathered on the way.
#[derive(Default)]
struct Out {
    pairs: Vec<(Address, Arc<Object>)>,
    pins: BTreeMap<Address, Pin>,
    gone: BTreeMap<Address, Gone>,
    kept: BTreeSet<Address>,
    scope: Scope,
    notes: Vec<Diagnostic>,
}

struct Lower<'a> {
    document: &'a Document,
    today: Date,
    /// Everybody the files name, by canonical address.
    people: HashMap<&'a str, Named<'a>>,
    out: Out,
}

/// Somebody the files name.
#[derive(Clone)]
struct Named<'a> {
    /// One shared name a person, so that comparing addresses is mostly comparing pointers.
    name: Name,
    /// The entry under `members`.
    person: Option<&'a Person>,
}

impl<'a> Lower<'a> {
    fn named(&mut self, email: &'a Email) -> Named<'a> {
        let fresh = || Named { name: Name::label(Arc::clone(email.canonical())), person: None };
        self.people.entry(email.canonical()).or_insert_with(fresh).clone()
    }

    fn put(&mut self, address: Address, spec: Spec, source: Source) {
        let object = Object { spec, remote: None, source: Some(source) };
        self.out.pairs.push((address, Arc::new(object)));
    }

    fn pin(&mut self, address: &Address, id: Option<&Text>, previously: Option<Vec<Arc<str>>>) {
        if id.is_some() || previously.is_some() {
            let id = id.map(|id| RemoteId(Arc::clone(&id.value)));
            self.out.pins.insert(address.clone(), Pin { id, previously });
        }
    }

    fn member(&mut self, email: &'a Email, person: &'a Person) {
        let Person { place, role, until, note, previously, id } = person;
        let address = Address::member(self.named(email).name);
        let earlier = previously.as_ref().map(|list| {
            list.value.iter().map(|email| Arc::clone(email.value.canonical())).collect()
        });
        self.pin(&address, id.as_ref(), earlier);
        let mut source = source(place, note.as_ref(), until.as_ref());
        source.expired = self.is_past(until.as_ref());
        match (ended(person, self.today), &role.value) {
            (Some(cause), _) => {
                self.out.gone.insert(address, Gone { cause, source });
            }
            (None, wanted) => {
                let role = wanted.role().cloned();
                let spec = Member { email: email.clone(), role, groups: Vec::new() };
                self.put(address, Spec::Member(spec), source);
            }
        }
    }

    fn workspace(&mut self, label: &Arc<str>, workspace: &'a Workspace) {
        let name = Name::label(Arc::clone(label));
        let address = Address::workspace(name.clone());
        let Workspace {
            place,
            name: _, // through `name()`
            id,
            previously,
            state: _, // through `is_archived()`
            display_color,
            tags,
            data_residency,
            external_key_id,
            user_profile_id,
            note,
            members,
            api_keys,
        } = workspace;
        let earlier = previously
            .as_ref()
            .map(|list| list.value.iter().map(|name| Arc::clone(&name.value)).collect());
        self.pin(&address, id.as_ref(), earlier);
        let source = source(place, note.as_ref(), None);
        // Its keys die with it, and a guard counts those that are listed as active.
        if let Some(section) = api_keys {
            self.keys(Some(&name), section);
        }
        if workspace.is_archived() {
            self.out.gone.insert(address, Gone { cause: GoneCause::Archived, source });
            return;
        }
        let text = |text: &Option<Text>| text.as_ref().map(|text| Arc::clone(&text.value));
        let real = workspace.name(label);
        let spec = crate::resource::Workspace {
            name: Arc::clone(real),
            display_color: display_color.as_ref().map(|color| color.value.clone()),
            tags: tags.as_ref().map(|section| {
                let pair =
                    |(key, value): (&Arc<str>, &Text)| (key.to_string(), value.value.to_string());
                section.entries.iter().map(pair).collect()
            }),
            data_residency: data_residency.as_ref().map_or_else(Residency::default, |residency| {
                Residency {
                    workspace_geo: text(&residency.workspace_geo),
                    default_inference_geo: text(&residency.default_inference_geo),
                    allowed_inference_geos: residency
                        .allowed_inference_geos
                        .as_ref()
                        .map(|geos| geos.value.clone()),
                }
            }),
            external_key_id: text(external_key_id),
            user_profile_id: text(user_profile_id),
            is_default: &**real == DEFAULT,
        };
        self.put(address, Spec::Workspace(Box::new(spec)), source);
        if let Some(grants) = members {
            self.grants(label, &name, grants);
        }
    }

    fn grants(&mut self, label: &str, workspace: &Name, grants: &'a Grants) {
        let scope = lower_list(self.document, Kind::WorkspaceMember, &grants.place);
        self.out.scope.workspace_members.insert(workspace.clone(), scope);

        for (email, grant) in &grants.people {
            self.grant(label, workspace, email, grant);
        }
        // A grant by e-mail wins. Two teams that disagree are an error of the files, so either will do.
        let mut by_team: BTreeMap<&Email, &Grant> = BTreeMap::new();
        let teams = self.document.teams.as_ref();
        for (team, grant) in &grants.teams {
            let team = teams.and_then(|teams| teams.entries.get(team));
            for email in team.iter().flat_map(|team| &team.people) {
                if !grants.people.contains_key(&email.value) {
                    by_team.insert(&email.value, grant);
                }
            }
        }
        for (email, grant) in by_team {
            self.grant(label, workspace, email, grant);
        }
    }

    fn grant(&mut self, label: &str, workspace: &Name, email: &'a Email, grant: &'a Grant) {
        let Named { name: member, person } = self.named(email);
        if let Some(cause) = person.and_then(|person| ended(person, self.today)) {
            self.out.notes.push(lost_grant(email, label, cause, &grant.place));
            return;
        }
        let address = Address::workspace_member(workspace.clone(), member.clone());
        let Grant { place, role, until, note } = grant;
        let mut source = source(place, note.as_ref(), until.as_ref());
        source.expired = self.is_past(until.as_ref());
        match (&role.value, source.expired.then_some(GoneCause::Expired)) {
            (_, Some(cause)) => {
                self.out.gone.insert(address, Gone { cause, source });
            }
            (Wanted::None, None) => {
                self.out.gone.insert(address, Gone { cause: GoneCause::None, source });
            }
            (Wanted::Unmanaged, None) => {
                self.out.kept.insert(address);
            }
            (Wanted::Role(role), None) => {
                let (workspace, role) = (workspace.clone(), role.clone());
                let spec = WorkspaceMember { workspace, member, role };
                self.put(address, Spec::WorkspaceMember(spec), source);
            }
        }
    }

    fn keys(&mut self, workspace: Option<&Name>, section: &Section<Arc<str>, Key>) {
        let scope = lower_list(self.document, Kind::ApiKey, &section.place);
        self.out.scope.api_keys.insert(workspace.cloned(), scope);
        for (label, key) in &section.entries {
            let Key { place, name, status, note, until } = key;
            let mut source = source(place, note.as_ref(), until.as_ref());
            let wanted = status.as_ref().map(|status| status.value.clone());
            // Past its date a key is off; one that is wanted off or archived anyway stays so.
            let lapses = matches!(wanted, None | Some(KeyStatus::Active));
            source.expired = self.is_past(until.as_ref()) && lapses;
            let status = if source.expired { Some(KeyStatus::Inactive) } else { wanted };
            let by_id = label.starts_with(KEY_ID_PREFIX);
            let (address, name) = if by_id {
                let name = name.as_ref().map(|name| Arc::clone(&name.value));
                (Address::api_key(&RemoteId(Arc::clone(label))), name)
            } else {
                let name = Name::label(Arc::clone(label));
                (Address::api_key_named(workspace.cloned(), name), Some(Arc::clone(label)))
            };
            let spec = ApiKey { name, status, workspace: workspace.cloned() };
            self.put(address, Spec::ApiKey(spec), source);
        }
    }

    fn is_past(&self, until: Option<&Sp<Date>>) -> bool {
        until.is_some_and(|until| until.value < self.today)
    }
}

/// Why a named person is not wanted on this day.
fn ended(person: &Person, today: Date) -> Option<GoneCause> {
    match person.role.value {
        Wanted::None => Some(GoneCause::None),
        _ if person.until.as_ref().is_some_and(|until| until.value < today) => {
            Some(GoneCause::Expired)
        }
        Wanted::Role(_) | Wanted::Unmanaged => None,
    }
}

fn lost_grant(email: &Email, workspace: &str, cause: GoneCause, place: &Place) -> Diagnostic {
    let why = match cause {
        GoneCause::Expired => "their entry under `members` has passed its `until`",
        GoneCause::None | GoneCause::Archived => "their entry under `members` is `none`",
    };
    Diagnostic::note(
        "config/lost-grant",
        format!("`{email}` gets no grant in `{workspace}`: {why}"),
    )
    .at_opt(place.0.as_ref())
    .help("drop the grant and the team place when convenient")
}

fn source(place: &Place, note: Option<&Text>, until: Option<&Sp<Date>>) -> Source {
    Source {
        span: span_of(place.0.as_ref()),
        note: note.map(|note| Arc::clone(&note.value)),
        until: until.map(|until| until.value),
        expired: false,
    }
}

fn lower_list(document: &Document, kind: Kind, place: &Place) -> ListScope {
    let rule = document.manage.rule(kind);
    ListScope {
        unlisted: rule.map(|rule| rule.value).unwrap_or_default(),
        span: span_of(rule.and_then(|rule| rule.span.as_ref()).or(place.0.as_ref())),
    }
}

/// A document that was not read from files (an import) has no places.
fn span_of(span: Option<&Span>) -> Span {
    span.cloned().unwrap_or_else(|| Span { file: "".into(), line: 0, column: 0, bytes: (0, 0) })
}

#[cfg(test)]
mod tests;
