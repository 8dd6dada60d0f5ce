//! Plans as text: steps, what they mean, guards, and widths.

use super::*;
use crate::{
    address::{Address, Name},
    plan::Cause,
    render::sample::{empty, full, object, step, workspace},
    resource::{Change, Disposition},
};

fn shown(plan: &Plan, width: usize, calls: bool) -> String {
    let text = super::plan(plan, Options { width, calls, ..Default::default() });
    anstream::adapter::strip_str(&text).to_string()
}

#[test]
fn an_empty_plan_says_that_there_is_nothing_to_do() {
    insta::assert_snapshot!(shown(&empty(), 80, false), @r"
    Acme 3f0c1b1e-0000-4000-8000-000000000000, a console organization
    seen with ANTHROPIC_ADMIN_KEY in 9 reads; also set, and not used:
      ANTHROPIC_API_KEY

    plan: nothing to do
    ");
}

#[test]
fn a_full_plan_reads_well_at_eighty_columns() {
    insta::assert_snapshot!(shown(&full(), 80, false), @r"
    Acme 3f0c1b1e-0000-4000-8000-000000000000, a console organization
    seen with ANTHROPIC_ADMIN_KEY in 9 reads; also set, and not used:
      ANTHROPIC_API_KEY

    members
      +   invite    joan@contractor.io  as claude_code_user, until 2027-03-31,
                    note: SOW-118  charter.yaml:9:3
      ~   change    bob@acme.com  role: user -> developer  charter.yaml:8:3
      -/+ re-invite dora@acme.com  withdraws the invite and sends a new one,
                    role: user -> developer  charter.yaml:12:3
      -   remove    eve@acme.com  was developer, not listed  charter.yaml:70:3
      -   withdraw  old@acme.com  was developer, `none` in the files
                    charter.yaml:13:3

    workspaces
      ~ change  Production  charter.yaml:30:3
                name: Prod -> Production
                tags.env: (not set) -> prod
      + create  Research  charter.yaml:40:3
                tags.env: dev
                tags.team: r&d
      - archive Hackathon 2025  cannot be undone, `state: archived`
                charter.yaml:50:3

    members of Production
      + grant bob@acme.com  as workspace_developer  charter.yaml:33:3

    API keys
      ~ switch off old-batch in Production (sk-ant-api03-R2D...igAA)
                   status: active -> inactive  charter.yaml:61:3

    by hand: 1 (only a person can do it)
      ~ change grace@acme.com  role: developer -> admin  charter.yaml:8:3
               the API cannot give the role `admin`: set `grace@acme.com` to `admin`
               in the Console under Settings > Members

    deferred: 1 (a later run does it)
      + grant joan@contractor.io in Production  as workspace_user  charter.yaml:34:3
              waits until `joan@contractor.io` accepts the invite

    invites that wait for an answer
      ivy@acme.com  as user, until 2026-12-01 10:30 UTC

    access
      + 3 people gain workspace_user in Research: a@acme.com, b@acme.com, c@acme.com
      + bob@acme.com gains workspace_developer in Production
      ~ bob@acme.com goes from user to developer in the organization
      - eve@acme.com loses developer in the organization
      - eve@acme.com loses workspace_user in 4 workspaces (Alpha, Beta and 2 more)
      - zed@acme.com loses workspace_billing in all 37 workspaces, through billing

    API keys that stop working
      - eve-laptop (sk-ant-api03-aaa...bbbb)  a personal key is archived when its
          person leaves (member/eve@acme.com)  the files list it as active

    API keys that live on
      = ci-deploy (sk-ant-api03-aaa...bbbb)  it belongs to its workspace and
          outlives its maker (member/eve@acme.com)

    ends within 14 days
      2026-11-30  member/zoe@contractor.io  its `until`  charter.yaml:14:3

    live, but not in the files: 1 (left alone)
      1 workspace: Scratch (active)

    refused by a guard (nothing of this plan is applied)
      ! archives  workspaces and keys archived: 1, and the limit is 0
      if this is meant, pass for this one run (it is written to the journal):
        --allow archives=1

    plan: 3 to create, 3 to update, 1 to replace, 3 to remove; 1 by hand, 1 deferred
    ");
}

#[test]
fn no_line_is_longer_than_the_width_asked_for() {
    for width in [60, 80, 120] {
        // The last line stays whole, so that it can be searched for.
        for line in shown(&full(), width, false).lines().filter(|line| !line.starts_with("plan:")) {
            assert!(crate::render::layout::width(line) <= width, "{width}: {line}");
        }
    }
}

#[test]
fn calls_are_shown_exactly_when_they_are_asked_for() {
    let call = r#"POST /invites {"email":"joan@contractor.io","role":"claude_code_user"}"#;
    assert!(shown(&full(), 80, true).contains(call));
    assert!(!shown(&full(), 80, false).contains(call));
}

#[test]
fn an_unpinned_organization_is_told_how_to_be_pinned() {
    let mut plan = empty();
    plan.organization.pinned = false;
    assert!(
        shown(&plan, 200, false)
            .contains("add\n  organization: {id: 3f0c1b1e-0000-4000-8000-000000000000}\n")
    );
}

#[test]
fn a_hostile_name_cannot_steer_the_terminal_or_forge_a_line() {
    let mut plan = empty();
    let name = "Ops\u{1b}[2K\nplan: nothing to do\u{202e}";
    let change =
        Change::Create { after: object(workspace(name, &[("k\u{7}", "v\u{9b}")]), Some(1), None) };
    plan.organization.name = Some(name.into());
    plan.steps = vec![step(Address::workspace(Name::label(name)), change, Cause::Listed, 1)];
    let raw = super::plan(&plan, Options::default());
    let text = anstream::adapter::strip_str(&raw).to_string();
    assert!(text.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{202e}'), "{text:?}");
    assert_eq!(text.lines().filter(|line| line.starts_with("plan:")).count(), 1);
    assert!(text.contains("Ops\\u{1b}[2K\\nplan:"));
}

#[test]
fn what_follows_from_a_finding_is_folded_under_it() {
    let mut plan = empty();
    let made = |spec: crate::resource::Spec| Change::Create { after: object(spec, None, None) };
    let cause = Address::workspace(Name::label("Prod"));
    let mut first = step(cause.clone(), made(workspace("Prod", &[])), Cause::Listed, 3);
    first.disposition = Disposition::Manual { why: "workspace `w1` is archived".to_owned() };
    let follows = |address: Address, spec: crate::resource::Spec| {
        let mut step = step(address, made(spec), Cause::Listed, 4);
        let why = "until workspace/Prod is settled".to_owned();
        step.disposition = Disposition::Deferred { until: cause.clone(), why };
        step
    };
    let keys = (1..=7).map(|index| {
        let id = crate::address::RemoteId::new(format!("apikey_{index}"));
        let name = format!("ci-{index}");
        let spec = crate::resource::ApiKey {
            name: Some(name.as_str().into()),
            status: None,
            workspace: Some(Name::label("Prod")),
        };
        follows(Address::api_key(&id), crate::resource::Spec::ApiKey(spec))
    });
    plan.steps = keys.chain([first]).collect();
    let text = shown(&plan, 80, false);
    let (_, from) = text.split_once("\n\n").unwrap();
    insta::assert_snapshot!(from, @r"
    by hand: 1 (only a person can do it)
      + create Prod  charter.yaml:3:3
               workspace `w1` is archived
               7 API keys wait for it: ci-1, ci-2, ci-3, ci-4, ci-5, ci-6, ci-7

    plan: nothing to do; 1 by hand, 7 deferred
    ");
}

#[test]
fn what_cannot_be_undone_is_counted_before_it_is_asked_for() {
    let done = totals(&full());
    insta::assert_debug_snapshot!(done, @r#"
    Done {
        lines: [
            "~ 1 member to change",
            "+ 1 member to invite",
            "-/+ 1 member to re-invite",
            "- 1 member to remove",
            "- 1 member to withdraw",
            "- 1 workspace to archive",
            "~ 1 workspace to change",
            "+ 1 workspace to create",
            "+ 1 grant to grant",
            "~ 1 API key to switch off",
        ],
        irreversible: [
            "1 workspace archived",
            "1 person removed (only a new invite brings them back)",
            "1 API key that stops working",
        ],
    }
    "#);
}
