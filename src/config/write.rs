//! A document as YAML: one canonical text for each document.
//!
//! Invariant: what is written loads again to the same document; no text of the document can end its own quotes,
//! line or comment.

mod scalar;

use std::fmt::{Display, Write as _};

use self::scalar::scalar;
use super::{
    document::{
        Document, Geos, Grant, Grants, Guard, Key, Manage, OrgKind, Organization, Person,
        Residency, Section, Sp, Team, Workspace, WorkspaceState,
    },
    shape::unlisted_word,
};
use crate::{
    characters::is_invisible,
    resource::desired::{IgnoreTarget, Limit},
};

/// Writes a document.
pub fn write(document: &Document) -> String {
    write_with_header(document, &[])
}

/// Writes a document under lines of comment.
pub fn write_with_header(document: &Document, header: &[String]) -> String {
    let Document {
        organization,
        members,
        teams,
        workspaces,
        api_keys,
        manage,
        guard,
        // Only files written by people have rules and tests: what is raised from live has none.
        policy: _,
        tests: _,
        files: _,
        read: _,
    } = document;
    let mut out = Out(String::new());
    for line in header {
        out.comment(line);
    }
    out.line(0, "version: 1");
    out.organization(organization);
    if let Some(section) = members {
        out.gap();
        out.section(0, "members", section, |out, email, person| {
            out.person(email.as_written(), person);
        });
    }
    if let Some(section) = teams {
        out.gap();
        out.section(0, "teams", section, |out, name, Team { place: _, people }| {
            let people: Vec<_> = people.iter().map(|email| scalar(email.as_written())).collect();
            out.line(1, format_args!("{}: [{}]", scalar(name), people.join(", ")));
        });
    }
    if let Some(section) = workspaces {
        out.gap();
        out.section(0, "workspaces", section, |out, label, workspace| {
            out.workspace(label, workspace);
        });
    }
    if let Some(section) = api_keys {
        out.gap();
        out.keys(0, section);
    }
    out.manage(manage);
    out.guard(guard);
    out.0
}

/// A text as one line of comment, without its `# `.
pub fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || is_invisible(c) { ' ' } else { c }).collect()
}

struct Out(String);

impl Out {
    fn line(&mut self, depth: usize, text: impl Display) {
        for _ in 0..depth {
            self.0.push_str("  ");
        }
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.0, "{text}");
    }

    fn gap(&mut self) {
        self.0.push('\n');
    }

    fn comment(&mut self, text: &str) {
        let text = comment(text);
        self.line(0, format_args!("# {text}").to_string().trim_end());
    }

    /// A map, each entry written by `entry`; `{}` if it is empty.
    fn section<K: Ord, V>(
        &mut self,
        depth: usize,
        key: &str,
        section: &Section<K, V>,
        mut entry: impl FnMut(&mut Self, &K, &V),
    ) {
        if section.is_empty() {
            self.line(depth, format_args!("{key}: {{}}"));
            return;
        }
        self.line(depth, format_args!("{key}:"));
        for (key, value) in &section.entries {
            entry(self, key, value);
        }
    }

    fn organization(&mut self, organization: &Organization) {
        let Organization { place: _, id, kind } = organization;
        let kind = Some(kind.value).filter(|kind| *kind != OrgKind::default());
        if id.is_none() && kind.is_none() {
            return;
        }
        self.line(0, "organization:");
        if let Some(id) = id {
            self.line(1, format_args!("id: {}", scalar(id)));
        }
        if let Some(kind) = kind {
            self.line(1, format_args!("kind: {kind}"));
        }
    }

    fn person(&mut self, email: &str, person: &Person) {
        let Person { place: _, role, until, note, previously, id } = person;
        let email = scalar(email);
        if until.is_none() && note.is_none() && previously.is_none() && id.is_none() {
            self.line(1, format_args!("{email}: {role}"));
            return;
        }
        self.line(1, format_args!("{email}:"));
        self.line(2, format_args!("role: {role}"));
        if let Some(until) = until {
            self.line(2, format_args!("until: {until}"));
        }
        if let Some(note) = note {
            self.line(2, format_args!("note: {}", scalar(note)));
        }
        if let Some(list) = previously {
            let list: Vec<_> = list.iter().map(|email| scalar(email.as_written())).collect();
            self.line(2, format_args!("previously: [{}]", list.join(", ")));
        }
        if let Some(id) = id {
            self.line(2, format_args!("id: {}", scalar(id)));
        }
    }

    fn workspace(&mut self, label: &str, workspace: &Workspace) {
        if *workspace == Workspace::default() {
            self.line(1, format_args!("{}: {{}}", scalar(label)));
            return;
        }
        let Workspace {
            place: _,
            name,
            id,
            previously,
            state,
            display_color,
            tags,
            data_residency,
            external_key_id,
            user_profile_id,
            note,
            members,
            api_keys,
        } = workspace;
        self.line(1, format_args!("{}:", scalar(label)));
        let texts = [("name", name), ("id", id)];
        for (key, text) in texts {
            if let Some(text) = text {
                self.line(2, format_args!("{key}: {}", scalar(text)));
            }
        }
        if let Some(names) = previously {
            let names: Vec<_> = names.iter().map(|name| scalar(name)).collect();
            self.line(2, format_args!("previously: [{}]", names.join(", ")));
        }
        if let Some(state) = state {
            let state = match state.value {
                WorkspaceState::Active => "active",
                WorkspaceState::Archived => "archived",
            };
            self.line(2, format_args!("state: {state}"));
        }
        if let Some(color) = display_color {
            self.line(2, format_args!("display_color: \"{}\"", color.as_str()));
        }
        if let Some(tags) = tags {
            let tags: Vec<_> = tags
                .iter()
                .map(|(key, value)| format!("{}: {}", scalar(key), scalar(value)))
                .collect();
            self.line(2, format_args!("tags: {{{}}}", tags.join(", ")));
        }
        if let Some(residency) = data_residency {
            self.residency(residency);
        }
        let texts = [
            ("external_key_id", external_key_id),
            ("user_profile_id", user_profile_id),
            ("note", note),
        ];
        for (key, text) in texts {
            if let Some(text) = text {
                self.line(2, format_args!("{key}: {}", scalar(text)));
            }
        }
        if let Some(grants) = members {
            self.grants(grants);
        }
        if let Some(keys) = api_keys {
            self.keys(2, keys);
        }
    }

    fn residency(&mut self, residency: &Residency) {
        let Residency { place: _, workspace_geo, default_inference_geo, allowed_inference_geos } =
            residency;
        let mut parts = Vec::new();
        for (key, geo) in
            [("workspace_geo", workspace_geo), ("default_inference_geo", default_inference_geo)]
        {
            if let Some(geo) = geo {
                parts.push(format!("{key}: {}", scalar(geo)));
            }
        }
        match allowed_inference_geos.as_ref().map(|geos| &geos.value) {
            Some(Geos::Unrestricted) => {
                parts.push("allowed_inference_geos: unrestricted".to_owned());
            }
            Some(Geos::Only(geos)) => {
                let geos: Vec<_> = geos.iter().map(|geo| scalar(geo)).collect();
                parts.push(format!("allowed_inference_geos: [{}]", geos.join(", ")));
            }
            None => {}
        }
        self.line(2, format_args!("data_residency: {{{}}}", parts.join(", ")));
    }

    fn grants(&mut self, grants: &Grants) {
        let Grants { place: _, people, teams } = grants;
        if people.is_empty() && teams.is_empty() {
            self.line(2, "members: {}");
            return;
        }
        self.line(2, "members:");
        for (team, grant) in teams {
            self.grant(&format!("team/{team}"), grant);
        }
        for (email, grant) in people {
            self.grant(email.as_written(), grant);
        }
    }

    fn grant(&mut self, who: &str, grant: &Grant) {
        let Grant { place: _, role, until, note } = grant;
        let who = scalar(who);
        if until.is_none() && note.is_none() {
            self.line(3, format_args!("{who}: {role}"));
            return;
        }
        let parts = [
            Some(format!("role: {role}")),
            until.as_ref().map(|until| format!("until: {until}")),
            note.as_ref().map(|note| format!("note: {}", scalar(note))),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        self.line(3, format_args!("{who}: {{{}}}", parts.join(", ")));
    }

    fn keys(&mut self, depth: usize, keys: &Section<std::sync::Arc<str>, Key>) {
        self.section(depth, "api_keys", keys, |out, entry, key| {
            let Key { place: _, name, status, note, until } = key;
            let entry = scalar(entry);
            let status = status.as_ref().map(|status| status.as_str());
            if let (Some(status), None, None, None) = (status, name, note, until) {
                out.line(depth + 1, format_args!("{entry}: {status}"));
                return;
            }
            let parts = [
                name.as_ref().map(|name| format!("name: {}", scalar(name))),
                status.map(|status| format!("status: {status}")),
                note.as_ref().map(|note| format!("note: {}", scalar(note))),
                until.as_ref().map(|until| format!("until: {until}")),
            ];
            let parts: Vec<_> = parts.into_iter().flatten().collect();
            out.line(depth + 1, format_args!("{entry}: {{{}}}", parts.join(", ")));
        });
    }

    fn manage(&mut self, manage: &Manage) {
        let Manage { place: _, members, workspace_members, workspaces, api_keys, ignore } = manage;
        let rules = [
            ("members", members),
            ("workspace_members", workspace_members),
            ("workspaces", workspaces),
            ("api_keys", api_keys),
        ];
        if ignore.is_empty() && rules.iter().all(|(_, rule)| rule.is_none()) {
            return;
        }
        self.gap();
        self.line(0, "manage:");
        for (key, rule) in rules {
            if let Some(rule) = rule {
                self.line(1, format_args!("{key}: {}", unlisted_word(rule.value)));
            }
        }
        if ignore.is_empty() {
            return;
        }
        self.line(1, "ignore:");
        for super::document::Ignore { place: _, target, pattern, reason, until } in ignore {
            let key = match target {
                IgnoreTarget::Members => "members",
                IgnoreTarget::Workspaces => "workspaces",
                IgnoreTarget::ApiKeys => "api_keys",
            };
            let until = until.as_ref().map(|until| format!(", until: {until}")).unwrap_or_default();
            let (pattern, reason) = (scalar(pattern), scalar(reason));
            self.line(2, format_args!("- {{{key}: {pattern}, reason: {reason}{until}}}"));
        }
    }

    fn guard(&mut self, guard: &Guard) {
        let Guard { place: _, limits, acknowledge, max_plan_age } = guard;
        if limits.is_empty() && acknowledge.is_none() && max_plan_age.is_none() {
            return;
        }
        self.gap();
        self.line(0, "guard:");
        let (removals, rest): (Vec<_>, Vec<_>) = limits
            .iter()
            .map(|(name, limit)| (name.as_str(), limit))
            .partition(|(name, _)| name.starts_with(REMOVALS));
        if !removals.is_empty() {
            self.line(1, "removals:");
        }
        for (name, limit) in removals {
            self.limit(2, &name[REMOVALS.len()..], limit);
        }
        for (name, limit) in rest {
            self.limit(1, name, limit);
        }
        if let Some(names) = acknowledge {
            let names: Vec<&str> = names.value.iter().map(|name| name.as_str()).collect();
            self.line(1, format_args!("acknowledge: [{}]", names.join(", ")));
        }
        if let Some(age) = max_plan_age {
            self.line(1, format_args!("max_plan_age: {age}"));
        }
    }

    fn limit(&mut self, depth: usize, key: &str, limit: &Sp<Limit>) {
        match limit.value {
            Limit { share: Some(share), count: Some(count) } => {
                self.line(depth, format_args!("{key}: {{share: {share}%, count: {count}}}"));
            }
            Limit { share: Some(share), count: None } => {
                self.line(depth, format_args!("{key}: {share}%"));
            }
            Limit { share: None, count: Some(count) } => {
                self.line(depth, format_args!("{key}: {count}"));
            }
            // No file can say a limit without either.
            Limit { share: None, count: None } => {}
        }
    }
}

/// How the names of the guards on removals start.
const REMOVALS: &str = "removals.";

#[cfg(test)]
mod tests;
