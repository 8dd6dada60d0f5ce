//! Git, as far as it is needed to read objects: a few plumbing commands in an environment of our own.
//!
//! Invariant: of the caller's environment only what finds programs and says whose files are trusted reaches Git; of
//! its configuration only that of the repository, with everything off that could run a program or open a connection.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs,
    io::{BufRead, BufReader, Read},
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use jiff::Timestamp;

use super::{
    blobs::{Blobs, Running},
    error::GitError,
};

/// Variables of the process, as they were when it began.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// From name and value pairs.
    pub fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self(variables.into_iter().collect())
    }

    fn get(&self, name: &str) -> Option<&OsString> {
        self.0.get(OsStr::new(name))
    }

    /// The program `git`, in a folder of the search path that is absolute: a relative one may hold the files of
    /// whoever is to be reviewed.
    fn program(&self) -> Option<PathBuf> {
        let name = if cfg!(windows) { "git.exe" } else { "git" };
        std::env::split_paths(self.get("PATH")?)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(name))
            .find(|program| program.is_file())
    }
}

/// What an entry of a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    File,
    Folder,
    Link,
    Submodule,
    Other,
}

impl Mode {
    pub(super) fn of(digits: &[u8]) -> Self {
        match digits {
            b"100644" | b"100755" | b"100664" => Mode::File,
            b"040000" | b"40000" => Mode::Folder,
            b"120000" => Mode::Link,
            b"160000" => Mode::Submodule,
            _ => Mode::Other,
        }
    }
}

/// An entry of a tree.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) mode: Mode,
    pub(super) id: String,
    /// With `/`, from the tree that was listed; what is no UTF-8 in it is replaced.
    pub(super) path: String,
}

/// A repository, seen from one of its folders.
#[derive(Debug)]
pub(super) struct Git {
    program: PathBuf,
    folder: PathBuf,
    environment: Environment,
    /// Folders that the user's own configuration trusts.
    trusted: Vec<OsString>,
}

/// What the repository's configuration must not decide. All of it also where a later Git would use it.
const SETTINGS: [&str; 6] = [
    // A copy of the history beside the objects, which Git believes.
    "core.commitGraph=false",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.alternateRefsCommand=false",
    "protocol.allow=never",
    // A folder of the work tree may look like a repository, with a configuration that its author chose.
    "safe.bareRepository=explicit",
];

/// A file without content.
const NOTHING: &str = if cfg!(windows) { "NUL" } else { "/dev/null" };

const VARIABLES: [(&str, &str); 13] = [
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", NOTHING),
    // `.git/info/grafts` gives commits other parents than their objects do.
    ("GIT_GRAFT_FILE", NOTHING),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_ALLOW_PROTOCOL", ""),
    ("GIT_LITERAL_PATHSPECS", "1"),
    ("GIT_PAGER", "cat"),
    ("GIT_ADVICE", "0"),
    ("LC_ALL", "C"),
];

/// Variables that reach Git: where programs and system libraries are, and who began a session as another user.
const KEPT: [&str; 3] = ["PATH", "SYSTEMROOT", "SUDO_UID"];

impl Git {
    /// The repository of a folder, and the folder's path in it.
    pub(super) fn open(
        folder: PathBuf,
        environment: &Environment,
    ) -> Result<(Self, String), GitError> {
        let program = environment.program().ok_or(GitError::NoGit)?;
        let environment = environment.clone();
        let mut git = Self { program, folder, environment, trusted: Vec::new() };
        let prefix = match git.prefix() {
            Err(GitError::Ownership(_)) => {
                git.trusted = git.trusted_folders()?;
                git.prefix()?
            }
            other => other?,
        };
        git.check_top()?;
        Ok((git, prefix))
    }

    /// Refuses a work tree that the configuration has moved (`core.worktree`): the path of a folder in it would be that
    /// of another folder in the commits.
    fn check_top(&self) -> Result<(), GitError> {
        let output = self.output(&["rev-parse", "--show-toplevel"])?;
        let shown = || self.folder.display().to_string();
        let top = String::from_utf8(output.stdout).map_err(|_| GitError::Path(shown()))?;
        let top = self.folder.join(top.strip_suffix('\n').unwrap_or(&top));
        match top.join(".git").symlink_metadata() {
            Ok(_) if output.status.success() => Ok(()),
            _ => Err(GitError::Moved(shown())),
        }
    }

    fn prefix(&self) -> Result<String, GitError> {
        let output = self.output(&["rev-parse", "--show-prefix"])?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let folder = self.folder.display().to_string();
            return Err(if said.contains("dubious ownership") {
                GitError::Ownership(folder)
            } else if said.contains("not a git repository") || said.contains("work tree") {
                GitError::NoRepository(folder)
            } else {
                failed("finding the repository", &output)
            });
        }
        let path = String::from_utf8(output.stdout)
            .map_err(|_| GitError::Path(self.folder.display().to_string()))?;
        Ok(path.strip_suffix('\n').unwrap_or(&path).to_owned())
    }

    /// What `safe.directory` says in the user's configuration and the system's, where alone Git heeds it.
    fn trusted_folders(&self) -> Result<Vec<OsString>, GitError> {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.folder).env_clear();
        for (name, value) in &self.environment.0 {
            let text = name.to_string_lossy();
            let about_configuration = text.starts_with("GIT_CONFIG")
                || ["HOME", "XDG_CONFIG_HOME", "USERPROFILE"].contains(&&*text);
            if about_configuration || KEPT.contains(&&*text) {
                command.env(name, value);
            }
        }
        command.args(["config", "--null", "--show-scope", "--get-all", "safe.directory"]);
        let output = command.stdin(Stdio::null()).output().map_err(GitError::Run)?;
        let mut parts = output.stdout.split(|byte| *byte == 0);
        let mut folders = Vec::new();
        while let (Some(scope), Some(folder)) = (parts.next(), parts.next()) {
            if matches!(scope, b"system" | b"global" | b"command") {
                folders.extend(String::from_utf8(folder.to_vec()).ok().map(OsString::from));
            }
        }
        Ok(folders)
    }

    /// Where the repository keeps its objects and references: the same for all of its work trees.
    pub(super) fn home(&self) -> Result<PathBuf, GitError> {
        let output = self.output(&["rev-parse", "--git-common-dir"])?;
        if !output.status.success() {
            return Err(failed("finding the repository", &output));
        }
        let path = String::from_utf8(output.stdout)
            .map_err(|_| GitError::Path(self.folder.display().to_string()))?;
        let path = self.folder.join(path.strip_suffix('\n').unwrap_or(&path));
        fs::canonicalize(path).map_err(GitError::Run)
    }

    /// Whether another repository has this one as a submodule.
    pub(super) fn is_submodule(&self) -> Result<bool, GitError> {
        let output = self.output(&["rev-parse", "--show-superproject-working-tree"])?;
        if !output.status.success() {
            return Err(failed("finding the repository", &output));
        }
        Ok(!output.stdout.is_empty())
    }

    /// The best common ancestors of two commits, by their ids: at least one, in Git's order. A history that was cut off
    /// (`.git/shallow`) is no shorter history: it fails where it ends.
    pub(super) fn merge_bases(&self, one: &str, other: &str) -> Result<Vec<String>, GitError> {
        let mut command = self.command(&["merge-base", "--all", "--end-of-options", one, other]);
        let command = command.env("GIT_SHALLOW_FILE", "").stdin(Stdio::null());
        let output = command.output().map_err(GitError::Run)?;
        let said = String::from_utf8_lossy(&output.stdout);
        let ids: Vec<String> = said.lines().map(str::to_owned).collect();
        if output.status.success() && !ids.is_empty() && ids.iter().all(|id| is_id(id)) {
            return Ok(ids);
        }
        Err(GitError::NoMergeBase(one.to_owned(), other.to_owned()))
    }

    /// A commit's message.
    pub(super) fn message(&self, commit: &str) -> Result<String, GitError> {
        let output = self.output(&["cat-file", "commit", commit])?;
        if !output.status.success() {
            return Err(failed("reading a commit", &output));
        }
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text.split_once("\n\n").map(|(_, message)| message.to_owned()).unwrap_or_default())
    }

    /// When a commit was made, as it says.
    pub(super) fn committed(&self, commit: &str) -> Result<Option<Timestamp>, GitError> {
        let output = self.output(&["cat-file", "commit", commit])?;
        if !output.status.success() {
            return Err(failed("reading a commit", &output));
        }
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text
            .lines()
            .take_while(|line| !line.is_empty())
            .find_map(|line| line.strip_prefix("committer "));
        let seconds = line.and_then(|line| line.rsplit(' ').nth(1)?.parse().ok());
        Ok(seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()))
    }

    /// The entry at a path of a commit.
    pub(super) fn entry(&self, commit: &str, path: &str) -> Result<Option<Entry>, GitError> {
        let mut only = None;
        self.list(&["ls-tree", "-z", "--full-tree", commit, "--", path], |entry| {
            if entry.path == path {
                only = Some(entry);
            }
            true
        })?;
        Ok(only)
    }

    /// Calls a function for every entry below a tree that is no folder, until it says `false`.
    pub(super) fn entries(
        &self,
        tree: &str,
        each: impl FnMut(Entry) -> bool,
    ) -> Result<(), GitError> {
        self.list(&["ls-tree", "-r", "-z", "--full-tree", tree], each)
    }

    fn list(
        &self,
        arguments: &[&str],
        mut each: impl FnMut(Entry) -> bool,
    ) -> Result<(), GitError> {
        let mut all_known = true;
        self.lines(arguments, |line| match parse(line) {
            Some(entry) => each(entry),
            None => {
                all_known = false;
                false
            }
        })?;
        if all_known { Ok(()) } else { Err(odd("listing a tree")) }
    }

    /// Calls a function for every line that a command prints, until it says `false`. Lines end with a zero byte.
    pub(super) fn lines(
        &self,
        arguments: &[&str],
        mut each: impl FnMut(&[u8]) -> bool,
    ) -> Result<(), GitError> {
        let mut command = self.command(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = Running(command.spawn().map_err(GitError::Run)?);
        let Some(stdout) = child.0.stdout.take() else { return Err(odd("listing a tree")) };
        let mut lines = BufReader::new(stdout);
        let mut line = Vec::new();
        loop {
            line.clear();
            // No path that can be checked out is longer.
            let mut limited = (&mut lines).take(64 << 10);
            if limited.read_until(0, &mut line).map_err(GitError::Run)? == 0 {
                break;
            }
            if !each(&line) {
                return Ok(());
            }
        }
        let status = child.0.wait().map_err(GitError::Run)?;
        if status.success() { Ok(()) } else { Err(odd("listing a tree")) }
    }

    /// Reads blobs by their ids.
    pub(super) fn blobs(&self) -> Result<Blobs, GitError> {
        let mut command = self.command(&["cat-file", "--batch"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = Running(command.spawn().map_err(GitError::Run)?);
        match (child.0.stdin.take(), child.0.stdout.take()) {
            (Some(asks), Some(answers)) => Ok(Blobs::new(child, asks, answers)),
            _ => Err(odd("reading files")),
        }
    }

    pub(super) fn output(&self, arguments: &[&str]) -> Result<Output, GitError> {
        self.command(arguments).stdin(Stdio::null()).output().map_err(GitError::Run)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.folder).env_clear().envs(VARIABLES);
        for name in KEPT {
            if let Some(value) = self.environment.get(name) {
                command.env(name, value);
            }
        }
        command.args(["--no-pager", "--no-replace-objects", "--literal-pathspecs"]);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        for folder in &self.trusted {
            let mut setting = OsString::from("safe.directory=");
            setting.push(folder);
            command.arg("-c").arg(setting);
        }
        command.args(arguments);
        command
    }
}

/// `100644 blob ID\tpath\0`.
fn parse(line: &[u8]) -> Option<Entry> {
    let line = line.strip_suffix(&[0])?;
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    let (head, path) = (&line[..tab], &line[tab + 1..]);
    let mut words = head.split(|byte| *byte == b' ');
    let (mode, _, id) = (words.next()?, words.next()?, words.next()?);
    let id = String::from_utf8(id.to_vec()).ok().filter(|id| is_id(id))?;
    let path = String::from_utf8_lossy(path).into_owned();
    Some(Entry { mode: Mode::of(mode), id, path })
}

pub(super) fn id_in(output: &Output) -> Option<String> {
    let text = std::str::from_utf8(&output.stdout).ok()?.lines().next()?;
    is_id(text).then(|| text.to_owned())
}

/// SHA-1 or SHA-256 in hexadecimal digits.
fn is_id(text: &str) -> bool {
    [40, 64].contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

pub(super) fn failed(what: &'static str, output: &Output) -> GitError {
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("nothing").to_owned();
    GitError::Failed { what, said }
}

pub(super) fn odd(what: &'static str) -> GitError {
    GitError::Failed { what, said: "an answer that charter does not know".to_owned() }
}
