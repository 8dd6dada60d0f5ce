//! `charter apply`: makes or reads a plan, asks, and carries it out.
//!
//! Invariant: nothing is written before the plan was shown, judged by its guards and confirmed.

mod resume;
mod source;

use std::{
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
    apply::{
        self, Ended, Hands, Journal, Options, Progress as _, Report, Stop, journal::DoneBefore,
    },
    cli::{
        approval::{SKEW, acknowledged},
        args::{Apply, Global, review::Approve},
        connect::Connection,
        failure::{Exit, Failure},
        prepare::Choices,
        printer::Printer,
        progress::Shown,
        revision,
        signals::Signals,
        ui::Ui,
    },
    plan::Plan,
    render::{
        clean::clean,
        junit::Fails,
        layout::line,
        outcome::outcome,
        style::{BOLD, REMOVE, paint},
        text::{Done, totals},
    },
};

pub(in crate::cli) async fn run(args: &Apply, global: &Global, ui: &Ui) -> Result<Exit, Failure> {
    let Apply { path, narrow, against, approve, yes, verify, journal, resume } = args;
    if !*yes && !ui.interactive {
        return Err(Failure::usage("there is no terminal to ask whether to go on")
            .help("look at the plan first (`charter plan`), then run `charter apply --yes`"));
    }
    let mut resumed = resume.as_deref().map(Resumed::read).transpose()?;
    let asked = match &resumed {
        None => Asked::new(path.as_deref(), narrow, against),
        Some(resumed) => resumed.asked(path.as_deref(), narrow)?,
    };
    let source = Source::read(&asked)?;
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
    let connection = Connection::open(global, &source.organization(), None).await?;
    let done = match &mut resumed {
        None => Vec::new(),
        Some(resumed) => resumed.look(&connection, &source.organization(), ui).await?,
    };
    let (plan, sources) = source.plan(&connection, &asked.choices, &done).await?;
    check_clock(&connection)?;
    Printer::plain("apply").plan(&plan, sources, &Fails::default(), ui)?;
    refused(&plan, &asked.choices)?;
    if plan.is_empty() {
        return Ok(Exit::Done);
    }
    if !connection.is_sandbox {
        acknowledged(&plan, &given)?;
    }
    if !*yes {
        confirm(&plan, ui)?;
    }
    let path = journal_path(journal.as_deref(), &asked.path, &connection);
    let journal = match &path {
        None => Journal::none(),
        Some(path) => open(path, &source, &asked, &plan, resumed.as_ref(), done)?,
    };
    let mut signals = Signals::listen()?;
    let report = carry_out(&plan, &connection, journal, &mut signals, ui).await;
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
    let again = (*verify || connection.is_sandbox) && !report.stopped;
    if let (true, Source::Files(..)) = (again, &source) {
        let narrowed = Choices { only: asked.choices.only, ..Choices::default() };
        let (left, _) = tokio::select! {
            planned = source.plan(&connection, &narrowed, &[]) => planned?,
            () = signals.next() => return Err(unverified()),
        };
        ui.data(&remainder(&left))?;
        if exit == Exit::Done && !left.is_empty() {
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

/// Asks for a typed `yes`.
fn confirm(plan: &Plan, ui: &Ui) -> Result<(), Failure> {
    let Done { lines, irreversible } = totals(plan);
    let name = plan.organization.name.as_deref().unwrap_or(&plan.organization.id);
    let mut question = format!("\n{} in {}:\n", paint(BOLD, "this will be done"), clean(name));
    question.extend(lines.iter().map(|text| line(2, text)));
    if !irreversible.is_empty() {
        question.push_str(&line(0, &paint(REMOVE.bold(), "of which cannot be undone:")));
        question.extend(irreversible.iter().map(|text| line(2, text)));
    }
    question.push_str("type `yes` to go on: ");
    match ui.ask(&question)?.as_deref() {
        Some("yes") => Ok(()),
        _ => Err(Failure::refused("not confirmed: nothing was changed")),
    }
}

/// Where the journal goes; `None`: nowhere.
fn journal_path(asked: Option<&Path>, files: &Path, connection: &Connection) -> Option<PathBuf> {
    if let Some(path) = asked {
        return Some(path.to_owned());
    }
    if connection.is_sandbox {
        // Its organization is gone when the command ends.
        return None;
    }
    let folder = if files.is_dir() { files } else { files.parent().unwrap_or(Path::new("")) };
    let time = Timestamp::now().strftime("%Y%m%dT%H%M%S%3fZ");
    Some(folder.join(format!("charter-journal-{time}.jsonl")))
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

/// Runs the plan; after the first signal what is in flight finishes, after the second nothing is waited for.
async fn carry_out(
    plan: &Plan,
    connection: &Connection,
    journal: Journal,
    signals: &mut Signals,
    ui: &Ui,
) -> Report {
    let hands = Hands::new(&connection.client, connection.clock.clone());
    let (shown, stop) = (Shown::new(ui), Stop::new());
    let mut running = pin!(apply::run(plan, &hands, journal, &shown, &stop, Options::default()));
    let report = loop {
        tokio::select! {
            report = &mut running => break report,
            () = signals.next() => {
                if stop.requested() {
                    shown.line("stopping at once: what became of the calls in flight is unknown");
                    stop.at_once();
                } else {
                    shown.line(
                        "stopping: the calls in flight finish, nothing else is begun; once more stops at once",
                    );
                    stop.request();
                }
            }
        }
    };
    shown.end();
    report
}

fn unverified() -> Failure {
    Failure::new(Exit::Partly, "stopped before anybody looked whether something is left")
        .help("run `charter plan`: it shows what is left")
}

/// What a plan made afterwards says.
fn remainder(left: &Plan) -> String {
    let counts = left.counts();
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
    let text = match (left.is_empty(), rest.is_empty()) {
        (true, true) => "nothing is left".to_owned(),
        (true, false) => format!("nothing is left to apply; {}", rest.join(", ")),
        (false, _) => rest.join(", "),
    };
    format!("{} {text}\n", paint(BOLD, "planned once more:"))
}
