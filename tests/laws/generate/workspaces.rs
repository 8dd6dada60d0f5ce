//! Workspaces: what entries say of them, and what is live.
//!
//! Invariant: an entry never breaks a rule of the files, however little it fits what is live.

use std::collections::BTreeMap;

use super::{
    access::access,
    people::Human,
    product::{CLAUDE_CODE, DEFAULT, product},
    tape::Tape,
};
use crate::model::{
    files::{Files, Kind, ResidencyEntry, WorkspaceEntry},
    live::{Live, Workspace},
    seed::{EXTERNAL_KEYS, PROFILES},
};

/// The most workspaces beside those of the product.
pub(super) const MOST: usize = 4;
const NAMES: [&str; MOST] =
    ["Production", "Research", "data: lake", "\u{dc}n\u{ef}c\u{f6}de \u{2603}"];
const LONG: &str = "A workspace whose name is longer than forty characters";
const COLORS: [&str; 4] = ["#6C5BB9", "#6c5bb9", "#D97757", "#00ff7F"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Relation {
    Same,
    Differs,
    Missing,
    Renamed,
    RenamedById,
    Alike,
    Twice,
    BothListed,
    ArchivedNamesake,
    ActiveAndArchived,
    Unlisted,
    Archive,
    PinnedArchived,
    WrongId,
}

pub(super) fn generate(
    tapes: &[Vec<u8>],
    whole: &mut Tape<'_>,
    people: &[Human],
    files: &mut Files,
    live: &mut Live,
) {
    let listed = files.workspaces.is_some();
    let mut entries = Vec::new();
    product(whole, people, &mut entries, files.kind, live);
    for (index, bytes) in tapes.iter().enumerate() {
        let mut tape = Tape::new(bytes);
        let mut grants = tape.split(18);
        let mut workspace = Generator {
            id: format!("wrkspc_{index}"),
            name: if tape.chance(6) {
                LONG.to_owned() + NAMES[index]
            } else {
                NAMES[index].to_owned()
            },
            tape,
            live,
        };
        let (mut own, id) = workspace.workspace();
        if files.kind == Kind::Console {
            let entry = own.first_mut().filter(|entry| !entry.archived());
            let row = id.and_then(|id| live.workspaces.iter_mut().find(|row| row.id == id));
            access(&mut grants, people, files, entry, row);
        }
        entries.append(&mut own);
    }
    swap(whole, &mut entries, live);
    if listed {
        // Two entries cannot have one label.
        let mut seen = std::collections::BTreeSet::new();
        entries.retain(|entry| seen.insert(entry.label.clone()));
        if files.kind == Kind::Aws {
            for entry in &mut entries {
                (entry.members, entry.api_keys) = (None, None);
            }
        }
        files.workspaces = Some(entries);
    }
}

/// Two workspaces that are pinned may have swapped their names.
fn swap(whole: &mut Tape<'_>, entries: &mut [WorkspaceEntry], live: &Live) {
    if !whole.chance(8) {
        return;
    }
    let plain = |entry: &WorkspaceEntry| {
        live.workspaces.iter().find(|w| {
            w.name == entry.label
                && !w.archived
                && !w.default
                && entry.name.is_none()
                && entry.id.is_none()
                && !entry.archived()
                && entry.previously.is_none()
                && w.name != CLAUDE_CODE
                && w.name != DEFAULT
        })
    };
    let found: Vec<(usize, String)> = entries
        .iter()
        .enumerate()
        .filter_map(|(index, entry)| Some((index, plain(entry)?.id.clone())))
        .collect();
    if let [(one, first), (other, second), ..] = found.as_slice() {
        entries[*one].id = Some(second.clone());
        entries[*other].id = Some(first.clone());
    }
}

struct Generator<'a, 'l> {
    id: String,
    name: String,
    tape: Tape<'a>,
    live: &'l mut Live,
}

impl Generator<'_, '_> {
    /// Entries (the first is the one that is granted access in) and the id of the live workspace behind it.
    fn workspace(&mut self) -> (Vec<WorkspaceEntry>, Option<String>) {
        use Relation::*;
        let relation = self.tape.weighted(&[
            (22, Same),
            (16, Differs),
            (10, Missing),
            (7, Renamed),
            (6, RenamedById),
            (6, Alike),
            (6, Twice),
            (5, BothListed),
            (5, ArchivedNamesake),
            (4, ActiveAndArchived),
            (8, Unlisted),
            (6, Archive),
            (3, PinnedArchived),
            (2, WrongId),
        ]);
        let mut entry = WorkspaceEntry { label: self.name.clone(), ..WorkspaceEntry::default() };
        self.fields(&mut entry);
        let mut live = self.counterpart(&entry);
        let mut more = Vec::new();
        let mut listed = true;
        let mut there = true;
        match relation {
            Same => {
                if self.tape.chance(20) {
                    entry.id = Some(live.id.clone());
                }
            }
            Differs => self.mutate(&mut live),
            Missing => {
                there = false;
                if self.tape.chance(30) {
                    entry.previously =
                        Some(self.tape.one(&[vec![], vec![format!("{} of old", self.name)]]));
                }
            }
            Renamed => {
                live.name = format!("{} of old", self.name);
                entry.previously = Some(vec![live.name.clone()]);
                if self.tape.chance(50) {
                    self.mutate(&mut live);
                }
            }
            RenamedById => {
                live.name = format!("{} of old", self.name);
                entry.id = Some(live.id.clone());
            }
            Alike => {
                live.name = format!("{}!", self.name.to_uppercase());
                if self.tape.chance(30) {
                    entry.previously = Some(vec![]);
                }
            }
            Twice => {
                let mut twin = twin(&live, false);
                self.mutate(&mut twin);
                self.live.workspaces.push(twin);
                if self.tape.chance(50) {
                    entry.id = Some(live.id.clone());
                }
                listed = !self.tape.chance(20);
            }
            BothListed => {
                let twin = twin(&live, false);
                entry.id = Some(live.id.clone());
                more.push(WorkspaceEntry {
                    label: format!("{} (second)", self.name),
                    name: Some(self.name.clone()),
                    id: (!self.tape.chance(30)).then(|| twin.id.clone()),
                    display_color: Some("#00ff7F".to_owned()),
                    ..WorkspaceEntry::default()
                });
                self.live.workspaces.push(twin);
            }
            ArchivedNamesake => {
                let old = twin(&live, true);
                self.live.workspaces.push(old);
                there = false;
                if self.tape.chance(40) {
                    entry.previously = Some(vec![]);
                }
            }
            ActiveAndArchived => {
                let old = twin(&live, true);
                self.live.workspaces.push(old);
            }
            Unlisted => listed = false,
            Archive => {
                live.archived = self.tape.chance(30);
                entry = WorkspaceEntry {
                    label: entry.label,
                    state: Some("archived"),
                    id: Some(live.id.clone()),
                    ..WorkspaceEntry::default()
                };
                if self.tape.chance(15) {
                    entry.id = Some("wrkspc_nowhere".to_owned() + &self.id[7..]);
                }
            }
            PinnedArchived => {
                live.archived = true;
                entry.id = Some(live.id.clone());
            }
            WrongId => {
                entry.id = Some("wrkspc_nowhere".to_owned() + &self.id[7..]);
                there = !self.tape.chance(50);
            }
        }
        if entry.name.is_none() && entry.id.is_some() && !entry.archived() && self.tape.chance(30) {
            entry.name = Some(std::mem::take(&mut entry.label));
            entry.label = format!("label of {}", self.id);
        }
        let id = live.id.clone();
        if there {
            self.live.workspaces.push(live);
        }
        let id = there.then_some(id);
        if !listed {
            return (Vec::new(), id);
        }
        let mut entries = vec![entry];
        entries.append(&mut more);
        (entries, id)
    }

    /// What the entry says, beyond its name.
    fn fields(&mut self, entry: &mut WorkspaceEntry) {
        let tape = &mut self.tape;
        entry.display_color = tape.chance(50).then(|| tape.one(&COLORS).to_owned());
        entry.tags = tape.chance(45).then(|| tags(tape));
        entry.residency = tape.chance(30).then(|| {
            let mut parts = residency(tape);
            parts.workspace_geo = tape.chance(40);
            match tape.weighted(&[(6, "both"), (2, "allowed"), (2, "default")]) {
                "allowed" => parts.default = None,
                "default" => parts.allowed = None,
                _ => {}
            }
            parts
        });
        entry.external_key_id = tape.chance(8).then(|| tape.one(&EXTERNAL_KEYS).to_owned());
        entry.user_profile_id = tape.chance(6).then(|| tape.one(&PROFILES).to_owned());
        entry.note = tape.chance(15).then(|| "owned by the platform team".to_owned());
        entry.state = tape.chance(6).then_some("active");
    }

    /// A live workspace that is what the entry says.
    fn counterpart(&mut self, entry: &WorkspaceEntry) -> Workspace {
        let mut live_residency = residency(&mut self.tape);
        if let Some(parts) = &entry.residency {
            match (parts.default, &parts.allowed) {
                (Some(default), Some(allowed)) => {
                    live_residency.default = Some(default);
                    live_residency.allowed = Some(allowed.clone());
                }
                (Some(default), None) => {
                    live_residency.default = Some(default);
                    live_residency.allowed = Some(vec!["unrestricted"]);
                }
                (None, Some(allowed)) if !allowed.contains(&"global") => {
                    // Now and then the live default is not among those allowed.
                    live_residency.allowed = Some(allowed.clone());
                    live_residency.default = Some("us");
                    if self.tape.chance(30) && allowed.as_slice() != ["unrestricted"] {
                        live_residency.allowed = Some(vec!["unrestricted"]);
                        live_residency.default = Some("global");
                    }
                }
                (None, allowed) => {
                    live_residency.allowed.clone_from(allowed);
                    live_residency.default = Some("global");
                }
            }
        }
        let own = tags(&mut self.tape);
        Workspace {
            id: self.id.clone(),
            name: self.name.clone(),
            default: false,
            archived: false,
            display_color: entry.display_color.clone().unwrap_or_else(|| COLORS[2].to_owned()),
            tags: entry.tags.clone().unwrap_or(own),
            reserved_tag: self.tape.chance(12),
            residency: live_residency,
            external_key_id: entry.external_key_id.clone(),
            user_profile_id: entry.user_profile_id.clone(),
            members: BTreeMap::new(),
        }
    }

    fn mutate(&mut self, live: &mut Workspace) {
        let tape = &mut self.tape;
        if tape.chance(60) {
            tape.one(&COLORS).clone_into(&mut live.display_color);
        }
        if tape.chance(60) {
            live.tags = tags(tape);
        }
        if tape.chance(40) {
            live.residency = residency(tape);
        }
        if tape.chance(60) {
            live.external_key_id = tape.one(&[None, Some(EXTERNAL_KEYS[1].to_owned())]);
        }
        if tape.chance(60) {
            live.user_profile_id = tape.one(&[None, Some(PROFILES[1].to_owned())]);
        }
    }
}

/// Another workspace of the same name.
fn twin(live: &Workspace, archived: bool) -> Workspace {
    let id = format!("{}{}", live.id, if archived { "old" } else { "b" });
    Workspace { id, archived, ..live.clone() }
}

fn tags(tape: &mut Tape<'_>) -> BTreeMap<String, String> {
    let pool = [
        ("env", "prod"),
        ("env", "dev"),
        ("cost-center", "4411"),
        ("empty", ""),
        ("\u{fc}", "true"),
    ];
    let count = tape.one(&[0, 1, 1, 2]);
    (0..count)
        .map(|_| tape.one(&pool))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// A residency whose default is allowed.
fn residency(tape: &mut Tape<'_>) -> ResidencyEntry {
    let (default, allowed) = tape.one(&[
        ("global", vec!["unrestricted"]),
        ("us", vec!["unrestricted"]),
        ("us", vec!["us"]),
        ("global", vec!["us", "global"]),
        ("us", vec!["global", "us"]),
    ]);
    ResidencyEntry { workspace_geo: false, default: Some(default), allowed: Some(allowed) }
}
