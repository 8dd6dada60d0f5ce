//! Differences of files as text.

use jiff::civil::date;

use super::*;
use crate::{
    config::{load::load_sources, lower::lower},
    plan::{compare::compare, rules::rules},
};

const OLD: &str = r"
version: 1
organization: {id: 3f0c1b1e-0000-4000-8000-000000000000}
members:
  ada@acme.com: admin
  bob@acme.com: developer
  joan@contractor.io: {role: claude_code_user, until: 2027-03-31}
  zoe@acme.com: user
teams:
  platform: [bob@acme.com, joan@contractor.io]
workspaces:
  Production:
    tags: {env: prod}
    members:
      zoe@acme.com: workspace_user
      team/platform: workspace_developer
  Research:
    members: {bob@acme.com: workspace_user}
    api_keys: {ci: active}
manage: {members: remove, workspace_members: remove}
";

fn compared(old: &str, new: &str) -> String {
    let load =
        |name: &str, text: &str| load_sources(vec![(name.into(), text.into())]).unwrap().document;
    let (old, new) = (load("old.yaml", old), load("new.yaml", new));
    let today = date(2026, 11, 22);
    let found = compare(&lower(&old, today).0, &lower(&new, today).0);
    let text = diff(&rules(&old, &new, &found), &found, Options::default());
    anstream::adapter::strip_str(&text).to_string()
}

#[test]
fn equal_files_are_the_same() {
    assert_eq!(compared(OLD, OLD), "diff: the same\n");
}

#[test]
fn a_later_end_and_a_weaker_rule_are_said_before_any_change() {
    let new = OLD
        .replace("2027-03-31", "2028-03-31")
        .replace("members: remove, workspace", "members: report, workspace")
        .replace("zoe@acme.com: user", "zoe@acme.com: developer")
        + "guard: {removals: {members: 50%}}\n";
    insta::assert_snapshot!(compared(OLD, &new), @r"
    rules of the files
      ~ manage.members: remove -> report  new.yaml:20:19
      ~ guard.removals.members: 10% and 20 -> 50%  new.yaml:21:29
      ~ members.joan@contractor.io.until: 2027-03-31 -> 2028-03-31  new.yaml:7:55

    members
      ~ change zoe@acme.com  role: user -> developer  new.yaml:8:3

    access
      ~ zoe@acme.com goes from user to developer in the organization

    diff: 3 rules change, 1 to update
    ");
}

#[test]
fn a_list_that_goes_leaves_its_grants_and_says_how_many() {
    let new = OLD.replace(
        "    members:\n      zoe@acme.com: workspace_user\n      team/platform: workspace_developer\n",
        "",
    );
    insta::assert_snapshot!(compared(OLD, &new), @r"
    rules of the files
      ~ workspaces.Production.members: no longer managed, 3 grants stay as they are
          old.yaml:14:5

    diff: 1 rule changes
    ");
}

#[test]
fn a_person_who_is_no_longer_listed_leaves_under_remove_and_stays_under_report() {
    let without = |text: &str| {
        text.replace("  zoe@acme.com: user\n", "")
            .replace("      zoe@acme.com: workspace_user\n", "")
    };
    insta::assert_snapshot!(compared(OLD, &without(OLD)), @r"
    members
      - remove zoe@acme.com  was user  old.yaml:8:3

    access
      - zoe@acme.com loses user in the organization
      - zoe@acme.com loses workspace_user in Production

    diff: 1 to remove
    ");
    let report = OLD.replace("remove", "report");
    insta::assert_snapshot!(compared(&report, &without(&report)), @r"
    rules of the files
      ~ members.zoe@acme.com: no longer managed, stays user, with 1 grant
          old.yaml:8:3
      ~ workspaces.Production.members.zoe@acme.com: no longer managed, stays
          workspace_user  old.yaml:15:7

    diff: 2 rules change
    ");
}

#[test]
fn a_pin_or_a_former_name_is_a_rule_and_a_rename_one_change() {
    let new = OLD
        .replace("  Production:\n", "  Prod:\n    previously: [Production]\n")
        .replace("  Research:\n", "  Research:\n    id: wrkspc_01AbC\n");
    insta::assert_snapshot!(compared(OLD, &new), @r"
    rules of the files
      ~ workspaces.Prod.previously: (not set) -> [Production], takes over whatever
          is called that  new.yaml:13:17
      ~ workspaces.Research.id: (not set) -> wrkspc_01AbC, takes over whatever has
          that id  new.yaml:19:9

    workspaces
      ~ change Prod  name: Production -> Prod  new.yaml:12:3

    diff: 2 rules change, 1 to update
    ");
}

#[test]
fn without_members_in_the_files_grants_still_compare() {
    let old = "version: 1\nworkspaces: {A: {members: {bob@acme.com: workspace_user}}}\n";
    let new = "version: 1\nworkspaces: {A: {members: {bob@acme.com: workspace_admin}}}\n";
    insta::assert_snapshot!(compared(old, new), @r"
    members of A
      ~ change bob@acme.com  role: workspace_user -> workspace_admin  new.yaml:2:28

    access
      ~ bob@acme.com goes from workspace_user to workspace_admin in A

    diff: 1 to update
    ");
}
