//! The log on stderr: off unless `-v` or `CHARTER_LOG` asks for it.
//!
//! Invariant: only charter's own lines appear, since those of an HTTP library may hold headers; no line of charter's
//! holds a secret.

use std::io;

use tracing_subscriber::{
    EnvFilter, Layer as _, filter::filter_fn, fmt, layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use super::{
    args::{Global, LogFormat},
    failure::Failure,
};

/// The variable with the log's filter: `debug`, or `orgcharter::api=trace`.
const VARIABLE: &str = "CHARTER_LOG";

/// Starts it.
///
/// # Errors
/// If the variable holds no filter.
pub(crate) fn start(global: &Global) -> Result<(), Failure> {
    let filter = match std::env::var(VARIABLE).ok().filter(|text| !text.is_empty()) {
        Some(text) => EnvFilter::builder().parse(&text).map_err(|error| {
            Failure::usage(format!("`{VARIABLE}` is not a log filter: {error}"))
                .help("write a level (`info`, `debug`, `trace`), or `orgcharter::api=debug`")
        })?,
        None => EnvFilter::new(match global.verbose {
            0 => "off",
            1 => "info",
            _ => "debug",
        }),
    };
    let own = filter_fn(|metadata| metadata.target().starts_with("orgcharter"));
    let registry = tracing_subscriber::registry();
    // A second start (in tests) finds the first one's log in place, which is as good.
    let _ = match global.log_format {
        LogFormat::Text => registry
            .with(fmt::layer().with_writer(io::stderr).with_ansi(false).with_filter(filter))
            .with(own)
            .try_init(),
        LogFormat::Json => registry
            .with(fmt::layer().json().with_writer(io::stderr).with_filter(filter))
            .with(own)
            .try_init(),
    };
    Ok(())
}
