//! What a command found, in the one form that every review format shows: a plan, a comparison of files, or findings.
//!
//! Invariant: every step, change, rule and finding is in it once; no text in it is clean yet, so each format cleans
//! for itself.

use std::{borrow::Cow, collections::BTreeMap};

use super::text::{Told, told};
use crate::{
    access::AccessChange,
    address::{Address, Kind, Name},
    diagnostic::{Diagnostic, Span},
    plan::{
        Plan,
        compare::Compared,
        guard::{diagnostic, downgrades},
        rules::RuleChange,
        step::{
            Acknowledgement, Base, Expiring, KeyFate, LastApplied, Organization, Unmanaged, Waiting,
        },
    },
    resource::{Change, Disposition, KeyStatus, Phase, Verb},
};

/// The code of what says which guards were passed.
pub(super) const PASSED: &str = "guard/passed";

/// What a command found.
#[derive(Debug, Default)]
pub struct Review<'a> {
    /// The command, as it is called.
    pub command: &'static str,
    /// The guards that `--allow` passes: what every format shows first.
    pub passed: Option<String>,
    /// The organization a plan is for.
    pub organization: Option<&'a Organization>,
    /// The files a plan was held against.
    pub base: Option<&'a Base>,
    /// What was applied last.
    pub last_applied: Option<&'a LastApplied>,
    /// What somebody has to acknowledge before a plan is applied.
    pub acknowledgement: Option<&'a Acknowledgement>,
    /// Rules of the files that differ.
    pub rules: Cow<'a, [RuleChange]>,
    /// Steps of a plan, in apply order, or changes between files.
    pub entries: Vec<Entry<'a>>,
    /// What changes for people.
    pub access: &'a [AccessChange],
    /// What becomes of keys.
    pub keys: &'a [KeyFate],
    /// People whose invite waits for them.
    pub waiting: &'a [Waiting],
    /// What ends soon.
    pub expiring: &'a [Expiring],
    /// Live objects that the files do not name.
    pub unmanaged: &'a [Unmanaged],
    /// Findings, errors first. A guard that refuses is one.
    pub findings: Vec<Cow<'a, Diagnostic>>,
    /// The one line that everything comes to.
    pub sum: String,
}

/// One step of a plan, or one change between files.
#[derive(Debug)]
pub struct Entry<'a> {
    /// What it is about.
    pub address: &'a Address,
    /// What happens, barely.
    pub verb: Verb,
    /// Whether this plan does it.
    pub standing: Standing,
    /// Why it is not done, and what to do.
    pub why: Option<&'a str>,
    /// What it takes away, if it does, and is done.
    pub loss: Option<Loss>,
    /// Where the files ask for it.
    pub at: Option<&'a Span>,
    told: Told,
}

/// Whether a plan does a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It does; or it is a change between files.
    Ready,
    /// It looks like a mistake.
    Held,
    /// Only a person can.
    Manual,
    /// A later run does.
    Deferred,
}

impl Standing {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Ready => "ready",
            Standing::Held => "held",
            Standing::Manual => "by hand",
            Standing::Deferred => "deferred",
        }
    }
}

/// What a step takes away, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// A workspace is archived.
    Workspace,
    /// A key is archived.
    Key,
    /// A person leaves.
    Person,
    /// A key is switched off.
    KeyOff,
    /// A role becomes less.
    Downgrade,
    /// A grant is taken.
    Grant,
    /// An invite is withdrawn.
    Invite,
}

impl Loss {
    /// What a change takes away.
    pub fn of(address: &Address, change: &Change) -> Option<Self> {
        let status = change.field("status").and_then(|status| status.after.as_str());
        let is = |wanted: &KeyStatus| status == Some(wanted.as_str());
        match (address.kind, change.verb()) {
            (Kind::Workspace, Verb::Remove) => Some(Loss::Workspace),
            (Kind::Member, Verb::Remove) => {
                let pending = change.object().phase() == Some(Phase::Pending);
                Some(if pending { Loss::Invite } else { Loss::Person })
            }
            (Kind::WorkspaceMember, Verb::Remove) => Some(Loss::Grant),
            (Kind::ApiKey, Verb::Remove) => Some(Loss::Key),
            (Kind::ApiKey, _) if is(&KeyStatus::Archived) => Some(Loss::Key),
            (Kind::ApiKey, _) if is(&KeyStatus::Inactive) => Some(Loss::KeyOff),
            _ if downgrades(change) => Some(Loss::Downgrade),
            _ => None,
        }
    }
}

impl<'a> Review<'a> {
    /// What a plan says; `command` is `plan` or `drift`.
    pub fn of_plan(command: &'static str, plan: &'a Plan) -> Self {
        let Plan {
            format_version: _,
            charter_version: _,
            passed: _,
            passed_when_saved: _,
            organization,
            created_at: _,
            observed: _,
            steps,
            waiting,
            unmanaged,
            expiring,
            keys,
            access,
            guards,
            policy,
            notes,
            bindings: _,
            population: _,
            limits: _,
            base,
            only: _,
            last_applied: _,
            revision: _,
            approval: _,
            acknowledgement,
            hmac: _,
        } = plan;
        let entries = steps.iter().map(|step| {
            let (standing, why) = match &step.disposition {
                Disposition::Ready => (Standing::Ready, None),
                Disposition::Held { why } => (Standing::Held, Some(&**why)),
                Disposition::Manual { why } => (Standing::Manual, Some(&**why)),
                Disposition::Deferred { until: _, why } => (Standing::Deferred, Some(&**why)),
            };
            let ready = standing == Standing::Ready;
            Entry {
                address: &step.address,
                verb: step.change.verb(),
                standing,
                why,
                loss: ready.then(|| Loss::of(&step.address, &step.change)).flatten(),
                at: step.at.as_ref(),
                told: told(&step.address, &step.change, Some(step)),
            }
        });
        let sum = anstream::adapter::strip_str(&super::text::summary(plan)).to_string();
        Self {
            command,
            passed: super::text::passed(plan),
            organization: Some(organization),
            base: base.as_ref(),
            acknowledgement: acknowledgement.as_ref(),
            last_applied: plan.last_applied.as_ref(),
            rules: Cow::Owned(plan.changed_rules()),
            entries: entries.collect(),
            access,
            keys,
            waiting,
            expiring,
            unmanaged,
            findings: guards
                .iter()
                .filter(|guard| guard.breached)
                .map(|guard| Cow::Owned(diagnostic(guard)))
                .chain(policy.iter().chain(notes).map(Cow::Borrowed))
                .collect(),
            sum: sum.trim_start_matches("plan:").trim().to_owned(),
        }
    }

    /// How two sets of files differ, and what was found in them.
    pub fn of_diff(
        rules: &'a [RuleChange],
        compared: &'a Compared,
        findings: &'a [Diagnostic],
    ) -> Self {
        let Compared { changes, access, stays: _, entries: _ } = compared;
        let entries = changes.iter().map(|(address, change)| Entry {
            address,
            verb: change.verb(),
            standing: Standing::Ready,
            why: None,
            loss: Loss::of(address, change),
            at: change.object().source.as_ref().map(|source| &source.span),
            told: told(address, change, None),
        });
        let sum = anstream::adapter::strip_str(&super::diff::sum(rules, compared)).to_string();
        Self {
            command: "diff",
            rules: Cow::Borrowed(rules),
            entries: entries.collect(),
            access,
            findings: findings.iter().map(Cow::Borrowed).collect(),
            sum: sum.trim_start_matches("diff:").trim().to_owned(),
            ..Self::default()
        }
    }

    /// Findings alone.
    pub fn of_findings(command: &'static str, findings: &'a [Diagnostic]) -> Self {
        let sum = super::diagnostics::tally(findings).unwrap_or_else(|| "nothing found".to_owned());
        Self {
            command,
            findings: findings.iter().map(Cow::Borrowed).collect(),
            sum,
            ..Self::default()
        }
    }

    /// What is taken away, the worst first; within one sort in the order of the plan.
    pub fn losses(&self) -> Vec<&Entry<'a>> {
        let mut losses: Vec<&Entry<'a>> =
            self.entries.iter().filter(|entry| entry.loss.is_some()).collect();
        losses.sort_by_key(|entry| entry.loss);
        losses
    }

    /// Entries of one standing.
    pub fn standing(&self, standing: Standing) -> impl Iterator<Item = &Entry<'a>> {
        self.entries.iter().filter(move |entry| entry.standing == standing)
    }

    /// Entries by kind and, for grants, by workspace.
    pub fn groups<'e>(
        entries: impl Iterator<Item = &'e Entry<'a>>,
    ) -> BTreeMap<(Kind, Option<&'e Name>), Vec<&'e Entry<'a>>>
    where
        'a: 'e,
    {
        let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for entry in entries {
            let place = match entry.address.kind {
                Kind::WorkspaceMember => entry.address.scope.as_ref(),
                Kind::Member | Kind::Workspace | Kind::ApiKey => None,
            };
            groups.entry((entry.address.kind, place)).or_default().push(entry);
        }
        groups
    }
}

impl Entry<'_> {
    /// `+`, `~`, `-/+` or `-`.
    pub fn symbol(&self) -> &'static str {
        self.told.words.symbol
    }

    /// The word for what happens: `invite`, `archive`.
    pub fn word(&self) -> &'static str {
        self.told.words.verb
    }

    /// What it happens to: `ada@acme.com in Production`.
    pub fn subject(&self) -> &str {
        &self.told.subject
    }

    /// What changes, and why.
    pub fn facts(&self) -> String {
        self.told.facts.join(", ")
    }

    /// What happens to what, and how: `grant ada@acme.com in Production: as workspace_user`.
    pub fn sentence(&self) -> String {
        let (verb, subject, facts) = (self.word(), self.subject(), self.facts());
        let mut text = format!("{verb} {subject}");
        if !facts.is_empty() {
            text = format!("{text}: {facts}");
        }
        match (self.standing, self.why) {
            (Standing::Ready, _) => text,
            (standing, None) => format!("{text} ({})", standing.as_str()),
            (standing, Some(why)) => format!("{text} ({}: {why})", standing.as_str()),
        }
    }
}

/// A rule that differs, in words.
pub fn rule_change(change: &RuleChange) -> String {
    let how = super::diff::how(change);
    let RuleChange { rule, before: _, after: _, effect, at: _ } = change;
    match effect {
        Some(effect) => format!("{rule}: {how}, {effect}"),
        None => format!("{rule}: {how}"),
    }
}
