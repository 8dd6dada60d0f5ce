//! What a rule finds, and what becomes of it: shown, refused, or accepted for a reason.
//!
//! Invariant: only an exception of the files, with its reason and within its date, silences a finding.

use std::sync::Arc;

use jiff::civil::Date;

use crate::{
    config::document::policy::Policy,
    diagnostic::{Diagnostic, Recent, Severity, Span},
};

/// One finding of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name; `test` for a test.
    pub rule: Arc<str>,
    /// How much it weighs.
    pub severity: Severity,
    /// What the culprit is called: exceptions match any of these.
    pub names: Vec<Arc<str>>,
    /// What is wrong.
    pub message: String,
    /// How many are missing of what the rule wants at least; 0: it is about nothing of the sort.
    pub lacks: u64,
    /// Where the culprit stands; none: it is not in the files.
    pub span: Option<Span>,
    /// Where the rule stands.
    pub rule_span: Option<Span>,
    /// Other culprits.
    pub others: Vec<(Span, String)>,
    /// What to do next.
    pub help: String,
    /// The exception that accepts it, by its position.
    pub excepted: Option<usize>,
}

impl Finding {
    /// What tells it from others: the same finding before and after a plan has the same key.
    pub(super) fn key(&self) -> (&Arc<str>, Option<&Span>, &[Arc<str>]) {
        (&self.rule, self.rule_span.as_ref(), &self.names)
    }

    /// The stable code of its rule.
    pub fn code(&self) -> String {
        format!("policy/{}", self.rule.replace('_', "-"))
    }

    /// As a diagnostic: at the culprit, or at the rule where the culprit is in no file.
    pub fn diagnostic(&self) -> Diagnostic {
        let Self {
            rule: _,
            severity,
            names: _,
            message,
            lacks: _,
            span,
            rule_span,
            others,
            help,
            excepted: _,
        } = self;
        let mut shown = Diagnostic {
            code: self.code().into(),
            severity: *severity,
            message: message.clone(),
            span: span.clone().or_else(|| rule_span.clone()),
            related: Vec::new(),
            help: Some(help.clone()),
            recent: Recent::default(),
        };
        if let (Some(_), Some(rule)) = (span, rule_span) {
            shown = shown.with(rule, "the rule");
        }
        for (span, words) in others {
            shown = shown.with(span, words.clone());
        }
        shown
    }
}

/// Marks the findings that exceptions accept. One past its date accepts nothing, and is shown beside the finding.
pub(super) fn except(findings: &mut [Finding], policy: &Policy, today: Date) {
    let exceptions: Vec<_> = policy
        .exceptions
        .iter()
        .map(|one| (one, globset::Glob::new(&one.of).ok().map(|glob| glob.compile_matcher())))
        .collect();
    for finding in findings {
        for (at, (exception, matcher)) in exceptions.iter().enumerate() {
            let meant = *exception.rule.value == *finding.rule
                && matcher
                    .as_ref()
                    .is_some_and(|glob| finding.names.iter().any(|name| glob.is_match(&**name)));
            if !meant {
                continue;
            }
            match &exception.until {
                Some(until) if until.value < today => {
                    let words = format!("accepted until {}, which has passed", until.value);
                    finding.others.extend(exception.place.0.clone().map(|span| (span, words)));
                }
                _ => {
                    finding.excepted = Some(at);
                    break;
                }
            }
        }
    }
}
