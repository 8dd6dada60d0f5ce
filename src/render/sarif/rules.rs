//! What the rules of a SARIF report are about, in words: code scanning shows them beside each result.
//!
//! Invariant: every code has a description and a way out; what is told of codes of the files is what `docs/files.md`
//! tells of them.

use serde_json::{Value, json};

/// The page that lists the codes of the files.
const FILES: &str = include_str!("../../../docs/files.md");

/// Codes of findings that `docs/files.md` does not list, since they are about more than the files.
const OTHERS: &[(&str, &str)] = &[
    ("base/broken", "the files of the base are wrong, so nothing can be held against them"),
    ("base/files", "an entry is in a file where the `files` of the base does not allow it"),
    ("base/ignored", "a step changes what the base protects by an `ignore`"),
    ("base/moved", "the base has the files of this organization at another path"),
    ("base/no-files", "the base has no files at this path, so only the defaults hold"),
    ("base/organization", "the base is for another organization"),
    ("base/past-date", "a date had passed before anybody reviewed it"),
    ("clock/off", "the clock of this machine differs from that of the API"),
    (
        "files/rule-change",
        "a rule of the files changes: what it protects is protected less or otherwise",
    ),
    ("guard/limit", "the plan exceeds a limit of `guard`"),
    ("guard/passed", "`--allow` passes guards of this plan"),
    ("live/ambiguous", "several live objects could be meant by one entry"),
    ("live/duplicate", "the API lists an object twice"),
    ("live/other-address", "somebody's live address is not the one of the entry"),
    ("live/similar-names", "names of live workspaces differ only in blanks or case"),
    ("live/unknown-id", "no live workspace has the id of the entry"),
    ("plan/hidden-grant", "a grant may exist that the API does not show"),
    ("plan/many-workspaces", "the organization would have more workspaces than most may have"),
    ("plan/name-in-use", "a workspace takes a name that another one still has"),
    ("plan/names-in-a-circle", "workspaces pass their names on in a cycle"),
    ("plan/only", "a pattern of `--only` matches no step"),
    ("plan/possible-rename", "somebody is removed while somebody like them is invited"),
    ("plan/stale", "the organization changed since the plan was made"),
    ("policy/not-judged", "a rule cannot be judged from what the files manage"),
    (
        "record/base-broken",
        "the base is wrong, so the plan is held against what was applied last alone",
    ),
    ("record/none", "there is no record of what was applied last"),
    ("record/rewritten", "the branch was rewritten since the last apply"),
    ("revision/several-merge-bases", "two branches have several merge bases"),
];

/// A rule, as the report lists it.
pub(super) fn rule(id: &str, level: &str) -> Value {
    let (what, page) = described(id);
    json!({
        "id": id,
        "shortDescription": {"text": what},
        "fullDescription": {"text": format!("{id}: {what}.")},
        "help": {"text": format!("The message of each result says what to do. {page} tells more.")},
        "defaultConfiguration": {"level": level},
    })
}

/// What a rule is about, and the page of the documentation that tells more.
fn described(id: &str) -> (String, &'static str) {
    let (of, name) = id.split_once('/').unwrap_or(("", id));
    if let Some(what) = listed(id) {
        return (what.to_owned(), "docs/files.md");
    }
    let other = OTHERS.iter().find(|(code, _)| *code == id).map(|(_, what)| (*what).to_owned());
    match (of, other) {
        ("step", _) => {
            let word = name.replace('-', " ");
            (format!("the organization differs from its files: {word}"), "docs/how-it-works.md")
        }
        ("base" | "files" | "record" | "revision", Some(what)) => (what, "docs/review.md"),
        ("policy", Some(what)) => (what, "docs/policy.md"),
        ("policy", None) => {
            (format!("the rule `{name}` of the files refuses this"), "docs/policy.md")
        }
        (_, Some(what)) => (what, "docs/apply.md"),
        (_, None) => (name.replace('-', " "), "docs/apply.md"),
    }
}

/// What the documentation says about a code of the files.
fn listed(id: &str) -> Option<&'static str> {
    let row = |line: &'static str| line.strip_prefix("| `")?.strip_prefix(id)?.strip_prefix("` | ");
    let what = FILES.lines().find_map(row)?.trim_end_matches(" |");
    Some(["warning: ", "note: "].iter().find_map(|word| what.strip_prefix(word)).unwrap_or(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_says_what_it_is_about_and_where_to_read_on() {
        for (id, what) in [
            ("config/unknown-role", "a role that charter does not know"),
            ("config/long-name", "a name of a workspace has more than 40 characters"),
            ("guard/limit", "the plan exceeds a limit of `guard`"),
            ("policy/no-admins", "the rule `no-admins` of the files refuses this"),
            ("step/switch-off", "the organization differs from its files: switch off"),
        ] {
            let rule = rule(id, "error");
            assert_eq!(rule["shortDescription"]["text"], what);
            assert_eq!(rule["fullDescription"]["text"], format!("{id}: {what}."));
            assert!(rule["help"]["text"].as_str().is_some_and(|help| help.contains("docs/")));
        }
    }

    #[test]
    fn every_code_in_the_source_has_a_description() {
        fn visit(folder: &std::path::Path, codes: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    visit(&path, codes);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                let code = |part: &&str| {
                    let (of, name) = part.split_once('/').unwrap_or_default();
                    let groups = [
                        "base", "clock", "config", "guard", "import", "live", "plan", "policy",
                        "record", "revision",
                    ];
                    groups.contains(&of)
                        && !name.is_empty()
                        && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
                };
                codes.extend(text.split('"').filter(code).map(str::to_owned));
            }
        }
        let mut codes = Vec::new();
        for folder in ["config", "plan", "policy", "cli"] {
            visit(
                &std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder),
                &mut codes,
            );
        }
        assert!(codes.len() > 80, "{codes:?}");
        let known =
            |code: &String| listed(code).is_some() || OTHERS.iter().any(|(other, _)| other == code);
        let missing: Vec<&String> = codes.iter().filter(|code| !known(code)).collect();
        assert_eq!(missing, Vec::<&String>::new());
    }
}
