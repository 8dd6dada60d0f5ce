//! A request taken apart: decoded path, query, version, and a body that is read strictly.
//!
//! Invariant: nothing a client sends is ignored in a body; in a query unknown names are, unless a switch refuses them.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::api::transport::RawRequest;

/// A decoded query string; array parameters keep their `[]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(text: &str) -> Self {
        Self(
            url::form_urlencoded::parse(text.as_bytes())
                .map(|(key, value)| (key.into_owned(), value.into_owned()))
                .collect(),
        )
    }

    /// The names, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The first value of a name.
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Every value of an array, `name[]=…`.
    pub(crate) fn many(&self, name: &str) -> Vec<&str> {
        let wanted = |key: &str| key.strip_suffix("[]") == Some(name);
        self.0.iter().filter(|(key, _)| wanted(key)).map(|(_, value)| value.as_str()).collect()
    }

    /// An email address.
    pub(crate) fn address(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.one(name) {
            Some(text) if domain_of(text).is_none() => {
                Err(Refusal::invalid(format!("{name}: `{text}` is not a valid email address")))
            }
            other => Ok(other),
        }
    }

    /// A boolean, absent meaning false.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.one(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Refusal::invalid(format!("{name}: must be true or false"))),
        }
    }

    /// Every value of an array, each one of `allowed`.
    pub(crate) fn choices(&self, name: &str, allowed: &[&str]) -> Result<Vec<&str>, Refusal> {
        let values = self.many(name);
        match values.iter().find(|value| !allowed.contains(value)) {
            Some(value) => Err(Refusal::invalid(format!(
                "{name}: `{value}` is none of {}",
                allowed.join(", ")
            ))),
            None => Ok(values),
        }
    }
}

/// The request with the lines of each header joined by commas, as one line means the same as several.
pub(crate) fn joined(request: &RawRequest) -> Cow<'_, RawRequest> {
    let mut headers: Vec<(String, String)> = Vec::with_capacity(request.headers.len());
    for (name, value) in &request.headers {
        match headers.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((_, line)) => {
                line.push_str(", ");
                line.push_str(value);
            }
            None => headers.push((name.clone(), value.clone())),
        }
    }
    if headers.len() == request.headers.len() {
        return Cow::Borrowed(request);
    }
    Cow::Owned(RawRequest { headers, ..request.clone() })
}

/// A header's value (`name` in lower case).
pub(crate) fn header<'a>(request: &'a RawRequest, name: &str) -> Option<&'a str> {
    request
        .headers
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

/// Splits a target into decoded path segments and the query; `None` for a path that is not clean.
pub(crate) fn split(target: &str) -> Option<(Vec<String>, Query)> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let segments = path
        .strip_prefix('/')?
        .split('/')
        .map(|segment| decode(segment).filter(|text| !matches!(text.as_str(), "" | "." | "..")))
        .collect::<Option<Vec<_>>>()?;
    Some((segments, Query::parse(query)))
}

/// Reads the body of a call that takes a JSON object.
pub(crate) fn object(request: &RawRequest) -> Result<Map<String, Value>, Refusal> {
    let body = request.body.as_ref().filter(|body| !body.is_empty());
    let Some(body) = body else {
        return Err(Refusal::invalid("a JSON object is required as body"));
    };
    let media = header(request, "content-type").unwrap_or_default();
    if media.split(';').next().map(str::trim) != Some("application/json") {
        return Err(Refusal::invalid("content-type: must be application/json"));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Refusal::invalid("the body must be a JSON object")),
        Err(error) => Err(Refusal::invalid(format!("the body is not valid JSON: {error}"))),
    }
}

/// Refuses a body on a call that takes none.
pub(crate) fn nothing(body: Option<&Bytes>) -> Result<(), Refusal> {
    match body {
        Some(body) if !body.is_empty() => Err(Refusal::invalid("this call takes no body")),
        _ => Ok(()),
    }
}

/// A JSON body read field by field; [`Fields::end`] refuses what nobody asked for.
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    pub(crate) fn new(fields: Map<String, Value>) -> Self {
        Self(fields)
    }

    /// Takes a field as it came; `null` is `Some(Value::Null)`.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// A required string.
    pub(crate) fn string(&mut self, name: &str) -> Result<String, Refusal> {
        match self.take(name) {
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(Refusal::invalid(format!("{name}: must be a string"))),
            None => Err(Refusal::invalid(format!("{name}: field required"))),
        }
    }

    /// An optional string where `null` is refused.
    pub(crate) fn maybe_string(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        self.take(name).map(|value| text(name, value)).transpose()
    }

    /// An optional string where `null` means the same as leaving it out.
    pub(crate) fn nullable_string(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        match self.take(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => text(name, value).map(Some),
        }
    }

    /// Refuses every field that was not taken.
    pub(crate) fn end(self) -> Result<(), Refusal> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(Refusal::invalid(format!("{name}: extra inputs are not permitted"))),
        }
    }
}

/// The domain of an email address; `None` if the text is no address.
pub(crate) fn domain_of(email: &str) -> Option<&str> {
    let (local, domain) = email.rsplit_once('@')?;
    let clean = |text: &str| !text.is_empty() && !text.contains([' ', '\t', '\n', '\r', '@']);
    (clean(local) && clean(domain) && domain.contains('.') && email.len() <= 320).then_some(domain)
}

/// A string out of a JSON value.
pub(crate) fn text(name: &str, value: Value) -> Result<String, Refusal> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(Refusal::invalid(format!("{name}: must be a string"))),
    }
}

fn decode(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
            bytes.push(digit(rest.next()?)? << 4 | digit(rest.next()?)?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}
