//! Saved plans: what makes them stale, and what shows that they were edited.

use insta::assert_snapshot;

use super::builder::*;
use crate::{
    address::{Address, Name},
    plan::{Plan, stale},
};

fn files_and_org() -> (Files, Org) {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("ada@acme.com", "developer").member("new@acme.com", "user");
    files.workspace(workspace_spec("Prod")).workspace(workspace_spec("Made"));
    files.grants("Prod", &[("ada@acme.com", "workspace_user")]);
    files.grants("Made", &[("ada@acme.com", "workspace_user")]);
    org.user("user_a", "ada@acme.com", "user").workspace("w1", workspace_spec("Prod"));
    org.user("user_l", "leaver@acme.com", "user");
    (files, org)
}

fn stale(plan: &Plan, org: &Org) -> String {
    let facts = stale::stale_facts(plan, &org.live);
    facts.iter().map(|fact| format!("{}\n", fact.message)).collect()
}

#[test]
fn a_plan_survives_its_json() {
    let (files, org) = files_and_org();
    let plan = plan(&files, &org);
    let json = serde_json::to_string(&plan).unwrap();
    let back: Plan = serde_json::from_str(&json).unwrap();
    assert_eq!(serde_json::to_string(&back).unwrap(), json);
    assert!(stale::foreign_calls(&back).is_empty());
    assert_eq!(stale(&back, &org), "");
}

#[test]
fn each_fact_that_moved_is_named_and_nothing_else_is() {
    let (files, org) = files_and_org();
    let plan = plan(&files, &org);
    let mut later = Org::new();
    later.user("user_a", "ada@acme.com", "billing").workspace("w1", workspace_spec("Prod"));
    later.workspace("w7", workspace_spec("Made")).invite("invite_1", "new@acme.com", "user", 20);
    later.grant("w1", "user_a", "workspace_admin").user("user_z", "unrelated@acme.com", "user");
    assert_snapshot!(stale(&plan, &later), @r#"
    `role` of member `ada@acme.com` (user_a) has changed from "user" to "billing" since the plan was made
    `new@acme.com` has been invited since the plan was made
    a workspace named `Made` (w7) has been made since the plan was made
    the grant of ada@acme.com in Prod has been made since the plan was made
    member `leaver@acme.com` (user_l) has gone since the plan was made
    "#);
}

#[test]
fn a_name_that_passes_from_one_workspace_to_a_new_one_does_not_make_the_plan_stale() {
    let (mut files, mut org) = (Files::new(), Org::new());
    org.workspace("w1", workspace_spec("Prod"));
    let former = Address::workspace(Name::label("Former"));
    files.workspace(workspace_spec("Former")).pin(former, Some("w1"), None);
    files.workspace(workspace_spec("Prod"));
    let plan = plan(&files, &org);
    assert_eq!(plan.counts().ready, 2, "{:?}", plan.steps);
    assert_eq!(stale(&plan, &org), "");
}

#[test]
fn an_edited_call_is_noticed() {
    let (files, org) = files_and_org();
    let plan = plan(&files, &org);
    let json = serde_json::to_string(&plan).unwrap();
    let edited = json.replace("\"/calls\"", "").replacen(
        "\"users\"},{\"text\":\"user_l\"",
        "\"users\"},{\"text\":\"user_a\"",
        1,
    );
    assert_ne!(edited, json, "the edit must hit");
    let edited: Plan = serde_json::from_str(&edited).unwrap();
    let foreign = stale::foreign_calls(&edited);
    assert_eq!(foreign.len(), 1);
    assert_eq!(foreign[0].address.to_string(), "member/leaver@acme.com");
}

#[test]
fn a_saved_plan_reads_only_what_it_rests_on() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("new@acme.com", "user");
    org.user("user_x", "x@acme.com", "user");
    files.member("x@acme.com", "user");
    let scope = stale::read_scope(&plan(&files, &org));
    assert!(scope.members && !scope.workspaces && !scope.api_keys);
}
