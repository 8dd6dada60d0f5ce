//! What a plan leaves alone, and what it leaves behind: ignored and unmanaged things, and the state after it.

use insta::assert_snapshot;

use super::builder::*;
use crate::{
    address::{Address, Name},
    plan::outcome,
    resource::{
        Spec,
        desired::{GoneCause, IgnoreTarget, Unlisted},
    },
};

#[test]
fn somebody_who_is_listed_and_ignored_is_not_changed() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("help@vendor.io", "developer").ignore(IgnoreTarget::Members, "*@vendor.io");
    org.user("user_v", "help@vendor.io", "user");
    assert_snapshot!(show(&plan(&files, &org)), @"nothing to do");
}

#[test]
fn a_workspace_is_ignored_by_the_name_it_has_and_by_the_one_it_is_to_have() {
    for pattern in ["Old", "New"] {
        let (mut files, mut org) = (Files::new(), Org::new());
        files.workspace(workspace_spec("New")).ignore(IgnoreTarget::Workspaces, pattern);
        files.pin(Address::workspace(Name::label("New")), Some("w1"), None);
        org.workspace("w1", workspace_spec("Old"));
        assert_eq!(show(&plan(&files, &org)), "nothing to do\n", "{pattern}");
    }
}

#[test]
fn who_is_in_an_ignored_workspace_stays_and_who_is_ignored_stays_everywhere() {
    for (target, pattern) in
        [(IgnoreTarget::Workspaces, "Vendor*"), (IgnoreTarget::Members, "ada@*")]
    {
        let (mut files, mut org) = (Files::new(), Org::new());
        files.member("ada@acme.com", "user").ignore(target, pattern);
        files.workspace(workspace_spec("Vendor lab")).grants("Vendor lab", &[]);
        org.user("user_a", "ada@acme.com", "user").workspace("w1", workspace_spec("Vendor lab"));
        org.grant("w1", "user_a", "workspace_admin");
        assert_eq!(show(&plan(&files, &org)), "nothing to do\n", "{pattern}");
        files.desired.scope.ignore.clear();
        assert_eq!(
            show(&plan(&files, &org)),
            "ready remove workspace_member/Vendor lab/ada@acme.com\n    DELETE /workspaces/w1/members/user_a\n"
        );
    }
}

#[test]
fn a_pin_of_somebody_who_is_to_go_and_went_says_nothing() {
    let (mut files, org) = (Files::new(), Org::new());
    let gone = member_address("gone@acme.com");
    files.manage(Unlisted::Report).gone(gone.clone(), GoneCause::None);
    files.pin(gone, Some("user_gone"), None);
    let plan = plan(&files, &org);
    assert!(plan.steps.is_empty() && plan.notes.is_empty(), "{:#?}", plan.notes);
}

#[test]
fn a_role_that_is_not_managed_is_still_there_afterwards() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("ada@acme.com", "unmanaged");
    org.user("user_a", "ada@acme.com", "developer");
    let plan = plan(&files, &org);
    assert_snapshot!(show(&plan), @"nothing to do");
    assert!(plan.access.is_empty(), "{:#?}", plan.access);
}

#[test]
fn with_a_person_or_a_workspace_their_grants_are_gone_and_no_others() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("kim@acme.com", "user");
    let old = Address::workspace(Name::label("old"));
    files.gone(old.clone(), GoneCause::Archived).pin(old, Some("w2"), None);
    files.workspace(workspace_spec("Prod"));
    org.user("user_l", "leaver@acme.com", "user").user("user_k", "kim@acme.com", "user");
    org.workspace("w1", workspace_spec("Prod")).workspace("w2", workspace_spec("Old"));
    for (workspace, user) in [("w1", "user_l"), ("w1", "user_k"), ("w2", "user_k")] {
        org.grant(workspace, user, "workspace_user");
    }
    let plan = plan(&files, &org);
    let live = crate::plan::bind::bind(&files.desired, &org.live).live;
    let left: Vec<String> = (&outcome(&live, &plan.steps))
        .into_iter()
        .map(|(address, _)| address.to_string())
        .collect();
    assert_eq!(
        left,
        ["member/kim@acme.com", "workspace/Prod", "workspace_member/Prod/kim@acme.com"]
    );
}

#[test]
fn a_key_of_an_unknown_status_is_never_rewritten() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.key("k1", None, "inactive");
    org.key("k1", "odd", "quarantined", None, |_| ());
    assert_snapshot!(show(&plan(&files, &org)), @r#"
    manual update api_key/k1 status: "quarantined" -> "inactive"
        key `odd` has the status `quarantined`, which charter does not know and never rewrites
    "#);
}

#[test]
fn a_key_of_an_unknown_status_that_is_not_managed_can_be_renamed() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.key("k1", None, "inactive");
    let address = Address::api_key(&crate::address::RemoteId::new("k1"));
    let mut object = crate::resource::Object::clone(files.desired.objects.get(&address).unwrap());
    let Spec::ApiKey(key) = &mut object.spec else { unreachable!() };
    (key.name, key.status) = (Some("new name".into()), None);
    files.desired.objects.replace(address, std::sync::Arc::new(object));
    org.key("k1", "old name", "quarantined", None, |_| ());
    assert_snapshot!(show(&plan(&files, &org)), @r#"
    ready update api_key/k1 name: "old name" -> "new name"
        POST /api_keys/k1 {"name":"new name"}
    "#);
}

#[test]
fn only_people_and_workspaces_can_be_one_and_the_same_under_a_new_name() {
    let mut org = Org::new();
    org.user("user_a", "ada@acme.com", "user").workspace("w1", workspace_spec("Prod"));
    org.grant("w1", "user_a", "workspace_user").key("k1", "ci", "active", None, |_| ());
    let alike: Vec<bool> = org
        .live
        .objects
        .iter()
        .map(|(_, object)| object.spec.resource().likeness().is_some())
        .collect();
    assert_eq!(alike, [true, true, false, false]);
}

#[test]
fn whoever_is_ignored_by_their_live_address_keeps_grants_under_the_one_that_is_written() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("ada@acme.com", "user").ignore(IgnoreTarget::Members, "*@vendor.io");
    files.pin(member_address("ada@acme.com"), Some("user_v"), None);
    files.workspace(workspace_spec("Prod")).grants("Prod", &[]);
    org.user("user_v", "ada@vendor.io", "developer").workspace("w1", workspace_spec("Prod"));
    org.grant("w1", "user_v", "workspace_admin");
    assert_snapshot!(show(&plan(&files, &org)), @"nothing to do");
}

#[test]
fn what_waits_for_a_person_changes_nobodys_access() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("ada@acme.com", "admin");
    org.user("user_a", "ada@acme.com", "user");
    let plan = plan(&files, &org);
    assert_eq!(plan.counts().manual, 1);
    assert!(plan.access.is_empty(), "{:#?}", plan.access);
}

#[test]
fn a_role_that_is_not_managed_still_decides_what_grants_add() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("boss@acme.com", "unmanaged").workspace(workspace_spec("Prod"));
    files.grants("Prod", &[("boss@acme.com", "workspace_user")]);
    org.user("user_b", "boss@acme.com", "admin").workspace("w1", workspace_spec("Prod"));
    assert_snapshot!(show(&plan(&files, &org)), @r"
    manual create workspace_member/Prod/boss@acme.com
        `boss@acme.com` has `workspace_admin` in every workspace through the organization role `admin`, which is more than `workspace_user`: drop this grant, or change the organization role first
    ");
}

#[test]
fn the_key_that_charter_runs_with_may_be_switched_on() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.key("k1", None, "active");
    org.key("k1", "own", "inactive", None, |facts| facts.in_use = true);
    assert_snapshot!(show(&plan(&files, &org)), @r#"
    ready update api_key/k1 status: "inactive" -> "active"
        POST /api_keys/k1 {"status":"active"}
    "#);
}

#[test]
fn workspaces_of_the_product_are_neither_renamed_nor_archived() {
    let (mut files, mut org) = (Files::new(), Org::new());
    for (label, id) in [("Renamed code", "w1"), ("Renamed default", "w2"), ("Other", "w3")] {
        files.workspace(workspace_spec(label));
        files.pin(Address::workspace(Name::label(label)), Some(id), None);
    }
    let default =
        |name: &str| crate::resource::Workspace { is_default: true, ..workspace_spec(name) };
    org.workspace("w1", workspace_spec("Claude Code")).workspace("w3", workspace_spec("Mine"));
    let address = Address::workspace(Name::label("Renamed default"));
    let mut object = crate::resource::Object::clone(files.desired.objects.get(&address).unwrap());
    object.spec = Spec::Workspace(Box::new(default("Renamed default")));
    files.desired.objects.replace(address, std::sync::Arc::new(object));
    org.workspace("w4", default("Default"));
    assert_snapshot!(show(&plan(&files, &org)), @r#"
    ready update workspace/Other name: "Mine" -> "Other"
        POST /workspaces/w3 {"name":"Other"}
    manual update workspace/Renamed code name: "Claude Code" -> "Renamed code"
        the workspace "Claude Code" belongs to the product and cannot be renamed: keep its name
    manual update workspace/Renamed default name: "Default" -> "Renamed default"
        the workspace "Default" belongs to the product and cannot be renamed: keep its name
    "#);
    let (mut files, mut org) = (Files::new(), Org::new());
    let gone = Address::workspace(Name::label("gone"));
    files.gone(gone.clone(), GoneCause::Archived).pin(gone, Some("w4"), None);
    org.workspace("w4", default("Default"));
    assert_snapshot!(show(&plan(&files, &org)), @"nothing to do");
}

#[test]
fn a_default_region_that_is_not_allowed_is_left_to_a_person() {
    use crate::resource::workspace::{Geos, Residency};
    let (mut files, mut org) = (Files::new(), Org::new());
    let spec = |name: &str, default: &str, allowed: &[&str]| crate::resource::Workspace {
        data_residency: Residency {
            workspace_geo: None,
            default_inference_geo: Some(default.into()),
            allowed_inference_geos: Some(Geos::Only(
                allowed.iter().map(|geo| (*geo).into()).collect(),
            )),
        },
        ..workspace_spec(name)
    };
    files.workspace(spec("New", "us", &["eu"])).workspace(spec("Prod", "us", &["eu"]));
    files.workspace(spec("Right", "eu", &["eu"]));
    org.workspace("w1", spec("Prod", "us", &["us"]));
    assert_snapshot!(show(&plan(&files, &org)), @r#"
    manual create workspace/New
        `default_inference_geo` would be `us`, which `allowed_inference_geos` leaves out: name a default that is allowed
    manual update workspace/Prod data_residency.allowed_inference_geos: ["us"] -> ["eu"]
        `default_inference_geo` would be `us`, which `allowed_inference_geos` leaves out: name a default that is allowed
    ready create workspace/Right
        POST /workspaces {"data_residency":{"allowed_inference_geos":["eu"],"default_inference_geo":"eu"},"name":"Right"}
    "#);
}

#[test]
fn a_grant_that_goes_with_its_person_is_not_shown_as_left_alone() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.manage(Unlisted::Remove).workspace(workspace_spec("Prod"));
    files.grants("Prod", &[]);
    let scope = files.desired.scope.workspace_members.values_mut().next().unwrap();
    scope.unlisted = Unlisted::Report;
    org.user("user_l", "leaver@acme.com", "user").workspace("w1", workspace_spec("Prod"));
    org.grant("w1", "user_l", "workspace_user");
    let plan = plan(&files, &org);
    assert!(plan.unmanaged.is_empty(), "{:#?}", plan.unmanaged);
}
