//! How commits of a repository follow on each other.
//!
//! Invariant: nothing outside the history that the repository holds is taken for part of it; one that is cut short says so.

use super::{
    super::load::ROOT_FILE,
    Commit, InRepository,
    error::GitError,
    git::{Git, failed},
    short, split,
};

impl InRepository {
    /// The path of the files from the top of the repository; empty for the top. A root file is its folder.
    pub fn inside(&self) -> &str {
        match split(&self.inside) {
            (folder, ROOT_FILE) => folder,
            _ => &self.inside,
        }
    }

    /// Whether one commit is the other, or comes before it.
    pub fn is_ancestor(&self, earlier: &Commit, later: &Commit) -> Result<bool, GitError> {
        self.git.is_ancestor(&earlier.id, &later.id)
    }

    /// Whether the repository lacks the beginning of its history.
    pub fn is_shallow(&self) -> Result<bool, GitError> {
        self.git.is_shallow()
    }

    /// The commits of a branch after one commit and up to another, newest first, that change the path: merges count,
    /// and not what was merged.
    pub fn between(
        &self,
        old: &Commit,
        new: &Commit,
        most: usize,
    ) -> Result<Vec<Commit>, GitError> {
        let ids = self.git.first_parents(&old.id, &new.id, self.inside(), most)?;
        Ok(ids.into_iter().map(|id| Commit { rev: short(&id).to_owned(), id }).collect())
    }
}

impl Git {
    fn is_ancestor(&self, earlier: &str, later: &str) -> Result<bool, GitError> {
        let output = self.output(&["merge-base", "--is-ancestor", earlier, later])?;
        match output.status.code() {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(failed("comparing two commits", &output)),
        }
    }

    fn is_shallow(&self) -> Result<bool, GitError> {
        let output = self.output(&["rev-parse", "--is-shallow-repository"])?;
        if !output.status.success() {
            return Err(failed("finding the repository", &output));
        }
        Ok(output.stdout.starts_with(b"true"))
    }

    /// From the folder that Git runs in to the top of the repository: `../`, or nothing.
    fn to_the_top(&self) -> Result<String, GitError> {
        let output = self.output(&["rev-parse", "--show-cdup"])?;
        if !output.status.success() {
            return Err(failed("finding the repository", &output));
        }
        let path = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(path.strip_suffix('\n').unwrap_or(&path).to_owned())
    }

    fn first_parents(
        &self,
        old: &str,
        new: &str,
        path: &str,
        most: usize,
    ) -> Result<Vec<String>, GitError> {
        let (range, most) = (format!("{old}..{new}"), format!("--max-count={most}"));
        let mut arguments = vec!["rev-list", "--first-parent", &most, &range, "--"];
        // Git takes a path from the folder that it runs in.
        let path = format!("{}{path}", self.to_the_top()?);
        if !path.is_empty() {
            arguments.push(&path);
        }
        let output = self.output(&arguments)?;
        if !output.status.success() {
            return Err(failed("listing commits", &output));
        }
        let said = String::from_utf8_lossy(&output.stdout);
        Ok(said.lines().map(str::to_owned).collect())
    }
}
