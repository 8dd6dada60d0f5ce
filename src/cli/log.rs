//! The log on stderr: off unless `-v`, `--log-format json` or `CHARTER_LOG` asks for it.
//!
//! Invariant: only charter's own lines appear, since those of an HTTP library may hold headers; no line of charter's
//! holds a secret.

use std::io;

use tracing::field::Empty;
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::filter_fn,
    fmt::{self, format::FmtSpan},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use super::{
    args::{Global, LogFormat},
    failure::{Exit, Failure},
};

/// The variable with the log's filter: `debug`, or `orgcharter::api=trace`.
const VARIABLE: &str = "CHARTER_LOG";

/// The name of the span of one organization.
const ORGANIZATION: &str = "organization";

/// Starts it; `several`: the command is for several organizations.
///
/// # Errors
/// If the variable holds no filter.
pub(crate) fn start(global: &Global, several: bool) -> Result<(), Failure> {
    let filter = match std::env::var(VARIABLE).ok().filter(|text| !text.is_empty()) {
        Some(text) => EnvFilter::builder().parse(&text).map_err(|error| {
            Failure::usage(format!("`{VARIABLE}` is not a log filter: {error}"))
                .help("write a level (`info`, `debug`, `trace`), or `orgcharter::api=debug`")
        })?,
        None => EnvFilter::new(match (global.verbose, global.log_format) {
            (0, LogFormat::Text) => "off",
            (0 | 1, _) => "info",
            _ => "debug",
        }),
    };
    let own = filter_fn(|metadata| metadata.target().starts_with("orgcharter"));
    let registry = tracing_subscriber::registry();
    // A second start (in tests) finds the first one's log in place, which is as good.
    let _ = match global.log_format {
        LogFormat::Text => registry
            .with(
                fmt::layer()
                    .with_writer(io::stderr)
                    .with_ansi(false)
                    // People read lines; what a line belongs to would make it longer than it is. Which of several
                    // organizations it is about nobody could tell without.
                    .with_filter(filter_fn(move |metadata| {
                        metadata.is_event() || (several && metadata.name() == ORGANIZATION)
                    }))
                    .with_filter(filter),
            )
            .with(own)
            .try_init(),
        LogFormat::Json => registry
            .with(
                fmt::layer()
                    .json()
                    // How long a span was busy is a text; the spans that took long say it as a number.
                    .without_time()
                    .with_span_events(FmtSpan::CLOSE)
                    .event_format(fmt::format().json().flatten_event(true))
                    .with_writer(io::stderr)
                    .with_filter(filter),
            )
            .with(own)
            .try_init(),
    };
    Ok(())
}

/// Runs a command within its span.
pub(crate) fn command(
    command: &'static str,
    run: impl FnOnce() -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let version = env!("CARGO_PKG_VERSION");
    let span = tracing::info_span!(
        target: "orgcharter::cli", "command", command, version, exit_code = Empty
    );
    let ended = span.in_scope(run);
    let exit = ended.as_ref().map_or_else(Failure::exit, |exit| *exit);
    span.record("exit_code", exit as u8);
    ended
}
