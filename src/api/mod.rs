//! The Admin API on the wire: requests as values, one transport, one limiter, one retry policy.
//!
//! Invariant: nothing here knows a resource kind; what is read is handed on as it came.

pub mod call;
pub mod transport;
