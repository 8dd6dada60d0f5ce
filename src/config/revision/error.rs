//! Why Git does not give what is asked.
//!
//! Invariant: each says what to do next.

/// Why Git does not give what is asked.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no Git.
    #[error("Git is needed to read revisions, and no `git` is in the search path")]
    NoGit,
    /// It could not be run.
    #[error("cannot run Git: {0}")]
    Run(#[source] std::io::Error),
    /// The folder belongs to no repository.
    #[error("`{0}` is in no Git repository")]
    NoRepository(String),
    /// The repository belongs to somebody else.
    #[error("Git does not trust the repository of `{0}`: it belongs to another user")]
    Ownership(String),
    /// The text can be no revision.
    #[error("`{0}` is no revision")]
    BadRevision(String),
    /// The repository does not have the revision.
    #[error("the repository has no commit `{0}`")]
    Unknown(String),
    /// A name stands for several commits.
    #[error("`{0}` names more than one commit: {names}", names = listed(.1))]
    Ambiguous(String, Vec<String>),
    /// There is no branch of that name.
    #[error("the repository has no branch `{0}`")]
    NoBranch(String),
    /// A repository inside another one.
    #[error("`{0}` is in a repository of its own inside another one")]
    Nested(String),
    /// Its configuration says that the work tree is elsewhere.
    #[error("the repository of `{0}` says that its work tree is elsewhere (`core.worktree`)")]
    Moved(String),
    /// Two commits have nothing in common here.
    #[error("`{0}` and `{1}` have no common commit in this repository")]
    NoMergeBase(String, String),
    /// A path that cannot be one of a repository.
    #[error("`{0}` is no path of a repository")]
    Path(String),
    /// An object is not here.
    #[error("the repository lacks the object {0}, and nothing is fetched")]
    Missing(String),
    /// Git answered something else than expected.
    #[error("Git failed at {what}: {said}")]
    Failed {
        /// What was asked.
        what: &'static str,
        /// What it said.
        said: String,
    },
}

impl GitError {
    /// What to do next.
    pub fn next_step(&self) -> String {
        match self {
            GitError::NoGit => "install Git, or compare two folders instead".to_owned(),
            GitError::Run(_) | GitError::Failed { .. } => {
                "look whether `git status` works in that folder".to_owned()
            }
            GitError::NoRepository(_) => {
                "run it in the repository, or compare two folders instead".to_owned()
            }
            GitError::Ownership(folder) => {
                format!("if you trust it: git config --global --add safe.directory {folder}")
            }
            GitError::BadRevision(_) => {
                "write a branch, a tag or a commit, as in `origin/main..HEAD`".to_owned()
            }
            GitError::Ambiguous(_, names) => format!(
                "give the full name, as in `{}`",
                names.first().map_or("refs/remotes/origin/main", String::as_str)
            ),
            GitError::NoBranch(_) => {
                "give a branch, as in `refs/remotes/origin/main`, and fetch it first".to_owned()
            }
            GitError::Nested(_) => {
                "its branches are not those of the repository around it: to use it, clone it by itself and run it there"
                    .to_owned()
            }
            GitError::Moved(_) => {
                "if nobody meant that: git config --unset core.worktree; else run it in a clone without it".to_owned()
            }
            GitError::Unknown(_) | GitError::NoMergeBase(..) => {
                "fetch it first; in a pipeline, check the repository out with its whole history"
                    .to_owned()
            }
            GitError::Path(_) => "give a path below the top of the repository".to_owned(),
            GitError::Missing(_) => "fetch it first: use a clone that is not partial".to_owned(),
        }
    }
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
