//! One organization that a command is run for: where its files are, how it is reached, where its output goes, and what
//! is known of it so far.
//!
//! Invariant: a command for one organization and the same command for a fleet are the same code, on targets.

use std::{cell::Cell, path::Path};

use super::{args::Global, connect::Connection, failure::Failure, ui::Ui};
use crate::{
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
    variable: Option<&'a str>,
    counts: Cell<Option<Counts>>,
}

impl<'a> Target<'a> {
    /// The only one, with the credential that the environment has.
    pub(super) fn alone(path: &'a Path, global: &'a Global, ui: &Ui) -> Self {
        Self { global, path, ui: ui.clone(), variable: None, counts: Cell::default() }
    }

    /// One of several; its output is kept.
    pub(super) fn of_fleet(organization: &'a Organization, global: &'a Global, ui: &Ui) -> Self {
        let alone = Self::alone(&organization.folder, global, ui);
        Self { ui: ui.apart(), variable: Some(&organization.credential), ..alone }
    }

    /// Connects to the organization of its files.
    pub(super) async fn connect(&self, pin: &OrganizationPin) -> Result<Connection, Failure> {
        Connection::open(self.global, pin, self.variable).await
    }

    /// Notes what is to be done.
    pub(super) fn planned(&self, plan: &Plan) {
        self.counts.set(Some(plan.counts()));
    }

    /// What is to be done, if that is known.
    pub(super) fn counts(&self) -> Option<Counts> {
        self.counts.get()
    }
}
