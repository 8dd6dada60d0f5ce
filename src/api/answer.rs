//! What a success is, so that one which is somebody else's is not taken for the API's.
//!
//! Invariant: the answer to a write passes only if it is the object that the documentation names for this call, under
//! an id; that to a read only if it is JSON.

use serde::de::IgnoredAny;
use serde_json::Value;

use super::{
    agree,
    error::{ApiError, Asked, request_id},
    retry::Rule,
    text,
    transport::{Method, RawRequest, RawResponse},
};

/// The one success that has no body.
const NO_CONTENT: u16 = 204;

/// Whether a response is the success of what was asked, and says the same; the error says what is wrong with it. `None`: it is none.
pub(super) fn success(
    request: &RawRequest,
    asked: &Asked,
    response: &RawResponse,
    rule: Rule,
) -> Option<Result<(), ApiError>> {
    let RawResponse { status, body, .. } = response;
    match rule {
        _ if !(200..300).contains(status) => None,
        Rule::Read => is_json(body).then_some(Ok(())),
        Rule::Write(_) if *status == NO_CONTENT && body.is_empty() => Some(Ok(())),
        Rule::Write(_) => {
            let value = serde_json::from_slice(body).ok()?;
            let (asked, request_id) = (asked.clone(), request_id(response));
            Some(match (check(&asked, &value), agree::contradiction(request, &value)) {
                (Err(why), _) => Err(ApiError::Shape { asked, why, request_id }),
                (Ok(()), Some(why)) => Err(ApiError::Contradicts { asked, why, request_id }),
                (Ok(()), None) => Ok(()),
            })
        }
    }
}

/// Whether a text is JSON, without keeping any of it.
fn is_json(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

/// Whether `value` answers the write; the error says what is wrong with it.
fn check(asked: &Asked, value: &Value) -> Result<(), String> {
    let Some((word, key)) = expected(asked) else { return Ok(()) };
    let Some(object) = value.as_object() else {
        return Err("wanted an object".to_owned());
    };
    match object.get("type") {
        Some(Value::String(other)) if other != word => {
            return Err(format!("type: wanted `{word}`, got `{}`", text::word(other)));
        }
        _ => {}
    }
    match object.get(key) {
        Some(Value::String(_)) => Ok(()),
        _ => Err(format!("{key}: missing")),
    }
}

/// The word in `type`, and the field that holds the id (`admin-api` notes on resources).
fn expected(asked: &Asked) -> Option<(&'static str, &'static str)> {
    let path = asked.target.strip_prefix("/v1/organizations/")?;
    let path: Vec<&str> = path.split('/').collect();
    Some(match (asked.method, path.as_slice()) {
        (Method::Post, ["invites"]) => ("invite", "id"),
        (Method::Delete, ["invites", _]) => ("invite_deleted", "id"),
        (Method::Post, ["users", _]) => ("user", "id"),
        (Method::Delete, ["users", _]) => ("user_deleted", "id"),
        (Method::Post, ["workspaces"] | ["workspaces", _] | ["workspaces", _, "archive"]) => {
            ("workspace", "id")
        }
        (Method::Post, ["workspaces", _, "members"] | ["workspaces", _, "members", _]) => {
            ("workspace_member", "user_id")
        }
        (Method::Delete, ["workspaces", _, "members", _]) => {
            ("workspace_member_deleted", "user_id")
        }
        (Method::Post, ["api_keys", _]) => ("api_key", "id"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judged(method: Method, path: &str, value: &Value) -> Result<(), String> {
        check(&Asked { method, target: format!("/v1/organizations/{path}") }, value)
    }

    #[test]
    fn each_write_takes_its_own_object_and_no_other() {
        let answers = [
            (Method::Post, "invites", "invite", "id"),
            (Method::Delete, "invites/i", "invite_deleted", "id"),
            (Method::Post, "users/u", "user", "id"),
            (Method::Delete, "users/u", "user_deleted", "id"),
            (Method::Post, "workspaces", "workspace", "id"),
            (Method::Post, "workspaces/w", "workspace", "id"),
            (Method::Post, "workspaces/w/archive", "workspace", "id"),
            (Method::Post, "workspaces/w/members", "workspace_member", "user_id"),
            (Method::Post, "workspaces/w/members/u", "workspace_member", "user_id"),
            (Method::Delete, "workspaces/w/members/u", "workspace_member_deleted", "user_id"),
            (Method::Post, "api_keys/k", "api_key", "id"),
        ];
        for (method, path, word, key) in answers {
            judged(method, path, &json!({"type": word, key: "x"})).unwrap();
            // The API may stop to say what everybody knows.
            judged(method, path, &json!({key: "x"})).unwrap();
            for wrong in [
                json!(null),
                json!(["surprise"]),
                json!({"type": word}),
                json!({"type": "message", key: "x"}),
                json!({"type": word, key: 7}),
            ] {
                judged(method, path, &wrong).unwrap_err();
            }
        }
    }

    #[test]
    fn a_call_that_charter_does_not_make_is_not_judged() {
        judged(Method::Post, "users/u/sign_out", &json!([])).unwrap();
    }
}
