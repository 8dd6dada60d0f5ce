//! Workspaces that the product makes: the Default one and "Claude Code".
//!
//! Invariant: there is one Default Workspace, and files say of it only what it can have.

use std::collections::BTreeMap;

use super::{access::ROLES, people::Human, tape::Tape};
use crate::model::{
    files::{Kind, WorkspaceEntry},
    live::{Live, Workspace},
};

pub(crate) const CLAUDE_CODE: &str = "Claude Code";
pub(crate) const DEFAULT: &str = "Default";

/// The Default Workspace and "Claude Code".
pub(super) fn product(
    whole: &mut Tape<'_>,
    people: &[Human],
    entries: &mut Vec<WorkspaceEntry>,
    kind: Kind,
    live: &mut Live,
) {
    live.workspaces.push(Workspace {
        id: "wrkspc_default".to_owned(),
        name: DEFAULT.to_owned(),
        default: true,
        display_color: "#777777".to_owned(),
        tags: [("who".to_owned(), "everybody".to_owned())].into(),
        ..Workspace::default()
    });
    if whole.chance(35) {
        let mut entry = WorkspaceEntry { label: DEFAULT.to_owned(), ..WorkspaceEntry::default() };
        entry.display_color =
            whole.one(&[None, Some("#777777".to_owned()), Some("#00ff7F".to_owned())]);
        entry.tags = whole.one(&[
            None,
            Some(BTreeMap::new()),
            Some([("who".to_owned(), "all".to_owned())].into()),
        ]);
        entries.push(entry);
    }
    if kind == Kind::Console && whole.chance(55) {
        let mut workspace = Workspace {
            id: "wrkspc_claude".to_owned(),
            name: CLAUDE_CODE.to_owned(),
            display_color: "#D97757".to_owned(),
            ..Workspace::default()
        };
        for user in people.iter().flat_map(|human| &human.users).take(2) {
            workspace.members.insert(user.clone(), ROLES[0].to_owned());
        }
        live.workspaces.push(workspace);
    }
    if kind == Kind::Console && whole.chance(12) {
        let mut entry =
            WorkspaceEntry { label: CLAUDE_CODE.to_owned(), ..WorkspaceEntry::default() };
        entry.display_color = whole.one(&[None, Some("#00ff7F".to_owned())]);
        entry.api_keys = whole.chance(30).then(Vec::new);
        entries.push(entry);
    }
    if whole.chance(4) {
        // Nothing says that only the Default Workspace can be called so.
        live.workspaces.push(Workspace {
            id: "wrkspc_namesake".to_owned(),
            name: DEFAULT.to_owned(),
            display_color: "#6C5BB9".to_owned(),
            ..Workspace::default()
        });
    }
}
