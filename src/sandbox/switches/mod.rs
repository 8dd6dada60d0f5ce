//! What no document says about the API, one switch each, so that a client can be run against every answer.
//!
//! Invariant: every field is a closed list of positions whose first is the default, and `AXES`, `draw` and
//! `all_variants` are generated from the same list, so no switch can be forgotten by a test generator.

mod access;
mod people;
mod wire;
mod workspaces;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::{access::*, people::*, wire::*, workspaces::*};

/// The positions of one switch.
trait Positions: Sized + 'static {
    const ALL: &'static [Self];
}

/// Declares switches: what each decides, and its positions, the default first.
macro_rules! positions {
    ($($(#[$doc:meta])* $kind:ident { $($(#[$position_doc:meta])* $position:ident),+ $(,)? })+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
            #[serde(rename_all = "snake_case")]
            pub enum $kind { $($(#[$position_doc])* $position),+ }

            impl super::Positions for $kind {
                const ALL: &'static [Self] = &[$(Self::$position),+];
            }
        )+
    };
}
use positions;

/// Makes of all switches the fields of one struct, in the order in which numbers choose them.
macro_rules! switches {
    ($($field:ident: $kind:ident,)+) => {
        /// The position of every switch.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Switches {
            $(#[doc = concat!("See [`", stringify!($kind), "`].")] pub $field: $kind,)+
        }

        impl Switches {
            /// Each switch: its name and how many positions it has.
            pub const AXES: &'static [(&'static str, usize)] =
                &[$((stringify!($field), <$kind as Positions>::ALL.len())),+];

            /// Sets every switch to the position that `pick(name, positions)` gives, counted from 0 and wrapped.
            pub fn draw(mut pick: impl FnMut(&'static str, usize) -> usize) -> Self {
                Self { $($field: {
                    let positions = <$kind as Positions>::ALL;
                    positions[pick(stringify!($field), positions.len()) % positions.len()]
                }),+ }
            }

            /// The switches that differ from their default, by name.
            pub fn differences(&self) -> BTreeMap<&'static str, Value> {
                let mut out = BTreeMap::new();
                let defaults = Self::default();
                let Self { $($field),+ } = *self;
                $(if $field != defaults.$field {
                    out.insert(stringify!($field), serde_json::to_value($field).unwrap_or_default());
                })+
                out
            }
        }
    };
}

impl Switches {
    /// Every position of every switch once, all other switches at their default.
    pub fn all_variants() -> Vec<Self> {
        let mut out = vec![Self::default()];
        for (axis, positions) in Self::AXES {
            for position in 1..*positions {
                out.push(Self::draw(|name, _| if name == *axis { position } else { 0 }));
            }
        }
        out
    }

    /// Sets the switches from numbers, one per switch in `AXES` order, wrapped; missing ones are the default.
    pub fn from_choices(choices: &[u8]) -> Self {
        let mut choices = choices.iter();
        Self::draw(|_, _| choices.next().map_or(0, |choice| usize::from(*choice)))
    }
}

switches! {
    email_storage: EmailStorage,
    address_matching: AddressMatching,
    returning_user: ReturningUser,
    deleted_invite: DeletedInvite,
    invite_expiry: InviteExpiry,
    invite_groups: InviteGroups,
    seat_error: SeatError,
    protected_status: ProtectedStatus,
    identity_provider: IdentityProvider,
    workspace_names: WorkspaceNames,
    workspace_name_limit: WorkspaceNameLimit,
    archive_again: ArchiveAgain,
    archive_cascade: ArchiveCascade,
    archived_writes: ArchivedWrites,
    default_listing: DefaultListing,
    default_members: DefaultMembers,
    cap_default: CapDefault,
    cap_claude_code: CapClaudeCode,
    partial_residency: PartialResidency,
    null_residency: NullResidency,
    null_tags: NullTags,
    admin_grants: AdminGrants,
    billing_grants: BillingGrants,
    billing_removal: BillingRemoval,
    inherited_member: InheritedMember,
    add_inherited: AddInherited,
    add_existing: AddExisting,
    non_member: NonMember,
    member_cache: MemberCache,
    fresh_grants: FreshGrants,
    null_key_field: NullKeyField,
    key_workspace_id: KeyWorkspaceId,
    principal_shape: PrincipalShape,
    me_elsewhere: MeElsewhere,
    missing_endpoint: MissingEndpoint,
    wrong_prefix: WrongPrefix,
    unknown_parameters: UnknownParameters,
    read_after_create: ReadAfterCreate,
    list_order: ListOrder,
    page_size: PageSize,
    has_more: HasMore,
    unknown_fields: UnknownFields,
    rate_limit_headers: RateLimitHeaders,
    sign_out_beta: SignOutBeta,
    exchange_account: ExchangeAccount,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_position_of_every_switch_is_a_variant() {
        let positions: usize = Switches::AXES.iter().map(|(_, positions)| positions - 1).sum();
        let variants = Switches::all_variants();
        assert_eq!(variants.len(), positions + 1);
        for (index, variant) in variants.iter().enumerate() {
            assert_eq!(variant.differences().len(), usize::from(index > 0));
            assert!(!variants[..index].contains(variant));
        }
    }

    #[test]
    fn choices_wrap_and_the_rest_is_the_default() {
        assert_eq!(Switches::from_choices(&[]), Switches::default());
        let drawn = Switches::from_choices(&[3, 0, 1]);
        assert_eq!(drawn.email_storage, EmailStorage::LowerCase);
        assert_eq!(drawn.returning_user, ReturningUser::SameId);
        assert_eq!(drawn.differences().len(), 2);
    }
}
