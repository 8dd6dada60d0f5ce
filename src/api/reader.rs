//! Reads objects and whole lists.
//!
//! Invariant: a list is complete or an error; no object is in it twice.

use std::{
    collections::{BTreeSet, HashSet},
    marker::PhantomData,
    sync::{Arc, atomic::Ordering},
};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::{
    call::Budget,
    client::Core,
    error::{ApiError, Asked},
    page::Page,
    path::target,
    retry::Rule,
    transport::{Method, RawRequest},
    wire::{self, Wire},
};
use crate::address::RemoteId;

/// The most objects a page may have.
const LIMIT: &str = "1000";
/// Pages after which a list is taken to be endless.
const PAGES: usize = 10_000;
/// The same of pages in a row that bring nothing new.
const BARREN_PAGES: usize = 20;

/// Reads the organization; cannot write. Cheap to clone.
#[derive(Clone)]
pub struct Reader(pub(super) Arc<Core>);

impl Reader {
    /// Whether its organization may have no members at all, as a fake one that was just made.
    pub fn may_have_nobody(&self) -> bool {
        self.0.may_have_nobody
    }

    /// So many more requests are known to follow, for estimates.
    pub fn expect(&self, requests: usize) {
        self.0.expected.fetch_add(requests as u64, Ordering::Relaxed);
    }

    /// One that was known to follow is being asked.
    pub fn expected_one(&self) {
        let less = |left: u64| left.checked_sub(1);
        let _ = self.0.expected.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// One object: `get::<Me>(&["me"])`.
    pub async fn get<T: Wire>(&self, path: &[&str]) -> Result<T, ApiError> {
        let (text, asked, request_id) = self.fetch(target(path, &[])).await?;
        wire::decode(&text).map_err(|why| ApiError::Shape { asked, why, request_id })
    }

    /// A whole list: `list::<Workspace>(&["workspaces"], &[("include_archived", "true")])`.
    pub async fn list<T: Wire>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Vec<T>, ApiError> {
        let mut pages = self.pages(path, query);
        let mut all = Vec::new();
        while let Some(page) = pages.next().await? {
            all.extend(page);
        }
        Ok(all)
    }

    /// A list page by page, for those who can begin before its end.
    pub fn pages<T: Wire>(&self, path: &[&str], query: &[(&str, &str)]) -> Pages<T> {
        Pages {
            reader: self.clone(),
            path: path.iter().map(|segment| (*segment).to_owned()).collect(),
            query: query
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            next: Next::First,
            cursors: BTreeSet::new(),
            keys: HashSet::new(),
            barren: 0,
            item: PhantomData,
        }
    }

    /// Requests sent so far through this client, token exchanges included.
    pub fn requests_sent(&self) -> u64 {
        self.0.sent.load(Ordering::Relaxed)
    }

    /// The `anthropic-organization-id` of the last answer that had one.
    pub fn organization_header(&self) -> Option<String> {
        self.0.seen().organization.clone()
    }

    /// The `Date` of the last answer that had one.
    pub fn server_date(&self) -> Option<Timestamp> {
        self.0.seen().date
    }

    /// How far our clock was ahead of the last answer's `Date` when it came.
    pub fn clock_skew(&self) -> Option<SignedDuration> {
        self.0.seen().skew
    }

    async fn fetch(&self, target: String) -> Result<(Bytes, Asked, Option<String>), ApiError> {
        let request = RawRequest { method: Method::Get, target, headers: Vec::new(), body: None };
        let asked = Asked::of(&request);
        match self.0.run(request, Rule::Read, Budget::Shared).await {
            Ok(reply) => Ok((reply.body, asked, reply.request_id)),
            Err(error) => Err(error.into_error()),
        }
    }
}

/// A list that is read page by page.
pub struct Pages<T> {
    reader: Reader,
    path: Vec<String>,
    query: Vec<(String, String)>,
    next: Next,
    /// Every cursor asked after so far.
    cursors: BTreeSet<String>,
    /// The keys of the objects handed out: a list that moves while it is read shows some twice.
    keys: HashSet<RemoteId>,
    /// Pages in a row, up to the last one, that brought nothing new.
    barren: usize,
    item: PhantomData<fn() -> T>,
}

enum Next {
    First,
    After(String),
    End,
}

impl<T: Wire> Pages<T> {
    /// The next page, without objects of earlier pages; `None` at the end. After an error the list is not to be used.
    pub async fn next(&mut self) -> Result<Option<Vec<T>>, ApiError> {
        let after = match std::mem::replace(&mut self.next, Next::End) {
            Next::First => None,
            Next::After(cursor) => Some(cursor),
            Next::End => return Ok(None),
        };
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let mut query = vec![("limit", LIMIT)];
        query.extend(self.query.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        query.extend(after.as_deref().map(|cursor| ("after_id", cursor)));
        let (text, asked, request_id) = self.reader.fetch(target(&path, &query)).await?;
        let page = Page::<T>::read(&text).map_err(|why| ApiError::Shape {
            asked: asked.clone(),
            why,
            request_id,
        })?;
        self.next = self
            .after(&page, after.as_deref())
            .map_err(|why| ApiError::Pagination { asked: asked.clone(), why })?;
        let mut data = page.data;
        data.retain(|item| self.keys.insert(item.list_key().clone()));
        self.barren = if data.is_empty() { self.barren + 1 } else { 0 };
        if self.barren >= BARREN_PAGES && !matches!(self.next, Next::End) {
            let why = format!("{} pages in a row brought nothing new", self.barren);
            return Err(ApiError::Pagination { asked, why });
        }
        Ok(Some(data))
    }

    /// Where the list goes on (`admin-api` notes on pagination), or why that cannot be told. A list ends only where
    /// it says so: a removal could rest on what an end that was guessed leaves out.
    fn after(&mut self, page: &Page<T>, asked: Option<&str>) -> Result<Next, String> {
        let Page { data, has_more, first_id, last_id } = page;
        // Its cursors name objects, and it shows none. Some servers repeat the cursor that was asked after.
        let names = |cursor: &Option<String>| {
            cursor.as_deref().is_some_and(|cursor| !cursor.is_empty() && Some(cursor) != asked)
        };
        if data.is_empty() && *has_more == Some(false) && (names(first_id) || names(last_id)) {
            return Err("a page without objects has the cursors of some".into());
        }
        for (cursor, item) in [(first_id, data.first()), (last_id, data.last())] {
            if let (Some(cursor), Some(item)) = (cursor, item)
                && is_another(cursor, item.list_key().as_str())
            {
                return Err("the cursor of a page belongs to another object".into());
            }
        }
        // A server that leaves `has_more` out goes on until a page is empty.
        if !has_more.unwrap_or(!data.is_empty()) {
            return Ok(Next::End);
        }
        let Some(cursor) = last_id else {
            return Err("the list does not say after what it goes on".into());
        };
        if self.cursors.len() + 1 >= PAGES {
            return Err(format!("the list did not end after {PAGES} pages"));
        }
        if !self.cursors.insert(cursor.clone()) {
            return Err("the list repeats a cursor, so it would never end".into());
        }
        Ok(Next::After(cursor.clone()))
    }
}

/// Whether a cursor looks like the ids of its list (`user_…`), and is not the one it should be. Cursors of another
/// look are opaque.
fn is_another(cursor: &str, id: &str) -> bool {
    let prefix = id.rfind('_').map_or("", |end| &id[..=end]);
    !prefix.is_empty() && cursor.starts_with(prefix) && cursor != id
}

#[cfg(test)]
mod tests;
