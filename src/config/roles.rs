//! The roles a file may want, and the kinds of organization that have them.
//!
//! Invariant: a role is named here exactly as the API names it; roles the API adds later are `unmanaged` in files.

use std::fmt;

/// What sort of organization it is: it decides which roles and which sections exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrganizationKind {
    /// A Console (API) organization.
    #[default]
    Console,
    /// A Claude Enterprise organization.
    Enterprise,
    /// Claude Platform on AWS.
    Aws,
}

impl OrganizationKind {
    /// Every kind of organization.
    pub const ALL: [OrganizationKind; 3] =
        [OrganizationKind::Console, OrganizationKind::Enterprise, OrganizationKind::Aws];

    /// The word in files.
    pub fn as_str(self) -> &'static str {
        match self {
            OrganizationKind::Console => "console",
            OrganizationKind::Enterprise => "enterprise",
            OrganizationKind::Aws => "aws",
        }
    }
}

impl fmt::Display for OrganizationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A role that files can name.
pub trait Role: Copy + Eq + fmt::Debug + 'static {
    /// Every role of this sort.
    const ALL: &'static [Self];
    /// Whose role it is, for a sentence.
    const OF: &'static str;
    /// The word in files and in the API.
    fn as_str(self) -> &'static str;
}

/// The role of a person in the organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrganizationRole {
    /// Uses the Console's Workbench.
    User,
    /// Makes and uses API keys.
    Developer,
    /// Sees and pays bills.
    Billing,
    /// Uses Claude Code only.
    ClaudeCodeUser,
    /// Has what custom roles and groups give (Enterprise).
    Managed,
    /// Administers a Console organization. Only a person can grant it.
    Admin,
    /// Owns an Enterprise organization. Only a person can grant it.
    Owner,
    /// The first owner. Only a person can grant it.
    PrimaryOwner,
    /// Administers the members of an Enterprise organization. Only a person can grant it.
    MembershipAdmin,
}

impl Role for OrganizationRole {
    const ALL: &'static [Self] = &[
        OrganizationRole::User,
        OrganizationRole::Developer,
        OrganizationRole::Billing,
        OrganizationRole::ClaudeCodeUser,
        OrganizationRole::Managed,
        OrganizationRole::Admin,
        OrganizationRole::Owner,
        OrganizationRole::PrimaryOwner,
        OrganizationRole::MembershipAdmin,
    ];
    const OF: &'static str = "a member of the organization";

    fn as_str(self) -> &'static str {
        match self {
            OrganizationRole::User => "user",
            OrganizationRole::Developer => "developer",
            OrganizationRole::Billing => "billing",
            OrganizationRole::ClaudeCodeUser => "claude_code_user",
            OrganizationRole::Managed => "managed",
            OrganizationRole::Admin => "admin",
            OrganizationRole::Owner => "owner",
            OrganizationRole::PrimaryOwner => "primary_owner",
            OrganizationRole::MembershipAdmin => "membership_admin",
        }
    }
}

impl OrganizationRole {
    /// The kinds of organization whose members can have it (core.md §3.2).
    pub fn kinds(self) -> &'static [OrganizationKind] {
        use OrganizationKind::{Console, Enterprise};
        match self {
            OrganizationRole::User => &[Console, Enterprise],
            OrganizationRole::Developer
            | OrganizationRole::Billing
            | OrganizationRole::ClaudeCodeUser
            | OrganizationRole::Admin => &[Console],
            OrganizationRole::Managed
            | OrganizationRole::Owner
            | OrganizationRole::PrimaryOwner
            | OrganizationRole::MembershipAdmin => &[Enterprise],
        }
    }
}

/// The role of a person in a workspace. `workspace_billing` is not among them: it is only ever inherited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkspaceRole {
    /// Uses the Workbench.
    User,
    /// Uses the API and keys, without session traces and file download.
    RestrictedDeveloper,
    /// Uses the API and keys.
    Developer,
    /// Changes settings and members.
    Admin,
}

impl Role for WorkspaceRole {
    const ALL: &'static [Self] = &[
        WorkspaceRole::User,
        WorkspaceRole::RestrictedDeveloper,
        WorkspaceRole::Developer,
        WorkspaceRole::Admin,
    ];
    const OF: &'static str = "a workspace";

    fn as_str(self) -> &'static str {
        match self {
            WorkspaceRole::User => "workspace_user",
            WorkspaceRole::RestrictedDeveloper => "workspace_restricted_developer",
            WorkspaceRole::Developer => "workspace_developer",
            WorkspaceRole::Admin => "workspace_admin",
        }
    }
}
