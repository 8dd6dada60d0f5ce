//! Saved plans: what makes them stale, and what shows that they were edited.

use insta::assert_snapshot;

use super::builder::*;
use crate::{
    address::{Address, Name},
    plan::{Plan, rest, stale},
    resource::Verb,
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
    let new = Address::workspace(Name::label("Prod"));
    files.workspace(workspace_spec("Prod")).pin(new, None, Some(&[]));
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

#[test]
fn a_removal_is_read_with_the_keys_that_may_die_and_their_workspaces() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.manage(crate::resource::desired::Unlisted::Remove);
    org.user("user_l", "leaver@acme.com", "user");
    let scope = stale::read_scope(&plan(&files, &org));
    assert!(scope.members && scope.workspaces && scope.api_keys && !scope.default_workspace);
}

#[test]
fn what_becomes_final_rests_on_everything_that_was_seen_of_it() {
    let (mut files, mut org) = (Files::new(), Org::new());
    let old = Address::workspace(Name::label("old"));
    files.gone(old.clone(), crate::resource::desired::GoneCause::Archived);
    files.pin(old, Some("w1"), None).key("k1", None, "archived");
    let later = |spec: crate::resource::Workspace, status: &str| {
        let mut later = Org::new();
        later.workspace("w1", spec).key("k1", "ci", status, None, |_| ());
        later
    };
    let tagged = |env: &str| {
        let mut spec = workspace_spec("Old");
        spec.tags = Some([("env".to_owned(), env.to_owned())].into());
        spec
    };
    org.workspace("w1", tagged("dev")).key("k1", "ci", "active", None, |_| ());
    let plan = plan(&files, &org);
    assert_eq!(stale(&plan, &later(tagged("dev"), "active")), "");
    assert_snapshot!(stale(&plan, &later(tagged("prod"), "inactive")), @r#"
    `tags.env` of workspace `Old` (w1) has changed from "dev" to "prod" since the plan was made
    `status` of API key `ci` (k1) has changed from "active" to "inactive" since the plan was made
    "#);
}

#[test]
fn the_digest_of_a_plan_does_not_depend_on_its_seal() {
    let (files, org) = files_and_org();
    let plan = plan(&files, &org);
    let sealed = Plan { hmac: Some("aa".to_owned()), ..plan.clone() };
    assert_eq!(rest::digest(&sealed).unwrap(), rest::digest(&plan).unwrap());
}

#[test]
fn only_a_step_that_the_plan_did_itself_is_taken_out_as_done() {
    let (files, org) = files_and_org();
    let plan = plan(&files, &org);
    let left = |address: &str| {
        let mut plan = plan.clone();
        rest::rest(&mut plan, [(address, Verb::Create, None)]);
        plan.steps.len()
    };
    assert_eq!(left("member/new@acme.com"), plan.steps.len() - 1);
    assert_eq!(left("member/ada@acme.com"), plan.steps.len(), "it is an update");
    let mut waiting = plan.clone();
    for step in &mut waiting.steps {
        step.disposition = crate::resource::Disposition::Manual { why: "by hand".to_owned() };
    }
    rest::rest(&mut waiting, [("member/new@acme.com", Verb::Create, None)]);
    assert_eq!(waiting.steps.len(), plan.steps.len());
}

#[test]
fn a_change_of_the_default_workspace_reads_it_again() {
    let default = |color: Option<&str>| crate::resource::Workspace {
        is_default: true,
        display_color: color.map(crate::resource::workspace::Color::new),
        ..workspace_spec("Default")
    };
    let (mut files, mut org) = (Files::new(), Org::new());
    files.workspace(default(Some("#777777"))).workspace(workspace_spec("New one"));
    org.workspace("w0", default(None));
    assert!(stale::read_scope(&plan(&files, &org)).default_workspace);
}

#[test]
fn an_invite_that_was_sent_gives_nobody_an_id_yet() {
    let (files, org) = files_and_org();
    let mut plan = plan(&files, &org);
    let id = |id: &str| crate::address::RemoteId::new(id);
    let (invite, made) = (id("invite_1"), id("w9"));
    rest::rest(
        &mut plan,
        [
            ("member/new@acme.com", Verb::Create, Some(&invite)),
            ("workspace/Made", Verb::Create, Some(&made)),
        ],
    );
    assert!(!plan.bindings.iter().any(|(_, id)| *id == invite));
    assert!(plan.bindings.contains(&(Address::workspace(Name::label("Made")), made)));
}
