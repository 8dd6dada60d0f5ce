//! The example organization: its files are right, its plan is what apply does, and nothing is read for nothing.

use std::collections::BTreeMap;

use orgcharter::{
    address::{Address, Name, RemoteId},
    plan::{Plan, step::Counts},
};

use crate::support::{KEY, Served, Story, read};

/// A path below the project.
fn example(name: &str) -> String {
    format!("{}/examples/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The live state of the example, served, and a story that talks to it.
fn acme() -> (Served, Story) {
    let served = Served::start(&read(example("acme.live.yaml").as_ref()));
    let story = Story::new().to(&served.url());
    (served, story)
}

/// The plan for some files.
fn plan(story: &Story, path: &str) -> Plan {
    let run = story.run(&["plan", path, "--format", "json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    serde_json::from_str(&run.stdout).unwrap()
}

/// The requests of a plan in its order, as the API's log writes them.
fn calls(plan: &Plan, ids: &BTreeMap<Address, RemoteId>) -> Vec<String> {
    let request = |call: &orgcharter::api::call::Call| {
        let request = call.resolve(ids).unwrap();
        let body = request.body.map(|body| String::from_utf8(body.to_vec()).unwrap());
        let body = body.map(|body| format!(" {body}")).unwrap_or_default();
        format!("{} {}{body}", request.method, request.target)
    };
    plan.ready().flat_map(|step| step.calls.iter().map(request)).collect()
}

/// How often each listing was read; the head of the path is left out.
fn reads(served: &Served) -> Vec<(String, usize)> {
    let log = served.sandbox().log();
    assert_eq!(log.calls(), Vec::<String>::new(), "a plan must not write");
    let strip = |route: &str| route.replace("/v1/organizations/", "");
    log.reads().into_iter().map(|(route, times)| (strip(route), times)).collect()
}

fn times(listing: &str, times: usize) -> (String, usize) {
    (listing.to_owned(), times)
}

const GRANTS: &str = "workspaces/{wrkspc_}/members";

#[test]
fn the_examples_are_valid_and_of_the_promised_size() {
    let story = Story::new();
    let run = story.run(&["validate", &example("minimal.yaml")]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{run:?}");
    let run = story.run(&["validate", &example("acme")]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{run:?}");
    // Default is not counted as one of the six: it is there anyway.
    for size in ["41 members", "3 teams", "7 workspaces", "12 API keys"] {
        assert!(run.stdout.contains(size), "{run:?}");
    }
}

#[test]
fn apply_makes_exactly_the_calls_of_the_plan_and_nothing_is_left() {
    let (served, story) = acme();
    let folder = example("acme");
    let shown = plan(&story, &folder);
    let before = shown.counts();
    assert_eq!(before, Counts { ready: 31, deferred: 5, manual: 1, held: 0 });
    assert_eq!(shown.breaches().count(), 0);

    let journal = story.path("journal.jsonl");
    let journal = journal.to_str().unwrap();
    let run = story.run(&["apply", &folder, "--yes", "--journal", journal]);
    assert_eq!(run.code, Some(0), "{run:?}");

    // Only one id was not known when the plan was made: that of the new workspace.
    let made = served.sandbox().with(|state| state.workspace("Evaluation").unwrap().id.clone());
    let evaluation = Address::workspace(Name::label("Evaluation"));
    let expected = calls(&shown, &[(evaluation, RemoteId::new(made))].into());
    let done = served.calls();
    let (mut done_sorted, mut expected_sorted) = (done.clone(), expected.clone());
    done_sorted.sort();
    expected_sorted.sort();
    assert_eq!(done_sorted, expected_sorted);

    // Steps of a stage run side by side; the stages follow each other.
    let stages: BTreeMap<&String, _> = expected
        .iter()
        .zip(shown.ready().flat_map(|step| step.calls.iter().map(move |_| step.stage)))
        .collect();
    assert!(done.iter().map(|call| stages[call]).is_sorted(), "{done:#?}");

    let left = plan(&story, &folder).counts();
    assert_eq!(left, Counts { ready: 0, ..before });
}

#[test]
fn a_plan_reads_each_listing_once_and_the_members_of_managed_workspaces_only() {
    let (served, story) = acme();
    let shown = plan(&story, &example("acme"));
    // One for `me`; workspaces once with the archived ones, and once more for the named Default; members of the four
    // that are live and managed, so neither of Claude Code nor of Marketing Playground.
    assert_eq!(
        reads(&served),
        [
            times("api_keys", 1),
            times("invites", 1),
            times("me", 1),
            times("users", 1),
            times("workspaces", 2),
            times(GRANTS, 4),
        ]
    );
    assert_eq!(shown.observed.reads, 10);
}

#[test]
fn kinds_that_no_file_names_are_not_read() {
    let head = "version: 1\norganization: {id: 3f0c1b1e-0000-4000-8000-000000000000}\n";
    let cases: [(&str, &[(&str, usize)]); 6] = [
        ("", &[]),
        ("members: {ada@acme.com: admin}", &[("invites", 1), ("users", 1)]),
        ("workspaces: {Staging: {tags: {env: staging}}}", &[("workspaces", 1)]),
        ("workspaces: {Default: {}}", &[("workspaces", 2)]),
        (
            "workspaces: {Staging: {members: {gwen@acme.com: workspace_developer}}, Prod: {}}",
            &[("invites", 1), ("users", 1), ("workspaces", 1), (GRANTS, 1)],
        ),
        ("api_keys: {playground: active}", &[("api_keys", 1), ("workspaces", 1)]),
    ];
    for (section, listings) in cases {
        let (served, story) = acme();
        story.write("charter.yaml", &format!("{head}{section}\n"));
        plan(&story, "charter.yaml");
        let mut expected: Vec<_> = listings.iter().map(|(name, n)| times(name, *n)).collect();
        expected.push(times("me", 1));
        expected.sort();
        assert_eq!(reads(&served), expected, "{section}");
    }
}

/// max(1, ⌈k / 1000⌉)
fn pages(objects: usize) -> usize {
    objects.div_ceil(1000).max(1)
}

#[test]
fn reads_grow_with_pages_of_a_thousand() {
    let (users, invites, keys, grants) = (2_001, 1_000, 1_001, [1_500, 0, 999]);
    let served = Served::start("organization: {id: 3f0c1b1e-0000-4000-8000-000000000000}");
    let mut file = String::from(
        "version: 1\norganization: {id: 3f0c1b1e-0000-4000-8000-000000000000}\n\
         members: {}\nworkspaces:\n",
    );
    served.sandbox().with(|state| {
        for user in 0..users {
            state.add_user(&format!("user{user}@acme.com"), "developer");
        }
        for invite in 0..invites {
            state.add_invite(&format!("invite{invite}@acme.com"), "developer");
        }
        for (workspace, grants) in grants.iter().enumerate() {
            state.add_workspace(&format!("w{workspace}"));
            for user in 0..*grants {
                let (name, who) = (format!("w{workspace}"), format!("user{user}@acme.com"));
                assert!(state.set_grant(&name, &who, "workspace_user"));
            }
            file += &format!("  w{workspace}: {{members: {{}}}}\n");
        }
        for key in 0..keys {
            state.add_api_key(&format!("key{key}"), Some("w0")).unwrap();
        }
    });
    file.push_str("api_keys: {}\n");
    let story = Story::with(&file).env("ANTHROPIC_BASE_URL", &served.url());
    let story = story.env("ANTHROPIC_ADMIN_KEY", KEY);
    let shown = plan(&story, "charter.yaml");

    let expected = 1
        + pages(users)
        + pages(invites)
        + pages(grants.len())
        + grants.iter().map(|grants| pages(*grants)).sum::<usize>()
        + pages(keys);
    let read: usize = reads(&served).iter().map(|(_, times)| times).sum();
    assert_eq!((read, shown.observed.reads), (expected, expected as u64));
}

#[test]
fn beside_files_of_other_programs_only_what_read_names_is_read() {
    let story = Story::new();
    let run = story.run(&["validate", &example("monorepo")]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{run:?}");
    assert!(run.stdout.contains("3 members, 1 workspace, 1 grant"), "{run:?}");
    let live = format!("--sandbox={}", example("monorepo.live.yaml"));
    let run = story.run(&["drift", &example("monorepo"), &live]);
    assert_eq!(run.code, Some(0), "{run:?}");
}
