//! Who may ask: keys, tokens, and the exchange of an identity token for a short-lived one.
//!
//! Invariant: a request that is refused here has reached no handler, and a refusal never repeats the credential.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    clock,
    log::CredentialKind,
    refusal::Refusal,
    request::{Fields, header, object},
    state::{OrganizationKind, State},
    switches::ExchangeAccount,
};
use crate::api::transport::RawRequest;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const BETAS: [&str; 2] = ["oauth-2025-04-20", "oidc-federation-2026-04-01"];
const MAX_ASSERTION: usize = 16 * 1024;

/// The Admin key that a sandbox of its own accepts unless its seed lists others.
pub const SANDBOX_KEY: &str = "sk-ant-admin01-sandbox";

/// The credentials that the organization accepts. With no list of its own, a kind is known by its prefix.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Credentials {
    /// Admin keys; empty: any `sk-ant-admin…`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub admin_keys: BTreeSet<String>,
    /// Personal or service-account keys with organization scope.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub organization_keys: BTreeSet<String>,
    /// Enterprise keys and their scopes; in an Enterprise organization without any, every `sk-ant-api01-…` has all.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub scoped_keys: BTreeMap<String, BTreeSet<String>>,
    /// Keys of one workspace: 403. Any other `sk-ant-api…` counts as one.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub workspace_keys: BTreeSet<String>,
    /// OAuth tokens with `org:admin`; empty: any Bearer that looks like no key.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub tokens: BTreeSet<String>,
    /// Keys and tokens that were taken back: 401.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub revoked: BTreeSet<String>,
    /// Federation rules for the token exchange.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub federation: Vec<FederationRule>,
}

/// A rule that exchanges identity tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FederationRule {
    /// `fdrl_…`.
    pub id: String,
    /// `svac_…`.
    pub service_account: String,
    /// The identity tokens it accepts.
    pub assertions: BTreeSet<String>,
    /// Each of them once, as an issuer that checks `jti` does.
    #[serde(default)]
    pub check_jti: bool,
    /// The scope of what it gives; only `org:admin` reaches the Admin API.
    #[serde(default = "org_admin")]
    pub scope: String,
    /// How long a token lives.
    #[serde(default = "an_hour")]
    pub token_lifetime_seconds: u64,
}

fn org_admin() -> String {
    "org:admin".to_owned()
}

fn an_hour() -> u64 {
    3600
}

/// A token that was given out.
#[derive(Clone, Debug)]
pub(crate) struct Minted {
    expires_at: Timestamp,
    scope: String,
}

/// The scopes of a request; `None` means all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grant(Option<BTreeSet<String>>);

impl Grant {
    /// Refuses with 403 when `needed` is missing, naming both sides.
    pub(crate) fn needs(&self, needed: &str) -> Result<(), Refusal> {
        match &self.0 {
            Some(has) if !has.contains(needed) => Err(Refusal::forbidden(format!(
                "Missing required scopes. Got: [{}] Needed one of: ['{needed}']",
                has.iter().map(|scope| format!("'{scope}'")).collect::<Vec<_>>().join(", ")
            ))),
            _ => Ok(()),
        }
    }
}

/// Which kind of credential came, and what it may do.
pub(crate) fn check(
    state: &State,
    request: &RawRequest,
) -> (CredentialKind, Result<Grant, Refusal>) {
    let bearer = header(request, "authorization").map(|value| {
        value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
    });
    let unknown = || Refusal::status(401, "invalid credential");
    let (text, is_bearer) = match (header(request, "x-api-key"), bearer) {
        (Some(key), _) => (key, false),
        (None, Some(Some((_, token)))) => (token.trim(), true),
        (None, Some(None)) => return (CredentialKind::Unknown, Err(unknown())),
        (None, None) => {
            let refusal = Refusal::status(401, "x-api-key or authorization header is required");
            return (CredentialKind::None, Err(refusal));
        }
    };
    let kind = classify(state, text, is_bearer);
    let verdict = match kind {
        CredentialKind::Token => match state.minted.get(text) {
            Some(minted) if minted.expires_at <= state.clock.now() => Err(unknown()),
            Some(minted) if minted.scope != "org:admin" => {
                Err(Refusal::forbidden("this token lacks the scope org:admin"))
            }
            _ => Ok(Grant(None)),
        },
        CredentialKind::AdminKey | CredentialKind::OrganizationKey => Ok(Grant(None)),
        CredentialKind::ScopedKey => Ok(Grant(state.credentials.scoped_keys.get(text).cloned())),
        CredentialKind::WorkspaceKey => {
            Err(Refusal::forbidden("a key of one workspace cannot use the Admin API"))
        }
        CredentialKind::Unknown | CredentialKind::None => Err(unknown()),
    };
    (kind, verdict)
}

fn classify(state: &State, text: &str, is_bearer: bool) -> CredentialKind {
    let Credentials {
        admin_keys,
        organization_keys,
        scoped_keys,
        workspace_keys,
        tokens,
        revoked,
        federation: _,
    } = &state.credentials;
    let enterprise = state.organization.kind == OrganizationKind::Enterprise;
    let any_scoped = enterprise && scoped_keys.is_empty() && text.starts_with("sk-ant-api01-");
    if text.is_empty() || revoked.contains(text) {
        CredentialKind::Unknown
    } else if admin_keys.contains(text)
        || (admin_keys.is_empty() && text.starts_with("sk-ant-admin"))
    {
        CredentialKind::AdminKey
    } else if organization_keys.contains(text) {
        CredentialKind::OrganizationKey
    } else if scoped_keys.contains_key(text) || any_scoped {
        CredentialKind::ScopedKey
    } else if workspace_keys.contains(text) || text.starts_with("sk-ant-api") {
        CredentialKind::WorkspaceKey
    } else if is_bearer
        && (state.minted.contains_key(text)
            || tokens.contains(text)
            || (tokens.is_empty() && !text.starts_with("sk-ant-admin")))
    {
        CredentialKind::Token
    } else {
        CredentialKind::Unknown
    }
}

/// `POST /v1/oauth/token`: exact headers and fields, one opaque 401 for anything wrong with the identity.
pub(crate) fn exchange(
    state: &mut State,
    request: &RawRequest,
) -> Result<serde_json::Value, Refusal> {
    let mut fields = Fields::new(object(request)?);
    let grant = fields.string("grant_type")?;
    if grant == "refresh_token" {
        // It must not come with the header of the federation.
        return Err(Refusal::invalid("grant_type: the sandbox has no refresh tokens"));
    }
    let betas: Vec<&str> =
        header(request, "anthropic-beta").unwrap_or_default().split(',').map(str::trim).collect();
    if let Some(missing) = BETAS.iter().find(|beta| !betas.contains(beta)) {
        return Err(Refusal::invalid(format!("anthropic-beta: `{missing}` is required")));
    }
    if header(request, "anthropic-version").is_some() {
        return Err(Refusal::invalid("anthropic-version: not accepted by this endpoint"));
    }
    let assertion = fields.string("assertion")?;
    let rule_id = fields.string("federation_rule_id")?;
    let organization = fields.string("organization_id")?;
    let account = fields.maybe_string("service_account_id")?;
    let workspace = fields.maybe_string("workspace_id")?;
    fields.end()?;
    if grant != GRANT {
        return Err(Refusal::invalid(format!("grant_type: must be `{GRANT}`")));
    }
    if assertion.is_empty() || assertion.len() > MAX_ASSERTION {
        return Err(Refusal::invalid("assertion: must have 1 to 16384 bytes"));
    }
    if workspace.is_some_and(|id| id != "default" && !id.starts_with("wrkspc_")) {
        return Err(Refusal::invalid("workspace_id: must be a workspace id or `default`"));
    }
    if account.is_none() && state.switches.exchange_account == ExchangeAccount::Required {
        return Err(Refusal::invalid("service_account_id: field required"));
    }
    let rule = state.credentials.federation.iter().find(|rule| {
        rule.id == rule_id
            && rule.assertions.contains(&assertion)
            && account.as_ref().is_none_or(|account| *account == rule.service_account)
    });
    let Some(rule) = rule.filter(|_| organization == state.organization.id).cloned() else {
        return Err(Refusal::status(401, "the identity token was not accepted"));
    };
    let first_time = state.exchanged.insert(assertion);
    if rule.check_jti && !first_time {
        return Err(Refusal::status(401, "the identity token was not accepted"));
    }
    let seconds = rule.token_lifetime_seconds.max(60);
    let token = state.ids.fresh("sk-ant-oat01-");
    let expires_at = clock::add(state.clock.now(), Duration::from_secs(seconds));
    state.minted.insert(token.clone(), Minted { expires_at, scope: rule.scope.clone() });
    Ok(serde_json::json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": seconds,
        "scope": rule.scope,
    }))
}
