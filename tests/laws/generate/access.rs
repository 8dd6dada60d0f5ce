//! Who may do what in a workspace, by the files and live.
//!
//! Invariant: files name only people that their `members` list, and two teams never disagree about anybody.

use std::collections::BTreeMap;

use super::{
    people::{Human, UNKNOWN_ROLE},
    tape::Tape,
};
use crate::model::{
    files::{FUTURE_DAYS, Files, GrantEntry, PAST_DAYS, Who, WorkspaceEntry},
    live::Workspace,
};

/// Roles that can be granted.
pub(super) const ROLES: [&str; 4] =
    ["workspace_developer", "workspace_user", "workspace_restricted_developer", "workspace_admin"];

/// Who may do what, on both sides.
pub(super) fn access(
    tape: &mut Tape<'_>,
    people: &[Human],
    files: &Files,
    entry: Option<&mut WorkspaceEntry>,
    live: Option<&mut Workspace>,
) {
    let mut listed = Vec::new();
    let mut members = BTreeMap::new();
    let section = !tape.chance(30);
    let keys = tape.chance(55);
    let teams = tape.byte();
    let team_role = tape.one(&ROLES).to_owned();
    for human in people {
        // Bits of two bytes: the relation, and the role with an end.
        let (relation, detail) = (tape.byte() % 16, tape.byte());
        let role = ROLES[usize::from(detail % 4)];
        let other = match detail / 4 % 8 {
            0 => UNKNOWN_ROLE,
            n => ROLES[usize::from(n % 4)],
        };
        let until = match detail / 32 {
            6 => Some(PAST_DAYS[0]),
            7 => Some(FUTURE_DAYS[0]),
            _ => None,
        };
        let namable = files.members.is_none() || human.listed;
        let mut grant = |role: &str, until: Option<&'static str>| {
            if namable {
                listed.push(GrantEntry {
                    who: Who::Person(
                        human.address.spellings[0].clone(),
                        human.address.canonical.clone(),
                    ),
                    role: role.to_owned(),
                    until,
                    note: (detail == 255).then(|| "handover".to_owned()),
                });
            }
        };
        let mut given = |role: &str| {
            for user in &human.users {
                members.insert(user.clone(), role.to_owned());
            }
        };
        match relation {
            1..=3 => {
                grant(role, until);
                given(role);
            }
            4..=6 => grant(role, until),
            7..=8 => given(other),
            9..=10 => {
                grant(role, until);
                given(other);
            }
            11 => {
                grant("none", None);
                given(other);
            }
            12 => grant("none", None),
            _ => {}
        }
    }
    for (index, team) in files.teams.iter().enumerate() {
        if teams & (1 << index) != 0 {
            listed.push(GrantEntry {
                who: Who::Team(team.name),
                // Two teams that disagree about somebody would be an error.
                role: team_role.clone(),
                until: (teams & 128 != 0).then_some(FUTURE_DAYS[0]),
                note: None,
            });
        }
    }
    if let Some(entry) = entry {
        entry.members = section.then_some(listed);
        entry.api_keys = keys.then(Vec::new);
    }
    if let Some(live) = live {
        live.members = members;
    }
}
