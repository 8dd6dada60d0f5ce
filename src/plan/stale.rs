//! Whether the live organization still is what a saved plan rests on, and whether its calls are its own.
//!
//! Invariant: a plan is refused only for a fact that one of its ready steps rests on, and the fact is named.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use serde_json::Value;

use super::{
    guard,
    step::{Plan, Step},
};
use crate::{
    address::{Address, Kind, RemoteId},
    diagnostic::Diagnostic,
    email::Email,
    resource::{
        Change, Fact, Facts, Ids, Live, Member, Object, Phase, Remote, Snapshot, Spec, Workspace,
        matching::Target,
        read_scope::{GrantScope, GrantTarget, ReadScope},
    },
};

/// What has to be read to judge a saved plan and to guard it again.
pub fn read_scope(plan: &Plan) -> ReadScope {
    let mut scope = ReadScope {
        members: false,
        workspaces: false,
        default_workspace: false,
        grants: GrantScope::None,
        api_keys: !plan.keys.is_empty(),
    };
    let mut workspaces: BTreeSet<RemoteId> = BTreeSet::new();
    for step in plan.ready() {
        match step.address.kind {
            Kind::Member => scope.members = true,
            Kind::Workspace => scope.workspaces = true,
            Kind::WorkspaceMember => {
                (scope.members, scope.workspaces) = (true, true);
                let own = step.address.scope.clone().map(Address::workspace);
                // A guard's share of the grants removed is of all the grants that the files manage.
                let all = guard::removes_grant(step);
                workspaces.extend(
                    plan.bindings
                        .iter()
                        .filter(|(bound, _)| bound.kind == Kind::Workspace)
                        .filter(|(bound, _)| all || Some(bound) == own.as_ref())
                        .map(|(_, id)| id.clone()),
                );
            }
            Kind::ApiKey => (scope.workspaces, scope.api_keys) = (true, true),
        }
        if let Some(Spec::Workspace(workspace)) = step.change.before().map(|object| &object.spec) {
            scope.default_workspace |= workspace.is_default;
        }
    }
    // Keys that may die with people, grants and workspaces are looked at again.
    scope.api_keys |= plan.organization.kind.has_api_keys()
        && plan.ready().any(|step| matches!(step.change, Change::Remove { .. }));
    scope.workspaces |= scope.api_keys;
    if !workspaces.is_empty() {
        let targets = workspaces.into_iter().map(|id| {
            let name = id.0.clone();
            GrantTarget::managed(Target { name, id: Some(id), previously: Vec::new() })
        });
        scope.grants = GrantScope::Of(targets.collect());
    }
    scope
}

/// The facts of ready steps that do not hold any more, each with what holds instead.
pub fn stale_facts(plan: &Plan, live: &Live) -> Vec<Diagnostic> {
    let index = Index::new(live);
    let mut seen: HashSet<&Fact> = HashSet::new();
    plan.ready()
        .flat_map(|step| step.rests_on.iter().map(move |fact| (step, fact)))
        .filter(|(_, fact)| seen.insert(fact))
        .filter_map(|(step, fact)| {
            let now = index.contradicts(fact)?;
            Some(
                Diagnostic::error("plan/stale", format!("{now} since the plan was made"))
                    .at_opt(step.at.as_ref())
                    .help("make a new plan, review it, and apply that"),
            )
        })
        .collect()
}

/// The steps whose calls are not the ones charter builds from their change: the file was edited, or another
/// version made it.
pub fn foreign_calls(plan: &Plan) -> Vec<&Step> {
    let snapshot = Snapshot::collect(stand_ins(plan)).0;
    let ids = Ids(&snapshot);
    plan.ready()
        .filter(|step| {
            let resource = step.change.object().spec.resource();
            let calls = match &step.change {
                Change::Create { .. } => resource.create(&ids),
                Change::Update { before, fields, .. } | Change::Replace { before, fields, .. } => {
                    resource.update(before, fields, &ids)
                }
                Change::Remove { before } => resource.remove(before, &ids),
            };
            calls.ok().as_ref() != Some(&step.calls)
        })
        .collect()
}

/// The objects that calls name, as far as the plan knows them: enough to rebuild calls and to tell who is who.
pub(super) fn stand_ins(plan: &Plan) -> impl Iterator<Item = (Address, Arc<Object>)> {
    // Two steps of one address say the same of it; the first one is taken.
    let mut known: HashMap<&Address, &Spec> = HashMap::new();
    for step in &plan.steps {
        known.entry(&step.address).or_insert(&step.change.object().spec);
    }
    plan.bindings.iter().map(move |(address, id)| {
        let spec = known.get(address).map_or_else(|| nameless(address), |spec| (*spec).clone());
        let remote = Remote { id: id.clone(), phase: Phase::Active, facts: Facts::WorkspaceMember };
        (address.clone(), Arc::new(Object { spec, remote: Some(remote), source: None }))
    })
}

/// What an address alone says of an object.
fn nameless(address: &Address) -> Spec {
    match address.kind {
        Kind::Workspace => Spec::Workspace(Box::new(Workspace::named(address.name.as_str()))),
        Kind::Member | Kind::WorkspaceMember | Kind::ApiKey => {
            let email = Email::lenient(address.name.as_str());
            Spec::Member(Member { email, role: None, groups: Vec::new() })
        }
    }
}

/// Live objects, for looking facts up.
struct Index<'a> {
    by_id: HashMap<(Kind, &'a str), &'a Object>,
    emails: HashMap<&'a str, Phase>,
    names: HashMap<&'a str, &'a RemoteId>,
}

impl<'a> Index<'a> {
    fn new(live: &'a Live) -> Self {
        let mut index =
            Self { by_id: HashMap::new(), emails: HashMap::new(), names: HashMap::new() };
        for (address, object) in &live.objects {
            let Some(remote) = &object.remote else { continue };
            index.by_id.insert((address.kind, remote.id.as_str()), object);
            match &object.spec {
                Spec::Member(member) => {
                    index.emails.insert(member.email.canonical(), remote.phase);
                }
                Spec::Workspace(workspace) => {
                    index.names.insert(&workspace.name, &remote.id);
                }
                Spec::WorkspaceMember(_) | Spec::ApiKey(_) => {}
            }
        }
        index
    }

    /// What contradicts a fact, in words; `None`: it holds.
    fn contradicts(&self, fact: &Fact) -> Option<String> {
        match fact {
            Fact::Field { kind, id, name, field, is } => {
                let noun = kind.noun();
                let Some(object) = self.by_id.get(&(*kind, id.as_str())) else {
                    return Some(format!("{noun} `{name}` ({id}) has gone"));
                };
                let now = object
                    .spec
                    .resource()
                    .fields()
                    .into_iter()
                    .find(|(own, _)| own == field)
                    .map_or(Value::Null, |(_, value)| value)
                    .to_string();
                (now != *is).then(|| {
                    format!("`{field}` of {noun} `{name}` ({id}) has changed from {is} to {now}")
                })
            }
            Fact::Nobody { email } => self.emails.get(email.as_str()).map(|phase| match phase {
                Phase::Active => format!("`{email}` has become a member"),
                Phase::Pending => format!("`{email}` has been invited"),
            }),
            Fact::NoWorkspace { name } => self
                .names
                .get(name.as_str())
                .map(|id| format!("a workspace named `{name}` ({id}) has been made")),
            Fact::NoGrant { workspace, user, name } => {
                let id = RemoteId::grant(workspace, user);
                self.by_id
                    .get(&(Kind::WorkspaceMember, id.as_str()))
                    .map(|_| format!("the grant of {name} has been made"))
            }
        }
    }
}
