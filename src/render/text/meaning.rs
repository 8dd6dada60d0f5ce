//! What a plan means: who gains or loses access, which keys stop, what ends soon, what the files leave out.
//!
//! Invariant: folding never drops a person or a key, only the repetition of a sentence.

use std::collections::BTreeMap;

use anstyle::Style;

use super::{call_to_act, count, heading, steps::widest};
use crate::{
    access::{AccessChange, AccessRole, Place},
    address::Kind,
    characters::quoted,
    plan::step::{Expiring, ExpiringKind, KeyFate, Unmanaged, Waiting},
    render::{
        clean::{clean, name},
        layout::{Flow, pad},
        style::{ADD, BOLD, CHANGE, DIM, PLAIN, REMOVE, paint},
    },
};

/// Names of places that are written out before they are only counted.
const PLACES: usize = 3;
/// People with the same sentence before they share it.
const SHARED: usize = 3;

pub(super) fn waiting(waiting: &[Waiting], width: usize) -> String {
    if waiting.is_empty() {
        return String::new();
    }
    let mut out = heading("invites that wait for an answer");
    let names = waiting
        .iter()
        .map(|one| clean(&name(one.address.name.as_str())).into_owned())
        .collect::<Vec<_>>();
    let column = widest(names.iter().map(AsRef::as_ref)).min(width / 2);
    for (Waiting { address: _, role, expires_at }, name) in waiting.iter().zip(&names) {
        let until = expires_at.strftime("%Y-%m-%d %H:%M UTC");
        let text = format!("as {role}, until {until}");
        let flow = Flow::new().solid(0, BOLD, &pad(name, column)).words(2, PLAIN, &text);
        out.push_str(&flow.lines("  ", 2, 4, width));
    }
    out
}

pub(super) fn access(changes: &[AccessChange], width: usize) -> String {
    if changes.is_empty() {
        return String::new();
    }
    let mut out = heading("access");
    out.push_str(&access_changes(changes, width));
    out
}

/// Who gains, loses or changes access, in sentences.
pub fn access_changes(changes: &[AccessChange], width: usize) -> String {
    // One person, one way it changes, all the places where it does.
    let mut by_person: BTreeMap<(&str, Way<'_>), Vec<&Place>> = BTreeMap::new();
    for AccessChange { person, place, before, after } in changes {
        let Some(way) = Way::of(before.as_ref(), after.as_ref()) else { continue };
        by_person.entry((person, way)).or_default().push(place);
    }
    // The same sentence for several people is said once.
    let mut sentences: BTreeMap<(Way<'_>, Vec<&Place>), Vec<&str>> = BTreeMap::new();
    for ((person, way), places) in by_person {
        sentences.entry((way, places)).or_default().push(person);
    }
    let mut lines: Vec<(&str, String)> = Vec::new();
    for ((way, places), people) in &sentences {
        let (symbol, style, verb) = way.words(people.len() > 1);
        let lead = format!("  {} ", paint(style, symbol));
        let shown = way.sentence(verb, &places_in_words(places));
        if people.len() < SHARED {
            for person in people {
                let (_, _, verb) = way.words(false);
                let text = way.sentence(verb, &places_in_words(places));
                let flow = Flow::new().solid(0, BOLD, &name(person)).words(1, PLAIN, &text);
                lines.push((person, flow.lines(&lead, 4, 6, width)));
            }
        } else {
            let flow = Flow::new()
                .solid(0, BOLD, &format!("{} people", people.len()))
                .words(1, PLAIN, &format!("{shown}:"))
                .words(
                    1,
                    PLAIN,
                    &people.iter().map(|one| name(one)).collect::<Vec<_>>().join(", "),
                );
            lines.push((people[0], flow.lines(&lead, 4, 6, width)));
        }
    }
    lines.sort_by(|a, b| a.0.cmp(b.0));
    lines.into_iter().map(|(_, line)| line).collect()
}

/// How access changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way<'a> {
    Gains(&'a AccessRole),
    Loses(&'a AccessRole),
    Changes(&'a AccessRole, &'a AccessRole),
}

impl<'a> Way<'a> {
    fn of(before: Option<&'a AccessRole>, after: Option<&'a AccessRole>) -> Option<Self> {
        match (before, after) {
            (None, None) => None,
            (None, Some(after)) => Some(Way::Gains(after)),
            (Some(before), None) => Some(Way::Loses(before)),
            (Some(before), Some(after)) => (before != after).then_some(Way::Changes(before, after)),
        }
    }

    fn words(self, several: bool) -> (&'static str, Style, &'static str) {
        match (self, several) {
            (Way::Gains(_), false) => ("+", ADD, "gains"),
            (Way::Gains(_), true) => ("+", ADD, "gain"),
            (Way::Loses(_), false) => ("-", REMOVE, "loses"),
            (Way::Loses(_), true) => ("-", REMOVE, "lose"),
            (Way::Changes(..), false) => ("~", CHANGE, "goes from"),
            (Way::Changes(..), true) => ("~", CHANGE, "go from"),
        }
    }

    fn sentence(self, verb: &str, places: &str) -> String {
        match self {
            Way::Gains(role) | Way::Loses(role) => {
                let AccessRole { role, through, once_accepted } = role;
                let through = through.as_ref().map(|role| format!(", through {role}"));
                let accepted = match (self, once_accepted) {
                    (_, false) => "",
                    (Way::Loses(_), true) => " (was invited)",
                    (Way::Gains(_) | Way::Changes(..), true) => ", once the invite is accepted",
                };
                format!("{verb} {role} {places}{}{accepted}", through.unwrap_or_default())
            }
            Way::Changes(before, after) => format!(
                "{verb} {}{} to {}{} {places}",
                before.role,
                inherited(before),
                after.role,
                inherited(after),
            ),
        }
    }
}

fn inherited(role: &AccessRole) -> String {
    let AccessRole { role: _, through, once_accepted } = role;
    match (through, once_accepted) {
        (Some(role), _) => format!(" (through {role})"),
        (None, true) => " (once accepted)".to_owned(),
        (None, false) => String::new(),
    }
}

fn places_in_words(places: &[&Place]) -> String {
    let mut words = Vec::new();
    let mut names = Vec::new();
    for place in places {
        match place {
            Place::Organization => words.push("in the organization".to_owned()),
            // Files that list no workspaces do not know how many there are.
            Place::EveryWorkspace(0) => words.push("in every workspace".to_owned()),
            Place::EveryWorkspace(1) => words.push("in the only workspace".to_owned()),
            Place::EveryWorkspace(number) => words.push(format!("in all {number} workspaces")),
            Place::Workspace(workspace) => names.push(name(workspace.as_str()).into_owned()),
        }
    }
    if names.len() > PLACES {
        words.push(format!(
            "in {} workspaces ({} and {} more)",
            names.len(),
            names[..PLACES - 1].join(", "),
            names.len() - PLACES + 1
        ));
    } else if !names.is_empty() {
        words.push(format!("in {}", names.join(", ")));
    }
    words.join(" and ")
}

pub(super) fn keys(keys: &[KeyFate], width: usize) -> String {
    let (dying, living): (Vec<&KeyFate>, Vec<&KeyFate>) = keys.iter().partition(|key| key.dies);
    let mut out = String::new();
    if !dying.is_empty() {
        out.push_str(&heading("API keys that stop working"));
        out.extend(dying.iter().map(|key| key_line(key, width)));
    }
    if !living.is_empty() {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&heading("API keys that live on"));
        out.extend(living.iter().map(|key| key_line(key, width)));
    }
    out
}

fn key_line(fate: &KeyFate, width: usize) -> String {
    let KeyFate { address: _, name, id, hint, dies, because_of, why, listed_active, by_expiry: _ } =
        fate;
    let (symbol, style) = if *dies { ("-", REMOVE) } else { ("=", PLAIN) };
    let print = format!("({})", hint.as_deref().unwrap_or(id.as_str()));
    let mut flow = Flow::new()
        .solid(0, BOLD, &quoted(name))
        .solid(1, DIM, &print)
        .words(2, PLAIN, why)
        .solid(1, DIM, &format!("({because_of})"));
    if *dies && *listed_active {
        flow = flow.words(2, REMOVE, "the files list it as active");
    }
    flow.lines(&format!("  {} ", paint(style, symbol)), 4, 6, width)
}

pub(super) fn expiring(expiring: &[Expiring], width: usize) -> String {
    if expiring.is_empty() {
        return String::new();
    }
    let mut out = heading("ends within 14 days");
    for Expiring { on, what, end, at } in expiring {
        let end = which_end(*end);
        let mut flow = Flow::new().solid(0, BOLD, what).words(2, PLAIN, end);
        if let Some(at) = at {
            flow = flow.solid(2, DIM, &at.to_string());
        }
        out.push_str(&flow.lines(&format!("  {on}  "), 14, 16, width));
    }
    out
}

/// Which end comes, in words.
pub(in crate::render) fn which_end(end: ExpiringKind) -> &'static str {
    match end {
        ExpiringKind::Until => "its `until`",
        ExpiringKind::Invite => "the invite lapses",
        ExpiringKind::Key => "the key's own expiry",
        ExpiringKind::Ignore => "the ignore's `until`",
    }
}

pub(super) fn unmanaged(unmanaged: &[Unmanaged], width: usize) -> String {
    if unmanaged.is_empty() {
        return String::new();
    }
    let mut out = call_to_act(
        &format!("live, but not in the files: {}", unmanaged.len()),
        "left alone",
        width,
    );
    for kind in Kind::ALL {
        let of_kind: Vec<&Unmanaged> =
            unmanaged.iter().filter(|one| one.address.kind == kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        let noun = match kind {
            Kind::Member => count(of_kind.len(), "member", "members"),
            Kind::Workspace => count(of_kind.len(), "workspace", "workspaces"),
            Kind::WorkspaceMember => count(of_kind.len(), "workspace member", "workspace members"),
            Kind::ApiKey => count(of_kind.len(), "API key", "API keys"),
        };
        let names: Vec<String> = of_kind.iter().map(|one| one_unmanaged(one)).collect();
        let flow =
            Flow::new().words(0, BOLD, &format!("{noun}:")).words(1, PLAIN, &names.join(", "));
        out.push_str(&flow.lines("  ", 2, 4, width));
    }
    out
}

pub(in crate::render) fn one_unmanaged(one: &Unmanaged) -> String {
    let Unmanaged { address, title, id: _, detail } = one;
    let place = address
        .scope
        .as_ref()
        .map(|place| format!(" in {}", name(place.as_str())))
        .unwrap_or_default();
    let title = name(title);
    if detail.is_empty() { format!("{title}{place}") } else { format!("{title}{place} ({detail})") }
}
