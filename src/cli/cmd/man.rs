//! `charter man`: the manual pages.
//!
//! Invariant: made from the command line's own definition.

use std::fs;

use clap::CommandFactory as _;
use clap_mangen::Man as Page;

use crate::cli::{
    args::{Cli, Man},
    failure::{Exit, Failure},
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
            fs::create_dir_all(folder)
                .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
                .map_err(|error| Failure::file("write to", folder, &error))?;
            ui.say(&format!("the pages are in {}\n", folder.display()));
        }
    }
    Ok(Exit::Done)
}
