//! Where journals are kept, and how the newest one is found again.

use std::os::unix::fs::PermissionsExt as _;

use orgcharter::sandbox::{Fault, Rule};

use crate::support::{FILE, ID, Run, SEED, Served, Story, read};

fn mode(path: &std::path::Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The path that a run says.
fn said(run: &Run) -> std::path::PathBuf {
    let line = run.stderr.lines().find_map(|line| line.strip_prefix("journal: "));
    line.unwrap_or_else(|| panic!("{run:?}")).into()
}

fn apply(story: &Story, args: &[&str]) -> Run {
    let run = story.run(&[&["apply", "--yes"], args].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    run
}

#[test]
fn a_journal_goes_to_a_private_folder_outside_the_work_tree() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    let run = apply(&story, &[]);
    let [journal] = &story.journals()[..] else { panic!("{run:?}") };
    assert_eq!(said(&run), *journal);
    assert!(run.stderr.starts_with("journal: "), "it is said before the first step: {run:?}");
    let name = journal.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with(&format!("charter-journal-{ID}-2")), "{name}");
    let folder = journal.parent().unwrap();
    assert_eq!(mode(journal), 0o600);
    assert_eq!((mode(folder), mode(folder.parent().unwrap())), (0o700, 0o700));
    assert_eq!(story.made(), Vec::<String>::new());
}

#[test]
fn a_folder_for_journals_that_others_could_read_is_closed_to_them() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    let folder = story.state.path().join("charter/journals");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    apply(&story, &[]);
    assert_eq!(mode(&folder), 0o700);
}

#[test]
fn without_a_folder_for_state_it_is_below_the_home_folder() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    let home = story.state.path().to_str().unwrap().to_owned();
    // A relative path counts as not set.
    let story = story.env("XDG_STATE_HOME", "state").env("HOME", &home);
    let run = apply(&story, &[]);
    let folder = story.state.path().join(".local/state/charter/journals");
    assert_eq!(said(&run).parent().unwrap(), folder);
    assert_eq!(story.made(), Vec::<String>::new());
}

#[test]
fn where_no_home_can_be_written_it_is_beside_the_files_with_a_warning() {
    for (state, why) in
        [("", "there is no home folder"), ("/dev/null/state", "cannot write the journal")]
    {
        let served = Served::start(SEED);
        let story = Story::new().to(&served.url()).env("XDG_STATE_HOME", state);
        let run = apply(&story, &[]);
        let warns = |line: &&str| line.starts_with("warning: ") && line.contains("the journal, ");
        let warning = run.stderr.lines().find(warns).unwrap_or_else(|| panic!("{run:?}"));
        assert!(warning.contains(why) && warning.contains("keep it out of Git"), "{warning}");
        let [journal] = &story.made()[..] else { panic!("{:?}", story.made()) };
        assert!(journal.starts_with("charter-journal-"), "{journal}");
        assert_eq!(mode(&story.path(journal)), 0o600);
        assert!(story.run(&["apply", "--resume", "--yes"]).stderr.contains(journal.as_str()));
    }
}

#[test]
fn the_variable_names_a_file_or_a_folder_and_the_option_outranks_it() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url()).env("CHARTER_JOURNAL", "mine.jsonl");
    apply(&story, &[]);
    assert_eq!(story.made(), ["mine.jsonl"]);
    served.sandbox().with(|state| state.set_role("bob@acme.com", "user"));
    apply(&story, &["--journal", "other.jsonl"]);
    assert_eq!(story.made(), ["mine.jsonl", "other.jsonl"]);
    // The newest run of the variable is the one that is resumed, and not an older one at home.
    let resumed = story.run(&["apply", "--resume", "--yes"]);
    assert!(resumed.stderr.starts_with("going on from mine.jsonl\n"), "{resumed:?}");
    // What is there is never written over.
    let before = read(&story.path("mine.jsonl"));
    served.sandbox().with(|state| state.set_role("bob@acme.com", "user"));
    assert_eq!(story.run(&["apply", "--yes"]).code, Some(3));
    assert_eq!(read(&story.path("mine.jsonl")), before);

    std::fs::create_dir(story.path("journals")).unwrap();
    let story = story.env("CHARTER_JOURNAL", "journals");
    let run = apply(&story, &[]);
    let name = said(&run).file_name().unwrap().to_str().unwrap().to_owned();
    assert!(story.path("journals").join(&name).is_file(), "{name}");
    assert!(name.starts_with(&format!("charter-journal-{ID}-")), "{name}");
    // Its organization is gone when the command ends.
    let run = story.run(&["apply", "--yes", "--sandbox"]);
    assert!(!run.stderr.contains("journal: "), "{run:?}");
}

#[test]
fn resuming_without_a_journal_takes_the_newest_of_the_organization() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    let (error, help) = story.run(&["apply", "--resume", "--yes"]).one_message(3);
    assert!(error.contains(&format!("no journal of the organization `{ID}`")), "{error}");
    assert!(help.contains("--resume JOURNAL"), "{help}");

    served.sandbox().with(|state| {
        let rule = Rule::new("POST /v1/organizations/invites", Fault::StatusBefore(400));
        state.faults.add(rule.times(1)).unwrap();
    });
    assert_eq!(story.run(&["apply", "--yes"]).code, Some(5));
    let newest = story.journals().pop().unwrap();
    // Of another organization, and an older one.
    let folder = newest.parent().unwrap();
    let other = "3f0c1b1e-0000-4000-8000-0000000000ff-29991231T000000000Z";
    for name in [other, &format!("{ID}-20200101T000000000Z")] {
        std::fs::write(folder.join(format!("charter-journal-{name}.jsonl")), "").unwrap();
    }
    let run = story.run(&["apply", "--resume", "--yes"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let line = format!("going on from {}\n", newest.display());
    assert!(run.stderr.starts_with(&line), "{run:?}");
    assert!(run.stdout.starts_with("resumed: the run of "), "{run:?}");
    assert_eq!(served.calls().len(), 3);

    // The organization is that of the files that are named.
    story.write("other.yaml", &FILE.replace(ID, "3f0c1b1e-0000-4000-8000-0000000000fe"));
    let (error, _) = story.run(&["apply", "other.yaml", "--resume", "--yes"]).one_message(3);
    assert!(error.contains("`3f0c1b1e-0000-4000-8000-0000000000fe`"), "{error}");
}

#[test]
fn a_run_that_goes_on_from_the_file_of_the_variable_has_a_journal_of_its_own() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url()).env("CHARTER_JOURNAL", "run.jsonl");
    let refuse = || {
        served.sandbox().with(|state| {
            let rule = Rule::new("POST /v1/organizations/invites", Fault::StatusBefore(400));
            state.faults.add(rule.times(1)).unwrap();
        });
    };
    refuse();
    assert_eq!(story.run(&["apply", "--yes"]).code, Some(5));
    refuse();
    let run = story.run(&["apply", "--resume", "--yes"]);
    assert!([Some(1), Some(5)].contains(&run.code), "{run:?}");
    assert!(run.stderr.contains("going on from run.jsonl\njournal: run-2.jsonl\n"), "{run:?}");
    // The one after that goes on from the newest.
    let run = story.run(&["apply", "--resume", "--yes"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.contains("going on from run-2.jsonl\njournal: run-3.jsonl\n"), "{run:?}");
    assert_eq!(story.made(), ["run-2.jsonl", "run-3.jsonl", "run.jsonl"]);
    // A path that is given for this run is not changed.
    served.sandbox().with(|state| state.set_role("bob@acme.com", "user"));
    let run = story.run(&["apply", "--resume", "run.jsonl", "--journal", "run.jsonl", "--yes"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stderr.contains("exists already"), "{run:?}");
}
