//! Grants that the API may hide: what a billing member is granted beside the access that is inherited.
//!
//! Invariant: nothing is remembered from run to run. What live shows decides; where it shows nothing, such a grant is sent
//! only by the change that first wants it, or when somebody names its step.

use std::sync::Arc;

use super::{
    select::Only,
    step::{Plan, Step},
};
use crate::{
    address::{Address, Kind, Name, RemoteId},
    diagnostic::Diagnostic,
    resource::{
        Change, Desired, Fact, Object, Phase, Role, Spec, WorkspaceRole, World, desired::Gone,
    },
};

impl Step {
    /// Whether it is about a grant of somebody who is a billing member now.
    pub fn is_grant_of_billing(&self) -> bool {
        let is_billing = |fact: &Fact| fact.is_text(Kind::Member, "role", Role::Billing.as_str());
        self.address.kind == Kind::WorkspaceMember && self.rests_on.iter().any(is_billing)
    }
}

/// The workspace and the person of each grant to a billing member that no list shows: a read of the one member may show
/// it.
pub fn unseen(plan: &Plan) -> Vec<(RemoteId, RemoteId)> {
    let creates = plan.steps.iter().filter(|step| {
        matches!(&step.change, Change::Create { after } if is_raised(&after.spec))
            && step.is_grant_of_billing()
    });
    creates
        .filter_map(|step| {
            step.rests_on.iter().find_map(|fact| match fact {
                Fact::NoGrant { workspace, user, .. } => Some((workspace.clone(), user.clone())),
                _ => None,
            })
        })
        .collect()
}

/// Whether a grant that may be hidden is to be sent: somebody names its step, or the files as they were before this
/// change do not want it yet.
pub fn is_asked_for(address: &Address, only: &[Only], former: Option<&Desired>) -> bool {
    let wanted = |former: &Desired| {
        former.objects.get(address).is_some_and(|object| is_raised(&object.spec))
    };
    only.iter().any(|choice| choice.names(address)) || former.is_some_and(|former| !wanted(former))
}

/// Says of whom the files say `none` without anybody being able to tell whether there is a grant to revoke.
pub(super) fn unchecked(desired: &Desired, world: &World<'_>) -> Option<Diagnostic> {
    let is_billing = |object: &Arc<Object>| {
        object.phase() == Some(Phase::Active)
            && matches!(&object.spec, Spec::Member(member) if member.role == Some(Role::Billing))
    };
    let gone: Vec<(&Address, &Gone)> = desired
        .gone
        .iter()
        .filter(|(address, _)| {
            address.kind == Kind::WorkspaceMember
                && !world.live.contains(address)
                && world.live.get(&Address::member(address.name.clone())).is_some_and(is_billing)
                && address
                    .scope
                    .clone()
                    .is_some_and(|workspace| world.live.contains(&Address::workspace(workspace)))
        })
        .collect();
    let (_, first) = gone.first()?;
    if world.shows_grants_of_billing() {
        return None;
    }
    let names: Vec<String> = gone
        .iter()
        .map(|(address, _)| {
            let place = address.scope.as_ref().map(Name::as_str).unwrap_or_default();
            format!("`{}` in `{place}`", address.name)
        })
        .collect();
    let note = Diagnostic::note(
        "plan/hidden-grant",
        format!(
            "no grant of {} is shown, but the API may hide what billing members are granted, so charter cannot revoke it",
            names.join(", ")
        ),
    )
    .at(&first.source.span)
    .help("look in the Console under Settings > Workspaces");
    let others = gone.iter().skip(1).map(|(_, gone)| &gone.source.span);
    Some(others.fold(note, |note, at| note.with(at, "the same")))
}

/// The one role that a billing member can be given in a workspace.
fn is_raised(spec: &Spec) -> bool {
    matches!(spec, Spec::WorkspaceMember(grant) if grant.role == WorkspaceRole::Admin)
}
