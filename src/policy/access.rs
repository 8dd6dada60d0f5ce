//! Who holds an access that rules and tests name.
//!
//! Invariant: more than what is named counts as holding it, whether granted or inherited.

use crate::{
    config::document::policy::Access,
    policy::state::{Person, State},
};

/// What somebody holds of an access, in words; empty: nothing.
pub(super) fn held(access: &Access, person: &Person, state: &State) -> Vec<String> {
    let Some(pattern) = &access.workspace else {
        let holds = access.role.as_ref().zip(person.role.as_ref()).filter(|(wanted, role)| {
            role.compare(&wanted.value).is_some_and(std::cmp::Ordering::is_ge)
        });
        return holds.map(|(_, role)| format!("`{role}`")).into_iter().collect();
    };
    let matching = workspaces(pattern, state);
    matching
        .into_iter()
        .filter_map(|place| {
            let role = state.role_in(person, place)?;
            let enough = access.grant.as_ref().is_none_or(|wanted| {
                role.compare(&wanted.value).is_some_and(std::cmp::Ordering::is_ge)
            });
            enough.then(|| format!("`{role}` in `{}`", state.workspaces[place].name))
        })
        .collect()
}

/// Positions of the workspaces of such a name.
pub(super) fn workspaces(pattern: &str, state: &State) -> Vec<usize> {
    let Ok(glob) = globset::Glob::new(pattern) else { return Vec::new() };
    let glob = glob.compile_matcher();
    let all = state.workspaces.iter().enumerate();
    all.filter(|(_, workspace)| glob.is_match(&*workspace.name)).map(|(place, _)| place).collect()
}

/// Where in the files a person comes to an access: the grant if there is one, else the person's entry.
pub(super) fn span<'p>(
    access: &Access,
    person: &'p Person,
    state: &State,
) -> Option<&'p crate::diagnostic::Span> {
    let own = access.workspace.as_ref().and_then(|pattern| {
        let places = workspaces(pattern, state);
        places.iter().find_map(|place| person.grants.get(place)?.listed.span.as_ref())
    });
    own.or(person.listed.span.as_ref())
}
