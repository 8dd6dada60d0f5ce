//! Workspace members: explicit grants and what organization roles bring along.
//!
//! Invariant: every position of each member switch is reached.

use orgcharter::sandbox::switches::{
    AddExisting, AddInherited, AdminGrants, BillingGrants, BillingRemoval, DefaultMembers,
    InheritedMember, NonMember,
};
use serde_json::{Value, json};

use crate::support::{acme, acme_changed, acme_with, coded, delete, get, ok, post, refused};

const PROD: &str = "/workspaces/wrkspc_prod/members";

fn grant(user: &str, role: &str) -> Value {
    json!({"user_id": user, "workspace_role": role})
}

fn members(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|row| row["user_id"].as_str().unwrap()).collect()
}

#[test]
fn a_grant_is_made_changed_read_and_taken_away() {
    let sandbox = acme();
    let made = ok(post(&sandbox, PROD, &grant("user_cy", "workspace_user")));
    assert_eq!(
        made,
        json!({"type": "workspace_member", "user_id": "user_cy", "workspace_id": "wrkspc_prod",
               "workspace_role": "workspace_user"})
    );
    assert_eq!(members(&ok(get(&sandbox, PROD))), ["user_cy", "user_bob"]);
    let path = format!("{PROD}/user_cy");
    let role = json!({"workspace_role": "workspace_admin"});
    assert_eq!(ok(post(&sandbox, &path, &role))["workspace_role"], "workspace_admin");
    assert_eq!(ok(get(&sandbox, &path))["workspace_role"], "workspace_admin");
    assert_eq!(
        ok(delete(&sandbox, &path)),
        json!({"type": "workspace_member_deleted", "user_id": "user_cy", "workspace_id": "wrkspc_prod"})
    );
    assert_eq!(refused(get(&sandbox, &path)).0, 404);
    for (switch, status) in [(NonMember::BadRequest, 400), (NonMember::NotFound, 404)] {
        sandbox.with(|state| state.switches.non_member = switch);
        assert_eq!(refused(delete(&sandbox, &path)), (status, None));
        assert_eq!(refused(post(&sandbox, &path, &role)), (status, None));
    }
}

#[test]
fn grants_need_a_user_a_workspace_and_a_role_that_can_be_granted() {
    let sandbox = acme();
    assert_eq!(refused(post(&sandbox, PROD, &grant("user_nobody", "workspace_user"))).0, 404);
    let nowhere = "/workspaces/wrkspc_nowhere/members";
    assert_eq!(refused(post(&sandbox, nowhere, &grant("user_cy", "workspace_user"))).0, 404);
    assert_eq!(refused(get(&sandbox, nowhere)).0, 404);
    for role in ["workspace_billing", "admin", ""] {
        assert_eq!(refused(post(&sandbox, PROD, &grant("user_cy", role))).0, 400);
        let update = json!({"workspace_role": role});
        assert_eq!(refused(post(&sandbox, &format!("{PROD}/user_bob"), &update)).0, 400);
    }
    assert_eq!(refused(post(&sandbox, PROD, &json!({"user_id": "user_cy"}))).0, 400);
    let extra = json!({"user_id": "user_cy", "workspace_role": "workspace_user", "email": "x"});
    assert_eq!(refused(post(&sandbox, PROD, &extra)).0, 400);
    for role in ["workspace_restricted_developer", "workspace_developer", "workspace_admin"] {
        let update = json!({"workspace_role": role});
        assert_eq!(
            ok(post(&sandbox, &format!("{PROD}/user_bob"), &update))["workspace_role"],
            role
        );
    }
}

#[test]
fn adding_a_member_again_is_refused_or_updates() {
    let add = |sandbox: &_| post(sandbox, PROD, &grant("user_bob", "workspace_admin"));
    assert_eq!(refused(add(&acme())), (400, None));
    assert_eq!(refused(add(&acme_with(|s| s.add_existing = AddExisting::Conflict))).0, 409);
    let updating = acme_with(|s| s.add_existing = AddExisting::Updates);
    assert_eq!(ok(add(&updating))["workspace_role"], "workspace_admin");
    assert_eq!(members(&ok(get(&updating, PROD))), ["user_bob"]);
}

#[test]
fn admins_are_not_listed_added_changed_or_removed() {
    let sandbox = acme_changed(|state| {
        assert!(state.set_grant("Production", "ada@acme.com", "workspace_user"));
    });
    let ada = format!("{PROD}/user_ada");
    assert_eq!(members(&ok(get(&sandbox, PROD))), ["user_bob"]);
    assert_eq!(refused(get(&sandbox, &ada)).0, 404);
    assert_eq!(refused(post(&sandbox, PROD, &grant("user_ada", "workspace_admin"))).0, 400);
    assert_eq!(refused(post(&sandbox, &ada, &json!({"workspace_role": "workspace_user"}))).0, 400);
    assert_eq!(refused(delete(&sandbox, &ada)).0, 400);
    sandbox.with(|state| state.switches.inherited_member = InheritedMember::Shown);
    assert_eq!(ok(get(&sandbox, &ada))["workspace_role"], "workspace_admin");
    sandbox.with(|state| state.switches.admin_grants = AdminGrants::Listed);
    assert_eq!(members(&ok(get(&sandbox, PROD))), ["user_ada", "user_bob"]);
    assert_eq!(ok(get(&sandbox, &ada))["workspace_role"], "workspace_user");
    let open = acme_with(|s| s.add_inherited = AddInherited::Accepted);
    ok(post(&open, PROD, &grant("user_ada", "workspace_user")));
    assert!(
        open.with(|state| state.granted("Production", "ada@acme.com") == Some("workspace_user"))
    );
}

#[test]
fn a_demoted_admin_keeps_explicit_grants_only() {
    let sandbox = acme_changed(|state| {
        assert!(state.set_grant("Production", "ada@acme.com", "workspace_user"));
        assert!(state.set_role("ada@acme.com", "developer"));
    });
    assert_eq!(members(&ok(get(&sandbox, PROD))), ["user_ada", "user_bob"]);
    assert_eq!(refused(get(&sandbox, "/workspaces/wrkspc_code/members/user_ada")).0, 404);
}

#[test]
fn billing_members_can_only_be_raised_to_admin() {
    let dot = format!("{PROD}/user_dot");
    let sandbox = acme_with(|s| s.inherited_member = InheritedMember::Shown);
    assert_eq!(ok(get(&sandbox, &dot))["workspace_role"], "workspace_billing");
    assert_eq!(refused(post(&sandbox, PROD, &grant("user_dot", "workspace_user"))).0, 400);
    ok(post(&sandbox, PROD, &grant("user_dot", "workspace_admin")));
    assert_eq!(members(&ok(get(&sandbox, PROD))), ["user_bob"]);
    sandbox.with(|state| state.switches.billing_grants = BillingGrants::Listed);
    assert_eq!(members(&ok(get(&sandbox, PROD))), ["user_dot", "user_bob"]);
    assert_eq!(ok(get(&sandbox, &dot))["workspace_role"], "workspace_admin");
    assert_eq!(refused(post(&sandbox, &dot, &json!({"workspace_role": "workspace_user"}))).0, 400);
    ok(post(&sandbox, &dot, &json!({"workspace_role": "workspace_admin"})));
    sandbox.with(|state| state.switches.billing_grants = BillingGrants::Member);
    assert_eq!(members(&ok(get(&sandbox, PROD))), ["user_bob"]);
    assert_eq!(ok(get(&sandbox, &dot))["workspace_role"], "workspace_admin");
}

#[test]
fn a_billing_members_grant_is_taken_leaves_a_row_or_is_kept() {
    let dot = format!("{PROD}/user_dot");
    let raised = |removal: BillingRemoval| {
        let sandbox = acme_with(|s| {
            s.billing_grants = BillingGrants::Listed;
            s.billing_removal = removal;
        });
        ok(post(&sandbox, PROD, &grant("user_dot", "workspace_admin")));
        sandbox
    };
    let sandbox = raised(BillingRemoval::Accepted);
    ok(delete(&sandbox, &dot));
    assert_eq!(members(&ok(get(&sandbox, PROD))), ["user_bob"]);
    assert_eq!(refused(delete(&sandbox, &dot)).0, 400, "what is inherited is not taken");

    let sandbox = raised(BillingRemoval::LeavesRow);
    ok(delete(&sandbox, &dot));
    assert_eq!(ok(get(&sandbox, &dot))["workspace_role"], "workspace_billing");
    assert_eq!(refused(delete(&sandbox, &dot)).0, 400);

    let sandbox = raised(BillingRemoval::Refused);
    assert_eq!(refused(delete(&sandbox, &dot)).0, 400);
    assert_eq!(ok(get(&sandbox, &dot))["workspace_role"], "workspace_admin");
}

#[test]
fn the_default_workspace_has_no_members_list() {
    let path = "/workspaces/wrkspc_default/members";
    for (switch, read, write) in [
        (DefaultMembers::Empty, 200, 400),
        (DefaultMembers::BadRequest, 400, 400),
        (DefaultMembers::NotFound, 404, 404),
    ] {
        let sandbox = acme_with(|s| s.default_members = switch);
        let (status, body) = get(&sandbox, path);
        assert_eq!(status, read);
        if read == 200 {
            assert_eq!(
                body,
                json!({"data": [], "has_more": false, "first_id": null, "last_id": null})
            );
        }
        assert_eq!(post(&sandbox, path, &grant("user_cy", "workspace_user")).0, write);
    }
}

#[test]
fn a_workspace_has_room_for_so_many_members() {
    let sandbox = acme_changed(|state| state.limits.workspace_members = Some(1));
    let reply = post(&sandbox, PROD, &grant("user_cy", "workspace_user"));
    assert_eq!(coded(reply), (400, "workspace_member_limit_exceeded".to_owned()));
}
