//! Lists that break off, repeat themselves or move while they are read.
//!
//! Invariant: nothing is removed that a whole list would not remove; a list that cannot be read whole is an error that
//! names it, after few requests.

use std::{
    fmt::Write as _,
    sync::{Arc, LazyLock},
};

use orgcharter::{
    apply::Journal,
    plan::Plan,
    resource::Desired,
    sandbox::{
        Edit, Fault, PageFault, RetryAfter, Rule, Sandbox, Script, State, TypedError, switches,
    },
};

use crate::world::{World, outcomes, ready, state, wanted};

/// Objects of each list, two to a page: so many that the seventh page is not the last.
const MANY: usize = 15;

/// Each list: its route, how errors call it, and whether a cursor looks like the ids of its objects.
const LISTS: [(&str, &str, bool); 5] = [
    ("users", "users", true),
    ("invites", "invites", true),
    ("workspaces", "workspaces", true),
    ("workspaces/wrkspc_00/members", "the members of the workspace `w00`", false),
    ("api_keys", "API keys", true),
];

fn seed() -> String {
    let mut text = String::from("users:\n  - {email: root@acme.com, role: admin}\n");
    let mut rows = |head: &str, row: &dyn Fn(usize) -> String| {
        text.push_str(head);
        for number in 0..MANY {
            let _ = writeln!(text, "  - {}", row(number));
        }
    };
    rows("", &|n| format!("{{email: p{n:02}@acme.com, role: user, id: user_p{n:02}}}"));
    rows("invites:\n", &|n| format!("{{email: i{n:02}@acme.com, role: user}}"));
    let members: String =
        (0..MANY - 1).map(|n| format!("p{n:02}@acme.com: workspace_user, ")).collect();
    rows("workspaces:\n", &|n| {
        let members = if n == 0 { &members } else { "" };
        format!("{{name: w{n:02}, id: wrkspc_{n:02}, members: {{{members}}}}}")
    });
    rows("api_keys:\n", &|n| format!("{{name: k{n:02}, id: apikey_{n:02}, workspace: w00}}"));
    text
}

/// All of it, but for one leaver, one invite and one grant that go.
fn files() -> String {
    let mut text = String::from(
        "manage: {members: remove, workspace_members: remove}\nmembers:\n  root@acme.com: admin\n",
    );
    for number in 0..MANY - 1 {
        let _ = writeln!(text, "  p{number:02}@acme.com: user\n  i{number:02}@acme.com: user");
    }
    text.push_str("workspaces:\n");
    for number in 0..MANY {
        let _ = writeln!(text, "  w{number:02}:");
        if number == 0 {
            text.push_str("    members:\n");
            for number in 0..MANY - 2 {
                let _ = writeln!(text, "      p{number:02}@acme.com: workspace_user");
            }
            text.push_str("    api_keys:\n");
            for number in 0..MANY {
                let status = if number == 0 { "inactive" } else { "active" };
                let _ = writeln!(text, "      apikey_{number:02}: {status}");
            }
        } else {
            text.push_str("    tags: {}\n");
        }
    }
    text
}

fn world() -> World {
    static FILES: LazyLock<Arc<Desired>> = LazyLock::new(|| wanted(&files()));
    static STATE: LazyLock<State> = LazyLock::new(|| state(&seed()));
    World::with(&Sandbox::new(STATE.clone()), &FILES, |network| network.rows(2))
}

fn steps(plan: &Plan) -> Vec<String> {
    assert_eq!(plan.steps.len(), ready(plan).len(), "{:?}", plan.steps);
    ready(plan)
}

/// Removals of a plan.
fn removals(plan: &Plan) -> Vec<String> {
    let removes = |line: &String| line.starts_with("remove ");
    ready(plan).into_iter().filter(removes).collect()
}

async fn as_it_is() -> (Vec<String>, usize) {
    let world = world();
    let plan = world.planned().await;
    let steps = steps(&plan);
    assert_eq!(
        steps,
        [
            "update api_key/apikey_00",
            "remove workspace_member/w00/p13@acme.com",
            "remove member/i14@acme.com",
            "remove member/p14@acme.com",
        ]
    );
    (steps, world.network.sent().len())
}

/// What a list comes to under a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comes {
    /// To the whole list.
    Whole,
    /// To an error.
    Broken,
    /// To an error where a cursor tells; else to less, which removes nothing.
    Less,
}

fn cases() -> Vec<(Rule, Comes)> {
    let on = |nth, fault| Rule::new("", fault).nth(nth);
    let lasting = |fault| Rule::new("", fault);
    let refused = TypedError {
        status: 403,
        code: None,
        message: None,
        details: serde_json::Map::new(),
        headers: std::collections::BTreeMap::new(),
    };
    let mut cases = vec![
        (lasting(Fault::Page(PageFault::Restarts)), Comes::Broken),
        (lasting(Fault::Page(PageFault::RepeatsRow)), Comes::Whole),
        (lasting(Fault::StatusBefore(500)), Comes::Broken),
        (lasting(Fault::SilentAfter), Comes::Broken),
        (lasting(Fault::Html(200)), Comes::Broken),
        (lasting(Fault::CutShort), Comes::Broken),
    ];
    for nth in [1, 2, 7] {
        cases.extend([
            (on(nth, Fault::Page(PageFault::RepeatsRow)), Comes::Whole),
            (on(nth, Fault::Page(PageFault::Empty)), Comes::Broken),
            (on(nth, Fault::Page(PageFault::NoCursor)), Comes::Broken),
            (on(nth, Fault::Page(PageFault::Vanished)), Comes::Broken),
            (on(nth, Fault::Page(PageFault::Bare)), Comes::Broken),
            (on(nth, Fault::Page(PageFault::LosesRow)), Comes::Less),
            (on(nth, Fault::WrongType), Comes::Broken),
            (on(nth, Fault::Error(refused.clone())), Comes::Broken),
            (on(nth, Fault::StatusBefore(500)), Comes::Whole),
            (on(nth, Fault::StatusBefore(529)), Comes::Whole),
            (on(nth, Fault::RateLimited(RetryAfter::seconds(2.0))), Comes::Whole),
            (on(nth, Fault::ClosedAfter), Comes::Whole),
            (on(nth, Fault::Truncated), Comes::Whole),
            (on(nth, Fault::CutShort), Comes::Whole),
            (on(nth, Fault::SilentAfter), Comes::Whole),
            (on(nth, Fault::Html(200)), Comes::Whole),
            (on(nth, Fault::Html(502)), Comes::Whole),
        ]);
    }
    // The second page and all after it: the seventh fails for good.
    cases.push((on(2, Fault::Page(PageFault::Restarts)), Comes::Broken));
    cases
}

#[tokio::test]
async fn a_list_is_whole_or_an_error_that_names_it() {
    let (whole, requests) = as_it_is().await;
    let mut cells = 0;
    for (route, name, cursors_tell) in LISTS {
        for (rule, comes) in cases() {
            let world = world();
            let rule = Rule { on: format!("GET /v1/organizations/{route}"), ..rule };
            let what = format!("{route}: {rule:?}");
            world.fail(rule);
            let planned = world.plan().await;
            let sent = world.network.sent().len();
            assert!(sent <= requests + 10, "{what}: {sent} requests in place of {requests}");
            let comes = if comes == Comes::Less && cursors_tell { Comes::Broken } else { comes };
            match (comes, planned) {
                (Comes::Whole, Ok(plan)) => assert_eq!(ready(&plan), whole, "{what}"),
                (Comes::Less, Ok(plan)) => {
                    let all = &whole;
                    let gone = removals(&plan);
                    assert!(gone.iter().all(|removal| all.contains(removal)), "{what}: {gone:?}");
                }
                (Comes::Broken, Err(error)) => {
                    let told = error.to_string();
                    assert!(told.starts_with(&format!("cannot list {name}: ")), "{what}: {told}");
                    assert!(error.next_step().is_some(), "{what}: {told}");
                }
                (_, planned) => panic!("{what}: {:?}", planned.map(|plan| ready(&plan))),
            }
            cells += 1;
        }
    }
    println!("{cells} cells of lists");
}

#[tokio::test]
async fn a_seventh_page_that_fails_for_good_fails_the_list() {
    for (route, name, _) in LISTS {
        let world = world();
        let on = format!("GET /v1/organizations/{route}");
        let rule = Rule::new(on.clone(), Fault::StatusBefore(503));
        let edits = [Edit::AddFault { rule }];
        world.sandbox.with(|state| {
            state.scripts.add(Script::new(on, edits).nth(6)).unwrap();
        });
        let error = world.plan().await.map(|plan| ready(&plan)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot list {name}: ")), "{error}");
        assert!(error.contains("503"), "{error}");
    }
}

#[tokio::test]
async fn lists_that_do_not_say_whether_more_follows_are_read_to_their_empty_page() {
    let (whole, requests) = as_it_is().await;
    let world = world();
    world.sandbox.with(|state| state.switches.has_more = switches::HasMore::Absent);
    assert_eq!(ready(&world.planned().await), whole);
    assert!(world.network.sent().len() > requests);
}

#[tokio::test]
async fn somebody_whose_row_moves_while_the_list_is_read_loses_nothing() {
    let (whole, _) = as_it_is().await;
    let (mut missed, mut begun_again) = (0, 0);
    for page in 1..=8 {
        for number in 0..MANY - 1 {
            let world = world();
            let email = format!("p{number:02}@acme.com");
            let script = Script::new(
                "GET /v1/organizations/users",
                [Edit::MoveUser { user: email.clone() }],
            );
            world.sandbox.with(|state| state.scripts.add(script.nth(page))).unwrap();
            let before = world.look();
            let plan = match world.plan().await {
                Ok(plan) => plan,
                // The page went on after somebody who is at the front now: the list begins again.
                Err(error) => {
                    assert!(error.to_string().ends_with("so it would never end"), "{error}");
                    begun_again += 1;
                    continue;
                }
            };
            let gone = removals(&plan);
            assert!(
                gone.iter().all(|removal| whole.contains(removal)),
                "{email} after page {page}: {gone:?}"
            );
            missed += usize::from(ready(&plan) != whole);
            // What was not seen is found to be there, and the rest is done as planned.
            let report = world.apply(&plan, Journal::none()).await;
            assert_eq!(report.ended().exit_code(), 0, "{:?}", outcomes(&report));
            world.run().await;
            let lost = |line: &&str| !world.look().contains(*line);
            let lost: Vec<&str> = before.lines().filter(lost).collect();
            assert_eq!(
                lost,
                [
                    "grant w00 p13@acme.com workspace_user",
                    "invite i14@acme.com user Pending",
                    "key k00 Active",
                    "user p14@acme.com user",
                ],
                "{email} after page {page}"
            );
            assert_eq!(ready(&world.planned().await), Vec::<String>::new());
        }
    }
    assert!(missed > 20, "{missed} lists missed somebody");
    assert!((1..=8).contains(&begun_again), "{begun_again} lists began again");
}
