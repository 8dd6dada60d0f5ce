//! Saved plans judged again: guards count what is live now, not what was live when the plan was made.

use super::builder::*;
use crate::{
    address::{Address, Name, RemoteId},
    plan::{
        Plan,
        again::{judge_again, new_keys},
        stale,
    },
    resource::{
        Live,
        desired::{GoneCause, GuardName, Unlisted},
        read_scope::GrantScope,
    },
};

/// The breaches of a saved plan, judged by what is live now.
fn again(saved: &Plan, live: &Live, allow: &[(GuardName, u64)]) -> Vec<(GuardName, u64, u64)> {
    assert!(stale::stale_facts(saved, live).is_empty(), "only what no step rests on has changed");
    let mut plan = saved.clone();
    judge_again(&mut plan, live, &allow.iter().copied().collect());
    assert_eq!(plan.steps, saved.steps);
    plan.breaches().map(|breach| (breach.guard, breach.count, breach.of)).collect()
}

fn people(live: std::ops::Range<usize>) -> Org {
    let mut org = Org::new();
    for index in live {
        org.user(&format!("user_{index:02}"), &format!("p{index:02}@acme.com"), "user");
    }
    org
}

#[test]
fn a_share_is_of_the_people_who_are_live_now() {
    let mut files = Files::new();
    files.manage(Unlisted::Remove);
    for index in 3..30 {
        files.member(&format!("p{index:02}@acme.com"), "user");
    }
    let saved = plan(&files, &people(0..30));
    assert_eq!(saved.breaches().count(), 0, "3 of 30 is not more than 10 %");
    assert_eq!(again(&saved, &people(0..30).live, &[]), []);
    let fewer = people(0..20);
    assert_eq!(again(&saved, &fewer.live, &[]), [(GuardName::RemovalsMembers, 3, 20)]);
    assert_eq!(again(&saved, &fewer.live, &[(GuardName::RemovalsMembers, 3)]), []);
}

#[test]
fn the_share_of_grants_is_of_all_managed_ones_and_these_are_read_again() {
    let (mut files, grants) = (Files::new(), |count: usize| {
        let mut org = people(0..30);
        for (id, name) in [("w1", "Prod"), ("w2", "Lab")] {
            org.workspace(id, workspace_spec(name));
            org.live.coverage.workspace_members.insert(RemoteId::new(id));
            let most = if id == "w1" { 30 } else { count };
            for index in 0..most {
                org.grant(id, &format!("user_{index:02}"), "workspace_user");
            }
        }
        org
    });
    let listed: Vec<String> = (0..30).map(|index| format!("p{index:02}@acme.com")).collect();
    for email in &listed {
        files.member(email, "user");
    }
    let entries = |skip: usize| -> Vec<(&str, &str)> {
        listed.iter().skip(skip).map(|email| (email.as_str(), "workspace_user")).collect()
    };
    for (name, skip) in [("Prod", 3), ("Lab", 0)] {
        files.workspace(workspace_spec(name)).grants(name, &entries(skip));
    }
    let saved = plan(&files, &grants(30));
    assert_eq!(saved.population.workspace_members["Lab"], 30);
    let GrantScope::Of(read) = stale::read_scope(&saved).grants else { panic!("grants are read") };
    let ids: Vec<&str> =
        read.iter().filter_map(|read| Some(read.target.id.as_ref()?.as_str())).collect();
    assert_eq!(ids, ["w1", "w2"], "the workspace without a step counts too");
    assert_eq!(again(&saved, &grants(30).live, &[]), []);
    let mut smaller = grants(0);
    smaller.live.objects.retain(|(address, _)| {
        let text = address.to_string();
        !(text.starts_with("workspace_member/w1/") && text.ends_with('9'))
    });
    assert_eq!(
        again(&saved, &smaller.live, &[]),
        [
            (GuardName::RemovalsWorkspaceMembers, 3, 27),
            (GuardName::RemovalsWorkspaceMembers, 3, 27)
        ]
    );
}

#[test]
fn a_key_made_after_the_plan_dies_with_its_person_and_is_shown() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.manage(Unlisted::Remove);
    files.member("ada@acme.com", "user").key("apikey_old", None, "active");
    org.user("user_a", "ada@acme.com", "user").user("user_l", "leaver@acme.com", "user");
    org.key("apikey_old", "old", "inactive", None, acts_as("user_l"));
    let saved = plan(&files, &org);
    assert_eq!(saved.keys.len(), 1, "it is switched on, and dies");
    assert_eq!(saved.breaches().count(), 1);

    org.key("apikey_new", "new", "active", None, acts_as("user_l"));
    let mut plan = saved.clone();
    judge_again(&mut plan, &org.live, &[(GuardName::DyingKeys, 1)].into());
    let keys: Vec<_> =
        plan.keys.iter().map(|key| (key.id.as_str(), key.dies, key.listed_active)).collect();
    assert_eq!(keys, [("apikey_new", true, false), ("apikey_old", true, true)]);
    assert_eq!(plan.breaches().count(), 0, "the exact count passes");
    assert_eq!(plan.population.api_keys, 2);
}

/// An archive of `Old`, where `walt` has a personal key and stays, and the removal of `leaver`.
fn archive_of_old() -> (Files, Org) {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.manage(Unlisted::Remove).member("walt@acme.com", "user");
    let old = Address::workspace(Name::label("old"));
    files.gone(old.clone(), GoneCause::Archived).pin(old, Some("w1"), None);
    org.user("user_w", "walt@acme.com", "user").user("user_l", "leaver@acme.com", "user");
    org.workspace("w1", workspace_spec("Old"));
    org.key("apikey_1", "first", "active", Some("w1"), acts_as("user_w"));
    (files, org)
}

fn digest(plan: &Plan) -> &str {
    &plan.acknowledgement.as_ref().unwrap().digest
}

#[test]
fn a_key_made_after_the_plan_that_an_archive_would_end_makes_it_stale() {
    let (files, mut org) = archive_of_old();
    let saved = plan(&files, &org);
    assert!(new_keys(&saved, &org.live).is_empty());
    org.key("apikey_2", "second", "active", Some("w1"), |_| ());
    let found: Vec<String> =
        new_keys(&saved, &org.live).into_iter().map(|found| found.message).collect();
    assert_eq!(
        found,
        [
            "the key `second` (apikey_2) would stop working with the step workspace/old, and did not exist or was not \
          active when the plan was made"
        ]
    );
    assert_ne!(digest(&plan(&files, &org)), digest(&saved), "what is acknowledged names the keys");
}

#[test]
fn a_key_that_works_no_more_makes_no_plan_stale_and_leaves_its_digest() {
    let (files, mut org) = archive_of_old();
    let mut saved = plan(&files, &org);
    let reviewed = digest(&saved).to_owned();
    org.live.objects.pop();
    assert!(new_keys(&saved, &org.live).is_empty());
    judge_again(&mut saved, &org.live, &std::collections::BTreeMap::new());
    assert_eq!(digest(&saved), reviewed);
    assert!(saved.keys.is_empty(), "{:?}", saved.keys);
}

#[test]
fn nobody_puts_off_their_own_removal_by_making_keys() {
    let (mut files, mut org) = archive_of_old();
    files.desired.approval.acknowledge.insert(GuardName::RemovalsMembers);
    let mut saved = plan(&files, &org);
    let reviewed = digest(&saved).to_owned();
    for index in 0..30 {
        let place = (index % 2 == 0).then_some("w1");
        org.key(&format!("apikey_l{index}"), "late", "active", place, acts_as("user_l"));
    }
    assert!(new_keys(&saved, &org.live).is_empty());
    assert_eq!(digest(&plan(&files, &org)), reviewed);
    judge_again(&mut saved, &org.live, &[(GuardName::Archives, 1)].into());
    assert_eq!(saved.keys.iter().filter(|key| key.dies && key.late).count(), 30, "all are shown");
    assert_eq!(saved.breaches().count(), 0);
}

#[test]
fn a_plan_that_was_edited_to_say_whose_a_key_is_hides_none() {
    let (files, mut org) = archive_of_old();
    org.key("apikey_2", "second", "active", Some("w1"), |_| ());
    let mut saved = plan(&files, &org);
    for key in &mut saved.keys {
        key.own = true;
    }
    assert_eq!(new_keys(&saved, &org.live).len(), 2);
}
