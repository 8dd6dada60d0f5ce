//! `--resume`: what the journal of another run says was to be applied, and what became of it.
//!
//! Invariant: a journal that does not fit what is applied now is refused before anything is read from the API.

use std::path::{Path, PathBuf};

use super::source::{Asked, Form, Source, absolute, form, form_of, plan_digest};
use crate::{
    apply::{
        journal::{self, Applied, DoneBefore, JournalError, Origin},
        resume::Recap,
    },
    cli::{
        args::{
            Narrow,
            review::{Against, LastApplied},
        },
        connect::Connection,
        failure::Failure,
        prepare::{self, Choices},
        ui::Ui,
    },
    plan::Only,
    render::resume::recap,
    resource::desired::OrganizationPin,
};

/// The run that is resumed.
pub(super) struct Resumed {
    path: PathBuf,
    recap: Recap,
    origin: Origin,
}

impl Resumed {
    /// Reads its journal.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let lines = journal::read(path).map_err(|error| {
            let failure = match &error {
                JournalError::Running(_) => Failure::refused(error.to_string()),
                _ => Failure::usage(error.to_string()),
            };
            failure.help(error.next_step())
        })?;
        let shown = path.display();
        let recap = Recap::of(&lines).ok_or_else(|| {
            Failure::usage(format!(
                "the journal `{shown}` has no whole line: its run had begun nothing"
            ))
            .help("run `charter apply` on the files or the plan again")
        })?;
        let origin = recap.begin.origin.clone().ok_or_else(|| {
            Failure::usage(format!("the journal `{shown}` does not say what was applied"))
                .help("run `charter plan`: it shows what is left")
        })?;
        let known = form(origin.of);
        if origin.form != known {
            let (sort, version) = (noun(origin.of), &recap.begin.charter_version);
            return Err(Failure::usage(format!(
                "the journal `{shown}` is of a run on {sort} of version {}, and this charter reads {known}",
                origin.form
            ))
            .help(format!("use the charter that wrote it, {version}, or run `charter plan`: it shows what is left")));
        }
        Ok(Self { path: path.to_owned(), recap, origin })
    }

    /// The journal's path, for the journal that comes after it.
    pub(super) fn path(&self) -> String {
        absolute(&self.path)
    }

    /// What is to be applied: the same, narrowed in the same way; `given` says where it is now.
    pub(super) fn asked(
        &self,
        given: Option<&Path>,
        narrow: &Narrow,
        applied: &LastApplied,
    ) -> Result<Asked, Failure> {
        let Origin { of, path, only, rev, last_applied, base_rev, base_path, .. } = &self.origin;
        let moved = |path: &str, how: &str| {
            let journal = self.path.display();
            Failure::usage(format!(
                "the journal `{journal}` is of a run on `{path}`, which is not there"
            ))
            .help(how)
        };
        if given.is_none() && rev.is_none() && !Path::new(path).exists() {
            return Err(moved(path, "say where it is now: `charter apply PATH --resume JOURNAL`"));
        }
        if let Some(base) = base_path.as_ref().filter(|base| !Path::new(base).exists()) {
            return Err(moved(
                base,
                "put the base back there, or run `charter apply` with `--base-path`",
            ));
        }
        let only = only.iter().map(|only| Only::parse(only)).collect::<Result<_, _>>();
        let only = only.map_err(|error| {
            Failure::usage(format!("`--only` in the journal `{}`: {error}", self.path.display()))
                .help("run `charter apply` with the `--only` that is meant")
        })?;
        Ok(Asked {
            path: given.unwrap_or(Path::new(path)).to_owned(),
            form: match (given, of) {
                // What was given in its place is looked at, so that what it is can be said.
                (Some(given), _) if rev.is_none() => form_of(given)?,
                (_, Applied::Files) => Form::Files,
                (_, Applied::Plan) => Form::Plan,
            },
            rev: rev.clone(),
            choices: Choices { only, ..Choices::from(narrow) },
            against: Against {
                base_rev: base_rev.clone(),
                base_path: base_path.as_ref().map(PathBuf::from),
            },
            // It holds as before, wherever it is now.
            applied: LastApplied {
                last_applied: applied
                    .last_applied
                    .clone()
                    .or_else(|| last_applied.as_ref().map(PathBuf::from)),
            },
        })
    }

    /// Refuses anything but what the run was about.
    pub(super) fn check(&self, source: &Source, asked: &Asked) -> Result<(), Failure> {
        let (journal, path) = (self.path.display(), asked.path.display());
        let refused = |message: String| {
            Err(Failure::refused(message).help(
                "give the journal what its run was about, or run `charter plan`: it shows what is left",
            ))
        };
        let (was, is) = (self.origin.of, source.sort());
        if was != is {
            let (was, is) = (noun(was), noun(is));
            return refused(format!(
                "the journal `{journal}` is of a run on {was}, and `{path}` is {is}"
            ));
        }
        let was = &self.recap.begin.organization;
        let pin = source.organization();
        if let Some(is) = pin.id.filter(|id| **id != **was) {
            return refused(format!(
                "the journal `{journal}` is of a run on the organization `{was}`, and `{path}` is for `{is}`"
            ));
        }
        if let Source::Saved(plan) = source
            && plan_digest(plan)? != self.origin.plan_digest
        {
            return refused(format!("`{path}` is not the plan that the journal `{journal}` is of"));
        }
        Ok(())
    }

    /// Looks at what the run left open, says what became of everything, and gives the steps that are done.
    pub(super) async fn look(
        &mut self,
        connection: &Connection,
        pin: &OrganizationPin,
        ui: &Ui,
    ) -> Result<Vec<DoneBefore>, Failure> {
        if !self.recap.unclear.is_empty() {
            let info = prepare::identified(connection, pin).await?;
            let wait = self.recap.settles_in(connection.clock.now());
            if !wait.is_zero() {
                ui.say(&format!(
                    "waiting {} s: a call may be under way that makes something\n",
                    wait.as_secs() + 1
                ));
                connection.clock.sleep(wait).await;
            }
            let scope = self.recap.scope();
            let live = prepare::look(connection, &info, &scope, connection.clock.now()).await?;
            self.recap.look(&live);
        }
        ui.data(&recap(&self.recap, &self.path, ui.width))?;
        Ok(self.recap.done_steps())
    }
}

fn noun(of: Applied) -> &'static str {
    match of {
        Applied::Files => "files",
        Applied::Plan => "a saved plan",
    }
}
