//! `charter plan`: shows what apply would do, and saves it.
//!
//! Invariant: a guard that refuses changes the exit code, never what is shown or saved.

use std::path::Path;

use jiff::tz::TimeZone;

use crate::{
    cli::{
        Shell,
        approval::{refused_by_base, seal_key},
        args::PlanArgs,
        failure::{Exit, Failure},
        fleet::Fleet,
        held::{self, Held},
        prepare::{self, Choices, Wanted},
        printer::Printer,
        replace::{Reader, refuse_foreign, replace},
        revision,
        session::Session,
        target::Target,
    },
    diagnostic::Diagnostic,
    plan::{Plan, seal},
    render::{
        clean::clean,
        json::{is_any_plan, json},
        junit::Fails,
        text,
    },
    resource::Live,
    threads::discard,
};

pub(in crate::cli) async fn run(args: &PlanArgs, shell: Shell<'_>) -> Result<Exit, Failure> {
    let metrics = args.telemetry.metrics_file.as_deref();
    let session = Session::begin("plan", &args.fleet, metrics, shell)?;
    let ended = all(args, &session).await;
    session.end(ended)
}

async fn all(args: &PlanArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let single = [
        ("--rev", args.files.rev.is_some()),
        ("--out", args.out.is_some()),
        ("--allow", !args.narrow.allow.is_empty()),
        ("--base-path", args.against.base_path.is_some()),
        ("--last-applied", args.applied.last_applied.is_some()),
    ];
    match Fleet::read(&args.fleet, "plan", args.format, args.redact, &single)? {
        None => {
            let target = Target::alone(&args.files.path, session);
            target.whole(session.signals.unless_stopped(one(args, &target))).await
        }
        Some(fleet) => fleet.run(session, async |target| one(args, target).await).await,
    }
}

async fn one(args: &PlanArgs, target: &Target<'_>) -> Result<Exit, Failure> {
    let printer = Printer::new("plan", target.path, args.format, args.redact)?;
    let ended = Box::pin(made(args, target, &printer)).await;
    ended.map_err(|failure| printer.failed(failure, &target.ui))
}

async fn made(args: &PlanArgs, target: &Target<'_>, printer: &Printer) -> Result<Exit, Failure> {
    let PlanArgs { narrow, against, applied, out, detailed_exitcode, at: day, .. } = args;
    let Target { path, ui, .. } = target;
    let key = seal_key()?;
    if let Some(path) = out {
        refuse_foreign(path, "a plan of charter", is_any_plan)?;
    }
    target.connect_ahead();
    let files = revision::read(path, args.files.rev.as_deref())?;
    printer.learn_files(&files);
    printer.learn_revision(against.base_rev.as_deref());
    let at = held::Place { path, rev: args.files.rev.as_deref() };
    let held = Held::read(against, applied, at, &files)?;
    for name in held.names() {
        printer.learn_revision(Some(name));
    }
    for files in held.files() {
        printer.learn_files(files);
    }
    let connection = target.connect(&files.organization()).await?;
    let now = match day {
        None => connection.now,
        Some(date) => date
            .to_zoned(TimeZone::UTC)
            .map(|start| start.timestamp())
            .map_err(|error| Failure::usage(format!("cannot plan for {date}: {error}")))?,
    };
    let choices = Choices::from(narrow);
    let seen = |live: &Live| printer.learn_live(live);
    let wanted = Wanted { files: &files, held: &held, now };
    let plan = prepare::make_seen(&connection, wanted, &choices, &seen).await?;
    target.planned(&plan);
    printer.plan(&plan, &files.sources, &Fails::default(), target)?;
    let verdict = refused(&plan, &choices, target);
    if let Some(path) = out {
        save(&plan, path, key.as_deref())?;
        // What is refused is saved to be looked at, and not to be applied.
        if verdict.is_ok() {
            let path = path.display().to_string();
            let record = applied.last_applied.as_ref().map(|file| file.display().to_string());
            let record = record.map(|file| format!(" --last-applied {}", clean(&file)));
            let record = record.unwrap_or_default();
            ui.say(&format!(
                "saved: apply it with `charter apply --plan {}{record}`\n",
                clean(&path)
            ));
        }
    }
    verdict?;
    let exit = if *detailed_exitcode && !plan.is_empty() { Exit::Changes } else { Exit::Done };
    discard((plan, files));
    Ok(exit)
}

fn as_json(plan: &Plan) -> Result<String, Failure> {
    json(plan).map_err(|error| Failure::failed(format!("cannot write the plan as JSON: {error}")))
}

/// Saves a plan: all of it or nothing, for its owner alone.
fn save(plan: &Plan, path: &Path, key: Option<&[u8]>) -> Result<(), Failure> {
    let mut text = as_json(plan)?;
    if let Some(key) = key {
        let unsealed = |error| Failure::failed(format!("cannot seal the plan: {error}"));
        let hmac = Some(seal::seal(seal::Sealed::Plan, &text, key).map_err(unsealed)?);
        text = as_json(&Plan { hmac, ..plan.clone() })?;
    }
    // Making the plan took a while.
    refuse_foreign(path, "a plan of charter", is_any_plan)?;
    replace(path, &text, Reader::Owner)
}

/// Refuses a plan that a guard, a rule or the base refuses.
pub(in crate::cli) fn refused(
    plan: &Plan,
    choices: &Choices,
    target: &Target<'_>,
) -> Result<(), Failure> {
    refused_by_guard(plan, choices, target)?;
    refused_by_base(plan)?;
    refused_by_policy(&plan.policy)
}

/// Refuses what has errors among the findings of rules.
pub(in crate::cli) fn refused_by_policy(found: &[Diagnostic]) -> Result<(), Failure> {
    let errors = found.iter().filter(|finding| finding.is_error());
    let mut rules: Vec<&str> = errors.map(|finding| &*finding.code).collect();
    rules.sort_unstable();
    rules.dedup();
    if rules.is_empty() {
        return Ok(());
    }
    Err(Failure::refused(format!("the rules of the files refuse this: {}", rules.join(", "))).help(
        "mend what the findings above name, or accept it with a reason under `policy.exceptions`",
    ))
}

fn refused_by_guard(plan: &Plan, choices: &Choices, target: &Target<'_>) -> Result<(), Failure> {
    let mut names: Vec<&str> = plan.breaches().map(|breach| breach.guard.as_str()).collect();
    names.dedup();
    if names.is_empty() {
        return Ok(());
    }
    let mut message = format!("a guard refuses this plan: {}", names.join(", "));
    for breach in plan.breaches().filter(|breach| breach.within.is_none()) {
        if let Some(count) = choices.allow.get(&breach.guard) {
            let (name, of) = (breach.guard.as_str(), breach.count);
            message = format!("{message}; `--allow {name}={count}` is not its count, {of}");
        }
    }
    let allow = text::allowances(&plan.guards);
    // The folder was shown above, if it may be.
    let run = match target.by_itself(false) {
        None => format!("run again with {allow}"),
        Some(command) => format!("run `{command} {allow}` for this organization alone"),
    };
    Err(Failure::refused(message).help(format!(
        "check the steps above; if they are meant, {run}, or raise the limit under `guard:`"
    )))
}
