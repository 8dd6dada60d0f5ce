//! Who can really do what: grants, and what an organization role gives in every workspace.
//!
//! Invariant: computed from a snapshot alone, for live and for wanted states alike.

use serde::{Deserialize, Serialize};

use crate::resource::{Role, WorkspaceRole};

/// What a person can do in one workspace, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Access {
    /// The role that counts.
    pub role: WorkspaceRole,
    /// The organization role it comes from; `None`: a grant of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<Role>,
}

/// A person's access to the organization or one workspace before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessChange {
    /// The person's address.
    pub person: String,
    /// Where.
    pub place: Place,
    /// The role before; `None`: no access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<AccessRole>,
    /// The role after; `None`: no access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<AccessRole>,
}

/// Where access holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The organization itself.
    Organization,
    /// One workspace, by name.
    Workspace(String),
    /// Every workspace alike, through an organization role: how many there are.
    EveryWorkspace(usize),
}

/// A role and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AccessRole {
    /// The role's word.
    pub role: String,
    /// The organization role it comes from; `None`: given directly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
}
