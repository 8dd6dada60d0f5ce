//! Replies that a proxy or a broken server might give, spoilt pages, and scripts.
//!
//! Invariant: what comes before the effect leaves the organization as it was, and an edit of a script is made once.

use orgcharter::{
    api::transport::{Method, RawResponse},
    sandbox::{Edit, Fault, PageFault, Rule, Sandbox, Script, State, Wire},
};
use serde_json::{Value, json};

use crate::support::{ORG, SEED, acme, get, ids, json, ok, post, refused, request};

fn failing(on: &str, fault: Fault) -> Sandbox {
    let sandbox = acme();
    sandbox.with(|state| state.faults.add(Rule::new(on, fault))).unwrap();
    sandbox
}

/// Sets bob's role to `user` under a fault: the reply, how it travels, and the role he has then.
fn under(fault: Fault) -> (RawResponse, Wire, String) {
    let sandbox = failing("POST /v1/organizations/users/*", fault);
    let body = json!({"role": "user"});
    let asked = request(Method::Post, &format!("{ORG}/users/user_bob"), Some(&body));
    let exchange = sandbox.exchange(&asked);
    let role = sandbox.with(|state| state.user("user_bob").unwrap().role.clone());
    (exchange.response, exchange.wire, role)
}

#[test]
fn each_fault_stands_on_its_side_of_the_effect() {
    for (before, after) in [
        (Fault::SilentBefore, Fault::SilentAfter),
        (Fault::ClosedBefore, Fault::ClosedAfter),
        (Fault::Html(502), Fault::HtmlAfter(502)),
        (Fault::Html(200), Fault::HtmlAfter(200)),
        (Fault::WrongTypeBefore, Fault::WrongType),
        (Fault::StatusBefore(503), Fault::StatusAfter(503)),
    ] {
        let ((one, wire, untouched), (other, same_wire, done)) = (under(before), under(after));
        assert_eq!((untouched.as_str(), done.as_str()), ("developer", "user"));
        assert_eq!(wire, same_wire);
        // Of a reply that never comes, what would have been sent differs.
        assert!(wire != Wire::Whole || one.status == other.status);
    }
}

#[test]
fn a_reply_that_is_cut_short_looks_whole() {
    let (response, wire, role) = under(Fault::CutShort);
    assert_eq!((response.status, wire, role.as_str()), (200, Wire::Whole, "user"));
    assert!(serde_json::from_slice::<Value>(&response.body).is_err());
    let (response, wire, _) = under(Fault::SilentAfter);
    assert_eq!(wire, Wire::Silent, "{response:?}");
}

#[test]
fn pages_break_the_rules_of_their_list_one_at_a_time() {
    let second = |fault| {
        let sandbox = failing("GET /v1/organizations/users", Fault::Page(fault));
        let first = ok(get(&acme(), "/users?limit=2"));
        let cursor = first["last_id"].as_str().unwrap();
        (first.clone(), ok(get(&sandbox, &format!("/users?limit=2&after_id={cursor}"))))
    };
    let (first, page) = second(PageFault::Restarts);
    assert_eq!(page, first);
    let (first, page) = second(PageFault::RepeatsRow);
    assert_eq!((ids(&page).len(), ids(&page)[0]), (3, ids(&first)[0]));
    assert_eq!(page["first_id"], first["data"][0]["id"]);
    let (_, page) = second(PageFault::Empty);
    assert_eq!(page, json!({"data": [], "first_id": null, "last_id": null, "has_more": true}));
    let (_, page) = second(PageFault::NoCursor);
    assert_eq!((&page["last_id"], &page["has_more"]), (&Value::Null, &json!(true)));
    let (_, page) = second(PageFault::Bare);
    assert_eq!(page.as_object().unwrap().len(), 1);
    let (_, page) = second(PageFault::LosesRow);
    assert_eq!(ids(&page).len(), 1);
    assert_ne!(page["last_id"], page["data"][0]["id"]);
    // What is no page stays as it is.
    let sandbox = failing("GET /v1/**", Fault::Page(PageFault::Bare));
    assert_eq!(ok(get(&sandbox, "/users/user_bob"))["role"], "developer");
}

fn role(role: &str) -> Edit {
    Edit::SetRole { user: "bob@acme.com".to_owned(), role: role.to_owned() }
}

#[test]
fn a_script_plays_once_after_its_request() {
    let sandbox = acme();
    let script = Script::new("GET /v1/organizations/users/*", [role("user"), role("billing")]);
    sandbox.with(|state| state.scripts.add(script.nth(2))).unwrap();
    let bob = || ok(get(&sandbox, "/users/user_bob"))["role"].clone();
    assert_eq!([bob(), bob(), bob()], ["developer", "developer", "billing"]);
    ok(post(&sandbox, "/users/user_bob", &json!({"role": "user"})));
    assert_eq!([bob(), bob()], ["user", "user"]);
    sandbox.with(|state| {
        assert_eq!((state.scripts.waiting().count(), state.scripts.trouble().len()), (0, 0));
    });
}

#[test]
fn a_script_also_follows_a_request_that_fails_and_tells_what_it_could_not_do() {
    let sandbox = failing("GET /v1/**", Fault::ClosedBefore);
    let gone = Edit::RemoveUser { user: "nobody@acme.com".to_owned() };
    sandbox.with(|state| state.scripts.add(Script::new("* /**", [gone, role("user")]))).unwrap();
    sandbox.exchange(&request(Method::Get, &format!("{ORG}/me"), None));
    sandbox.with(|state| {
        assert_eq!(state.user("user_bob").unwrap().role, "user");
        let [trouble] = state.scripts.trouble() else { panic!("one edit cannot be made") };
        assert!(trouble.contains("nobody@acme.com") && trouble.ends_with("no such object"));
    });
    let log = sandbox.exchange(&request(Method::Get, "/_sandbox/log", None)).response;
    assert_eq!(json(&log)["scripts"].as_array().unwrap().len(), 1);
}

#[test]
fn scripts_stand_in_a_seed_and_in_its_dump() {
    let text = format!(
        "{SEED}
scripts:
  - {{after: \"DELETE /v1/organizations/users/*\", edits: [{{do: accept, invite: eve@acme.com}}]}}
  - {{after: \"GET /v1/organizations/users\", nth: 3, edits: [{{do: move_user, user: bob@acme.com}}, {{do: withdraw, invite: eve@acme.com}}]}}
"
    );
    let state = State::from_yaml(&text).unwrap();
    assert_eq!(state.scripts.waiting().map(|script| script.nth).collect::<Vec<_>>(), [1, 3]);
    let again = State::from_yaml(&state.to_yaml().unwrap()).unwrap();
    assert!(again.scripts.waiting().eq(state.scripts.waiting()));
    for wrong in ["{after: everything, edits: []}", "{after: \"* /**\", edits: [{do: nothing}]}"] {
        State::from_yaml(&format!("scripts: [{wrong}]")).unwrap_err();
    }
}

#[test]
fn people_move_in_their_list_and_withdraw_invites() {
    let sandbox = acme();
    let before = ok(get(&sandbox, "/users"));
    let edit = |edit: Edit| sandbox.with(|state| edit.make(state));
    edit(Edit::MoveUser { user: "ada@acme.com".to_owned() }).unwrap();
    let after = ok(get(&sandbox, "/users"));
    assert_eq!(ids(&before).last(), ids(&after).first());
    assert!(sandbox.with(|state| state.granted("Production", "bob@acme.com").is_some()));
    edit(Edit::Withdraw { invite: "eve@acme.com".to_owned() }).unwrap();
    assert_eq!(refused(get(&sandbox, "/invites/invite_eve")).0, 404);
    for over in ["eve@acme.com", "invite_old", "invite_bob", "nobody@acme.com"] {
        edit(Edit::Withdraw { invite: over.to_owned() }).unwrap_err();
    }
    edit(Edit::RenameKey { key: "ci".to_owned(), name: "deploy".to_owned() }).unwrap();
    assert!(sandbox.with(|state| state.api_key("deploy").is_some()));
}
