//! Pages: cursors both ways over thousands of rows, limits, and lists that move while they are read.
//!
//! Invariant: following the cursors shows every row that stayed, each once.

use std::collections::BTreeSet;

use orgcharter::sandbox::{
    Sandbox,
    switches::{HasMore, ListOrder, PageSize, UnknownFields},
};
use serde_json::{Value, json};

use crate::support::{acme, acme_with, empty, get, ids, ok, refused};

fn crowd(people: usize) -> Sandbox {
    let mut state = empty();
    for number in 0..people {
        state.add_user(&format!("p{number}@acme.com"), "user");
    }
    Sandbox::new(state)
}

/// Follows `last_id` to the end and gives every row, and how many pages there were.
fn walk(sandbox: &Sandbox, path: &str, limit: usize) -> (Vec<Value>, usize) {
    let (mut rows, mut pages, mut after) = (Vec::new(), 0, String::new());
    loop {
        let page = ok(get(sandbox, &format!("{path}?limit={limit}{after}")));
        pages += 1;
        let data = page["data"].as_array().unwrap();
        rows.extend(data.iter().cloned());
        let ended = match page.get("has_more") {
            Some(more) => !more.as_bool().unwrap(),
            None => data.is_empty(),
        };
        if ended {
            return (rows, pages);
        }
        after = format!("&after_id={}", page["last_id"].as_str().unwrap());
    }
}

#[test]
fn every_row_of_a_long_list_is_seen_once() {
    let sandbox = crowd(2_345);
    let (rows, pages) = walk(&sandbox, "/users", 1000);
    assert_eq!((rows.len(), pages), (2_345, 3));
    assert_eq!(rows[0]["email"], "p2344@acme.com");
    assert_eq!(rows[2_344]["email"], "p0@acme.com");
    let distinct: BTreeSet<_> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(distinct.len(), 2_345);
    assert_eq!(ok(get(&sandbox, "/users"))["data"].as_array().unwrap().len(), 20);
}

#[test]
fn before_id_walks_back() {
    let sandbox = crowd(50);
    let first = ok(get(&sandbox, "/users?limit=10"));
    let second = ok(get(
        &sandbox,
        &format!("/users?limit=10&after_id={}", first["last_id"].as_str().unwrap()),
    ));
    assert_eq!(second["has_more"], true);
    let back = ok(get(
        &sandbox,
        &format!("/users?limit=10&before_id={}", second["first_id"].as_str().unwrap()),
    ));
    assert_eq!(ids(&back), ids(&first));
    assert_eq!(back["has_more"], false);
    let part = ok(get(
        &sandbox,
        &format!("/users?limit=4&before_id={}", second["first_id"].as_str().unwrap()),
    ));
    assert_eq!(ids(&part), ids(&first)[6..]);
    assert_eq!(part["has_more"], true);
}

#[test]
fn limits_and_cursors_are_checked() {
    let sandbox = crowd(3);
    for query in
        ["limit=0", "limit=1001", "limit=x", "limit=-1", "after_id=user_nobody", "before_id=x"]
    {
        assert_eq!(refused(get(&sandbox, &format!("/users?{query}"))).0, 400, "{query}");
    }
    let id = ids(&ok(get(&sandbox, "/users")))[0].to_owned();
    let both = format!("/users?after_id={id}&before_id={id}");
    assert_eq!(refused(get(&sandbox, &both)).0, 400);
    let end = json!({"data": [], "has_more": false, "first_id": null, "last_id": null});
    assert_eq!(ok(get(&sandbox, &format!("/users?before_id={id}"))), end);
}

#[test]
fn a_cursor_keeps_its_place_when_its_row_goes() {
    let sandbox = crowd(30);
    let first = ok(get(&sandbox, "/users?limit=10"));
    let last = first["last_id"].as_str().unwrap();
    assert!(sandbox.with(|state| state.remove_user(last)));
    let next = ok(get(&sandbox, &format!("/users?limit=10&after_id={last}")));
    assert_eq!(next["data"][0]["email"], "p19@acme.com");
}

#[test]
fn the_cursors_of_members_are_rows_not_people() {
    for order in [ListOrder::NewestFirst, ListOrder::OldestFirst] {
        let mut state = empty();
        state.switches.list_order = order;
        let workspace = state.add_workspace("W");
        for number in 0..1_500 {
            let user = state.add_user(&format!("p{number}@acme.com"), "user");
            assert!(state.set_grant("W", &user, "workspace_user"));
        }
        let sandbox = Sandbox::new(state);
        let path = format!("/workspaces/{workspace}/members");
        let (rows, pages) = walk(&sandbox, &path, 1000);
        assert_eq!((rows.len(), pages), (1_500, 2));
        assert!(rows[0].get("id").is_none());
        let user = rows[0]["user_id"].as_str().unwrap();
        assert_eq!(refused(get(&sandbox, &format!("{path}?after_id={user}"))).0, 400);
    }
}

#[test]
fn a_short_page_is_not_the_end_and_has_more_may_be_missing() {
    let sandbox = crowd(95);
    sandbox.with(|state| state.switches.page_size = PageSize::Short);
    let (rows, pages) = walk(&sandbox, "/users", 20);
    assert_eq!((rows.len(), pages), (95, 10));
    sandbox.with(|state| state.switches.has_more = HasMore::Absent);
    let (rows, pages) = walk(&sandbox, "/users", 20);
    assert_eq!((rows.len(), pages), (95, 11));
}

#[test]
fn filters_hold_on_every_page() {
    let sandbox = crowd(100);
    sandbox.with(|state| {
        for number in (0..100).step_by(10) {
            assert!(state.set_role(&format!("p{number}@acme.com"), "developer"));
        }
    });
    let page = ok(get(&sandbox, "/users?limit=6&roles[]=developer"));
    assert_eq!((ids(&page).len(), &page["has_more"]), (6, &json!(true)));
    let rest =
        format!("/users?limit=6&roles[]=developer&after_id={}", page["last_id"].as_str().unwrap());
    let page = ok(get(&sandbox, &rest));
    assert_eq!((ids(&page).len(), &page["has_more"]), (4, &json!(false)));
}

#[test]
fn responses_may_have_fields_that_no_document_names() {
    let sandbox = acme_with(|s| s.unknown_fields = UnknownFields::Present);
    assert!(ok(get(&sandbox, "/users"))["data"][0].get("from_the_future").is_some());
    assert!(ok(get(&sandbox, "/me")).get("from_the_future").is_some());
    assert!(ok(get(&acme(), "/me")).get("from_the_future").is_none());
}

#[test]
fn twenty_thousand_people_and_fifty_thousand_grants_page_quickly() {
    let mut state = empty();
    let users: Vec<String> =
        (0..20_000).map(|number| state.add_user(&format!("p{number}@acme.com"), "user")).collect();
    let workspaces: Vec<String> = (0..100).map(|n| state.add_workspace(&format!("W{n}"))).collect();
    for (number, user) in users.iter().cycle().take(50_000).enumerate() {
        let workspace = &workspaces[number / 500];
        assert!(state.set_grant(workspace, user, "workspace_developer"));
    }
    let sandbox = Sandbox::new(state);
    let start = std::time::Instant::now();
    assert_eq!(walk(&sandbox, "/users", 1000).0.len(), 20_000);
    let grants: usize = workspaces
        .iter()
        .map(|id| walk(&sandbox, &format!("/workspaces/{id}/members"), 1000).0.len())
        .sum();
    assert_eq!(grants, 50_000);
    // Generous for a debug build on a busy machine; a quadratic listing takes minutes.
    assert!(start.elapsed() < std::time::Duration::from_secs(20), "{:?}", start.elapsed());
}
