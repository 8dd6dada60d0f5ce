//! What belongs to a folder: names, links, files of other programs, and what `read` says.

use super::*;

const MEMBERS: &str = "members: {ada@acme.com: user}\n";
const REMOVES: &str = "version: 1\nmembers: {joan@acme.com: user}\nmanage: {members: remove}\n";

fn at(folder: &tempfile::TempDir, name: &str) -> PathBuf {
    folder.path().join(name)
}

/// `code: message` of each error, without the folder's own name.
fn errors(folder: &tempfile::TempDir) -> Vec<String> {
    let Err(rejected) = load(folder.path()) else { return Vec::new() };
    let own = format!("{}/", folder.path().display());
    let errors = rejected.diagnostics.iter().filter(|found| found.is_error());
    errors.map(|found| format!("{}: {}", found.code, found.message.replace(&own, ""))).collect()
}

fn codes_of(folder: &tempfile::TempDir) -> Vec<String> {
    errors(folder).iter().map(|text| text.split(':').next().unwrap().to_owned()).collect()
}

fn people(loaded: &Loaded) -> Vec<String> {
    let members = loaded.document.members.as_ref();
    members.into_iter().flat_map(|section| section.keys()).map(ToString::to_string).collect()
}

fn help(folder: &tempfile::TempDir, code: &str) -> String {
    let rejected = load(folder.path()).unwrap_err();
    rejected.diagnostics.into_iter().find(|found| found.code == code).unwrap().help.unwrap()
}

#[test]
fn a_file_named_charter_yaml_is_the_root_of_its_folder_and_another_stands_alone() {
    let folder = folder(&[
        ("charter.yaml", "version: 1\nmembers: {joan@acme.com: user}\n"),
        ("people/eng.yaml", MEMBERS),
        ("alone.yml.txt", ROOT),
    ]);
    let whole = load(folder.path()).unwrap();
    assert_eq!(people(&whole), ["ada@acme.com", "joan@acme.com"]);
    assert_eq!(load(&at(&folder, "charter.yaml")).unwrap().document, whole.document);
    assert_eq!(people(&load(&at(&folder, "alone.yml.txt")).unwrap()), [""; 0]);
}

#[test]
fn a_name_in_capitals_is_read_and_one_that_is_nearly_right_is_an_error_if_it_has_sections() {
    let capitals =
        folder(&[("charter.yaml", ROOT), ("people/eng.YAML", MEMBERS), ("b.YML", "teams: {}\n")]);
    assert_eq!(people(&load(capitals.path()).unwrap()), ["ada@acme.com"]);
    for name in
        ["eng.Yaml", "eng.Yml", "eng.yaml ", "eng.ymal", "eng.yam", "people/eng.json", "eng.xml"]
    {
        let json = "{\"members\": {\"ada@acme.com\": \"user\"}}";
        let ours = folder(&[("charter.yaml", ROOT), (name, json)]);
        assert_eq!(codes_of(&ours), ["config/file-name"], "{name}");
        assert!(help(&ours, "config/file-name").contains("rename it to `eng.yaml`"), "{name}");
        let other =
            folder(&[("charter.yaml", ROOT), (name, "{\"services\": {}, \"name\": [\"x\"]}")]);
        assert_eq!(errors(&other), [""; 0], "{name}");
    }
    let plan = folder(&[
        ("charter.yaml", ROOT),
        ("p.json", "{\"format_version\": 1, \"steps\": [], \"policy\": {}}"),
    ]);
    assert_eq!(errors(&plan), [""; 0]);
}

#[test]
fn the_root_is_spelled_in_one_way_and_the_others_are_to_be_renamed() {
    for name in ["charter.yml", "Charter.yaml", "charter.YAML"] {
        let alone = folder(&[(name, ROOT)]);
        assert_eq!(codes_of(&alone), ["config/no-root"], "{name}");
        assert!(help(&alone, "config/no-root").contains("rename"), "{name}");
        let named = load(&at(&alone, "charter.yaml")).unwrap_err().diagnostics;
        assert!(named[0].help.as_ref().unwrap().contains("rename"), "{named:?}");
        let given = load(&at(&alone, name)).unwrap_err().diagnostics;
        assert_eq!(given[0].code, "config/root-name", "{name}");
        let beside = folder(&[("charter.yaml", ROOT), (name, MEMBERS)]);
        assert_eq!(codes_of(&beside), ["config/root-name"], "{name}");
    }
}

#[test]
fn files_of_other_programs_are_one_finding_and_an_error_where_people_are_removed() {
    let foreign = [
        ("compose.yaml", "services: {}\n"),
        ("charts/a/Chart.yaml", "apiVersion: v2\nname: a\n"),
        ("charts/a/templates/x.yaml", "name: {{ .Values.x }}\n---\nkind: Pod\n"),
        ("people/eng.yaml", MEMBERS),
        ("people/gen/x.yaml", "- 1\n"),
    ];
    let with = |root| folder(&[&[("charter.yaml", root)][..], &foreign].concat());
    let removes = with(REMOVES);
    assert_eq!(codes_of(&removes), ["config/foreign-file"]);
    let words = r#"write `read: {exclude: ["charts/**", "compose.yaml", "people/gen/**"]}` in `charter.yaml`"#;
    assert!(help(&removes, "config/foreign-file").contains(words));
    let reports = load(with(ROOT).path()).unwrap();
    assert_eq!(reports.warnings.len(), 1, "{:?}", reports.warnings);
    assert_eq!(people(&reports), ["ada@acme.com"]);
    let read = format!(
        "{REMOVES}read: {{exclude: [\"charts/**\", \"compose.yaml\", \"people/gen/**\"]}}\n"
    );
    let read = load(with(&read).path()).unwrap();
    assert!(read.warnings.is_empty(), "{:?}", read.warnings);
    // Of a base they are passed over.
    let base = load_for(with(REMOVES).path(), Side::Base, &Environment::default()).unwrap();
    assert_eq!(people(&base), ["ada@acme.com", "joan@acme.com"]);
}

#[test]
fn what_include_does_not_name_and_has_sections_is_an_error() {
    let root = "version: 1\nread: {include: [\"people/**\"]}\n";
    let files = [("people/eng.yaml", MEMBERS), ("compose.yaml", "services: {}\n")];
    let right = folder(&[&[("charter.yaml", root)][..], &files].concat());
    let loaded = load(right.path()).unwrap();
    assert_eq!(people(&loaded), ["ada@acme.com"]);
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    let wrong = folder(&[("charter.yaml", root), ("teams/ml.yaml", "teams: {}\n")]);
    assert_eq!(codes_of(&wrong), ["config/not-included"]);
}

#[test]
fn the_root_of_another_organization_is_one_error_that_names_the_exclude() {
    let nested = folder(&[
        ("charter.yaml", ROOT),
        ("clients/b/charter.yaml", "version: 1\nmembers: {}\n"),
        ("clients/b/people.yaml", MEMBERS),
        ("clients/c/charter.yaml", ROOT),
    ]);
    assert_eq!(codes_of(&nested), ["config/nested-root"]);
    let words = r#"read: {exclude: ["clients/b/**", "clients/c/**"]}"#;
    assert!(help(&nested, "config/nested-root").contains(words));
    let base = load_for(nested.path(), Side::Base, &Environment::default()).unwrap();
    assert_eq!(people(&base), [""; 0]);
}

#[test]
fn files_that_name_their_own_organization_are_one_error() {
    let own = "version: 1\norganization: {id: 3f0c1b1e-0000-4000-8000-000000000000}\nmembers: {joan@acme.com: user}\n";
    let beside = folder(&[
        ("charter.yaml", own),
        ("lab.yaml", own),
        ("old/acme.yaml", own),
        ("people.yaml", MEMBERS),
    ]);
    assert_eq!(codes_of(&beside), ["config/nested-root"]);
    let words = r#"read: {exclude: ["lab.yaml", "old/acme.yaml"]}"#;
    assert!(help(&beside, "config/nested-root").contains(words));
    let base = load_for(beside.path(), Side::Base, &Environment::default()).unwrap();
    assert_eq!(people(&base), ["ada@acme.com", "joan@acme.com"]);
}

#[test]
fn a_slip_of_the_hand_in_a_section_is_no_file_of_another_program() {
    let slip = folder(&[("charter.yaml", ROOT), ("a.yaml", "membrs: {ada@acme.com: user}\n")]);
    assert_eq!(codes_of(&slip), ["config/unknown-key"]);
    let broken = folder(&[("charter.yaml", ROOT), ("a.yaml", "members: {ada@acme.com: user\n")]);
    assert_eq!(codes_of(&broken), ["config/yaml-syntax"]);
}

#[cfg(unix)]
mod links {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_to_a_file_inside_the_folder_is_read_once_as_what_it_is_called() {
        let folder = folder(&[
            ("real/root.yaml", "version: 1\nmembers: {joan@acme.com: user}\n"),
            ("people/a.yaml", MEMBERS),
            ("..data/b.yaml", "members: {bob@acme.com: user}\n"),
            ("README.md", "x"),
        ]);
        symlink("real/root.yaml", at(&folder, "charter.yaml")).unwrap();
        symlink("people/a.yaml", at(&folder, "again.yaml")).unwrap();
        symlink("..data", at(&folder, "..current")).unwrap();
        symlink("..current/b.yaml", at(&folder, "b.yaml")).unwrap();
        symlink("README.md", at(&folder, "LIESMICH")).unwrap();
        let loaded = load(folder.path()).unwrap();
        assert_eq!(people(&loaded), ["ada@acme.com", "bob@acme.com", "joan@acme.com"]);
        let names: Vec<_> =
            loaded.sources.0.keys().map(|name| name.rsplit_once('/').unwrap().1).collect();
        assert_eq!(names, ["b.yaml", "charter.yaml", "a.yaml"]);
        assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    }

    #[test]
    fn any_other_link_is_an_error_until_it_is_excluded() {
        let outside = folder(&[("secret.yaml", "members: {eve@acme.com: user}\n")]);
        let make = |root: &str| {
            let folder =
                folder(&[("charter.yaml", root), ("people/a.yaml", MEMBERS), ("n.txt", "x")]);
            symlink(outside.path().join("secret.yaml"), at(&folder, "link.yaml")).unwrap();
            symlink(outside.path(), at(&folder, "elsewhere")).unwrap();
            symlink(folder.path(), at(&folder, "people/loop")).unwrap();
            symlink("nowhere.yaml", at(&folder, "broken.yaml")).unwrap();
            symlink("n.txt", at(&folder, "text.yaml")).unwrap();
            folder
        };
        assert_eq!(
            errors(&make(ROOT)),
            ["broken.yaml` leads nowhere", "elsewhere` leaves the folder", "link.yaml` leaves the folder",
             "people/loop` leads to a folder",
             "text.yaml` leads to a file that is not called `*.yaml` or `*.yml`"]
                .map(|why| format!("config/link-not-read: the link `{why}, so it is not read and the files may be incomplete"))
        );
        let excluded = make("version: 1\nread: {exclude: [\"*.yaml\", elsewhere, people/loop]}\n");
        assert_eq!(people(&load(excluded.path()).unwrap()), ["ada@acme.com"]);
        let base = load_for(make(ROOT).path(), Side::Base, &Environment::default()).unwrap();
        assert_eq!(people(&base), ["ada@acme.com"]);
    }

    #[test]
    fn a_root_that_is_no_file_of_the_folder_is_refused_before_it_is_read() {
        let outside = folder(&[("secret.yaml", "version: 1\nsecret: hush\n")]);
        for target in
            [outside.path().join("secret.yaml"), "/proc/self/environ".into(), "/dev/zero".into()]
        {
            let folder = folder(&[]);
            symlink(&target, at(&folder, "charter.yaml")).unwrap();
            for path in [folder.path().to_owned(), at(&folder, "charter.yaml")] {
                let found = load(&path).unwrap_err().diagnostics;
                assert_eq!(found.len(), 1, "{found:?}");
                assert_eq!(found[0].code, "config/link-not-read");
                assert!(!format!("{found:?}").contains("hush"));
            }
        }
        let pipe = folder(&[]);
        let made = std::process::Command::new("mkfifo").arg(at(&pipe, "charter.yaml")).status();
        if made.is_ok_and(|status| status.success()) {
            assert_eq!(codes_of(&pipe), ["config/not-a-file"]);
        }
        let found = load(Path::new("/dev/zero")).unwrap_err().diagnostics;
        assert_eq!(found[0].code, "config/not-a-file");
        if cfg!(target_os = "linux") {
            let found = load(Path::new("/proc/self/environ")).unwrap_err().diagnostics;
            assert_eq!(found[0].code, "config/not-a-file");
        }
    }
}

#[test]
fn a_part_that_is_given_alone_is_told_of_the_root_above_it() {
    let whole = folder(&[("charter.yaml", ROOT), ("people/eu/a.yaml", MEMBERS)]);
    let deep = load(&at(&whole, "people/eu/a.yaml")).unwrap_err().diagnostics;
    assert_eq!(deep[0].code, "config/version");
    assert!(deep[0].help.as_ref().unwrap().contains("give the folder"), "{deep:?}");
    for part in ["people", "people/eu"] {
        let found = load(&at(&whole, part)).unwrap_err().diagnostics;
        let help = found[0].help.as_ref().unwrap();
        assert!(help.contains("a folder above has a `charter.yaml`"), "{part}: {help}");
    }
}

#[test]
fn so_many_entries_that_nobody_meant_them_are_refused() {
    let deep = folder(&[("charter.yaml", ROOT)]);
    let mut path = deep.path().to_owned();
    for _ in 0..70 {
        path.push("d");
    }
    fs::create_dir_all(&path).unwrap();
    assert_eq!(codes_of(&deep), ["config/too-large"]);
}

#[test]
fn in_a_base_the_folder_of_another_organization_is_left_out_with_all_its_files() {
    let base = folder(&[
        ("charter.yaml", "version: 1\nmembers: {joan@acme.com: user}\n"),
        (
            "clients/charter.yaml",
            "version: 1\norganization: {id: 3f0c1b1e-0000-4000-8000-000000000001}\n",
        ),
        // Read together with the root, this would be a person twice.
        ("clients/people.yaml", "members: {joan@acme.com: admin, zoe@acme.com: user}\n"),
        ("people/eng.yaml", MEMBERS),
    ]);
    let base = load_for(base.path(), Side::Base, &Environment::default()).unwrap();
    assert_eq!(people(&base), ["ada@acme.com", "joan@acme.com"]);
}

#[test]
fn what_an_exclude_does_not_leave_out_is_said() {
    let root =
        "version: 1\nread: {exclude: [\"charts/**\", people/old.yaml, drafts, .github/**]}\n";
    let folder = folder(&[
        ("charter.yaml", root),
        ("people/eng.yaml", MEMBERS),
        ("drafts/x.yaml", "drafts: {}\n"),
        (".github/x.yaml", "on: push\n"),
    ]);
    let found = load(folder.path()).unwrap().warnings;
    let said: Vec<_> = found.iter().map(|one| (&*one.code, &*one.message)).collect();
    let code = "config/read-matches-nothing";
    assert_eq!(
        said,
        [
            (code, "`charts/**` under `read.exclude` matches nothing here"),
            (code, "`people/old.yaml` under `read.exclude` matches nothing here"),
            (code, "`.github/**` under `read.exclude` matches nothing here"),
        ]
    );
    assert!(found.iter().all(|one| one.span.is_some() && !one.is_error()), "{found:?}");
    // Nobody can mend a base in the change that is held against it.
    let base = load_for(folder.path(), Side::Base, &Environment::default()).unwrap();
    assert_eq!(base.warnings, []);
}

#[test]
fn a_pattern_takes_nothing_back() {
    let root = "version: 1\nread: {exclude: [\"charts/**\", \"!charts/people.yaml\"]}\n";
    let wrong = folder(&[("charter.yaml", root), ("charts/people.yaml", MEMBERS)]);
    assert_eq!(
        errors(&wrong),
        ["config/bad-glob: `!charts/people.yaml` takes nothing back: patterns have no exceptions"]
    );
}

#[test]
fn a_nearly_named_file_that_cannot_be_looked_into_is_an_error() {
    let folder = folder(&[("charter.yaml", ROOT)]);
    let utf16: Vec<u8> = MEMBERS.encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(at(&folder, "eng.Yml"), [&[0xff, 0xfe], &utf16[..]].concat()).unwrap();
    let said = errors(&folder);
    assert_eq!(said.len(), 1, "{said:?}");
    for part in ["config/file-name: `eng.Yml` is not read because its name", "UTF-16"] {
        assert!(said[0].contains(part), "{said:?}");
    }
    let help = help(&folder, "config/file-name");
    assert!(help.contains("save it as UTF-8") && help.contains("exclude: [\"eng.Yml\"]"), "{help}");
    // What has nothing to do with YAML is nobody's business.
    fs::rename(at(&folder, "eng.Yml"), at(&folder, "eng.png")).unwrap();
    assert_eq!(errors(&folder), [""; 0]);
}

#[test]
fn a_file_of_another_program_with_a_key_like_ours_is_an_error_and_no_broken_base() {
    let of = |root: &str| folder(&[("charter.yaml", root), ("slack.yaml", "teams: [a]\n")]);
    let own = of(ROOT);
    assert_eq!(codes_of(&own), ["config/wrong-type"]);
    let base = load_for(own.path(), Side::Base, &Environment::default()).unwrap();
    assert_eq!(people(&base), [""; 0]);
    let excluded = of("version: 1\nread: {exclude: [slack.yaml]}\n");
    assert_eq!(errors(&excluded), [""; 0]);
}
