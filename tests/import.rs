//! Law 7: what an import writes loads, and planning it against the same organization finds nothing to do. Law 8:
//! raising what was planned gives the same document again.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use orgcharter::{
    address::{Address, Name, RemoteId},
    config::{
        document::{Document, Manage},
        load::load_sources,
        lower::lower,
        raise::{infer_kind, raise},
        write::write,
    },
    diagnostic::Diagnostic,
    email::Email,
    plan::{self, Plan, step::Observed},
    resource::{
        ApiKey, Facts, KeyStatus, Live, Member, Object, OrgKind, Phase, Remote, Role, Spec,
        Workspace, WorkspaceMember, WorkspaceRole,
        api_key::{KeyFacts, Reach},
        member::{MemberFacts, PendingInvite},
        snapshot::Coverage,
        workspace::{Color, Geos, Residency},
    },
};
use proptest::{option, prelude::*, sample};

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

/// A live organization under construction.
#[derive(Clone, Debug)]
struct Org {
    live: Live,
}

impl Org {
    fn new() -> Self {
        let live = Live {
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
        };
        Self { live }
    }

    fn put(&mut self, address: Address, spec: Spec, id: RemoteId, phase: Phase, facts: Facts) {
        let remote = Some(Remote { id, phase, facts });
        self.live.objects.push((address, Arc::new(Object { spec, remote, source: None })));
    }

    fn person(&mut self, id: &str, email: &str, role: &str, phase: Phase) {
        let id = RemoteId::new(id);
        let role = Role::from_wire(role);
        let pending = match phase {
            Phase::Active => Vec::new(),
            Phase::Pending => {
                let expires_at = now() + jiff::SignedDuration::from_hours(100);
                let (id, role) = (id.clone(), role.clone());
                vec![PendingInvite { id, role, expires_at, groups: Vec::new() }]
            }
        };
        let facts = Facts::Member(Box::new(MemberFacts { pending, ..MemberFacts::default() }));
        let email = Email::lenient(email);
        let spec = Spec::Member(Member { email, role: Some(role), groups: Vec::new() });
        self.put(Address::member(Name::id(&id)), spec, id, phase, facts);
    }

    fn workspace(&mut self, id: &str, spec: Workspace) {
        let id = RemoteId::new(id);
        if !spec.is_default {
            self.live.coverage.workspace_members.insert(id.clone());
        }
        let facts = Facts::Workspace(Box::default());
        let address = Address::workspace(Name::id(&id));
        self.put(address, Spec::Workspace(Box::new(spec)), id, Phase::Active, facts);
    }

    fn grant(&mut self, workspace: &str, user: &str, role: &str) {
        let (workspace, user) = (RemoteId::new(workspace), RemoteId::new(user));
        let spec = WorkspaceMember {
            workspace: Name::id(&workspace),
            member: Name::id(&user),
            role: WorkspaceRole::from_wire(role),
        };
        let address = Address::workspace_member(spec.workspace.clone(), spec.member.clone());
        let id = RemoteId::grant(&workspace, &user);
        self.put(address, Spec::WorkspaceMember(spec), id, Phase::Active, Facts::WorkspaceMember);
    }

    fn key(&mut self, id: &str, name: &str, status: &str, workspace: Option<&str>) {
        let id = RemoteId::new(id);
        let spec = ApiKey {
            name: Some(name.into()),
            status: Some(KeyStatus::from_wire(status)),
            workspace: workspace.map(|id| Name::id(&RemoteId::new(id))),
        };
        let facts = KeyFacts {
            created_at: None,
            expires_at: None,
            created_by: None,
            principal: None,
            reach: workspace.map_or(Reach::Organization, |id| Reach::Workspace(RemoteId::new(id))),
            hint: None,
            in_use: false,
        };
        let facts = Facts::ApiKey(Box::new(facts));
        self.put(Address::api_key(&id), Spec::ApiKey(spec), id, Phase::Active, facts);
    }
}

fn plain(name: &str) -> Workspace {
    Workspace { tags: Some(BTreeMap::new()), ..Workspace::named(name) }
}

/// Imports, and reads the import again.
fn import(live: &Live) -> (String, Document, Vec<Diagnostic>) {
    let (document, found) = raise(live, infer_kind(live));
    let written = write(&document);
    let loaded = load_sources(vec![("charter.yaml".into(), written.as_str().into())])
        .unwrap_or_else(|rejected| panic!("{written}\n{:#?}", rejected.diagnostics))
        .document;
    assert_eq!(loaded, document, "{written}");
    (written, loaded, found)
}

fn plan(document: &Document, live: &Live) -> Plan {
    let (desired, notes) = lower(document, now().to_zoned(jiff::tz::TimeZone::UTC).date());
    plan::make(plan::Input {
        desired: &desired,
        live,
        now: now(),
        notes,
        observed: Observed::default(),
        only: &[],
        allow: &BTreeMap::new(),
        asked: &|_| false,
        applied: None,
    })
}

#[test]
fn an_organization_is_written_down() {
    let mut org = Org::new();
    org.person("user_1", "Ada@acme.com", "admin", Phase::Active);
    org.person("user_2", "grace@acme.com", "developer", Phase::Active);
    org.person("user_3", "alan@acme.com", "galactic_overlord", Phase::Active);
    org.person("invite_1", "joan@contractor.io", "claude_code_user", Phase::Pending);
    org.workspace(
        "wrkspc_1",
        Workspace {
            display_color: Some(Color::new("#6c5bb9")),
            tags: Some([("env".to_owned(), "prod".to_owned())].into()),
            data_residency: Residency {
                workspace_geo: Some("us".into()),
                default_inference_geo: Some("us".into()),
                allowed_inference_geos: Some(Geos::Only(["us".into()].into())),
            },
            ..plain("Production")
        },
    );
    org.workspace("wrkspc_2", plain("Hackathon"));
    org.workspace("wrkspc_3", plain("Hackathon"));
    org.workspace("wrkspc_4", plain("Claude Code"));
    org.workspace("wrkspc_5", Workspace { is_default: true, ..plain("Default") });
    org.grant("wrkspc_1", "user_2", "workspace_developer");
    org.grant("wrkspc_1", "user_3", "workspace_billing");
    org.grant("wrkspc_4", "user_2", "workspace_user");
    org.key("apikey_1", "ci-deploy", "active", Some("wrkspc_1"));
    org.key("apikey_2", "old", "archived", Some("wrkspc_1"));
    org.key("apikey_3", "odd", "paused", Some("wrkspc_1"));
    org.key("apikey_4", "batch", "inactive", None);
    let (written, document, found) = import(&org.live);
    insta::assert_snapshot!(written, @r##"
    version: 1
    organization:
      id: 3f0c1b1e-0000-4000-8000-000000000000

    members:
      Ada@acme.com: admin
      alan@acme.com:
        role: unmanaged
        note: "live role: galactic_overlord"
      grace@acme.com: developer
      joan@contractor.io: claude_code_user

    workspaces:
      Default:
        tags: {}
      "Hackathon (wrkspc_2)":
        name: Hackathon
        id: wrkspc_2
        tags: {}
        members: {}
        api_keys: {}
      "Hackathon (wrkspc_3)":
        name: Hackathon
        id: wrkspc_3
        tags: {}
        members: {}
        api_keys: {}
      Production:
        id: wrkspc_1
        display_color: "#6C5BB9"
        tags: {env: prod}
        data_residency: {default_inference_geo: us, allowed_inference_geos: [us]}
        members:
          alan@acme.com: {role: unmanaged, note: "live role: workspace_billing"}
          grace@acme.com: workspace_developer
        api_keys:
          apikey_1: {name: ci-deploy, status: active}
          apikey_3: {name: odd, note: "live status: paused"}

    api_keys:
      apikey_4: {name: batch, status: inactive}

    manage:
      members: remove
      workspace_members: remove
      workspaces: report
      api_keys: report
    "##);
    assert!(found.is_empty(), "{found:#?}");
    let plan = plan(&document, &org.live);
    assert!(plan.steps.is_empty(), "{:#?}", plan.steps);
}

#[test]
fn what_cannot_be_written_is_named_and_not_put_at_risk() {
    let mut org = Org::new();
    org.person("user_1", "ada@acme.com", "user", Phase::Active);
    org.person("user_2", "no address", "user", Phase::Active);
    org.person("user_3", "twin@acme.com", "user", Phase::Active);
    org.person("user_4", "Twin@acme.com", "developer", Phase::Active);
    org.person("user_5", "e\u{202e}ve@acme.com", "user", Phase::Active);
    org.workspace("wrkspc_1", plain("Pro\u{202e}d"));
    org.workspace("wrkspc_2", plain("Production"));
    for user in ["user_1", "user_2", "user_3", "user_4", "user_5"] {
        org.grant("wrkspc_1", user, "workspace_user");
        org.grant("wrkspc_2", user, "workspace_user");
    }
    org.key("apikey_1", "ci\u{7}", "active", Some("wrkspc_1"));
    org.key("apikey_2", "ci\u{7}", "active", Some("wrkspc_2"));
    let (written, document, found) = import(&org.live);
    insta::assert_snapshot!(written, @r#"
    version: 1
    organization:
      id: 3f0c1b1e-0000-4000-8000-000000000000

    members:
      ada@acme.com: user

    workspaces:
      Production:
        id: wrkspc_2
        tags: {}
        members:
          ada@acme.com: workspace_user
        api_keys:
          apikey_2: active

    api_keys: {}

    manage:
      members: remove
      workspace_members: remove
      workspaces: report
      api_keys: report
      ignore:
        - {members: "no?address", reason: charter cannot write this address}
        - {members: "e???ve@acme.com", reason: charter cannot write this address}
        - {members: twin@acme.com, reason: several live people share this address}
    "#);
    let found: Vec<_> = found.iter().map(|finding| finding.message.as_str()).collect();
    insta::assert_snapshot!(found.join("\n"), @r"
    the person `no?address` is left out: charter cannot write this address
    the person `e???ve@acme.com` is left out: charter cannot write this address
    the person `twin@acme.com` is left out: several live people share this address
    the workspace `wrkspc_1` is left out: its name is empty, too long, or holds invisible characters
    ");
    let plan = plan(&document, &org.live);
    assert!(plan.steps.is_empty(), "{:#?}", plan.steps);
}

#[test]
fn the_kind_is_told_by_the_roles() {
    let mut org = Org::new();
    org.person("user_1", "ada@acme.com", "user", Phase::Active);
    assert_eq!(infer_kind(&org.live), OrgKind::Console);
    org.person("user_2", "grace@acme.com", "managed", Phase::Active);
    org.person("user_3", "alan@acme.com", "primary_owner", Phase::Active);
    assert_eq!(infer_kind(&org.live), OrgKind::Enterprise);
    org.live.coverage = Coverage { members: true, ..Coverage::default() };
    let (written, document, _) = import(&org.live);
    insta::assert_snapshot!(written, @r"
    version: 1
    organization:
      id: 3f0c1b1e-0000-4000-8000-000000000000
      kind: enterprise

    members:
      ada@acme.com: user
      alan@acme.com: primary_owner
      grace@acme.com: managed

    manage:
      members: remove
    ");
    assert!(plan(&document, &org.live).steps.is_empty());
}

/// Names with everything that breaks files.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => sample::select(vec![
            "Production", "Staging", "Default", "Claude Code", "no", "1e5", "~", "", " ", "a: b", "x #y",
            "team/x", "Pro\u{202e}d", "tab\there", "two\nlines", "Production ", "\u{feff}x", "wrkspc_1",
            "Production (wrkspc_2)",
        ]).prop_map(str::to_owned),
        1 => any::<String>().prop_map(|text| text.chars().take(60).collect()),
        1 => "[a-z]{300}",
    ]
}

fn email() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => ("[a-d]", sample::select(vec!["acme.com", "ACME.com", "bücher.example", "xn--bcher-kva.example"]))
            .prop_map(|(local, domain)| format!("{local}@{domain}")),
        1 => sample::select(vec![
            "", "@", "no address", "a@@b", "null@acme.com", "#x@acme.com", "e\u{200b}ve@acme.com", "*@acme.com",
            "[x]@acme.com", "Ünal@acme.com", "u\u{308}@acme.com", "\u{fc}@acme.com", "a b@acme.com", "{a}@x",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

fn role() -> impl Strategy<Value = String> {
    let known = sample::select(Role::KNOWN.to_vec()).prop_map(|role| role.as_str().to_owned());
    prop_oneof![8 => known, 1 => Just("overlord".to_owned()), 1 => any::<String>()]
}

fn workspace() -> impl Strategy<Value = Workspace> {
    let text = || prop_oneof!["[a-z]{1,5}", any::<String>(), Just("anthropic-x".to_owned())];
    let geo = || option::of(sample::select(vec!["us", "global", "eu", ""]).prop_map(Arc::from));
    let geos = option::of(prop_oneof![
        Just(Geos::Unrestricted),
        prop::collection::btree_set(
            sample::select(vec!["us", "global", "eu"]).prop_map(Arc::from),
            0..3
        )
        .prop_map(Geos::Only),
    ]);
    let color = option::of(prop_oneof!["#[0-9a-f]{6}", any::<String>()]);
    let tags = option::of(prop::collection::btree_map(text(), text(), 0..3));
    let id = || option::of(text().prop_map(Arc::from));
    (name(), color, tags, (geo(), geo(), geos), id(), id()).prop_map(
        |(name, color, tags, (workspace_geo, default_inference_geo, allowed), key, profile)| {
            Workspace {
                name: name.into(),
                display_color: color.map(|color| Color::new(&color)),
                tags,
                data_residency: Residency {
                    workspace_geo,
                    default_inference_geo,
                    allowed_inference_geos: allowed,
                },
                external_key_id: key,
                user_profile_id: profile,
                is_default: false,
            }
        },
    )
}

prop_compose! {
    fn organizations()(
        people in prop::collection::vec((email(), role(), any::<bool>()), 0..8),
        spaces in prop::collection::vec(workspace(), 0..5),
        default in option::of(workspace()),
        grants in prop::collection::vec((0..5usize, 0..9usize, prop_oneof![
            sample::select(WorkspaceRole::KNOWN.to_vec()).prop_map(|role| role.as_str().to_owned()),
            any::<String>(),
        ]), 0..12),
        keys in prop::collection::vec((
            name(),
            sample::select(vec!["active", "inactive", "archived", "expired", "paused"]),
            0..7usize,
            any::<bool>(),
        ), 0..6),
    ) -> Org {
        let mut org = Org::new();
        let count = spaces.len();
        for (index, (email, role, pending)) in people.into_iter().enumerate() {
            let phase = if pending { Phase::Pending } else { Phase::Active };
            let prefix = if pending { "invite" } else { "user" };
            org.person(&format!("{prefix}_{index}"), &email, &role, phase);
        }
        for (index, workspace) in spaces.into_iter().enumerate() {
            org.workspace(&format!("wrkspc_{index}"), workspace);
        }
        if let Some(workspace) = default {
            let workspace = Workspace { name: "Default".into(), is_default: true, ..workspace };
            org.workspace("wrkspc_default", workspace);
        }
        // Tags of the product itself are dropped on observing.
        for (_, object) in &mut org.live.objects {
            let mut new = Object::clone(object);
            if let Spec::Workspace(workspace) = &mut new.spec
                && let Some(tags) = &mut workspace.tags
            {
                tags.retain(|key, _| !key.starts_with("anthropic"));
                *object = Arc::new(new);
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        for (workspace, user, role) in grants {
            if workspace < count && seen.insert((workspace, user)) {
                org.grant(&format!("wrkspc_{workspace}"), &format!("user_{user}"), &role);
            }
        }
        for (index, (name, status, workspace, known)) in keys.into_iter().enumerate() {
            let workspace = (workspace < count).then(|| format!("wrkspc_{workspace}"));
            let id = if known { format!("apikey_{index}") } else { format!("key {index}") };
            org.key(&id, &name, status, workspace.as_deref());
        }
        org
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn an_import_loads_and_plans_to_nothing(org in organizations()) {
        let (written, document, _) = import(&org.live);
        let plan = plan(&document, &org.live);
        prop_assert!(plan.steps.is_empty(), "{}\n{:#?}", written, plan.steps);
        // The same organization is written down the same way.
        prop_assert_eq!(import(&org.live).0, written);
    }

    #[test]
    fn raising_what_is_wanted_gives_the_document_again(org in organizations()) {
        let (_, document, _) = import(&org.live);
        let again = carried_out(&document, &org.live);
        let (raised, _) = raise(&again.live, infer_kind(&org.live));
        prop_assert_eq!(without_remarks(raised), without_remarks(document));
    }
}

/// The organization that a document wants, made from nothing: what it leaves to live is something that charter
/// does not know.
fn carried_out(document: &Document, from: &Live) -> Org {
    let (desired, _) = lower(document, now().to_zoned(jiff::tz::TimeZone::UTC).date());
    let mut org = Org::new();
    org.live.organization = from.organization.clone();
    org.live.coverage =
        Coverage { workspace_members: std::collections::BTreeSet::new(), ..from.coverage.clone() };
    let mut ids: BTreeMap<Address, String> = BTreeMap::new();
    let mut id_of = |address: &Address, prefix: &str| {
        let pinned = desired.pins.get(address).and_then(|pin| pin.id.as_ref());
        let fresh = format!("{prefix}_fresh{}", ids.len());
        let id = pinned.map_or(fresh, ToString::to_string);
        ids.insert(address.clone(), id.clone());
        id
    };
    for (address, object) in &desired.objects {
        match &object.spec {
            Spec::Member(Member { email, role, groups: _ }) => {
                let role = role.as_ref().map_or("overlord", Role::as_str);
                org.person(&id_of(address, "user"), email.as_written(), role, Phase::Active);
            }
            Spec::Workspace(workspace) => {
                let id = id_of(address, "wrkspc");
                let covered = desired.scope.workspace_members.contains_key(&address.name);
                org.workspace(&id, Workspace::clone(workspace));
                if !covered {
                    org.live.coverage.workspace_members.remove(&RemoteId::new(id));
                }
            }
            Spec::WorkspaceMember(_) | Spec::ApiKey(_) => {}
        }
    }
    let workspace_id = |name: &Name| ids[&Address::workspace(name.clone())].clone();
    let grants = desired.objects.iter().filter_map(|(address, object)| match &object.spec {
        Spec::WorkspaceMember(grant) => Some((address, grant.role.as_str().to_owned())),
        _ => None,
    });
    let kept = desired.kept.iter().map(|address| (address, "overlord".to_owned()));
    for (address, role) in grants.chain(kept) {
        let user = ids[&Address::member(address.name.clone())].clone();
        org.grant(&workspace_id(address.scope.as_ref().unwrap()), &user, &role);
    }
    for (address, object) in &desired.objects {
        let Spec::ApiKey(ApiKey { name, status, workspace }) = &object.spec else { continue };
        let status = status.as_ref().map_or("paused", KeyStatus::as_str);
        let name = name.as_deref().unwrap_or("\u{7}");
        let workspace = workspace.as_ref().map(workspace_id);
        org.key(address.name.as_str(), name, status, workspace.as_deref());
    }
    org
}

/// A document without what an import remarks about live: notes, and who could not be listed.
fn without_remarks(mut document: Document) -> Document {
    // Somebody who can be neither listed nor ignored turns removals into reports.
    document.manage = Manage::default();
    for person in document.members.iter_mut().flat_map(|section| section.values_mut()) {
        person.note = None;
    }
    let workspaces = document.workspaces.iter_mut().flat_map(|section| section.values_mut());
    for workspace in workspaces {
        for grant in workspace.members.iter_mut().flat_map(|grants| grants.people.values_mut()) {
            grant.note = None;
        }
        for key in workspace.api_keys.iter_mut().flat_map(|section| section.values_mut()) {
            key.note = None;
        }
    }
    for key in document.api_keys.iter_mut().flat_map(|section| section.values_mut()) {
        key.note = None;
    }
    document
}
