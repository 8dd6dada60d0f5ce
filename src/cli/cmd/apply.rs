//! `charter apply`: makes or reads a plan, asks, and carries it out.
//!
//! Invariant: nothing is written before the plan was shown, judged by its guards and confirmed.

mod resume;
mod source;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    pin::pin,
};

use jiff::Timestamp;

use self::{
    resume::Resumed,
    source::{Asked, Source},
};
use super::plan::refused;
use crate::{
    address::Address,
    apply::{
        self, Ended, Hands, Journal, Options, Outcome, Progress as _, Report, Stop, Tally,
        journal::DoneBefore,
    },
    cli::{
        approval::{SKEW, acknowledged},
        args::{Apply, DEFAULT_PATH, Global, review::Approve},
        connect::Connection,
        failure::{Exit, Failure},
        fleet::{Fleet, Reached},
        format::ReviewFormat,
        prepare::Choices,
        printer::Printer,
        progress::Shown,
        revision,
        session::Session,
        signals::Signals,
        target::Target,
        ui::Ui,
    },
    plan::{
        Plan, Step,
        step::{Counts, Organization},
    },
    render::{
        clean::clean,
        junit::Fails,
        layout::line,
        outcome::outcome,
        style::{BOLD, REMOVE, paint},
        text::{Done, totals},
    },
    resource::Verb,
};

pub(in crate::cli) async fn run(args: &Apply, global: &Global, ui: &Ui) -> Result<Exit, Failure> {
    if !args.yes && !ui.interactive {
        return Err(Failure::usage("there is no terminal to ask whether to go on")
            .help("look at the plan first (`charter plan`), then run `charter apply --yes`"));
    }
    let single = [
        ("--allow", !args.narrow.allow.is_empty()),
        ("--base-path", args.against.base_path.is_some()),
        ("--resume", args.resume.is_some()),
    ];
    let session = Session::begin("apply", args.telemetry.metrics_file.as_deref(), global, ui)?;
    let fleet = Fleet::read(&args.fleet, "apply", ReviewFormat::Text, false, &single);
    let ended = match fleet {
        Err(failure) => Err(failure),
        Ok(None) => Box::pin(alone(args, &session)).await,
        Ok(Some(fleet)) => Box::pin(all(args, &fleet, &session)).await,
    };
    session.end(ended)
}

async fn alone(args: &Apply, session: &Session<'_>) -> Result<Exit, Failure> {
    let path = args.path.as_deref().unwrap_or(Path::new(DEFAULT_PATH));
    let target = Target::alone(path, session);
    let work = async {
        let prepared = Box::pin(prepare(args, &target)).await?;
        let Some(prepared) = prepared else { return Ok(Exit::Done) };
        if !args.yes {
            confirm(&[&prepared.plan], session.ui)?;
        }
        let (mut signals, stop) = (Signals::listen()?, Stop::new());
        signals.heed(&stop, || {}, Box::pin(finish(args, &target, prepared, &stop))).await
    };
    target.whole(Box::pin(work)).await
}

/// The same for a fleet: with `--yes` one organization does not wait for another, else all wait for one answer.
async fn all(args: &Apply, fleet: &Fleet, session: &Session<'_>) -> Result<Exit, Failure> {
    let ui = session.ui;
    let (mut shown, stop) = (fleet.shown(ui), Stop::new());
    let parts = fleet.parts(session);
    let finish = async |target: &Target<'_>, prepared| {
        Box::pin(finish(args, target, prepared, &stop)).await.map(Reached::<()>::End)
    };
    let stopping =
        || ui.say("stopping: the calls in flight finish, no other organization is begun\n");
    if args.yes {
        let whole = async |target: &Target<'_>, ()| {
            let prepared = tokio::select! {
                // A stop that came before is seen first.
                biased;
                () = stop.asked() => return Err(not_begun()),
                prepared = Box::pin(prepare(args, target)) => prepared?,
            };
            match prepared {
                None => Ok(Reached::End(Exit::Done)),
                Some(prepared) => finish(target, prepared).await,
            }
        };
        let mut signals = Signals::listen()?;
        signals.heed(&stop, stopping, shown.all(parts, whole)).await;
        return shown.end();
    }
    let first = async |target: &Target<'_>, ()| {
        let prepared = Box::pin(prepare(args, target)).await?;
        Ok(prepared.map_or(Reached::End(Exit::Done), Reached::Pause))
    };
    let parts = shown.all(parts, first).await;
    if !parts.is_empty() {
        let plans: Vec<&Plan> = parts.iter().map(|part| &part.so_far.plan).collect();
        if let Err(failure) = confirm(&plans, ui) {
            for part in &parts {
                part.ended(failure.exit());
            }
            return Err(failure);
        }
        let mut signals = Signals::listen()?;
        signals.heed(&stop, stopping, shown.all(parts, finish)).await;
    }
    shown.end()
}

fn not_begun() -> Failure {
    Failure::new(Exit::Partly, "stopped before it was begun: nothing was changed")
        .help("run again to go on")
}

/// A plan that was shown, and that nothing refuses.
struct Prepared {
    asked: Asked,
    source: Source,
    resumed: Option<Resumed>,
    done: Vec<DoneBefore>,
    connection: Connection,
    plan: Plan,
}

/// Makes or reads a plan, shows it, and judges it; `None`: there is nothing to do.
async fn prepare(args: &Apply, target: &Target<'_>) -> Result<Option<Prepared>, Failure> {
    let Apply { path, narrow, against, approve, verify, resume, .. } = args;
    let ui = &target.ui;
    let mut resumed = resume.as_deref().map(Resumed::read).transpose()?;
    let asked = match &resumed {
        None => Asked::new(target.path, narrow, against),
        Some(resumed) => resumed.asked(path.as_deref(), narrow)?,
    };
    let source = Source::read(&asked, &|| target.connect_ahead())?;
    if let Some(resumed) = &resumed {
        resumed.check(&source, &asked)?;
    }
    let given = approvals(approve, &asked.path, &source)?;
    if let (true, Source::Saved(_)) = (*verify, &source) {
        return Err(Failure::usage(
            "a saved plan cannot be verified: only the files say what is wanted",
        )
        .help("leave `--verify` out, and run `charter plan` on the files afterwards"));
    }
    let connection = target.connect(&source.organization()).await?;
    let done = match &mut resumed {
        None => Vec::new(),
        Some(resumed) => resumed.look(&connection, &source.organization(), ui).await?,
    };
    let (plan, sources) = source.plan(&connection, &asked.choices, &done).await?;
    check_clock(&connection)?;
    target.planned(&plan);
    Printer::plain("apply").plan(&plan, sources, &Fails::default(), ui)?;
    refused(&plan, &asked.choices)?;
    if plan.is_empty() {
        target.applied(Tally::default());
        return Ok(None);
    }
    if !connection.is_sandbox {
        acknowledged(&plan, &given)?;
    }
    Ok(Some(Prepared { asked, source, resumed, done, connection, plan }))
}

/// Carries a plan out, and says what became of it.
async fn finish(
    args: &Apply,
    target: &Target<'_>,
    prepared: Prepared,
    stop: &Stop,
) -> Result<Exit, Failure> {
    let Prepared { asked, source, resumed, done, connection, plan } = prepared;
    let ui = &target.ui;
    let path = journal_path(args.journal.as_deref(), &asked.path, target, &connection);
    let journal = match &path {
        None => Journal::none(),
        Some(path) => open(path, &source, &asked, &plan, resumed.as_ref(), done)?,
    };
    let report = carry_out(&plan, &connection, journal, stop, ui).await;
    target.applied(report.tally());
    ui.data(&format!("\n{}", outcome(&plan, &report, ui.width)))?;
    if let Some(path) = path {
        ui.say(&format!("journal: {}\n", clean(&path.display().to_string())));
    }
    let mut exit = match report.ended() {
        Ended::Complete => Exit::Done,
        Ended::Partly => Exit::Partly,
        Ended::Failed => Exit::Failed,
    };
    // A saved plan knows nothing of the files it came from, and after a stop everybody knows that something is left.
    let again = (args.verify || connection.is_sandbox) && !report.stopped;
    if let (true, Source::Files(..)) = (again, &source) {
        let narrowed =
            Choices { only: asked.choices.only, after_a_run: true, ..Choices::default() };
        let (left, _) = tokio::select! {
            planned = source.plan(&connection, &narrowed, &[]) => planned?,
            () = stop.asked() => return Err(unverified()),
        };
        // What only a person can do is no failure, also where only trying it showed that.
        let by_hand: BTreeSet<(&Address, Verb)> = report
            .steps
            .iter()
            .filter(|step| matches!(step.outcome, Outcome::Manual { .. }))
            .map(|step| (&step.address, step.verb))
            .collect();
        let tried = |step: &&Step| by_hand.contains(&(&step.address, step.change.verb()));
        let tried = left.ready().filter(tried).count();
        let counts = left.counts();
        let counts =
            Counts { ready: counts.ready - tried, manual: counts.manual + tried, ..counts };
        ui.data(&remainder(counts))?;
        if exit == Exit::Done && counts.ready > 0 {
            exit = Exit::Partly;
        }
    }
    Ok(exit)
}

/// What stands in for somebody who says yes to certain steps, after the commit was judged.
fn approvals(approve: &Approve, path: &Path, source: &Source) -> Result<Vec<String>, Failure> {
    let Approve { ack, ack_from_commit, require_tip } = approve;
    if let Some(tip) = require_tip {
        let document = match source {
            Source::Files(files, _) => Some(files.document()),
            Source::Saved(_) => None,
        };
        revision::require_tip(tip, path, document)?;
    }
    let mut given = ack.clone();
    if let Some(rev) = ack_from_commit {
        given.extend(revision::acknowledged_by(rev, path)?);
    }
    Ok(given)
}

/// Dates are judged by our clock, so it must be right.
fn check_clock(connection: &Connection) -> Result<(), Failure> {
    match connection.client.reader().clock_skew() {
        Some(skew) if skew.abs() > SKEW => {
            let way = if skew.is_positive() { "ahead of" } else { "behind" };
            let minutes = skew.abs().as_mins();
            Err(Failure::refused(format!(
                "this machine's clock is {minutes} minutes {way} the server's, so `until` dates cannot be trusted"
            ))
            .help("set the clock, and run again"))
        }
        _ => Ok(()),
    }
}

/// Asks for a typed `yes`, one for all.
fn confirm(plans: &[&Plan], ui: &Ui) -> Result<(), Failure> {
    let mut question = String::new();
    for plan in plans {
        let Done { lines, irreversible } = totals(plan);
        let Organization { id, name, .. } = &plan.organization;
        let name = name.as_ref().map(|name| format!("{} ", clean(name))).unwrap_or_default();
        let lead = paint(BOLD, "this will be done");
        question.push_str(&format!("\n{lead} in {name}{}:\n", clean(id)));
        question.extend(lines.iter().map(|text| line(2, text)));
        if !irreversible.is_empty() {
            question.push_str(&line(0, &paint(REMOVE.bold(), "of which cannot be undone:")));
            question.extend(irreversible.iter().map(|text| line(2, text)));
        }
    }
    question.push_str("type `yes` to go on: ");
    match ui.ask(&question)?.as_deref() {
        Some("yes") => Ok(()),
        _ => Err(Failure::refused("not confirmed: nothing was changed")),
    }
}

/// Where the journal goes; `None`: nowhere. Of a fleet each organization has its own.
fn journal_path(
    asked: Option<&Path>,
    files: &Path,
    target: &Target<'_>,
    connection: &Connection,
) -> Option<PathBuf> {
    let time = Timestamp::now().strftime("%Y%m%dT%H%M%S%3fZ");
    match (asked, target.organization()) {
        (Some(path), None) => Some(path.to_owned()),
        (Some(folder), Some(organization)) => {
            Some(folder.join(format!("charter-journal-{}-{time}.jsonl", organization.id)))
        }
        // Its organization is gone when the command ends.
        (None, _) if connection.is_sandbox => None,
        (None, _) => {
            let beside = files.parent().unwrap_or(Path::new(""));
            let folder = if files.is_dir() { files } else { beside };
            Some(folder.join(format!("charter-journal-{time}.jsonl")))
        }
    }
}

/// Makes the journal, which tells what is applied.
fn open(
    path: &Path,
    source: &Source,
    asked: &Asked,
    plan: &Plan,
    resumed: Option<&Resumed>,
    done: Vec<DoneBefore>,
) -> Result<Journal, Failure> {
    let mut origin = source.origin(asked, plan)?;
    origin.resumes = resumed.map(Resumed::path);
    if let Source::Saved(_) = source {
        // Whoever resumes this run has to know too. Files are planned anew, and need no memory.
        origin.done = done;
    }
    let journal = Journal::create(path)
        .map_err(|error| Failure::usage(error.to_string()).help(error.next_step()))?;
    Ok(journal.of(origin))
}

/// Runs the plan; after the first request to stop what is in flight finishes, after the second nothing is waited for.
async fn carry_out(
    plan: &Plan,
    connection: &Connection,
    journal: Journal,
    stop: &Stop,
    ui: &Ui,
) -> Report {
    let hands = Hands::new(&connection.client, connection.clock.clone());
    let shown = Shown::new(ui);
    let mut running = pin!(apply::run(plan, &hands, journal, &shown, stop, Options::default()));
    let mut asked = pin!(async {
        stop.asked().await;
        shown.line(
            "stopping: the calls in flight finish, nothing else is begun; once more stops at once",
        );
        stop.left().await;
        shown.line("stopping at once: what became of the calls in flight is unknown");
        std::future::pending().await
    });
    let report = tokio::select! {
        // What is asked for is told before it has its effect.
        biased;
        report = &mut asked => report,
        report = &mut running => report,
    };
    shown.end();
    report
}

fn unverified() -> Failure {
    Failure::new(Exit::Partly, "stopped before anybody looked whether something is left")
        .help("run `charter plan`: it shows what is left")
}

/// What a plan made afterwards says.
fn remainder(counts: Counts) -> String {
    let rest: Vec<String> = [
        (counts.ready, "still to do"),
        (counts.held, "held"),
        (counts.manual, "by hand"),
        (counts.deferred, "deferred"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, words)| format!("{number} {words}"))
    .collect();
    let text = match (counts.ready == 0, rest.is_empty()) {
        (true, true) => "nothing is left".to_owned(),
        (true, false) => format!("nothing is left to apply; {}", rest.join(", ")),
        (false, _) => rest.join(", "),
    };
    format!("{} {text}\n", paint(BOLD, "planned once more:"))
}
