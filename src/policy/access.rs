//! Who holds an access that rules and tests name.
//!
//! Invariant: more than what is named counts as holding it, whether granted or inherited.

use std::cmp::Ordering;

use super::state::{Person, State};
use crate::{config::document::policy::Access, diagnostic::Span};

/// An access, with the workspaces it is about.
pub(super) struct Named<'a> {
    access: &'a Access,
    state: &'a State,
    /// Positions of its workspaces; none: it is about the organization.
    places: Option<Vec<usize>>,
}

impl<'a> Named<'a> {
    pub(super) fn new(access: &'a Access, state: &'a State) -> Self {
        let places = access.workspace.as_ref().map(|pattern| {
            // The decoder refused what does not compile.
            let glob = globset::Glob::new(pattern).ok().map(|glob| glob.compile_matcher());
            let fits = |name: &str| glob.as_ref().is_some_and(|glob| glob.is_match(name));
            let all = state.workspaces.iter().enumerate();
            all.filter(|(_, workspace)| fits(&workspace.name)).map(|(place, _)| place).collect()
        });
        Self { access, state, places }
    }

    /// How many accesses it is: one for each of its workspaces.
    pub(super) fn count(&self) -> usize {
        self.places.as_ref().map_or(1, Vec::len)
    }

    /// What somebody holds of it, in words; empty: nothing.
    pub(super) fn held(&self, person: &Person) -> Vec<String> {
        let Some(places) = &self.places else {
            let both = self.access.role.as_ref().zip(person.role.as_ref());
            let holds = both
                .filter(|(wanted, role)| role.compare(&wanted.value).is_some_and(Ordering::is_ge));
            return holds.map(|(_, role)| format!("`{role}`")).into_iter().collect();
        };
        let held = places.iter().filter_map(|place| {
            let role = self.state.role_in(person, *place)?;
            let wanted = self.access.grant.as_ref();
            let enough = wanted
                .is_none_or(|wanted| role.compare(&wanted.value).is_some_and(Ordering::is_ge));
            enough.then(|| format!("`{role}` in `{}`", self.state.workspaces[*place].name))
        });
        held.collect()
    }

    /// Where in the files a person comes to it: the grant if there is one, else the person's entry.
    pub(super) fn span<'p>(&self, person: &'p Person) -> Option<&'p Span> {
        let own = self.places.iter().flatten().find_map(|place| {
            let grant = person.grants.get(place)?;
            grant.listed.span.as_ref()
        });
        own.or(person.listed.span.as_ref())
    }
}
