//! Runs the binary, and serves what it talks to.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Command, Output, Stdio},
    thread,
};

use orgcharter::sandbox::{Sandbox, Server, State};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The id of the organization in [`FILE`] and [`SEED`].
pub(crate) const ID: &str = "3f0c1b1e-0000-4000-8000-000000000000";

/// A key that [`SEED`] accepts.
pub(crate) const KEY: &str = "sk-ant-admin01-right-0123456789-abcdefghij";

/// What the stories want.
pub(crate) const FILE: &str = "\
version: 1
organization: {id: 3f0c1b1e-0000-4000-8000-000000000000}
members:
  ada@acme.com: admin
  bob@acme.com: developer
  cy@acme.com: user
";

/// What is live: `bob` has less, `cy` is missing. Its clock is the machine's.
pub(crate) const SEED: &str = "\
organization: {id: 3f0c1b1e-0000-4000-8000-000000000000, name: Acme}
credentials: {admin_keys: [sk-ant-admin01-right-0123456789-abcdefghij]}
users:
  - {email: ada@acme.com, role: admin}
  - {email: bob@acme.com, role: user, id: user_01bob}
";

/// A folder with `charter.yaml`, and how the binary is run in it.
pub(crate) struct Story {
    /// Where it plays.
    pub(crate) folder: TempDir,
    /// Where journals go, unless a test says otherwise.
    pub(crate) state: TempDir,
    env: Vec<(String, String)>,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Story {
    /// With [`FILE`].
    pub(crate) fn new() -> Self {
        Self::with(FILE)
    }

    /// With this `charter.yaml`.
    pub(crate) fn with(file: &str) -> Self {
        let story = Self {
            folder: TempDir::new().unwrap(),
            state: TempDir::new().unwrap(),
            env: Vec::new(),
        };
        story.write("charter.yaml", file);
        story
    }

    /// Sets a variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Talks to a server with a key that it accepts.
    pub(crate) fn to(self, url: &str) -> Self {
        self.env("ANTHROPIC_BASE_URL", url).env("ANTHROPIC_ADMIN_KEY", KEY)
    }

    /// Writes a file beside `charter.yaml`.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// The path of a file beside `charter.yaml`.
    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// What the folder holds, but for `charter.yaml`.
    pub(crate) fn made(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.folder.path()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name != "charter.yaml").collect();
        names.sort();
        names
    }

    /// The journals in the folder for them, oldest first.
    pub(crate) fn journals(&self) -> Vec<std::path::PathBuf> {
        let folder = self.state.path().join("charter/journals");
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
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
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs it.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        ended(self.command(args).output().unwrap())
    }
}

/// What a process left.
pub(crate) fn ended(output: Output) -> Run {
    let Output { status, stdout, stderr } = output;
    Run {
        code: status.code(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

impl Run {
    /// Asserts that all that was said is one error with one help, and gives both as one line each.
    #[track_caller]
    pub(crate) fn one_message(&self, code: i32) -> (String, String) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        let text = self.stderr.strip_prefix("error: ").expect("an error first");
        let (error, help) = text.split_once("\n  help: ").expect("then what to do");
        assert!(!error.contains('\n'), "{error}");
        let lines: Vec<&str> = help.lines().map(str::trim).collect();
        assert!(help.lines().skip(1).all(|line| line.starts_with("        ")), "{help}");
        (error.to_owned(), lines.join(" "))
    }
}

/// An organization on loopback.
pub(crate) struct Served {
    runtime: Runtime,
    server: Option<Server>,
}

impl Served {
    /// Serves a seed.
    pub(crate) fn start(seed: &str) -> Self {
        crate::contract::watch();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.unwrap();
        let state = State::from_yaml(seed).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = runtime.block_on(Server::start(state, address)).unwrap();
        Self { runtime, server: Some(server) }
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        self.server.as_ref().unwrap().base_url()
    }

    /// The organization.
    pub(crate) fn sandbox(&self) -> Sandbox {
        self.server.as_ref().unwrap().sandbox().clone()
    }

    /// The writes so far, as the API saw them.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.sandbox().log().calls()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.stop());
        }
        if !thread::panicking() {
            crate::contract::clean();
        }
    }
}

/// A server that answers everything with the same bytes.
pub(crate) fn answering(reply: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // It ends with the test's process.
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n > 0) {
                head.push(byte[0]);
            }
            let _ = stream.write_all(reply.as_bytes());
        }
    });
    url
}

/// An address that nobody listens on.
pub(crate) fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// A file's text.
pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}
