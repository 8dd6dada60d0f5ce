//! Workspaces that take each other's names, where two may have one name and where they may not.
//!
//! Invariant: one apply is enough wherever there is an order that works; where there is none, the plan says so first.

use crate::{
    repository::{flowing, shows},
    support::{Run, Served, Story},
};

const LIVE: &str = "\
organization: {id: 3f0c1b1e-0000-4000-8000-000000000000, name: Acme}
credentials: {admin_keys: [sk-ant-admin01-right-0123456789-abcdefghij]}
users:
  - {email: ada@acme.com, role: admin}
workspaces:
  - {name: Blue, id: wrkspc_01blue}
  - {name: Green, id: wrkspc_01green}
";

const UNIQUE: &str = "switches: {workspace_names: unique_active}\n";
const SWAP: &str = "  Blue: {id: wrkspc_01green}\n  Green: {id: wrkspc_01blue}\n";

fn files(workspaces: &str) -> String {
    format!(
        "version: 1\norganization: {{id: 3f0c1b1e-0000-4000-8000-000000000000}}\nworkspaces:\n{workspaces}"
    )
}

/// That the plan of a swap warns, at both entries, and says what to do.
#[track_caller]
fn warns(run: &Run) {
    let said = flowing(&run.stderr);
    for part in [
        "warning[plan/names-in-a-circle]: workspaces pass the names `Blue`, `Green` on in a circle",
        "--> charter.yaml:4:3",
        "----- in the same circle",
        "give one of them a name that nobody has (`name:`), apply, then give it `Blue`, and apply again",
    ] {
        assert!(said.contains(part), "`{part}` is not in:\n{}", run.stderr);
    }
}

#[test]
fn a_name_is_freed_before_it_is_taken() {
    // The first has to be sent again: what waits for it must not pass it meanwhile.
    let faults = "faults: [{on: \"POST /v1/organizations/workspaces/wrkspc_01green\", nth: 1, then: {status_before: 503}}]\n";
    let served = Served::start(&format!("{LIVE}{UNIQUE}{faults}"));
    // By their addresses the other way round, and the last name is that of a new one.
    let text =
        "  Blue: {previously: []}\n  Green: {id: wrkspc_01blue}\n  Red: {id: wrkspc_01green}\n";
    let story = Story::with(&files(text)).to(&served.url());
    let run = story.run(&["apply", "--yes"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(!run.stderr.contains("in-a-circle"), "{run:?}");
    assert_eq!(
        served.calls(),
        [
            r#"POST /v1/organizations/workspaces/wrkspc_01green {"name":"Red"}"#,
            r#"POST /v1/organizations/workspaces/wrkspc_01green {"name":"Red"}"#,
            r#"POST /v1/organizations/workspaces/wrkspc_01blue {"name":"Green"}"#,
            r#"POST /v1/organizations/workspaces {"name":"Blue"}"#,
        ]
    );
    shows(&story.run(&["plan", "--detailed-exitcode"]), 0, &["plan: nothing to do"]);
}

#[test]
fn swapped_names_converge_where_names_may_repeat_and_the_plan_warns() {
    let served = Served::start(LIVE);
    let story = Story::with(&files(SWAP)).to(&served.url());
    let plan = story.run(&["plan", "--out", "plan.json"]);
    shows(&plan, 0, &["plan: 2 to update"]);
    warns(&plan);
    let run = story.run(&["apply", "plan.json", "--yes"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let again = story.run(&["plan", "--detailed-exitcode"]);
    shows(&again, 0, &["plan: nothing to do"]);
    assert_eq!(again.stderr, "", "{again:?}");
}

#[test]
fn swapped_names_go_by_a_third_name_where_names_are_unique() {
    let served = Served::start(&format!("{LIVE}{UNIQUE}"));
    let story = Story::with(&files(SWAP)).to(&served.url());
    let run = story.run(&["apply", "--yes"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    warns(&run);
    assert_eq!(served.calls().len(), 2, "each is tried, and refused");

    // What the warning says.
    let third = SWAP.replace("wrkspc_01green", "wrkspc_01green, name: Between");
    story.write("charter.yaml", &files(&third));
    let run = story.run(&["apply", "--yes"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(!run.stderr.contains("in-a-circle"), "{run:?}");
    story.write("charter.yaml", &files(SWAP));
    assert_eq!(story.run(&["apply", "--yes"]).code, Some(0));
    shows(&story.run(&["plan", "--detailed-exitcode"]), 0, &["plan: nothing to do"]);
}

#[test]
fn renames_in_a_circle_come_last_and_take_no_other_rename_with_them() {
    let live = format!(
        "{LIVE}  - {{name: Red, id: wrkspc_01red}}\n  - {{name: Yellow, id: wrkspc_01yellow}}\n  \
         - {{name: Violet, id: wrkspc_01violet}}\n{UNIQUE}"
    );
    let served = Served::start(&live);
    // `Also` waits for a name that only the circle could free; `Zed` has nothing to do with it.
    let text = "  Also: {id: wrkspc_01violet, name: Green}\n  Blue: {id: wrkspc_01green}\n  \
                Green: {id: wrkspc_01red}\n  Red: {id: wrkspc_01blue}\n  Zed: {id: wrkspc_01yellow}\n";
    let story = Story::with(&files(text)).to(&served.url());
    let run = story.run(&["apply", "--yes"]);
    assert_eq!(run.code, Some(5), "{run:?}");
    assert!(run.stderr.contains("`Blue`, `Green`, `Red` on in a circle"), "{run:?}");
    assert!(!flowing(&run.stderr).contains("the API refuses all"), "{run:?}");
    let calls = served.calls();
    assert_eq!(
        calls[0], r#"POST /v1/organizations/workspaces/wrkspc_01yellow {"name":"Zed"}"#,
        "{calls:?}"
    );
    assert_eq!(calls.len(), 5, "each is tried: {calls:?}");
}

#[test]
fn a_name_that_two_have_is_freed_by_both_before_it_is_taken() {
    let served = Served::start(&LIVE.replace("name: Green", "name: Blue"));
    let text =
        "  Blue: {previously: []}\n  Green: {id: wrkspc_01green}\n  Red: {id: wrkspc_01blue}\n";
    let story = Story::with(&files(text)).to(&served.url());
    let run = story.run(&["apply", "--yes"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let calls = served.calls();
    assert_eq!(calls.len(), 3, "{calls:?}");
    assert_eq!(calls[2], r#"POST /v1/organizations/workspaces {"name":"Blue"}"#, "{calls:?}");
}

#[test]
fn a_name_that_an_archive_frees_is_taken_by_the_second_apply_and_the_plan_says_so() {
    let served = Served::start(&format!("{LIVE}{UNIQUE}"));
    let text = "  Blue: {previously: []}\n  Old: {id: wrkspc_01blue, state: archived}\n";
    let story = Story::with(&files(text)).to(&served.url());
    let plan = story.run(&["plan", "--allow", "archives=1"]);
    let said = flowing(&plan.stderr);
    for part in [
        "warning[plan/name-in-use]: `Blue` takes the name `Blue` while the workspace `Old` (`wrkspc_01blue`) still has it",
        "--> charter.yaml:4:3",
        "apply once more, or archive that workspace first, by itself: `--only workspace/Old`",
    ] {
        assert!(said.contains(part), "`{part}` is not in:\n{}", plan.stderr);
    }
    let digest = plan.stdout.split("--ack ").nth(1).unwrap()[..64].to_owned();
    let apply = ["apply", "--yes", "--allow", "archives=1", "--ack", &digest];
    let run = story.run(&apply);
    assert_eq!(run.code, Some(5), "{run:?}");
    let run = story.run(&["apply", "--yes"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(!run.stderr.contains("name-in-use"), "{run:?}");
    shows(&story.run(&["plan", "--detailed-exitcode"]), 0, &["plan: nothing to do"]);
}
