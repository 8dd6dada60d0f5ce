//! What is applied: files that are planned now, or a plan saved before, and how either is named in a journal.
//!
//! Invariant: a saved plan is applied as it was saved, or refused; only steps that are done already are left out.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    apply::journal::{Applied, DoneBefore, Origin},
    cli::{
        approval::{check_age, check_seal, seal_key},
        args::{
            Apply,
            review::{Against, LastApplied, What},
        },
        connect::Connection,
        failure::Failure,
        held::{self, Held},
        prepare::{self, Choices, Files, Wanted},
        revision,
    },
    config::document,
    diagnostic::Sources,
    plan::{
        Only, Plan, again,
        rest::{digest, rest},
        seal, stale,
        step::{self, Revision},
    },
    render::json::{PlanError, is_plan, may_be_files, read_plan},
    resource::desired::OrganizationPin,
};

/// What to apply, and how much of it.
pub(super) struct Asked {
    /// A file, a folder or a saved plan.
    pub(super) path: PathBuf,
    /// Which of them it has to be.
    pub(super) form: Form,
    /// The revision that the files are read from.
    pub(super) rev: Option<String>,
    /// What narrows it.
    pub(super) choices: Choices,
    /// What it is held against.
    pub(super) against: Against,
    /// The record of what was applied last.
    pub(super) applied: LastApplied,
}

/// What somebody said that they apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Nothing: what is there tells.
    Any,
    /// A saved plan.
    Plan,
    /// Files.
    Files,
}

impl Asked {
    /// As the command line says; one of a fleet is always files.
    pub(super) fn new(path: &Path, args: &Apply, one_of_several: bool) -> Self {
        let Apply { what: What { plan, rev, files }, narrow, against, applied, .. } = args;
        let form = match plan {
            Some(_) => Form::Plan,
            None if *files || rev.is_some() || one_of_several => Form::Files,
            None => Form::Any,
        };
        Self {
            path: plan.as_deref().unwrap_or(path).to_owned(),
            form,
            rev: rev.clone(),
            choices: Choices::from(narrow),
            against: against.clone(),
            applied: applied.clone(),
        }
    }

    /// The same, of what is there: a journal tells that it was asked for once.
    pub(super) fn found(self) -> Result<Self, Failure> {
        let form = form_of(&self.path)?;
        Ok(Self { form: if self.form == Form::Any { form } else { self.form }, ..self })
    }
}

/// What lies at a path.
pub(super) fn form_of(path: &Path) -> Result<Form, Failure> {
    Ok(if saved(path, Form::Any)?.is_some() { Form::Plan } else { Form::Files })
}

/// What is applied.
pub(super) enum Source {
    /// Files, planned now, and held against others if asked.
    Files(Box<Files>, Box<Held>),
    /// A plan made before.
    Saved(Box<Plan>),
}

impl Source {
    /// Reads it; `files` is called before that takes a while.
    pub(super) fn read(asked: &Asked, files: &dyn Fn()) -> Result<Self, Failure> {
        let Asked { path, form, rev, choices, against, applied } = asked;
        match saved(path, *form)? {
            Some(text) => {
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
            None => {
                if *form == Form::Any && seal_key()?.is_some() {
                    return Err(not_asked_for(path));
                }
                files();
                let files = revision::read(path, rev.as_deref())?;
                if files.organization().id.is_none() {
                    return Err(unpinned("…"));
                }
                let at = held::Place { path, rev: rev.as_deref() };
                let held = Held::read(against, applied, at, &files)?;
                Ok(Source::Files(Box::new(files), Box::new(held)))
            }
        }
    }

    /// The path whose repository judges it: of a saved plan, that of the current folder, wherever the plan lies.
    pub(super) fn place<'a>(&self, asked: &'a Asked) -> &'a Path {
        match self {
            Source::Files(..) => &asked.path,
            Source::Saved(_) => Path::new("."),
        }
    }

    /// The commit that says what is applied.
    pub(super) fn revision(&self) -> Option<&Revision> {
        match self {
            Source::Files(_, held) => held.revision.as_ref(),
            Source::Saved(plan) => plan.revision.as_ref(),
        }
    }

    /// The organization it is for.
    pub(super) fn organization(&self) -> OrganizationPin {
        match self {
            Source::Files(files, _) => files.organization(),
            Source::Saved(plan) => OrganizationPin {
                id: Some(plan.organization.id.as_str().into()),
                kind: plan.organization.kind,
                span: None,
            },
        }
    }

    /// The plan; of a saved one without the steps that are done.
    pub(super) async fn plan(
        &self,
        connection: &Connection,
        choices: &Choices,
        done: &[DoneBefore],
    ) -> Result<(Plan, &Sources), Failure> {
        static NONE: Sources = Sources(std::collections::BTreeMap::new());
        match self {
            Source::Files(files, held) => {
                let wanted = Wanted { files, held, now: connection.now };
                let plan = prepare::make(connection, wanted, choices).await?;
                Ok((plan, &files.sources))
            }
            Source::Saved(plan) => {
                let mut plan = (**plan).clone();
                rest(&mut plan, done.iter().map(|it| (&*it.address, it.verb, it.id.as_ref())));
                let plan = still_holds(plan, self.organization(), connection, choices).await?;
                Ok((plan, &NONE))
            }
        }
    }

    /// Which of the two it is.
    pub(super) fn sort(&self) -> Applied {
        match self {
            Source::Files(..) => Applied::Files,
            Source::Saved(_) => Applied::Plan,
        }
    }

    /// What a journal says of it; `plan` is the one that is carried out.
    pub(super) fn origin(&self, asked: &Asked, plan: &Plan) -> Result<Origin, Failure> {
        let Asked { path, choices, against: Against { base_rev, base_path }, applied, rev, .. } =
            asked;
        let whole = match self {
            Source::Files(..) => plan,
            Source::Saved(saved) => saved,
        };
        Ok(Origin {
            of: self.sort(),
            path: absolute(path),
            form: form(self.sort()),
            plan_digest: plan_digest(whole)?,
            only: choices.only.iter().map(Only::as_written).map(str::to_owned).collect(),
            // The commit that it was: `HEAD` moves.
            rev: match (rev, self.revision()) {
                (Some(_), Some(revision)) => Some(revision.commit.clone()),
                _ => None,
            },
            last_applied: applied.last_applied.as_deref().map(absolute),
            base_rev: base_rev.clone(),
            base_path: base_path.as_deref().map(absolute),
            resumes: None,
            done: Vec::new(),
        })
    }
}

/// The version of a form that this charter reads.
pub(super) fn form(of: Applied) -> u32 {
    match of {
        Applied::Files => document::VERSION,
        Applied::Plan => step::FORMAT_VERSION,
    }
}

/// The digest that a plan is known by in journals.
pub(super) fn plan_digest(plan: &Plan) -> Result<String, Failure> {
    digest(plan).map_err(|error| Failure::failed(format!("cannot write the plan as JSON: {error}")))
}

/// A path that means the same wherever charter runs next.
pub(super) fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// The text of a saved plan; `None`: it is files that are to be applied.
fn saved(path: &Path, form: Form) -> Result<Option<String>, Failure> {
    let read = || fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error));
    let extension = path.extension().is_some_and(|extension| extension == "json");
    match form {
        Form::Plan if !path.is_file() => Err(Failure::usage(format!(
            "`{}` is no regular file, so it is no saved plan",
            path.display()
        ))
        .help("give the file that `charter plan --out` wrote")),
        Form::Plan => read().map(Some),
        Form::Any if path.is_file() && (extension || begins_like_json(path)) => {
            let text = read()?;
            // Where plans are sealed, nothing else passes for one by what it holds.
            let is_one =
                is_plan(&text) || (extension && (!may_be_files(&text) || seal_key()?.is_some()));
            Ok(is_one.then_some(text))
        }
        Form::Any | Form::Files => Ok(None),
    }
}

/// Whoever seals plans applies nothing else by mistake.
fn not_asked_for(path: &Path) -> Failure {
    Failure::refused(format!(
        "`{}` is no saved plan, and `{}` is set: nothing else is applied unless it is asked for",
        path.display(),
        seal::VARIABLE
    ))
    .help("give the plan with `--plan FILE`; to apply files, say so with `--files`, or with `--rev REV` for those of a commit")
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
    let mut facts = stale::stale_facts(&plan, &live);
    facts.extend(again::new_keys(&plan, &live));
    if !facts.is_empty() {
        let list: Vec<&str> = facts.iter().map(|fact| fact.message.as_str()).collect();
        return Err(Failure::refused(format!("the plan is stale: {}", list.join("; ")))
            .help("make a new plan, review it, and apply that"));
    }
    again::judge_again(&mut plan, &live, &choices.allow);
    plan.observed = connection.observed();
    Ok(plan)
}
