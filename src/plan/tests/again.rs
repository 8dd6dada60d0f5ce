//! Saved plans judged again: guards count what is live now, not what was live when the plan was made.

use super::builder::*;
use crate::{
    address::RemoteId,
    plan::{Plan, again::judge_again, stale},
    resource::{
        Live,
        desired::{GuardName, Unlisted},
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
