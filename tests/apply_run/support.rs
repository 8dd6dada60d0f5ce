//! An organization in process, what is wanted of it, and a run of the plan between the two.
//!
//! Invariant: plans come from `observe` and `plan::make`, as in the program; only the files are built by hand.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use orgcharter::{
    address::{Address, Name, RemoteId},
    api::{
        call::Call,
        client::{Client, Options as ClientOptions, Reader},
        clock::{Clock, TestClock},
        credential::Credential,
    },
    apply::{self, Hands, Journal, Options, Outcome, Progress, Report, Stop},
    config,
    diagnostic::Span,
    email::Email,
    observe,
    plan::{self, Input, Plan, Step, step::Observed},
    resource::{
        ApiKey, Desired, KeyStatus, Live, Member, Object, OrgKind, Role, Source, Spec, Workspace,
        WorkspaceMember, WorkspaceRole,
        desired::{Gone, GoneCause, ListScope, Pin, Unlisted},
        workspace::{Color, Geos, Residency},
    },
    sandbox::{Fault, Rule, Sandbox, State, TypedError},
    secret::Secret,
};

/// What the files would ask for.
#[derive(Default)]
pub(crate) struct Wanted(pub(crate) Desired);

fn span() -> Span {
    Span { file: "charter.yaml".into(), line: 1, column: 1, bytes: (0, 0) }
}

fn list(unlisted: Unlisted) -> ListScope {
    ListScope { unlisted, span: span() }
}

impl Wanted {
    /// Nothing yet, in the sandbox's organization.
    pub(crate) fn new() -> Self {
        let mut desired = Desired::default();
        desired.organization.id = Some("3f0c1b1e-0000-4000-8000-000000000000".into());
        desired.organization.kind = OrgKind::Console;
        Self(desired)
    }

    /// What a file asks for on the sandbox's day.
    pub(crate) fn file(text: &str) -> Self {
        let sources = vec![("charter.yaml".into(), text.into())];
        let loaded = config::load::load_sources(sources)
            .unwrap_or_else(|rejected| panic!("{:#?}", rejected.diagnostics));
        Self(config::lower::lower(&loaded.document, jiff::civil::date(2026, 11, 22)).0)
    }

    fn put(mut self, address: Address, spec: Spec) -> Self {
        let object = Object { spec, remote: None, source: Some(Source::at(span())) };
        self.0.objects.insert_unique(address, Arc::new(object)).unwrap();
        self
    }

    pub(crate) fn member(mut self, email: &str, role: &str) -> Self {
        self.0.scope.members.get_or_insert_with(|| list(Unlisted::Report));
        let email = Email::parse(email).unwrap();
        let address = Address::member(Name::label(email.canonical().clone()));
        let role = Some(Role::from_wire(role));
        self.put(address, Spec::Member(Member { email, role, groups: Vec::new() }))
    }

    pub(crate) fn members_are_all(mut self) -> Self {
        self.0.scope.members = Some(list(Unlisted::Remove));
        self
    }

    pub(crate) fn workspace(self, name: &str) -> Self {
        self.workspace_with(name, |_| {})
    }

    pub(crate) fn workspace_with(mut self, name: &str, edit: impl FnOnce(&mut Workspace)) -> Self {
        self.0.scope.workspaces.get_or_insert_with(|| list(Unlisted::Report));
        let mut workspace = Workspace::named(name);
        edit(&mut workspace);
        self.put(Address::workspace(Name::label(name)), Spec::Workspace(Box::new(workspace)))
    }

    /// `previously: []`: new, whatever it resembles.
    pub(crate) fn declared_new(mut self, name: &str) -> Self {
        let pin = Pin { id: None, previously: Some(Vec::new()) };
        self.0.pins.insert(Address::workspace(Name::label(name)), pin);
        self
    }

    pub(crate) fn archived(mut self, name: &str, id: &str) -> Self {
        self.0.scope.workspaces.get_or_insert_with(|| list(Unlisted::Report));
        let address = Address::workspace(Name::label(name));
        let pin = Pin { id: Some(RemoteId::new(id)), previously: None };
        self.0.pins.insert(address.clone(), pin);
        let gone = Gone { cause: GoneCause::Archived, source: Source::at(span()) };
        self.0.gone.insert(address, gone);
        self
    }

    pub(crate) fn grant(mut self, workspace: &str, email: &str, role: &str) -> Self {
        let name = Name::label(workspace);
        let scope = &mut self.0.scope.workspace_members;
        scope.entry(name.clone()).or_insert_with(|| list(Unlisted::Report));
        let grant = WorkspaceMember {
            workspace: name.clone(),
            member: Name::label(email),
            role: WorkspaceRole::from_wire(role),
        };
        let address = Address::workspace_member(name, Name::label(email));
        self.put(address, Spec::WorkspaceMember(grant))
    }

    pub(crate) fn grants_are_all(mut self, workspace: &str) -> Self {
        let scope = list(Unlisted::Remove);
        self.0.scope.workspace_members.insert(Name::label(workspace), scope);
        self
    }

    pub(crate) fn key(mut self, workspace: &str, id: &str, status: &str) -> Self {
        let name = Name::label(workspace);
        self.0.scope.api_keys.entry(Some(name.clone())).or_insert_with(|| list(Unlisted::Report));
        let spec = ApiKey {
            name: None,
            status: Some(KeyStatus::from_wire(status)),
            workspace: Some(name),
        };
        let id = RemoteId::new(id);
        let address = Address::api_key(&id);
        self.0.pins.insert(address.clone(), Pin { id: Some(id), previously: None });
        self.put(address, Spec::ApiKey(spec))
    }
}

/// Sets every part of a workspace that can be set.
pub(crate) fn full(workspace: &mut Workspace) {
    workspace.display_color = Some(Color::new("#6c5bb9"));
    workspace.tags = Some([("env".to_owned(), "prod".to_owned())].into());
    workspace.data_residency = Residency {
        workspace_geo: None,
        default_inference_geo: Some("us".into()),
        allowed_inference_geos: Some(Geos::Only(["us".into()].into())),
    };
}

/// An organization and the way to it.
pub(crate) struct Org {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: TestClock,
    pub(crate) reader: Reader,
    pub(crate) hands: Hands,
}

impl Org {
    pub(crate) fn new(plant: impl FnOnce(&mut State)) -> Self {
        let mut state = State::empty(orgcharter::sandbox::Organization::default());
        state.add_user("root@acme.com", "admin");
        plant(&mut state);
        let clock = TestClock::new(state.now());
        crate::contract::watch();
        let sandbox = Sandbox::new(state);
        let credential =
            Credential::Key(Secret::new(sandbox.admin_key()), "ANTHROPIC_ADMIN_KEY".into());
        let options = ClientOptions { seed: 7, ..ClientOptions::default() };
        let client = Client::new(
            Arc::new(sandbox.transport()),
            credential,
            Arc::new(clock.clone()),
            options,
        );
        let hands = Hands::new(&client, Arc::new(clock.clone()));
        Self { sandbox, clock, reader: client.reader(), hands }
    }

    pub(crate) async fn observe(&self, wanted: &Wanted) -> Live {
        let info =
            observe::identify(observe::me(&self.reader).await, &self.reader, OrgKind::Console)
                .unwrap();
        let mut scope = wanted.0.read_scope();
        scope.api_keys |= scope.workspaces; // archived workspaces and leavers take keys along
        let own = |_: &str| false;
        observe::observe(&self.reader, &info, &scope, &own, self.clock.now()).await.unwrap()
    }

    pub(crate) async fn plan(&self, wanted: &Wanted) -> Plan {
        self.plan_asked(wanted, &|_| false).await
    }

    /// A plan that sends what the API may hide where it is asked for.
    pub(crate) async fn plan_asked(
        &self,
        wanted: &Wanted,
        asked: &dyn Fn(&Address) -> bool,
    ) -> Plan {
        let live = self.observe(wanted).await;
        plan::make(Input {
            desired: &wanted.0,
            live: &live,
            now: self.clock.now(),
            notes: Vec::new(),
            observed: Observed {
                credential: "ANTHROPIC_ADMIN_KEY".into(),
                credentials_unused: Vec::new(),
                reads: 0,
            },
            only: &[],
            allow: &BTreeMap::new(),
            asked,
            applied: None,
        })
    }

    pub(crate) async fn run(&self, plan: &Plan) -> Report {
        self.run_with(plan, Journal::none(), &()).await
    }

    pub(crate) async fn run_with(
        &self,
        plan: &Plan,
        journal: Journal,
        progress: &dyn Progress,
    ) -> Report {
        self.sandbox.with(|state| state.log.clear());
        let stop = Stop::new();
        apply::run(plan, &self.hands, journal, progress, &stop, Options::default()).await
    }

    /// Plans and applies.
    pub(crate) async fn apply(&self, wanted: &Wanted) -> Report {
        let plan = self.plan(wanted).await;
        self.run(&plan).await
    }

    /// Ready steps that a plan still has.
    pub(crate) async fn left(&self, wanted: &Wanted) -> Vec<String> {
        self.plan(wanted).await.ready().map(line).collect()
    }

    pub(crate) fn fault(&self, on: &str, then: Fault) {
        self.rule(Rule::new(on, then).times(1));
    }

    pub(crate) fn rule(&self, rule: Rule) {
        self.sandbox.with(|state| state.faults.add(rule).unwrap());
    }

    /// Writes that came, `POST /invites {…}`, without what comes before.
    pub(crate) fn writes(&self) -> Vec<String> {
        let calls = self.sandbox.log().calls();
        calls.iter().map(|call| call.replace("/v1/organizations", "")).collect()
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.sandbox.advance(time);
        self.clock.advance(time);
    }

    pub(crate) fn id_of(&self, email: &str) -> String {
        self.sandbox.with(|state| state.user(email).unwrap().id.clone())
    }

    pub(crate) fn workspaces_named(&self, name: &str) -> usize {
        self.sandbox.with(|state| state.workspaces().filter(|space| space.name == name).count())
    }

    pub(crate) fn invites_to(&self, email: &str) -> usize {
        self.sandbox
            .with(|state| state.invites().filter(|i| i.email == email && !i.withdrawn).count())
    }
}

/// A typed refusal.
pub(crate) fn refusal(status: u16, code: Option<&str>) -> Fault {
    Fault::Error(TypedError {
        status,
        code: code.map(str::to_owned),
        message: None,
        details: serde_json::Map::new(),
        headers: BTreeMap::new(),
    })
}

/// `create member/ada@acme.com`.
pub(crate) fn line(step: &Step) -> String {
    format!("{:?} {}", step.change.verb(), step.address).to_lowercase()
}

/// Outcomes as `done member/ada@acme.com`.
pub(crate) fn outcomes(report: &Report) -> Vec<String> {
    report.steps.iter().map(|s| format!("{} {}", s.outcome.word(), s.address)).collect()
}

/// The outcome of the only step.
pub(crate) fn only(report: &Report) -> &Outcome {
    match report.steps.as_slice() {
        [step] => &step.outcome,
        steps => panic!("one step was expected, not {steps:#?}"),
    }
}

pub(crate) fn note(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Done { note: Some(note), .. } => note,
        other => panic!("done with a note was expected, not {other:#?}"),
    }
}

/// The plan's calls as the request log shows them; only for plans without references.
pub(crate) fn calls(plan: &Plan) -> Vec<String> {
    let ids = BTreeMap::new();
    let text = |call: &Call| {
        let request = call.resolve(&ids).unwrap();
        let target = request.target.replace("/v1/organizations", "");
        match request.body {
            Some(body) => {
                format!("{} {target} {}", request.method, String::from_utf8(body.to_vec()).unwrap())
            }
            None => format!("{} {target}", request.method),
        }
    };
    plan.ready().flat_map(|step| step.calls.iter().map(text)).collect()
}

/// Does something in the Console just before a step of this address starts.
pub(crate) struct Meanwhile<'a, F: Fn() + Send + Sync> {
    pub(crate) before: &'a str,
    pub(crate) act: F,
}

impl<F: Fn() + Send + Sync> Progress for Meanwhile<'_, F> {
    fn started(&self, step: &Step) {
        if step.address.to_string() == self.before {
            (self.act)();
        }
    }
}

/// Keeps what it hears.
#[derive(Default)]
pub(crate) struct Heard(pub(crate) Mutex<Vec<String>>);

impl Progress for Heard {
    fn begin(&self, steps: usize) {
        self.0.lock().unwrap().push(format!("begin {steps}"));
    }
    fn started(&self, step: &Step) {
        self.0.lock().unwrap().push(format!("started {}", step.address));
    }
    fn finished(&self, step: &Step, outcome: &Outcome) {
        self.0.lock().unwrap().push(format!("{} {}", outcome.word(), step.address));
    }
    fn line(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}
