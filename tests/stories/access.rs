//! What access means: grants that the API hides, the key that charter runs with, and keys made behind a reviewed plan.

use orgcharter::sandbox::switches::BillingGrants;

use crate::support::{KEY, Run, Served, Story, read};

/// A path below the project.
fn example(name: &str) -> String {
    format!("{}/examples/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The example of the billing grant, served.
fn billing() -> (Served, Story, String) {
    let served = Served::start(&read(example("billing-grant.live.yaml").as_ref()));
    let story = Story::new().to(&served.url());
    (served, story, example("billing-grant"))
}

const STEP: &str = "workspace_member/Production/dot@acme.com";

fn apply(story: &Story, folder: &str, more: &[&str]) -> Run {
    let journal = story.path("journal.jsonl");
    let _ = std::fs::remove_file(&journal);
    let base = ["apply", folder, "--yes", "--journal", journal.to_str().unwrap()];
    story.run(&[&base, more].concat())
}

#[test]
fn the_billing_grant_is_sent_when_its_step_is_named_and_never_again_by_itself() {
    let (served, story, folder) = billing();
    for _ in 0..2 {
        let run = apply(&story, &folder, &[]);
        assert_eq!(run.code, Some(0), "{run:?}");
        assert!(run.stdout.contains("by hand: 1"), "{run:?}");
        assert!(run.stdout.replace("\n             ", " ").contains(STEP), "{run:?}");
        assert!(
            run.stderr.contains("no grant of `eli@acme.com` in `Production` is shown"),
            "{run:?}"
        );
    }
    assert_eq!(served.calls(), Vec::<String>::new());

    let run = apply(&story, &folder, &["--only", STEP, "--verify"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.contains("accepted, cannot be seen"), "{run:?}");
    assert_eq!(served.calls().len(), 1);
    apply(&story, &folder, &[]);
    assert_eq!(served.calls().len(), 1);
}

#[test]
fn the_billing_grant_is_sent_by_the_change_that_first_wants_it() {
    let (served, story, folder) = billing();
    let wanted = read(format!("{folder}/charter.yaml").as_ref());
    let before = wanted.replace("      dot@acme.com: workspace_admin\n", "");
    std::fs::create_dir(story.path(".before")).unwrap();
    story.write(".before/charter.yaml", &before);
    story.write("charter.yaml", &wanted);
    let base = story.path(".before/charter.yaml");
    let against = ["--base-path", base.to_str().unwrap()];
    let run = apply(&story, "charter.yaml", &against);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(served.calls().len(), 1, "{run:?}");
    // Held against itself, nothing is new.
    let same = story.path("charter.yaml");
    let run = apply(&story, "charter.yaml", &["--base-path", same.to_str().unwrap()]);
    assert_eq!((run.code, served.calls().len()), (Some(0), 1), "{run:?}");
}

#[test]
fn a_billing_grant_that_is_shown_is_revoked_and_one_that_is_not_there_is_made() {
    for shown in [BillingGrants::Listed, BillingGrants::Member] {
        let (served, story, folder) = billing();
        served.sandbox().with(|state| {
            state.switches.billing_grants = shown;
            // What the list hides is looked for only where the files want it.
            if shown == BillingGrants::Member {
                state.set_grant("Production", "dot@acme.com", "workspace_admin");
            }
        });
        let run = apply(&story, &folder, &["--verify"]);
        assert_eq!(run.code, Some(0), "{run:?}");
        let left = served.sandbox().with(|state| {
            ["dot@acme.com", "eli@acme.com"]
                .map(|who| state.granted("Production", who).map(str::to_owned))
        });
        let admin = || Some("workspace_admin".to_owned());
        match shown {
            BillingGrants::Listed => assert_eq!(left, [admin(), None], "{run:?}"),
            _ => assert_eq!((left, served.calls().len()), ([admin(), admin()], 0), "{run:?}"),
        }
    }
}

/// An organization whose credential is a personal key of walt's.
const WALTS: &str = "\
organization: {id: 3f0c1b1e-0000-4000-8000-000000000000, name: Acme}
credentials: {organization_keys: [sk-ant-api03-walt-0123456789-abcdefghij]}
users:
  - {email: ada@acme.com, role: admin}
  - {email: walt@acme.com, role: developer, id: user_01walt}
  - {email: bea@acme.com, role: developer}
api_keys:
  - {name: walt-laptop, scope: organization, principal: walt@acme.com, created_by: walt@acme.com, partial_key_hint: sk-ant-api03-walt...ghij}
";

#[test]
fn whoever_leaves_with_the_key_that_charter_runs_with_is_left_to_a_person() {
    for walt in ["", "  walt@acme.com: {role: developer, until: 2026-01-31}\n"] {
        let served = Served::start(WALTS);
        let story = Story::with(&format!(
            "version: 1\norganization: {{id: 3f0c1b1e-0000-4000-8000-000000000000}}\n\
             manage: {{members: remove}}\nmembers:\n  ada@acme.com: admin\n{walt}"
        ))
        .env("ANTHROPIC_BASE_URL", &served.url())
        .env("ANTHROPIC_API_KEY", "sk-ant-api03-walt-0123456789-abcdefghij");
        let run = apply(&story, "charter.yaml", &[]);
        assert_eq!(run.code, Some(0), "{run:?}");
        let text = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("the key charter runs with now"), "{run:?}");
        assert_eq!(served.calls().len(), 1, "only bea is removed: {:?}", served.calls());
        served.sandbox().with(|state| assert!(state.user("walt@acme.com").is_some()));
    }
}

#[test]
fn a_key_made_after_the_review_makes_the_archive_stale() {
    let served = Served::start(
        "organization: {id: 3f0c1b1e-0000-4000-8000-000000000000, name: Acme}
credentials: {admin_keys: [sk-ant-admin01-right-0123456789-abcdefghij]}
users: [{email: ada@acme.com, role: admin}]
workspaces: [{name: Old, id: wrkspc_01old}]
api_keys: [{name: ci, workspace: Old}]
",
    );
    let story = Story::with(
        "version: 1
organization: {id: 3f0c1b1e-0000-4000-8000-000000000000}
guard: {archives: 1}
workspaces: {Old: {id: wrkspc_01old, state: archived}}
",
    )
    .env("ANTHROPIC_BASE_URL", &served.url())
    .env("ANTHROPIC_ADMIN_KEY", KEY);
    let run = story.run(&["plan", "charter.yaml", "--out", "plan.json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let plan: orgcharter::plan::Plan =
        serde_json::from_str(&read(&story.path("plan.json"))).unwrap();
    let ack = plan.acknowledgement.unwrap().digest;
    served.sandbox().with(|state| state.add_api_key("later", Some("Old")).unwrap());
    let run = apply(&story, "plan.json", &["--ack", &ack]);
    let (error, help) = run.one_message(4);
    assert!(error.contains("the plan is stale: the key `later`"), "{error}");
    assert_eq!(help, "make a new plan, review it, and apply that");
    // The old digest does not stand for the new key either.
    let run = apply(&story, "charter.yaml", &["--ack", &ack]);
    assert_eq!(run.code, Some(4), "{run:?}");
    assert_eq!(served.calls(), Vec::<String>::new());
}
