//! Two applies to one organization at the same time: the second one is refused, and told who runs.

use std::process::{Child, Command};

use crate::{
    stopping::{reads_people, signal, slow},
    support::{FILE, ID, SEED, Served, Story, ended, read},
};

fn lock(story: &Story) -> std::path::PathBuf {
    story.state.path().join(format!("charter/locks/{ID}.lock"))
}

/// An apply that waits for an answer.
fn waiting(story: &Story, served: &Served) -> Child {
    let child = story.command(&["apply", "--yes"]).spawn().unwrap();
    reads_people(served);
    child
}

#[test]
fn a_second_apply_is_refused_and_told_who_runs_and_since_when() {
    let served = slow();
    let story = Story::new().to(&served.url());
    let first = waiting(&story, &served);
    let id = first.id();
    let (error, help) = story.run(&["apply", "--yes"]).one_message(4);
    let running = format!("another apply to the organization `{ID}` is running: process {id}");
    assert!(error.starts_with(&running), "{error}");
    assert!(
        error.contains(", since 2") && error.ends_with("; nothing was changed here"),
        "{error}"
    );
    assert!(help.contains("wait for its end"), "{help}");
    // A sandbox is nobody else's, and whoever only looks is in nobody's way.
    assert_eq!(story.run(&["apply", "--yes", "--sandbox"]).code, Some(0));
    let fast = Served::start(SEED);
    let mut plan = story.command(&["plan"]);
    let plan = ended(plan.env("ANTHROPIC_BASE_URL", fast.url()).output().unwrap());
    assert_eq!(plan.code, Some(0), "{plan:?}");
    // Another organization has a lock of its own.
    let other = "3f0c1b1e-0000-4000-8000-0000000000ff";
    let away = Story::with(&FILE.replace(ID, other));
    let served_other = Served::start(&SEED.replace(ID, other));
    let away = away.to(&served_other.url());
    let mut apply = away.command(&["apply", "--yes"]);
    let run = ended(apply.env("XDG_STATE_HOME", story.state.path()).output().unwrap());
    assert_eq!(run.code, Some(0), "{run:?}");

    signal("TERM", id);
    assert_eq!(ended(first.wait_with_output().unwrap()).code, Some(143));
    let mut again = story.command(&["apply", "--yes"]);
    let run = ended(again.env("ANTHROPIC_BASE_URL", fast.url()).output().unwrap());
    assert_eq!(run.code, Some(0), "{run:?}");
    // What it says ends with the run.
    assert_eq!(read(&lock(&story)), "");
}

#[test]
fn a_lock_ends_with_a_process_that_is_killed() {
    let served = slow();
    let story = Story::new().to(&served.url());
    let mut first = waiting(&story, &served);
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(read(&lock(&story)).contains("\"pid\""), "it had no time to take that back");
    let fast = Served::start(SEED);
    let mut again = story.command(&["apply", "--yes"]);
    let run = ended(again.env("ANTHROPIC_BASE_URL", fast.url()).output().unwrap());
    assert_eq!(run.code, Some(0), "{run:?}");
}

#[test]
fn the_lock_is_in_a_private_folder() {
    use std::os::unix::fs::PermissionsExt as _;
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    assert_eq!(story.run(&["apply", "--yes"]).code, Some(0));
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode();
    let path = lock(&story);
    assert_eq!((mode(&path) & 0o777, mode(path.parent().unwrap()) & 0o777), (0o600, 0o700));
}

#[test]
fn where_no_lock_can_be_had_it_is_said_and_applied() {
    for (state, why) in
        [("", "there is no home folder"), ("/dev/null/state", "cannot lock `/dev/null/state/")]
    {
        let served = Served::start(SEED);
        let story = Story::new().to(&served.url()).env("XDG_STATE_HOME", state);
        let run = story.run(&["apply", "--yes"]);
        assert_eq!(run.code, Some(0), "{run:?}");
        let warning = "warning: charter cannot notice another apply that runs at the same time: ";
        let line = run.stderr.lines().find_map(|line| line.strip_prefix(warning));
        assert!(line.unwrap_or_else(|| panic!("{run:?}")).starts_with(why), "{run:?}");
    }
}

#[test]
fn of_many_that_begin_at_once_one_is_done_and_no_other_writes() {
    let served = Served::start(&format!(
        "{SEED}faults: [{{on: \"GET /v1/organizations/users\", then: {{latency_ms: 3000}}}}]\n"
    ));
    let story = Story::new().to(&served.url());
    let mut commands: Vec<Command> = (0..6).map(|_| story.command(&["apply", "--yes"])).collect();
    let children: Vec<Child> = commands.iter_mut().map(|it| it.spawn().unwrap()).collect();
    let runs: Vec<_> =
        children.into_iter().map(|child| ended(child.wait_with_output().unwrap())).collect();
    let mut codes: Vec<_> = runs.iter().map(|run| run.code.unwrap()).collect();
    codes.sort_unstable();
    // One that began when the first had ended had nothing to do.
    assert!(codes.iter().all(|code| [0, 4].contains(code)) && codes[0] == 0, "{runs:?}");
    assert_eq!(codes[5], 4, "{runs:?}");
    assert_eq!(served.calls().len(), 2, "{:?}", served.calls());
}
