//! Where a list ends, and what is no list (`admin-api` notes on pagination).

use serde_json::{Value, json};

use super::*;
use crate::api::{
    script::{Answer, Script, client, clock, ok, refusal},
    wire::{User, WorkspaceMember},
};

fn users(ids: &[&str]) -> Vec<Value> {
    let user = |id: &&str| json!({"type": "user", "id": id, "email": "a@acme.com", "role": "user"});
    ids.iter().map(user).collect()
}

fn page(ids: &[&str], rest: &Value) -> Answer {
    let mut page = json!({"data": users(ids)});
    page.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    ok(&page)
}

async fn list(answers: Vec<Answer>) -> (Result<Vec<String>, ApiError>, Vec<String>) {
    let script = Script::new(answers);
    let listed = client(&script, &clock()).reader().list::<User>(&["users"], &[]).await;
    assert_eq!(script.left(), 0, "{listed:?}");
    let ids = listed.map(|users| users.into_iter().map(|user| user.id.to_string()).collect());
    (ids, script.lines())
}

#[tokio::test]
async fn a_list_goes_on_after_the_last_id_of_each_page() {
    let (ids, lines) = list(vec![
        page(&["u1", "u2"], &json!({"has_more": true, "first_id": "u1", "last_id": "c/2"})),
        page(&["u3"], &json!({"has_more": false, "first_id": "u3", "last_id": "u3"})),
    ])
    .await;
    assert_eq!(ids.unwrap(), ["u1", "u2", "u3"]);
    assert_eq!(
        lines,
        [
            "GET /v1/organizations/users?limit=1000",
            "GET /v1/organizations/users?limit=1000&after_id=c%2F2"
        ]
    );
}

#[tokio::test]
async fn neither_a_short_page_nor_an_empty_one_is_the_end_of_a_list_that_says_more() {
    let (ids, lines) = list(vec![
        page(&["u1"], &json!({"has_more": true, "last_id": "u1"})),
        page(&[], &json!({"has_more": true, "last_id": "c/2"})),
        page(&["u2"], &json!({"has_more": true, "last_id": "u2"})),
        page(&[], &json!({"has_more": false, "last_id": null})),
    ])
    .await;
    assert_eq!((ids.unwrap(), lines.len()), (vec!["u1".to_owned(), "u2".to_owned()], 4));
    let (ids, _) = list(vec![
        page(&["u1"], &json!({"has_more": true, "last_id": "u1"})),
        page(&[], &json!({"has_more": true, "last_id": null})),
    ])
    .await;
    assert!(matches!(ids, Err(ApiError::Pagination { .. })), "{ids:?}");
}

#[tokio::test]
async fn without_has_more_a_list_goes_on_until_a_page_is_empty() {
    let (ids, _) =
        list(vec![page(&["u1"], &json!({"last_id": "u1"})), page(&[], &json!({"last_id": null}))])
            .await;
    assert_eq!(ids.unwrap(), ["u1"]);
    let (ids, _) = list(vec![page(&["u1"], &json!({}))]).await;
    assert!(matches!(ids, Err(ApiError::Pagination { .. })), "{ids:?}");
}

#[tokio::test]
async fn a_cursor_that_looks_like_an_id_has_to_be_the_one_of_its_place() {
    for (first, last) in [("user_2", "user_3"), ("user_1", "user_2"), ("user_1", "user_9")] {
        let rest = json!({"has_more": false, "first_id": first, "last_id": last});
        let (ids, _) = list(vec![page(&["user_1", "user_2", "user_3"], &rest)]).await;
        assert_eq!(
            ids.unwrap_err().to_string(),
            "GET /v1/organizations/users: the cursor of a page belongs to another object"
        );
    }
    for (first, last) in [("user_1", "user_3"), ("page_1", "row 3")] {
        let rest = json!({"has_more": false, "first_id": first, "last_id": last});
        let (ids, _) = list(vec![page(&["user_1", "user_2", "user_3"], &rest)]).await;
        assert_eq!(ids.unwrap().len(), 3);
    }
}

#[tokio::test]
async fn a_list_that_goes_on_without_anything_new_is_given_up() {
    let barren =
        |index: usize| page(&["u1"], &json!({"has_more": true, "last_id": format!("c{index}")}));
    let (ids, lines) = list((0..=BARREN_PAGES).map(barren).collect()).await;
    assert_eq!(
        ids.unwrap_err().to_string(),
        "GET /v1/organizations/users: 20 pages in a row brought nothing new"
    );
    assert_eq!(lines.len(), BARREN_PAGES + 1);
}

#[tokio::test]
async fn an_object_that_shows_twice_while_the_list_moves_is_listed_once() {
    let (ids, _) = list(vec![
        page(&["u1", "u2"], &json!({"has_more": true, "last_id": "u2"})),
        page(&["u2", "u3"], &json!({"has_more": false, "last_id": "u3"})),
    ])
    .await;
    assert_eq!(ids.unwrap(), ["u1", "u2", "u3"]);
}

#[tokio::test]
async fn a_repeated_cursor_is_an_error_not_an_endless_list() {
    let (ids, _) = list(vec![
        page(&["u1"], &json!({"has_more": true, "last_id": "u1"})),
        page(&["u2"], &json!({"has_more": true, "last_id": "u2"})),
        page(&["u3"], &json!({"has_more": true, "last_id": "u1"})),
    ])
    .await;
    assert!(matches!(ids, Err(ApiError::Pagination { .. })), "{ids:?}");
}

#[tokio::test]
async fn more_to_follow_without_a_cursor_is_an_error_not_an_end() {
    let (ids, _) = list(vec![page(&["u1"], &json!({"has_more": true, "last_id": null}))]).await;
    assert!(matches!(ids, Err(ApiError::Pagination { .. })), "{ids:?}");
}

#[tokio::test]
async fn a_list_that_never_ends_is_given_up() {
    let script = Script::new((0..PAGES).map(|index| {
        let id = format!("u{index}");
        page(&[&id], &json!({"has_more": true, "last_id": format!("c{index}")}))
    }));
    let clock = clock();
    let options = crate::api::client::Options {
        requests_per_minute: u32::MAX,
        ..crate::api::client::Options::default()
    };
    let client = crate::api::client::Client::new(
        script.clone(),
        crate::api::script::key(),
        Arc::new(clock),
        options,
    );
    let error = client.reader().list::<User>(&["users"], &[]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "GET /v1/organizations/users: the list did not end after 10000 pages"
    );
}

#[tokio::test]
async fn a_page_that_fails_fails_the_list() {
    let (ids, _) = list(vec![
        page(&["u1"], &json!({"has_more": true, "last_id": "u1"})),
        refusal(403, None, &[]),
    ])
    .await;
    assert_eq!(ids.unwrap_err().status(), Some(403));
}

#[tokio::test]
async fn a_page_of_another_shape_fails_the_list_and_names_the_field() {
    let mut broken = users(&["u1", "u2"]);
    broken[1]["role"] = json!(7);
    for (body, why) in [
        (json!({"data": broken, "has_more": false}), "data[1].role: "),
        (json!({"data": [{"type": "invite"}]}), "data[0].type: wanted `user`, got `invite`"),
        (json!({"data": {}}), "data: invalid type"),
        (json!({"users": []}), "missing field `data`"),
        (json!([[], true]), "wanted an object"),
        (json!({"data": [["u1"]]}), "data[0]: wanted an object"),
        (json!("words"), "wanted an object"),
    ] {
        let (ids, _) = list(vec![ok(&body)]).await;
        let error = ids.unwrap_err();
        assert!(matches!(error, ApiError::Shape { .. }), "{error:?}");
        assert!(error.to_string().contains(why), "{error} lacks {why}");
    }
}

#[tokio::test]
async fn filters_are_encoded_as_the_api_reads_them() {
    let script = Script::new([page(&[], &json!({"has_more": false}))]);
    let query = [("email", "A+b@x.com"), ("roles[]", "user"), ("roles[]", "admin"), ("q", "a b")];
    client(&script, &clock()).reader().list::<User>(&["users"], &query).await.unwrap();
    assert_eq!(
        script.lines(),
        [
            "GET /v1/organizations/users?limit=1000&email=A%2Bb%40x.com&roles%5B%5D=user&roles%5B%5D=admin&q=a%20b"
        ]
    );
}

#[tokio::test]
async fn grants_have_no_id_and_are_told_apart_by_their_person() {
    let grant = |user: &str| json!({"type": "workspace_member", "user_id": user, "workspace_id": "w1", "workspace_role": "workspace_user"});
    let script = Script::new([
        ok(&json!({"data": [grant("u1"), grant("u2")], "has_more": true, "last_id": "cursor"})),
        ok(&json!({"data": [grant("u2")], "has_more": false, "last_id": "cursor2"})),
    ]);
    let reader = client(&script, &clock()).reader();
    let path = ["workspaces", "w1", "members"];
    let grants = reader.list::<WorkspaceMember>(&path, &[]).await.unwrap();
    assert_eq!(grants.len(), 2);
    assert_eq!(
        script.lines()[1],
        "GET /v1/organizations/workspaces/w1/members?limit=1000&after_id=cursor"
    );
}

#[tokio::test]
async fn pages_come_one_by_one() {
    let script = Script::new([page(&["u1"], &json!({"has_more": true, "last_id": "u1"}))]);
    let mut pages = client(&script, &clock()).reader().pages::<User>(&["users"], &[]);
    assert_eq!(pages.next().await.unwrap().unwrap().len(), 1);
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test]
async fn an_empty_page_that_has_the_cursors_of_objects_is_an_error() {
    let page = |first: Value, last: Value| {
        ok(&json!({"data": [], "has_more": false, "first_id": first, "last_id": last}))
    };
    for (first, last) in
        [(json!("a"), json!("b")), (json!(null), json!("b")), (json!("a"), json!(null))]
    {
        let script = Script::new([page(first, last)]);
        let list = client(&script, &clock()).reader().list::<User>(&["users"], &[]).await;
        let error = list.unwrap_err().to_string();
        assert!(error.contains("a page without objects has the cursors of some"), "{error}");
    }
    for nothing in [json!(null), json!("")] {
        let script = Script::new([page(nothing.clone(), nothing)]);
        let list = client(&script, &clock()).reader().list::<User>(&["users"], &[]).await;
        assert_eq!(list.unwrap(), []);
    }
}
