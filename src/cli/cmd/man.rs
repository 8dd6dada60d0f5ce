//! `charter man`: the manual pages.
//!
//! Invariant: made from the command line's own definition; nothing but such pages is replaced.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Command, CommandFactory as _};
use clap_mangen::Man as Page;

use crate::cli::{
    args::{Cli, Man},
    failure::{Exit, Failure},
    replace::{Reader, refuse_foreign, replace},
    ui::Ui,
};

pub(in crate::cli) fn run(args: &Man, ui: &Ui) -> Result<Exit, Failure> {
    match &args.out {
        None => {
            ui.data(&text(&page(Cli::command()))?)?;
        }
        Some(folder) => {
            write_all(folder)?;
            ui.say(&format!("the pages are in {}\n", folder.display()));
        }
    }
    Ok(Exit::Done)
}

fn write_all(folder: &Path) -> Result<(), Failure> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    collect(&command, folder, &mut pages)?;
    fs::create_dir_all(folder).map_err(|error| Failure::file("write to", folder, &error))?;
    // All or none of them.
    for (path, _) in &pages {
        refuse_foreign(path, "a manual page of charter", is_page)?;
    }
    pages.iter().try_for_each(|(path, text)| replace(path, text, Reader::Anybody))
}

/// The page of a command, and those of what is below it.
fn collect(
    command: &Command,
    folder: &Path,
    pages: &mut Vec<(PathBuf, String)>,
) -> Result<(), Failure> {
    let page = page(command.clone());
    pages.push((folder.join(page.get_filename()), text(&page)?));
    let shown = command.get_subcommands().filter(|below| !below.is_hide_set());
    shown.into_iter().try_for_each(|below| collect(below, folder, pages))
}

/// The page of a command. The third place of its title is that of a date: an empty one would be taken by the version.
fn page(command: Command) -> Page {
    let version = concat!("charter ", env!("CARGO_PKG_VERSION"));
    Page::new(command).date(" ").source(version).manual("charter")
}

fn text(page: &Page) -> Result<String, Failure> {
    let mut text = Vec::new();
    page.render(&mut text)
        .map_err(|error| Failure::failed(format!("cannot write the page: {error}")))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// As every page begins that is made here.
fn is_page(bytes: &[u8]) -> bool {
    bytes.starts_with(b".ie \\n(.g .ds Aq \\(aq")
}
