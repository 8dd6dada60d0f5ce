//! What is written where: nothing is replaced but charter's own files, and what was killed leaves nothing behind.

use std::{
    os::unix::fs::symlink,
    process::Command,
    time::{Duration, Instant},
};

use crate::support::{FILE, SEED, Served, Story, read};

#[test]
fn a_plan_is_saved_to_a_new_file_an_empty_one_or_over_a_plan_and_nowhere_else() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    let plan = |path: &str| story.run(&["plan", "--out", path]);
    for file in ["new.json", "empty", "new.json"] {
        story.write("empty", "");
        assert_eq!(plan(file).code, Some(0), "{file}");
        assert!(read(&story.path(file)).contains("\"format_version\""), "{file}");
    }
    // Of another version of its form it is a plan still.
    let old =
        read(&story.path("new.json")).replacen("\"format_version\": 2", "\"format_version\": 1", 1);
    story.write("old.json", &old);
    assert_eq!(plan("old.json").code, Some(0));

    story.write("notes.txt", "by hand\n");
    story.write("other.json", "{\"format_version\": 1, \"steps\": []}\n");
    symlink("new.json", story.path("link.json")).unwrap();
    symlink("nowhere.json", story.path("dangling.json")).unwrap();
    assert!(Command::new("mkfifo").arg(story.path("pipe")).status().unwrap().success());
    std::fs::create_dir(story.path("folder")).unwrap();
    let asked = served.sandbox().log().len();
    for (path, why) in [
        ("charter.yaml", "holds something else than a plan of charter"),
        ("notes.txt", "holds something else than a plan of charter"),
        ("other.json", "holds something else than a plan of charter"),
        ("link.json", "is a link"),
        ("dangling.json", "is a link"),
        ("pipe", "is no regular file"),
        ("/dev/null", "is no regular file"),
        ("folder", "is a folder"),
    ] {
        let (error, help) = plan(path).one_message(3);
        assert!(error.contains(why) && error.contains("is not replaced"), "{path}: {error}");
        assert!(help.contains("give the path of a new file"), "{path}: {help}");
    }
    assert_eq!(served.sandbox().log().len(), asked, "nothing was asked of the API");
    assert_eq!(read(&story.path("charter.yaml")), FILE);
    assert_eq!(read(&story.path("notes.txt")), "by hand\n");
    assert!(!story.path("nowhere.json").exists());
}

#[test]
fn a_slip_in_the_name_of_a_result_is_refused_with_what_was_meant() {
    let story = Story::new();
    for (args, hint) in [
        (&["plan", "-out=plan.json"][..], "`--out=plan.json`"),
        (&["plan", "-o", "json"], "`--format`"),
        (&["import", "-o", "yaml"], "`./yaml`"),
        (&["import", "-out=new.yaml"], "`--out=new.yaml`"),
        (&["man", "-o", "text"], "`./text`"),
    ] {
        let run = story.run(args);
        assert_eq!(run.code, Some(3), "{run:?}");
        let said = run.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(hint), "{args:?}: {said}");
    }
    assert_eq!(story.made(), Vec::<String>::new());
}

#[test]
fn metrics_and_pages_replace_nothing_that_is_not_charters_own() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    story.run(&["plan", "--metrics-file", "charter.prom"]);
    symlink("charter.prom", story.path("link.prom")).unwrap();
    assert!(Command::new("mkfifo").arg(story.path("pipe.prom")).status().unwrap().success());
    let asked = served.sandbox().log().len();
    for (path, why) in [("link.prom", "is a link"), ("pipe.prom", "is no regular file")] {
        let (error, _) = story.run(&["plan", "--metrics-file", path]).one_message(3);
        assert!(error.contains(why), "{error}");
    }
    assert_eq!(served.sandbox().log().len(), asked, "nothing was asked of the API");

    for _ in 0..2 {
        assert_eq!(story.run(&["man", "--out", "man"]).code, Some(0));
    }
    let page = read(&story.path("man/charter-plan.1"));
    story.write("man/charter-plan.1", "by hand\n");
    let (error, _) = story.run(&["man", "--out", "man"]).one_message(3);
    assert!(error.contains("man/charter-plan.1"), "{error}");
    assert_eq!(read(&story.path("man/charter-plan.1")), "by hand\n");
    story.write("man/charter-plan.1", &page);
    let made = std::fs::read_dir(story.path("man")).unwrap().count();
    assert_eq!(story.run(&["man", "--out", "man"]).code, Some(0));
    assert_eq!(std::fs::read_dir(story.path("man")).unwrap().count(), made, "nothing is left over");
}

#[test]
fn a_save_that_was_killed_leaves_nothing_after_the_next_one() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    story.write(".charter-save-Ab12Cd.tmp", "{\"half\":");
    assert_eq!(story.run(&["plan", "--out", "plan.json"]).code, Some(0));
    assert_eq!(story.made(), ["plan.json"]);
}

#[test]
#[cfg(target_os = "linux")]
fn no_core_file_of_a_process_with_a_credential_can_be_written() {
    let served = Served::start(&format!(
        "{SEED}faults: [{{on: \"GET /v1/organizations/users\", then: {{latency_ms: 30000}}}}]\n"
    ));
    let story = Story::new().to(&served.url());
    let mut child = story.command(&["plan"]).spawn().unwrap();
    let start = Instant::now();
    while served.sandbox().log().is_empty() {
        assert!(start.elapsed() < Duration::from_mins(1), "nothing was asked");
        std::thread::sleep(Duration::from_millis(10));
    }
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    // Linux gives the files of a process that cannot be dumped to root: nobody else reads its memory.
    let memory = std::fs::metadata(format!("/proc/{}/mem", child.id())).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{limits}");
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&memory), 0);
}
