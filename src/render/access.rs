//! Who can do what, as text for people: by person, then by workspace.
//!
//! Invariant: what somebody inherits is shown with the role it comes from; no workspace is left out.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    clean::{clean, name},
    layout::{Flow, pad, width},
    style::{BOLD, DIM, PLAIN},
    text::heading,
};
use crate::access::report::{AccessReport, MemberRow, PersonRow, Special, WorkspaceRow};

/// The whole report, with ANSI styles.
pub fn access(report: &AccessReport, columns: usize) -> String {
    let AccessReport { format_version: _, organization, people, workspaces } = report;
    let mut out = String::new();
    if let Some(organization) = organization {
        out.push_str(&Flow::new().solid(0, BOLD, organization).lines("", 0, 2, columns));
        out.push('\n');
    }
    out.push_str(&heading("people"));
    let column = people.iter().map(|row| width(&clean(&name(&row.email)))).max().unwrap_or(0);
    for row in people {
        out.push_str(&person(row, column.min(columns / 2), columns));
    }
    if people.is_empty() {
        out.push_str("  nobody\n");
    }
    if !workspaces.is_empty() {
        out.push('\n');
        out.push_str(&heading("workspaces"));
        out.extend(workspaces.iter().map(|row| workspace(row, columns)));
    }
    out
}

fn person(row: &PersonRow, column: usize, columns: usize) -> String {
    let PersonRow { email, role, invited, inherited, grants } = row;
    let role_text = role.as_deref().unwrap_or("role not known");
    let mut parts = vec![if *invited {
        format!("{role_text}, once the invite is accepted")
    } else {
        role_text.to_owned()
    }];
    if let Some(inherited) = inherited {
        parts.push(format!("{inherited} in every workspace, through {role_text}"));
    }
    let mut by_role: BTreeMap<&str, Vec<Cow<'_, str>>> = BTreeMap::new();
    for (workspace, role) in grants {
        by_role.entry(role).or_default().push(name(workspace));
    }
    parts.extend(by_role.iter().map(|(role, names)| format!("{role} in {}", names.join(", "))));
    let hang = column + 4;
    let flow = Flow::new().solid(0, BOLD, &pad(&clean(&name(email)), column)).words(
        2,
        PLAIN,
        &parts.join("; "),
    );
    flow.lines("  ", 2, hang, columns)
}

fn workspace(row: &WorkspaceRow, columns: usize) -> String {
    let WorkspaceRow { name: title, id, special, members } = row;
    let mut head = Flow::new().solid(0, BOLD, &name(title));
    if let Some(id) = id {
        head = head.solid(1, DIM, &format!("({id})"));
    }
    head = match special {
        Some(Special::Default) => head.words(2, DIM, "the API shows no list of its members"),
        Some(Special::ClaudeCode) => head.words(2, DIM, "filled by Claude Code sign-ins"),
        None => head,
    };
    let mut out = head.lines("  ", 2, 6, columns);
    let mut by_role: BTreeMap<(&str, Option<&str>), Vec<Cow<'_, str>>> = BTreeMap::new();
    for MemberRow { role, through, email } in members {
        by_role.entry((role, through.as_deref())).or_default().push(name(email));
    }
    for ((role, through), people) in by_role {
        let through = through.map(|role| format!(" (through {role})")).unwrap_or_default();
        let flow = Flow::new().words(0, PLAIN, &format!("{role}{through}:")).words(
            1,
            PLAIN,
            &people.join(", "),
        );
        out.push_str(&flow.lines("    ", 4, 8, columns));
    }
    if members.is_empty() && special.is_none() {
        out.push_str("    nobody\n");
    }
    out
}
