//! What a file is, told by its content: a part of the wanted state, or something of another program.
//!
//! Invariant: a text that names a section of charter at its top is never taken for another program's, whether or not
//! it can be parsed.

mod shape;

use std::{borrow::Cow, collections::BTreeMap};

use self::shape::Shape;
use crate::config::{
    shape::FILE,
    yaml::{Node, Parsed, Value},
};

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// It names a section of charter.
    Charter,
    /// It nearly names one.
    Nearly,
    /// It says nothing.
    Empty,
    /// A plan saved by charter.
    Plan,
    /// The state of a sandbox.
    Sandbox,
    /// A fleet file.
    Fleet,
    /// It names no section of charter.
    Foreign,
}

/// Keys at the top of a sandbox's state that charter files do not have. `users` and `invites` are lists there.
const OF_SANDBOX: [&str; 9] = [
    "former_users",
    "external_keys",
    "user_profiles",
    "requires_external_key",
    "tick_ms",
    "credentials",
    "switches",
    "faults",
    "scripts",
];

/// Sections whose near spellings are not looked for: other programs have many keys like these, and what these hold
/// cannot be taken for people.
const EXACT: [&str; 4] = ["version", "files", "tests", "read"];

/// Sections that are maps of people and things.
const LISTS: [&str; 4] = ["members", "teams", "workspaces", "api_keys"];

/// Sections that JSON of other programs is not likely to have as a map.
const IN_JSON: [&str; 6] = ["members", "teams", "workspaces", "api_keys", "organization", "manage"];

/// One of these is in every state of a sandbox with anybody or anything in it.
const SANDBOX_LISTS: [&str; 4] = ["users", "invites", "workspaces", "organization"];

/// A key at the top of a file, however that was read.
struct Top<'k> {
    key: Cow<'k, str>,
    value: Shape,
    /// The keys of the map that it is, or of the first map of the list that it is.
    keys_below: Vec<&'k str>,
}

/// Which keys tell that a file is ours.
#[derive(Clone, Copy)]
enum Format {
    Yaml,
    /// Where charter has maps, other programs have lists: `"files": ["dist"]`.
    Json,
}

/// What a parsed file is; `text` is looked at where it could not be parsed.
pub(crate) fn content(parsed: &Parsed<'_>, text: &str) -> Content {
    let tops = match parsed {
        Parsed::Tree(node) if !node.is_null() => of_node(node),
        Parsed::Empty | Parsed::Tree(_) => return Content::Empty,
        Parsed::Broken => match of_lines(text) {
            Some(tops) => tops,
            None => return Content::Empty,
        },
    };
    judge(&tops, Format::Yaml)
}

/// Whether JSON names a section of charter, and is no saved plan.
pub(crate) fn json_names_section(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}');
    let tops = match serde_json::from_str::<BTreeMap<String, Shape>>(text) {
        Ok(entries) => entries
            .into_iter()
            .map(|(key, value)| Top { key: key.into(), value, keys_below: Vec::new() })
            .collect(),
        // Comments or a comma too many: it is nobody's JSON, and may be meant as ours if it is about people.
        Err(_) if text.contains('@') => of_pieces(text),
        Err(_) => return false,
    };
    judge(&tops, Format::Json) == Content::Charter
}

/// Whether a file has a section that is a list where charter has a map, and none that is as charter has it.
pub(super) fn is_of_another_shape(parsed: &Parsed<'_>) -> bool {
    let Parsed::Tree(node) = parsed else { return false };
    let tops = of_node(node);
    let mut lists = tops.iter().filter(|top| LISTS.contains(&&*top.key)).peekable();
    lists.peek().is_some() && lists.all(|top| top.value == Shape::List)
}

/// The one judge of what a file is, by the keys at its top.
fn judge(tops: &[Top<'_>], format: Format) -> Content {
    let has = |name: &str| tops.iter().any(|top| top.key == name);
    // What is not known for sure is not taken for something that is passed over.
    let has_known =
        |name: &str| tops.iter().any(|top| top.key == name && top.value != Shape::Unknown);
    if has_known("format_version") && has_known("steps") {
        return Content::Plan;
    }
    // A sandbox's state has lists where charter files have maps, and an organization beside them.
    let of_people = has("version")
        || tops.iter().any(|top| {
            names_section(&top.key) && top.key != "organization" && top.value != Shape::List
        });
    // Other programs list users too: as texts, or by other keys.
    let of_sandbox = tops.iter().any(|top| match &*top.key {
        "users" | "invites" => top.value == Shape::List && top.keys_below.contains(&"email"),
        "organization" => top.keys_below.contains(&"name"),
        key => top.value != Shape::Unknown && OF_SANDBOX.contains(&key),
    });
    if of_sandbox && !of_people && tops.iter().any(|top| SANDBOX_LISTS.contains(&&*top.key)) {
        return Content::Sandbox;
    }
    if has_known("organizations") && !tops.iter().any(|top| names_section(&top.key)) {
        return Content::Fleet;
    }
    let is_ours = |top: &Top<'_>| match format {
        Format::Yaml => names_section(&top.key),
        Format::Json => {
            IN_JSON.contains(&&*top.key)
                && matches!(top.value, Shape::Map | Shape::Nothing)
                // A list of users, and an organization that they are of.
                && (top.key != "organization" || !has("users") || has("members"))
        }
    };
    if tops.iter().any(is_ours) {
        Content::Charter
    } else if tops.iter().any(|top| nearly_names_section(&top.key)) {
        Content::Nearly
    } else {
        Content::Foreign
    }
}

/// The keys of parsed YAML.
fn of_node<'k>(node: &'k Node<'_>) -> Vec<Top<'k>> {
    let Value::Map(entries) = &node.value else { return Vec::new() };
    let keys = |value: &'k Value<'_>| match value {
        Value::Map(entries) => entries.iter().map(|(key, _)| &*key.scalar.text).collect(),
        _ => Vec::new(),
    };
    entries
        .iter()
        .map(|(key, node)| {
            let (value, keys_below) = match &node.value {
                value @ Value::Map(_) => (Shape::Map, keys(value)),
                Value::List(items) => {
                    (Shape::List, items.first().map(|item| keys(&item.value)).unwrap_or_default())
                }
                _ if node.is_null() => (Shape::Nothing, Vec::new()),
                _ => (Shape::Other, Vec::new()),
            };
            Top { key: Cow::Borrowed(&key.scalar.text), value, keys_below }
        })
        .collect()
}

/// The keys at the top of a text that cannot be parsed; `None`: it says nothing.
fn of_lines(text: &str) -> Option<Vec<Top<'_>>> {
    let says = |line: &&str| {
        let line = line.trim();
        !(line.is_empty()
            || line.starts_with('#')
            || line.starts_with("---")
            || line.starts_with('%'))
    };
    let first = text.lines().find(says)?;
    let indent = first.len() - first.trim_start().len();
    let lines = text.lines().filter(|line| {
        let at = line.len() - line.trim_start().len();
        at == 0 || at == indent
    });
    let mut tops: Vec<Top<'_>> = lines.filter_map(key_of).map(|(key, _)| unknown(key)).collect();
    if first.trim_start().starts_with('{') {
        tops.extend(of_pieces(text).into_iter().map(|top| Top { value: Shape::Unknown, ..top }));
    }
    Some(tops)
}

fn unknown(key: &str) -> Top<'_> {
    Top { key: Cow::Borrowed(key), value: Shape::Unknown, keys_below: Vec::new() }
}

/// The keys of text in brackets, at whatever depth, and what their values begin like.
fn of_pieces(text: &str) -> Vec<Top<'_>> {
    let pieces = text.split_inclusive([',', '{', '}', '\n']);
    let keys = pieces.filter_map(key_of).map(|(key, rest)| {
        let value = match rest.trim_start().chars().next() {
            Some('{') => Shape::Map,
            Some('[') => Shape::List,
            None => Shape::Nothing,
            Some(_) => Shape::Other,
        };
        Top { value, ..unknown(key) }
    });
    keys.collect()
}

/// The key that a piece of text begins with, and what comes after it.
fn key_of(text: &str) -> Option<(&str, &str)> {
    let (key, rest) = text.split_once(':')?;
    Some((key.trim().trim_matches(['"', '\'']), rest))
}

/// Whether a key is that of a section. `version` alone says nothing: many programs have it.
fn names_section(key: &str) -> bool {
    key != "version" && FILE.field(key).is_some()
}

/// Whether a key is a section's but for case, `-` for `_`, or a slip of the hand.
fn nearly_names_section(key: &str) -> bool {
    let key = key.to_lowercase().replace('-', "_");
    FILE.keys().filter(|section| !EXACT.contains(section)).any(|section| {
        let slips = if section.len() >= 10 { 2 } else { 1 };
        strsim::osa_distance(&key, section) <= slips
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::yaml::parse;

    fn of(text: &str) -> Content {
        content(&parse(&Arc::from("x.yaml"), text, &mut Vec::new()), text)
    }

    #[test]
    fn files_of_other_programs_are_told_from_those_of_people() {
        for foreign in [
            "version: \"3\"\nservices: {web: {image: nginx}}\n",
            "apiVersion: v2\nname: chart\nversion: 1.0.0\n",
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Values.name }}\n---\nkind: Pod\n",
            "- one\n- two\n",
            "Resources:\n  A: !Ref B\n",
            "just text\n",
        ] {
            assert_eq!(of(foreign), Content::Foreign, "{foreign}");
        }
        for ours in [
            "members: {}\n",
            "members:\n",
            "# people\nteams: {a: [b@acme.com]}\n",
            "members: {ada@acme.com: admin\n",
            "<<<<<<< HEAD\nmembers:\n  a@acme.com: user\n=======\n",
            "  members:\n    a@acme.com: [\n",
            "{members: {a@acme.com: user}, x\n",
            "---\nmembers: {}\n---\nteams: {}\n",
            "\"workspaces\": {}\nservices: {}\n",
        ] {
            assert_eq!(of(ours), Content::Charter, "{ours}");
        }
        for slip in
            ["membrs: {}\n", "Members: {}\n", "api-keys: {}\n", "team: {}\n", "workspace: {}\n"]
        {
            assert_eq!(of(slip), Content::Nearly, "{slip}");
        }
        assert_eq!(of("# nothing\n"), Content::Empty);
        assert_eq!(of(""), Content::Empty);
    }

    #[test]
    fn what_charter_itself_writes_is_known() {
        assert_eq!(of("{\"format_version\": 2, \"steps\": []}"), Content::Plan);
        let state =
            "organization: {id: x, name: Acme}\nusers:\n  - {email: ada@acme.com, role: admin}\n";
        assert_eq!(of(state), Content::Sandbox);
        assert_eq!(
            of("organization: {name: Acme}\nworkspaces: []\nswitches: {}\n"),
            Content::Sandbox
        );
        assert_eq!(of("version: 1\norganizations: {x: {folder: a}}\n"), Content::Fleet);
        assert_eq!(of("organization: {id: x}\nmembers: {}\n"), Content::Charter);
        assert_eq!(of("members: {}\nusers: []\n"), Content::Charter);
    }

    #[test]
    fn a_file_with_sections_is_never_a_sandbox_or_a_fleet_and_users_of_other_programs_are_foreign()
    {
        for ours in [
            "invites: []\nworkspaces: {Prod: {members: {kim@acme.com: workspace_user}}}\n",
            "users: [{email: kim@acme.com}]\napi_keys: {}\n",
            "organization: {id: x, name: Acme}\nworkspaces: {Prod: {}}\n",
            "credentials: x\nworkspaces: {Prod: {}}\n",
            "organizations: [x]\nteams: {a: [kim@acme.com]}\n",
        ] {
            assert_eq!(of(ours), Content::Charter, "{ours}");
        }
        for foreign in [
            "users: [kim@acme.com]\n",
            "apiVersion: v1\nclusters: []\nusers: [{name: kim, user: {token: x}}]\n",
        ] {
            assert_eq!(of(foreign), Content::Foreign, "{foreign}");
        }
        let json = "{\"users\": [], \"workspaces\": {\"Prod\": {}}}";
        assert!(json_names_section(json), "{json}");
    }

    #[test]
    fn a_file_of_another_shape_has_lists_where_charter_has_maps() {
        let is =
            |text: &str| is_of_another_shape(&parse(&Arc::from("x.yaml"), text, &mut Vec::new()));
        for other in ["teams: [a]\n", "teams:\n  - a\nmembers: []\nversion: 3\n"] {
            assert!(is(other), "{other}");
        }
        for ours in
            ["teams: {}\n", "teams:\n", "teams: [a]\nmembers: {a@acme.com: user}\n", "manage: {}\n"]
        {
            assert!(!is(ours), "{ours}");
        }
    }

    #[test]
    fn json_of_other_programs_names_lists_where_charter_has_maps() {
        assert!(json_names_section("{\"members\": {\"a@acme.com\": \"user\"}}"));
        assert!(json_names_section("\u{feff}{\"workspaces\": {}}"));
        assert!(json_names_section("{\"members\": {\"a@acme.com\": \"user\"},}"));
        assert!(json_names_section("{\"teams\":\n {\"a\": [\"a@acme.com\"],}}"));
        for other in [
            "{\"workspaces\": [\"a@acme.com\"], // why\n}",
            "{\"name\": \"web\", \"version\": \"1\", \"files\": [\"dist\"], \"workspaces\": [\"a/*\"]}",
            "{\"format_version\": 1, \"steps\": [], \"policy\": {}}",
            "{\"organization\": {}, \"users\": []}",
            "[1, 2]",
            "{\"a\": 1, // why\n}",
        ] {
            assert!(!json_names_section(other), "{other}");
        }
    }
}
