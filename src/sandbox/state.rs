//! The organization itself: its tables, clock, switches, limits, credentials, faults and log in one value.
//!
//! Invariant: it is plain data that can be cloned and compared through [`State::to_yaml`]; everything random in it
//! comes from its seed.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    clock::Clock,
    credentials::{Credentials, Minted},
    faults::Faults,
    ids::Ids,
    kinds::{
        api_key::ApiKeys, invite::Invites, user::Users, workspace::Workspaces,
        workspace_member::Members,
    },
    limits::{Limits, Meter},
    log::Log,
    scripts::Scripts,
    switches::Switches,
};

/// The kind of an organization: which roles and endpoints exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrganizationKind {
    /// Claude Console.
    #[default]
    Console,
    /// Claude Enterprise.
    Enterprise,
    /// Claude Platform on AWS.
    Aws,
}

/// Who the organization is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// Its UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: OrganizationKind,
}

impl Default for Organization {
    fn default() -> Self {
        Self {
            id: "3f0c1b1e-0000-4000-8000-000000000000".to_owned(),
            name: "Acme".to_owned(),
            kind: OrganizationKind::Console,
        }
    }
}

/// A whole organization.
#[derive(Clone, Debug)]
pub struct State {
    /// Who it is.
    pub organization: Organization,
    /// Its clock.
    pub clock: Clock,
    /// The position of every switch.
    pub switches: Switches,
    /// Its limits.
    pub limits: Limits,
    /// Who may ask.
    pub credentials: Credentials,
    /// Which requests fail.
    pub faults: Faults,
    /// What happens after which request.
    pub scripts: Scripts,
    /// What was asked.
    pub log: Log,
    pub(crate) ids: Ids,
    pub(crate) users: Users,
    pub(crate) invites: Invites,
    pub(crate) workspaces: Workspaces,
    pub(crate) members: Members,
    pub(crate) api_keys: ApiKeys,
    pub(crate) minted: HashMap<String, Minted>,
    /// Identity tokens that were exchanged.
    pub(crate) exchanged: HashSet<String>,
    pub(crate) meter: Meter,
    /// Objects that still hide from GET, and how often.
    pub(crate) hiding: HashMap<String, u8>,
}

impl State {
    /// An organization without people: only a Default Workspace, if its kind has workspaces. The clock stands still
    /// at 2026-11-22T09:00:00Z.
    pub fn empty(organization: Organization) -> Self {
        let start = Timestamp::from_second(1_795_338_000).unwrap_or_default();
        let mut state = Self::bare(organization, Clock::frozen(start), 0);
        state.add_default_workspace();
        state
    }

    /// Nothing but the organization.
    pub(crate) fn bare(organization: Organization, clock: Clock, seed: u64) -> Self {
        Self {
            organization,
            clock,
            switches: Switches::default(),
            limits: Limits::default(),
            credentials: Credentials::default(),
            faults: Faults::default(),
            scripts: Scripts::default(),
            log: Log::default(),
            ids: Ids::new(seed),
            users: Users::default(),
            invites: Invites::default(),
            workspaces: Workspaces::default(),
            members: Members::default(),
            api_keys: ApiKeys::default(),
            minted: HashMap::new(),
            exchanged: HashSet::new(),
            meter: Meter::default(),
            hiding: HashMap::new(),
        }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves the clock.
    pub fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
    }

    /// Takes every token that was given out back: the next call with one answers 401.
    pub fn revoke_tokens(&mut self) {
        let tokens = self.minted.drain().map(|(token, _)| token);
        self.credentials.revoked.extend(tokens);
    }

    /// Makes an object hide from GET for a while, if the switch says so.
    pub(crate) fn hide(&mut self, id: &str) {
        use super::switches::ReadAfterCreate;
        if self.switches.read_after_create == ReadAfterCreate::Lags {
            self.hiding.insert(id.to_owned(), 2);
        }
    }

    /// Whether an object still hides; counts this look at it.
    pub(crate) fn hides(&mut self, id: &str) -> bool {
        match self.hiding.get_mut(id) {
            None => false,
            Some(left) => {
                *left -= 1;
                if *left == 0 {
                    self.hiding.remove(id);
                }
                true
            }
        }
    }
}
