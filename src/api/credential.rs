//! Which credential is used, and where it came from.
//!
//! Invariant: a credential is never shown: errors name the variable, not its value.

mod profile;

use std::{borrow::Cow, path::PathBuf};

use crate::secret::Secret;

/// How the API's keys and tokens start.
const PREFIX: &str = "sk-ant-";
/// Variables in the order they are looked at; workload identity comes last.
const ADMIN_KEY: &str = "ANTHROPIC_ADMIN_KEY";
const API_KEY: &str = "ANTHROPIC_API_KEY";
const AUTH_TOKEN: &str = "ANTHROPIC_AUTH_TOKEN";
const RULE: &str = "ANTHROPIC_FEDERATION_RULE_ID";
const ORGANIZATION: &str = "ANTHROPIC_ORGANIZATION_ID";
const SERVICE_ACCOUNT: &str = "ANTHROPIC_SERVICE_ACCOUNT_ID";
const WORKSPACE: &str = "ANTHROPIC_WORKSPACE_ID";
const TOKEN_FILE: &str = "ANTHROPIC_IDENTITY_TOKEN_FILE";
const TOKEN: &str = "ANTHROPIC_IDENTITY_TOKEN";
/// Where an access token is kept for the next run of the same job.
const TOKEN_CACHE: &str = "CHARTER_TOKEN_CACHE";

/// The variable that a credential came from.
pub type Source = Cow<'static, str>;

/// What a run signs in with.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A key, sent as `x-api-key`, and the variable it came from.
    Key(Secret, Source),
    /// A token, sent as `Authorization: Bearer`, and the variable it came from.
    Token(Secret, Source),
    /// An identity of the machine charter runs on, exchanged for short-lived tokens.
    WorkloadIdentity(WorkloadIdentity),
}

/// What a credential is, as far as its look tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// `sk-ant-admin…`.
    AdminKey,
    /// Another key: of an organization, of Claude Enterprise, or of one workspace.
    Key,
    /// `sk-ant-oat…`: the access token of a login.
    Login,
    /// Another bearer token.
    Token,
    /// An access token that an identity was exchanged for.
    WorkloadIdentity,
}

/// The parts of a workload identity exchange (`admin-api` notes on workload identity federation).
#[derive(Clone, Debug)]
pub struct WorkloadIdentity {
    /// `fdrl_…`
    pub federation_rule_id: String,
    /// The organization's UUID.
    pub organization_id: String,
    /// `svac_…`; sent if known.
    pub service_account_id: Option<String>,
    /// `wrkspc_…` or `default`; needed if the rule spans several workspaces.
    pub workspace_id: Option<String>,
    /// Where the identity token comes from.
    pub identity: IdentityToken,
    /// A file of the job that keeps the access token for its next run.
    pub cache: Option<PathBuf>,
}

/// Where the identity token (a JWT) comes from.
#[derive(Clone, Debug)]
pub enum IdentityToken {
    /// A file, read anew at each exchange.
    File(PathBuf),
    /// The token itself.
    Literal(Secret),
}

/// The credential to use, and what else could have been.
#[derive(Clone, Debug)]
pub struct Found {
    /// The one that is used.
    pub credential: Credential,
    /// Other variables that are set, and not used.
    pub also_set: Vec<&'static str>,
}

/// Why there is no credential to use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// None of the variables is set.
    #[error("no credential is set")]
    Missing {
        /// `ANTHROPIC_ADMIN_API_KEY` is set, which nothing reads.
        misnamed: bool,
        /// A profile of the official CLI, which charter does not read.
        profile: Option<String>,
    },
    /// The one variable that it is wanted from is not set.
    #[error("`{variable}`, which is to hold the credential, is not set")]
    NotSet {
        /// The variable.
        variable: String,
    },
    /// Only some of the variables of a workload identity are set.
    #[error("the workload identity is not complete: {} not set", list(.missing))]
    Incomplete {
        /// Those that are missing.
        missing: Vec<&'static str>,
    },
    /// The value cannot be a credential.
    #[error("the value of `{variable}` {why}")]
    Malformed {
        /// The variable.
        variable: Source,
        /// What is wrong with it, without the value.
        why: &'static str,
    },
}

impl CredentialError {
    /// What to do next.
    pub fn next_step(&self) -> String {
        match self {
            CredentialError::Missing { profile: Some(name), .. } => format!(
                "the profile `{name}` of the official CLI is not read, since it holds a refresh token; print its access \
                 token for charter: {}",
                print_credentials(name)
            ),
            CredentialError::Missing { misnamed, profile: None } => format!(
                "{}set one of: `{ADMIN_KEY}` (an Admin API key, `sk-ant-admin01-…`, made by an organization admin in the Console), \
                 `{API_KEY}` (an organization-scoped key), `{AUTH_TOKEN}` (an OAuth token with the scope `org:admin`), or a workload \
                 identity (`{RULE}`, `{ORGANIZATION}`, `{SERVICE_ACCOUNT}` and `{TOKEN_FILE}`); or try it out with `--sandbox`",
                if *misnamed {
                    "`ANTHROPIC_ADMIN_API_KEY` is set but not read: rename it; or "
                } else {
                    ""
                }
            ),
            CredentialError::NotSet { variable } => format!(
                "set `{variable}` to an Admin API key of the organization, or to a token with the scope `org:admin`; or try it \
                 out with `--sandbox`"
            ),
            CredentialError::Incomplete { .. } => {
                format!("set them too, or set `{ADMIN_KEY}` instead")
            }
            CredentialError::Malformed { variable, .. } => {
                format!("copy the credential again into `{variable}`, as one line of ASCII")
            }
        }
    }
}

impl Credential {
    /// Finds the credential to use; an empty variable counts as not set.
    pub fn from_env(env: &dyn Fn(&str) -> Option<String>) -> Result<Found, CredentialError> {
        let get = |name: &str| {
            env(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let mut set = Vec::new();
        for (variable, is_key) in [(ADMIN_KEY, true), (API_KEY, true), (AUTH_TOKEN, false)] {
            if let Some(value) = get(variable) {
                set.push((variable, value, is_key));
            }
        }
        let identity = workload_identity(&get);
        let mut set = set.into_iter();
        let Some((variable, value, is_key)) = set.next() else {
            let misnamed = get("ANTHROPIC_ADMIN_API_KEY").is_some();
            return match identity? {
                Some(identity) => Ok(Found {
                    credential: Credential::WorkloadIdentity(identity),
                    also_set: get(profile::VARIABLE)
                        .map(|_| profile::VARIABLE)
                        .into_iter()
                        .collect(),
                }),
                None => Err(CredentialError::Missing { misnamed, profile: profile::active(&get) }),
            };
        };
        let credential = Self::new(variable.into(), value, is_key)?;
        let also_set = set
            .map(|(variable, ..)| variable)
            .chain([RULE, profile::VARIABLE].into_iter().filter(|name| get(name).is_some()))
            .collect();
        Ok(Found { credential, also_set })
    }

    /// The credential in one variable, and in no other: a key, or a token by its prefix. Whoever names the variable
    /// may be wrong about it, so nothing is sent that does not look like a credential of the API.
    ///
    /// # Errors
    /// If the variable is not set, or what it holds cannot be a credential.
    pub fn from_variable(
        variable: &str,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, CredentialError> {
        let value = env(variable).map(|value| value.trim().to_owned());
        let source = || variable.to_owned().into();
        match value.filter(|value| !value.is_empty()) {
            Some(value) if value.starts_with(PREFIX) || flaw(&value).is_some() => {
                Self::new(source(), value, true)
            }
            Some(_) => Err(CredentialError::Malformed {
                variable: source(),
                why: "does not start with `sk-ant-`, as keys and tokens of the API do",
            }),
            None => Err(CredentialError::NotSet { variable: variable.to_owned() }),
        }
    }

    fn new(variable: Source, value: String, is_key: bool) -> Result<Self, CredentialError> {
        let secret = sane(&variable, value)?;
        // A login's access token is often put where a key is wanted; only as a bearer is it accepted.
        let is_token = secret.expose().starts_with("sk-ant-oat");
        Ok(if is_key && !is_token {
            Credential::Key(secret, variable)
        } else {
            Credential::Token(secret, variable)
        })
    }

    /// The variable it came from, as shown in a plan's head and in errors.
    pub fn source(&self) -> &str {
        match self {
            Credential::Key(_, source) | Credential::Token(_, source) => source,
            Credential::WorkloadIdentity(_) => RULE,
        }
    }

    /// What it is.
    pub fn kind(&self) -> CredentialKind {
        match self {
            Credential::Key(secret, _) if secret.expose().starts_with("sk-ant-admin") => {
                CredentialKind::AdminKey
            }
            Credential::Key(..) => CredentialKind::Key,
            Credential::Token(..) if self.is_login() => CredentialKind::Login,
            Credential::Token(..) => CredentialKind::Token,
            Credential::WorkloadIdentity(_) => CredentialKind::WorkloadIdentity,
        }
    }

    /// Whether it is the access token of a login.
    pub(crate) fn is_login(&self) -> bool {
        matches!(self, Credential::Token(secret, _) if secret.expose().starts_with("sk-ant-oat"))
    }

    /// Whether a listed key's `partial_key_hint` fits this credential: the key charter itself uses is never
    /// switched off.
    pub fn matches_hint(&self, partial_key_hint: &str) -> bool {
        let (Credential::Key(secret, _) | Credential::Token(secret, _)) = self else {
            return false;
        };
        let text = secret.expose();
        match partial_key_hint.split_once("...").or_else(|| partial_key_hint.split_once('…')) {
            Some((head, tail)) => {
                !(head.is_empty() && tail.is_empty())
                    && text.len() >= head.len() + tail.len()
                    && text.starts_with(head)
                    && text.ends_with(tail)
            }
            None => text == partial_key_hint,
        }
    }

    /// The header that signs a request in; a workload identity has none before its exchange.
    pub(crate) fn header(&self) -> Option<(String, String)> {
        match self {
            Credential::Key(secret, _) => {
                Some(("x-api-key".to_owned(), secret.expose().to_owned()))
            }
            Credential::Token(secret, _) => Some(bearer(secret)),
            Credential::WorkloadIdentity(_) => None,
        }
    }
}

/// The line that hands the access token of a profile of the official CLI to charter.
pub(crate) fn print_credentials(profile: &str) -> String {
    format!(
        "`export {AUTH_TOKEN}=\"$(ant auth print-credentials --profile {profile} --access-token)\"` (the login needs the \
         scope: `ant auth login --profile {profile} --scope \"org:admin\"`)"
    )
}

/// The header of a bearer token.
pub(crate) fn bearer(token: &Secret) -> (String, String) {
    ("authorization".to_owned(), format!("Bearer {}", token.expose()))
}

/// What no credential holds, since no header could carry it; the text is what is wrong with it.
pub(crate) fn flaw(text: &str) -> Option<&'static str> {
    if text.starts_with(['"', '\'']) {
        // A file for `kubectl create secret --from-env-file` or `docker --env-file` keeps quotes.
        Some("has quotes around it, which are taken for a part of it")
    } else if text.chars().any(char::is_whitespace) {
        Some("has white space inside")
    } else if !text.is_ascii() {
        Some("has characters that are not ASCII")
    } else if text.chars().any(|letter| letter.is_ascii_control()) {
        Some("has control characters")
    } else {
        None
    }
}

fn sane(variable: &str, value: String) -> Result<Secret, CredentialError> {
    match flaw(&value) {
        Some(why) => Err(CredentialError::Malformed { variable: variable.to_owned().into(), why }),
        None => Ok(Secret::new(value)),
    }
}

/// `None` if nothing points to one: the organization id alone has other uses.
fn workload_identity(
    get: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<WorkloadIdentity>, CredentialError> {
    let (rule, organization) = (get(RULE), get(ORGANIZATION));
    let (file, literal) = (get(TOKEN_FILE), get(TOKEN));
    let has_token = file.is_some() || literal.is_some();
    let mut missing = Vec::new();
    for (variable, present) in
        [(RULE, rule.is_some()), (ORGANIZATION, organization.is_some()), (TOKEN_FILE, has_token)]
    {
        if !present {
            missing.push(variable);
        }
    }
    let (Some(federation_rule_id), Some(organization_id), true) = (rule, organization, has_token)
    else {
        let begun = !missing.contains(&RULE) || has_token;
        return if begun { Err(CredentialError::Incomplete { missing }) } else { Ok(None) };
    };
    let identity = match (file, literal) {
        (Some(path), _) => IdentityToken::File(path.into()),
        (None, Some(token)) => IdentityToken::Literal(sane(TOKEN, token)?),
        (None, None) => return Ok(None),
    };
    Ok(Some(WorkloadIdentity {
        federation_rule_id,
        organization_id,
        service_account_id: get(SERVICE_ACCOUNT),
        workspace_id: get(WORKSPACE),
        identity,
        cache: get(TOKEN_CACHE).map(PathBuf::from),
    }))
}

fn list(variables: &[&str]) -> String {
    let quoted: Vec<String> = variables.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [one] => format!("{one} is"),
        [head @ .., last] => format!("{} and {last} are", head.join(", ")),
        [] => String::new(),
    }
}

#[cfg(test)]
mod tests;
