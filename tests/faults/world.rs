//! An organization from a seed file, the files that are to rule it, and commands between the two.
//!
//! Invariant: plans come from the same passes as in the program; what a test sees of an organization is all that
//! people see, and no id.

use std::{fmt::Write as _, path::PathBuf, sync::Arc};

use orgcharter::{
    api::{
        client::{Client, Options as ClientOptions},
        clock::TestClock,
        credential::Credential,
    },
    apply::{
        self, Hands, Journal, Options, Outcome, Progress, Report, Stop,
        journal::{self, Record},
    },
    observe::{self, ObserveError},
    plan::{Plan, Step},
    resource::{Desired, Live, OrgKind},
    sandbox::{Edit, Fault, Rule, Sandbox, Script, State},
    secret::Secret,
};

use crate::{common, network::Network};

/// Where every file starts: one organization, and the admin who is always there.
pub(crate) const HEAD: &str = "\
version: 1
organization: {id: 3f0c1b1e-0000-4000-8000-000000000000}
";
/// The same of seeds.
pub(crate) const SEED: &str = "\
now: 2026-11-22T09:00:00Z
";

/// A seed with more users than the admin.
pub(crate) fn state(seed: &str) -> State {
    State::from_yaml(&format!("{SEED}{seed}")).unwrap_or_else(|error| panic!("{error}\n{seed}"))
}

/// What files want on the day of the seed.
pub(crate) fn wanted(files: &str) -> Arc<Desired> {
    let text = format!("{HEAD}{files}");
    let loaded = common::load(&[("charter.yaml", text)]).unwrap_or_else(|found| panic!("{found}"));
    Arc::new(common::lowered(&loaded.document, "2026-11-22T09:00:00Z".parse().unwrap()).0)
}

/// One command's view of an organization.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: TestClock,
    pub(crate) network: Arc<Network>,
    pub(crate) client: Client,
    pub(crate) desired: Arc<Desired>,
}

impl World {
    pub(crate) fn new(seed: &str, files: &str) -> Self {
        Self::of(state(seed), &wanted(files))
    }

    /// An organization of its own.
    pub(crate) fn of(state: State, desired: &Arc<Desired>) -> Self {
        Self::with(&Sandbox::new(state), desired, |network| network)
    }

    /// A command of its own against an organization that others may use too.
    pub(crate) fn with(
        sandbox: &Sandbox,
        desired: &Arc<Desired>,
        network: impl FnOnce(Network) -> Network,
    ) -> Self {
        common::contract::watch();
        let clock = TestClock::new(sandbox.now());
        let network = Arc::new(network(Network::new(sandbox, &clock)));
        let credential =
            Credential::Key(Secret::new(sandbox.admin_key()), "ANTHROPIC_ADMIN_KEY".into());
        let options = ClientOptions { seed: 7, ..ClientOptions::default() };
        let transport = Arc::clone(&network) as _;
        let client = Client::new(transport, credential, Arc::new(clock.clone()), options);
        Self { sandbox: sandbox.clone(), clock, network, client, desired: Arc::clone(desired) }
    }

    pub(crate) async fn observe(&self) -> Result<Live, ObserveError> {
        let reader = self.client.reader();
        let info = observe::identify(observe::me(&reader).await, &reader, OrgKind::Console)?;
        let mut scope = self.desired.read_scope();
        scope.api_keys |= scope.workspaces; // archived workspaces and leavers take keys along
        let own = |_: &str| false;
        observe::observe(&reader, &info, &scope, &own, self.sandbox.now()).await
    }

    pub(crate) async fn plan(&self) -> Result<Plan, ObserveError> {
        let live = self.observe().await?;
        Ok(common::make(&self.desired, &live, self.sandbox.now(), &[]))
    }

    /// The plan of an organization that can be read.
    pub(crate) async fn planned(&self) -> Plan {
        self.plan().await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Applies a plan, and keeps a journal if there is somewhere to.
    pub(crate) async fn apply(&self, plan: &Plan, journal: Journal) -> Report {
        self.apply_heard(plan, journal, &()).await
    }

    pub(crate) async fn apply_heard(
        &self,
        plan: &Plan,
        journal: Journal,
        progress: &dyn Progress,
    ) -> Report {
        let hands = Hands::new(&self.client, Arc::new(self.clock.clone()));
        apply::run(plan, &hands, journal, progress, &Stop::new(), Options::default()).await
    }

    /// Plans and applies.
    pub(crate) async fn run(&self) -> Report {
        let plan = self.planned().await;
        self.apply(&plan, Journal::none()).await
    }

    pub(crate) fn fail(&self, rule: Rule) {
        self.sandbox.with(|state| state.faults.add(rule)).unwrap();
    }

    /// From now on nothing can be read after the next write of this shape.
    pub(crate) fn blind_after(&self, on: &str) {
        let rule = Rule::new("GET /**", Fault::StatusBefore(500));
        self.after(on, [Edit::AddFault { rule }]);
    }

    pub(crate) fn after(&self, on: &str, edits: impl IntoIterator<Item = Edit>) {
        self.sandbox.with(|state| state.scripts.add(Script::new(on, edits))).unwrap();
    }

    /// Everything goes well again.
    pub(crate) fn heal(&self) {
        self.sandbox.with(|state| state.faults.clear());
    }

    /// What there is, as people see it.
    pub(crate) fn look(&self) -> String {
        self.sandbox.with(|state| show(state))
    }
}

/// An organization without its ids: everything that a write can change, sorted.
pub(crate) fn show(state: &State) -> String {
    let mut lines: Vec<String> = Vec::new();
    lines.extend(state.users().map(|user| format!("user {} {}", user.email, user.role)));
    lines.extend(state.invites().map(|invite| {
        let status = invite.status(state.now(), &state.switches);
        format!("invite {} {} {status:?}", invite.email, invite.role)
    }));
    lines.extend(state.workspaces().map(|space| {
        let gone = if space.archived_at.is_some() { " archived" } else { "" };
        format!("workspace {} {:?}{gone}", space.name, space.tags)
    }));
    let name = |id: &str| state.workspace(id).map_or_else(String::new, |space| space.name.clone());
    lines.extend(state.grants().map(|grant| {
        let email = state.user(&grant.user_id).map_or("?", |user| &user.email);
        format!("grant {} {email} {}", name(&grant.workspace_id), grant.role)
    }));
    lines.extend(
        state.api_keys().map(|key| format!("key {} {:?}", key.name, key.status_at(state.now()))),
    );
    lines.sort();
    lines.iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{line}");
        text
    })
}

/// `remove member/ada@acme.com`.
pub(crate) fn line(step: &Step) -> String {
    format!("{:?} {}", step.change.verb(), step.address).to_lowercase()
}

/// Steps that are ready.
pub(crate) fn ready(plan: &Plan) -> Vec<String> {
    plan.ready().map(line).collect()
}

/// Outcomes as `done member/ada@acme.com: it was gone already`.
pub(crate) fn outcomes(report: &Report) -> Vec<String> {
    let tell = |outcome: &Outcome| match outcome.detail() {
        Some(detail) => format!(": {detail}"),
        None => String::new(),
    };
    let steps = report.steps.iter();
    steps.map(|s| format!("{} {}{}", s.outcome.word(), s.address, tell(&s.outcome))).collect()
}

/// Whether there is time for more seeds and moods: `CHARTER_LONG=1`.
pub(crate) fn long() -> bool {
    std::env::var_os("CHARTER_LONG").is_some_and(|value| value != "0")
}

/// A folder for journals: in memory where there is such a place, since each line of a journal waits for the disk.
pub(crate) struct Journals(tempfile::TempDir);

impl Journals {
    pub(crate) fn new() -> Self {
        let memory = std::path::Path::new("/dev/shm");
        let folder = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        Self(tempfile::tempdir_in(folder).unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The records of a whole journal, and then it is gone.
    pub(crate) fn take(&self, name: &str) -> Vec<Record> {
        let path = self.path(name);
        let lines = journal::read(&path).unwrap();
        assert!(!lines.torn && lines.open_steps().is_empty(), "{name}: {lines:?}");
        std::fs::remove_file(path).unwrap();
        lines.records
    }
}
