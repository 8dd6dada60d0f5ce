//! The `charter` command.
//!
//! Invariant: everything it does is in the library; this file only hands over.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    orgcharter::cli::main()
}
