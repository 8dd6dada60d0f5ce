//! The question before anything is written, at a terminal: only a typed `yes` goes on.
//!
//! Invariant: the terminal is a real one, and every run at it ends by itself or is ended after a minute.

use std::process::Command;

use crate::support::{Run, SEED, Served, Story, ended};

const TERMINAL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stories/terminal.py");

/// Runs the binary at a terminal where somebody types `answer`.
pub(crate) fn at_a_terminal(story: &Story, args: &[&str], answer: &str) -> Run {
    let told = story.command(args);
    let path = std::env::var_os("PATH").unwrap();
    let mut found = std::env::split_paths(&path).map(|folder| folder.join("python3"));
    let mut command = Command::new(found.find(|file| file.is_file()).expect("python3"));
    command.args(["-I", TERMINAL, answer]).arg(told.get_program()).args(told.get_args());
    command.current_dir(story.folder.path()).env_clear();
    command.envs(told.get_envs().filter_map(|(name, value)| Some((name, value?))));
    ended(command.output().unwrap())
}

#[test]
fn a_typed_yes_applies_what_was_shown() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    let run = at_a_terminal(&story, &["apply"], "yes\n");
    assert_eq!(run.code, Some(0), "{run:?}");
    let asked = run.stdout.find("type `yes` to go on: ").unwrap();
    let (before, after) = run.stdout.split_at(asked);
    for part in ["cy@acme.com", "bob@acme.com", "this will be done in Acme"] {
        assert!(before.contains(part), "`{part}` is not before the question: {before}");
    }
    assert!(!before.contains("apply: ") && after.contains("apply: 2 done"), "{run:?}");
    assert_eq!(served.calls().len(), 2);
    // With nothing to do there is nothing to ask.
    let again = at_a_terminal(&story, &["apply"], "no\n");
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(!again.stdout.contains("to go on"), "{again:?}");
}

#[test]
fn any_other_answer_changes_nothing() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    assert_eq!(story.run(&["plan", "--out", "plan.json"]).code, Some(0));
    // The last one is the end of what is typed (Ctrl-D).
    for answer in ["no\n", "y\n", "YES\n", "yes!\n", "\n", "no\nyes\n", "\u{4}"] {
        for args in [&["apply"][..], &["apply", "plan.json"]] {
            let run = at_a_terminal(&story, args, answer);
            assert_eq!(run.code, Some(4), "{answer:?}: {run:?}");
            assert!(run.stdout.contains("type `yes` to go on: "), "{answer:?}: {run:?}");
            assert!(
                run.stdout.contains("not confirmed: nothing was changed"),
                "{answer:?}: {run:?}"
            );
        }
    }
    assert_eq!(served.calls(), Vec::<String>::new());
    assert_eq!(story.made(), ["plan.json"], "nothing began, so there is no journal");
}

#[test]
fn ctrl_c_at_the_question_changes_nothing() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    let run = at_a_terminal(&story, &["apply"], "\u{3}");
    // As a shell says that SIGINT ended it.
    assert_eq!(run.code, Some(130), "{run:?}");
    assert!(run.stdout.ends_with("error: stopped by Ctrl-C: nothing was changed\r\n"), "{run:?}");
    assert!(!run.stdout.contains("apply: "), "{run:?}");
    assert_eq!((served.calls(), story.made()), (Vec::new(), Vec::new()));
    assert!(story.journals().is_empty());
}
