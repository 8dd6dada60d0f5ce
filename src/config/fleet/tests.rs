//! What a fleet file may say, and that its parts are its whole.
//!
//! Invariant: each wrong file is refused at the place that is wrong.

use std::{collections::BTreeSet, fmt::Write as _};

use tempfile::TempDir;

use super::*;

const A: &str = "3f0c1b1e-0000-4000-8000-00000000000a";
const B: &str = "3f0c1b1e-0000-4000-8000-00000000000b";

/// A folder with a fleet file, and `a` and `b` with files of those organizations.
fn place(fleet: &str) -> TempDir {
    let place = TempDir::new().unwrap();
    for (folder, id) in [("a", A), ("b", B)] {
        write(&place, &format!("{folder}/charter.yaml"), &format!("{}\n", files_of(id)));
    }
    write(&place, "fleet.yaml", fleet);
    place
}

fn files_of(id: &str) -> String {
    format!("version: 1\norganization: {{id: {id}}}")
}

fn write(place: &TempDir, path: &str, text: &str) {
    let path = place.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn loaded(place: &TempDir) -> Result<Vec<Organization>, Rejected> {
    load(&place.path().join("fleet.yaml"), None)
}

/// What is found, as `code line:column message`, a line each.
fn found(place: &TempDir) -> String {
    let rejected = loaded(place).unwrap_err();
    let root = format!("{}/", place.path().display());
    let mut text = String::new();
    for finding in &rejected.diagnostics {
        assert!(finding.help.is_some() && finding.is_error(), "{finding:?}");
        let at = finding.span.as_ref().map(|span| format!(" {}:{}", span.line, span.column));
        let message = finding.message.replace(&root, "");
        writeln!(text, "{}{} {message}", finding.code, at.unwrap_or_default()).unwrap();
        for (span, words) in &finding.related {
            let place = span.to_string().replace(&root, "");
            writeln!(text, "  {place} {words}").unwrap();
        }
    }
    text
}

/// A fleet file with these entries.
fn of(entries: &[(&str, &str, &str)]) -> String {
    let mut text = "version: 1\norganizations:\n".to_owned();
    for (id, folder, credential) in entries {
        writeln!(text, "  {id}: {{folder: {folder}, credential: {credential}}}").unwrap();
    }
    text
}

#[test]
fn a_fleet_keeps_the_order_of_its_file() {
    let place = place(&of(&[(B, "./b/", "B_KEY"), (A, "a", "A_KEY")]));
    let organizations = loaded(&place).unwrap();
    let expected =
        [(B, "b", "B_KEY"), (A, "a", "A_KEY")].map(|(id, folder, credential)| Organization {
            id: id.into(),
            folder: place.path().join(folder),
            credential: credential.into(),
        });
    assert_eq!(organizations, expected);
}

#[test]
fn what_stands_twice_is_refused_with_both_places() {
    let twice = place(&of(&[(A, "a", "KEY"), (&A.to_uppercase(), "b", "OTHER")]));
    assert_eq!(
        found(&twice),
        format!(
            "fleet/id-twice 4:3 `{A}` stands twice in the fleet\n  fleet.yaml:3:3 first here\n\
             fleet/other-organization 4:50 the files in `b` are for the organization `{B}`\n  \
             b/charter.yaml:2:20 they say so here\n"
        )
    );
    let twice = place(&of(&[(A, "a", "KEY"), (A, "b", "OTHER")]));
    assert!(found(&twice).starts_with("config/duplicate-key 4:3 "), "{}", found(&twice));
    let twice = place(&of(&[(A, "a", "KEY"), (B, "./a", "KEY")]));
    assert_eq!(
        found(&twice),
        "fleet/folder-twice 4:50 the folder `./a` stands twice in the fleet\n  fleet.yaml:3:50 here too\n\
         fleet/credential-twice 4:67 `KEY` stands twice in the fleet\n  fleet.yaml:3:65 first here\n"
    );
    let within = place(&of(&[(A, "a", "KEY"), (B, "a/b", "OTHER")]));
    write(&within, "a/b/charter.yaml", &files_of(B));
    assert!(found(&within).contains("4:50 the folder `a/b` overlaps with another"));
}

#[test]
fn a_folder_must_be_one_below_the_fleet_file() {
    for (folder, message) in [
        ("../a", "the folder `../a` is not below that of the fleet file"),
        ("a/../a", "the folder `a/../a` is not below that of the fleet file"),
        ("/tmp", "the folder `/tmp` is not below that of the fleet file"),
        (".", "the folder `.` is that of the fleet file itself"),
        ("a/charter.yaml", "the folder `a/charter.yaml` is not a folder"),
        ("empty", "the folder `empty` has no `charter.yaml`"),
        ("out", "the folder `out` is not below that of the fleet file"),
    ] {
        let place = place(&of(&[(A, folder, "KEY")]));
        fs::create_dir(place.path().join("empty")).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("/", place.path().join("out")).unwrap();
        assert_eq!(found(&place), format!("fleet/folder 3:50 {message}\n"));
    }
    let place = place(&of(&[(A, "gone", "KEY")]));
    assert!(found(&place).starts_with("fleet/folder 3:50 the folder `gone` cannot be read: "));
}

#[test]
fn files_must_say_that_they_are_for_the_organization() {
    let other = place(&of(&[(A, "b", "KEY")]));
    assert!(found(&other).starts_with("fleet/other-organization 3:50 "), "{}", found(&other));
    let silent = place(&of(&[(A, "a", "KEY")]));
    write(&silent, "a/charter.yaml", "version: 1\n");
    assert_eq!(found(&silent), "fleet/no-id 3:50 the files in `a` do not say for whom they are\n");
    // What else is wrong with the files of one concerns that one only.
    for broken in ["version: [", "version: 1\norganization: {id: 5, kind: x}\n"] {
        write(&silent, "a/charter.yaml", broken);
        assert_eq!(loaded(&silent).unwrap().len(), 1, "{broken}");
    }
}

#[test]
fn keys_and_values_are_checked() {
    for (text, expected) in [
        ("version: 1\n", "config/missing-key 1:1 a fleet file lacks `organizations`\n"),
        ("version: 1\norganizations: {}\n", "fleet/empty 2:1 the fleet has no organizations"),
        ("", "fleet/empty 1:1 the fleet file says nothing\n"),
        ("version: 2\norganizations: {}\n", "config/version 1:10 "),
        (
            "version: 1\norganizations: {acme: {folder: a, credential: KEY}}\n",
            "fleet/bad-id 2:17 `acme` is not the id of an organization\n",
        ),
        (
            &format!("version: 1\norganizations: {{{A}: {{folder: a}}}}\n"),
            "config/missing-key 2:17 an organization of the fleet lacks `credential`\n",
        ),
        (
            &format!("version: 1\norganizations: {{{A}: {{folders: a, credential: KEY}}}}\n"),
            "config/missing-key 2:17 an organization of the fleet lacks `folder`\nconfig/unknown-key 2:56 ",
        ),
    ] {
        let found = found(&place(text));
        assert!(found.starts_with(expected), "{text}: {found}");
    }
    let rejected = load(Path::new("no/fleet.yaml"), None).unwrap_err();
    assert_eq!(rejected.diagnostics[0].code, "fleet/not-found");
}

#[test]
fn a_credential_in_the_file_is_refused_and_not_shown() {
    for wrong in ["sk-ant-admin01-hush", "'9KEY'", "A-KEY", "$KEY"] {
        let place = place(&of(&[(A, "a", wrong)]));
        let rejected = loaded(&place).unwrap_err();
        assert_eq!(rejected.diagnostics[0].code, "fleet/credential");
        assert!(!format!("{rejected:?}").contains("hush"), "{rejected:?}");
    }
}

#[test]
fn every_organization_is_in_exactly_one_part_and_stays_there() {
    let id = |number: u32| format!("3f0c1b1e-0000-4000-8000-{number:012x}");
    for parts in [1, 2, 3, 10, 64] {
        let mut sizes = vec![0; parts];
        for number in 0..2000 {
            let holding: Vec<usize> = (1..=parts)
                .filter(|part| Shard::parse(&format!("{part}/{parts}")).unwrap().holds(&id(number)))
                .collect();
            let [part] = holding[..] else { panic!("{} is in {holding:?}", id(number)) };
            sizes[part - 1] += 1;
        }
        let (most, least) = (sizes.iter().max().unwrap(), sizes.iter().min().unwrap());
        assert!(*least * 3 > 2000 / parts && *most < 3 * 2000 / parts, "{sizes:?}");
    }
    // The parts are part of the contract: they may not change with a version of charter.
    let part = |number| {
        (1..=10).find(|part| Shard::parse(&format!("{part}/10")).unwrap().holds(&id(number)))
    };
    assert_eq!([0, 1, 2, 3].map(part), [8, 4, 6, 5].map(Some));
    assert_eq!(Shard::parse("0/10").unwrap().holds(A), Shard::parse("10/10").unwrap().holds(A));
    let upper = Shard::parse("3/10").unwrap();
    assert_eq!(upper.holds(A), upper.holds(&A.to_uppercase()));
    assert_eq!(upper.to_string(), "3/10");
}

#[test]
fn a_pod_too_many_is_told_from_the_last_part() {
    let shard = |text| Shard::parse(text).unwrap();
    assert!(shard("4/4").is_beyond(4));
    // Counted from 1 it is the last part, whatever the number of the pod is.
    assert!(!shard("4/4").is_beyond(3) && !shard("0/4").is_beyond(0) && !shard("3/4").is_beyond(3));
    assert_eq!((shard("0/4").part(), shard("3/4").part(), shard("3/4").parts()), (4, 3, 4));
}

#[test]
fn a_part_that_there_is_not_is_refused() {
    for wrong in ["11/10", "1/0", "3", "a/b", "-1/3", "1/2/3", "", "/", "1 /3", "1/9999999"] {
        assert!(Shard::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_part_reads_the_folders_of_its_own_organizations_only() {
    let place = place(&of(&[(A, "a", "A_KEY"), (B, "b", "B_KEY")]));
    let path = place.path().join("fleet.yaml");
    let ids = |shard: Option<Shard>| -> BTreeSet<Arc<str>> {
        load(&path, shard).unwrap().into_iter().map(|one| one.id).collect()
    };
    let all = ids(None);
    let shards: Vec<Shard> =
        (1..=7).map(|part| Shard::parse(&format!("{part}/7")).unwrap()).collect();
    let parts: Vec<_> = shards.iter().map(|shard| ids(Some(*shard))).collect();
    assert_eq!(parts.iter().flatten().cloned().collect::<BTreeSet<_>>(), all);
    assert_eq!(parts.iter().map(BTreeSet::len).sum::<usize>(), 2);
    let other = shards.iter().find(|shard| !shard.holds(A)).unwrap();
    fs::remove_dir_all(place.path().join("a")).unwrap();
    assert!(load(&path, Some(*other)).is_ok());
    assert!(load(&path, None).is_err());
}
