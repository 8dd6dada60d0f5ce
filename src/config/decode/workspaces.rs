//! `workspaces`, their `members`, and `api_keys`.
//!
//! Invariant: an entry whose key can be read stays an entry, whatever is wrong with its value.

use std::{
    collections::{BTreeSet, btree_map::Entry},
    sync::Arc,
};

use super::{Cx, is_plain_text, listed, packed, people::is_team_name, shown, text::Rule};
use crate::{
    config::{
        document::{
            Grant, Grants, Residency, Section, Sp, Text, Wanted, Workspace, WorkspaceState,
        },
        shape::{self, GRANT, MAX_ID, MAX_TEXT, MAX_WORKSPACE_NAME, RESIDENCY, WORKSPACE},
        yaml::{Key, Node, Sort, Value},
    },
    diagnostic::did_you_mean,
    resource::{
        WorkspaceRole,
        workspace::{Color, Geos, RESERVED_TAG_PREFIX},
    },
};

impl Cx<'_> {
    pub(super) fn workspaces(
        &mut self,
        key: &Key<'_>,
        node: &Node<'_>,
    ) -> Section<Arc<str>, Workspace> {
        let mut section = Section { place: self.place(key.mark), ..Default::default() };
        for (key, node) in self.entries(node, "`workspaces`", "{Production: {}}") {
            let rule = Rule::line("the name of a workspace", MAX_WORKSPACE_NAME);
            let label = self.key_text(key, rule);
            let workspace = self.workspace(key, node);
            if let Some(label) = label {
                section.entries.insert(Self::arc(label), workspace);
            }
        }
        section
    }

    fn workspace(&mut self, key: &Key<'_>, node: &Node<'_>) -> Workspace {
        let mut workspace = Workspace { place: self.place(key.mark), ..Default::default() };
        let label = shown(&key.scalar.text);
        if node.is_null() {
            self.error(
                "config/null",
                key.mark,
                format!("nothing stands after `{label}:`, which could mean all or nothing"),
                format!("write `{label}: {{}}` for a workspace in which nothing is managed"),
            );
            return workspace;
        }
        let what = format!("the workspace `{label}`");
        let Some(mut fields) = self.record(node, &WORKSPACE, key.mark, &what) else {
            return workspace;
        };
        let name = Rule::line("`name`", MAX_WORKSPACE_NAME);
        workspace.name = fields.value("name").and_then(|node| self.text(node, name));
        workspace.id = fields.value("id").and_then(|node| self.id(node, "wrkspc_", "a workspace"));
        workspace.previously = fields.value("previously").map(|node| self.names(node));
        workspace.state = fields.value("state").and_then(|node| {
            self.word(node, "`state`", &shape::states(), |word| match word {
                "active" => Some(WorkspaceState::Active),
                "archived" => Some(WorkspaceState::Archived),
                _ => None,
            })
        });
        workspace.display_color = fields.value("display_color").and_then(|node| self.color(node));
        workspace.tags = fields.take("tags").map(|(key, node)| self.tags(key, node));
        workspace.data_residency =
            fields.take("data_residency").map(|(key, node)| self.residency(key, node));
        workspace.external_key_id = fields
            .value("external_key_id")
            .and_then(|node| self.text(node, Rule::line("`external_key_id`", MAX_TEXT)));
        workspace.user_profile_id = fields
            .value("user_profile_id")
            .and_then(|node| self.text(node, Rule::line("`user_profile_id`", MAX_ID)));
        workspace.note = self.note(fields.value("note"), "`note`");
        workspace.members = fields.take("members").map(|(key, node)| self.grants(key, node));
        workspace.api_keys = fields.take("api_keys").map(|(key, node)| self.api_keys(key, node));
        workspace
    }

    fn names(&mut self, node: &Node<'_>) -> Sp<Vec<Text>> {
        let rule = Rule::line("a name in `previously`", MAX_WORKSPACE_NAME);
        let mut names: Vec<Text> = Vec::new();
        for item in self.items(node, "`previously`", "[Prod]") {
            let Some(name) = self.text(item, rule) else { continue };
            if let Some(first) = names.iter().find(|first| **first == name) {
                let first = first.span.clone();
                self.error_with(
                    "config/listed-twice",
                    item.mark,
                    format!("`{name}` stands twice in `previously`"),
                    (first.as_ref(), "first here"),
                    "keep one of them",
                );
            } else {
                names.push(name);
            }
        }
        self.sp(names, node.mark)
    }

    fn color(&mut self, node: &Node<'_>) -> Option<Sp<Color>> {
        let text = self.text(node, Rule::line("`display_color`", MAX_TEXT))?;
        if Color::is_valid(&text) {
            return Some(self.sp(Color::new(&text), node.mark));
        }
        self.error(
            "config/bad-color",
            node.mark,
            format!("`{}` is not a colour that the API takes", shown(&text)),
            "write six hexadecimal digits in quotes, as in `\"#6C5BB9\"`",
        );
        None
    }

    fn tags(&mut self, key: &Key<'_>, node: &Node<'_>) -> Section<Arc<str>, Text> {
        let mut section = Section { place: self.place(key.mark), ..Default::default() };
        for (key, node) in self.entries(node, "`tags`", "{env: prod}") {
            let Some(tag) = self.key_text(key, Rule::line("the name of a tag", MAX_TEXT)) else {
                continue;
            };
            if tag.starts_with(RESERVED_TAG_PREFIX) {
                self.error(
                    "config/reserved-tag",
                    key.mark,
                    format!(
                        "the tag `{}` starts with `{RESERVED_TAG_PREFIX}`, which is reserved",
                        shown(tag)
                    ),
                    "choose another name; tags that start so are never touched",
                );
                continue;
            }
            if node.is_null() {
                self.error(
                    "config/null",
                    key.mark,
                    format!("nothing stands after `{}:`", shown(tag)),
                    "remove the line to delete the tag, or write `\"\"` for an empty value",
                );
                continue;
            }
            let what = format!("the tag `{}`", shown(tag));
            // An empty tag is a tag.
            let value = match &node.value {
                Value::Scalar(scalar) if scalar.sort == Sort::Text && scalar.text.is_empty() => {
                    Some(self.sp(Self::arc(""), node.mark))
                }
                _ => self.text(node, Rule::line(&what, MAX_TEXT)),
            };
            if let Some(value) = value {
                section.entries.insert(Self::arc(tag), value);
            }
        }
        section
    }

    fn residency(&mut self, key: &Key<'_>, node: &Node<'_>) -> Residency {
        let mut residency = Residency { place: self.place(key.mark), ..Default::default() };
        let Some(mut fields) = self.record(node, &RESIDENCY, key.mark, "`data_residency`") else {
            return residency;
        };
        let word = |word: &str| Some(Arc::from(word));
        residency.workspace_geo = fields
            .value("workspace_geo")
            .and_then(|node| self.word(node, "`workspace_geo`", &shape::workspace_geos(), word));
        residency.default_inference_geo = fields
            .value("default_inference_geo")
            .and_then(|node| self.word(node, "`default_inference_geo`", &shape::geos(), word));
        residency.allowed_inference_geos =
            fields.value("allowed_inference_geos").and_then(|node| self.geos(node));
        residency
    }

    fn geos(&mut self, node: &Node<'_>) -> Option<Sp<Geos>> {
        let what = "`allowed_inference_geos`";
        let Value::List(items) = &node.value else {
            if matches!(&node.value, Value::Scalar(scalar) if scalar.text == "unrestricted") {
                return Some(self.sp(Geos::Unrestricted, node.mark));
            }
            let help = "write `unrestricted`, or a list as in `[us]`";
            self.wrong_type(node, what, "`unrestricted` or a list", help);
            return None;
        };
        if items.is_empty() {
            self.error(
                "config/empty-text",
                node.mark,
                format!("{what} allows nothing"),
                "name at least one of `global` and `us`, or write `unrestricted`",
            );
            return None;
        }
        let mut geos = BTreeSet::new();
        for item in items {
            let word = |word: &str| Some(Arc::<str>::from(word));
            geos.insert(self.word(item, what, &shape::geos(), word)?.value);
        }
        Some(self.sp(Geos::Only(geos), node.mark))
    }

    fn grants(&mut self, key: &Key<'_>, node: &Node<'_>) -> Grants {
        let mut grants = Grants { place: self.place(key.mark), ..Default::default() };
        let example = "{ada@acme.com: workspace_developer, team/platform: workspace_user}";
        for (key, node) in self.entries(node, "`members`", example) {
            if let Some(team) = key.scalar.text.strip_prefix("team/") {
                let grant = self.grant(key, node);
                if is_team_name(team) {
                    grants.teams.insert(Self::arc(team), grant);
                } else {
                    self.error(
                        "config/bad-name",
                        key.mark,
                        format!("`{}` cannot be the name of a team", shown(team)),
                        "names of teams have letters, digits, `-` and `_`",
                    );
                }
                continue;
            }
            // A name without `@` may be that of a team in another file.
            let bare = key.scalar.sort == Sort::Text
                && !key.scalar.text.contains('@')
                && is_plain_text(&key.scalar.text, MAX_TEXT, false);
            let email = if bare {
                let text = self.sp(Self::arc(&key.scalar.text), key.mark);
                self.unnamed.push(text);
                None
            } else {
                self.email(&key.scalar, key.mark)
            };
            let grant = self.grant(key, node);
            let Some(email) = email else { continue };
            match grants.people.entry(email) {
                Entry::Vacant(place) => {
                    place.insert(grant);
                }
                Entry::Occupied(first) => {
                    self.same_person(key, first.key(), first.get().place.0.as_ref());
                }
            }
        }
        grants.people = packed(grants.people);
        grants
    }

    fn grant(&mut self, key: &Key<'_>, node: &Node<'_>) -> Grant {
        let mut grant = Grant {
            place: self.place(key.mark),
            role: Sp::new(Wanted::Unmanaged),
            until: None,
            note: None,
        };
        match &node.value {
            Value::Map(_) => {}
            Value::Scalar(scalar) if scalar.sort == Sort::Null => {
                self.error(
                    "config/null",
                    key.mark,
                    format!("nothing stands after `{}:`", shown(&key.scalar.text)),
                    "write a role, or `none` for no access",
                );
                return grant;
            }
            _ => {
                grant.role = self.workspace_role(node);
                return grant;
            }
        }
        let what = format!("the grant of `{}`", shown(&key.scalar.text));
        let Some(mut fields) = self.record(node, &GRANT, key.mark, &what) else { return grant };
        if let Some(node) = fields.value("role") {
            grant.role = self.workspace_role(node);
        }
        grant.until = self.date(fields.value("until"));
        grant.note = self.note(fields.value("note"), "`note`");
        if grant.role.value == Wanted::None {
            self.until_without_access(grant.until.as_ref());
        }
        grant
    }

    fn workspace_role(&mut self, node: &Node<'_>) -> Sp<Wanted<WorkspaceRole>> {
        let fallback = Sp::new(Wanted::Unmanaged);
        let limits = Rule::line("a role in a workspace", MAX_TEXT);
        let Some(text) = self.text(node, limits) else { return fallback };
        let wanted = match &*text.value {
            "none" => Wanted::None,
            "unmanaged" => Wanted::Unmanaged,
            word => match WorkspaceRole::known(word) {
                Some(WorkspaceRole::Billing) => {
                    self.error(
                        "config/role-not-grantable",
                        node.mark,
                        "`workspace_billing` cannot be granted: it comes with the organization role `billing`",
                        "give the person the role `billing` under the top-level `members`, and drop this line",
                    );
                    return fallback;
                }
                Some(role) => Wanted::Role(role),
                None => {
                    self.unknown_workspace_role(node, word);
                    return fallback;
                }
            },
        };
        self.sp(wanted, node.mark)
    }

    fn unknown_workspace_role(&mut self, node: &Node<'_>, word: &str) {
        let words = shape::workspace_roles();
        // The words start alike, so what follows decides: `developer` is meant as `workspace_developer`.
        let short = |word: &'static str| word.strip_prefix("workspace_").unwrap_or(word);
        let own = word.strip_prefix("workspace_").unwrap_or(word);
        let near = did_you_mean(own, words.iter().copied().map(short))
            .and_then(|near| words.iter().copied().find(|word| short(word) == near));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the roles are {}", listed(&words)),
        };
        let message = format!("`{}` is not a role in a workspace", shown(word));
        self.error("config/unknown-role", node.mark, message, help);
    }
}
