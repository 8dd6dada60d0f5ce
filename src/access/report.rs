//! Effective access as rows, by person and by workspace.
//!
//! Invariant: nobody and no workspace is left out unless a pattern asks for it.

use std::collections::BTreeMap;

use globset::GlobMatcher;
use serde::Serialize;

use super::{PersonAccess, effective};
use crate::{
    address::{Kind, Name},
    email::Email,
    resource::{Phase, Snapshot, Spec, WorkspaceRole, workspace::CLAUDE_CODE},
};

/// Who can do what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccessReport {
    /// The version of this form.
    pub format_version: u32,
    /// The organization's name or id; `None`: the files say neither.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// By address.
    pub people: Vec<PersonRow>,
    /// By name; empty if only some people were asked for.
    pub workspaces: Vec<WorkspaceRow>,
}

/// One person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonRow {
    /// The address.
    pub email: String,
    /// The organization role; `None`: not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The invite waits: all of it holds once it is accepted.
    pub invited: bool,
    /// What the organization role gives in every workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inherited: Option<String>,
    /// Grants of their own, by workspace.
    pub grants: BTreeMap<String, String>,
}

/// One workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WorkspaceRow {
    /// Its name.
    pub name: String,
    /// Its id, if it is live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// It belongs to the product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub special: Option<Special>,
    /// Who can do what in it.
    pub members: Vec<MemberRow>,
}

/// A workspace of the product's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Special {
    /// The Default Workspace: the API shows no list of its members.
    Default,
    /// Made and filled by Claude Code sign-ins.
    ClaudeCode,
}

/// One person in one workspace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MemberRow {
    /// The role that counts.
    pub role: String,
    /// The organization role it comes from; `None`: a grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
    /// The address.
    pub email: String,
}

/// Makes the rows. `who` keeps the people whose address it matches.
pub fn report(
    snapshot: &Snapshot,
    organization: Option<String>,
    who: Option<&GlobMatcher>,
) -> AccessReport {
    let people: Vec<PersonAccess> = effective(snapshot)
        .into_values()
        .filter(|person| {
            who.is_none_or(|who| who.is_match(&**Email::lenient(&person.email).canonical()))
        })
        .collect();
    let title = |name: &Name| {
        snapshot
            .get(&crate::address::Address::workspace(name.clone()))
            .map_or_else(|| name.as_str().to_owned(), |object| object.spec.resource().title())
    };
    let rows = people
        .iter()
        .map(|person| {
            let PersonAccess { email, role, phase, inherited, grants } = person;
            PersonRow {
                email: email.clone(),
                role: role.as_ref().map(ToString::to_string),
                invited: *phase == Phase::Pending,
                inherited: inherited.as_ref().map(ToString::to_string),
                grants: grants.iter().map(|(name, role)| (title(name), role.to_string())).collect(),
            }
        })
        .collect();
    let workspaces = if who.is_some() { Vec::new() } else { by_workspace(snapshot, &people) };
    AccessReport { format_version: 1, organization, people: rows, workspaces }
}

fn by_workspace(snapshot: &Snapshot, people: &[PersonAccess]) -> Vec<WorkspaceRow> {
    let mut rows: Vec<WorkspaceRow> = snapshot
        .of(Kind::Workspace)
        .filter_map(|(address, object)| {
            let Spec::Workspace(workspace) = &object.spec else { return None };
            let special = if workspace.is_default {
                Some(Special::Default)
            } else if &*workspace.name == CLAUDE_CODE {
                Some(Special::ClaudeCode)
            } else {
                None
            };
            let mut members: Vec<MemberRow> =
                people.iter().filter_map(|person| member(person, &address.name)).collect();
            members.sort();
            Some(WorkspaceRow {
                name: workspace.name.to_string(),
                id: object.remote.as_ref().map(|remote| remote.id.to_string()),
                special,
                members,
            })
        })
        .collect();
    rows.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    rows
}

/// What a person can do in a workspace: what they inherit counts, but for a grant that raises somebody who inherits
/// less than all.
fn member(person: &PersonAccess, workspace: &Name) -> Option<MemberRow> {
    let own = person.grants.get(workspace);
    let inherited = person.inherited.as_ref();
    let (role, through) = match (inherited, own) {
        (Some(WorkspaceRole::Admin), _) | (Some(_), None) => (inherited?, person.role.as_ref()),
        (_, Some(own)) => (own, None),
        (None, None) => return None,
    };
    Some(MemberRow {
        role: role.to_string(),
        through: through.map(ToString::to_string),
        email: person.email.clone(),
    })
}
