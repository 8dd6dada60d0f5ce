//! Which requests the sandbox serves: methods, paths, query parameters, and for which kinds of organization.
//!
//! Invariant: what it does not serve is refused with what it does serve, and a refusal here has changed nothing.

use serde_json::Value;

use super::{
    credentials::Grant,
    handle::Asked,
    kinds,
    refusal::Refusal,
    request::{self, Query},
    state::{OrganizationKind, State},
    switches::{MeElsewhere, MissingEndpoint, UnknownParameters, WrongPrefix},
};
use crate::api::transport::{Method, RawRequest};

/// Which organizations have an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offered {
    /// All; the others only if the switch says so.
    Me,
    /// Console and Enterprise; the scopes an Enterprise key needs to read and to write.
    People,
    /// Console and AWS.
    Workspaces,
    /// Console.
    Console,
    /// All: the handler says which organizations take part.
    Beta,
}

/// What a route takes as body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Nothing: a body is refused.
    Nothing,
    /// A JSON object.
    Object,
}

/// One method of one path.
pub(crate) struct Route {
    pub(crate) method: Method,
    /// The path; `{prefix_}` is an id with that prefix.
    pub(crate) pattern: &'static str,
    pub(crate) offered: Offered,
    pub(crate) takes: Takes,
    /// The query parameters that it knows.
    pub(crate) query: &'static [&'static str],
    pub(crate) handler: fn(&mut State, Asked) -> Result<Value, Refusal>,
}

/// The path of the token exchange, which is no part of the organization.
pub(crate) const TOKEN: &str = "/v1/oauth/token";

/// The route that a request means, whatever becomes of it.
pub(crate) fn pattern_of(request: &RawRequest) -> Option<&'static str> {
    let (segments, _) = request::split(&request.target)?;
    let words: Vec<&str> = segments.iter().map(String::as_str).collect();
    if is_token(&words) {
        return Some(TOKEN);
    }
    find(request.method, &words).map(|route| route.pattern)
}

/// Whether the segments of a path are those of the token exchange.
pub(crate) fn is_token(path: &[&str]) -> bool {
    parts(TOKEN).eq(path.iter().copied())
}

/// The route of a method and the segments of a path.
pub(crate) fn find(method: Method, path: &[&str]) -> Option<&'static Route> {
    kinds::routes().find(|route| route.method == method && matches(route.pattern, path))
}

/// The methods that a path takes, as the `Allow` header lists them; `None` for a path that is not served.
pub(crate) fn allowed(path: &[&str]) -> Option<String> {
    if is_token(path) {
        return Some(Method::Post.as_str().to_owned());
    }
    let routes = kinds::routes().filter(|route| matches(route.pattern, path));
    let mut methods: Vec<&str> = routes.map(|route| route.method.as_str()).collect();
    methods.sort_unstable();
    (!methods.is_empty()).then(|| methods.join(", "))
}

/// The refusal of a request without a route: 405 with the value of `Allow` if the path takes other methods, else
/// 404 with what is served.
pub(crate) fn unserved(method: &str, target: &str) -> (Refusal, Option<String>) {
    let path = target.split('?').next().unwrap_or_default();
    let segments = request::split(target).map(|(segments, _)| segments).unwrap_or_default();
    let words: Vec<&str> = segments.iter().map(String::as_str).collect();
    match allowed(&words) {
        Some(allowed) => {
            let message = format!("{method} is not allowed for {path}, which takes {allowed}");
            (Refusal::status(405, message), Some(allowed))
        }
        None => {
            let message = format!("the sandbox has no {method} {path}; it serves {}", served());
            (Refusal::status(404, message), None)
        }
    }
}

/// Every path with its methods.
fn served() -> String {
    let mut paths: Vec<&'static str> = Vec::new();
    for route in kinds::routes() {
        if !paths.contains(&route.pattern) {
            paths.push(route.pattern);
        }
    }
    paths.push(TOKEN);
    let lines = paths.into_iter().map(|pattern| {
        let methods = allowed(&parts(pattern).collect::<Vec<_>>()).unwrap_or_default();
        format!("{pattern} ({methods})")
    });
    lines.collect::<Vec<_>>().join(", ")
}

/// Refuses what this kind of organization does not have, and a key that may not use it.
pub(crate) fn check_offer(state: &State, route: &Route, grant: &Grant) -> Result<(), Refusal> {
    use OrganizationKind::{Aws, Console, Enterprise};
    let kind = state.organization.kind;
    let there = match route.offered {
        Offered::Me => kind == Console || state.switches.me_elsewhere == MeElsewhere::Available,
        Offered::People => kind != Aws,
        Offered::Workspaces => kind != Enterprise,
        Offered::Console => kind == Console,
        Offered::Beta => true,
    };
    if !there {
        let message = "this organization has no such endpoint";
        return Err(match state.switches.missing_endpoint {
            MissingEndpoint::Forbidden => Refusal::forbidden(message),
            MissingEndpoint::BadRequest => {
                Refusal::invalid(message).code("organization_type_not_supported")
            }
            MissingEndpoint::NotFound => Refusal::not_found("path"),
        });
    }
    match (route.offered, route.method) {
        (Offered::People, Method::Get) => grant.needs("read:members"),
        (Offered::People, Method::Post | Method::Delete) => grant.needs("write:members"),
        _ => Ok(()),
    }
}

/// Refuses a query parameter that the route does not know, if the switch says so.
pub(crate) fn check_query(state: &State, route: &Route, query: &Query) -> Result<(), Refusal> {
    if state.switches.unknown_parameters == UnknownParameters::Ignored {
        return Ok(());
    }
    // Older SDKs send `?beta=true`, which changes nothing.
    match query.names().find(|name| *name != "beta" && !route.query.contains(name)) {
        None => Ok(()),
        Some(name) => Err(Refusal::invalid(format!("Unknown query parameter: '{name}'."))),
    }
}

/// The ids in a path, in order.
pub(crate) fn ids(state: &State, route: &Route, path: &[&str]) -> Result<Vec<String>, Refusal> {
    let holes = parts(route.pattern).zip(path).filter(|(want, _)| want.starts_with('{'));
    holes
        .map(|(want, have)| {
            let prefix = want.trim_matches(['{', '}']);
            let strict = state.switches.wrong_prefix == WrongPrefix::BadRequest;
            if strict && !have.starts_with(prefix) {
                return Err(Refusal::invalid(format!("`{have}` is no id that starts `{prefix}`")));
            }
            Ok((*have).to_owned())
        })
        .collect()
}

/// The segments of a pattern.
fn parts(pattern: &'static str) -> impl Iterator<Item = &'static str> {
    pattern.trim_start_matches('/').split('/')
}

fn matches(pattern: &'static str, path: &[&str]) -> bool {
    parts(pattern).count() == path.len()
        && parts(pattern).zip(path).all(|(want, have)| want.starts_with('{') || want == *have)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_lists_its_methods_and_an_unknown_one_what_is_served() {
        let (refusal, allow) = unserved("PUT", "/v1/organizations/users/user_1?x=1");
        assert_eq!((refusal.status, allow.as_deref()), (405, Some("DELETE, GET, POST")));
        let (refusal, allow) = unserved("GET", "/v1/oauth/token");
        assert_eq!((refusal.status, allow.as_deref()), (405, Some("POST")));
        let (refusal, allow) = unserved("GET", "/v1/organizations/rate_limits");
        assert_eq!((refusal.status, allow), (404, None));
        let text = refusal.envelope("req_1").to_string();
        assert!(text.contains("the sandbox has no GET /v1/organizations/rate_limits; it serves "));
        assert!(text.contains("/v1/organizations/users/{user_} (DELETE, GET, POST)"), "{text}");
    }
}
