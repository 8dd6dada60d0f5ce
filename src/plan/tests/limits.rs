//! Where guards, acknowledgements and ends begin and where they stop: one step before, and one after.

use std::collections::BTreeSet;

use super::builder::*;
use crate::{
    address::{Address, Name},
    plan::{
        Cause, Plan, Stage, acknowledge,
        attribution::Base,
        guard,
        step::{ExpiringKind, LimitOf},
    },
    resource::{
        Phase,
        desired::{Approval, GoneCause, GuardName, Limit, Unlisted},
        member::PendingInvite,
    },
};

fn count(plan: &Plan, guard: GuardName) -> u64 {
    plan.guards.iter().find(|result| result.guard == guard).unwrap().count
}

/// `live` people of whom `go` are not listed.
fn leaving(live: usize, go: usize, allow: &[(GuardName, u64)]) -> Plan {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.manage(Unlisted::Remove);
    for index in 0..live {
        let email = format!("p{index:02}@acme.com");
        org.user(&format!("user_{index:02}"), &email, "user");
        if index >= go {
            files.member(&email, "user");
        }
    }
    plan_with(&files, &org, &[], allow)
}

#[test]
fn ten_people_are_enough_for_a_share() {
    assert_eq!(leaving(10, 1, &[]).breaches().count(), 0);
    assert_eq!(leaving(10, 2, &[]).breaches().count(), 1);
    assert_eq!(leaving(9, 3, &[]).breaches().count(), 0);
}

#[test]
fn a_count_that_was_allowed_and_not_needed_is_not_shown_as_allowed() {
    let allowed = |plan: &Plan| plan.guards.iter().filter(|result| result.allowed).count();
    assert_eq!(allowed(&leaving(30, 4, &[(GuardName::RemovalsMembers, 4)])), 1);
    assert_eq!(allowed(&leaving(30, 3, &[(GuardName::RemovalsMembers, 3)])), 0);
}

/// `live` people of whom `end` have an `until` that has passed.
fn ending(live: usize, end: usize, allow: &[(GuardName, u64)]) -> Plan {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.manage(Unlisted::Report);
    for index in 0..live {
        let email = format!("p{index:02}@acme.com");
        org.user(&format!("user_{index:02}"), &email, "user");
        if index < end {
            files.gone(member_address(&email), GoneCause::Expired);
        } else {
            files.member(&email, "user");
        }
    }
    plan_with(&files, &org, &["expired"], allow)
}

#[test]
fn a_typo_in_fifty_dates_ends_nobodys_access() {
    let refused = ending(51, 50, &[]);
    let breaches: Vec<_> =
        refused.breaches().map(|breach| (breach.guard, breach.count, breach.limit)).collect();
    assert_eq!(breaches, [(GuardName::Expirations, 50, 5)]);
    assert_eq!(ending(51, 5, &[]).breaches().count(), 0);
    assert_eq!(ending(51, 6, &[]).breaches().count(), 1);
    assert_eq!(ending(9, 3, &[]).breaches().count(), 0);
    assert_eq!(ending(51, 50, &[(GuardName::Expirations, 50)]).breaches().count(), 0);
    assert_eq!(ending(51, 50, &[(GuardName::Expirations, 49)]).breaches().count(), 1);
    assert_eq!(ending(51, 50, &[(GuardName::RemovalsMembers, 50)]).breaches().count(), 1);
    // More than twenty are too many however many people there are.
    assert_eq!(ending(300, 20, &[]).breaches().count(), 0);
    assert_eq!(ending(300, 21, &[]).breaches().count(), 1);
}

#[test]
fn ends_of_people_grants_and_keys_count_together_and_as_nothing_else() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.manage(Unlisted::Report).gone(member_address("a@acme.com"), GoneCause::Expired);
    files.member("b@acme.com", "user").workspace(workspace_spec("Prod")).grants("Prod", &[]);
    let grant = Address::workspace_member(Name::label("Prod"), member_address("b@acme.com").name);
    files.gone(grant, GoneCause::Expired);
    files.key("k1", None, "inactive").key("k2", None, "inactive");
    for address in ["k1", "k2"].map(|id| Address::api_key(&crate::address::RemoteId::new(id))) {
        let mut object =
            crate::resource::Object::clone(files.desired.objects.get(&address).unwrap());
        object.source.as_mut().unwrap().expired = true;
        files.desired.objects.replace(address, std::sync::Arc::new(object));
    }
    org.user("user_a", "a@acme.com", "user").user("user_b", "b@acme.com", "user");
    org.workspace("w1", workspace_spec("Prod")).grant("w1", "user_b", "workspace_user");
    // The second one is off already.
    org.key("k1", "ci", "active", None, |_| ()).key("k2", "old", "inactive", None, |_| ());
    let plan = plan(&files, &org);
    let counted: Vec<(GuardName, u64)> = plan
        .guards
        .iter()
        .filter(|result| result.count > 0)
        .map(|result| (result.guard, result.count))
        .collect();
    assert_eq!(counted, [(GuardName::Expirations, 3)], "{}", show(&plan));
    assert_eq!(plan.acknowledgement, None);
    // They are acknowledged where the files say so.
    assert_eq!(asked(&files, &org, &[GuardName::Expirations]).len(), 3);
}

#[test]
fn a_share_of_ends_is_of_the_keys_where_nobody_is_listed() {
    let ending = |live: usize, end: usize| {
        let (mut files, mut org) = (Files::new(), Org::new());
        for index in 0..live {
            let id = format!("k{index:02}");
            org.key(&id, &id, "active", None, |_| ());
            files.key(&id, None, if index < end { "inactive" } else { "active" });
            if index < end {
                let address = Address::api_key(&crate::address::RemoteId::new(id.as_str()));
                let object = files.desired.objects.get(&address).unwrap();
                let mut object = crate::resource::Object::clone(object);
                object.source.as_mut().unwrap().expired = true;
                files.desired.objects.replace(address, std::sync::Arc::new(object));
            }
        }
        plan(&files, &org).breaches().count()
    };
    assert_eq!((ending(40, 4), ending(40, 5)), (0, 1));
}

#[test]
fn a_refusal_says_of_how_many_it_is_a_share() {
    let message = |plan: &Plan| guard::diagnostic(plan.breaches().next().unwrap()).message;
    assert!(message(&leaving(30, 4, &[])).contains("4 people removed of 30 live"));
}

#[test]
fn a_limit_is_the_bases_only_where_it_is_stricter() {
    let mut plan = leaving(30, 4, &[]);
    let mut of_base = |count: u64| {
        let limit = Limit { share: None, count: Some(count) };
        plan.limits.insert(GuardName::RemovalsMembers, Limit { share: None, count: Some(3) });
        plan.base = Some(Base {
            name: "main".to_owned(),
            commit: None,
            rules: Vec::new(),
            by_this_change: 0,
            drift: 0,
            limits: [(GuardName::RemovalsMembers, limit)].into(),
        });
        let results = guard::judge(&plan, &std::collections::BTreeMap::new(), 0);
        let result = results.iter().find(|r| r.guard == GuardName::RemovalsMembers).unwrap();
        (result.limit_of == LimitOf::Base, result.limit)
    };
    assert_eq!(of_base(2), (true, 2));
    assert_eq!(of_base(3), (false, 3));
    assert_eq!(of_base(4), (false, 3));
}

#[test]
fn invites_and_grants_changed_to_less_are_counted() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("new@acme.com", "user").member("ada@acme.com", "user");
    files.workspace(workspace_spec("Prod"));
    files.grants("Prod", &[("ada@acme.com", "workspace_user")]);
    org.user("user_a", "ada@acme.com", "user").workspace("w1", workspace_spec("Prod"));
    org.grant("w1", "user_a", "workspace_admin");
    let plan = plan(&files, &org);
    assert_eq!(count(&plan, GuardName::Invites), 1);
    assert_eq!(count(&plan, GuardName::Downgrades), 1);
}

#[test]
fn only_an_invite_that_is_sent_counts_as_a_return() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("ada@acme.com", "developer").member("eve@acme.com", "admin");
    org.user("user_a", "ada@acme.com", "user");
    org.past("ada@acme.com", Some(-50), &[]).past("eve@acme.com", Some(-50), &[]);
    // A role that changes, and an invite that only a person can send.
    assert_eq!(count(&plan(&files, &org), GuardName::Returns), 0);
    files.member("bob@acme.com", "user");
    org.past("bob@acme.com", Some(-50), &[]);
    assert_eq!(count(&plan(&files, &org), GuardName::Returns), 1);
}

/// What has to be acknowledged where the files name these guards.
fn asked(files: &Files, org: &Org, guards: &[GuardName]) -> Vec<Address> {
    let approval = Approval {
        acknowledge: guards.iter().copied().collect::<BTreeSet<_>>(),
        ..Approval::default()
    };
    let mut own = Files::new();
    own.desired = crate::resource::Desired { approval, ..files.desired.clone() };
    plan(&own, org).acknowledgement.map(|asked| asked.steps).unwrap_or_default()
}

#[test]
fn each_guard_that_the_files_name_asks_for_its_own_steps_and_for_no_others() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("new@acme.com", "user").member("back@acme.com", "user");
    org.past("back@acme.com", Some(-50), &[]);
    for (id, email) in
        [("user_1", "kills@acme.com"), ("user_2", "spares@acme.com"), ("user_3", "other@acme.com")]
    {
        org.user(id, email, "user");
    }
    files.key("k1", None, "active").key("k2", None, "active");
    org.key("k1", "listed and personal", "active", None, acts_as("user_1"));
    org.key("k2", "listed and the organization's", "active", None, made_by("user_2"));
    org.key("k3", "listed nowhere", "active", None, acts_as("user_3"));
    assert_eq!(asked(&files, &org, &[]), []);
    assert_eq!(asked(&files, &org, &[GuardName::Returns]), [member_address("back@acme.com")]);
    assert_eq!(asked(&files, &org, &[GuardName::DyingKeys]), [member_address("kills@acme.com")]);
    assert_eq!(
        asked(&files, &org, &[GuardName::Invites]),
        [member_address("back@acme.com"), member_address("new@acme.com")]
    );
}

#[test]
fn a_digest_says_what_is_done_and_stays_good_from_version_to_version() {
    let digest = |status: &str| {
        let (mut files, mut org) = (Files::new(), Org::new());
        files.key("apikey_1", None, status);
        org.key("apikey_1", "ci", "active", None, |_| ());
        files.desired.approval.acknowledge = BTreeSet::from([GuardName::Deactivations]);
        plan(&files, &org).acknowledgement.unwrap().digest
    };
    // They stand in commits: what was acknowledged once must not have to be acknowledged again.
    insta::assert_snapshot!(digest("archived"), @"31c954086c02413c8d9404ea54cb9590772c8588aab2ff49c6c6838595054ed8");
    insta::assert_snapshot!(digest("inactive"), @"970165a844c05227da7123e0316a1e1352a2dc0c9c5f3fd063c27e7f2ad7b714");
    let leaver = {
        let (mut files, mut org) = (Files::new(), Org::new());
        files.manage(Unlisted::Remove);
        org.user("apikey_1", "leaver@acme.com", "user");
        files.desired.approval.acknowledge = BTreeSet::from([GuardName::RemovalsMembers]);
        plan(&files, &org).acknowledgement.unwrap()
    };
    insta::assert_snapshot!(leaver.digest, @"2b9e87893ae1b972c07b18557378137cbc8fa10ded3f87826f57f93cb6f73c51");
    assert!(!acknowledge::is_acknowledged(&leaver, &[digest("archived"), digest("inactive")]));
}

#[test]
fn only_what_goes_for_sure_takes_keys_along() {
    let (mut files, mut org) = (Files::new(), Org::new());
    // A workspace that is changed, a person whose role changes, and an admin, whom only a person can remove.
    let mut changed = workspace_spec("Prod");
    changed.display_color = Some(crate::resource::workspace::Color::new("#112233"));
    files.workspace(changed).member("ada@acme.com", "developer");
    org.workspace("w1", workspace_spec("Prod")).user("user_a", "ada@acme.com", "user");
    org.user("user_b", "boss@acme.com", "admin");
    org.key("k1", "in-prod", "active", Some("w1"), |_| ());
    org.key("k2", "of-the-boss", "active", Some("w1"), acts_as("user_b"));
    org.key("k3", "of-ada", "active", Some("w1"), acts_as("user_a"));
    let plan = plan(&files, &org);
    assert_eq!(plan.steps.len(), 3, "{}", show(&plan));
    assert!(plan.keys.is_empty(), "{:#?}", plan.keys);
}

#[test]
fn a_key_that_cannot_be_switched_on_again_is_not_one_that_dies() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.manage(Unlisted::Remove).key("k1", None, "active");
    org.user("user_l", "leaver@acme.com", "user");
    org.key("k1", "lapsed", "expired", None, acts_as("user_l"));
    assert!(plan(&files, &org).keys.is_empty());
}

#[test]
fn of_two_causes_the_one_that_was_not_announced_by_a_date_counts() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.manage(Unlisted::Remove).gone(member_address("ada@acme.com"), GoneCause::Expired);
    let old = Address::workspace(Name::label("old"));
    files.gone(old.clone(), GoneCause::Archived).pin(old.clone(), Some("w1"), None);
    files.key_list(None).key("k1", None, "active");
    org.user("user_a", "ada@acme.com", "user").workspace("w1", workspace_spec("Old"));
    org.key("k1", "ci", "active", Some("w1"), acts_as("user_a"));
    let plan = plan(&files, &org);
    assert_eq!(plan.keys.len(), 1);
    assert_eq!((&plan.keys[0].because_of, plan.keys[0].by_expiry), (&old, false));
}

#[test]
fn what_ends_today_or_within_two_weeks_is_shown_and_nothing_else() {
    let mut org = Org::new();
    for days in [-1, 0, 14, 15] {
        let ends = |facts: &mut crate::resource::api_key::KeyFacts| {
            facts.expires_at = Some(in_days(days));
        };
        org.key(&format!("on_{days}"), "on", "active", None, ends);
        org.key(&format!("off_{days}"), "off", "inactive", None, ends);
    }
    org.invite("invite_1", "new@acme.com", "user", 3).user("user_a", "ada@acme.com", "user");
    // Somebody who joined does not wait for an invite any more.
    let (_, ada) = org.live.objects.last_mut().unwrap();
    let mut joined = crate::resource::Object::clone(ada);
    assert_eq!(joined.phase(), Some(Phase::Active));
    if let Some(crate::resource::Facts::Member(facts)) =
        joined.remote.as_mut().map(|remote| &mut remote.facts)
    {
        let role = crate::resource::Role::User;
        let id = crate::address::RemoteId::new("invite_0");
        facts.pending =
            vec![PendingInvite { id, role, expires_at: in_days(2), groups: Vec::new() }];
    }
    *ada = std::sync::Arc::new(joined);
    let ends: Vec<(String, ExpiringKind)> =
        plan(&Files::new(), &org).expiring.into_iter().map(|end| (end.what, end.end)).collect();
    assert_eq!(
        ends,
        [
            ("api_key/on_0".to_owned(), ExpiringKind::Key),
            ("member/new@acme.com".to_owned(), ExpiringKind::Invite),
            ("api_key/on_14".to_owned(), ExpiringKind::Key),
        ]
    );
}

#[test]
fn a_grant_waited_for_an_invite_that_was_accepted_within_thirty_days() {
    let cause = |days: i64| {
        let (mut files, mut org) = (Files::new(), Org::new());
        files.member("ada@acme.com", "user").workspace(workspace_spec("Prod"));
        files.grants("Prod", &[("ada@acme.com", "workspace_user")]);
        org.user("user_a", "ada@acme.com", "user").workspace("w1", workspace_spec("Prod"));
        org.past("ada@acme.com", Some(-days), &[]);
        plan(&files, &org).steps[0].cause
    };
    assert_eq!([cause(1), cause(29)], [Cause::Accepted, Cause::Accepted]);
    assert_eq!([cause(30), cause(400)], [Cause::Listed, Cause::Listed]);
}

#[test]
fn archives_come_last_however_many_workspaces_there_are() {
    let made = |live: usize, new: usize| {
        let (mut files, mut org) = (Files::new(), Org::new());
        let old = Address::workspace(Name::label("old"));
        files.gone(old.clone(), GoneCause::Archived).pin(old, Some("w_old"), None);
        org.workspace("w_old", workspace_spec("Old"));
        for index in 1..live {
            let spec = workspace_spec(&format!("Kept {index}"));
            files.workspace(spec.clone());
            org.workspace(&format!("w{index}"), spec);
        }
        for index in 0..new {
            files.workspace(workspace_spec(&format!("Entirely new of number {index}")));
        }
        let plan = plan(&files, &org);
        let last = plan.steps.last().map(|step| (step.cause, step.stage));
        assert_eq!(last, Some((Cause::Archived, Stage::Archive)));
        let warned = plan.notes.iter().any(|note| note.code == "plan/many-workspaces");
        (plan.ready().count(), warned)
    };
    // The Default Workspace may count: 98 of their own and one new one surely fit, 99 perhaps do not.
    assert_eq!(made(98, 1), (2, false));
    assert_eq!(made(99, 1), (2, true));
    assert_eq!(made(100, 3), (4, true));
    // More than 100 prove that the limit is another one.
    assert_eq!(made(120, 3), (4, false));
}

#[test]
fn steps_are_counted_by_what_becomes_of_them() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("new@acme.com", "user").member("ada@acme.com", "admin");
    files.member("eve@acme.com", "admin").workspace(workspace_spec("Pro-duction"));
    files.grants("Pro-duction", &[("new@acme.com", "workspace_user")]);
    org.user("user_a", "ada@acme.com", "user").user("user_e", "eve@acme.com", "user");
    org.workspace("w1", workspace_spec("Production"));
    let counts = plan(&files, &org).counts();
    assert_eq!((counts.ready, counts.deferred, counts.manual, counts.held), (1, 1, 2, 1));
}

#[test]
fn an_invite_that_lapsed_a_hundred_and_twenty_days_ago_counts_no_more() {
    let settled = |days: i64| {
        let (mut files, mut org) = (Files::new(), Org::new());
        files.member("ada@acme.com", "user");
        org.past("ada@acme.com", None, &[-10, -40, -days]);
        plan(&files, &org).counts().manual
    };
    assert_eq!((settled(119), settled(120)), (1, 0));
}
