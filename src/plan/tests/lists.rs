//! Lists of grants and keys, and what they leave out.

use insta::assert_snapshot;

use super::builder::*;
use crate::{
    address::Kind,
    resource::desired::{IgnoreTarget, Unlisted},
};

#[test]
fn grants_are_added_changed_and_taken() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("ada@acme.com", "user").member("bob@acme.com", "user");
    files.member("eve@acme.com", "user").workspace(workspace_spec("Prod"));
    files
        .grants("Prod", &[("ada@acme.com", "workspace_admin"), ("bob@acme.com", "workspace_user")]);
    org.user("user_a", "ada@acme.com", "user").user("user_b", "bob@acme.com", "user");
    org.user("user_e", "eve@acme.com", "user").workspace("w1", workspace_spec("Prod"));
    org.grant("w1", "user_b", "workspace_developer").grant("w1", "user_e", "workspace_user");
    assert_snapshot!(show(&plan(&files, &org)), @r#"
    ready create workspace_member/Prod/ada@acme.com
        POST /workspaces/w1/members {"user_id":"user_a","workspace_role":"workspace_admin"}
    ready update workspace_member/Prod/bob@acme.com role: "workspace_developer" -> "workspace_user"
        POST /workspaces/w1/members/user_b {"workspace_role":"workspace_user"}
    ready remove workspace_member/Prod/eve@acme.com
        DELETE /workspaces/w1/members/user_e
    "#);
}

#[test]
fn inherited_access_is_satisfied_or_reported_never_called() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files
        .member("ada@acme.com", "admin")
        .member("bob@acme.com", "admin")
        .member("bill@acme.com", "billing")
        .member("down@acme.com", "developer")
        .member("up@acme.com", "admin")
        .workspace(workspace_spec("Prod"))
        .grants(
            "Prod",
            &[
                ("ada@acme.com", "workspace_admin"),
                ("bob@acme.com", "workspace_user"),
                ("bill@acme.com", "workspace_user"),
                ("down@acme.com", "workspace_user"),
                ("up@acme.com", "workspace_user"),
            ],
        );
    org.user("user_a", "ada@acme.com", "admin")
        .user("user_b", "bob@acme.com", "admin")
        .user("user_i", "bill@acme.com", "billing")
        .user("user_d", "down@acme.com", "billing")
        .user("user_u", "up@acme.com", "developer")
        .workspace("w1", workspace_spec("Prod"));
    assert_snapshot!(show(&plan(&files, &org)), @r#"
    ready update member/down@acme.com role: "billing" -> "developer"
        POST /users/user_d {"role":"developer"}
    manual update member/up@acme.com role: "developer" -> "admin"
        the API cannot give the role `admin`: set `up@acme.com` to `admin` in the Console under Settings > Members
    manual create workspace_member/Prod/bill@acme.com
        `bill@acme.com` has `workspace_billing` in every workspace through the organization role `billing`, and can be given no role there but `workspace_admin`: write `workspace_admin`, or `none`, or change the organization role first
    manual create workspace_member/Prod/bob@acme.com
        `bob@acme.com` has `workspace_admin` in every workspace through the organization role `admin`, which is more than `workspace_user`: drop this grant, or change the organization role first
    ready create workspace_member/Prod/down@acme.com
        POST /workspaces/w1/members {"user_id":"user_d","workspace_role":"workspace_user"}
    ready create workspace_member/Prod/up@acme.com
        POST /workspaces/w1/members {"user_id":"user_u","workspace_role":"workspace_user"}
    "#);
}

#[test]
fn an_explicit_grant_of_an_admin_is_read_only() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("ada@acme.com", "admin").workspace(workspace_spec("Prod")).grants("Prod", &[]);
    org.user("user_a", "ada@acme.com", "admin").workspace("w1", workspace_spec("Prod"));
    org.grant("w1", "user_a", "workspace_user");
    assert_snapshot!(show(&plan(&files, &org)), @"nothing to do");
}

#[test]
fn a_leaver_takes_their_grants_along_without_calls() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.manage(Unlisted::Remove).workspace(workspace_spec("Prod")).grants("Prod", &[]);
    org.user("user_a", "ada@acme.com", "user").workspace("w1", workspace_spec("Prod"));
    org.grant("w1", "user_a", "workspace_user");
    let plan = plan(&files, &org);
    assert_eq!(kinds(&plan), [Kind::Member]);
    assert_snapshot!(show(&plan), @r"
    ready remove member/ada@acme.com
        DELETE /users/user_a
    ");
}

#[test]
fn a_row_of_somebody_unknown_is_left_alone() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.workspace(workspace_spec("Prod")).grants("Prod", &[]);
    org.workspace("w1", workspace_spec("Prod")).grant("w1", "user_new", "workspace_user");
    assert_snapshot!(show(&plan(&files, &org)), @"nothing to do");
}

#[test]
fn ignored_people_keep_membership_invites_and_grants() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.manage(Unlisted::Remove).ignore(IgnoreTarget::Members, "*@vendor.io");
    files.workspace(workspace_spec("Prod")).grants("Prod", &[]);
    org.user("user_v", "Help@vendor.io", "user").invite("invite_v", "x@vendor.io", "user", 3);
    org.workspace("w1", workspace_spec("Prod")).grant("w1", "user_v", "workspace_admin");
    assert_snapshot!(show(&plan(&files, &org)), @"nothing to do");
}

#[test]
fn keys_are_switched_by_id_and_kept_by_name() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.workspace(workspace_spec("Prod")).key_by_name("ci", Some("Prod"));
    files.key("apikey_old", Some("Prod"), "inactive").key("apikey_lost", None, "archived");
    files.key("apikey_exp", None, "active").key("apikey_exp2", None, "inactive");
    files.key("apikey_arch", None, "active").key("apikey_moved", None, "inactive");
    files.key("apikey_none", None, "inactive").key("apikey_own", None, "inactive");
    org.workspace("w1", workspace_spec("Prod"));
    org.key("apikey_ci", "ci", "inactive", Some("w1"), |_| ());
    org.key("apikey_gone", "ci", "archived", Some("w1"), |_| ());
    org.key("apikey_old", "old", "active", Some("w1"), |_| ());
    org.key("apikey_lost", "lost", "active", None, |_| ());
    org.key("apikey_exp", "exp", "expired", None, |_| ());
    org.key("apikey_exp2", "exp2", "expired", None, |_| ());
    org.key("apikey_arch", "arch", "archived", None, |_| ());
    org.key("apikey_moved", "moved", "active", Some("w1"), |_| ());
    org.key("apikey_own", "own", "active", None, |facts| facts.in_use = true);
    org.key("apikey_extra", "extra", "active", Some("w1"), |_| ());
    let plan = plan(&files, &org);
    assert_snapshot!(show(&plan), @r#"
    manual update api_key/apikey_arch status: "archived" -> "active"
        key `arch` is archived, for ever: make a new one in the Console, or drop the entry
    manual update api_key/apikey_exp status: "expired" -> "active"
        key `exp` has expired and cannot be switched on again: make a new one in the Console, or drop the entry
    manual update api_key/apikey_moved status: "active" -> "inactive" workspace: "Prod" -> null
        key `moved` belongs to the workspace `Prod`, and a key cannot be moved: list it there
    manual create api_key/apikey_none
        no such key exists here, and keys can only be made in the Console under Settings > API keys: make it there, or fix the name or id
    ready update api_key/apikey_old status: "active" -> "inactive"
        POST /api_keys/apikey_old {"status":"inactive"}
    manual update api_key/apikey_own status: "active" -> "inactive"
        key `own` is the one charter runs with now: run with another credential to switch it off
    manual update api_key/Prod/ci status: "inactive" -> "active"
        the key named `ci` here is switched off, and another of that name is archived (`apikey_gone`), so the name does not tell which was meant: list it by its id (`apikey_ci`)
    ready update api_key/apikey_lost status: "active" -> "archived"
        POST /api_keys/apikey_lost {"status":"archived"}
    guard `archives`: 1 workspaces or keys archived, for ever, and the limit is 0
    "#);
    // `moved` is listed, though in the wrong place; only `extra` is named nowhere.
    let unmanaged: Vec<&str> = plan.unmanaged.iter().map(|u| u.title.as_str()).collect();
    assert_eq!(unmanaged, ["extra"]);
}

#[test]
fn a_key_name_that_repeats_is_not_guessed() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.key_by_name("ci", None);
    org.key("apikey_1", "ci", "active", None, |_| ()).key(
        "apikey_2",
        "ci",
        "inactive",
        None,
        |_| (),
    );
    assert_snapshot!(show(&plan(&files, &org)), @r"
    manual create api_key/ci
        several keys here are named `ci`: list them by id (`apikey_1`, `apikey_2`)
    ");
}

#[test]
fn a_key_is_not_switched_on_by_a_name_that_an_archived_key_had_too() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.key_by_name("ci", None).key_by_name("on", None);
    org.key("apikey_1", "ci", "archived", None, |_| ())
        .key("apikey_2", "ci", "inactive", None, |_| ())
        .key("apikey_3", "on", "archived", None, |_| ())
        .key("apikey_4", "on", "active", None, |_| ());
    assert_snapshot!(show(&plan(&files, &org)), @r#"
    manual update api_key/ci status: "inactive" -> "active"
        the key named `ci` here is switched off, and another of that name is archived (`apikey_1`), so the name does not tell which was meant: list it by its id (`apikey_2`)
    "#);
}
