//! Signing a person out of every session (beta, Enterprise only).
//!
//! Invariant: it changes nothing that the Admin API shows; without the beta header, or outside of the beta, it is refused.

use serde_json::Value;

use super::user;
use crate::{
    api::transport::Method,
    sandbox::{
        handle::Asked,
        refusal::Refusal,
        routes::{Offered, Route, Takes},
        state::{OrganizationKind, State},
        switches::SignOutBeta,
    },
};

const BETA: &str = "admin-user-sign-out-2026-10-08";

pub(crate) const ROUTES: [Route; 1] = [Route {
    method: Method::Post,
    pattern: "/v1/organizations/users/{user_}/sign_out",
    offered: Offered::Beta,
    takes: Takes::Nothing,
    query: &[],
    handler: sign_out,
}];

// Handlers share one signature.
#[allow(clippy::needless_pass_by_value)]
fn sign_out(state: &mut State, asked: Asked) -> Result<Value, Refusal> {
    if !asked.betas.iter().any(|beta| beta == BETA) {
        return Err(Refusal::invalid(format!("anthropic-beta: `{BETA}` is required")));
    }
    asked.grant.needs("write:members")?;
    let enterprise = state.organization.kind == OrganizationKind::Enterprise;
    if !enterprise || state.switches.sign_out_beta == SignOutBeta::NotEnrolled {
        return Err(Refusal::invalid("the organization does not take part in this beta")
            .code("organization_not_enrolled_in_beta"));
    }
    let person = state.users.get(&asked.ids[0]).ok_or_else(user::missing)?;
    let (status, code) = match person.role.as_str() {
        "primary_owner" => (400, "cannot_sign_out_primary_owner"),
        "owner" => (403, "cannot_sign_out_owner"),
        "membership_admin" => (403, "cannot_sign_out_membership_admin"),
        "managed" => (403, "cannot_sign_out_managed_member"),
        "admin" => (403, "cannot_sign_out_privileged_member"),
        _ => return Ok(user::show(person)),
    };
    let message = format!("a member with role {} cannot be signed out here", person.role);
    Err(Refusal::status(status, message).code(code))
}
