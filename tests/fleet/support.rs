//! A fleet in a folder, and its organizations behind one address.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    net::SocketAddr,
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State as Shared},
    response::Response,
};
use orgcharter::sandbox::{Sandbox, State, taken, whole};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The id of an organization.
pub(crate) fn id(number: usize) -> String {
    format!("3f0c1b1e-0000-4000-8000-{number:012x}")
}

/// The only key that an organization takes.
pub(crate) fn key(number: usize) -> String {
    format!("sk-ant-admin01-fleet-{number:04}-hush")
}

/// What one organization has and wants.
#[derive(Clone, Debug)]
pub(crate) struct One {
    /// Its files, below `version` and `organization`.
    pub(crate) file: String,
    /// What is live, below `organization` and `credentials`.
    pub(crate) seed: String,
    /// What its variable holds.
    pub(crate) credential: Option<String>,
}

impl One {
    /// One person is to be invited.
    pub(crate) fn plain(number: usize) -> Self {
        Self {
            file: format!("members:\n  ada@acme.com: admin\n  p{number}@acme.com: user\n"),
            seed: "users:\n  - {email: ada@acme.com, role: admin}\n".to_owned(),
            credential: Some(key(number)),
        }
    }
}

/// An organization, by its number, and the exit code that it has by itself: with one in four something is wrong.
pub(crate) fn trouble(number: usize) -> (One, i64) {
    let plain = One::plain(number);
    let added = |head: &str, rest: &str| format!("{head}{rest}");
    match number % 20 {
        3 => (One { credential: Some(format!("sk-ant-admin01-old-{number}-hush")), ..plain }, 1),
        7 => {
            let fault = "faults: [{on: \"GET /v1/organizations/users\", then: {error: {status: 500, headers: \
                         {x-should-retry: \"false\"}}}}]\n";
            (One { seed: added(&plain.seed, fault), ..plain }, 1)
        }
        11 => {
            let file = added(&plain.file, "manage: {members: remove}\n");
            let more: String =
                (0..5).map(|n| format!("  - {{email: x{n}@acme.com, role: user}}\n")).collect();
            (One { seed: added(&plain.seed, &more), file, ..plain }, 4)
        }
        13 => (One { file: added(&plain.file, "workspace: {}\n"), ..plain }, 3),
        17 => (One { credential: None, ..plain }, 1),
        _ => (plain, 0),
    }
}

/// A fleet, its organizations, and who asked them.
pub(crate) struct Fleet {
    pub(crate) folder: TempDir,
    /// Where journals go, unless a test says otherwise.
    pub(crate) state: TempDir,
    organizations: Vec<One>,
    house: House,
    address: SocketAddr,
    _runtime: Runtime,
}

/// The organizations by their key, and which keys each connection has brought.
#[derive(Clone, Default)]
struct House {
    sandboxes: BTreeMap<String, Sandbox>,
    seen: Arc<Mutex<BTreeMap<SocketAddr, BTreeSet<String>>>>,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Fleet {
    pub(crate) fn start(organizations: Vec<One>) -> Self {
        crate::contract::watch();
        let folder = TempDir::new().unwrap();
        let mut fleet = "version: 1\norganizations:\n".to_owned();
        let mut house = House::default();
        for (number, One { file, seed, credential: _ }) in organizations.iter().enumerate() {
            let id = id(number);
            writeln!(fleet, "  {id}: {{folder: o{number:03}, credential: KEY_{number}}}").unwrap();
            let files = folder.path().join(format!("o{number:03}"));
            std::fs::create_dir(&files).unwrap();
            let text = format!("version: 1\norganization: {{id: {id}}}\n{file}");
            std::fs::write(files.join("charter.yaml"), text).unwrap();
            let key = key(number);
            let seed = format!(
                "organization: {{id: {id}, name: Acme {number}}}\ncredentials: {{admin_keys: [{key}]}}\n{seed}"
            );
            house.sandboxes.insert(key, Sandbox::new(State::from_yaml(&seed).unwrap()));
        }
        std::fs::write(folder.path().join("fleet.yaml"), fleet).unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().fallback(answer).with_state(house.clone());
        let service = app.into_make_service_with_connect_info::<SocketAddr>();
        // It ends with its runtime.
        runtime.spawn(async move { axum::serve(listener, service).await });
        let state = TempDir::new().unwrap();
        Self { folder, state, organizations, house, address, _runtime: runtime }
    }

    /// One of the organizations.
    pub(crate) fn sandbox(&self, number: usize) -> &Sandbox {
        &self.house.sandboxes[&key(number)]
    }

    /// The command, without a terminal.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_charter"));
        command
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .env("COLUMNS", "100")
            // Never the home of whoever runs the tests.
            .env("XDG_STATE_HOME", self.state.path())
            .env("ANTHROPIC_BASE_URL", format!("http://{}", self.address))
            // Nobody asked for this one.
            .env("ANTHROPIC_ADMIN_KEY", "sk-ant-admin01-nobody-hush")
            .stdin(Stdio::null());
        for (number, one) in self.organizations.iter().enumerate() {
            command.envs(one.credential.as_ref().map(|key| (format!("KEY_{number}"), key)));
        }
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        let Output { status, stdout, stderr } = self.command(args).output().unwrap();
        let run = Run {
            code: status.code(),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        };
        crate::contract::clean();
        assert!(!run.stdout.contains("hush") && !run.stderr.contains("hush"), "{run:?}");
        run
    }

    /// Asserts that no connection carried the keys of two organizations, nor one that is nobody's.
    pub(crate) fn assert_nothing_crossed(&self) {
        let seen = self.house.seen.lock().unwrap();
        let given: Vec<&String> =
            self.organizations.iter().filter_map(|one| one.credential.as_ref()).collect();
        for (connection, keys) in &*seen {
            assert_eq!(keys.len(), 1, "{connection} brought {keys:?}");
            assert!(keys.iter().all(|key| given.contains(&key)), "{keys:?}");
        }
        assert!(!seen.is_empty(), "nobody asked");
    }
}

async fn answer(
    Shared(house): Shared<House>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let request = taken(request).await.unwrap();
    let key = request.headers.iter().find(|(name, _)| name == "x-api-key");
    let key = key.map(|(_, key)| key.clone()).unwrap_or_default();
    house.seen.lock().unwrap().entry(from).or_default().insert(key.clone());
    let Some(sandbox) = house.sandboxes.get(&key) else {
        let refusal = r#"{"type": "error", "error": {"type": "authentication_error", "message": "invalid credential"}}"#;
        return Response::builder().status(401).body(Body::from(refusal)).unwrap();
    };
    let exchange = sandbox.exchange(&request);
    tokio::time::sleep(exchange.delay).await;
    whole(&exchange.response)
}
