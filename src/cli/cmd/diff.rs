//! `charter diff`: two files or folders, without network.
//!
//! Invariant: reads files and nothing else.

use jiff::Timestamp;

use crate::{
    cli::{
        args::Diff,
        failure::{Exit, Failure},
        prepare::Files,
        printer::Printer,
        ui::Ui,
    },
    plan::{compare::compare, rules::rules},
};

pub(in crate::cli) fn run(args: &Diff, ui: &Ui) -> Result<Exit, Failure> {
    let printer = Printer::new("diff", args.format, args.redact)?;
    compared(args, ui, &printer).map_err(|failure| printer.failed(failure, ui))
}

fn compared(args: &Diff, ui: &Ui, printer: &Printer) -> Result<Exit, Failure> {
    let Diff { old, new, format: _, redact: _ } = args;
    let (old, new) = (Files::read(old)?, Files::read(new)?);
    printer.learn_files(&old);
    printer.learn_files(&new);
    let now = Timestamp::now();
    let (wanted, notes) = (new.wishes(now).desired, new.wishes(now).notes);
    let compared = compare(&old.wishes(now).desired, &wanted);
    let rules = rules(old.document(), new.document(), &compared);
    printer.diff(&rules, &compared, &notes, &new.sources, ui)?;
    Ok(Exit::Done)
}
