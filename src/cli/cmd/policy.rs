//! `charter policy`: the rules of the files, and what they find without looking at live.
//!
//! Invariant: touches no network; exits as a plan that is refused would.

use std::{fs, path::Path};

use jiff::Timestamp;

use super::plan::refused_by_policy;
use crate::{
    cli::{
        args::Policy,
        failure::{Exit, Failure},
        format::ReviewFormat,
        prepare::day,
        printer::Printer,
        revision::{self, Age, Base, also_of_base},
        ui::Ui,
    },
    config::lower::lower,
    diagnostic::Sources,
    policy::{judge_files, past_dates},
    render::{
        json::{is_plan, json, may_be_files, read_plan},
        policy::{listing, listing_json, of_plan},
    },
};

pub(in crate::cli) fn run(args: &Policy, ui: &Ui) -> Result<Exit, Failure> {
    let printer = Printer::new("policy", &args.path, args.format, false)?;
    judged(args, ui, &printer).map_err(|failure| printer.failed(failure, ui))
}

fn judged(args: &Policy, ui: &Ui, printer: &Printer) -> Result<Exit, Failure> {
    let Policy { path, rev, against, at, format } = args;
    let like_plan = path.extension().is_some_and(|extension| extension == "json") && path.is_file();
    if like_plan && rev.is_none() {
        let text = fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?;
        if is_plan(&text) || !may_be_files(&text) {
            return of_saved(path, &text, *format, ui, printer);
        }
    }
    let files = revision::read(path, rev.as_deref())?;
    let today = at.unwrap_or_else(|| day(Timestamp::now()));
    let document = files.document();
    let (desired, _) = lower(document, today);
    let verdict = judge_files(document, &desired, today);
    let mut found = verdict.diagnostics();
    printer.learn_revision(against.base_rev.as_deref());
    if let Some(base) = Base::read(against, path, Age::Commit)? {
        let rules = base.rules(&files);
        let others = judge_files(&rules, &desired, today).diagnostics();
        found.extend(past_dates(document, base.files().document(), base.name(), today));
        also_of_base(&mut found, others, base.name());
        found.extend(base.findings(&files, &rules));
    }
    match format {
        ReviewFormat::Text => {
            ui.judgement(&found, &files.sources);
            ui.data(&listing(document, &verdict, today, ui.width))?;
        }
        ReviewFormat::Json => {
            ui.data(&printed(&listing_json(document, &verdict, &found, today))?)?;
        }
        _ => printer.findings(&found, &files.sources, "", ui)?,
    }
    refused_by_policy(&found)?;
    Ok(Exit::Done)
}

/// What was found when a plan was made.
fn of_saved(
    path: &Path,
    text: &str,
    format: ReviewFormat,
    ui: &Ui,
    printer: &Printer,
) -> Result<Exit, Failure> {
    let plan = read_plan(text).map_err(|error| {
        Failure::usage(format!("cannot read `{}`: {error}", path.display())).help(error.next_step())
    })?;
    let nothing = Sources::default();
    match format {
        ReviewFormat::Text => {
            ui.judgement(&plan.policy, &nothing);
            ui.data(&of_plan(&plan))?;
        }
        _ => printer.findings(&plan.policy, &nothing, "", ui)?,
    }
    refused_by_policy(&plan.policy)?;
    Ok(Exit::Done)
}

fn printed(value: &serde_json::Value) -> Result<String, Failure> {
    json(value)
        .map_err(|error| Failure::failed(format!("cannot write the findings as JSON: {error}")))
}
