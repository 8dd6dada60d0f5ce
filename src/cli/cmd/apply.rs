//! `charter apply`: makes or reads a plan, asks, and carries it out.
//!
//! Invariant: nothing is written before the plan was shown, judged by its guards and confirmed.

use std::{
    fs,
    path::{Path, PathBuf},
    pin::pin,
};

use jiff::Timestamp;

use super::plan::{refused, wishes};
use crate::{
    apply::{self, Ended, Hands, Journal, Options, Progress as _, Report, Stop},
    cli::{
        approval::{SKEW, acknowledged, check_age, check_seal},
        args::{
            Apply, Global,
            review::{Against, Approve},
        },
        connect::Connection,
        failure::{Exit, Failure},
        prepare::{self, Choices, Files},
        printer::Printer,
        progress::Shown,
        revision::{self, Base},
        signals::Signals,
        ui::Ui,
    },
    diagnostic::Sources,
    plan::{Plan, again, stale},
    render::{
        clean::clean,
        json::{PlanError, is_json, read_plan},
        junit::Fails,
        layout::line,
        outcome::outcome,
        style::{BOLD, REMOVE, paint},
        text::{Done, totals},
    },
    resource::desired::OrganizationPin,
};

pub(in crate::cli) async fn run(args: &Apply, global: &Global, ui: &Ui) -> Result<Exit, Failure> {
    let Apply { path, narrow, against, approve, yes, verify, journal } = args;
    if !*yes && !ui.interactive {
        return Err(Failure::usage("there is no terminal to ask whether to go on")
            .help("look at the plan first (`charter plan`), then run `charter apply --yes`"));
    }
    let choices = Choices::from(narrow);
    let source = Source::read(path, &choices, against)?;
    let given = approvals(approve, path, &source)?;
    if let (true, Source::Saved(_)) = (*verify, &source) {
        return Err(Failure::usage(
            "a saved plan cannot be verified: only the files say what is wanted",
        )
        .help("leave `--verify` out, and run `charter plan` on the files afterwards"));
    }
    let connection = Connection::open(global, &source.organization(), None).await?;
    let (plan, sources) = source.plan(&connection, &choices).await?;
    check_clock(&connection)?;
    Printer::plain("apply").plan(&plan, sources, &Fails::default(), ui)?;
    refused(&plan, &choices)?;
    if plan.is_empty() {
        return Ok(Exit::Done);
    }
    if !connection.is_sandbox {
        acknowledged(&plan, &given)?;
    }
    if !*yes {
        confirm(&plan, ui)?;
    }
    let journal = journal_path(journal.as_deref(), path, &connection);
    let report = carry_out(&plan, &connection, journal.as_deref(), ui).await?;
    ui.data(&format!("\n{}", outcome(&plan, &report, ui.width)))?;
    if let Some(path) = journal {
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
        let narrowed = Choices { only: choices.only, ..Choices::default() };
        let (left, _) = source.plan(&connection, &narrowed).await?;
        ui.data(&remainder(&left))?;
        if exit == Exit::Done && !left.is_empty() {
            exit = Exit::Partly;
        }
    }
    Ok(exit)
}

/// What is applied.
enum Source {
    /// Files, planned now, and held against others if asked.
    Files(Box<Files>, Option<Box<Base>>),
    /// A plan made before.
    Saved(Box<Plan>),
}

impl Source {
    fn read(path: &Path, choices: &Choices, against: &Against) -> Result<Self, Failure> {
        let extension = path.extension().is_some_and(|extension| extension == "json");
        let text = if path.is_file() && (extension || begins_like_json(path)) {
            Some(fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?)
        } else {
            None
        };
        match text {
            Some(text) if extension || is_json(&text) => {
                check_seal(&text)?;
                let plan = read_plan(&text).map_err(|error| not_a_plan(path, &error))?;
                if against.base_rev.is_some() || against.base_path.is_some() {
                    return Err(Failure::usage(
                        "a saved plan was held against its base when it was made",
                    )
                    .help("leave `--base-rev` and `--base-path` out, or apply the files"));
                }
                if !choices.only.is_empty() {
                    return Err(Failure::usage(
                        "a saved plan is applied as it is, so `--only` has no say",
                    )
                    .help("make a narrower plan with `charter plan --only … --out FILE`"));
                }
                if !plan.organization.pinned {
                    return Err(unpinned(&plan.organization.id));
                }
                Ok(Source::Saved(Box::new(plan)))
            }
            _ => {
                let files = Files::read(path)?;
                if files.organization().id.is_none() {
                    return Err(unpinned("…"));
                }
                let base = Base::read(against, path)?.map(Box::new);
                Ok(Source::Files(Box::new(files), base))
            }
        }
    }

    fn organization(&self) -> OrganizationPin {
        match self {
            Source::Files(files, _) => files.organization(),
            Source::Saved(plan) => OrganizationPin {
                id: Some(plan.organization.id.as_str().into()),
                kind: plan.organization.kind,
                span: None,
            },
        }
    }

    async fn plan(
        &self,
        connection: &Connection,
        choices: &Choices,
    ) -> Result<(Plan, &Sources), Failure> {
        static NONE: Sources = Sources(std::collections::BTreeMap::new());
        match self {
            Source::Files(files, base) => {
                let now = connection.now;
                let wishes = wishes(files, base.as_deref(), now);
                let plan = prepare::make(connection, wishes, choices, now).await?;
                Ok((plan, &files.sources))
            }
            Source::Saved(plan) => {
                let plan =
                    still_holds((**plan).clone(), self.organization(), connection, choices).await?;
                Ok((plan, &NONE))
            }
        }
    }
}

/// Whether it is worth a look: a large YAML file is not read twice.
fn begins_like_json(path: &Path) -> bool {
    use std::io::Read as _;
    let mut head = [0; 64];
    let read = fs::File::open(path).and_then(|mut file| file.read(&mut head)).unwrap_or(0);
    String::from_utf8_lossy(&head[..read])
        .trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with('{')
}

fn not_a_plan(path: &Path, error: &PlanError) -> Failure {
    Failure::usage(format!("cannot apply `{}`: {error}", path.display())).help(error.next_step())
}

fn unpinned(id: &str) -> Failure {
    Failure::usage("the files do not say which organization they are for, so nothing is applied")
        .help(format!(
            "add `organization: {{id: {id}}}` to the root file; the head of `charter plan` shows the id of the \
             credential's organization"
        ))
}

/// Looks again at what a saved plan rests on.
async fn still_holds(
    mut plan: Plan,
    pin: OrganizationPin,
    connection: &Connection,
    choices: &Choices,
) -> Result<Plan, Failure> {
    check_age(&plan, connection.now)?;
    let info = prepare::identified(connection, &pin).await?;
    if let Some(step) = stale::foreign_calls(&plan).first() {
        return Err(Failure::refused(format!(
            "the calls of {} are not those that charter makes for this change: the plan was edited, or another version \
             made it",
            step.address
        ))
        .help("make a new plan with `charter plan --out FILE`, and apply that"));
    }
    let scope = stale::read_scope(&plan);
    let live = prepare::look(connection, &info, &scope, connection.now).await?;
    let facts = stale::stale_facts(&plan, &live);
    if !facts.is_empty() {
        let list: Vec<&str> = facts.iter().map(|fact| fact.message.as_str()).collect();
        return Err(Failure::refused(format!("the plan is stale: {}", list.join("; ")))
            .help("make a new plan, review it, and apply that"));
    }
    again::judge_again(&mut plan, &live, &choices.allow);
    plan.observed = connection.observed();
    Ok(plan)
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

/// Runs the plan; the first signal lets what is in flight finish, and so do the others.
async fn carry_out(
    plan: &Plan,
    connection: &Connection,
    journal: Option<&Path>,
    ui: &Ui,
) -> Result<Report, Failure> {
    let journal = match journal {
        None => Journal::none(),
        Some(path) => Journal::create(path)
            .map_err(|error| Failure::usage(error.to_string()).help(error.next_step()))?,
    };
    let hands = Hands::new(&connection.client, connection.clock.clone());
    let (shown, stop) = (Shown::new(ui), Stop::new());
    let mut running = pin!(apply::run(plan, &hands, journal, &shown, &stop, Options::default()));
    let mut signals = Signals::listen()?;
    let mut asked = false;
    let report = loop {
        tokio::select! {
            report = &mut running => break report,
            () = signals.next() => {
                shown.line(if asked {
                    "still waiting for the calls in flight, so that their outcome is known"
                } else {
                    "stopping: the calls in flight finish, nothing else is begun; run again to go on"
                });
                asked = true;
                stop.request();
            }
        }
    };
    shown.end();
    Ok(report)
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
