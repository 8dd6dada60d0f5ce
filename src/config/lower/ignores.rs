//! What `manage.ignore` protects: its patterns as they are matched, and what is said where the date of one has passed.
//!
//! Invariant: a pattern over people is matched against canonical addresses.

use std::sync::Arc;

use jiff::civil::Date;

use super::span_of;
use crate::{
    config::document,
    diagnostic::Diagnostic,
    resource::desired::{Ignore, IgnoreTarget},
};

pub(super) fn lower_ignore(ignore: &document::Ignore, today: Date) -> Option<Ignore> {
    let document::Ignore { place, target, pattern, reason, until } = ignore;
    let until = until.as_ref().map(|until| until.value);
    Some(Ignore {
        target: *target,
        // The check has compiled it before.
        pattern: ignore_glob(*target, pattern)?,
        reason: Arc::clone(&reason.value),
        until,
        expired: until.is_some_and(|until| until < today),
        span: span_of(place.0.as_ref()),
    })
}

/// The pattern of an `ignore` entry as it is matched: people by canonical address.
pub(in crate::config) fn ignore_glob(target: IgnoreTarget, pattern: &str) -> Option<globset::Glob> {
    if target != IgnoreTarget::Members {
        return globset::Glob::new(pattern).ok();
    }
    let pattern = pattern.to_ascii_lowercase();
    let canonical = match pattern.rsplit_once('@') {
        Some((local, domain)) if !domain.is_ascii() && !domain.contains(['*', '?', '[', '{']) => {
            idna::domain_to_ascii(domain).ok().map(|domain| format!("{local}@{domain}"))
        }
        _ => None,
    };
    globset::Glob::new(canonical.as_deref().unwrap_or(&pattern)).ok()
}

/// The code of what [`past_ignore`] says.
pub(crate) const IGNORE_EXPIRED: &str = "config/ignore-expired";

/// Says that an `ignore` entry protects past its date.
pub(super) fn past_ignore(ignore: &document::Ignore, today: Date) -> Option<Diagnostic> {
    let document::Ignore { pattern, reason, until, .. } = ignore;
    let until = until.as_ref().filter(|until| until.value < today)?;
    let message = format!("`{pattern}` was to be ignored until {until} ({reason}), and still is");
    let finding = Diagnostic::warning(IGNORE_EXPIRED, message)
        .at_opt(until.span.as_ref())
        .help("remove the entry to manage what it covers, or set a later `until`");
    Some(finding)
}
