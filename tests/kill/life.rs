//! One life: an apply that is killed, resumed, perhaps killed again, until everything is as the files ask.
//!
//! Invariant: the same seed kills at the same places, as far as the machine lets it.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use orgcharter::sandbox::State;

use crate::{
    arena::{Arena, On, Run, Side, Trap},
    dice::Dice,
    truth::{journal_is_true, nothing_twice, planned},
};

const FILE: &str = r##"
version: 1
organization: {id: ORG}
manage: {members: remove, workspace_members: remove}
guard: {archives: 1}
members:
  root@acme.com: admin
  a1@acme.com: developer
  a2@acme.com: user
  a3@acme.com: claude_code_user
  bob@acme.com: developer
  cy@acme.com: developer
  eve@acme.com: user
workspaces:
  Old: {id: OLD, name: Old, state: archived}
  One: {tags: {env: prod}, members: {bob@acme.com: workspace_developer, eve@acme.com: workspace_user}}
  Two: {tags: {team: data}, members: {bob@acme.com: workspace_admin, eve@acme.com: workspace_developer}}
  Three: {display_color: "#112233", members: {}, api_keys: {KEY: inactive}}
  Four: {}
  Renamed: {previously: [Former]}
"##;

/// The writes of a run that nobody disturbs.
const WRITES: u64 = 20;
/// Its requests.
const REQUESTS: u64 = 30;

pub(crate) fn arena(pace: Duration) -> Arena {
    let mut state = State::from_yaml("seed: 7").unwrap();
    for (email, role) in [
        ("root@acme.com", "admin"),
        ("bob@acme.com", "user"),
        ("eve@acme.com", "developer"),
        ("leaver@acme.com", "developer"),
    ] {
        state.add_user(email, role);
    }
    state.add_invite("cy@acme.com", "user");
    state.add_invite("gone@acme.com", "user");
    let old = state.add_workspace("Old");
    state.add_workspace("Former");
    for name in ["Two", "Three"] {
        state.add_workspace(name);
        state.set_grant(name, "eve@acme.com", "workspace_user");
        state.set_grant(name, "leaver@acme.com", "workspace_user");
    }
    let key = state.add_api_key("ci", Some("Three")).unwrap();
    let file = FILE.replace("OLD", &old).replace("KEY", &key);
    let file = file.replace("ORG", &state.organization.id);
    Arena::new(state, &file, pace)
}

fn trap(dice: &mut Dice, first: bool) -> Trap {
    let on = if dice.below(100) < 85 { On::Writes } else { On::Any };
    let most = match (first, on) {
        (true, On::Writes) => WRITES,
        (true, _) => REQUESTS,
        (false, On::Writes) => 6,
        (false, _) => 16,
    };
    let side = match dice.below(4) {
        0 => Side::Never,
        1 => Side::Late(Duration::from_millis(dice.below(8))),
        2 => Side::Between,
        _ => Side::Later(Duration::from_micros(dice.below(20_000))),
    };
    Trap { on, nth: usize::try_from(dice.below(most)).unwrap() + 1, side }
}

/// A run that has begun something.
struct Begun {
    journal: String,
    /// The requests before it.
    since: usize,
    /// It was on a saved plan.
    of_plan: bool,
}

/// What lives have met, so that a test can tell that it has tried something.
#[derive(Debug, Default)]
pub(crate) struct Met {
    /// Runs that were killed.
    pub(crate) killed: AtomicUsize,
    /// Of them, before they had begun anything.
    pub(crate) early: AtomicUsize,
    /// Steps that were unknown, by what was seen of them: all, nothing, a part.
    pub(crate) there: AtomicUsize,
    pub(crate) not_there: AtomicUsize,
    pub(crate) part: AtomicUsize,
    /// Journals whose last line was torn.
    pub(crate) torn: AtomicUsize,
    /// Saved plans that were resumed.
    pub(crate) saved: AtomicUsize,
    /// Saved plans that could not be resumed for half a step.
    pub(crate) stale: AtomicUsize,
}

fn one_more(number: &AtomicUsize) {
    number.fetch_add(1, Ordering::Relaxed);
}

pub(crate) fn live(seed: u64, met: &Met) {
    let mut dice = Dice(seed);
    let arena = arena(Duration::from_micros(dice.below(4_000)));
    let (ack, ready) = acknowledgement(&arena);
    let saved = dice.below(3) == 0;
    let kills = 1 + dice.below(3);

    let mut last: Option<Begun> = None;
    let mut parts = false;
    for number in 0..=kills {
        let sprung = (number < kills).then(|| trap(&mut dice, number == 0));
        // Somebody may as well just run apply on the files.
        let anew = last.is_some() && dice.below(4) == 0;
        let at = format!("seed {seed}, run {number}, {sprung:?}, anew: {anew}");
        let journal = format!("journal-{number}.jsonl");
        let before = arena.sandbox.log().len();
        let resumed = last.take_if(|_| !anew);
        let of_plan = saved && !anew && resumed.as_ref().is_none_or(|resumed| resumed.of_plan);
        let mut args = vec!["apply", "--yes", "--journal", &journal, "--ack", &ack];
        match &resumed {
            Some(resumed) => args.extend(["--resume", &resumed.journal]),
            None => args.push(if of_plan { "plan.json" } else { "charter.yaml" }),
        }
        let run = arena.run(&args, sprung);
        if let Some(resumed) = &resumed {
            report_is_true(&arena, &run, resumed, &journal, before, &at, met);
            if of_plan {
                one_more(&met.saved);
            }
        }
        let truth = journal_is_true(&arena, &journal, before.., &at);
        if let Some(truth) = truth {
            let begin = &truth.recap.begin;
            assert_eq!(begin.organization, arena.sandbox.state().organization.id);
            let names = begin.origin.clone().unwrap().resumes.map(std::path::PathBuf::from);
            let expected = resumed.as_ref().map(|resumed| arena.path(&resumed.journal));
            assert_eq!(names, expected, "{at}");
            parts |= truth.has_parts();
            if wear(&arena, &journal, &mut dice) {
                one_more(&met.torn);
            }
            last = Some(Begun { journal: journal.clone(), since: before, of_plan });
        } else if resumed.is_some() {
            last = resumed;
        }
        match run.code {
            None => {
                assert!(number < kills, "{at}: {run:?}");
                one_more(&met.killed);
                if !arena.path(&journal).exists() {
                    one_more(&met.early);
                }
            }
            Some(0) => {}
            // The half of a step is no step of a saved plan any more.
            Some(4) => {
                assert!(of_plan && parts && run.stderr.contains("stale"), "{at}: {run:?}");
                one_more(&met.stale);
            }
            Some(_) => panic!("{at}: {run:?}"),
        }
    }
    let at = format!("seed {seed}, the end");
    if saved {
        let before = arena.sandbox.log().writes().count();
        let args = ["apply", "--yes", "--journal", "last.jsonl", "--ack", &ack];
        let run = arena.run(&args, None);
        assert_eq!(run.code, Some(0), "{at}: {run:?}");
        assert!(parts || arena.sandbox.log().writes().count() == before, "{at}: {run:?}");
    }
    let plan = arena.run(&["plan", "--detailed-exitcode"], None);
    assert_eq!(plan.code, Some(0), "{at}: {plan:?}");
    assert!(ready > 15, "{ready}");
    converged(&arena, &at);
}

/// Holds what a resumed run said of the run before it against the log as it was then.
fn report_is_true(
    arena: &Arena,
    run: &Run,
    resumed: &Begun,
    journal: &str,
    before: usize,
    at: &str,
    met: &Met,
) {
    // Killed before it had looked.
    if run.code.is_none() && !run.stdout.contains("\n\n") {
        assert!(!arena.path(journal).exists(), "{at}: it wrote before it had looked");
        return;
    }
    let Begun { journal, since, of_plan: _ } = resumed;
    let mut truth = journal_is_true(arena, journal, *since..before, at).unwrap();
    truth.report_is_true(run, at, met);
}

/// What time, and a loss of power, do to a journal: an hour passes, and an outcome that was not on disk is torn.
fn wear(arena: &Arena, journal: &str, dice: &mut Dice) -> bool {
    let path = arena.path(journal);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut lines: Vec<String> = text
        .split_inclusive('\n')
        .map(|line| {
            let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
            let at: jiff::Timestamp = value["at"].as_str().unwrap().parse().unwrap();
            value["at"] = (at - jiff::SignedDuration::from_hours(1)).to_string().into();
            format!("{value}\n")
        })
        .collect();
    let last = lines.last_mut().unwrap();
    let torn = last.contains("\"record\":\"outcome\"") && dice.below(2) == 0;
    if torn {
        last.truncate(last.len() - 1 - usize::try_from(dice.below(40)).unwrap());
    }
    std::fs::write(&path, lines.concat()).unwrap();
    torn
}

fn acknowledgement(arena: &Arena) -> (String, usize) {
    let run = arena.run(&["plan", "--format", "json", "--out", "plan.json"], None);
    assert_eq!(run.code, Some(0), "{run:?}");
    planned(&run.stdout)
}

/// Everything is as the files ask, once.
fn converged(arena: &Arena, at: &str) {
    nothing_twice(&arena.sandbox.log(), at);
    arena.sandbox.with(|state| {
        let now = state.now();
        for email in ["a1@acme.com", "a2@acme.com", "a3@acme.com", "cy@acme.com", "gone@acme.com"] {
            let open = state.invites().filter(|invite| {
                let status = invite.status(now, &state.switches);
                invite.email == email && status == orgcharter::sandbox::InviteStatus::Pending
            });
            assert_eq!(open.count(), usize::from(email != "gone@acme.com"), "{at}: {email}");
        }
        for name in ["One", "Two", "Three", "Four", "Renamed", "Old"] {
            let named = state.workspaces().filter(|workspace| workspace.name == name).count();
            assert_eq!(named, 1, "{at}: {name}");
        }
        assert!(state.user("leaver@acme.com").is_none(), "{at}");
        assert!(state.workspace("Old").unwrap().archived_at.is_some(), "{at}");
        assert_eq!(state.granted("One", "eve@acme.com"), Some("workspace_user"), "{at}");
        assert_eq!(state.granted("Three", "eve@acme.com"), None, "{at}");
    });
}

/// Killed before a workspace is made, resumed at once, and then it is made after all.
pub(crate) fn late() {
    let arena = arena(Duration::ZERO);
    let (ack, _) = acknowledgement(&arena);
    let journal = "journal.jsonl";
    let trap = Trap { on: On::Workspaces, nth: 1, side: Side::Never };
    let args = ["apply", "--yes", "--journal", journal, "--ack", &ack];
    assert_eq!(arena.run(&args, Some(trap)).code, None);
    let truth = journal_is_true(&arena, journal, 0.., "late").unwrap();
    let starts = truth.recap.unclear.iter().map(|it| it.start.address.clone());
    let named = |name: &str| arena.sandbox.with(|state| state.workspace(name).is_some());
    let name = starts
        .filter_map(|address| address.strip_prefix("workspace/").map(str::to_owned))
        .find(|name| !named(name))
        .expect("one is killed");
    let sandbox = arena.sandbox.clone();
    let late = name.clone();
    let made = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(3));
        sandbox.with(|state| state.add_workspace(&late));
    });
    let args = ["apply", "--yes", "--resume", journal, "--ack", &ack];
    let run = arena.run(&args, None);
    made.join().unwrap();
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.contains("waiting "), "{run:?}");
    assert!(run.stdout.contains(&format!("? create workspace/{name}  started ")), "{run:?}");
    converged(&arena, "late");
}
