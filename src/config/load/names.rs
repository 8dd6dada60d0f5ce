//! What the name of a file says about it.
//!
//! Invariant: looks at names only; whether a file with a name that is nearly right matters is told by its content.

use super::ROOT_FILE;

/// What a name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Named {
    /// It is read: `*.yaml`, `*.yml`, or all in capitals.
    Yaml,
    /// It differs from these by case, blanks or one edit in the ending.
    Nearly,
    /// `*.json`.
    Json,
    /// It is no name of a file that is read.
    Other,
}

/// What the name of a file says.
pub(in crate::config) fn named(name: &str) -> Named {
    if let Some((_, ending)) = name.rsplit_once('.')
        && ["yaml", "yml", "YAML", "YML"].contains(&ending)
    {
        return Named::Yaml;
    }
    let plain: String =
        name.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    if plain.rsplit_once('.').is_some_and(|(_, ending)| ending == "json") {
        return Named::Json;
    }
    if [".yaml", ".yml"].iter().any(|ending| ends_nearly(&plain, ending)) {
        return Named::Nearly;
    }
    Named::Other
}

/// Whether a name ends with an ending, but for one edit: a letter more, less, other, or two that changed places.
fn ends_nearly(name: &str, ending: &str) -> bool {
    let chars: Vec<char> = name.chars().collect();
    (ending.len() - 1..=ending.len() + 1).any(|length| {
        // Something is left of the name itself.
        chars.len() > length && {
            let end: String = chars[chars.len() - length..].iter().collect();
            strsim::osa_distance(&end, ending) <= 1
        }
    })
}

/// Whether a name is meant to be that of the root file, and is spelled otherwise.
pub(in crate::config) fn is_misspelled_root(name: &str) -> bool {
    let plain: String =
        name.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    name != ROOT_FILE && ["charter.yaml", "charter.yml"].contains(&plain.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_decides_and_one_edit_of_it_is_nearly_right() {
        for name in ["eng.yaml", "eng.yml", "eng.YAML", "ENG.YML", "a.b.yml"] {
            assert_eq!(named(name), Named::Yaml, "{name}");
        }
        for name in [
            "eng.Yaml",
            "eng.Yml",
            "eng.yaml ",
            "eng. yml",
            "eng.ymal",
            "eng.yam",
            "eng.yamll",
            "eng.yl",
            "engyaml",
            "eng,yaml",
            "eng.ya\u{043c}l",
        ] {
            assert_eq!(named(name), Named::Nearly, "{name}");
        }
        assert_eq!(named("org.json"), Named::Json);
        assert_eq!(named("org.JSON"), Named::Json);
        for name in [
            "README.md",
            "LICENSE",
            "Cargo.toml",
            "a.html",
            "a.txt",
            "eng.yaml.bak",
            "yaml",
            "family",
            "a.yarn",
            "eng.yaml.tmpl",
            "a.sh",
        ] {
            assert_eq!(named(name), Named::Other, "{name}");
        }
    }

    #[test]
    fn the_root_is_spelled_in_one_way() {
        for name in ["charter.yml", "Charter.yaml", "charter.YAML", "CHARTER.YML", "charter.yaml "]
        {
            assert!(is_misspelled_root(name), "{name}");
        }
        for name in ["charter.yaml", "charter.json", "my-charter.yaml", "charters.yaml"] {
            assert!(!is_misspelled_root(name), "{name}");
        }
    }
}
