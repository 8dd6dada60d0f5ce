//! A workspace: its name, colour, tags, residency and write-once bindings.
//!
//! Invariant: an update never sends a field the files do not manage, and never null except to drop a tag.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    Calls, Change, Disposition, Fact, FieldChange, Ids, Lookalike, Manual, Object, Resource,
    Settled, Spec, World, all_field_facts, field_fact,
};
use crate::{
    address::Kind,
    api::call::{Call, Part, Resend},
};

/// The name the product gives to the workspace it makes for Claude Code.
pub const CLAUDE_CODE: &str = "Claude Code";
/// The name of the Default Workspace.
pub const DEFAULT: &str = "Default";
/// Tag keys that the product keeps for itself start so.
pub const RESERVED_TAG_PREFIX: &str = "anthropic";

/// A workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Workspace {
    /// Its name; not unique.
    pub name: Arc<str>,
    /// Its colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_color: Option<Color>,
    /// Its tags, as a whole, without the product's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    /// Where data may be processed.
    #[serde(default, skip_serializing_if = "Residency::is_empty")]
    pub data_residency: Residency,
    /// The customer's encryption key; write-once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_key_id: Option<Arc<str>>,
    /// The user profile; write-once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_profile_id: Option<Arc<str>>,
    /// It is the Default Workspace.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_default: bool,
}

/// Where data may be stored and processed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Residency {
    /// Where it lives; cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_geo: Option<Arc<str>>,
    /// Where inference runs unless a request says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_inference_geo: Option<Arc<str>>,
    /// Where inference may run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub allowed_inference_geos: Option<Geos>,
}

impl Workspace {
    /// A workspace of which nothing but the name is said.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.into(),
            display_color: None,
            tags: None,
            data_residency: Residency::default(),
            external_key_id: None,
            user_profile_id: None,
            is_default: false,
        }
    }
}

impl Residency {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        let Residency { workspace_geo, default_inference_geo, allowed_inference_geos } = self;
        workspace_geo.is_none()
            && default_inference_geo.is_none()
            && allowed_inference_geos.is_none()
    }
}

/// The regions inference may run in. `Unrestricted` is not the same as a list of all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Geos {
    /// Anywhere.
    Unrestricted,
    /// In these.
    Only(BTreeSet<Arc<str>>),
}

impl Geos {
    /// Whether a region is allowed.
    pub fn allows(&self, geo: &str) -> bool {
        match self {
            Geos::Unrestricted => true,
            Geos::Only(geos) => geos.contains(geo),
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Geos::Unrestricted => Value::from("unrestricted"),
            Geos::Only(geos) => geos.iter().map(|geo| Value::from(&**geo)).collect(),
        }
    }
}

impl Serialize for Geos {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Geos {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Word(String),
            List(BTreeSet<Arc<str>>),
        }
        Ok(match Either::deserialize(deserializer)? {
            Either::Word(word) if word == "unrestricted" => Geos::Unrestricted,
            Either::Word(word) => Geos::Only([Arc::from(word)].into()),
            Either::List(list) => Geos::Only(list),
        })
    }
}

/// A colour, compared without regard to case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Color(Arc<str>);

impl Color {
    /// Takes `#RRGGBB`; the case of the digits does not count.
    pub fn new(text: &str) -> Self {
        Self(text.to_ascii_uppercase().into())
    }

    /// The colour as `#RRGGBB`, upper case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has the form the API accepts.
    pub fn is_valid(text: &str) -> bool {
        text.strip_prefix('#')
            .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
    }
}

/// What the API says of a live workspace beyond its spec.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct WorkspaceFacts {
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it was archived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<Timestamp>,
}

impl Resource for Workspace {
    fn title(&self) -> String {
        self.name.to_string()
    }

    fn fields(&self) -> Vec<(String, Value)> {
        let Workspace {
            name,
            display_color,
            tags,
            data_residency:
                Residency { workspace_geo, default_inference_geo, allowed_inference_geos },
            external_key_id,
            user_profile_id,
            is_default: _, // identity, not a field
        } = self;
        let mut fields = vec![("name".to_owned(), Value::from(&**name))];
        let mut push = |field: &str, value: Option<Value>| {
            fields.extend(value.map(|value| (field.to_owned(), value)));
        };
        push("display_color", display_color.as_ref().map(|color| Value::from(color.as_str())));
        push("data_residency.workspace_geo", workspace_geo.as_deref().map(Value::from));
        push(
            "data_residency.default_inference_geo",
            default_inference_geo.as_deref().map(Value::from),
        );
        push(
            "data_residency.allowed_inference_geos",
            allowed_inference_geos.as_ref().map(Geos::to_value),
        );
        push("external_key_id", external_key_id.as_deref().map(Value::from));
        push("user_profile_id", user_profile_id.as_deref().map(Value::from));
        for (key, value) in tags.iter().flatten() {
            push(&format!("tags.{key}"), Some(Value::from(value.as_str())));
        }
        fields
    }

    fn adopt(&mut self, live: &Spec) {
        let Spec::Workspace(live) = live else { return };
        fill(&mut self.display_color, live.display_color.as_ref());
        fill(&mut self.tags, live.tags.as_ref());
        fill(&mut self.data_residency.workspace_geo, live.data_residency.workspace_geo.as_ref());
        fill(
            &mut self.data_residency.default_inference_geo,
            live.data_residency.default_inference_geo.as_ref(),
        );
        fill(
            &mut self.data_residency.allowed_inference_geos,
            live.data_residency.allowed_inference_geos.as_ref(),
        );
        fill(&mut self.external_key_id, live.external_key_id.as_ref());
        fill(&mut self.user_profile_id, live.user_profile_id.as_ref());
    }

    fn settle(&self, change: &Change, _world: &World<'_>) -> Settled {
        match change {
            Change::Create { .. } => self.settle_create(),
            Change::Update { fields, .. } | Change::Replace { fields, .. } => {
                self.settle_update(fields)
            }
            Change::Remove { .. } if self.is_default => {
                Settled::manual("the Default Workspace cannot be archived: drop the entry")
            }
            Change::Remove { .. } if &*self.name == CLAUDE_CODE => Settled::manual(
                "archiving the workspace `Claude Code` would turn off Claude Code sign-in for the whole \
                 organization, so charter never does it: drop the entry",
            ),
            Change::Remove { .. } => Settled::READY,
        }
    }

    fn rests_on(&self, change: &Change, world: &World<'_>) -> Vec<Fact> {
        match change {
            // One that is renamed or archived by the same plan may still have the name.
            Change::Create { .. } if world.has_workspace(&self.name) => Vec::new(),
            Change::Create { .. } => vec![Fact::NoWorkspace { name: self.name.to_string() }],
            Change::Update { before, fields, .. } | Change::Replace { before, fields, .. } => {
                fields
                    .iter()
                    .map(|change| change.field.as_str())
                    .chain(["name"])
                    .collect::<BTreeSet<_>>()
                    .into_iter()
                    .filter_map(|field| field_fact(Kind::Workspace, before, field))
                    .collect()
            }
            Change::Remove { before } => all_field_facts(Kind::Workspace, before),
        }
    }

    fn likeness(&self) -> Option<String> {
        (!self.is_default).then(|| fold(&self.name))
    }

    fn resembles(&self, other: &Lookalike<'_>) -> Option<Disposition> {
        let Spec::Workspace(live) = &other.object.spec else { return None };
        let id = other.object.remote.as_ref().map_or("", |remote| remote.id.as_str());
        (!other.named).then(|| Disposition::Held {
            why: format!(
                "no entry names the live workspace `{}` (`{id}`), whose name differs only in case and punctuation: {}",
                live.name,
                rename_help(&live.name, id)
            ),
        })
    }

    fn create(&self, _ids: &Ids<'_>) -> Calls {
        let mut body = vec![("name".to_owned(), Part::text(&*self.name))];
        let mut put = |field: &str, value: Option<Value>| {
            body.extend(value.map(|value| (field.to_owned(), Part::Text(value))));
        };
        put("display_color", self.display_color.as_ref().map(|color| json!(color.as_str())));
        put("tags", self.tags.as_ref().filter(|tags| !tags.is_empty()).map(|tags| json!(tags)));
        put("external_key_id", self.external_key_id.as_deref().map(Value::from));
        put("user_profile_id", self.user_profile_id.as_deref().map(Value::from));
        put("data_residency", residency_value(&self.data_residency, true));
        Ok(vec![Call::post([Part::text("workspaces")], body, Resend::LookFirst)])
    }

    fn update(&self, before: &Object, fields: &[FieldChange], _ids: &Ids<'_>) -> Calls {
        let Some(remote) = &before.remote else {
            return Err(Manual::new("the workspace is not live"));
        };
        let mut body: BTreeMap<String, Value> = BTreeMap::new();
        let mut tags = Map::new();
        for FieldChange { field, before: _, after } in fields {
            if let Some(key) = field.strip_prefix("tags.") {
                // Tags merge on update: only what differs is sent, and null drops one.
                tags.insert(key.to_owned(), after.clone());
            } else if field.starts_with("data_residency.") {
                // Whether a part merges is not documented: both inference fields always go together.
                if let Some(value) = residency_value(&self.data_residency, false) {
                    body.insert("data_residency".to_owned(), value);
                }
            } else {
                body.insert(field.clone(), after.clone());
            }
        }
        if !tags.is_empty() {
            body.insert("tags".to_owned(), Value::Object(tags));
        }
        if body.is_empty() {
            return Ok(Vec::new());
        }
        let path = [Part::text("workspaces"), Part::from(&remote.id)];
        let body = body.into_iter().map(|(field, value)| (field, Part::Text(value)));
        Ok(vec![Call::post(path, body, Resend::Safe)])
    }

    fn remove(&self, before: &Object, _ids: &Ids<'_>) -> Calls {
        let Some(remote) = &before.remote else { return Ok(Vec::new()) };
        let path = [Part::text("workspaces"), Part::from(&remote.id), Part::text("archive")];
        Ok(vec![Call::post_empty(path, Resend::Gone)])
    }
}

impl Workspace {
    fn settle_create(&self) -> Settled {
        if self.is_default {
            return Settled::manual(
                "the API did not list the Default Workspace, so charter cannot change it: change it in the Console \
                 under Settings > Workspaces",
            );
        }
        if &*self.name == CLAUDE_CODE {
            return Settled::manual(
                "the workspace `Claude Code` is made by the product at the first Claude Code sign-in: sign in once, \
                 or drop the entry",
            );
        }
        self.settle_residency()
    }

    fn settle_update(&self, fields: &[FieldChange]) -> Settled {
        for FieldChange { field, before, after } in fields {
            let shielded = match before.as_str() {
                Some(name) if field == "name" => name == CLAUDE_CODE || self.is_default,
                _ => false,
            };
            if shielded {
                return Settled::manual(format!(
                    "the workspace {before} belongs to the product and cannot be renamed: keep its name"
                ));
            }
            if field == "data_residency.workspace_geo" {
                return Settled::manual(format!(
                    "`workspace_geo` is {before} and cannot be changed to {after}: make a new workspace there, or \
                     write the live value"
                ));
            }
            let write_once = matches!(field.as_str(), "external_key_id" | "user_profile_id");
            if write_once && !before.is_null() {
                return Settled::manual(format!(
                    "`{field}` is {before} and can be set only once: make a new workspace, or write the live value"
                ));
            }
        }
        self.settle_residency()
    }

    /// The API wants the default region among the allowed ones.
    fn settle_residency(&self) -> Settled {
        let Residency { workspace_geo: _, default_inference_geo, allowed_inference_geos } =
            &self.data_residency;
        // An absent default is made `global` by the API.
        let default = default_inference_geo.as_deref().unwrap_or("global");
        match allowed_inference_geos {
            Some(geos) if !geos.allows(default) => Settled::manual(format!(
                "`default_inference_geo` would be `{default}`, which `allowed_inference_geos` leaves out: name a \
                 default that is allowed"
            )),
            _ => Settled::READY,
        }
    }
}

/// How to say that an entry means the live workspace of this name and id, or a new one.
pub(crate) fn rename_help(name: &str, id: &str) -> String {
    // A name that would need quotes in YAML is not offered: the id always works.
    let is_plain = name.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.'));
    let by_name = if is_plain { format!(" or `previously: [{name}]`") } else { String::new() };
    format!(
        "if it was renamed, add `id: {id}`{by_name} to this entry; add `previously: []` if this is a new workspace"
    )
}

/// Takes a field that is not managed from the live object.
fn fill<T: Clone>(own: &mut Option<T>, live: Option<&T>) {
    if own.is_none() {
        *own = live.cloned();
    }
}

/// The residency as a body: an update takes no `workspace_geo`.
fn residency_value(residency: &Residency, create: bool) -> Option<Value> {
    let Residency { workspace_geo, default_inference_geo, allowed_inference_geos } = residency;
    let mut map = Map::new();
    if let Some(geo) = workspace_geo.as_deref().filter(|_| create) {
        map.insert("workspace_geo".to_owned(), geo.into());
    }
    if let Some(geo) = default_inference_geo.as_deref() {
        map.insert("default_inference_geo".to_owned(), geo.into());
    }
    if let Some(geos) = allowed_inference_geos {
        map.insert("allowed_inference_geos".to_owned(), geos.to_value());
    }
    (!map.is_empty()).then_some(Value::Object(map))
}

/// A name without case and punctuation, to notice a rename.
fn fold(name: &str) -> String {
    let folded: String =
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    // A name of punctuation only must not resemble every other such name.
    if folded.is_empty() { name.to_owned() } else { folded }
}
