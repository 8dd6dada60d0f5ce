//! What each word of the files means, for editors.
//!
//! Invariant: every word of a table has a text; a test holds it.

/// What a word means, in a few words; empty: no table has it.
pub(crate) fn meaning(word: &str) -> &'static str {
    match word {
        // Roles of the organization.
        "user" => "uses Claude, without the Console",
        "claude_code_user" => "uses Claude Code",
        "developer" => "uses the Console and makes keys",
        "billing" => "sees and pays bills",
        "admin" => "does everything; only the Console gives this role",
        "managed" => "the role comes from a group or the identity provider",
        "owner" => "owns an Enterprise organization with others",
        "primary_owner" => "owns an Enterprise organization",
        "membership_admin" => "manages the members of an Enterprise organization",
        // Roles in a workspace.
        "workspace_user" => "uses the workspace",
        "workspace_developer" => "uses the workspace and makes keys in it",
        "workspace_restricted_developer" => "as `workspace_developer`, with fewer rights",
        "workspace_admin" => "manages the workspace",
        "workspace_billing" => "comes from the role `billing`; it cannot be granted",
        // Both.
        "none" => "has no access: what is there is removed",
        "unmanaged" => "is listed, and the live role is left as it is",
        // What becomes of what a list leaves out.
        "remove" => "is removed by `apply`",
        "report" => "is shown, and left alone",
        "ignore" => "is neither shown nor touched",
        // States and statuses.
        "active" => "works",
        "inactive" => "is switched off, and can be switched on again",
        "archived" => "is archived, which nothing undoes",
        "expired" => "has passed its date",
        // Organizations and places.
        "console" => "an organization of the Claude Console",
        "enterprise" => "an organization of Claude Enterprise",
        "aws" => "an organization that is bought through AWS",
        "global" => "anywhere",
        "us" => "in the United States",
        "unrestricted" => "everywhere",
        // Rules.
        "error" => "a finding refuses the plan",
        "warning" => "a finding is shown",
        "people" => "each person",
        "workspaces" => "each workspace",
        "grants" => "each grant of a person in a workspace",
        "keys" => "each API key",
        "changes" => "each change of the plan",
        // Guards.
        "removals.members" => "people removed",
        "removals.workspace_members" => "grants removed",
        "expirations" => "access and keys that end by their date",
        "downgrades" => "role changes to less",
        "invites" => "invites sent",
        "returns" => "invites to somebody who was a member before",
        "archives" => "workspaces and keys archived",
        "deactivations" => "keys switched off",
        "dying_keys" => "active listed keys that another step would disable",
        "dying_unlisted_keys" => "other active keys that another step would disable",
        _ => "",
    }
}
