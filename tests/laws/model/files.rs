//! What the generated files say, as plain data that shares no code with charter's own document.
//!
//! Invariant: what stands here is written to the files as it is, and nothing else is.

use std::collections::BTreeMap;

/// The kinds of organizations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    #[default]
    Console,
    Enterprise,
    Aws,
}

impl Kind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::Console => "console",
            Kind::Enterprise => "enterprise",
            Kind::Aws => "aws",
        }
    }
}

/// Everything the files say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files {
    pub(crate) kind: Kind,
    pub(crate) members: Option<Vec<PersonEntry>>,
    pub(crate) teams: Vec<TeamEntry>,
    pub(crate) workspaces: Option<Vec<WorkspaceEntry>>,
    pub(crate) api_keys: Option<Vec<KeyEntry>>,
    pub(crate) manage: Manage,
    pub(crate) layout: Layout,
}

/// How the files are cut up and written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Layout {
    /// All in `charter.yaml`.
    #[default]
    OneFile,
    /// A file of people, and one for each workspace.
    Folder,
    /// Lists cut in two between files.
    Torn,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct PersonEntry {
    /// The address as it is written.
    pub(crate) email: String,
    /// The address as it is compared.
    pub(crate) canonical: String,
    pub(crate) role: String,
    pub(crate) until: Option<&'static str>,
    pub(crate) note: Option<String>,
    /// Written and compared forms.
    pub(crate) previously: Option<Vec<(String, String)>>,
    pub(crate) id: Option<String>,
    /// Written in the long form though the short one would do.
    pub(crate) long: bool,
}

impl PersonEntry {
    /// Nobody is wanted under this address on a day.
    pub(crate) fn gone(&self, today: &str) -> bool {
        self.role == "none" || self.until.is_some_and(|day| past(day, today))
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct TeamEntry {
    pub(crate) name: &'static str,
    /// Written and compared forms.
    pub(crate) people: Vec<(String, String)>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct WorkspaceEntry {
    pub(crate) label: String,
    pub(crate) name: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) previously: Option<Vec<String>>,
    pub(crate) state: Option<&'static str>,
    pub(crate) display_color: Option<String>,
    pub(crate) tags: Option<BTreeMap<String, String>>,
    pub(crate) residency: Option<ResidencyEntry>,
    pub(crate) external_key_id: Option<String>,
    pub(crate) user_profile_id: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) members: Option<Vec<GrantEntry>>,
    pub(crate) api_keys: Option<Vec<KeyEntry>>,
}

impl WorkspaceEntry {
    pub(crate) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.label)
    }

    pub(crate) fn archived(&self) -> bool {
        self.state == Some("archived")
    }
}

/// Parts of `data_residency`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ResidencyEntry {
    pub(crate) workspace_geo: bool,
    pub(crate) default: Option<&'static str>,
    /// `["unrestricted"]` stands for the word.
    pub(crate) allowed: Option<Vec<&'static str>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// Written and compared forms.
    Person(String, String),
    Team(&'static str),
}

#[derive(Clone, Debug)]
pub(crate) struct GrantEntry {
    pub(crate) who: Who,
    pub(crate) role: String,
    pub(crate) until: Option<&'static str>,
    pub(crate) note: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct KeyEntry {
    /// An id or a name.
    pub(crate) key: String,
    pub(crate) name: Option<String>,
    pub(crate) status: Option<&'static str>,
    pub(crate) until: Option<&'static str>,
    pub(crate) note: Option<String>,
    pub(crate) long: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Manage {
    pub(crate) members: Option<&'static str>,
    pub(crate) workspace_members: Option<&'static str>,
    pub(crate) workspaces: Option<&'static str>,
    pub(crate) api_keys: Option<&'static str>,
    pub(crate) ignore: Vec<IgnoreEntry>,
}

/// What an `ignore` entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Members,
    Workspaces,
    ApiKeys,
}

#[derive(Clone, Debug)]
pub(crate) struct IgnoreEntry {
    pub(crate) target: Target,
    pub(crate) pattern: String,
    pub(crate) until: Option<&'static str>,
}

impl IgnoreEntry {
    /// Whether it covers a name. The generated patterns are whole names, or `*` and an ending.
    pub(crate) fn covers(&self, target: Target, name: &str) -> bool {
        self.target == target
            && match self.pattern.strip_prefix('*') {
                Some(end) => name.ends_with(end),
                None => name == self.pattern,
            }
    }
}

/// The day of every generated organization.
pub(crate) const TODAY: &str = "2026-11-22";
/// Days that entries end, the last day still holding: today does, yesterday does not.
pub(crate) const PAST_DAYS: [&str; 2] = ["2026-11-21", "2026-02-28"];
pub(crate) const FUTURE_DAYS: [&str; 3] = ["2027-03-31", "2026-11-22", "2026-11-27"];

/// Whether a last day lies before today.
pub(crate) fn past(day: &str, today: &str) -> bool {
    // Dates of one form compare as text.
    day < today
}
