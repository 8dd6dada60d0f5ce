//! Links, submodules and trees without end, in real repositories.

use std::{io::Write as _, process::Stdio};

use super::*;

/// Adds an entry to the index, whatever the work tree can hold.
fn add(repository: &Repository, mode: &str, text: &str, path: &str) {
    let file = repository.path(".git/entry");
    fs::write(&file, text).unwrap();
    let id = repository.git(&["hash-object", "-w", ".git/entry"]);
    let entry = format!("{mode},{id},{path}");
    repository.git(&["update-index", "--add", "--cacheinfo", &entry]);
}

fn commit_index(repository: &Repository) {
    repository.git(&["commit", "--quiet", "--message", "index"]);
}

const PEOPLE: &str = "members: {ada@acme.com: user}\n";

#[test]
fn links_inside_the_folder_are_followed_in_the_tree() {
    let repository = Repository::new();
    add(
        &repository,
        "100644",
        "version: 1\nmembers: {joan@acme.com: user}\n",
        "org/real/root.yaml",
    );
    add(&repository, "120000", "real/root.yaml", "org/charter.yaml");
    add(&repository, "100644", PEOPLE, "org/..data/a.yaml");
    add(&repository, "120000", "..data", "org/..now");
    add(&repository, "120000", "../org/..now/a.yaml", "org/a.yaml");
    add(&repository, "120000", "./real/../real/root.yaml", "org/again.yaml");
    add(&repository, "120000", "..now/a.yaml", "org/twice.yaml");
    commit_index(&repository);
    // `../org` leaves the folder, though it leads back.
    assert!(findings(&repository.find("org"), "HEAD")[0].contains("org/a.yaml` leaves the folder"));
    add(&repository, "120000", "..now/a.yaml", "org/a.yaml");
    commit_index(&repository);
    for path in ["org", "org/charter.yaml"] {
        let read = loaded(&repository.find(path), "HEAD");
        assert_eq!(members(&read), ["ada@acme.com", "joan@acme.com"]);
        assert!(read.warnings.is_empty(), "{:?}", read.warnings);
    }
}

#[test]
fn other_links_and_submodules_are_errors_and_warnings_in_a_base() {
    let repository = Repository::new();
    add(&repository, "100644", "version: 1\nmembers: {ada@acme.com: user}\n", "org/charter.yaml");
    add(&repository, "100644", "x", "org/n.txt");
    add(&repository, "100644", PEOPLE, "secret.yaml");
    for (target, path) in [
        ("../secret.yaml", "out.yaml"),
        ("/etc/passwd", "absolute.yaml"),
        ("nowhere.yaml", "broken.yaml"),
        ("loop.yaml", "loop.yaml"),
        ("n.txt", "text.yaml"),
        ("sub", "folder"),
    ] {
        add(&repository, "120000", target, &format!("org/{path}"));
    }
    add(&repository, "100644", "x", "org/sub/x.txt");
    let submodule = format!("160000,{},org/module", "1".repeat(40));
    repository.git(&["update-index", "--add", "--cacheinfo", &submodule]);
    commit_index(&repository);
    let place = repository.find("org");
    let found = findings(&place, "HEAD");
    let prefix = format!("main:{}/", repository.path("org").display());
    let whys: Vec<String> = found
        .iter()
        .map(|message| message.replace(&prefix, "").split(", ").next().unwrap().to_owned())
        .collect();
    assert_eq!(
        whys,
        [
            "the link `absolute.yaml` leaves the folder",
            "the link `broken.yaml` leads nowhere",
            "the link `folder` leads to a folder",
            "the link `loop.yaml` leads nowhere",
            "`module` is a submodule",
            "the link `out.yaml` leaves the folder",
            "the link `text.yaml` leads to a file that is not called `*.yaml` or `*.yml`",
        ]
    );
    let base = place.load(&place.commit("HEAD").unwrap(), "", Side::Base);
    let Ok(Some(base)) = base else { panic!("{base:?}") };
    assert_eq!(members(&base), ["ada@acme.com"]);
    assert_eq!(base.warnings.len(), 7);
}

#[test]
fn a_base_without_a_root_file_has_no_files() {
    let repository = Repository::new();
    repository.write("README.md", "x");
    repository.commit("one");
    let place = repository.find("");
    let commit = place.commit("HEAD").unwrap();
    assert!(matches!(place.load(&commit, "", Side::Base), Ok(None)));
    assert!(findings(&place, "HEAD")[0].contains("has no YAML files"));
}

/// Makes a tree of a text in the form of `git ls-tree`.
fn tree(repository: &Repository, entries: &str) -> String {
    let mut command = Command::new("git");
    command.current_dir(repository.path("")).args(["mktree", "--missing"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(entries.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_tree_that_holds_itself_over_and_over_ends_and_says_little() {
    use std::fmt::Write as _;

    let repository = Repository::new();
    let blob = |text: &str| {
        fs::write(repository.path(".git/entry"), text).unwrap();
        repository.git(&["hash-object", "-w", ".git/entry"])
    };
    let (root, text, link) = (blob("version: 1\n"), blob("x"), blob("/etc"));
    // Ten folders in ten folders, and so on: ten to the tenth entries.
    let mut inner = tree(&repository, &format!("100644 blob {text}\tx.txt\n"));
    for _ in 0..10 {
        let mut entries = String::new();
        for name in 0..10 {
            writeln!(entries, "040000 tree {inner}\td{name}").unwrap();
        }
        inner = tree(&repository, &entries);
    }
    let top = tree(
        &repository,
        &format!("100644 blob {root}\tcharter.yaml\n040000 tree {inner}\tdeep\n"),
    );
    let bomb = repository.git(&["commit-tree", &top, "-m", "bomb"]);
    let mut many = format!("100644 blob {root}\tcharter.yaml\n");
    for name in 0..20_000 {
        writeln!(many, "120000 blob {link}\tl{name}").unwrap();
    }
    let many = tree(&repository, &many);
    let links = repository.git(&["commit-tree", &many, "-m", "links"]);
    let place = repository.find("");
    let found = findings(&place, &bomb);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("more than 200000 entries"), "{found:?}");
    assert!(place.roots(&place.commit(&bomb).unwrap()).unwrap().len() <= 20);
    let found = findings(&place, &links);
    assert_eq!(found.len(), 21, "{found:?}");
    assert!(found.iter().any(|message| message.starts_with("19980 more links")), "{found:?}");
}

#[test]
fn a_folder_without_a_root_names_one_below_it_as_on_disk() {
    let repository = Repository::new();
    repository.write("notes/x.txt", "x").write("org/charter.yaml", "version: 1\n");
    repository.commit("one");
    let place = InRepository::find(repository.0.path(), &environment()).unwrap();
    let Err(Unusable::Rejected(rejected)) =
        place.load(&place.commit("HEAD").unwrap(), "", Side::Own)
    else {
        panic!("a root was found");
    };
    let on_disk = crate::config::load::load(repository.0.path()).unwrap_err();
    let said = |rejected: &Rejected| rejected.diagnostics[0].help.clone();
    assert!(said(&rejected).unwrap().contains("give the folder that has one, as"), "{rejected:?}");
    assert_eq!(said(&rejected), said(&on_disk));
}
