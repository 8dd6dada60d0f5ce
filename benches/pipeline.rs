//! How long the way from files to a plan takes for a large organization, and how much memory it needs.
//!
//! Invariant: a budget that is missed ends the run with an error, so a slow change is noticed.
//!
//! `cargo bench --bench pipeline` measures and judges; with `-- --quick` criterion looks less closely.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench that cannot be set up fails, and its figures are its output"
)]

#[path = "pipeline/organization.rs"]
mod organization;

use std::{
    collections::BTreeMap,
    env, fs,
    path::Path,
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use criterion::Criterion;
use jiff::{Timestamp, tz::TimeZone};
use organization::Size;
use orgcharter::{
    config::{
        load::{Loaded, load},
        lower::lower,
    },
    plan::{self, Plan, step::Observed},
    resource::Live,
};

// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What loading may cost.
const LOAD: Duration = Duration::from_millis(600);
/// What everything from the loaded document to the plan may cost.
const PASSES: Duration = Duration::from_millis(250);
/// What all of it may need at its peak.
const MEMORY: u64 = 200;
/// How much more ten times the people may cost.
const TENFOLD: f64 = 12.0;
/// With this argument and a folder, the program runs once and says how much memory it needed.
const PEAK: &str = "--peak-of";

fn read(folder: &Path) -> Loaded {
    load(folder).unwrap_or_else(|rejected| panic!("{:?}", rejected.diagnostics.first()))
}

/// From the loaded document to the plan.
fn passes(loaded: &Loaded, live: &Live, now: Timestamp) -> Plan {
    let (desired, notes) = lower(&loaded.document, now.to_zoned(TimeZone::UTC).date());
    plan::make(plan::Input {
        desired: &desired,
        live,
        now,
        notes,
        observed: Observed::default(),
        only: &[],
        allow: &BTreeMap::new(),
        asked: &|_| false,
        applied: None,
    })
}

/// The peak of this process's resident memory, in MB.
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes / 1000)
}

/// The middle of some runs.
fn median<T>(runs: usize, mut run: impl FnMut() -> T) -> Duration {
    let mut times: Vec<Duration> = (0..runs)
        .map(|_| {
            let began = Instant::now();
            let made = run();
            let took = began.elapsed();
            drop(made);
            took
        })
        .collect();
    times.sort();
    times[runs / 2]
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().collect();
    let now = Timestamp::now();
    if let Some(at) = arguments.iter().position(|argument| argument == PEAK) {
        let loaded = read(Path::new(&arguments[at + 1]));
        let plan = passes(&loaded, &organization::live(Size::LARGE), now);
        println!("{} {}", plan.counts().ready, peak().unwrap_or_default());
        return ExitCode::SUCCESS;
    }

    let large = tempfile::tempdir().expect("a folder");
    organization::write(Size::LARGE, large.path()).expect("written files");
    let tenfold = tempfile::tempdir().expect("a folder");
    organization::write(Size::LARGE.times(10), tenfold.path()).expect("written files");

    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    let loaded = read(large.path());
    let live = organization::live(Size::LARGE);
    criterion.bench_function("load", |bencher| bencher.iter_with_large_drop(|| read(large.path())));
    criterion.bench_function("lower to schedule", |bencher| {
        bencher.iter_with_large_drop(|| passes(&loaded, &live, now));
    });
    criterion.final_summary();

    // Whoever looks for where the time goes wants nothing else to run.
    if arguments.iter().any(|argument| matches!(argument.as_str(), "--profile-time" | "--list")) {
        return ExitCode::SUCCESS;
    }
    let judged = judge(large.path(), tenfold.path(), &loaded, &live, now);
    if judged { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints each figure with its budget; whether all are kept.
fn judge(large: &Path, tenfold: &Path, loaded: &Loaded, live: &Live, now: Timestamp) -> bool {
    let load_time = median(11, || read(large));
    let pass_time = median(11, || passes(loaded, live, now));
    let (ten_loaded, ten_live) = (read(tenfold), organization::live(Size::LARGE.times(10)));
    let ten_load_time = median(3, || read(tenfold));
    let ten_pass_time = median(3, || passes(&ten_loaded, &ten_live, now));
    let ratio = |ten: Duration, one: Duration| ten.as_secs_f64() / one.as_secs_f64();

    let child = Command::new(env::current_exe().expect("this program"))
        .arg(PEAK)
        .arg(large)
        .output()
        .expect("a second run");
    let said = String::from_utf8_lossy(&child.stdout).into_owned();
    let mut words = said.split_whitespace();
    let ready: usize = words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
    let memory: u64 = words.next().and_then(|word| word.parse().ok()).unwrap_or(u64::MAX);

    let Size { people, workspaces, grants, keys, files } = Size::LARGE;
    println!(
        "\n{people} people, {workspaces} workspaces x {grants} grants, {keys} keys, {files} files; {ready} steps ready"
    );
    let mut kept = true;
    let mut line = |what: &str, figure: String, budget: String, fits: bool| {
        kept &= fits;
        let verdict = if fits { "kept" } else { "MISSED" };
        println!("{what:<36} {figure:>9}  budget {budget:>7}  {verdict}");
    };
    let ms = |time: Duration| format!("{} ms", time.as_millis());
    line("load", ms(load_time), ms(LOAD), load_time <= LOAD);
    line("lower, bind, adopt, diff, schedule", ms(pass_time), ms(PASSES), pass_time <= PASSES);
    line("peak memory", format!("{memory} MB"), format!("{MEMORY} MB"), memory <= MEMORY);
    for (what, ratio) in [
        ("load, ten times the people", ratio(ten_load_time, load_time)),
        ("passes, ten times the people", ratio(ten_pass_time, pass_time)),
    ] {
        line(what, format!("x {ratio:.1}"), format!("x {TENFOLD}"), ratio <= TENFOLD);
    }
    kept
}
