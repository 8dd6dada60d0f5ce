//! Reads the identity token that is exchanged.
//!
//! Invariant: what is read is bounded and fit to be sent; nothing of it is shown.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::PathBuf,
};

use crate::{
    api::{
        credential::{IdentityToken, flaw},
        error::ApiError,
    },
    secret::Secret,
};

/// The longest identity token.
pub(super) const LONGEST_IDENTITY: usize = 16 * 1024;

/// Reads the identity token; one in a file is read anew each time, since something may renew it.
pub(super) async fn read(identity: &IdentityToken) -> Result<Secret, ApiError> {
    let text = match identity {
        IdentityToken::Literal(secret) => secret.expose().to_owned(),
        IdentityToken::File(path) => {
            let path = path.clone();
            tokio::task::spawn_blocking(move || read_bounded(&path))
                .await
                .unwrap_or_else(|error| Err(error.to_string()))
                .map_err(ApiError::IdentityToken)?
        }
    };
    let text = text.trim();
    if text.is_empty() {
        return Err(ApiError::IdentityToken("the identity token is empty".into()));
    }
    if text.len() > LONGEST_IDENTITY {
        let why = format!("the identity token is longer than {LONGEST_IDENTITY} bytes");
        return Err(ApiError::IdentityToken(why));
    }
    match flaw(text) {
        Some(why) => Err(ApiError::IdentityToken(format!("the identity token {why}"))),
        None => Ok(Secret::new(text.to_owned())),
    }
}

fn read_bounded(path: &PathBuf) -> Result<String, String> {
    let why = |error: io::Error| format!("cannot read `{}`: {error}", path.display());
    // A pipe could be waited for without end, and holds nothing the second time.
    if !fs::metadata(path).map_err(why)?.is_file() {
        return Err(format!("`{}` is no regular file", path.display()));
    }
    let mut text = Vec::new();
    let limit = u64::try_from(LONGEST_IDENTITY).unwrap_or(u64::MAX) + 16; // room for a final newline
    File::open(path).map_err(why)?.take(limit).read_to_end(&mut text).map_err(why)?;
    String::from_utf8(text).map_err(|_| format!("`{}` is not text", path.display()))
}
