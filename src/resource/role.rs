//! Roles of people in the organization and in workspaces, and the kinds of organization that have them.
//!
//! Invariant: a role that charter does not know round-trips as `Other` and is never rewritten.

use std::{cmp::Ordering, fmt, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Which sort of organization it is: it decides the roles and kinds that exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrgKind {
    /// A Console (API) organization.
    #[default]
    Console,
    /// A Claude Enterprise organization.
    Enterprise,
    /// Claude Platform on AWS: only workspaces.
    Aws,
}

impl OrgKind {
    /// The word in the files.
    pub fn as_str(self) -> &'static str {
        match self {
            OrgKind::Console => "console",
            OrgKind::Enterprise => "enterprise",
            OrgKind::Aws => "aws",
        }
    }

    /// What stands before that word in a sentence.
    pub fn article(self) -> &'static str {
        match self {
            OrgKind::Console => "a",
            OrgKind::Enterprise | OrgKind::Aws => "an",
        }
    }

    /// Whether the API shows keys (core.md §1.3): elsewhere, asking for them is an error.
    pub fn has_api_keys(self) -> bool {
        self == OrgKind::Console
    }
}

impl fmt::Display for OrgKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! open_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$vmeta])* $variant,)*
            /// A word that charter does not know, kept as it came.
            Other(Arc<str>),
        }

        impl $name {
            /// Every known value.
            pub const KNOWN: &'static [$name] = &[$($name::$variant,)*];

            /// The word on the wire and in the files.
            pub fn as_str(&self) -> &str {
                match self {
                    $($name::$variant => $text,)*
                    $name::Other(text) => text,
                }
            }

            /// Reads the word; an unknown one is kept.
            pub fn from_wire(text: &str) -> Self {
                match text {
                    $($text => $name::$variant,)*
                    other => $name::Other(other.into()),
                }
            }

            /// Reads the word, if it is a known one.
            pub fn known(text: &str) -> Option<Self> {
                match Self::from_wire(text) {
                    $name::Other(_) => None,
                    known => Some(known),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                // Any text: words that charter does not know are kept.
                String::json_schema(generator)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(|text| Self::from_wire(&text))
            }
        }
    };
}

open_enum! {
    /// A person's role in the organization.
    Role {
        /// Least: may use the Playground.
        User = "user",
        /// May use Claude Code.
        ClaudeCodeUser = "claude_code_user",
        /// May make and use API keys.
        Developer = "developer",
        /// Sees and pays bills; inherits `workspace_billing` everywhere.
        Billing = "billing",
        /// Everything; inherits `workspace_admin` everywhere. Given and taken only in the Console.
        Admin = "admin",
        /// Enterprise: access comes from custom roles and groups.
        Managed = "managed",
        /// Enterprise: owner.
        Owner = "owner",
        /// Enterprise: the one primary owner.
        PrimaryOwner = "primary_owner",
        /// Enterprise: administers memberships.
        MembershipAdmin = "membership_admin",
    }
}

impl Role {
    /// Whether the API may give this role in an organization of this kind.
    pub fn assignable(&self, kind: OrgKind) -> bool {
        match (kind, self) {
            (
                OrgKind::Console,
                Role::User | Role::Developer | Role::Billing | Role::ClaudeCodeUser,
            )
            | (OrgKind::Enterprise, Role::User | Role::Managed) => true,
            (
                _,
                Role::User
                | Role::Developer
                | Role::Billing
                | Role::ClaudeCodeUser
                | Role::Admin
                | Role::Managed
                | Role::Owner
                | Role::PrimaryOwner
                | Role::MembershipAdmin
                | Role::Other(_),
            ) => false,
        }
    }

    /// Whether an organization of this kind has this role at all.
    pub fn exists_in(&self, kind: OrgKind) -> bool {
        match kind {
            OrgKind::Console => matches!(
                self,
                Role::User | Role::Developer | Role::Billing | Role::Admin | Role::ClaudeCodeUser
            ),
            OrgKind::Enterprise => matches!(
                self,
                Role::User
                    | Role::Owner
                    | Role::PrimaryOwner
                    | Role::MembershipAdmin
                    | Role::Managed
            ),
            OrgKind::Aws => false,
        }
    }

    /// Whether the API refuses to change or remove somebody who holds it.
    pub fn protected(&self) -> bool {
        match self {
            Role::Admin | Role::Owner | Role::PrimaryOwner | Role::MembershipAdmin => true,
            Role::User
            | Role::Developer
            | Role::Billing
            | Role::ClaudeCodeUser
            | Role::Managed
            | Role::Other(_) => false,
        }
    }

    /// The workspace role it gives in every workspace, listed or not.
    pub fn inherited(&self) -> Option<WorkspaceRole> {
        match self {
            Role::Admin | Role::Owner | Role::PrimaryOwner => Some(WorkspaceRole::Admin),
            Role::Billing => Some(WorkspaceRole::Billing),
            Role::User
            | Role::Developer
            | Role::ClaudeCodeUser
            | Role::Managed
            | Role::MembershipAdmin
            | Role::Other(_) => None,
        }
    }

    /// How the holder's power compares; `None` where neither is clearly more.
    pub fn compare(&self, other: &Role) -> Option<Ordering> {
        fn rank(role: &Role) -> Option<u8> {
            match role {
                Role::User | Role::Managed => Some(0),
                Role::ClaudeCodeUser => Some(1),
                Role::Developer => Some(2),
                Role::MembershipAdmin => Some(3),
                Role::Admin | Role::Owner => Some(4),
                Role::PrimaryOwner => Some(5),
                Role::Billing | Role::Other(_) => None,
            }
        }
        match (self, other) {
            _ if self == other => Some(Ordering::Equal),
            // Billing sits beside the ladder: more than a user, less than an admin, not comparable to a developer.
            (Role::Billing, Role::User) | (Role::Admin, Role::Billing) => Some(Ordering::Greater),
            (Role::User, Role::Billing) | (Role::Billing, Role::Admin) => Some(Ordering::Less),
            _ => Some(rank(self)?.cmp(&rank(other)?)),
        }
    }
}

open_enum! {
    /// A person's role in one workspace.
    WorkspaceRole {
        /// May use the Playground.
        User = "workspace_user",
        /// API and keys, but no session traces and no file download.
        RestrictedDeveloper = "workspace_restricted_developer",
        /// API and keys.
        Developer = "workspace_developer",
        /// Settings and members.
        Admin = "workspace_admin",
        /// Only inherited from the organization role `billing`.
        Billing = "workspace_billing",
    }
}

impl WorkspaceRole {
    /// Whether the API may grant it.
    pub fn assignable(&self) -> bool {
        match self {
            WorkspaceRole::User
            | WorkspaceRole::RestrictedDeveloper
            | WorkspaceRole::Developer
            | WorkspaceRole::Admin => true,
            WorkspaceRole::Billing | WorkspaceRole::Other(_) => false,
        }
    }

    /// How the holder's power compares; `None` where neither is clearly more.
    pub fn compare(&self, other: &WorkspaceRole) -> Option<Ordering> {
        fn rank(role: &WorkspaceRole) -> Option<u8> {
            match role {
                WorkspaceRole::User => Some(0),
                WorkspaceRole::RestrictedDeveloper => Some(1),
                WorkspaceRole::Developer => Some(2),
                WorkspaceRole::Admin => Some(3),
                WorkspaceRole::Billing | WorkspaceRole::Other(_) => None,
            }
        }
        if self == other {
            return Some(Ordering::Equal);
        }
        Some(rank(self)?.cmp(&rank(other)?))
    }
}

open_enum! {
    /// Whether an API key works.
    KeyStatus {
        /// It works.
        Active = "active",
        /// Switched off; can be switched on again.
        Inactive = "inactive",
        /// Off for ever.
        Archived = "archived",
        /// Past its expiry; set by the clock, never by anybody.
        Expired = "expired",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_role_round_trips_and_is_never_assignable() {
        let role = Role::from_wire("galactic_overlord");
        assert_eq!(role.as_str(), "galactic_overlord");
        assert!(!role.assignable(OrgKind::Console) && !role.protected());
        assert_eq!(Role::known("galactic_overlord"), None);
    }

    #[test]
    fn a_lateral_move_is_not_called_more_or_less() {
        assert_eq!(Role::Developer.compare(&Role::Billing), None);
        assert_eq!(Role::User.compare(&Role::Developer), Some(Ordering::Less));
        assert_eq!(Role::Admin.compare(&Role::Billing), Some(Ordering::Greater));
    }
}
