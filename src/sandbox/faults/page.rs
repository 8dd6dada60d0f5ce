//! Pages that break the rules of their list.
//!
//! Invariant: only what a page says is changed, never the organization; a reply that is no page stays as it is.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What is wrong with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageFault {
    /// The cursor is not heeded: the first page comes again, and its cursor with it.
    Restarts,
    /// The first object of the list stands on this page too.
    RepeatsRow,
    /// No objects and no cursor, though more are said to follow.
    Empty,
    /// No objects and nothing more, though the cursors name some.
    Vanished,
    /// More are said to follow, but not after what.
    NoCursor,
    /// Neither a cursor nor whether more follow.
    Bare,
    /// The last object is left out; the cursor is still its id.
    LosesRow,
}

impl PageFault {
    /// Whether the request's cursor counts.
    pub(crate) fn heeds_cursor(self) -> bool {
        self != PageFault::Restarts
    }

    /// Spoils a page. `first` is the first object of the list, if this page does not begin with it.
    pub(crate) fn spoil(self, page: &mut Value, first: Option<Value>) {
        let Some(fields) = page.as_object_mut().filter(|fields| fields.contains_key("data")) else {
            return;
        };
        match self {
            PageFault::Restarts => {}
            PageFault::RepeatsRow => {
                if let (Some(data), Some(first)) =
                    (fields.get_mut("data").and_then(Value::as_array_mut), first)
                {
                    // Its id is what a page that begins so would say.
                    let id = first.get("id").cloned();
                    data.insert(0, first);
                    fields.extend(id.map(|id| ("first_id".to_owned(), id)));
                }
            }
            PageFault::Empty => {
                fields.insert("data".to_owned(), json!([]));
                for cursor in ["first_id", "last_id"] {
                    fields.insert(cursor.to_owned(), Value::Null);
                }
                fields.insert("has_more".to_owned(), json!(true));
            }
            PageFault::Vanished => {
                fields.insert("data".to_owned(), json!([]));
                fields.insert("has_more".to_owned(), json!(false));
                fields.insert("first_id".to_owned(), json!("a"));
                fields.insert("last_id".to_owned(), json!("b"));
            }
            PageFault::NoCursor => {
                fields.insert("last_id".to_owned(), Value::Null);
                fields.insert("has_more".to_owned(), json!(true));
            }
            PageFault::Bare => fields.retain(|name, _| name == "data"),
            PageFault::LosesRow => {
                if let Some(data) = fields.get_mut("data").and_then(Value::as_array_mut) {
                    data.pop();
                }
            }
        }
    }
}

/// A target without its cursor.
pub(crate) fn without_cursor(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    let rest: Vec<&str> = query.split('&').filter(|part| !part.starts_with("after_id=")).collect();
    format!("{path}?{}", rest.join("&"))
}
