//! Real repositories, made by the tests, with everything in them that could mislead a reader.
//!
//! Invariant: Git is configured by these tests alone.

use std::{fs, process::Command};

use tempfile::TempDir;

use super::*;
use crate::config::load::Side;

mod history;
mod message;
mod names;
mod trees;

/// A repository in a folder of its own. Git runs with the tester's search path and nothing else of theirs.
struct Repository(TempDir);

impl Repository {
    fn new() -> Self {
        let repository = Self(tempfile::tempdir().unwrap());
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.current_dir(self.0.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        for name in ["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"] {
            command.env(name, "reviewer");
        }
        for name in ["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"] {
            command.env(name, "reviewer@acme.com");
        }
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        let output = command.args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn find(&self, path: &str) -> InRepository {
        InRepository::find(&self.path(path), &environment()).unwrap()
    }
}

fn environment() -> Environment {
    Environment::new(std::env::vars_os().filter(|(name, _)| name == "PATH"))
}

fn members(loaded: &Loaded) -> Vec<String> {
    let members = loaded.document.members.as_ref();
    members.into_iter().flat_map(|section| section.keys()).map(ToString::to_string).collect()
}

fn loaded(place: &InRepository, rev: &str) -> Loaded {
    let commit = place.commit(rev).unwrap();
    match place.load(&commit, "", Side::Own) {
        Ok(Some(loaded)) => loaded,
        other => panic!("{other:?}"),
    }
}

fn findings(place: &InRepository, rev: &str) -> Vec<String> {
    let commit = place.commit(rev).unwrap();
    match place.load(&commit, "main:", Side::Own) {
        Err(Unusable::Rejected(rejected)) => {
            rejected.diagnostics.iter().map(|found| found.message.clone()).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_folder_is_read_as_it_was_whatever_the_work_tree_holds() {
    let repository = Repository::new();
    repository.write("org/charter.yaml", "version: 1\nmembers: {ada@acme.com: user}\n");
    repository.write("org/teams/ml.yml", "members: {grace@acme.com: user}\n");
    repository.write("org/.hidden/more.yaml", "members: {eve@acme.com: user}\n");
    repository.write("org/notes.txt", "not: [read");
    repository.write("other.yaml", "not: [read");
    repository.commit("one");
    fs::remove_dir_all(repository.path("org")).unwrap();

    let place = repository.find("org");
    let one = loaded(&place, "HEAD");
    assert_eq!(members(&one), ["ada@acme.com", "grace@acme.com"]);
    assert!(one.warnings.is_empty(), "{:?}", one.warnings);

    repository.write("org/charter.yaml", "not: [written down");
    assert_eq!(members(&loaded(&repository.find("org"), "main")), members(&one));
    assert_eq!(members(&loaded(&repository.find("org/charter.yaml"), "main")), members(&one));
}

#[test]
fn what_a_revision_says_is_what_the_same_files_on_disk_say() {
    let repository = Repository::new();
    repository.write("charter.yaml", "version: 1\nmembers: {ada@acme.com: admin}\n");
    repository.write("a/b/c.yaml", "teams: {ml: [ada@acme.com]}\n");
    repository.commit("one");
    let on_disk = crate::config::load::load(repository.0.path()).unwrap();
    assert_eq!(loaded(&repository.find(""), "HEAD").document, on_disk.document);
}

#[test]
fn a_path_that_a_commit_lacks_is_told_from_files_that_are_wrong() {
    let repository = Repository::new();
    repository.write("readme", "");
    let empty = repository.commit("empty");
    repository.write("org/charter.yaml", "version: 1\nmembers: {ada@acme.com: user}\n");
    repository.write("bad/charter.yaml", "version: 1\nmembrs: {}\n");
    repository.write("none/other.yaml", "members: {}\n");
    repository.write("binary/charter.yaml", b"version: 1\n# \xff\n");
    repository.commit("more");

    let place = repository.find("org");
    let commit = place.commit(&empty).unwrap();
    assert!(matches!(place.load(&commit, "", Side::Own), Ok(None)));
    assert!(findings(&repository.find("bad"), "HEAD")[0].contains("`membrs`"));
    assert!(findings(&repository.find("none"), "HEAD")[0].contains("has no `charter.yaml`"));
    assert!(findings(&repository.find("binary"), "HEAD")[0].contains("UTF-8"));
}

#[test]
fn a_revision_cannot_be_an_option_or_an_object_of_another_kind() {
    let repository = Repository::new();
    repository.write("charter.yaml", "version: 1\nmembers: {}\n");
    repository.commit("one");
    let place = repository.find("charter.yaml");
    for wrong in ["", "-h", "--all", "--output=/tmp/x", "a\nb", "a\0b"] {
        assert!(matches!(place.commit(wrong), Err(GitError::BadRevision(_))), "{wrong:?}");
    }
    for unknown in ["nothing", "HEAD:charter.yaml", "HEAD^{tree}", "main..main", "HEAD main"] {
        assert!(matches!(place.commit(unknown), Err(GitError::Unknown(_))), "{unknown:?}");
    }
    assert_eq!(place.commit("HEAD").unwrap().id, place.commit("main~0").unwrap().id);
}

#[test]
fn nothing_that_the_repository_asks_for_is_run() {
    let repository = Repository::new();
    let mark = repository.path("ran");
    let run = format!("touch {}", mark.display());
    repository.write("charter.yaml", "version: 1\nmembers: {ada@acme.com: user}\n");
    repository.write(".gitattributes", "*.yaml filter=evil diff=evil text eol=crlf\n");
    repository.commit("one");
    for setting in [
        "filter.evil.smudge",
        "filter.evil.clean",
        "filter.evil.process",
        "diff.evil.textconv",
        "diff.evil.command",
        "diff.external",
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "core.alternateRefsCommand",
        "alias.ls-tree",
        "alias.cat-file",
    ] {
        let value = if setting.starts_with("alias") { format!("!{run}") } else { run.clone() };
        repository.git(&["config", setting, &value]);
    }
    let read = loaded(&repository.find("charter.yaml"), "HEAD");
    assert_eq!(members(&read), ["ada@acme.com"]);
    assert!(!mark.exists(), "something ran");
}

#[test]
fn replaced_objects_are_read_as_they_were_committed() {
    let repository = Repository::new();
    repository.write("charter.yaml", "version: 1\nmembers: {ada@acme.com: user}\n");
    repository.commit("one");
    let one = repository.git(&["rev-parse", "HEAD:charter.yaml"]);
    repository.write("charter.yaml", "version: 1\nmembers: {eve@acme.com: user}\n");
    repository.commit("two");
    let two = repository.git(&["rev-parse", "HEAD:charter.yaml"]);
    repository.git(&["replace", &two, &one]);
    assert_eq!(members(&loaded(&repository.find("charter.yaml"), "HEAD")), ["eve@acme.com"]);
}

#[test]
fn a_folder_of_the_work_tree_that_looks_like_a_repository_is_not_taken_for_one() {
    let repository = Repository::new();
    repository.write("org/charter.yaml", "version: 1\nmembers: {ada@acme.com: user}\n");
    repository.commit("one");
    // The author of a change can commit all of these.
    repository.write("org/HEAD", "ref: refs/heads/main\n");
    repository.write("org/config", "[core]\n\trepositoryformatversion = 0\n\tbare = true\n");
    repository.write("org/objects/x", "").write("org/refs/heads/x", "");
    match InRepository::find(&repository.path("org"), &environment()) {
        Err(GitError::Failed { .. } | GitError::NoRepository(_)) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_object_that_is_not_there_is_not_fetched() {
    let repository = Repository::new();
    repository.write("charter.yaml", "version: 1\nmembers: {}\n");
    repository.commit("one");
    let blob = repository.git(&["rev-parse", "HEAD:charter.yaml"]);
    let mark = repository.path("ran");
    let remote = format!("ext::touch {}", mark.display());
    repository.git(&["config", "core.repositoryFormatVersion", "1"]);
    repository.git(&["config", "extensions.partialClone", "origin"]);
    repository.git(&["config", "remote.origin.url", &remote]);
    repository.git(&["config", "remote.origin.promisor", "true"]);
    repository.git(&["config", "protocol.ext.allow", "always"]);
    let object = repository.path(&format!(".git/objects/{}/{}", &blob[..2], &blob[2..]));
    fs::remove_file(object).unwrap();
    let place = repository.find("charter.yaml");
    let commit = place.commit("HEAD").unwrap();
    match place.load(&commit, "", Side::Own) {
        Err(Unusable::Git(GitError::Missing(id))) => assert_eq!(id, blob),
        other => panic!("{other:?}"),
    }
    assert!(!mark.exists(), "something ran");
}

#[test]
fn a_huge_file_is_refused_without_being_kept() {
    let repository = Repository::new();
    repository.write("charter.yaml", vec![b' '; MAX_BYTES + 2]);
    repository.commit("one");
    let messages = findings(&repository.find("charter.yaml"), "HEAD");
    assert!(messages[0].contains("MB") || messages[0].contains("large"), "{messages:?}");
}

#[test]
fn a_folder_without_a_repository_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let error = InRepository::find(&folder.path().join("charter.yaml"), &environment());
    assert!(matches!(error, Err(GitError::NoRepository(_))), "{error:?}");
    let error = InRepository::find(folder.path(), &Environment::default());
    assert!(matches!(error, Err(GitError::NoGit)), "{error:?}");
}

#[test]
fn a_relative_search_path_is_no_place_for_git() {
    let folder = tempfile::tempdir().unwrap();
    let environment = Environment::new([("PATH".into(), ".:bin:".into())]);
    let error = InRepository::find(folder.path(), &environment);
    assert!(matches!(error, Err(GitError::NoGit)), "{error:?}");
}

#[test]
fn ranges_are_told_from_paths() {
    let sides = |text: &str| range(text);
    let both = |old: &str, new: &str, parted| Some((old.to_owned(), new.to_owned(), parted));
    assert_eq!(sides("main..topic"), both("main", "topic", false));
    assert_eq!(sides("main...topic"), both("main", "topic", true));
    assert_eq!(sides("main.."), both("main", "HEAD", false));
    assert_eq!(sides("..topic"), both("HEAD", "topic", false));
    assert_eq!(sides("origin/main..HEAD~1"), both("origin/main", "HEAD~1", false));
    for path in ["..", "...", "../old", "old/../new", "charter.yaml", "../../old"] {
        assert_eq!(sides(path), None, "{path}");
    }
}
