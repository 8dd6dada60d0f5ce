//! Random organizations: one blueprint from which both the files and the live side come.
//!
//! Invariant: files made here always pass validation; what is live differs from them in every way that the
//! documents know of, and the plainest blueprint is an empty organization.

mod access;
mod address;
mod keys;
mod people;
mod product;
pub(crate) mod tape;
mod workspaces;

pub(crate) use self::{
    people::UNKNOWN_ROLE,
    product::{CLAUDE_CODE, DEFAULT},
};

use std::fmt;

use orgcharter::sandbox::{Sandbox, State, Switches};
use proptest::{collection::vec, prelude::*};

use self::tape::Tape;
use crate::model::{
    files::{FUTURE_DAYS, Files, IgnoreEntry, Kind, Layout, Manage, PAST_DAYS, Target},
    live::Live,
    seed, yaml,
};

/// The choices an organization is made from. Shrinking drops people, workspaces and keys, and makes those that are
/// left plainer.
#[derive(Clone)]
pub(crate) struct Blueprint {
    whole: Vec<u8>,
    people: Vec<Vec<u8>>,
    workspaces: Vec<Vec<u8>>,
    keys: Vec<Vec<u8>>,
    ignores: Vec<Vec<u8>>,
    switches: Vec<u8>,
    /// Chooses what happens later: faults, edits in the Console, acceptances.
    pub(crate) later: Vec<u8>,
}

/// An organization as its files want it and as it is.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) files: Files,
    pub(crate) live: Live,
    /// Names and texts of the files, the root file first.
    pub(crate) sources: Vec<(String, String)>,
    pub(crate) later: Vec<u8>,
    positions: Vec<u8>,
    state: State,
}

impl Case {
    /// A sandbox's state that holds the live side.
    pub(crate) fn state(&self) -> State {
        self.state.clone()
    }

    /// A sandbox that holds the live side.
    pub(crate) fn sandbox(&self) -> Sandbox {
        Sandbox::new(self.state())
    }

    /// The choices that the switches were set from.
    pub(crate) fn positions(&self) -> Vec<u8> {
        self.positions.clone()
    }

    /// Choices of what happens later.
    pub(crate) fn later(&self) -> Tape<'_> {
        Tape::new(&self.later)
    }
}

/// Files and live state, so that a failure can be tried again by hand.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, text) in &self.sources {
            writeln!(f, "--- {name}\n{text}")?;
        }
        let state = self.state().to_yaml().map_err(|_| fmt::Error)?;
        write!(f, "--- live state (a sandbox's seed)\n{state}\n--- later: {:?}", self.later)
    }
}

impl fmt::Debug for Blueprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.build())
    }
}

/// Small organizations with everything odd in them.
pub(crate) fn blueprints() -> impl Strategy<Value = Blueprint> {
    let bytes = |length: usize| vec(any::<u8>(), length);
    (
        bytes(32),
        vec(bytes(28), 0..=people::MOST),
        vec(bytes(72), 0..=workspaces::MOST),
        vec(bytes(16), 0..=5),
        vec(bytes(4), 0..=2),
        bytes(Switches::AXES.len()),
        bytes(24),
    )
        .prop_map(|(whole, people, workspaces, keys, ignores, switches, later)| Blueprint {
            whole,
            people,
            workspaces,
            keys,
            ignores,
            switches,
            later,
        })
}

impl Blueprint {
    /// Makes both sides.
    pub(crate) fn build(&self) -> Case {
        let mut tape = Tape::new(&self.whole);
        let kind = tape.weighted(&[(84, Kind::Console), (8, Kind::Enterprise), (8, Kind::Aws)]);
        let layout = tape.weighted(&[(2, Layout::OneFile), (1, Layout::Folder), (1, Layout::Torn)]);
        let mut files = Files { kind, layout, ..Files::default() };
        let mut live = Live { kind, ..Live::default() };
        if kind != Kind::Aws {
            // Mostly there, plainly: shrinking keeps it until that is not needed.
            files.members = (!tape.chance(20)).then(Vec::new);
        }
        if kind != Kind::Enterprise {
            files.workspaces = (!tape.chance(12)).then(Vec::new);
        }
        if kind == Kind::Console {
            files.api_keys = (!tape.chance(40)).then(Vec::new);
        }
        files.manage = manage(&mut tape, kind);
        // An administrator made the credential, so one is always there.
        let people = if kind == Kind::Aws {
            Vec::new()
        } else {
            people::generate(&self.people, &mut tape, &mut files, &mut live)
        };
        if kind != Kind::Enterprise {
            workspaces::generate(&self.workspaces, &mut tape, &people, &mut files, &mut live);
        }
        if kind == Kind::Console {
            keys::generate(&self.keys, &mut files, &mut live);
        }
        for bytes in &self.ignores {
            files.manage.ignore.extend(ignore(Tape::new(bytes), &live));
        }
        let sources = yaml::write(&files);
        let mut seed = [0; 8];
        for (to, from) in seed.iter_mut().zip(&self.later) {
            *to = *from;
        }
        let positions = positions(&self.switches);
        let switches = Switches::from_choices(&positions);
        Case {
            state: limited(seed::plant(&live, switches, u64::from_le_bytes(seed)), &mut tape),
            files,
            live,
            sources,
            later: self.later.clone(),
            positions,
        }
    }
}

/// Positions of the switches, each at its default in half of the organizations. Those that refuse a whole class of
/// writes are set in a few only, so that most organizations can change.
fn positions(bytes: &[u8]) -> Vec<u8> {
    let position = |(byte, (axis, positions)): (&u8, &(&str, usize))| {
        let threshold = match *axis {
            "identity_provider" => 230,
            "workspace_names" | "address_matching" => 170,
            // Lists of many pages take their time.
            "page_size" => 200,
            _ => 128,
        };
        let others = u8::try_from(positions - 1).expect("few positions");
        if *byte < threshold { 0 } else { 1 + byte % others }
    };
    bytes.iter().zip(Switches::AXES).map(position).collect()
}

/// Now and then there is hardly any room for more people or workspaces.
fn limited(mut state: State, tape: &mut Tape<'_>) -> State {
    if tape.chance(8) {
        state.limits.seats = Some(state.users().count() + 1);
    }
    if tape.chance(8) {
        let active = state.workspaces().filter(|row| row.archived_at.is_none()).count();
        state.limits.workspaces = active;
    }
    state
}

fn manage(tape: &mut Tape<'_>, kind: Kind) -> Manage {
    let removable = [None, Some("remove"), Some("remove"), Some("report"), Some("ignore")];
    let kept = [None, Some("report"), Some("ignore")];
    let (members, workspace_members) = (tape.one(&removable), tape.one(&removable));
    let (workspaces, api_keys) = (tape.one(&kept), tape.one(&kept));
    Manage {
        members: members.filter(|_| kind != Kind::Aws),
        workspace_members: workspace_members.filter(|_| kind == Kind::Console),
        workspaces: workspaces.filter(|_| kind != Kind::Enterprise),
        api_keys: api_keys.filter(|_| kind == Kind::Console),
        ignore: Vec::new(),
    }
}

fn ignore(mut tape: Tape<'_>, live: &Live) -> Option<IgnoreEntry> {
    let days = [None, Some(FUTURE_DAYS[0]), Some(PAST_DAYS[0])];
    let target = tape.one(&[Target::Members, Target::Workspaces, Target::ApiKeys]);
    let which = usize::from(tape.byte());
    let whole = !tape.chance(30);
    let names: Vec<&str> = match target {
        Target::Members => {
            let users = live.users.iter().map(|user| user.canonical.as_str());
            users.chain(live.invites.iter().map(|invite| invite.canonical.as_str())).collect()
        }
        Target::Workspaces => live
            .workspaces
            .iter()
            .filter(|workspace| !workspace.default)
            .map(|workspace| workspace.name.as_str())
            .collect(),
        Target::ApiKeys => {
            live.keys.iter().flat_map(|key| [key.name.as_str(), key.id.as_str()]).collect()
        }
    };
    let name = *names.get(which % names.len().max(1))?;
    if name.contains(['*', '?', '[', '{', '\\']) {
        return None;
    }
    let pattern = match (whole, name.split_once('@')) {
        (true, _) => name.to_owned(),
        (false, Some((_, domain))) => format!("*@{domain}"),
        (false, None) => format!("*{}", name.chars().last()?),
    };
    Some(IgnoreEntry { target, pattern, until: tape.one(&days) })
}
