//! Workspaces: made, changed, renamed, archived, and never guessed.

use std::collections::BTreeMap;

use insta::assert_snapshot;

use super::builder::*;
use crate::{
    address::{Address, Name},
    resource::{
        Workspace,
        desired::GoneCause,
        workspace::{Color, Geos, Residency},
    },
};

#[expect(clippy::unnecessary_wraps, reason = "it stands where the field is optional")]
fn tags(pairs: &[(&str, &str)]) -> Option<BTreeMap<String, String>> {
    Some(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
}

fn address(label: &str) -> Address {
    Address::workspace(Name::label(label))
}

#[test]
fn a_new_workspace_is_made_with_its_grants_in_one_plan() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("ada@acme.com", "developer");
    files.workspace(Workspace {
        display_color: Some(Color::new("#6c5bb9")),
        tags: tags(&[("env", "prod")]),
        ..workspace_spec("Production")
    });
    files.grants("Production", &[("ada@acme.com", "workspace_admin")]);
    org.user("user_a", "ada@acme.com", "developer");
    assert_snapshot!(show(&plan(&files, &org)), @r##"
    ready create workspace/Production
        POST /workspaces {"display_color":"#6C5BB9","name":"Production","tags":{"env":"prod"}}
    ready create workspace_member/Production/ada@acme.com
        POST /workspaces/<workspace/Production>/members {"user_id":"user_a","workspace_role":"workspace_admin"}
    "##);
}

#[test]
fn only_named_fields_are_sent_and_null_drops_a_tag() {
    let (mut files, mut org) = (Files::new(), Org::new());
    let live = Workspace {
        display_color: Some(Color::new("#111111")),
        tags: tags(&[("env", "prod"), ("old", "1"), ("same", "x")]),
        data_residency: Residency {
            workspace_geo: Some("us".into()),
            default_inference_geo: Some("us".into()),
            allowed_inference_geos: Some(Geos::Unrestricted),
        },
        ..workspace_spec("Production")
    };
    org.workspace("w1", live.clone());
    files.workspace(Workspace {
        tags: tags(&[("env", "test"), ("same", "x")]),
        data_residency: Residency {
            allowed_inference_geos: Some(Geos::Only(["us".into()].into())),
            ..Residency::default()
        },
        ..workspace_spec("Production")
    });
    assert_snapshot!(show(&plan(&files, &org)), @r#"
    ready update workspace/Production data_residency.allowed_inference_geos: "unrestricted" -> ["us"] tags.env: "prod" -> "test" tags.old: "1" -> null
        POST /workspaces/w1 {"data_residency":{"allowed_inference_geos":["us"],"default_inference_geo":"us"},"tags":{"env":"test","old":null}}
    "#);
}

#[test]
fn a_rename_is_an_update_and_an_unexplained_one_is_held() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.workspace(workspace_spec("Production")).workspace(workspace_spec("Data-Lake"));
    files.workspace(workspace_spec("ML research"));
    files.pin(address("Production"), None, Some(&["Prod"]));
    files.pin(address("ML research"), None, Some(&[]));
    org.workspace("w1", workspace_spec("Prod"));
    org.workspace("w2", workspace_spec("data lake"));
    org.workspace("w3", workspace_spec("ml-research"));
    assert_snapshot!(show(&plan(&files, &org)), @r#"
    held create workspace/Data-Lake
        no entry names the live workspace `data lake` (`w2`), whose name differs only in case and punctuation: if it was renamed, add `id: w2` or `previously: [data lake]` to this entry; add `previously: []` if this is a new workspace
    ready create workspace/ML research
        POST /workspaces {"name":"ML research"}
    ready update workspace/Production name: "Prod" -> "Production"
        POST /workspaces/w1 {"name":"Production"}
    "#);
}

#[test]
fn names_that_repeat_are_told_apart_by_id_or_not_at_all() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.workspace(workspace_spec("Prod")).workspace(workspace_spec("Twin"));
    files.pin(address("Prod"), Some("w2"), None);
    org.workspace("w1", workspace_spec("Prod")).workspace("w2", workspace_spec("Prod"));
    org.workspace("w3", workspace_spec("Twin")).workspace("w4", workspace_spec("Twin"));
    let plan = plan(&files, &org);
    assert_snapshot!(show(&plan), @r"
    manual create workspace/Twin
        several active workspaces are named `Twin`: add `id:` with the one meant (`w3`, `w4`)
    ");
    assert_eq!(plan.unmanaged.len(), 3);
}

#[test]
fn earlier_names_are_neither_guessed_nor_forgotten() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.workspace(workspace_spec("C")).workspace(workspace_spec("H"));
    files.pin(address("C"), None, Some(&["D", "E"])).pin(address("H"), None, Some(&["I"]));
    org.workspace("w1", workspace_spec("D")).workspace("w2", workspace_spec("E"));
    org.archived("w3", "I");
    assert_snapshot!(show(&plan(&files, &org)), @r"
    manual create workspace/C
        several active workspaces are named `D` or `E`: add `id:` with the one meant (`w1`, `w2`)
    held create workspace/H
        the only workspace named `I` is archived (w3) and cannot come back: write `previously: []` to make a new one named `H`
    ");
}

#[test]
fn archiving_needs_the_id_is_satisfied_once_done_and_spares_the_product() {
    let (mut files, mut org) = (Files::new(), Org::new());
    for (label, id) in [("old", "w1"), ("older", "w2"), ("cc", "w3"), ("nowhere", "w9")] {
        files.gone(address(label), GoneCause::Archived).pin(address(label), Some(id), None);
    }
    files.workspace(workspace_spec("Kept"));
    org.workspace("w1", workspace_spec("Hackathon 2025")).archived("w2", "Hackathon 2024");
    org.workspace("w3", workspace_spec("Claude Code")).workspace("w4", workspace_spec("Kept"));
    let plan = plan(&files, &org);
    assert_snapshot!(show(&plan), @r"
    manual remove workspace/cc
        archiving the workspace `Claude Code` would turn off Claude Code sign-in for the whole organization, so charter never does it: drop the entry
    ready remove workspace/old
        POST /workspaces/w1/archive
    guard `archives`: 1 workspaces or keys archived, for ever, and the limit is 0
    ");
    assert_snapshot!(plan.notes[0].message, @"no workspace has the id `w9`, so there is nothing to archive");
}

#[test]
fn an_archived_namesake_is_never_adopted() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.workspace(workspace_spec("Prod")).workspace(workspace_spec("Again"));
    files.workspace(workspace_spec("Pinned"));
    files.pin(address("Again"), None, Some(&[])).pin(address("Pinned"), Some("w3"), None);
    org.archived("w1", "Prod").archived("w2", "Again").archived("w3", "Pinned");
    assert_snapshot!(show(&plan(&files, &org)), @r#"
    ready create workspace/Again
        POST /workspaces {"name":"Again"}
    manual create workspace/Pinned
        workspace `w3` is archived, which cannot be undone: write `state: archived`, or drop `id:` and add `previously: []` to make a new one
    held create workspace/Prod
        the only workspace named `Prod` is archived (w1) and cannot come back: write `previously: []` to make a new one named `Prod`
    "#);
}

#[test]
fn what_can_be_set_only_once_is_left_to_a_person() {
    let (mut files, mut org) = (Files::new(), Org::new());
    let key = |id: &str| Some(id.into());
    files.workspace(Workspace { external_key_id: key("ekey_2"), ..workspace_spec("Second") });
    files.workspace(Workspace { external_key_id: key("ekey_1"), ..workspace_spec("First") });
    files.workspace(Workspace {
        data_residency: Residency { workspace_geo: Some("eu".into()), ..Residency::default() },
        ..workspace_spec("Moved")
    });
    org.workspace("w1", Workspace { external_key_id: key("ekey_1"), ..workspace_spec("Second") });
    org.workspace("w2", workspace_spec("First"));
    org.workspace(
        "w3",
        Workspace {
            data_residency: Residency { workspace_geo: Some("us".into()), ..Residency::default() },
            ..workspace_spec("Moved")
        },
    );
    assert_snapshot!(show(&plan(&files, &org)), @r#"
    ready update workspace/First external_key_id: null -> "ekey_1"
        POST /workspaces/w2 {"external_key_id":"ekey_1"}
    manual update workspace/Moved data_residency.workspace_geo: "us" -> "eu"
        `workspace_geo` is "us" and cannot be changed to "eu": make a new workspace there, or write the live value
    manual update workspace/Second external_key_id: "ekey_1" -> "ekey_2"
        `external_key_id` is "ekey_1" and can be set only once: make a new workspace, or write the live value
    "#);
}

#[test]
fn the_cap_on_workspaces_refuses_what_is_surely_too_much_and_archives_make_room() {
    let (mut files, mut org) = (Files::new(), Org::new());
    for index in 0..100 {
        let name = format!("W{index:03}");
        org.workspace(&format!("w{index}"), workspace_spec(&name));
        if index > 0 {
            files.workspace(workspace_spec(&name));
        }
    }
    files.workspace(workspace_spec("New A")).workspace(workspace_spec("New B"));
    assert_snapshot!(show(&plan(&files, &org)), @r"
    manual create workspace/New A
        the organization has no room for another of 100 active workspaces: archive one first (`state: archived`), or ask for a higher limit
    manual create workspace/New B
        the organization has no room for another of 100 active workspaces: archive one first (`state: archived`), or ask for a higher limit
    ");
    files.gone(address("W000"), GoneCause::Archived).pin(address("W000"), Some("w0"), None);
    assert_snapshot!(show(&plan(&files, &org)), @r#"
    ready remove workspace/W000
        POST /workspaces/w0/archive
    ready create workspace/New A
        POST /workspaces {"name":"New A"}
    manual create workspace/New B
        the organization has no room for another of 100 active workspaces: archive one first (`state: archived`), or ask for a higher limit
    guard `archives`: 1 workspaces or keys archived, for ever, and the limit is 0
    "#);
}

#[test]
fn product_workspaces_are_left_alone_unless_named() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.workspace(workspace_spec("Production"));
    org.workspace("w1", workspace_spec("Production"));
    org.workspace("w2", workspace_spec("Claude Code"));
    org.workspace("w3", Workspace { is_default: true, ..workspace_spec("Default") });
    let shown = plan(&files, &org);
    assert_snapshot!(show(&shown), @"nothing to do");
    assert!(shown.unmanaged.is_empty());

    files.workspace(Workspace {
        is_default: true,
        display_color: Some(Color::new("#777777")),
        ..workspace_spec("Default")
    });
    assert_snapshot!(show(&plan(&files, &org)), @r##"
    ready update workspace/Default display_color: null -> "#777777"
        POST /workspaces/w3 {"display_color":"#777777"}
    "##);
}
