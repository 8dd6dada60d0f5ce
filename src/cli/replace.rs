//! Writes a file that others may be reading.
//!
//! Invariant: whoever opens the path finds the old text or the new one, whole.

use std::{fs, io::Write as _, path::Path};

use super::failure::Failure;

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// Its owner alone.
    Owner,
    /// Whoever gets to it: another program collects it.
    Anybody,
}

/// Puts a text in the place of a file.
pub(super) fn replace(path: &Path, text: &str, reader: Reader) -> Result<(), Failure> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // A temporary file is made with mode 0600.
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        if reader == Reader::Anybody {
            open_to_all(file.as_file())?;
        }
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    });
    written.map_err(|error| Failure::file("write", path, &error))
}

#[cfg(unix)]
fn open_to_all(file: &fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
fn open_to_all(_: &fs::File) -> std::io::Result<()> {
    Ok(())
}
