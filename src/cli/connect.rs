//! From options and environment to a client: which credential, which address, or a sandbox instead of both.
//!
//! Invariant: a sandbox never sees a real credential, and a real organization is never reached while a sandbox is
//! asked for.

use std::{cell::Cell, ffi::OsStr, fs, path::Path, sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{
    args::Global,
    failure::Failure,
    telemetry::{Meter, Metered},
    ui::Ui,
};
use crate::{
    api::{
        client::{Client, Options},
        clock::{Clock, SystemClock},
        credential::{Credential, Found},
        error::ApiError,
        http::{BaseUrl, DEFAULT_BASE_URL, HttpTransport},
        transport::BoxFuture,
        wire::Me,
    },
    beside::Beside,
    observe,
    plan::step::Observed,
    render::{
        clean::clean,
        style::{ATTENTION, paint},
    },
    resource::{OrgKind, desired::OrganizationPin},
    sandbox::{self, Sandbox, Server, State},
    secret::Secret,
};

/// The variable with the API's address.
const BASE_URL: &str = "ANTHROPIC_BASE_URL";
/// Where a sandbox's credential comes from, as a plan's head shows it.
const SANDBOX_SOURCE: &str = "the sandbox's key";

/// One organization to talk to.
pub(super) struct Connection {
    /// What sends.
    pub(super) client: Client,
    /// What it waits by.
    pub(super) clock: Arc<dyn Clock>,
    /// The time, read once: the machine's, or the sandbox's.
    pub(super) now: Timestamp,
    /// It is a sandbox.
    pub(super) is_sandbox: bool,
    /// Other credentials that were set.
    unused: Vec<String>,
    /// The question whose credential it is, if it was asked ahead.
    me: Cell<Option<Beside<Result<Me, ApiError>>>>,
    // It stops when it is dropped.
    _server: Option<Server>,
}

/// Says what was wrong with the file that keeps the access token, each once: it costs an exchange, and no request fails by
/// it, so nobody would know.
pub(super) fn warn_of_token_cache(client: &Client, ui: &Ui) {
    for trouble in client.token_cache_troubles() {
        ui.say(&format!("{}: {}\n", paint(ATTENTION.bold(), "warning"), clean(&trouble)));
    }
}

impl Connection {
    /// Finds credential and address, or starts a sandbox. `pin` is the organization of the files, for a sandbox that
    /// is given no state of its own; `variable` is the only one that the credential may come from, if there is one;
    /// `meter` counts the requests.
    pub(super) async fn open(
        global: &Global,
        pin: &OrganizationPin,
        variable: Option<&str>,
        meter: Arc<Meter>,
    ) -> Result<Self, Failure> {
        match &global.sandbox {
            Some(state) => Self::sandbox(global, state, pin, meter).await,
            None => Self::real(global, variable, meter),
        }
    }

    fn real(global: &Global, variable: Option<&str>, meter: Arc<Meter>) -> Result<Self, Failure> {
        let Found { credential, also_set } = match variable {
            None => Credential::from_env(&env)?,
            Some(name) => {
                Found { credential: Credential::from_variable(name, &env)?, also_set: Vec::new() }
            }
        };
        let base = global.base_url.clone().or_else(|| env(BASE_URL));
        let base = BaseUrl::parse(base.as_deref().unwrap_or(DEFAULT_BASE_URL))?;
        let bundle = match &global.ca_bundle {
            Some(path) => {
                Some(fs::read(path).map_err(|error| Failure::file("read", path, &error))?)
            }
            None => None,
        };
        let transport = Arc::new(HttpTransport::new(base, bundle.as_deref())?);
        let transport = Arc::new(Metered::new(transport, meter));
        let clock = Arc::new(SystemClock::new());
        let also_set: Vec<String> = also_set.into_iter().map(str::to_owned).collect();
        let mut options = Options { also_set: also_set.clone(), ..Options::default() };
        if let Some(rate) = global.requests_per_minute {
            options.requests_per_minute = rate;
        }
        Ok(Self {
            now: clock.now(),
            client: Client::new(transport, credential, clock.clone(), options),
            clock,
            is_sandbox: false,
            unused: also_set,
            me: Cell::default(),
            _server: None,
        })
    }

    async fn sandbox(
        global: &Global,
        path: &OsStr,
        pin: &OrganizationPin,
        meter: Arc<Meter>,
    ) -> Result<Self, Failure> {
        let state = if path.is_empty() {
            let mut state = State::empty(stand_in(pin));
            state.clock = sandbox::Clock::running(Timestamp::now());
            state
        } else {
            let path = Path::new(path);
            match &pin.id {
                // States of several organizations, each called by its id.
                Some(id) if path.is_dir() => seed(&path.join(format!("{id}.yaml")))?,
                _ => seed(path)?,
            }
        };
        let server = Server::start(state, ([127, 0, 0, 1], 0).into())
            .await
            .map_err(|error| Failure::failed(format!("cannot start the sandbox: {error}")))?;
        let base = BaseUrl::parse(&server.base_url())?;
        let transport = Arc::new(HttpTransport::new(base, None)?);
        let transport = Arc::new(Metered::new(transport, meter));
        let clock = Arc::new(SandboxClock {
            sandbox: server.sandbox().clone(),
            machine: SystemClock::new(),
        });
        let key = Credential::Key(Secret::new(server.sandbox().admin_key()), SANDBOX_SOURCE.into());
        let options = Options {
            // Nobody else uses it, and nobody likes to wait for a fake.
            requests_per_minute: global.requests_per_minute.unwrap_or(u32::MAX),
            may_have_nobody: true,
            ..Options::default()
        };
        Ok(Self {
            now: clock.now(),
            client: Client::new(transport, key, clock.clone(), options),
            clock,
            is_sandbox: true,
            unused: Vec::new(),
            me: Cell::default(),
            _server: Some(server),
        })
    }

    /// Connects to the real organization, and asks whose credential it is before anybody waits for the answer.
    pub(super) fn ahead(global: &Global, meter: Arc<Meter>) -> Result<Self, Failure> {
        let connection = Self::real(global, None, meter)?;
        let reader = connection.client.reader();
        connection.me.set(Some(Beside::begin(async move { observe::me(&reader).await })));
        Ok(connection)
    }

    /// Ends what was begun ahead.
    pub(super) async fn stop(self) {
        if let Some(asked) = self.me.take() {
            asked.stop().await;
        }
    }

    /// Whose credential it is.
    pub(super) async fn me(&self) -> Result<Me, ApiError> {
        match self.me.take() {
            Some(asked) => asked.end().await,
            None => observe::me(&self.client.reader()).await,
        }
    }

    /// How the organization was seen, for the head of a plan.
    pub(super) fn observed(&self) -> Observed {
        Observed {
            credential: self.client.credential().source().to_owned(),
            credentials_unused: self.unused.clone(),
            reads: self.client.reader().requests_sent(),
        }
    }
}

/// The organization that a seed file describes.
pub(super) fn seed(path: &Path) -> Result<State, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?;
    State::from_yaml(&text).map_err(|error| {
        Failure::usage(format!("`{}` is no sandbox state: {error}", path.display()))
            .help("the file describes an organization: users, invites, workspaces, api_keys, switches, faults")
    })
}

/// An empty organization of the name and kind that the files are for.
fn stand_in(pin: &OrganizationPin) -> sandbox::Organization {
    let mut organization = sandbox::Organization {
        name: "Sandbox".to_owned(),
        kind: match pin.kind {
            OrgKind::Console => sandbox::OrganizationKind::Console,
            OrgKind::Enterprise => sandbox::OrganizationKind::Enterprise,
            OrgKind::Aws => sandbox::OrganizationKind::Aws,
        },
        ..sandbox::Organization::default()
    };
    if let Some(id) = &pin.id {
        organization.id = id.to_string();
    }
    organization
}

/// An environment variable that is set to something. One that is no UTF-8 is set too: whoever reads it says what is
/// wrong with it.
fn env(name: &str) -> Option<String> {
    let value = std::env::var_os(name)?.to_string_lossy().into_owned();
    Some(value).filter(|value| !value.is_empty())
}

/// Shows the sandbox's time and waits on the machine's.
struct SandboxClock {
    sandbox: Sandbox,
    machine: SystemClock,
}

impl Clock for SandboxClock {
    fn now(&self) -> Timestamp {
        self.sandbox.now()
    }

    fn monotonic(&self) -> Duration {
        self.machine.monotonic()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        self.machine.sleep(duration)
    }
}
