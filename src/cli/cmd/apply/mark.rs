//! The record of what was applied last: whether this run may move it on, and moving it.
//!
//! Invariant: it moves only to a commit whose files were applied whole, with nothing that the commit does not carry, and
//! that comes after the one it names.

use std::{collections::BTreeMap, path::PathBuf};

use super::source::{Asked, Source};
use crate::{
    cli::{
        failure::{Exit, Failure},
        held,
        replace::{Reader, refuse_foreign, replace},
        ui::Ui,
    },
    config::revision::short,
    plan::{Plan, record::Record, step::Revision},
    render::clean::clean,
    resource::desired::GuardName,
};

/// A record, and what this run has to do with it.
pub(super) struct Mark {
    file: PathBuf,
    key: Vec<u8>,
    organization: String,
    before: Option<Record>,
    revision: Option<Revision>,
    /// Why this run is no whole apply.
    part: Option<&'static str>,
    /// Guards that the commit says may be passed, with their counts.
    carried: BTreeMap<GuardName, u64>,
}

impl Mark {
    /// Looks at the record before anything is done; `None`: no record is asked for. A saved plan has to have been held
    /// against what the record says.
    pub(super) fn read(
        asked: &Asked,
        source: &Source,
        carried: BTreeMap<GuardName, u64>,
        resumes: bool,
        ui: &Ui,
    ) -> Result<Option<Self>, Failure> {
        let Some(file) = asked.applied.last_applied.clone() else {
            if let Source::Saved(plan) = source
                && let Some(last) = &plan.last_applied
            {
                ui.say(&format!(
                    "the plan was held against a record, and `--last-applied` is not given: the record stays at {}\n",
                    short(&last.commit)
                ));
            }
            return Ok(None);
        };
        refuse_foreign(&file, "the record of what was applied last", is_record)?;
        let key = held::key()?;
        let organization = source.organization().id.unwrap_or_default().to_string();
        let (before, revision) = match source {
            Source::Files(_, held) => (held.record().cloned(), held.revision.clone()),
            Source::Saved(plan) => {
                let path = plan.revision.as_ref().map_or("", |revision| &revision.path);
                let before = held::read(&file, &key, &organization, path)?;
                same_as_planned(plan, before.as_ref())?;
                (before, plan.revision.clone())
            }
        };
        let narrowed = match source {
            Source::Files(..) => !asked.choices.only.is_empty(),
            Source::Saved(plan) => !plan.only.is_empty(),
        };
        let part = if narrowed {
            Some("`--only` applied a part")
        } else {
            resumes.then_some("a run that was resumed is no whole apply; the next one moves it")
        };
        Ok(Some(Self { file, key, organization, before, revision, part, carried }))
    }

    /// Refuses if another run has moved the record since it was read.
    pub(super) fn still_holds(&self) -> Result<(), Failure> {
        let Self { file, key, organization, before, revision, .. } = self;
        let path = revision.as_ref().map_or("", |revision| &revision.path);
        let now = match revision {
            Some(_) => held::read(file, key, organization, path)?,
            // It was read for files that no commit has: nothing is written by this run.
            None => return Ok(()),
        };
        if now == *before {
            return Ok(());
        }
        Err(Failure::refused(
            "the plan is stale: another run has moved the record of what was applied last since it was made",
        )
        .help("run it again: a new plan is held against what was applied"))
    }

    /// Moves the record on, or says why it stays.
    pub(super) fn move_on(
        &self,
        plan: &Plan,
        exit: Exit,
        is_sandbox: bool,
        ui: &Ui,
    ) -> Result<(), Failure> {
        let Self { file, key, organization, before, revision, .. } = self;
        // Never over what another run has written: it would move back.
        let moved = || {
            let moved = self.still_holds().is_err();
            moved.then(|| "another run has written it meanwhile".to_owned())
        };
        let revision = match (self.stays(plan, exit, is_sandbox).or_else(moved), revision) {
            (None, Some(revision)) => revision,
            (why, _) => {
                let why = why.unwrap_or_else(|| {
                    "the files are not those of one commit, so none can be named".to_owned()
                });
                let stays = match before {
                    None => "no record of what was applied last is written".to_owned(),
                    Some(before) => format!(
                        "the record of what was applied last stays at {}",
                        short(&before.commit)
                    ),
                };
                ui.say(&format!("{stays}: {why}\n"));
                return Ok(());
            }
        };
        let Revision { commit, path } = revision;
        let failed = |error| Failure::failed(format!("cannot write the record: {error}"));
        let next = Record::new(organization, path, commit, plan.created_at);
        refuse_foreign(file, "the record of what was applied last", is_record)?;
        replace(file, &next.sealed(key).map_err(failed)?, Reader::Owner)?;
        ui.say(&format!(
            "applied last is {} now: `{}` says so\n",
            short(commit),
            clean(&file.display().to_string())
        ));
        Ok(())
    }

    /// Why the record stays.
    fn stays(&self, plan: &Plan, exit: Exit, is_sandbox: bool) -> Option<String> {
        let allowed = plan.guards.iter().find(|result| {
            result.allowed && self.carried.get(&result.guard) != Some(&result.count)
        });
        if exit != Exit::Done {
            Some("not everything was applied".to_owned())
        } else if let Some(part) = self.part {
            Some(part.to_owned())
        } else if is_sandbox {
            Some("a sandbox is not the organization".to_owned())
        } else {
            allowed.map(|result| {
                let (guard, count) = (result.guard.as_str(), result.count);
                format!(
                    "`--allow {guard}={count}` is not in the message of the commit (`Charter-Allow: {guard}={count}`); the \
                     next apply without it moves it"
                )
            })
        }
    }
}

/// Refuses a plan that was held against something else than what was applied last.
fn same_as_planned(plan: &Plan, now: Option<&Record>) -> Result<(), Failure> {
    let then = plan.last_applied.as_ref().map(|last| &last.commit);
    let now = now.map(|record| &record.commit);
    if then == now {
        return Ok(());
    }
    let named = |commit: Option<&String>| {
        commit.map_or_else(|| "nothing".to_owned(), |commit| short(commit).to_owned())
    };
    Err(Failure::refused(format!(
        "the plan is stale: it was held against {} as applied last, and that is {} now",
        named(then),
        named(now)
    ))
    .help("make a new plan with the record as it is now (`charter plan --last-applied FILE`), review it, and apply that"))
}

fn is_record(bytes: &[u8]) -> bool {
    let value: Result<serde_json::Value, _> = serde_json::from_slice(bytes);
    bytes.trim_ascii().is_empty()
        || value
            .is_ok_and(|value| value.get("commit").is_some() && value.get("planned_at").is_some())
}
