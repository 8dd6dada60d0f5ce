//! One organization that a command is run for: where its files are, how it is reached, where its output goes, and what
//! is known of it so far.
//!
//! Invariant: a command for one organization and the same command for a fleet are the same code, on targets.

use std::{cell::Cell, path::Path};

use super::{args::Global, connect::Connection, failure::Failure, ui::Ui};
use crate::{
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
    counts: Cell<Option<Counts>>,
    tally: Cell<Option<Tally>>,
}

impl<'a> Target<'a> {
    /// The only one, with the credential that the environment has.
    pub(super) fn alone(path: &'a Path, global: &'a Global, ui: &Ui) -> Self {
        Self {
            global,
            path,
            ui: ui.clone(),
            organization: None,
            counts: Cell::default(),
            tally: Cell::default(),
        }
    }

    /// One of several; its output is kept.
    pub(super) fn of_fleet(organization: &'a Organization, global: &'a Global, ui: &Ui) -> Self {
        let alone = Self::alone(&organization.folder, global, ui);
        Self { ui: ui.apart(), organization: Some(organization), ..alone }
    }

    /// Connects to the organization of its files.
    pub(super) async fn connect(&self, pin: &OrganizationPin) -> Result<Connection, Failure> {
        let variable = self.organization.map(|organization| &*organization.credential);
        Connection::open(self.global, pin, variable).await
    }

    /// Which of several it is.
    pub(super) fn organization(&self) -> Option<&'a Organization> {
        self.organization
    }

    /// Notes what is to be done.
    pub(super) fn planned(&self, plan: &Plan) {
        self.counts.set(Some(plan.counts()));
    }

    /// Notes what was done.
    pub(super) fn applied(&self, tally: Tally) {
        self.tally.set(Some(tally));
    }

    /// What is to be done, if that is known.
    pub(super) fn counts(&self) -> Option<Counts> {
        self.counts.get()
    }

    /// What was done, if anything was begun.
    pub(super) fn tally(&self) -> Option<Tally> {
        self.tally.get()
    }
}
