//! What differs between a live object and the wanted one, and what may be done about it.
//!
//! Invariant: each variant holds exactly the sides it has; nothing here has an optional before or after.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::snapshot::Object;
use crate::{
    address::{Address, Kind, RemoteId},
    api::call::Call,
};

/// A difference between live and wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum Change {
    /// Wanted, not live.
    Create {
        /// The wanted object.
        after: Arc<Object>,
    },
    /// Live and wanted differ in fields the API can change.
    Update {
        /// The live object.
        before: Arc<Object>,
        /// The wanted object.
        after: Arc<Object>,
        /// What differs.
        fields: Vec<FieldChange>,
    },
    /// Live and wanted differ in fields that only a new object can have.
    Replace {
        /// The live object.
        before: Arc<Object>,
        /// The wanted object.
        after: Arc<Object>,
        /// What differs.
        fields: Vec<FieldChange>,
    },
    /// Live, not wanted.
    Remove {
        /// The live object.
        before: Arc<Object>,
    },
}

/// The bare kind of a change.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Make.
    Create,
    /// Change in place.
    Update,
    /// Withdraw and make anew.
    Replace,
    /// Take away; for a workspace, archive.
    Remove,
}

impl Verb {
    /// Its word, as in a plan.
    pub fn as_str(self) -> &'static str {
        match self {
            Verb::Create => "create",
            Verb::Update => "update",
            Verb::Replace => "replace",
            Verb::Remove => "remove",
        }
    }
}

impl Change {
    /// Its bare kind.
    pub fn verb(&self) -> Verb {
        match self {
            Change::Create { .. } => Verb::Create,
            Change::Update { .. } => Verb::Update,
            Change::Replace { .. } => Verb::Replace,
            Change::Remove { .. } => Verb::Remove,
        }
    }

    /// The live object, if there is one.
    pub fn before(&self) -> Option<&Arc<Object>> {
        match self {
            Change::Create { .. } => None,
            Change::Update { before, .. }
            | Change::Replace { before, .. }
            | Change::Remove { before } => Some(before),
        }
    }

    /// The wanted object, if there is one.
    pub fn after(&self) -> Option<&Arc<Object>> {
        match self {
            Change::Create { after }
            | Change::Update { after, .. }
            | Change::Replace { after, .. } => Some(after),
            Change::Remove { .. } => None,
        }
    }

    /// Whichever object tells more: the wanted one, else the live one.
    pub fn object(&self) -> &Arc<Object> {
        match self {
            Change::Create { after }
            | Change::Update { after, .. }
            | Change::Replace { after, .. } => after,
            Change::Remove { before } => before,
        }
    }

    /// What differs, for an update or a replace.
    pub fn fields(&self) -> &[FieldChange] {
        match self {
            Change::Update { fields, .. } | Change::Replace { fields, .. } => fields,
            Change::Create { .. } | Change::Remove { .. } => &[],
        }
    }

    /// The change of one field.
    pub fn field(&self, name: &str) -> Option<&FieldChange> {
        self.fields().iter().find(|change| change.field == name)
    }
}

/// One field that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FieldChange {
    /// The field, as the files call it: `role`, `tags.env`, `data_residency.default_inference_geo`.
    pub field: String,
    /// The live value; null if none.
    pub before: Value,
    /// The wanted value; null if none.
    pub after: Value,
}

/// Whether a step can be done by this plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "disposition", rename_all = "snake_case")]
pub enum Disposition {
    /// Apply does it.
    Ready,
    /// It waits for another object; a later run does it.
    Deferred {
        /// What it waits for.
        until: Address,
        /// Why, in words.
        why: String,
    },
    /// Only a person can do it.
    Manual {
        /// Why, and what to do in the Console.
        why: String,
    },
    /// It looks like a mistake; the files must say more.
    Held {
        /// Why, and what to write.
        why: String,
    },
}

impl Disposition {
    /// Whether apply does it.
    pub fn is_ready(&self) -> bool {
        matches!(self, Disposition::Ready)
    }
}

/// A kind's judgement of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Nothing needs to be done: what is wanted holds already in another way.
    Satisfied,
    /// What becomes of it.
    As(Disposition),
}

impl Settled {
    /// Apply does it.
    pub const READY: Settled = Settled::As(Disposition::Ready);

    /// Only a person can do it.
    pub fn manual(why: impl Into<String>) -> Self {
        Settled::As(Disposition::Manual { why: why.into() })
    }
}

/// Why a kind gives no call: only a person can do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manual {
    /// Why, and what to do in the Console.
    pub why: String,
}

impl Manual {
    /// With this reason.
    pub fn new(why: impl Into<String>) -> Self {
        Self { why: why.into() }
    }
}

/// The calls of one step, in order.
pub type Calls = Result<Vec<Call>, Manual>;

/// Something about the live organization that a step rests on: if it differs when a saved plan is applied,
/// the plan is stale.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// This live object has this value in this field.
    Field {
        /// Its kind.
        kind: Kind,
        /// Its id.
        id: RemoteId,
        /// What it is called, for people.
        name: String,
        /// The field.
        field: String,
        /// The value as JSON text.
        is: String,
    },
    /// Nobody with this address is a member or has a pending invite.
    Nobody {
        /// The canonical address.
        email: String,
    },
    /// No active workspace has this name.
    NoWorkspace {
        /// The name.
        name: String,
    },
    /// This person has no grant of their own in this workspace.
    NoGrant {
        /// The workspace.
        workspace: RemoteId,
        /// The person.
        user: RemoteId,
        /// What it is called, for people.
        name: String,
    },
}

impl Fact {
    /// Whether it is that a live object of a kind has this text in a field.
    pub fn is_text(&self, of: Kind, named: &str, text: &str) -> bool {
        matches!(self, Fact::Field { kind, field, is, .. } if *kind == of
            && field == named
            && serde_json::from_str::<serde_json::Value>(is).is_ok_and(|value| value == text))
    }
}
