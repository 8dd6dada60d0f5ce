//! What a person does next about an [`ApiError`]: the `help:` line under it.
//!
//! Invariant: every line names something that can be done, and holds no value that came from the server but
//! numbers and the appeal page. The text of a message only chooses between lines of help; it decides nothing.

use std::time::Duration;

use super::{
    codes,
    credential::{CredentialKind, print_credentials},
    error::{ApiError, Asked, ExchangeError, SignedInWith, StatusError},
    text,
    transport::{Method, TransportError},
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
            ApiError::AnotherOrganization { .. } => Some(
                "something between here and the API answers for more than one organization (a gateway that changes keys, a \
                 cache): check the base URL (`--base-url`, `ANTHROPIC_BASE_URL`) and the proxy before anything is run again"
                    .into(),
            ),
            ApiError::IdentityTokenTaken { literal: true } => Some(
                "`ANTHROPIC_IDENTITY_TOKEN` cannot be renewed while charter runs: raise `token_lifetime_seconds` of the \
                 federation rule above what the job may take, or give a file that is renewed (`ANTHROPIC_IDENTITY_TOKEN_FILE`)"
                    .into(),
            ),
            ApiError::IdentityTokenTaken { literal: false } => Some(
                "whatever writes `ANTHROPIC_IDENTITY_TOKEN_FILE` must renew it before the access token ends; or raise \
                 `token_lifetime_seconds` of the federation rule above what the job may take"
                    .into(),
            ),
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
        (401, _) => unknown_credential(error),
        (402, _) => "settle the organization's billing in the Console".into(),
        (403, _) => weak_credential(error),
        (404, _) if error.asked.target.ends_with("/organizations/me") => {
            "no organization is known for this credential: check the base URL, and that the account is an organization's \
             (individual accounts have no Admin API)"
                .into()
        }
        (429, _) => match error.limited_for {
            Some(time) => format!(
                "no request of charter was let through for {}: something else uses up the organization's request limit; \
                 find out what, or run again when it has ended",
                text::about(time)
            ),
            None => limited(error.retry_after),
        },
        (status, _) => codes::status_help(status)?.into(),
    };
    Some(help)
}

/// The credential by its variable, and the others that are set and not used.
fn named(with: Option<&SignedInWith>) -> (String, String) {
    let Some(with) = with else { return ("the credential".to_owned(), String::new()) };
    let not_used = match with.also_set.as_slice() {
        [] => String::new(),
        others => format!(
            "; `{}` came first, so {} set too and not used: unset what is not meant",
            with.source,
            match others {
                [one] => format!("`{one}` is"),
                all => format!("`{}` are", all.join("`, `")),
            }
        ),
    };
    (format!("`{}`", with.source), not_used)
}

/// 401.
fn unknown_credential(error: &StatusError) -> String {
    use CredentialKind::{AdminKey, Key, Login, Token, WorkloadIdentity};
    let with = error.credential.as_deref();
    let (name, not_used) = named(with);
    let has_expired = error.message.to_lowercase().contains("expired");
    let help = match (with.map(|with| with.kind), has_expired) {
        (Some(WorkloadIdentity), _) => {
            "the access token that the identity was exchanged for is refused: check that the service account and the federation \
             rule are still there, and that the account still has the organization role `admin`"
                .to_owned()
        }
        (Some(Login), _) => format!(
            "the access token in {name} is refused; it lives about an hour: print a new one, {}",
            print_credentials("admin")
        ),
        (Some(Token), _) => format!("check {name}: the token is refused (revoked, expired, or cut short)"),
        (Some(AdminKey | Key) | None, true) => format!(
            "the key in {name} has expired: an organization admin makes a new one in the Console, and puts it where {name} \
             comes from; copying the old one again does not help"
        ),
        (Some(AdminKey | Key) | None, false) => format!(
            "check {name}: it is refused (mistyped, revoked or expired); an Admin API key (`sk-ant-admin01-…`) is made by an \
             organization admin in the Console"
        ),
    };
    help + &not_used
}

/// 403 without a code.
fn weak_credential(error: &StatusError) -> String {
    use CredentialKind::{AdminKey, Key, Login, Token, WorkloadIdentity};
    let with = error.credential.as_deref();
    let (name, not_used) = named(with);
    let kind = with.map(|with| with.kind);
    let wanted = scope(&error.asked);
    let is_method = error.message.to_lowercase().contains("authentication method");
    let help = match kind {
        Some(Login) if is_method => format!(
            "the login whose token is in {name} is not for the Admin API (a login of Claude Code, for example): log in with \
             the scope, as an organization admin: {}",
            print_credentials("admin")
        ),
        Some(Login | Token) => format!(
            "the token in {name} may not do this: it needs the scope `org:admin`, and whoever logged in the organization role \
             admin: {}",
            print_credentials("admin")
        ),
        Some(WorkloadIdentity) => {
            "the tokens of this federation rule may not do this: the rule needs the scope `org:admin` (such a rule is made in \
             the Console only), and its service account the organization role `admin`"
                .to_owned()
        }
        Some(Key) if error.lacks_scope() => format!(
            "the key in {name} needs the scope `{wanted}`, and a key's scopes cannot be changed: make a new one with it; or \
             use an Admin API key where the organization has them"
        ),
        Some(AdminKey | Key) | None => format!(
            "{name} may not do this: use an Admin API key, or an OAuth token with the scope `org:admin` held by an admin; \
             a workspace-scoped key can't"
        ),
    };
    // A login that is not for the Admin API, or a scope that is missing, says enough.
    let may_be_kind =
        error.asked.target.ends_with("/organizations/me") && !is_method && !error.lacks_scope();
    let by_kind = if may_be_kind {
        ". An Enterprise or AWS organization may not offer this call: then set `organization.kind` in charter.yaml, or without \
         files give `--kind`"
    } else {
        ""
    };
    help + by_kind + &not_used
}

/// The scope of a Claude Enterprise key that a call needs.
fn scope(asked: &Asked) -> &'static str {
    match asked.method {
        Method::Get => "read:members",
        Method::Post | Method::Delete => "write:members",
    }
}

fn transport(error: &TransportError) -> Option<String> {
    let help = match error {
        TransportError::Connect(_) => {
            "check that the host is reachable from here: base URL (`--base-url`, `ANTHROPIC_BASE_URL`), DNS, firewall, \
             proxy (`HTTPS_PROXY`, `NO_PROXY`)"
        }
        TransportError::Certificate(_) => {
            "if a proxy that inspects TLS stands between, give its root certificate with `--ca-bundle`; if the root \
             certificates here are old, update the package `ca-certificates`; else do not go on"
        }
        TransportError::Redirect(_) => {
            "redirects are never followed, since they would carry the credential elsewhere: set the base URL to the final address"
        }
        TransportError::Lost(_) => "check the network and run again",
        TransportError::TooLarge(_) => return None,
    };
    Some(help.into())
}

fn exchange(exchange: &ExchangeError) -> Option<String> {
    let ExchangeError { error, is_named, flaws } = exchange;
    match error.status() {
        Some(400) => Some(
            "check `ANTHROPIC_FEDERATION_RULE_ID`, `ANTHROPIC_ORGANIZATION_ID` and that the identity token is a JWT".into(),
        ),
        Some(401 | 403) if !flaws.is_empty() => {
            Some(format!("of the identity token this can be told here: {}", flaws.join("; ")))
        }
        Some(401 | 403) => {
            let taken = if *is_named {
                "most likely the identity token was exchanged already: it has a `jti`, and an issuer that checks it takes each \
                 token once (give each run a fresh one, let the runs of a job share one access token with \
                 `CHARTER_TOKEN_CACHE`, or set `check_jti: false` on the issuer); else "
            } else {
                ""
            };
            Some(format!(
                "the API does not say more: {taken}check the token's issuer, audience, subject and expiry against the \
                 federation rule, `ANTHROPIC_SERVICE_ACCOUNT_ID`, and `ANTHROPIC_WORKSPACE_ID` if the rule spans several \
                 workspaces; the rule needs the scope `org:admin` and a service account with the organization role `admin`"
            ))
        }
        _ => error.next_step(),
    }
}

fn limited(wait: Option<Duration>) -> String {
    // A shorter wait was sat out again and again, or was forbidden.
    let wait = wait.filter(|wait| *wait >= Duration::from_mins(1));
    format!(
        "run again in {}; a lower `--requests-per-minute` leaves room for others in the organization",
        wait.map_or_else(|| "a minute".to_owned(), text::span)
    )
}
