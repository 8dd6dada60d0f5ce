//! The key that charter runs with is not ended by its own run.

use std::collections::BTreeMap;

use insta::assert_snapshot;

use super::builder::*;
use crate::{
    address::{Address, Name},
    plan::again::judge_again,
    resource::{
        api_key::{KeyFacts, Principal},
        desired::{GoneCause, Unlisted},
    },
};

/// The key of a person, with which charter runs.
fn own(user: &'static str) -> impl FnOnce(&mut KeyFacts) {
    move |facts| {
        facts.principal = Some(Principal::User(user.into_id()));
        facts.in_use = true;
    }
}

trait IntoId {
    fn into_id(self) -> crate::address::RemoteId;
}

impl IntoId for &str {
    fn into_id(self) -> crate::address::RemoteId {
        crate::address::RemoteId::new(self)
    }
}

#[test]
fn nobody_is_removed_with_the_key_that_charter_runs_with_by_no_list_and_by_no_date() {
    let mut org = Org::new();
    org.user("user_w", "walt@acme.com", "developer");
    org.key("k1", "walt-laptop", "active", None, own("user_w"));
    let mut unlisted = Files::new();
    unlisted.manage(Unlisted::Remove);
    assert_snapshot!(show(&plan(&unlisted, &org)), @r"
    manual remove member/walt@acme.com
        this would end `walt-laptop` (sk-ant-api03-abc...xyz), the key charter runs with now, and the run with it: run charter with another credential, such as an Admin API key, and it does this step
    ");
    for cause in [GoneCause::None, GoneCause::Expired] {
        let mut files = Files::new();
        files.manage(Unlisted::Report).gone(member_address("walt@acme.com"), cause);
        let plan = plan(&files, &org);
        assert_eq!((plan.counts().manual, plan.counts().ready), (1, 0), "{cause:?}");
        assert!(plan.keys.is_empty(), "it does not stop working");
    }
}

#[test]
fn neither_its_grant_nor_its_workspace_is_taken() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("walt@acme.com", "developer").workspace(workspace_spec("Prod"));
    files.grants("Prod", &[]);
    org.user("user_w", "walt@acme.com", "developer").workspace("w1", workspace_spec("Prod"));
    org.workspace("w2", workspace_spec("Lab")).grant("w1", "user_w", "workspace_developer");
    org.key("k1", "walt-prod", "active", Some("w1"), own("user_w"));
    let counts = |files: &Files, org: &Org| plan(files, org).counts();
    assert_eq!(counts(&files, &org).manual, 1, "the grant");
    // A grant elsewhere has nothing to do with it.
    files.workspace(workspace_spec("Lab")).grants("Lab", &[]);
    org.grant("w2", "user_w", "workspace_developer");
    assert_snapshot!(show(&plan(&files, &org)), @r"
    ready remove workspace_member/Lab/walt@acme.com
        DELETE /workspaces/w2/members/user_w
    manual remove workspace_member/Prod/walt@acme.com
        this would end `walt-prod` (sk-ant-api03-abc...xyz), the key charter runs with now, and the run with it: run charter with another credential, such as an Admin API key, and it does this step
    ");

    let old = Address::workspace(Name::label("old"));
    let mut archive = Files::new();
    archive.gone(old.clone(), GoneCause::Archived).pin(old, Some("w1"), None);
    assert_eq!((counts(&archive, &org).manual, counts(&archive, &org).ready), (1, 0));
}

#[test]
fn a_saved_plan_that_another_credential_applies_spares_the_key_of_that_one() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.manage(Unlisted::Remove);
    org.user("user_w", "walt@acme.com", "developer").user("user_b", "bea@acme.com", "user");
    let mut saved = plan(&files, &org);
    org.key("k1", "walt-laptop", "active", None, own("user_w"));
    judge_again(&mut saved, &org.live, &BTreeMap::new());
    let ready: Vec<&str> = saved.ready().map(|step| step.address.name.as_str()).collect();
    assert_eq!(ready, ["bea@acme.com"]);
    assert!(saved.steps.iter().all(|step| step.disposition.is_ready() || step.calls.is_empty()));
}
