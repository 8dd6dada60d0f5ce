//! The steps of a plan as rules see them.
//!
//! Invariant: every step is there, whatever becomes of it.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    address::{Address, Name},
    diagnostic::Span,
    plan::{Cause, Step},
    resource::{Change as Difference, Disposition, Object, Spec},
};

/// A change of the plan.
#[derive(Clone, Debug)]
pub struct Change {
    /// The step's address.
    pub address: Address,
    /// The bare kind of it.
    pub verb: &'static str,
    /// Whether it is done now.
    pub state: &'static str,
    /// Why it is there.
    pub cause: &'static str,
    /// What people call the object.
    pub what: String,
    /// The workspace, by name.
    pub workspace: Option<Arc<str>>,
    /// Role or status before.
    pub before: Option<String>,
    /// Role or status after.
    pub after: Option<String>,
    /// Where it is asked for.
    pub span: Option<Span>,
}

/// A step, with the names that workspaces have by the names in their addresses.
pub(super) fn change(step: &Step, names: &BTreeMap<&Name, &Arc<str>>) -> Change {
    let named = |name: &Name| {
        names.get(name).map_or_else(|| Arc::from(name.as_str()), |name| Arc::clone(name))
    };
    let side = |object: Option<&Arc<Object>>| match &object?.spec {
        Spec::Member(member) => member.role.as_ref().map(|role| role.as_str().to_owned()),
        Spec::WorkspaceMember(grant) => Some(grant.role.as_str().to_owned()),
        Spec::ApiKey(key) => key.status.as_ref().map(|status| status.as_str().to_owned()),
        Spec::Workspace(_) => None,
    };
    let object = step.change.object();
    let workspace = match &object.spec {
        Spec::Workspace(workspace) => Some(Arc::clone(&workspace.name)),
        Spec::Member(_) => None,
        Spec::WorkspaceMember(grant) => Some(named(&grant.workspace)),
        Spec::ApiKey(key) => key.workspace.as_ref().map(named),
    };
    Change {
        address: step.address.clone(),
        verb: match step.change {
            Difference::Create { .. } => "create",
            Difference::Update { .. } => "update",
            Difference::Replace { .. } => "replace",
            Difference::Remove { .. } => "remove",
        },
        state: match step.disposition {
            Disposition::Ready => "ready",
            Disposition::Deferred { .. } => "deferred",
            Disposition::Manual { .. } => "manual",
            Disposition::Held { .. } => "held",
        },
        cause: match step.cause {
            Cause::Listed => "listed",
            Cause::Accepted => "accepted",
            Cause::None => "none",
            Cause::Expired => "expired",
            Cause::NewlyExpired => "newly_expired",
            Cause::Archived => "archived",
            Cause::Unlisted => "unlisted",
        },
        what: object.spec.resource().title(),
        workspace,
        before: side(step.change.before()),
        after: side(step.change.after()),
        span: step.at.clone(),
    }
}
