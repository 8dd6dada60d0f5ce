//! `charter sandbox`: serves a fake organization on loopback until it is stopped.
//!
//! Invariant: nothing outside this machine can reach it, and nothing of it is kept.

use jiff::Timestamp;

use crate::{
    cli::{
        Shell,
        args::Sandbox,
        connect,
        failure::{Exit, Failure},
    },
    sandbox::{Clock, Organization, Server, State},
};

pub(in crate::cli) async fn run(args: &Sandbox, shell: Shell<'_>) -> Result<Exit, Failure> {
    let Shell { ui, signals, .. } = shell;
    let Sandbox { seed, listen } = args;
    let state = match seed {
        Some(path) => connect::seed(path)?,
        None => {
            let mut state = State::empty(Organization::default());
            state.clock = Clock::running(Timestamp::now());
            state
        }
    };
    let server = Server::start(state, *listen).await.map_err(|error| {
        Failure::usage(format!("cannot listen on `{listen}`: {error}"))
            .help("give a loopback address and a free port, such as 127.0.0.1:0")
    })?;
    let (url, key) = (server.base_url(), server.sandbox().admin_key());
    // The official SDKs read `ANTHROPIC_API_KEY`, and no variable that names an Admin key.
    ui.data(&format!(
        "export ANTHROPIC_BASE_URL={url}\nexport ANTHROPIC_ADMIN_KEY={key}\nexport ANTHROPIC_API_KEY={key}\n"
    ))?;
    ui.say(
        "\
a fake organization listens there; stop it with Ctrl-C
what happens outside the Admin API:
  GET  /_sandbox/state   the organization, as a file for --seed or --sandbox=
  GET  /_sandbox/log     the requests so far
  GET  /_sandbox/clock   its time
  POST /_sandbox/accept  accept an invite: {\"invite\": \"ada@acme.com\"}, or all: {}
  POST /_sandbox/clock   move the clock: {\"seconds\": 86400} or {\"to\": \"2027-01-01T00:00:00Z\"}
  POST /_sandbox/edit    change something in the Console: {\"do\": \"set_role\", \"user\": …, \"role\": …}
",
    );
    signals.stop().asked().await;
    server.stop().await;
    Ok(Exit::Done)
}
