//! One organization that a command is run for: where its files are, how it is reached, where its output goes, and what
//! is known of it so far.
//!
//! Invariant: a command for one organization and the same command for a fleet are the same code, on targets.

use std::{
    cell::{Cell, RefCell},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tracing::{Instrument as _, Span, field::Empty};

use super::{
    args::Global,
    connect::{Connection, warn_of_token_cache},
    failure::{Exit, Failure},
    lock::{Lock, Locks},
    pulse::{Doing, watched},
    session::Session,
    telemetry::{Meter, Run, Telemetry},
    ui::Ui,
};
use crate::{
    api::client::Client,
    apply::Tally,
    config::fleet::Organization,
    plan::{Plan, step::Counts},
    resource::desired::OrganizationPin,
};

/// What a command is run for.
pub(super) struct Target<'a> {
    /// Options of every command.
    pub(super) global: &'a Global,
    /// Where its files are.
    pub(super) path: &'a Path,
    /// Where its output goes.
    pub(super) ui: Ui,
    organization: Option<&'a Organization>,
    telemetry: &'a Telemetry,
    locks: &'a Locks<'a>,
    span: Span,
    /// How long it was worked on, and when that ended.
    worked: Cell<Option<(Duration, Timestamp)>>,
    id: RefCell<String>,
    meter: Arc<Meter>,
    drift: Cell<Option<(Counts, usize)>>,
    tally: Cell<Option<Tally>>,
    ahead: Cell<Option<Result<Connection, Failure>>>,
    client: RefCell<Option<Client>>,
    tells_waits: Cell<bool>,
}

impl<'a> Target<'a> {
    /// The only one, with the credential that the environment has.
    pub(super) fn alone(path: &'a Path, session: &'a Session<'_>) -> Self {
        let span = tracing::info_span!(
            target: "orgcharter::cli", "organization", id = Empty, exit_code = Empty
        );
        Self {
            global: session.global,
            path,
            ui: session.ui.clone(),
            organization: None,
            telemetry: &session.telemetry,
            locks: &session.locks,
            span,
            worked: Cell::default(),
            id: RefCell::default(),
            meter: Arc::default(),
            drift: Cell::default(),
            tally: Cell::default(),
            ahead: Cell::default(),
            client: RefCell::default(),
            tells_waits: Cell::new(true),
        }
    }

    /// One of several; its output is kept.
    pub(super) fn of_fleet(organization: &'a Organization, session: &'a Session<'_>) -> Self {
        let alone = Self::alone(&organization.folder, session);
        let target = Self { ui: alone.ui.apart(), organization: Some(organization), ..alone };
        target.known(&organization.id);
        target
    }

    /// Which of several it is.
    pub(super) fn organization(&self) -> Option<&'a Organization> {
        self.organization
    }

    /// Does some of the command's work for it.
    pub(super) async fn work<T>(&self, work: impl Future<Output = T>) -> T {
        let start = Instant::now();
        let activity = || {
            let client = self.client.borrow();
            client.as_ref().filter(|_| self.tells_waits.get()).map(Client::activity)
        };
        let work = work.instrument(self.span.clone());
        let done = watched(&self.ui, Doing::Reading, activity, work).await;
        if let Some(client) = &*self.client.borrow() {
            warn_of_token_cache(client, &self.ui);
        }
        // Results wait for those of others to be shown, and for an answer: that is no work.
        let before = self.worked.get().map(|(took, _)| took).unwrap_or_default();
        self.worked.set(Some((before + start.elapsed(), Timestamp::now())));
        done
    }

    /// Whether it was worked on.
    pub(super) fn was_begun(&self) -> bool {
        self.worked.get().is_some()
    }

    /// How it is applied by itself, if it is one of several; `shown`: its folder may be shown.
    pub(super) fn by_itself(&self, shown: bool) -> Option<String> {
        let Organization { folder, credential, .. } = self.organization?;
        let folder = if shown { folder.display().to_string() } else { "FOLDER".to_owned() };
        Some(format!("ANTHROPIC_ADMIN_KEY=\"${credential}\" charter apply {folder}"))
    }

    /// Whether it is told here what requests wait for.
    pub(super) fn tells_waits(&self, tells: bool) {
        self.tells_waits.set(tells);
    }

    /// Does all of it.
    pub(super) async fn whole(
        &self,
        work: impl Future<Output = Result<Exit, Failure>>,
    ) -> Result<Exit, Failure> {
        let ended = self.work(work).await;
        if let Some(Ok(connection)) = self.ahead.take() {
            // The command ended before it needed the answer.
            connection.stop().await;
        }
        self.ended(ended.as_ref().map_or_else(Failure::exit, |exit| *exit));
        ended
    }

    /// Connects before its files are read, so that the network and the disk are waited for together. What goes wrong is
    /// said by [`Self::connect`]: whatever is wrong with the files comes first. Of a fleet the others fill the time, and
    /// one whose files are wrong is asked nothing. A sandbox may have to be made for the files.
    pub(super) fn connect_ahead(&self) {
        if self.organization.is_none() && self.global.sandbox.is_none() {
            self.ahead.set(Some(Connection::ahead(self.global, self.meter.clone())));
        }
    }

    /// Keeps other applies to an organization away; a sandbox is nobody else's.
    pub(super) fn lock(&self, organization: &str) -> Result<Lock, Failure> {
        if self.global.sandbox.is_some() {
            return Ok(Lock::none());
        }
        self.locks.take(organization)
    }

    /// Connects to the organization of its files.
    pub(super) async fn connect(&self, pin: &OrganizationPin) -> Result<Connection, Failure> {
        if let Some(id) = &pin.id {
            self.known(id);
        }
        let connection = match self.ahead.take() {
            Some(connected) => connected?,
            None => {
                let variable = self.organization.map(|organization| &*organization.credential);
                Connection::open(self.global, pin, variable, self.meter.clone()).await?
            }
        };
        *self.client.borrow_mut() = Some(connection.client.clone());
        Ok(connection)
    }

    /// Notes what is to be done.
    pub(super) fn planned(&self, plan: &Plan) {
        self.known(&plan.organization.id);
        self.drift.set(Some((plan.counts(), plan.unmanaged.len())));
    }

    /// Notes what was done.
    pub(super) fn applied(&self, tally: Tally) {
        self.tally.set(Some(tally));
    }

    /// Notes how it ended.
    pub(super) fn ended(&self, exit: Exit) {
        self.span.record("exit_code", exit as u8);
        let (took, at) = self.worked.get().unwrap_or((Duration::ZERO, Timestamp::now()));
        self.telemetry.add(Run {
            organization: self.id.borrow().clone(),
            exit,
            at,
            took,
            drift: self.drift.get(),
            tally: self.tally.get(),
            requests: self.meter.requests(),
        });
    }

    /// What is to be done, if that is known.
    pub(super) fn counts(&self) -> Option<Counts> {
        self.drift.get().map(|(counts, _)| counts)
    }

    /// What was done, if anything was begun.
    pub(super) fn tally(&self) -> Option<Tally> {
        self.tally.get()
    }

    fn known(&self, id: &str) {
        if self.id.borrow().is_empty() {
            self.span.record("id", id);
            id.clone_into(&mut self.id.borrow_mut());
        }
    }
}
