//! Workspaces: made, changed and archived, never deleted.
//!
//! Invariant: there is at most one Default Workspace, which only this side knows; archiving is final.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    residency::{self, Residency},
    user::paging,
    workspace_rules::{
        check_attachments, check_color, check_name, counts, merge_tags, tags_of, writable,
        write_once,
    },
};
use crate::{
    api::transport::Method,
    sandbox::{
        clock,
        handle::Asked,
        refusal::Refusal,
        request::{Fields, text},
        routes::{Offered, Route, Takes},
        state::{OrganizationKind, State},
        switches::{ArchiveAgain, ArchiveCascade, DefaultListing, NullTags},
        table::{Row, Table},
    },
};

const PALETTE: [&str; 6] = ["#6C5BB9", "#D97757", "#5B8DB9", "#788C5D", "#B95B86", "#C2A83E"];

/// A workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// `wrkspc_…`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it is the Default Workspace; no response says so.
    pub is_default: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was archived.
    pub archived_at: Option<Timestamp>,
    /// Its colour.
    pub display_color: String,
    /// Its data residency.
    pub data_residency: Residency,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its customer-managed key.
    pub external_key_id: Option<String>,
    /// Its user profile.
    pub user_profile_id: Option<String>,
    /// Its encryption compartment.
    pub compartment_id: String,
}

impl Row for Workspace {
    fn id(&self) -> &str {
        &self.id
    }
}

/// The workspaces, and what they may refer to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Workspaces {
    table: Table<Workspace>,
    pub(crate) attachments: Attachments,
}

/// Keys and profiles that workspaces may be given, and what the organization demands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attachments {
    /// Known external keys; empty means that customer-managed keys are off.
    pub(crate) external_keys: BTreeSet<String>,
    /// Known user profiles, and the external key each goes with, if any.
    pub(crate) user_profiles: BTreeMap<String, Option<String>>,
    /// Whether every new workspace needs an external key.
    pub(crate) requires_external_key: bool,
}

impl Workspaces {
    pub(crate) fn get(&self, id: &str) -> Option<&Workspace> {
        self.table.get(id)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Workspace> {
        self.table.iter()
    }

    pub(crate) fn insert(&mut self, workspace: Workspace) {
        self.table.insert(workspace);
    }
}

pub(crate) const ROUTES: [Route; 5] = [
    Route {
        method: Method::Get,
        pattern: "/v1/organizations/workspaces",
        offered: Offered::Workspaces,
        takes: Takes::Nothing,
        query: &["after_id", "before_id", "ids[]", "include_archived", "include_default", "limit"],
        handler: list,
    },
    Route {
        method: Method::Post,
        pattern: "/v1/organizations/workspaces",
        offered: Offered::Workspaces,
        takes: Takes::Object,
        query: &[],
        handler: create,
    },
    Route {
        method: Method::Get,
        pattern: "/v1/organizations/workspaces/{wrkspc_}",
        offered: Offered::Workspaces,
        takes: Takes::Nothing,
        query: &[],
        handler: get,
    },
    Route {
        method: Method::Post,
        pattern: "/v1/organizations/workspaces/{wrkspc_}",
        offered: Offered::Workspaces,
        takes: Takes::Object,
        query: &[],
        handler: update,
    },
    Route {
        method: Method::Post,
        pattern: "/v1/organizations/workspaces/{wrkspc_}/archive",
        offered: Offered::Workspaces,
        takes: Takes::Nothing,
        query: &[],
        handler: archive,
    },
];

// Handlers share one signature.
#[allow(clippy::needless_pass_by_value)]
fn list(state: &mut State, asked: Asked) -> Result<Value, Refusal> {
    let (table, query) = (&state.workspaces.table, &asked.query);
    let paging = paging(state, query, |id| table.number(id))?;
    let ids = query.many("ids");
    if ids.len() > 100 {
        return Err(Refusal::invalid("ids: at most 100 may be given"));
    }
    let archived = query.flag("include_archived")?;
    let default = query.flag("include_default")?
        && state.switches.default_listing == DefaultListing::OnRequest;
    let rows = table.slice(state.switches.list_order, paging.from()).filter(|(_, row)| {
        (archived || row.archived_at.is_none())
            && (default || !row.is_default)
            && (ids.is_empty() || ids.contains(&row.id.as_str()))
    });
    Ok(paging.page(rows, |(_, row)| row.id.clone(), |(_, row)| show(row)))
}

#[allow(clippy::needless_pass_by_value)]
fn get(state: &mut State, asked: Asked) -> Result<Value, Refusal> {
    state.workspaces.get(&asked.ids[0]).map(show).ok_or_else(missing)
}

fn create(state: &mut State, asked: Asked) -> Result<Value, Refusal> {
    let mut fields = Fields::new(asked.body);
    let name = fields.string("name")?;
    let color = fields.nullable_string("display_color")?;
    let data_residency = residency::create(fields.take("data_residency"))?;
    let tags = match fields.take("tags") {
        None | Some(Value::Null) => BTreeMap::new(),
        Some(value) => tags_of(value, |key, value| Ok((key, text("tags", value)?)))?,
    };
    let external_key_id = fields.nullable_string("external_key_id")?;
    let user_profile_id = fields.nullable_string("user_profile_id")?;
    fields.end()?;
    check_name(state, &name, None)?;
    check_color(color.as_deref())?;
    if state.workspaces.attachments.requires_external_key && external_key_id.is_none() {
        return Err(Refusal::invalid("the workspace policy requires an external key")
            .code("workspace_policy_violation")
            .detail("field", json!("external_key_id")));
    }
    check_attachments(state, external_key_id.as_deref(), user_profile_id.as_deref())?;
    let active = state.workspaces.iter().filter(|row| counts(state, row)).count();
    if active >= state.limits.workspaces {
        let message = format!("the limit of {active} active workspaces is reached");
        return Err(Refusal::invalid(message));
    }
    let workspace = Workspace {
        id: state.ids.fresh("wrkspc_"),
        display_color: color.unwrap_or_else(|| palette(state.workspaces.table.len())),
        name,
        is_default: false,
        created_at: state.now(),
        archived_at: None,
        data_residency,
        tags,
        external_key_id,
        user_profile_id,
        compartment_id: state.ids.fresh("cmprt_"),
    };
    let shown = show(&workspace);
    state.hide(&workspace.id);
    state.workspaces.insert(workspace);
    Ok(shown)
}

fn update(state: &mut State, asked: Asked) -> Result<Value, Refusal> {
    let before = state.workspaces.get(&asked.ids[0]).ok_or_else(missing)?;
    let mut after = before.clone();
    let mut fields = Fields::new(asked.body);
    let name = fields.maybe_string("name")?;
    let color = fields.maybe_string("display_color")?;
    let key = fields.maybe_string("external_key_id")?;
    let profile = fields.maybe_string("user_profile_id")?;
    after.data_residency =
        residency::update(&before.data_residency, fields.take("data_residency"), &state.switches)?;
    match (fields.take("tags"), state.switches.null_tags) {
        (None, _) | (Some(Value::Null), NullTags::Ignored) => {}
        (Some(Value::Null), NullTags::Clears) => after.tags.clear(),
        (Some(Value::Null), NullTags::Refused) => {
            return Err(Refusal::invalid("tags: must not be null"));
        }
        (Some(value), _) => merge_tags(&mut after.tags, value)?,
    }
    fields.end()?;
    writable(state, before)?;
    if let Some(name) = name {
        if before.is_default && name != before.name {
            return Err(Refusal::invalid("the Default Workspace cannot be renamed"));
        }
        check_name(state, &name, Some(&before.id))?;
        after.name = name;
    }
    check_color(color.as_deref())?;
    if let Some(color) = color {
        after.display_color = color;
    }
    write_once("external_key_id", &mut after.external_key_id, key)?;
    if profile.is_some() && before.is_default {
        return Err(Refusal::invalid("user_profile_id: not for the Default Workspace"));
    }
    write_once("user_profile_id", &mut after.user_profile_id, profile)?;
    if (&after.external_key_id, &after.user_profile_id)
        != (&before.external_key_id, &before.user_profile_id)
    {
        check_attachments(
            state,
            after.external_key_id.as_deref(),
            after.user_profile_id.as_deref(),
        )?;
    }
    let shown = show(&after);
    if let Some(row) = state.workspaces.table.get_mut(&asked.ids[0]) {
        *row = after;
    }
    Ok(shown)
}

#[allow(clippy::needless_pass_by_value)]
fn archive(state: &mut State, asked: Asked) -> Result<Value, Refusal> {
    let workspace = state.workspaces.get(&asked.ids[0]).ok_or_else(missing)?;
    if workspace.is_default {
        return Err(Refusal::invalid("the Default Workspace cannot be archived"));
    }
    if workspace.archived_at.is_some() && state.switches.archive_again == ArchiveAgain::Refused {
        return Err(Refusal::invalid("the workspace is archived already"));
    }
    state.archive_workspace(&asked.ids[0]);
    state.workspaces.get(&asked.ids[0]).map(show).ok_or_else(missing)
}

pub(crate) fn missing() -> Refusal {
    Refusal::not_found("workspace")
}

/// The colour that the server fills in for the `nth` workspace.
pub(crate) fn palette(nth: usize) -> String {
    PALETTE[nth % PALETTE.len()].to_owned()
}

fn show(workspace: &Workspace) -> Value {
    let Workspace {
        id,
        name,
        is_default: _,
        created_at,
        archived_at,
        display_color,
        data_residency,
        tags,
        external_key_id,
        user_profile_id,
        compartment_id,
    } = workspace;
    json!({
        "id": id, "name": name, "created_at": clock::text(*created_at),
        "archived_at": archived_at.map(clock::text), "display_color": display_color,
        "data_residency": data_residency.show(), "tags": tags, "external_key_id": external_key_id,
        "user_profile_id": user_profile_id, "compartment_id": compartment_id, "type": "workspace",
    })
}

/// What a person does in the Console, or what tests look at.
impl State {
    /// Every workspace, the Default and archived ones included, oldest first.
    pub fn workspaces(&self) -> impl DoubleEndedIterator<Item = &Workspace> {
        self.workspaces.iter()
    }

    /// A workspace by id, else the oldest active one with this name, else the oldest with it.
    pub fn workspace(&self, which: &str) -> Option<&Workspace> {
        let named = || self.workspaces.iter().filter(|row| row.name == which);
        self.workspaces
            .get(which)
            .or_else(|| named().find(|row| row.archived_at.is_none()))
            .or_else(|| named().next())
    }

    /// Adds a workspace with nothing but a name; gives the id.
    pub fn add_workspace(&mut self, name: &str) -> String {
        self.place_workspace(name, false)
    }

    /// Adds the Default Workspace, unless there is one or the kind of organization has none.
    pub(crate) fn add_default_workspace(&mut self) {
        let has_default = self.workspaces.iter().any(|row| row.is_default);
        if !has_default && self.organization.kind != OrganizationKind::Enterprise {
            self.place_workspace("Default", true);
        }
    }

    fn place_workspace(&mut self, name: &str, is_default: bool) -> String {
        let id = if is_default {
            self.ids.named("wrkspc_", "the default workspace", 0)
        } else {
            self.ids.fresh("wrkspc_")
        };
        self.workspaces.insert(Workspace {
            name: name.to_owned(),
            is_default,
            created_at: self.now(),
            archived_at: None,
            display_color: palette(self.workspaces.table.len()),
            data_residency: Residency::default(),
            tags: BTreeMap::new(),
            external_key_id: None,
            user_profile_id: None,
            compartment_id: self.ids.named("cmprt_", &id, 0),
            id: id.clone(),
        });
        id
    }

    /// Changes a workspace by hand (name, tags, colour, …); false if there is none.
    pub fn edit_workspace(&mut self, which: &str, edit: impl FnOnce(&mut Workspace)) -> bool {
        let id = self.workspace(which).map(|row| row.id.clone());
        match id.and_then(|id| self.workspaces.table.get_mut(&id)) {
            Some(row) => {
                edit(row);
                true
            }
            None => false,
        }
    }

    /// Archives a workspace and its keys; false if there is none. The first `archived_at` stays.
    pub fn archive_workspace(&mut self, which: &str) -> bool {
        let now = self.now();
        let Some(id) = self.workspace(which).map(|row| row.id.clone()) else { return false };
        let lag = match self.switches.archive_cascade {
            ArchiveCascade::AtOnce => std::time::Duration::ZERO,
            ArchiveCascade::Lags => std::time::Duration::from_secs(5),
        };
        self.edit_workspace(&id, |row| {
            row.archived_at.get_or_insert(now);
        });
        self.api_keys.archive_workspace(&id, clock::add(now, lag));
        true
    }
}
