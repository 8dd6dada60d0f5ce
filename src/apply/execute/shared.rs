//! What a run works with and what its steps share: the client, the clock, the journal, and the ids of what was made.
//!
//! Invariant: the writer is here and nowhere else.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use crate::{
    address::{Address, RemoteId},
    api::{
        client::{Client, Reader, Writer},
        clock::Clock,
        stop::Stop,
    },
    apply::{
        journal::Journal,
        verify::{Rosters, Since},
    },
};

/// What apply works with: the one place that can write.
#[derive(Clone)]
pub struct Hands {
    pub(in crate::apply) client: Client,
    pub(in crate::apply) reader: Reader,
    pub(in crate::apply) writer: Writer,
    pub(in crate::apply) clock: Arc<dyn Clock>,
}

impl Hands {
    /// Works through `client`; waits and tells the time by `clock`.
    pub fn new(client: &Client, clock: Arc<dyn Clock>) -> Self {
        Self { client: client.clone(), reader: client.reader(), writer: client.writer(), clock }
    }
}

/// What the steps of a run share.
pub(in crate::apply) struct Shared<'a> {
    pub(in crate::apply) hands: &'a Hands,
    /// When the run began.
    pub(in crate::apply) began: Timestamp,
    /// The same by the API's clock, if it told it.
    pub(in crate::apply) since: Since,
    /// Ids of what this run made.
    pub(in crate::apply) made: Mutex<BTreeMap<Address, RemoteId>>,
    /// Where each step is written down.
    pub(in crate::apply) journal: Mutex<Journal>,
    /// Lists of workspace members that steps share.
    pub(in crate::apply) rosters: Rosters,
    /// Asked as soon as nothing more is to be begun: a step that has had no effect so far is left then.
    pub(in crate::apply) gate: Stop,
}

impl Shared<'_> {
    pub(in crate::apply) fn made(&self) -> MutexGuard<'_, BTreeMap<Address, RemoteId>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::apply) fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hands {
    /// The time by the API's clock, as far as its answers told it: what it dates is compared with nothing else.
    pub(in crate::apply) fn api_now(&self) -> Timestamp {
        let now = self.clock.now();
        let ahead = self.reader.clock_skew().unwrap_or_default();
        now.checked_sub(ahead).unwrap_or(now)
    }

    /// From now on what is made counts as made by a run.
    pub(in crate::apply) fn since_now(&self) -> Since {
        match self.reader.server_date() {
            Some(date) => Since::theirs(date),
            None => Since::ours(self.clock.now(), None),
        }
    }
}
