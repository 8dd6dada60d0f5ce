//! What a person does next about an [`ApiError`]: the `help:` line under it.
//!
//! Invariant: every line names something that can be done, and holds no value that came from the server but
//! numbers and the appeal page.

use std::time::Duration;

use super::{
    codes,
    error::{ApiError, StatusError},
    text,
    transport::TransportError,
};

impl ApiError {
    /// What to do next, if there is something to say.
    pub fn next_step(&self) -> Option<String> {
        match self {
            ApiError::Status(error) => status(error),
            ApiError::NotJson { .. } => Some(
                "something between here and the API answered: check the base URL (`--base-url`, `ANTHROPIC_BASE_URL`) \
                 and the proxy (`HTTPS_PROXY`, `NO_PROXY`), and that the proxy lets api.anthropic.com through"
                    .into(),
            ),
            ApiError::Shape { .. } => Some(
                "check that the base URL is the Admin API's; if it is, the API has changed: look for a newer release of charter"
                    .into(),
            ),
            ApiError::Contradicts { .. } => Some(
                "nothing was built on this answer: look at the object in the Console, and report the request-id to Anthropic \
                 support if it stays so"
                    .into(),
            ),
            ApiError::Transport { source, .. } => transport(source),
            ApiError::Limited { left, .. } => Some(limited(Some(*left))),
            ApiError::Pagination { .. } => Some(
                "nothing was planned from this incomplete list; run again, and report it with the time if it stays"
                    .into(),
            ),
            ApiError::TokenExchange(error) => exchange(error),
            ApiError::IdentityToken(_) => Some(
                "check `ANTHROPIC_IDENTITY_TOKEN_FILE` (read anew at each exchange) or `ANTHROPIC_IDENTITY_TOKEN`"
                    .into(),
            ),
            ApiError::Path(_) | ApiError::Stopped { .. } => None,
        }
    }
}

fn status(error: &StatusError) -> Option<String> {
    let code = error.code.as_deref().unwrap_or_default();
    let from = || match &error.credential {
        Some(source) => format!("`{source}`"),
        None => "the credential".to_owned(),
    };
    let help = match (error.status, code) {
        (_, "sandbox_egress_restricted") => {
            "the call was made from inside a Claude sandbox whose network is restricted: run charter elsewhere"
                .into()
        }
        (_, "organization_on_hold") => {
            let appeal = error.details.as_ref().and_then(|details| details.get("appeal_url"));
            match appeal.and_then(serde_json::Value::as_str) {
                Some(url) => format!(
                    "the organization is on hold for trust and safety; appeal at {}",
                    text::message(url)
                ),
                None => "the organization is on hold for trust and safety: ask Anthropic support".into(),
            }
        }
        (_, "organization_type_not_supported" | "parent_organization_required") => {
            "this kind of organization does not offer this call: check `organization.kind` in charter.yaml, or without \
             files give `--kind`"
                .into()
        }
        (401, _) => format!(
            "check {}: it is refused (mistyped, revoked or expired); an Admin API key (`sk-ant-admin01-…`) is made by an \
             organization admin in the Console",
            from()
        ),
        (402, _) => "settle the organization's billing in the Console".into(),
        (403, "") if error.asked.target.ends_with("/organizations/me") => format!(
            "{} may not do this: use an Admin API key, or an OAuth token with the scope `org:admin` held by an admin; \
             a workspace-scoped key can't. An Enterprise or AWS organization may not offer this call: then set `organization.kind` in charter.yaml, or \
             without files give `--kind`",
            from()
        ),
        (403, _) => format!(
            "{} may not do this: use an Admin API key, or an OAuth token with the scope `org:admin` held by an admin; \
             a workspace-scoped key can't",
            from()
        ),
        (404, _) if error.asked.target.ends_with("/organizations/me") => {
            "no organization is known for this credential: check the base URL, and that the account is an organization's \
             (individual accounts have no Admin API)"
                .into()
        }
        (429, _) => limited(error.retry_after),
        (status, _) => codes::status_help(status)?.into(),
    };
    Some(help)
}

fn transport(error: &TransportError) -> Option<String> {
    let help = match error {
        TransportError::Connect(_) => {
            "check that the host is reachable from here: base URL (`--base-url`, `ANTHROPIC_BASE_URL`), DNS, firewall, \
             proxy (`HTTPS_PROXY`, `NO_PROXY`)"
        }
        TransportError::Certificate(_) => {
            "if a proxy that inspects TLS stands between, give its root certificate with `--ca-bundle`; else do not go on"
        }
        TransportError::Redirect(_) => {
            "redirects are never followed, since they would carry the credential elsewhere: set the base URL to the final address"
        }
        TransportError::Lost(_) => "check the network and run again",
        TransportError::TooLarge(_) => return None,
    };
    Some(help.into())
}

fn exchange(error: &ApiError) -> Option<String> {
    match error.status() {
        Some(400) => Some(
            "check `ANTHROPIC_FEDERATION_RULE_ID`, `ANTHROPIC_ORGANIZATION_ID` and that the identity token is a JWT".into(),
        ),
        Some(401 | 403) => Some(
            "the API does not say more: check the token's issuer, audience, subject and expiry against the federation rule, \
             `ANTHROPIC_SERVICE_ACCOUNT_ID`, and `ANTHROPIC_WORKSPACE_ID` if the rule spans several workspaces; the rule needs \
             the scope `org:admin` and a service account with the organization role `admin`"
                .into(),
        ),
        _ => error.next_step(),
    }
}

fn limited(wait: Option<Duration>) -> String {
    format!(
        "run again in {}; a lower `--requests-per-minute` leaves room for others in the organization",
        wait.map_or_else(|| "a minute".to_owned(), text::span)
    )
}
