//! The Admin API on the wire: requests as values, one transport, one limiter, one retry policy.
//!
//! Invariant: nothing here knows a resource kind's rules; what is read is handed on as it came.

mod agree;
mod answer;
mod attempt;
pub mod call;
pub mod client;
pub mod clock;
pub mod codes;
pub mod credential;
pub mod error;
mod exchange;
mod help;
pub mod http;
pub mod jwt;
pub mod limiter;
mod pace;
mod page;
mod path;
mod reader;
mod retry;
#[cfg(test)]
pub(crate) mod script;
pub mod stop;
mod text;
mod token_cache;
mod trace;
pub mod transport;
mod window;
pub mod wire;
mod writer;

pub(crate) use text::about;

/// The `user-agent` of every request.
pub(crate) const USER_AGENT: &str = concat!("orgcharter/", env!("CARGO_PKG_VERSION"));
