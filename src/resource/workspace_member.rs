//! The grant of one person in one workspace.
//!
//! Invariant: what a person inherits from an organization role is never added, changed or taken by a call, and a role
//! that charter does not know is never overwritten.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Calls, Change, Disposition, Fact, FieldChange, Ids, Object, Phase, Resource, Role, Settled,
    Spec, WorkspaceRole, World, field_fact,
};
use crate::{
    address::{Address, Kind, Name},
    api::call::{Call, Part, Resend},
};

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct WorkspaceMember {
    /// The workspace's name in its address.
    pub workspace: Name,
    /// The person's name in their address.
    pub member: Name,
    /// The role in the workspace.
    pub role: WorkspaceRole,
}

impl WorkspaceMember {
    fn workspace_address(&self) -> Address {
        Address::workspace(self.workspace.clone())
    }

    fn member_address(&self) -> Address {
        Address::member(self.member.clone())
    }

    fn path(&self, ids: Ids<'_>) -> [Part; 3] {
        [Part::text("workspaces"), ids.of(&self.workspace_address()), Part::text("members")]
    }
}

impl WorkspaceMember {
    /// Of somebody who inherits nothing: all access is granted.
    fn settle_own(&self, change: &Change) -> Settled {
        match (change, live_role(change)) {
            (Change::Remove { .. }, _) => Settled::READY,
            (_, Some(WorkspaceRole::Other(unknown))) => self.unknown(unknown),
            _ => Settled::READY,
        }
    }

    /// Of somebody whose organization role gives more than any grant.
    fn settle_inherited(&self, change: &Change, role: &Role, inherited: &WorkspaceRole) -> Settled {
        match change {
            // An explicit grant of somebody who inherits more is read-only: it shows again after a demotion.
            Change::Remove { .. } => Settled::Satisfied,
            Change::Create { .. } | Change::Update { .. } | Change::Replace { .. } => {
                if self.role == *inherited {
                    return Settled::Satisfied;
                }
                Settled::manual(format!(
                    "`{}` has `{inherited}` in every workspace through the organization role `{role}`, which \
                     is more than `{}`: drop this grant, or change the organization role first",
                    self.member, self.role
                ))
            }
        }
    }

    /// Of a billing member, who inherits `workspace_billing` everywhere and may be raised to `workspace_admin`.
    /// Whether the API shows such a grant is not documented (core.md §3.5, §5.30): what it shows is revoked, and what
    /// it may hide is sent once.
    fn settle_billing(&self, change: &Change, world: &World<'_>) -> Settled {
        let live = live_role(change);
        if let Change::Remove { .. } = change {
            // Nobody granted what is inherited, and no call takes it back.
            let inherited = live == Some(&WorkspaceRole::Billing);
            return if inherited { Settled::Satisfied } else { Settled::READY };
        }
        if self.role != WorkspaceRole::Admin {
            return Settled::manual(format!(
                "`{}` has `workspace_billing` in every workspace through the organization role `billing`, and can be \
                 given no role there but `workspace_admin`: write `workspace_admin`, or `none`, or change the \
                 organization role first",
                self.member
            ));
        }
        match live {
            Some(WorkspaceRole::Other(unknown)) => self.unknown(unknown),
            None | Some(WorkspaceRole::Billing) => self.settle_hidden(world),
            Some(_) => Settled::READY,
        }
    }

    /// A grant to a billing member that the API does not show, which does not say that it is not there.
    fn settle_hidden(&self, world: &World<'_>) -> Settled {
        let address = Address::workspace_member(self.workspace.clone(), self.member.clone());
        let is_billing = world.live.get(&self.member_address()).is_some_and(|object| {
            object.phase() == Some(Phase::Active)
                && matches!(&object.spec, Spec::Member(member) if member.role == Some(Role::Billing))
        });
        let made = world.live.contains(&self.workspace_address());
        // An invited person, another role, and a workspace that does not exist yet can have no grant that is hidden.
        if !is_billing || !made || world.shows_grants_of_billing() || (world.asked)(&address) {
            return Settled::READY;
        }
        Settled::manual(format!(
            "whether `{}` has `workspace_admin` here cannot be seen: the API may hide what a billing member is granted, \
             and shows no such grant, so it is not sent again in every run; look in the Console under Settings > \
             Workspaces, and to send it once choose this step by itself: `--only {}`",
            self.member,
            address.on_a_command_line()
        ))
    }

    fn unknown(&self, live: &str) -> Settled {
        Settled::manual(format!(
            "`{}` has the role `{live}` here, which this version of charter does not know and never overwrites: change it \
             in the Console under Settings > Workspaces, or write `unmanaged` to keep it, or `none` to revoke it",
            self.member
        ))
    }
}

/// The role that is live.
fn live_role(change: &Change) -> Option<&WorkspaceRole> {
    match &change.before()?.spec {
        Spec::WorkspaceMember(grant) => Some(&grant.role),
        _ => None,
    }
}

impl Resource for WorkspaceMember {
    fn title(&self) -> String {
        self.member.as_str().to_owned()
    }

    fn fields(&self) -> Vec<(String, Value)> {
        let WorkspaceMember { workspace: _, member: _, role } = self;
        vec![("role".to_owned(), Value::from(role.as_str()))]
    }

    fn adopt(&mut self, _live: &Spec) {}

    fn references(&self) -> Vec<Address> {
        vec![self.member_address(), self.workspace_address()]
    }

    fn rebind(&mut self, name_of: &dyn Fn(Kind, &Name) -> Name) {
        self.workspace = name_of(Kind::Workspace, &self.workspace);
        self.member = name_of(Kind::Member, &self.member);
    }

    fn settle(&self, change: &Change, world: &World<'_>) -> Settled {
        let role = world.deciding_role(&self.member);
        match role.as_ref().and_then(|role| Some((role, role.inherited()?))) {
            Some((Role::Billing, _)) => self.settle_billing(change, world),
            Some((role, inherited)) => self.settle_inherited(change, role, &inherited),
            None => self.settle_own(change),
        }
    }

    fn settle_unlisted(&self) -> Option<Disposition> {
        let WorkspaceRole::Other(unknown) = &self.role else { return None };
        Some(Disposition::Manual {
            why: format!(
                "`{}` has the role `{unknown}` here, which this version of charter does not know, and no entry asks to \
                 revoke it: write `none` for this person to revoke it, or `unmanaged` to keep it",
                self.member
            ),
        })
    }

    fn rests_on(&self, change: &Change, world: &World<'_>) -> Vec<Fact> {
        let ids = Ids(world.live);
        let mut facts = Vec::new();
        if let Some(person) = world.live.get(&self.member_address()) {
            facts.extend(field_fact(Kind::Member, person, "role"));
        }
        match change.before() {
            Some(before) => facts.extend(field_fact(Kind::WorkspaceMember, before, "role")),
            None => {
                let (workspace, member) = (self.workspace_address(), self.member_address());
                if let (Some(workspace), Some(user)) = (ids.known(&workspace), ids.known(&member)) {
                    facts.push(Fact::NoGrant {
                        workspace: workspace.clone(),
                        user: user.clone(),
                        name: format!("{} in {}", self.member, self.workspace),
                    });
                }
            }
        }
        facts
    }

    fn create(&self, ids: &Ids<'_>) -> Calls {
        let body = [
            ("user_id", ids.of(&self.member_address())),
            ("workspace_role", Part::text(self.role.as_str())),
        ];
        Ok(vec![Call::post(self.path(*ids), body, Resend::LookFirst)])
    }

    fn update(&self, _before: &Object, fields: &[FieldChange], ids: &Ids<'_>) -> Calls {
        if fields.is_empty() {
            return Ok(Vec::new());
        }
        let path = self.path(*ids).into_iter().chain([ids.of(&self.member_address())]);
        let body = [("workspace_role", Part::text(self.role.as_str()))];
        Ok(vec![Call::post(path, body, Resend::Safe)])
    }

    fn remove(&self, _before: &Object, ids: &Ids<'_>) -> Calls {
        let path = self.path(*ids).into_iter().chain([ids.of(&self.member_address())]);
        Ok(vec![Call::delete(path)])
    }
}
