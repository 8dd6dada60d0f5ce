//! Rules on the organization: built-in ones, rules and tests of the files' own, judged on files alone or on a plan.
//!
//! Invariant: pure; the same state has the same findings, and no finding vanishes without an exception that says why.

mod access;
mod built_in;
pub mod changes;
mod custom;
mod expectations;
mod finding;
mod past;
pub mod state;
mod values;

use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::Date;

pub use self::{finding::Finding, past::past_dates, state::State};
use crate::{
    config::{
        self,
        document::{
            Document,
            policy::{Demand, Named, Policy, Rule},
        },
    },
    diagnostic::{self, Diagnostic, Severity, Span},
    expression::Fuel,
    plan::{Plan, Step, bind},
    resource::{
        Change, Desired, KeyStatus, Live, OrgKind, Snapshot, Spec,
        read_scope::{GrantScope, ReadScope},
    },
};

/// What all expressions of the files together may cost.
const FUEL: u64 = 60_000_000;
/// What one of them may cost.
const FUEL_EACH: u64 = 20_000_000;
/// So many findings of one rule are shown; the rest is counted.
const SHOWN: usize = 500;

/// What the rules find.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Every finding, those that exceptions accept included.
    pub findings: Vec<Finding>,
    /// Rules that could not be judged, each with what is not known.
    pub unjudged: Vec<Unjudged>,
}

/// A rule that could not be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unjudged {
    /// The rule's name.
    pub rule: Arc<str>,
    /// Where it stands.
    pub span: Option<Span>,
    /// What is not known.
    pub why: &'static str,
}

impl Verdict {
    /// What is shown: findings that no exception accepts, in the order findings are shown.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let mut shown: Vec<Diagnostic> = self
            .findings
            .iter()
            .filter(|finding| finding.excepted.is_none())
            .map(Finding::diagnostic)
            .collect();
        diagnostic::sort(&mut shown);
        shown.dedup();
        shown
    }
}

/// Judges a state by the rules and tests of a document.
pub fn judge(document: &Document, state: &State) -> Verdict {
    let mut court = Court { state, fuel: FUEL, verdict: Verdict::default(), values: None };
    let Policy { place: _, rules, exceptions: _ } = &document.policy;
    for rule in rules {
        court.rule(rule);
    }
    for (name, test) in document.tests.iter().flat_map(|section| &section.entries) {
        court.test(name, test);
    }
    let mut verdict = court.verdict;
    finding::except(&mut verdict.findings, &document.policy, state.today);
    verdict.findings = limited(verdict.findings);
    verdict
}

/// Judges what the files want, by themselves.
pub fn judge_files(document: &Document, desired: &Desired, today: Date) -> Verdict {
    judge(document, &State::of_files(document, desired, today))
}

/// Judges a plan: what is there when it is through, and what it changes. The errors among the diagnostics refuse it.
///
/// A finding that stood before does not refuse a plan that only takes access away: whatever else is wrong, somebody who
/// leaves can be removed, and a date that has passed takes effect.
///
/// `document` has the rules, which may be those of a base; the rest is that of the files that were planned.
pub fn judge_plan(
    document: &Document,
    desired: &Desired,
    live: &Live,
    plan: &Plan,
) -> Vec<Diagnostic> {
    let nothing = document.policy.rules.is_empty() && document.tests.is_none();
    if nothing && document.files.is_none() {
        return Vec::new();
    }
    let bound = bind::bind(desired, live).live;
    let taken = foreign_pins(document, desired, &bound);
    if nothing {
        return taken;
    }
    let (before, after) = State::of_plan(document, desired, live, &bound, plan);
    let mut verdict = judge(document, &after);
    let refuses =
        |finding: &Finding| finding.excepted.is_none() && finding.severity == Severity::Error;
    if verdict.findings.iter().any(refuses) && plan.ready().all(takes_away) {
        let stood = judge(document, &before);
        let stood: BTreeMap<_, u64> =
            stood.findings.iter().map(|finding| (finding.key(), finding.lacks)).collect();
        for finding in verdict.findings.iter_mut().filter(|finding| refuses(finding)) {
            if stood.get(&finding.key()).is_some_and(|lacked| finding.lacks <= *lacked) {
                finding.severity = Severity::Warning;
                finding.help.push_str(
                    "; it stood before, and this plan only takes access away, so it is not refused for it",
                );
            }
        }
    }
    let mut shown = verdict.diagnostics();
    shown.extend(taken);
    shown.extend(verdict.unjudged.iter().map(|one| {
        Diagnostic::note(
            "policy/not-judged",
            format!("the rule `{}` is not judged: {}", one.rule, one.why),
        )
        .at_opt(one.span.as_ref())
        .help("manage what it is about in the files, or remove the rule")
    }));
    shown
}

/// Entries that take over, by its id, something that their file may not name.
fn foreign_pins(document: &Document, desired: &Desired, bound: &Snapshot) -> Vec<Diagnostic> {
    let pinned = desired.pins.iter().filter(|(_, pin)| pin.id.is_some());
    let found = pinned.filter_map(|(address, _)| {
        let wanted = desired.objects.get(address).and_then(|object| object.source.as_ref());
        let source = wanted.or_else(|| desired.gone.get(address).map(|gone| &gone.source))?;
        let name = match &bound.get(address)?.spec {
            Spec::Member(member) => member.email.canonical().to_string(),
            other => other.resource().title(),
        };
        config::pinned(document, address.kind, &name, &source.span)
    });
    found.collect()
}

/// Reads what the rules need beyond what the files manage.
pub fn widen(document: &Document, scope: &mut ReadScope, kind: OrgKind) {
    let mut grants = document.tests.is_some();
    let (mut members, mut workspaces, mut keys) = (grants, grants, grants);
    for rule in &document.policy.rules {
        match &rule.demand {
            Demand::Admins { .. }
            | Demand::EmailDomains { .. }
            | Demand::Contractors { .. }
            | Demand::InviteAge { .. } => members = true,
            Demand::WorkspaceAdmins { .. } | Demand::Separation { .. } => grants = true,
            Demand::KeyAge { .. } => keys = true,
            Demand::Names { of, .. } => match of {
                Named::Workspaces => workspaces = true,
                Named::ApiKeys => keys = true,
                Named::Teams => {}
            },
            Demand::Tags { .. } => workspaces = true,
            Demand::Custom(_) => (grants, keys) = (true, true),
        }
    }
    let people = kind != OrgKind::Aws;
    scope.members |= (members || grants) && people;
    scope.api_keys |= keys && kind.has_api_keys();
    scope.workspaces |= workspaces || grants || scope.api_keys;
    if grants && people {
        scope.grants = GrantScope::All;
    }
}

/// Whether a step only takes access away.
fn takes_away(step: &Step) -> bool {
    match &step.change {
        Change::Remove { .. } => true,
        Change::Create { .. } | Change::Replace { .. } => false,
        Change::Update { before, after, fields } => match (&before.spec, &after.spec) {
            (Spec::ApiKey(_), Spec::ApiKey(key)) => {
                let off = matches!(key.status, Some(KeyStatus::Inactive | KeyStatus::Archived));
                off && fields.iter().all(|change| change.field == "status")
            }
            (Spec::Member(before), Spec::Member(after)) => {
                let roles = before.role.as_ref().zip(after.role.as_ref());
                roles
                    .and_then(|(before, after)| after.compare(before))
                    .is_some_and(std::cmp::Ordering::is_lt)
            }
            (Spec::WorkspaceMember(before), Spec::WorkspaceMember(after)) => {
                after.role.compare(&before.role).is_some_and(std::cmp::Ordering::is_lt)
            }
            _ => false,
        },
    }
}

/// Keeps output readable where a rule finds thousands: the first ones, and the count of the others.
fn limited(findings: Vec<Finding>) -> Vec<Finding> {
    let mut kept: Vec<Finding> = Vec::with_capacity(findings.len().min(SHOWN));
    let mut counts: BTreeMap<(Arc<str>, Option<Span>), usize> = BTreeMap::new();
    let mut last: Vec<(Finding, usize)> = Vec::new();
    for finding in findings {
        if finding.excepted.is_some() {
            kept.push(finding);
            continue;
        }
        let key = (Arc::clone(&finding.rule), finding.rule_span.clone());
        let count = counts.entry(key.clone()).or_default();
        *count += 1;
        if *count <= SHOWN {
            kept.push(finding);
        } else if let Some((_, more)) =
            last.iter_mut().find(|(one, _)| (&one.rule, &one.rule_span) == (&key.0, &key.1))
        {
            *more += 1;
        } else {
            last.push((finding, 1));
        }
    }
    for (finding, more) in last {
        kept.push(Finding {
            message: format!("the rule `{}` has {more} more findings", finding.rule),
            names: vec!["more".into()],
            lacks: more as u64,
            span: None,
            others: Vec::new(),
            help: "mend the ones shown first".to_owned(),
            ..finding
        });
    }
    kept
}

/// One judgement.
struct Court<'s> {
    state: &'s State,
    fuel: u64,
    verdict: Verdict,
    /// The state as values of expressions, made when the first one asks.
    values: Option<values::Values>,
}

impl Court<'_> {
    fn rule(&mut self, rule: &Rule) {
        let mut found = Vec::new();
        let ended = match &rule.demand {
            Demand::Custom(custom) => {
                self.custom(rule, custom, &mut found);
                Ok(())
            }
            demand => built_in::judge(demand, self.state, &mut found),
        };
        if let Err(why) = ended {
            let (name, span) = (Arc::clone(&rule.name), rule.place.0.clone());
            self.verdict.unjudged.push(Unjudged { rule: name, span, why });
        }
        self.verdict.findings.extend(found.into_iter().map(|found| found.of(rule)));
    }

    /// Fuel for one expression; what is left of it goes back with [`Court::refuel`].
    fn tank(&mut self) -> Fuel {
        let steps = self.fuel.min(FUEL_EACH);
        self.fuel -= steps;
        Fuel::new(steps)
    }

    fn refuel(&mut self, left: Fuel) {
        self.fuel += left.left();
    }
}

/// What a rule finds, before the rule's own name and weight are added.
#[derive(Default)]
struct Found {
    names: Vec<Arc<str>>,
    message: String,
    lacks: u64,
    span: Option<Span>,
    others: Vec<(Span, String)>,
    help: String,
}

impl Found {
    fn of(self, rule: &Rule) -> Finding {
        let Found { names, message, lacks, span, others, help } = self;
        Finding {
            rule: Arc::clone(&rule.name),
            severity: rule.severity,
            names,
            message,
            lacks,
            span,
            rule_span: rule.place.0.clone(),
            others,
            help,
            excepted: None,
        }
    }
}

#[cfg(test)]
mod tests;
