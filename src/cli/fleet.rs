//! A command for every organization of a fleet: many at once, shown one after the other.
//!
//! Invariant: what becomes of one organization changes nothing for another; their output is shown in the order of the
//! file, each in one piece, also after a stop; and the exit code is the gravest of all.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use serde_json::{Value, json};

use super::{
    args,
    failure::{Exit, Failure},
    format::ReviewFormat,
    session::Session,
    signals::Signals,
    target::Target,
    ui::{Kept, Ui},
};
use crate::{
    config::fleet::{self, Organization, Shard},
    render::{
        fleet::{Row, heading, summary},
        json::json as printed,
    },
};

/// Organizations that are worked on at once: each mostly waits for its own budget of requests.
const AT_ONCE: usize = 16;

/// The variable in which Kubernetes gives a pod of an indexed Job its number, from 0.
const JOB_INDEX: &str = "JOB_COMPLETION_INDEX";

/// Refuses the number of a pod for which there is no part. Part 0 is the last one, so one pod too many would read the part
/// of the first pod at the same time.
fn check_index(shard: Shard) -> Result<(), Failure> {
    let index = std::env::var(JOB_INDEX).ok().and_then(|index| index.parse().ok());
    if !index.is_some_and(|index| shard.is_beyond(index)) {
        return Ok(());
    }
    let parts = shard.parts();
    Err(Failure::usage(format!(
        "`--shard {shard}` is part 0/{parts} once more: this pod has the number {parts} of its Job (`{JOB_INDEX}`), and {parts} parts \
         have the numbers 0 to {}",
        parts - 1
    ))
    .help(format!(
        "set `completions` of the Job to {parts}, or the number of parts to the number of completions; \
         `deploy/kubernetes/kustomization.yaml` sets both in one place"
    )))
}

/// A fleet, and how its results are shown.
pub(super) struct Fleet {
    organizations: Vec<Organization>,
    command: &'static str,
    as_json: bool,
    /// Folders may be called as organizations are.
    folders_shown: bool,
}

impl Fleet {
    /// Reads the fleet that a command is for; `None`: it is for one organization. `single` are options that are set and
    /// mean one organization.
    pub(super) fn read(
        args: &args::fleet::Fleet,
        command: &'static str,
        format: ReviewFormat,
        redact: bool,
        single: &[(&str, bool)],
    ) -> Result<Option<Self>, Failure> {
        let args::fleet::Fleet { fleet: Some(path), shard } = args else { return Ok(None) };
        if let Some((option, _)) = single.iter().find(|(_, set)| *set) {
            return Err(Failure::usage(format!(
                "`{option}` is for one organization, and cannot be used with `--fleet`"
            ))
            .help(format!(
                "run `charter {command} FOLDER {option} …` for that organization, with its credential"
            )));
        }
        if !matches!(format, ReviewFormat::Text | ReviewFormat::Json) {
            return Err(Failure::usage(format!(
                "`--format {format}` shows one organization, and cannot be used with `--fleet`"
            ))
            .help("use `text` or `json`, or one job an organization, as `docs/fleet.md` shows"));
        }
        if let Some(shard) = shard {
            check_index(*shard)?;
        }
        let organizations = fleet::load(path, *shard)?;
        let as_json = format == ReviewFormat::Json;
        Ok(Some(Self { organizations, command, as_json, folders_shown: !redact }))
    }

    /// Runs a command for each organization.
    pub(super) async fn run(
        &self,
        session: &Session<'_>,
        command: impl AsyncFn(&Target<'_>) -> Result<Exit, Failure>,
    ) -> Result<Exit, Failure> {
        let signals = session.signals;
        let mut shown = self.shown(session);
        let run = async |target: &Target<'_>, ()| {
            signals.unless_stopped(command(target)).await.map(Reached::<()>::End)
        };
        let stopping =
            || session.ui.say("stopping: what is finished is shown, and nothing else is begun\n");
        signals.saying(stopping, shown.all(self.parts(session), run)).await;
        shown.end()
    }

    /// All of it, with nothing done yet.
    pub(super) fn parts<'a>(&'a self, session: &'a Session<'_>) -> Vec<Part<'a, ()>> {
        let target = |organization| Target::of_fleet(organization, session);
        let numbered = self.organizations.iter().enumerate();
        numbered.map(|(number, one)| Part { number, target: target(one), so_far: () }).collect()
    }

    /// What is shown of it: nothing yet.
    pub(super) fn shown<'a>(&'a self, session: &'a Session<'_>) -> Shown<'a> {
        let Session { ui, signals, .. } = session;
        Shown { fleet: self, ui, signals, ended: BTreeMap::new(), begun: false, broken: None }
    }
}

/// One organization, and what a command has for it so far.
pub(super) struct Part<'a, T> {
    number: usize,
    target: Target<'a>,
    /// What it has.
    pub(super) so_far: T,
}

impl<T> Part<'_, T> {
    /// Nothing more becomes of it.
    pub(super) fn ended(&self, exit: Exit) {
        self.target.ended(exit);
    }
}

/// How far a command has come for one organization.
pub(super) enum Reached<T> {
    /// To its end.
    End(Exit),
    /// So far, until something is decided for all.
    Pause(T),
}

/// What is shown of a fleet.
pub(super) struct Shown<'a> {
    fleet: &'a Fleet,
    ui: &'a Ui,
    signals: &'a Signals,
    ended: BTreeMap<usize, Ended<'a>>,
    /// Something stands there already.
    begun: bool,
    /// Why the results cannot be written.
    broken: Option<Failure>,
}

/// What became of one organization.
struct Ended<'a> {
    row: Row<'a>,
    exit: Exit,
    /// For JSON.
    value: Value,
}

impl<'a> Shown<'a> {
    /// Goes on with the organizations, as far as `run` goes, and gives back those for which there is more to do.
    pub(super) async fn all<T, U>(
        &mut self,
        parts: Vec<Part<'a, T>>,
        run: impl AsyncFn(&Target<'a>, T) -> Result<Reached<U>, Failure>,
    ) -> Vec<Part<'a, U>> {
        let mut paused = Vec::new();
        let signals = self.signals;
        let one = async |Part { number, target, so_far }| {
            if signals.stop().requested() {
                return (Part { number, target, so_far: () }, Err(signals.stopped()));
            }
            let reached = target.work(run(&target, so_far)).await;
            (Part { number, target, so_far: () }, reached)
        };
        in_order(parts, one, |(Part { number, target, .. }, reached)| {
            let ended = match reached {
                Ok(Reached::Pause(so_far)) => {
                    self.section(&target, None);
                    return paused.push(Part { number, target, so_far });
                }
                Ok(Reached::End(exit)) => Ok(exit),
                Err(failure) => Err(failure),
            };
            let ended = self.section(&target, Some(ended));
            self.ended.extend(ended.map(|ended| (number, ended)));
        })
        .await;
        paused
    }

    /// Notes that nothing more becomes of these, since somebody asked to stop.
    pub(super) fn not_begun<T>(&mut self, parts: Vec<Part<'a, T>>) {
        for Part { number, target, .. } in parts {
            let ended = self.section(&target, Some(Err(self.signals.stopped())));
            self.ended.extend(ended.map(|ended| (number, ended)));
        }
    }

    /// Shows what there is of one organization. That it cannot be shown stops none of the others.
    fn section(
        &mut self,
        target: &Target<'a>,
        ended: Option<Result<Exit, Failure>>,
    ) -> Option<Ended<'a>> {
        let Organization { id, folder, credential: _ } = target.organization()?;
        let folder = folder.to_str().filter(|_| self.fleet.folders_shown);
        let mut kept = target.ui.take();
        let mut result = String::new();
        if self.fleet.as_json {
            kept.retain(|one| match one {
                Kept::Data(text) => {
                    result.push_str(text);
                    false
                }
                Kept::Talk(_) => true,
            });
            if !kept.is_empty() {
                kept.insert(0, Kept::Talk(heading(id, folder)));
            }
        } else {
            let gap = if self.begun { "\n" } else { "" };
            // Of one that was not begun there is nothing to show but its row in the table.
            let stopped = matches!(&ended, Some(Err(failure)) if failure.exit().is_stop());
            if !(stopped && kept.is_empty()) {
                if self.ui.is_apart
                    && let Some(at) = kept.iter().position(|one| matches!(one, Kept::Talk(_)))
                {
                    // Whoever reads standard error alone has to know whom it is about.
                    kept.insert(at, Kept::Talk(heading(id, folder)));
                }
                kept.insert(0, Kept::Data(format!("{gap}{}", heading(id, folder))));
                self.begun = true;
            }
        }
        if let Err(failure) = self.ui.show(&kept) {
            self.broken.get_or_insert(failure);
        }
        let ended = ended?;
        let exit = ended.as_ref().map_or_else(Failure::exit, |exit| *exit);
        target.ended(exit);
        let (counts, tally) = (target.counts(), target.tally());
        // Of an apply that was told to stop while it read, nothing was begun either.
        let not_begun = self.fleet.command == "apply" || !target.was_begun();
        let word = if exit.is_stop() && not_begun { "not begun" } else { exit.word() };
        // Of one that was not begun nothing is done, and nothing has failed.
        let tally = tally.filter(|_| !exit.is_stop());
        let row = Row { id, folder, counts, tally, result: word, exit: exit as u8 };
        let value = json!({
            "id": id,
            "folder": folder,
            "exit_code": row.exit,
            "result": result_of(row.result),
            "counts": counts,
            "plan": serde_json::from_str::<Value>(&result).ok(),
            "error": ended.as_ref().err().map(told),
        });
        if let Some(failure) = ended.err().filter(|failure| !failure.exit().is_stop()) {
            self.ui.failure(&failure.of(folder.unwrap_or(id)));
        }
        Some(Ended { row, exit, value })
    }

    /// Shows the sum, and gives the gravest exit code.
    pub(super) fn end(self) -> Result<Exit, Failure> {
        let Self { fleet, ui, signals, ended, begun: _, broken } = self;
        let exit = ended.values().fold(Exit::Done, |exit, ended| exit.worst(ended.exit));
        if let Some(failure) = broken {
            return Err(failure);
        }
        if fleet.as_json {
            let values: Vec<Value> = ended.into_values().map(|ended| ended.value).collect();
            let value = json!({
                "format_version": 1,
                "command": fleet.command,
                "organizations": values,
                "exit_code": exit as u8,
            });
            let unwritable =
                |error| Failure::failed(format!("cannot write the result as JSON: {error}"));
            ui.data(&printed(&value).map_err(unwritable)?)?;
        } else {
            let stopped = ended.values().filter(|ended| ended.exit.is_stop()).count();
            let mut rows: Vec<Ended<'_>> = ended.into_values().collect();
            // What somebody has to look at comes first; else the order is that of the file.
            rows.sort_by_key(|ended| std::cmp::Reverse(ended.exit.gravity()));
            let rows: Vec<Row<'_>> = rows.into_iter().map(|ended| ended.row).collect();
            let gap = if rows.is_empty() { "" } else { "\n" };
            let applied = fleet.command == "apply";
            ui.data(&format!("{gap}{}", summary(&rows, applied, exit as u8)))?;
            if stopped > 0 {
                let organizations = if stopped == 1 { "organization" } else { "organizations" };
                ui.failure(
                    &signals
                        .stopped()
                        .of(&format!("{stopped} {organizations} of {}", rows.len()))
                        .help("run again to go on"),
                );
            }
        }
        Ok(exit)
    }
}

/// The word for a result, for JSON.
fn result_of(word: &str) -> String {
    word.replace(' ', "_")
}

/// Why there is no result, for JSON.
fn told(failure: &Failure) -> Value {
    match failure {
        Failure::Said { exit: _, message, help } => json!({"message": message, "help": help}),
        Failure::Files(rejected) => {
            json!({"message": "the files are wrong", "findings": rejected.diagnostics})
        }
    }
}

/// Runs a future for each item, so many at once, and hands the results on in the order of the items.
async fn in_order<T, R>(
    items: impl IntoIterator<Item = T>,
    run: impl AsyncFn(T) -> R,
    mut done: impl FnMut(R),
) {
    let (run, mut items) = (&run, items.into_iter().enumerate());
    let mut running = FuturesUnordered::new();
    let mut early = BTreeMap::new();
    let mut next = 0;
    loop {
        while running.len() < AT_ONCE
            && let Some((index, item)) = items.next()
        {
            running.push(async move { (index, run(item).await) });
        }
        let Some((index, result)) = running.next().await else { return };
        early.insert(index, result);
        while let Some(result) = early.remove(&next) {
            done(result);
            next += 1;
        }
    }
}
