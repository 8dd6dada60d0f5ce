//! What is read: the whole folder by default, nothing that may belong to it passed over, and an upgrade that can be
//! reviewed.
//!
//! Invariant: each story looks at what the real binary does, with Git where a repository is meant.

use crate::{
    repository::flowing,
    support::{ID, Run, Served, Story, read},
};

/// A root that removes whoever no file names.
const ROOT: &str = "\
version: 1
organization: {id: 3f0c1b1e-0000-4000-8000-000000000000}
members: {ada@acme.com: admin, bea@acme.com: admin}
manage: {members: remove}
guard: {removals: {members: 5}}
";

const ENG: &str = "members: {joe.doe@acme.com: developer, kim@acme.com: user}\n";

const LIVE: &str = "\
organization: {id: 3f0c1b1e-0000-4000-8000-000000000000, name: Acme}
credentials: {admin_keys: [sk-ant-admin01-right-0123456789-abcdefghij]}
users:
  - {email: ada@acme.com, role: admin}
  - {email: bea@acme.com, role: admin}
  - {email: joe.doe@acme.com, role: developer, id: user_01joe}
  - {email: kim@acme.com, role: user, id: user_01kim}
workspaces:
  - {name: Models, id: wrkspc_01models, members: {kim@acme.com: workspace_developer}}
";

/// A story with files in folders.
fn files(files: &[(&str, &str)]) -> Story {
    let story = Story::with(ROOT).with_git();
    for (name, text) in files {
        put(&story, name, text);
    }
    story
}

fn put(story: &Story, name: &str, text: &str) {
    std::fs::create_dir_all(story.path(name).parent().unwrap()).unwrap();
    story.write(name, text);
}

fn said(run: &Run) -> String {
    flowing(&format!("{} {}", run.stdout, run.stderr))
}

#[test]
fn without_a_path_every_command_reads_the_folder_and_removes_nobody_of_another_file() {
    let served = Served::start(LIVE);
    let story = files(&[("people/eng.yaml", ENG)]).to(&served.url());
    for path in [None, Some("charter.yaml"), Some("."), Some("./charter.yaml")] {
        let run = |words: &[&str]| {
            let words: Vec<&str> = words.iter().copied().chain(path).collect();
            story.run(&words)
        };
        let valid = run(&["validate"]);
        assert!(valid.stdout.contains("4 members"), "{path:?}: {valid:?}");
        let plan = run(&["plan"]);
        assert!(plan.stdout.contains("nothing to do"), "{path:?}: {plan:?}");
        assert_eq!(run(&["drift"]).code, Some(0), "{path:?}");
        let apply = run(&["apply", "--yes"]);
        assert_eq!(apply.code, Some(0), "{path:?}: {apply:?}");
    }
    assert_eq!(served.calls(), [""; 0]);
    let access = story.run(&["access", "--offline"]);
    assert!(access.stdout.contains("kim@acme.com"), "{access:?}");
    let policy = story.run(&["policy"]);
    assert_eq!(policy.code, Some(0), "{policy:?}");
}

#[test]
fn a_file_of_another_name_stands_alone() {
    let story = files(&[("people/eng.yaml", ENG), ("alone/acme.yaml", ROOT)]);
    let run = story.run(&["validate", "alone/acme.yaml"]);
    assert!(run.stdout.contains("2 members"), "{run:?}");
}

#[test]
fn revisions_are_compared_as_folders_too() {
    let story = files(&[("people/eng.yaml", ENG)]);
    story.git(&["init", "--quiet", "--initial-branch=main"]);
    story.commit("Start");
    put(&story, "people/eng.yaml", "members: {joe.doe@acme.com: developer}\n");
    story.commit("Kim leaves");
    for path in [&["--", "charter.yaml"][..], &["--", "."], &[]] {
        let arguments: Vec<&str> = ["diff", "HEAD~1..HEAD"].iter().chain(path).copied().collect();
        let run = story.run(&arguments);
        assert_eq!(run.code, Some(0), "{run:?}");
        assert!(run.stdout.contains("kim@acme.com"), "{path:?}: {run:?}");
        assert!(!run.stdout.contains("joe.doe"), "{path:?}: {run:?}");
    }
}

#[test]
fn a_sandbox_state_given_as_the_files_is_told_how_to_be_given() {
    let story = files(&[("live/acme.yaml", LIVE)]);
    for words in [&["plan", "--sandbox", "live/acme.yaml"][..], &["validate", "live/acme.yaml"]] {
        let run = story.run(words);
        assert_eq!(run.code, Some(3), "{run:?}");
        assert!(run.stderr.contains("config/sandbox-state"), "{run:?}");
        assert!(run.stderr.contains("--sandbox=FILE"), "{run:?}");
    }
    // Beside the files it is no part of them, and nobody is removed for it.
    put(&story, "live.yaml", LIVE);
    let run = story.run(&["plan", "--sandbox=live.yaml", "charter.yaml"]);
    assert!(said(&run).contains("are the state of a sandbox"), "{run:?}");
}

#[test]
fn files_as_json_are_files_and_a_saved_plan_is_a_plan_in_every_command() {
    let served = Served::start(LIVE);
    let story = files(&[("people/eng.yaml", ENG)]).to(&served.url());
    let json = format!(
        r#"{{"version": 1, "organization": {{"id": "{ID}"}}, "members": {{"ada@acme.com": "admin", "bea@acme.com": "admin"}}}}"#
    );
    put(&story, "json/org.json", &json);
    for words in
        [&["validate"][..], &["policy"], &["plan"], &["apply", "--yes"], &["diff", "json/org.json"]]
    {
        let words: Vec<&str> = words.iter().copied().chain(["json/org.json"]).collect();
        let run = story.run(&words);
        assert_eq!(run.code, Some(0), "{words:?}: {run:?}");
    }
    std::fs::remove_dir_all(story.path("json")).unwrap();
    let out = story.path("saved.plan");
    let out = out.to_str().unwrap();
    assert_eq!(story.run(&["plan", "--out", out]).code, Some(0));
    std::fs::rename(out, story.path("plan.json")).unwrap();
    assert_eq!(story.run(&["policy", "plan.json"]).code, Some(0));
    assert_eq!(story.run(&["apply", "plan.json", "--yes"]).code, Some(0));
    let run = story.run(&["validate", "plan.json"]);
    assert!(run.stderr.contains("config/saved-plan"), "{run:?}");
    // A plan beside the files is no part of them.
    assert_eq!(story.run(&["validate"]).code, Some(0));
    // Half a plan is no organization.
    let half = &read(&story.path("plan.json"))[..40];
    put(&story, "half.json", half);
    for command in ["policy", "apply"] {
        let run =
            story.run(&[command, "half.json", "--yes"][..if command == "apply" { 3 } else { 2 }]);
        assert_eq!(run.code, Some(3), "{run:?}");
        assert!(run.stderr.contains("plan"), "{run:?}");
    }
}

#[test]
fn where_plans_are_sealed_json_that_is_no_plan_is_not_applied() {
    let served = Served::start(LIVE);
    let story = files(&[]).to(&served.url()).env("CHARTER_PLAN_KEY", &"k".repeat(40));
    put(&story, "json/org.json", "{\"version\": 1, \"members\": {}}");
    let run = story.run(&["apply", "json/org.json", "--yes"]);
    assert_ne!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.contains("the plan is refused"), "{run:?}");
    assert_eq!(served.calls(), [""; 0]);
}

/// A repository of a product, with a chart, a compose file and another organization's files below.
fn product() -> Vec<(&'static str, &'static str)> {
    vec![
        ("compose.yaml", "services: {web: {image: nginx}}\n"),
        ("charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
        (
            "charts/web/templates/web.yaml",
            "kind: Service\nmetadata: {name: {{ .Values.name }}}\n---\nkind: Pod\n",
        ),
        ("charts/web/values.yaml", "# nothing\n"),
        ("clients/beta/charter.yaml", "version: 1\nmembers: {}\n"),
        ("clients/beta/people.yaml", "members: {eve@beta.com: user}\n"),
    ]
}

/// As a new user would: import into a folder of its own, plan, split, plan, apply.
#[test]
fn a_first_import_into_a_folder_of_its_own_is_split_and_applied_beside_other_yaml() {
    let served = Served::start(LIVE);
    let story = Story::new().with_git().to(&served.url());
    std::fs::remove_file(story.path("charter.yaml")).unwrap();
    for (name, text) in product() {
        put(&story, name, text);
    }
    std::fs::create_dir(story.path("org")).unwrap();
    assert_eq!(story.run(&["import", "--out", "org/charter.yaml"]).code, Some(0));
    // At the top there is no root, and the message says where one is.
    let run = story.run(&["plan"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(said(&run).contains("has no `charter.yaml`"), "{run:?}");
    assert!(said(&run).contains("give the folder that has one, as `org`"), "{run:?}");
    let run = story.run(&["plan", "org"]);
    assert!(run.stdout.contains("nothing to do"), "{run:?}");

    // Split: people and workspaces into folders of their own.
    let text = read(&story.path("org/charter.yaml"));
    let section = |name: &str| {
        let start = text.find(&format!("\n{name}:\n")).unwrap() + 1;
        let rest = &text[start..];
        let end = rest.find("\n\n").map_or(rest.len(), |end| end + 1);
        rest[..end].to_owned()
    };
    let (people, workspaces) = (section("members"), section("workspaces"));
    put(&story, "org/charter.yaml", &text.replace(&people, "").replace(&workspaces, ""));
    put(&story, "org/people/all.yaml", &people);
    put(&story, "org/workspaces/all.yaml", &workspaces);
    for path in ["org", "org/charter.yaml"] {
        let run = story.run(&["plan", path]);
        assert!(run.stdout.contains("nothing to do"), "{path}: {run:?}");
    }
    let run = story.run(&["apply", "org", "--yes"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(served.calls(), [""; 0]);
}

/// The same at the top of the repository: each finding says what to write, and then it plans to nothing.
#[test]
fn beside_other_yaml_the_findings_say_what_to_write_and_that_is_enough() {
    let served = Served::start(LIVE);
    let story = files(&product()).to(&served.url());
    put(&story, "people/eng.yaml", ENG);
    std::fs::remove_file(story.path("charts/web/values.yaml")).unwrap();
    let run = story.run(&["plan"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    let text = said(&run);
    assert_eq!(text.matches("config/foreign-file").count(), 1, "{text}");
    assert_eq!(text.matches("config/nested-root").count(), 1, "{text}");
    // A second `read:` would be a key that stands twice.
    let read = r#"read: {exclude: ["charts/**", "clients/beta/**", "compose.yaml"]}"#;
    assert_eq!(text.matches(read).count(), text.matches("read: {").count(), "{text}");
    assert_eq!(text.matches(read).count(), 2, "{text}");
    let read = format!("{read}\n");
    put(&story, "charter.yaml", &format!("{ROOT}{read}"));
    let run = story.run(&["plan"]);
    assert!(run.stdout.contains("nothing to do"), "{run:?}");
    assert!(!run.stderr.contains("config/"), "{run:?}");
    // Or by what is read.
    let read = "read: {include: [\"people/**\"], exclude: [\"clients/**\"]}\n";
    put(&story, "charter.yaml", &format!("{ROOT}{read}"));
    assert!(story.run(&["plan"]).stdout.contains("nothing to do"));
}

/// The build before read only the root file by default, and had nothing against what lies beside it.
#[test]
fn a_pull_request_that_mends_what_is_newly_an_error_passes_its_review() {
    let story = files(&product());
    put(&story, "people/eng.yaml", ENG);
    put(&story, "people/more.Yaml", "members: {lee@acme.com: user}\n");
    put(&story, "charter.yml", "members: {max@acme.com: user}\n");
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc", story.path("elsewhere")).unwrap();
    story.git(&["init", "--quiet", "--initial-branch=main"]);
    story.commit("As the build before accepted it");
    let before = story.run(&["validate", "--rev", "main"]);
    assert_eq!(before.code, Some(3), "{before:?}");

    story.git(&["checkout", "--quiet", "-b", "topic"]);
    let read =
        "read: {exclude: [\"charts/**\", \"compose.yaml\", \"clients/**\", \"elsewhere\"]}\n";
    put(&story, "charter.yaml", &format!("{ROOT}{read}"));
    std::fs::rename(story.path("people/more.Yaml"), story.path("people/more.yaml")).unwrap();
    std::fs::rename(story.path("charter.yml"), story.path("people/max.yaml")).unwrap();
    story.commit("Say what is read");
    for path in [".", "charter.yaml"] {
        let run = story.run(&["validate", "--rev", "topic", path]);
        assert_eq!(run.code, Some(0), "{run:?}");
        let run = story.run(&["policy", "--rev", "topic", "--base-rev", "main", path]);
        assert_eq!(run.code, Some(0), "{run:?}");
        let run = story.run(&["diff", "main...topic", "--", path]);
        assert_eq!(run.code, Some(0), "{run:?}");
        assert!(said(&run).contains("read.exclude"), "{run:?}");
    }
    let served = Served::start(LIVE);
    let story = story.to(&served.url());
    let run = story.run(&["plan", "--base-rev", "main"]);
    assert_eq!(run.code, Some(0), "{run:?}");
}

#[test]
fn what_an_exclude_leaves_out_is_counted_in_the_review() {
    let story = files(&[("people/eng.yaml", ENG)]);
    story.git(&["init", "--quiet", "--initial-branch=main"]);
    story.commit("Start");
    put(&story, "charter.yaml", &format!("{ROOT}read: {{exclude: [\"people/**\"]}}\n"));
    story.commit("Leave people out");
    let run = story.run(&["diff", "HEAD~1..HEAD"]);
    let text = said(&run);
    assert!(
        text.contains("read.exclude: (not set) -> [people/**], 2 entries are no longer read"),
        "{text}"
    );
}

/// Entries that Git has and a sparse checkout leaves out would be removed.
#[test]
fn a_sparse_checkout_is_incomplete() {
    let story = files(&[("people/eng.yaml", ENG), ("other/x.txt", "x")]);
    story.git(&["init", "--quiet", "--initial-branch=main"]);
    story.commit("Start");
    story.git(&["sparse-checkout", "set", "other"]);
    assert!(!story.path("people/eng.yaml").exists());
    let run = story.run(&["validate"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stderr.contains("config/not-checked-out"), "{run:?}");
    assert!(run.stderr.contains("people/eng.yaml"), "{run:?}");
    // The revision has it all.
    let run = story.run(&["validate", "--rev", "HEAD"]);
    assert!(run.stdout.contains("4 members"), "{run:?}");
}
