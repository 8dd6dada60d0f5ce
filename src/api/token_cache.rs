//! An access token that the runs of one job hand on to each other, so that an identity token is exchanged once a job.
//!
//! Invariant: the file is made for its owner alone, and one that others can read or that is for another identity is
//! not used; nothing is replaced but such a file, or an empty one; no trouble with it fails a request.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{Context, SHA256};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::credential::{WorkloadIdentity, flaw};
use crate::secret::Secret;

/// The largest file that is read.
const LARGEST: u64 = 64 * 1024;

/// Where a token is kept, and for whom.
pub(super) struct TokenCache {
    path: PathBuf,
    identity: String,
}

/// A token that was kept.
pub(super) struct Kept {
    pub(super) token: Secret,
    pub(super) expires_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Content {
    /// A digest of what the token was exchanged for.
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
        let mut digest = Context::new(&SHA256);
        let parts = [
            // A token of one host is never sent to another.
            base_url,
            federation_rule_id,
            organization_id,
            service_account_id.as_deref().unwrap_or_default(),
            workspace_id.as_deref().unwrap_or_default(),
        ];
        for part in parts {
            digest.update(part.as_bytes());
            digest.update(b"\0");
        }
        let identity = digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Some(Self { path, identity })
    }

    /// The token, if one is kept that can be used.
    pub(super) fn read(&self) -> Option<Kept> {
        let about = fs::symlink_metadata(&self.path).ok()?;
        if !about.is_file() || !is_private(&about) {
            tracing::warn!(
                target: "orgcharter::api",
                "the file of `CHARTER_TOKEN_CACHE` is not used: it is no file of its owner alone"
            );
            return None;
        }
        let mut text = String::new();
        File::open(&self.path).ok()?.take(LARGEST).read_to_string(&mut text).ok()?;
        let Content { identity, access_token, expires_at } = serde_json::from_str(&text).ok()?;
        let usable = identity == self.identity && !access_token.is_empty();
        if !usable || flaw(&access_token).is_some() {
            return None;
        }
        Some(Kept { token: Secret::new(access_token), expires_at })
    }

    /// Keeps a token, in the place of the one before.
    pub(super) fn write(&self, token: &Secret, expires_at: Timestamp) -> io::Result<()> {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let (identity, access_token) = (self.identity.clone(), token.expose().to_owned());
        let text = serde_json::to_string(&Content { identity, access_token, expires_at })?;
        self.refuse_foreign()?;
        // Made with mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }

    /// Refuses a path where something else than a kept token is: a mistyped variable must not cost a file.
    fn refuse_foreign(&self) -> io::Result<()> {
        let about = match fs::symlink_metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            found => found?,
        };
        let is_own = || {
            let mut text = String::new();
            let read = File::open(&self.path)
                .and_then(|file| file.take(LARGEST).read_to_string(&mut text));
            read.is_ok() && serde_json::from_str::<Content>(&text).is_ok()
        };
        if about.is_file() && (about.len() == 0 || is_own()) {
            return Ok(());
        }
        Err(io::Error::other(
            "the path of `CHARTER_TOKEN_CACHE` holds something else than a kept token, and is not replaced",
        ))
    }
}

#[cfg(unix)]
fn is_private(about: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let others = about.mode() & 0o077;
    others == 0
}

#[cfg(not(unix))]
fn is_private(_: &fs::Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests;
