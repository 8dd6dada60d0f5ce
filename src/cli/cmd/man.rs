//! `charter man`: the manual pages.
//!
//! Invariant: made from the command line's own definition; nothing but such pages is replaced.

use std::{fs, path::Path};

use clap::CommandFactory as _;
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
            let mut page = Vec::new();
            Page::new(Cli::command())
                .render(&mut page)
                .map_err(|error| Failure::failed(format!("cannot write the page: {error}")))?;
            ui.data(&String::from_utf8_lossy(&page))?;
        }
        Some(folder) => {
            write_all(folder)?;
            ui.say(&format!("the pages are in {}\n", folder.display()));
        }
    }
    Ok(Exit::Done)
}

fn write_all(folder: &Path) -> Result<(), Failure> {
    let unwritable = |error: std::io::Error| Failure::file("write to", folder, &error);
    let made = tempfile::tempdir().map_err(unwritable)?;
    clap_mangen::generate_to(Cli::command(), made.path()).map_err(unwritable)?;
    let mut pages = Vec::new();
    for entry in fs::read_dir(made.path()).map_err(unwritable)? {
        let entry = entry.map_err(unwritable)?;
        let text = fs::read_to_string(entry.path()).map_err(unwritable)?;
        pages.push((folder.join(entry.file_name()), text));
    }
    fs::create_dir_all(folder).map_err(unwritable)?;
    // All or none of them.
    for (path, _) in &pages {
        refuse_foreign(path, "a manual page of charter", is_page)?;
    }
    pages.iter().try_for_each(|(path, text)| replace(path, text, Reader::Anybody))
}

/// As every page begins that is made here.
fn is_page(bytes: &[u8]) -> bool {
    bytes.starts_with(b".ie \\n(.g .ds Aq \\(aq")
}
