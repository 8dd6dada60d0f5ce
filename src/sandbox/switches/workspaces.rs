//! Switches of workspaces and their settings.
//!
//! Invariant: the first position of each is the default.

use super::positions;

positions! {
    /// Whether two workspaces may have one name.
    WorkspaceNames {
        /// Yes.
        #[default] MayRepeat,
        /// Not two active ones.
        UniqueActive,
        /// Never, archived ones included.
        Unique,
    }
    /// The longest workspace name.
    WorkspaceNameLimit {
        /// 255 characters.
        #[default] Newest,
        /// 40 characters, as documented up to September 2026.
        Older,
    }
    /// Archiving an archived workspace.
    ArchiveAgain {
        /// 200, the first `archived_at` stays.
        #[default] Accepted,
        /// 400.
        Refused,
    }
    /// When the keys of an archived workspace show as archived.
    ArchiveCascade {
        /// At once.
        #[default] AtOnce,
        /// Five seconds later.
        Lags,
    }
    /// Updates of, and member writes in, an archived workspace.
    ArchivedWrites {
        /// 400.
        #[default] Refused,
        /// 200.
        Accepted,
    }
    /// Whether `include_default=true` lists the Default Workspace.
    DefaultListing {
        /// Yes.
        #[default] OnRequest,
        /// Never listed.
        Never,
    }
    /// The members list of the Default Workspace.
    DefaultMembers {
        /// An empty page.
        #[default] Empty,
        /// 400.
        BadRequest,
        /// 404.
        NotFound,
    }
    /// Whether the Default Workspace counts towards the limit of active workspaces.
    CapDefault {
        /// Yes.
        #[default] Counts,
        /// No.
        Free,
    }
    /// Whether the workspace named "Claude Code" counts towards the limit of active workspaces.
    CapClaudeCode {
        /// Yes.
        #[default] Counts,
        /// No.
        Free,
    }
    /// A `data_residency` that names only some parts.
    PartialResidency {
        /// The others stay.
        #[default] Merges,
        /// The others go back to their defaults.
        Resets,
    }
    /// `data_residency: null` in an update, or a part of it.
    NullResidency {
        /// Means nothing.
        #[default] Ignored,
        /// Goes back to the defaults.
        Resets,
        /// 400.
        Refused,
    }
    /// `tags: null` in an update.
    NullTags {
        /// Means nothing.
        #[default] Ignored,
        /// Deletes every tag.
        Clears,
        /// 400.
        Refused,
    }
}
