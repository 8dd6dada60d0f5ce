//! Where branches parted, by the commits themselves.
//!
//! Invariant: what lies beside the objects of a repository changes nothing.

use super::*;

fn bases(place: &InRepository, one: &Commit, other: &Commit) -> Vec<String> {
    place.merge_bases(one, other).unwrap().into_iter().map(|commit| commit.id).collect()
}

/// `main` and `topic`, which parted at the second commit; the ids of the first two.
fn parted() -> (Repository, [String; 2]) {
    let repository = Repository::new();
    repository.write("charter.yaml", "version: 1\nmembers: {ada@acme.com: user}\n");
    let ids = ["one", "two"].map(|message| repository.commit(message));
    repository.git(&["checkout", "--quiet", "-b", "topic"]);
    repository.commit("topic");
    repository.git(&["checkout", "--quiet", "main"]);
    repository.commit("three");
    (repository, ids)
}

#[test]
fn a_range_begins_where_its_sides_parted() {
    let repository = Repository::new();
    repository.write("charter.yaml", "version: 1\nmembers: {ada@acme.com: user}\n");
    let start = repository.commit("one");
    repository.git(&["checkout", "--quiet", "-b", "topic"]);
    repository.write("charter.yaml", "version: 1\nmembers: {}\n");
    repository.commit("two");
    repository.git(&["checkout", "--quiet", "main"]);
    repository.write("other", "");
    repository.commit("three");
    let place = repository.find("charter.yaml");
    let (main, topic) = (place.commit("main").unwrap(), place.commit("topic").unwrap());
    assert_eq!(bases(&place, &main, &topic), [start]);
}

#[test]
fn no_file_beside_the_objects_gives_a_commit_other_parents() {
    let (repository, [one, two]) = parted();
    let place = repository.find("charter.yaml");
    let (main, topic) = (place.commit("main").unwrap(), place.commit("topic").unwrap());
    for (name, text) in
        [("info/grafts", format!("{} {one}\n", main.id)), ("shallow", format!("{}\n", main.id))]
    {
        repository.write(&format!(".git/{name}"), &text);
        assert_eq!(bases(&place, &main, &topic), std::slice::from_ref(&two), "{name}");
        // Git itself goes by it.
        let said = Command::new("git")
            .current_dir(repository.0.path())
            .args(["merge-base", "main", "topic"])
            .output()
            .unwrap();
        assert!(!String::from_utf8_lossy(&said.stdout).contains(&*two), "{name}");
        fs::remove_file(repository.path(&format!(".git/{name}"))).unwrap();
    }
}

#[test]
fn a_history_that_is_cut_off_is_not_taken_for_a_whole_one() {
    let (repository, [_, two]) = parted();
    let copy = tempfile::tempdir().unwrap();
    let from = format!("file://{}", repository.0.path().display());
    let target = copy.path().join("copy");
    let target_name = target.display().to_string();
    // The commit where they parted is there, and not what it follows on.
    let clone = ["clone", "--quiet", "--no-single-branch", "--depth", "2", &from, &target_name];
    repository.git(&clone);
    let place = InRepository::find(&target.join("charter.yaml"), &environment()).unwrap();
    let (main, topic) = (place.commit("main").unwrap(), place.commit("origin/topic").unwrap());
    match place.merge_bases(&main, &topic) {
        // Newer versions of Git look no further than they must.
        Ok(found) => assert_eq!(found[0].id, two),
        Err(error) => assert!(matches!(error, GitError::NoMergeBase(..)), "{error:?}"),
    }
}

#[test]
fn branches_that_were_merged_into_each_other_have_parted_twice() {
    let (repository, _) = parted();
    let place = repository.find("charter.yaml");
    let (main, topic) = (place.commit("main").unwrap(), place.commit("topic").unwrap());
    for (branch, other) in [("main", &topic), ("topic", &main)] {
        repository.git(&["checkout", "--quiet", branch]);
        repository.git(&["merge", "--quiet", "--no-ff", "--message", "merge", &other.id]);
    }
    let (after, before) = (place.commit("main").unwrap(), place.commit("topic").unwrap());
    let mut found = bases(&place, &after, &before);
    let mut wanted = [main.id, topic.id];
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
}

#[test]
fn a_work_tree_that_the_configuration_moves_is_refused() {
    let repository = Repository::new();
    repository.write("charter.yaml", "version: 1\nmembers: {eve@acme.com: user}\n");
    repository.write("org/charter.yaml", "version: 1\nmembers: {ada@acme.com: user}\n");
    repository.commit("one");
    let work_tree = repository.path("org").display().to_string();
    repository.git(&["config", "core.worktree", &work_tree]);
    // By Git's word, `org` is the top, where `eve` is.
    match InRepository::find(&repository.path("org"), &environment()) {
        Err(GitError::Moved(_)) => {}
        other => panic!("{other:?}"),
    }
}
