//! Names that workspaces take from each other: in which order, and what is said where none helps.

use insta::assert_snapshot;

use super::builder::*;
use crate::{
    address::{Address, Name},
    plan::Plan,
    resource::desired::GoneCause,
};

fn address(label: &str) -> Address {
    Address::workspace(Name::label(label))
}

/// Entries with the ids that they mean.
fn pinned(pairs: &[(&str, &str)]) -> Files {
    let mut files = Files::new();
    for (label, id) in pairs {
        files.workspace(workspace_spec(label)).pin(address(label), Some(id), None);
    }
    files
}

fn live(pairs: &[(&str, &str)]) -> Org {
    let mut org = Org::new();
    for (id, name) in pairs {
        org.workspace(id, workspace_spec(name));
    }
    org
}

fn order(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.address.name.as_str()).collect()
}

fn notes(plan: &Plan) -> String {
    let line = |note: &crate::diagnostic::Diagnostic| {
        let at = note.span.as_ref().map(ToString::to_string).unwrap_or_default();
        let help = note.help.as_deref().unwrap_or_default();
        format!("{} {at}\n    {}\n    {help}", note.code, note.message)
    };
    plan.notes.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn names_are_freed_first_and_a_circle_of_any_length_is_said_once() {
    // `a`, `b` and `c` go round; `d` is freed by `f`, and `e` by `d`.
    let files =
        pinned(&[("a", "w2"), ("b", "w3"), ("c", "w1"), ("d", "w5"), ("e", "w6"), ("f", "w4")]);
    let org =
        live(&[("w1", "a"), ("w2", "b"), ("w3", "c"), ("w4", "d"), ("w5", "e"), ("w6", "other")]);
    let plan = plan(&files, &org);
    assert_eq!(order(&plan), ["f", "d", "e", "b", "c", "a"], "what no order helps comes last");
    let [note] = plan.notes.as_slice() else { panic!("{:?}", plan.notes) };
    assert!(note.message.contains("names `a`, `b`, `c` on in a circle"), "{note:?}");
    assert_eq!((note.span.is_some(), note.related.len()), (true, 2));
}

#[test]
fn a_name_that_somebody_keeps_is_said_and_taken_last() {
    // `w1` is in no file, and keeps its name, which only `A` takes; `B` waits for `A`.
    let files = pinned(&[("A", "w2"), ("B", "w3"), ("C", "w4"), ("D", "w5")]);
    let mut org = live(&[("w1", "A"), ("w2", "B"), ("w3", "x"), ("w4", "y"), ("w5", "D")]);
    // That one has been archived, so its name may be free.
    org.archived("w6", "C");
    let plan = plan(&files, &org);
    assert_eq!(order(&plan), ["C", "A", "B"]);
    assert_snapshot!(notes(&plan), @"
    plan/name-in-use charter.yaml:11:3
        `A` takes the name `A` while the workspace `w1` still has it: if the API lets no two have one name, it refuses this step
        if it is refused: rename or archive that workspace first, or take another name (`name:`)
    ");
}

#[test]
fn a_name_that_an_archive_frees_is_free_only_at_the_end() {
    let mut files = Files::new();
    files.gone(address("Old 'n' [1]"), GoneCause::Archived);
    files.pin(address("Old 'n' [1]"), Some("w1"), None);
    files.workspace(workspace_spec("Blue")).pin(address("Blue"), None, Some(&[]));
    let org = live(&[("w1", "Blue")]);
    assert_snapshot!(notes(&plan(&files, &org)), @r"
    plan/name-in-use charter.yaml:12:3
        `Blue` takes the name `Blue` while the workspace `Old 'n' [1]` (`w1`) still has it: if the API lets no two have one name, it refuses this step
        archives come last: if it is refused, apply once more, or archive that workspace first, by itself: `--only 'workspace/Old '\''n'\'' [[]1[]]'`
    ");
    assert_snapshot!(notes(&plan_with(&files, &org, &["workspace/Blue"], &[])), @r"
    plan/name-in-use charter.yaml:12:3
        `Blue` takes the name `Blue` while the workspace `Old 'n' [1]` (`w1`) still has it: if the API lets no two have one name, it refuses this step
        archive that workspace first, by itself: `--only 'workspace/Old '\''n'\'' [[]1[]]'`
    ");
    // What the help says works, as it is written for a shell.
    let only = r"workspace/Old 'n' [[]1[]]";
    let alone = plan_with(&files, &org, &[only], &[]);
    assert_eq!((order(&alone), notes(&alone)), (vec!["Old 'n' [1]"], String::new()));
}

#[test]
fn an_archive_frees_its_name_at_the_end_also_where_room_is_scarce() {
    let mut files = Files::new();
    files.gone(address("Old"), GoneCause::Archived).pin(address("Old"), Some("w1"), None);
    files.workspace(workspace_spec("Blue")).pin(address("Blue"), None, Some(&[]));
    let mut org = live(&[("w1", "Blue")]);
    for n in 0..99 {
        org.workspace(&format!("v{n}"), workspace_spec(&format!("V{n}")));
    }
    let plan = plan(&files, &org);
    let codes: Vec<&str> = plan.notes.iter().map(|note| &*note.code).collect();
    assert_eq!(order(&plan), ["Blue", "Old"]);
    assert_eq!(codes, ["plan/many-workspaces", "plan/name-in-use"]);
}

#[test]
fn a_rename_that_is_not_chosen_frees_nothing() {
    let files = pinned(&[("Blue", "w2"), ("Green", "w1")]);
    let org = live(&[("w1", "Blue"), ("w2", "other")]);
    assert_snapshot!(notes(&plan_with(&files, &org, &["workspace/Blue"], &[])), @"
    plan/name-in-use charter.yaml:11:3
        `Blue` takes the name `Blue` while the workspace `Green` (`w1`) still has it: if the API lets no two have one name, it refuses this step
        choose the step that frees the name too: `--only workspace/Green`
    ");
    for only in [&["workspace/Blue", "workspace/Green"][..], &[], &["workspace/Green"]] {
        assert_eq!(notes(&plan_with(&files, &org, only, &[])), "", "{only:?}");
    }
}

#[test]
fn a_rename_that_is_not_ready_frees_nothing() {
    let mut files = pinned(&[("Blue", "w2")]);
    // Fixed at birth, so a person has to see to it.
    let spec = crate::resource::Workspace {
        data_residency: crate::resource::workspace::Residency {
            workspace_geo: Some("eu".into()),
            ..Default::default()
        },
        ..workspace_spec("Green")
    };
    files.workspace(spec).pin(address("Green"), Some("w1"), None);
    // Nor is it warned of the name that it wants, before it can have it.
    let org = live(&[("w1", "Blue"), ("w2", "other"), ("w3", "Green")]);
    let plan = plan(&files, &org);
    assert_snapshot!(show(&plan), @r#"
    manual update workspace/Green data_residency.workspace_geo: null -> "eu" name: "Blue" -> "Green"
        `workspace_geo` is null and cannot be changed to "eu": make a new workspace there, or write the live value
    ready update workspace/Blue name: "other" -> "Blue"
        POST /workspaces/w2 {"name":"Blue"}
    "#);
    assert_snapshot!(notes(&plan), @"
    plan/name-in-use charter.yaml:11:3
        `Blue` takes the name `Blue` while the workspace `Green` (`w1`) still has it: if the API lets no two have one name, it refuses this step
        the step `workspace/Green` would free it, and is not ready: see there what it needs, and do that first
    ");
}
