//! Workspaces that were renamed out of sight: in the Console, or in the files without `previously`.
//!
//! The premise: an entry without an id finds its workspace by name. If the name changes on one side only, the entry
//! finds nothing, and a plan would make a second workspace that nothing can delete. Two things survive a rename: the
//! ids of the keys in the workspace, and who may do what in it. So a create is held if a key that its entry lists by
//! id is in a workspace that no entry names, or if such a workspace has exactly the grants of the entry.
//!
//! Invariant: only a workspace that no entry names is evidence, and never one of the product's own.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Evidence;
use crate::{
    address::{Address, Kind, Name},
    resource::{
        Disposition, Object, Phase, Role, Spec, WorkspaceRole,
        workspace::{CLAUDE_CODE, rename_help},
    },
};

/// Keys that a reason names before it only counts.
const MOST_KEYS: usize = 3;

/// The grants of a workspace, by person.
type Grants<'a> = BTreeMap<&'a Name, &'a WorkspaceRole>;

/// What speaks for an unnamed workspace being the one that is about to be made.
#[derive(Default)]
struct Found<'a> {
    keys: Vec<&'a Address>,
    /// How many grants are the same.
    grants: Option<usize>,
}

/// The creates of workspaces to hold.
pub(super) fn holds(evidence: Evidence<'_>, creates: &[&Address]) -> Vec<(Address, Disposition)> {
    let creates: BTreeSet<&Name> = creates
        .iter()
        .filter(|address| address.kind == Kind::Workspace)
        .map(|address| &address.name)
        .collect();
    let pinned = evidence.pinned_elsewhere(&creates);
    let unnamed = if creates.is_empty() { BTreeMap::new() } else { evidence.unnamed_workspaces() };
    if unnamed.is_empty() {
        return pinned;
    }
    let mut found: BTreeMap<&Name, BTreeMap<&Name, Found<'_>>> = BTreeMap::new();
    for (create, workspace, key) in evidence.listed_keys(&creates, &unnamed) {
        found.entry(create).or_default().entry(workspace).or_default().keys.push(key);
    }
    for (create, workspace, grants) in evidence.same_grants(&creates, &unnamed) {
        found.entry(create).or_default().entry(workspace).or_default().grants = Some(grants);
    }
    let found = found.into_iter().map(|(create, found)| {
        let why = evidence.reason(&found, &unnamed);
        (Address::workspace(create.clone()), Disposition::Held { why })
    });
    pinned.into_iter().chain(found).collect()
}

impl<'a> Evidence<'a> {
    /// Creates of a name that a live workspace has which another entry means by its id: the id may stand in the wrong
    /// entry.
    fn pinned_elsewhere(self, creates: &BTreeSet<&'a Name>) -> Vec<(Address, Disposition)> {
        if creates.is_empty() {
            return Vec::new();
        }
        let wanted: BTreeMap<&str, &Name> = creates
            .iter()
            .filter_map(|create| {
                let wanted = self.adopted.after.get(&Address::workspace((*create).clone()))?;
                match &wanted.spec {
                    Spec::Workspace(workspace) => Some((&*workspace.name, *create)),
                    _ => None,
                }
            })
            .collect();
        let held = self.bound.live.of(Kind::Workspace).filter_map(|(address, object)| {
            let Spec::Workspace(live) = &object.spec else { return None };
            let create = wanted.get(&*live.name).filter(|create| **create != &address.name)?;
            let id = object.remote.as_ref().map(|remote| remote.id.0.clone())?;
            let why = format!(
                "`{}` ({id}) has this name, and the entry `{}` means it by `id`, so a second workspace would be made: \
                 give this entry the `id` if it is the one; if it is a new workspace that takes over the name, write \
                 `previously: []`",
                live.name, address.name
            );
            self.desired.objects.contains(address).then(|| {
                (Address::workspace((*create).clone()), Disposition::Held { why })
            })
        });
        held.collect()
    }

    /// Live workspaces that no entry names, by what the plan calls them.
    fn unnamed_workspaces(self) -> BTreeMap<&'a Name, &'a Object> {
        let Self { desired, bound, .. } = self;
        // An entry that means one of several namesakes binds none of them, and names all.
        let named: BTreeSet<_> = desired
            .workspace_targets()
            .filter(|(_, target, _)| target.id.is_none())
            .flat_map(|(_, target, _)| target.previously.into_iter().chain([target.name]))
            .collect();
        bound
            .live
            .of(Kind::Workspace)
            .filter(|(address, _)| {
                !desired.objects.contains(address) && !desired.gone.contains_key(address)
            })
            .filter(|(_, object)| match &object.spec {
                Spec::Workspace(live) => {
                    !live.is_default && &*live.name != CLAUDE_CODE && !named.contains(&live.name)
                }
                _ => false,
            })
            .map(|(address, object)| (&address.name, &**object))
            .collect()
    }

    /// Keys that a new workspace lists by id and that are in an unnamed one: the new one, where they are, the key.
    fn listed_keys(
        self,
        creates: &BTreeSet<&'a Name>,
        unnamed: &BTreeMap<&'a Name, &'a Object>,
    ) -> Vec<(&'a Name, &'a Name, &'a Address)> {
        let Self { desired, bound, .. } = self;
        let place = |object: &'a Object| match &object.spec {
            Spec::ApiKey(key) => key.workspace.as_ref(),
            _ => None,
        };
        desired
            .objects
            .of(Kind::ApiKey)
            .filter(|(address, _)| matches!(address.name, Name::Id(_)))
            .filter_map(|(address, wanted)| {
                let create = place(wanted).and_then(|name| creates.get(name))?;
                let (workspace, _) = unnamed.get_key_value(place(bound.live.get(address)?)?)?;
                Some((*create, *workspace, address))
            })
            .collect()
    }

    /// Pairs of a new workspace and an unnamed one with the same grants, and how many they are.
    fn same_grants(
        self,
        creates: &BTreeSet<&'a Name>,
        unnamed: &BTreeMap<&'a Name, &'a Object>,
    ) -> Vec<(&'a Name, &'a Name, usize)> {
        let Self { desired, bound, .. } = self;
        let comparable = desired.comparable_by_grants();
        let mut wanted: HashMap<&Name, Grants<'a>> = HashMap::new();
        for (_, object) in desired.objects.of(Kind::WorkspaceMember) {
            let Spec::WorkspaceMember(grant) = &object.spec else { continue };
            let Some(create) = creates.get(&grant.workspace) else { continue };
            if comparable.contains(create) && self.could_be_live(&grant.member) {
                wanted.entry(create).or_default().insert(&grant.member, &grant.role);
            }
        }
        wanted.retain(|create, grants| {
            grants.len() > 1 || self.desired.granted_to_teams.contains(create)
        });
        if wanted.is_empty() {
            return Vec::new();
        }
        let mut live: HashMap<&Name, Grants<'a>> = HashMap::new();
        for (_, object) in bound.live.of(Kind::WorkspaceMember) {
            let Spec::WorkspaceMember(grant) = &object.spec else { continue };
            if unnamed.contains_key(&grant.workspace) && self.is_kept(&grant.member) {
                live.entry(&grant.workspace).or_default().insert(&grant.member, &grant.role);
            }
        }
        let mut same = Vec::new();
        for (create, wanted) in &wanted {
            // What the entry leaves open about somebody says nothing for or against.
            let says = |member: &Name| {
                let grant = Address::workspace_member((*create).clone(), member.clone());
                !desired.gone.contains_key(&grant) && !desired.kept.contains(&grant)
            };
            for workspace in unnamed.keys() {
                let Some(live) = live.get(workspace) else { continue };
                let said = live.iter().filter(|(member, _)| says(member));
                if said.eq(wanted.iter()) {
                    same.push((*create, *workspace, wanted.len()));
                }
            }
        }
        same
    }

    /// Whether somebody can have a grant of their own today: not if they are invited only, or inherit their access.
    fn could_be_live(self, member: &Name) -> bool {
        let live = self.bound.live.get(&Address::member(member.clone()));
        live.is_some_and(|object| object.phase() == Some(Phase::Active)) && !self.inherits(member)
    }

    /// Whether a live grant counts: not of somebody who leaves or inherits their access.
    fn is_kept(self, member: &Name) -> bool {
        !self.adopted.going.contains_key(&Address::member(member.clone())) && !self.inherits(member)
    }

    fn inherits(self, member: &Name) -> bool {
        self.world.deciding_role(member).as_ref().and_then(Role::inherited).is_some()
    }

    fn reason(
        self,
        found: &BTreeMap<&Name, Found<'_>>,
        unnamed: &BTreeMap<&'a Name, &'a Object>,
    ) -> String {
        let told: Vec<(&str, String, String)> = found
            .iter()
            .filter_map(|(name, found)| {
                let object = unnamed.get(name)?;
                let id = object.remote.as_ref()?.id.as_str();
                let title = object.spec.resource().title();
                Some((id, title, self.clue(found)))
            })
            .collect();
        if let [(id, title, clue)] = told.as_slice() {
            return format!(
                "no entry names the live workspace `{title}` (`{id}`), but {clue}: {}",
                rename_help(title, id)
            );
        }
        let told: Vec<String> =
            told.iter().map(|(id, title, clue)| format!("`{title}` (`{id}`): {clue}")).collect();
        format!(
            "no entry names these live workspaces: {}: if this entry means one of them, add `id:` with its id, or \
             `previously: []` if this is a new one",
            told.join("; ")
        )
    }

    fn clue(self, found: &Found<'_>) -> String {
        let mut clues = Vec::new();
        if !found.keys.is_empty() {
            let mut keys: Vec<String> = found
                .keys
                .iter()
                .take(MOST_KEYS)
                .map(|address| {
                    let live = self.bound.live.get(address);
                    let title = live.map(|key| key.spec.resource().title()).unwrap_or_default();
                    format!("`{title}` (`{}`)", address.name)
                })
                .collect();
            if found.keys.len() > MOST_KEYS {
                keys.push(format!("{} more", found.keys.len() - MOST_KEYS));
            }
            let (noun, verb) = if found.keys.len() == 1 { ("key", "is") } else { ("keys", "are") };
            clues.push(format!("the {noun} {}, listed here by id, {verb} in it", keys.join(", ")));
        }
        if let Some(grants) = found.grants {
            let who = if grants == 1 { "person" } else { "people" };
            clues.push(format!("it has exactly the grants listed here ({grants} {who})"));
        }
        clues.join(", and ")
    }
}
