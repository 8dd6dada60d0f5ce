//! The grant of one person in one workspace.
//!
//! Invariant: what a person inherits from an organization role is never added, changed or taken by a call.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Calls, Change, Fact, FieldChange, Ids, Object, Resource, Settled, Spec, WorkspaceRole, World,
    field_fact,
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
        let Some(role) = world.deciding_role(&self.member) else { return Settled::READY };
        let Some(inherited) = role.inherited() else { return Settled::READY };
        match change {
            // An explicit grant of somebody who inherits more is read-only: it shows again after a demotion.
            Change::Remove { .. } => Settled::Satisfied,
            Change::Create { .. } | Change::Update { .. } | Change::Replace { .. } => {
                if self.role == inherited {
                    Settled::Satisfied
                } else if inherited.compare(&self.role) == Some(Ordering::Greater) {
                    Settled::manual(format!(
                        "`{}` has `{inherited}` in every workspace through the organization role `{role}`, which \
                         is more than `{}`: drop this grant, or change the organization role first",
                        self.member, self.role
                    ))
                } else {
                    Settled::manual(format!(
                        "`{}` has `{inherited}` in every workspace through the organization role `{role}`, and \
                         charter makes no grants to such people: drop this grant, or change the \
                         organization role first",
                        self.member
                    ))
                }
            }
        }
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
