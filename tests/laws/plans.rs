//! Laws 4, 6 and 9: what plans are made of.
//!
//! Invariant: nothing here writes to the organization but the edits that a person makes in the Console.

use crate::{
    common::load,
    run::law,
};

#[test]
fn generated_files_are_always_valid() {
    law("0 valid files", |case, _| load(&case.sources).map(|_| ()));
}
