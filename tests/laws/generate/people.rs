//! People: the files and the live organization agree about most and differ about the rest in every documented way.
//!
//! Invariant: canonical addresses of two people never meet; spellings of one person's address are the same person.

use super::{
    address::{Address, LOCALS, address, mixed_case, plain},
    tape::Tape,
};
use crate::model::{
    files::{FUTURE_DAYS, Files, Kind, PAST_DAYS, PersonEntry, TeamEntry},
    live::{Invite, InviteState, Live, User},
};

/// The most people, by name.
pub(super) const MOST: usize = LOCALS.len();
const TEAMS: [&str; 2] = ["platform", "data_2"];
/// A role that charter does not know.
pub(crate) const UNKNOWN_ROLE: &str = "galactic_overlord";

/// Somebody whom files may name.
#[derive(Clone, Debug)]
pub(super) struct Human {
    pub(super) address: Address,
    /// Whether `members` names this address.
    pub(super) listed: bool,
    /// Ids of live users that are this person, or share the address.
    pub(super) users: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Relation {
    Same,
    RoleDiffers,
    NobodyLive,
    PendingSame,
    PendingOther,
    UnlistedMember,
    UnlistedInvite,
    Unwanted,
    Moved,
    Renamed,
    MemberAndInvite,
    TwoUsers,
    TwoInvites,
    WrongId,
}

pub(super) fn generate(
    tapes: &[Vec<u8>],
    whole: &mut Tape<'_>,
    files: &mut Files,
    live: &mut Live,
) -> Vec<Human> {
    if whole.chance(60) {
        root(whole, files, live);
    }
    let mut humans = Vec::new();
    for (index, bytes) in tapes.iter().enumerate() {
        let mut person = Generator { index, tape: Tape::new(bytes), files, live };
        humans.push(person.person());
    }
    if live.users.is_empty() {
        // An organization has at least one member.
        root(whole, files, live);
    }
    teams(whole, &humans, files);
    humans
}

struct Generator<'a, 'f> {
    index: usize,
    tape: Tape<'a>,
    files: &'f mut Files,
    live: &'f mut Live,
}

impl Generator<'_, '_> {
    fn person(&mut self) -> Human {
        use Relation::*;
        let relation = self.tape.weighted(&[
            (24, Same),
            (12, RoleDiffers),
            (10, NobodyLive),
            (5, PendingSame),
            (6, PendingOther),
            (9, UnlistedMember),
            (4, UnlistedInvite),
            (9, Unwanted),
            (8, Moved),
            (4, Renamed),
            (4, MemberAndInvite),
            (3, TwoUsers),
            (3, TwoInvites),
            (2, WrongId),
        ]);
        let address =
            address(&mut self.tape, self.index, matches!(relation, TwoUsers | TwoInvites));
        let role = self.file_role();
        let same = if role == "unmanaged" { self.live_role() } else { role.clone() };
        let mut users = Vec::new();
        let mut entry = PersonEntry { role, long: self.tape.chance(25), ..PersonEntry::default() };
        let mut listed = true;
        match relation {
            Same => users.push(self.user("", &address, &same)),
            RoleDiffers => {
                let other = self.live_role();
                users.push(self.user("", &address, &other));
            }
            NobodyLive => self.history(&address),
            PendingSame => {
                self.invite("", &address, &same, InviteState::Pending);
                self.history(&address);
            }
            PendingOther => {
                let role = self.live_role();
                self.invite("", &address, &role, InviteState::Pending);
            }
            UnlistedMember => {
                listed = false;
                let role = self.live_role();
                users.push(self.user("", &address, &role));
            }
            UnlistedInvite => {
                listed = false;
                let role = self.live_role();
                self.invite("", &address, &role, InviteState::Pending);
                self.history(&address);
            }
            Unwanted => self.unwanted(&address, &same, &mut entry, &mut users),
            Moved => self.moved(&address, &same, &mut entry, &mut users, &mut listed),
            Renamed => {
                let old = plain(&format!("{}.old", LOCALS[self.index]), "elsewhere.example");
                users.push(self.user("", &old, &same));
                entry.id = users.last().cloned();
            }
            MemberAndInvite => {
                users.push(self.user("", &address, &same));
                let role = self.live_role();
                self.invite("", &address, &role, InviteState::Pending);
                listed = !self.tape.chance(40);
                if listed && self.tape.chance(40) {
                    "none".clone_into(&mut entry.role);
                }
            }
            TwoUsers => {
                users.push(self.user("", &address, &same));
                let role = self.live_role();
                users.push(self.user("b", &address, &role));
                listed = !self.tape.chance(30);
                if self.tape.chance(50) {
                    entry.id = Some(users[usize::from(self.tape.chance(50))].clone());
                }
            }
            TwoInvites => {
                let (one, other) = (self.live_role(), self.live_role());
                self.invite("", &address, &one, InviteState::Pending);
                self.invite("b", &address, &other, InviteState::Pending);
                listed = !self.tape.chance(30);
            }
            WrongId => {
                entry.id = Some("user_nobody".to_owned() + LOCALS[self.index]);
                if self.tape.chance(50) {
                    users.push(self.user("", &address, &same));
                }
            }
        }
        if relation == Same && self.tape.chance(15) {
            entry.id = users.first().cloned();
        }
        if relation == NobodyLive && self.tape.chance(15) {
            entry.previously = Some(Vec::new());
        }
        if listed && entry.role != "none" && entry.until.is_none() {
            entry.until = self.tape.weighted(&[
                (70, None),
                (10, Some(FUTURE_DAYS[0])),
                (4, Some(FUTURE_DAYS[1])),
                (4, Some(FUTURE_DAYS[2])),
                (8, Some(PAST_DAYS[0])),
                (4, Some(PAST_DAYS[1])),
            ]);
        }
        entry.note = self.note();
        entry.email = self.spelled(&address);
        entry.canonical.clone_from(&address.canonical);
        let listed = listed && self.files.members.is_some();
        if let (Some(members), true) = (&mut self.files.members, listed) {
            members.push(entry);
        }
        Human { address, listed, users }
    }

    /// Somebody the files do not want any more, in whatever state they are.
    fn unwanted(
        &mut self,
        address: &Address,
        same: &str,
        entry: &mut PersonEntry,
        users: &mut Vec<String>,
    ) {
        if self.tape.chance(70) {
            "none".clone_into(&mut entry.role);
        } else {
            entry.until = Some(PAST_DAYS[0]);
        }
        match self.tape.one(&[0, 0, 1, 2, 3]) {
            0 => users.push(self.user("", address, same)),
            1 => {
                let role = self.live_role();
                self.invite("", address, &role, InviteState::Pending);
            }
            2 => self.history(address),
            _ => {}
        }
    }

    /// Live under another address with the same local part.
    fn moved(
        &mut self,
        address: &Address,
        same: &str,
        entry: &mut PersonEntry,
        users: &mut Vec<String>,
        listed: &mut bool,
    ) {
        let local = address.canonical.split('@').next().unwrap_or_default();
        let old = plain(local, &format!("before{}.example", self.index));
        if self.tape.chance(30) {
            self.invite("", &old, same, InviteState::Pending);
        } else {
            users.push(self.user("", &old, same));
        }
        match self.tape.one(&[0, 0, 1, 2, 3]) {
            0 => entry.previously = Some(vec![(old.spellings[0].clone(), old.canonical)]),
            1 => {}
            2 => entry.previously = Some(Vec::new()),
            // The old address is named as gone beside the new one.
            _ => {
                if let Some(members) = &mut self.files.members {
                    members.push(PersonEntry {
                        email: old.spellings[0].clone(),
                        canonical: old.canonical,
                        role: "none".to_owned(),
                        ..PersonEntry::default()
                    });
                }
                *listed = true;
            }
        }
    }

    fn spelled(&mut self, address: &Address) -> String {
        if self.tape.chance(50) {
            self.tape.one(&address.spellings)
        } else {
            address.spellings[0].clone()
        }
    }

    fn file_role(&mut self) -> String {
        let role = if self.files.kind == Kind::Enterprise {
            self.tape.weighted(&[
                (5, "user"),
                (4, "managed"),
                (1, "owner"),
                (1, "membership_admin"),
                (2, "unmanaged"),
            ])
        } else {
            self.tape.weighted(&[
                (8, "developer"),
                (4, "user"),
                (3, "claude_code_user"),
                (3, "billing"),
                (3, "admin"),
                (3, "unmanaged"),
            ])
        };
        role.to_owned()
    }

    fn live_role(&mut self) -> String {
        let role = if self.files.kind == Kind::Enterprise {
            self.tape.weighted(&[
                (4, "user"),
                (4, "managed"),
                (2, "owner"),
                (1, "membership_admin"),
                (2, UNKNOWN_ROLE),
            ])
        } else {
            self.tape.weighted(&[
                (4, "user"),
                (4, "developer"),
                (3, "claude_code_user"),
                (3, "billing"),
                (4, "admin"),
                (2, UNKNOWN_ROLE),
            ])
        };
        role.to_owned()
    }

    fn user(&mut self, suffix: &str, address: &Address, role: &str) -> String {
        let id = format!("user_{}{suffix}", LOCALS[self.index]);
        let spelling = usize::from(!suffix.is_empty());
        let email = address.spellings[spelling].clone();
        let email = if self.tape.chance(30) { mixed_case(&email) } else { email };
        self.live.users.push(User {
            id: id.clone(),
            email,
            canonical: address.canonical.clone(),
            role: role.to_owned(),
        });
        id
    }

    fn invite(&mut self, suffix: &str, address: &Address, role: &str, state: InviteState) {
        let spelling = usize::from(!suffix.is_empty());
        let nth = self.live.invites.len();
        let weeks = i64::from(self.tape.byte() % 5);
        self.live.invites.push(Invite {
            id: format!("invite_{}{suffix}{nth}", LOCALS[self.index]),
            email: address.spellings[spelling.min(address.spellings.len() - 1)].clone(),
            canonical: address.canonical.clone(),
            role: role.to_owned(),
            state,
            weeks,
        });
    }

    /// Invites of the past.
    fn history(&mut self, address: &Address) {
        for _ in 0..self.tape.weighted(&[(6, 0), (3, 1), (1, 2), (2, 3), (1, 4)]) {
            self.invite("", address, "user", InviteState::Expired);
        }
        if self.tape.chance(15) {
            self.invite("", address, "user", InviteState::JustExpired);
        }
        if self.tape.chance(25) {
            self.invite("", address, "developer", InviteState::Accepted);
            self.live
                .former
                .insert(address.spellings[0].clone(), format!("user_{}old", LOCALS[self.index]));
        }
    }

    fn note(&mut self) -> Option<String> {
        self.tape.weighted(&[
            (8, None),
            (1, Some("SOW-118".to_owned())),
            (1, Some("two lines:\n- \"quoted\" # not a comment".to_owned())),
        ])
    }
}

/// The person who made the organization.
fn root(whole: &mut Tape<'_>, files: &mut Files, live: &mut Live) {
    let admin = if files.kind == Kind::Console { "admin" } else { "primary_owner" };
    let email = "root@acme.com".to_owned();
    live.users.push(User {
        id: "user_root".to_owned(),
        canonical: email.clone(),
        email: email.clone(),
        role: admin.to_owned(),
    });
    if let (Some(members), true) = (&mut files.members, whole.chance(70)) {
        members.push(PersonEntry {
            canonical: email.clone(),
            email,
            role: admin.to_owned(),
            ..PersonEntry::default()
        });
    }
}

fn teams(whole: &mut Tape<'_>, humans: &[Human], files: &mut Files) {
    for name in TEAMS {
        if !whole.chance(55) {
            continue;
        }
        let chosen = whole.byte();
        let people = humans
            .iter()
            .enumerate()
            .filter(|(index, human)| {
                let namable = files.members.is_none() || human.listed;
                namable && chosen & (1 << index) != 0
            })
            .map(|(_, human)| {
                (human.address.spellings[0].clone(), human.address.canonical.clone())
            });
        files.teams.push(TeamEntry { name, people: people.collect() });
    }
}
