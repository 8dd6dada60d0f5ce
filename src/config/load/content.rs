//! What a file is, told by its content: a part of the wanted state, or something of another program.
//!
//! Invariant: a text that names a section of charter at its top is never taken for another program's, whether or not
//! it can be parsed.

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};

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

/// Sections that JSON of other programs is not likely to have as a map.
const IN_JSON: [&str; 6] = ["members", "teams", "workspaces", "api_keys", "organization", "manage"];

/// A key at the top of a file.
struct Top<'k> {
    key: &'k str,
    is_list: bool,
    /// The keys of the map that it is, or of the first map of the list that it is.
    keys_below: Vec<&'k str>,
}

/// What a parsed file is; `text` is looked at where it could not be parsed.
pub(crate) fn content(parsed: &Parsed<'_>, text: &str) -> Content {
    match parsed {
        Parsed::Empty => Content::Empty,
        Parsed::Tree(node) if node.is_null() => Content::Empty,
        Parsed::Tree(node) => of_node(node),
        Parsed::Broken => of_text(text),
    }
}

fn of_node(node: &Node<'_>) -> Content {
    let Value::Map(entries) = &node.value else { return Content::Foreign };
    let tops: Vec<Top<'_>> = entries
        .iter()
        .map(|(key, node)| {
            let (is_list, below) = match &node.value {
                Value::List(items) => (true, items.first().map(|item| &item.value)),
                value => (false, Some(value)),
            };
            let keys_below = match below {
                Some(Value::Map(entries)) => {
                    entries.iter().map(|(key, _)| &*key.scalar.text).collect()
                }
                _ => Vec::new(),
            };
            Top { key: &key.scalar.text, is_list, keys_below }
        })
        .collect();
    of_tops(&tops)
}

fn of_tops(tops: &[Top<'_>]) -> Content {
    let has = |name: &str| tops.iter().any(|top| top.key == name);
    if has("format_version") && has("steps") {
        return Content::Plan;
    }
    // A sandbox's state has lists where charter files have maps, and an organization beside them.
    let of_people = has("version")
        || tops
            .iter()
            .any(|top| names_section(top.key) && top.key != "organization" && !top.is_list);
    // Other programs list users too: as texts, or by other keys.
    let of_sandbox = tops.iter().any(|top| match top.key {
        "users" | "invites" => top.is_list && top.keys_below.contains(&"email"),
        "organization" => top.keys_below.contains(&"name"),
        key => OF_SANDBOX.contains(&key),
    });
    if of_sandbox && !of_people && tops.iter().any(|top| SANDBOX_LISTS.contains(&top.key)) {
        return Content::Sandbox;
    }
    if has("organizations") && !tops.iter().any(|top| names_section(top.key)) {
        return Content::Fleet;
    }
    let keys = || tops.iter().map(|top| top.key);
    if keys().any(names_section) {
        Content::Charter
    } else if keys().any(nearly_names_section) {
        Content::Nearly
    } else {
        Content::Foreign
    }
}

/// One of these is in every state of a sandbox with anybody or anything in it.
const SANDBOX_LISTS: [&str; 4] = ["users", "invites", "workspaces", "organization"];

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

/// What a text is that cannot be parsed: by the keys that stand at its top.
fn of_text(text: &str) -> Content {
    let says = |line: &&str| {
        let line = line.trim();
        !(line.is_empty()
            || line.starts_with('#')
            || line.starts_with("---")
            || line.starts_with('%'))
    };
    let Some(first) = text.lines().find(says) else { return Content::Empty };
    let flow = first.trim_start().starts_with('{');
    let indent = first.len() - first.trim_start().len();
    let mut found = Content::Foreign;
    let keys = text.lines().filter_map(|line| {
        let at = line.len() - line.trim_start().len();
        (at == 0 || at == indent).then(|| key_of(line)).flatten()
    });
    let words = text.split([',', '{', '}', '\n']).take_while(|_| flow).filter_map(key_of);
    for key in keys.chain(words) {
        if names_section(key) {
            return Content::Charter;
        }
        if nearly_names_section(key) {
            found = Content::Nearly;
        }
    }
    found
}

/// The key that a piece of text begins with.
fn key_of(text: &str) -> Option<&str> {
    let (key, _) = text.split_once(':')?;
    Some(key.trim().trim_matches(['"', '\'']))
}

/// Whether JSON names a section of charter, and is no saved plan. Where charter has maps, other programs have lists:
/// `"files": ["dist"]`.
pub(crate) fn json_names_section(text: &str) -> bool {
    struct Tops;
    impl<'de> Visitor<'de> for Tops {
        type Value = Vec<(String, bool)>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut tops = Vec::new();
            while let Some(key) = map.next_key::<String>()? {
                tops.push((key, map.next_value::<Shape>()?.0));
            }
            Ok(tops)
        }
    }
    let text = text.trim_start_matches('\u{feff}');
    let mut deserializer = serde_json::Deserializer::from_str(text);
    match deserializer.deserialize_map(Tops) {
        Ok(tops) => {
            let has = |name: &str| tops.iter().any(|(key, _)| key == name);
            let is_plan = has("format_version") && has("steps");
            let of_sandbox = has("users") && !has("members");
            let is_ours =
                |key: &str| IN_JSON.contains(&key) && (key != "organization" || !of_sandbox);
            !is_plan && tops.iter().any(|(key, is_map)| *is_map && is_ours(key))
        }
        // Comments or a comma too many: it is nobody's JSON, and may be meant as ours.
        Err(_) => {
            ["\"members\"", "\"workspaces\"", "\"teams\""].iter().any(|section| {
                text.split_once(section).is_some_and(|(_, rest)| {
                    let rest = rest.trim_start().strip_prefix(':').map(str::trim_start);
                    rest.is_some_and(|rest| rest.starts_with('{'))
                })
            }) && text.contains('@')
        }
    }
}

/// Whether a value is a map, or nothing.
struct Shape(bool);

impl<'de> serde::Deserialize<'de> for Shape {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfShape;
        impl<'de> Visitor<'de> for OfShape {
            type Value = Shape;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("anything")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Shape(true))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut list: A,
            ) -> Result<Shape, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Shape(false))
            }

            fn visit_unit<E>(self) -> Result<Shape, E> {
                Ok(Shape(true))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Shape, E> {
                Ok(Shape(false))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Shape, E> {
                Ok(Shape(false))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Shape, E> {
                Ok(Shape(false))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Shape, E> {
                Ok(Shape(false))
            }

            fn visit_str<E>(self, _: &str) -> Result<Shape, E> {
                Ok(Shape(false))
            }
        }
        deserializer.deserialize_any(OfShape)
    }
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
    fn json_of_other_programs_names_lists_where_charter_has_maps() {
        assert!(json_names_section("{\"members\": {\"a@acme.com\": \"user\"}}"));
        assert!(json_names_section("\u{feff}{\"workspaces\": {}}"));
        assert!(json_names_section("{\"members\": {\"a@acme.com\": \"user\"},}"));
        for other in [
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
