//! Help for words that other languages, and other hosts of CEL, have and expressions here have not.
//!
//! Invariant: a hint says what to write instead, or that nothing here does the same; it never changes a meaning.

use super::{check::shown, functions::Function};
use crate::diagnostic::did_you_mean;

/// Functions that Kubernetes adds to CEL, which its users expect everywhere.
const KUBERNETES: &[&str] = &[
    "add",
    "allocate",
    "asApproximateFloat",
    "asInteger",
    "authorizer",
    "check",
    "cidr",
    "compareTo",
    "containsCIDR",
    "containsIP",
    "errored",
    "family",
    "find",
    "findAll",
    "getEscapedPath",
    "getHost",
    "getHostname",
    "getPort",
    "getQuery",
    "getScheme",
    "group",
    "indexOf",
    "ip",
    "isCIDR",
    "isCanonical",
    "isGlobalUnicast",
    "isGreaterThan",
    "isIP",
    "isInteger",
    "isLessThan",
    "isLinkLocalMulticast",
    "isLinkLocalUnicast",
    "isLoopback",
    "isQuantity",
    "isSemver",
    "isSorted",
    "isURL",
    "isUnspecified",
    "lastIndexOf",
    "major",
    "masked",
    "max",
    "min",
    "minor",
    "named",
    "namespace",
    "patch",
    "prefixLength",
    "quantity",
    "reason",
    "resource",
    "semver",
    "serviceAccount",
    "sign",
    "sub",
    "subresource",
    "sum",
    "url",
    "validate",
];

/// Functions and macros of CEL's definition and its usual extensions that are left out here.
const LEFT_OUT: &[(&str, &str)] = &[
    ("matches", "write `text.glob(\"*@acme.com\")`; `*` stands for any text"),
    ("timestamp", "dates are texts: compare them as they are, or use `daysSince` and `daysUntil`"),
    ("duration", "dates are texts: compare them as they are, or use `daysSince` and `daysUntil`"),
    ("bool", "compare a text with `\"true\"`"),
    ("double", "numbers are whole; use `int`"),
    ("uint", "numbers are whole; use `int`"),
    ("bytes", "there are no bytes; compare texts"),
    ("dyn", "leave it out: a value whose type is not known passes every check"),
    ("type", "each field has one type; `docs/policy.md` lists them"),
    ("charAt", "use `startsWith`, `endsWith`, `contains` or `glob`"),
    ("format", "join texts with `+`, and numbers with `string(n)`"),
    ("join", "compare the list as it is, or use `exists`"),
    ("replace", "use `contains` or `glob`"),
    ("split", "use `startsWith`, `endsWith`, `contains` or `glob`"),
    ("substring", "use `startsWith`, `endsWith`, `contains` or `glob`"),
    ("trim", "texts are compared as they are; use `glob`"),
    ("upperAscii", "use `lowerAscii` on both sides"),
];

/// The same under the names that other languages have.
const ELSEWHERE: &[(&str, &str)] = &[
    ("length", "write `size()`"),
    ("len", "write `size()`"),
    ("count", "write `size()`; with a condition, `list.filter(x, …).size()`"),
    ("includes", "write `x in list`, or `text.contains(part)`"),
    ("toLower", "write `lowerAscii()`"),
    ("toLowerCase", "write `lowerAscii()`"),
    ("lower", "write `lowerAscii()`"),
    ("any", "write `exists`"),
    ("some", "write `exists`"),
    ("every", "write `all`"),
    ("forall", "write `all`"),
    ("none", "write `!list.exists(x, …)`"),
    ("now", "write `today`, a text such as `2027-03-31`"),
    ("isEmpty", "write `size() == 0`"),
    ("not", "write `!`, as in `!(person.role == \"admin\")`"),
];

/// What to do about a function that is not there.
pub(super) fn function(name: &str) -> String {
    let listed = |list: &[(&str, &str)]| {
        list.iter().find(|(known, _)| *known == name).map(|(_, help)| (*help).to_owned())
    };
    let macros = ["glob", "has", "all", "exists", "exists_one", "map", "filter"];
    let names: Vec<_> = Function::names().chain(macros).collect();
    listed(LEFT_OUT)
        .or_else(|| listed(ELSEWHERE))
        .or_else(|| {
            KUBERNETES.contains(&name).then(|| {
                format!(
                    "`{}` is a function of Kubernetes, not of CEL; the functions here are {}",
                    shown(name),
                    quoted(&names)
                )
            })
        })
        .or_else(|| {
            did_you_mean(name, names.iter().copied()).map(|near| format!("did you mean `{near}`?"))
        })
        .unwrap_or_else(|| format!("the functions are {}", quoted(&names)))
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// What to write in place of something that the grammar cannot read from a place on.
pub(super) fn grammar(before: &str, rest: &str) -> Option<&'static str> {
    let word: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
    let last = before.trim_end().rsplit(|c: char| !c.is_ascii_alphanumeric()).next();
    match (word.to_ascii_lowercase().as_str(), last.unwrap_or_default()) {
        ("and", _) => Some("write `&&`"),
        ("or", _) => Some("write `||`"),
        ("is", _) => Some("write `==`"),
        ("not", _) | (_, "not" | "NOT" | "Not") => {
            Some("write `!`, as in `!(person.role == \"admin\")`")
        }
        _ if rest.starts_with('=') && !rest.starts_with("==") => Some("write `==` to compare"),
        _ if rest.starts_with("<>") || (before.ends_with('<') && rest.starts_with('>')) => {
            Some("write `!=`")
        }
        _ if rest.starts_with('&') => Some("write `&&`"),
        _ if rest.starts_with('|') => Some("write `||`"),
        _ if rest.starts_with('`') || rest.starts_with(".`") => {
            Some("write the key in brackets, as in `workspace.tags[\"cost-center\"]`")
        }
        _ => None,
    }
}
