//! From the live organization to a document that wants exactly it: what `import` writes.
//!
//! Invariant: the document loads, and planning it against the same organization finds nothing to do. What cannot
//! be written is left out, named in a finding, and never put at risk by a list that leaves it out.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use super::{
    decode::{is_plain_text, is_uuid},
    document::{
        Document, Geos, Grant, Grants, Ignore, KEY_ID_PREFIX, Key, Manage, Organization, Person,
        Place, Residency, Section, Sp, Text, Wanted, Workspace,
    },
    shape::{self, MAX_ID, MAX_KEY_NAME, MAX_TEXT, MAX_WORKSPACE_NAME},
};
use crate::{
    address::{Kind, Name},
    diagnostic::Diagnostic,
    email::Email,
    resource::{
        ApiKey, KeyStatus, Live, Member, Object, OrgKind, Role, Spec, Workspace as WorkspaceSpec,
        WorkspaceRole,
        desired::{IgnoreTarget, Unlisted},
        workspace::{CLAUDE_CODE, DEFAULT, RESERVED_TAG_PREFIX},
    },
};

/// The kind of organization that the live roles speak for: no field of the API says it.
pub fn infer_kind(live: &Live) -> OrgKind {
    let speaks_for = |kind: OrgKind, other: OrgKind| {
        live.objects.iter().any(|(_, object)| match &object.spec {
            Spec::Member(Member { role: Some(role), .. }) => {
                role.exists_in(kind) && !role.exists_in(other)
            }
            _ => false,
        })
    };
    match (
        speaks_for(OrgKind::Enterprise, OrgKind::Console),
        speaks_for(OrgKind::Console, OrgKind::Enterprise),
    ) {
        (true, false) => OrgKind::Enterprise,
        _ => OrgKind::Console,
    }
}

/// Writes the live organization down. Listings that were not read are left unmanaged; the findings name what
/// could not be written.
pub fn raise(live: &Live, kind: OrgKind) -> (Document, Vec<Diagnostic>) {
    let mut raising =
        Raising { kind, people: HashMap::new(), ignore: Vec::new(), found: Vec::new() };
    let members = live.coverage.members.then(|| raising.members(live));
    let (workspaces, mut keys) = raising.workspaces(live);
    let workspaces = live.coverage.workspaces.then_some(workspaces);
    let api_keys = live.coverage.api_keys.then(|| keys.remove(&None).unwrap_or_default());
    let rule = |read: bool, rule: Unlisted| read.then(|| Sp::new(rule));
    let manage = Manage {
        place: Place::default(),
        members: rule(members.is_some(), Unlisted::Remove),
        workspace_members: rule(!live.coverage.workspace_members.is_empty(), Unlisted::Remove),
        workspaces: rule(workspaces.is_some(), Unlisted::Report),
        api_keys: rule(api_keys.is_some(), Unlisted::Report),
        ignore: raising.ignore,
    };
    let id = is_uuid(&live.organization).then(|| live.organization.to_ascii_lowercase());
    let document = Document {
        organization: Organization {
            place: Place::default(),
            id: id.map(|id| Sp::new(id.into())),
            kind: Sp::new(kind),
        },
        members,
        teams: None,
        workspaces,
        api_keys,
        manage,
        ..Document::default()
    };
    (document, raising.found)
}

struct Raising {
    kind: OrgKind,
    /// The address under which somebody is written, by the id of the user.
    people: HashMap<Arc<str>, Email>,
    ignore: Vec<Ignore>,
    found: Vec<Diagnostic>,
}

impl Raising {
    fn left_out(&mut self, what: impl std::fmt::Display, why: &str) {
        self.found.push(
            Diagnostic::warning("import/left-out", format!("{what} is left out: {why}"))
                .help("it stays as it is; manage it in the Console"),
        );
    }

    fn members(&mut self, live: &Live) -> Section<Email, Person> {
        let people = || {
            live.objects.iter().filter_map(|(_, object)| match &object.spec {
                Spec::Member(member) => Some((member, object)),
                _ => None,
            })
        };
        let mut seen: HashSet<&Arc<str>> = HashSet::new();
        let shared: BTreeSet<&Arc<str>> = people()
            .map(|(member, _)| member.email.canonical())
            .filter(|canonical| !seen.insert(canonical))
            .collect();
        let mut section = Section::default();
        for canonical in &shared {
            self.protect(canonical, "several live people share this address");
        }
        for (member, object) in people() {
            let Member { email, role } = member;
            if shared.contains(email.canonical()) {
                continue;
            }
            // What is written must be read as the same address.
            let written = is_plain_text(email.as_written(), 320, false)
                .then(|| Email::parse(email.as_written()).ok())
                .flatten()
                .filter(|parsed| parsed == email);
            let Some(written) = written else {
                self.protect(email.canonical(), "charter cannot write this address");
                continue;
            };
            if let Some(remote) = &object.remote {
                self.people.insert(Arc::clone(&remote.id.0), written.clone());
            }
            section.entries.insert(written, person(role.as_ref(), self.kind));
        }
        section
    }

    /// Keeps somebody who cannot be listed from being taken for unlisted.
    fn protect(&mut self, canonical: &str, reason: &str) {
        // Whatever a pattern cannot say literally stands for one character, whichever it is.
        let pattern: String = canonical
            .chars()
            .map(|c| {
                let plain = c.is_alphanumeric() || matches!(c, '@' | '.' | '-' | '_' | '+');
                if plain { c } else { '?' }
            })
            .take(MAX_TEXT)
            .collect();
        // An address without any text matches no pattern that means it alone.
        let pattern = if pattern.trim().is_empty() { "".to_owned() } else { pattern };
        self.left_out(format_args!("the person `{pattern}`"), reason);
        if pattern.is_empty() {
            return;
        }
        self.ignore.push(Ignore {
            place: Place::default(),
            target: IgnoreTarget::Members,
            pattern: Sp::new(pattern.into()),
            reason: Sp::new(reason.into()),
            until: None,
        });
    }

    /// The workspaces, and the keys of no workspace.
    fn workspaces(
        &mut self,
        live: &Live,
    ) -> (Section<Arc<str>, Workspace>, BTreeMap<Option<Arc<str>>, Section<Arc<str>, Key>>) {
        let mut keys = self.keys(live);
        let mut grants = self.grants(live);
        let spaces: Vec<(&WorkspaceSpec, &Arc<Object>)> = live
            .objects
            .iter()
            .filter_map(|(_, object)| match &object.spec {
                Spec::Workspace(workspace) => Some((workspace, object)),
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
                if *label != *spec.name {
                    workspace.name = Some(Sp::new(Arc::clone(&spec.name)));
                    workspace.id = Some(Sp::new(Arc::clone(&id)));
                }
                let read = live.coverage.workspace_members.iter().any(|read| *read.0 == *id);
                // Nobody could be named without the list of people.
                let read = read && live.coverage.members;
                workspace.members = read.then(|| grants.remove(&id).unwrap_or_default());
                workspace.api_keys = live.coverage.api_keys.then_some(keys);
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
        let display_color = display_color
            .clone()
            .filter(|color| crate::resource::workspace::Color::is_valid(color.as_str()));
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
    fn residency(
        &mut self,
        label: &str,
        residency: &crate::resource::workspace::Residency,
    ) -> Option<Residency> {
        let crate::resource::workspace::Residency {
            workspace_geo: _,
            default_inference_geo,
            allowed_inference_geos,
        } = residency;
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
    fn keys(&mut self, live: &Live) -> BTreeMap<Option<Arc<str>>, Section<Arc<str>, Key>> {
        let mut keys: BTreeMap<Option<Arc<str>>, Section<Arc<str>, Key>> = BTreeMap::new();
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

fn person(role: Option<&Role>, kind: OrgKind) -> Person {
    let known = role.filter(|role| role.exists_in(kind)).cloned();
    let note = role.filter(|_| known.is_none()).and_then(|role| live_note("role", role.as_str()));
    Person {
        place: Place::default(),
        role: Sp::new(known.map_or(Wanted::Unmanaged, Wanted::Role)),
        until: None,
        note,
        previously: None,
        id: None,
    }
}

fn raised_grant(role: &WorkspaceRole) -> Grant {
    let known = role.assignable().then(|| role.clone());
    let note = if known.is_none() { live_note("role", role.as_str()) } else { None };
    Grant {
        place: Place::default(),
        role: Sp::new(known.map_or(Wanted::Unmanaged, Wanted::Role)),
        until: None,
        note,
    }
}

/// A note with a word of the API that files cannot say.
fn live_note(what: &str, word: &str) -> Option<Text> {
    is_plain_text(word, MAX_ID, false).then(|| Sp::new(format!("live {what}: {word}").into()))
}

/// Whether an id has the form that files take.
fn is_id(id: &str, prefix: &str) -> bool {
    id.len() <= MAX_ID
        && id.strip_prefix(prefix).is_some_and(|rest| {
            !rest.is_empty()
                && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        })
}

#[cfg(test)]
mod tests;
