//! Whose limit a guard has: that of the files, or of one of those that the plan was held against.
//!
//! Invariant: each has its words here, and nowhere else.

use serde::{Deserialize, Serialize};

/// Whose limit a guard has.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum LimitOf {
    /// The files.
    #[default]
    Files,
    /// The base.
    Base,
    /// The files that were applied last.
    LastApplied,
}

impl LimitOf {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    pub(super) fn is_of_files(&self) -> bool {
        *self == LimitOf::Files
    }

    /// Where the limit stands, after the limit: ` in the base`.
    pub fn place(self) -> &'static str {
        match self {
            LimitOf::Files => "",
            LimitOf::Base => " in the base",
            LimitOf::LastApplied => " in what was applied last",
        }
    }
}
