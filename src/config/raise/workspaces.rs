//! Workspaces, their grants and keys, as entries.
//!
//! Invariant: a workspace is written under a label that means it alone, and with every part that can be written.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{Raising, is_id, live_note, raised_grant};
use crate::{
    address::{Kind, Name},
    config::{
        decode::is_plain_text,
        document::{
            Geos, Grants, KEY_ID_PREFIX, Key, Place, Residency, Section, Sp, Text, Workspace,
        },
        shape::{self, MAX_ID, MAX_KEY_NAME, MAX_TEXT, MAX_WORKSPACE_NAME},
    },
    resource::{
        ApiKey, KeyStatus, Live, Object, Spec, Workspace as WorkspaceSpec,
        workspace::{CLAUDE_CODE, Color, DEFAULT, RESERVED_TAG_PREFIX, Residency as ResidencySpec},
    },
};

/// Keys by the id of their workspace.
pub(super) type KeyLists = BTreeMap<Option<Arc<str>>, Section<Arc<str>, Key>>;

impl Raising {
    /// The workspaces, and the keys of no workspace.
    pub(super) fn workspaces(&mut self, live: &Live) -> (Section<Arc<str>, Workspace>, KeyLists) {
        let lists = self.lists(live);
        let mut keys = self.keys(live);
        let mut grants = self.grants(live);
        let spaces: Vec<(&WorkspaceSpec, &Arc<Object>)> = live
            .objects
            .iter()
            .filter_map(|(_, object)| match &object.spec {
                Spec::Workspace(workspace) => Some((&**workspace, object)),
                _ => None,
            })
            .collect();
        let mut names: HashMap<&str, usize> = HashMap::new();
        for (workspace, _) in &spaces {
            *names.entry(&workspace.name).or_default() += 1;
        }
        let mut section = Section::default();
        for (spec, object) in spaces {
            let Some(id) = object.remote.as_ref().map(|remote| Arc::clone(&remote.id.0)) else {
                continue;
            };
            let keys = keys.remove(&Some(Arc::clone(&id))).unwrap_or_default();
            let Some(label) = self.label(spec, &id, &names, &section) else { continue };
            let mut workspace = self.workspace(spec, &label);
            if !spec.is_default {
                workspace.name = (*label != *spec.name).then(|| Sp::new(Arc::clone(&spec.name)));
                // With its id, a workspace that is renamed in the Console stays the one of this entry.
                workspace.id = is_id(&id, "wrkspc_").then(|| Sp::new(Arc::clone(&id)));
                let read = live.coverage.workspace_members.iter().any(|read| *read.0 == *id);
                workspace.members =
                    (read && lists.grants).then(|| grants.remove(&id).unwrap_or_default());
                workspace.api_keys = lists.api_keys.then_some(keys);
            }
            section.entries.insert(label, workspace);
        }
        (section, keys)
    }

    /// The key under which a workspace is written; `None`: it is not.
    fn label(
        &mut self,
        spec: &WorkspaceSpec,
        id: &Arc<str>,
        names: &HashMap<&str, usize>,
        section: &Section<Arc<str>, Workspace>,
    ) -> Option<Arc<str>> {
        if spec.is_default {
            return Some(DEFAULT.into());
        }
        match &*spec.name {
            // Made and filled by the product: it is left alone unless somebody names it.
            CLAUDE_CODE => return None,
            DEFAULT => {
                self.left_out(format_args!("the workspace `{id}`"), "its name is reserved");
                return None;
            }
            name if !is_plain_text(name, MAX_WORKSPACE_NAME, false) => {
                self.left_out(
                    format_args!("the workspace `{id}`"),
                    "its name is empty, too long, or holds invisible characters",
                );
                return None;
            }
            _ => {}
        }
        if names.get(&*spec.name) == Some(&1) && !section.contains_key(&spec.name) {
            return Some(Arc::clone(&spec.name));
        }
        if !is_id(id, "wrkspc_") {
            self.left_out(
                format_args!("the workspace `{}`", spec.name),
                "its name repeats, and its id is not one that charter knows",
            );
            return None;
        }
        // The id makes the label unique, unless somebody named a workspace after it.
        let labels = [format!("{} ({id})", spec.name), id.to_string()];
        let label = labels
            .into_iter()
            .find(|label| {
                is_plain_text(label, MAX_WORKSPACE_NAME, false)
                    && !names.contains_key(label.as_str())
                    && !section.contains_key(label.as_str())
            })
            .map(Arc::from);
        if label.is_none() {
            self.left_out(format_args!("the workspace `{id}`"), "its name and id repeat");
        }
        label
    }

    fn workspace(&mut self, spec: &WorkspaceSpec, label: &str) -> Workspace {
        let WorkspaceSpec {
            name: _,
            display_color,
            tags,
            data_residency,
            external_key_id,
            user_profile_id,
            is_default,
        } = spec;
        let mut text = |what: &str, text: Option<&Arc<str>>, max: usize| -> Option<Text> {
            let text = text?;
            if is_plain_text(text, max, false) {
                return Some(Sp::new(Arc::clone(text)));
            }
            self.left_out(format_args!("`{what}` of `{label}`"), "it cannot be written");
            None
        };
        // The Default Workspace takes neither from the files.
        let own = |id: &Option<Arc<str>>| id.clone().filter(|_| !is_default);
        let external_key_id = text("external_key_id", own(external_key_id).as_ref(), MAX_TEXT);
        let user_profile_id = text("user_profile_id", own(user_profile_id).as_ref(), MAX_ID);
        let display_color = display_color.clone().filter(|color| Color::is_valid(color.as_str()));
        Workspace {
            display_color: display_color.map(Sp::new),
            tags: tags.as_ref().and_then(|tags| self.tags(label, tags)),
            data_residency: self.residency(label, data_residency),
            external_key_id,
            user_profile_id,
            ..Workspace::default()
        }
    }

    /// The tags: all or none, since tags that are named are managed as a whole.
    fn tags(
        &mut self,
        label: &str,
        tags: &BTreeMap<String, String>,
    ) -> Option<Section<Arc<str>, Text>> {
        let mut section = Section::default();
        for (key, value) in tags {
            if key.starts_with(RESERVED_TAG_PREFIX) {
                continue;
            }
            let writable = is_plain_text(key, MAX_TEXT, false)
                && (value.is_empty() || is_plain_text(value, MAX_TEXT, false));
            if !writable {
                self.left_out(format_args!("`tags` of `{label}`"), "one of them cannot be written");
                return None;
            }
            section.entries.insert(Arc::from(key.as_str()), Sp::new(Arc::from(value.as_str())));
        }
        Some(section)
    }

    /// Where inference may run, if charter knows all the places.
    fn residency(&mut self, label: &str, residency: &ResidencySpec) -> Option<Residency> {
        let ResidencySpec { workspace_geo: _, default_inference_geo, allowed_inference_geos } =
            residency;
        if default_inference_geo.is_none() && allowed_inference_geos.is_none() {
            return None;
        }
        let words = shape::geos();
        let known = |geo: &str| words.contains(&geo);
        let allowed = match allowed_inference_geos {
            Some(Geos::Only(geos)) => !geos.is_empty() && geos.iter().all(|geo| known(geo)),
            Some(Geos::Unrestricted) | None => true,
        };
        let fits = match (default_inference_geo, allowed_inference_geos) {
            (Some(default), Some(geos)) => geos.allows(default),
            _ => true,
        };
        if !allowed || !fits || !default_inference_geo.as_deref().is_none_or(known) {
            self.left_out(
                format_args!("`data_residency` of `{label}`"),
                "charter does not know all of its places",
            );
            return None;
        }
        Some(Residency {
            place: Place::default(),
            workspace_geo: None,
            default_inference_geo: default_inference_geo.clone().map(Sp::new),
            allowed_inference_geos: allowed_inference_geos.clone().map(Sp::new),
        })
    }

    /// The grants of people who are listed, by the id of the workspace.
    fn grants(&self, live: &Live) -> HashMap<Arc<str>, Grants> {
        let mut grants: HashMap<Arc<str>, Grants> = HashMap::new();
        for (_, object) in &live.objects {
            let Spec::WorkspaceMember(grant) = &object.spec else { continue };
            let Some(email) = self.people.get(grant.member.as_str()) else { continue };
            let list = grants.entry(grant.workspace.as_str().into()).or_default();
            list.people.insert(email.clone(), raised_grant(&grant.role));
        }
        grants
    }

    /// Keys that can still work, by the id of their workspace.
    fn keys(&mut self, live: &Live) -> KeyLists {
        let mut keys = KeyLists::new();
        for (address, object) in &live.objects {
            let (Spec::ApiKey(spec), Kind::ApiKey) = (&object.spec, address.kind) else { continue };
            let Some(remote) = &object.remote else { continue };
            let ApiKey { name, status, workspace } = spec;
            let status = match status {
                Some(KeyStatus::Archived | KeyStatus::Expired) => continue,
                status => status,
            };
            let id = &remote.id.0;
            if !is_id(id, KEY_ID_PREFIX) {
                self.left_out(format_args!("a key"), "its id is not one that charter knows");
                continue;
            }
            let known = status.clone().filter(|status| !matches!(status, KeyStatus::Other(_)));
            let note = status.as_ref().filter(|_| known.is_none()).map(KeyStatus::as_str);
            let key = Key {
                place: Place::default(),
                name: name
                    .clone()
                    .filter(|name| is_plain_text(name, MAX_KEY_NAME, false))
                    .map(Sp::new),
                status: known.map(Sp::new),
                note: note.and_then(|status| live_note("status", status)),
                until: None,
            };
            let place = workspace.as_ref().map(Name::as_str).map(Arc::from);
            keys.entry(place).or_default().entries.insert(Arc::clone(id), key);
        }
        keys
    }
}
