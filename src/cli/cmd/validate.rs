//! `charter validate`: parses and checks files.
//!
//! Invariant: touches no network.

use crate::{
    cli::{
        args::{self, Validate},
        failure::{Exit, Failure},
        printer::Printer,
        revision,
        ui::Ui,
    },
    config::document::Document,
    render::{clean::clean, diagnostics::tally},
};

pub(in crate::cli) fn run(args: &Validate, ui: &Ui) -> Result<Exit, Failure> {
    let printer = Printer::new("validate", &args.files.path, args.format, args.redact)?;
    checked(args, ui, &printer).map_err(|failure| printer.failed(failure, ui))
}

fn checked(args: &Validate, ui: &Ui, printer: &Printer) -> Result<Exit, Failure> {
    let args::Files { path, rev } = &args.files;
    let files = revision::read(path, rev.as_deref())?;
    printer.learn_files(&files);
    let (document, warnings) = (files.document(), files.warnings());
    let warned = tally(warnings).map(|tally| format!(" ({tally})")).unwrap_or_default();
    let shown = path.display().to_string();
    let line = format!("{}: valid: {}{warned}\n", clean(&shown), contents(document));
    printer.findings(warnings, &files.sources, &line, ui)?;
    Ok(Exit::Done)
}

/// What the files hold, in words.
fn contents(document: &Document) -> String {
    let Document {
        organization: _,
        members,
        teams,
        workspaces,
        api_keys,
        manage: _,
        guard: _,
        policy,
        tests,
        files: _,
        read: _,
    } = document;
    let all = || workspaces.iter().flat_map(|section| section.values());
    let grants: usize = all()
        .filter_map(|workspace| workspace.members.as_ref())
        .map(|grants| grants.people.len() + grants.teams.len())
        .sum();
    let keys = all().filter_map(|workspace| workspace.api_keys.as_ref()).map(|keys| keys.len());
    let keys = keys.sum::<usize>() + api_keys.as_ref().map_or(0, |keys| keys.len());
    let parts = [
        (members.as_ref().map_or(0, |section| section.len()), "member", "members"),
        (teams.as_ref().map_or(0, |section| section.len()), "team", "teams"),
        (workspaces.as_ref().map_or(0, |section| section.len()), "workspace", "workspaces"),
        (grants, "grant", "grants"),
        (keys, "API key", "API keys"),
        (policy.rules.len(), "rule", "rules"),
        (tests.as_ref().map_or(0, |tests| tests.len()), "test", "tests"),
    ];
    let words: Vec<String> = parts
        .into_iter()
        .filter(|(number, ..)| *number > 0)
        .map(|(number, one, many)| format!("{number} {}", if number == 1 { one } else { many }))
        .collect();
    if words.is_empty() { "nothing is managed".to_owned() } else { words.join(", ") }
}
