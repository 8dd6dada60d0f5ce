//! What the files say about right and wrong: `policy`, `tests` and `files`.
//!
//! Invariant: a rule that stands here is complete; one that the decoder could not read keeps the files from loading.

mod words;

use std::{collections::BTreeMap, sync::Arc};

use super::{Place, Section, Sp, Text};
use crate::{
    diagnostic::Severity,
    email::Email,
    expression::{Expression, Subject},
    resource::{Role, WorkspaceRole},
};

/// Rules on the organization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Where the section stands.
    pub place: Place,
    /// The rules, built-in ones first.
    pub rules: Vec<Rule>,
    /// Findings that are accepted, each for a reason.
    pub exceptions: Vec<Exception>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Where it stands.
    pub place: Place,
    /// Its name: a built-in rule's key, or the one the files give it.
    pub name: Arc<str>,
    /// Whether a finding refuses, or only shows.
    pub severity: Severity,
    /// What it demands.
    pub demand: Demand,
}

/// What a rule demands.
#[expect(clippy::large_enum_variant, reason = "there are few rules")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Demand {
    /// How many admins there are, and who may be one.
    Admins {
        /// The fewest.
        least: Option<Sp<u64>>,
        /// The most.
        most: Option<Sp<u64>>,
        /// Nobody else.
        only: Option<Vec<Sp<Email>>>,
    },
    /// Which domains the addresses of people with certain roles have.
    EmailDomains {
        /// The roles; empty: every one.
        roles: Vec<Sp<Role>>,
        /// Domains, or patterns of them.
        domains: Vec<Text>,
    },
    /// Every workspace has an admin.
    WorkspaceAdmins {
        /// Which workspaces; empty: every one.
        workspaces: Vec<Text>,
        /// How many.
        least: u64,
        /// Whether admins of the organization count.
        inherited: bool,
    },
    /// Nobody holds both.
    Separation {
        /// One access.
        one: Access,
        /// The other.
        other: Access,
    },
    /// Some people have a last day.
    Contractors {
        /// Who.
        people: Vec<Text>,
        /// It is at most so many days away.
        days: Option<Sp<u64>>,
    },
    /// Keys are not older than this.
    KeyAge {
        /// Which keys, by name or id; empty: every one.
        api_keys: Vec<Text>,
        /// Days since a key was made.
        days: Sp<u64>,
    },
    /// Invites do not wait longer than this.
    InviteAge {
        /// Days since an invite was sent.
        days: Sp<u64>,
    },
    /// What things are called.
    Names {
        /// What sort of thing.
        of: Named,
        /// One of these patterns matches.
        patterns: Vec<Text>,
    },
    /// Tags that workspaces have.
    Tags {
        /// Which workspaces; empty: every one.
        workspaces: Vec<Text>,
        /// Tags, each with patterns of its values; none: any value.
        required: BTreeMap<Arc<str>, Vec<Text>>,
    },
    /// An expression of the files.
    Custom(Custom),
}

/// Things with names of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// Workspaces.
    Workspaces,
    /// Keys.
    ApiKeys,
    /// Teams: in the files only.
    Teams,
}

/// A rule as an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Custom {
    /// What it is asked about, one by one; none: once, about everything.
    pub for_each: Option<Subject>,
    /// Only where this holds.
    pub when: Option<Sp<Expression>>,
    /// What must hold.
    pub check: Sp<Expression>,
    /// What to say where it does not.
    pub message: Option<Text>,
}

/// Access that somebody may hold: a role in the organization, or one in a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Where it stands.
    pub place: Place,
    /// In the organization, this role or more.
    pub role: Option<Sp<Role>>,
    /// In workspaces of such a name …
    pub workspace: Option<Text>,
    /// … this role or more; none: any.
    pub grant: Option<Sp<WorkspaceRole>>,
}

/// A finding that is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// Where it stands.
    pub place: Place,
    /// The name of the rule.
    pub rule: Text,
    /// Whom or what it is about: a pattern over addresses, names and ids.
    pub of: Text,
    /// Why.
    pub reason: Text,
    /// The last day it is accepted.
    pub until: Option<Sp<jiff::civil::Date>>,
}

/// The tests of the files, by name.
pub type Tests = Section<Arc<str>, Test>;

/// One entry of `tests`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// Where it stands.
    pub place: Place,
    /// Who it is about: an address or a pattern; none: everything at once.
    pub person: Option<Text>,
    /// What must hold.
    pub must: Vec<Expected>,
    /// What must not.
    pub must_not: Vec<Expected>,
    /// Whether a failure refuses, or only shows.
    pub severity: Severity,
}

/// What a test is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Somebody holds this access, or more.
    Access(Access),
    /// This is true.
    Expression(Sp<Expression>),
}

/// What files of certain paths may name.
pub type FileLimits = Section<Arc<str>, FileLimit>;

/// One entry of `files`. What it does not mention is not limited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileLimit {
    /// Where it stands.
    pub place: Place,
    /// People under `members`.
    pub members: Option<Allowed>,
    /// Teams.
    pub teams: Option<Allowed>,
    /// Workspaces.
    pub workspaces: Option<Allowed>,
    /// Who grants in workspaces are for: addresses and `team/NAME`.
    pub grants: Option<Allowed>,
    /// Keys, wherever they are listed.
    pub api_keys: Option<Allowed>,
}

/// What may be named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// Anything.
    Any,
    /// Nothing.
    Nothing,
    /// What matches one of these patterns.
    Only(Vec<Text>),
}
