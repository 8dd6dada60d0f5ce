//! References to what is not there, and things that stand in each other's way.

use insta::assert_snapshot;

use super::builder::*;

#[test]
fn a_grant_to_somebody_unknown_is_left_to_a_person_and_the_rest_runs() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.workspace(workspace_spec("Prod"));
    files
        .grants("Prod", &[("typo@acme.com", "workspace_user"), ("ada@acme.com", "workspace_user")]);
    org.user("user_a", "ada@acme.com", "user").workspace("w1", workspace_spec("Prod"));
    assert_snapshot!(show(&plan(&files, &org)), @r#"
    ready create workspace_member/Prod/ada@acme.com
        POST /workspaces/w1/members {"user_id":"user_a","workspace_role":"workspace_user"}
    manual create workspace_member/Prod/typo@acme.com
        no member `typo@acme.com` is in this organization: fix the name, or list it
    "#);
}

#[test]
fn what_refers_to_a_held_workspace_is_deferred() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("ada@acme.com", "user").workspace(workspace_spec("Pro-duction"));
    files.grants("Pro-duction", &[("ada@acme.com", "workspace_user")]);
    org.user("user_a", "ada@acme.com", "user").workspace("w1", workspace_spec("Production"));
    assert_snapshot!(show(&plan(&files, &org)), @r"
    held create workspace/Pro-duction
        no entry names the live workspace `Production` (`w1`), whose name differs only in case and punctuation: if it was renamed, add `id: w1` or `previously: [Production]` to this entry; add `previously: []` if this is a new workspace
    deferred create workspace_member/Pro-duction/ada@acme.com
        [workspace/Pro-duction] until workspace/Pro-duction exists
    ");
}

#[test]
fn steps_come_in_stages_switches_first_and_archives_last() {
    use crate::{
        address::{Address, Name},
        resource::desired::GoneCause,
    };
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("new@acme.com", "user").member("kim@acme.com", "user");
    files.workspace(workspace_spec("Prod")).workspace(workspace_spec("New"));
    files.grants("Prod", &[("kim@acme.com", "workspace_user")]);
    let old = Address::workspace(Name::label("old"));
    files.gone(old.clone(), GoneCause::Archived).pin(old, Some("w2"), None);
    files.key("apikey_1", None, "inactive").key("apikey_2", None, "archived");
    org.user("user_l", "leaver@acme.com", "user").user("user_k", "kim@acme.com", "developer");
    org.user("user_x", "extra@acme.com", "user");
    files.member("extra@acme.com", "user");
    org.workspace("w1", workspace_spec("Prod")).workspace("w2", workspace_spec("Old"));
    org.grant("w1", "user_x", "workspace_user");
    org.key("apikey_1", "one", "active", None, |_| ()).key(
        "apikey_2",
        "two",
        "active",
        None,
        |_| (),
    );
    let order: Vec<String> = plan(&files, &org)
        .steps
        .iter()
        .map(|step| format!("{:?} {}", step.stage, step.address))
        .collect();
    assert_snapshot!(order.join("\n"), @r"
    Switch api_key/apikey_1
    Build(Member) member/kim@acme.com
    Build(Member) member/new@acme.com
    Build(Workspace) workspace/New
    Build(WorkspaceMember) workspace_member/Prod/kim@acme.com
    RemoveGrants workspace_member/Prod/extra@acme.com
    RemoveMembers member/leaver@acme.com
    Archive workspace/old
    Archive api_key/apikey_2
    ");
}
