//! Plans held against a base: which steps are by the change, which are drift, and which rules of the base hold.

use std::collections::{BTreeMap, BTreeSet};

use super::builder::*;
use crate::{
    address::{Address, Name},
    plan::{
        Plan, acknowledge,
        attribution::{Former, hold_against},
        step::Attribution,
    },
    resource::{
        desired::{GoneCause, GuardName, IgnoreTarget, Limit, PlanAge, Unlisted},
        workspace::{Color, Residency},
    },
};

fn held(head: &Files, base: &Files, org: &Org) -> Plan {
    let mut plan = plan(head, org);
    let former = Former {
        name: "main".to_owned(),
        commit: None,
        desired: base.desired.clone(),
        rules: Vec::new(),
    };
    hold_against(&mut plan, &head.desired, former, &org.live, &BTreeMap::new());
    plan
}

/// Each step with where it comes from.
fn marks(plan: &Plan) -> Vec<String> {
    let mark = |step: &crate::plan::Step| {
        let mark = step.attribution.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{:?} {}: {mark}", step.change.verb(), step.address)
    };
    plan.steps.iter().map(mark).collect()
}

fn errors(plan: &Plan) -> Vec<&str> {
    plan.notes.iter().filter(|note| note.is_error()).map(|note| &*note.code).collect()
}

#[test]
fn what_both_want_is_drift_and_what_only_the_new_files_want_is_by_this_change() {
    let mut org = Org::new();
    org.user("user_a", "ada@acme.com", "user").user("user_b", "bob@acme.com", "user");
    org.user("user_l", "leaver@acme.com", "user").user("user_m", "mover@acme.com", "user");
    let (mut base, mut head) = (Files::new(), Files::new());
    base.member("ada@acme.com", "developer").member("bob@acme.com", "user");
    head.member("ada@acme.com", "developer").member("bob@acme.com", "billing");
    base.member("mover@acme.com", "user").member("waits@acme.com", "user");
    head.member("waits@acme.com", "user").member("new@acme.com", "user");
    let plan = held(&head, &base, &org);
    assert_eq!(
        marks(&plan),
        [
            "Update member/ada@acme.com: drift",
            "Update member/bob@acme.com: by this change",
            "Create member/new@acme.com: by this change",
            "Create member/waits@acme.com: drift",
            "Remove member/leaver@acme.com: drift",
            "Remove member/mover@acme.com: by this change",
        ]
    );
    let base = plan.base.as_ref().unwrap();
    assert_eq!((base.by_this_change, base.drift), (3, 3));
    assert_eq!(errors(&plan), Vec::<&str>::new());
}

#[test]
fn the_same_files_give_drift_alone() {
    let mut org = Org::new();
    org.user("user_a", "ada@acme.com", "user").user("user_x", "x@acme.com", "user");
    org.workspace("w1", workspace_spec("Prod")).grant("w1", "user_x", "workspace_user");
    let mut files = Files::new();
    files.member("ada@acme.com", "developer").member("new@acme.com", "user");
    files.workspace(workspace_spec("Prod")).workspace(workspace_spec("Made"));
    files.grants("Prod", &[("ada@acme.com", "workspace_user"), ("new@acme.com", "workspace_user")]);
    let plan = held(&files, &files, &org);
    assert!(plan.steps.len() >= 4, "{:?}", marks(&plan));
    assert!(plan.steps.iter().all(|step| step.attribution == Some(Attribution::Drift)));
    assert_eq!(plan.base.unwrap().by_this_change, 0);
}

#[test]
fn another_rule_for_unlisted_people_makes_their_removal_a_part_of_the_change() {
    let mut org = Org::new();
    org.user("user_a", "ada@acme.com", "user").user("user_l", "leaver@acme.com", "user");
    let (mut base, mut head) = (Files::new(), Files::new());
    base.manage(Unlisted::Report).member("ada@acme.com", "user");
    head.manage(Unlisted::Remove).member("ada@acme.com", "user");
    assert_eq!(marks(&held(&head, &base, &org)), ["Remove member/leaver@acme.com: by this change"]);
}

#[test]
fn a_renamed_workspace_is_known_under_both_names_field_by_field() {
    let color = |text: &str| Some(Color::new(text));
    let mut org = Org::new();
    org.user("user_a", "ada@acme.com", "user");
    let live =
        crate::resource::Workspace { display_color: color("#000000"), ..workspace_spec("Prod") };
    org.workspace("w1", live).grant("w1", "user_a", "workspace_user");
    let spec = |name: &str| crate::resource::Workspace {
        display_color: color("#111111"),
        data_residency: Residency::default(),
        ..workspace_spec(name)
    };
    let (mut base, mut head) = (Files::new(), Files::new());
    base.manage(Unlisted::Report).workspace(spec("Prod"));
    base.grants("Prod", &[("ada@acme.com", "workspace_developer")]);
    head.manage(Unlisted::Report).workspace(spec("Production"));
    head.grants("Production", &[("ada@acme.com", "workspace_developer")]);
    head.pin(Address::workspace(Name::label("Production")), None, Some(&["Prod"]));
    assert_eq!(
        marks(&held(&head, &base, &org)),
        [
            "Update workspace/Production: name by this change, the rest is drift",
            "Update workspace_member/Production/ada@acme.com: drift",
        ]
    );
}

#[test]
fn the_stricter_limits_and_approvals_of_both_hold() {
    let mut org = Org::new();
    for person in ["a", "b", "c"] {
        org.user(&format!("user_{person}"), &format!("{person}@acme.com"), "user");
    }
    let (mut base, mut head) = (Files::new(), Files::new());
    for person in ["a", "b", "c"] {
        base.member(&format!("{person}@acme.com"), "user");
    }
    head.manage(Unlisted::Remove).gone(member_address("a@acme.com"), GoneCause::None);
    head.gone(member_address("b@acme.com"), GoneCause::None).member("c@acme.com", "user");
    let limit = |count| (Limit { share: None, count: Some(count) }, span(1));
    base.desired.guard.0.insert(GuardName::RemovalsMembers, limit(1));
    head.desired.guard.0.insert(GuardName::RemovalsMembers, limit(5));
    base.desired.approval.acknowledge = BTreeSet::from([GuardName::RemovalsMembers]);
    head.desired.approval.max_plan_age = PlanAge::parse("4h");
    let plan = held(&head, &base, &org);
    let breach = plan.breaches().next().unwrap();
    assert_eq!((breach.count, breach.limit, breach.of_base), (2, 1, true));
    assert_eq!(plan.acknowledgement.as_ref().unwrap().steps.len(), 2);
    assert_eq!(plan.approval.max_plan_age, PlanAge::parse("4h"));

    // A limit of the new files that is stricter stays theirs.
    head.desired.guard.0.insert(GuardName::RemovalsMembers, limit(0));
    let plan = held(&head, &base, &org);
    let breach = plan.breaches().next().unwrap();
    assert_eq!((breach.limit, breach.of_base), (0, false));
}

#[test]
fn a_base_that_ignores_somebody_refuses_steps_on_them_and_on_nobody_else() {
    let mut org = Org::new();
    org.user("user_s", "sam@vendor.com", "user").user("user_a", "ada@acme.com", "user");
    let (mut base, mut head) = (Files::new(), Files::new());
    base.member("ada@acme.com", "user").ignore(IgnoreTarget::Members, "*@vendor.com");
    head.member("ada@acme.com", "developer").member("new@vendor.com", "user");
    let plan = held(&head, &base, &org);
    assert_eq!(errors(&plan), ["base/ignored", "base/ignored"]);
    let messages: Vec<&str> = plan.notes.iter().map(|note| note.message.as_str()).collect();
    assert!(messages.iter().any(|text| text.contains("new@vendor.com")), "{messages:?}");
    assert!(messages.iter().any(|text| text.contains("sam@vendor.com")), "{messages:?}");
    head.ignore(IgnoreTarget::Members, "sam@*");
    let plan = held(&head, &base, &org);
    assert_eq!(errors(&plan), ["base/ignored"]);
}

#[test]
fn a_base_of_another_organization_vouches_for_nothing() {
    let mut org = Org::new();
    org.user("user_a", "ada@acme.com", "user");
    let (mut base, mut head) = (Files::new(), Files::new());
    base.member("ada@acme.com", "developer");
    base.desired.organization.id = Some("3f0c1b1e-0000-4000-8000-00000000ffff".into());
    head.member("ada@acme.com", "user");
    // Nothing to do: nothing to refuse.
    assert_eq!(errors(&held(&head, &base, &org)), Vec::<&str>::new());
    let mut head = Files::new();
    head.member("ada@acme.com", "developer");
    assert_eq!(errors(&held(&head, &base, &org)), ["base/organization"]);
}

#[test]
fn a_digest_is_of_what_is_done_to_which_objects_of_which_organization() {
    let archive = |ids: &[&str], more: bool, organization: &str| {
        let (mut files, mut org) = (Files::new(), Org::new());
        org.live.organization = organization.into();
        files.desired.organization.id = Some(organization.into());
        for id in ids {
            org.workspace(id, workspace_spec(id));
            let address = Address::workspace(Name::label(*id));
            files.gone(address.clone(), GoneCause::Archived).pin(address, Some(id), None);
        }
        if more {
            files.member("new@acme.com", "user");
        }
        let plan = plan(&files, &org);
        assert_eq!(plan.acknowledgement.as_ref().map(|asked| asked.steps.len()), Some(ids.len()));
        plan.acknowledgement.unwrap().digest
    };
    let one = archive(&["w1", "w2"], false, "org-1");
    assert_eq!(one.len(), 64);
    assert_eq!(one, archive(&["w2", "w1"], true, "org-1"));
    assert_ne!(one, archive(&["w1", "w2"], false, "org-2"));
    assert_ne!(one, archive(&["w1"], false, "org-1"));
    assert_ne!(one, archive(&["w1", "w2", "w3"], false, "org-1"));
    // Parts cannot slide into each other.
    assert_ne!(archive(&["w1w2"], false, "org-1"), archive(&["w1", "w2"], false, "org-1"));
}

#[test]
fn expiries_and_what_is_not_ready_need_nobody() {
    let (mut files, mut org) = (Files::new(), Org::new());
    org.user("user_a", "ada@acme.com", "user").user("user_b", "bob@acme.com", "user");
    files.manage(Unlisted::Report).gone(member_address("ada@acme.com"), GoneCause::Expired);
    files.gone(member_address("bob@acme.com"), GoneCause::None);
    files.desired.approval.acknowledge = BTreeSet::from([GuardName::RemovalsMembers]);
    let plan = plan(&files, &org);
    let asked = plan.acknowledgement.as_ref().unwrap();
    assert_eq!(asked.steps, [member_address("bob@acme.com")]);
    assert!(acknowledge::is_acknowledged(asked, &[" ".to_owned() + &asked.digest.to_uppercase()]));
    assert!(!acknowledge::is_acknowledged(asked, &[""]));
    assert!(!acknowledge::is_acknowledged(asked, &[&asked.digest[..63]]));
    assert!(!acknowledge::is_acknowledged::<&str>(asked, &[]));
}
