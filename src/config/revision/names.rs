//! From the text of a revision to a commit.
//!
//! Invariant: a name that stands for several references that differ is refused, never chosen from: whoever may push a
//! tag could else decide what a branch of that name is.

use super::{
    error::GitError,
    git::{Git, failed, id_in},
};

/// A reference by its full name.
struct Reference {
    name: String,
    /// What it points at in the end.
    id: String,
}

impl Reference {
    fn is_branch(&self) -> bool {
        self.name.starts_with("refs/heads/") || self.name.starts_with("refs/remotes/")
    }
}

impl Git {
    /// The id of the commit that a revision names.
    pub(super) fn resolve(&self, rev: &str) -> Result<String, GitError> {
        check(rev)?;
        let (name, rest) = rev.split_at(operators(rev));
        // Git looks for these, and for a whole id, before it looks for references of that name.
        if matches!(name, "" | "@" | "HEAD") || is_hex(name, 40..=64) {
            return self.commit(rev, rev);
        }
        match only(rev, self.references(name)?)? {
            Some(Reference { name: full, id }) => {
                let shown = self.abbreviates(name)?;
                if shown.iter().any(|object| *object != id) {
                    return Err(GitError::Ambiguous(rev.to_owned(), [vec![full], shown].concat()));
                }
                self.commit(rev, &format!("{full}{rest}"))
            }
            // Else Git would go on to a tag with such a name.
            None if name.starts_with("refs/") => Err(GitError::Unknown(rev.to_owned())),
            None => self.commit(rev, rev),
        }
    }

    /// The id of the newest commit of a branch, here or of a remote; no tag is looked at.
    pub(super) fn tip(&self, branch: &str) -> Result<String, GitError> {
        check(branch)?;
        let mut references = self.references(branch)?;
        references.retain(Reference::is_branch);
        match only(branch, references)? {
            Some(Reference { name, .. }) => self.commit(branch, &name),
            None => Err(GitError::NoBranch(branch.to_owned())),
        }
    }

    fn commit(&self, rev: &str, full: &str) -> Result<String, GitError> {
        let commit = format!("{full}^{{commit}}");
        let output =
            self.output(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])?;
        match id_in(&output) {
            Some(id) if output.status.success() => Ok(id),
            _ => Err(GitError::Unknown(rev.to_owned())),
        }
    }

    /// The references that a name may stand for, branches of remotes first.
    fn references(&self, name: &str) -> Result<Vec<Reference>, GitError> {
        let names = if name.starts_with("refs/") {
            vec![name.to_owned()]
        } else {
            [
                "refs/remotes/NAME",
                "refs/heads/NAME",
                "refs/tags/NAME",
                "refs/NAME",
                "refs/remotes/NAME/HEAD",
            ]
            .map(|full| full.replace("NAME", name))
            .to_vec()
        };
        let mut arguments =
            vec!["for-each-ref", "--format=%(refname) %(objectname) %(*objectname)"];
        arguments.extend(names.iter().map(String::as_str));
        let output = self.output(&arguments)?;
        if !output.status.success() {
            return Err(failed("listing references", &output));
        }
        let said = String::from_utf8_lossy(&output.stdout);
        let mut references: Vec<_> = said
            .lines()
            .filter_map(|line| {
                let mut words = line.split_ascii_whitespace();
                let name = words.next()?.to_owned();
                // A tag has two: its own and what it marks.
                let id = words.last()?.to_owned();
                // Git lists what is below a name, too.
                let place = names.iter().position(|asked| *asked == name)?;
                Some((place, Reference { name, id }))
            })
            .collect();
        references.sort_by_key(|(place, _)| *place);
        Ok(references.into_iter().map(|(_, reference)| reference).collect())
    }

    /// The objects whose ids a name may abbreviate.
    fn abbreviates(&self, name: &str) -> Result<Vec<String>, GitError> {
        if !is_hex(name, 7..=39) {
            return Ok(Vec::new());
        }
        let output = self.output(&["rev-parse", &format!("--disambiguate={name}")])?;
        Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
    }
}

/// One of the references, if they do not differ.
fn only(rev: &str, references: Vec<Reference>) -> Result<Option<Reference>, GitError> {
    if references.windows(2).any(|pair| pair[0].id != pair[1].id) {
        let names = references.into_iter().map(|reference| reference.name).collect();
        return Err(GitError::Ambiguous(rev.to_owned(), names));
    }
    Ok(references.into_iter().next())
}

fn check(rev: &str) -> Result<(), GitError> {
    if rev.is_empty() || rev.starts_with('-') || rev.chars().any(char::is_control) {
        return Err(GitError::BadRevision(rev.to_owned()));
    }
    Ok(())
}

/// Where the name of a reference ends: `main~1`, `main^2`, `main@{1}`.
fn operators(rev: &str) -> usize {
    let signs = rev.find(['~', '^', ':']).unwrap_or(rev.len());
    rev.find("@{").unwrap_or(rev.len()).min(signs)
}

fn is_hex(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
