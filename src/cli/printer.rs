//! Prints results in the chosen format, with pseudonyms if they are wanted.
//!
//! Invariant: with `--redact` nothing is printed that the redactor has not seen, on stdout or stderr; without its key
//! nothing is even read.

use std::{
    borrow::Cow,
    cell::RefCell,
    io::Write as _,
    path::{Path, PathBuf},
};

use serde_json::json;

use super::{
    failure::Failure, format::ReviewFormat, places::places, prepare::Files, revision::BROKEN,
    target::Target, ui::Ui,
};
use crate::{
    config::load::Rejected,
    diagnostic::{Diagnostic, Sources},
    plan::{Plan, compare::Compared, rules::RuleChange},
    render::{
        self,
        json::json as printed,
        junit::Fails,
        markdown::{COMMENT, SUMMARY, markdown},
        places::Places,
        redact::{Redactor, SHORTEST_KEY},
        review::Review,
        spelling::Spellings,
        text::{self, Options},
    },
    resource::Live,
    secret::Secret,
};

/// The variable that holds the key for pseudonyms.
const KEY: &str = "CHARTER_REDACT_KEY";
/// Where GitHub Actions wants the summary of a step.
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// Prints the results of one command.
pub(super) struct Printer {
    command: &'static str,
    format: ReviewFormat,
    redactor: Option<RefCell<Redactor>>,
    /// The path of the files.
    path: PathBuf,
    /// Revisions that files are read from to compare with.
    revisions: RefCell<Vec<String>>,
    spellings: RefCell<Spellings>,
}

impl Printer {
    /// For a command that prints text and nothing else.
    pub(super) fn plain(command: &'static str) -> Self {
        Self {
            command,
            format: ReviewFormat::Text,
            redactor: None,
            path: PathBuf::new(),
            revisions: RefCell::default(),
            spellings: RefCell::default(),
        }
    }

    /// For a command about the files of a path; takes the key for pseudonyms from the environment.
    pub(super) fn new(
        command: &'static str,
        path: &Path,
        format: ReviewFormat,
        redact: bool,
    ) -> Result<Self, Failure> {
        let redactor = if redact { Some(RefCell::new(redactor()?)) } else { None };
        let path = path.to_owned();
        Ok(Self { format, redactor, path, ..Self::plain(command) })
    }

    /// Meets the revision that the files are compared with: its name is part of the places of its files.
    pub(super) fn learn_revision(&self, rev: Option<&str>) {
        self.revisions.borrow_mut().extend(rev.map(str::to_owned));
    }

    /// Meets what the files name.
    pub(super) fn learn_files(&self, files: &Files) {
        if let Some(redactor) = &self.redactor {
            redactor.borrow_mut().learn_files(files.document());
        }
        self.spellings.borrow_mut().learn(files.document());
    }

    /// Meets what is live.
    pub(super) fn learn_live(&self, live: &Live) {
        if let Some(redactor) = &self.redactor {
            redactor.borrow_mut().learn_live(live);
        }
    }

    /// Prints a plan; for text, findings first and to stderr, so that the sum is what is read last.
    pub(super) fn plan(
        &self,
        plan: &Plan,
        sources: &Sources,
        fails: &Fails,
        target: &Target<'_>,
    ) -> Result<(), Failure> {
        let ui = &target.ui;
        let hidden = self.redactor.as_ref().map(|redactor| redactor.borrow_mut().plan(plan));
        let plan = hidden.as_ref().unwrap_or(plan);
        match self.format {
            ReviewFormat::Text => {
                self.findings_beside(&plan.notes, sources, ui);
                match &self.redactor {
                    Some(_) => ui.judgement(&plan.policy, &Sources::default()),
                    None => ui.judgement(&self.respelled(&plan.policy), sources),
                }
                let alone = target.by_itself(self.redactor.is_none());
                let options =
                    Options { width: ui.width, calls: ui.verbose > 0, alone: alone.as_deref() };
                self.data(&text::plan(plan, options), ui)
            }
            ReviewFormat::Json if self.redactor.is_some() => {
                let text = render::json::redacted_plan(plan).map_err(|error| unwritable(&error))?;
                self.data(&text, ui)
            }
            ReviewFormat::Json => {
                self.data(&printed(plan).map_err(|error| unwritable(&error))?, ui)
            }
            _ => self.review(&Review::of_plan(self.command, plan), sources, fails, ui),
        }
    }

    /// Prints a comparison of files.
    pub(super) fn diff(
        &self,
        rules: &[RuleChange],
        compared: &Compared,
        notes: &[Diagnostic],
        sources: &Sources,
        ui: &Ui,
    ) -> Result<(), Failure> {
        let hidden = self.redactor.as_ref().map(|redactor| {
            let mut redactor = redactor.borrow_mut();
            let (compared, rules) = redactor.comparison(compared, rules);
            (compared, rules, redactor.diagnostics(notes))
        });
        let (compared, rules, notes) = match &hidden {
            Some((compared, rules, notes)) => (compared, &rules[..], &notes[..]),
            None => (compared, rules, notes),
        };
        match self.format {
            ReviewFormat::Text => {
                self.findings_beside(notes, sources, ui);
                let options = Options { width: ui.width, ..Options::default() };
                self.data(&render::diff::diff(rules, compared, options), ui)
            }
            ReviewFormat::Json => {
                let changes: Vec<_> = compared
                    .changes
                    .iter()
                    .map(|(address, change)| json!({"address": address, "change": change}))
                    .collect();
                let value = json!({
                    "format_version": 1,
                    "rules": rules,
                    "changes": changes,
                    "access": compared.access,
                    "notes": notes,
                });
                self.data(&printed(&value).map_err(|error| unwritable(&error))?, ui)
            }
            _ => {
                let review = Review::of_diff(rules, compared, notes);
                self.review(&review, sources, &Fails::default(), ui)
            }
        }
    }

    /// Prints findings; for text, `line` after them.
    pub(super) fn findings(
        &self,
        found: &[Diagnostic],
        sources: &Sources,
        line: &str,
        ui: &Ui,
    ) -> Result<(), Failure> {
        let hidden =
            self.redactor.as_ref().map(|redactor| redactor.borrow_mut().diagnostics(found));
        let found = hidden.as_deref().unwrap_or(found);
        match self.format {
            ReviewFormat::Text => {
                self.findings_beside(found, sources, ui);
                self.data(line, ui)
            }
            ReviewFormat::Json => {
                let value = json!({"format_version": 1, "findings": found});
                self.data(&printed(&value).map_err(|error| unwritable(&error))?, ui)
            }
            _ => {
                let review = Review::of_findings(self.command, found);
                // Findings alone: there is no plan and no comparison.
                let fails = Fails { stopped: true, ..Fails::default() };
                self.review(&review, sources, &fails, ui)
            }
        }
    }

    /// Passes on why a command failed. Files that are wrong are shown in the chosen format too.
    pub(super) fn failed(&self, failure: Failure, ui: &Ui) -> Failure {
        let failure = match &self.redactor {
            Some(redactor) => hidden(failure, &mut redactor.borrow_mut()),
            None => failure,
        };
        let shown = match (self.format, &failure) {
            (ReviewFormat::Text, _) => Ok(()),
            // Its form is that of a plan or a comparison, and there is none.
            (ReviewFormat::Json, _) if self.command != "validate" => Ok(()),
            (_, Failure::Files(rejected)) => {
                let Rejected { diagnostics, sources } = &**rejected;
                self.findings(diagnostics, sources, "", ui)
            }
            // Without a report nobody would know of the failure: what reads it is not told the exit code.
            (ReviewFormat::Junit, Failure::Said { exit, message, help }) => {
                let finding = Diagnostic {
                    code: format!("{}/{}", self.command, exit.word().replace(' ', "-")).into(),
                    help: help.clone(),
                    ..Diagnostic::error("", message)
                };
                self.findings(&[finding], &Sources::default(), "", ui)
            }
            (_, Failure::Said { .. }) => Ok(()),
        };
        shown.err().unwrap_or(failure)
    }

    fn review(
        &self,
        review: &Review<'_>,
        sources: &Sources,
        fails: &Fails,
        ui: &Ui,
    ) -> Result<(), Failure> {
        let places = self.places();
        let text = match self.format {
            ReviewFormat::Github => {
                self.step_summary(review)?;
                render::github::annotations(review, &places)
            }
            ReviewFormat::Sarif => {
                let report = render::sarif::sarif(review, sources, &places);
                printed(&report).map_err(|error| unwritable(&error))?
            }
            ReviewFormat::Junit => render::junit::junit(review, fails, &places),
            ReviewFormat::Text | ReviewFormat::Json | ReviewFormat::Markdown => {
                markdown(review, COMMENT)
            }
        };
        self.data(&text, ui)
    }

    /// Where files lie; with pseudonyms in paths that name somebody.
    fn places(&self) -> Places {
        let revisions = self.revisions.borrow().clone();
        match &self.redactor {
            Some(redactor) => places(&self.path, revisions, |path| redactor.borrow().path(&path)),
            None => places(&self.path, revisions, |path| path),
        }
    }

    /// Adds to the summary of a step of GitHub Actions, if this runs in one.
    fn step_summary(&self, review: &Review<'_>) -> Result<(), Failure> {
        let Some(path) = variable(STEP_SUMMARY).map(PathBuf::from) else { return Ok(()) };
        let text = markdown(review, SUMMARY);
        let text = self.swept(&text);
        std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| Failure::file("write", &path, &error))
    }

    /// Findings to stderr. The lines of the files say too much for a redacted result.
    fn findings_beside(&self, found: &[Diagnostic], sources: &Sources, ui: &Ui) {
        match &self.redactor {
            Some(_) => ui.findings(found, &Sources::default()),
            None => ui.findings(&self.respelled(found), sources),
        }
    }

    /// Findings with addresses as the files write them.
    fn respelled(&self, found: &[Diagnostic]) -> Vec<Diagnostic> {
        let spellings = self.spellings.borrow();
        let text = |text: &String| spellings.respell(text).into_owned();
        let one = |one: &Diagnostic| Diagnostic {
            message: text(&one.message),
            help: one.help.as_ref().map(text),
            ..one.clone()
        };
        found.iter().map(one).collect()
    }

    fn data(&self, text: &str, ui: &Ui) -> Result<(), Failure> {
        ui.data(&self.swept(text))
    }

    /// What may be shown of a result. Programs read addresses in their canonical form.
    fn swept<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match (&self.redactor, self.format) {
            (Some(redactor), _) => redactor.borrow().sweep(text).into(),
            (None, ReviewFormat::Json) => text.into(),
            (None, _) => self.spellings.borrow().respell(text).into_owned().into(),
        }
    }
}

fn redactor() -> Result<Redactor, Failure> {
    let help = format!(
        "set it to a secret of {SHORTEST_KEY} bytes or more: `openssl rand -hex 32` makes one"
    );
    let Some(key) = variable(KEY) else {
        return Err(Failure::usage(format!(
            "`--redact` needs a key in `{KEY}`, and it is not set"
        ))
        .help(help));
    };
    Redactor::new(&Secret::new(key))
        .map_err(|error| Failure::usage(format!("`{KEY}` cannot be used: {error}")).help(help))
}

/// Why a command failed, without names. What wrong files say is not known to be harmless: only what is wrong is kept, and
/// where, and that it is the base which is wrong, since that is what is to be mended first.
fn hidden(failure: Failure, redactor: &mut Redactor) -> Failure {
    match failure {
        Failure::Said { exit, message, help } => Failure::Said {
            exit,
            message: redactor.text(&message),
            help: help.map(|help| redactor.text(&help)),
        },
        Failure::Files(rejected) => {
            let found = redactor.diagnostics(&rejected.diagnostics);
            let diagnostics = found.into_iter().map(|one| match &*one.code {
                BROKEN => one,
                _ => Diagnostic {
                    message: "hidden by `--redact`".to_owned(),
                    help: Some("run without `--redact` where names may be seen".to_owned()),
                    related: Vec::new(),
                    ..one
                },
            });
            let rejected =
                Rejected { diagnostics: diagnostics.collect(), sources: Sources::default() };
            Failure::Files(Box::new(rejected))
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn unwritable(error: &serde_json::Error) -> Failure {
    Failure::failed(format!("cannot write the result as JSON: {error}"))
}
