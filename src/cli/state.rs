//! The folder where charter keeps what outlives a run: journals and locks.
//!
//! Invariant: it is for its owner alone, and its place does not depend on the current folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Why there is no folder for state.
pub(super) const NO_HOME: &str =
    "there is no home folder: neither `XDG_STATE_HOME` nor `HOME` is set to an absolute path";

/// Returns the path of charter's folder of this name; `None`: there is no home folder.
pub(super) fn folder(name: &str) -> Option<PathBuf> {
    // A relative path would mean another folder in each folder: it counts as not set.
    let absolute = |name| variable(name).filter(|path| path.is_absolute());
    #[cfg(windows)]
    let state = absolute("XDG_STATE_HOME").or_else(|| absolute("LOCALAPPDATA"));
    #[cfg(not(windows))]
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local").join("state")));
    Some(state?.join("charter").join(name))
}

/// Makes such a folder and its parent for their owner alone.
pub(super) fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    #[cfg(unix)]
    for folder in folder.ancestors().take(2) {
        use std::os::unix::fs::PermissionsExt as _;
        if fs::metadata(folder)?.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        }
    }
    Ok(())
}

/// Returns a path in an environment variable that is set to something.
pub(super) fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Returns an id as a part of a file's name.
pub(super) fn plain(organization: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    organization.chars().map(|c| if is_plain(c) { c } else { '_' }).collect()
}
