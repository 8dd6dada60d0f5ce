//! Switches of workspace members and API keys.
//!
//! Invariant: the first position of each is the default.

use super::positions;

positions! {
    /// Whether explicit grants of organization admins and owners are listed.
    AdminGrants {
        /// No.
        #[default] Hidden,
        /// Yes.
        Listed,
    }
    /// Whether explicit grants of billing members are listed.
    BillingGrants {
        /// No.
        #[default] Hidden,
        /// Yes.
        Listed,
        /// Not in the list, but by GET of the member.
        Member,
    }
    /// Taking an explicit grant away from a billing member.
    BillingRemoval {
        /// The grant goes.
        #[default] Accepted,
        /// It goes, and the row reads `workspace_billing` from then on.
        LeavesRow,
        /// 400.
        Refused,
    }
    /// GET of a member whose access is inherited.
    InheritedMember {
        /// 404.
        #[default] NotFound,
        /// The member with the inherited role.
        Shown,
    }
    /// GET of a single member just after a write.
    MemberCache {
        /// Shows what was written.
        #[default] None,
        /// Shows for 30 seconds what was there before; the list is fresh.
        Stale,
    }
    /// Update or removal of a grant that was made less than 20 seconds ago.
    FreshGrants {
        /// Works.
        #[default] Known,
        /// 400 without a code: the user is not in the workspace.
        Unknown,
    }
    /// Adding somebody whose access is inherited.
    AddInherited {
        /// 400.
        #[default] Refused,
        /// 200, kept as an explicit grant.
        Accepted,
    }
    /// Adding somebody who is a member already.
    AddExisting {
        /// 400.
        #[default] BadRequest,
        /// 409.
        Conflict,
        /// 200, the role is set.
        Updates,
    }
    /// An update or removal of somebody who is not in the workspace.
    NonMember {
        /// 400, as seen on the real API.
        #[default] BadRequest,
        /// 404.
        NotFound,
    }
    /// `name: null` or `status: null` in an update of a key.
    NullKeyField {
        /// Means nothing.
        #[default] Ignored,
        /// 400.
        Refused,
    }
    /// `api_key.workspace_id` under version 2023-06-01.
    KeyWorkspaceId {
        /// Present.
        #[default] OldVersion,
        /// Gone there too.
        Never,
    }
    /// The shape of `api_key.principal`.
    PrincipalShape {
        /// `{type: user_actor, user_id}`.
        #[default] Actor,
        /// `{type: user, id}`, as documented in August 2026.
        Plain,
    }
}
