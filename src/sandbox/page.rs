//! Lists with id cursors: `limit` 1 to 1000, at most one of `after_id` and `before_id`, `has_more`, `first_id`, `last_id`.
//!
//! Invariant: following `last_id` until `has_more` is false shows every row that stayed, each once.

use serde_json::{Value, json};

use super::{
    refusal::Refusal,
    request::Query,
    switches::{HasMore, ListOrder, PageSize},
    table::From,
};

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 1000;

/// The paging part of a query.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paging {
    limit: usize,
    from: From,
    sizes: PageSize,
    has_more: HasMore,
}

impl Paging {
    /// Reads it; `row_of` finds the row of a cursor.
    pub(crate) fn read(
        query: &Query,
        (sizes, has_more): (PageSize, HasMore),
        row_of: impl Fn(&str) -> Option<u64>,
    ) -> Result<Self, Refusal> {
        let limit = match query.one("limit") {
            None => DEFAULT_LIMIT,
            Some(text) => text
                .parse::<usize>()
                .ok()
                .filter(|limit| (1..=MAX_LIMIT).contains(limit))
                .ok_or_else(|| Refusal::invalid("limit: must be a number from 1 to 1000"))?,
        };
        let row = |name: &str, id: &str| {
            row_of(id).ok_or_else(|| Refusal::invalid(format!("{name}: unknown cursor `{id}`")))
        };
        let from = match (query.one("after_id"), query.one("before_id")) {
            (Some(_), Some(_)) => {
                return Err(Refusal::invalid("only one of after_id and before_id may be given"));
            }
            (Some(id), None) => From::After(row("after_id", id)?),
            (None, Some(id)) => From::Before(row("before_id", id)?),
            (None, None) => From::Start,
        };
        Ok(Self { limit, from, sizes, has_more })
    }

    /// The part of a table that the cursor leaves.
    pub(crate) fn from(&self) -> From {
        self.from
    }

    /// Whether a row lies in that part, for lists that come from an index instead of a table's slice.
    pub(crate) fn covers(&self, order: ListOrder, row: u64) -> bool {
        std::ops::RangeBounds::contains(&super::table::bounds(order, self.from), &row)
    }

    /// One page of `rows`, which are in list order and bounded by [`Self::from`].
    pub(crate) fn page<R>(
        &self,
        rows: impl DoubleEndedIterator<Item = R>,
        cursor: impl Fn(&R) -> String,
        show: impl Fn(&R) -> Value,
    ) -> Value {
        // A short page is full by the rules: only `has_more` says whether the list ends.
        let limit = match self.sizes {
            PageSize::Full => self.limit,
            PageSize::Short => self.limit.div_ceil(2),
        };
        let mut picked: Vec<R> = match self.from {
            From::Before(_) => rows.rev().take(limit + 1).collect(),
            From::Start | From::After(_) => rows.take(limit + 1).collect(),
        };
        let has_more = picked.len() > limit;
        picked.truncate(limit);
        if matches!(self.from, From::Before(_)) {
            picked.reverse();
        }
        let mut page = json!({
            "data": picked.iter().map(show).collect::<Vec<_>>(),
            "first_id": picked.first().map(&cursor),
            "last_id": picked.last().map(&cursor),
        });
        if self.has_more == HasMore::Present {
            page["has_more"] = Value::Bool(has_more);
        }
        page
    }
}
