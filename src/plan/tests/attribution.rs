//! Plans held against a base: which steps are by the change, which are drift, and which rules of the base hold.

use std::collections::{BTreeMap, BTreeSet};

use super::builder::*;
use crate::{
    address::{Address, Name},
    plan::{
        Plan, acknowledge,
        again::judge_again,
        attribution::{Applied, Former, Merged, Past, hold_against},
        step::{Attribution, LimitOf},
    },
    resource::{
        desired::{GoneCause, GuardName, IgnoreTarget, Limit, PlanAge, Unlisted},
        workspace::{Color, Residency},
    },
};

fn held(head: &Files, base: &Files, org: &Org) -> Plan {
    let mut plan = plan(head, org);
    let past = Past { base: Some(former("main", base)), last: None };
    hold_against(&mut plan, &head.desired, past, &org.live, &BTreeMap::new());
    plan
}

fn former(name: &str, files: &Files) -> Former {
    Former {
        name: name.to_owned(),
        commit: None,
        desired: files.desired.clone(),
        ended: files.ended.clone(),
        rules: Vec::new(),
    }
}

/// Held against a base, if there is one, and against what was applied last; each change between has a commit and the
/// files before it, newest first.
fn held_against_applied(
    head: &Files,
    base: Option<&Files>,
    applied: &Files,
    between: &[(&str, &Files)],
    org: &Org,
) -> Plan {
    let mut plan = plan(head, org);
    let merged: Vec<Merged> = between
        .iter()
        .map(|(commit, before)| Merged {
            commit: (*commit).to_owned(),
            before: before.desired.clone(),
        })
        .collect();
    let past = Past {
        base: base.map(|base| former("main", base)),
        last: Some(Applied {
            commit: "1111".to_owned(),
            at: plan.created_at,
            former: Some(former("1111", applied)),
            merged: Box::new(merged.into_iter()),
        }),
    };
    hold_against(&mut plan, &head.desired, past, &org.live, &BTreeMap::new());
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
fn what_was_merged_and_not_applied_is_told_from_both_with_the_commit_that_brought_it() {
    let mut org = Org::new();
    org.user("user_a", "ada@acme.com", "user").user("user_b", "bob@acme.com", "user");
    org.user("user_l", "leaver@acme.com", "user").user("user_m", "mover@acme.com", "user");
    let (mut applied, mut between) = (Files::new(), Files::new());
    let (mut base, mut head) = (Files::new(), Files::new());
    // Edited in the Console; asked for by the second of two merges; by this change.
    for files in [&mut applied, &mut between, &mut base, &mut head] {
        files.member("ada@acme.com", "developer");
    }
    applied.member("bob@acme.com", "user").member("mover@acme.com", "user");
    between.member("bob@acme.com", "user").member("early@acme.com", "user");
    base.member("bob@acme.com", "billing").member("early@acme.com", "user");
    head.member("bob@acme.com", "billing").member("early@acme.com", "user");
    head.member("new@acme.com", "user");
    let changes = [("second", &between), ("first", &applied)];
    let plan = held_against_applied(&head, Some(&base), &applied, &changes, &org);
    assert_eq!(
        marks(&plan),
        [
            "Update member/ada@acme.com: drift",
            "Update member/bob@acme.com: merged, not applied (second)",
            "Create member/early@acme.com: merged, not applied (first)",
            "Create member/new@acme.com: by this change",
            "Remove member/leaver@acme.com: drift",
            "Remove member/mover@acme.com: merged, not applied (first)",
        ]
    );
    let origins = plan.origins();
    assert_eq!((origins.by_this_change, origins.merged, origins.drift), (1, 3, 2));
    assert_eq!(plan.last_applied.as_ref().unwrap().merged, 3);

    // Without a base nothing is by this change; a commit that was not found is not made up.
    let plan = held_against_applied(&head, None, &applied, &changes[..1], &org);
    assert_eq!(
        marks(&plan)[1..4],
        [
            "Update member/bob@acme.com: merged, not applied (second)",
            "Create member/early@acme.com: merged, not applied",
            "Create member/new@acme.com: merged, not applied (second)",
        ]
    );
}

#[test]
fn the_strictest_limit_holds_wherever_it_stands() {
    let mut org = Org::new();
    for number in 0..30 {
        org.user(&format!("user_{number}"), &format!("p{number}@acme.com"), "user");
    }
    let files = |limit: Option<u64>, people: usize| {
        let mut files = Files::new();
        for number in 0..people {
            files.member(&format!("p{number}@acme.com"), "user");
        }
        if let Some(limit) = limit {
            let limit = Limit { share: None, count: Some(limit) };
            files.desired.guard.0.insert(GuardName::RemovalsMembers, (limit, span(1)));
        }
        files
    };
    let (strict, loose) = (files(Some(1), 30), files(Some(9), 30));
    let head = files(Some(9), 28);
    let breach = |plan: &Plan| plan.breaches().next().map(|breach| (breach.limit, breach.limit_of));
    // A loosening that was refused, and an innocent change after it.
    let plan = held_against_applied(&head, Some(&loose), &strict, &[], &org);
    assert_eq!(breach(&plan), Some((1, LimitOf::LastApplied)));
    let plan = held_against_applied(&head, Some(&strict), &loose, &[], &org);
    assert_eq!(breach(&plan), Some((1, LimitOf::Base)));
    let plan = held_against_applied(&head, Some(&loose), &loose, &[], &org);
    assert_eq!(breach(&plan), None);
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
            "Update workspace/Production: name by this change; display_color drift",
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
    assert_eq!((breach.count, breach.limit, breach.limit_of), (2, 1, LimitOf::Base));
    assert_eq!(plan.acknowledgement.as_ref().unwrap().steps.len(), 2);
    assert_eq!(plan.approval.max_plan_age, PlanAge::parse("4h"));

    // A limit of the new files that is stricter stays theirs.
    head.desired.guard.0.insert(GuardName::RemovalsMembers, limit(0));
    let plan = held(&head, &base, &org);
    let breach = plan.breaches().next().unwrap();
    assert_eq!((breach.limit, breach.limit_of), (0, LimitOf::Files));
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

#[test]
fn no_name_that_the_files_give_hides_what_the_base_ignores() {
    use IgnoreTarget::{ApiKeys, Members, Workspaces};
    type Case<'a> = (&'a str, &'a [(IgnoreTarget, &'a str)], &'a dyn Fn(&mut Files));
    let mut org = Org::new();
    org.user("user_s", "sam@vendor.com", "user").user("user_a", "ada@acme.com", "user");
    org.workspace("w1", workspace_spec("Locked")).workspace("w2", workspace_spec("Open"));
    org.grant("w1", "user_a", "workspace_user").key("apikey_1", "ci", "active", Some("w1"), |_| {});
    let person = |files: &mut Files, label: &str| {
        files.manage(Unlisted::Report).member("ada@acme.com", "user").member(label, "user");
    };
    // An entry that means the ignored person or workspace under another name, and uses it.
    let granted = |files: &mut Files| {
        person(files, "s@acme.com");
        files.workspace(workspace_spec("Open"));
        files.grants("Open", &[("s@acme.com", "workspace_admin")]);
    };
    let locked = |files: &mut Files| {
        files.manage(Unlisted::Report).member("ada@acme.com", "user");
        files.workspace(workspace_spec("Foo"));
    };
    let (sam, foo) = (member_address("s@acme.com"), Address::workspace(Name::label("Foo")));
    let heads: [Case<'_>; 5] = [
        ("a pinned person", &[(Members, "*@vendor.com")], &|files| {
            granted(files);
            files.pin(sam.clone(), Some("user_s"), None);
        }),
        ("a person with an earlier address", &[(Members, "*@vendor.com")], &|files| {
            granted(files);
            files.pin(sam.clone(), None, Some(&["sam@vendor.com"]));
        }),
        ("the grants of a pinned workspace", &[(Workspaces, "Locked")], &|files| {
            locked(files);
            files.grants("Foo", &[]).pin(foo.clone(), Some("w1"), None);
        }),
        ("the grants of a renamed workspace", &[(Workspaces, "Locked")], &|files| {
            locked(files);
            files.grants("Foo", &[]).pin(foo.clone(), None, Some(&["Locked"]));
        }),
        ("a key in it, by id", &[(Workspaces, "Locked"), (ApiKeys, "other")], &|files| {
            locked(files);
            files.key("apikey_1", Some("Foo"), "inactive").pin(foo.clone(), Some("w1"), None);
        }),
    ];
    for (what, ignored, say) in heads {
        let (mut base, mut head) = (Files::new(), Files::new());
        say(&mut head);
        let touching = |plan: &Plan| {
            let named = |step: &&crate::plan::Step| {
                let text = serde_json::to_string(&(&step.change, &step.calls)).unwrap();
                ["user_s", "w1", "apikey_1"].iter().any(|id| text.contains(id))
            };
            plan.ready().filter(named).count()
        };
        assert_eq!(errors(&held(&head, &base, &org)), Vec::<&str>::new(), "{what}");
        for (target, pattern) in ignored {
            base.ignore(*target, pattern);
        }
        let plan = held(&head, &base, &org);
        let refused = errors(&plan).iter().filter(|code| **code == "base/ignored").count();
        assert!(refused > 0 && refused >= touching(&plan), "{what}: {:?}", marks(&plan));
    }
}

#[test]
fn what_the_base_calls_its_own_is_ignored_under_that_name_too() {
    let (mut base, mut head, mut org) = (Files::new(), Files::new(), Org::new());
    org.user("user_s", "new@elsewhere.com", "user");
    base.member("sam@vendor.com", "user").ignore(IgnoreTarget::Members, "*@vendor.com");
    base.pin(member_address("sam@vendor.com"), Some("user_s"), None);
    head.member("new@elsewhere.com", "developer");
    assert_eq!(errors(&held(&head, &base, &org)), ["base/ignored"]);
}

#[test]
fn an_end_that_the_base_does_not_have_is_a_removal_like_any_other() {
    let (mut head, mut org) = (Files::new(), Org::new());
    org.user("user_a", "ada@acme.com", "user").user("user_b", "bob@acme.com", "user");
    org.key("apikey_1", "ci", "active", None, acts_as("user_b"));
    let bob = member_address("bob@acme.com");
    head.manage(Unlisted::Report).gone(bob.clone(), GoneCause::Expired);
    head.key("apikey_1", None, "active");
    let base = |say: &dyn Fn(&mut Files)| {
        let mut base = Files::new();
        base.manage(Unlisted::Report);
        say(&mut base);
        base.desired.approval.acknowledge = BTreeSet::from([GuardName::RemovalsMembers]);
        let limit = Limit { share: None, count: Some(0) };
        base.desired.guard.0.insert(GuardName::RemovalsMembers, (limit, span(1)));
        base
    };
    let counted =
        |plan: &Plan| -> Vec<GuardName> { plan.breaches().map(|breach| breach.guard).collect() };
    let over = [GuardName::RemovalsMembers, GuardName::DyingKeys];
    // What the base had instead: nobody named, a role, a plain removal that its guard refuses.
    let without: [&dyn Fn(&mut Files); 3] = [
        &|_| (),
        &|base| {
            base.member("bob@acme.com", "user");
        },
        &|base| {
            base.gone(bob.clone(), GoneCause::None);
        },
    ];
    for say in without {
        let mut plan = held(&head, &base(say), &org);
        assert_eq!(counted(&plan), over, "{:?}", marks(&plan));
        assert_eq!(plan.acknowledgement.as_ref().unwrap().steps, std::slice::from_ref(&bob));
        // And so it is when the plan was saved and read again.
        plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
        judge_again(&mut plan, &org.live, &BTreeMap::new());
        assert_eq!(counted(&plan), over);
        assert_eq!(plan.acknowledgement.unwrap().steps, std::slice::from_ref(&bob));
    }
    // Its date had passed before: as without a base, nothing counts.
    let expired = base(&|base| {
        base.gone(bob.clone(), GoneCause::Expired);
    });
    for plan in [held(&head, &expired, &org), plan(&head, &org)] {
        assert_eq!(counted(&plan), [], "{:?}", marks(&plan));
        assert_eq!(plan.acknowledgement, None);
    }
}

#[test]
fn ends_that_the_base_has_too_pass_and_those_without_a_base_do_not() {
    let (mut head, mut org) = (Files::new(), Org::new());
    head.manage(Unlisted::Report);
    for index in 0..30 {
        let email = format!("p{index:02}@acme.com");
        org.user(&format!("user_{index:02}"), &email, "user");
        head.gone(member_address(&email), GoneCause::Expired);
    }
    let counted = |plan: &Plan| -> Vec<(GuardName, u64)> {
        plan.breaches().map(|breach| (breach.guard, breach.count)).collect()
    };
    assert_eq!(counted(&held(&head, &head, &org)), []);
    let mut saved = plan(&head, &org);
    assert_eq!(counted(&saved), [(GuardName::Expirations, 30)]);
    judge_again(&mut saved, &org.live, &BTreeMap::new());
    assert_eq!(counted(&saved), [(GuardName::Expirations, 30)]);
    judge_again(&mut saved, &org.live, &[(GuardName::Expirations, 30)].into());
    assert_eq!(counted(&saved), []);
    // The stricter limit of both holds.
    let mut strict = Files::new();
    strict.desired = head.desired.clone();
    let limit = Limit { share: None, count: Some(0) };
    strict.desired.guard.0.insert(GuardName::Expirations, (limit, span(1)));
    assert_eq!(counted(&plan(&strict, &org)), [(GuardName::Expirations, 30)]);
    assert_eq!(counted(&held(&strict, &strict, &org)), []);
    // What had passed already when the base was committed counts as any other removal.
    let mut typo = Files::new();
    typo.desired = head.desired.clone();
    typo.ended = head.desired.gone.keys().cloned().collect();
    assert_eq!(counted(&held(&head, &typo, &org)), [(GuardName::RemovalsMembers, 30)]);
}

#[test]
fn the_grants_of_a_new_end_are_counted_with_all_others_and_read_again() {
    let (mut base, mut head, mut org) = (Files::new(), Files::new(), Org::new());
    org.user("user_a", "ada@acme.com", "user");
    for (id, name) in [("w1", "Prod"), ("w2", "Lab")] {
        org.workspace(id, workspace_spec(name)).grant(id, "user_a", "workspace_user");
        for files in [&mut base, &mut head] {
            files.workspace(workspace_spec(name));
        }
    }
    for files in [&mut base, &mut head] {
        files.grants("Lab", &[("ada@acme.com", "workspace_user")]);
    }
    base.grants("Prod", &[("ada@acme.com", "workspace_user")]);
    let grant = Address::workspace_member(Name::label("Prod"), member_address("ada@acme.com").name);
    head.grants("Prod", &[]).gone(grant, GoneCause::Expired);
    let counted = |plan: &Plan| {
        let removals = GuardName::RemovalsWorkspaceMembers;
        let all = plan.guards.iter().find(|guard| guard.guard == removals).unwrap();
        let bound = |(address, _): &&(Address, _)| address.kind == crate::address::Kind::Workspace;
        (all.count, plan.bindings.iter().filter(bound).count())
    };
    assert_eq!(counted(&plan(&head, &org)), (0, 1));
    assert_eq!(counted(&held(&head, &base, &org)), (1, 2));
}

#[test]
fn what_the_base_would_hold_is_by_the_change_that_releases_it() {
    let (mut base, mut head, mut org) = (Files::new(), Files::new(), Org::new());
    org.workspace("w1", workspace_spec("ML-One"));
    for files in [&mut base, &mut head] {
        files.workspace(workspace_spec("ML One"));
    }
    let made = Address::workspace(Name::label("ML One"));
    assert_eq!(marks(&held(&head, &base, &org)), ["Create workspace/ML One: drift"]);
    head.pin(made, None, Some(&[]));
    let plan = held(&head, &base, &org);
    assert!(plan.steps.iter().all(|step| step.disposition.is_ready()), "{}", show(&plan));
    assert_eq!(marks(&plan), ["Create workspace/ML One: by this change"]);
    assert_eq!(marks(&held(&head, &head, &org)), ["Create workspace/ML One: drift"]);
}
