//! The command line, parsed.
//!
//! Invariant: nothing here runs a command.

use clap::{CommandFactory as _, Parser as _, error::ErrorKind};

use super::*;

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn a_sandbox_takes_its_state_after_an_equals_sign_only() {
    let plan = |args: &[&str]| match Cli::try_parse_from(args) {
        Ok(cli) => match cli.command {
            Command::Plan(plan) => Some((cli.global.sandbox, plan.files.path)),
            _ => None,
        },
        Err(_) => None,
    };
    let bare = plan(&["charter", "plan", "--sandbox", "acme.yaml"]);
    assert_eq!(bare, Some((Some(OsString::new()), PathBuf::from("acme.yaml"))));
    let seeded = plan(&["charter", "plan", "--sandbox=live.yaml", "acme.yaml"]);
    assert_eq!(seeded, Some((Some("live.yaml".into()), PathBuf::from("acme.yaml"))));
    let before = plan(&["charter", "--sandbox=live.yaml", "plan"]);
    assert_eq!(before, Some((Some("live.yaml".into()), PathBuf::from("."))));
}

#[test]
fn an_allowance_names_a_guard_and_its_count() {
    assert_eq!(allowance("removals.members=40"), Ok((GuardName::RemovalsMembers, 40)));
    assert!(allowance("removals.members").is_err());
    assert!(allowance("removal.members=1").is_err_and(|why| why.contains("removals.members")));
    assert!(allowance("archives=many").is_err());
}

#[test]
fn a_plan_for_another_day_cannot_be_saved() {
    let args = ["charter", "plan", "--at", "2027-01-01", "--out", "plan.json"];
    assert!(Cli::try_parse_from(args).is_err());
}

#[test]
fn a_day_far_from_now_is_refused() {
    for wrong in ["9999-12-29", "-009999-01-03", "1969-12-31", "3000-01-01", "0000-01-01", "soon"] {
        let error = day(wrong).unwrap_err();
        assert!(error.starts_with("write a day"), "{error}");
        for command in ["plan", "policy"] {
            let at = format!("--at={wrong}");
            assert!(Cli::try_parse_from(["charter", command, &at]).is_err(), "{command} {wrong}");
        }
    }
    assert!(day("2999-12-31").is_ok() && day("1970-01-01").is_ok());
}

#[test]
fn a_part_is_of_a_fleet_only() {
    for command in ["plan", "drift", "apply"] {
        let parsed = |args: &[&str]| {
            Cli::try_parse_from(["charter", command].iter().chain(args)).map_err(|e| e.kind())
        };
        assert!(parsed(&["--fleet", "fleet.yaml", "--shard", "1/2"]).is_ok());
        assert_eq!(parsed(&["--shard", "1/2"]).unwrap_err(), ErrorKind::MissingRequiredArgument);
        assert_eq!(parsed(&["acme", "--shard", "1/2"]).unwrap_err(), ErrorKind::ArgumentConflict);
        assert_eq!(
            parsed(&["acme", "--fleet", "fleet.yaml"]).unwrap_err(),
            ErrorKind::ArgumentConflict
        );
    }
}

#[test]
fn every_option_has_a_help_text() {
    let command = Cli::command();
    let commands = command.get_subcommands().chain([&command]);
    for command in commands {
        for arg in command.get_arguments() {
            let name = (command.get_name(), arg.get_id());
            assert!(arg.get_help().is_some(), "{name:?} has no help");
        }
    }
}
