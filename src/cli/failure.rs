//! Why a command ends without its result: one message, what to do next, and the exit code.
//!
//! Invariant: the exit codes are decided here and nowhere else.

use std::process::ExitCode;

use crate::{
    api::{credential::CredentialError, error::ApiError, http::SetupError},
    config::{load::Rejected, revision::GitError},
    observe::ObserveError,
};

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// Failed: bad credential, unreachable, every attempted step failed.
    Failed = 1,
    /// There are changes, and the caller asked to be told.
    Changes = 2,
    /// Bad usage or files, or nobody to confirm.
    Usage = 3,
    /// Refused: guard, policy, stale plan, wrong organization.
    Refused = 4,
    /// Partly applied, or an outcome is unknown.
    Partly = 5,
    /// Stopped by Ctrl-C before anything was changed.
    Interrupted = 130,
    /// Stopped by SIGTERM before anything was changed.
    Terminated = 143,
}

impl Exit {
    /// The graver of two, by what has to happen before a run can succeed: nothing (0, 2), another run (130 and 143, where
    /// nothing was changed; 5), somebody who looks at the credential or the network (1), somebody who decides (4), other
    /// files (3).
    #[must_use]
    pub(crate) fn worst(self, other: Self) -> Self {
        std::cmp::max_by_key(self, other, |exit| exit.gravity())
    }

    /// How grave it is.
    pub(crate) fn gravity(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Changes => 1,
            Exit::Interrupted => 2,
            Exit::Terminated => 3,
            Exit::Partly => 4,
            Exit::Failed => 5,
            Exit::Refused => 6,
            Exit::Usage => 7,
        }
    }

    /// It was told to stop before it had changed anything.
    pub(crate) fn is_stop(self) -> bool {
        matches!(self, Exit::Interrupted | Exit::Terminated)
    }

    /// The word for it in a table.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Exit::Done => "ok",
            Exit::Changes => "changes",
            Exit::Partly => "partly",
            Exit::Failed => "failed",
            Exit::Refused => "refused",
            Exit::Usage => "bad files",
            Exit::Interrupted | Exit::Terminated => "stopped",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// Why a command ends without its result.
#[derive(Debug)]
pub(crate) enum Failure {
    /// One message.
    Said {
        /// The exit code.
        exit: Exit,
        /// What went wrong.
        message: String,
        /// What to do next.
        help: Option<String>,
    },
    /// The files are wrong: every finding is shown.
    Files(Box<Rejected>),
}

impl Failure {
    /// With this message.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Failure::Said { exit, message: message.into(), help: None }
    }

    /// Failed with this message.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// Bad usage or files.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Refused.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::new(Exit::Refused, message)
    }

    /// Says what to do next.
    #[must_use]
    pub(crate) fn help(mut self, text: impl Into<String>) -> Self {
        if let Failure::Said { help, .. } = &mut self {
            *help = Some(text.into());
        }
        self
    }

    fn help_opt(self, text: Option<String>) -> Self {
        match text {
            Some(text) => self.help(text),
            None => self,
        }
    }

    /// A file that cannot be read or written.
    pub(crate) fn file(verb: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::usage(format!("cannot {verb} `{}`: {error}", path.display()))
            .help("check the path and its permissions")
    }

    /// Says whom it concerns.
    #[must_use]
    pub(crate) fn of(mut self, whom: &str) -> Self {
        if let Failure::Said { message, .. } = &mut self {
            *message = format!("{whom}: {message}");
        }
        self
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Failure::Said { exit, .. } => *exit,
            Failure::Files(_) => Exit::Usage,
        }
    }
}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        Failure::Files(Box::new(rejected))
    }
}

impl From<GitError> for Failure {
    fn from(error: GitError) -> Self {
        Self::usage(error.to_string()).help(error.next_step())
    }
}

impl From<ObserveError> for Failure {
    fn from(error: ObserveError) -> Self {
        let help = error.next_step();
        Failure::failed(error.to_string()).help_opt(help)
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let help = error.next_step();
        Failure::failed(error.to_string()).help_opt(help)
    }
}

impl From<CredentialError> for Failure {
    fn from(error: CredentialError) -> Self {
        Failure::failed(error.to_string()).help(error.next_step())
    }
}

impl From<SetupError> for Failure {
    fn from(error: SetupError) -> Self {
        let exit = match &error {
            SetupError::NotUrl(_)
            | SetupError::NotHttps(_)
            | SetupError::Superfluous(_)
            | SetupError::CaBundle(_) => Exit::Usage,
            SetupError::Client(_) => Exit::Failed,
        };
        Failure::new(exit, error.to_string()).help(error.next_step())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_graver_of_two_exit_codes_is_the_one_that_needs_more() {
        let order = [
            Exit::Done,
            Exit::Changes,
            Exit::Interrupted,
            Exit::Terminated,
            Exit::Partly,
            Exit::Failed,
            Exit::Refused,
            Exit::Usage,
        ];
        assert_eq!(order.map(|exit| exit as u8), [0, 2, 130, 143, 5, 1, 4, 3]);
        for (at, less) in order.iter().enumerate() {
            for more in &order[at..] {
                assert_eq!((less.worst(*more), more.worst(*less)), (*more, *more));
            }
        }
    }
}
