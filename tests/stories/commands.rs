//! Commands whose output is not for reading: scripts, schemas, JSON, and a server.

use std::io::{BufRead as _, BufReader};

use serde_json::Value;

use crate::support::{FILE, SEED, Served, Story, ended, read};

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = Story::new().run(&["completions", shell]);
        assert_eq!(run.code, Some(0), "{run:?}");
        for command in ["validate", "plan", "apply", "drift", "diff", "import", "access", "sandbox"]
        {
            assert!(run.stdout.contains(command), "{shell}: {command}");
        }
    }
}

/// What bash offers after an option of a command.
fn offered(script: &str, command: &str, option: &str) -> String {
    let (_, of) = script.split_once(&format!("\n        charter__{command})")).unwrap();
    let (_, of) = of.split_once(&format!("\n                {option})")).unwrap();
    of.split_once(";;").unwrap().0.to_owned()
}

#[test]
fn completions_offer_files_for_paths_alone() {
    let script = Story::new().run(&["completions", "bash"]).stdout;
    let script = script.replace("subcmd__", "");
    for option in ["--only", "--allow", "--rev"] {
        let offered = offered(&script, "plan", option);
        assert!(!offered.contains("compgen -f"), "{option}: {offered}");
    }
    assert!(offered(&script, "plan", "--metrics-file").contains("compgen -f"));
    // A command follows it, or the end: its value needs `=`.
    assert!(!script.contains("                --sandbox)"), "{script}");
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let story = Story::new();
    let page = story.run(&["man"]);
    // Name, section, date, version, manual: a reader takes them by their place.
    let title = format!(".TH charter 1 \" \" \"charter {}\" charter\n", env!("CARGO_PKG_VERSION"));
    assert!(page.stdout.contains(&title), "{page:?}");
    assert_eq!(story.run(&["man", "--out", "man"]).code, Some(0));
    let pages: Vec<_> = std::fs::read_dir(story.path("man")).unwrap().collect();
    assert_eq!(pages.len(), 13, "{pages:?}");
    assert!(read(&story.path("man/charter-apply.1")).contains("journal"));
}

#[test]
fn every_schema_is_one() {
    for which in
        [&["schema"][..], &["schema", "charter"], &["schema", "plan"], &["schema", "journal"]]
    {
        let run = Story::new().run(which);
        let schema: Value = serde_json::from_str(&run.stdout).unwrap();
        assert!(jsonschema::meta::validate(&schema).is_ok(), "{which:?}");
    }
}

#[test]
fn a_plan_and_its_journal_fit_their_schemas() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    let schema = |which: &str| {
        let schema: Value = serde_json::from_str(&story.run(&["schema", which]).stdout).unwrap();
        jsonschema::validator_for(&schema).unwrap()
    };
    let plan = story.run(&["plan", "--format", "json", "--out", "plan.json"]);
    assert_eq!(plan.stdout, read(&story.path("plan.json")));
    assert!(schema("plan").is_valid(&serde_json::from_str(&plan.stdout).unwrap()));
    story.run(&["apply", "plan.json", "--yes", "--journal", "journal.jsonl"]);
    let (journal, schema) = (read(&story.path("journal.jsonl")), schema("journal"));
    assert_eq!(journal.lines().count(), 6, "{journal}");
    for line in journal.lines() {
        assert!(schema.is_valid(&serde_json::from_str(line).unwrap()), "{line}");
    }
}

#[test]
fn a_comparison_as_json_has_rules_changes_and_access() {
    let story = Story::new();
    story.write(
        "new.yaml",
        &FILE.replace("cy@acme.com: user", "cy@acme.com: {role: developer, until: 2099-01-01}"),
    );
    let run = story.run(&["diff", "charter.yaml", "new.yaml", "--format", "json"]);
    let value: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(value.pointer("/rules/0/rule").unwrap(), "members.cy@acme.com.until");
    assert_eq!(value.pointer("/changes/0/change/fields/0/after").unwrap(), "developer");
    assert_eq!(value.pointer("/access/0/after/role").unwrap(), "developer");
}

#[test]
fn colours_are_for_terminals_unless_they_are_asked_for() {
    let story = Story::new();
    let plan = ["plan", "--sandbox"];
    assert!(!story.run(&plan).stdout.contains('\u{1b}'));
    assert!(story.run(&["plan", "--sandbox", "--color", "always"]).stdout.contains('\u{1b}'));
    let never = story.run(&["plan", "--sandbox", "--color", "never"]);
    assert_eq!(never.stdout, story.run(&plan).stdout);
    // What colours say, words say too.
    let shown = story.run(&["plan", "--sandbox", "--color", "always"]).stdout;
    assert_eq!(anstream::adapter::strip_str(&shown).to_string(), never.stdout);
}

#[test]
fn an_imported_organization_plans_to_nothing_and_is_not_written_over() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    let run = story.run(&["import", "--out", "live.yaml"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let plan = story.run(&["plan", "live.yaml", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(0), "{plan:?}");
    assert!(plan.stdout.contains("plan: nothing to do"), "{plan:?}");
    let (error, _) = story.run(&["import", "--out", "live.yaml"]).one_message(3);
    assert!(error.contains("exists"), "{error}");
    let entries = served.sandbox().log();
    let reads = entries.reads();
    assert!(reads.values().all(|number| *number <= 4), "{reads:?}");
}

#[test]
fn a_served_sandbox_says_where_it_is_and_which_key_it_takes() {
    let story = Story::new();
    story.write("seed.yaml", SEED);
    let mut child = story.command(&["sandbox", "--seed", "seed.yaml", "-q"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut value = |name: &str| {
        let line = lines.next().unwrap().unwrap();
        line.strip_prefix(&format!("export {name}=")).unwrap().to_owned()
    };
    let url = value("ANTHROPIC_BASE_URL");
    let key = value("ANTHROPIC_ADMIN_KEY");
    // The variable that the official SDKs read.
    assert_eq!(value("ANTHROPIC_API_KEY"), key);
    let story = story.env("ANTHROPIC_BASE_URL", &url).env("ANTHROPIC_ADMIN_KEY", &key);
    let plan = story.run(&["plan"]);
    assert_eq!(plan.code, Some(0), "{plan:?}");
    assert!(plan.stdout.contains("plan: 1 to create, 1 to update"), "{plan:?}");
    let stopped = std::process::Command::new("kill").arg(child.id().to_string()).status();
    assert!(stopped.unwrap().success());
    assert_eq!(ended(child.wait_with_output().unwrap()).code, Some(0));
}

#[test]
fn a_sandbox_listens_on_loopback_only() {
    let (error, help) = Story::new().run(&["sandbox", "--listen", "0.0.0.0:0"]).one_message(3);
    assert!(error.contains("loopback"), "{error}");
    assert!(help.contains("127.0.0.1:0"), "{help}");
}

#[test]
fn a_sandbox_never_sees_a_real_credential() {
    let story = Story::new().env("ANTHROPIC_ADMIN_KEY", crate::support::KEY);
    let run = story.run(&["plan", "--sandbox"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("the sandbox's key"), "{run:?}");
    let both = story.run(&["plan", "--sandbox", "--base-url", "https://api.acme.com"]);
    assert_eq!(both.code, Some(3), "{both:?}");
}

#[test]
fn an_ignore_past_its_date_is_drift_and_still_protects() {
    let served = Served::start(&format!("{SEED}  - {{email: sue@vendor.com, role: user}}\n"));
    let file = "\
version: 1
organization: {id: 3f0c1b1e-0000-4000-8000-000000000000}
members: {ada@acme.com: admin, bob@acme.com: user}
manage:
  members: remove
  ignore:
    - {members: \"*@vendor.com\", reason: support, until: 2020-06-30}
";
    let story = Story::with(file).to(&served.url());
    let run = story.run(&["drift"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stdout.contains("plan: nothing to do"), "{run:?}");
    assert!(run.stdout.contains("drift: 1 past the `until` of `manage.ignore`"), "{run:?}");
    assert!(run.stderr.contains("charter.yaml:7"), "the entry is shown: {run:?}");
}
