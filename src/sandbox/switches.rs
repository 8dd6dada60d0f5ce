//! What no document says about the API, one switch each, so that a client can be run against every answer.
//!
//! Invariant: every field is a closed list of positions whose first is the default, and `AXES`, `draw` and
//! `all_variants` are generated from the same list, so no switch can be forgotten by a test generator.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

macro_rules! switches {
    ($($(#[$doc:meta])* $field:ident: $kind:ident { $($(#[$vdoc:meta])* $position:ident),+ $(,)? })+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
            #[serde(rename_all = "snake_case")]
            pub enum $kind { $($(#[$vdoc])* $position),+ }
        )+

        /// The position of every switch.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Switches { $($(#[$doc])* pub $field: $kind),+ }

        impl Switches {
            /// Each switch: its name and how many positions it has.
            pub const AXES: &'static [(&'static str, usize)] =
                &[$((stringify!($field), [$($kind::$position),+].len())),+];

            /// Sets every switch to the position that `pick(name, positions)` gives, counted from 0 and wrapped.
            pub fn draw(mut pick: impl FnMut(&'static str, usize) -> usize) -> Self {
                Self { $($field: {
                    let positions = [$($kind::$position),+];
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
    /// How an invited address is stored.
    email_storage: EmailStorage {
        /// As it was sent.
        #[default] AsTyped,
        /// In ASCII lower case.
        LowerCase,
    }
    /// Which addresses count as the same one in `already_member` and `invite_already_exists`.
    address_matching: AddressMatching {
        /// Equal but for case.
        #[default] Exact,
        /// Equal but for case, dots and plus-tags of the local part.
        Variants,
    }
    /// The user id of somebody who left and accepts a new invite.
    returning_user: ReturningUser {
        /// A new one.
        #[default] NewId,
        /// The one they had.
        SameId,
    }
    /// GET of a withdrawn invite.
    deleted_invite: DeletedInvite {
        /// 404.
        #[default] NotFound,
        /// The invite with status `deleted`.
        Shown,
    }
    /// How soon an invite's status follows the clock.
    invite_expiry: InviteExpiry {
        /// At once.
        #[default] Exact,
        /// It stays `pending` for another hour, and blocks a new invite so long.
        LagsAnHour,
    }
    /// Whether `rbac_group_ids` stands in responses.
    invite_groups: InviteGroups {
        /// Yes, `[]` if there are none.
        #[default] Present,
        /// No, as in older responses.
        Absent,
    }
    /// The error when no seat is free.
    seat_error: SeatError {
        /// With code `org_member_limit_exceeded`.
        #[default] Coded,
        /// A 400 without a code.
        Plain,
    }
    /// The status that refuses a change of an admin or owner.
    protected_status: ProtectedStatus {
        /// 400.
        #[default] BadRequest,
        /// 403.
        Forbidden,
    }
    /// Whether an identity provider rules people: then role updates, removals and invites answer 400.
    identity_provider: IdentityProvider {
        /// No.
        #[default] None,
        /// Yes.
        Manages,
    }
    /// Whether two workspaces may have one name.
    workspace_names: WorkspaceNames {
        /// Yes.
        #[default] MayRepeat,
        /// Not two active ones.
        UniqueActive,
        /// Never, archived ones included.
        Unique,
    }
    /// The longest workspace name.
    workspace_name_limit: WorkspaceNameLimit {
        /// 255 characters.
        #[default] Newest,
        /// 40 characters, as documented up to September 2026.
        Older,
    }
    /// Archiving an archived workspace.
    archive_again: ArchiveAgain {
        /// 200, the first `archived_at` stays.
        #[default] Accepted,
        /// 400.
        Refused,
    }
    /// When the keys of an archived workspace show as archived.
    archive_cascade: ArchiveCascade {
        /// At once.
        #[default] AtOnce,
        /// Five seconds later.
        Lags,
    }
    /// Updates of, and member writes in, an archived workspace.
    archived_writes: ArchivedWrites {
        /// 400.
        #[default] Refused,
        /// 200.
        Accepted,
    }
    /// Whether `include_default=true` lists the Default Workspace.
    default_listing: DefaultListing {
        /// Yes.
        #[default] OnRequest,
        /// Never listed.
        Never,
    }
    /// The members list of the Default Workspace.
    default_members: DefaultMembers {
        /// An empty page.
        #[default] Empty,
        /// 400.
        BadRequest,
        /// 404.
        NotFound,
    }
    /// Whether the Default Workspace counts towards the limit of active workspaces.
    cap_default: CapDefault {
        /// Yes.
        #[default] Counts,
        /// No.
        Free,
    }
    /// Whether the workspace named "Claude Code" counts towards the limit of active workspaces.
    cap_claude_code: CapClaudeCode {
        /// Yes.
        #[default] Counts,
        /// No.
        Free,
    }
    /// A `data_residency` that names only some parts.
    partial_residency: PartialResidency {
        /// The others stay.
        #[default] Merges,
        /// The others go back to their defaults.
        Resets,
    }
    /// `data_residency: null` in an update, or a part of it.
    null_residency: NullResidency {
        /// Means nothing.
        #[default] Ignored,
        /// Goes back to the defaults.
        Resets,
        /// 400.
        Refused,
    }
    /// `tags: null` in an update.
    null_tags: NullTags {
        /// Means nothing.
        #[default] Ignored,
        /// Deletes every tag.
        Clears,
        /// 400.
        Refused,
    }
    /// Whether explicit grants of organization admins and owners are listed.
    admin_grants: AdminGrants {
        /// No.
        #[default] Hidden,
        /// Yes.
        Listed,
    }
    /// Whether explicit grants of billing members are listed.
    billing_grants: BillingGrants {
        /// No.
        #[default] Hidden,
        /// Yes.
        Listed,
    }
    /// GET of a member whose access is inherited.
    inherited_member: InheritedMember {
        /// 404.
        #[default] NotFound,
        /// The member with the inherited role.
        Shown,
    }
    /// Adding somebody whose access is inherited.
    add_inherited: AddInherited {
        /// 400.
        #[default] Refused,
        /// 200, kept as an explicit grant.
        Accepted,
    }
    /// Adding somebody who is a member already.
    add_existing: AddExisting {
        /// 400.
        #[default] BadRequest,
        /// 409.
        Conflict,
        /// 200, the role is set.
        Updates,
    }
    /// `name: null` or `status: null` in an update of a key.
    null_key_field: NullKeyField {
        /// Means nothing.
        #[default] Ignored,
        /// 400.
        Refused,
    }
    /// `api_key.workspace_id` under version 2023-06-01.
    key_workspace_id: KeyWorkspaceId {
        /// Present.
        #[default] OldVersion,
        /// Gone there too.
        Never,
    }
    /// The shape of `api_key.principal`.
    principal_shape: PrincipalShape {
        /// `{type: user_actor, user_id}`.
        #[default] Actor,
        /// `{type: user, id}`, as documented in August 2026.
        Plain,
    }
    /// `GET me` for an Enterprise or AWS organization.
    me_elsewhere: MeElsewhere {
        /// Works.
        #[default] Available,
        /// Fails as other calls that the kind of organization lacks.
        Missing,
    }
    /// The answer to a call that the kind of organization lacks.
    missing_endpoint: MissingEndpoint {
        /// 400 `organization_type_not_supported`.
        #[default] BadRequest,
        /// 403.
        Forbidden,
        /// 404.
        NotFound,
    }
    /// An id with the prefix of another kind in a path.
    wrong_prefix: WrongPrefix {
        /// 404.
        #[default] NotFound,
        /// 400.
        BadRequest,
    }
    /// Reading an object just after it was made.
    read_after_create: ReadAfterCreate {
        /// Works.
        #[default] Works,
        /// The first two GETs of it answer 404.
        Lags,
    }
    /// The order of lists whose order is not documented (workspaces, members, keys).
    list_order: ListOrder {
        /// The newest first.
        #[default] NewestFirst,
        /// The oldest first.
        OldestFirst,
    }
    /// How many rows a page holds.
    page_size: PageSize {
        /// `limit`, but for the last page.
        #[default] Full,
        /// Half of `limit`, though more follow.
        Short,
    }
    /// Whether pages say `has_more`.
    has_more: HasMore {
        /// Yes.
        #[default] Present,
        /// No: the list ends with an empty page.
        Absent,
    }
    /// Fields that no document names, in every response object.
    unknown_fields: UnknownFields {
        /// None.
        #[default] Absent,
        /// One in each.
        Present,
    }
    /// `anthropic-ratelimit-requests-*` headers.
    rate_limit_headers: RateLimitHeaders {
        /// Absent.
        #[default] Absent,
        /// Present.
        Present,
    }
    /// Whether an Enterprise organization takes part in the sign-out beta.
    sign_out_beta: SignOutBeta {
        /// Yes.
        #[default] Enrolled,
        /// No: 400 `organization_not_enrolled_in_beta`.
        NotEnrolled,
    }
    /// `service_account_id` in a token exchange.
    exchange_account: ExchangeAccount {
        /// May be left out.
        #[default] Optional,
        /// Must be there.
        Required,
    }
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
