//! Both ways to read a page, held against each other.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::api::wire::{ApiKey, Invite, User, Workspace, WorkspaceMember};

/// A page as some server may write it, mostly right.
fn pages() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just(json!("user")),
        Just(json!("invite")),
        Just(json!("workspace")),
        Just(json!("workspace_member")),
        Just(json!("api_key")),
        Just(json!(null)),
        Just(json!(7)),
        Just(json!("a \"quoted\" word\n")),
    ];
    let text = prop_oneof![
        Just(json!("x_1")),
        Just(json!("\u{e9}\u{1f600}\\")),
        Just(json!(null)),
        Just(json!(7)),
        Just(json!({"type": "user", "id": "user_1"})),
        Just(json!("2026-11-01T00:00:00Z")),
    ];
    let name = prop::sample::select(vec![
        "id",
        "email",
        "role",
        "name",
        "status",
        "user_id",
        "workspace_role",
        "invited_at",
        "created_by",
        "scope",
        "tags",
        "beyond",
    ]);
    let whole = json!({"id": "x_1", "email": "ada@acme.com", "role": "user", "name": "Ada", "status": "active",
        "user_id": "user_1", "workspace_role": "workspace_user"});
    let item = (proptest::option::of(word), prop::collection::btree_map(name, text, 0..2))
        .prop_map(move |(word, fields)| {
            let mut item = whole.clone();
            for (name, value) in fields {
                item[name] = value;
            }
            if let Some(word) = word {
                item["type"] = word;
            }
            item
        });
    let item = prop_oneof![20 => item, 1 => Just(json!(["user", "user_1", "ada@acme.com"])), 1 => Just(json!(null))];
    let more = prop_oneof![4 => any::<bool>().prop_map(Value::from), 1 => Just(json!(null)), 1 => Just(json!("yes"))];
    (prop::collection::vec(item, 0..3), more, any::<u8>()).prop_map(|(data, more, how)| {
        let mut page = json!({"data": data, "has_more": more, "first_id": null, "last_id": "x_1", "also": [1, {}]});
        if how % 7 == 0 {
            page.as_object_mut().map(|page| page.remove("has_more"));
        }
        match how % 11 {
            0 => json!([page]).to_string(),
            // A name that stands twice: the last one counts.
            1 => page.to_string().replacen("\"id\"", "\"id\":\"x_0\",\"id\"", 1),
            2 => format!(" \n{page}\t"),
            3 => page["data"].to_string(),
            _ => page.to_string(),
        }
    })
}

fn both<T: Wire + PartialEq + fmt::Debug>(text: &str) {
    let long = Page::<T>::decode(serde_json::from_str(text).unwrap());
    if let Some(page) = straight::<T>(text.as_bytes()) {
        assert_eq!(Ok(&page), long.as_ref(), "{text}");
    }
    assert_eq!(Page::<T>::read(text.as_bytes()), long, "{text}");
}

proptest! {
    #[test]
    fn the_straight_way_gives_what_the_long_way_gives(text in pages()) {
        both::<User>(&text);
        both::<Invite>(&text);
        both::<Workspace>(&text);
        both::<WorkspaceMember>(&text);
        both::<ApiKey>(&text);
    }
}

#[test]
fn a_page_of_ordinary_objects_goes_the_straight_way() {
    let user = json!({"type": "user", "id": "user_1", "email": "ada@acme.com", "role": "user", "name": null,
        "added_at": "2026-01-02T03:04:05Z", "beyond": {"type": "other"}});
    let text =
        json!({"data": [user], "has_more": false, "first_id": "user_1", "last_id": "user_1"})
            .to_string();
    let page = straight::<User>(text.as_bytes()).unwrap();
    assert_eq!(
        (page.data.len(), page.has_more, page.last_id.as_deref()),
        (1, Some(false), Some("user_1"))
    );
}

#[test]
fn what_is_wrong_in_a_field_that_nobody_reads_is_passed_over_and_in_another_is_refused() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for wrong in ["1e999", r#""\udc00""#, &deep] {
        let user = |name: &str| {
            format!(
                r#"{{"data":[{{"id":"user_1","email":"ada@acme.com","role":"user","{name}":{wrong}}}]}}"#
            )
        };
        assert_eq!(Page::<User>::read(user("beyond").as_bytes()).unwrap().data.len(), 1, "{wrong}");
        Page::<User>::read(user("name").as_bytes()).unwrap_err();
    }
}

#[test]
fn what_is_no_json_is_an_error_and_no_page() {
    for text in ["", "{", "<html>", "{\"data\": []} {}"] {
        Page::<User>::read(text.as_bytes()).unwrap_err();
    }
}
