//! The kinds of objects: each file has a kind's rows, its routes, its edits from the Console and its seed form.
//!
//! Invariant: a new kind is one file here, its table in `State`, its line in `ROUTES`, and its section in `seed`.

use super::routes::Route;

pub(super) mod api_key;
pub(super) mod invite;
mod me;
mod member_writes;
pub(super) mod residency;
mod sign_out;
pub(super) mod user;
pub(super) mod workspace;
pub(super) mod workspace_member;
pub(super) mod workspace_rules;

const ROUTES: [&[Route]; 7] = [
    &me::ROUTES,
    &user::ROUTES,
    &sign_out::ROUTES,
    &invite::ROUTES,
    &workspace::ROUTES,
    &workspace_member::ROUTES,
    &api_key::ROUTES,
];

/// Every route.
pub(crate) fn routes() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().flat_map(|routes| routes.iter())
}
