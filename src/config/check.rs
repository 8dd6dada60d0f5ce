//! What can be wrong with a document whatever is live.
//!
//! Invariant: reads the merged document only; the same document has the same findings.

mod keys;
mod kinds;
mod people;
mod workspaces;

use super::document::Document;
use crate::diagnostic::Diagnostic;

/// Adds every finding. `complete` says that all lists could be read: only then is somebody who is missing
/// from a list really missing.
pub(crate) fn check(document: &Document, complete: bool, found: &mut Vec<Diagnostic>) {
    kinds::check(document, found);
    people::check(document, complete, found);
    workspaces::check(document, complete, found);
    keys::check(document, found);
}
