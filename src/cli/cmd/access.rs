//! `charter access`: who can do what, live or as the files want it.
//!
//! Invariant: with `--offline` no network is touched; nothing is written either way.

use globset::{GlobBuilder, GlobMatcher};
use jiff::Timestamp;

use crate::{
    access::report::report,
    cli::{
        Shell,
        args::{Access, Format, Global},
        connect::{Connection, warn_of_token_cache},
        failure::{Exit, Failure},
        prepare::{self, Files},
        ui::Ui,
    },
    diagnostic::did_you_mean,
    glob::{Of, misplaced_stars},
    plan::{bind::bind, compare::standing_of},
    render::{self, json::json},
    resource::{Desired, OrgKind, Snapshot, read_scope::ReadScope},
};

pub(in crate::cli) async fn run(args: &Access, shell: Shell<'_>) -> Result<Exit, Failure> {
    shell.signals.unless_stopped(Box::pin(shown(args, shell))).await
}

async fn shown(args: &Access, shell: Shell<'_>) -> Result<Exit, Failure> {
    let Shell { global, ui, .. } = shell;
    let Access { who, offline, path, kind, format } = args;
    let pattern = who.as_deref().map(matcher).transpose()?;
    let (snapshot, organization) = if *offline {
        let files = Files::read(path)?;
        let id = files.organization().id.map(|id| id.to_string());
        (standing_of(&files.wishes(Timestamp::now()).desired), id)
    } else {
        live(global, kind.map(Into::into), ui).await?
    };
    let mut found = report(&snapshot, organization, pattern.as_ref());
    if *offline {
        // The ids that stand in for live ones mean nothing to anybody.
        found.workspaces.iter_mut().for_each(|row| row.id = None);
    }
    match format {
        Format::Text => ui.data(&render::access::access(&found, ui.width))?,
        Format::Json => {
            let text = json(&found).map_err(|error| {
                Failure::failed(format!("cannot write the report as JSON: {error}"))
            })?;
            ui.data(&text)?;
        }
    }
    if let (true, Some(who)) = (found.people.is_empty(), who) {
        let everybody = report(&snapshot, None, None);
        let near = did_you_mean(who, everybody.people.iter().map(|row| row.email.as_str()));
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        ui.say(&render::clean::clean(&format!("nobody matches `{who}`{near}")));
        ui.say("\n");
    }
    Ok(Exit::Done)
}

async fn live(
    global: &Global,
    kind: Option<OrgKind>,
    ui: &Ui,
) -> Result<(Snapshot, Option<String>), Failure> {
    let pin = prepare::unpinned(kind.unwrap_or_default());
    let connection = Connection::open(global, &pin, None, std::sync::Arc::default()).await?;
    let info = prepare::identified(&connection, &pin).await?;
    let scope = |kind| ReadScope { api_keys: false, ..ReadScope::all_of(kind) };
    let (live, _) = prepare::look_around(&connection, &info, kind, scope, ui).await?;
    warn_of_token_cache(&connection.client, ui);
    let name = match &info.name {
        Some(name) => format!("{name} {}", info.id),
        None => info.id.to_string(),
    };
    Ok((bind(&Desired::default(), &live).live, Some(name)))
}

/// Matches addresses in canonical form.
fn matcher(who: &str) -> Result<GlobMatcher, Failure> {
    if let Some(meant) = misplaced_stars(who, Of::Names) {
        return Err(Failure::usage(format!("`**` in `{who}` is not a whole part of the pattern"))
            .help(format!("write '{meant}'")));
    }
    GlobBuilder::new(&who.trim().to_ascii_lowercase())
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| {
            Failure::usage(format!("`{who}` is no pattern: {error}"))
                .help("give an address, or a pattern such as '*@acme.com'")
        })
}
