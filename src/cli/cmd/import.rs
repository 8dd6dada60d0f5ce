//! `charter import`: writes the live organization as a file that plans to nothing.
//!
//! Invariant: an existing file is never overwritten, and each listing is read once.

use std::{fs::OpenOptions, io::Write as _, path::Path};

use crate::{
    cli::{
        Shell,
        args::Import,
        connect::{Connection, warn_of_token_cache},
        failure::{Exit, Failure},
        prepare,
    },
    config::{raise::raise, write::write_with_header},
    diagnostic::Sources,
    render::clean::clean,
    resource::{OrgKind, read_scope::ReadScope},
};

pub(in crate::cli) async fn run(args: &Import, shell: Shell<'_>) -> Result<Exit, Failure> {
    shell.signals.unless_stopped(Box::pin(imported(args, shell))).await
}

async fn imported(args: &Import, shell: Shell<'_>) -> Result<Exit, Failure> {
    let Import { out, kind } = args;
    let Shell { global, ui, .. } = shell;
    if let Some(path) = out.as_deref().filter(|path| path.exists()) {
        return Err(exists(path));
    }
    let asked: Option<OrgKind> = kind.map(Into::into);
    let pin = prepare::unpinned(asked.unwrap_or_default());
    let connection = Connection::open(global, &pin, None, std::sync::Arc::default()).await?;
    let info = prepare::identified(&connection, &pin).await?;
    let (live, kind) =
        prepare::look_around(&connection, &info, asked, ReadScope::all_of, ui).await?;
    warn_of_token_cache(&connection.client, ui);
    let (document, found) = raise(&live, kind);
    let name = info.name.as_deref().unwrap_or(&info.id);
    let header = [
        format!(
            "{} as it was on {}, written by `charter import`",
            clean(name),
            prepare::day(connection.now)
        ),
        "everything in it is managed from here on: read `manage` at its end first".to_owned(),
    ];
    let text = write_with_header(&document, &header);
    match out {
        None => ui.data(&text)?,
        Some(path) => {
            create(path, &text)?;
            let path = clean(&path.display().to_string()).into_owned();
            ui.say(&format!("written to {path}; check it with `charter plan {path}`\n"));
        }
    }
    ui.findings(&found, &Sources::default());
    Ok(Exit::Done)
}

fn create(path: &Path, text: &str) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            exists(path)
        } else {
            Failure::file("write", path, &error)
        }
    })
}

fn exists(path: &Path) -> Failure {
    Failure::usage(format!("`{}` exists, and is not overwritten", path.display()))
        .help("give another file, or move it away")
}
