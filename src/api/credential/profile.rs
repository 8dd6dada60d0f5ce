//! Whether the official CLI has a profile here: charter reads none, since they hold refresh tokens, but says so.
//!
//! Invariant: looks at the names of files and at the name of the active profile, and never into one that holds a token.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

/// The variable that names a profile.
pub(super) const VARIABLE: &str = "ANTHROPIC_PROFILE";
/// The longest name of a profile that is shown.
const LONGEST: u64 = 64;

/// The profile that the official CLI would use, if there is one.
pub(super) fn active(get: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    if let Some(name) = get(VARIABLE) {
        return Some(name).filter(|name| is_plain(name)).or_else(|| Some("default".to_owned()));
    }
    let folder = folders(get).into_iter().find(|folder| folder.join("configs").is_dir())?;
    let name = named(&folder.join("active_config")).unwrap_or_else(|| "default".to_owned());
    folder.join("configs").join(format!("{name}.json")).is_file().then_some(name)
}

/// Where profiles may be: each SDK has an order of its own.
fn folders(get: &dyn Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let below = |name: &str, rest: &str| get(name).map(|folder| Path::new(&folder).join(rest));
    let all = [
        get("ANTHROPIC_CONFIG_DIR").map(PathBuf::from),
        below("XDG_CONFIG_HOME", "anthropic"),
        below("HOME", ".config/anthropic"),
        below("APPDATA", "Anthropic"),
    ];
    match all {
        [Some(only), ..] => vec![only],
        all => all.into_iter().flatten().collect(),
    }
}

fn named(path: &Path) -> Option<String> {
    if !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    fs::File::open(path).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
    Some(text.trim().to_owned()).filter(|name| is_plain(name))
}

/// Whether it can stand in a command line as it is.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('-')
        && name.len() as u64 <= LONGEST
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter))
}
