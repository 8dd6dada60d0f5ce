//! Names that mean more than one thing: of files, of commits, of repositories.
//!
//! Invariant: none of them is passed over or chosen from.

use super::*;

#[cfg(unix)]
#[test]
fn a_name_that_is_not_utf8_is_wrong_in_a_revision_and_on_disk() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    for wrong in [&b"x\xff.yaml"[..], b"d\xff/more.yml"] {
        let repository = Repository::new();
        repository.write("org/charter.yaml", "version: 1\nmembers: {ada@acme.com: user}\n");
        repository.write("org/\u{fc}.yaml", "members: {grace@acme.com: user}\n");
        repository.commit("one");
        let before = repository.git(&["rev-parse", "HEAD"]);
        // These are no files of ours.
        for other in [&b"n\xff.txt"[..], b".h\xff/more.yaml", b"e\xff/notes"] {
            let path = repository.path("org").join(OsStr::from_bytes(other));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        repository.commit("two");
        let place = repository.find("org");
        assert_eq!(members(&loaded(&place, "HEAD")), ["ada@acme.com", "grace@acme.com"]);

        let path = repository.path("org").join(OsStr::from_bytes(wrong));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "members: {eve@acme.com: admin}\n").unwrap();
        repository.commit("three");
        let found = findings(&place, "HEAD");
        assert!(found.len() == 1 && found[0].ends_with("is not UTF-8"), "{found:?}");
        let on_disk = crate::config::load::load(&repository.path("org")).unwrap_err();
        assert_eq!(on_disk.diagnostics.len(), 1, "{on_disk:?}");
        assert_eq!(on_disk.diagnostics[0].code, "config/bad-file-name");
        assert_eq!(members(&loaded(&place, &before)).len(), 2);
    }
}

#[test]
fn a_name_of_two_references_that_differ_is_refused() {
    let repository = Repository::new();
    repository.write("charter.yaml", "version: 1\nmembers: {}\n");
    let one = repository.commit("one");
    repository.git(&["update-ref", "refs/remotes/origin/main", &one]);
    let two = repository.commit("two");
    let place = repository.find("charter.yaml");
    let id = |rev: &str| place.commit(rev).unwrap().id;
    assert_eq!(id("origin/main"), one);
    assert_eq!(id("main~1"), one);
    // The same commit by two names is no danger.
    repository.git(&["tag", "-a", "-m", "Mark", "origin/main", &one]);
    assert_eq!(id("origin/main"), one);

    repository.git(&["tag", "--force", "-a", "-m", "Mark", "origin/main", &two]);
    for rev in ["origin/main", "origin/main^{commit}", "origin/main~0", "origin/main@{0}"] {
        match place.commit(rev) {
            Err(GitError::Ambiguous(_, names)) => {
                assert_eq!(names, ["refs/remotes/origin/main", "refs/tags/origin/main"]);
            }
            other => panic!("{rev}: {other:?}"),
        }
    }
    assert_eq!(id("refs/remotes/origin/main"), one);
    assert_eq!(id("refs/tags/origin/main"), two);
    assert_eq!(place.tip("origin/main").unwrap().id, one);
    repository.git(&["update-ref", "refs/heads/origin/main", &two]);
    assert!(matches!(place.tip("origin/main"), Err(GitError::Ambiguous(..))));
    assert_eq!(place.tip("refs/remotes/origin/main").unwrap().id, one);
}

#[test]
fn a_reference_is_not_taken_for_a_commit_nor_a_tag_for_a_branch() {
    let repository = Repository::new();
    repository.write("charter.yaml", "version: 1\nmembers: {}\n");
    let one = repository.commit("one");
    let two = repository.commit("two");
    let place = repository.find("charter.yaml");
    repository.git(&["update-ref", "refs/tags/HEAD", &one]);
    assert_eq!(place.commit("HEAD").unwrap().id, two);
    repository.git(&["tag", &two[..10], &one]);
    assert!(matches!(place.commit(&two[..10]), Err(GitError::Ambiguous(..))));
    assert_eq!(place.commit(&two[..12]).unwrap().id, two);
    assert_eq!(place.commit(&two).unwrap().id, two);
    // A branch that is not here is not a tag that has its full name.
    repository.git(&["tag", "refs/remotes/origin/main", &one]);
    let full = "refs/remotes/origin/main";
    assert!(matches!(place.commit(full), Err(GitError::Unknown(_))));
    repository.git(&["tag", "v1", &one]);
    for no_branch in [full, "v1", "HEAD", &one, "main~1"] {
        assert!(matches!(place.tip(no_branch), Err(GitError::NoBranch(_))), "{no_branch}");
    }
    assert_eq!(place.tip("main").unwrap().id, two);
}

#[test]
fn a_submodule_is_not_taken_for_the_repository_around_it() {
    let other = Repository::new();
    other.write("charter.yaml", "version: 1\nmembers: {eve@acme.com: admin}\n");
    other.commit("one");
    let repository = Repository::new();
    repository.write("org/charter.yaml", "version: 1\nmembers: {ada@acme.com: user}\n");
    repository.commit("one");
    repository.git(&["rm", "-r", "--quiet", "org"]);
    let from = other.0.path().display().to_string();
    repository.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        &from,
        "org",
    ]);
    repository.commit("two");
    for path in ["org", "org/charter.yaml"] {
        let found = InRepository::find(&repository.path(path), &environment());
        assert!(matches!(found, Err(GitError::Nested(_))), "{found:?}");
    }
    // By itself it is one like any other.
    assert_eq!(members(&loaded(&other.find(""), "main")), ["eve@acme.com"]);
}
