//! Grants beside inherited access, and grants of a role that charter does not know.

use insta::assert_snapshot;

use super::builder::*;
use crate::{
    address::{Address, Name},
    plan::{Plan, hidden},
    resource::desired::{GoneCause, Unlisted},
};

/// `dot`, a billing member, and `ada`, who inherits nothing, in a workspace `Prod`.
fn acme() -> (Files, Org) {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("dot@acme.com", "billing").member("ada@acme.com", "user");
    files.workspace(workspace_spec("Prod"));
    org.user("user_d", "dot@acme.com", "billing").user("user_a", "ada@acme.com", "user");
    org.workspace("w1", workspace_spec("Prod"));
    (files, org)
}

fn grant(email: &str) -> Address {
    Address::workspace_member(Name::label("Prod"), member_address(email).name)
}

#[test]
fn a_billing_members_listed_grant_is_revoked_and_what_is_inherited_is_not() {
    for role in ["workspace_admin", "workspace_developer"] {
        let (mut files, mut org) = acme();
        files.grants("Prod", &[]);
        org.grant("w1", "user_d", role);
        let removal = "ready remove workspace_member/Prod/dot@acme.com\n    DELETE /workspaces/w1/members/user_d\n";
        assert_eq!(show(&plan(&files, &org)), removal);
        files.gone(grant("dot@acme.com"), GoneCause::None);
        assert_eq!(plan(&files, &org).ready().count(), 1);
    }
    let (mut files, mut org) = acme();
    files.grants("Prod", &[]).gone(grant("dot@acme.com"), GoneCause::None);
    org.grant("w1", "user_d", "workspace_billing");
    assert_snapshot!(show(&plan(&files, &org)), @"nothing to do");
}

#[test]
fn none_for_a_billing_member_whose_grant_may_be_hidden_is_said_and_not_silent() {
    let notes =
        |plan: Plan| -> Vec<String> { plan.notes.into_iter().map(|note| note.message).collect() };
    let (mut files, mut org) = acme();
    files.grants("Prod", &[]).gone(grant("dot@acme.com"), GoneCause::None);
    assert_eq!(
        notes(plan(&files, &org)),
        [
            "no grant of `dot@acme.com` in `Prod` is shown, but the API may hide what billing members are granted, so \
          charter cannot revoke it"
        ]
    );
    // Where the API shows such grants, one that is not shown is not there.
    org.user("user_e", "eve@acme.com", "billing").workspace("w2", workspace_spec("Lab"));
    files.member("eve@acme.com", "billing");
    org.grant("w2", "user_e", "workspace_admin");
    assert_eq!(notes(plan(&files, &org)), [""; 0]);
}

#[test]
fn a_billing_member_is_raised_to_admin_once_and_never_in_every_run() {
    let (mut files, org) = acme();
    files.grants("Prod", &[("dot@acme.com", "workspace_admin")]);
    // Nothing tells whether it was sent before.
    assert_snapshot!(show(&plan(&files, &org)), @r"
    manual create workspace_member/Prod/dot@acme.com
        whether `dot@acme.com` has `workspace_admin` here cannot be seen: the API may hide what a billing member is granted, and shows no such grant, so it is not sent again in every run; look in the Console under Settings > Workspaces, and to send it once choose this step by itself: `--only workspace_member/Prod/dot@acme.com`
    ");
    // Somebody asks for this very step; a pattern that happens to match it does not.
    let only = plan_with(&files, &org, &["workspace_member/Prod/dot@acme.com"], &[]);
    assert_snapshot!(show(&only), @r#"
    ready create workspace_member/Prod/dot@acme.com
        POST /workspaces/w1/members {"user_id":"user_d","workspace_role":"workspace_admin"}
    "#);
    for pattern in ["workspace_member/*", "workspace_member/Prod/dot@*", "deferred"] {
        assert_eq!(plan_with(&files, &org, &[pattern], &[]).ready().count(), 0, "{pattern}");
    }
}

#[test]
fn the_change_that_first_wants_a_grant_that_may_be_hidden_sends_it() {
    let (mut before, _) = acme();
    before.grants("Prod", &[]);
    let (mut after, _) = acme();
    after.grants("Prod", &[("dot@acme.com", "workspace_admin")]);
    let (mut lower, _) = acme();
    lower.grants("Prod", &[("dot@acme.com", "workspace_user")]);
    let address = grant("dot@acme.com");
    let asked = |former: &Files| hidden::is_asked_for(&address, &[], Some(&former.desired));
    assert_eq!([asked(&before), asked(&lower), asked(&after)], [true, true, false]);
    assert!(!hidden::is_asked_for(&address, &[], None));
}

#[test]
fn a_grant_that_is_shown_proves_that_the_others_are_not_there() {
    let (mut files, mut org) = acme();
    files.grants(
        "Prod",
        &[("dot@acme.com", "workspace_admin"), ("eve@acme.com", "workspace_admin")],
    );
    files.member("eve@acme.com", "billing");
    org.user("user_e", "eve@acme.com", "billing").grant("w1", "user_e", "workspace_billing");
    // What is inherited proves nothing.
    assert_eq!(plan(&files, &org).ready().count(), 0);
    org.live.objects.pop();
    org.grant("w1", "user_e", "workspace_admin");
    assert_snapshot!(show(&plan(&files, &org)), @r#"
    ready create workspace_member/Prod/dot@acme.com
        POST /workspaces/w1/members {"user_id":"user_d","workspace_role":"workspace_admin"}
    "#);
}

#[test]
fn what_no_list_shows_is_looked_for_at_the_member() {
    let (mut files, org) = acme();
    files.grants(
        "Prod",
        &[("dot@acme.com", "workspace_admin"), ("ada@acme.com", "workspace_admin")],
    );
    let unseen = hidden::unseen(&plan(&files, &org));
    let unseen: Vec<_> = unseen.iter().map(|(w, u)| (w.as_str(), u.as_str())).collect();
    assert_eq!(unseen, [("w1", "user_d")], "ada inherits nothing, so the list tells");
}

#[test]
fn an_unknown_role_is_never_overwritten_or_revoked_for_want_of_a_line() {
    let (mut files, mut org) = acme();
    files.grants("Prod", &[("ada@acme.com", "workspace_developer")]);
    org.grant("w1", "user_a", "workspace_auditor").grant("w1", "user_d", "workspace_auditor");
    assert_snapshot!(show(&plan(&files, &org)), @r#"
    manual update workspace_member/Prod/ada@acme.com role: "workspace_auditor" -> "workspace_developer"
        `ada@acme.com` has the role `workspace_auditor` here, which this version of charter does not know and never overwrites: change it in the Console under Settings > Workspaces, or write `unmanaged` to keep it, or `none` to revoke it
    manual remove workspace_member/Prod/dot@acme.com
        `dot@acme.com` has the role `workspace_auditor` here, which this version of charter does not know, and no entry asks to revoke it: write `none` for this person to revoke it, or `unmanaged` to keep it
    "#);
}

#[test]
fn offboarding_does_not_wait_for_charter_to_learn_a_role() {
    for cause in [GoneCause::None, GoneCause::Expired] {
        let (mut files, mut org) = acme();
        files.grants("Prod", &[]).gone(grant("ada@acme.com"), cause);
        org.grant("w1", "user_a", "workspace_auditor");
        let removal = "ready remove workspace_member/Prod/ada@acme.com\n    DELETE /workspaces/w1/members/user_a\n";
        assert_eq!(show(&plan(&files, &org)), removal, "{cause:?}");
    }
    let (mut files, mut org) = (Files::new(), acme().1);
    files.manage(Unlisted::Remove).member("dot@acme.com", "billing");
    files.workspace(workspace_spec("Prod")).grants("Prod", &[]);
    org.grant("w1", "user_a", "workspace_auditor");
    assert_snapshot!(show(&plan(&files, &org)), @r"
    ready remove member/ada@acme.com
        DELETE /users/user_a
    ");
}
