//! What a journal without outcomes tells, what looking adds, and what is left of a saved plan.

use std::{collections::BTreeMap, path::Path, time::Duration};

use jiff::SignedDuration;
use orgcharter::{
    api::clock::Clock,
    apply::{
        Ended, Journal, journal,
        resume::{Recap, Seen},
    },
    observe,
    plan::{
        Plan,
        rest::{digest, rest},
        stale,
    },
    resource::OrgKind,
    sandbox::State,
};

use super::support::*;

const FILE: &str = r##"
version: 1
organization: {id: 3f0c1b1e-0000-4000-8000-000000000000}
manage: {members: remove, workspace_members: remove}
guard: {archives: 2}
members:
  root@acme.com: admin
  ada@acme.com: developer
  bob@acme.com: developer
  cy@acme.com: developer
  eve@acme.com: user
workspaces:
  Old: {id: OLD, name: Old, state: archived}
  New: {tags: {env: prod}, members: {bob@acme.com: workspace_developer}}
  Production: {previously: [Prod], display_color: "#6C5BB9", tags: {env: prod}, members: {
    bob@acme.com: workspace_user, eve@acme.com: workspace_admin}, api_keys: {KEY: inactive}}
"##;

fn organization() -> (Org, Wanted) {
    let mut ids = (String::new(), String::new());
    let plant = |state: &mut State| {
        for (email, role) in [
            ("bob@acme.com", "user"),
            ("eve@acme.com", "developer"),
            ("leaver@acme.com", "developer"),
        ] {
            state.add_user(email, role);
        }
        state.add_invite("cy@acme.com", "user");
        state.add_invite("gone@acme.com", "user");
        ids.0 = state.add_workspace("Old");
        state.add_api_key("batch", Some("Old")).unwrap();
        state.add_workspace("Prod");
        state.set_grant("Prod", "root@acme.com", "workspace_user");
        state.set_grant("Prod", "eve@acme.com", "workspace_user");
        ids.1 = state.add_api_key("ci", Some("Prod")).unwrap();
        state.add_user("dee@acme.com", "user");
        state.set_grant("Prod", "dee@acme.com", "workspace_user");
    };
    let org = Org::new(plant);
    let file = FILE.replace("OLD", &ids.0).replace("KEY", &ids.1);
    // She stays, and only her grant goes.
    let file =
        file.replace("  eve@acme.com: user\n", "  eve@acme.com: user\n  dee@acme.com: user\n");
    (org, Wanted::file(&file))
}

/// Runs a plan and takes the outcomes out of its journal, as a crash at the end of every step would.
async fn without_outcomes(org: &Org, plan: &Plan, path: &Path) -> Recap {
    let report = org.run_with(plan, Journal::create(path).unwrap(), &()).await;
    assert_eq!(report.ended(), Ended::Complete, "{report:#?}");
    let mut lines = journal::read(path).unwrap();
    lines
        .records
        .retain(|record| matches!(record, journal::Record::Begin(_) | journal::Record::Start(_)));
    Recap::of(&lines).unwrap()
}

/// What is seen of each step now.
async fn seen(org: &Org, recap: &mut Recap) -> BTreeMap<String, Seen> {
    let info =
        observe::identify(observe::me(&org.reader).await, &org.reader, OrgKind::Console).unwrap();
    let live =
        observe::observe(&org.reader, &info, &recap.scope(), &|_| false, org.clock.now()).await;
    recap.look(&live.unwrap());
    let seen = |it: &orgcharter::apply::resume::Unclear| {
        let verb = format!("{:?}", it.start.verb).to_lowercase();
        (format!("{verb} {}", it.start.address), it.seen.clone().unwrap())
    };
    recap.unclear.iter().map(seen).collect()
}

#[tokio::test]
async fn every_effect_is_recognized_and_none_is_seen_where_none_is() {
    let dir = tempfile::tempdir().unwrap();
    let (org, wanted) = organization();
    let plan = org.plan(&wanted).await;
    let before = org.sandbox.state();
    let mut recap = without_outcomes(&org, &plan, &dir.path().join("journal.jsonl")).await;
    assert_eq!(recap.unclear.len(), plan.ready().count());
    let all = seen(&org, &mut recap).await;
    let verbs: Vec<&str> = all.keys().map(|name| name.split('/').next().unwrap()).collect();
    let sorts = [
        "create member",
        "create workspace",
        "create workspace_member",
        "remove member",
        "remove workspace",
        "remove workspace_member",
        "replace member",
        "update api_key",
        "update member",
        "update workspace",
        "update workspace_member",
    ];
    assert!(sorts.iter().all(|sort| verbs.contains(sort)), "{verbs:?}");
    for (step, seen) in &all {
        assert!(matches!(seen, Seen::There { .. }), "{step}: {seen:?}");
    }
    // What later steps refer to comes with its id.
    let made = recap.done_steps();
    let new = made.iter().find(|it| it.address == "workspace/New").unwrap();
    let id = org.sandbox.with(|state| state.workspace("New").unwrap().id.clone());
    assert_eq!(new.id.as_ref().map(|id| id.as_str().to_owned()), Some(id));

    // The same journal, and an organization that nothing reached.
    org.sandbox.with(|state| *state = before);
    let none = seen(&org, &mut recap).await;
    for (step, seen) in &none {
        assert_eq!(*seen, Seen::Not, "{step}");
    }
    assert_eq!(recap.done_steps(), []);
}

#[tokio::test]
async fn what_others_did_is_not_taken_for_the_effect() {
    let dir = tempfile::tempdir().unwrap();
    let (org, wanted) = organization();
    let plan = org.plan(&wanted).await;
    let before = org.sandbox.state();
    let mut recap = without_outcomes(&org, &plan, &dir.path().join("journal.jsonl")).await;
    org.sandbox.with(|state| *state = before);
    org.sandbox.with(|state| {
        state.add_user("ada@acme.com", "user");
        let invite = state.invites().find(|it| it.email == "cy@acme.com").unwrap().id.clone();
        state.accept_invite(&invite).unwrap();
        state.remove_user("bob@acme.com");
        state.set_grant("Prod", "dee@acme.com", "workspace_admin");
        state.remove_grant("Prod", "eve@acme.com");
        state.archive_workspace("Prod");
        state.add_invite("leaver@acme.com", "user");
        state.remove_user("leaver@acme.com");
    });
    let all = seen(&org, &mut recap).await;
    let said = |step: &str| match &all[step] {
        Seen::Otherwise(what) => what.clone(),
        other => panic!("{step}: {other:?}"),
    };
    assert_eq!(said("create member/ada@acme.com"), "is a member, as `user`");
    assert_eq!(said("replace member/cy@acme.com"), "is a member, as `user`");
    assert_eq!(said("update member/bob@acme.com"), "this person is no longer a member");
    assert_eq!(said("update workspace/Production"), "it was archived meanwhile");
    let open = "there is still an open invite to this address";
    assert_eq!(said("remove member/leaver@acme.com"), open);
    assert_eq!(all["remove workspace/Old"], Seen::Not);

    org.sandbox.with(|state| {
        let gone: Vec<String> = state.invites().map(|it| it.id.clone()).collect();
        assert!(!gone.is_empty());
        state.add_workspace("New");
        state.add_workspace("New");
    });
    let all = seen(&org, &mut recap).await;
    let Seen::Otherwise(several) = &all["create workspace/New"] else { panic!("{all:?}") };
    assert!(several.starts_with("several workspaces named `New` were made"), "{several}");
}

#[tokio::test]
async fn what_was_to_be_made_is_looked_for_no_sooner_than_a_lost_reply_is() {
    let dir = tempfile::tempdir().unwrap();
    let (org, wanted) = organization();
    let plan = org.plan(&wanted).await;
    let mut recap = without_outcomes(&org, &plan, &dir.path().join("journal.jsonl")).await;
    let starts = recap.unclear.iter().map(|it| &it.start);
    let made = starts.filter(|it| format!("{:?}", it.verb) == "Create").map(|it| it.at).max();
    let made = made.unwrap();
    let second = SignedDuration::from_secs(1);
    assert_eq!(recap.settles_in(made), Duration::from_secs(15));
    assert_eq!(recap.settles_in(made + second * 14), Duration::from_secs(1));
    assert_eq!(recap.settles_in(made + second * 16), Duration::ZERO);
    assert_eq!(recap.settles_in(made - second * 3600), Duration::from_secs(15));
    // Nobody waits for what can be sent again.
    recap.unclear.retain(|it| format!("{:?}", it.start.verb) == "Update");
    assert!(!recap.unclear.is_empty());
    assert_eq!(recap.settles_in(made), Duration::ZERO);
}

#[tokio::test]
async fn the_rest_of_a_saved_plan_holds_after_any_of_its_steps_and_does_what_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let steps = {
        let (org, wanted) = organization();
        org.plan(&wanted).await.steps.len()
    };
    for done in 0..=steps {
        let (org, wanted) = organization();
        let whole = org.plan(&wanted).await;
        let path = dir.path().join(format!("journal-{done}.jsonl"));
        let mut part = whole.clone();
        part.steps.truncate(done);
        let report = org.run_with(&part, Journal::create(&path).unwrap(), &()).await;
        assert_eq!(report.steps.len(), done);
        let recap = Recap::of(&journal::read(&path).unwrap()).unwrap();

        let mut left = whole.clone();
        let known = recap.done_steps();
        rest(&mut left, known.iter().map(|it| (&*it.address, it.verb, it.id.as_ref())));
        assert_eq!(left.steps.len(), steps - done);
        assert!(stale::foreign_calls(&left).is_empty(), "{done}");
        let live = org.observe(&wanted).await;
        assert_eq!(stale::stale_facts(&left, &live), [], "{done}");
        assert_eq!(digest(&left).unwrap() == digest(&whole).unwrap(), done == 0);
        orgcharter::plan::again::judge_again(&mut left, &live, &BTreeMap::new());
        let goes = |address| left.steps.iter().any(|step| step.address == address);
        assert!(left.keys.iter().all(|key| goes(key.because_of.clone())), "{done}");
        assert!(!whole.keys.is_empty());
        let named = |person: &str| left.steps.iter().any(|s| s.address.name.as_str() == person);
        assert!(
            left.access.iter().all(|it| named(&it.person)
                || left.steps.iter().any(|s| {
                    matches!(&it.place, orgcharter::access::Place::Workspace(_))
                        && s.address.kind.as_str() == "workspace"
                })),
            "{done}: {:#?}",
            left.access
        );

        let report = org.run(&left).await;
        assert_eq!(report.ended(), Ended::Complete, "{done}: {report:#?}");
        assert_eq!(org.left(&wanted).await, Vec::<String>::new(), "{done}");
        assert_eq!(org.workspaces_named("New"), 1);
    }
}

#[tokio::test]
async fn a_saved_plan_that_others_have_overtaken_is_still_stale() {
    let (org, wanted) = organization();
    let mut plan = org.plan(&wanted).await;
    let first = plan.steps[0].clone();
    let name = first.address.to_string();
    rest(&mut plan, [(name.as_str(), first.change.verb(), None)]);
    org.sandbox.with(|state| state.set_role("eve@acme.com", "claude_code_user"));
    let stale = stale::stale_facts(&plan, &org.observe(&wanted).await);
    assert!(stale.iter().any(|it| it.message.contains("`eve@acme.com`")), "{stale:#?}");
}

#[tokio::test]
async fn every_step_stands_in_one_list_and_half_a_step_is_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.jsonl");
    let (org, wanted) = organization();
    let plan = org.plan(&wanted).await;
    // The invite is withdrawn, and the new one refused; the workspace is refused, and with it what needs it.
    org.fault(
        "POST /v1/organizations/workspaces",
        refusal(400, Some("workspace_policy_violation")),
    );
    for _ in 0..2 {
        org.fault("POST /v1/organizations/invites", refusal(400, Some("email_domain_not_allowed")));
    }
    let report = org.run_with(&plan, Journal::create(&path).unwrap(), &()).await;
    assert_eq!(report.ended(), Ended::Partly, "{report:#?}");
    let mut recap = Recap::of(&journal::read(&path).unwrap()).unwrap();
    let names = |lines: &[journal::OutcomeLine]| {
        lines.iter().map(|it| it.address.clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        names(&recap.not_done),
        ["member/ada@acme.com", "workspace/New", "workspace_member/New/bob@acme.com"]
    );
    let all = seen(&org, &mut recap).await;
    let half = Seen::Otherwise("the invite was withdrawn, and there is no new one".to_owned());
    assert_eq!(all, BTreeMap::from([("replace member/cy@acme.com".to_owned(), half)]));
    assert!(recap.end.is_some() && recap.never.is_empty());
    assert_eq!(recap.done.len() + 4, plan.ready().count());

    // What a stop left is told, and was never started.
    let mut lines = journal::read(&path).unwrap();
    for record in &mut lines.records {
        if let journal::Record::Outcome(outcome) = record
            && outcome.address == "workspace/New"
        {
            outcome.outcome = journal::Word::NotStarted;
        }
    }
    let stopped = Recap::of(&lines).unwrap();
    assert_eq!(stopped.never.len(), 1);
    assert_eq!(stopped.not_done.len(), 2);
}

#[tokio::test]
async fn the_default_workspace_is_looked_at_again_if_a_workspace_was_changed() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let org = Org::new(|state| {
        state.add_workspace("Staging");
    });
    let wanted = Wanted::new().workspace("Staging").workspace("New");
    let made = without_outcomes(&org, &org.plan(&wanted).await, &path("made.jsonl")).await;
    assert!(made.scope().workspaces && !made.scope().default_workspace);
    let wanted = Wanted::new().workspace_with("Staging", full).workspace("New").workspace("Newer");
    let changed = without_outcomes(&org, &org.plan(&wanted).await, &path("changed.jsonl")).await;
    assert_eq!(changed.unclear.len(), 2);
    assert!(changed.scope().workspaces && changed.scope().default_workspace);
}
