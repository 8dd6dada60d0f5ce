//! Grants of billing members: the API may hide them, show what is inherited in their place, or refuse to take them.
//!
//! Invariant: what is refused and cannot be seen is left to a person, and never called done.

use super::{After, Before, Eyes, Outcome, Place, difference, found, row, wanted_fields_hold};
use crate::{
    address::RemoteId,
    api::{error::ApiError, wire},
    observe::objects,
    plan::Step,
    resource::{Object, Role, Spec, WorkspaceRole},
};

/// Whether a grant that was just made is shown, by the list or by the member's own entry.
pub(in crate::apply) async fn is_shown(
    step: &Step,
    place: &Place,
    eyes: &Eyes<'_>,
) -> Result<bool, ApiError> {
    if row(place, eyes).await?.is_some_and(|live| wanted_fields_hold(step, &live)) {
        return Ok(true);
    }
    let path = ["workspaces", &place.workspace, "members", &place.user];
    let own = found(eyes.reader.get::<wire::WorkspaceMember>(&path).await)?;
    let own = own.map(|row| {
        objects::grant(&RemoteId::new(&*place.workspace), &row.user_id, &row.workspace_role)
    });
    Ok(own.is_some_and(|live| wanted_fields_hold(step, &live)))
}

/// After a grant to a billing member was refused, or its reply was lost, and nothing shows it.
pub(super) fn after_grant(title: &str, refusal: Option<&ApiError>) -> After {
    if refusal.is_none() {
        return After::Not;
    }
    After::Instead(Outcome::Manual {
        why: format!(
            "the API refuses to give `{title}`, a billing member, this grant, and shows none: it may be there already, so \
             look in the Console under Settings > Workspaces"
        ),
    })
}

/// Before a grant is taken away: the list may show what is inherited in its place.
pub(super) async fn before_removal(
    planned: &Object,
    place: &Place,
    eyes: &Eyes<'_>,
) -> Result<Before, ApiError> {
    let now = row(place, eyes).await?;
    if now.as_ref().is_some_and(is_inherited) && !is_inherited(planned) {
        return Ok(Before::already_so("what is left is inherited"));
    }
    Ok(match now.and_then(|now| difference(planned, &now)) {
        Some(what) => Before::Instead(super::changed(what)),
        None => Before::Same,
    })
}

/// After the removal of a grant was refused, or its reply was lost.
pub(super) async fn after_removal(
    step: &Step,
    place: &Place,
    refusal: Option<&ApiError>,
    eyes: &Eyes<'_>,
) -> Result<After, ApiError> {
    let left = row(place, eyes).await?;
    if left.as_ref().is_some_and(is_inherited) {
        return Ok(After::noted("what is left is inherited"));
    }
    let refused = refusal.is_some_and(|error| error.status() == Some(400));
    if !refused {
        return Ok(After::when(left.is_none()));
    }
    let user = found(eyes.reader.get::<wire::User>(&["users", &place.user]).await)?;
    let is_billing = user.is_some_and(|user| Role::from_wire(&user.role) == Role::Billing);
    if !is_billing {
        return Ok(After::when(left.is_none()));
    }
    let title = step.change.object().spec.resource().title();
    Ok(After::Instead(Outcome::Manual {
        why: format!(
            "the API refuses to take the grant of `{title}`, a billing member, away: look in the Console under \
             Settings > Workspaces, and take it away there"
        ),
    }))
}

/// Whether a row shows what comes from the organization role `billing`.
fn is_inherited(row: &Object) -> bool {
    matches!(&row.spec, Spec::WorkspaceMember(grant) if grant.role == WorkspaceRole::Billing)
}
