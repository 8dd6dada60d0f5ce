//! The record of what was applied last: which commit of which files, to which organization, and when.
//!
//! Invariant: a record is used only if the key of the pipeline made it, for these files and this organization.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::seal::{self, Broken, Sealed};

/// The version of the form.
const FORMAT_VERSION: u32 = 1;

/// Where files are in a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Revision {
    /// The commit.
    pub commit: String,
    /// The path from the top of the repository; empty: the top.
    pub path: String,
}

/// What was applied last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The version of this form.
    format_version: u32,
    /// The organization's id.
    pub organization_id: String,
    /// The files: their path from the top of the repository; empty: the top.
    pub path: String,
    /// The commit that was applied.
    pub commit: String,
    /// The time that its plan was made for: what ends by a date after it was still to come.
    pub planned_at: Timestamp,
    /// HMAC-SHA256 over all the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hmac: Option<String>,
}

/// Why a record is not used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Its seal is missing or wrong.
    #[error("{0}")]
    Seal(#[from] Broken),
    /// It is no record.
    #[error("it is no record of charter: {0}")]
    Form(#[from] serde_json::Error),
    /// A later charter made it.
    #[error("its form is {0}, and this charter reads {FORMAT_VERSION}")]
    Version(u32),
    /// It is for another organization.
    #[error("it is for the organization `{0}`")]
    Organization(String),
    /// It is for other files.
    #[error("it is for the files at `{0}`")]
    Path(String),
}

impl Record {
    /// One that is not sealed yet; of the time whole seconds are kept.
    pub fn new(organization: &str, path: &str, commit: &str, planned_at: Timestamp) -> Self {
        let planned_at = Timestamp::from_second(planned_at.as_second()).unwrap_or(planned_at);
        Self {
            format_version: FORMAT_VERSION,
            organization_id: organization.to_owned(),
            path: path.to_owned(),
            commit: commit.to_owned(),
            planned_at,
            hmac: None,
        }
    }

    /// Reads one that was sealed with a key, for certain files of a certain organization.
    ///
    /// # Errors
    /// If the key did not seal it, or it is for something else.
    pub fn read(
        text: &str,
        key: &[u8],
        organization: &str,
        path: &str,
    ) -> Result<Self, RecordError> {
        seal::check(Sealed::LastApplied, text, key)?;
        let record: Self = serde_json::from_str(text)?;
        if record.format_version != FORMAT_VERSION {
            return Err(RecordError::Version(record.format_version));
        }
        if record.organization_id != organization {
            return Err(RecordError::Organization(record.organization_id));
        }
        if record.path != path {
            let path = if record.path.is_empty() { ".".to_owned() } else { record.path };
            return Err(RecordError::Path(path));
        }
        Ok(record)
    }

    /// Its text, sealed.
    ///
    /// # Errors
    /// If it cannot be written as JSON.
    pub fn sealed(&self, key: &[u8]) -> Result<String, RecordError> {
        let text = serde_json::to_string(&Self { hmac: None, ..self.clone() })?;
        let hmac = Some(seal::seal(Sealed::LastApplied, &text, key)?);
        let mut text = serde_json::to_string_pretty(&Self { hmac, ..self.clone() })?;
        text.push('\n');
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"thirty-two bytes of a key, tested";
    const COMMIT: &str = "1111111111111111111111111111111111111111";

    fn record() -> Record {
        Record::new("org-1", "teams", COMMIT, "2026-12-01T08:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_record_is_read_as_it_was_sealed() {
        let text = record().sealed(KEY).unwrap();
        let read = Record::read(&text, KEY, "org-1", "teams").unwrap();
        assert_eq!((read.commit.as_str(), read.planned_at), (COMMIT, record().planned_at));
        assert_eq!(read.sealed(KEY).unwrap(), text);
    }

    #[test]
    fn a_record_that_somebody_changed_or_made_is_refused() {
        let text = record().sealed(KEY).unwrap();
        let error = |text: &str, key: &[u8], organization: &str, path: &str| {
            Record::read(text, key, organization, path).unwrap_err().to_string()
        };
        let other = text.replace("11111111", "22222222");
        assert!(error(&other, KEY, "org-1", "teams").contains("HMAC is wrong"));
        assert!(
            error(&text, b"another key of thirty-two bytes..", "org-1", "teams").contains("wrong")
        );
        let unsealed = serde_json::to_string(&record()).unwrap();
        assert!(error(&unsealed, KEY, "org-1", "teams").contains("no HMAC"));
        assert!(error(&text, KEY, "org-2", "teams").contains("organization `org-1`"));
        assert!(error(&text, KEY, "org-1", "").contains("files at `teams`"));
        assert!(error("[]", KEY, "org-1", "teams").contains("no JSON object"));
        // A plan that the same key sealed is none.
        let tag = seal::seal(Sealed::Plan, &unsealed, KEY).unwrap();
        let plan = unsealed.replacen('{', &format!("{{\"hmac\": \"{tag}\", "), 1);
        assert!(error(&plan, KEY, "org-1", "teams").contains("HMAC is wrong"));
    }
}
