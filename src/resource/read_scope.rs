//! What has to be read to plan these files: kinds that nothing names are not read.
//!
//! Invariant: asks for a listing only if some step, reference or finding can depend on it.

use std::collections::BTreeSet;

use super::{Desired, OrgKind, Spec, desired::Scope, matching::Target};
use crate::address::{Address, Kind, Name};

/// What to read.
#[expect(clippy::struct_excessive_bools, reason = "one flag a listing says it best")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadScope {
    /// Users and invites.
    pub members: bool,
    /// Workspaces, archived ones included.
    pub workspaces: bool,
    /// The Default Workspace, which is listed only on request.
    pub default_workspace: bool,
    /// The members of which workspaces.
    pub grants: GrantScope,
    /// API keys.
    pub api_keys: bool,
}

/// The workspaces whose members are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantScope {
    /// None.
    None,
    /// Every active one, but for the Default Workspace, which has none.
    All,
    /// Those that these entries mean.
    Of(Vec<GrantTarget>),
}

/// An entry for a workspace, as far as it decides whose members are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantTarget {
    /// Which live workspace it means.
    pub target: Target,
    /// Its members are managed, so they are read; otherwise the entry only claims its workspace.
    pub managed: bool,
    /// If no live workspace has its name, the members of the workspaces that no entry claims are read too: one with
    /// the same grants is probably this one under another name.
    pub may_be_renamed: bool,
}

impl GrantTarget {
    /// The workspace whose members are managed, and no other.
    pub fn managed(target: Target) -> Self {
        Self { target, managed: true, may_be_renamed: false }
    }
}

impl ReadScope {
    /// Everything there is.
    pub fn everything() -> Self {
        Self {
            members: true,
            workspaces: true,
            default_workspace: true,
            grants: GrantScope::All,
            api_keys: true,
        }
    }

    /// Nothing at all.
    pub fn nothing() -> Self {
        Self {
            members: false,
            workspaces: false,
            default_workspace: false,
            grants: GrantScope::None,
            api_keys: false,
        }
    }

    /// Everything that an organization of this kind has.
    pub fn all_of(kind: OrgKind) -> Self {
        let (people, workspaces) = match kind {
            OrgKind::Console => return Self::everything(),
            OrgKind::Enterprise => (true, false),
            OrgKind::Aws => (false, true),
        };
        let nothing = Self::nothing();
        Self { members: people, workspaces, default_workspace: workspaces, ..nothing }
    }
}

impl Desired {
    /// What has to be read to plan it.
    pub fn read_scope(&self) -> ReadScope {
        let Scope { members, workspaces, workspace_members, api_keys, ignore: _ } = &self.scope;
        let grants = !workspace_members.is_empty();
        let default_workspace = self.objects.of(Kind::Workspace).any(
            |(_, object)| matches!(&object.spec, Spec::Workspace(workspace) if workspace.is_default),
        );
        ReadScope {
            members: members.is_some() || grants,
            workspaces: workspaces.is_some() || grants || !api_keys.is_empty(),
            default_workspace,
            grants: if grants { GrantScope::Of(self.grant_targets()) } else { GrantScope::None },
            api_keys: !api_keys.is_empty(),
        }
    }

    fn grant_targets(&self) -> Vec<GrantTarget> {
        self.workspace_targets()
            .map(|(name, target, managed)| {
                let address = Address::workspace(name.clone());
                // Whatever its list holds: the scope has to be known before lists are read.
                let may_be_renamed = target.id.is_none()
                    && managed
                    && !self.gone.contains_key(&address)
                    && !self.is_declared_new(&address);
                GrantTarget { target, managed, may_be_renamed }
            })
            .collect()
    }

    /// Workspaces whose wanted grants say enough to recognize them by: those of a team, or of two people.
    pub fn comparable_by_grants(&self) -> BTreeSet<&Name> {
        let mut comparable: BTreeSet<&Name> = self.granted_to_teams.iter().collect();
        // Grants are sorted by workspace, so two of one workspace follow each other.
        let mut last = None;
        for scope in self.objects.of(Kind::WorkspaceMember).map(|(grant, _)| &grant.scope) {
            if last == Some(scope) {
                comparable.extend(scope);
            }
            last = Some(scope);
        }
        comparable
    }

    /// Whether an entry says `previously: []`: new, whatever it resembles.
    pub fn is_declared_new(&self, address: &Address) -> bool {
        let pin = self.pins.get(address);
        pin.and_then(|pin| pin.previously.as_ref()).is_some_and(Vec::is_empty)
    }

    /// Every workspace entry (wanted or gone, but for Default) with what it means, and whether its members
    /// are managed.
    pub fn workspace_targets(&self) -> impl Iterator<Item = (&Name, Target, bool)> {
        let wanted =
            self.objects.of(Kind::Workspace).filter_map(|(address, object)| match &object.spec {
                Spec::Workspace(spec) if !spec.is_default => Some((address, spec.name.clone())),
                _ => None,
            });
        let gone = self
            .gone
            .keys()
            .filter(|address| address.kind == Kind::Workspace)
            .map(|address| (address, address.name.as_str().into()));
        wanted.chain(gone).map(|(address, name)| {
            let pin = self.pins.get(address);
            let target = Target {
                id: pin.and_then(|pin| pin.id.clone()),
                name,
                previously: pin.and_then(|pin| pin.previously.clone()).unwrap_or_default(),
            };
            (&address.name, target, self.scope.workspace_members.contains_key(&address.name))
        })
    }
}
