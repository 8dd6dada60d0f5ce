//! Creates that look like a mistake: a missed rename, or a slip in an address. They are held, with the removal that
//! goes with them, until the files say more.
//!
//! Invariant: a hold only takes steps out of a run. Access that ends by a date in the files ends all the same.

mod moved;

use std::collections::HashMap;

use super::{adopt::Adopted, bind::Bound, step::Cause};
use crate::{
    address::{Address, Kind},
    resource::{Change, Desired, Disposition, Lookalike, Spec, Verb, World},
};

/// What the creates of a plan are judged with.
#[derive(Clone, Copy)]
struct Evidence<'a> {
    desired: &'a Desired,
    bound: &'a Bound,
    adopted: &'a Adopted,
    world: &'a World<'a>,
}

/// The steps to hold, each with the reason.
pub(super) fn holds(
    desired: &Desired,
    bound: &Bound,
    adopted: &Adopted,
    changes: &[(Address, Change)],
    world: &World<'_>,
) -> HashMap<Address, Disposition> {
    let evidence = Evidence { desired, bound, adopted, world };
    let creates: Vec<&Address> = changes
        .iter()
        .filter(|(address, change)| {
            change.verb() == Verb::Create
                && !desired.is_declared_new(address)
                && !bound.blocked.contains_key(address)
        })
        .map(|(address, _)| address)
        .collect();
    let mut holds = HashMap::new();
    if creates.is_empty() {
        return holds;
    }
    evidence.by_likeness(&creates, &mut holds);
    evidence.by_contained_address(&creates, &mut holds);
    for (address, disposition) in moved::holds(evidence, &creates) {
        holds.entry(address).or_insert(disposition);
    }
    holds
}

impl Evidence<'_> {
    /// Creates whose name or address differs only slightly from that of something live that no entry names.
    fn by_likeness(self, creates: &[&Address], holds: &mut HashMap<Address, Disposition>) {
        let Self { desired, bound, adopted, .. } = self;
        // Most creates resemble nothing: look only where likenesses meet.
        let mut wanted: HashMap<(Kind, String), Vec<&Address>> = HashMap::new();
        for address in creates {
            let like = adopted.after.get(address).and_then(|o| o.spec.resource().likeness());
            if let Some(like) = like {
                wanted.entry((address.kind, like)).or_default().push(address);
            }
        }
        if wanted.is_empty() {
            return;
        }
        for (address, object) in &bound.live {
            if desired.objects.contains(address) {
                continue;
            }
            let Some(like) = object.spec.resource().likeness() else { continue };
            let going = adopted.going.get(address);
            let named = desired.gone.contains_key(address);
            let other = Lookalike { object, named, goes: going.is_some() };
            for create in wanted.get(&(address.kind, like)).into_iter().flatten() {
                let wanted = adopted.after.get(create);
                let Some(instead) = wanted.and_then(|o| o.spec.resource().resembles(&other)) else {
                    continue;
                };
                holds.insert((*create).clone(), instead.clone());
                self.hold_removal(address, instead, holds);
            }
        }
    }

    /// Invites whose text holds the address of somebody removed, beside a character that no address has there: a
    /// quote, bullet or bracket that was pasted along.
    fn by_contained_address(self, creates: &[&Address], holds: &mut HashMap<Address, Disposition>) {
        let Self { bound, adopted, .. } = self;
        let mut contained: HashMap<String, &Address> = HashMap::new();
        for address in creates {
            if let Some(Spec::Member(member)) = adopted.after.get(address).map(|o| &o.spec) {
                let inside = member.email.contained();
                contained.extend(inside.into_iter().map(|text| (text, *address)));
            }
        }
        if contained.is_empty() {
            return;
        }
        for (address, object) in bound.live.of(Kind::Member) {
            let Spec::Member(live) = &object.spec else { continue };
            let Some(create) = contained.get(&**live.email.canonical()) else { continue };
            if !adopted.going.contains_key(address) {
                continue;
            }
            let why = format!(
                "`{}` is invited while `{}` is removed, and the first holds the second with characters that no \
                 address has: write `{}` if that is meant, or add `previously: []` if this is somebody else",
                create.name, live.email, live.email
            );
            let hold = Disposition::Held { why };
            holds.insert((*create).clone(), hold.clone());
            self.hold_removal(address, hold, holds);
        }
    }

    /// Holds a removal that a held create may explain. A date and a `none` in the files are kept whatever they resemble.
    fn hold_removal(
        self,
        address: &Address,
        hold: Disposition,
        holds: &mut HashMap<Address, Disposition>,
    ) {
        let going = self.adopted.going.get(address);
        if going.is_some_and(|(cause, _)| !matches!(cause, Cause::Expired | Cause::None)) {
            holds.insert(address.clone(), hold);
        }
    }
}
