//! Completes what the files want with what they do not manage, copied from live. Then the diff has no options.
//!
//! Invariant: an object goes only if an entry says so, or a managed list that was read whole leaves it out under
//! `remove`; everything else that is live is wanted as it is.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use globset::GlobMatcher;

use super::{bind::Bound, step::Cause};
use crate::{
    address::{Address, Kind, Name},
    diagnostic::Span,
    resource::{
        Desired, KeyStatus, Live, Object, Snapshot, Spec,
        desired::{GoneCause, IgnoreTarget, ListScope, Unlisted},
        workspace::CLAUDE_CODE,
    },
};

/// What the plan aims at.
#[derive(Clone, Debug, Default)]
pub struct Adopted {
    /// Every object that should be there afterwards.
    pub after: Snapshot,
    /// Live objects that a named list leaves out and that stay, to be shown.
    pub unmanaged: Vec<Address>,
    /// Live objects that go, with the reason and the line that says so.
    pub going: BTreeMap<Address, (Cause, Span)>,
}

/// Adopts.
pub fn adopt(desired: &Desired, live: &Live, bound: &Bound) -> Adopted {
    let judge = Judge::new(desired, live, bound);
    let bound = &bound.live;
    let mut adopted = Adopted::default();
    let mut pairs: Vec<(Address, Arc<Object>)> = Vec::new();

    // Kinds come in order: whether a person or workspace goes is known before its grants are met.
    for (address, wanted, live) in desired.objects.beside(bound) {
        let stays = match (wanted, live) {
            (Some(wanted), Some(live)) if judge.ignored(wanted) || judge.ignored(live) => {
                Some(Arc::clone(live))
            }
            (Some(wanted), Some(live)) => Some(completed(wanted, live)),
            (Some(wanted), None) => {
                (!judge.ignored(wanted)).then(|| with_lapsed_groups(wanted, judge.live))
            }
            (None, Some(live)) => {
                judge.stays(address, live, &mut adopted).then(|| Arc::clone(live))
            }
            (None, None) => None,
        };
        pairs.extend(stays.map(|object| (address.clone(), object)));
    }
    adopted.after = Snapshot::collect(pairs).0;
    adopted
}

/// The wanted object with every field that the files do not name taken from live.
fn completed(wanted: &Arc<Object>, live: &Arc<Object>) -> Arc<Object> {
    if wanted.spec == live.spec {
        return Arc::clone(wanted);
    }
    let mut object = Object::clone(wanted);
    object.spec.resource_mut().adopt(&live.spec);
    Arc::new(object)
}

/// Somebody to be invited again keeps the groups of the invite that lapsed: no file can name them.
fn with_lapsed_groups(wanted: &Arc<Object>, live: &Live) -> Arc<Object> {
    let Spec::Member(member) = &wanted.spec else { return Arc::clone(wanted) };
    let history = live.history.get(member.email.canonical());
    let Some(lapsed) = history.and_then(|history| history.lapsed.as_ref()) else {
        return Arc::clone(wanted);
    };
    let mut object = Object::clone(wanted);
    if let Spec::Member(member) = &mut object.spec {
        member.groups.clone_from(&lapsed.groups);
    }
    Arc::new(object)
}

/// Decides about objects that an `ignore` covers, and live ones that no entry names.
struct Judge<'a> {
    desired: &'a Desired,
    live: &'a Live,
    bound: &'a Bound,
    patterns: BTreeMap<IgnoreTarget, Vec<GlobMatcher>>,
    /// Names of people and workspaces that a pattern covers: their grants and keys are covered too.
    covered: HashSet<(Kind, Name)>,
}

impl<'a> Judge<'a> {
    fn new(desired: &'a Desired, live: &'a Live, bound: &'a Bound) -> Self {
        let mut patterns: BTreeMap<IgnoreTarget, Vec<GlobMatcher>> = BTreeMap::new();
        for ignore in &desired.scope.ignore {
            patterns.entry(ignore.target).or_default().push(ignore.pattern.compile_matcher());
        }
        let mut judge = Self { desired, live, bound, patterns, covered: HashSet::new() };
        if !judge.patterns.is_empty() {
            for (address, object) in bound.live.iter().chain(&desired.objects) {
                if matches!(address.kind, Kind::Member | Kind::Workspace) && judge.ignored(object) {
                    judge.covered.insert((address.kind, address.name.clone()));
                }
            }
        }
        judge
    }

    fn matches(&self, target: IgnoreTarget, name: &str) -> bool {
        self.patterns
            .get(&target)
            .is_some_and(|patterns| patterns.iter().any(|pattern| pattern.is_match(name)))
    }

    fn covers(&self, kind: Kind, name: &Name) -> bool {
        self.covered.contains(&(kind, name.clone()))
    }

    /// Whether an `ignore` covers it: then it is never touched, listed or not.
    fn ignored(&self, object: &Object) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        match &object.spec {
            Spec::Member(member) => self.matches(IgnoreTarget::Members, member.email.canonical()),
            Spec::Workspace(workspace) => self.matches(IgnoreTarget::Workspaces, &workspace.name),
            Spec::WorkspaceMember(grant) => {
                self.covers(Kind::Workspace, &grant.workspace)
                    || self.covers(Kind::Member, &grant.member)
                    || self.matches(IgnoreTarget::Members, grant.member.as_str())
            }
            Spec::ApiKey(key) => {
                let id = object.remote.as_ref().map(|remote| remote.id.as_str());
                key.workspace.as_ref().is_some_and(|name| self.covers(Kind::Workspace, name))
                    || [key.name.as_deref(), id]
                        .into_iter()
                        .flatten()
                        .any(|name| self.matches(IgnoreTarget::ApiKeys, name))
            }
        }
    }

    /// Whether a live object that no entry wants stays. If it goes, or stays and is to be shown, `adopted` says so.
    fn stays(&self, address: &Address, object: &Object, adopted: &mut Adopted) -> bool {
        if self.desired.kept.contains(address) {
            return true;
        }
        let lost = object
            .spec
            .resource()
            .references()
            .iter()
            .find_map(|reference| adopted.going.get(reference).cloned());
        let lost = lost.filter(|_| address.kind == Kind::WorkspaceMember);
        if lost.is_none() && self.ignored(object) {
            return true;
        }
        let going = match self.desired.gone.get(address) {
            Some(gone) => {
                let cause = match gone.cause {
                    GoneCause::None => Cause::None,
                    GoneCause::Expired => Cause::Expired,
                    GoneCause::Archived => Cause::Archived,
                };
                Some((cause, gone.source.span.clone()))
            }
            None => lost.or_else(|| match self.unlisted(address, object) {
                Some((Unlisted::Remove, span)) => Some((Cause::Unlisted, span.clone())),
                Some((Unlisted::Report, _)) => {
                    adopted.unmanaged.push(address.clone());
                    None
                }
                Some((Unlisted::Ignore, _)) | None => None,
            }),
        };
        let stays = going.is_none();
        adopted.going.extend(going.map(|going| (address.clone(), going)));
        stays
    }

    /// What the list that could have named it says about it; `None`: nothing manages it.
    fn unlisted(&self, address: &Address, object: &Object) -> Option<(Unlisted, &'a Span)> {
        let scope = &self.desired.scope;
        let coverage = &self.live.coverage;
        let list = match &object.spec {
            Spec::Member(_) => {
                let unclear =
                    object.remote.as_ref().is_some_and(|r| self.bound.ambiguous.contains(&r.id));
                scope.members.as_ref().filter(|_| coverage.members && !unclear)
            }
            Spec::Workspace(workspace) => {
                let shielded = workspace.is_default || &*workspace.name == CLAUDE_CODE;
                scope.workspaces.as_ref().filter(|_| coverage.workspaces && !shielded)
            }
            Spec::WorkspaceMember(grant) => {
                // A row whose person is not among the users may be newer than their listing.
                let unknown = matches!(grant.member, Name::Id(_)) && address.scope.is_some();
                let list = scope.workspace_members.get(&grant.workspace);
                list.filter(|_| coverage.members && !unknown)
            }
            Spec::ApiKey(key) => {
                let over = matches!(key.status, Some(KeyStatus::Archived | KeyStatus::Expired));
                scope.api_keys.get(&key.workspace).filter(|_| coverage.api_keys && !over)
            }
        };
        list.map(|ListScope { unlisted, span }| (*unlisted, span))
    }
}
