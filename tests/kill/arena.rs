//! An organization on loopback that kills whoever talks to it at a chosen request, on either side of its effect.
//!
//! Invariant: the process is gone before the request goes on, so what follows can have no other cause.

use std::{
    fs::File,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{Request, State as Shared},
    response::Response,
};
use orgcharter::{
    api::transport::{Method, RawRequest, RawResponse},
    sandbox::{Sandbox, State, taken, whole},
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// When to kill.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trap {
    /// Which requests are counted.
    pub(crate) on: On,
    /// At which one, from 1.
    pub(crate) nth: usize,
    /// On which side of its effect.
    pub(crate) side: Side,
}

/// Which requests a trap counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    /// All.
    Any,
    /// Those that write.
    Writes,
    /// Those that make workspaces.
    Workspaces,
}

/// On which side of a request's effect somebody is killed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    /// Before it, and it never comes.
    Never,
    /// Before it, and it comes so long after.
    Late(Duration),
    /// Between the effect and the reply.
    Between,
    /// So long after the request came in, whatever happens meanwhile.
    Later(Duration),
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Run {
    /// The exit code; `None`: it was killed.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The organization, the folder with the files, and the process that works on them.
pub(crate) struct Arena {
    folder: TempDir,
    outputs: TempDir,
    pub(crate) sandbox: Sandbox,
    key: String,
    url: String,
    inside: Arc<Inside>,
    // It stops serving when it is dropped.
    _runtime: Runtime,
}

struct Inside {
    sandbox: Sandbox,
    trap: Mutex<Option<Trap>>,
    /// Requests that the trap has counted.
    seen: AtomicUsize,
    busy: AtomicUsize,
    child: Mutex<Option<Child>>,
    /// How long a request takes to arrive, and its reply to go back.
    pace: Duration,
}

impl Arena {
    pub(crate) fn new(state: State, file: &str, pace: Duration) -> Self {
        crate::contract::watch();
        let sandbox = Sandbox::new(state);
        let inside = Arc::new(Inside {
            sandbox: sandbox.clone(),
            trap: Mutex::default(),
            seen: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
            child: Mutex::default(),
            pace,
        });
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = runtime.block_on(tokio::net::TcpListener::bind(address)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(inside.clone());
        runtime.spawn(async move { axum::serve(listener, app).await });
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("charter.yaml"), file).unwrap();
        let outputs = TempDir::new().unwrap();
        Self { folder, outputs, key: sandbox.admin_key(), sandbox, url, inside, _runtime: runtime }
    }

    /// A file in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `charter` in the folder to its end, or to the trap.
    pub(crate) fn run(&self, args: &[&str], trap: Option<Trap>) -> Run {
        *self.inside.trap.lock().unwrap() = trap;
        self.inside.seen.store(0, Ordering::SeqCst);
        let (out, err) = (self.outputs.path().join("out"), self.outputs.path().join("err"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_charter"));
        command
            .args(args)
            .args(["--requests-per-minute", "100000"])
            .current_dir(self.folder.path())
            .env_clear()
            .env("COLUMNS", "120")
            .env("XDG_STATE_HOME", self.outputs.path())
            .env("ANTHROPIC_BASE_URL", &self.url)
            .env("ANTHROPIC_ADMIN_KEY", &self.key)
            .stdin(Stdio::null())
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(&err).unwrap());
        {
            let mut child = self.inside.child.lock().unwrap();
            *child = Some(command.spawn().unwrap());
        }
        let code = self.wait();
        let text = |path: &Path| std::fs::read_to_string(path).unwrap();
        Run { code, stdout: text(&out), stderr: text(&err) }
    }

    /// Waits for the end of the process, and of every request it has sent.
    fn wait(&self) -> Option<i32> {
        let start = Instant::now();
        let patience = Duration::from_mins(1);
        let code = loop {
            assert!(start.elapsed() < patience, "it does not end");
            let ended = self.inside.child.lock().unwrap().as_mut().unwrap().try_wait().unwrap();
            match ended {
                Some(status) => break status.code(),
                None => thread::sleep(Duration::from_millis(2)),
            }
        };
        let mut quiet = Instant::now();
        let mut before = self.sandbox.log().len();
        while quiet.elapsed() < Duration::from_millis(15) {
            assert!(start.elapsed() < patience, "its requests do not end");
            thread::sleep(Duration::from_millis(3));
            let now = self.sandbox.log().len();
            if now != before || self.inside.busy.load(Ordering::SeqCst) > 0 {
                (before, quiet) = (now, Instant::now());
            }
        }
        code
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // A test that failed leaves nothing behind.
        if let Some(id) = self.inside.child() {
            self.inside.kill(id);
        }
        if !std::thread::panicking() {
            crate::contract::clean();
        }
    }
}

impl Inside {
    /// The process that talks to it now.
    fn child(&self) -> Option<u32> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(Child::id)
    }

    /// Ends a process as no process can notice, unless another one has come after it.
    fn kill(&self, id: u32) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(child) = child.as_mut().filter(|child| child.id() == id) {
            // It may have ended by itself.
            let _ = child.kill();
            child.wait().unwrap();
        }
    }

    /// The trap, if this request springs it.
    fn sprung(&self, request: &RawRequest) -> Option<Side> {
        let mut trap = self.trap.lock().unwrap();
        let Trap { on, nth, side } = (*trap)?;
        let counts = match on {
            On::Any => true,
            On::Writes => request.method != Method::Get,
            On::Workspaces => {
                request.method == Method::Post && request.target.ends_with("/workspaces")
            }
        };
        let sprung = counts && self.seen.fetch_add(1, Ordering::SeqCst) + 1 == nth;
        if sprung { trap.take().map(|_| side) } else { None }
    }
}

async fn answer(Shared(inside): Shared<Arc<Inside>>, request: Request) -> Response {
    // A request that is read to its end is carried out, even if nobody waits for the reply.
    let Ok(request) = taken(request).await else { return Response::default() };
    inside.busy.fetch_add(1, Ordering::SeqCst);
    // The process can go away at any await, and this future with it: from here on it goes on by itself.
    let carried = tokio::spawn(async move {
        let reply = carry_out(&inside, &request).await;
        inside.busy.fetch_sub(1, Ordering::SeqCst);
        reply
    });
    let reply = carried.await.unwrap();
    whole(&reply)
}

async fn carry_out(inside: &Arc<Inside>, request: &RawRequest) -> RawResponse {
    tokio::time::sleep(inside.pace / 2).await;
    let sprung = inside.sprung(request);
    let id = inside.child().unwrap();
    match sprung {
        Some(Side::Never) => {
            inside.kill(id);
            return RawResponse { status: 500, headers: Vec::new(), body: bytes::Bytes::new() };
        }
        Some(Side::Late(by)) => {
            inside.kill(id);
            tokio::time::sleep(by).await;
        }
        Some(Side::Later(by)) => {
            let inside = inside.clone();
            // A thread, since a timer is too coarse.
            thread::spawn(move || {
                let start = Instant::now();
                while start.elapsed() < by {
                    std::hint::spin_loop();
                }
                inside.kill(id);
            });
        }
        Some(Side::Between) | None => {}
    }
    let reply = inside.sandbox.exchange(request).response;
    if matches!(sprung, Some(Side::Between)) {
        inside.kill(id);
    }
    tokio::time::sleep(inside.pace / 2).await;
    reply
}
