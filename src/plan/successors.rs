//! People who may be one person under a new address: removed and invited in the same plan, with the same role and the
//! same grants. Without grants a role says little, so their names have to be alike too. Only a person can tell, so the
//! plan asks and changes nothing.
//!
//! Invariant: each group of such people is one finding, however many they are.

use std::collections::{BTreeMap, BTreeSet};

use super::step::{Cause, Step};
use crate::{
    address::{Kind, Name},
    diagnostic::Diagnostic,
    resource::{Desired, Phase, Role, Snapshot, Spec, Verb, WorkspaceRole},
};

/// Addresses that a finding names before it only counts.
const MOST_NAMES: usize = 5;

/// A shorter word says nothing of who is called by it.
const SHORTEST_WORD: usize = 3;

/// What a person can do: the organization role, and the grants by workspace.
type Access<'a> = (Option<&'a Role>, BTreeMap<&'a Name, &'a WorkspaceRole>);

/// Those who leave and those who are invited with equal access.
#[derive(Default)]
struct Group<'a> {
    removed: Vec<&'a Step>,
    invited: Vec<&'a Step>,
    has_grants: bool,
}

/// The findings, for the ready steps of a plan.
pub(super) fn successors(steps: &[Step], desired: &Desired, live: &Snapshot) -> Vec<Diagnostic> {
    let people = || steps.iter().filter(|step| step.address.kind == Kind::Member);
    let ready = || people().filter(|step| step.disposition.is_ready());
    // An invite that is withdrawn takes nothing along, and an end by a date was announced.
    let removed: Vec<&Step> = ready()
        .filter(|step| step.change.verb() == Verb::Remove && step.cause != Cause::Expired)
        .filter(|step| {
            step.change.before().and_then(|object| object.phase()) == Some(Phase::Active)
        })
        .collect();
    let says_nothing =
        |step: &&Step| desired.pins.get(&step.address).is_none_or(|pin| pin.previously.is_none());
    let invited: Vec<&Step> =
        ready().filter(|step| step.change.verb() == Verb::Create).filter(says_nothing).collect();
    if removed.is_empty() || invited.is_empty() {
        return Vec::new();
    }
    let mut groups: BTreeMap<String, Group<'_>> = BTreeMap::new();
    for (step, access) in accesses(&removed, desired, live) {
        let group = groups.entry(key(&access)).or_default();
        group.removed.push(step);
        group.has_grants = !access.1.is_empty();
    }
    for (step, access) in accesses(&invited, desired, &desired.objects) {
        groups.entry(key(&access)).or_default().invited.push(step);
    }
    for group in groups.values_mut().filter(|group| !group.has_grants) {
        let (gone, come) = (words(&group.removed), words(&group.invited));
        group.removed.retain(|step| !own_words(step).is_disjoint(&come));
        group.invited.retain(|step| !own_words(step).is_disjoint(&gone));
    }
    groups.values().filter_map(finding).collect()
}

/// The words that some people are called by.
fn words(steps: &[&Step]) -> BTreeSet<String> {
    steps.iter().flat_map(|step| own_words(step)).collect()
}

/// What a person may be called by in an address: the parts of the address before `@` and of the name, and what people
/// make of a first and a last name (`ada.lovelace`, `adalovelace`, `alovelace`, `adal`).
fn own_words(step: &Step) -> BTreeSet<String> {
    let object = step.change.object();
    let Spec::Member(member) = &object.spec else { return BTreeSet::new() };
    let local = member.email.canonical().split('@').next().unwrap_or_default().to_owned();
    let name = object.member_facts().map(|facts| facts.name.to_lowercase()).unwrap_or_default();
    let mut words = BTreeSet::new();
    for text in [local, name] {
        let parts: Vec<&str> =
            text.split(|c: char| !c.is_alphabetic()).filter(|part| !part.is_empty()).collect();
        words.extend(parts.iter().map(|part| (*part).to_owned()));
        if let [first, .., last] = parts[..] {
            let initial = |name: &str| name.chars().take(1).collect::<String>();
            words.extend([
                parts.concat(),
                initial(first) + last,
                first.to_owned() + &initial(last),
            ]);
        }
    }
    words.retain(|word| word.chars().count() >= SHORTEST_WORD);
    words
}

/// The access of some people by the grants of a snapshot, in the workspaces whose members the files manage.
fn accesses<'a>(
    steps: &[&'a Step],
    desired: &Desired,
    snapshot: &'a Snapshot,
) -> Vec<(&'a Step, Access<'a>)> {
    let mut by_name: BTreeMap<&Name, (&Step, Access<'a>)> = steps
        .iter()
        .map(|step| {
            let role = match &step.change.object().spec {
                Spec::Member(member) => member.role.as_ref(),
                _ => None,
            };
            (&step.address.name, (*step, (role, BTreeMap::new())))
        })
        .collect();
    for (_, object) in snapshot.of(Kind::WorkspaceMember) {
        let Spec::WorkspaceMember(grant) = &object.spec else { continue };
        if desired.scope.workspace_members.contains_key(&grant.workspace)
            && let Some((_, (_, grants))) = by_name.get_mut(&grant.member)
        {
            grants.insert(&grant.workspace, &grant.role);
        }
    }
    by_name.into_values().collect()
}

fn key((role, grants): &Access<'_>) -> String {
    format!("{:?} {grants:?}", role.map(Role::as_str))
}

fn finding(group: &Group<'_>) -> Option<Diagnostic> {
    let Group { removed, invited, has_grants } = group;
    let (first, gone) = (invited.first()?, removed.first()?);
    let title = |step: &Step| step.change.object().spec.resource().title();
    let list = |steps: &[&Step]| {
        let mut names: Vec<String> =
            steps.iter().take(MOST_NAMES).map(|step| format!("`{}`", title(step))).collect();
        if steps.len() > MOST_NAMES {
            names.push(format!("{} more", steps.len() - MOST_NAMES));
        }
        names.join(", ")
    };
    let verb = |steps: &[&Step]| if steps.len() == 1 { "is" } else { "are" };
    Some(
        Diagnostic::warning(
            "plan/possible-rename",
            format!(
                "{} {} removed while {} {} invited with {}: a removal ends personal API keys, a new address of the same \
                 person does not",
                list(removed),
                verb(removed),
                list(invited),
                verb(invited),
                if *has_grants {
                    "the same role and the same grants"
                } else {
                    "the same role and a similar name"
                },
            ),
        )
        .at_opt(first.at.as_ref())
        .help(format!(
            "for each who is the same person, add `previously` to the new entry, as in `previously: [{}]`; for the \
             others, `previously: []` ends this warning",
            title(gone)
        )),
    )
}
