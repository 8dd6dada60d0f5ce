//! `GET me`: which organization a credential belongs to.
//!
//! Invariant: it shows no more than id, name and type.

use serde_json::{Value, json};

use crate::{
    api::transport::Method,
    sandbox::{
        handle::Asked,
        refusal::Refusal,
        routes::{Offered, Route, Takes},
        state::State,
    },
};

pub(crate) const ROUTES: [Route; 1] = [Route {
    method: Method::Get,
    pattern: "/v1/organizations/me",
    offered: Offered::Me,
    takes: Takes::Nothing,
    query: &[],
    handler: me,
}];

// Handlers share one signature.
#[allow(clippy::unnecessary_wraps, clippy::needless_pass_by_value)]
fn me(state: &mut State, _: Asked) -> Result<Value, Refusal> {
    let organization = &state.organization;
    Ok(json!({"id": organization.id, "name": organization.name, "type": "organization"}))
}
