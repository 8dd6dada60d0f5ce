//! `charter apply`: makes or reads a plan, asks, and carries it out.
//!
//! Invariant: nothing is written before the plan was shown, judged by its guards and confirmed.

mod mark;
mod question;
mod resume;
mod source;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    pin::pin,
};

use self::{
    mark::Mark,
    question::confirm,
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
        Shell,
        approval::acknowledged,
        args::{Apply, DEFAULT_PATH, review::Approve},
        connect::Connection,
        failure::{Exit, Failure},
        fleet::{Fleet, Reached},
        format::ReviewFormat,
        journals,
        lock::Lock,
        prepare::Choices,
        printer::Printer,
        progress::{Shown, takes},
        revision::{self, Judged},
        session::Session,
        signals::Signals,
        skew,
        target::Target,
        trailers::{Given, allowed_by},
        ui::Ui,
    },
    plan::{Plan, Step, step::Counts},
    render::{clean::clean, junit::Fails, outcome::outcome},
    resource::Verb,
};

pub(in crate::cli) async fn run(args: &Apply, shell: Shell<'_>) -> Result<Exit, Failure> {
    let ui = shell.ui;
    if !args.yes && !ui.interactive {
        return Err(Failure::usage("there is no terminal to ask whether to go on")
            .help("look at the plan first (`charter plan`), then run `charter apply --yes`"));
    }
    let single = [
        ("--allow", !args.narrow.allow.is_empty()),
        ("--base-path", args.against.base_path.is_some()),
        ("--rev", args.what.rev.is_some()),
        ("--last-applied", args.applied.last_applied.is_some()),
        ("--resume", args.resume.is_some()),
    ];
    let session =
        Session::begin("apply", &args.fleet, args.telemetry.metrics_file.as_deref(), shell)?;
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
    let (target, signals) = (Target::alone(path, session), session.signals);
    let work = async {
        let prepared = signals.unless_stopped(Box::pin(prepare(args, &target))).await?;
        let Some(prepared) = prepared else { return Ok(Exit::Done) };
        if !args.yes {
            let takes = takes(&prepared.plan, &prepared.connection.client);
            confirm(&[(&prepared.plan, takes)], session).await?;
        }
        Box::pin(finish(args, &target, prepared, signals)).await
    };
    target.whole(Box::pin(work)).await
}

/// The same for a fleet: with `--yes` one organization does not wait for another, else all wait for one answer.
async fn all(args: &Apply, fleet: &Fleet, session: &Session<'_>) -> Result<Exit, Failure> {
    let (ui, signals) = (session.ui, session.signals);
    let mut shown = fleet.shown(session);
    let parts = fleet.parts(session);
    let finish = async |target: &Target<'_>, prepared| {
        Box::pin(finish(args, target, prepared, signals)).await.map(Reached::<()>::End)
    };
    let first = async |target: &Target<'_>, ()| {
        let prepared = signals.unless_stopped(Box::pin(prepare(args, target))).await?;
        Ok::<_, Failure>(prepared.map_or(Reached::End(Exit::Done), Reached::Pause))
    };
    let paused = async |target: &Target<'_>, ()| {
        let reached = first(target, ()).await?;
        Ok(match reached {
            Reached::Pause(prepared) => {
                // It waits for all others and for an answer, and there may be more organizations than open files.
                prepared.connection.client.rest();
                Reached::Pause(Prepared { lock: None, ..prepared })
            }
            Reached::End(end) => Reached::End(end),
        })
    };
    let stopping =
        || ui.say("stopping: the calls in flight finish, no other organization is begun\n");
    if args.yes {
        let whole = async |target: &Target<'_>, ()| match first(target, ()).await? {
            Reached::End(exit) => Ok(Reached::End(exit)),
            Reached::Pause(prepared) => finish(target, prepared).await,
        };
        signals.saying(stopping, shown.all(parts, whole)).await;
        return shown.end();
    }
    let parts = signals.saying(stopping, shown.all(parts, paused)).await;
    if !parts.is_empty() && !signals.stop().requested() {
        let plans: Vec<_> = parts
            .iter()
            .map(|part| &part.so_far)
            .map(|Prepared { plan, connection, .. }| (plan, takes(plan, &connection.client)))
            .collect();
        match confirm(&plans, session).await {
            Ok(()) => {
                signals.saying(stopping, shown.all(parts, finish)).await;
            }
            Err(failure) if failure.exit().is_stop() => {
                shown.not_begun(parts);
                ui.failure(&failure);
            }
            Err(failure) => {
                for part in &parts {
                    part.ended(failure.exit());
                }
                return Err(failure);
            }
        }
    } else {
        shown.not_begun(parts);
    }
    shown.end()
}

/// A plan that was shown, and that nothing refuses.
struct Prepared {
    asked: Asked,
    source: Source,
    resumed: Option<Resumed>,
    done: Vec<DoneBefore>,
    connection: Connection,
    plan: Plan,
    mark: Option<Mark>,
    /// `None`: it was given back while others are waited for.
    lock: Option<Lock>,
}

/// Makes or reads a plan, shows it, and judges it; `None`: there is nothing to do.
async fn prepare(args: &Apply, target: &Target<'_>) -> Result<Option<Prepared>, Failure> {
    let Apply { path, narrow, approve, verify, .. } = args;
    let ui = &target.ui;
    let mut resumed = match &args.resume {
        None => None,
        // Without a journal it is the newest one of the organization that the files or the plan are for.
        Some(journal) if journal.as_os_str().is_empty() => {
            let asked = Asked::new(target.path, args, false).found()?;
            let source = Source::read(&asked, &|| ())?;
            let newest = journals::newest(&source.organization(), target.path)?;
            ui.say(&format!("going on from {}\n", clean(&newest.display().to_string())));
            Some(Resumed::read(&newest)?)
        }
        Some(journal) => Some(Resumed::read(journal)?),
    };
    let asked = match &resumed {
        None => Asked::new(target.path, args, target.organization().is_some()),
        Some(resumed) => resumed.asked(path.as_deref(), narrow, &args.applied)?,
    };
    // What a journal does not fit is refused before anything is asked.
    let ahead = || {
        if resumed.is_none() {
            target.connect_ahead();
        }
    };
    let source = Source::read(&asked, &ahead)?;
    if let Some(resumed) = &resumed {
        resumed.check(&source, &asked)?;
    }
    let given = approvals(approve, &asked, &source)?;
    let carried = match (&approve.ack_from_commit, source.revision()) {
        (Some(rev), Some(revision)) => allowed_by(rev, &revision.commit, source.place(&asked))?,
        _ => BTreeMap::new(),
    };
    let mark = Mark::read(&asked, &source, carried, resumed.is_some(), ui)?;
    if let (true, Source::Saved(_)) = (*verify, &source) {
        return Err(Failure::usage(
            "a saved plan cannot be verified: only the files say what is wanted",
        )
        .help("leave `--verify` out, and run `charter plan` on the files afterwards"));
    }
    let organization = source.organization();
    let lock = organization.id.as_deref().map(|id| target.lock(id)).transpose()?;
    let connection = target.connect(&organization).await?;
    let done = match &mut resumed {
        None => Vec::new(),
        Some(resumed) => resumed.look(&connection, &organization, ui).await?,
    };
    let (plan, sources) = source.plan(&connection, &asked.choices, &done).await?;
    skew::refuse(&connection)?;
    target.planned(&plan);
    let printer = Printer::plain("apply");
    if let Source::Files(files, _) = &source {
        printer.learn_files(files);
    }
    printer.plan(&plan, sources, &Fails::default(), target)?;
    refused(&plan, &asked.choices, target)?;
    if plan.is_empty() {
        target.applied(Tally::default());
        if let Some(mark) = &mark {
            mark.move_on(&plan, Exit::Done, connection.is_sandbox, ui)?;
        }
        return Ok(None);
    }
    if !connection.is_sandbox {
        acknowledged(&plan, &given)?;
    }
    if args.yes
        && let Some(time) = takes(&plan, &connection.client)
    {
        ui.say(&format!("applying takes about {time}\n"));
    }
    Ok(Some(Prepared { asked, source, resumed, done, connection, plan, mark, lock }))
}

/// Carries a plan out, and says what became of it.
async fn finish(
    args: &Apply,
    target: &Target<'_>,
    prepared: Prepared,
    signals: &Signals,
) -> Result<Exit, Failure> {
    let Prepared { asked, source, resumed, done, connection, plan, mark, lock } = prepared;
    let _lock = match lock {
        Some(lock) => lock,
        None => target.lock(&plan.organization.id)?,
    };
    if let Some(mark) = &mark {
        // Others may have applied something while somebody thought about the answer.
        mark.still_holds()?;
    }
    let (ui, stop) = (&target.ui, signals.stop());
    let mut origin = source.origin(&asked, &plan)?;
    origin.resumes = resumed.as_ref().map(Resumed::path);
    if let Source::Saved(_) = &source {
        // Whoever resumes this run has to know too. Files are planned anew, and need no memory.
        origin.done = done;
    }
    signals.begin_steps()?;
    let place = journals::Place {
        asked: args.journal.as_deref(),
        several: target.organization().is_some(),
        kept: !connection.is_sandbox,
        resumes: resumed.is_some(),
        files: &asked.path,
    };
    let journal = place.open(&plan.organization.id, ui)?.of(origin);
    let resume = journal.path().map(|path| question::resume_command(path, target));
    target.tells_waits(false);
    let report = carry_out(&plan, &connection, journal, stop, ui).await;
    target.tells_waits(true);
    target.applied(report.tally());
    ui.data(&format!("\n{}", outcome(&plan, &report, ui.width)))?;
    if report.stopped && report.steps.iter().all(|step| step.outcome == Outcome::NotStarted) {
        return Err(signals.stopped());
    }
    let mut exit = match report.ended() {
        Ended::Complete => Exit::Done,
        Ended::Partly => Exit::Partly,
        Ended::Failed => Exit::Failed,
    };
    // A saved plan knows nothing of the files it came from, and after a stop everybody knows that something is left.
    let again = (args.verify || connection.is_sandbox) && !report.stopped;
    if let (true, Some(command)) = (report.stopped, resume) {
        ui.say(&command);
    }
    if let (true, Source::Files(..)) = (again, &source) {
        let narrowed =
            Choices { only: asked.choices.only, after_a_run: true, ..Choices::default() };
        let planned = tokio::select! {
            planned = source.plan(&connection, &narrowed, &[]) => Some(planned?),
            () = stop.asked() => None,
        };
        match planned {
            Some((left, _)) => {
                let counts = left_to_do(&left, &report);
                ui.data(&question::remainder(counts))?;
                if exit == Exit::Done && counts.ready > 0 {
                    exit = Exit::Partly;
                }
            }
            // What the steps came to is known, and stays the exit code.
            None => ui.say(question::UNVERIFIED),
        }
    }
    if let Some(mark) = &mark {
        mark.move_on(&plan, exit, connection.is_sandbox, ui)?;
    }
    Ok(exit)
}

/// Counts what a plan made after a run still has to do. What only a person can do is no failure, also where only trying it
/// showed that.
fn left_to_do(left: &Plan, report: &Report) -> Counts {
    let by_hand: BTreeSet<(&Address, Verb)> = report
        .steps
        .iter()
        .filter(|step| matches!(step.outcome, Outcome::Manual { .. }))
        .map(|step| (&step.address, step.verb))
        .collect();
    let tried = |step: &&Step| by_hand.contains(&(&step.address, step.change.verb()));
    let tried = left.ready().filter(tried).count();
    let counts = left.counts();
    Counts { ready: counts.ready - tried, manual: counts.manual + tried, ..counts }
}

/// What stands in for somebody who says yes to certain steps, after the commit was judged.
fn approvals(approve: &Approve, asked: &Asked, source: &Source) -> Result<Given, Failure> {
    let Approve { ack, ack_from_commit, require_tip } = approve;
    let place = source.place(asked);
    if let Some(tip) = require_tip {
        let judged = match source {
            Source::Files(files, _) => match &asked.rev {
                Some(rev) => Judged::Commit(rev),
                None => Judged::Files(files.document()),
            },
            Source::Saved(plan) => {
                let commit = plan.revision.as_ref().map(|revision| &*revision.commit);
                Judged::Commit(commit.unwrap_or("HEAD"))
            }
        };
        revision::require_tip(tip, place, judged)?;
    }
    let mut given = Given::from(ack.clone());
    if let Some(rev) = ack_from_commit {
        given.add_from_commit(rev, place)?;
    }
    Ok(given)
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
    let shown = Shown::new(ui, plan);
    let running = apply::run(plan, &hands, journal, &shown, stop, Options::default());
    let mut running = pin!(shown.watch(&connection.client, running));
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
