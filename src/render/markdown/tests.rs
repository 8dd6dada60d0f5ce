//! What the Markdown shows, and what stays in it when there is too much.
//!
//! Invariant: each text is compared as a whole, or for what it must keep.

use super::*;
use crate::{
    access::{AccessChange, AccessRole, Place},
    address::{Address, Name},
    diagnostic::Diagnostic,
    plan::{Cause, Plan, compare::Compared, rules::RuleChange},
    render::sample::{empty, full, object, span, step, workspace},
    resource::Change,
};

fn shown(plan: &Plan, most: usize) -> String {
    markdown(&Review::of_plan("plan", plan), most)
}

fn rule(name: &str) -> RuleChange {
    RuleChange {
        rule: name.to_owned(),
        before: Some("2027-03-31".to_owned()),
        after: Some("2037-03-31".to_owned()),
        effect: None,
        at: Some(span(9)),
    }
}

/// Archives, creations and access for as many workspaces.
fn large(archives: usize, others: usize, name: &str) -> Plan {
    let mut plan = empty();
    for number in 0..archives + others {
        let name = format!("{name} {number:05}");
        let address = Address::workspace(Name::label(&*name));
        let object = object(workspace(&name, &[("env", "prod")]), Some(3), None);
        let (change, cause) = if number < archives {
            (Change::Remove { before: object }, Cause::Archived)
        } else {
            (Change::Create { after: object }, Cause::Listed)
        };
        plan.steps.push(step(address, change, cause, 7));
        let role =
            AccessRole { role: "workspace_user".into(), through: None, once_accepted: false };
        plan.access.push(AccessChange {
            person: format!("person{number}@acme.com"),
            place: Place::Workspace(name),
            before: None,
            after: Some(role),
        });
    }
    plan
}

#[test]
fn an_empty_plan_is_a_few_lines() {
    insta::assert_snapshot!(shown(&empty(), COMMENT), @r"
    <!-- charter:plan -->
    ### charter plan: nothing to do

    `Acme` (`3f0c1b1e-0000-4000-8000-000000000000`), a console organization
    ");
}

#[test]
fn a_full_plan_reads_well() {
    insta::assert_snapshot!(shown(&full(), COMMENT), @r"
    <!-- charter:plan -->
    ### charter plan: 3 to create, 3 to update, 1 to replace, 3 to remove; 1 by hand, 1 deferred

    `Acme` (`3f0c1b1e-0000-4000-8000-000000000000`), a console organization

    | | create | change | replace | remove | by hand | deferred |
    |:--|--:|--:|--:|--:|--:|--:|
    | members | 1 | 1 | 1 | 2 | 1 | |
    | workspaces | 1 | 1 | | 1 | | |
    | grants | 1 | | | | | 1 |
    | API keys | | 1 | | | | |

    <details open><summary><b>Errors: 1</b></summary>

    ```diff
    - error[guard/limit]: guard `archives`: 1 workspaces or keys archived, for ever, and the limit is 0
        help: check the steps; to pass once, run with `--allow archives=1`
    ```

    </details>

    <details open><summary><b>Removed, archived, switched off or less than before: 4</b></summary>

    ```diff
    - archive Hackathon 2025: cannot be undone, `state: archived`  [charter.yaml:50]
    - remove eve@acme.com: was developer, not listed  [charter.yaml:70]
    ! switch off old-batch in Production (sk-ant-api03-R2D...igAA): status: active -> inactive  [charter.yaml:61]
    - withdraw old@acme.com: was developer, `none` in the files  [charter.yaml:13]
    ```

    </details>

    <details open><summary><b>API keys that stop working: 1</b></summary>

    ```diff
    - eve-laptop (sk-ant-api03-aaa...bbbb): a personal key is archived when its person leaves; the files list it as active
    ```

    </details>

    <details open><summary><b>By hand, since only a person can do it: 1</b></summary>

    ```diff
    ! change grace@acme.com: role: developer -> admin  [charter.yaml:8]
        the API cannot give the role `admin`: set `grace@acme.com` to `admin` in the Console under Settings > Members
    ```

    </details>

    <details open><summary><b>Who gains, loses or changes access: 6</b></summary>

    ```diff
    + 3 people gain workspace_user in Research: a@acme.com, b@acme.com, c@acme.com
    + bob@acme.com gains workspace_developer in Production
    ! bob@acme.com goes from user to developer in the organization
    - eve@acme.com loses developer in the organization
    - eve@acme.com loses workspace_user in 4 workspaces (Alpha, Beta and 2 more)
    - zed@acme.com loses workspace_billing in all 37 workspaces, through billing
    ```

    </details>

    <details><summary><b>Created or changed: 6</b></summary>

    ```diff
    @@ members @@
    + invite joan@contractor.io: as claude_code_user, until 2027-03-31, note: SOW-118  [charter.yaml:9]
    ! change bob@acme.com: role: user -> developer  [charter.yaml:8]
    ! re-invite dora@acme.com: withdraws the invite and sends a new one, role: user -> developer  [charter.yaml:12]
    @@ workspaces @@
    ! change Production: name: Prod -> Production, tags.env: (not set) -> prod  [charter.yaml:30]
    + create Research: tags.env: dev, tags.team: r&d  [charter.yaml:40]
    @@ members of Production @@
    + grant bob@acme.com in Production: as workspace_developer  [charter.yaml:33]
    ```

    </details>

    <details><summary><b>Deferred to a later run: 1</b></summary>

    ```diff
    + grant joan@contractor.io in Production: as workspace_user  [charter.yaml:34]
        until `joan@contractor.io` accepts the invite
    ```

    </details>

    <details><summary><b>Invites that wait for an answer: 1</b></summary>

    ```diff
      ivy@acme.com: as user, until 2026-12-01 10:30 UTC
    ```

    </details>

    <details><summary><b>Ends within 14 days: 1</b></summary>

    ```diff
      2026-11-30  member/zoe@contractor.io: its `until`  [charter.yaml:14]
    ```

    </details>

    <details><summary><b>API keys that live on: 1</b></summary>

    ```diff
      ci-deploy (sk-ant-api03-aaa...bbbb): it belongs to its workspace and outlives its maker
    ```

    </details>

    <details><summary><b>Live, but not in the files: 1</b></summary>

    ```diff
      workspace Scratch (active)
    ```

    </details>
    ");
}

#[test]
fn rules_of_the_files_stand_before_changes() {
    let rules = [rule("members.joan@contractor.io.until")];
    let found = [Diagnostic::warning("config/ignore-expired", "an ignore is past its `until`")];
    let compared = Compared::default();
    let text = markdown(&Review::of_diff(&rules, &compared, &found), COMMENT);
    insta::assert_snapshot!(text, @r"
    <!-- charter:diff -->
    ### charter diff: 1 rule changes

    <details open><summary><b>Rules of the files that change: 1</b></summary>

    ```diff
    ! members.joan@contractor.io.until: 2027-03-31 -> 2037-03-31  [charter.yaml:9]
    ```

    </details>

    <details><summary><b>Warnings and notes: 1</b></summary>

    ```diff
    ! warning[config/ignore-expired]: an ignore is past its `until`
    ```

    </details>
    ");
}

#[test]
fn a_plan_of_five_thousand_steps_stays_under_the_cap_and_keeps_what_it_must() {
    let plan =
        large(1_500, 3_500, "a workspace with a rather long name that goes on and on, number");
    let rules: Vec<RuleChange> =
        (0..100).map(|number| rule(&format!("members.person{number}@acme.com.until"))).collect();
    let review = Review { rules: (&rules[..]).into(), ..Review::of_plan("plan", &plan) };
    let text = markdown(&review, COMMENT);
    let length = text.chars().count();
    assert!(length <= COMMENT && length > COMMENT * 9 / 10, "{length}");
    assert!(
        text.starts_with("<!-- charter:plan -->\n### charter plan: 3500 to create, 1500 to remove")
    );
    assert!(text.contains("| workspaces | 3500 | 1500 |"));
    for number in 0..200 {
        assert!(text.contains(&format!("number {number:05}")), "archive {number}");
    }
    for number in 0..100 {
        assert!(text.contains(&format!("members.person{number}@acme.com.until")), "rule {number}");
    }
    assert!(text.contains("workspaces to create. The text and JSON forms have all."));
    assert_eq!(text.matches("<details").count(), text.matches("</details>").count());
    assert_eq!(text.matches("```").count() % 2, 0);
    assert_eq!(text, markdown(&review, COMMENT));
}

#[test]
fn what_must_be_kept_is_cut_to_the_cap_when_even_it_is_too_much() {
    let plan = large(300, 0, &"long ".repeat(400));
    let rules: Vec<RuleChange> =
        (0..5_000).map(|number| rule(&format!("members.person{number}@acme.com.until"))).collect();
    let review = Review { rules: (&rules[..]).into(), ..Review::of_plan("plan", &plan) };
    for most in [COMMENT, 2_000, 300] {
        let text = markdown(&review, most);
        assert!(text.chars().count() <= most, "{most}");
        assert!(text.contains("300 to remove"));
    }
    let text = markdown(&review, COMMENT);
    assert_eq!(text.matches("- archive long").count(), 200);
    assert!(text.contains("more, left out to keep this short:** "));
}

#[test]
fn names_made_of_backticks_do_not_cost_what_must_be_kept() {
    let plan = large(2_000, 2_000, &"`".repeat(300));
    let text = shown(&plan, COMMENT);
    assert!(text.chars().count() <= COMMENT);
    assert!(text.contains("**1800 more, left out") || text.matches("- archive ```").count() >= 200);
}
