//! Tells what a change of the files does from what has drifted, by holding a plan against the files as they were.
//!
//! Invariant: a step is drift only if the base wants exactly the same there; a plan with a base passes the guards,
//! ignores and approvals of both.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    acknowledge, adopt, bind, guard,
    rules::RuleChange,
    step::{Plan, Step},
};
use crate::{
    address::{Address, Kind, Name, RemoteId},
    diagnostic::{self, Diagnostic},
    resource::{
        Change, Desired, Live, Snapshot, Spec,
        desired::{GuardName, Ignore, IgnoreTarget, Limit},
    },
};

/// The files a plan was held against: those of the revision that is changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Base {
    /// The revision or path, as it was asked for.
    pub name: String,
    /// The commit, if it is a revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The rules of the files that differ, which come before all changes: they decide what later plans may do.
    pub rules: Vec<RuleChange>,
    /// Steps that are there by this change.
    pub by_this_change: u64,
    /// Steps that would be there without it.
    pub drift: u64,
    /// Its limits: a plan passes the stricter ones.
    pub limits: BTreeMap<GuardName, Limit>,
}

/// Where a step comes from, seen from a base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Attribution {
    /// The files want something here that the base does not.
    ThisChange,
    /// The base wants the same: live has drifted, or waits.
    Drift,
    /// Some fields differ from the base, the others have drifted.
    Both {
        /// The fields that are by this change.
        fields: Vec<String>,
    },
}

impl Attribution {
    /// Whether the step is there, in part at least, by this change.
    pub fn is_by_this_change(&self) -> bool {
        matches!(self, Attribution::ThisChange | Attribution::Both { .. })
    }
}

impl fmt::Display for Attribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Attribution::ThisChange => f.write_str("by this change"),
            Attribution::Drift => f.write_str("drift"),
            Attribution::Both { fields } => {
                write!(f, "{} by this change, the rest is drift", fields.join(", "))
            }
        }
    }
}

/// The files that are changed, as they were.
#[derive(Clone, Debug)]
pub struct Former {
    /// The revision or path, as it was asked for.
    pub name: String,
    /// The commit, if it is a revision.
    pub commit: Option<String>,
    /// What they want.
    pub desired: Desired,
    /// How the rules of the files differ.
    pub rules: Vec<RuleChange>,
}

/// Holds a plan against a base: marks its steps, and takes the stricter of both sets of rules.
pub fn hold_against(
    plan: &mut Plan,
    head: &Desired,
    former: Former,
    live: &Live,
    allow: &BTreeMap<GuardName, u64>,
) {
    let Former { name, commit, desired: base, rules } = former;
    let sides = Sides::new(head, &base, live);
    let (mut by_this_change, mut drift) = (0, 0);
    for step in &mut plan.steps {
        let attribution = sides.attribution(step);
        by_this_change += u64::from(attribution.is_by_this_change());
        drift += u64::from(!attribution.is_by_this_change());
        step.attribution = Some(attribution);
    }
    plan.notes.extend(of_another_organization(plan, head, &base));
    plan.notes.extend(touches_ignored(plan, &base, &name));
    diagnostic::sort(&mut plan.notes);
    let limits = base.guard.0.iter().map(|(name, (limit, _))| (*name, *limit)).collect();
    plan.base = Some(Base { name, commit, rules, by_this_change, drift, limits });
    plan.approval = plan.approval.and(&base.approval);
    let returning = guard::returning(&plan.steps, live);
    plan.guards = guard::judge(plan, allow, returning.len() as u64);
    plan.acknowledgement = acknowledge::needed(plan, &returning);
}

/// A base for another organization says nothing about this one.
fn of_another_organization(plan: &Plan, head: &Desired, base: &Desired) -> Option<Diagnostic> {
    let (new, old) = (head.organization.id.as_ref(), base.organization.id.as_ref()?);
    if plan.is_empty() || new == Some(old) {
        return None;
    }
    Some(
        Diagnostic::error(
            "base/organization",
            format!("the base is for the organization `{old}`, so it cannot vouch for this plan"),
        )
        .at_opt(head.organization.span.as_ref())
        .help("change `organization.id` in a change of its own, and apply the rest after it"),
    )
}

/// Ready steps on what the base ignores: to stop ignoring something and to change it takes two merges.
fn touches_ignored(plan: &Plan, base: &Desired, name: &str) -> Vec<Diagnostic> {
    let globs: Vec<(&Ignore, globset::GlobMatcher)> =
        base.scope.ignore.iter().map(|ignore| (ignore, ignore.pattern.compile_matcher())).collect();
    let mut found = Vec::new();
    for step in plan.ready() {
        let named = names(step);
        let ignored = globs.iter().find(|(ignore, glob)| {
            named.iter().any(|(target, text)| *target == ignore.target && glob.is_match(text))
        });
        let Some((ignore, _)) = ignored else { continue };
        let message = format!(
            "{} is under `manage.ignore` in the base `{name}` (`{}`: {}), and this plan changes it",
            step.address,
            ignore.pattern.glob(),
            ignore.reason,
        );
        found.push(
            Diagnostic::error("base/ignored", message)
                .at_opt(step.at.as_ref())
                .help("remove the `ignore` in a change of its own, and change this after it"),
        );
    }
    found
}

/// What an ignore could name a step's object by.
fn names(step: &Step) -> Vec<(IgnoreTarget, String)> {
    let mut names = Vec::new();
    let sides = [step.change.before(), step.change.after()];
    for object in sides.into_iter().flatten() {
        match &object.spec {
            Spec::Member(member) => {
                names.push((IgnoreTarget::Members, member.email.canonical().to_string()));
            }
            Spec::Workspace(workspace) => {
                names.push((IgnoreTarget::Workspaces, workspace.name.to_string()));
            }
            Spec::WorkspaceMember(grant) => {
                names.push((IgnoreTarget::Members, grant.member.to_string()));
                names.push((IgnoreTarget::Workspaces, grant.workspace.to_string()));
            }
            Spec::ApiKey(key) => {
                names.extend(key.name.iter().map(|name| (IgnoreTarget::ApiKeys, name.to_string())));
                let id = object.remote.as_ref().map(|remote| remote.id.to_string());
                names.extend(id.map(|id| (IgnoreTarget::ApiKeys, id)));
                let place = key.workspace.iter();
                names.extend(place.map(|name| (IgnoreTarget::Workspaces, name.to_string())));
            }
        }
    }
    names
}

/// What both sets of files want of the same live organization.
struct Sides {
    /// What the base wants.
    wanted: Snapshot,
    /// The base's names of live people and workspaces, by the head's.
    renamed: BTreeMap<(Kind, Name), Name>,
    /// The base's addresses of live objects.
    by_id: BTreeMap<(Kind, RemoteId), Address>,
}

impl Sides {
    fn new(head: &Desired, base: &Desired, live: &Live) -> Self {
        let bound = bind::bind(base, live);
        let wanted = adopt::adopt(base, live, &bound).after;
        let id_of = |address: &Address, snapshot: &Snapshot| {
            let remote = snapshot.get(address)?.remote.as_ref()?;
            Some((address.kind, remote.id.clone()))
        };
        let by_id: BTreeMap<_, _> = bound
            .live
            .iter()
            .filter_map(|(address, _)| Some((id_of(address, &bound.live)?, address.clone())))
            .collect();
        let here = bind::bind(head, live).live;
        let renamed = [Kind::Member, Kind::Workspace]
            .into_iter()
            .flat_map(|kind| here.of(kind))
            .filter_map(|(address, _)| {
                let other = by_id.get(&id_of(address, &here)?)?;
                Some(((address.kind, address.name.clone()), other.name.clone()))
            })
            .collect();
        Self { wanted, renamed, by_id }
    }

    fn attribution(&self, step: &Step) -> Attribution {
        let wanted =
            self.wanted.get(&self.base_address(step)).map(|object| object.spec.resource().fields());
        let (Some(after), Some(wanted)) = (step.change.after(), &wanted) else {
            // One of them wants it gone.
            return match (step.change.after(), wanted) {
                (None, None) => Attribution::Drift,
                _ => Attribution::ThisChange,
            };
        };
        let after = after.spec.resource().fields();
        let value = |fields: &[(String, Value)], name: &str| {
            fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone())
        };
        let same = |field: &str| match field {
            // Labels may differ where the workspace is the same.
            "workspace" => true,
            field => value(&after, field) == value(wanted, field),
        };
        match &step.change {
            Change::Update { fields, .. } | Change::Replace { fields, .. } => {
                let changed: Vec<String> = fields
                    .iter()
                    .map(|change| change.field.clone())
                    .filter(|field| !same(field))
                    .collect();
                if changed.is_empty() {
                    Attribution::Drift
                } else if changed.len() == fields.len() {
                    Attribution::ThisChange
                } else {
                    Attribution::Both { fields: changed }
                }
            }
            Change::Create { .. } | Change::Remove { .. } => {
                let names: BTreeSet<&String> =
                    after.iter().chain(wanted).map(|(field, _)| field).collect();
                if names.into_iter().all(|field| same(field)) {
                    Attribution::Drift
                } else {
                    Attribution::ThisChange
                }
            }
        }
    }

    /// What the base calls the object of a step.
    fn base_address(&self, step: &Step) -> Address {
        let address = &step.address;
        let id = step.change.before().and_then(|object| object.remote.as_ref());
        let known = id.and_then(|remote| self.by_id.get(&(address.kind, remote.id.clone())));
        if let Some(known) = known {
            return known.clone();
        }
        let name_of = |kind: Kind, name: &Name| {
            self.renamed.get(&(kind, name.clone())).unwrap_or(name).clone()
        };
        let mut other = address.clone();
        other.scope = other.scope.map(|scope| name_of(Kind::Workspace, &scope));
        if address.kind == Kind::WorkspaceMember {
            other.name = name_of(Kind::Member, &other.name);
        }
        other
    }
}
