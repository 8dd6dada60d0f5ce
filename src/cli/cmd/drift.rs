//! `charter drift`: a plan that nobody asked for, with another exit code.
//!
//! Invariant: changes nothing, and shows everything, whatever it fails on.

use std::collections::BTreeSet;

use crate::{
    cli::{
        args::{Drift, FailOn, Format, Global},
        cmd,
        failure::{Exit, Failure},
        prepare::{self, Choices, Files},
        ui::Ui,
    },
    plan::Plan,
    render::style::{BOLD, paint},
};

pub(in crate::cli) async fn run(args: &Drift, global: &Global, ui: &Ui) -> Result<Exit, Failure> {
    let Drift { files, fail_on, format } = args;
    let files = Files::read(&files.path)?;
    let connection = prepare::connect(global, &files).await?;
    let wishes = files.wishes(connection.now);
    let lapsed = wishes.desired.scope.ignore.iter().filter(|ignore| ignore.expired).count();
    let plan = prepare::make(&connection, wishes, &Choices::default(), connection.now).await?;
    cmd::plan::show(&plan, &files.sources, *format, ui)?;

    let chosen: BTreeSet<FailOn> = fail_on.iter().copied().collect();
    let mut found: Vec<String> = chosen.iter().filter_map(|what| differs(*what, &plan)).collect();
    if lapsed > 0 {
        found.push(format!("{lapsed} past the `until` of `manage.ignore`"));
    }
    let text = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
    let line = format!("{} {text}\n", paint(BOLD, "drift:"));
    match format {
        Format::Text => ui.data(&line)?,
        Format::Json => ui.say(&line),
    }
    Ok(if found.is_empty() { Exit::Done } else { Exit::Changes })
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
