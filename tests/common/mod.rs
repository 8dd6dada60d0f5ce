//! What integration tests share: files from texts, and plans against a sandbox without sockets.
//!
//! Invariant: time is the sandbox's own and waits cost nothing, so whatever runs here runs at once.

pub(crate) mod contract;

use std::{collections::BTreeMap, sync::Arc};

use jiff::{Timestamp, tz::TimeZone};
use orgcharter::{
    api::{
        client::{Client, Options},
        clock::TestClock,
        credential::Credential,
        transport::{BoxFuture, RawRequest, RawResponse, Transport, TransportError},
    },
    apply,
    config::{
        document::Document,
        load::{Loaded, load_sources},
        lower::lower,
    },
    diagnostic::Diagnostic,
    observe::{self, ObserveError, OrganizationInfo},
    plan::{self, Only, Plan, step::Observed},
    resource::{Desired, Live, OrgKind, read_scope::ReadScope},
    sandbox::{InProcess, Sandbox, switches::PageSize},
};

/// A runtime for one test thread.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap_or_else(|error| panic!("no runtime: {error}"))
}

/// Loads files from their names and texts, the root file first; what is wrong with them as text.
pub(crate) fn load<N: AsRef<str>, T: AsRef<str>>(sources: &[(N, T)]) -> Result<Loaded, String> {
    let sources = sources
        .iter()
        .map(|(name, text)| (Arc::from(name.as_ref()), Arc::from(text.as_ref())))
        .collect();
    load_sources(sources).map_err(|rejected| {
        let shown = rejected.diagnostics.iter().filter(|found| found.is_error());
        shown.map(|found| format!("{found:?}\n")).collect()
    })
}

/// What a document wants at a moment.
pub(crate) fn lowered(document: &Document, now: Timestamp) -> (Desired, Vec<Diagnostic>) {
    lower(document, now.to_zoned(TimeZone::UTC).date())
}

/// Asks for four rows in place of a thousand, so that small organizations have lists of several pages.
struct SmallPages(InProcess);

impl Transport for SmallPages {
    fn send(&self, mut request: RawRequest) -> BoxFuture<'_, Result<RawResponse, TransportError>> {
        request.target = request.target.replace("limit=1000", "limit=4");
        self.0.send(request)
    }
}

/// One command's view of a sandbox: its own client, its own clock.
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) clock: Arc<TestClock>,
    /// Read once.
    pub(crate) now: Timestamp,
    credential: Credential,
}

impl Session {
    /// A new command. Where the sandbox gives short pages, lists have many of them.
    pub(crate) fn new(sandbox: &Sandbox) -> Self {
        contract::watch();
        let now = sandbox.now();
        let clock = Arc::new(TestClock::new(now));
        let credential = credential(&sandbox.admin_key());
        let options = Options { seed: 7, requests_per_minute: 100_000, ..Options::default() };
        let short = sandbox.with(|state| state.switches.page_size) == PageSize::Short;
        let transport: Arc<dyn Transport> = if short {
            Arc::new(SmallPages(sandbox.transport()))
        } else {
            Arc::new(sandbox.transport())
        };
        let client = Client::new(transport, credential.clone(), Arc::clone(&clock) as _, options);
        Self { client, clock, now, credential }
    }

    /// Reads what the files need.
    pub(crate) async fn observe(&self, desired: &Desired) -> Result<Live, ObserveError> {
        self.read(&desired.read_scope(), desired.organization.kind).await
    }

    /// Reads a scope.
    pub(crate) async fn read(
        &self,
        scope: &ReadScope,
        kind: OrgKind,
    ) -> Result<Live, ObserveError> {
        let reader = self.client.reader();
        let info: OrganizationInfo = observe::identify(observe::me(&reader).await, &reader, kind)?;
        let own = |hint: &str| self.credential.matches_hint(hint);
        observe::observe(&reader, &info, scope, &own, self.now).await
    }

    /// Plans; with a second look at keys where the plan takes something away that keys may depend on, and at members
    /// whose grants no list shows.
    pub(crate) async fn plan(&self, desired: &Desired) -> Result<(Plan, Live), ObserveError> {
        let live = self.observe(desired).await?;
        let plan = make(desired, &live, self.now, &[]);
        let unseen = plan::hidden::unseen(&plan);
        let wants_keys = plan::wants_keys(&plan, &live);
        if !wants_keys && unseen.is_empty() {
            return Ok((plan, live));
        }
        let mut live = live;
        if wants_keys {
            let scope = ReadScope { api_keys: true, ..desired.read_scope() };
            live = self.read(&scope, desired.organization.kind).await?;
        }
        live.objects.extend(observe::grants_by_member(&self.client.reader(), &unseen).await?);
        let plan = make(desired, &live, self.now, &[]);
        Ok((plan, live))
    }

    /// Applies, without a journal.
    pub(crate) async fn apply(&self, plan: &Plan) -> apply::Report {
        let hands = apply::Hands::new(&self.client, Arc::clone(&self.clock) as _);
        let options = apply::Options::default();
        apply::run(plan, &hands, apply::Journal::none(), &(), &apply::Stop::new(), options).await
    }
}

/// A plan from what was read.
pub(crate) fn make(desired: &Desired, live: &Live, now: Timestamp, only: &[Only]) -> Plan {
    plan::make(plan::Input {
        desired,
        live,
        now,
        notes: Vec::new(),
        observed: Observed { credential: "ANTHROPIC_ADMIN_KEY".to_owned(), ..Observed::default() },
        only,
        allow: &BTreeMap::new(),
        asked: &|_| false,
        applied: None,
    })
}

fn credential(key: &str) -> Credential {
    let env = |name: &str| (name == "ANTHROPIC_ADMIN_KEY").then(|| key.to_owned());
    match Credential::from_env(&env) {
        Ok(found) => found.credential,
        Err(error) => panic!("no credential: {error}"),
    }
}
