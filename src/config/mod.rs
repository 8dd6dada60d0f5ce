//! The YAML front end: files to one checked document with places.
//!
//! Invariant: everything that is wrong with the files is collected and shown at once, each finding with its place.

mod check;
mod decode;
pub mod document;
pub mod fleet;
pub mod load;
pub mod lower;
mod merge;
pub mod outline;
pub mod raise;
pub mod revision;
pub mod schema;
mod shape;
pub mod write;
mod yaml;

pub(crate) use self::check::{files as check_files, pinned};

/// Whether a key is that of a section of the files.
pub(crate) fn is_section(key: &str) -> bool {
    shape::FILE.field(key).is_some()
}
