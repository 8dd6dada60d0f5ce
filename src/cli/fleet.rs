//! A command for every organization of a fleet: many at once, shown one after the other.
//!
//! Invariant: what becomes of one organization changes nothing for another; their output is shown in the order of the
//! file, each in one piece, and the exit code is the gravest of all.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use serde_json::{Value, json};

use super::{
    args::{self, Global},
    failure::{Exit, Failure},
    format::ReviewFormat,
    target::Target,
    ui::{Kept, Ui},
};
use crate::{
    config::fleet::{self, Organization},
    render::{
        fleet::{Row, heading, summary},
        json::json as printed,
    },
};

/// Organizations that are worked on at once: each mostly waits for its own budget of requests.
const AT_ONCE: usize = 16;

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
        let organizations = fleet::load(path, *shard)?;
        let as_json = format == ReviewFormat::Json;
        Ok(Some(Self { organizations, command, as_json, folders_shown: !redact }))
    }

    /// Runs a command for each organization.
    pub(super) async fn run(
        &self,
        global: &Global,
        ui: &Ui,
        command: impl AsyncFn(&Target<'_>) -> Result<Exit, Failure>,
    ) -> Result<Exit, Failure> {
        let mut shown = Shown { fleet: self, ui, sections: Vec::new(), broken: None };
        let one = async |organization| {
            let target = Target::of_fleet(organization, global, ui);
            let ended = command(&target).await;
            (organization, target, ended)
        };
        in_order(&self.organizations, one, |(organization, target, ended)| {
            shown.section(organization, &target, ended);
        })
        .await;
        shown.end()
    }
}

/// What is shown of a fleet.
struct Shown<'a> {
    fleet: &'a Fleet,
    ui: &'a Ui,
    sections: Vec<Section<'a>>,
    /// Why the results cannot be written.
    broken: Option<Failure>,
}

/// What became of one organization.
struct Section<'a> {
    row: Row<'a>,
    exit: Exit,
    /// For JSON.
    value: Value,
}

impl<'a> Shown<'a> {
    /// Shows what became of one organization. That it cannot be shown stops none of the others.
    fn section(
        &mut self,
        organization: &'a Organization,
        target: &Target<'_>,
        ended: Result<Exit, Failure>,
    ) {
        let Organization { id, folder, credential: _ } = organization;
        let folder = folder.to_str().filter(|_| self.fleet.folders_shown);
        let exit = ended.as_ref().map_or_else(Failure::exit, |exit| *exit);
        let row = Row {
            id,
            folder,
            counts: target.counts(),
            tally: None,
            result: exit.word(),
            exit: exit as u8,
        };
        let mut kept = target.ui.take();
        let mut value = Value::Null;
        if self.fleet.as_json {
            let result = kept.iter().filter_map(|one| match one {
                Kept::Data(text) => Some(&**text),
                Kept::Talk(_) => None,
            });
            value = json!({
                "id": id,
                "folder": folder,
                "exit_code": row.exit,
                "counts": row.counts,
                "plan": serde_json::from_str::<Value>(&result.collect::<String>()).ok(),
                "error": ended.as_ref().err().map(told),
            });
            kept.retain(|one| matches!(one, Kept::Talk(_)));
        } else {
            let gap = if self.sections.is_empty() { "" } else { "\n" };
            kept.insert(0, Kept::Data(format!("{gap}{}", heading(id, folder))));
        }
        if let Err(failure) = self.ui.show(&kept) {
            self.broken.get_or_insert(failure);
        }
        if let Err(failure) = ended {
            self.ui.failure(&failure.of(folder.unwrap_or(id)));
        }
        self.sections.push(Section { row, exit, value });
    }

    /// Shows the sum, and gives the gravest exit code.
    fn end(self) -> Result<Exit, Failure> {
        let Self { fleet, ui, sections, broken } = self;
        let exit = sections.iter().fold(Exit::Done, |exit, section| exit.worst(section.exit));
        if let Some(failure) = broken {
            return Err(failure);
        }
        if fleet.as_json {
            let values: Vec<Value> = sections.into_iter().map(|section| section.value).collect();
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
            let rows: Vec<Row<'_>> = sections.into_iter().map(|section| section.row).collect();
            let gap = if rows.is_empty() { "" } else { "\n" };
            let applied = fleet.command == "apply";
            ui.data(&format!("{gap}{}", summary(&rows, applied, exit as u8)))?;
        }
        Ok(exit)
    }
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
