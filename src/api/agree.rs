//! Whether the answer to a write says what was asked for: the same object, with the values that were sent.
//!
//! Invariant: pure; what an answer does not mention is no contradiction, what it states otherwise is.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    call::encode_segment,
    text,
    transport::{Method, RawRequest},
};
use crate::email::Email;

/// What a success says that is not what was asked for. `None`: it agrees.
pub(super) fn contradiction(request: &RawRequest, answer: &Value) -> Option<String> {
    let answer = answer.as_object()?;
    let path = request.target.strip_prefix("/v1/organizations/")?;
    let path: Vec<&str> = path.split('/').collect();
    let sent = request.body.as_ref().and_then(|body| serde_json::from_slice(body).ok());
    let sent: Map<String, Value> = sent.unwrap_or_default();
    other_object(request.method, &path, answer).or_else(|| {
        if request.method == Method::Post && path.last() == Some(&"archive") {
            return answer
                .get("archived_at")
                .is_some_and(Value::is_null)
                .then(|| "`archived_at` is null, so it is not archived".to_owned());
        }
        sent.iter().find_map(|(field, wanted)| other_value(field, wanted, answer))
    })
}

/// An id in the path that the answer gives otherwise.
fn other_object(method: Method, path: &[&str], answer: &Map<String, Value>) -> Option<String> {
    let ids: Vec<(&str, &str)> = match (method, path) {
        (
            _,
            ["users" | "invites" | "workspaces" | "api_keys", id] | ["workspaces", id, "archive"],
        ) => vec![("id", id)],
        (_, ["workspaces", workspace, "members"]) => vec![("workspace_id", workspace)],
        (_, ["workspaces", workspace, "members", user]) => {
            vec![("workspace_id", workspace), ("user_id", user)]
        }
        _ => Vec::new(),
    };
    ids.into_iter().find_map(|(field, id)| {
        let told = answer.get(field)?.as_str()?;
        (encode_segment(told) != id).then(|| other(field, &told.into(), &id.into()))
    })
}

/// A field that was sent and that the answer gives otherwise.
fn other_value(field: &str, wanted: &Value, answer: &Map<String, Value>) -> Option<String> {
    let told = answer.get(field)?;
    let agrees = match (field, wanted, told) {
        // What is not said to be set, and in an older answer not said at all.
        (_, Value::Null, _) => true,
        ("email", Value::String(wanted), Value::String(told)) => {
            Email::lenient(wanted) == Email::lenient(told)
        }
        ("display_color", Value::String(wanted), Value::String(told)) => {
            wanted.eq_ignore_ascii_case(told)
        }
        // Tags that are not sent stay as they are; null takes one away.
        ("tags", Value::Object(wanted), Value::Object(told)) => {
            return wanted.iter().find_map(|(tag, value)| {
                let (name, now) = (format!("tags.{tag}"), told.get(tag));
                match (value, now) {
                    (Value::Null, None) => None,
                    (Value::Null, Some(now)) => Some(other(&name, now, &Value::Null)),
                    (value, now) if now == Some(value) => None,
                    (value, now) => Some(other(&name, now.unwrap_or(&Value::Null), value)),
                }
            });
        }
        ("data_residency", Value::Object(wanted), Value::Object(told)) => {
            return wanted.iter().find_map(|(part, value)| {
                let now = told.get(part)?;
                (!same(value, now)).then(|| other(&format!("data_residency.{part}"), now, value))
            });
        }
        (_, wanted, told) => same(wanted, told),
    };
    (!agrees).then(|| other(field, told, wanted))
}

/// Equal; lists without regard to their order.
fn same(one: &Value, two: &Value) -> bool {
    match (one, two) {
        (Value::Array(one), Value::Array(two)) => {
            let set = |list: &[Value]| list.iter().map(Value::to_string).collect::<BTreeSet<_>>();
            set(one) == set(two)
        }
        (one, two) => one == two,
    }
}

fn other(field: &str, told: &Value, wanted: &Value) -> String {
    let show = |value: &Value| match value {
        Value::Null => "absent".to_owned(),
        Value::String(word) => format!("`{}`", text::word(word)),
        value => format!("`{}`", text::word(&value.to_string())),
    };
    let field = text::word(field);
    format!("{field} is {}, and {} was asked for", show(told), show(wanted))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;

    fn said(method: Method, path: &str, sent: &Value, answer: &Value) -> Option<String> {
        let request = RawRequest {
            method,
            target: format!("/v1/organizations/{path}"),
            headers: Vec::new(),
            body: (!sent.is_null()).then(|| Bytes::from(sent.to_string())),
        };
        contradiction(&request, answer)
    }

    #[test]
    fn an_answer_about_another_object_contradicts_every_write_that_names_one() {
        let (none, delete, post) = (&Value::Null, Method::Delete, Method::Post);
        for (method, path, field) in [
            (post, "users/a", "id"),
            (delete, "users/a", "id"),
            (delete, "invites/a", "id"),
            (post, "workspaces/a", "id"),
            (post, "workspaces/a/archive", "id"),
            (post, "workspaces/a/members", "workspace_id"),
            (post, "workspaces/a/members/u", "workspace_id"),
            (delete, "workspaces/a/members/u", "workspace_id"),
            (delete, "workspaces/w/members/a", "user_id"),
            (post, "workspaces/w/members/a", "user_id"),
            (post, "api_keys/a", "id"),
        ] {
            let why = said(method, path, none, &json!({field: "b"}));
            assert_eq!(
                why,
                Some(format!("{field} is `b`, and `a` was asked for")),
                "{method} {path}"
            );
            assert_eq!(said(method, path, none, &json!({field: "a"})), None, "{method} {path}");
        }
    }

    #[test]
    fn a_value_that_was_not_taken_contradicts() {
        let post =
            |path: &str, sent: Value, answer: Value| said(Method::Post, path, &sent, &answer);
        for (path, sent, answer, why) in [
            (
                "users/a",
                json!({"role": "developer"}),
                json!({"role": "user"}),
                "role is `user`, and `developer` was asked for",
            ),
            (
                "invites",
                json!({"email": "a@b.c"}),
                json!({"email": "x@b.c"}),
                "email is `x@b.c`, and `a@b.c` was asked for",
            ),
            (
                "workspaces",
                json!({"name": "New"}),
                json!({"name": "Prod"}),
                "name is `Prod`, and `New` was asked for",
            ),
            (
                "workspaces/a",
                json!({"tags": {"env": "prod"}}),
                json!({"tags": {}}),
                "tags.env is absent, and `prod` was asked for",
            ),
            (
                "workspaces/a",
                json!({"tags": {"env": null}}),
                json!({"tags": {"env": "x"}}),
                "tags.env is `x`, and absent was asked for",
            ),
            (
                "workspaces/a",
                json!({"data_residency": {"default_inference_geo": "us"}}),
                json!({"data_residency": {"default_inference_geo": "global"}}),
                "data_residency.default_inference_geo is `global`, and `us` was asked for",
            ),
            (
                "workspaces/a/members",
                json!({"user_id": "u", "workspace_role": "workspace_user"}),
                json!({"user_id": "v", "workspace_role": "workspace_user"}),
                "user_id is `v`, and `u` was asked for",
            ),
            (
                "api_keys/a",
                json!({"status": "inactive"}),
                json!({"status": "active"}),
                "status is `active`, and `inactive` was asked for",
            ),
            (
                "workspaces/a/archive",
                Value::Null,
                json!({"id": "a", "archived_at": null}),
                "`archived_at` is null, so it is not archived",
            ),
        ] {
            assert_eq!(post(path, sent, answer).as_deref(), Some(why), "{path}");
        }
    }

    #[test]
    fn what_is_spelled_otherwise_or_not_mentioned_does_not_contradict() {
        for (path, sent, answer) in [
            ("invites", json!({"email": "Ada@ACME.com"}), json!({"email": "ada@acme.com"})),
            (
                "workspaces/a",
                json!({"display_color": "#AABBCC"}),
                json!({"display_color": "#aabbcc"}),
            ),
            (
                "workspaces/a",
                json!({"tags": {"a": "b", "c": null}}),
                json!({"tags": {"a": "b", "foreign": "x"}}),
            ),
            (
                "workspaces/a",
                json!({"data_residency": {"allowed_inference_geos": ["us", "global"]}}),
                json!({"data_residency": {"allowed_inference_geos": ["global", "us"], "workspace_geo": "us"}}),
            ),
            ("invites", json!({"rbac_group_ids": ["g"]}), json!({"email": "ada@acme.com"})),
            ("users/a", json!({"role": "user"}), json!({})),
            ("workspaces/a/archive", Value::Null, json!({"id": "a"})),
        ] {
            assert_eq!(said(Method::Post, path, &sent, &answer), None, "{path} {sent}");
        }
    }
}
