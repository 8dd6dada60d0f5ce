//! Groups that an invite of an Enterprise organization gives: kept when it is sent again, never lost without a word.

use insta::assert_snapshot;

use super::builder::*;
use crate::{
    plan::{Plan, stale},
    resource::OrgKind,
};

/// A plan for somebody with an earlier invite that gave groups.
fn with_groups(wanted: &str, invited: &str, days: i64) -> Plan {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.desired.organization.kind = OrgKind::Enterprise;
    files.member("ada@acme.com", wanted);
    org.invite_with_groups("ada@acme.com", invited, days);
    plan(&files, &org)
}

#[test]
fn a_lapsed_invite_is_sent_again_with_its_groups() {
    let plan = with_groups("managed", "managed", -3);
    assert_snapshot!(show(&plan), @r#"
    ready create member/ada@acme.com
        POST /invites {"email":"ada@acme.com","rbac_group_ids":["rbac_group_1","rbac_group_2"],"role":"managed"}
    "#);
    let saved: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert!(stale::foreign_calls(&saved).is_empty(), "a saved plan makes the same call");
}

#[test]
fn an_open_invite_with_groups_and_another_role_is_left_to_a_person() {
    assert_snapshot!(show(&with_groups("user", "managed", 5)), @"
    manual replace member/ada@acme.com role: \"managed\" -> \"user\"
        the open invite to `ada@acme.com` gives the groups `rbac_group_1`, `rbac_group_2`, and an invite cannot be edited: withdraw it in the Console under Settings > Members and invite again as `user` with the groups that go with it, or write the role of the open invite
    ");
    assert_snapshot!(show(&with_groups("managed", "managed", 5)), @"nothing to do");
}

#[test]
fn groups_of_another_role_or_of_long_ago_are_left_to_a_person() {
    assert_snapshot!(show(&with_groups("user", "managed", -3)), @"
    manual create member/ada@acme.com
        the invite to `ada@acme.com` that lapsed gave the role `managed` and the groups `rbac_group_1`, `rbac_group_2`, and charter cannot tell whether these go with `user`: invite them in the Console under Settings > Members
    ");
    assert_snapshot!(show(&with_groups("managed", "managed", -120)), @"
    manual create member/ada@acme.com
        the last invite to `ada@acme.com` lapsed more than 120 days ago and gave the groups `rbac_group_1`, `rbac_group_2`, which charter does not renew after so long: invite them in the Console under Settings > Members
    ");
    assert!(show(&with_groups("managed", "managed", -119)).starts_with("ready create"));
}

#[test]
fn groups_where_no_file_says_that_there_are_any_are_left_to_a_person() {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("ada@acme.com", "user");
    org.invite_with_groups("ada@acme.com", "user", -3);
    assert_snapshot!(show(&plan(&files, &org)), @"
    manual create member/ada@acme.com
        the invite to `ada@acme.com` that lapsed gave the groups `rbac_group_1`, `rbac_group_2`, which only an Enterprise organization has: check `organization.kind`, or invite them in the Console under Settings > Members
    ");
}
