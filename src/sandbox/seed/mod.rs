//! The seed file: an organization as YAML, pleasant to write by hand and exact when dumped.
//!
//! Invariant: what `to_yaml` writes, `from_yaml` reads back to the same organization; an unknown field, a name that
//! leads nowhere and a duplicate are errors, never guesses.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    clock::moment,
    credentials::Credentials,
    faults::Rule,
    kinds::{api_key::KeyStatus, invite::InviteStatus, residency::Residency},
    limits::Limits,
    scripts::Script,
    state::{OrganizationKind, State},
    switches::Switches,
};

mod dump;
mod plant;

/// Why a seed file is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeedError {
    /// The YAML cannot be read.
    #[error("line {line}, column {column}: {message}")]
    Yaml {
        /// The line, from 1; 0 if it is not known.
        line: u64,
        /// The column, from 1; 0 if it is not known.
        column: u64,
        /// What is wrong.
        message: String,
    },
    /// The YAML can be read, but an entry makes no sense.
    #[error("{at}: {message}")]
    Entry {
        /// Which entry, such as `api_keys[3]`.
        at: String,
        /// What is wrong, and what to write.
        message: String,
    },
    /// The organization cannot be written.
    #[error("cannot write the organization as YAML: {0}")]
    Write(String),
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
// The field is the number that ids come from; the file says `seed: 7`.
#[allow(clippy::struct_field_names)]
struct Seed {
    organization: OrganizationSeed,
    #[serde(with = "moment", skip_serializing_if = "Option::is_none")]
    now: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<ClockSeed>,
    #[serde(skip_serializing_if = "is_zero")]
    tick_ms: u64,
    #[serde(skip_serializing_if = "is_zero")]
    seed: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    users: Vec<UserSeed>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    former_users: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    invites: Vec<InviteSeed>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    workspaces: Vec<WorkspaceSeed>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    api_keys: Vec<KeySeed>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    external_keys: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    user_profiles: BTreeMap<String, Option<String>>,
    #[serde(skip_serializing_if = "is_false")]
    requires_external_key: bool,
    #[serde(skip_serializing_if = "is_default")]
    limits: Limits,
    #[serde(skip_serializing_if = "is_default")]
    credentials: Credentials,
    #[serde(serialize_with = "only_differences", skip_serializing_if = "is_default")]
    switches: Switches,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<Rule>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scripts: Vec<Script>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OrganizationSeed {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    kind: OrganizationKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ClockSeed {
    Frozen,
    Running,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UserSeed {
    email: String,
    role: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, with = "moment", skip_serializing_if = "Option::is_none")]
    added_at: Option<Timestamp>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InviteSeed {
    email: String,
    role: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<InviteStatus>,
    #[serde(default, with = "moment", skip_serializing_if = "Option::is_none")]
    invited_at: Option<Timestamp>,
    #[serde(default, with = "moment", skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(default, with = "moment", skip_serializing_if = "Option::is_none")]
    accepted_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rbac_group_ids: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkspaceSeed {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    default: bool,
    #[serde(default, with = "moment", skip_serializing_if = "Option::is_none")]
    created_at: Option<Timestamp>,
    #[serde(default, with = "moment", skip_serializing_if = "Option::is_none")]
    archived_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    display_color: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "is_default")]
    data_residency: Residency,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    external_key_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_profile_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    compartment_id: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    members: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeySeed {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default)]
    status: KeyStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    workspace: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<ScopeSeed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    principal: Option<String>,
    #[serde(default, with = "moment", skip_serializing_if = "Option::is_none")]
    created_at: Option<Timestamp>,
    #[serde(default, with = "moment", skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(default, with = "moment", skip_serializing_if = "Option::is_none")]
    archives_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    partial_key_hint: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ScopeSeed {
    Organization,
}

impl State {
    /// Reads a seed file (`docs/sandbox.md` describes the format).
    pub fn from_yaml(text: &str) -> Result<Self, SeedError> {
        plant::plant(read(text)?)
    }

    /// Writes the organization as a seed file that reads back to the same organization. The request log, tokens that
    /// were given out and counters of fault rules are left out.
    pub fn to_yaml(&self) -> Result<String, SeedError> {
        serde_yaml::to_string(&dump::dump(self))
            .map_err(|error| SeedError::Write(error.to_string()))
    }
}

fn read(text: &str) -> Result<Seed, SeedError> {
    if text.trim().is_empty() {
        return Ok(Seed::default());
    }
    // The default budget of 250,000 nodes refuses an organization of 20,000 people.
    let options = serde_yaml::options! {
        budget: serde_yaml::budget! { max_nodes: 20_000_000, max_events: 60_000_000 },
        with_snippet: false,
    };
    serde_yaml::from_str_with_options(text, options).map_err(|error| {
        let place = error.location();
        let text = error.to_string();
        let mut message = text.lines().next().unwrap_or_default();
        // The place is told apart, and what the library advises its callers is no help to whoever wrote the file.
        for tail in [" at line ", ", set DuplicateKeyPolicy"] {
            message = message.split(tail).next().unwrap_or_default();
        }
        let message = match message {
            "expected sequence start" => "expected a list".to_owned(),
            "expected mapping start" => "expected a mapping".to_owned(),
            other => other.to_owned(),
        };
        SeedError::Yaml {
            line: place.map_or(0, |place| place.line()),
            column: place.map_or(0, |place| place.column()),
            message,
        }
    })
}

fn entry(at: &str, message: impl Into<String>) -> SeedError {
    SeedError::Entry { at: at.to_owned(), message: message.into() }
}

// The signatures are what serde calls.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_false(flag: &bool) -> bool {
    !*flag
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn only_differences<S: serde::Serializer>(
    switches: &Switches,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let differences: BTreeMap<&str, Value> = switches.differences();
    differences.serialize(serializer)
}
