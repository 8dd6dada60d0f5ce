//! Short words for wanted and live organizations, and a plan as lines of text.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};

use crate::{
    address::{Address, Kind, Name, RemoteId},
    diagnostic::Span,
    email::Email,
    plan::{self, Only, Plan, step::Observed},
    resource::{
        ApiKey, Desired, Facts, InviteHistory, KeyStatus, Live, Member, Object, OrgKind, Phase,
        Remote, Role, Source, Spec, Workspace, WorkspaceMember, WorkspaceRole,
        api_key::{KeyFacts, Principal, Reach},
        desired::{
            Gone, GoneCause, GuardName, Ignore, IgnoreTarget, ListScope, OrganizationPin, Pin,
            Unlisted,
        },
        member::{MemberFacts, PendingInvite},
        snapshot::{Coverage, LapsedInvite},
    },
};

pub(super) fn now() -> Timestamp {
    "2027-01-15T12:00:00Z".parse().unwrap()
}

pub(super) fn in_days(days: i64) -> Timestamp {
    now() + SignedDuration::from_hours(24 * days)
}

pub(super) fn span(line: u32) -> Span {
    Span { file: "charter.yaml".into(), line, column: 3, bytes: (0, 0) }
}

pub(super) fn member_address(email: &str) -> Address {
    Address::member(Name::label(Email::lenient(email).canonical().clone()))
}

pub(super) fn workspace_spec(name: &str) -> Workspace {
    Workspace::named(name)
}

/// What the files want, by short words.
pub(super) struct Files {
    pub(super) desired: Desired,
    /// As a base: entries whose date had passed when they were committed.
    pub(super) ended: BTreeSet<Address>,
    line: u32,
}

impl Files {
    pub(super) fn new() -> Self {
        let organization = OrganizationPin {
            id: Some("3f0c1b1e-0000-4000-8000-000000000000".into()),
            kind: OrgKind::Console,
            span: None,
        };
        Self {
            desired: Desired { organization, ..Desired::default() },
            ended: BTreeSet::new(),
            line: 10,
        }
    }

    fn source(&mut self) -> Source {
        self.line += 1;
        Source::at(span(self.line))
    }

    fn put(&mut self, address: Address, spec: Spec) -> &mut Self {
        let source = Some(self.source());
        let object = Object { spec, remote: None, source };
        self.desired.objects.insert_unique(address, Arc::new(object)).unwrap();
        self
    }

    pub(super) fn manage(&mut self, members: Unlisted) -> &mut Self {
        self.desired.scope.members = Some(ListScope { unlisted: members, span: span(2) });
        self
    }

    pub(super) fn member(&mut self, email: &str, role: &str) -> &mut Self {
        if self.desired.scope.members.is_none() {
            self.manage(Unlisted::Remove);
        }
        let role = (role != "unmanaged").then(|| Role::from_wire(role));
        let spec = Member { email: Email::lenient(email), role, groups: Vec::new() };
        self.put(member_address(email), Spec::Member(spec))
    }

    pub(super) fn gone(&mut self, address: Address, cause: GoneCause) -> &mut Self {
        let source = self.source();
        self.desired.gone.insert(address, Gone { cause, source });
        self
    }

    pub(super) fn pin(
        &mut self,
        address: Address,
        id: Option<&str>,
        previously: Option<&[&str]>,
    ) -> &mut Self {
        let previously =
            previously.map(|names| names.iter().map(|name| Arc::from(*name)).collect());
        self.desired.pins.insert(address, Pin { id: id.map(RemoteId::new), previously });
        self
    }

    pub(super) fn workspace(&mut self, spec: Workspace) -> &mut Self {
        if self.desired.scope.workspaces.is_none() {
            let scope = ListScope { unlisted: Unlisted::Report, span: span(3) };
            self.desired.scope.workspaces = Some(scope);
        }
        let address = Address::workspace(Name::label(spec.name.clone()));
        self.put(address, Spec::Workspace(Box::new(spec)))
    }

    pub(super) fn grants(&mut self, workspace: &str, grants: &[(&str, &str)]) -> &mut Self {
        let scope = ListScope { unlisted: Unlisted::Remove, span: span(4) };
        self.desired.scope.workspace_members.insert(Name::label(workspace), scope);
        for (email, role) in grants {
            let member = member_address(email).name;
            let workspace = Name::label(workspace);
            let address = Address::workspace_member(workspace.clone(), member.clone());
            let role = WorkspaceRole::from_wire(role);
            self.put(address, Spec::WorkspaceMember(WorkspaceMember { workspace, member, role }));
        }
        self
    }

    pub(super) fn key_list(&mut self, workspace: Option<&str>) -> &mut Self {
        let scope = ListScope { unlisted: Unlisted::Report, span: span(5) };
        self.desired.scope.api_keys.insert(workspace.map(Name::label), scope);
        self
    }

    pub(super) fn key(&mut self, id: &str, workspace: Option<&str>, status: &str) -> &mut Self {
        self.key_list(workspace);
        let spec = ApiKey {
            name: None,
            status: Some(KeyStatus::from_wire(status)),
            workspace: workspace.map(Name::label),
        };
        self.put(Address::api_key(&RemoteId::new(id)), Spec::ApiKey(spec))
    }

    pub(super) fn key_by_name(&mut self, name: &str, workspace: Option<&str>) -> &mut Self {
        self.key_list(workspace);
        let spec = ApiKey {
            name: Some(name.into()),
            status: Some(KeyStatus::Active),
            workspace: workspace.map(Name::label),
        };
        let address = Address::api_key_named(workspace.map(Name::label), Name::label(name));
        self.put(address, Spec::ApiKey(spec))
    }

    pub(super) fn ignore(&mut self, target: IgnoreTarget, pattern: &str) -> &mut Self {
        self.desired.scope.ignore.push(Ignore {
            target,
            pattern: globset::Glob::new(pattern).unwrap(),
            reason: "vendor support".into(),
            until: None,
            expired: false,
            span: span(6),
        });
        self
    }
}

/// A live organization, by short words.
pub(super) struct Org {
    pub(super) live: Live,
}

impl Org {
    pub(super) fn new() -> Self {
        Self {
            live: Live {
                organization: "3f0c1b1e-0000-4000-8000-000000000000".into(),
                organization_name: Some("Acme".into()),
                objects: Vec::new(),
                archived: Vec::new(),
                history: BTreeMap::new(),
                coverage: Coverage {
                    members: true,
                    workspaces: true,
                    default_workspace: true,
                    workspace_members: std::collections::BTreeSet::new(),
                    api_keys: true,
                },
            },
        }
    }

    fn put(&mut self, address: Address, spec: Spec, id: &str, phase: Phase, facts: Facts) {
        let remote = Some(Remote { id: RemoteId::new(id), phase, facts });
        self.live.objects.push((address, Arc::new(Object { spec, remote, source: None })));
    }

    pub(super) fn user(&mut self, id: &str, email: &str, role: &str) -> &mut Self {
        let role = Some(Role::from_wire(role));
        let spec = Member { email: Email::lenient(email), role, groups: Vec::new() };
        let address = Address::member(Name::id(&RemoteId::new(id)));
        let facts = Facts::Member(Box::default());
        self.put(address, Spec::Member(spec), id, Phase::Active, facts);
        self
    }

    pub(super) fn invite(&mut self, id: &str, email: &str, role: &str, days: i64) -> &mut Self {
        let role = Role::from_wire(role);
        let spec =
            Member { email: Email::lenient(email), role: Some(role.clone()), groups: Vec::new() };
        let pending = vec![PendingInvite {
            id: RemoteId::new(id),
            role,
            expires_at: in_days(days),
            groups: Vec::new(),
        }];
        let address = Address::member(Name::id(&RemoteId::new(id)));
        let facts = Facts::Member(Box::new(MemberFacts { pending, ..MemberFacts::default() }));
        self.put(address, Spec::Member(spec), id, Phase::Pending, facts);
        self
    }

    pub(super) fn past(
        &mut self,
        email: &str,
        accepted: Option<i64>,
        expired: &[i64],
    ) -> &mut Self {
        let history = InviteHistory {
            accepted: accepted.map(in_days),
            expired: expired.iter().copied().map(in_days).collect(),
            lapsed: None,
        };
        self.live.history.insert(Email::lenient(email).canonical().clone(), history);
        self
    }

    /// An invite with groups: open, or lapsed so many days ago.
    pub(super) fn invite_with_groups(&mut self, email: &str, role: &str, days: i64) -> &mut Self {
        let groups: Vec<Arc<str>> = vec!["rbac_group_1".into(), "rbac_group_2".into()];
        if days < 0 {
            self.past(email, None, &[days]);
            let history = self.live.history.get_mut(Email::lenient(email).canonical());
            let role = Role::from_wire(role);
            history.unwrap().lapsed = Some(LapsedInvite { at: in_days(days), role, groups });
            return self;
        }
        self.invite("invite_g", email, role, days);
        let object = Arc::make_mut(&mut self.live.objects.last_mut().unwrap().1);
        if let Some(Facts::Member(facts)) = object.remote.as_mut().map(|remote| &mut remote.facts) {
            facts.pending[0].groups = groups;
        }
        self
    }

    pub(super) fn workspace(&mut self, id: &str, spec: Workspace) -> &mut Self {
        let address = Address::workspace(Name::id(&RemoteId::new(id)));
        let facts = Facts::Workspace(Box::default());
        self.put(address, Spec::Workspace(Box::new(spec)), id, Phase::Active, facts);
        self
    }

    pub(super) fn archived(&mut self, id: &str, name: &str) -> &mut Self {
        let mut other = Org::new();
        other.workspace(id, workspace_spec(name));
        self.live.archived.extend(other.live.objects.into_iter().map(|(_, object)| object));
        self
    }

    pub(super) fn grant(&mut self, workspace: &str, user: &str, role: &str) -> &mut Self {
        let (workspace, user) = (RemoteId::new(workspace), RemoteId::new(user));
        let id = RemoteId::grant(&workspace, &user);
        let spec = WorkspaceMember {
            workspace: Name::id(&workspace),
            member: Name::id(&user),
            role: WorkspaceRole::from_wire(role),
        };
        let address = Address::workspace_member(spec.workspace.clone(), spec.member.clone());
        let spec = Spec::WorkspaceMember(spec);
        self.put(address, spec, id.as_str(), Phase::Active, Facts::WorkspaceMember);
        self
    }

    pub(super) fn key(
        &mut self,
        id: &str,
        name: &str,
        status: &str,
        workspace: Option<&str>,
        facts: impl FnOnce(&mut KeyFacts),
    ) -> &mut Self {
        let reach = workspace.map_or(Reach::Organization, |id| Reach::Workspace(RemoteId::new(id)));
        let mut key_facts = KeyFacts {
            created_at: None,
            expires_at: None,
            created_by: None,
            principal: None,
            reach,
            hint: Some("sk-ant-api03-abc...xyz".into()),
            in_use: false,
        };
        facts(&mut key_facts);
        let spec = ApiKey {
            name: Some(name.into()),
            status: Some(KeyStatus::from_wire(status)),
            workspace: workspace.map(|id| Name::id(&RemoteId::new(id))),
        };
        let address = Address::api_key(&RemoteId::new(id));
        let facts = Facts::ApiKey(Box::new(key_facts));
        self.put(address, Spec::ApiKey(spec), id, Phase::Active, facts);
        self
    }
}

pub(super) fn acts_as(user: &str) -> impl FnOnce(&mut KeyFacts) {
    move |facts| facts.principal = Some(Principal::User(RemoteId::new(user)))
}

pub(super) fn made_by(user: &str) -> impl FnOnce(&mut KeyFacts) {
    move |facts| facts.created_by = Some(RemoteId::new(user))
}

pub(super) fn plan(files: &Files, org: &Org) -> Plan {
    plan_with(files, org, &[], &[])
}

pub(super) fn plan_with(
    files: &Files,
    org: &Org,
    only: &[&str],
    allow: &[(GuardName, u64)],
) -> Plan {
    let only: Vec<Only> = only.iter().map(|text| Only::parse(text).unwrap()).collect();
    plan::make(plan::Input {
        desired: &files.desired,
        live: &org.live,
        now: now(),
        notes: Vec::new(),
        observed: Observed::default(),
        only: &only,
        allow: &allow.iter().copied().collect(),
        asked: &|address| plan::hidden::is_asked_for(address, &only, None),
        applied: None,
    })
}

/// A plan as lines: disposition, verb, address, what differs; then calls, or the reason.
pub(super) fn show(plan: &Plan) -> String {
    use crate::resource::Disposition;
    let mut out = String::new();
    for step in &plan.steps {
        let verb = format!("{:?}", step.change.verb()).to_lowercase();
        let (word, why) = match &step.disposition {
            Disposition::Ready => ("ready", None),
            Disposition::Deferred { until, why } => ("deferred", Some(format!("[{until}] {why}"))),
            Disposition::Manual { why } => ("manual", Some(why.clone())),
            Disposition::Held { why } => ("held", Some(why.clone())),
        };
        write!(out, "{word} {verb} {}", step.address).unwrap();
        for field in step.change.fields() {
            write!(out, " {}: {} -> {}", field.field, field.before, field.after).unwrap();
        }
        out.push('\n');
        for line in why.iter().cloned().chain(step.calls.iter().map(ToString::to_string)) {
            writeln!(out, "    {line}").unwrap();
        }
    }
    for breach in plan.breaches() {
        writeln!(out, "{}", plan::guard::diagnostic(breach).message).unwrap();
    }
    if out.is_empty() { "nothing to do\n".to_owned() } else { out }
}

pub(super) fn kinds(plan: &Plan) -> Vec<Kind> {
    plan.steps.iter().map(|step| step.address.kind).collect()
}
