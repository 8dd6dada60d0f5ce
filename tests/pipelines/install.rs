//! The program: only the one that was pinned ever runs.

use std::fs;

use crate::{
    stage::{Stage, sha256},
    support::{FILE, SEED, ended},
};

#[test]
fn a_program_with_another_checksum_is_refused_and_never_run() {
    let mut stage = Stage::new(SEED, FILE).live();
    stage.proposed(|_| {});
    let other = "0".repeat(64);
    for mode in ["review", "plan", "apply", "drift"] {
        let job = stage.act(mode, &[("binary-sha256", &other)]);
        assert_eq!(job.code, 4, "{job:?}");
        assert!(job.log.contains("the program is refused: its SHA-256 is"), "{job:?}");
    }
    assert!(!stage.path("seen").exists());
    assert!(!stage.home("bin/charter").exists());
    assert_eq!(stage.stored("comments").len() + stage.stored("issues").len(), 0);
    assert_eq!(stage.served.calls(), Vec::<String>::new());
}

#[test]
fn a_program_of_another_version_is_refused() {
    let stage = Stage::new(SEED, FILE);
    let job = stage.act("drift", &[("version", "0.0.9")]);
    assert_eq!(job.code, 4, "{job:?}");
    assert!(job.log.contains("it is another version than CHARTER_VERSION"), "{job:?}");
}

#[test]
fn a_pin_that_is_none_is_refused_before_anything_is_downloaded() {
    let stage = Stage::new(SEED, FILE);
    stage.program("curl", "#!/usr/bin/env bash\ntouch \"$FAKE_GH/downloaded\"\n");
    for (url, sum) in [
        ("https://releases.acme.com/charter", "latest"),
        ("https://releases.acme.com/charter", &"A".repeat(64)[..]),
        ("http://releases.acme.com/charter", &"0".repeat(64)[..]),
        ("--output=x", &"0".repeat(64)[..]),
    ] {
        let job = stage.act("drift", &[("binary-url", url), ("binary-sha256", sum)]);
        assert_eq!(job.code, 3, "{job:?}");
    }
    assert!(!stage.path("gh/downloaded").exists());
}

#[test]
fn a_download_is_checked_too_and_what_an_earlier_job_left_is_not_used() {
    let stage = Stage::new(SEED, FILE);
    let program = stage.path("bin/charter");
    let curl = format!(
        "#!/usr/bin/env bash\nprintf '%s\\n' \"$@\" >\"$FAKE_GH/asked\"\nwhile [[ $1 != --output ]]; do shift; done\ncp {} \"$2\"\n",
        program.display()
    );
    stage.program("curl", &curl);
    let install = |sum: &str| {
        let mut command = stage.script("install.sh");
        command.env("CHARTER_URL", "https://releases.acme.com/charter");
        command.env("CHARTER_SHA256", sum).env("CHARTER_VERSION", env!("CARGO_PKG_VERSION"));
        ended(command.output().unwrap())
    };
    let run = install(&sha256(&program));
    assert_eq!(run.code, Some(0), "{run:?}");
    let asked = fs::read_to_string(stage.path("gh/asked")).unwrap();
    assert!(asked.contains("--proto\n=https\n--proto-redir\n=https\n"), "{asked}");
    assert!(stage.home("bin/charter").exists());

    let run = install(&"1".repeat(64));
    assert_eq!(run.code, Some(4), "{run:?}");
    assert!(!stage.home("bin/charter").exists());
}
