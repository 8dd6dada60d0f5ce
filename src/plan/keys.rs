//! Which API keys stop working, and which live on, when people, grants or workspaces go.
//!
//! Invariant: looks only at ready steps and at keys that work today or that a ready step switches on; a key it does
//! not understand lives on, and each key is told of once.

use std::{collections::BTreeSet, sync::Arc};

use super::step::{Cause, KeyFate, Step};
use crate::{
    address::{Address, Kind, RemoteId},
    resource::{
        Change, KeyStatus, Object, Phase, Snapshot, Spec, Verb,
        api_key::{Principal, Reach},
        workspace::CLAUDE_CODE,
    },
};

/// What goes, as far as keys care.
enum Loss<'a> {
    Person(&'a RemoteId),
    Grant { user: &'a RemoteId, workspace: &'a RemoteId },
    Workspace(&'a RemoteId),
}

/// The fate of every key that a ready step touches, in order of the keys' addresses, given which keys the files list
/// as active.
pub fn fates(
    steps: &[Step],
    live: &Snapshot,
    listed_active: &dyn Fn(&Address, &RemoteId) -> bool,
) -> Vec<KeyFate> {
    let losses: Vec<(&Step, Loss<'_>)> = steps
        .iter()
        .filter(|step| step.disposition.is_ready() && step.change.verb() == Verb::Remove)
        .filter_map(|step| Some((step, loss(&step.change, live)?)))
        .collect();
    if losses.is_empty() {
        return Vec::new();
    }
    let active = Some(KeyStatus::Active.as_str());
    let switched_on: BTreeSet<&Address> = steps
        .iter()
        .filter(|step| step.address.kind == Kind::ApiKey && step.disposition.is_ready())
        .filter(|step| step.change.field("status").is_some_and(|f| f.after.as_str() == active))
        .map(|step| &step.address)
        .collect();
    // What a step switches off by itself is told there.
    let switched_off: BTreeSet<&Address> = steps
        .iter()
        .filter(|step| step.address.kind == Kind::ApiKey && step.disposition.is_ready())
        .filter(|step| step.change.field("status").is_some_and(|f| f.after.as_str() != active))
        .map(|step| &step.address)
        .collect();
    let mut fates: Vec<KeyFate> = Vec::new();
    for (address, key) in live.of(Kind::ApiKey) {
        let Spec::ApiKey(spec) = &key.spec else { continue };
        let works = matches!(spec.status, Some(KeyStatus::Active)) || switched_on.contains(address);
        if !works || switched_off.contains(address) {
            continue;
        }
        let verdicts: Vec<(&Step, bool, String)> = losses
            .iter()
            .filter_map(|(step, loss)| {
                let (dies, why) = verdict(key, loss, live)?;
                Some((*step, dies, why))
            })
            .collect();
        let own = losses.iter().any(|(_, loss)| is_its_persons(key, loss, live));
        // One line a key: a cause that kills it says more than one that does not, and one that is not an
        // expiry more than one that is.
        let Some((step, dies, why)) = verdicts
            .into_iter()
            .max_by_key(|(step, dies, _)| (*dies, step.cause != Cause::Expired))
        else {
            continue;
        };
        let Some(remote) = &key.remote else { continue };
        fates.push(KeyFate {
            address: address.clone(),
            name: key.spec.resource().title(),
            id: remote.id.clone(),
            hint: key.key_facts().and_then(|facts| facts.hint.as_deref()).map(str::to_owned),
            dies,
            because_of: step.address.clone(),
            why,
            listed_active: listed_active(address, &remote.id),
            by_expiry: step.cause == Cause::Expired,
            own,
            late: false,
        });
    }
    fates
}

/// The key that charter runs with.
pub struct InUse<'a>(Vec<&'a Arc<Object>>);

impl<'a> InUse<'a> {
    /// Among what is live: the keys whose hint fits the credential.
    pub fn among(live: &'a Snapshot) -> Self {
        let keys = live.of(Kind::ApiKey).map(|(_, key)| key);
        Self(keys.filter(|key| key.key_facts().is_some_and(|facts| facts.in_use)).collect())
    }

    /// Why a removal is left to a person: it would end the key that charter runs with, and the run with it.
    pub fn ended_by(&self, change: &Change, live: &Snapshot) -> Option<String> {
        if self.0.is_empty() || change.verb() != Verb::Remove {
            return None;
        }
        let loss = loss(change, live)?;
        let dies = |key: &&&Arc<Object>| matches!(verdict(key, &loss, live), Some((true, _)));
        let key = self.0.iter().find(dies)?;
        let hint = key.key_facts().and_then(|facts| facts.hint.as_deref()).unwrap_or_default();
        Some(format!(
            "this would end `{}` ({hint}), the key charter runs with now, and the run with it: run charter with another \
             credential, such as an Admin API key, and it does this step",
            key.spec.resource().title()
        ))
    }
}

fn loss<'a>(change: &'a Change, live: &'a Snapshot) -> Option<Loss<'a>> {
    let before = change.before()?;
    let remote = before.remote.as_ref()?;
    match &before.spec {
        Spec::Member(_) if remote.phase == Phase::Active => Some(Loss::Person(&remote.id)),
        Spec::Workspace(_) => Some(Loss::Workspace(&remote.id)),
        Spec::WorkspaceMember(grant) => {
            let id = |address: &Address| live.get(address)?.remote.as_ref().map(|r| &r.id);
            Some(Loss::Grant {
                user: id(&Address::member(grant.member.clone()))?,
                workspace: id(&Address::workspace(grant.workspace.clone()))?,
            })
        }
        Spec::Member(_) | Spec::ApiKey(_) => None,
    }
}

/// Whether the person who leaves is the one whose key it is: they cannot put off their own removal by making keys.
fn is_its_persons(key: &Object, loss: &Loss<'_>, live: &Snapshot) -> bool {
    let (Loss::Person(user) | Loss::Grant { user, .. }) = loss else { return false };
    let Some(facts) = key.key_facts() else { return false };
    matches!(&facts.principal, Some(Principal::User(own)) if own == *user)
        || (facts.created_by.as_ref() == Some(*user) && in_claude_code(key, live))
}

/// Whether this loss kills the key, and why; `None`: it has nothing to do with it.
fn verdict(key: &Object, loss: &Loss<'_>, live: &Snapshot) -> Option<(bool, String)> {
    let facts = key.key_facts()?;
    let reaches = |id: &RemoteId| matches!(&facts.reach, Reach::Workspace(w) if w == id);
    let acts_as =
        |user: &RemoteId| matches!(&facts.principal, Some(Principal::User(u)) if u == user);
    match loss {
        Loss::Workspace(id) => {
            reaches(id).then(|| (true, "archiving a workspace archives its keys".to_owned()))
        }
        Loss::Grant { user, workspace } if reaches(workspace) => {
            if acts_as(user) {
                let why = "a personal key stops where its person has no grant any more";
                return Some((true, why.to_owned()));
            }
            let made = facts.created_by.as_ref() == Some(*user);
            (made && in_claude_code(key, live)).then(|| {
                (true, "Claude Code keys stop when their person leaves the workspace".to_owned())
            })
        }
        Loss::Person(user) if acts_as(user) => {
            Some((true, "a personal key is archived when its person leaves".to_owned()))
        }
        Loss::Person(user) if facts.created_by.as_ref() == Some(user) => {
            if in_claude_code(key, live) {
                return Some((true, "Claude Code keys stop when their person leaves".to_owned()));
            }
            Some(match facts.principal {
                Some(Principal::ServiceAccount(_)) => {
                    (false, "it belongs to a service account and outlives its maker".to_owned())
                }
                Some(Principal::User(_)) | None => {
                    (false, "it belongs to its workspace and outlives its maker".to_owned())
                }
            })
        }
        Loss::Grant { .. } | Loss::Person(_) => None,
    }
}

fn in_claude_code(key: &Object, live: &Snapshot) -> bool {
    let Spec::ApiKey(spec) = &key.spec else { return false };
    spec.workspace.as_ref().is_some_and(|name| {
        live.get(&Address::workspace(name.clone())).is_some_and(
            |workspace| matches!(&workspace.spec, Spec::Workspace(w) if &*w.name == CLAUDE_CODE),
        )
    })
}
