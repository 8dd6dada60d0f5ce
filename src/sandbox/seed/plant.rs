//! From a seed file to an organization: fills in what is left out, and checks that every name leads somewhere.
//!
//! Invariant: rows are planted in order of time, so that "newest first" holds however the file is sorted.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use jiff::Timestamp;

use super::{
    ClockSeed, InviteSeed, KeySeed, ScopeSeed, Seed, SeedError, UserSeed, WorkspaceSeed, entry,
};
use crate::sandbox::{
    clock::{self, Clock},
    faults::Faults,
    ids::Ids,
    kinds::{
        api_key::{self, ApiKey, KeyStatus},
        invite::{Invite, InviteStatus, LIFE_DAYS},
        user::{User, name_of},
        workspace::{Attachments, Workspace, palette},
        workspace_rules::{is_color, is_reserved_tag},
    },
    scripts::Scripts,
    state::{Organization, State},
};

/// Builds the organization.
pub(super) fn plant(seed: Seed) -> Result<State, SeedError> {
    let Seed {
        organization,
        now,
        clock,
        tick_ms,
        seed,
        users,
        former_users,
        invites,
        workspaces,
        api_keys,
        external_keys,
        user_profiles,
        requires_external_key,
        limits,
        credentials,
        switches,
        faults,
        scripts,
    } = seed;
    let ids = Ids::new(seed);
    let standard = Organization::default();
    let organization = Organization {
        id: match (organization.id, &organization.name) {
            (Some(id), _) => id,
            (None, Some(name)) => ids.uuid(name),
            (None, None) => standard.id,
        },
        name: organization.name.unwrap_or(standard.name),
        kind: organization.kind,
    };
    // A file that fixes the time means that time; one that does not means today.
    let running = clock.map_or(now.is_none(), |clock| clock == ClockSeed::Running);
    let now = now.unwrap_or_else(Timestamp::now);
    let clock = if running { Clock::running(now) } else { Clock::frozen(now) };
    let clock = clock.with_tick(Duration::from_millis(tick_ms));
    let mut state = State::bare(organization, clock, seed);
    state.limits = limits;
    state.credentials = credentials;
    state.switches = switches;
    state.faults = Faults::new(faults).map_err(|message| entry("faults", message))?;
    state.scripts = Scripts::new(scripts).map_err(|message| entry("scripts", message))?;
    state.workspaces.attachments =
        Attachments { external_keys, user_profiles, requires_external_key };
    let mut planter = Planter { state, ids, now, taken: BTreeSet::new(), nth: HashMap::new() };
    planter.users(users)?;
    for (email, id) in former_users {
        planter.state.users.remember(&email, id);
    }
    planter.invites(invites)?;
    planter.workspaces(workspaces)?;
    planter.api_keys(api_keys)?;
    Ok(planter.state)
}

struct Planter {
    state: State,
    ids: Ids,
    now: Timestamp,
    taken: BTreeSet<String>,
    nth: HashMap<(&'static str, String), usize>,
}

impl Planter {
    /// The given id, or one made from the name; each id stands once.
    fn id(
        &mut self,
        at: &str,
        given: Option<String>,
        prefix: &'static str,
        name: &str,
    ) -> Result<String, SeedError> {
        let id = given.unwrap_or_else(|| {
            let nth = self.nth.entry((prefix, name.to_owned())).or_default();
            *nth += 1;
            self.ids.named(prefix, name, *nth - 1)
        });
        if !id.starts_with(prefix) {
            return Err(entry(at, format!("id `{id}` must start `{prefix}`")));
        }
        if !self.taken.insert(id.clone()) {
            return Err(entry(at, format!("id `{id}` stands twice")));
        }
        Ok(id)
    }

    fn users(&mut self, seeds: Vec<UserSeed>) -> Result<(), SeedError> {
        let mut rows = Vec::with_capacity(seeds.len());
        let mut addresses: HashMap<String, String> = HashMap::with_capacity(seeds.len());
        for (index, seed) in seeds.into_iter().enumerate() {
            let UserSeed { email, role, id, name, added_at } = seed;
            let at = format!("users[{index}]");
            if let Some(other) = addresses.insert(email.to_ascii_lowercase(), email.clone()) {
                return Err(entry(&at, format!("`{other}` and `{email}` are the same address")));
            }
            let id = self.id(&at, id, "user_", &email)?;
            let added_at = added_at.unwrap_or_else(|| clock::sub(self.now, clock::days(100)));
            let name = name.unwrap_or_else(|| name_of(&email));
            rows.push(User { id, email, name, role, added_at });
        }
        rows.sort_by_key(|user| user.added_at);
        for row in rows {
            self.state.users.insert(row);
        }
        Ok(())
    }

    fn invites(&mut self, seeds: Vec<InviteSeed>) -> Result<(), SeedError> {
        let mut rows = Vec::with_capacity(seeds.len());
        for (index, seed) in seeds.into_iter().enumerate() {
            let at = format!("invites[{index}]");
            rows.push(self.invite(&at, seed)?);
        }
        rows.sort_by_key(|invite| invite.invited_at);
        for row in rows {
            self.state.invites.insert(row);
        }
        Ok(())
    }

    fn invite(&mut self, at: &str, seed: InviteSeed) -> Result<Invite, SeedError> {
        let now = self.now;
        let InviteSeed {
            email,
            role,
            id,
            status,
            invited_at,
            expires_at,
            accepted_at,
            rbac_group_ids,
        } = seed;
        let id = self.id(at, id, "invite_", &email)?;
        let life = clock::days(LIFE_DAYS);
        let expires_at = expires_at.or_else(|| invited_at.map(|at| clock::add(at, life)));
        let expires_at = expires_at.unwrap_or_else(|| match status {
            Some(InviteStatus::Expired) => clock::sub(now, clock::days(1)),
            Some(InviteStatus::Accepted) => clock::sub(now, clock::days(79)),
            Some(InviteStatus::Pending | InviteStatus::Deleted) | None => {
                clock::add(now, clock::days(LIFE_DAYS - 1))
            }
        });
        let invited_at = invited_at.unwrap_or_else(|| clock::sub(expires_at, life));
        let accepted_at = accepted_at.or_else(|| {
            let accepted = status == Some(InviteStatus::Accepted);
            accepted.then(|| clock::add(invited_at, Duration::from_hours(1)))
        });
        let withdrawn = status == Some(InviteStatus::Deleted);
        let invite = Invite {
            id,
            email,
            role,
            invited_at,
            expires_at,
            accepted_at,
            withdrawn,
            rbac_group_ids,
        };
        let real = invite.status(now, &self.state.switches);
        match status {
            Some(status) if status != real => Err(entry(
                at,
                format!(
                    "status `{status:?}` does not fit its times, by which it is `{real:?}`; \
                     leave `status` out or correct `expires_at` or `accepted_at`"
                )
                .to_lowercase(),
            )),
            _ => Ok(invite),
        }
    }

    fn workspaces(&mut self, seeds: Vec<WorkspaceSeed>) -> Result<(), SeedError> {
        let mut rows = Vec::with_capacity(seeds.len());
        for (index, seed) in seeds.into_iter().enumerate() {
            rows.push(self.workspace(index, seed)?);
        }
        if rows.iter().filter(|(row, _)| row.is_default).count() > 1 {
            return Err(entry("workspaces", "only one can be `default: true`"));
        }
        if !rows.iter().any(|(row, _)| row.is_default) {
            self.state.add_default_workspace();
        }
        rows.sort_by_key(|(row, _)| row.created_at);
        for (row, members) in rows {
            for (user, role) in members {
                self.state.members.set(&row.id, &user, &role);
            }
            self.state.workspaces.insert(row);
        }
        Ok(())
    }

    fn workspace(
        &mut self,
        index: usize,
        seed: WorkspaceSeed,
    ) -> Result<(Workspace, Vec<(String, String)>), SeedError> {
        let at = format!("workspaces[{index}]");
        let WorkspaceSeed {
            name,
            id,
            default,
            created_at,
            archived_at,
            display_color,
            tags,
            data_residency,
            external_key_id,
            user_profile_id,
            compartment_id,
            members,
        } = seed;
        let id = self.id(&at, id, "wrkspc_", &name)?;
        if let Some(problem) = data_residency.problem() {
            return Err(entry(&at, problem));
        }
        if let Some(color) = display_color.as_ref().filter(|color| !is_color(color)) {
            return Err(entry(&at, format!("display_color `{color}` must look like #6C5BB9")));
        }
        if let Some(key) = tags.keys().find(|key| is_reserved_tag(key)) {
            return Err(entry(&at, format!("tags like `{key}` are reserved")));
        }
        if default && archived_at.is_some() {
            return Err(entry(&at, "the Default Workspace cannot be archived"));
        }
        let members = members.into_iter().map(|(who, role)| match self.state.user(&who) {
            Some(user) => Ok((user.id.clone(), role)),
            None => Err(entry(&at, format!("member `{who}` is no user; add them to `users`"))),
        });
        let members = members.collect::<Result<Vec<_>, _>>()?;
        let workspace = Workspace {
            compartment_id: compartment_id.unwrap_or_else(|| self.ids.named("cmprt_", &id, 0)),
            id,
            name,
            is_default: default,
            created_at: created_at.unwrap_or_else(|| clock::sub(self.now, clock::days(90))),
            archived_at,
            display_color: display_color.unwrap_or_else(|| palette(index)),
            data_residency,
            tags,
            external_key_id,
            user_profile_id,
        };
        Ok((workspace, members))
    }

    fn api_keys(&mut self, seeds: Vec<KeySeed>) -> Result<(), SeedError> {
        let mut rows = Vec::with_capacity(seeds.len());
        for (index, seed) in seeds.into_iter().enumerate() {
            let at = format!("api_keys[{index}]");
            rows.push(self.api_key(&at, seed)?);
        }
        rows.sort_by_key(|key| key.created_at);
        for row in rows {
            self.state.api_keys.insert(row);
        }
        Ok(())
    }

    fn api_key(&mut self, at: &str, seed: KeySeed) -> Result<ApiKey, SeedError> {
        let KeySeed {
            name,
            id,
            status,
            workspace,
            scope,
            created_by,
            principal,
            created_at,
            expires_at,
            archives_at,
            partial_key_hint,
        } = seed;
        let id = self.id(at, id, "apikey_", &name)?;
        let workspace = match (workspace, scope) {
            (Some(_), Some(_)) => {
                return Err(entry(at, "has both `workspace` and `scope`; write one"));
            }
            (None, Some(ScopeSeed::Organization)) => None,
            (Some(which), None) => Some(self.state.workspace(&which).ok_or_else(|| {
                entry(at, format!("workspace `{which}` does not exist; add it to `workspaces`"))
            })?),
            (None, None) => {
                let default = self.state.workspaces().find(|row| row.is_default);
                Some(default.ok_or_else(|| entry(at, "needs a `workspace`"))?)
            }
        };
        let workspace_id = workspace.map(|row| row.id.clone());
        // The archiving of a workspace takes its keys along.
        let archived = workspace.is_some_and(|row| row.archived_at.is_some());
        let status = if archived && archives_at.is_none() { KeyStatus::Archived } else { status };
        let expires_at = match status {
            KeyStatus::Expired => {
                Some(expires_at.unwrap_or_else(|| clock::sub(self.now, clock::days(1))))
            }
            _ => expires_at,
        };
        if status == KeyStatus::Expired && expires_at.is_some_and(|at| at > self.now) {
            return Err(entry(at, "is `expired`, but `expires_at` lies ahead"));
        }
        let (created_by, principal) = (self.actor(at, created_by)?, self.actor(at, principal)?);
        if workspace_id.is_none() && principal.is_none() {
            return Err(entry(
                at,
                "has organization scope, so it needs a `principal` (an address, `user_…` or `svac_…`)",
            ));
        }
        Ok(ApiKey {
            partial_key_hint: partial_key_hint.or_else(|| Some(api_key::hint(&id))),
            id,
            name,
            // What the clock decides is not stored.
            status: if status == KeyStatus::Expired { KeyStatus::Active } else { status },
            workspace_id,
            created_by,
            principal,
            created_at: created_at.unwrap_or_else(|| clock::sub(self.now, clock::days(60))),
            expires_at,
            archives_at,
        })
    }

    /// An address of a user, or any `user_…` (who may have left) or `svac_…`.
    fn actor(&self, at: &str, who: Option<String>) -> Result<Option<String>, SeedError> {
        let Some(who) = who else { return Ok(None) };
        if api_key::is_user(&who) || who.starts_with("svac_") {
            return Ok(Some(who));
        }
        match self.state.user(&who) {
            Some(user) => Ok(Some(user.id.clone())),
            None => Err(entry(
                at,
                format!("`{who}` is neither the address of a user nor `user_…` or `svac_…`"),
            )),
        }
    }
}
