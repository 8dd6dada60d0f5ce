//! The words that files know, in the order in which they are suggested.
//!
//! Invariant: words of the API come from the types that stand for them.

use crate::resource::{
    KeyStatus, OrgKind, Role, WorkspaceRole,
    desired::{GuardName, Unlisted},
};

/// The words for a person's role.
pub(crate) fn roles() -> Vec<&'static str> {
    Role::KNOWN.iter().map(Role::as_str).chain(["none", "unmanaged"]).collect()
}

/// The words for a grant's role.
pub(crate) fn workspace_roles() -> Vec<&'static str> {
    WorkspaceRole::KNOWN
        .iter()
        .filter(|role| role.assignable())
        .map(WorkspaceRole::as_str)
        .chain(["none", "unmanaged"])
        .collect()
}

/// The names of the guards.
pub(crate) fn guard_names() -> Vec<&'static str> {
    GuardName::ALL.map(GuardName::as_str).to_vec()
}

/// The words for a kind of organization.
pub(crate) fn kinds() -> Vec<&'static str> {
    [OrgKind::Console, OrgKind::Enterprise, OrgKind::Aws].map(OrgKind::as_str).to_vec()
}

/// The words for a key's status.
pub(crate) fn key_statuses() -> Vec<&'static str> {
    KeyStatus::KNOWN
        .iter()
        .filter(|status| **status != KeyStatus::Expired)
        .map(KeyStatus::as_str)
        .collect()
}

/// The words for a workspace's state.
pub(crate) fn states() -> Vec<&'static str> {
    vec!["active", "archived"]
}

/// Where inference can run.
pub(crate) fn geos() -> Vec<&'static str> {
    vec!["global", "us"]
}

/// Where data can rest.
pub(crate) fn workspace_geos() -> Vec<&'static str> {
    vec!["us"]
}

/// What can become of unlisted objects that charter can remove.
pub(crate) fn unlisted() -> Vec<&'static str> {
    [Unlisted::Remove, Unlisted::Report, Unlisted::Ignore].map(unlisted_word).to_vec()
}

/// What can become of unlisted objects that charter does not remove.
pub(crate) fn kept() -> Vec<&'static str> {
    [Unlisted::Report, Unlisted::Ignore].map(unlisted_word).to_vec()
}

/// The word for what becomes of an unlisted object.
pub(crate) fn unlisted_word(rule: Unlisted) -> &'static str {
    match rule {
        Unlisted::Remove => "remove",
        Unlisted::Report => "report",
        Unlisted::Ignore => "ignore",
    }
}
