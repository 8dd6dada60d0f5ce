//! Counts what generated organizations have in them.
//!
//! Invariant: a feature is counted where it is in the files or in the sandbox's state, never because the generator
//! meant it to be.

mod look;

use std::collections::{BTreeMap, BTreeSet};

use orgcharter::sandbox::Switches;

use crate::generate::Case;

/// Everything that a run of a law must have met.
pub(crate) const FEATURES: &[&str] = &[
    // What the issue asks for by name.
    "live: two active workspaces of one name",
    "live: an e-mail in mixed case",
    "live: a Unicode e-mail",
    "live: an expired invite",
    "live: an accepted invite",
    "live: an admin with an explicit grant",
    "live: an unknown role",
    "live: an active workspace and an archived one of one name",
    "live: Claude Code",
    "live: Default",
    // The rest of the live side.
    "live: a pending invite",
    "live: a pending invite of an admin",
    "live: somebody with three expired invites",
    "live: a member with a pending invite",
    "live: two members with one canonical address",
    "live: two pending invites with one canonical address",
    "live: a billing member with an explicit grant",
    "live: an unknown workspace role",
    "live: a tag of the product",
    "live: an active key",
    "live: an inactive key",
    "live: an archived key",
    "live: an expired key",
    "live: an organization-wide key",
    "live: a personal key",
    "live: two keys of one name in one place",
    "live: a key in Default",
    "live: a key in Claude Code",
    "live: a second workspace named Default",
    "live: the key in use",
    "kind: console",
    "kind: enterprise",
    "kind: aws",
    // The files.
    "files: one file",
    "files: a folder",
    "files: lists in two files",
    "files: no members",
    "files: members",
    "files: no workspaces",
    "files: workspaces",
    "files: no api_keys",
    "files: api_keys",
    "files: nobody in members",
    "files: a short entry",
    "files: a long entry",
    "files: none",
    "files: unmanaged",
    "files: admin",
    "files: until, past",
    "files: until, today",
    "files: until, ahead",
    "files: previously",
    "files: previously []",
    "files: a pinned member",
    "files: a pinned workspace",
    "files: a workspace by label, with name and id",
    "files: two entries of one name",
    "files: state archived",
    "files: Default",
    "files: Claude Code",
    "files: tags",
    "files: no tags wanted",
    "files: a part of data_residency",
    "files: write-once fields",
    "files: a workspace with members",
    "files: a workspace without members",
    "files: nobody in a workspace's members",
    "files: a grant to a team",
    "files: a grant none",
    "files: a grant with until",
    "files: a key by name",
    "files: a key by id",
    "files: a key to be archived",
    "files: a key with until, past",
    "files: manage members remove",
    "files: manage members report",
    "files: manage members ignore",
    "files: manage workspace_members remove",
    "files: ignore members",
    "files: ignore workspaces",
    "files: ignore api_keys",
    "files: ignore, past",
    "both: a mixed-case spelling of one address",
    "both: a Unicode spelling of one address",
    "both: an unlisted member",
    "both: a live workspace that is not listed",
];

/// Counts per feature, and per position of each switch.
#[derive(Default)]
pub(crate) struct Coverage {
    features: BTreeMap<&'static str, u32>,
    switches: BTreeMap<(&'static str, usize), u32>,
    /// What a law met beyond its organizations.
    met: BTreeMap<&'static str, u32>,
    wanted: BTreeSet<&'static str>,
}

impl Coverage {
    /// Counts what a case has in it.
    pub(crate) fn look_at(&mut self, case: &Case) {
        let mut seen = BTreeSet::new();
        look::live(&case.state(), &mut seen);
        look::files(case, &mut seen);
        look::both(case, &mut seen);
        for feature in seen {
            *self.features.entry(feature).or_default() += 1;
        }
        // A switch is told by its name and position, which drawing shows.
        let choices: Vec<u8> = case.positions();
        let mut choices = choices.into_iter();
        Switches::draw(|axis, positions| {
            let at = usize::from(choices.next().unwrap_or_default()) % positions;
            *self.switches.entry((axis, at)).or_default() += 1;
            at
        });
    }

    /// Counts something that a law met.
    pub(crate) fn meet(&mut self, what: &'static str) {
        *self.met.entry(what).or_default() += 1;
    }

    /// Says that a law must meet something.
    pub(crate) fn want(&mut self, what: &'static str) {
        self.wanted.insert(what);
    }

    /// How often something was met.
    pub(crate) fn complete(&self, cases: u32) {
        let mut missing: Vec<String> = Vec::new();
        for feature in FEATURES {
            if !self.features.contains_key(feature) {
                missing.push((*feature).to_owned());
            }
        }
        for feature in self.features.keys() {
            assert!(FEATURES.contains(feature), "`{feature}` is counted and not listed");
        }
        for (axis, positions) in Switches::AXES {
            for at in 0..*positions {
                if !self.switches.contains_key(&(axis, at)) {
                    missing.push(format!("switch {axis} at position {at}"));
                }
            }
        }
        for what in &self.wanted {
            if !self.met.contains_key(what) {
                missing.push(format!("met: {what}"));
            }
        }
        if std::env::var_os("LAWS_COUNTS").is_some() {
            println!("{:#?}\n{:#?}", self.features, self.met);
        }
        // A few cases, as when one failure is looked into, cannot meet everything.
        if cases >= crate::run::CASES {
            assert!(missing.is_empty(), "no organization had: {missing:#?}");
        }
    }
}
