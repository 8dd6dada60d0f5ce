//! How close a plan over HTTP comes to what the latency of the API allows, and how much memory it needs.
//!
//! Invariant: the program that is measured is the one that users run, in a process of its own; a budget that is missed
//! ends the run with an error.
//!
//! `cargo bench --bench load` prints the table. The budget of requests is tried for real, which takes over a minute.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench that cannot be set up fails, and its figures are its output"
)]

#[path = "load/bare.rs"]
mod bare;
#[allow(dead_code, reason = "the other bench needs the rest of it")]
#[path = "pipeline/organization.rs"]
mod organization;
#[path = "load/seed.rs"]
mod seed;

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    process::{Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

use organization::Size;
use orgcharter::sandbox::{Fault, Limits, Rule, Server, State};
use tokio::runtime::Runtime;

/// How much longer than the ideal a plan may take.
const OVER_IDEAL: f64 = 1.15;
/// How much longer than the budget of requests allows.
const OVER_BUDGET: f64 = 1.05;
/// What a plan may need at its peak, in MB.
const MEMORY: u64 = 150;
/// Latencies of the server.
const LATENCIES: [u64; 3] = [0, 50, 200];
/// Runs of each, of which the middle one counts.
const RUNS: usize = 3;

/// One run of the program.
struct Ran {
    wall: Duration,
    /// The peak of its resident memory, in MB.
    peak: u64,
}

fn main() -> ExitCode {
    // `cargo bench` gives arguments that only criterion understands; `--list` asks for nothing to run.
    if std::env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let folder = tempfile::tempdir().expect("a folder");
    organization::write(Size::LARGE, folder.path()).expect("written files");
    let state = State::from_yaml(&seed::seed(Size::LARGE)).expect("a seed");
    let runtime = Runtime::new().expect("a runtime");

    let server = runtime.block_on(start(state.clone(), None, 0));
    let bare = runtime.block_on(bare::read(&server.base_url()));
    let own = middle((0..RUNS).map(|_| {
        let began = Instant::now();
        runtime.block_on(bare::read(&server.base_url()));
        began.elapsed()
    }));
    runtime.block_on(server.stop());

    let Size { people, workspaces, grants, keys, .. } = Size::LARGE;
    println!("{people} people, {workspaces} workspaces x {grants} grants, {keys} keys");
    println!(
        "{} requests, the longest chain has {}; the server and the connection alone need {} ms\n",
        bare.requests,
        bare.chain,
        own.as_millis()
    );
    println!("{:>10} {:>9} {:>9} {:>7} {:>7}", "latency", "ideal", "plan", "ratio", "peak");
    let mut kept = true;
    for latency in LATENCIES {
        let server = runtime.block_on(start(state.clone(), None, latency));
        let mut ran: Vec<Ran> =
            (0..RUNS).map(|_| plan(folder.path(), &server.base_url(), 100_000)).collect();
        runtime.block_on(server.stop());
        ran.sort_by_key(|ran| ran.wall);
        let Ran { wall, .. } = ran[RUNS / 2];
        let peak = ran.iter().map(|ran| ran.peak).max().unwrap_or_default();
        let ideal = own + Duration::from_millis(latency) * bare.chain;
        let ratio = wall.as_secs_f64() / ideal.as_secs_f64();
        let fits = ratio <= OVER_IDEAL && peak <= MEMORY;
        kept &= fits;
        println!(
            "{:>10} {:>9} {:>9} {ratio:>7.2} {:>7}  {}",
            format!("{latency} ms"),
            format!("{} ms", ideal.as_millis()),
            format!("{} ms", wall.as_millis()),
            format!("{peak} MB"),
            if fits { "kept" } else { "MISSED" }
        );
    }

    // The server counts as the API does, and refuses what is over it.
    let server = runtime.block_on(start(state, Some(100), 0));
    let Ran { wall, .. } = plan(folder.path(), &server.base_url(), 90);
    let sandbox = runtime.block_on(server.stop());
    let refused = sandbox.log().entries().iter().filter(|entry| entry.status == 429).count();
    let minutes = (bare.requests.max(1) - 1) / 90;
    let allowed = Duration::from_mins(u64::from(minutes)) + own;
    let ratio = wall.as_secs_f64() / allowed.as_secs_f64();
    let fits = ratio <= OVER_BUDGET && refused == 0;
    kept &= fits;
    println!(
        "\nat 90 requests a minute: {} s where the budget allows {} s, ratio {ratio:.2}, {refused} refused  {}",
        wall.as_secs(),
        allowed.as_secs(),
        if fits { "kept" } else { "MISSED" }
    );
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn middle(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<Duration> = times.collect();
    times.sort();
    times[times.len() / 2]
}

async fn start(mut state: State, requests_per_minute: Option<usize>, latency: u64) -> Server {
    state.limits = Limits { workspaces: 1_000, requests_per_minute, ..Limits::default() };
    if latency > 0 {
        let slow = Rule::new("* /**", Fault::LatencyMs(latency));
        state.faults.add(slow).expect("a rule");
    }
    Server::start(state, SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a server")
}

/// Runs `charter plan`, and looks at its memory until it ends.
fn plan(folder: &Path, url: &str, requests_per_minute: u32) -> Ran {
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_charter"))
        .args(["plan", "--format", "json", "--base-url", url, "--requests-per-minute"])
        .arg(requests_per_minute.to_string())
        .arg(folder)
        .env_clear()
        .env("ANTHROPIC_ADMIN_KEY", bare::KEY)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let code = loop {
        if let Some(code) = child.try_wait().expect("a child") {
            break code;
        }
        peak = peak.max(peak_of(&status).unwrap_or_default());
        assert!(began.elapsed() < Duration::from_mins(5), "the plan does not end");
        thread::sleep(Duration::from_millis(3));
    };
    let wall = began.elapsed();
    assert_eq!(code.code(), Some(0), "the plan failed");
    Ran { wall, peak }
}

fn peak_of(status: &str) -> Option<u64> {
    let status = fs::read_to_string(status).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes / 1000)
}
