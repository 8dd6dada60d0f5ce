//! One write as a value, built at plan time: exact method, path and body, with typed references for ids that
//! an earlier step of the same plan will make.
//!
//! Invariant: a call becomes a request only when every reference in it is known; nothing replaces text.

use std::{collections::BTreeMap, fmt};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::transport::{Method, RawRequest};
use crate::address::{Address, RemoteId};

/// A piece of a path or body: text known now, or the id of an object that does not exist yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Known text: a path segment (not yet percent-encoded) or a JSON value in a body.
    Text(Value),
    /// The remote id of this address, once it is made; shown as `<workspace/Production>`.
    IdOf(Address),
}

impl Part {
    /// Known text.
    pub fn text(text: impl Into<String>) -> Self {
        Part::Text(Value::String(text.into()))
    }
}

impl From<&RemoteId> for Part {
    fn from(id: &RemoteId) -> Self {
        Part::text(id.as_str())
    }
}

/// How a write behaves when it is sent twice (`admin-api` notes on what is safe to resend).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resend {
    /// Sets absolute values: sending it again changes nothing more.
    Safe,
    /// Removes: a second one may answer 404, which is success.
    Gone,
    /// Makes something: after a lost reply, look before sending again.
    LookFirst,
}

/// The budget a write is counted against, besides the one all requests share.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Budget {
    /// Only the shared one.
    #[default]
    Shared,
    /// Also the invites' hourly one.
    Invites,
}

/// One write to the Admin API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Call {
    /// POST or DELETE.
    pub method: Method,
    /// Path segments after `/v1/organizations/`.
    pub path: Vec<Part>,
    /// Fields of the JSON body; `None` sends no body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<BTreeMap<String, Part>>,
    /// What a second sending would do.
    pub resend: Resend,
    /// What it costs.
    #[serde(default)]
    pub budget: Budget,
}

/// A reference in a call has no id: the step that makes it did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of {0} is not known")]
pub struct UnknownId(pub Address);

impl Call {
    /// A POST with a body.
    pub fn post<K: Into<String>>(
        path: impl IntoIterator<Item = Part>,
        body: impl IntoIterator<Item = (K, Part)>,
        resend: Resend,
    ) -> Self {
        Self {
            method: Method::Post,
            path: path.into_iter().collect(),
            body: Some(body.into_iter().map(|(key, part)| (key.into(), part)).collect()),
            resend,
            budget: Budget::Shared,
        }
    }

    /// A POST without a body.
    pub fn post_empty(path: impl IntoIterator<Item = Part>, resend: Resend) -> Self {
        Self {
            method: Method::Post,
            path: path.into_iter().collect(),
            body: None,
            resend,
            budget: Budget::Shared,
        }
    }

    /// A DELETE.
    pub fn delete(path: impl IntoIterator<Item = Part>) -> Self {
        Self {
            method: Method::Delete,
            path: path.into_iter().collect(),
            body: None,
            resend: Resend::Gone,
            budget: Budget::Shared,
        }
    }

    /// Counts it against the invites' budget too.
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// The addresses whose ids it needs.
    pub fn references(&self) -> impl Iterator<Item = &Address> {
        self.path.iter().chain(self.body.iter().flat_map(|body| body.values())).filter_map(|part| {
            match part {
                Part::IdOf(address) => Some(address),
                Part::Text(_) => None,
            }
        })
    }

    /// The same call with every reference filled in whose id is known.
    #[must_use]
    pub fn fill(&self, ids: &BTreeMap<Address, RemoteId>) -> Self {
        let fill = |part: &Part| match part {
            Part::IdOf(address) => ids.get(address).map_or_else(|| part.clone(), Part::from),
            Part::Text(_) => part.clone(),
        };
        let body = self.body.as_ref();
        Self {
            path: self.path.iter().map(fill).collect(),
            body: body.map(|fields| fields.iter().map(|(k, v)| (k.clone(), fill(v))).collect()),
            ..self.clone()
        }
    }

    /// Fills the references in and gives the request (without credential or version headers).
    pub fn resolve(&self, ids: &BTreeMap<Address, RemoteId>) -> Result<RawRequest, UnknownId> {
        let value = |part: &Part| match part {
            Part::Text(value) => Ok(value.clone()),
            Part::IdOf(address) => ids
                .get(address)
                .map(|id| Value::String(id.as_str().to_owned()))
                .ok_or_else(|| UnknownId(address.clone())),
        };
        let mut target = String::from("/v1/organizations");
        for part in &self.path {
            target.push('/');
            target.push_str(&encode_segment(&plain(&value(part)?)));
        }
        let body = match &self.body {
            None => None,
            Some(fields) => {
                let fields = fields
                    .iter()
                    .map(|(key, part)| Ok((key.clone(), value(part)?)))
                    .collect::<Result<serde_json::Map<_, _>, UnknownId>>()?;
                Some(Bytes::from(Value::Object(fields).to_string()))
            }
        };
        Ok(RawRequest { method: self.method, target, headers: Vec::new(), body })
    }
}

/// Percent-encodes one path segment (RFC 3986: all but unreserved characters).
pub fn encode_segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for nibble in [byte >> 4, byte & 15] {
                out.push(
                    char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase(),
                );
            }
        }
    }
    out
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Shows it as a person reads it: `POST /workspaces/<workspace/Production>/members {"user_id":…}`.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.method)?;
        for part in &self.path {
            match part {
                Part::Text(value) => write!(f, "/{}", encode_segment(&plain(value)))?,
                Part::IdOf(address) => write!(f, "/<{address}>")?,
            }
        }
        if let Some(body) = &self.body {
            f.write_str(" {")?;
            for (index, (key, part)) in body.iter().enumerate() {
                let comma = if index == 0 { "" } else { "," };
                match part {
                    Part::Text(value) => write!(f, "{comma}\"{key}\":{value}")?,
                    Part::IdOf(address) => write!(f, "{comma}\"{key}\":\"<{address}>\"")?,
                }
            }
            f.write_str("}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Name;

    #[test]
    fn ids_that_are_known_are_filled_in_everywhere_and_others_stay_references() {
        let (known, unknown) =
            (Address::workspace(Name::label("Prod")), Address::member(Name::label("ada@acme.com")));
        let call = Call::post(
            [Part::text("workspaces"), Part::IdOf(known.clone()), Part::text("members")],
            [
                ("user_id".to_owned(), Part::IdOf(unknown.clone())),
                ("copy_of".to_owned(), Part::IdOf(known.clone())),
                ("workspace_role".to_owned(), Part::text("workspace_user")),
            ],
            Resend::LookFirst,
        );
        let ids = BTreeMap::from([(known, RemoteId::new("wrkspc_1"))]);
        let filled = call.fill(&ids);
        assert_eq!(filled.path[1], Part::text("wrkspc_1"));
        let body = filled.body.as_ref().unwrap();
        assert_eq!(body["copy_of"], Part::text("wrkspc_1"));
        assert_eq!(filled.references().collect::<Vec<_>>(), [&unknown]);
        assert_eq!((filled.method, filled.resend), (call.method, call.resend));
    }
}
