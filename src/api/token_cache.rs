//! An access token that the runs of one job hand on to each other, so that an identity token is exchanged once a job.
//!
//! Invariant: the file is made for its owner alone, and one that others own or can read, or that is for another identity,
//! is not used; nothing is replaced but such a file, or an empty one; no trouble with it fails a request.

use std::{
    fs::{File, Metadata, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{Context, SHA256};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    credential::{WorkloadIdentity, flaw},
    jwt::Claims,
};
use crate::secret::Secret;

/// The largest file that is read.
const LARGEST: u64 = 64 * 1024;

/// Where a token is kept, and for what it was exchanged.
pub(super) struct TokenCache {
    path: PathBuf,
    /// The host and the federation rule with its companions.
    exchanged_for: Vec<String>,
}

/// Who an identity token is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Subject {
    issuer: String,
    subject: String,
}

impl Subject {
    /// Reads it from an identity token; one that is no JWT says nothing.
    pub(super) fn of(assertion: &Secret) -> Self {
        let Claims { issuer, subject, .. } = Claims::of(assertion.expose()).unwrap_or_default();
        Self { issuer: issuer.unwrap_or_default(), subject: subject.unwrap_or_default() }
    }
}

/// A token that was kept.
pub(super) struct Kept {
    pub(super) token: Secret,
    pub(super) expires_at: Timestamp,
}

/// What is wrong with the file.
#[derive(Debug, thiserror::Error)]
pub(super) enum CacheError {
    /// It is a link, a folder or a device.
    #[error("the file of `CHARTER_TOKEN_CACHE` is no regular file")]
    NoFile,
    /// Somebody else made it, and may know or choose what it holds.
    #[error("the file of `CHARTER_TOKEN_CACHE` belongs to another user")]
    Owner,
    /// Others can read or write it.
    #[error(
        "the file of `CHARTER_TOKEN_CACHE` is open to other users (mode {0:04o}, 0600 is wanted)"
    )]
    Mode(u32),
    /// A mistyped variable must not cost a file.
    #[error(
        "the file of `CHARTER_TOKEN_CACHE` holds something else than a kept token, and is not replaced"
    )]
    Foreign,
    /// The system says so.
    #[error("the file of `CHARTER_TOKEN_CACHE` cannot be used: {0}")]
    Io(#[from] io::Error),
}

#[derive(Serialize, Deserialize)]
struct Content {
    /// A digest of what the token was exchanged for, and of whose identity token.
    identity: String,
    access_token: String,
    expires_at: Timestamp,
}

impl TokenCache {
    /// The one that an identity names, if it does.
    pub(super) fn of(identity: &WorkloadIdentity, base_url: &str) -> Option<Self> {
        let WorkloadIdentity {
            federation_rule_id,
            organization_id,
            service_account_id,
            workspace_id,
            identity: _,
            cache,
        } = identity;
        let path = cache.clone()?;
        let or_none = |id: &Option<String>| id.clone().unwrap_or_default();
        let exchanged_for = vec![
            // A token of one host is never sent to another.
            base_url.to_owned(),
            federation_rule_id.clone(),
            organization_id.clone(),
            or_none(service_account_id),
            or_none(workspace_id),
        ];
        Some(Self { path, exchanged_for })
    }

    /// The token, if one is kept that can be used.
    pub(super) fn read(&self, subject: &Subject) -> Result<Option<Kept>, CacheError> {
        let Some((file, about)) = open(&self.path)? else { return Ok(None) };
        check_private(&about, this_user())?;
        let mut text = String::new();
        file.take(LARGEST).read_to_string(&mut text)?;
        let Ok(Content { identity, access_token, expires_at }) = serde_json::from_str(&text) else {
            // Said when it is about to be replaced.
            return Ok(None);
        };
        let usable = identity == self.identity(subject) && !access_token.is_empty();
        if !usable || flaw(&access_token).is_some() {
            return Ok(None);
        }
        Ok(Some(Kept { token: Secret::new(access_token), expires_at }))
    }

    /// Keeps a token, in the place of the one before.
    pub(super) fn write(
        &self,
        subject: &Subject,
        token: &Secret,
        expires_at: Timestamp,
    ) -> Result<(), CacheError> {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let (identity, access_token) = (self.identity(subject), token.expose().to_owned());
        let text = serde_json::to_string(&Content { identity, access_token, expires_at })
            .map_err(io::Error::from)?;
        self.refuse_foreign()?;
        // Made with mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }

    /// Refuses a path where something else than a kept token is.
    fn refuse_foreign(&self) -> Result<(), CacheError> {
        let Some((file, about)) = open(&self.path)? else { return Ok(()) };
        let mut text = String::new();
        let read = file.take(LARGEST).read_to_string(&mut text);
        let is_own = read.is_ok() && serde_json::from_str::<Content>(&text).is_ok();
        if about.len() == 0 || is_own { Ok(()) } else { Err(CacheError::Foreign) }
    }

    fn identity(&self, Subject { issuer, subject }: &Subject) -> String {
        let mut digest = Context::new(&SHA256);
        for part in self.exchanged_for.iter().chain([issuer, subject]) {
            digest.update(part.as_bytes());
            digest.update(b"\0");
        }
        digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Opens a regular file, and tells about what was opened; `None`: there is none.
fn open(path: &Path) -> Result<Option<(File, Metadata)>, CacheError> {
    // A link, a pipe or a device is not opened at all.
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
        Ok(about) if !about.is_file() => return Err(CacheError::NoFile),
        Ok(_) => {}
    }
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.cast_signed());
    }
    let file = options.open(path)?;
    let about = file.metadata()?;
    if about.is_file() { Ok(Some((file, about))) } else { Err(CacheError::NoFile) }
}

/// Who runs charter.
fn this_user() -> u32 {
    #[cfg(unix)]
    {
        rustix::process::geteuid().as_raw()
    }
    #[cfg(not(unix))]
    {
        0
    }
}

/// Refuses a file that others own, can read, or could have written.
#[cfg(unix)]
fn check_private(about: &Metadata, user: u32) -> Result<(), CacheError> {
    use std::os::unix::fs::MetadataExt as _;
    if about.uid() != user {
        return Err(CacheError::Owner);
    }
    let mode = about.mode() & 0o7777;
    let of_others = mode & 0o077;
    if of_others == 0 { Ok(()) } else { Err(CacheError::Mode(mode)) }
}

/// Who may read it is up to its folder there.
#[cfg(not(unix))]
fn check_private(_: &Metadata, _: u32) -> Result<(), CacheError> {
    Ok(())
}

#[cfg(test)]
mod tests;
