//! The files as YAML text: short and long forms, block and flow style, one file or several.
//!
//! Invariant: says everything that the model says and nothing else, in whichever layout.

use super::files::{
    Files, GrantEntry, IgnoreEntry, KeyEntry, Layout, Manage, PersonEntry, ResidencyEntry, Target,
    TeamEntry, Who, WorkspaceEntry,
};

/// The organization that every generated file is for.
pub(crate) const ORGANIZATION: &str = "3f0c1b1e-0000-4000-8000-000000000000";

/// Names and texts of the files, the root file first.
pub(crate) fn write(files: &Files) -> Vec<(String, String)> {
    let parts = match files.layout {
        Layout::OneFile => vec![("charter.yaml".to_owned(), root(files, everything(files)))],
        Layout::Folder => folder(files),
        Layout::Torn => torn(files),
    };
    parts
        .into_iter()
        .enumerate()
        .filter(|(index, (_, sections))| *index == 0 || !sections.is_empty())
        .map(|(_, (name, sections))| (name, Yaml::Map(sections, Style::Block).to_text()))
        .collect()
}

type Sections = Vec<(String, Yaml)>;

fn root(files: &Files, rest: Sections) -> Sections {
    let organization = map(vec![("id", text(ORGANIZATION)), ("kind", text(files.kind.word()))]);
    let mut sections = entries(vec![("version", raw("1")), ("organization", organization)]);
    sections.extend(rest);
    sections.extend(manage(&files.manage).map(|yaml| ("manage".to_owned(), yaml)));
    sections
}

fn everything(files: &Files) -> Sections {
    let mut sections = people(files);
    sections.extend(files.workspaces.as_ref().map(|list| {
        let all = list.iter().map(|entry| (entry.label.clone(), workspace(entry))).collect();
        ("workspaces".to_owned(), Yaml::Map(all, Style::Block))
    }));
    sections.extend(files.api_keys.as_ref().map(|list| ("api_keys".to_owned(), keys(list))));
    sections
}

fn people(files: &Files) -> Sections {
    let mut sections = Vec::new();
    sections.extend(files.members.as_ref().map(|list| ("members".to_owned(), members(list))));
    if !files.teams.is_empty() {
        sections.push(("teams".to_owned(), teams(&files.teams)));
    }
    sections
}

fn folder(files: &Files) -> Vec<(String, Sections)> {
    let mut rest = Sections::new();
    rest.extend(files.api_keys.as_ref().map(|list| ("api_keys".to_owned(), keys(list))));
    let mut parts = Vec::new();
    if let Some(list) = &files.workspaces {
        // `{}` in the root file says that the list is there, whatever the others hold.
        rest.push(("workspaces".to_owned(), Yaml::Map(Vec::new(), Style::Block)));
        for (index, entry) in list.iter().enumerate() {
            let one = Yaml::Map(vec![(entry.label.clone(), workspace(entry))], Style::Block);
            parts.push((format!("workspaces/{index}.yml"), vec![("workspaces".to_owned(), one)]));
        }
    }
    parts.insert(0, ("charter.yaml".to_owned(), root(files, rest)));
    parts.insert(1, ("people.yaml".to_owned(), people(files)));
    parts
}

/// Every list that may be cut is cut in two.
fn torn(files: &Files) -> Vec<(String, Sections)> {
    let (mut first, mut second) = (Sections::new(), Sections::new());
    let mut cut = |name: &str, mut list: Vec<(String, Yaml)>| {
        let rest = list.split_off(list.len().div_ceil(2));
        first.push((name.to_owned(), Yaml::Map(list, Style::Block)));
        second.push((name.to_owned(), Yaml::Map(rest, Style::Flow)));
    };
    if let Some(list) = &files.members {
        cut("members", pairs(members(list)));
    }
    if !files.teams.is_empty() {
        cut("teams", pairs(teams(&files.teams)));
    }
    if let Some(list) = &files.api_keys {
        cut("api_keys", pairs(keys(list)));
    }
    if let Some(list) = &files.workspaces {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        for entry in list {
            let (lists, fields): (Sections, Sections) = pairs(workspace(entry))
                .into_iter()
                .partition(|(key, _)| key == "members" || key == "api_keys");
            one.push((entry.label.clone(), Yaml::Map(fields, Style::Flow)));
            other.push((entry.label.clone(), Yaml::Map(lists, Style::Block)));
        }
        first.push(("workspaces".to_owned(), Yaml::Map(one, Style::Block)));
        second.push(("workspaces".to_owned(), Yaml::Map(other, Style::Block)));
    }
    vec![("charter.yaml".to_owned(), root(files, first)), ("second/part.yaml".to_owned(), second)]
}

fn members(list: &[PersonEntry]) -> Yaml {
    let person = |entry: &PersonEntry| {
        let PersonEntry { email: _, canonical: _, role, until, note, previously, id, long } = entry;
        let mut fields = vec![("role", text(role))];
        fields.extend(until.map(|day| ("until", raw(day))));
        fields.extend(note.as_deref().map(|note| ("note", text(note))));
        fields.extend(previously.as_ref().map(|list| {
            let written = list.iter().map(|(written, _)| text(written)).collect();
            ("previously", Yaml::List(written))
        }));
        fields.extend(id.as_deref().map(|id| ("id", text(id))));
        if fields.len() == 1 && !long { text(role) } else { flow(fields) }
    };
    let list = list.iter().map(|entry| (entry.email.clone(), person(entry)));
    Yaml::Map(list.collect(), Style::Block)
}

fn teams(list: &[TeamEntry]) -> Yaml {
    let team = |entry: &TeamEntry| {
        Yaml::List(entry.people.iter().map(|(written, _)| text(written)).collect())
    };
    Yaml::Map(list.iter().map(|entry| (entry.name.to_owned(), team(entry))).collect(), Style::Block)
}

fn workspace(entry: &WorkspaceEntry) -> Yaml {
    let WorkspaceEntry {
        label: _,
        name,
        id,
        previously,
        state,
        display_color,
        tags,
        residency,
        external_key_id,
        user_profile_id,
        note,
        members,
        api_keys,
    } = entry;
    let mut fields = Vec::new();
    let mut word = |key: &'static str, value: Option<&str>| {
        fields.extend(value.map(|value| (key, text(value))));
    };
    word("name", name.as_deref());
    word("id", id.as_deref());
    word("state", *state);
    word("display_color", display_color.as_deref());
    word("external_key_id", external_key_id.as_deref());
    word("user_profile_id", user_profile_id.as_deref());
    word("note", note.as_deref());
    fields.extend(
        previously
            .as_ref()
            .map(|names| ("previously", Yaml::List(names.iter().map(|name| text(name)).collect()))),
    );
    fields.extend(tags.as_ref().map(|tags| {
        let tags = tags.iter().map(|(key, value)| (key.clone(), text(value)));
        ("tags", Yaml::Map(tags.collect(), Style::Flow))
    }));
    fields.extend(residency.as_ref().map(|parts| ("data_residency", data_residency(parts))));
    fields.extend(members.as_ref().map(|list| ("members", grants(list))));
    fields.extend(api_keys.as_ref().map(|list| ("api_keys", keys(list))));
    Yaml::Map(entries(fields), Style::Block)
}

fn data_residency(entry: &ResidencyEntry) -> Yaml {
    let ResidencyEntry { workspace_geo, default, allowed } = entry;
    let mut fields = Vec::new();
    fields.extend(workspace_geo.then(|| ("workspace_geo", text("us"))));
    fields.extend(default.map(|geo| ("default_inference_geo", text(geo))));
    fields.extend(allowed.as_ref().map(|geos| {
        let list = || Yaml::List(geos.iter().map(|geo| text(geo)).collect());
        let word = geos.as_slice() == ["unrestricted"];
        ("allowed_inference_geos", if word { text("unrestricted") } else { list() })
    }));
    flow(fields)
}

fn grants(list: &[GrantEntry]) -> Yaml {
    let grant = |GrantEntry { who, role, until, note }: &GrantEntry| {
        let mut fields = vec![("role", text(role))];
        fields.extend(until.map(|day| ("until", raw(day))));
        fields.extend(note.as_deref().map(|note| ("note", text(note))));
        let key = match who {
            Who::Person(written, _) => written.clone(),
            Who::Team(name) => format!("team/{name}"),
        };
        (key, if fields.len() == 1 { text(role) } else { flow(fields) })
    };
    Yaml::Map(list.iter().map(grant).collect(), Style::Block)
}

fn keys(list: &[KeyEntry]) -> Yaml {
    let one = |KeyEntry { key, name, status, until, note, long }: &KeyEntry| {
        let mut fields = Vec::new();
        fields.extend(name.as_deref().map(|name| ("name", text(name))));
        fields.extend(status.map(|status| ("status", text(status))));
        fields.extend(until.map(|day| ("until", raw(day))));
        fields.extend(note.as_deref().map(|note| ("note", text(note))));
        let short = status.filter(|_| fields.len() == 1 && !long);
        (key.clone(), short.map_or_else(|| flow(fields), text))
    };
    Yaml::Map(list.iter().map(one).collect(), Style::Block)
}

fn manage(manage: &Manage) -> Option<Yaml> {
    let Manage { members, workspace_members, workspaces, api_keys, ignore } = manage;
    let mut fields = Vec::new();
    let words = [
        ("members", members),
        ("workspace_members", workspace_members),
        ("workspaces", workspaces),
        ("api_keys", api_keys),
    ];
    for (key, word) in words {
        fields.extend(word.map(|word| (key, text(word))));
    }
    if !ignore.is_empty() {
        fields.push(("ignore", Yaml::List(ignore.iter().map(ignored).collect())));
    }
    (!fields.is_empty()).then(|| map(fields))
}

fn ignored(IgnoreEntry { target, pattern, until }: &IgnoreEntry) -> Yaml {
    let key = match target {
        Target::Members => "members",
        Target::Workspaces => "workspaces",
        Target::ApiKeys => "api_keys",
    };
    let mut fields = vec![(key, text(pattern)), ("reason", text("vendor support"))];
    fields.extend(until.map(|day| ("until", raw(day))));
    flow(fields)
}

/// A piece of YAML.
enum Yaml {
    Raw(String),
    Text(String),
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>, Style),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Block,
    Flow,
}

fn raw(word: &str) -> Yaml {
    Yaml::Raw(word.to_owned())
}

fn text(text: &str) -> Yaml {
    Yaml::Text(text.to_owned())
}

fn entries(fields: Vec<(&str, Yaml)>) -> Vec<(String, Yaml)> {
    fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn map(fields: Vec<(&str, Yaml)>) -> Yaml {
    Yaml::Map(entries(fields), Style::Block)
}

fn flow(fields: Vec<(&str, Yaml)>) -> Yaml {
    Yaml::Map(entries(fields), Style::Flow)
}

fn pairs(yaml: Yaml) -> Vec<(String, Yaml)> {
    match yaml {
        Yaml::Map(pairs, _) => pairs,
        Yaml::Raw(_) | Yaml::Text(_) | Yaml::List(_) => Vec::new(),
    }
}

impl Yaml {
    fn to_text(&self) -> String {
        let mut out = String::new();
        self.block(&mut out, 0);
        out
    }

    fn block(&self, out: &mut String, depth: usize) {
        let Yaml::Map(fields, _) = self else { return self.flow(out) };
        for (key, value) in fields {
            out.push_str(&"  ".repeat(depth));
            out.push_str(&scalar(key));
            match value {
                Yaml::Map(inner, Style::Block) if !inner.is_empty() => {
                    out.push_str(":\n");
                    value.block(out, depth + 1);
                }
                _ => {
                    out.push_str(": ");
                    value.flow(out);
                    out.push('\n');
                }
            }
        }
    }

    fn flow(&self, out: &mut String) {
        let comma = |out: &mut String, index: usize| {
            if index > 0 {
                out.push_str(", ");
            }
        };
        match self {
            Yaml::Raw(word) => out.push_str(word),
            Yaml::Text(text) => out.push_str(&scalar(text)),
            Yaml::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    comma(out, index);
                    item.flow(out);
                }
                out.push(']');
            }
            Yaml::Map(fields, _) => {
                out.push('{');
                for (index, (key, value)) in fields.iter().enumerate() {
                    comma(out, index);
                    out.push_str(&scalar(key));
                    out.push_str(": ");
                    value.flow(out);
                }
                out.push('}');
            }
        }
    }
}

/// A plain scalar where that is surely text, else a quoted one (JSON's quoting is YAML's).
fn scalar(text: &str) -> String {
    let plain = text.starts_with(char::is_alphabetic)
        && !text.ends_with(' ')
        && text.chars().all(|c| c.is_alphanumeric() || "@._+-/ ".contains(c))
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}
