//! `charter drift`: a plan that nobody asked for, with another exit code.
//!
//! Invariant: changes nothing, and shows everything, whatever it fails on.

use std::{collections::BTreeSet, path::Path};

use crate::{
    cli::{
        Shell,
        args::{Drift, FailOn},
        failure::{Exit, Failure},
        fleet::Fleet,
        format::ReviewFormat,
        held::{self, Held},
        prepare::{self, Choices, Wanted},
        printer::Printer,
        revision,
        session::Session,
        target::Target,
    },
    config::lower::IGNORE_EXPIRED,
    plan::Plan,
    render::{
        junit::Fails,
        review::Standing,
        style::{BOLD, paint},
    },
    resource::Live,
};

pub(in crate::cli) async fn run(args: &Drift, shell: Shell<'_>) -> Result<Exit, Failure> {
    let printer = printer(&args.files.path, args)?;
    let metrics = args.telemetry.metrics_file.as_deref();
    let ended = match Session::begin("drift", &args.fleet, metrics, shell) {
        Ok(session) => {
            let ended = all(args, &session, &printer).await;
            session.end(ended)
        }
        Err(failure) => Err(failure),
    };
    // A report of tests says that there was a failure, whatever failed.
    ended.map_err(|failure| printer.failed(failure, shell.ui))
}

async fn all(args: &Drift, session: &Session<'_>, printer: &Printer) -> Result<Exit, Failure> {
    let single = [
        ("--rev", args.files.rev.is_some()),
        ("--last-applied", args.applied.last_applied.is_some()),
    ];
    match Fleet::read(&args.fleet, "drift", args.format, args.redact, &single)? {
        None => {
            let target = Target::alone(&args.files.path, session);
            let found = Box::pin(found(args, &target, printer));
            target.whole(session.signals.unless_stopped(found)).await
        }
        Some(fleet) => fleet.run(session, async |target| one(args, target).await).await,
    }
}

/// One organization of a fleet.
async fn one(args: &Drift, target: &Target<'_>) -> Result<Exit, Failure> {
    let printer = printer(target.path, args)?;
    let ended = Box::pin(found(args, target, &printer)).await;
    ended.map_err(|failure| printer.failed(failure, &target.ui))
}

fn printer(path: &Path, args: &Drift) -> Result<Printer, Failure> {
    Printer::new("drift", path, args.format, args.redact)
}

async fn found(args: &Drift, target: &Target<'_>, printer: &Printer) -> Result<Exit, Failure> {
    let Drift { fail_on, format, .. } = args;
    let Target { path, ui, .. } = target;
    target.connect_ahead();
    let files = revision::read(path, args.files.rev.as_deref())?;
    printer.learn_files(&files);
    let at = held::Place { path, rev: args.files.rev.as_deref() };
    let held = Held::of_drift(&args.applied, at, &files)?;
    for name in held.names() {
        printer.learn_revision(Some(name));
    }
    let connection = target.connect(&files.organization()).await?;
    let wanted = Wanted { files: &files, held: &held, now: connection.now };
    let seen = |live: &Live| printer.learn_live(live);
    let plan = prepare::make_seen(&connection, wanted, &Choices::default(), &seen).await?;
    let chosen: BTreeSet<FailOn> = fail_on.iter().copied().collect();
    target.planned(&plan);
    printer.plan(&plan, &files.sources, &fails(&chosen), target)?;

    let mut found: Vec<String> = chosen.iter().filter_map(|what| differs(*what, &plan)).collect();
    let lapsed = plan.notes.iter().filter(|note| note.code == IGNORE_EXPIRED).count();
    if lapsed > 0 {
        found.push(format!("{lapsed} past the `until` of `manage.ignore`"));
    }
    let text = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
    let line = format!("{} {text}\n", paint(BOLD, "drift:"));
    match format {
        ReviewFormat::Text => ui.data(&line)?,
        _ => ui.say(&line),
    }
    Ok(if found.is_empty() { Exit::Done } else { Exit::Changes })
}

/// The same choice, for a report of tests.
fn fails(chosen: &BTreeSet<FailOn>) -> Fails {
    let standings = chosen.iter().flat_map(|what| match what {
        FailOn::Ready => vec![Standing::Ready, Standing::Held],
        FailOn::Manual => vec![Standing::Manual],
        FailOn::Deferred => vec![Standing::Deferred],
        FailOn::Unmanaged => Vec::new(),
    });
    Fails {
        standings: standings.collect(),
        unmanaged: chosen.contains(&FailOn::Unmanaged),
        // An ignore past its day is drift, whatever is chosen.
        findings: vec![IGNORE_EXPIRED],
        stopped: false,
    }
}

/// What there is of a sort, in words; `None`: nothing.
fn differs(what: FailOn, plan: &Plan) -> Option<String> {
    let counts = plan.counts();
    let (number, words) = match what {
        // What is held differs too; only the files have to say more first.
        FailOn::Ready => (counts.ready + counts.held, "for apply"),
        FailOn::Manual => (counts.manual, "by hand"),
        FailOn::Deferred => (counts.deferred, "deferred"),
        FailOn::Unmanaged => (plan.unmanaged.len(), "not in the files"),
    };
    (number > 0).then(|| format!("{number} {words}"))
}
