//! Gives any bytes to `entries::loader`.
//!
//! Invariant: what is tried here is tried by `tests/fuzzed.rs` too, with fewer cases.

#![no_main]

#[allow(dead_code, reason = "each target has one entry")]
#[path = "../entries.rs"]
mod entries;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    entries::loader(bytes);
});
