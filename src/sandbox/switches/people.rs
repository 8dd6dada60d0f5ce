//! Switches of users, invites and signing out.
//!
//! Invariant: the first position of each is the default.

use super::positions;

positions! {
    /// How an invited address is stored.
    EmailStorage {
        /// As it was sent.
        #[default] AsTyped,
        /// In ASCII lower case.
        LowerCase,
    }
    /// Which addresses count as the same one in `already_member` and `invite_already_exists`.
    AddressMatching {
        /// Equal but for case.
        #[default] Exact,
        /// Equal but for case, dots and plus-tags of the local part.
        Variants,
    }
    /// The user id of somebody who left and accepts a new invite.
    ReturningUser {
        /// A new one.
        #[default] NewId,
        /// The one they had.
        SameId,
    }
    /// GET of a withdrawn invite.
    DeletedInvite {
        /// 404.
        #[default] NotFound,
        /// The invite with status `deleted`.
        Shown,
    }
    /// How soon an invite's status follows the clock.
    InviteExpiry {
        /// At once.
        #[default] Exact,
        /// It stays `pending` for another hour, and blocks a new invite so long.
        LagsAnHour,
    }
    /// Whether `rbac_group_ids` stands in responses.
    InviteGroups {
        /// Yes, `[]` if there are none.
        #[default] Present,
        /// No, as in older responses.
        Absent,
    }
    /// The error when no seat is free.
    SeatError {
        /// A 400 without a code.
        #[default] Plain,
        /// With code `org_member_limit_exceeded`, which the contract keeps for another limit.
        Coded,
    }
    /// The status that refuses a change of an admin or owner.
    ProtectedStatus {
        /// 400.
        #[default] BadRequest,
        /// 403.
        Forbidden,
    }
    /// Whether an identity provider rules people: then role updates, removals and invites answer 400.
    IdentityProvider {
        /// No.
        #[default] None,
        /// Yes.
        Manages,
    }
    /// Whether an Enterprise organization takes part in the sign-out beta (others never do).
    SignOutBeta {
        /// Yes.
        #[default] Enrolled,
        /// No: 400 `organization_not_enrolled_in_beta`.
        NotEnrolled,
    }
}
