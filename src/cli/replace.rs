//! Writes a file in the place of one that charter has written before.
//!
//! Invariant: whoever opens the path finds the old text or the new one, whole; and nothing is replaced but a regular file
//! that is empty or charter's own.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use super::failure::Failure;

/// The names of files that are not whole yet.
const UNFINISHED: (&str, &str) = (".charter-save-", ".tmp");

/// How long others that save in the same folder are waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// The largest file that is looked at, to tell whose it is.
const LARGEST: u64 = 1024 * 1024 * 1024;

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// Its owner alone.
    Owner,
    /// Whoever gets to it: another program collects it.
    Anybody,
}

/// What stands where something is to be written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing, or an empty file, as `mktemp` makes it.
    Nothing,
    /// A file with this in it.
    Bytes(Vec<u8>),
}

/// Looks at what stands at a path. Links, pipes, devices and folders are refused, and never opened.
pub(super) fn look(path: &Path) -> Result<Found, Failure> {
    let refused = |what: &str| {
        Failure::usage(format!("`{}` is {what}, and is not replaced", path.display()))
            .help("give the path of a new file; to print to standard output leave the option out")
    };
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        found => found.map_err(|error| Failure::file("write", path, &error))?,
    };
    let kind = metadata.file_type();
    if kind.is_symlink() {
        return Err(refused("a link"));
    }
    if kind.is_dir() {
        return Err(refused("a folder"));
    }
    if !kind.is_file() {
        return Err(refused("no regular file (a pipe, a device or a socket)"));
    }
    if metadata.len() == 0 {
        return Ok(Found::Nothing);
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST).read_to_end(&mut bytes))
        .map_err(|error| Failure::file("read", path, &error))?;
    Ok(Found::Bytes(bytes))
}

/// Refuses a path where something stands that is not charter's own.
pub(super) fn refuse_foreign(
    path: &Path,
    what: &str,
    is_own: impl FnOnce(&[u8]) -> bool,
) -> Result<(), Failure> {
    match look(path)? {
        Found::Bytes(bytes) if !is_own(&bytes) => Err(Failure::usage(format!(
            "`{}` holds something else than {what}, and is not replaced",
            path.display()
        ))
        .help("give the path of a new file, or move that one away")),
        _ => Ok(()),
    }
}

/// A place where a text is put, while nobody else saves in its folder.
pub(super) struct Place<'p> {
    path: &'p Path,
    folder: PathBuf,
    /// Nobody else saves: what is unfinished there will never be finished.
    held: Option<File>,
}

impl<'p> Place<'p> {
    /// Waits for others, but not for ever; a folder that cannot be locked is written to all the same.
    pub(super) fn hold(path: &'p Path) -> Self {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        Self { path, folder: folder.to_owned(), held: lock(folder) }
    }

    /// Puts a text there, and removes what killed runs have left unfinished in the folder.
    pub(super) fn put(&self, text: &str, reader: Reader) -> Result<(), Failure> {
        self.clean_up();
        let (prefix, suffix) = UNFINISHED;
        // A temporary file is made with mode 0600.
        let made = tempfile::Builder::new().prefix(prefix).suffix(suffix).tempfile_in(&self.folder);
        let written = made.and_then(|mut file| {
            // Told to those who clean up and could not see that the folder is in use.
            let _ = file.as_file().try_lock();
            file.write_all(text.as_bytes())?;
            if reader == Reader::Anybody {
                open_to_all(file.as_file())?;
            }
            file.as_file().sync_all()?;
            file.persist(self.path).map_err(|error| error.error)?;
            Ok(())
        });
        written.map_err(|error| Failure::file("write", self.path, &error))
    }

    fn clean_up(&self) {
        if self.held.is_none() {
            return;
        }
        let (prefix, suffix) = UNFINISHED;
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let is_unfinished = name
                .to_str()
                .is_some_and(|name| name.starts_with(prefix) && name.ends_with(suffix));
            if is_unfinished
                && entry.file_type().is_ok_and(|kind| kind.is_file())
                && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok())
            {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// Puts a text in the place of a file.
pub(super) fn replace(path: &Path, text: &str, reader: Reader) -> Result<(), Failure> {
    Place::hold(path).put(text, reader)
}

#[cfg(unix)]
fn lock(folder: &Path) -> Option<File> {
    let file = File::open(folder).ok()?;
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Some(file),
            Err(fs::TryLockError::WouldBlock) if start.elapsed() < PATIENCE => {
                thread::sleep(Duration::from_millis(10));
            }
            Err(_) => return None,
        }
    }
}

/// A folder cannot be locked there.
#[cfg(not(unix))]
fn lock(_: &Path) -> Option<File> {
    None
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_save_left_is_gone_after_the_next_one_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in [".charter-save-abc123.tmp", ".tmpabcdef", "charter-save-x.tmp"] {
            fs::write(path(name), "half").unwrap();
        }
        // Of somebody who saves and could not lock the folder.
        let busy = path(".charter-save-busy00.tmp");
        fs::write(&busy, "half").unwrap();
        let held = File::open(&busy).unwrap();
        held.try_lock().unwrap();
        replace(&path("plan.json"), "{}", Reader::Owner).unwrap();
        assert!(!path(".charter-save-abc123.tmp").exists());
        assert!(
            busy.exists() && path(".tmpabcdef").exists() && path("charter-save-x.tmp").exists()
        );
        assert_eq!(fs::read_to_string(path("plan.json")).unwrap(), "{}");
    }

    #[test]
    fn those_who_save_in_one_folder_do_it_one_after_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("count");
        fs::write(&path, "0").unwrap();
        let count = || fs::read_to_string(&path).unwrap().parse::<u32>().unwrap();
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let place = Place::hold(&path);
                    let more = count() + 1;
                    place.put(&more.to_string(), Reader::Anybody).unwrap();
                });
            }
        });
        assert_eq!(count(), 8);
    }

    #[test]
    fn links_pipes_devices_and_folders_are_refused_unopened() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::os::unix::fs::symlink("nowhere", path("link")).unwrap();
        let made = std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap();
        assert!(made.success());
        fs::create_dir(path("folder")).unwrap();
        let paths = ["link", "pipe", "folder"].map(path);
        for path in paths.iter().map(PathBuf::as_path).chain([Path::new("/dev/null")]) {
            let Err(Failure::Said { message, .. }) = look(path) else { panic!("{path:?}") };
            assert!(message.contains("and is not replaced"), "{message}");
        }
        fs::write(path("empty"), "").unwrap();
        for free in ["empty", "new"] {
            assert_eq!(look(&path(free)).unwrap(), Found::Nothing);
        }
    }
}
