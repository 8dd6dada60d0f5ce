//! Writes, one call at a time.
//!
//! Invariant: what may have had its effect is never reported as if it had none.

use std::sync::Arc;

use serde_json::Value;

use super::{
    call::{Budget, Resend},
    client::{Answered, Core},
    error::WriteError,
    retry::Rule,
    stop::Stop,
    transport::RawRequest,
};

/// Writes to the organization.
#[derive(Clone)]
pub struct Writer(pub(super) Arc<Core>);

/// A write that succeeded.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The answer's body; null if it was empty.
    pub value: Value,
    /// The answer's `request-id`.
    pub request_id: Option<String>,
    /// How often it was sent.
    pub attempts: u32,
    /// A removal that found nothing to remove when it was sent again.
    pub already_gone: bool,
}

impl Writer {
    /// Sends a write, again where `resend` says that this is safe.
    ///
    /// # Errors
    /// [`WriteError::Failed`]: it had no effect. [`WriteError::Unknown`]: one of the tries may have had it.
    pub async fn send(
        &self,
        request: RawRequest,
        resend: Resend,
        budget: Budget,
    ) -> Result<Reply, WriteError> {
        self.reply(request, resend, budget, None).await
    }

    /// The same; once somebody asks to stop, it is not sent any more, and not sent again after it was refused. A try
    /// that may have had its effect is followed up as ever.
    ///
    /// # Errors
    /// As [`Writer::send`]; `ApiError::Stopped` if it was never sent.
    pub async fn send_unless(
        &self,
        stop: &Stop,
        request: RawRequest,
        resend: Resend,
        budget: Budget,
    ) -> Result<Reply, WriteError> {
        self.reply(request, resend, budget, Some(stop)).await
    }

    async fn reply(
        &self,
        request: RawRequest,
        resend: Resend,
        budget: Budget,
        unless: Option<&Stop>,
    ) -> Result<Reply, WriteError> {
        let Answered { body, request_id, attempts, already_gone } =
            self.0.run_unless(unless, request, Rule::Write(resend), budget).await?;
        // It was read before, to be judged; an empty one is that of a call without an answer.
        let value = serde_json::from_slice(&body).unwrap_or_default();
        Ok(Reply { value, request_id, attempts, already_gone })
    }
}
