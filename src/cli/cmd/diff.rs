//! `charter diff`: two files or folders, or two revisions of one, without network.
//!
//! Invariant: reads files or objects of the repository, and nothing else; no credential is looked for.

use std::path::Path;

use jiff::Timestamp;

use crate::{
    cli::{
        args::{DEFAULT_PATH, review::Diff},
        failure::{Exit, Failure},
        prepare::Files,
        printer::Printer,
        revision,
        sides::Sides,
        ui::Ui,
    },
    plan::{compare::compare, rules::rules},
};

pub(in crate::cli) fn run(args: &Diff, ui: &Ui) -> Result<Exit, Failure> {
    let path = match (&args.new, &args.path) {
        (Some(new), None) => new,
        (_, Some(path)) => path,
        (None, None) => Path::new(DEFAULT_PATH),
    };
    let printer = Printer::new("diff", path, args.format, args.redact)?;
    compared(args, ui, &printer).map_err(|failure| printer.failed(failure, ui))
}

fn compared(args: &Diff, ui: &Ui, printer: &Printer) -> Result<Exit, Failure> {
    let Diff { old, new, path, format: _, redact: _ } = args;
    let (old, new, note) = match (new, path) {
        (Some(new), None) if is_range(old) && !old.exists() => {
            return Err(Failure::usage(format!("there is no file `{}`", old.display())).help(format!(
                "put `--` before the path to compare two revisions of it: `charter diff {} -- {}`",
                old.display(),
                new.display()
            )));
        }
        (Some(new), None) => (revision::earlier_at(old)?, Files::read(new)?, None),
        (new, path) => {
            let path = path.as_deref().unwrap_or(Path::new(DEFAULT_PATH));
            let new = new.as_deref().map(rev).transpose()?;
            let sides = Sides::find(rev(old)?, new, path)?;
            printer.learn_revision(Some(sides.earlier()));
            sides.read()?
        }
    };
    printer.learn_files(&new);
    printer.learn_files(&old);
    let now = Timestamp::now();
    let (wanted, mut notes) = (new.wishes(now).desired, new.wishes(now).notes);
    notes.splice(..0, note);
    let compared = compare(&old.wishes(now).desired, &wanted);
    let rules = rules(old.document(), new.document(), &compared);
    printer.diff(&rules, &compared, &notes, &new.sources, ui)?;
    Ok(Exit::Done)
}

/// Whether a text is two revisions, as in `main..HEAD`.
fn is_range(text: &Path) -> bool {
    text.to_str()
        .is_some_and(|text| text.contains("..") && !text.starts_with("..") && !text.contains("/.."))
}

fn rev(text: &Path) -> Result<&str, Failure> {
    text.to_str().ok_or_else(|| {
        Failure::usage(format!("`{}` is no revision", text.display()))
            .help("give two files or folders, or revisions as in `origin/main..HEAD`")
    })
}
