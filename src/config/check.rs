//! What can be wrong with a document whatever is live.
//!
//! Invariant: reads the merged document only; the same document has the same findings.

mod alike;
mod files;
mod grants;
mod keys;
mod kinds;
mod people;
mod workspaces;

pub(crate) use self::{
    files::{check as files, pinned},
    grants::unnamed,
};
use super::document::Document;
use crate::diagnostic::{Diagnostic, Span};

/// Adds every finding. `complete` says that all lists could be read: only then is somebody who is missing
/// from a list really missing.
pub(crate) fn check(document: &Document, complete: bool, found: &mut Vec<Diagnostic>) {
    kinds::check(document, found);
    people::check(document, complete, found);
    workspaces::check(document, complete, found);
    keys::check(document, found);
    alike::check(document, found);
}

/// An error at a place that may not be known.
fn error(code: &'static str, span: Option<&Span>, message: String, help: &str) -> Diagnostic {
    Diagnostic::error(code, message).at_opt(span).help(help)
}
