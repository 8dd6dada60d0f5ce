//! Plans made by hand, for the tests of renderers.
//!
//! Invariant: [`full`] has something in every part of a plan.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{Timestamp, civil::date};
use serde_json::json;

use crate::{
    access::{AccessChange, AccessRole, Place},
    address::{Address, Kind, Name, RemoteId},
    api::call::{Call, Part, Resend},
    diagnostic::Span,
    email::Email,
    plan::{
        Cause, Plan, Stage, Step,
        rules::RuleChange,
        step::{
            Base, Expiring, ExpiringKind, GuardResult, KeyFate, LastApplied, LimitOf, Observed,
            Organization, Population, Revision, Unmanaged, Waiting,
        },
    },
    resource::{
        ApiKey, Change, Disposition, Facts, FieldChange, KeyStatus, Member, Object, OrgKind, Phase,
        Remote, Role, Source, Spec, Workspace, WorkspaceMember, WorkspaceRole,
        api_key::{KeyFacts, Reach},
        desired::{Approval, GuardName},
    },
};

pub(crate) fn span(line: u32) -> Span {
    Span { file: "charter.yaml".into(), line, column: 3, bytes: (0, 0) }
}

fn now() -> Timestamp {
    "2026-11-22T09:00:00Z".parse().unwrap()
}

pub(crate) fn object(spec: Spec, line: Option<u32>, remote: Option<Remote>) -> Arc<Object> {
    Arc::new(Object { spec, remote, source: line.map(|line| Source::at(span(line))) })
}

fn person(email: &str, role: &str) -> Spec {
    let email = Email::parse(email).unwrap();
    Spec::Member(Member { email, role: Some(Role::from_wire(role)), groups: Vec::new() })
}

#[expect(clippy::unnecessary_wraps, reason = "it stands where an optional one is wanted")]
fn live(id: &str, phase: Phase) -> Option<Remote> {
    let facts = Facts::Member(Box::default());
    Some(Remote { id: RemoteId::new(id), phase, facts })
}

pub(crate) fn workspace(name: &str, tags: &[(&str, &str)]) -> Spec {
    let tags = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Spec::Workspace(Box::new(Workspace { tags: Some(tags), ..Workspace::named(name) }))
}

fn grant(workspace: &str, member: &str, role: &str) -> Spec {
    Spec::WorkspaceMember(WorkspaceMember {
        workspace: Name::label(workspace),
        member: Name::label(member),
        role: WorkspaceRole::from_wire(role),
    })
}

fn key(name: &str, status: KeyStatus) -> Spec {
    Spec::ApiKey(ApiKey {
        name: Some(name.into()),
        status: Some(status),
        workspace: Some(Name::label("Production")),
    })
}

#[expect(clippy::unnecessary_wraps, reason = "it stands where an optional one is wanted")]
fn key_remote() -> Option<Remote> {
    let facts = KeyFacts {
        created_at: None,
        expires_at: None,
        created_by: None,
        principal: None,
        reach: Reach::Organization,
        hint: Some("sk-ant-api03-R2D...igAA".into()),
        in_use: false,
    };
    let facts = Facts::ApiKey(Box::new(facts));
    Some(Remote { id: RemoteId::new("apikey_1"), phase: Phase::Active, facts })
}

fn field(field: &str, before: serde_json::Value, after: serde_json::Value) -> FieldChange {
    FieldChange { field: field.into(), before, after }
}

pub(crate) fn step(address: Address, change: Change, cause: Cause, line: u32) -> Step {
    Step {
        address,
        change,
        disposition: Disposition::Ready,
        cause,
        stage: Stage::Build(Kind::Member),
        at: Some(span(line)),
        rests_on: Vec::new(),
        calls: Vec::new(),
        attribution: None,
    }
}

fn member_address(email: &str) -> Address {
    Address::member(Name::label(email))
}

pub(crate) fn empty() -> Plan {
    Plan {
        format_version: crate::plan::step::FORMAT_VERSION,
        charter_version: "0.1.0".into(),
        passed: Vec::new(),
        passed_when_saved: None,
        organization: Organization {
            id: "3f0c1b1e-0000-4000-8000-000000000000".into(),
            name: Some("Acme".into()),
            kind: OrgKind::Console,
            pinned: true,
        },
        created_at: now(),
        observed: Observed {
            credential: "ANTHROPIC_ADMIN_KEY".into(),
            credentials_unused: vec!["ANTHROPIC_API_KEY".into()],
            reads: 9,
        },
        steps: Vec::new(),
        waiting: Vec::new(),
        unmanaged: Vec::new(),
        expiring: Vec::new(),
        keys: Vec::new(),
        access: Vec::new(),
        guards: Vec::new(),
        policy: Vec::new(),
        notes: Vec::new(),
        bindings: Vec::new(),
        population: Population::default(),
        limits: BTreeMap::new(),
        only: Vec::new(),
        base: None,
        last_applied: None,
        revision: None,
        approval: Approval::default(),
        acknowledgement: None,
        hmac: None,
    }
}

pub(crate) fn full() -> Plan {
    let mut plan = empty();
    let invited = Object {
        spec: person("joan@contractor.io", "claude_code_user"),
        remote: None,
        source: Some(Source {
            span: span(9),
            note: Some("SOW-118".into()),
            until: Some(date(2027, 3, 31)),
            expired: false,
        }),
    };
    let mut invite = step(
        member_address("joan@contractor.io"),
        Change::Create { after: Arc::new(invited) },
        Cause::Listed,
        9,
    );
    let body =
        [("email", Part::text("joan@contractor.io")), ("role", Part::text("claude_code_user"))];
    invite.calls = vec![Call::post([Part::text("invites")], body, Resend::LookFirst)];
    let update = |email: &str, line| Change::Update {
        before: object(person(email, "user"), None, live("user_1", Phase::Active)),
        after: object(person(email, "developer"), Some(line), None),
        fields: vec![field("role", json!("user"), json!("developer"))],
    };
    let reinvite = Change::Replace {
        before: object(person("dora@acme.com", "user"), None, live("invite_1", Phase::Pending)),
        after: object(person("dora@acme.com", "developer"), Some(12), None),
        fields: vec![field("role", json!("user"), json!("developer"))],
    };
    let removal = |email: &str, phase| Change::Remove {
        before: object(person(email, "developer"), None, live("user_9", phase)),
    };
    let renamed = Change::Update {
        before: object(workspace("Prod", &[]), None, None),
        after: object(workspace("Production", &[("env", "prod")]), Some(30), None),
        fields: vec![
            field("name", json!("Prod"), json!("Production")),
            field("tags.env", json!(null), json!("prod")),
        ],
    };
    let created = Change::Create {
        after: object(workspace("Research", &[("env", "dev"), ("team", "r&d")]), Some(40), None),
    };
    let archived =
        Change::Remove { before: object(workspace("Hackathon 2025", &[]), Some(50), None) };
    let granted = Change::Create {
        after: object(grant("Production", "bob@acme.com", "workspace_developer"), Some(33), None),
    };
    let off = Change::Update {
        before: object(key("old-batch", KeyStatus::Active), None, key_remote()),
        after: object(key("old-batch", KeyStatus::Inactive), Some(61), None),
        fields: vec![field("status", json!("active"), json!("inactive"))],
    };
    let workspaces = |name: &str| Address::workspace(Name::label(name));
    let in_production =
        |email: &str| Address::workspace_member(Name::label("Production"), Name::label(email));
    let admin = Change::Update {
        before: object(person("grace@acme.com", "developer"), None, live("user_2", Phase::Active)),
        after: object(person("grace@acme.com", "admin"), Some(8), None),
        fields: vec![field("role", json!("developer"), json!("admin"))],
    };
    let pending_grant = Change::Create {
        after: object(grant("Production", "joan@contractor.io", "workspace_user"), Some(34), None),
    };
    plan.steps = vec![
        step(Address::api_key(&RemoteId::new("apikey_1")), off, Cause::Listed, 61),
        invite,
        step(member_address("bob@acme.com"), update("bob@acme.com", 8), Cause::Listed, 8),
        step(member_address("dora@acme.com"), reinvite, Cause::Listed, 12),
        step(workspaces("Production"), renamed, Cause::Listed, 30),
        step(workspaces("Research"), created, Cause::Listed, 40),
        step(in_production("bob@acme.com"), granted, Cause::Listed, 33),
        step(
            member_address("eve@acme.com"),
            removal("eve@acme.com", Phase::Active),
            Cause::Unlisted,
            70,
        ),
        step(
            member_address("old@acme.com"),
            removal("old@acme.com", Phase::Pending),
            Cause::None,
            13,
        ),
        step(workspaces("hackathon"), archived, Cause::Archived, 50),
        Step {
            disposition: Disposition::Manual {
                why: "the API cannot give the role `admin`: set `grace@acme.com` to `admin` in the Console under \
                      Settings > Members"
                    .into(),
            },
            ..step(member_address("grace@acme.com"), admin, Cause::Listed, 8)
        },
        Step {
            disposition: Disposition::Deferred {
                until: member_address("joan@contractor.io"),
                why: "until `joan@contractor.io` accepts the invite".into(),
            },
            ..step(in_production("joan@contractor.io"), pending_grant, Cause::Listed, 34)
        },
    ];
    plan.waiting = vec![Waiting {
        address: member_address("ivy@acme.com"),
        role: "user".into(),
        expires_at: "2026-12-01T10:30:00Z".parse().unwrap(),
    }];
    plan.unmanaged = vec![Unmanaged {
        address: workspaces("Scratch"),
        title: "Scratch".into(),
        id: RemoteId::new("wrkspc_9"),
        detail: "active".into(),
    }];
    plan.expiring = vec![Expiring {
        on: date(2026, 11, 30),
        what: "member/zoe@contractor.io".into(),
        end: ExpiringKind::Until,
        at: Some(span(14)),
    }];
    let fate = |name: &str, dies, why: &str| KeyFate {
        address: Address::api_key(&RemoteId::new("apikey_2")),
        name: name.into(),
        id: RemoteId::new("apikey_2"),
        hint: Some("sk-ant-api03-aaa...bbbb".into()),
        dies,
        because_of: member_address("eve@acme.com"),
        why: why.into(),
        listed_active: dies,
        by_expiry: false,
        own: false,
        late: false,
    };
    plan.keys = vec![
        fate("eve-laptop", true, "a personal key is archived when its person leaves"),
        fate("ci-deploy", false, "it belongs to its workspace and outlives its maker"),
    ];
    let role = |role: &str, through: Option<&str>| {
        Some(AccessRole {
            role: role.into(),
            through: through.map(str::to_owned),
            once_accepted: false,
        })
    };
    let change = |person: &str, place, before, after| AccessChange {
        person: person.into(),
        place,
        before,
        after,
    };
    plan.access = vec![
        change("bob@acme.com", Place::Organization, role("user", None), role("developer", None)),
        change(
            "bob@acme.com",
            Place::Workspace("Production".into()),
            None,
            role("workspace_developer", None),
        ),
        change("eve@acme.com", Place::Organization, role("developer", None), None),
        change(
            "zed@acme.com",
            Place::EveryWorkspace(37),
            role("workspace_billing", Some("billing")),
            None,
        ),
    ];
    plan.access.extend(["Alpha", "Beta", "Gamma", "Delta"].map(|name| {
        change("eve@acme.com", Place::Workspace(name.into()), role("workspace_user", None), None)
    }));
    plan.access.extend(["a@acme.com", "b@acme.com", "c@acme.com"].map(|person| {
        change(person, Place::Workspace("Research".into()), None, role("workspace_user", None))
    }));
    plan.guards = vec![GuardResult {
        guard: GuardName::Archives,
        within: None,
        count: 1,
        of: 0,
        limit: 0,
        allowed: false,
        breached: true,
        limit_of: LimitOf::Files,
    }];
    plan
}

/// Says that a plan was held against something, with this text wherever one stands.
pub(crate) fn held(plan: &mut Plan, text: &str, rules: &[RuleChange]) {
    plan.base = Some(Base {
        name: text.into(),
        commit: Some(text.into()),
        rules: rules.to_vec(),
        by_this_change: 2,
        drift: 3,
        limits: plan.limits.clone(),
    });
    plan.last_applied = Some(LastApplied {
        commit: text.into(),
        planned_at: plan.created_at,
        rules: rules.to_vec(),
        merged: 1,
        limits: plan.limits.clone(),
    });
    plan.revision = Some(Revision { commit: text.into(), path: text.into() });
}
