//! A plan, a comparison and rules without their originals.
//!
//! Invariant: structures are taken apart field by field, so that a new field does not pass unseen; ids, roles, dates and
//! counts stay, and equal originals stay equal.

use std::sync::Arc;

use super::{Class, Redactor};
use crate::{
    access::{AccessChange, Place},
    address::Kind,
    plan::{
        Plan, Step,
        compare::{Compared, Entries},
        rules::RuleChange,
        step::{
            Acknowledgement, Base, Expiring, GuardResult, KeyFate, LastApplied, Organization,
            Population, Revision, Unmanaged, Waiting,
        },
    },
    resource::Disposition,
};

/// The sections whose entries people make up.
const MADE_UP: [&str; 4] = ["policy", "tests", "files", "manage.ignore"];

/// A rule of the files below one of these sections, as the section and the rest.
fn made_up(rule: &str) -> Option<(&'static str, &str)> {
    MADE_UP
        .iter()
        .find_map(|section| Some((*section, rule.strip_prefix(section)?.strip_prefix('.')?)))
}

impl Redactor {
    /// A plan without its originals.
    pub fn plan(&mut self, plan: &Plan) -> Plan {
        // The first time meets every original that has a field, the second finds them in messages too.
        self.walk_plan(plan);
        self.walk_plan(plan)
    }

    /// A comparison and its rules without their originals.
    pub fn comparison(
        &mut self,
        compared: &Compared,
        rules: &[RuleChange],
    ) -> (Compared, Vec<RuleChange>) {
        self.walk_compared(compared);
        let compared = self.walk_compared(compared);
        (compared, rules.iter().map(|rule| self.rule(rule)).collect())
    }

    fn walk_plan(&mut self, plan: &Plan) -> Plan {
        let Plan {
            format_version,
            charter_version,
            passed,
            passed_when_saved,
            organization,
            created_at,
            observed,
            steps,
            waiting,
            unmanaged,
            expiring,
            keys,
            access,
            guards,
            policy,
            notes,
            bindings,
            population,
            limits,
            base,
            only,
            last_applied,
            revision,
            approval,
            acknowledgement,
            // It seals the originals.
            hmac: _,
        } = plan;
        let Organization { id, name, kind, pinned } = organization;
        let Population { members, workspace_members, api_keys } = population;
        Plan {
            format_version: *format_version,
            charter_version: charter_version.clone(),
            // Guards and counts name nobody.
            passed: passed.clone(),
            passed_when_saved: passed_when_saved.clone(),
            organization: Organization {
                id: id.clone(),
                name: name.as_ref().map(|name| self.name(Class::Organization, name)),
                kind: *kind,
                pinned: *pinned,
            },
            created_at: *created_at,
            observed: observed.clone(),
            steps: steps.iter().map(|step| self.step(step)).collect(),
            waiting: waiting.iter().map(|one| self.waiting(one)).collect(),
            unmanaged: unmanaged.iter().map(|one| self.unmanaged(one)).collect(),
            expiring: expiring.iter().map(|one| self.expiring(one)).collect(),
            keys: keys.iter().map(|one| self.fate(one)).collect(),
            access: access.iter().map(|one| self.access(one)).collect(),
            guards: guards.iter().map(|one| self.guard(one)).collect(),
            policy: self.diagnostics(policy),
            notes: self.diagnostics(notes),
            bindings: bindings
                .iter()
                .map(|(address, id)| (self.address(address), id.clone()))
                .collect(),
            population: Population {
                members: *members,
                workspace_members: workspace_members
                    .iter()
                    .map(|(name, count)| (self.workspace_or_id(name), *count))
                    .collect(),
                api_keys: *api_keys,
            },
            limits: limits.clone(),
            only: only.iter().map(|pattern| self.text(pattern)).collect(),
            base: base.as_ref().map(|base| self.base(base)),
            last_applied: last_applied.as_ref().map(|last| self.last_applied(last)),
            revision: revision.as_ref().map(|revision| {
                let Revision { commit, path } = revision;
                Revision { commit: commit.clone(), path: self.text(path) }
            }),
            approval: approval.clone(),
            acknowledgement: acknowledgement.as_ref().map(|asked| {
                let Acknowledgement { digest, steps } = asked;
                let steps = steps.iter().map(|address| self.address(address)).collect();
                Acknowledgement { digest: digest.clone(), steps }
            }),
            hmac: None,
        }
    }

    fn base(&mut self, base: &Base) -> Base {
        let Base { name, commit, rules, by_this_change, drift, limits } = base;
        Base {
            name: self.text(name),
            commit: commit.as_ref().map(|commit| self.text(commit)),
            rules: rules.iter().map(|rule| self.rule(rule)).collect(),
            by_this_change: *by_this_change,
            drift: *drift,
            limits: limits.clone(),
        }
    }

    fn last_applied(&mut self, last: &LastApplied) -> LastApplied {
        let LastApplied { commit, planned_at, rules, merged, limits } = last;
        LastApplied {
            commit: commit.clone(),
            planned_at: *planned_at,
            rules: rules.iter().map(|rule| self.rule(rule)).collect(),
            merged: *merged,
            limits: limits.clone(),
        }
    }

    fn walk_compared(&mut self, compared: &Compared) -> Compared {
        // What the entries are called is in the rules by now.
        let Compared { changes, access, stays, entries: _ } = compared;
        Compared {
            changes: changes
                .iter()
                .map(|(address, change)| (self.address(address), self.change(change)))
                .collect(),
            access: access.iter().map(|one| self.access(one)).collect(),
            stays: stays
                .iter()
                .map(|(address, object)| (self.address(address), Arc::new(self.object(object))))
                .collect(),
            entries: Entries::default(),
        }
    }

    fn rule(&mut self, change: &RuleChange) -> RuleChange {
        let RuleChange { rule, before, after, effect, at } = change;
        let at = at.as_ref().map(|span| self.span(span));
        let effect = effect.as_ref().map(|text| self.text(text));
        // What people made up (names of rules, patterns, reasons) may be anything, so none of it is shown.
        if let Some((section, rest)) = made_up(rule) {
            let mut value = |text: &Option<String>| match text.as_deref() {
                None => None,
                Some("managed") => Some("managed".to_owned()),
                Some(text) => Some(self.name(Class::Note, text)),
            };
            let (before, after) = (value(before), value(after));
            let rule = format!("{section}.{}", self.name(Class::Rule, rest));
            return RuleChange { rule, before, after, effect, at };
        }
        RuleChange {
            rule: self.text(rule),
            before: before.as_ref().map(|text| self.text(text)),
            after: after.as_ref().map(|text| self.text(text)),
            effect,
            at,
        }
    }

    fn step(&mut self, step: &Step) -> Step {
        let Step { address, change, disposition, cause, stage, at, rests_on, calls, attribution } =
            step;
        Step {
            address: self.address(address),
            change: self.change(change),
            disposition: match disposition {
                Disposition::Ready => Disposition::Ready,
                Disposition::Deferred { until, why } => {
                    Disposition::Deferred { until: self.address(until), why: self.text(why) }
                }
                Disposition::Manual { why } => Disposition::Manual { why: self.text(why) },
                Disposition::Held { why } => Disposition::Held { why: self.text(why) },
            },
            cause: *cause,
            stage: *stage,
            at: at.as_ref().map(|span| self.span(span)),
            rests_on: rests_on.iter().map(|fact| self.fact(fact)).collect(),
            calls: calls.iter().map(|call| self.call(call)).collect(),
            attribution: attribution.clone(),
        }
    }

    fn waiting(&mut self, waiting: &Waiting) -> Waiting {
        let Waiting { address, role, expires_at } = waiting;
        Waiting { address: self.address(address), role: role.clone(), expires_at: *expires_at }
    }

    fn unmanaged(&mut self, unmanaged: &Unmanaged) -> Unmanaged {
        let Unmanaged { address, title, id, detail } = unmanaged;
        let title = match address.kind {
            Kind::Member => self.name(Class::Name, title),
            Kind::Workspace => self.workspace_or_id(title),
            Kind::WorkspaceMember => self.text(title),
            Kind::ApiKey => self.name(Class::Key, title),
        };
        Unmanaged { address: self.address(address), title, id: id.clone(), detail: detail.clone() }
    }

    fn expiring(&mut self, expiring: &Expiring) -> Expiring {
        let Expiring { on, what, end, at } = expiring;
        Expiring {
            on: *on,
            what: self.text(what),
            end: *end,
            at: at.as_ref().map(|span| self.span(span)),
        }
    }

    fn fate(&mut self, fate: &KeyFate) -> KeyFate {
        let KeyFate {
            address,
            name,
            id,
            hint,
            dies,
            because_of,
            why,
            listed_active,
            by_expiry,
            own,
            late,
        } = fate;
        KeyFate {
            address: self.address(address),
            name: self.name(Class::Key, name),
            id: id.clone(),
            hint: hint.as_ref().map(|hint| self.name(Class::Hint, hint)),
            dies: *dies,
            because_of: self.address(because_of),
            why: self.text(why),
            listed_active: *listed_active,
            by_expiry: *by_expiry,
            own: *own,
            late: *late,
        }
    }

    fn access(&mut self, change: &AccessChange) -> AccessChange {
        let AccessChange { person, place, before, after } = change;
        AccessChange {
            person: self.mail(person),
            place: match place {
                Place::Organization => Place::Organization,
                Place::EveryWorkspace(count) => Place::EveryWorkspace(*count),
                Place::Workspace(name) => Place::Workspace(self.workspace_or_id(name)),
            },
            before: before.clone(),
            after: after.clone(),
        }
    }

    fn guard(&mut self, guard: &GuardResult) -> GuardResult {
        let within = guard.within.as_ref().map(|name| self.workspace_or_id(name));
        GuardResult { within, ..guard.clone() }
    }
}
