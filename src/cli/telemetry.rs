//! What runs have come to, for `--metrics-file`.
//!
//! Invariant: a file that is not charter's own metrics is never replaced; one that is, is replaced as a whole; and no
//! trouble with it changes how a command ends.

mod meter;

use std::{
    cell::RefCell,
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;

pub(super) use self::meter::{Meter, Metered, Requests};
use super::{
    args,
    failure::{Exit, Failure},
    replace::{Found, Place, Reader, look},
    ui::Ui,
};
use crate::{
    apply::Tally,
    config::fleet::Shard,
    plan::step::Counts,
    render::{
        clean::clean,
        metrics::{
            DRIFT, DURATION, EXIT_CODE, Family, Kind, LAST_RUN, LAST_SUCCESS, Labels, Metrics,
            PARTS, REQUESTS, STEPS,
        },
        style::{ATTENTION, paint},
    },
};

/// The ending of the files that a node exporter reads.
const ENDING: &str = "prom";

/// The largest file that is read.
const LARGEST: usize = 64 * 1024 * 1024;

/// What a command came to for one organization.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Run {
    /// The organization; empty: it did not become known.
    pub(super) organization: String,
    /// How it ended.
    pub(super) exit: Exit,
    /// When it ended.
    pub(super) at: Timestamp,
    /// How long it took.
    pub(super) took: Duration,
    /// Steps by disposition, and live objects that the files leave out; `None`: there was no plan.
    pub(super) drift: Option<(Counts, usize)>,
    /// Steps by outcome, if it applied.
    pub(super) tally: Option<Tally>,
    /// Requests by status.
    pub(super) requests: Requests,
}

/// What one command came to.
pub(super) struct Telemetry {
    command: &'static str,
    /// It is for all organizations of a fleet: those it does not name are not looked after any more.
    all: bool,
    /// It is for a part of them.
    shard: Option<Shard>,
    file: Option<PathBuf>,
    runs: RefCell<Vec<Run>>,
}

impl Telemetry {
    /// Nothing yet. A file that cannot be replaced later is refused now, and one that nobody will read is warned of.
    pub(super) fn open(
        command: &'static str,
        fleet: &args::fleet::Fleet,
        file: Option<&Path>,
        ui: &Ui,
    ) -> Result<Self, Failure> {
        if let Some(path) = file {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            if folder.is_some_and(|folder| !folder.is_dir()) {
                return Err(Failure::usage(format!(
                    "cannot write `{}`: its folder does not exist",
                    path.display()
                ))
                .help("make the folder, or give another path"));
            }
            if read(path)?.is_none() {
                return Err(foreign(path));
            }
            if path.extension().is_none_or(|ending| ending != ENDING) {
                ui.say(&format!(
                    "{}: `{}` does not end in `.{ENDING}`: a node exporter reads no other files\n",
                    paint(ATTENTION.bold(), "warning"),
                    clean(&path.display().to_string())
                ));
            }
        }
        let args::fleet::Fleet { fleet, shard } = fleet;
        Ok(Self {
            command,
            all: fleet.is_some(),
            shard: *shard,
            file: file.map(Path::to_owned),
            runs: RefCell::default(),
        })
    }

    /// Adds what became of one organization.
    pub(super) fn add(&self, run: Run) {
        self.runs.borrow_mut().push(run);
    }

    /// Writes the file, if there is to be one. `exit` is how the command ended.
    pub(super) fn end(self, exit: Exit, took: Duration, ui: &Ui) {
        let Self { command, all, shard, file: Some(path), runs } = self else { return };
        let mut runs = runs.into_inner();
        if runs.is_empty() && exit != Exit::Done {
            // It ended before it was known for whom.
            let requests = Requests::default();
            let (organization, at) = (String::new(), Timestamp::now());
            runs.push(Run { organization, exit, at, took, drift: None, tally: None, requests });
        }
        // Others may have the same file: each reads what the one before has written.
        let place = Place::hold(&path);
        let written = match read(&path) {
            Ok(Some(old)) => {
                let mut metrics = merged(old, &runs, command, all);
                record_part(&mut metrics, command, shard);
                place.put(&metrics.text(), Reader::Anybody)
            }
            Ok(None) => Err(foreign(&path)),
            Err(failure) => Err(failure),
        };
        if let Err(failure) = written {
            let path = path.display().to_string();
            ui.failure(&failure);
            ui.say(&format!("{} was not written; nothing else is wrong by that\n", clean(&path)));
        }
    }
}

fn foreign(path: &Path) -> Failure {
    Failure::usage(format!(
        "`{}` holds something else than metrics of charter, and is not replaced",
        path.display()
    ))
    .help("give `--metrics-file` a path of its own")
}

/// The metrics of a file; empty if there is none, `None` if it holds something else.
fn read(path: &Path) -> Result<Option<Metrics>, Failure> {
    match look(path)? {
        Found::Nothing => Ok(Some(Metrics::default())),
        Found::Bytes(bytes) if bytes.len() > LARGEST => Ok(None),
        Found::Bytes(bytes) => {
            Ok(String::from_utf8(bytes).ok().and_then(|text| Metrics::parse(&text)))
        }
    }
}

/// The metrics after some runs of a command. What grows goes on from where it was; what other commands left stays, and
/// so does what the same command left of other organizations, unless it ran for all of them.
fn merged(mut metrics: Metrics, runs: &[Run], command: &str, all: bool) -> Metrics {
    let ran: BTreeSet<&str> = runs.iter().map(|run| &*run.organization).collect();
    let stopped: BTreeSet<&str> =
        runs.iter().filter(|run| run.exit.is_stop()).map(|run| &*run.organization).collect();
    // If it is not known for whom it ran, nobody is taken off the list.
    let unknown = ran.contains("");
    metrics.retain(|family, labels| {
        let is = |name: &str| labels.get(name).map_or("", |value| value);
        let organization = is("organization");
        if is("command") != command {
            return true;
        }
        if ran.contains(organization) {
            // One that was stopped has not come to anything new.
            let kept = stopped.contains(organization) && family != EXIT_CODE;
            return kept || family.kind == Kind::Counter || family == LAST_SUCCESS;
        }
        if all {
            return unknown && (family.kind == Kind::Counter || family == LAST_SUCCESS);
        }
        // That nobody knew for whom it ran is over.
        !organization.is_empty()
    });
    for run in runs {
        record(&mut metrics, run, command);
    }
    metrics
}

/// Records which part of a fleet the last run of a command was for.
#[allow(clippy::cast_precision_loss, reason = "a fleet has fewer than 2^52 parts")]
fn record_part(metrics: &mut Metrics, command: &str, shard: Option<Shard>) {
    let is_old = |family: Family, labels: &Labels| {
        family == PARTS && labels.get("command").is_some_and(|of| of == command)
    };
    metrics.retain(|family, labels| !is_old(family, labels));
    if let Some(shard) = shard {
        let labels = [("command", command.to_owned()), ("part", shard.part().to_string())]
            .map(|(name, value)| (name.to_owned(), value));
        metrics.set(PARTS, labels.into(), shard.parts() as f64);
    }
}

#[allow(clippy::cast_precision_loss, reason = "metrics are floats, and no count comes near 2^52")]
fn record(metrics: &mut Metrics, run: &Run, command: &str) {
    let Run { organization, exit, at, took, drift, tally, requests } = run;
    let plain = || -> Labels {
        [("organization", &**organization), ("command", command)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    };
    let with = |name: &str, value: &str| {
        let mut labels = plain();
        labels.insert(name.to_owned(), value.to_owned());
        labels
    };
    let now = at.as_second() as f64;
    metrics.set(EXIT_CODE, plain(), f64::from(*exit as u8));
    // One that was stopped has not come to anything: the times are those of the run before.
    if !exit.is_stop() {
        metrics.set(LAST_RUN, plain(), now);
        metrics.set(DURATION, plain(), (took.as_secs_f64() * 1e3).round() / 1e3);
    }
    if matches!(exit, Exit::Done | Exit::Changes) {
        metrics.set(LAST_SUCCESS, plain(), now);
    }
    // What was to be done before an apply says nothing about afterwards.
    if let (Some((Counts { ready, deferred, manual, held }, unmanaged)), None) = (*drift, tally) {
        for (state, number) in [
            ("ready", ready),
            ("held", held),
            ("manual", manual),
            ("deferred", deferred),
            ("unmanaged", unmanaged),
        ] {
            metrics.set(DRIFT, with("state", state), number as f64);
        }
    }
    let mut count = |family: Family, name: &str, values: &[(&str, f64)]| {
        for (value, number) in values {
            metrics.add(family, with(name, value), *number);
        }
    };
    if let Some(Tally { done, partly, failed, skipped, manual, waiting, unknown, not_started }) =
        *tally
    {
        let outcomes = [
            ("done", done),
            ("partly", partly),
            ("failed", failed),
            ("skipped", skipped),
            ("manual", manual),
            ("waiting", waiting),
            ("unknown", unknown),
            ("not_started", not_started),
        ];
        count(STEPS, "outcome", &outcomes.map(|(outcome, number)| (outcome, number as f64)));
    }
    count(REQUESTS, "class", &requests.classes().map(|(class, number)| (class, number as f64)));
}

#[cfg(test)]
mod tests;
