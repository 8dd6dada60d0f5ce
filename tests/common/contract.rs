//! The contract of the API (`tests/contract/openapi.json`), as a judge of requests and answers.
//!
//! Invariant: what the contract does not say is a finding, unless this file says why it is not.

#![allow(dead_code, reason = "each test program uses its own part")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

use jsonschema::Validator;
use orgcharter::{
    api::transport::{Method, RawRequest, RawResponse},
    sandbox::{Fault, Seen, Switches, Wire},
};
use serde_json::{Value, json};

/// The project's copy of the contract.
pub(crate) const TEXT: &str = include_str!("../contract/openapi.json");

/// Positions of switches that break the contract on purpose: what somebody saw, or what an older document says.
pub(crate) const BREAKS: [(&str, &str, &str); 4] = [
    ("invite_groups", "absent", "older answers have no `rbac_group_ids`"),
    ("principal_shape", "plain", "the reference of August 2026 shows this shape"),
    ("has_more", "absent", "the SDKs go on without it, so charter has to"),
    (
        "missing_endpoint",
        "bad_request",
        "the SDKs know the code, the contract gives it to other calls",
    ),
];

/// Roles that tests seed on purpose though the contract does not know them.
const STRANGE: [&str; 2] = ["galactic_overlord", "a role of another time"];

/// Headers that are HTTP's own or the credential's.
const PLAIN: [&str; 8] = [
    "accept",
    "accept-encoding",
    "authorization",
    "content-length",
    "content-type",
    "host",
    "user-agent",
    "x-api-key",
];

/// What `anthropic-beta` says about the credential, not about the operation.
const OF_CREDENTIALS: &str = "oauth-2025-04-20";

/// One operation.
pub(crate) struct Operation {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The error codes by status.
    pub(crate) codes: BTreeMap<u16, BTreeSet<String>>,
    /// The documented statuses that are no success.
    pub(crate) statuses: BTreeSet<u16>,
    beta: Option<(String, bool)>,
    parameters: Vec<Parameter>,
    body: Option<Validator>,
    body_needed: bool,
    answers: BTreeMap<String, Validator>,
}

struct Parameter {
    place: String,
    name: String,
    needed: bool,
    many: bool,
    schema: Value,
    validator: Validator,
}

/// The contract.
pub(crate) struct Contract {
    pub(crate) operations: Vec<Operation>,
    error: Validator,
}

impl Contract {
    /// The project's copy, read once.
    pub(crate) fn get() -> &'static Self {
        static CONTRACT: OnceLock<Contract> = OnceLock::new();
        CONTRACT.get_or_init(|| Self::read(&serde_json::from_str(TEXT).unwrap()))
    }

    /// A contract as `OpenAPI`.
    pub(crate) fn read(document: &Value) -> Self {
        let schemas = &document["components"]["schemas"];
        let compile = |schema: &Value| {
            let mut whole = schema.clone();
            whole["components"] = json!({"schemas": reached(schema, schemas)});
            // The API's own validator writes `email` for addresses with letters of any alphabet too.
            let text = whole.to_string().replace(r#""format":"email""#, r#""format":"idn-email""#);
            let whole = serde_json::from_str(&text).unwrap_or(whole);
            let validator = jsonschema::options().should_validate_formats(true).build(&whole);
            validator.unwrap_or_else(|error| panic!("{schema}: {error}"))
        };
        let mut operations = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, found) in item.as_object().unwrap() {
                operations.push(Operation::read(path, method, found, &compile));
            }
        }
        Self { operations, error: compile(&json!({"$ref": "#/components/schemas/ErrorResponse"})) }
    }

    /// The operation that a request means. Without its beta header an operation has its plain form.
    pub(crate) fn operation(&self, request: &RawRequest) -> Option<&Operation> {
        let path = request.target.split('?').next().unwrap_or_default();
        self.operations.iter().find(|operation| {
            operation.method == request.method.as_str()
                && !operation.path.ends_with("?beta=true")
                && operation.segments().count() == path.split('/').count()
                && operation
                    .segments()
                    .zip(path.split('/'))
                    .all(|(want, have)| want.starts_with('{') || want == have)
        })
    }

    /// What is wrong with a request.
    pub(crate) fn request(&self, request: &RawRequest) -> Vec<String> {
        let Some(operation) = self.operation(request) else {
            return vec![format!("{} {} is no operation", request.method, request.target)];
        };
        let mut found = operation.check_headers(request);
        found.extend(operation.check_path_and_query(request));
        found.extend(operation.check_body(request));
        found
    }

    /// What is wrong with an answer.
    pub(crate) fn answer(&self, request: &RawRequest, response: &RawResponse) -> Vec<String> {
        let Ok(body) = serde_json::from_slice::<Value>(&response.body) else {
            return vec!["the answer is not JSON".to_owned()];
        };
        let media = response.header("content-type").unwrap_or_default();
        let mut found = Vec::new();
        if media != "application/json" {
            found.push(format!("the answer's content-type is `{media}`"));
        }
        let operation = self.operation(request).filter(|_| response.status != 405);
        let Some(operation) = operation else {
            // No operation, so nothing but an error can be right.
            found.extend(errors(&self.error, &body, "answer"));
            return found;
        };
        let status = response.status;
        let validator = operation.answers.get(&status.to_string());
        if status >= 400 {
            if !operation.statuses.contains(&status) {
                found.push(format!("the status {status} is not documented"));
            }
            let code = body.pointer("/error/details/error_code").and_then(Value::as_str);
            let known = operation.codes.get(&status);
            if let Some(code) = code.filter(|code| !known.is_some_and(|all| all.contains(*code))) {
                found.push(format!("the code {code} is not documented for {status}"));
            }
            let validator = validator.or(operation.answers.get("default")).unwrap_or(&self.error);
            found.extend(errors(validator, &body, "answer"));
        } else if let Some(validator) = validator {
            found.extend(errors(validator, &body, "answer"));
        } else {
            found.push(format!("the status {status} is not documented"));
        }
        found
    }

    /// What is wrong with an exchange: the request if charter sent it, the answer unless something breaks it on purpose.
    pub(crate) fn exchange(&self, seen: &Seen<'_>) -> Vec<String> {
        let Seen { request, response, wire, fault, switches } = seen;
        if request.target.starts_with("/v1/oauth/") {
            // The exchange of tokens is not in the contract.
            return Vec::new();
        }
        let charter = request.headers.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("user-agent") && value.starts_with("orgcharter")
        });
        let mut found = if charter { self.request(request) } else { Vec::new() };
        let travels = matches!(wire, Wire::Whole | Wire::Drip(_));
        if travels && !self.spoilt(request, response, *fault) && !breaks(switches) {
            found.extend(self.answer(request, response));
        }
        found
    }

    /// Whether a fault makes up what the contract does not say: a typed error is what a test writes.
    fn spoilt(&self, request: &RawRequest, response: &RawResponse, fault: Option<&Fault>) -> bool {
        let documented = |status: &u16| {
            self.operation(request).is_some_and(|operation| operation.statuses.contains(status))
        };
        match fault {
            None | Some(Fault::RateLimited(_) | Fault::LatencyMs(_) | Fault::Drip(_)) => false,
            Some(Fault::StatusBefore(status) | Fault::StatusAfter(status)) => {
                response.status >= 400 && !documented(status)
            }
            Some(_) => true,
        }
    }
}

/// Whether a switch breaks the contract on purpose.
pub(crate) fn breaks(switches: &Switches) -> bool {
    let set = switches.differences();
    BREAKS.iter().any(|(name, position, _)| set.get(name).is_some_and(|value| value == position))
}

/// Judges every later exchange of this process: a finding is a panic, and is kept for [`clean`].
pub(crate) fn watch() {
    orgcharter::sandbox::watch(|seen| {
        let found = Contract::get().exchange(seen);
        if !found.is_empty() {
            let Seen { request, response, .. } = seen;
            let body = request.body.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
            let text = format!(
                "the contract does not allow {} {} {body} → {} {}: {found:#?}",
                request.method,
                request.target,
                response.status,
                String::from_utf8_lossy(&response.body)
            );
            let _ = FOUND.set(text.clone());
            panic!("{text}");
        }
    });
}

/// The first finding: of a server's thread, a panic does not reach the test.
static FOUND: OnceLock<String> = OnceLock::new();

/// Panics if anything in this process broke the contract.
#[track_caller]
pub(crate) fn clean() {
    assert!(FOUND.get().is_none(), "{}", FOUND.get().unwrap());
}

impl Operation {
    fn read(
        path: &str,
        method: &str,
        found: &Value,
        compile: &dyn Fn(&Value) -> Validator,
    ) -> Self {
        let listed = |name: &str| found[name].as_array().into_iter().flatten();
        let parameters = listed("parameters").map(|parameter| Parameter {
            place: text(&parameter["in"]),
            name: text(&parameter["name"]),
            needed: parameter["required"] == true,
            many: parameter["schema"]["type"] == "array",
            schema: parameter["schema"].clone(),
            validator: compile(&parameter["schema"]),
        });
        let body = found.pointer("/requestBody/content/application~1json/schema");
        let answers =
            found["responses"].as_object().unwrap().iter().filter_map(|(status, answer)| {
                let schema = answer.pointer("/content/application~1json/schema")?;
                Some((status.clone(), compile(schema)))
            });
        let codes = found["x-codes"].as_object().into_iter().flatten();
        let codes = codes.map(|(status, codes)| {
            (status.parse().unwrap(), codes.as_array().unwrap().iter().map(text).collect())
        });
        let beta = &found["x-beta"];
        Self {
            method: method.to_uppercase(),
            path: path.to_owned(),
            codes: codes.collect(),
            statuses: listed("x-statuses").map(|status| text(status).parse().unwrap()).collect(),
            beta: beta.is_object().then(|| (text(&beta["value"]), beta["required"] == true)),
            parameters: parameters.collect(),
            body: body.map(compile),
            body_needed: found.pointer("/requestBody/required") == Some(&json!(true)),
            answers: answers.collect(),
        }
    }

    /// `GET /v1/organizations/me`.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    fn segments(&self) -> impl Iterator<Item = &str> {
        self.path.split('/')
    }

    fn of(&self, place: &'static str) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(move |parameter| parameter.place == place)
    }

    fn check_headers(&self, request: &RawRequest) -> Vec<String> {
        let mut found = Vec::new();
        let value_of =
            |name: &str| request.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        for (name, value) in &request.headers {
            let known = self.of("header").any(|header| header.name.eq_ignore_ascii_case(name));
            if name.eq_ignore_ascii_case("anthropic-beta") {
                let own = self.beta.as_ref().map(|(beta, _)| beta.as_str());
                let strange = value.split(',').map(str::trim);
                let strange = strange.filter(|beta| *beta != OF_CREDENTIALS && Some(*beta) != own);
                found.extend(
                    strange.map(|beta| format!("the operation does not name the beta {beta}")),
                );
            } else if !known && !PLAIN.contains(&name.to_ascii_lowercase().as_str()) {
                found.push(format!("the operation does not name the header {name}"));
            }
        }
        for header in self.of("header") {
            match value_of(&header.name) {
                Some((_, value)) => {
                    found.extend(errors(&header.validator, &json!(value), &header.name));
                }
                None if header.needed => {
                    found.push(format!("the header {} is missing", header.name));
                }
                None => {}
            }
        }
        if let Some((beta, true)) = &self.beta
            && !value_of("anthropic-beta").is_some_and(|(_, value)| value.contains(beta.as_str()))
        {
            found.push(format!("the beta {beta} is missing"));
        }
        found
    }

    fn check_path_and_query(&self, request: &RawRequest) -> Vec<String> {
        let mut found = Vec::new();
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        for (want, have) in self.segments().zip(path.split('/')) {
            let Some(name) = want.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else {
                continue;
            };
            match self.of("path").find(|parameter| parameter.name == name) {
                None => found.push(format!("the path has no parameter {name}")),
                Some(parameter) => {
                    found.extend(errors(&parameter.validator, &json!(have), name));
                    if have.is_empty() {
                        found.push(format!("{name} is empty"));
                    }
                }
            }
        }
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            values.entry(name.into_owned()).or_default().push(value.into_owned());
        }
        for (name, given) in &values {
            let Some(parameter) = self.of("query").find(|parameter| parameter.name == *name) else {
                found.push(format!("there is no query parameter {name}"));
                continue;
            };
            if !parameter.many && given.len() > 1 {
                found.push(format!("the query parameter {name} stands twice"));
            }
            let value =
                if parameter.many { json!(given) } else { typed(&given[0], &parameter.schema) };
            found.extend(errors(&parameter.validator, &value, name));
        }
        let needed = self.of("query").filter(|parameter| parameter.needed);
        let missing = needed.filter(|parameter| !values.contains_key(&parameter.name));
        found.extend(
            missing.map(|parameter| format!("the query parameter {} is missing", parameter.name)),
        );
        found
    }

    fn check_body(&self, request: &RawRequest) -> Vec<String> {
        let body = request.body.as_ref().filter(|body| !body.is_empty());
        match (body, &self.body) {
            (None, _) if self.body_needed => vec!["the body is missing".to_owned()],
            (None, _) => Vec::new(),
            (Some(_), None) => vec!["the operation takes no body".to_owned()],
            (Some(body), Some(validator)) => match serde_json::from_slice::<Value>(body) {
                Ok(body) => errors(validator, &body, "body"),
                Err(error) => vec![format!("the body is no JSON: {error}")],
            },
        }
    }
}

/// The schemas that a schema reaches.
fn reached(schema: &Value, all: &Value) -> serde_json::Map<String, Value> {
    fn names(node: &Value, out: &mut Vec<String>) {
        match node {
            Value::Array(items) => items.iter().for_each(|item| names(item, out)),
            Value::Object(fields) => {
                let name = fields.get("$ref").and_then(Value::as_str);
                out.extend(name.and_then(|name| name.rsplit('/').next()).map(str::to_owned));
                fields.values().for_each(|value| names(value, out));
            }
            _ => {}
        }
    }
    let (mut out, mut todo) = (serde_json::Map::new(), Vec::new());
    names(schema, &mut todo);
    while let Some(name) = todo.pop() {
        if !out.contains_key(&name) {
            names(&all[&name], &mut todo);
            out.insert(name.clone(), all[&name].clone());
        }
    }
    out
}

/// A query value as its schema types it.
fn typed(value: &str, schema: &Value) -> Value {
    match schema["type"].as_str() {
        Some("integer") => {
            value.parse::<i64>().map_or_else(|_| json!(value), |number| json!(number))
        }
        Some("boolean") => value.parse::<bool>().map_or_else(|_| json!(value), |flag| json!(flag)),
        _ => json!(value),
    }
}

fn errors(validator: &Validator, value: &Value, what: &str) -> Vec<String> {
    let errors = validator.iter_errors(value);
    let errors = errors
        .filter(|error| !error.instance().as_str().is_some_and(|role| STRANGE.contains(&role)));
    errors.map(|error| format!("{what}{}: {error}", error.instance_path())).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A method by its name.
pub(crate) fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "POST" => Method::Post,
        _ => Method::Delete,
    }
}
