//! Switches of what is common to all endpoints: which exist, how lists come, headers, the token exchange.
//!
//! Invariant: the first position of each is the default.

use super::positions;

positions! {
    /// `GET me` for an Enterprise or AWS organization.
    MeElsewhere {
        /// Works.
        #[default] Available,
        /// Fails as other calls that the kind of organization lacks.
        Missing,
    }
    /// The answer to a call that the kind of organization lacks.
    MissingEndpoint {
        /// 403.
        #[default] Forbidden,
        /// 400 `organization_type_not_supported`, a code that the contract does not give these calls.
        BadRequest,
        /// 404.
        NotFound,
    }
    /// An id with the prefix of another kind in a path.
    WrongPrefix {
        /// 404.
        #[default] NotFound,
        /// 400.
        BadRequest,
    }
    /// A query parameter that an endpoint does not know.
    UnknownParameters {
        /// Means nothing.
        #[default] Ignored,
        /// 400.
        Refused,
    }
    /// Reading an object just after it was made.
    ReadAfterCreate {
        /// Works.
        #[default] Works,
        /// The first two GETs of it answer 404.
        Lags,
    }
    /// The order of lists whose order is not documented (workspaces, members, keys).
    ListOrder {
        /// The newest first.
        #[default] NewestFirst,
        /// The oldest first.
        OldestFirst,
    }
    /// How many rows a page holds.
    PageSize {
        /// `limit`, but for the last page.
        #[default] Full,
        /// Half of `limit`, though more follow.
        Short,
    }
    /// Whether pages say `has_more`.
    HasMore {
        /// Yes.
        #[default] Present,
        /// No: the list ends with an empty page.
        Absent,
    }
    /// Fields that no document names, in every response object.
    UnknownFields {
        /// None.
        #[default] Absent,
        /// One in each.
        Present,
    }
    /// `anthropic-ratelimit-requests-*` headers.
    RateLimitHeaders {
        /// Absent.
        #[default] Absent,
        /// Present.
        Present,
    }
    /// `service_account_id` in a token exchange.
    ExchangeAccount {
        /// May be left out.
        #[default] Optional,
        /// Must be there.
        Required,
    }
}
