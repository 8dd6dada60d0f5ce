//! What a call is for, whether it destroys, and how long to look for it.
//!
//! Invariant: read off the call's method and path alone, so that a plan from a file is judged by what it would do.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    address::{Address, RemoteId},
    api::{
        call::{Call, Part},
        transport::Method,
    },
    plan::Step,
    resource::{Fact, KeyStatus},
};

/// What one call is for, read off its method and path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::apply) enum Effect {
    /// Invites somebody.
    Invite,
    /// Withdraws an invite.
    Withdraw(String),
    /// Changes a person's role.
    SetRole(String),
    /// Removes a person.
    RemoveUser(String),
    /// Makes a workspace.
    MakeWorkspace,
    /// Changes a workspace.
    ChangeWorkspace(String),
    /// Archives a workspace.
    Archive(String),
    /// Grants a role in a workspace.
    Grant(Place),
    /// Changes the role in a workspace.
    ChangeGrant(Place),
    /// Takes a grant away.
    RemoveGrant(Place),
    /// Changes a key.
    ChangeKey(String),
}

/// Where a grant is, and whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::apply) struct Place {
    pub(in crate::apply) workspace: String,
    pub(in crate::apply) user: String,
}

impl Effect {
    /// What `call` is for; `None` if it is no call that charter makes.
    pub(in crate::apply) fn of(call: &Call, ids: &BTreeMap<Address, RemoteId>) -> Option<Self> {
        let text = |part: &Part| match part {
            Part::Text(Value::String(text)) => Some(text.clone()),
            Part::Text(_) => None,
            Part::IdOf(address) => ids.get(address).map(|id| id.as_str().to_owned()),
        };
        let path: Vec<String> = call.path.iter().map(text).collect::<Option<_>>()?;
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let place = |workspace: &str, user: &str| Place {
            workspace: workspace.to_owned(),
            user: user.to_owned(),
        };
        Some(match (call.method, path.as_slice()) {
            (Method::Post, ["invites"]) => Effect::Invite,
            (Method::Delete, ["invites", id]) => Effect::Withdraw((*id).to_owned()),
            (Method::Post, ["users", id]) => Effect::SetRole((*id).to_owned()),
            (Method::Delete, ["users", id]) => Effect::RemoveUser((*id).to_owned()),
            (Method::Post, ["workspaces"]) => Effect::MakeWorkspace,
            (Method::Post, ["workspaces", id]) => Effect::ChangeWorkspace((*id).to_owned()),
            (Method::Post, ["workspaces", id, "archive"]) => Effect::Archive((*id).to_owned()),
            (Method::Post, ["workspaces", id, "members"]) => {
                let user = call.body.as_ref()?.get("user_id").and_then(text)?;
                Effect::Grant(place(id, &user))
            }
            (Method::Post, ["workspaces", id, "members", user]) => {
                Effect::ChangeGrant(place(id, user))
            }
            (Method::Delete, ["workspaces", id, "members", user]) => {
                Effect::RemoveGrant(place(id, user))
            }
            (Method::Post, ["api_keys", id]) => Effect::ChangeKey((*id).to_owned()),
            _ => return None,
        })
    }

    /// Whether there is a look before it is sent: nothing brings back what it takes, or takes back what it makes.
    pub(in crate::apply) fn is_final(&self, step: &Step) -> bool {
        match self {
            Effect::Withdraw(_)
            | Effect::RemoveUser(_)
            | Effect::Archive(_)
            | Effect::RemoveGrant(_) => true,
            Effect::MakeWorkspace => is_alone(step),
            Effect::ChangeKey(_) => step
                .change
                .field("status")
                .is_some_and(|field| field.after.as_str() != Some(KeyStatus::Active.as_str())),
            Effect::Invite
            | Effect::SetRole(_)
            | Effect::ChangeWorkspace(_)
            | Effect::Grant(_)
            | Effect::ChangeGrant(_) => false,
        }
    }

    /// The place of a grant, if it is about one.
    pub(in crate::apply) fn place(&self) -> Option<&Place> {
        match self {
            Effect::Grant(place) | Effect::ChangeGrant(place) | Effect::RemoveGrant(place) => {
                Some(place)
            }
            Effect::Invite
            | Effect::Withdraw(_)
            | Effect::SetRole(_)
            | Effect::RemoveUser(_)
            | Effect::MakeWorkspace
            | Effect::ChangeWorkspace(_)
            | Effect::Archive(_)
            | Effect::ChangeKey(_) => None,
        }
    }

    /// How long to wait before each look for what a lost reply may have made. A workspace made twice stays for
    /// ever, and reads may lag behind writes, so that one is looked for longest.
    pub(in crate::apply) fn looks(&self) -> &'static [u64] {
        match self {
            Effect::MakeWorkspace => &[1, 4, 10],
            Effect::Invite | Effect::Grant(_) => &[1, 4],
            Effect::Withdraw(_)
            | Effect::SetRole(_)
            | Effect::RemoveUser(_)
            | Effect::ChangeWorkspace(_)
            | Effect::Archive(_)
            | Effect::ChangeGrant(_)
            | Effect::RemoveGrant(_)
            | Effect::ChangeKey(_) => &[1],
        }
    }
}

/// Whether the plan rests on it that no active workspace has the name of the one that the step makes: any that has it
/// then was made since.
pub(in crate::apply) fn is_alone(step: &Step) -> bool {
    step.rests_on.iter().any(|fact| matches!(fact, Fact::NoWorkspace { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_made_twice_is_looked_for_more_often_and_longest_if_it_stays_for_ever() {
        let longest = |effect: Effect| effect.looks().last().copied().unwrap_or_default();
        assert!(longest(Effect::MakeWorkspace) > longest(Effect::Invite));
        assert!(Effect::MakeWorkspace.looks().len() > Effect::Invite.looks().len());
        assert!(longest(Effect::Invite) > longest(Effect::SetRole("user_1".to_owned())));
        assert!(Effect::SetRole("user_1".to_owned()).looks().len() == 1);
    }
}
