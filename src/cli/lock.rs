//! Keeps a second `charter apply` away from an organization while the first one runs on the same machine.
//!
//! Invariant: a lock ends with the process that holds it, however that ends. Its file stays, and says who holds the lock
//! only while it is held.

use std::{
    cell::Cell,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
    process,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    failure::Failure,
    state::{self, NO_HOME, make_private, plain},
    ui::Ui,
};
use crate::render::{
    clean::clean,
    style::{ATTENTION, paint},
};

/// The locks of one run.
pub(super) struct Locks<'a> {
    ui: &'a Ui,
    /// It was said that there can be none.
    warned: Cell<bool>,
}

/// The lock of an organization, for as long as it lives; without a file it locks nothing.
pub(super) struct Lock(Option<File>);

/// Who holds a lock.
#[derive(Serialize, Deserialize)]
struct Holder {
    pid: u32,
    since: Timestamp,
    /// The machine, or the pod, where the system tells: the folder may be shared.
    #[serde(default)]
    host: Option<String>,
}

/// Why there is no lock.
enum Unlocked {
    /// Another process holds it.
    Held(PathBuf),
    /// None can be had here.
    Impossible(String),
}

impl<'a> Locks<'a> {
    /// Locks nothing yet; what cannot be locked is said once, on `ui`.
    pub(super) fn new(ui: &'a Ui) -> Self {
        Self { ui, warned: Cell::new(false) }
    }

    /// Takes the lock of an organization; refused while another apply holds it. Where no lock can be had, says so and
    /// goes on: a job in a container has no folder that outlives it.
    pub(super) fn take(&self, organization: &str) -> Result<Lock, Failure> {
        match lock(organization) {
            Ok(file) => Ok(Lock(Some(file))),
            Err(Unlocked::Held(path)) => Err(held(organization, &path)),
            Err(Unlocked::Impossible(why)) => {
                if !self.warned.replace(true) {
                    self.ui.say(&format!(
                        "{}: charter cannot notice another apply that runs at the same time: {}\n",
                        paint(ATTENTION.bold(), "warning"),
                        clean(&why)
                    ));
                }
                Ok(Lock::none())
            }
        }
    }
}

impl Lock {
    /// Locks nothing: for an organization that ends with the command.
    pub(super) fn none() -> Self {
        Self(None)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(file) = &self.0 {
            // What it says would be wrong from here on. The file stays: whoever has opened it would lock nothing.
            let _ = file.set_len(0);
        }
    }
}

/// Locks the file of an organization, and writes down who holds it.
fn lock(organization: &str) -> Result<File, Unlocked> {
    let folder = state::folder("locks").ok_or_else(|| Unlocked::Impossible(NO_HOME.to_owned()))?;
    let path = folder.join(format!("{}.lock", plain(organization)));
    let cannot = |error: io::Error| {
        Unlocked::Impossible(format!("cannot lock `{}`: {error}", path.display()))
    };
    make_private(&folder).map_err(cannot)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(Unlocked::Held(path)),
        Err(TryLockError::Error(error)) => return Err(cannot(error)),
    }
    let holder = Holder { pid: process::id(), since: Timestamp::now(), host: host() };
    // The lock holds without it; only the message of the other run would name nobody.
    let _ = serde_json::to_vec(&holder)
        .map_err(io::Error::from)
        .and_then(|text| file.set_len(0).and_then(|()| file.write_all(&text)));
    Ok(file)
}

fn held(organization: &str, path: &Path) -> Failure {
    // On Windows nobody else can read a locked file.
    let holder = fs::read(path).ok().and_then(|text| serde_json::from_slice::<Holder>(&text).ok());
    let by = holder.map_or_else(String::new, |Holder { pid, since, host }| {
        let host = host.map(|host| format!(" on `{host}`")).unwrap_or_default();
        format!(": process {pid}{host}, since {}", since.strftime("%Y-%m-%dT%H:%M:%SZ"))
    });
    Failure::refused(format!(
        "another apply to the organization `{organization}` is running{by}; nothing was changed here"
    ))
    .help(
        "wait for its end, or stop it with Ctrl-C or SIGTERM: it finishes the calls in flight, and the lock ends with the \
         process",
    )
}

/// What the system calls this machine; in a container, its pod.
fn host() -> Option<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}
