//! Saved plans: applied as reviewed, or refused by the fact that changed.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::{SEED, Served, Story, read};

#[test]
fn a_saved_plan_is_applied_with_exactly_its_calls_and_leaves_a_journal() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    let saved = story.run(&["plan", "--out", "plan.json"]);
    assert_eq!(saved.code, Some(0), "{saved:?}");
    assert!(saved.stderr.contains("charter apply --plan plan.json"), "{saved:?}");
    let mode = std::fs::metadata(story.path("plan.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let applied = story.run(&["apply", "plan.json", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied:?}");
    // Steps of one kind run side by side, so which of the two arrives first is not said.
    let mut calls = served.calls();
    calls.sort();
    assert_eq!(
        calls,
        [
            r#"POST /v1/organizations/invites {"email":"cy@acme.com","role":"user"}"#,
            r#"POST /v1/organizations/users/user_01bob {"role":"developer"}"#,
        ]
    );
    let journals = story.journals();
    let [journal] = &journals[..] else { panic!("{journals:?}") };
    assert!(applied.stderr.contains(&format!("journal: {}\n", journal.display())), "{applied:?}");
    assert_eq!(story.made(), ["plan.json"], "nothing of it is in the work tree");

    let again = story.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(again.stdout.contains("plan: nothing to do"), "{again:?}");
}

#[test]
fn a_plan_is_refused_by_the_fact_that_changed() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    story.run(&["plan", "--out", "plan.json"]);
    served.sandbox().with(|state| state.set_role("bob@acme.com", "billing"));
    let (error, help) = story.run(&["apply", "plan.json", "--yes"]).one_message(4);
    assert!(error.contains("the plan is stale"), "{error}");
    assert!(error.contains("`bob@acme.com`") && error.contains("billing"), "{error}");
    assert!(help.contains("new plan"), "{help}");
    assert_eq!(served.calls(), Vec::<String>::new());
}

#[test]
fn a_change_that_the_plan_does_not_rest_on_does_not_refuse_it() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    story.run(&["plan", "--out", "plan.json"]);
    served.sandbox().with(|state| state.add_user("dee@acme.com", "developer"));
    assert_eq!(story.run(&["apply", "plan.json", "--yes"]).code, Some(0));
}

#[test]
fn an_edited_plan_is_refused() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    story.run(&["plan", "--out", "plan.json"]);
    let plan = read(&story.path("plan.json"));
    story.write("other.json", &plan.replace("user_01bob", "user_01ada"));
    let (error, _) = story.run(&["apply", "other.json", "--yes"]).one_message(4);
    assert!(error.contains("stale") || error.contains("edited"), "{error}");
    story.write("newer.json", &plan.replace("\"format_version\": 2", "\"format_version\": 9"));
    let (error, _) = story.run(&["apply", "newer.json", "--yes"]).one_message(3);
    assert!(error.contains("format_version is 9"), "{error}");
    // What the version before has saved.
    story.write("old.json", &plan.replace("\"format_version\": 2", "\"format_version\": 1"));
    let (error, help) = story.run(&["apply", "old.json", "--yes"]).one_message(3);
    let why = "its format_version is 1, and this charter reads 2";
    assert!(error.contains(why), "{error}");
    assert!(help.contains("make a new plan with `charter plan --out FILE`"), "{help}");
    story.write("none.json", "{\"a\": 1}");
    let (error, _) = story.run(&["apply", "none.json", "--yes"]).one_message(3);
    assert!(error.contains("no saved plan"), "{error}");
    assert_eq!(served.calls(), Vec::<String>::new());
}

#[test]
fn guards_hold_for_a_saved_plan_too() {
    let leavers: String = (0..12)
        .map(|number| format!("  - {{email: leaver{number}@acme.com, role: user}}\n"))
        .collect();
    let served = Served::start(&format!("{SEED}{leavers}"));
    let file = format!("{}manage: {{members: remove}}\n", crate::support::FILE);
    let story = Story::with(&file).to(&served.url());
    let plan = story.run(&["plan", "--out", "plan.json"]);
    assert_eq!(plan.code, Some(4), "{plan:?}");
    assert!(plan.stdout.contains("- remove leaver0@acme.com"), "{plan:?}");
    assert!(plan.stdout.contains("--allow removals.members=12"), "{plan:?}");
    assert!(plan.stderr.contains("a guard refuses this plan: removals.members"), "{plan:?}");

    assert_eq!(story.run(&["apply", "plan.json", "--yes"]).code, Some(4));
    let wrong = story.run(&["apply", "plan.json", "--yes", "--allow", "removals.members=11"]);
    assert_eq!(wrong.code, Some(4), "{wrong:?}");
    assert!(wrong.stderr.contains("is not its count, 12"), "{wrong:?}");
    assert_eq!(served.calls(), Vec::<String>::new());

    // Whoever approves the plan sees that a guard was passed, and whoever applies it what was passed when.
    let each = "removals.members=12 (the limit is 1)";
    let allow = ["plan", "--out", "plan.json", "--allow", "removals.members=12"];
    let plan = story.run(&allow);
    let first = format!("guards passed with `--allow`: {each}");
    assert_eq!((plan.code, plan.stdout.lines().next()), (Some(0), Some(&*first)), "{plan:?}");
    let refused = story.run(&["apply", "plan.json", "--yes"]);
    let first = |then: &str, now: &str| {
        format!("guards passed with `--allow`: when the plan was saved: {then}; now: {now}")
    };
    let wanted = first(each, "none");
    assert_eq!((refused.code, refused.stdout.lines().next()), (Some(4), Some(&*wanted)));

    let allow = ["apply", "plan.json", "--yes", "--allow", "removals.members=12"];
    let applied = story.run(&allow);
    assert_eq!(applied.code, Some(0), "{applied:?}");
    assert_eq!(applied.stdout.lines().next(), Some(&*first(each, each)));
    assert_eq!(served.calls().len(), 14);
    let journal = story.journals().pop().unwrap();
    assert!(read(&journal).contains(r#""guard":"removals.members""#));
}

#[test]
fn a_journal_is_never_written_over() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    story.write("mine.jsonl", "kept\n");
    let run = story.run(&["apply", "--yes", "--journal", "mine.jsonl"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert_eq!(read(&story.path("mine.jsonl")), "kept\n");
    assert_eq!(served.calls(), Vec::<String>::new());
}

#[test]
fn what_only_a_person_can_do_is_no_failure_of_the_check_afterwards() {
    let story = Story::with(
        "\
version: 1
organization: {id: 3f0c1b1e-0000-4000-8000-000000000000}
members: {ada@acme.com: admin, b.ob@acme.com: user, bob@acme.com: user}
",
    );
    story.write(
        "live.yaml",
        "\
organization: {id: 3f0c1b1e-0000-4000-8000-000000000000}
users: [{email: ada@acme.com, role: admin}, {email: b.ob@acme.com, role: user}]
switches: {address_matching: variants}
",
    );
    let run = story.run(&["apply", "--yes", "--sandbox=live.yaml"]);
    assert!(
        run.stdout.contains("planned once more: nothing is left to apply; 1 by hand"),
        "{run:?}"
    );
    assert_eq!(run.code, Some(0), "{run:?}");
}

#[test]
fn a_mistyped_only_is_no_silent_success() {
    let story = Story::new();
    story.write("live.yaml", SEED);
    let run = story.run(&["plan", "--sandbox=live.yaml", "--only", "members/*"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stderr.contains("did you mean `member/*`?"), "{run:?}");
    let run = story.run(&["plan", "--sandbox=live.yaml", "--only", "member/nobody@*"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("plan: nothing of what `--only` selects"), "{run:?}");
    assert!(run.stderr.contains("no step of the plan matches `--only member/nobody@*`"), "{run:?}");
}

#[test]
fn access_tells_the_kind_of_organization_by_its_people() {
    let story = Story::new();
    story.write(
        "live.yaml",
        "organization: {kind: enterprise}\nusers: [{email: ada@acme.com, role: owner}]\n",
    );
    let run = story.run(&["access", "--sandbox=live.yaml"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("ada@acme.com"), "{run:?}");
    story.write("aws.yaml", "organization: {kind: aws}\nswitches: {me_elsewhere: missing}\n");
    let run = story.run(&["access", "--sandbox=aws.yaml"]);
    assert!(run.code == Some(1) && run.stderr.contains("`--kind`"), "{run:?}");
    assert_eq!(story.run(&["access", "--kind", "aws", "--sandbox=aws.yaml"]).code, Some(0));
}
