//! Grants as a person in the Console sees and changes them.
//!
//! Invariant: no rule of the Admin API holds here; any role may be given to anybody.

use super::Grant;
use crate::sandbox::state::State;

/// What a person does in the Console, or what tests look at.
impl State {
    /// Every explicit grant, hidden ones included, by workspace.
    pub fn grants(&self) -> impl Iterator<Item = Grant> {
        self.members.workspaces.iter().flat_map(|(workspace, rows)| {
            rows.by_number.values().map(|(user, role)| Grant {
                workspace_id: workspace.clone(),
                user_id: user.clone(),
                role: role.clone(),
            })
        })
    }

    /// The explicit role of somebody in a workspace, each named by id or by name or address.
    pub fn granted(&self, workspace: &str, who: &str) -> Option<&str> {
        self.members.get(&self.workspace(workspace)?.id, &self.user(who)?.id)
    }

    /// Grants any role, or changes it; false if workspace or user do not exist.
    pub fn set_grant(&mut self, workspace: &str, who: &str, role: &str) -> bool {
        let ids = self.workspace(workspace).zip(self.user(who));
        let Some((workspace, user)) = ids.map(|(w, u)| (w.id.clone(), u.id.clone())) else {
            return false;
        };
        self.members.set(&workspace, &user, role);
        true
    }

    /// Takes a grant away; false if there was none.
    pub fn remove_grant(&mut self, workspace: &str, who: &str) -> bool {
        let ids = self.workspace(workspace).zip(self.user(who));
        ids.map(|(w, u)| (w.id.clone(), u.id.clone()))
            .is_some_and(|(workspace, user)| self.members.remove(&workspace, &user))
    }
}
