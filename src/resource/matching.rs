//! Which live object an entry of the files means: by id, else by a unique name, else by an earlier name.
//!
//! Invariant: no live object is given to two entries, and an ambiguous name is never guessed.

use std::{collections::HashMap, iter, sync::Arc};

use crate::address::RemoteId;

/// What an entry says about the object it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Only this id.
    pub id: Option<RemoteId>,
    /// Its name today.
    pub name: Arc<str>,
    /// Its earlier names.
    pub previously: Vec<Arc<str>>,
}

/// A live object that may be meant.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its id.
    pub id: &'a RemoteId,
    /// Its name.
    pub name: &'a str,
}

/// Candidates by their names, which several may share.
pub struct ByName<'a> {
    first: HashMap<&'a str, usize>,
    /// After each candidate, the next of the same name.
    next: Vec<Option<usize>>,
}

impl<'a> ByName<'a> {
    /// Of all candidates.
    pub fn of(candidates: &[Candidate<'a>]) -> Self {
        let mut first = HashMap::with_capacity(candidates.len());
        let mut next = vec![None; candidates.len()];
        for (index, candidate) in candidates.iter().enumerate().rev() {
            next[index] = first.insert(candidate.name, index);
        }
        Self { first, next }
    }

    /// Those of a name, as indices that rise.
    pub fn all(&self, name: &str) -> impl Iterator<Item = usize> {
        iter::successors(self.first.get(name).copied(), |index| self.next[*index])
    }
}

/// What was found for a target: indices into the candidates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Exactly this one.
    One(usize),
    /// Nothing.
    Nothing,
    /// Several that nothing tells apart.
    Many(Vec<usize>),
}

/// Finds the live object of each target, in the order of the targets.
pub fn match_all(targets: &[Target], candidates: &[Candidate<'_>]) -> Vec<Found> {
    let mut found: Vec<Option<Found>> = vec![None; targets.len()];
    let mut claimed = vec![false; candidates.len()];

    // An id says it for good, also when nothing has that id.
    if targets.iter().any(|target| target.id.is_some()) {
        let by_id: HashMap<&str, usize> =
            candidates.iter().enumerate().map(|(i, c)| (c.id.as_str(), i)).collect();
        for (slot, target) in found.iter_mut().zip(targets) {
            let Some(id) = &target.id else { continue };
            *slot = Some(match by_id.get(id.as_str()) {
                Some(&index) => {
                    claimed[index] = true;
                    Found::One(index)
                }
                None => Found::Nothing,
            });
        }
    }

    let by_name = ByName::of(candidates);
    claim_names(&mut found, &mut claimed, &by_name, targets, |target| {
        std::slice::from_ref(&target.name)
    });
    claim_names(&mut found, &mut claimed, &by_name, targets, |target| &target.previously);

    found.into_iter().map(|slot| slot.unwrap_or(Found::Nothing)).collect()
}

/// Gives each target that has nothing yet the one free candidate that has any of its names.
fn claim_names<'t>(
    found: &mut [Option<Found>],
    claimed: &mut [bool],
    by_name: &ByName<'_>,
    targets: &'t [Target],
    names: impl Fn(&'t Target) -> &'t [Arc<str>],
) {
    for (slot, target) in found.iter_mut().zip(targets) {
        if slot.is_some() {
            continue;
        }
        let mut free: Vec<usize> = names(target)
            .iter()
            .flat_map(|name| by_name.all(name))
            .filter(|&index| !claimed[index])
            .collect();
        free.sort_unstable();
        free.dedup();
        *slot = match free.as_slice() {
            [] => continue,
            [index] => {
                claimed[*index] = true;
                Some(Found::One(*index))
            }
            _ => Some(Found::Many(free)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(id: Option<&str>, name: &str, previously: &[&str]) -> Target {
        Target {
            id: id.map(RemoteId::new),
            name: name.into(),
            previously: previously.iter().map(|name| Arc::from(*name)).collect(),
        }
    }

    fn run(targets: &[Target], live: &[(&str, &str)]) -> Vec<Found> {
        let ids: Vec<RemoteId> = live.iter().map(|(id, _)| RemoteId::new(*id)).collect();
        let candidates: Vec<Candidate<'_>> =
            ids.iter().zip(live).map(|(id, (_, name))| Candidate { id, name }).collect();
        match_all(targets, &candidates)
    }

    #[test]
    fn an_id_claims_its_object_before_any_name_does() {
        let targets = [target(None, "Prod", &[]), target(Some("w1"), "Prod", &[])];
        assert_eq!(run(&targets, &[("w1", "Prod")]), [Found::Nothing, Found::One(0)]);
        assert_eq!(
            run(&targets, &[("w1", "Prod"), ("w2", "Prod")]),
            [Found::One(1), Found::One(0)]
        );
    }

    #[test]
    fn an_earlier_name_counts_only_when_the_name_itself_is_free() {
        let targets = [target(None, "Production", &["Prod"])];
        assert_eq!(run(&targets, &[("w1", "Prod")]), [Found::One(0)]);
        assert_eq!(run(&targets, &[("w1", "Prod"), ("w2", "Production")]), [Found::One(1)]);
    }

    #[test]
    fn a_name_with_several_live_objects_is_not_guessed() {
        let targets = [target(None, "Prod", &["Old"])];
        let live = [("w1", "Prod"), ("w2", "Prod"), ("w3", "Old")];
        assert_eq!(run(&targets, &live), [Found::Many(vec![0, 1])]);
    }

    #[test]
    fn several_earlier_names_that_are_all_live_are_not_guessed() {
        let targets = [target(None, "C", &["D", "E"])];
        assert_eq!(run(&targets, &[("w1", "D"), ("w2", "E")]), [Found::Many(vec![0, 1])]);
        assert_eq!(run(&targets, &[("w2", "E")]), [Found::One(0)]);
    }

    #[test]
    fn an_id_that_nothing_has_is_not_looked_up_by_name() {
        assert_eq!(run(&[target(Some("w9"), "Prod", &[])], &[("w1", "Prod")]), [Found::Nothing]);
    }
}
