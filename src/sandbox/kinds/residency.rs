//! Where a workspace's data lives: one fixed geo, and the geos inference may use.
//!
//! Invariant: the default inference geo is always one of the allowed ones.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::sandbox::{
    refusal::Refusal,
    request::Fields,
    switches::{NullResidency, PartialResidency, Switches},
};

const INFERENCE_GEOS: [&str; 2] = ["global", "us"];

/// The data residency of a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Residency {
    /// Where data is stored; fixed.
    pub workspace_geo: String,
    /// Where inference may run.
    pub allowed_inference_geos: AllowedGeos,
    /// Where inference runs unless a request says otherwise.
    pub default_inference_geo: String,
}

/// `"unrestricted"`, or a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AllowedGeos {
    /// A list of geos.
    List(BTreeSet<String>),
    /// The word `unrestricted`.
    Word(String),
}

impl AllowedGeos {
    fn unrestricted() -> Self {
        AllowedGeos::Word("unrestricted".to_owned())
    }
}

impl Default for Residency {
    fn default() -> Self {
        Self {
            workspace_geo: "us".to_owned(),
            allowed_inference_geos: AllowedGeos::unrestricted(),
            default_inference_geo: "global".to_owned(),
        }
    }
}

impl Residency {
    /// What is wrong with it, if anything.
    pub(crate) fn problem(&self) -> Option<String> {
        if self.workspace_geo != "us" {
            return Some("data_residency.workspace_geo: must be `us`".to_owned());
        }
        let known = |geo: &str| INFERENCE_GEOS.contains(&geo);
        if !known(&self.default_inference_geo) {
            return Some("data_residency.default_inference_geo: must be global or us".to_owned());
        }
        match &self.allowed_inference_geos {
            AllowedGeos::Word(word) if word == "unrestricted" => None,
            AllowedGeos::List(geos) if geos.is_empty() || !geos.iter().all(|geo| known(geo)) => {
                Some("data_residency.allowed_inference_geos: must name global or us".to_owned())
            }
            AllowedGeos::List(geos) if !geos.contains(&self.default_inference_geo) => Some(
                "data_residency: default_inference_geo must be one of allowed_inference_geos"
                    .to_owned(),
            ),
            AllowedGeos::List(_) => None,
            AllowedGeos::Word(_) => Some(
                "data_residency.allowed_inference_geos: must be `unrestricted` or a list"
                    .to_owned(),
            ),
        }
    }

    /// As responses show it.
    pub(crate) fn show(&self) -> Value {
        let Self { workspace_geo, allowed_inference_geos, default_inference_geo } = self;
        json!({
            "workspace_geo": workspace_geo,
            "allowed_inference_geos": allowed_inference_geos,
            "default_inference_geo": default_inference_geo,
        })
    }
}

/// The residency of a new workspace.
pub(crate) fn create(value: Option<Value>) -> Result<Residency, Refusal> {
    let Some(fields) = object(value)? else { return Ok(Residency::default()) };
    let mut fields = Fields::new(fields);
    let mut residency = Residency::default();
    if let Some(geo) = fields.nullable_string("workspace_geo")? {
        residency.workspace_geo = geo;
    }
    let given = inference(&mut fields)?;
    fields.end()?;
    fill(&mut residency, given);
    checked(residency)
}

/// The residency after an update.
pub(crate) fn update(
    before: &Residency,
    value: Option<Value>,
    switches: &Switches,
) -> Result<Residency, Refusal> {
    let fresh =
        || Residency { workspace_geo: before.workspace_geo.clone(), ..Residency::default() };
    let nothing = |value: &Value| value.is_null();
    if value.as_ref().is_some_and(nothing) {
        return match switches.null_residency {
            NullResidency::Ignored => Ok(before.clone()),
            NullResidency::Resets => Ok(fresh()),
            NullResidency::Refused => Err(Refusal::invalid("data_residency: must not be null")),
        };
    }
    let Some(fields) = object(value)? else { return Ok(before.clone()) };
    if fields.contains_key("workspace_geo") {
        return Err(Refusal::invalid("data_residency.workspace_geo: cannot be changed"));
    }
    let mut after = match switches.partial_residency {
        PartialResidency::Merges => before.clone(),
        PartialResidency::Resets => fresh(),
    };
    for (name, _) in fields.iter().filter(|(_, value)| nothing(value)) {
        match (switches.null_residency, name.as_str()) {
            (NullResidency::Refused, _) => {
                return Err(Refusal::invalid(format!("data_residency.{name}: must not be null")));
            }
            (NullResidency::Resets, "allowed_inference_geos") => {
                after.allowed_inference_geos = fresh().allowed_inference_geos;
            }
            (NullResidency::Resets, "default_inference_geo") => {
                after.default_inference_geo = fresh().default_inference_geo;
            }
            _ => {}
        }
    }
    let mut fields = Fields::new(fields);
    let given = inference(&mut fields)?;
    fields.end()?;
    fill(&mut after, given);
    checked(after)
}

type Inference = (Option<AllowedGeos>, Option<String>);

fn inference(fields: &mut Fields) -> Result<Inference, Refusal> {
    let allowed = match fields.take("allowed_inference_geos") {
        None | Some(Value::Null) => None,
        Some(value) => Some(serde_json::from_value(value).map_err(|_| {
            Refusal::invalid(
                "data_residency.allowed_inference_geos: must be `unrestricted` or a list",
            )
        })?),
    };
    Ok((allowed, fields.nullable_string("default_inference_geo")?))
}

fn fill(residency: &mut Residency, (allowed, default): Inference) {
    if let Some(allowed) = allowed {
        residency.allowed_inference_geos = allowed;
    }
    if let Some(default) = default {
        residency.default_inference_geo = default;
    }
}

fn object(value: Option<Value>) -> Result<Option<Map<String, Value>>, Refusal> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(fields)) => Ok(Some(fields)),
        Some(_) => Err(Refusal::invalid("data_residency: must be an object")),
    }
}

fn checked(residency: Residency) -> Result<Residency, Refusal> {
    match residency.problem() {
        None => Ok(residency),
        Some(problem) => Err(Refusal::invalid(problem)),
    }
}
