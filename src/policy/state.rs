//! The organization as rules see it: what the files want, or what is there once a plan is through.
//!
//! Invariant: what was not read or is not listed is not known, which is not the same as not there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use super::changes::{Change, change};
use crate::{
    address::{Address, Kind, Name},
    config::document::Document,
    diagnostic::Span,
    plan::{self, Plan, Step},
    resource::{
        Desired, Disposition, KeyStatus, Live, Object, Phase, Role, Snapshot, Spec, WorkspaceRole,
        workspace::CLAUDE_CODE,
    },
};

/// How long an invite lives (core.md: not adjustable); when it was sent follows from when it lapses.
const INVITE_LIFE: SignedDuration = SignedDuration::from_hours(24 * 21);

/// The organization at one moment.
#[derive(Clone, Debug)]
pub struct State {
    /// The day it is judged on, UTC.
    pub today: Date,
    /// Live was looked at; else only the files.
    pub live: bool,
    /// People, in the order of their addresses.
    pub people: Vec<Person>,
    /// Workspaces that are not archived, but for the Default Workspace.
    pub workspaces: Vec<Workspace>,
    /// Keys.
    pub keys: Vec<Key>,
    /// Teams of the files.
    pub teams: Vec<(Arc<str>, Option<Span>)>,
    /// What the plan changes.
    pub changes: Vec<Change>,
    /// What is known whole.
    pub known: Known,
}

/// What is known whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Everybody, and their roles.
    pub people: bool,
    /// Every workspace.
    pub workspaces: bool,
    /// Every key.
    pub keys: bool,
}

/// What the files say beside an object.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    /// Where it is listed.
    pub span: Option<Span>,
    /// The last day.
    pub until: Option<Date>,
    /// The note.
    pub note: Option<Arc<str>>,
}

/// A person.
#[derive(Clone, Debug)]
pub struct Person {
    /// The address in canonical form.
    pub email: Arc<str>,
    /// The role; none: not known.
    pub role: Option<Role>,
    /// Invited, not in yet.
    pub pending: bool,
    /// When the invite that waits was sent.
    pub invited: Option<Timestamp>,
    /// What the files say.
    pub listed: Listed,
    /// Grants of their own, by the position of the workspace.
    pub grants: BTreeMap<usize, Grant>,
}

/// A grant.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The role.
    pub role: WorkspaceRole,
    /// What the files say.
    pub listed: Listed,
}

/// A workspace.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The name in its address.
    pub label: Name,
    /// The name.
    pub name: Arc<str>,
    /// The tags; none: not known.
    pub tags: Option<BTreeMap<String, String>>,
    /// Where inference runs by default.
    pub geo: Option<Arc<str>>,
    /// What the files say.
    pub listed: Listed,
    /// All of its grants are known.
    pub grants_known: bool,
    /// The product made it for Claude Code, and the files do not name it.
    pub shielded: bool,
    /// Positions of people with grants in it.
    pub people: BTreeSet<usize>,
}

/// A key.
#[derive(Clone, Debug)]
pub struct Key {
    /// The name.
    pub name: Option<Arc<str>>,
    /// The id.
    pub id: Option<Arc<str>>,
    /// Whether it works.
    pub status: Option<KeyStatus>,
    /// The workspace it lives in, by name.
    pub workspace: Option<Arc<str>>,
    /// When it was made.
    pub created: Option<Date>,
    /// When it lapses.
    pub expires: Option<Date>,
    /// What the files say.
    pub listed: Listed,
}

impl State {
    /// Nobody and nothing yet.
    fn empty(document: &Document, today: Date, live: bool, known: Known) -> Self {
        Self {
            today,
            live,
            people: Vec::new(),
            workspaces: Vec::new(),
            keys: Vec::new(),
            teams: teams(document),
            changes: Vec::new(),
            known,
        }
    }

    /// What the files want on a day, by themselves.
    pub fn of_files(document: &Document, desired: &Desired, today: Date) -> Self {
        let scope = &desired.scope;
        let managed: BTreeSet<&Name> = scope.workspace_members.keys().collect();
        let known = Known {
            people: scope.members.is_some(),
            workspaces: scope.workspaces.is_some(),
            // The files never list keys whole: what they leave out stays.
            keys: false,
        };
        let mut state = Self::empty(document, today, false, known);
        state.fill(&desired.objects, desired, |label, _| managed.contains(label));
        state
    }

    /// What is live before a plan (`bound`: under the addresses of the files), and what is there when its steps are through, those that wait included.
    pub fn of_plan(
        document: &Document,
        desired: &Desired,
        live: &Live,
        bound: &Snapshot,
        plan: &Plan,
    ) -> (Self, Self) {
        let waiting: Vec<Step> = plan
            .steps
            .iter()
            .filter(|step| matches!(step.disposition, Disposition::Deferred { .. }))
            .map(|step| Step { disposition: Disposition::Ready, ..step.clone() })
            .collect();
        let after = plan::outcome(&plan::outcome(bound, &plan.steps), &waiting);
        let day = |time: Timestamp| time.to_zoned(TimeZone::UTC).date();
        let whole = |snapshot: &Snapshot| {
            let known = Known {
                people: live.coverage.members,
                workspaces: live.coverage.workspaces,
                keys: live.coverage.api_keys,
            };
            let mut state = Self::empty(document, day(plan.created_at), true, known);
            state.fill(snapshot, desired, |_, object| match &object.remote {
                Some(remote) => live.coverage.workspace_members.contains(&remote.id),
                None => true,
            });
            state
        };
        let (before, mut after) = (whole(bound), whole(&after));
        let names: BTreeMap<&Name, &Arc<str>> = before
            .workspaces
            .iter()
            .chain(&after.workspaces)
            .map(|workspace| (&workspace.label, &workspace.name))
            .collect();
        let changes = plan.steps.iter().map(|step| change(step, &names)).collect();
        after.changes = changes;
        (before, after)
    }

    fn fill(
        &mut self,
        objects: &Snapshot,
        desired: &Desired,
        grants_known: impl Fn(&Name, &Object) -> bool,
    ) {
        let mut people: BTreeMap<&Name, Person> = BTreeMap::new();
        for (address, object) in objects.of(Kind::Member) {
            let Spec::Member(member) = &object.spec else { continue };
            let sent = object
                .member_facts()
                .and_then(|facts| facts.pending.first())
                .and_then(|invite| invite.expires_at.checked_sub(INVITE_LIFE).ok());
            let pending = self.live && object.phase() != Some(Phase::Active);
            people.insert(
                &address.name,
                Person {
                    email: Arc::clone(member.email.canonical()),
                    role: member.role.clone(),
                    pending,
                    invited: if pending { sent } else { None },
                    listed: listed(address, object, desired),
                    grants: BTreeMap::new(),
                },
            );
        }
        let mut at: BTreeMap<&Name, usize> = BTreeMap::new();
        for (address, object) in objects.of(Kind::Workspace) {
            let Spec::Workspace(workspace) = &object.spec else { continue };
            if workspace.is_default {
                continue;
            }
            let listed = listed(address, object, desired);
            at.insert(&address.name, self.workspaces.len());
            self.workspaces.push(Workspace {
                label: address.name.clone(),
                name: Arc::clone(&workspace.name),
                // A workspace that the plan makes has the tags that the files give it, and no others.
                tags: match (&workspace.tags, &object.remote) {
                    (None, None) if self.live => Some(BTreeMap::new()),
                    (tags, _) => tags.clone(),
                },
                geo: workspace.data_residency.default_inference_geo.clone(),
                shielded: *workspace.name == *CLAUDE_CODE && listed.span.is_none(),
                listed,
                grants_known: grants_known(&address.name, object),
                people: BTreeSet::new(),
            });
        }
        for (address, object) in objects.of(Kind::WorkspaceMember) {
            let Spec::WorkspaceMember(grant) = &object.spec else { continue };
            let Some(place) = at.get(&grant.workspace) else { continue };
            // Without `members` the files name people in grants only.
            let person = people.entry(&grant.member).or_insert_with(|| Person {
                email: grant.member.as_str().into(),
                role: None,
                pending: false,
                invited: None,
                listed: Listed::default(),
                grants: BTreeMap::new(),
            });
            let listed = listed(address, object, desired);
            person.grants.insert(*place, Grant { role: grant.role.clone(), listed });
        }
        for (_, person) in people {
            let place = self.people.len();
            for workspace in person.grants.keys() {
                self.workspaces[*workspace].people.insert(place);
            }
            self.people.push(person);
        }
        for (address, object) in objects.of(Kind::ApiKey) {
            let Spec::ApiKey(key) = &object.spec else { continue };
            let facts = object.key_facts();
            let day =
                |time: Option<Timestamp>| time.map(|time| time.to_zoned(TimeZone::UTC).date());
            let id = object.remote.as_ref().map(|remote| Arc::clone(&remote.id.0));
            let by_id = match &address.name {
                Name::Id(id) => Some(Arc::clone(id)),
                Name::Label(_) => None,
            };
            self.keys.push(Key {
                name: key.name.clone(),
                id: id.or(by_id),
                status: key.status.clone(),
                workspace: key.workspace.as_ref().map(|name| match at.get(name) {
                    Some(place) => Arc::clone(&self.workspaces[*place].name),
                    None => name.as_str().into(),
                }),
                created: day(facts.and_then(|facts| facts.created_at)),
                expires: day(facts.and_then(|facts| facts.expires_at)),
                listed: listed(address, object, desired),
            });
        }
    }

    /// The role that a person has in a workspace, a grant or what the role in the organization gives.
    pub fn role_in(&self, person: &Person, workspace: usize) -> Option<WorkspaceRole> {
        let own = person.grants.get(&workspace).map(|grant| &grant.role);
        let inherited = person.role.as_ref().and_then(Role::inherited);
        match (own, inherited) {
            (Some(own), Some(inherited))
                if own.compare(&inherited).is_none_or(std::cmp::Ordering::is_ge) =>
            {
                Some(own.clone())
            }
            (_, Some(inherited)) => Some(inherited),
            (own, None) => own.cloned(),
        }
    }
}

fn teams(document: &Document) -> Vec<(Arc<str>, Option<Span>)> {
    let teams = document.teams.iter().flat_map(|section| &section.entries);
    teams.map(|(name, team)| (Arc::clone(name), team.place.0.clone())).collect()
}

/// What the files say of an object: a live one that is as it is wanted has no source of its own.
fn listed(address: &Address, object: &Object, desired: &Desired) -> Listed {
    let source = object
        .source
        .as_ref()
        .or_else(|| desired.objects.get(address)?.source.as_ref())
        .or_else(|| desired.gone.get(address).map(|gone| &gone.source));
    source.map_or_else(Listed::default, |source| Listed {
        span: Some(source.span.clone()),
        until: source.until,
        note: source.note.clone(),
    })
}
