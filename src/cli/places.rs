//! Finds where files lie: their path without links, and the repository that holds them.
//!
//! Invariant: the repository is that of the files, whatever the working directory is.

use std::path::{Path, PathBuf};

use crate::{config::load::ROOT_FILE, render::places::Places};

/// Where pipelines say that the repository is.
const ROOTS: [&str; 2] = ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"];

/// Where the files of a path lie; `shown` turns a path into what may be shown of it.
pub(super) fn places(
    path: &Path,
    revisions: Vec<String>,
    shown: impl Fn(String) -> String,
) -> Places {
    let Ok(here) = std::env::current_dir() else {
        return Places { revisions, ..Places::default() };
    };
    let real = real(path, &here);
    let root = root_of(&real).unwrap_or_else(|| here.clone());
    let is_file = real.is_file() || path.extension().is_some();
    let root_file = if is_file { path.to_owned() } else { path.join(ROOT_FILE) };
    let slashed =
        |path: &Path| shown(path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/"));
    Places {
        here: slashed(&here),
        given: slashed(path),
        real: slashed(&real),
        root_file: slashed(&root_file),
        root: slashed(&root),
        revisions,
    }
}

/// The root of the repository that holds a path: the nearest folder with `.git`, or the one that the pipeline names if
/// that is nearer.
fn root_of(path: &Path) -> Option<PathBuf> {
    let named = ROOTS.iter().filter_map(std::env::var_os).map(PathBuf::from);
    let named = named.filter_map(|root| root.canonicalize().ok());
    let nearest = path.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned);
    let around = named.chain(nearest).filter(|root| path.starts_with(root));
    around.max_by_key(|root| root.components().count())
}

/// Where a path leads: the links of its folders are followed, as far as they exist, and its own last part is not.
fn real(path: &Path, here: &Path) -> PathBuf {
    let full = here.join(path);
    if full.is_dir()
        && let Ok(real) = full.canonicalize()
    {
        return real;
    }
    let mut folders = full.ancestors().skip(1);
    let found = folders.find_map(|folder| Some((folder, folder.canonicalize().ok()?)));
    match found.and_then(|(folder, real)| Some(real.join(full.strip_prefix(folder).ok()?))) {
        Some(real) => real,
        None => full,
    }
}
